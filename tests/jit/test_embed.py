"""Loops of users that call compiled rules: they have the bits of fg.run."""

import ast
import importlib
import math
import runpy
from pathlib import Path
from types import FunctionType, ModuleType

import numba
import numpy as np
import pytest
from fastgames.jit.choice import argmax
from library.learners import KINDS

import fastgames as fg
from fastgames import jit, registry
from fastgames.jit import _names
from fastgames.learners.rules import named
from fastgames.rules import choice
from fastgames.rules.chance import below

# Both agents have payoffs from -2 to 4: the bounds of one Exp3 suit both.
GAME = fg.MatrixGame([[[4.0, -2.0], [0.5, 2.0]], [[1.0, 4.0], [-2.0, 0.25]]])
STEPS, REPLICAS, SEED = 60, 3, 2**40 + 7


# --- a loop as users write it, for any learner ----------------------------------------------------


def told(asks):
    """Return the fields that a learner asks for: its column, and everyone's actions and rewards."""

    @numba.njit
    def column(payoffs, i, a, b):
        return payoffs[0, :, b].copy() if i == 0 else payoffs[1, a, :].copy()

    @numba.njit
    def everyone(payoffs, actions):
        a, b = actions
        return actions, np.array([payoffs[0, a, b], payoffs[1, a, b]])

    @numba.njit
    def nothing(payoffs, i, a, b):
        return None

    @numba.njit
    def nobody(payoffs, actions):
        return None, None

    return column if asks.counterfactual else nothing, everyone if asks.joint else nobody


def copies_of(asks):
    """Return a function of both agents' tables: the copies that each sees of the other's."""

    @numba.njit
    def first_tables(tables):
        return ((tables[1][0].copy(),),), ((tables[0][0].copy(),),)

    @numba.njit
    def nothing(tables):
        return None, None

    return first_tables if asks.opponents else nothing


def loop_of(seat, asks, dtype):
    """Two agents with the same learner at a matrix game."""
    signal_of, choose, learn, values, advance = (
        seat.signal, seat.choose, seat.learn, seat.values, seat.advance
    )  # fmt: skip
    column, everyone = told(asks)
    first_tables = copies_of(asks)
    real, defers = np.dtype(dtype).type, asks.defers
    gamma_at = asks.parameters.index("gamma") if "gamma" in asks.parameters else -1

    @jit.njit
    def loop(payoffs, tables, schedules, streams, steps):
        actions, before = np.zeros(2, np.int64), np.zeros(2, np.int64)
        gains = np.zeros(2, payoffs.dtype)
        signals = [signal_of(streams[i].copy(), values(schedules[i])) for i in range(2)]
        for t in range(steps):
            for i in range(2):
                p = values(schedules[i])
                signals[i] = signal_of(streams[i], p)
                actions[i] = choose(tables[i], p, 0, signals[i])
            a, b = actions
            joint, rewards = everyone(payoffs, actions)
            was = first_tables(tables)
            for i in range(2):
                p = values(schedules[i])
                weight = real(p[gamma_at]) if gamma_at >= 0 else real(0.0)
                if not defers:
                    outcome = jit.Outcome(
                        0, actions[i], payoffs[i, a, b], weight, 0, -1, False,
                        column(payoffs, i, a, b), signals[i], i, joint, rewards,
                        actions[1 - i] if joint is not None else -1, False, -1, was[i],
                    )  # fmt: skip
                    learn(tables[i], p, outcome)
                elif t > 0:  # it knows now what it does next
                    outcome = jit.Outcome(
                        0, before[i], gains[i], weight, 0, actions[i], False,
                        None, signals[i], i, None, None, -1,
                    )  # fmt: skip
                    learn(tables[i], p, outcome)
                before[i], gains[i] = actions[i], payoffs[i, a, b]
            for i in range(2):
                advance(schedules[i])

    return loop


def streams_of(replica):
    streams = np.zeros((2, 4), np.uint32)
    for i in range(2):
        jit.streams.start(SEED & 0xFFFFFFFF, SEED >> 32, replica, i, streams[i])
    return streams


