"""Exports stay: a signature that changes or disappears breaks other people's code."""

import importlib.util
from pathlib import Path

import pytest

SPEC = importlib.util.spec_from_file_location(
    "signatures", Path(__file__).with_name("signatures.py")
)
signatures = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(signatures)


def test_what_is_exported_is_what_is_recorded():
    recorded, now = signatures.FILE.read_text().splitlines(), signatures.text().splitlines()
    gone = [line for line in recorded if line not in now]
    assert not gone, f"a break for others, see the head of {signatures.FILE.name}: {gone}"
    new = [line for line in now if line not in recorded]
    assert not new, f"not recorded yet: python tests/cy/signatures.py: {new}"


@pytest.mark.parametrize(
    ("declared", "line"),
    [
        (
            'cdef extern from "x.h" nogil:\n    int f "g"(int a,\n        int b)',
            "m: int f(int a, int b)",
        ),
        (
            "cdef inline floating *f(\n    int a\n) noexcept nogil:\n    return a",
            "m: floating *f(int a)",
        ),
        ('cdef extern from "x.h":\n    enum:\n        ONE "FG_ONE"  # one', "m: enum ONE"),
        ('cdef extern from "x.h":\n    int _f "g"(int a)', None),
    ],
)
def test_declarations_are_read(declared, line):
    assert signatures.exported("m", declared) == ([] if line is None else [line])


def test_a_declaration_that_is_not_understood_is_an_error():
    with pytest.raises(ValueError, match="what is"):
        signatures.exported("m", 'cdef extern from "x.h":\n    int (*f)(int)')
