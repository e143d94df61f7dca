"""Two functions that differ in one thing have two digests, and two compiled forms.

Each pair is made by `pairs(0)` and `pairs(1)`: the texts are the same, so that nothing but the one
thing tells them apart. What is compiled is held against the same function, interpreted.
"""

import enum
import json
import os
import sys
from collections import namedtuple
from pathlib import Path
from types import FunctionType, ModuleType

import numba
import numpy as np
import pytest
from library.processes import output_of

from fastgames import jit
from fastgames.functions.digests import defined, digest_of_tree
from fastgames.functions.former import FORMER
from fastgames.functions.frozen import frozen
from fastgames.functions.source import Source, fingerprint
from fastgames.jit.namespaces import offered

X = 0.7  # what every function of a pair is called with
FORMER_OF_HELPED = "1d801cd8a945d00ddb8dc3b4a0a2821bd289976586743c2ca765ced84a1e3b41"


def reading(function, **names):
    """The same function in a module that has these globals."""
    found = {"__name__": __name__, "__builtins__": __builtins__, "np": np, **names}
    made = FunctionType(function.__code__, found, function.__name__, function.__defaults__)
    made.__kwdefaults__ = function.__kwdefaults__
    return made


def with_c(x):
    return x + C  # noqa: F821


def with_a(x):
    return x + A[0]  # noqa: F821


def as_float(x):
    return x + float(C)  # noqa: F821


def first_of(x):
    return x + float(A[0])  # noqa: F821


def with_shape(x):
    return x + A.shape[0]  # noqa: F821


def with_helper(x):
    return helper(x)  # noqa: F821


def with_module(x):
    return x + m.inner.C  # noqa: F821


def with_member(x):
    return x + E.B.value  # noqa: F821


def with_fields(x):
    return T(x, 2.0 * x).a  # noqa: F821


def with_a_tuple(x):
    return x + T.a  # noqa: F821


def with_type(x):
    return C(x)  # noqa: F821


def defaults(k):
    def f(x, a=(1, 11)[k], b=(11, 1)[k]):
        return x + a - 2 * b

    return f


def helped_by_defaults(k):
    helper = defaults(k)

    def f(x):
        return helper(x)

    return f


def closure(k):
    a, b = (1, 11)[k], (11, 1)[k]

    def f(x):
        return x + a - 2 * b

    return f


def closure_of_a_tuple(k):
    pair = ((1, 11), (11, 1))[k]

    def f(x):
        return x + pair[0] - 2 * pair[1]

    return f


def module(c):
    inner, made = ModuleType("inner"), ModuleType("made")
    inner.C, made.inner = c, inner
    return made


