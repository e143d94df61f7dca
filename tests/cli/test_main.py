"""The command line: what it runs, what it says, and one line for everything that goes wrong."""

import re
import signal
import sys
from dataclasses import fields

import numpy as np
import pytest
from library.processes import output_of, python

import fastgames as fg
from fastgames.cli import main as cli
from fastgames.cli import show
from fastgames.cli.parse import RECORDS
from fastgames.engine import driver
from fastgames.registry import EXPLORERS, GAMES, LEARNERS
from fastgames.runs import estimating


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
        game = build()
        states = game.num_states or "-"
        assert re.search(rf" {game.num_agents} +│ {states} +│ ", line)
        shown = " x ".join(map(str, game.num_actions[:6]))
        assert shown + " x …" * (game.num_agents > 6) in line
        assert getattr(game, "setting", "") in line
        assert game.source[:8] in line


def test_learners(call):
    status, out, _ = call("learners")
    assert status == 0
    for name, kind in {**LEARNERS, **EXPLORERS}.items():
        assert re.search(rf"^. {name} ", out, re.MULTILINE)
        parameters, source = show.described(kind)
        assert list(parameters) == [part.name for part in fields(kind)]
        assert all(len(text) > 10 for text in parameters.values())
        assert source or name == "fixed"
    assert show.described(LEARNERS["q"])[0]["alpha"].endswith(
        "in (0, 1] (a schedule may tend to 0)."
    )
    assert "equation 1." in show.described(LEARNERS["q"])[1]


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
    assert found.snapshots.steps.tolist() == [0, 25, 50]