def team_of(seat, table_is_shared, dtype):
    """The same for two agents who are a team."""
    signal_of, choose, learn, p = seat.signal, seat.choose, seat.learn, seat.p
    weight = np.dtype(dtype).type(0.0)
    together = jit.njit(lambda x, y: (x, y))
    if all(table_is_shared):
        together = jit.njit(lambda x, y: x)
    elif table_is_shared == (False, True):
        together = jit.njit(lambda x, y: ((x[0], y[0]), x[1]))
    elif table_is_shared == (False,):
        together = jit.njit(lambda x, y: ((x[0], y[0]),))

    @jit.njit
    def loop(payoffs, tables, schedules, streams, steps):
        actions, seen = np.zeros(2, np.int64), np.zeros(2, np.int64)
        team, all_move = together(tables[0], tables[1]), np.ones(2, np.bool_)
        for _ in range(steps):
            x, y = signal_of(streams[0], p), signal_of(streams[1], p)
            a, b = choose(tables[0], p, 0, x), choose(tables[1], p, 0, y)
            actions[0], actions[1] = a, b
            rewards = payoffs[:, a, b].copy()
            outcome = jit.TeamOutcome(
                seen, actions, rewards, weight, seen, False, (x, y), False, None, -1, None,
                all_move, all_move,
            )  # fmt: skip
            learn(team, p, outcome)

    return loop


def check(learner, dtype, game=GAME):
    """Tables and streams of the loop are those of fg.run."""
    arguments = {"replicas": REPLICAS, "rng": SEED, "dtype": dtype, "backend": "reference"}
    expected = fg.run(game, learner, STEPS, **arguments)
    payoffs, rules, loop = game.payoffs.astype(dtype), learner.rules, None
    for replica in range(REPLICAS):
        seats = [jit.rules(learner, game, i, dtype) for i in range(2)]
        shared = tuple(table.shared for table in rules.tables)
        if loop is None:
            loop = (team_of if rules.team else loop_of)(
                seats[0], shared if rules.team else rules, dtype
            )
        if True in shared:
            both = zip(shared, *(seat.tables for seat in seats), strict=True)
            tables = tuple(first if one else second for one, first, second in both)
            seats[1] = seats[1]._replace(tables=tables)
        tables, streams = tuple(seat.tables for seat in seats), streams_of(replica)
        loop(payoffs, tables, tuple(seat.schedule for seat in seats), streams, STEPS)
        assert (streams == expected.state.streams[replica]).all()
        for i in range(2):
            for name, table in zip(rules.names, tables[i], strict=True):
                assert table.tobytes() == expected.tables[i][name][replica].tobytes(), name


def made(kind, game=GAME):
    if kind.learner == "fixed":
        return fg.FixedPolicy([0.3, 0.7])
    return kind.made(game)


FEW = {"sarsa-softmax-alpha": "float64", "fictitious_play": "float32"}


@pytest.mark.parametrize("name", FEW)
def test_a_users_loop_has_the_bits_of_run(name):
    (kind,) = (kind for kind in KINDS if str(kind) == name)
    check(made(kind), FEW[name])


@pytest.mark.slow
@pytest.mark.parametrize("dtype", registry.DTYPES)
def test_every_learner_in_a_users_loop_has_the_bits_of_run(learner_kind, dtype):
    game = learner_kind.game(GAME)
    check(made(learner_kind, game), dtype, game)


def test_scheduled_parameters():
    explore = fg.EpsilonGreedy(fg.Exponential(0.9, 0.05, 0.2))
    check(fg.QLearner(fg.Linear(0.5, 0.1, 33), gamma=0.5, explore=explore), "float32")


def decaying(t, scale):
    return scale / (1 + t % 11)


