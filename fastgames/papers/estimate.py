"""Statistics of independent runs, with 95 % confidence intervals, beside printed ones."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastgames.papers.report import Row

Z = 1.959964  # the middle 95 % of a normal distribution


@dataclass(frozen=True)
class Estimate:
    """A statistic of a sample, and the ends of its 95 % confidence interval."""

    value: float
    low: float
    high: float

    def text(self, digits: int) -> str:
        """'0.848 (0.841 to 0.855)'."""
        value, low, high = (f"{x:,.{digits}f}" for x in (self.value, self.low, self.high))
        return f"{value} ({low} to {high})"


def mean(sample: Any) -> Estimate:
    """The mean of a sample (n,), numbers or bools; the interval is the normal one."""
    sample = np.asarray(sample, np.float64)
    value = float(sample.mean())
    half = Z * float(sample.std()) / math.sqrt(len(sample))
    return Estimate(value, value - half, value + half)


def deviation(sample: Any) -> Estimate:
    """The standard deviation of a sample (n,).

    Its variance in large samples of any distribution is (m4 - s^4) / (4 n s^2), m4 being the fourth
    central moment.
    """
    sample = np.asarray(sample, np.float64)
    value = float(sample.std())
    if value == 0.0:
        return Estimate(0.0, 0.0, 0.0)
    fourth = float(((sample - sample.mean()) ** 4).mean())
    half = Z * math.sqrt(max(fourth - value**4, 0.0) / len(sample)) / (2.0 * value)
    return Estimate(value, value - half, value + half)


def median(sample: Any) -> Estimate:
    """The median of a sample (n,); the interval lies between two of the sample, as for any law."""
    ordered = np.sort(np.asarray(sample, np.float64))
    half = Z * math.sqrt(len(ordered)) / 2.0
    low = max(math.floor(len(ordered) / 2.0 - half), 0)
    return Estimate(float(np.median(ordered)), float(ordered[low]), float(ordered[-1 - low]))


def beside(
    what: str,
    found: Estimate,
    printed: float | None,
    tolerance: float,
    digits: int,
    sizes: tuple[int, int],
) -> Row:
    """A row of a report: a printed statistic (None: there is none to compare) and the one found.

    Both come from samples, of `sizes` runs, the printed one's first. `tolerance` is for two samples
    as large as the printed one, and grows and shrinks as a standard error of the difference.
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
