"""The command line: what it runs, what it says, and one line for everything that goes wrong."""

import re
import signal
import subprocess
import sys

import numpy as np
import pytest

import fastgames as fg
from fastgames import cli
from fastgames.registry import EXPLORERS, GAMES, LEARNERS


@pytest.fixture
def call(capsys):
    """Call it; the exit status, standard output and standard error."""

    def called(*arguments):
        status = cli.main([str(a) for a in arguments])
        return status, *capsys.readouterr()

    return called


@pytest.fixture
def ran(call, tmp_path):
    """Run it with --out; the result that it wrote."""

    def called(*arguments):
        path = tmp_path / "result.zip"
        status, _, errors = call("run", *arguments, "--out", path)
        assert (status, errors) == (0, "")
        return fg.load(path)

    return called


# --- what it lists -------------------------------------------------------------------------------


def test_version(call):
    assert call("--version") == (0, f"fastgames {fg.__version__}\n", "")


@pytest.mark.parametrize("command", [(), ("run",), ("reproduce",), ("games",), ("learners",)])
def test_help(call, command):
    status, out, errors = call(*command, "--help")
    assert (status, errors) == (0, "")
    if command:
        assert f"fastgames {command[0]}" in out
        assert "Example" in out
    assert call() == call("--help")


def test_games(call):
    status, out, _ = call("games")
    assert status == 0
    for name, build in GAMES.items():
        (line,) = [line for line in out.splitlines() if re.search(rf"\b{name} ", line)]
        assert f" {build().num_agents} " in line
        assert build().setting in line
        assert build().source[:8] in line


def test_learners(call):
    status, out, _ = call("learners")
    assert status == 0
    for name, kind in (LEARNERS | EXPLORERS).items():
        assert re.search(rf"^. {name} ", out, re.MULTILINE)
        parameters, source = cli.described(kind)
        assert list(parameters) == list(kind.__dataclass_fields__)
        assert all(len(text) > 10 for text in parameters.values())
        assert source or name == "fixed"
    assert cli.described(LEARNERS["q"])[0]["alpha"].endswith(
        "in (0, 1] (a schedule may tend to 0)."
    )
    assert "equation 1." in cli.described(LEARNERS["q"])[1]


# --- what it runs --------------------------------------------------------------------------------


def test_run_is_the_library_run(ran):
    found = ran(
        "prisoners-dilemma", "--alpha", 0.2, "--epsilon", 0.3, "--gamma", 0.5, "--steps", 50,
        "--replicas", 4, "--seed", 5, "--dtype", "float32", "--threads", 1, "--last", 10,
        "--every", 25,
    )  # fmt: skip
    learner = fg.QLearner(0.2, 0.5, fg.EpsilonGreedy(0.3))
    record = fg.Record(joint_actions=True, rewards=True, last=10)
    expected = fg.run(fg.games.prisoners_dilemma(), learner, 50, 4, 5, record, dtype="float32")
    assert found.learners == (learner, learner)
    assert found.seed == 5
    assert found.dtype == "float32"
    np.testing.assert_array_equal(found.tables[0]["q"], expected.tables[0]["q"])
    np.testing.assert_array_equal(found.joint_counts, expected.joint_counts)
    assert found.snapshots.steps.tolist() == [25, 50]


def test_run_by_another_backend_and_stream(ran):
    found = ran("matching_pennies", "--seed", 7, "--stream", "numpy", "--backend", "reference",
                "--steps", 300)  # fmt: skip
    expected = fg.run(fg.games.matching_pennies(), fg.QLearner(), 300, rng=7, stream="numpy")
    assert found.stream == "numpy"
    np.testing.assert_array_equal(found.tables[0]["q"], expected.tables[0]["q"])


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("", [fg.QLearner()] * 2),
        ("--alpha .3 --temperature .5", [fg.QLearner(0.3, explore=fg.Softmax(0.5))] * 2),
        ("--alpha .3 --alpha .4", [fg.QLearner(0.3), fg.QLearner(0.4)]),
        ("--alpha - --alpha .4", [fg.QLearner(), fg.QLearner(0.4)]),
        (
            "--epsilon exponential:1.0,4e-6,0.01",
            [fg.QLearner(explore=fg.EpsilonGreedy(fg.Exponential(1.0, 4e-6, 0.01)))] * 2,
        ),
        ("--alpha exponential:.5,.1", [fg.QLearner(fg.Exponential(0.5, 0.1))] * 2),
        (
            "--epsilon linear:1,0.1,1000",
            [fg.QLearner(explore=fg.EpsilonGreedy(fg.Linear(1, 0.1, 1000)))] * 2,
        ),
        (
            "--epsilon .2 --epsilon - --temperature - --temperature 3",
            [
                fg.QLearner(explore=fg.EpsilonGreedy(0.2)),
                fg.QLearner(explore=fg.Softmax(3.0)),
            ],
        ),
        (
            "--learner q --learner fixed --alpha .3 --probabilities .25,.75",
            [fg.QLearner(0.3), fg.FixedPolicy([0.25, 0.75])],
        ),
    ],
)
def test_learner_options(ran, options, expected):
    assert ran("chicken", *options.split(), "--steps", 3).learners == tuple(expected)


