"""The exponential function with the same bits on every CPU, interpreted and compiled.

libm, NumPy's SIMD loops and LLVM differ from each other in the last bits, so their results cannot
be reproduced on other platforms. This implementation uses + - * only, in a fixed order.

Method: x = n ln 2 + r with |r| <= ln(2)/2 (Cody & Waite 1980, ch. 6), exp(r) by a minimax
polynomial, then scaling by 2^n in two exact steps, so that n = 1024 does not overflow early.
"""

import math
from typing import Any

INV_LN2 = 1.4426950408889634
LN2_HIGH = 0.693145751953125  # ln 2 to 15 bits: n * LN2_HIGH is exact in float32 too
LN2_LOW = 1.4286068203094172e-06  # ln 2 - LN2_HIGH

# (exp(r) - 1 - r) / r^2 on |r| <= 0.3473, degree 9, highest power first: error 1.3e-17 in exp(r)
COEFFICIENTS = (
    2.5100569875813683e-08,
    2.762032742826824e-07,
    2.7557268072890098e-06,
    2.4801520792572693e-05,
    1.9841269863303223e-04,
    1.3888888917538296e-03,
    8.333333333330012e-03,
    4.1666666666623477e-02,
    1.6666666666666669e-01,
    5.000000000000001e-01,
)

# For (float32, float64): below LOWEST the result is 0 (no result is subnormal), above HIGHEST inf.
# Adding and subtracting ROUNDER = 1.5 * 2^(mantissa bits) rounds to a whole number.
LOWEST = (-86.0, -707.0)
HIGHEST = (88.72283905206835, 709.782712893384)
ROUNDER = (12582912.0, 6755399441055744.0)


def exp(x: Any, real: Any) -> Any:
    """Return e to the power x, within 2 ulp; monotone, and exactly 1 at 0.

    Parameters
    ----------
    x : real
        Exponent, a float of type `real`.
    real : type
        numpy.float32 or numpy.float64, the type of the arithmetic and of the result.

    Returns
    -------
    real
        0 for x below LOWEST and for -inf, inf for x above HIGHEST, nan for nan.
    """
    double = 1 if real(1.0) + real(1e-12) != real(1.0) else 0
    if x != x:
        return x
    if x < real(LOWEST[double]):
        return real(0.0)
    if x > real(HIGHEST[double]):
        return real(math.inf)
    rounder = real(ROUNDER[double])
    n = (x * real(INV_LN2) + rounder) - rounder
    r = (x - n * real(LN2_HIGH)) - n * real(LN2_LOW)
    p = real(COEFFICIENTS[0])
    for c in COEFFICIENTS[1:]:
        p = p * r + real(c)
    p = real(1.0) + (r + r * r * p)
    return (p * real(math.ldexp(1.0, int(n) - 1))) * real(2.0)
