"""The base class of immutable values that users make."""

import dataclasses
from typing import Any, ClassVar, NoReturn

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
        parts = (x.name for x in dataclasses.fields(self) if x.repr)
        values = ", ".join(f"{name}={getattr(self, name)!r}" for name in parts)
        return f"{type(self).__qualname__}({values})"

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


def _again(kind: type[Frozen], given: dict[str, Any]) -> Frozen:
    """Return the object of class `kind` with these fields."""
    return kind(**given)