def test_game_parameters(ran):
    assert ran("penalty:k=-10", "--steps", 3).game == fg.games.penalty(-10)
    found = ran("public_goods:agents=3,factor=2.5", "--steps", 3).game
    assert found == fg.games.public_goods(3, 2.5)


def test_what_run_says(call):
    # Constant payoffs would hide mistakes: in this game the dominant action is found by all.
    status, out, errors = call(
        "run", "prisoners_dilemma", "--epsilon", 0, "--seed", 11, "--replicas", 3, "--steps", 2000
    )
    assert (status, errors) == (0, "")
    assert "prisoner's dilemma: 3 x 2,000 steps" in out
    assert re.search(r"cooperate, cooperate\W+100\.0%", out)  # greedy from 0: first action pays 3
    assert re.search(r"QLearner\(.*\W+3(\.0)? \(sd 0\)", out)
    assert re.search(r"[\d.]+ s, [\d,.]+ million steps per second, seed 11\n", out)


def test_the_seed_it_says_is_the_seed_it_used(call):
    _, first, _ = call("run", "chicken", "--steps", 500)
    seed = re.search(r"seed (\d+)\n", first)[1]
    _, again, _ = call("run", "chicken", "--steps", 500, "--seed", seed)
    untimed = [re.sub(r"[\d.]+ s, .* per second", "", text) for text in (first, again)]
    assert untimed[0] == untimed[1]


def test_plot(call, tmp_path):
    path = tmp_path / "picture.png"
    status, out, _ = call("run", "chicken", "--steps", 100, "--replicas", 20, "--plot", path)
    assert status == 0
    assert f"picture: {path}\n" in out
    assert path.read_bytes().startswith(b"\x89PNG")


# --- reproduce -----------------------------------------------------------------------------------


