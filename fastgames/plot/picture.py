"""The figure that every picture is, and how its numbers are written at the axes."""

import io
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import Formatter

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_SMALL, _LARGE = 1e-3, 1e6  # outside, an axis says once what power of ten its numbers stand for
_TINY = 1e-4  # so of numbers that are written one by one
_MOST_DECIMALS = 12


class Picture(Figure):
    """A figure that a notebook shows, whether or not `matplotlib.pyplot` was imported there."""

    def _repr_png_(self) -> bytes:
        """Return the figure as IPython shows it."""
        file = io.BytesIO()
        self.savefig(file, format="png", dpi=100)
        return file.getvalue()


class Numbers(Formatter):
    """Numbers at an axis: as many decimals as tell them apart, the same for all of them.

    What is common to numbers that are all small, as large as a million, or nearly the same, stands
    once at the end of the axis: times 10⁻⁵, or +1,000.
    """

    base: float
    power: int
    decimals: int

    def __init__(self) -> None:
        self.base, self.power, self.decimals = 0.0, 0, 0

    def set_locs(self, locs: Any) -> None:
        """Take the numbers that will be written."""
        self.base = _common(np.asarray(locs, np.float64))
        self.power, self.decimals = form_of(np.asarray(locs, np.float64) - self.base)

    def __call__(self, x: float, pos: int | None = None) -> str:
        """Return the text of one of them."""
        text = f"{(x - self.base) / 10.0**self.power:,.{self.decimals}f}"
        return text[1:] if text.startswith("-") and not text.strip("-0.,") else text  # no -0

    def get_offset(self) -> str:
        """Return what stands at the end of the axis."""
        times = f"\N{MULTIPLICATION SIGN}{tenth(self.power)}" if self.power else ""
        return f"{times} {self.base:+,.12g}".strip() if self.base else times


def _common(values: Any) -> float:
    """Return a round number that nearly all of values is, or 0."""
    low, high = values.min(initial=np.inf), values.max(initial=-np.inf)
    if not 0.0 < high - low < 1e-4 * max(abs(low), abs(high)):
        return 0.0
    decimals = -1 - math.floor(math.log10(high - low) + 1e-9)
    unit = 10.0**-decimals
    return float(np.round(round((low + high) / 2.0 / unit) * unit, decimals))


def form_of(values: Any) -> tuple[int, int]:
    """Return the power of ten and the number of decimals by which values are written."""
    numbers = np.unique(np.asarray(values, np.float64))
    numbers = numbers[np.isfinite(numbers)]
    largest = np.abs(numbers).max(initial=0.0)
    power = 0
    if largest > 0.0 and not _SMALL <= largest < _LARGE:
        power = math.floor(math.log10(largest) + 1e-9)
        power -= power % 3 if power > 0 else 0  # thousands of what is large: 500 and not 5.00
    numbers = numbers / 10.0**power
    gap = np.diff(numbers).min(initial=np.abs(numbers).max(initial=1.0)) or 1.0
    for decimals in range(_MOST_DECIMALS):
        if np.abs(numbers - numbers.round(decimals)).max(initial=0.0) <= 1e-3 * gap:
            return power, decimals
    return power, _MOST_DECIMALS


def scaled(values: Sequence[float]) -> tuple[list[str], int]:
    """Return values with up to four digits each, and the power of ten that all are to be times.

    0 unless some are smaller than 0.0001 or as large as a million; 0 as well where they are too far
    apart to be written by one power, which then stands at those that need it.
    """
    sizes = [abs(value) for value in values if value and math.isfinite(value)]
    power = 0
    if sizes and not (min(sizes) >= _TINY and max(sizes) < _LARGE):
        power = 3 * math.floor(math.log10(min(sizes)) / 3 + 1e-9)
        power = power if max(sizes) < 10.0 ** (power + 5) else 0
    return [alone(value / 10.0**power) for value in values], power


def tenth(power: int) -> str:
    """Return a power of ten as it is printed."""
    return f"10{str(power).translate(_SUPERSCRIPTS)}"


def alone(value: float) -> str:
    """Return one number with up to four digits, a power of ten behind those that need it."""
    if value == 0.0 or not math.isfinite(value) or _TINY <= abs(value) < _LARGE:
        text = f"{value:,.4g}"
        return f"{value:,.0f}" if "e" in text else text
    power = math.floor(math.log10(abs(value)))
    return f"{value / 10.0**power:.4g}·{tenth(power)}"