@pytest.mark.parametrize(
    "alpha",
    [
        fg.Hyperbolic(0.5, 3.0, 0.6),
        fg.Piecewise([5, 20.5, 90], [0.9, 0.1, 0.4]),
        fg.Piecewise([5, 20.5, 90], [0.9, 0.1, 0.4], "constant"),
        fg.Schedule(decaying, [0.5]),
        fg.ByVisits(fg.Hyperbolic(0.5, 3.0, 0.6), initial=2),
        fg.ByVisits(fg.Piecewise([0, 9], [0.5, 0.1]), "observation"),
        fg.ByVisits(fg.Schedule(decaying, [0.5])),
    ],
    ids=lambda alpha: f"{type(alpha).__name__}",
)
def test_other_schedules_have_the_bits_of_run(alpha):
    check(fg.QLearner(alpha, gamma=0.5, explore=fg.EpsilonGreedy(0.3)), "float32")


def test_a_function_of_the_step_that_is_not_pure_is_refused():
    learner = fg.QLearner(fg.Schedule(lambda t: math.exp(-t)))
    with pytest.raises(
        ValueError, match="Schedule function must use functions that return the same"
    ):
        jit.rules(learner, fg.games.chicken())


def test_the_example_has_the_bits_of_run(capsys):
    runpy.run_path(str(Path(__file__).parents[2] / "examples" / "numba_loop.py"))
    assert capsys.readouterr().out == "equal to the bit: True\n"


# --- a game with a time limit ---------------------------------------------------------------------


def keep_returns(tables, p, t):
    """Add the undiscounted return of each episode, and whether it ended or was truncated."""
    kept = tables.kept
    kept[0] += t.gain
    if t.ended or t.truncated:
        kept[1] = kept[1] * 0.5 + kept[0]
        kept[0] = 0.0
    kept[2] += 1.0 if t.truncated else 0.0
    kept[3] += 1.0 if t.ended else 0.0


def choose_by_signal(tables, p, o, signal):
    return 1 if signal < 0.5 else 0


def test_a_time_limit_in_a_users_loop_has_the_bits_of_run():
    """The loop says itself where it cuts: `truncated` is the last field of the outcome."""
    limit = 4
    game = fg.games.random_markov_game(2, 6, 2, rng=3, terminal=1, time_limit=limit)
    learner = fg.Learner(
        choose_by_signal, keep_returns, tables=[fg.Table("q"), fg.Table("kept", (4,))]
    )
    seats = [jit.rules(learner, game, i) for i in range(2)]
    signal_of, choose, learn, p = seats[0].signal, seats[0].choose, seats[0].learn, seats[0].p
    first, discount = game.start, game.discount

    @jit.njit
    def loop(rewards, moves, terminal, tables, streams, steps):
        actions, signals = np.zeros(2, np.int64), np.zeros(2)
        s, age = first, 0
        for _ in range(steps):
            for i in range(2):
                signals[i] = signal_of(streams[i], p)
                actions[i] = choose(tables[i], p, s, signals[i])
            a, b = actions
            s2, age = moves[s, a, b], age + 1
            ended = terminal[s2]
            truncated = age == limit and not ended
            for i in range(2):
                outcome = jit.Outcome(
                    s, actions[i], rewards[i, s, a, b], discount, s2, -1, ended,
                    None, signals[i], i, None, None, -1, truncated,
                )  # fmt: skip
                learn(tables[i], p, outcome)
            s = s2
            if ended or truncated:
                s, age = first, 0

    tables, streams = tuple(seat.tables for seat in seats), streams_of(0)
    loop(game.rewards, game.transitions, game.terminal, tables, streams, 100)
    expected = fg.run(game, learner, 100, rng=SEED, backend="reference")
    for i in range(2):
        kept = expected.tables[i]["kept"][0]
        assert kept[2] > 0
        assert kept[3] > 0
        assert tables[i][1].tobytes() == kept.tobytes()


# --- what a learner may ask for -------------------------------------------------------------------


def choose_knowing(tables, p, o, signal, s):
    theirs = s.opponents[0]
    return (below(s.word, 3) + s.step + s.agent + int(theirs.kept[0] > 1.0)) % 2


def learn_knowing(tables, p, t):
    theirs = t.opponents[0]
    tables.kept[0] = 0.5 * tables.kept[0] + t.gain + 0.25 * theirs.kept[0]
    tables.kept[1] += t.word