def test_reproduce(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, out, errors = call("reproduce", "cycling", "--replicas", 50, "--threads", 1)
    assert (status, errors) == (0, "")
    for line in (
        "Row Q-values : [-0.016 -0.356]",
        "Col Q-values : [-0.35 0.123]",
        "times Row's greedy action FLIPPED: 1172",
        "(preferred Row,Col) every 4000 steps: [(0, 0), (0, 0), (0, 0), (1, 1), (0, 1)]",
    ):
        assert f"\n{line}\n" in out
    assert re.search(r"Row Q-values +│ \[-0.016 -0.356\] +│ \[-0.016 -0.356\] +│ ok", out)
    assert "picture: fastgames-cycling.png\n" in out
    assert (tmp_path / "fastgames-cycling.png").read_bytes().startswith(b"\x89PNG")


def test_reproduce_elsewhere(call, tmp_path):
    place = tmp_path / "a" / "b"
    status, _, _ = call("reproduce", "frozen", "--replicas", 20, "--steps", 400, "--out", place)
    assert status == 0
    assert [path.name for path in place.iterdir()] == ["fastgames-frozen.png"]


def test_reproduce_passes_its_options_on_and_says_what_differs(call, tmp_path, monkeypatch):
    from fastgames.reproduce import NAMES, Report, Row

    seen = {}

    def other(**options):
        seen.update(options)
        rows = (Row("sum [a]", "[2]", "[3]", False),)
        return Report("title", rows, ("[x] line",), None, {})

    monkeypatch.setitem(NAMES, "sweep", other)
    status, out, errors = call("reproduce", "sweep", "--replicas", 2, "--steps", 3, "--seed", 4,
                               "--dtype", "float32", "--threads", 5, "--out", tmp_path)  # fmt: skip
    assert seen == {"replicas": 2, "steps": 3, "rng": 4, "dtype": "float32", "threads": 5}
    assert status == 1
    assert "[x] line\n" in out
    assert re.search(r"sum \[a\] │ \[2\] +│ \[3\] +│ differs", out)
    assert errors == 'a picture needs matplotlib: pip install "fastgames[plot]"\n'
    call("reproduce", "sweep", "--out", tmp_path)


# --- what goes wrong -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("run matching_penies", ("'matching_penies'", "did you mean 'matching_pennies'")),
        ("run penalty:k=3", ("k must be at most 0", "3.0")),
        ("run penalty:k", ("game must be NAME or NAME:PARAMETER=NUMBER", "'penalty:k'")),
        ("run penalty:k=x", ("game parameter k must be a number", "'x'")),
        ("run chicken --alpha 7", ("alpha must be in (0, 1]", "7.0")),
        ("run chicken --alpha x", ("alpha must be a number, exponential", "'x'")),
        ("run chicken --epsilon linear:1,2", ("epsilon must be", "'linear:1,2'")),
        ("run chicken --epsilon exponental:1,2", ("schedule of epsilon", "did you mean 'exp")),
        ("run chicken --epsilon .1 --temperature 1", ("epsilon and temperature",)),
        ("run chicken --alpha .1 --alpha .1 --alpha .1", ("alpha must", "2 agents", "3 times")),
        ("run chicken --probabilities .5,.5", ("probabilities must go with", "'.5,.5'")),
        ("run chicken --learner fixed", ("probabilities must be given", "--probabilities")),
        ("run chicken --learner fixed --probabilities .5,x", ("probabilities must be", "'x'")),
        (
            "run chicken --learner q --learner fixed --probabilities 1,0 --probabilities 1,0",
            ("probabilities must go with", "agent 0"),
        ),
        ("run chicken --learner qq", ("learner must be one of 'q', 'fixed'", "'qq'")),
        ("run chicken --steps abc", ("steps must be a whole number", "'abc'")),
        ("run chicken --steps 0", ("steps must be a whole number", "got 0")),
        ("run chicken --replicas -2", ("replicas must be a whole number", "-2")),
        ("run chicken --seed -1", ("seed must be a whole number in [0, 18446744073709551615]",)),
        ("run chicken --dtype float16", ("dtype must be one of", "'float16'")),
        ("run chicken --backend cyton", ("backend must be one of", "did you mean 'cython'")),
        ("run chicken --out nowhere/x", ("out must be a file in a directory", "'nowhere/x'")),
        ("run chicken --out .", ("out must be a file", "'.'")),
        ("run chicken --plot x.foo", ("plot must end in", "'x.foo'")),
        ("run chicken --last 30000", ("last must be at most steps", "30000")),
        ("run", ("game",)),
        ("run chicken --nothing", ("--nothing",)),
        ("nothing", ("nothing",)),
        ("reproduce cyclin", ("name must be one of", "did you mean 'cycling'")),
        ("reproduce sweep --replicas 0", ("replicas must be a whole number", "got 0")),
        ("reproduce sweep --out a_file", ("out must be a directory", "'a_file'")),
    ],
)  # fmt: skip
def test_errors_are_one_line(call, arguments, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a_file").touch()
    status, out, errors = call(*arguments.split())
    assert (status, out) == (2, "")
    assert errors.count("\n") == 1
    assert errors.startswith("fastgames: ")
    for text in said:
        assert text in errors
    assert [path.name for path in tmp_path.iterdir()] == ["a_file"]


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs a timer's signal")
def test_control_c(call, tmp_path):
    def interrupt(*_):
        raise KeyboardInterrupt

    path = tmp_path / "result.zip"
    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    try:
        status, out, errors = call("run", "chicken", "--steps", 10**12, "--seed", 3, "--out", path)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
    assert (status, out) == (130, "")
    saved = fg.load(path)
    (steps,) = saved.steps
    assert 0 < steps < 10**12
    assert errors == (
        "fastgames: interrupted after 0% of the steps, replicas stand at "
        f"{steps:,} to {steps:,} of 1,000,000,000,000; written to {path}\n"
    )


def test_control_c_while_reproducing(call, tmp_path, monkeypatch):
    from fastgames.reproduce import NAMES

    def interrupted(**_):
        raise KeyboardInterrupt

    monkeypatch.setitem(NAMES, "cycling", interrupted)
    status, out, errors = call("reproduce", "cycling", "--out", tmp_path)
    assert (status, out) == (130, "")
    assert re.fullmatch(r"fastgames: cycling was interrupted after [\d.]+ s; .*\n", errors)


def test_mistakes_of_our_own_are_not_hidden(call, monkeypatch):
    def broken():
        raise ZeroDivisionError

    monkeypatch.setitem(GAMES, "chicken", broken)
    with pytest.raises(ZeroDivisionError):
        call("games")


# --- how it starts -------------------------------------------------------------------------------


@pytest.mark.parametrize("package", ["typer", "rich"])
def test_without_the_extra(package):
    code = (
        f"import sys; sys.modules['{package}'] = None\n"
        "from fastgames.cli import main; sys.exit(main(['games']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(
        rf'fastgames: the command line needs {package}: pip install "fastgames\[cli\]"\n',
        done.stderr,
    )


def test_starting_loads_nothing_heavy():
    code = (
        "import sys, fastgames.cli\n"
        "heavy = {'matplotlib', 'xarray', 'pandas', 'numba', 'scipy'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
