"""The natural logarithm in float64 with the same bits on every CPU, interpreted and compiled.

As in `exponential`, it uses + - * / in a fixed order, and only the exact `frexp` of libm.

Method: x = 2^n m with m in [sqrt(1/2), sqrt(2)), f = m - 1 (exact), s = f / (2 + f). Then
log(1 + f) = 2 atanh(s) = f - (f^2/2 - s (f^2/2 + R)), R = 2 atanh(s) / s - 2, an even function of s
(Tang 1990, ACM TOMS 16(4); so arranged in FreeBSD's e_log.c): f is exact, and the rest is small.
"""

import math

from fastgames.rules.exponential import LN2_HIGH, LN2_LOW

SQRT_HALF = 0.7071067811865476

# (2 atanh(s) / s - 2) / s^2 as a polynomial in s^2 <= 0.0295, minimax, highest power first:
# error 1.3e-18 in log(1 + f) / s
COEFFICIENTS = (
    0.1479595012209899,
    0.15314050512593683,
    0.18183564327537233,
    0.22222198573160543,
    0.2857142874238781,
    0.39999999999414676,
    0.6666666666666734,
)


def log(x: float) -> float:
    """Return the natural logarithm of x, within 2 ulp; exactly 0 at 1.

    Parameters
    ----------
    x : float
        Argument, float64: positive, finite and not subnormal.

    Returns
    -------
    float
        The logarithm, float64.
    """
    m, n = math.frexp(x)  # m in [1/2, 1)
    if m < SQRT_HALF:
        m = m * 2.0
        n = n - 1
    f = m - 1.0
    s = f / (2.0 + f)
    z = s * s
    p = COEFFICIENTS[0]
    for c in COEFFICIENTS[1:]:
        p = p * z + c
    half = 0.5 * f * f
    e = float(n)
    return e * LN2_HIGH - ((half - (s * (half + z * p) + e * LN2_LOW)) - f)
