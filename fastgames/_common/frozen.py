"""The base class of immutable values that users make."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, NoReturn, Self

import numpy as np


class Frozen:
    """Base class of dataclasses whose fields are set once and may be arrays.

    Declare a subclass by ``@dataclass(eq=False, repr=False)``. With ``frozen=True`` it works too,
    but `dataclasses` then compiles more methods, for half a millisecond or more a class in Python
    3.11; only classes from which users derive frozen dataclasses need it.

    Examples
    --------
    >>> @dataclasses.dataclass(eq=False, repr=False)
    ... class Point(Frozen):
    ...     x: float
    ...     y: float = 0.0
    >>> dataclasses.replace(Point(1.0), y=2.0)
    Point(x=1.0, y=2.0)
    >>> Point(1.0) == Point(1.0, 0.0)
    True
    """

    __dataclass_fields__: ClassVar[dict[str, Any]]

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self.__dict__ or name not in self.__dataclass_fields__:
            self._refuse("assign to", name)
        self.__dict__[name] = value

    def __delattr__(self, name: str) -> None:
        self._refuse("delete", name)

    def _refuse(self, verb: str, name: str) -> NoReturn:
        """Raise FrozenInstanceError."""
        raise dataclasses.FrozenInstanceError(f"cannot {verb} {name} of {type(self).__name__}")

    def __repr__(self) -> str:
        shown = [part.name for part in dataclasses.fields(self) if part.repr and self._says(part)]
        values = ", ".join(f"{name}={getattr(self, name)!r}" for name in shown)
        return f"{type(self).__qualname__}({values})"

    def _says(self, part: dataclasses.Field[Any]) -> bool:
        """Return whether texts and files hold a field: not if it has the value "unless" says."""
        return "unless" not in part.metadata or getattr(self, part.name) != part.metadata["unless"]

    def _rank(self, field: str) -> int:
        """Return the dimensions of an array in a field if it has one entry for each replica."""
        return 1

    def part(self, numbers: np.ndarray, total: int, cut: bool = False) -> Self:
        """Return the value of some replicas of a run, `self` if all replicas share it.

        Parameters
        ----------
        numbers : (n,) int64
            Their numbers, ascending.
        total : int
            Replicas of the whole run.
        cut : bool
            Allow arrays that are of these replicas already.

        Raises
        ------
        ValueError
            If an array has an entry for each replica, but of another number of replicas.
        """

        def of_part(arrays: Sequence[np.ndarray]) -> Any:
            """Return the entries of the part."""
            (array,) = arrays
            if len(array) == total:
                return array[numbers]
            if (array.ndim > 1 and len(array) == 1) or (cut and len(array) == len(numbers)):
                return array
            raise ValueError(
                f"arrays of {type(self).__name__} with an entry for each replica must have "
                f"{total}, got {len(array)}"
            )

        made: Self = _mapped([self], of_part)
        return made

    @classmethod
    def joined(cls, parts: Sequence[Self], places: Sequence[np.ndarray]) -> Self:
        """Return the value of all replicas from those of parts.

        places: of each part, where its replicas are among all, (n_k,) int64
        """
        count = sum(map(len, places))

        def of_all(arrays: Sequence[np.ndarray]) -> Any:
            """Return the entries of all replicas, or the one that all share."""
            first = arrays[0]
            shared = first.ndim > 1 and all(np.array_equal(x, first) for x in arrays)
            if sum(map(len, arrays)) < count or (shared and len(first) == 1):
                return first
            return joined(arrays, places)

        made: Self = _mapped(parts, of_all)
        return made

    def _key(self) -> tuple[Any, ...]:
        """Return the fields in a hashable form."""
        return tuple(_hashable(getattr(self, part.name)) for part in dataclasses.fields(self))

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash((type(self), self._key()))

    def __reduce__(self) -> tuple[Any, ...]:
        # Unpickled arrays are writable; calling the constructor makes them read-only again. Cached
        # properties, such as a digest of functions, may be invalid in another process.
        given = {part.name: getattr(self, part.name) for part in dataclasses.fields(self)}
        return _again, (type(self), given)


def _hashable(value: Any) -> Any:
    """Return a field in a hashable form: arrays, also within tuples, by their content."""
    if isinstance(value, np.ndarray):
        return value.shape, value.dtype.str, value.tobytes()
    return tuple(map(_hashable, value)) if type(value) is tuple else value


def joined(arrays: Sequence[np.ndarray], places: Sequence[np.ndarray], axis: int = 0) -> np.ndarray:
    """Return an array whose entries at `places` along an axis are those of the arrays."""
    shape = list(arrays[0].shape)
    shape[axis] = sum(map(len, places))
    whole = np.empty(shape, arrays[0].dtype)
    along = np.moveaxis(whole, axis, 0)
    for array, place in zip(arrays, places, strict=True):
        along[place] = np.moveaxis(array, axis, 0)
    return whole


def _mapped(
    values: Sequence[Any], function: Callable[[Sequence[np.ndarray]], Any], rank: int = 1
) -> Any:
    """Return values of one form as one value, with `function` applied to arrays of replicas.

    function: of the arrays of the values, each of dimension `rank`
    """
    first = values[0]
    if isinstance(first, Frozen):
        given = {
            part.name: _mapped(
                [getattr(value, part.name) for value in values], function, first._rank(part.name)
            )
            for part in dataclasses.fields(first)
        }
        same = all(given[name] is getattr(first, name) for name in given)
        return first if same else dataclasses.replace(first, **given)
    if isinstance(first, np.ndarray):
        return function(values) if first.ndim == rank else first
    if type(first) is tuple:
        made = tuple(_mapped(each, function, rank) for each in zip(*values, strict=True))
        return first if all(x is y for x, y in zip(made, first, strict=True)) else made
    if isinstance(first, Mapping):
        found = {key: _mapped([value[key] for value in values], function, rank) for key in first}
        return first if all(found[key] is first[key] for key in found) else found
    return first


def _again(kind: type[Frozen], given: dict[str, Any]) -> Frozen:
    """Return the object of class `kind` with these fields."""
    return kind(**given)
