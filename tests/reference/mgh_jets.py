"""Second-order Taylor arithmetic in mpmath: a value, its gradient and its Hessian, exact to the working precision."""

from __future__ import annotations

from typing import Any

import mpmath as mp
import numpy as np


class Jet:
    """Value, gradient, shape (n,), and Hessian, shape (n, n), of mpmath numbers at one point."""

    __array_ufunc__ = None

    def __init__(self, v: Any, g: Any, h: Any) -> None:
        self.v, self.g, self.h = v, g, h

    def lift(self, f: Any, df: Any, ddf: Any) -> Jet:
        """A function of this jet, by its value and first two derivatives."""
        return Jet(f, df * self.g, df * self.h + ddf * np.outer(self.g, self.g))

    def __add__(self, other: Any) -> Jet:
        if isinstance(other, Jet):
            return Jet(self.v + other.v, self.g + other.g, self.h + other.h)
        return Jet(self.v + other, self.g, self.h)

    def __mul__(self, other: Any) -> Jet:
        if isinstance(other, Jet):
            cross = np.outer(self.g, other.g)
            h = self.v * other.h + other.v * self.h + cross + cross.T
            return Jet(self.v * other.v, self.v * other.g + other.v * self.g, h)
        return Jet(self.v * other, self.g * other, self.h * other)

    def __pow__(self, power: Any) -> Any:
        if isinstance(power, Jet):
            return exp(power * log(self))
        if power == 0:
            return self.lift(mp.mpf(1), mp.mpf(0), mp.mpf(0))
        if power == 1:
            return self
        low = self.v ** (power - 2)
        return self.lift(low * self.v**2, power * low * self.v, power * (power - 1) * low)

    def __neg__(self) -> Jet:
        return self * -1

    def __sub__(self, other: Any) -> Any:
        return self + -other

    def __rsub__(self, other: Any) -> Any:
        return -self + other

    def __truediv__(self, other: Any) -> Any:
        return self * (other**-1 if isinstance(other, Jet) else 1 / mp.mpf(other))

    def __rtruediv__(self, other: Any) -> Any:
        return self**-1 * other

    def __rpow__(self, base: Any) -> Any:
        return exp(self * mp.log(base))

    __radd__ = __add__
    __rmul__ = __mul__


def exp(z: Any) -> Any:
    """Exponential of a jet or number."""
    if isinstance(z, Jet):
        e = mp.exp(z.v)
        return z.lift(e, e, e)
    return mp.exp(z)


def log(z: Any) -> Any:
    """Natural logarithm of a jet or number."""
    return z.lift(mp.log(z.v), 1 / z.v, -1 / z.v**2) if isinstance(z, Jet) else mp.log(z)


def sin(z: Any) -> Any:
    """Sine of a jet or number."""
    return z.lift(mp.sin(z.v), mp.cos(z.v), -mp.sin(z.v)) if isinstance(z, Jet) else mp.sin(z)


def cos(z: Any) -> Any:
    """Cosine of a jet or number."""
    return z.lift(mp.cos(z.v), -mp.sin(z.v), -mp.cos(z.v)) if isinstance(z, Jet) else mp.cos(z)


def sqrt(z: Any) -> Any:
    """Square root of a jet or number."""
    return z ** mp.mpf("0.5")


def atan(z: Any) -> Any:
    """Arctangent of a jet or number."""
    if isinstance(z, Jet):
        d = 1 / (1 + z.v**2)
        return z.lift(mp.atan(z.v), d, -2 * z.v * d**2)
    return mp.atan(z)


def absolute(z: Any) -> Any:
    """Absolute value of a jet or number."""
    return -z if (z.v if isinstance(z, Jet) else z) < 0 else z


def variables(x: Any) -> list[Jet]:
    """The coordinates of a point as jets."""
    n = len(x)
    unit, none = np.array(mp.eye(n).tolist(), dtype=object).reshape(n, n), np.full((n, n), mp.mpf(0), dtype=object)
    return [Jet(mp.mpf(t), unit[i], none) for i, t in enumerate(x)]


def constant(value: Any, n: int) -> Jet:
    """A number as a jet in n variables."""
    zero = mp.mpf(0)
    return Jet(mp.mpf(value), np.full(n, zero, dtype=object), np.full((n, n), zero, dtype=object))


def jets_of(residuals: Any, x: Any, m: int) -> list[Jet]:
    """The residuals of a formula at `x` as jets."""
    made = residuals(variables(x), m)
    return [r if isinstance(r, Jet) else constant(r, len(x)) for r in made]


def newton(residuals: Any, x: Any, m: int, steps: int = 60, tolerance: float = 1e-38) -> tuple[list[Any], Any]:
    """Stationary point of the sum of squares by Newton's method in the working precision, and its value.

    Stops when a step is below `tolerance` relative to every coordinate (relative to 1 at zero).

    Raises
    ------
    ArithmeticError
        No convergence.
    """
    point = [mp.mpf(t) for t in x]
    for _ in range(steps):
        parts = jets_of(residuals, point, m)
        f = mp.fsum(r.v**2 for r in parts)
        g = sum(2 * r.v * r.g for r in parts)
        h = sum(2 * r.v * r.h + 2 * np.outer(r.g, r.g) for r in parts)
        move = mp.lu_solve(mp.matrix(h.tolist()), mp.matrix(g.tolist()))
        point = [t - d for t, d in zip(point, move, strict=True)]
        if all(abs(d) <= tolerance * (abs(t) if abs(t) > tolerance else 1) for t, d in zip(point, move, strict=True)):
            return point, f
    raise ArithmeticError("Newton's method did not converge")