def test_word_step_and_opponents_in_a_users_loop_have_the_bits_of_run():
    """The loop draws the word of role N + 1, and copies the tables before anyone learns."""
    learner = fg.Learner(
        choose_knowing, learn_knowing, tables=[fg.Table("q"), fg.Table("kept", (2,))],
        asks=("opponents", "mediator"),
    )  # fmt: skip
    seats = [jit.rules(learner, GAME, i) for i in range(2)]
    signal_of, choose, learn, p = seats[0].signal, seats[0].choose, seats[0].learn, seats[0].p
    Tables = named("Tables", learner.rules.names)

    @jit.njit
    def loop(payoffs, tables, before, streams, mediator, steps):
        actions, signals = np.zeros(2, np.int64), np.zeros(2)
        theirs = (Tables(before[1][0], before[1][1]),), (Tables(before[0][0], before[0][1]),)
        for t in range(steps):
            word = jit.streams.next_word(mediator) >> 1
            for i in range(2):
                before[i][1][...] = tables[i][1]
            for i in range(2):
                signals[i] = signal_of(streams[i], p)
                situation = jit.Situation(i, t, word, theirs[i])
                actions[i] = choose(tables[i], p, 0, signals[i], situation)
            a, b = actions
            for i in range(2):
                outcome = jit.Outcome(
                    0, actions[i], payoffs[i, a, b], 0.0, 0, -1, False, None, signals[i], i,
                    None, None, -1, False, word, theirs[i],
                )  # fmt: skip
                learn(tables[i], p, outcome)

    for replica in range(REPLICAS):
        tables = tuple(tuple(x.copy() for x in seat.tables) for seat in seats)
        before = tuple(tuple(x.copy() for x in seat.tables) for seat in seats)
        mediator = np.zeros(4, np.uint32)
        jit.streams.start(SEED & 0xFFFFFFFF, SEED >> 32, replica, 3, mediator)
        loop(GAME.payoffs, tables, before, streams_of(replica), mediator, STEPS)
        expected = fg.run(GAME, learner, STEPS, REPLICAS, rng=SEED, backend="reference")
        assert (mediator == expected.state.mediator[replica]).all()
        for i in range(2):
            assert tables[i][1].tobytes() == expected.tables[i]["kept"][replica].tobytes()


# --- a game of functions --------------------------------------------------------------------------


def start(state, words):
    state[0] = 3 + (words[0] >> 30)


def step(state, actions, rewards, words):
    state[0] = min(state[0] + (words[0] & 1), 5)
    if actions[0] != actions[1]:
        state[0] -= 1
    rewards[0] = rewards[1] = -state[0]
    return state[0] <= 0


def observe(state, agent):
    return max(state[0], 0)


def test_a_game_of_functions_in_a_users_loop_has_the_bits_of_run():
    queue = fg.ProceduralGame(
        start, step, observe, num_actions=(2, 2), num_observations=(6, 6), words=1, start_words=1,
        discount=0.9,
    )  # fmt: skip
    begin, move, see, state, words, start_words = jit.game(queue)
    seats = [jit.rules(fg.QLearner(), queue, i) for i in range(2)]
    signal_of, choose, learn, p = seats[0].signal, seats[0].choose, seats[0].learn, seats[0].p

    @jit.njit
    def loop(tables, streams, state, words, start_words, steps):
        actions, rewards = np.zeros(2, np.int64), np.zeros(2)
        start_words[0] = jit.streams.next_word(streams[2]) >> 1
        begin(state, start_words)
        for _ in range(steps):
            o = see(state, 0)
            for i in range(2):
                actions[i] = choose(tables[i], p, o, signal_of(streams[i], p))
            words[0] = jit.streams.next_word(streams[2]) >> 1
            ended = move(state, actions, rewards, words)
            o2 = see(state, 0)
            for i in range(2):
                learn(tables[i], p, jit.Outcome(o, actions[i], rewards[i], p[1], o2, -1, ended))
            if ended:
                start_words[0] = jit.streams.next_word(streams[2]) >> 1
                begin(state, start_words)

    tables, streams = tuple(seat.tables for seat in seats), np.zeros((3, 4), np.uint32)
    for role in range(3):
        jit.streams.start(SEED & 0xFFFFFFFF, SEED >> 32, 0, role, streams[role])
    loop(tables, streams, state, words, start_words, 200)
    expected = fg.run(queue, fg.QLearner(), 200, rng=SEED, backend="reference")
    assert (streams == expected.state.streams[0]).all()
    assert (state == expected.state.states[0]).all()
    for i in range(2):
        assert tables[i][0].tobytes() == expected.tables[i]["q"][0].tobytes()


