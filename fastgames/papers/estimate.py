"""Statistics of independent runs with confidence intervals, and comparison with print."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastgames.papers.report import Row

Z = 1.959964  # 97.5 % quantile of the standard normal distribution
Z99 = 2.575829  # 99.5 % quantile


@dataclass(frozen=True)
class Estimate:
    """A statistic of a sample, with the ends low and high of its confidence interval, 95 %."""

    value: float
    low: float
    high: float

    def text(self, digits: int) -> str:
        """Return the value and its interval as text, such as '0.848 (0.841 to 0.855)'."""
        value, low, high = (f"{x:,.{digits}f}" for x in (self.value, self.low, self.high))
        return f"{value} ({low} to {high})"


def mean(sample: Any, quantile: float = Z) -> Estimate:
    """Return the mean of a sample (n,) of numbers or bools, with its normal interval.

    quantile: of the normal distribution, to which the interval extends; 95 % unless given
    """
    sample = np.asarray(sample, np.float64)
    value = float(sample.mean())
    half = quantile * float(sample.std()) / math.sqrt(len(sample))
    return Estimate(value, value - half, value + half)


def deviation(sample: Any) -> Estimate:
    """Return the standard deviation s of a sample (n,), with its normal interval.

    The variance of s in large samples is (m4 - s^4) / (4 n s^2) for any distribution, with m4 the
    fourth central moment.
    """
    sample = np.asarray(sample, np.float64)
    value = float(sample.std())
    if value == 0.0:
        return Estimate(0.0, 0.0, 0.0)
    fourth = float(((sample - sample.mean()) ** 4).mean())
    half = Z * math.sqrt(max(fourth - value**4, 0.0) / len(sample)) / (2.0 * value)
    return Estimate(value, value - half, value + half)


def median(sample: Any) -> Estimate:
    """Return the median of a sample (n,), with the distribution-free interval of order statistics.

    The ends of the interval are two values of the sample.
    """
    ordered = np.sort(np.asarray(sample, np.float64))
    half = Z * math.sqrt(len(ordered)) / 2.0
    low = max(math.floor(len(ordered) / 2.0 - half), 0)
    return Estimate(float(np.median(ordered)), float(ordered[low]), float(ordered[-1 - low]))


def near(found: Estimate, value: float) -> bool:
    """Return whether an estimate is within four standard errors, twice its interval, of a value."""
    return abs(found.value - value) <= found.high - found.low + 1e-9


def beside(
    what: str,
    found: Estimate,
    printed: float | None,
    tolerance: float,
    digits: int,
    sizes: tuple[int, int],
) -> Row:
    """Return the row of a report that compares an estimate with a printed statistic.

    printed: the printed statistic, or None if there is none to compare
    tolerance: tolerance for two samples of the size of the printed one; it is scaled like the
        standard error of the difference
    digits: decimals of the texts
    sizes: numbers of runs of the printed sample and of the estimate's sample
    """
    if printed is None:
        return Row(what, "", found.text(digits))
    first, second = sizes
    allowed = tolerance * math.sqrt((1.0 + first / second) / 2.0)
    return Row(
        what,
        f"{printed:,.{digits}f} ± {allowed:.{digits}f}",
        found.text(digits),
        abs(found.value - printed) <= allowed,
    )