# fmt: off
def pairs(k):
    """By what they differ in: functions that are compiled, of which this is number k."""
    number = (1.0, 2.0)[k]
    kinds = [namedtuple("T", "a b"), namedtuple("T", "b a")]
    kind = kinds[k]
    twice = reading(with_helper, helper=reading(with_c, C=number))
    return {
        "two lambdas of one line": ((lambda x: x + 1.0), (lambda x: x + 2.0))[k],
        "an int or a float": ((lambda x: 1), (lambda x: 1.0))[k],
        "an int or a bool": ((lambda x: 1), (lambda x: True))[k],
        "the sign of a zero": ((lambda x: x * 0.0), (lambda x: x * -0.0))[k],
        "an infinity": ((lambda x: x + 1e999), (lambda x: x - 1e999))[k],
        "an operator": ((lambda x: x + 2.5), (lambda x: x * 2.5))[k],
        "a name that is read": reading(((lambda x: x + C), (lambda x: x + D))[k], C=4.0, D=5.0),  # noqa: F821
        "defaults": helped_by_defaults(k),
        "a closure": closure(k),
        "a closure of a tuple": closure_of_a_tuple(k),
        "a number": reading(with_c, C=number),
        "the type of a number": reading(with_type, C=(int, float)[k]),
        "the width of a number": reading(as_float, C=(np.float32(0.1), np.float64(0.1))[k]),
        "a type of NumPy": reading(with_type, C=(np.float32, np.float64)[k]),
        "a tuple": reading(with_a, A=((1, 11), (11, 1))[k]),
        "the nesting of a tuple": reading(lambda x: x + len(A), A=(((1, 2),), (1, 2))[k]),  # noqa: F821
        "an array": reading(with_a, A=np.array([number, 5.0])),
        "the type of an array": reading(first_of, A=np.array([0.1], ("float32", "float64")[k])),
        "the shape of an array": reading(with_shape, A=np.zeros(((2, 3), (3, 2))[k])),
        "a helper": reading(with_helper, helper=((lambda x: x + 1.0), (lambda x: x + 2.0))[k]),
        "a helper's number": twice,
        "a helper's helper's number": reading(with_helper, helper=twice),
        "a compiled helper's number": reading(
            with_helper, helper=numba.njit(reading(with_c, C=number))),
        "a module's number": reading(with_module, m=module(number)),
        "a member of an enum": reading(with_member, E=enum.Enum("E", {"A": 7.0, "B": number})),
        "a member of another enum": reading(
            lambda x: x + C.value, C=enum.IntEnum("E", {"A": k + 1}).A),  # noqa: F821
        "the order of fields": reading(with_fields, T=kind),
        "a NamedTuple's order": reading(with_a_tuple, T=kind(1.0, 2.0)),
        "a built-in name, or a function of this name": reading(
            lambda x: abs(x - 5.0), **([{}, {"abs": lambda x: x}][k])),
    }


def recursive(k):
    """Two that call each other."""
    def even(n):
        return n == 0 or odd(n - 1)

    def odd(n):
        return n == (0, 1)[k] or even(n - 1)
    return even


def keyword(k):
    def f(x, *, a=(1, 11)[k], b=(11, 1)[k]):
        return x + a - 2 * b
    return f


def conflict(k):
    """One that was given its types converts to them."""
    helper = numba.njit([("float64(float64)", "float32(float32)")[k]])(lambda x: x * 0.1)
    return reading(with_helper, helper=helper)


class Plain:
    pass


def others(k):
    """Pairs that Numba does not compile, or whose values are equal."""
    order = (("helper", "other"), ("other", "helper"))[k]
    names = dict(zip(order, ((lambda x: x + 1.0), (lambda x: x * 3.0)), strict=True))
    structure = np.dtype([("a", "f8"), ("b", "f8")]), np.dtype([("b", "f8"), ("a", "f8")])
    point = namedtuple("P", "a b", defaults=((1.0, 2.0), (2.0, 1.0))[k])
    nan = np.array([0x7FF8000000000000, 0x7FF8000000000001], np.uint64).view(np.float64)
    return {
        "keyword defaults": keyword(k),
        "mutual recursion": recursive(k),
        "a compiled helper's types": conflict(k),
        "how a helper is compiled": reading(
            with_helper, helper=numba.njit(error_model=("python", "numpy")[k])(lambda x: 1.0 / x)),
        "the types of a helper's variables": reading(with_helper, helper=numba.njit(
            locals={"y": (numba.float32, numba.float64)[k]})(reading(with_c, C=1.0))),
        "which name has which helper": reading(lambda x: helper(other(x)), **names),  # noqa: F821
        "a NaN's bits": reading(with_c, C=float(nan[k])),
        "a string or bytes": reading(with_c, C=("1", b"1")[k]),
        "strings cut elsewhere": reading(with_c, C=(("a", "bc"), ("ab", "c"))[k]),
        "None or its name": reading(with_c, C=(None, "None")[k]),
        "a number of no type or a list of it": reading(with_c, C=([1], (1,))[k]),
        "fields of an array": reading(with_c, C=np.zeros(2, structure[k])),
        "the order of bytes": reading(with_c, C=np.zeros(2, ("<i4", ">i4")[k])),
        "a NamedTuple's defaults": reading(with_c, C=point),
        "a class of NumPy or its name": reading(with_c, C=(np.float32, "class numpy.float32")[k]),
        "what a class does": reading(with_c, C=type("K", (), {"f": (lambda s: 1, lambda s: 2)[k]})),
        "a set in the code": ((lambda x: x in {1, 2}), (lambda x: x in {1, 3}))[k],
        "a slice": reading(with_c, C=(slice(1, 2), slice(2, 1))[k]),
        "a wrapper": wrapped(k),
        "an error that is caught": ((lambda: caught_value), (lambda: caught_key))[k](),
    }
