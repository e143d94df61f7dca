"""Dataclasses that add little to the time of an import."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(eq_default=False)
def light_dataclass(*, frozen: bool = False, kw_only: bool = False) -> Callable[[type[T]], type[T]]:
    """Return a decorator that works like `dataclasses.dataclass(eq=False, repr=False)`.

    `dataclasses` compiles methods for every class, which takes half a millisecond a class in Python
    3.11. The classes made here share their methods. They are for internal classes that almost every
    process loads.

    Parameters
    ----------
    frozen : bool
        Refuse to set and to delete attributes.
    kw_only : bool
        Take all fields by keyword.

    Notes
    -----
    A class has no `__post_init__`. `dataclasses.fields` and `dataclasses.replace` work as usual; a
    subclass is declared by this decorator too.

    Examples
    --------
    >>> @light_dataclass(frozen=True)
    ... class Point:
    ...     x: float
    ...     y: float = 0.0
    >>> dataclasses.replace(Point(1.0), y=2.0).y
    2.0
    """

    def decorated(kind: type[T]) -> type[T]:
        methods = {"__init__": _init}
        if frozen:
            methods |= {"__setattr__": _refuse, "__delattr__": _refuse}
        for name, method in methods.items():
            setattr(kind, name, method)
        options = {"init": False, "eq": False, "repr": False, "match_args": False}
        return dataclasses.dataclass(kind, kw_only=kw_only, **options)

    return decorated


@functools.cache
def _declared(
    kind: type,
) -> tuple[tuple[str, ...], frozenset[str], dict[str, Any], dict[str, Callable[[], Any]]]:
    """Return the fields by position, the required ones, the defaults, and what makes defaults."""
    fields = dataclasses.fields(kind)
    missing = dataclasses.MISSING
    defaults = {each.name: each.default for each in fields}
    made = {x.name: x.default_factory for x in fields if x.default_factory is not missing}
    required = frozenset(name for name in defaults if defaults[name] is missing) - made.keys()
    return tuple(each.name for each in fields if not each.kw_only), required, defaults, made


def _init(self: Any, *args: Any, **given: Any) -> None:
    """Set the fields."""
    kind: type = type(self)
    names, required, defaults, made = _declared(kind)
    values = dict(zip(names, args, strict=False))
    known = values.keys().isdisjoint(given) and given.keys() <= defaults.keys()
    values.update(given)
    if not known or len(args) > len(names) or not required <= values.keys():
        got = [*map(repr, args), *(f"{name}={value!r}" for name, value in given.items())]
        raise TypeError(
            f"{kind.__name__} takes {', '.join(defaults)} and needs "
            f"{', '.join(name for name in defaults if name in required)}, got {', '.join(got)}"
        )
    self.__dict__.update(defaults)
    self.__dict__.update((name, make()) for name, make in made.items() if name not in values)
    self.__dict__.update(values)


def _refuse(self: Any, name: str, *value: Any) -> NoReturn:
    """Raise FrozenInstanceError."""
    raise dataclasses.FrozenInstanceError(f"{type(self).__name__} is read-only: {name!r}")
