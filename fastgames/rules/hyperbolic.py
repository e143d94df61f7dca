"""The hyperbolic tangent with the same bits on every CPU, like `exponential`.

Method: 1 - 2 / (exp(2 x) + 1) above SEAM; below, where this formula cancels, a polynomial in x^2.
"""

from typing import Any

from fastgames.rules.exponential import exp

SEAM = 0.625
LARGE = 20.0  # from here on tanh rounds to 1 in both types

# (tanh(x) / x - 1) / x^2 as a polynomial in x^2 <= SEAM^2, interpolated at Chebyshev nodes, highest
# power first: error 1.4e-18 in tanh(x) / x
COEFFICIENTS = (
    6.485163482793113e-06,
    -3.12011014257974e-05,
    9.257116129556769e-05,
    -0.0002375906496055562,
    0.0005896606577757043,
    -0.0014557754120478055,
    0.0035921217511549622,
    -0.008863235103240878,
    0.021869488519008305,
    -0.05396825396789699,
    0.13333333333333042,
    -0.3333333333333333,
)


def tanh(x: Any, real: Any) -> Any:
    """Return the hyperbolic tangent of x, within 2 ulp; odd, and exact at 0.

    Parameters
    ----------
    x : real
        Argument, a float of type `real`.
    real : type
        numpy.float32 or numpy.float64, the type of the arithmetic and of the result.

    Returns
    -------
    real
        A number in [-1, 1]; -1 and 1 at the infinities, nan for nan.
    """
    if x != x or x == real(0.0):  # keeps nan and -0
        return x
    size = abs(x)
    if size <= real(SEAM):
        square = x * x
        p = real(COEFFICIENTS[0])
        for c in COEFFICIENTS[1:]:
            p = p * square + real(c)
        return x + x * (square * p)
    y = real(1.0)
    if size < real(LARGE):
        y = real(1.0) - real(2.0) / (exp(size + size, real) + real(1.0))
    if x < real(0.0):
        return -y
    return y
