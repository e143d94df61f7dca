"""Learners of your own, and the passes that Numba makes of rules."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from library.equal import assert_same
from library.every import FEW
from library.games import matrix_games
from library.learners import KINDS
from library.runs import setups

import fastgames as fg
from fastgames import registry
from fastgames.compiler import passes
from fastgames.jit import CompileError, compiled
from fastgames.rules import chance
from fastgames.rules.choice import argmax, explore, largest, unit
from fastgames.rules.qlearning import policy_epsilon

EVERYTHING = fg.Record(every=7, greedy=True, tables=("q",), flips=True, rewards=True)


# --- the learner of a user, in fifteen lines -----------------------------------------------------


def draw(u, p, actions, real):
    return explore(u, p[2], actions, real)


def choose(tables, p, o, signal):
    return argmax(tables[0][o]) if signal < 0 else int(signal)


def learn(tables, p, t):
    q = tables[0]
    best = q.dtype.type(0.0) if t.ended else largest(q[t.next_observation])
    error = t.gain + t.weight * best - q[t.observation, t.action]
    q[t.observation, t.action] += q.dtype.type(p[0]) * error


def q_learner(alpha=0.1, epsilon=0.1, gamma=None, choose=choose, learn=learn, **more):
    parameters = {"alpha": alpha, "gamma": gamma, "epsilon": epsilon}
    more = {"policy": policy_epsilon} | more
    return fg.Learner(choose, learn, parameters, draw=draw, **more)


GAMES = {
    "matrix": fg.games.matching_pennies(),
    "states": fg.games.random_markov_game(2, 5, (3, 7), rng=3, transitions="random"),
    "ends": fg.games.random_markov_game(3, 4, 2, rng=1, terminal=1, observations=2, time_limit=6),
    "turns": fg.games.random_markov_game(2, 4, (2, 3), rng=2, turns=True),
    "remembers": fg.remember(fg.games.prisoners_dilemma(), 1, 0.9, "uniform"),
}
FALLING = {"alpha": fg.Exponential(0.5, 0.01, 0.1), "epsilon": fg.Linear(0.9, 0.1, 30)}
CASES = [("numba", "float64"), ("auto", "float32"), ("reference", "float64")]


@pytest.mark.filterwarnings("ignore::fastgames.ConvergenceWarning")
@pytest.mark.parametrize("game", GAMES)
@pytest.mark.parametrize(("backend", "dtype"), CASES)
def test_a_q_learner_of_fifteen_lines_has_the_bits_of_the_built_in(game, backend, dtype):
    for rates in ({"alpha": np.array([0.1, 0.5, 1.0]), "epsilon": 0.3}, FALLING):
        ours = fg.QLearner(rates["alpha"], explore=fg.EpsilonGreedy(rates["epsilon"]))
        arguments = {"steps": 60, "replicas": 3, "rng": 5, "dtype": dtype}
        for more in ({"record": EVERYTHING}, {"stop": fg.Stable(3)}):
            mine = fg.run(GAMES[game], q_learner(**rates), backend=backend, **arguments, **more)
            built_in = fg.run(GAMES[game], ours, **arguments, **more)
            assert (mine.steps == built_in.steps).all()
            assert (mine.states == built_in.states).all()
            for i, tables in enumerate(built_in.tables):
                assert mine.tables[i]["q"].tobytes() == tables["q"].tobytes()
            if "record" in more:
                assert (mine.flips == built_in.flips).all()
                assert (mine.mean_reward == built_in.mean_reward).all()
                one, other = mine.snapshots.arrays(), built_in.snapshots.arrays()
                assert all(one[name].tobytes() == other[name].tobytes() for name in other)


def test_it_plays_against_built_in_ones_wherever_it_sits():
    game, ours = GAMES["states"], fg.QLearner(explore=fg.EpsilonGreedy(0.1))
    arguments = {"steps": 50, "replicas": 3, "rng": 5}
    expected = fg.run(game, ours, **arguments)
    for learners in ([q_learner(), ours], [ours, q_learner()]):
        result = fg.run(game, learners, **arguments)
        for i in range(2):
            assert result.tables[i]["q"].tobytes() == expected.tables[i]["q"].tobytes()


def test_sweeps_checkpoints_and_files(tmp_path):
    game, grid = GAMES["matrix"], fg.grid(alpha=[0.1, 0.3], repeats=2)
    learner = q_learner(alpha=grid.alpha)
    whole = fg.run(game, learner, 80, grid, rng=3)
    half = fg.run(game, learner, 40, grid, rng=3, checkpoint=tmp_path / "half.zip")
    half.save(tmp_path / "result.zip")
    again = fg.load(tmp_path / "result.zip", learners=learner)
    for start in (half, again):
        result = fg.run(game, q_learner(alpha=grid.alpha), 40, resume=start)
        assert result.tables[0]["q"].tobytes() == whole.tables[0]["q"].tobytes()
    read = fg.run(game, learner, 40, grid, rng=3, checkpoint=tmp_path / "half.zip")
    assert read.tables[0]["q"].tobytes() == half.tables[0]["q"].tobytes()
    with pytest.raises(ValueError, match="learners must be given as to run"):
        fg.load(tmp_path / "result.zip")
    with pytest.raises(ValueError, match=r"learners\[0\] must be the learner"):
        fg.load(tmp_path / "result.zip", learners=q_learner(alpha=grid.alpha, gamma=0.5))


# --- what a learner may ask for -----------------------------------------------------------------


def nothing(tables, p, t):
    pass


def zero(tables, p, o, signal):
    return 0


def keep(tables, p, t):
    """Everything that an outcome says, in a table."""
    kept, real = tables[1], tables[0].dtype.type
    kept[0] = real(t.observation)
    kept[1] = real(t.action)
    kept[2] = t.gain
    kept[3] = t.weight
    kept[4] = real(t.next_observation)
    kept[5] = real(t.next_action)
    kept[6] = real(t.ended)
    kept[7] = t.signal[1]
    kept[8] = real(t.agent)
    kept[9] = real(t.others)
    for k in range(len(t.column)):
        tables[2][k] = t.column[k]
    for j in range(len(t.actions)):
        tables[3][j] = t.actions[j]
        tables[4][j] = t.rewards[j]


def two_units(u, p, actions, real):
    return unit(u[0], real), unit(u[1], real)


def at_random(tables, p, o, signal):
    row = tables[0][o]
    return int(signal[0] * row.dtype.type(len(row)))


KEEPER = fg.Learner(
    at_random,
    keep,
    draw=two_units,
    words=2,
    tables=[
        fg.Table("q"),
        fg.Table("kept", (10,)),
        fg.Table("column", ("actions",)),
        fg.Table("actions_seen", ("agents",), kind="int64"),
        fg.Table("rewards_seen", ("agents",)),
    ],
    counterfactual=True,
    joint=True,
)


@pytest.mark.parametrize("backend", ["reference", "numba"])
def test_an_outcome_says_what_happened(backend):
    """Held against the game's tables, which say what each step must have brought."""
    game = fg.games.random_markov_game(3, 4, (2, 3, 4), rng=8, transitions="deterministic")
    before = fg.run(game, KEEPER, 20, replicas=5, rng=2, backend=backend)
    after = fg.run(game, KEEPER, 1, resume=before, backend=backend)
    states, reached = before.states, after.states
    seen = [tables["actions_seen"] for tables in after.tables]
    assert (seen[0] == seen[1]).all()
    assert len(np.unique(seen[0], axis=0)) > 1
    for r, joint in enumerate(seen[0]):
        s = states[r]
        assert reached[r] == game.transitions[(s, *joint)]
        for i, tables in enumerate(after.tables):
            kept = tables["kept"][r]
            others = [a for j, a in enumerate(joint) if j != i]
            counts = [n for j, n in enumerate(game.num_actions) if j != i]
            assert kept[[0, 1, 4, 5, 6, 8]].tolist() == [s, joint[i], reached[r], -1, 0, i]
            assert kept[2] == game.rewards[(i, s, *joint)]
            assert kept[3] == game.discount
            assert 0 <= kept[7] < 1
            assert kept[9] == np.ravel_multi_index(others, counts)
            column = game.rewards[(i, s, *joint[:i], slice(None), *joint[i + 1 :])]
            assert tables["column"][r].tolist() == column.tolist()
            assert (tables["rewards_seen"][r] == game.rewards[(slice(None), s, *joint)]).all()


