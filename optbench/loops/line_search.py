"""Line searches: how far to go along a direction.

`phi(s, a)` evaluates the objective at x + a d, leaves point and gradient in the setup's trial arrays, and returns the
value and the slope. Every search returns ``(a, f)`` with the trial arrays at that point, or a step of 0 when it found
nothing better.

Sources: More & Thuente (1994), ACM TOMS 20, 286-307 (strong Wolfe, cubic interpolation); Armijo (1966); Grippo, Lampariello
& Lucidi (1986) for the non-monotone form; Hager & Zhang (2005), SIAM J. Optim. 16, 170-192, for the approximate Wolfe
condition, which can still be tested when f no longer changes at rounding level.
"""

from __future__ import annotations

import math

DECREASE = 1e-4  # of the sufficient decrease
LARGEST, SMALLEST = 1e20, 1e-20  # step lengths
TRIALS = 40
ROUNDING = 1e-15  # relative change of f below which only slopes can be compared


def settled(f, f0, slope, slope0, curvature):
    """The approximate Wolfe condition, for f that equals f0 up to rounding."""
    flat = f <= f0 + ROUNDING * abs(f0)
    return flat and (2.0 * DECREASE - 1.0) * slope0 >= slope >= curvature * slope0


def wolfe(phi, s, f0, slope0, step, curvature):
    """Strong Wolfe conditions by safeguarded cubic interpolation."""
    low, f_low, d_low = 0.0, f0, slope0
    high, f_high, d_high = 0.0, f0, slope0
    bracketed, first_stage = False, True
    width = width_before = 2.0 * LARGEST
    best, f_best = 0.0, f0
    for _ in range(TRIALS):
        f, slope = phi(s, step)
        if not math.isfinite(f) or not math.isfinite(slope):
            high, bracketed = step, True  # walk back into the domain by bisection
            f_high, d_high = math.inf, 0.0
            step = low + 0.1 * (step - low)
            continue
        bound = f0 + DECREASE * step * slope0
        if (f <= bound and abs(slope) <= -curvature * slope0) or settled(f, f0, slope, slope0, curvature):
            return step, f
        if f < f_best:
            best, f_best = step, f
        if first_stage and f <= bound and slope >= 0.0:
            first_stage = False
        if first_stage and f <= f_low and f > bound:  # work on the function less its allowed decrease
            shift = DECREASE * slope0
            low, f_low, d_low, high, f_high, d_high, new, bracketed = refine(
                low,
                f_low - low * shift,
                d_low - shift,
                high,
                f_high - high * shift,
                d_high - shift,
                step,
                f - step * shift,
                slope - shift,
                bracketed,
            )
            f_low, d_low, f_high, d_high = f_low + low * shift, d_low + shift, f_high + high * shift, d_high + shift
        else:
            low, f_low, d_low, high, f_high, d_high, new, bracketed = refine(
                low, f_low, d_low, high, f_high, d_high, step, f, slope, bracketed
            )
        if bracketed:
            if abs(high - low) >= 0.66 * width_before:
                new = low + 0.5 * (high - low)
            width_before, width = width, abs(high - low)
            if width <= 1e-16 * max(abs(low), abs(high)):
                break
        else:
            new = min(max(new, step + 1.1 * (step - low)), step + 4.0 * (step - low))
        step = min(max(new, SMALLEST), LARGEST)
    if best > 0.0:  # no Wolfe point, but a lower one
        f, _slope = phi(s, best)
        return best, f
    return 0.0, f0


def refine(low, f_low, d_low, high, f_high, d_high, step, f, slope, bracketed):
    """New interval and trial step from a trial: the four cases of More & Thuente, Section 4."""
    sign = slope * math.copysign(1.0, d_low)
    if not math.isfinite(f_high):
        cubic = quadratic = low + 0.5 * (step - low) if f > f_low else step + 0.5 * (high - step)
        new, bracketed = cubic, True
    elif f > f_low:
        cubic, quadratic = interpolate(low, f_low, d_low, step, f, slope)
        new = cubic if abs(cubic - low) < abs(quadratic - low) else cubic + 0.5 * (quadratic - cubic)
        bracketed = True
    elif sign < 0.0:
        cubic, quadratic = interpolate(step, f, slope, low, f_low, d_low)
        secant = step + slope / (slope - d_low) * (low - step)
        new = cubic if abs(cubic - step) > abs(secant - step) else secant
        bracketed = True
    elif abs(slope) < abs(d_low):
        cubic, quadratic = interpolate(step, f, slope, low, f_low, d_low)
        secant = step + slope / (slope - d_low) * (low - step)
        outward = math.isfinite(cubic) and (cubic - step) * (step - low) > 0.0
        cubic = cubic if outward else step + 4.0 * (step - low)
        if bracketed:
            new = cubic if abs(cubic - step) < abs(secant - step) else secant
            limit = step + 0.66 * (high - step)
            new = min(limit, new) if step > low else max(limit, new)
        else:
            new = cubic if abs(cubic - step) > abs(secant - step) else secant
    elif bracketed:
        new, quadratic = interpolate(step, f, slope, high, f_high, d_high)
    else:
        new = step + 4.0 * (step - low)
    if f > f_low:
        high, f_high, d_high = step, f, slope
    else:
        if sign < 0.0:
            high, f_high, d_high = low, f_low, d_low
        low, f_low, d_low = step, f, slope
    if not math.isfinite(new):
        new = low + 0.5 * (high - low) if bracketed else 2.0 * step
    return low, f_low, d_low, high, f_high, d_high, new, bracketed


def interpolate(a, f_a, d_a, b, f_b, d_b):
    """Minimizers of the cubic through both values and slopes, and of the quadratic through both values and d_a."""
    theta = 3.0 * (f_a - f_b) / (b - a) + d_a + d_b
    scale = max(abs(theta), abs(d_a), abs(d_b))
    root = scale * math.sqrt(max(0.0, (theta / scale) ** 2 - (d_a / scale) * (d_b / scale)))
    if b < a:
        root = -root
    cubic = a + (root - d_a + theta) / ((root - d_a) + root + d_b) * (b - a)
    quadratic = a + 0.5 * d_a / ((f_a - f_b) / (b - a) + d_a) * (b - a)
    return cubic, quadratic


def armijo(phi, s, f0, slope0, step, reference):
    """Backtracking to sufficient decrease below `reference` (f0, or the largest of the last few values)."""
    for _ in range(TRIALS):
        f, slope = phi(s, step)
        if math.isfinite(f) and f <= reference + DECREASE * step * slope0:
            return step, f
        if math.isfinite(f) and settled(f, f0, slope, slope0, 0.9):
            return step, f
        shorter = -0.5 * slope0 * step * step / (f - f0 - step * slope0) if math.isfinite(f) else 0.1 * step
        step = min(max(shorter, 0.1 * step), 0.5 * step)
    return 0.0, f0