def test_run_records_what_is_named(ran, call):
    names = [name for name in RECORDS if name not in ("regret", "path")]
    found = ran("grid_game", "--steps", 200, "--seed", 7, "--record", "path=3",
                *(x for name in names for x in ("--record", name)))  # fmt: skip
    assert found.record == fg.Record(path=3, **dict.fromkeys(names, True))
    expected = fg.run(fg.games.grid_game(), fg.QLearner(), 200, rng=7, record=found.record)
    np.testing.assert_array_equal(found.path.states, expected.path.states)
    status, out, _ = call("run", "grid_game", "--steps", 200, "--seed", 7, "--record", "episodes")
    assert status == 0
    assert f"episodes: {expected.episodes[0]}\n" in out
    assert f"mean length: {expected.mean_length[0]:.4g}\n" in out
    status, out, _ = call("run", "chicken", "--seed", 7, "--record", "regret")
    assert status == 0
    assert "regret" in out


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("episode", "record must be one of 'flips',.*got 'episode'; did you mean 'episodes'"),
        ("path", "record must be path=N, got 'path'"),
        ("episodes=3", "record must be episodes, got 'episodes=3'"),
        ("path=x", "path must be a whole number, got 'x'"),
        ("episodes", "record.episodes must be False in a game without terminal states"),
    ],
)
def test_records_that_are_none(call, text, words):
    status, _, err = call("run", "chicken", "--record", text)
    assert status == 2
    assert re.search(words, err)


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
        ("--alpha hyperbolic:.5,10", [fg.QLearner(fg.Hyperbolic(0.5, 10))] * 2),
        ("--alpha hyperbolic:.5,10,.6", [fg.QLearner(fg.Hyperbolic(0.5, 10, 0.6))] * 2),
        (
            "--epsilon piecewise:0,1,100,.1,500,0",
            [fg.QLearner(explore=fg.EpsilonGreedy(fg.Piecewise([0, 100, 500], [1, 0.1, 0])))] * 2,
        ),
        (
            "--alpha constant:0,.5,100,.1",
            [fg.QLearner(fg.Piecewise([0, 100], [0.5, 0.1], "constant"))] * 2,
        ),
        (
            "--alpha by_action=7:hyperbolic:1,1 --alpha by_observation:linear:.5,.1,20",
            [
                fg.QLearner(fg.ByVisits(fg.Hyperbolic(1, 1), initial=7)),
                fg.QLearner(fg.ByVisits(fg.Linear(0.5, 0.1, 20), "observation")),
            ],
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


def test_games_with_states_and_markets(ran, call):
    found = ran("klein:k=4", "--learner", "q", "--learner", "sarsa", "--alpha", 0.3, "--seed", 2,
                "--steps", 300, "--replicas", 2)  # fmt: skip
    expected = fg.run(fg.games.klein(4), (fg.QLearner(0.3), fg.Sarsa(0.3)), 300, replicas=2, rng=2)
    assert found.game == fg.games.klein(4)
    for i in range(2):
        np.testing.assert_array_equal(found.tables[i]["q"], expected.tables[i]["q"])
    # Who does not move has not played its first price: no table of joint prices.
    assert "joint action" not in call("run", "klein", "--steps", 50)[1]
    drawn = fg.run(fg.games.klein(), fg.QLearner(), 50).plot()
    assert "Preferred in the end" not in [axes.get_title(loc="left") for axes in drawn.axes]
    # Quantities, not their numbers; what is preferred at the start is the first of them.
    _, out, _ = call("run", "cournot:firms=3,quantities=5", "--steps", 1, "--epsilon", 0)
    assert re.search(r"0, 0, 0 +│ 100\.0% +│ 100\.0%", out)
    _, out, _ = call("run", "cournot:quantities=5", "--steps", 400, "--epsilon", 1, "--seed", 1)
    assert re.search(r"│ (\d0, \d0|0, \d0|\d0, 0) +│", out)
    assert "preferred at the end" in call("run", "grid_game", "--steps", 50)[1]


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


def test_a_dry_run_prints_the_estimate_and_runs_nothing(call, tmp_path, monkeypatch):
    estimates, estimate = [], estimating.estimate

    def estimated(**arguments):
        estimates.append((arguments, estimate(**arguments, seconds=0.01)))
        return estimates[-1][1]

    monkeypatch.setattr(estimating, "estimate", estimated)
    monkeypatch.setattr(cli, "run_game", None)
    status, out, errors = call(
        "run", "prisoners_dilemma", "--alpha", 0.3, "--steps", 10**9, "--replicas", 10**6,
        "--seed", 3, "--dtype", "float32", "--threads", 1, "--last", 10, "--every", 10**8,
        "--out", tmp_path / "a.zip", "--plot", tmp_path / "a.png", "--dry-run",
    )  # fmt: skip
    ((arguments, found),) = estimates
    assert (status, out, errors) == (0, f"{found}\n", "")
    assert list(arguments["learners"]) == [fg.QLearner(0.3)] * 2
    assert arguments["rng"] == 3
    assert (found.steps, found.replicas, found.threads) == (10**9, 10**6, 1)
    # 4 streams' words for 2 agents, a state, two counters, clocks, tables; flips, plays, rewards
    each = 32 + 4 + 16 + 2 * (8 + 2 * 4) + 16 + 32 + 16
    assert found.memory == 10**6 * (each + 11 * 2 * 4) + 8 * 11
    assert not list(tmp_path.iterdir())


# --- reproduce -----------------------------------------------------------------------------------


def test_a_dry_run_of_a_figure(call, tmp_path):
    status, out, errors = call(
        "reproduce", "calvano", "--grid", "100x100", "--replicas", 100, "--dry-run",
        "--out", tmp_path / "pictures", "--checkpoint", tmp_path / "run.zip", "--threads", 1,
    )  # fmt: skip
    assert (status, errors) == (0, "")
    assert re.fullmatch(
        r"memory [\d.]+ GiB \(.*\), and [\d.]+ MiB while stepping\ntime at most .*1 thread.*\n", out
    )
    assert not list(tmp_path.iterdir())


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
    from fastgames.papers import NAMES, Report, Row

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
    assert errors == 'a picture needs matplotlib: pip install "fastgames-engine[plot]"\n'
    call("reproduce", "sweep", "--out", tmp_path)


def test_reproduce_passes_the_options_of_one_figure_on(call, tmp_path, monkeypatch):
    from fastgames.papers import NAMES, Report

    seen = []

    def calvano(grid=None, checkpoint=None):
        seen.append({"grid": grid, "checkpoint": checkpoint})
        return Report("title", (), (), None, {})

    def afp(firms=None):
        seen.append({"firms": firms})
        return Report("title", (), (), None, {})

    monkeypatch.setitem(NAMES, "calvano", calvano)
    monkeypatch.setitem(NAMES, "afp", afp)
    path = tmp_path / "a.zip"
    for options in (
        ["calvano", "--grid", "20x30", "--checkpoint", path], ["afp", "--firms", "2,4"]
    ):  # fmt: skip
        status, _, _ = call("reproduce", *options, "--out", tmp_path)
        assert status == 0
    assert seen == [{"grid": (20, 30), "checkpoint": path}, {"firms": [2, 4]}]


def test_reproduce_a_heat_map_from_a_checkpoint(call, tmp_path):
    arguments = ("reproduce", "calvano", "--grid", "2x3", "--replicas", 2, "--steps", 2000,
                 "--checkpoint", tmp_path / "run.zip", "--out", tmp_path)  # fmt: skip
    status, out, errors = call(*arguments)
    assert (status, errors) == (1, "")  # nothing converges so early
    assert "0 of 12" in out
    assert {path.name for path in tmp_path.iterdir()} == {"run.zip", "fastgames-calvano-grid.png"}
    _, again, _ = call(*arguments)
    untimed = [[line for line in text.splitlines() if "time of" not in line]
               for text in (out, again)]  # fmt: skip
    assert untimed[0] == untimed[1]


def test_reproduce_takes_underscores(call, tmp_path):
    status, out, _ = call("reproduce", "waltman_kaymak", "--replicas", 1, "--steps", 20, "--out",
                          tmp_path)  # fmt: skip
    assert status == 0
    assert f"picture: {tmp_path / 'fastgames-waltman-kaymak.png'}\n" in out


def test_help_tells_every_figure(call):
    from fastgames.papers import NAMES

    _, out, _ = call("reproduce", "--help")
    for name in NAMES:
        assert re.search(rf"^ +{name}  +\w", out, re.MULTILINE)


# --- what goes wrong -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("run matching_penies", ("'matching_penies'", "did you mean 'matching_pennies'")),
        ("run penalty:k=3", ("k must be a number in (-inf, 0]", "got 3")),
        ("run penalty:k", ("game must be NAME or NAME:PARAMETER=NUMBER", "'penalty:k'")),
        ("run penalty:k=x", ("game parameter k must be a number", "'x'")),
        ("run chicken --alpha 7", ("alpha must be in (0, 1]", "7.0")),
        ("run chicken --alpha x", ("alpha must be a number, exponential", "'x'")),
        ("run chicken --epsilon linear:1,2", ("epsilon must be", "'linear:1,2'")),
        ("run chicken --epsilon piecewise:1,2,3", ("epsilon must be", "'piecewise:1,2,3'")),
        ("run chicken --alpha by_action=x:linear:1,0,9", ("initial of alpha must be", "'x'")),
        ("run chicken --alpha by_action:.5", ("ByVisits schedule must be a schedule", "0.5")),
        ("run chicken --epsilon by_action:linear:1,0,9", ("epsilon must be a number", "ByVisits")),
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
        ("run chicken --learner qq", ("learner must be one of 'q', 'sarsa'", "'qq'")),
        ("run chicken --steps abc", ("steps must be a whole number", "'abc'")),
        ("run chicken --steps 0", ("steps must be a whole number", "got 0")),
        ("run chicken --replicas -2", ("replicas must be a whole number", "-2")),
        ("run chicken --seed -1", ("seed must be a whole number in [0, 2^64)",)),
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
        ("reproduce sweep --grid 2x2", ("grid must go with calvano", "'sweep'")),
        ("reproduce klein --checkpoint x", ("checkpoint must go with calvano", "'klein'")),
        ("reproduce calvano --firms 2", ("firms must go with afp", "'calvano'")),
        ("reproduce calvano --grid 20", ("grid must be two whole numbers", "'20'")),
        ("reproduce calvano --grid 0x2", ("grid must be a whole number in [1, 1000]", "got 0")),
        ("reproduce afp --firms 2,x", ("firms must be a whole number", "'x'")),
        ("reproduce afp --dry-run", ("dry-run must go with sweep or calvano", "'afp'")),
        ("reproduce klein --dry-run --steps 0", ("steps must be", "got 0")),
        ("run chicken --dry-run --steps 0", ("steps must be", "got 0")),
        ("run chicken --dry-run --out nowhere/x", ("out must be a file in a directory",)),
        ("reproduce afp --firms 5", ("firms must be a whole number in [2, 4]", "got 5")),
        ("reproduce sweep --out a_file", ("out must be a directory", "'a_file'")),
    ],
)  # fmt: skip
def test_errors_are_one_line(refused, arguments, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a_file").touch()
    refused(arguments.split(), said)
    assert [path.name for path in tmp_path.iterdir()] == ["a_file"]


@pytest.fixture
def interrupted(monkeypatch):
    """Ctrl-C comes a fraction of a second after a run has begun."""

    def interrupt(*_):
        raise KeyboardInterrupt

    def run(*arguments, **keywords):
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        return begin(*arguments, **keywords)

    begin = driver.run
    before = signal.signal(signal.SIGALRM, interrupt)
    monkeypatch.setattr(driver, "run", run)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0.0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs a timer's signal")
@pytest.mark.usefixtures("interrupted")
def test_control_c(call, tmp_path):
    path = tmp_path / "result.zip"
    status, out, errors = call("run", "chicken", "--steps", 10**12, "--seed", 3, "--out", path)
    assert (status, out) == (130, "")
    saved = fg.load(path)
    (steps,) = saved.steps
    assert 0 < steps < 10**12
    assert errors == (
        "fastgames: interrupted after 0% of the steps, replicas stand at "
        f"{steps:,} to {steps:,} of 1,000,000,000,000; written to {path}\n"
    )


def test_control_c_while_reproducing(call, tmp_path, monkeypatch):
    from fastgames.papers import NAMES

    def interrupted(**_):
        raise KeyboardInterrupt

    monkeypatch.setitem(NAMES, "cycling", interrupted)
    status, out, errors = call("reproduce", "cycling", "--out", tmp_path)
    assert (status, out) == (130, "")
    said = r"fastgames: cycling was interrupted after [\d.]+ s; nothing was written\n"
    assert re.fullmatch(said, errors)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs a timer's signal")
@pytest.mark.usefixtures("interrupted")
def test_control_c_leaves_a_checkpoint(call, tmp_path):
    path = tmp_path / "run.zip"
    status, out, errors = call(
        "reproduce", "calvano", "--checkpoint", path, "--replicas", 100, "--out", tmp_path
    )
    assert (status, out) == (130, "")
    assert re.search(rf"calvano was interrupted after .*; {re.escape(str(path))} has what", errors)
    assert path.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="nobody can write to /proc")