def test_each_word_is_the_next_of_the_agents_stream():
    """Two words a step: the second of step n is the 2n-th of the stream of a one-word learner."""
    game = fg.games.matching_pennies()

    def remember_signal(tables, p, t):
        tables[0][0, 0] = t.signal

    one = fg.Learner(zero, remember_signal)
    two = fg.run(game, KEEPER, 7, replicas=3, rng=9)
    words = fg.run(game, one, 14, replicas=3, rng=9)
    assert (two.tables[1]["kept"][:, 7] == words.tables[1]["q"][:, 0, 0]).all()


@pytest.mark.parametrize("backend", ["reference", "numba"])
def test_a_learner_without_words_leaves_the_stream_alone(backend):
    quiet = fg.Learner(zero, nothing, words=0)
    result = fg.run(fg.games.matching_pennies(), quiet, 9, rng=3, backend=backend)
    start = fg.run(fg.games.matching_pennies(), [fg.QLearner(), quiet], 1, rng=3, backend=backend)
    assert (result.state.streams[0, 1] == start.state.streams[0, 1]).all()
    with pytest.raises(ValueError, match=r"policy of .* is not known"):
        result.policy(0)


# --- teams --------------------------------------------------------------------------------------


def learn_together(tables, p, t):
    """The mean reward into what each member did, and how often the joint action was played."""
    q, counts = tables[0], tables[1]
    real = q[0].dtype.type
    total = real(0.0)
    for i in range(len(t.rewards)):
        total += t.rewards[i]
    joint = 0
    for i in range(len(t.observations)):
        o, a = t.observations[i], t.actions[i]
        q[i][o, a] += real(p[0]) * (total / real(len(t.rewards)) - q[i][o, a])
        joint = joint * q[i].shape[1] + a
    counts[joint] += 1


