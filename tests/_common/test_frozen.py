"""The base class of values against frozen dataclasses of the standard library."""

import copy
import dataclasses
import pickle

import numpy as np
import pytest

from fastgames._common.frozen import Frozen


@dataclasses.dataclass(eq=False, repr=False)
class Value(Frozen):
    first: int
    second: object = "b"
    hidden: int = dataclasses.field(default=0, repr=False)

    def __post_init__(self):
        object.__setattr__(self, "first", int(self.first))


@dataclasses.dataclass(frozen=True, eq=False)
class Derived(Frozen):
    first: int


@dataclasses.dataclass(frozen=True)
class Plain:
    first: int
    second: object = "b"
    hidden: int = dataclasses.field(default=0, repr=False)


@pytest.mark.parametrize("made", [Value(1), Derived(1)])
def test_attributes_are_set_once(made):
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.first = 2
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.fith = 2
    with pytest.raises(dataclasses.FrozenInstanceError):
        del made.first
    assert vars(made)["first"] == 1
    assert "fith" not in vars(made)


def test_the_message_names_the_attribute_and_the_class():
    with pytest.raises(dataclasses.FrozenInstanceError, match=r"^cannot assign to first of Value$"):
        Value(1).first = 2


def test_the_text_is_that_of_a_dataclass():
    assert repr(Value(1, second=(2.0,))) == repr(Plain(1, second=(2.0,))).replace("Plain", "Value")


def test_values_compare_by_their_fields_and_class():
    one, same, other = (Value(1, np.array([1.0, x])) for x in (2, 2, 3))
    assert one == same
    assert hash(one) == hash(same)
    assert one != other
    assert Value(1) != Derived(1)


@pytest.mark.parametrize(
    "again",
    [copy.copy, copy.deepcopy, dataclasses.replace, lambda x: pickle.loads(pickle.dumps(x))],
)
def test_copies_are_equal_and_set_once(again):
    made = again(Value(1, (2.0,)))
    assert made == Value(1, (2.0,))
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.second = 3
