"""Dataclasses that share their methods against those of the standard library."""

import copy
import dataclasses
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastgames._common.light import light_dataclass


@light_dataclass(frozen=True)
class Light:
    first: int
    second: float
    third: str = "c"
    fourth: object = None


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Plain:
    first: int
    second: float
    third: str = "c"
    fourth: object = None


@light_dataclass(kw_only=True)
class Base:
    size: int = 1


@light_dataclass()
class Derived(Base):
    name: str


@light_dataclass()
class Holder:
    name: str
    items: list = dataclasses.field(default_factory=list)


NAMES = [field.name for field in dataclasses.fields(Plain)]


def outcome(kind, args, given):
    """Return the fields of an object, or the kind of the error."""
    try:
        made = kind(*args, **given)
    except TypeError:
        return TypeError
    return {name: getattr(made, name) for name in NAMES}


@given(
    st.lists(st.integers(), max_size=5),
    st.dictionaries(st.sampled_from([*NAMES, "fifth"]), st.integers(), max_size=4),
)
def test_arguments_are_taken_as_a_dataclass_takes_them(args, given):
    assert outcome(Light, args, given) == outcome(Plain, args, given)


def test_wrong_arguments_are_named():
    expected = r"Light takes first, second, third, fourth and needs first, second, got 1, fith=2$"
    with pytest.raises(TypeError, match=expected):
        Light(1, fith=2)


def test_frozen_objects_are_read_only():
    made = Light(1, 2.0)
    with pytest.raises(dataclasses.FrozenInstanceError, match="Light is read-only: 'first'"):
        made.first = 3
    with pytest.raises(dataclasses.FrozenInstanceError):
        del made.first
    assert made.first == 1


def test_fields_given_by_keyword_come_after_those_given_by_position():
    made = Derived("a", size=3)
    made.size += 1
    assert (made.name, made.size) == ("a", 4)
    with pytest.raises(TypeError, match="Derived takes size, name and needs name, got 'a', 3"):
        Derived("a", 3)


def test_every_object_gets_a_default_of_its_own():
    one, other = Holder("a"), Holder("b")
    one.items.append(1)
    assert (one.items, other.items) == ([1], [])
    given = [2]
    assert Holder("c", given).items is given


@pytest.mark.parametrize(
    "again",
    [copy.copy, copy.deepcopy, dataclasses.replace, lambda x: pickle.loads(pickle.dumps(x))],
)
def test_copies_have_the_same_fields(again):
    made = Light(1, 2.0, fourth=(3,))
    assert vars(again(made)) == vars(made)
    assert dataclasses.replace(made, first=5).first == 5


def test_objects_differ_although_their_fields_are_equal():
    assert Light(1, 2.0) != Light(1, 2.0)