def team(label="", **more):
    return fg.Learner(
        choose,
        learn_together,
        {"alpha": 0.1, "gamma": None, "epsilon": 0.4},
        [fg.Table("q"), fg.Table("counts", ("joint_actions",), kind="int64", shared=True)],
        draw=draw,
        policy=policy_epsilon,
        team=True,
        label=label,
        **more,
    )


@pytest.mark.parametrize("backend", ["reference", "numba"])
def test_a_team_learns_together_and_shares_its_table(backend):
    game = fg.games.random_markov_game(3, 4, (2, 3, 2), rng=8, observations=2)
    record = fg.Record(joint_actions=True, flips=True)
    result = fg.run(game, team(), 40, replicas=3, rng=2, backend=backend, record=record)
    counts = [tables["counts"] for tables in result.tables]
    assert counts[0].shape == (3, 12)
    assert counts[0] is counts[1] is counts[2]
    assert (counts[0] == result.joint_counts.reshape(3, -1)).all()


@pytest.mark.parametrize("backend", ["reference", "numba"])
def test_two_teams_in_a_game_have_their_own_tables(backend):
    game = fg.games.random_markov_game(4, 3, 2, rng=8)
    red, blue = team("red"), team("blue")
    seats = [red, blue, blue, red]
    record = fg.Record(joint_actions=True)
    result = fg.run(game, seats, 30, replicas=2, rng=2, backend=backend, record=record)
    one, other = result.tables[0]["counts"], result.tables[1]["counts"]
    assert result.tables[3]["counts"] is one
    assert result.tables[2]["counts"] is other
    joint = result.joint_counts
    assert (one == joint.sum(axis=(2, 3)).reshape(2, 4)).all()
    assert (other == joint.sum(axis=(1, 4)).reshape(2, 4)).all()


@pytest.mark.filterwarnings("ignore::fastgames.ConvergenceWarning")
def test_a_team_has_the_same_bits_everywhere(tmp_path):
    game = fg.games.random_markov_game(3, 4, (2, 3, 2), rng=8, terminal=1, time_limit=7)
    for dtype in registry.DTYPES:
        arguments = {"steps": 50, "replicas": 5, "rng": 2, "dtype": dtype}
        arguments |= {"record": fg.Record(flips=True), "stop": fg.Stable(9)}
        reference = fg.run(game, team(), backend="reference", **arguments)
        assert_same(reference, fg.run(game, team(), threads=2, **arguments))
    reference.save(tmp_path / "team.zip")
    read = fg.load(tmp_path / "team.zip", learners=team())
    assert_same(reference, read)
    assert read.tables[0]["counts"] is read.tables[2]["counts"]