# fmt: on


def wrapped(k):
    """`inspect` takes either for the function that it wraps."""
    inner = reading(with_c, C=1.0)
    made = ((lambda x: inner(x) + 1.0), (lambda x: inner(x) * 2.0))[k]
    made.__wrapped__ = inner
    return made


def caught_value(x):
    try:
        return x
    except ValueError:
        return 1.0


def caught_key(x):
    try:
        return x
    except KeyError:
        return 1.0


BOTH = {**pairs(0), **others(0)}


@pytest.mark.parametrize("loaded", [False, True])
@pytest.mark.parametrize("what", BOTH)
def test_what_differs_has_another_digest(what, loaded):
    first, again, other = ({**pairs(k), **others(k)}[what] for k in (0, 0, 1))
    assert fingerprint(first, loaded=loaded) == fingerprint(again, loaded=loaded)
    assert fingerprint(first, loaded=loaded) != fingerprint(other, loaded=loaded)
    (copy,) = frozen(first)
    assert copy is not first
    assert fingerprint(copy, loaded=loaded) == fingerprint(first, loaded=loaded)


def test_no_two_of_all_have_one_digest():
    made = [f for k in (0, 1) for f in {**pairs(k), **others(k)}.values()]
    for loaded in (False, True):
        assert len({fingerprint(f, loaded=loaded) for f in made}) >= len(made) - 4  # x + 1.0


def documented(x):
    """Return x plus one."""
    return x + 1.0


def documented_better(x):
    """Return the sum of x and one."""
    return x + 1.0


def undocumented(x):
    return x + 1.0


def with_inner(k):
    """Two functions that differ in docstrings inside."""

    def one(x):
        class Inner:
            """A class."""

            def f(self):
                """Return a number."""
                return 2.0

        def inner(x):
            """Return its argument."""
            return x

        return inner(x) + Inner().f()

    def two(x):
        class Inner:
            def f(self):
                """Return 2."""
                return 2.0

        def inner(x):
            return x

        return inner(x) + Inner().f()

    return (one, two)[k]


def kind(k):
    class One:
        """A class."""

        def f(self):
            """Return a number."""
            return 2.0

    One.__qualname__ = "One"
    first = One

    class One:
        def f(self):
            return 2.0

    One.__qualname__ = "One"
    return (first, One)[k]


def helped(x):
    """Return what `documented` does."""
    return documented(x)


DOCUMENTED = {
    "a function": (documented, documented_better, undocumented),
    "functions and classes inside": (with_inner(0), with_inner(1)),
    "a helper": tuple(
        reading(with_helper, helper=f) for f in (documented, documented_better, undocumented)
    ),
    "a compiled helper": tuple(
        reading(with_helper, helper=numba.njit(f)) for f in (documented, undocumented)
    ),
    "a helper that fastgames compiled": tuple(
        reading(with_helper, helper=jit.compiled(reading(f))) for f in (documented, undocumented)
    ),
    "a class": tuple(reading(with_c, C=kind(k)) for k in (0, 1)),
}


