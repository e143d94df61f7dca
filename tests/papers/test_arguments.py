"""The arguments that all reproductions take, in signatures, docstrings and checks."""

import inspect
from types import SimpleNamespace

import pytest

import fastgames as fg
from fastgames import papers
from fastgames.papers import arguments as shared
from fastgames.papers.arguments import Arguments, Count, reproduction
from fastgames.papers.report import Report

SHARED = ["replicas", "steps", "rng", "dtype", "threads", "out"]


@reproduction(
    replicas=Count(lambda half: 5 if half else 10, "Number of runs."),
    steps=Count(30, "Number of steps.", "[20, inf)"),
    own={"half : bool": "If true, simulate half of the runs."},
)
def study(asked: Arguments, *, half: bool = False) -> Report:
    """Return a report that has the arguments in its title.

    Returns
    -------
    Report
        A report.

    Notes
    -----
    None.
    """
    return Report(repr(asked), (), (), None, {})


@pytest.mark.parametrize("name", papers.NAMES)
def test_all_reproductions_take_the_shared_arguments_first(name):
    parameters = inspect.signature(papers.NAMES[name]).parameters
    assert list(parameters)[: len(SHARED)] == SHARED
    assert [parameters[key].default for key in SHARED[2:]] == [7, "float64", None, None]
    assert all(parameters[key].kind is inspect.Parameter.KEYWORD_ONLY
               for key in list(parameters)[len(SHARED):])  # fmt: skip


@pytest.mark.parametrize("name", papers.NAMES)
def test_docstrings_describe_every_argument(name):
    function = papers.NAMES[name]
    sections = inspect.getdoc(function).split("\n\n")
    (described,) = [text for text in sections if text.startswith("Parameters\n---")]
    headings = [line.partition(" : ")[0] for line in described.split("\n")[2:] if line[0] != " "]
    assert ", ".join(headings).split(", ") == list(inspect.signature(function).parameters)
    assert sum(text.startswith("Raises\n---") for text in sections) == 1


def test_a_reproduction_has_the_docstring_of_its_function_and_the_shared_sections():
    assert (
        inspect.getdoc(study)
        == """\
Return a report that has the arguments in its title.

Parameters
----------
replicas : int, optional
    Number of runs.
steps : int
    Number of steps.
rng, dtype, threads
    As for `fastgames.run`.
out : str or Path, optional
    File to write the figure to.
half : bool
    If true, simulate half of the runs.

Returns
-------
Report
    A report.

Raises
------
TypeError, ValueError, OSError, ImportError
    As `fastgames.run` and `fastgames.plot.overview`.

Notes
-----
None."""
    )


def test_arguments_by_position_by_name_and_by_default():
    assert study().title == repr(Arguments(10, 30))
    assert study(half=True).title == repr(Arguments(5, 30))
    assert study(3, 40, 1, "float32", 2, "x.png").title == repr(
        Arguments(3, 40, 1, "float32", 2, "x.png")
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"replicas": 0}, r"replicas must be a whole number of at least 1, got 0"),
        ({"steps": 19}, r"steps must be a whole number of at least 20, got 19"),
        ({"steps": None}, "steps must be"),
        ({"firms": [2]}, "unexpected keyword argument 'firms'"),
    ],
)
def test_refused_arguments(options, message):
    with pytest.raises((TypeError, ValueError), match=message):
        study(**options)


# --- estimates ----------------------------------------------------------------------------------

ONE_RUN = [name for name, each in papers.NAMES.items() if each.estimate is not None]


@pytest.mark.parametrize("name", [name for name in papers.NAMES if name != "traffic"])
def test_reproductions_of_one_run_have_an_estimate_and_no_others(name, monkeypatch):
    made = []

    def ran(*arguments, **options):
        made.append(options)
        return fg.run(*arguments, **options)

    monkeypatch.setattr(shared, "run", ran)
    papers.NAMES[name](replicas=2, steps=20)
    # besides its runs of many replicas, "cycling" runs the listing itself
    assert (len(made) == 1 and name != "cycling") == (name in ONE_RUN)


@pytest.mark.parametrize(
    ("name", "options", "replicas"),
    [
        ("calvano", {}, 4 * 3),
        ("calvano", {"grid": (5, 7), "checkpoint": "a_file"}, 5 * 7 * 3),
        ("klein", {}, 3),
        ("sweep", {}, 6 * 7 * 3),
        ("waltman-kaymak", {}, 2 * 3),
    ],
)
def test_an_estimate_is_that_of_the_run(name, options, replicas, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    seen = []

    def estimated(*arguments, **named):
        seen.append(named)
        return fg.estimate(*arguments, **named, seconds=0.01)

    monkeypatch.setattr(shared, "estimate_run", estimated)
    found = papers.NAMES[name].estimate(3, 10_000, rng=5, dtype="float32", threads=1, **options)
    assert (found.replicas, found.steps, found.threads) == (replicas, 10_000, 1)
    assert {"rng": 5, "dtype": "float32"}.items() <= seen[0].items()
    assert found.seconds > 0.0
    assert not list(tmp_path.iterdir())


def test_the_estimate_of_calvano_has_the_default_number_of_sessions(monkeypatch):
    def estimated(*arguments, **named):
        return SimpleNamespace(call=(arguments, named))

    monkeypatch.setattr(shared, "estimate_run", estimated)
    (_, _, steps, sessions), named = papers.calvano.estimate().call
    assert (steps, sessions.replicas) == (10**9, 4 * 1000)
    assert named["stop"] == fg.Stable(100_000)


def test_an_estimate_refuses_what_the_reproduction_refuses():
    with pytest.raises(ValueError, match="replicas must be a whole number of at least 1, got 0"):
        papers.klein.estimate(replicas=0)
    with pytest.raises(TypeError, match="'firms'"):
        papers.klein.estimate(firms=[2])
