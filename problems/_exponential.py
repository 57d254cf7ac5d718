"""exp(-a) and log(1 + e) as arithmetic, so that a compiled loop over samples runs on whole vectors.

The library's functions are called for one number at a time: 11 ns a sample against 1.7 ns for the loop of logistic
regression. Polynomials are Taylor's after reduction to a short interval; no term depends on the order of operations,
so the reassociation that kernels are compiled with is harmless.
"""

from __future__ import annotations

import math

import numpy as np

LN2 = math.log(2.0)
LARGEST = 708.0  # exp(-708) is the last power above the subnormal numbers


def exp_neg(a):
    """exp(-a) for a >= 0, 3e-308 from 708 on; relative error below 3e-16 max(1, a), as if a were rounded; NaN stays."""
    a = min(a, LARGEST)
    k = math.floor(a / LN2 + 0.5)
    r = k * LN2 - a  # |r| <= ln(2) / 2; the first term left out, r^14 / 14!, is below 5e-18
    p = 1.0 / 479001600.0 + r / 6227020800.0
    p = 1.0 / 39916800.0 + r * p
    p = 1.0 / 3628800.0 + r * p
    p = 1.0 / 362880.0 + r * p
    p = 1.0 / 40320.0 + r * p
    p = 1.0 / 5040.0 + r * p
    p = 1.0 / 720.0 + r * p
    p = 1.0 / 120.0 + r * p
    p = 1.0 / 24.0 + r * p
    p = 1.0 / 6.0 + r * p
    p = 0.5 + r * p
    p = 1.0 + r * p
    p = 1.0 + r * p
    return p * np.int64((1023 - k) << 52).view(np.float64)  # times 2^-k, made from its exponent bits


def log1p_unit(e):
    """log(1 + e) for 0 <= e <= 1, relative error below 1e-15; NaN stays."""
    s = e / (2.0 + e)  # log(1 + e) = 2 artanh(s), s <= 1/3; the first term left out, s^34 / 35, is below 2e-18
    q = s * s
    p = 1.0 / 31.0 + q / 33.0
    p = 1.0 / 29.0 + q * p
    p = 1.0 / 27.0 + q * p
    p = 1.0 / 25.0 + q * p
    p = 1.0 / 23.0 + q * p
    p = 1.0 / 21.0 + q * p
    p = 1.0 / 19.0 + q * p
    p = 1.0 / 17.0 + q * p
    p = 1.0 / 15.0 + q * p
    p = 1.0 / 13.0 + q * p
    p = 1.0 / 11.0 + q * p
    p = 1.0 / 9.0 + q * p
    p = 1.0 / 7.0 + q * p
    p = 1.0 / 5.0 + q * p
    p = 1.0 / 3.0 + q * p
    return 2.0 * s * (1.0 + q * p)
