"""Line searches: how far to go along a direction.

`phi(s, a)` evaluates the objective at x + a d, leaves point and gradient in the setup's trial arrays, and returns the
value and the slope. Every search returns ``(a, f)`` with the trial arrays at that point, or a step of 0 when it found
nothing better.

Sources: More & Thuente (1994), ACM TOMS 20, 286-307 (strong Wolfe, cubic interpolation); Armijo (1966); Grippo,
Lampariello & Lucidi (1986) for the non-monotone form. Where f changes at rounding level only, slopes alone decide, as
in Hager & Zhang (2005), SIAM J. Optim. 16, 170-192. A value of -inf is taken: f has no minimum, and the run ends.
"""

from __future__ import annotations

import math

DECREASE = 1e-4  # of the sufficient decrease
TRIALS = 40
ROUNDING = 1e-12  # relative change of f below which only slopes can be compared
NARROW = 2.2e-16  # relative width of an interval that cannot be divided


def settled(f, f0, slope, slope0, curvature):
    """Whether f equals f0 up to rounding while the slope has become flatter."""
    return abs(f - f0) <= ROUNDING * abs(f0) and abs(slope) <= -curvature * slope0


def wolfe(phi, s, f0, slope0, step, curvature):
    """Strong Wolfe conditions by safeguarded cubic interpolation; where there are none, the lowest point seen."""
    low = high = (0.0, f0, slope0)  # step, value, slope
    bracketed, first_stage = False, True
    width = width_before = math.inf
    best, f_best, last = 0.0, f0, 0.0
    for _ in range(TRIALS):
        last = step
        f, slope = phi(s, step)
        if f == -math.inf:
            return step, f
        if not (math.isfinite(f) and math.isfinite(slope)):
            high, bracketed = (step, math.inf, 0.0), True
            step = low[0] + 0.1 * (step - low[0])  # back into the domain
            continue
        allowed = f <= f0 + DECREASE * step * slope0
        if (allowed and abs(slope) <= -curvature * slope0) or settled(f, f0, slope, slope0, curvature):
            return step, f
        if f < f_best:
            best, f_best = step, f
        first_stage = first_stage and not (allowed and slope >= 0.0)
        tilt = DECREASE * slope0 if first_stage and f <= low[1] and not allowed else 0.0
        before = low[0]
        low, high, new, bracketed = refine(low, high, (step, f, slope), bracketed, tilt)
        if not bracketed:
            step = stretched(new, step, step - before)
            continue
        if abs(high[0] - low[0]) >= 0.66 * width_before or not between(new, low[0], high[0]):
            new = low[0] + 0.5 * (high[0] - low[0])
        width_before, width, step = width, abs(high[0] - low[0]), new
        if width <= NARROW * max(low[0], high[0]):
            break
    return (best, f_best if best == last else phi(s, best)[0]) if best > 0.0 else (0.0, f0)


def stretched(new, step, reach):
    """A longer step: what the interpolation says, from 1.1 to 4 times as far beyond the trial as that went."""
    return min(max(new, step + 1.1 * reach), step + 4.0 * reach) if math.isfinite(new) else step + 4.0 * reach


def between(a, low, high):
    """Whether a lies strictly between two ends that come in either order; NaN does not."""
    return min(low, high) < a < max(low, high)


def refine(low, high, trial, bracketed, tilt):
    """New interval and next step from a trial, for f less `tilt` times the step; low is the better end."""
    a = (low[0], low[1] - tilt * low[0], low[2] - tilt)
    b = (high[0], high[1] - tilt * high[0], high[2] - tilt)
    c = (trial[0], trial[1] - tilt * trial[0], trial[2] - tilt)
    crossed = c[2] * math.copysign(1.0, a[2]) < 0.0
    new = propose(a, b, c, crossed, bracketed)
    if c[1] > a[1]:
        return low, trial, new, True
    if crossed:
        return trial, low, new, True
    return trial, high, new, bracketed


def propose(low, high, trial, crossed, bracketed):
    """Next step: the four cases of More & Thuente, Section 4."""
    a, f_a, d_a = low
    c, f_c, d_c = trial
    if f_c > f_a:
        near = cubic(low, trial)
        square = a + 0.5 * d_a / ((f_a - f_c) / (c - a) + d_a) * (c - a)
        return near if abs(near - a) < abs(square - a) else near + 0.5 * (square - near)
    near = cubic(trial, low)
    secant = c + d_c / (d_c - d_a) * (a - c)
    if crossed:
        return near if abs(near - c) > abs(secant - c) else secant
    if abs(d_c) < abs(d_a):
        if not (near - c) * (c - a) > 0.0:
            near = high[0] if bracketed else c + 4.0 * (c - a)
        if not bracketed:
            return near if abs(near - c) > abs(secant - c) else secant
        new, limit = near if abs(near - c) < abs(secant - c) else secant, c + 0.66 * (high[0] - c)
        return min(limit, new) if c > a else max(limit, new)
    if not bracketed:
        return c + 4.0 * (c - a)
    return cubic(trial, high) if math.isfinite(high[1]) else c + 0.5 * (high[0] - c)


def cubic(start, end):
    """Minimizer of the cubic through two points with their values and slopes; NaN where there is none."""
    a, f_a, d_a = start
    b, f_b, d_b = end
    theta = 3.0 * (f_a - f_b) / (b - a) + d_a + d_b
    scale = max(abs(theta), abs(d_a), abs(d_b))
    root = scale * math.sqrt(max(0.0, (theta / scale) ** 2 - (d_a / scale) * (d_b / scale)))
    if b < a:
        root = -root
    return a + (root - d_a + theta) / ((root - d_a) + root + d_b) * (b - a)


def armijo(phi, s, f0, slope0, step, reference):
    """Backtracking to sufficient decrease below `reference` (f0, or the largest of the last few values)."""
    for _ in range(TRIALS):
        f, slope = phi(s, step)
        if f == -math.inf or (f <= reference + DECREASE * step * slope0 and f != f0):
            return step, f
        if settled(f, f0, slope, slope0, 0.9):
            return step, f
        shrink = -0.5 * slope0 * step / (f - f0 - step * slope0) if math.isfinite(f) else 0.1
        step *= min(max(shrink, 0.1), 0.5)
    return 0.0, f0
