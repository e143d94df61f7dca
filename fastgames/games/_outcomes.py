"""Outcomes of a function of random words, with exact probabilities.

The function is called with a `Word` in place of each random word. A Word is an interval of the
values that the word may have. The helpers of `fastgames.rules.chance` are non-decreasing functions
of a word, so each of their outcomes is an interval: a helper called with a Word decides for one
outcome and restricts the Word to its interval. The function is called once for every sequence of
decisions. A word that is used again has the interval of the earlier decisions, so outcomes of one
word are combined exactly.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Callable, Iterator
from typing import Any, NoReturn, TypeVar

import numpy as np

from fastgames.errors import unwritable

VALUES = 2**31  # values of a word, which have equal probabilities
_HELPERS = "coin, below, integer, happens and categorical of fastgames.rules.chance"
_UNIT = 2.0**-31  # factor of `number` and `happens`

T = TypeVar("T")


def outcomes(call: Callable[[Any], T], words: int) -> Iterator[tuple[int, T]]:
    """Yield the weight and the result of every outcome of a function of random words.

    Weights are out of `VALUES` ** words and sum to this number.

    Parameters
    ----------
    call : function
        Takes an array (words,) of `Word`, read-only. Called once for every outcome.
    words : int
        Number of words.

    Yields
    ------
    int, object
        Weight of the outcome, at least 1, and what the function returned.

    Raises
    ------
    ValueError
        If the function uses a word other than by the helpers.
    """
    path: list[list[int]] = []
    while True:
        replay = _Replay(path)
        held = [Word(replay, k) for k in range(words)]
        array = np.empty(words, object)
        array[:] = held
        try:
            result = call(unwritable(array))
        except Exception:
            replay.check()  # NumPy may have replaced the error
            raise
        replay.check()
        yield math.prod(word.high - word.low for word in held), result
        while path and path[-1][0] == path[-1][1]:
            path.pop()
        if not path:
            return
        path[-1][0] += 1


class _Replay:
    """One call of a function.

    path: pairs of the decision made and the last one possible, which a call repeats and extends
    """

    def __init__(self, path: list[list[int]]) -> None:
        self.path, self.made, self.refused = path, 0, ""

    def decide(self, first: int, last: int) -> int:
        """Return the decision for one of the outcomes `first` to `last`."""
        if first == last:
            return first
        if self.made == len(self.path):
            self.path.append([first, last])
        self.made += 1
        return self.path[self.made - 1][0]

    def check(self) -> None:
        """Raise ValueError if a word was used other than by the helpers."""
        if self.refused:
            raise ValueError(f"must use random words only by {_HELPERS}, got {self.refused}")


class _Operand:
    """A word, or a number that a helper makes from it; refuses all operations of numbers.

    word: the Word; text: how errors name the operand
    """

    __array_ufunc__ = None  # operators of NumPy's scalars leave the operation to this class

    def __init__(self, word: Word, text: str) -> None:
        self.word, self.text = word, text

    def __repr__(self) -> str:
        return self.text

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        self.refuse(f"{self.text}.{name}")

    def refuse(self, text: str) -> NoReturn:
        """Raise ValueError for an operation, which is also kept for `_Replay.check`."""
        replay = self.word.replay
        replay.refused = replay.refused or text
        replay.check()
        raise AssertionError  # `check` raises


def _refuse_operations(kind: type) -> type:
    """Add methods that refuse every operator and conversion to a class."""
    binary = {
        "add": "+", "sub": "-", "mul": "*", "truediv": "/", "floordiv": "//", "mod": "%",
        "pow": "**", "matmul": "@", "lshift": "<<", "rshift": ">>", "and": "&", "or": "|",
        "xor": "^",
    }  # fmt: skip
    compared = {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}
    for name, sign in (binary | compared).items():
        setattr(kind, f"__{name}__", _refusing(f"{{}} {sign} {{}}"))
    for name, sign in binary.items():
        setattr(kind, f"__r{name}__", _refusing(f"{{1}} {sign} {{0}}"))
    unary = ("abs", "bool", "ceil", "float", "floor", "index", "int", "round", "trunc")
    for name in unary:
        setattr(kind, f"__{name}__", _refusing(f"{name}({{}})"))
    for name, sign in {"neg": "-", "pos": "+", "invert": "~"}.items():
        setattr(kind, f"__{name}__", _refusing(f"{sign}{{}}"))
    return kind


def _refusing(form: str) -> Callable[..., Any]:
    """Return a method that refuses an operation; form: its text with fields of the operands."""

    def method(self: _Operand, *others: Any) -> NoReturn:
        self.refuse(form.format(self, *others))

    return method


_refuse_operations(_Operand)


class Word(_Operand):
    """Stands for a random word u; low, high: the word is in [low, high)."""

    def __init__(self, replay: _Replay, number: int) -> None:
        super().__init__(self, f"words[{number}]")
        self.replay, self.low, self.high = replay, 0, VALUES

    def part(self, n: int) -> Any:
        """Return one of the values of floor(u n / 2^31), and restrict the word to its interval."""
        outcome = self.replay.decide(self.low * n >> 31, (self.high - 1) * n >> 31)
        first, end = (-(-k * VALUES // n) for k in (outcome, outcome + 1))
        self.low, self.high = max(self.low, first), min(self.high, end)
        return np.int64(outcome)

    def is_at_least(self, holds: Callable[[int], bool]) -> bool:
        """Return whether a condition holds that is False below some value of the word, else True.

        Restrict the word to the values for which it does, or does not.
        """
        possible = range(self.low, self.high)
        end = possible.start + bisect.bisect_left(possible, True, key=holds)
        if self.replay.decide(int(end == self.low), int(end < self.high)):
            self.low = end
            return True
        self.high = end
        return False

    def __rshift__(self, places: Any) -> Any:  # coin
        if not _is_whole(places) or not 0 <= places <= 31:
            self.refuse(f"{self} >> {places}")
        return self.part(VALUES >> int(places))

    def __mul__(self, factor: Any) -> Any:  # below, integer, number, happens, categorical
        if isinstance(factor, float) and factor == _UNIT:
            return _Number(self, f"number({self})", ())
        if not _is_whole(factor) or not 1 <= factor < VALUES:
            self.refuse(f"{self} * {factor}")
        return _Multiple(self, int(factor))

    __rmul__ = __mul__


class _Multiple(_Operand):
    """Stands for u * n, of which `below` takes the 31-bit shift."""

    def __init__(self, word: Word, n: int) -> None:
        super().__init__(word, f"{word} * {n}")
        self.n = n

    def __rshift__(self, places: Any) -> Any:
        if not _is_whole(places) or places != 31:
            self.refuse(f"({self}) >> {places}")
        return self.word.part(self.n)


class _Number(_Operand):
    """Stands for u * 2.0**-31, multiplied by non-negative numbers, to be compared with numbers."""

    def __init__(self, word: Word, text: str, factors: tuple[float, ...]) -> None:
        super().__init__(word, text)
        self.factors = factors

    def value(self, u: int) -> float:
        """Return the number for a word, with the roundings of the operations that made it."""
        value = u * _UNIT
        for factor in self.factors:
            value *= factor
        return value

    def __mul__(self, factor: Any) -> Any:
        text = f"{self} * {factor}"
        if not _is_real(factor) or not 0.0 <= factor < math.inf:
            self.refuse(text)
        return _Number(self.word, text, (*self.factors, float(factor)))

    __rmul__ = __mul__

    def __lt__(self, limit: Any) -> Any:
        limit = self._limit(limit, "<")
        return np.bool_(not self.word.is_at_least(lambda u: not self.value(u) < limit))

    def __le__(self, limit: Any) -> Any:
        limit = self._limit(limit, "<=")
        return np.bool_(not self.word.is_at_least(lambda u: not self.value(u) <= limit))

    def __gt__(self, limit: Any) -> Any:
        limit = self._limit(limit, ">")
        return np.bool_(self.word.is_at_least(lambda u: self.value(u) > limit))

    def __ge__(self, limit: Any) -> Any:
        limit = self._limit(limit, ">=")
        return np.bool_(self.word.is_at_least(lambda u: self.value(u) >= limit))

    def _limit(self, limit: Any, sign: str) -> float:
        """Return the number to compare with as a float."""
        if not _is_real(limit):
            self.refuse(f"{self} {sign} {limit}")
        return float(limit)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int | np.integer)


def _is_real(value: Any) -> bool:
    return isinstance(value, int | float | np.integer | np.floating | np.bool_)
