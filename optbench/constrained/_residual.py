"""The Karush-Kuhn-Tucker residual, and the augmented Lagrangian."""

from __future__ import annotations

LOWEST = -1e12  # times max(1, |f(x_0)|): where f counts as unbounded


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


def fallen(f, first):
    """Whether f, which was `first` at the start, has no lower bound by the look of it, or is no number."""
    return not f > LOWEST * max(1.0, abs(first))


def stationary_violation(c, jac, m_eq):
    """Whether the constraints are violated where the sum of the squared violations has no slope."""
    top = slope = size = 0.0
    for i in range(c.size):
        top = max(top, abs(c[i]) if i < m_eq else c[i])
    for j in range(jac.shape[1]):
        total = 0.0
        for i in range(c.size):
            term = (c[i] if i < m_eq else max(0.0, c[i])) * jac[i, j]
            total += term
            size = max(size, abs(term))
        slope = max(slope, abs(total))
    return top > 1e-6 and slope <= 1e-4 * max(size, top * top)


def kkt_residual(g, c, jac, lam, m_eq, out):
    """Largest of stationarity, infeasibility and complementarity; the gradient of the Lagrangian into `out`."""
    top = stationarity(g, jac, lam, out)
    return max(top, infeasibility(c, m_eq), complementarity(c, lam, m_eq))


def augmented(f, g, c, jac, lam, m_eq, penalty):
    """Value of the augmented Lagrangian; its gradient in the place of g, that of f.

    Equalities add lam c + rho/2 c^2; inequalities (max(0, lam + rho c)^2 - lam^2) / (2 rho), Rockafellar's form.
    Without a penalty both add lam c.
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
