"""The normal distribution, with the same bits on every CPU, interpreted and compiled.

It uses + - * /, the square root, which is correctly rounded, and the logarithm of `logarithm`.

Method: algorithm AS 241, PPND16 (Wichura 1988, Applied Statistics 37(3), 477-484). With q = p - 1/2
the quantile is q times a rational function of 0.425^2 - q^2 for |q| <= 0.425. Else, with
r = sqrt(-log(min(p, 1 - p))), it is a rational function of r - 1.6 for r <= 5 and of r - 5 beyond.
"""

import math
from typing import Any

import numpy as np

from fastgames.rules.logarithm import log
from fastgames.rules.roots import sqrt

MIDDLE = 0.425  # largest |p - 1/2| of the first approximation
MIDDLE_SQUARED = 0.180625
TAIL = 5.0  # largest r of the second
SHIFT = 1.6

# Numerators and denominators of degree 7 as published, highest power first.
A = (
    2.5090809287301226727e3,
    3.3430575583588128105e4,
    6.7265770927008700853e4,
    4.5921953931549871457e4,
    1.3731693765509461125e4,
    1.9715909503065514427e3,
    1.3314166789178437745e2,
    3.3871328727963666080e0,
)
B = (
    5.2264952788528545610e3,
    2.8729085735721942674e4,
    3.9307895800092710610e4,
    2.1213794301586595867e4,
    5.3941960214247511077e3,
    6.8718700749205790830e2,
    4.2313330701600911252e1,
    1.0,
)
C = (
    7.74545014278341407640e-4,
    2.27238449892691845833e-2,
    2.41780725177450611770e-1,
    1.27045825245236838258e0,
    3.64784832476320460504e0,
    5.76949722146069140550e0,
    4.63033784615654529590e0,
    1.42343711074968357734e0,
)
D = (
    1.05075007164441684324e-9,
    5.47593808499534494600e-4,
    1.51986665636164571966e-2,
    1.48103976427480074590e-1,
    6.89767334985100004550e-1,
    1.67638483018380384940e0,
    2.05319162663775882187e0,
    1.0,
)
E = (
    2.01033439929228813265e-7,
    2.71155556874348757815e-5,
    1.24266094738807843860e-3,
    2.65321895265761230930e-2,
    2.96560571828504891230e-1,
    1.78482653991729133580e0,
    5.46378491116411436990e0,
    6.65790464350110377720e0,
)
F = (
    2.04426310338993978564e-15,
    1.42151175831644588870e-7,
    1.84631831751005468180e-5,
    7.86869131145613259100e-4,
    1.48753612908506148525e-2,
    1.36929880922735805310e-1,
    5.99832206555887937690e-1,
    1.0,
)


def polynomial(coefficients: Any, x: float) -> float:
    """Return the polynomial at x, by Horner's rule.

    Parameters
    ----------
    coefficients : tuple of float
        Coefficients, highest power first.
    x : float
        Argument, float64.

    Returns
    -------
    float
        The value, float64.
    """
    value = coefficients[0]
    for c in coefficients[1:]:
        value = value * x + c
    return float(value)


def quantile(p: float) -> float:
    """Return the quantile of the standard normal distribution.

    Parameters
    ----------
    p : float
        Probability, float64 in [0, 1].

    Returns
    -------
    float
        The z at which the distribution function is p, float64, with a relative error of about
        1e-15; -inf for p <= 0, inf for p >= 1.

    Notes
    -----
    Values at p and 1 - p are negatives of each other to the bit, if 1 - p is exact.
    Source: algorithm AS 241, Wichura (1988), Applied Statistics 37(3).

    Examples
    --------
    >>> quantile(0.5), round(quantile(0.975), 6)
    (0.0, 1.959964)
    """
    q = p - 0.5
    if abs(q) <= MIDDLE:
        x = MIDDLE_SQUARED - q * q
        return q * polynomial(A, x) / polynomial(B, x)
    outside = p if q < 0.0 else 1.0 - p
    if outside <= 0.0:
        return -math.inf if q < 0.0 else math.inf
    r = sqrt(-log(outside), np.float64)
    if r <= TAIL:
        z = polynomial(C, r - SHIFT) / polynomial(D, r - SHIFT)
    else:
        z = polynomial(E, r - TAIL) / polynomial(F, r - TAIL)
    return float(-z if q < 0.0 else z)
