"""The Karush-Kuhn-Tucker residual, and the augmented Lagrangian."""

from __future__ import annotations


def stationarity(g, jac, lam, out):
    """Gradient of the Lagrangian, g + J' lam, into `out`; its largest magnitude."""
    top = 0.0
    for j in range(g.size):
        total = g[j]
        for i in range(lam.size):
            total += lam[i] * jac[i, j]
        out[j] = total
        top = max(top, abs(total)) if total == total else total
    return top


def infeasibility(c, m_eq):
    """Largest violation of a constraint."""
    top = 0.0
    for i in range(c.size):
        top = max(top, abs(c[i]) if i < m_eq else c[i])
    return top


def complementarity(c, lam, m_eq):
    """Largest |lam_i c_i| over inequalities, or negative part of their multipliers."""
    top = 0.0
    for i in range(m_eq, c.size):
        top = max(top, abs(lam[i] * c[i]), -lam[i])
    return top


def kkt_residual(g, c, jac, lam, m_eq, out):
    """Largest of stationarity, infeasibility and complementarity; the gradient of the Lagrangian into `out`."""
    top = stationarity(g, jac, lam, out)
    return max(top, infeasibility(c, m_eq), complementarity(c, lam, m_eq))


def augmented(f, g, c, jac, lam, m_eq, penalty):
    """Value of the augmented Lagrangian; its gradient in the place of g, that of f.

    Equalities add lam c + rho/2 c^2; inequalities (max(0, lam + rho c)^2 - lam^2) / (2 rho), Rockafellar's form; without a
    penalty both add lam c.
    """
    for i in range(c.size):
        shifted = lam[i] + penalty * c[i]
        if i >= m_eq and penalty > 0.0:
            weight = max(0.0, shifted)
            f += (weight * weight - lam[i] * lam[i]) / (2.0 * penalty)
        else:
            weight = shifted
            f += (lam[i] + 0.5 * penalty * c[i]) * c[i]
        for j in range(g.size):
            g[j] += weight * jac[i, j]
    return f
