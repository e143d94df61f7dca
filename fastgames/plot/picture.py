"""The figure class of all plots, and the format of numbers on its axes."""

import io
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import Formatter

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_SMALL, _LARGE = 1e-3, 1e6  # numbers outside are written times a power of ten common to the axis
_TINY = 1e-4  # smaller numbers that are written one by one have a power of ten of their own
_MOST_DECIMALS = 12


class Picture(Figure):
    """A figure that a notebook displays even if `matplotlib.pyplot` was not imported."""

    def _repr_png_(self) -> bytes:
        """Return the figure as PNG, for IPython."""
        file = io.BytesIO()
        self.savefig(file, format="png", dpi=100)
        return file.getvalue()


class Numbers(Formatter):
    """Tick formatter with the fewest decimals that distinguish all numbers of an axis.

    If the numbers are all small, reach a million, or are nearly equal, their common factor or
    offset is written once, at the end of the axis: times 10⁻⁵, or +1,000.
    """

    base: float
    power: int
    decimals: int

    def __init__(self) -> None:
        self.base, self.power, self.decimals = 0.0, 0, 0

    def set_locs(self, locs: Any) -> None:
        """Set base, power and decimals for the numbers of the ticks."""
        self.base = _common(np.asarray(locs, np.float64))
        self.power, self.decimals = form_of(np.asarray(locs, np.float64) - self.base)

    def __call__(self, x: float, pos: int | None = None) -> str:
        """Return the text of a tick."""
        text = f"{(x - self.base) / 10.0**self.power:,.{self.decimals}f}"
        return text[1:] if text.startswith("-") and not text.strip("-0.,") else text  # avoid -0

    def get_offset(self) -> str:
        """Return the common factor and offset, written at the end of the axis."""
        times = f"\N{MULTIPLICATION SIGN}{tenth(self.power)}" if self.power else ""
        return f"{times} {self.base:+,.12g}".strip() if self.base else times


def _common(values: Any) -> float:
    """Return a round number close to all values if these are nearly equal, else 0."""
    low, high = values.min(initial=np.inf), values.max(initial=-np.inf)
    if not 0.0 < high - low < 1e-4 * max(abs(low), abs(high)):
        return 0.0
    decimals = -1 - math.floor(math.log10(high - low) + 1e-9)
    unit = 10.0**-decimals
    return float(np.round(round((low + high) / 2.0 / unit) * unit, decimals))


def form_of(values: Any) -> tuple[int, int]:
    """Return the power of ten and the number of decimals with which to write values."""
    numbers = np.unique(np.asarray(values, np.float64))
    numbers = numbers[np.isfinite(numbers)]
    largest = np.abs(numbers).max(initial=0.0)
    power = 0
    if largest > 0.0 and not _SMALL <= largest < _LARGE:
        power = math.floor(math.log10(largest) + 1e-9)
        power -= power % 3 if power > 0 else 0  # powers of 1,000 for large numbers: 500, not 5.00
    numbers = numbers / 10.0**power
    gap = np.diff(numbers).min(initial=np.abs(numbers).max(initial=1.0)) or 1.0
    for decimals in range(_MOST_DECIMALS):
        if np.abs(numbers - numbers.round(decimals)).max(initial=0.0) <= 1e-3 * gap:
            return power, decimals
    return power, _MOST_DECIMALS


def scaled(values: Sequence[float]) -> tuple[list[str], int]:
    """Return the texts of values, with up to four digits, and their common power of ten.

    The power is 0 unless some values are below 0.0001 or at least a million. It is also 0 if the
    values differ too much for one power; each text then has a power of its own if it needs one.
    """
    sizes = [abs(value) for value in values if value and math.isfinite(value)]
    power = 0
    if sizes and not (min(sizes) >= _TINY and max(sizes) < _LARGE):
        power = 3 * math.floor(math.log10(min(sizes)) / 3 + 1e-9)
        power = power if max(sizes) < 10.0 ** (power + 5) else 0
    return [alone(value / 10.0**power) for value in values], power


def tenth(power: int) -> str:
    """Return a power of ten as text, such as 10⁻⁵."""
    return f"10{str(power).translate(_SUPERSCRIPTS)}"


def alone(value: float) -> str:
    """Return a number as text with up to four digits, and a power of ten if it needs one."""
    if value == 0.0 or not math.isfinite(value) or _TINY <= abs(value) < _LARGE:
        text = f"{value:,.4g}"
        return f"{value:,.0f}" if "e" in text else text
    power = math.floor(math.log10(abs(value)))
    return f"{value / 10.0**power:.4g}·{tenth(power)}"