# --- passes of every learner --------------------------------------------------------------------


def small_games(kind):
    """Games of two agents with two actions and one observation, which the learner may play."""
    two = matrix_games(agents=st.just(2), actions=st.just(2))
    if kind.learner != "minimax_q":
        return two
    return two.map(lambda game: fg.MatrixGame([game.payoffs[0], -game.payoffs[0]]))


def one_kind_of_each_form():
    """Kinds of learners; those whose passes have the form of an earlier one are slow."""
    seen = set()
    for kind in KINDS:
        rules = kind.made().rules
        form = rules.words, rules.team, rules.counterfactual, rules.joint
        marks = [pytest.mark.slow] if form in seen else []
        seen.add(form)
        yield pytest.param(kind, marks=marks, id=str(kind))


@FEW
@pytest.mark.parametrize("kind", list(one_kind_of_each_form()))
@given(data=st.data())
def test_passes_with_small_sizes_as_constants_agree(kind, data):
    """Users' passes have no loops over two actions and one observation; their bits are the same."""
    assert passes._small(2, 1) == {"actions": "2", "observations": "1"}
    game = small_games(kind)
    setup = data.draw(setups(kind, [kind], game=game, dtype="float64"))
    reference = setup.run(backend="reference")
    for capacity in (None, 2):
        assert_same(reference, setup.run(backend="numba", capacity=capacity))


# --- bad input ----------------------------------------------------------------------------------


def untyped(tables, p, t):
    text = "no number"
    tables[0][0, 0] += text


def importing(tables, p, t):
    text = 0.0
    import math  # whose bytecode Numba refuses before it looks at types

    tables[0][0, 0] += math.floor(text)


def outside(tables, p, t):
    tables[0][t.observation, t.action + 10_000_000] = 1.0


@pytest.mark.parametrize("learn", [untyped, importing])
def test_what_numba_cannot_compile_is_said_in_two_lines(learn):
    with pytest.raises(CompileError) as caught:
        fg.run(fg.games.matching_pennies(), q_learner(learn=learn), 5)
    lines = str(caught.value).splitlines()
    assert len(lines) == 2
    line = learn.__code__.co_firstlineno + 2
    assert "learners[0]" in lines[0]
    assert f"'{learn.__name__}'" in lines[0]
    assert f"{__file__}, line {line}" in lines[0]
    assert len(lines[1]) > 10
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("rule", [3, len, None])
def test_only_plain_functions_are_compiled(rule):
    with pytest.raises(TypeError, match=r"rule must be a plain function, got"):
        compiled(rule)


def test_a_write_outside_a_table_is_caught_where_asked_for():
    learner = q_learner(learn=outside)
    for how in ({"checked": True}, {"backend": "reference"}):
        with pytest.raises(fg.RuleError, match=r"learn of learners\[0\]") as caught:
            fg.run(fg.games.matching_pennies(), learner, 50, replicas=3, **how)
        assert caught.value.step == 0


def test_a_read_outside_a_table_is_caught_where_asked_for():
    def look_outside(tables, p, o, signal):
        return int(tables[0][o, 999_999])

    for how in ({"checked": True}, {"backend": "reference"}):
        with pytest.raises(fg.RuleError, match=r"choose of learners\[1\]"):
            fg.run(
                fg.games.matching_pennies(),
                [fg.QLearner(), q_learner(choose=look_outside)],
                5,
                **how,
            )


@pytest.mark.parametrize("backend", ["reference", "numba", "auto"])
@pytest.mark.parametrize("wrong", [2, -1, 2**40])
def test_an_action_out_of_range_stops_the_run(backend, wrong):
    def late(tables, p, o, signal):
        return wrong if tables[0][o, 0] > 17.5 else 0

    def count(tables, p, t):
        tables[0][t.observation, 0] += tables[1][0]

    steady = [fg.Table("q"), fg.Table("pace", (1,), initial=np.array([[0.0], [0.0], [1.0]]))]
    learner = fg.Learner(late, count, tables=steady)
    with pytest.raises(fg.RuleError) as caught:
        fg.run(fg.games.matching_pennies(), [fg.QLearner(), learner], 50, 3, backend=backend)
    error = caught.value
    assert (error.function, error.replica, error.step, error.value) == (
        "choose of learners[1]", 2, 18, wrong,
    )  # fmt: skip
    assert str(wrong) in str(error)
    assert "[0, 2)" in str(error)