@pytest.mark.parametrize("what", DOCUMENTED)
def test_docstrings_count_for_compiled_code_only(what):
    made = DOCUMENTED[what]
    assert len({fingerprint(f) for f in made}) == 1
    assert len({fingerprint(f, loaded=True) for f in made}) == len(made)
    assert len({Source(f).former for f in made}) == len(made)
    (copy,) = frozen(made[0])
    assert Source(copy).former == Source(made[0]).former


def test_docstrings_that_are_read_count():
    made = [reading(lambda x: helper.__doc__, helper=f) for f in (documented, documented_better)]  # noqa: F821
    assert fingerprint(made[0]) != fingerprint(made[1])


def no_docstrings(k):
    """Functions that differ in a string that is not a docstring."""

    def second(x):
        """Return x."""
        "b"
        return x

    def other_second(x):
        """Return x."""
        "c"
        return x

    def in_a_block(x):
        if x:
            "b"
        return x

    def other_in_a_block(x):
        if x:
            "c"
        return x

    def as_bytes(x):
        b"b"  # noqa: B018
        return x

    def other_as_bytes(x):
        b"c"  # noqa: B018
        return x

    def returned(x):
        return "b"

    def other_returned(x):
        return "c"

    return {
        "a second string": (second, other_second)[k],
        "a string in a block": (in_a_block, other_in_a_block)[k],
        "bytes": (as_bytes, other_as_bytes)[k],
        "a string that is returned": (returned, other_returned)[k],
        "a string of a lambda": ((lambda x: "b"), (lambda x: "c"))[k],
    }


@pytest.mark.parametrize("what", no_docstrings(0))
def test_a_string_that_is_no_docstring_counts(what):
    assert fingerprint(no_docstrings(0)[what]) != fingerprint(no_docstrings(1)[what])


def test_the_former_digest_is_that_of_earlier_revisions():
    """As `fingerprint(helped)` of revision b0c35d5 returned it."""
    assert Source(helped).former == FORMER_OF_HELPED


def test_the_table_of_former_digests_fits_the_code():
    """Every function of the table is found, with the code that the table was made for.

    If its code was changed and does the same to the last bit, see `tests/former.py`; if it does
    something else, run `python tests/former.py` without arguments.
    """
    root, found = Path(fingerprint.__code__.co_filename).parents[1], {}
    for path in sorted(root.rglob("*.py")):
        for _, code, tree in defined(path.read_text()):
            name = f"{path.stem}.{code.co_qualname}"
            found[name] = digest_of_tree(tree, docstrings=False).hex()[:16]
    assert {name: found.get(name) for name in FORMER} == {x: FORMER[x][0] for x in FORMER}


def said(function, made):
    """Return the results of a function, compiled and interpreted."""
    fast = made(X)
    return [repr(fast), repr(type(fast)(function(X)))]


@pytest.mark.parametrize("what", pairs(0))
def test_compiled_in_one_process(what):
    found = []
    for k in (0, 1, 0):
        function = pairs(k)[what]
        fast, plain = said(function, jit.compiled(function))
        assert fast == plain
        found.append(fast)
    assert found[0] == found[2] != found[1]


def report(k):
    """Print the results of all pairs: compiled, interpreted, found on disk."""
    out = {}
    for what, function in pairs(k).items():
        made = offered(function)
        out[what] = [*said(function, made), sum(made.stats.cache_hits.values())]
    print(json.dumps(out))


def process(folder, k):
    """Return the output of `report` in another process that stores compiled code in this folder."""
    environment = {
        "FASTGAMES_CACHE_DIR": str(folder),
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path]),
    }
    program = f"import test_source; test_source.report({k})"
    return json.loads(output_of(program, **environment))


def test_compiled_across_processes(tmp_path):
    """Three with one directory: the others' files serve none but who has the same functions."""
    found = [process(tmp_path / "kept", k) for k in (0, 1, 0)]
    for k, each in enumerate(found):
        for what, (fast, plain, hits) in each.items():
            assert fast == plain, what
            assert (what, hits) == (what, int(k == 2))