@pytest.mark.parametrize("option", ["--out", "--plot"])
def test_a_file_that_cannot_be_written_is_refused_before_the_run(option, call, monkeypatch):
    def run(*arguments, **keywords):
        raise AssertionError("it ran")

    monkeypatch.setattr(cli, "run_game", run)
    status, out, errors = call("run", "chicken", option, "/proc/some.png")
    assert (status, out) == (2, "")
    assert "No such file or directory" in errors


def test_mistakes_of_our_own_are_not_hidden(call, monkeypatch):
    def broken():
        raise ZeroDivisionError

    monkeypatch.setattr("fastgames.cli.main.GAMES", {"chicken": broken})
    with pytest.raises(ZeroDivisionError):
        call("games")


# --- how it starts -------------------------------------------------------------------------------


@pytest.mark.parametrize("package", ["typer", "rich"])
def test_without_the_extra(package):
    code = (
        f"import sys; sys.modules['{package}'] = None\n"
        "from fastgames.cli.main import main; sys.exit(main(['games']))"
    )
    done = python("-c", code)
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(
        rf'fastgames: the command line needs {package}: pip install "fastgames-engine\[cli\]"\n',
        done.stderr,
    )


def test_starting_loads_nothing_heavy():
    code = (
        "import sys, fastgames.cli.main\n"
        "heavy = {'matplotlib', 'xarray', 'pandas', 'numba', 'scipy'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    output_of(code)


# --- every game and every learner ----------------------------------------------------------------


@pytest.mark.parametrize("name", GAMES)
def test_every_game_of_the_catalogue_runs(call, name):
    status, out, errors = call("run", name, "--steps", 20, "--backend", "reference", "--seed", 1)
    assert (status, errors) == (0, "")
    counted = GAMES[name]().num_agents <= 62
    assert ("joint actions were not counted" in out) is not counted


# What a learner needs beside its name to play matching pennies.
NEEDS = {"exp3": ":low=-1,high=1", "fixed": ""}
OPTIONS = {
    "fixed": ("--probabilities", "0.5,0.5"),
    "ippo": ("--rollout", 8),
    "mappo": ("--rollout", 8),
    "sampled_lola": ("--rollouts", 2, "--horizon", 8),
}
GAME_FOR = {"self_play": "chicken"}  # else matching pennies


@pytest.mark.parametrize("name", LEARNERS)
def test_every_learner_runs(call, name):
    learner = name + NEEDS.get(name, "")
    options = ("--steps", 20, "--backend", "reference", *OPTIONS.get(name, ()))
    game = GAME_FOR.get(name, "matching_pennies")
    status, _, errors = call("run", game, "--learner", learner, *options)
    assert (status, errors) == (0, "")


def test_a_learner_names_the_one_that_it_uses(ran):
    options = ("--pool", 3, "--interval", 5, "--alpha", 0.5, "--temperature", 2)
    result = ran("chicken", "--learner", "self_play/sarsa", *options, "--steps", 20,
                 "--backend", "reference")  # fmt: skip
    assert result.learners[0] == fg.SelfPlay(
        fg.Sarsa(0.5, explore=fg.Softmax(2.0)), pool=3, interval=5
    )
    own = ran("chicken", "--learner", "self_play/q:alpha=0.5,pool=2", "--steps", 20,
              "--backend", "reference")  # fmt: skip
    assert own.learners[0] == fg.SelfPlay(fg.QLearner(0.5), pool=2)


@pytest.mark.parametrize(
    "name, text",
    [
        ("self_play/p", "learner of 'self_play' must be"),
        ("q/sarsa", "learner must be a single name for 'q', got 'q/sarsa'"),
        ("self_play/vdn", "which controls several agents"),
    ],
)
def test_learners_that_cannot_be_used_are_refused(call, name, text):
    status, _, errors = call("run", "chicken", "--learner", name, "--steps", 20)
    assert status == 2
    assert text in " ".join(errors.split())


def test_parameters_of_a_learner_follow_its_name(ran):
    own = ran("climbing", "--learner", "lenient_q:kappa=2,decay=0.99", "--learner", "q:alpha=0.3",
              "--steps", 20, "--backend", "reference")  # fmt: skip
    assert own.learners == (fg.LenientQ(kappa=2, decay=0.99), fg.QLearner(0.3))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("exp3:lo=-1",), "parameter of 'exp3' must be one of 'high', 'low', 'mixing', got 'lo'"),
        (("exp3:low",), "learner must be NAME or NAME:PARAMETER=NUMBER,…, got 'exp3:low'"),
        (("exp3:low=x",), "learner parameter low must be a number, got 'x'"),
        (("q:alpha=0.1", "--alpha", "0.2"), "alpha of 'q' must be given once"),
        (("exp4:low=1",), "learner must be one of"),
    ],
)
def test_wrong_parameters_of_a_learner(call, arguments, said):
    status, _, errors = call("run", "chicken", "--learner", *arguments)
    assert status == 2
    assert said in errors