BAD = [
    ({"choose": None}, TypeError, "choose must be a plain function"),
    ({"choose": lambda tables: 0}, TypeError, "choose must take 4 arguments"),
    ({"learn": nothing, "words": 2}, ValueError, "draw must be given if"),
    ({"words": -1}, ValueError, "words"),
    ({"words": True}, TypeError, "words"),
    ({"parameters": [1]}, TypeError, "parameters must be a mapping"),
    ({"parameters": {"a b": 1}}, ValueError, "identifiers"),
    ({"parameters": {f"x{k}": k for k in range(17)}}, ValueError, "at most 16 entries, got 17"),
    ({"parameters": {"alpha": np.nan}}, ValueError, "alpha must be finite"),
    ({"parameters": {"gamma": 1.5}}, ValueError, "gamma must be in"),
    ({"tables": []}, ValueError, r"tables\[0\] must have dims"),
    ({"tables": ["q"]}, TypeError, "tables must be a sequence of Table"),
    ({"tables": [fg.Table("q", ("actions",))]}, ValueError, r"tables\[0\] must have dims"),
    ({"tables": [fg.Table("q"), fg.Table("q")]}, ValueError, "distinct"),
    ({"tables": [fg.Table("q"), fg.Table("c", (3,), shared=True)]}, ValueError, "unless team"),
    ({"tables": [fg.Table("q", kind="int64")]}, ValueError, 'must be "real"'),
    ({"joint": 1}, TypeError, "joint must be True or False"),
    ({"name": 3}, TypeError, "name must be a str"),
]


@pytest.mark.parametrize(("changes", "error", "message"), BAD)
def test_bad_learners(changes, error, message):
    with pytest.raises(error, match=message):
        fg.Learner(**{"choose": zero, "learn": nothing} | changes)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("a b",), ValueError, "identifier"),
        (("q", "actions"), TypeError, "dims of table 'q'"),
        (("q", ("acts",)), ValueError, "did you mean 'actions'"),
        (("q", (0,)), ValueError, "a dimension of table 'q'"),
        (("q", ("actions",), "float"), ValueError, "kind of table 'q'"),
        (("q", ("actions",), "real", "equal"), ValueError, "initial of table 'q'"),
        (("q", ("agents",), "real", "uniform"), ValueError, 'if initial is "uniform"'),
        (("q", ("actions",), "real", np.inf), ValueError, "initial of table 'q'"),
    ],
)
def test_bad_tables(arguments, error, message):
    with pytest.raises(error, match=message):
        fg.Table(*arguments)


def test_what_does_not_fit_a_game_is_refused():
    game, turns = fg.games.matching_pennies(), GAMES["turns"]
    large = [fg.Table("q"), fg.Table("large", (2**20, 2**20))]
    uneven = [fg.Table("q"), fg.Table("uneven", (3,), initial=np.zeros(2))]
    for learner, where, message in (
        (q_learner(tables=large), game, "fewer than 2\\^31 entries"),
        (q_learner(tables=uneven), game, "initial of table 'uneven' of learners\\[0\\]"),
        (q_learner(counterfactual=True), turns, "needs counterfactual rewards"),
    ):
        with pytest.raises(ValueError, match=message):
            fg.run(where, learner, 5)
    with pytest.raises(ValueError, match='backend must be "auto"'):
        fg.run(game, q_learner(), 5, backend="cython")
    with pytest.raises(ValueError, match='stream must be "fastgames"'):
        fg.run(game, q_learner(), 5, stream="numpy")
    with pytest.raises(TypeError, match="checked must be"):
        fg.run(game, q_learner(), 5, checked=1)


# --- nature's words -----------------------------------------------------------------------------


def test_chance_uses_a_word_as_it_says():
    last = 2**31 - 1
    assert [chance.coin(u) for u in (0, 2**30 - 1, 2**30, last)] == [0, 0, 1, 1]
    assert [chance.below(u, 3) for u in (0, 715827882, 715827883, last)] == [0, 0, 1, 2]
    assert chance.number(0) == 0.0
    assert chance.number(last) == 1 - 2.0**-31
    assert chance.happens(0, 2.0**-32)
    assert not chance.happens(0, 0.0)
    assert chance.happens(last, 1.0)