# --- the namespaces -------------------------------------------------------------------------------


def test_every_module_of_rules_is_there_compiled_when_asked_for():
    folder = Path(choice.__file__).parent
    names = {file.stem for file in folder.glob("*.py")} - {"__init__"}
    assert names <= set(jit.__all__)
    for name in names:
        ours = getattr(jit, name)
        assert isinstance(ours, ModuleType)
        theirs = importlib.import_module(f"fastgames.rules.{name}")
        functions = {k: x for k, x in vars(theirs).items() if isinstance(x, FunctionType)}
        assert set(functions) <= set(dir(ours))
        for key, function in functions.items():
            made = getattr(ours, key)
            assert made.py_func.__code__ is function.__code__
            assert made.__doc__ == function.__doc__
    assert jit.choice.GREEDY == choice.GREEDY


def test_editors_see_the_modules_that_there_are():
    """Those imported under TYPE_CHECKING are those of `__all__`."""
    tree = ast.parse(Path(_names.__file__).read_text())
    seen = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module.startswith("fastgames.")
        for alias in node.names
    }
    assert seen == {name for name in jit.__all__ if isinstance(getattr(jit, name), ModuleType)}


def test_names_of_a_namespace():
    assert argmax is jit.choice.argmax
    assert argmax(np.array([1.0, 3.0, 3.0])) == 1
    with pytest.raises(AttributeError, match=r"'fastgames\.jit\.choice' has no attribute 'best'"):
        jit.choice.best  # noqa: B018
    assert not hasattr(jit.choice, "__file__")  # else Numba takes it for the module of the rules


def test_a_long_rule_is_called_and_a_short_one_becomes_a_part_of_its_caller():
    assert jit.choice.argmax.targetoptions["inline"] == "always"
    assert "inline" not in jit.coma.learn.targetoptions


# --- bad input ------------------------------------------------------------------------------------


def untyped(tables, p, t):
    text = "no number"
    tables[0][0, 0] += text


BAD = [
    ({"agent": 2}, ValueError, r"agent must be a whole number in \[0, 1\], got 2"),
    ({"dtype": "float16"}, ValueError, "dtype must be one of"),
    ({"game": None}, TypeError, "game must be"),
    ({"learners": None}, TypeError, "learners must be"),
    ({"learners": fg.QLearner(np.array([0.1, 0.2]))}, ValueError, "alpha of learners"),
    (
        {"learners": fg.QLearner(initial=np.zeros((5, 1, 2)))},
        ValueError,
        r"initial of learners\[0\] must broadcast to \(1, 1, 2\), got shape \(5, 1, 2\)",
    ),
]


@pytest.mark.parametrize(("changed", "error", "message"), BAD)
def test_bad_arguments(changed, error, message):
    with pytest.raises(error, match=message):
        jit.rules(**{"learners": fg.QLearner(), "game": GAME, **changed})


def test_a_game_of_tables_has_no_functions():
    with pytest.raises(TypeError, match="game must be a ProceduralGame"):
        jit.game(GAME)


def test_what_numba_cannot_compile_is_said_in_two_lines():
    with pytest.raises(jit.CompileError) as caught:
        jit.rules(fg.Learner(choice_of_nothing, untyped), GAME, 1)
    lines = str(caught.value).splitlines()
    assert len(lines) == 2
    assert "rules of learners[1]: 'untyped'," in lines[0]
    assert f"line {untyped.__code__.co_firstlineno + 2}" in lines[0]


def choice_of_nothing(tables, p, o, signal):
    return 0
