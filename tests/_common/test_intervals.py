"""Checks of arguments: intervals as text, what they let through, and what they say."""

from fractions import Fraction

import numpy as np
import pytest

from fastgames._common import checks

# Each interval, what it holds, and what is just outside.
INTERVALS = [
    ("[2, 20]", [2, 20], [1, 21]),
    ("(0, 1)", [0.5], [0, 1, 0.0, 1.0]),
    ("(0, 1]", [1], [0]),
    ("[0, 1)", [0], [1]),
    ("[1, inf)", [1, 10**30], [0]),
    ("(-inf, 0]", [0, -1e300], [1e-9]),
    ("[0, 2^64)", [2**64 - 1], [2**64]),
    ("[-2^63, 2^63)", [-(2**63)], [-(2**63) - 1, 2**63]),
    ("[-1e12, 1e12]", [1e12], [1.1e12]),
]


@pytest.mark.parametrize(("domain", "inside", "beyond"), INTERVALS)
def test_an_interval_holds_what_it_says(domain, inside, beyond):
    assert not any(checks.outside(value, domain) for value in inside)
    assert all(checks.outside(value, domain) for value in beyond)
    array = np.array([*inside, *beyond], dtype=np.float64 if "^" not in domain else object)
    np.testing.assert_array_equal(
        checks.outside(array, domain), [False] * len(inside) + [True] * len(beyond)
    )


@pytest.mark.parametrize("value", [3, np.int8(3), np.uint64(3), np.array(3)])
def test_whole_numbers_become_ints(value):
    assert type(checks.whole("n", value, "[3, 3]")) is int


@pytest.mark.parametrize("value", [3, 3.0, np.float32(3), np.int64(3), Fraction(3), np.array(3.0)])
def test_real_numbers_become_floats(value):
    found = checks.real("x", value, "(0, 3]")
    assert type(found) is float and found == 3.0


@pytest.mark.parametrize("value", [3.0, True, np.True_, "3", None, [3], np.array([3]), 1j])
def test_whole_refuses_what_is_not_a_whole_number(value):
    with pytest.raises(TypeError, match=r"^n must be a whole number in \[1, 9\], got "):
        checks.whole("n", value, "[1, 9]")


@pytest.mark.parametrize("value", [True, np.True_, "3", None, [3.0], np.array([3.0]), 1j])
def test_real_refuses_what_is_not_a_number(value):
    with pytest.raises(TypeError, match=r"^x must be a number in \(0, 9\], got "):
        checks.real("x", value, "(0, 9]")


LONG = "1" + 76 * "0" + "..."


@pytest.mark.parametrize(
    ("check", "value", "domain", "said"),
    [
        (checks.whole, 0, "[1, inf)", "a whole number of at least 1, got 0"),
        (checks.whole, 2**31, "[0, 2^31)", "a whole number in [0, 2^31), got 2147483648"),
        (checks.real, -0.5, "[0, inf)", "a number in [0, inf), got -0.5"),
        (checks.real, float("inf"), "[0, inf)", "a number in [0, inf), got inf"),
        (checks.real, float("nan"), "(-inf, inf)", "a finite number, got nan"),
        (checks.real, 10**400, "(-inf, inf)", f"a finite number, got {LONG}"),
        (checks.within, np.array([0.5, 2.0]), "(0, 1]", "in (0, 1], got 2.0 at index 1"),
    ],
)
def test_messages_name_the_argument_the_domain_and_the_value(check, value, domain, said):
    with pytest.raises(ValueError) as caught:
        check("x", value, domain)
    assert str(caught.value) == f"x must be {said}"


def test_real_refuses_masked_numbers():
    with pytest.raises(TypeError, match="must not be a masked array"):
        checks.real("x", np.ma.array(3.0, mask=True))
