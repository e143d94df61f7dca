"""Errors in functions of learners and games are the same in every body.

One learner and one game do all of it. What goes wrong, at which step and in which replica is told
by parameters and actions, so that they are compiled once.
"""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastgames as fg
from fastgames.jit import CompileError
from fastgames.rules import streams

BODIES = [("reference", None), ("numba", None), ("numba", True), ("numba", False)]
REPLICAS = 3


def seen(error):
    """Return the fields of an error, without its text."""
    return error.function, error.replica, error.step, error.value


# --- a learner that fails -----------------------------------------------------------------------

FINE, RAISES, READS, FRACTION, TOO_LARGE, NEGATIVE, NAN, ENDLESS = range(8)  # choose
LEARN_RAISES, WRITES, LEARNS_NAN, LEARNS_INFINITY, DRAW_RAISES = range(8, 13)


def draw(u, p, actions, real):
    if p[0] == DRAW_RAISES:
        raise ValueError
    return real(0.0)


def choose(tables, p, o, signal):
    if tables[1][0] == p[1]:
        if p[0] == RAISES:
            raise ValueError("never")
        if p[0] == READS:
            return tables[0][o, 1_000_000]
        if p[0] == FRACTION:
            return 1.7
        if p[0] == TOO_LARGE:
            return 1e300
        if p[0] == NEGATIVE:
            return -1.0
        if p[0] == NAN:
            return np.nan
        if p[0] == ENDLESS:
            return np.inf
    return 1.0


def learn(tables, p, t):
    if tables[1][0] == p[1]:
        if p[0] == LEARN_RAISES:
            raise KeyError
        if p[0] == WRITES:
            tables[0][t.observation, 1_000_000] = 1.0
        if p[0] == LEARNS_NAN:
            tables[0][t.observation, 1] = np.nan
        if p[0] == LEARNS_INFINITY:
            tables[0][t.observation, 1] = -np.inf
    tables[1][0] += 1


def failing(what, step, replica):
    """A learner that fails in one replica."""
    faults = np.zeros(REPLICAS)
    faults[replica] = what
    tables = [fg.Table("q"), fg.Table("played", (1,))]
    return fg.Learner(choose, learn, {"fault": faults, "step": step}, tables, draw)


LEARNERS = {
    RAISES: ("choose", None),
    READS: ("choose", None),
    FRACTION: ("choose", 1.7),
    TOO_LARGE: ("choose", 1e300),
    NEGATIVE: ("choose", -1),
    NAN: ("choose", np.nan),
    ENDLESS: ("choose", np.inf),
    LEARN_RAISES: ("learn", None),
    WRITES: ("learn", None),
}


@pytest.mark.parametrize(("backend", "checked"), BODIES)
@settings(max_examples=30, deadline=None)
@given(st.sampled_from(sorted(LEARNERS)), st.integers(0, 40), st.integers(0, REPLICAS - 1))
def test_a_learner_that_fails_stops_the_run(backend, checked, what, step, replica):
    if checked is False and what in (READS, WRITES):
        return
    learners = [fg.QLearner(), failing(what, step, replica)]
    function, value = LEARNERS[what]
    how = {"backend": backend, "checked": checked, "rng": 1}
    with pytest.raises(fg.RuleError) as caught:
        fg.run(fg.games.matching_pennies(), learners, 60, REPLICAS, **how)
    wanted = (f"{function} of learners[1]", replica, step, value)
    assert repr(seen(caught.value)) == repr(wanted)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (repr(seen(again)), str(again)) == (repr(wanted), str(caught.value))


@pytest.mark.parametrize(("backend", "checked"), BODIES)
def test_a_draw_that_raises_is_named(backend, checked):
    learners = [failing(DRAW_RAISES, 0, 2), fg.QLearner()]
    how = {"backend": backend, "checked": checked}
    with pytest.raises(fg.RuleError) as caught:
        fg.run(fg.games.matching_pennies(), learners, 9, REPLICAS, **how)
    assert seen(caught.value) == ("draw of learners[0]", 2, 0, None)


@pytest.mark.parametrize("backend", ["reference", "numba"])
@pytest.mark.parametrize("returned", [1.0, True, np.int32(1)])
def test_an_action_that_is_whole_is_one_whatever_its_type(backend, returned):
    learner = fg.Learner(lambda tables, p, o, signal: returned, lambda tables, p, t: None)
    record = fg.Record(joint_actions=True)
    result = fg.run(fg.games.matching_pennies(), learner, 9, backend=backend, record=record)
    assert result.joint_counts[0].tolist() == [[0, 0], [0, 9]]


# --- tables that are not finite -----------------------------------------------------------------

VALUES = {LEARNS_NAN: np.nan, LEARNS_INFINITY: -np.inf}


@pytest.mark.parametrize("what", VALUES)
@pytest.mark.parametrize("backend", ["reference", "numba"])
def test_tables_that_are_not_finite_stop_the_run(what, backend):
    """At its end; where checked, in the step in which they ceased to be."""
    learners = [fg.QLearner(), failing(what, 13, 1)]
    for checked, step in ((None, 59), (False, 59), (True, 13)):
        how = {"backend": backend, "checked": checked}
        with pytest.raises(fg.RuleError, match="in table 'q' at") as caught:
            fg.run(fg.games.matching_pennies(), learners, 60, REPLICAS, **how)
        wanted = ("learn of learners[1]", 1, step, VALUES[what])
        assert repr(seen(caught.value)) == repr(wanted)
        if not checked:
            assert not np.isfinite(caught.value.result.tables[1]["q"][1]).all()
            assert (caught.value.result.steps == 60).all()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of NumPy, in the reference
@pytest.mark.parametrize("backend", ["reference", "auto"])
def test_a_team_whose_step_is_too_large_is_stopped(backend):
    """Three members that each go all the way: the error is doubled in every step."""
    game, steps = fg.games.make("jordan"), 3000
    for learner in (fg.VDN(1.0), fg.VDN(1.0, explore=fg.Softmax(1.0))):
        with pytest.raises(fg.RuleError, match="smaller step sizes") as caught:
            fg.run(game, learner, steps, rng=1, backend=backend)
        assert (caught.value.replica, caught.value.step) == (0, steps - 1)
        with pytest.raises(fg.RuleError) as caught:
            fg.run(game, learner, steps, rng=1, backend=backend, checked=True)
        # 2^1024 is too large: not before step 1023, and soon after
        assert 1000 < caught.value.step < steps - 1


def test_columns_are_looked_at_as_well():
    """A built-in learner in a game of one state, whose table was spoilt between two runs."""
    game = fg.games.matching_pennies()
    result = fg.run(game, fg.QLearner(), 10, 20, rng=1)
    result.tables[0]["q"][7] = [7.0, np.nan]
    with pytest.raises(ValueError, match=r"tables of resume .* nan \(replica 7, step 9\)"):
        fg.run(game, fg.QLearner(), 10, resume=result)
    for policy in (lambda: result.policy(0), lambda: result.agent(0, 7)):
        with pytest.raises(fg.RuleError) as caught:
            policy()
        assert repr(seen(caught.value)) == "('policy of learners[0]', 7, 10, nan)"
    assert result.agent(0, 6).probabilities.sum() == 1.0


def test_a_checkpoint_holds_finite_tables(tmp_path):
    path = tmp_path / "run.zip"
    learners = [fg.QLearner(), failing(LEARNS_NAN, 30, 0)]
    call = {"rng": 1, "checkpoint": path, "checkpoint_every": 1e-9}
    with pytest.raises(fg.RuleError) as caught:
        fg.run(fg.games.matching_pennies(), learners, 50_000, REPLICAS, **call)
    assert caught.value.function == "learn of learners[1]"
    assert not path.exists() or fg.load(path, learners=learners).steps[0] <= 30


# --- a game that fails --------------------------------------------------------------------------

PAYS_NOBODY, FAR, PAYS_NAN, PAYS_MUCH, HALF_OVER, SEES_HALF, SEE_RAISES, SEES_MUCH = range(2, 10)
START_RAISES = 10


def start(state, words):
    if state[1] == START_RAISES:
        raise ValueError
    state[0], state[1] = 0, 0


def step(state, actions, rewards, words):
    rewards[0], rewards[1] = 0.0, 0.0
    over = 0.0
    if state[0] == actions[1]:
        state[1] = actions[0]
        if actions[0] == RAISES:
            raise ValueError
        if actions[0] == PAYS_NOBODY:
            rewards[2] = 1.0
        if actions[0] == FAR:
            state[1_000_000] = 1
        if actions[0] == PAYS_NAN:
            rewards[0] = np.nan
        if actions[0] == PAYS_MUCH:
            rewards[1] = -1e9
        if actions[0] == HALF_OVER:
            return 0.5
        if actions[0] == START_RAISES:
            over = 1.0
    state[0] += 1
    return over


def observe(state, agent):
    if agent == 1 and state[1] == SEES_HALF:
        return 0.5
    if agent == 1 and state[1] == SEE_RAISES:
        raise ValueError
    if agent == 0 and state[1] == SEES_MUCH:
        return 2.0
    return 1.0


MOST_STEPS = 30
GAME = fg.ProceduralGame(
    start, step, observe, num_actions=(11, MOST_STEPS), num_observations=(2, 2), state_size=2
)
GAMES = {
    RAISES: ("step of game 'procedural'", None),
    PAYS_NOBODY: ("step of game 'procedural'", None),
    FAR: ("step of game 'procedural'", None),
    PAYS_NAN: ("step of game 'procedural' for agent 0", np.nan),
    PAYS_MUCH: ("step of game 'procedural' for agent 1", -1e9),
    HALF_OVER: ("step of game 'procedural'", 0.5),
    SEES_HALF: ("observe of game 'procedural' for agent 1", 0.5),
    SEE_RAISES: ("observe of game 'procedural' for agent 1", None),
    SEES_MUCH: ("observe of game 'procedural' for agent 0", 2),
    START_RAISES: ("start of game 'procedural'", None),
}


def one_hot(action, actions, observations=2):
    row = np.zeros((observations, actions))
    row[:, action] = 1.0
    return row


@pytest.mark.parametrize(("backend", "checked"), BODIES)
@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from(sorted(GAMES)),
    st.integers(0, MOST_STEPS - 1),
    st.integers(0, REPLICAS - 1),
)
def test_a_game_that_fails_stops_the_run(backend, checked, what, step, replica):
    if checked is False and what in (PAYS_NOBODY, FAR):
        return
    faults = [what if r == replica else FINE for r in range(REPLICAS)]
    learners = [
        fg.FixedPolicy([one_hot(fault, 11) for fault in faults]),
        fg.FixedPolicy(one_hot(step, MOST_STEPS)),
    ]
    how = {"backend": "auto" if backend == "numba" else backend, "checked": checked}
    with pytest.raises(fg.RuleError) as caught:
        fg.run(GAME, learners, MOST_STEPS, REPLICAS, rng=1, **how)
    function, value = GAMES[what]
    assert repr(seen(caught.value)) == repr((function, replica, step, value))


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(sorted(GAMES)), st.integers(0, MOST_STEPS - 1), st.integers(0, REPLICAS - 1))
def test_a_game_that_fails_stops_environments(what, step, env):
    envs = fg.VectorGame(GAME, REPLICAS, rng=1)
    actions = np.zeros((2, REPLICAS), np.int64)
    actions[0, env], actions[1] = what, step
    for _ in range(step):
        envs.step(actions)
    with pytest.raises(fg.RuleError) as caught:
        envs.step(actions)
    function, value = GAMES[what]
    assert repr(seen(caught.value)) == repr((function, env, step, value))
    actions[0] = FINE
    envs.reset(1)
    envs.step(actions)
    assert envs.states[:, 0].tolist() == [1] * REPLICAS


def first_word(seed, replica, role):
    state = [0] * 4
    streams.start(seed, 0, replica, role, state)
    return streams.next_word(state) >> 1


@pytest.mark.parametrize("backend", ["reference", "auto"])
def test_a_start_that_raises_says_in_which_replica(backend):
    def start(state, words):
        state[0] = 0
        if words[0] > 2**30:
            raise ValueError

    def step(state, actions, rewards, words):
        rewards[0], rewards[1] = 0.0, 0.0
        return False

    def observe(state, agent):
        return 0

    game = fg.ProceduralGame(
        start, step, observe, num_actions=(2, 2), num_observations=(1, 1), start_words=1
    )
    with pytest.raises(fg.RuleError) as caught:
        fg.run(game, fg.QLearner(), 9, replicas=20, rng=1, backend=backend)
    first = next(r for r in range(20) if first_word(1, r, role=2) > 2**30)
    assert seen(caught.value) == ("start of game 'procedural'", first, 0, None)


@pytest.mark.parametrize("backend", ["reference", "auto"])
def test_what_other_actions_would_pay_is_checked_too(backend):
    """A learner that asks for every action's reward gets a number that nobody was paid."""

    def start(state, words):
        state[0] = 0

    def step(state, actions, rewards, words):
        rewards[0], rewards[1] = 0.0, 0.0
        if actions[0] == 1:
            rewards[0] = np.nan
        return False

    def observe(state, agent):
        return 0

    game = fg.ProceduralGame(start, step, observe, num_actions=(2, 2), num_observations=(1, 1))
    learner = fg.QLearner(counterfactual=True, explore=fg.EpsilonGreedy(0.0))
    with pytest.raises(fg.RuleError) as caught:
        fg.run(game, [learner, fg.QLearner()], 5, rng=1, backend=backend)
    wanted = ("step of game 'procedural' for agent 0", 0, 0, np.nan)
    assert repr(seen(caught.value)) == repr(wanted)


# --- what may only be read ----------------------------------------------------------------------


def zero(tables, p, o, signal):
    return 0


def nothing(tables, p, t):
    pass


def choose_writes(tables, p, o, signal):
    tables[0][o, 0] = 1.0
    return 0


def learn_writes_actions(tables, p, t):
    t.actions[0] = 1


def learn_writes_rewards(tables, p, t):
    t.rewards[0] = 1.0


def learn_writes_column(tables, p, t):
    t.column[0] = 1.0


def team_writes(tables, p, t):
    t.observations[0] = 1


WRITING = {
    "choose": lambda: fg.Learner(choose_writes, nothing),
    "learn (actions)": lambda: fg.Learner(zero, learn_writes_actions, joint=True),
    "learn (rewards)": lambda: fg.Learner(zero, learn_writes_rewards, joint=True),
    "learn (column)": lambda: fg.Learner(zero, learn_writes_column, counterfactual=True),
    "learn (team)": lambda: fg.Learner(zero, team_writes, team=True),
}


@pytest.mark.parametrize("name", WRITING)
def test_learners_cannot_write_to_what_is_not_theirs(name):
    """Numba does not compile it; interpreted, it fails where it is written."""
    game, learner = fg.games.matching_pennies(), WRITING[name]()
    with pytest.raises(CompileError, match=r"learners\[0\].*\n.*may only read"):
        fg.run(game, learner, 5)
    with pytest.raises(fg.RuleError, match="read-only") as caught:
        fg.run(game, learner, 5, backend="reference")
    assert seen(caught.value) == (f"{name.split()[0]} of learners[0]", 0, 0, None)


def rests(state, words):
    state[0] = 0


def pays(state, actions, rewards, words):
    rewards[0], rewards[1] = 0.0, 0.0
    return True


def blind(state, agent):
    return 0


def step_writes_actions(state, actions, rewards, words):
    rewards[0], rewards[1] = 0.0, 0.0
    if words[0] > 0:
        actions[0] = 1
    return False


def step_writes_words(state, actions, rewards, words):
    rewards[0], rewards[1] = 0.0, 0.0
    if words[0] > 0:
        words[0] = 1
    return False


def observe_writes(state, agent):
    if state[0] == 0:
        return 0
    state[0] = 0
    return 0


def leaves(state, actions, rewards, words):
    rewards[0], rewards[1] = 0.0, 0.0
    state[0] = 1
    return False


def start_writes(state, words):
    state[0] = 0
    if words[0] > 0:
        words[0] = 0


@pytest.mark.parametrize(
    ("functions", "what"),
    [
        ((rests, step_writes_actions, blind), "step"),
        ((rests, step_writes_words, blind), "step"),
        ((rests, leaves, observe_writes), "observe"),
        ((start_writes, pays, blind), "start"),
    ],
)
def test_games_cannot_write_to_what_is_not_theirs(functions, what):
    game = fg.ProceduralGame(
        *functions, num_actions=(2, 2), num_observations=(1, 1), words=1, start_words=1
    )
    with pytest.raises(CompileError, match=r"functions of the game.*\n.*may only read"):
        fg.run(game, fg.QLearner(), 5, replicas=2)
    with pytest.raises(fg.RuleError, match="read-only") as caught:
        fg.run(game, fg.QLearner(), 5, replicas=2, backend="reference")
    assert caught.value.function.startswith(f"{what} of game")


# --- policies -----------------------------------------------------------------------------------

POLICIES = np.array([[0.5, 0.5], [7, -3], [np.nan, 0.5], [np.inf, 0], [0.6, 0.6], [0, 0]])
WORST = [None, 7.0, np.nan, np.inf, 1.2, 0.0]


def writes_row(tables, p, o, out):
    which = int(tables[0][o, 0])
    if which == 99:
        out[10_000_000] = 1.0
    if which == 98:
        raise ValueError("no")
    out[0], out[1] = POLICIES[which, 0], POLICIES[which, 1]


@pytest.mark.parametrize("replicas", [10, 6000])  # interpreted, compiled
def test_policies_are_probabilities(replicas):
    learner = fg.Learner(zero, nothing, policy=writes_row)
    result = fg.run(fg.games.matching_pennies(), learner, 3, replicas, rng=1)
    assert (result.policy(1) == 0.5).all()
    for which in range(1, len(POLICIES)):
        result.tables[1]["q"][7] = which
        with pytest.raises(fg.RuleError, match="must be probabilities") as caught:
            result.policy(1)
        wanted = ("policy of learners[1]", 7, 3, WORST[which])
        assert repr(seen(caught.value)) == repr(wanted)
    for value, problem in ((99, "failed: IndexError"), (98, "failed: ValueError: no")):
        result.tables[1]["q"][7] = value
        with pytest.raises(fg.RuleError, match=problem) as caught:
            result.policy(1)
        assert seen(caught.value) == ("policy of learners[1]", 7, 3, None)


def writes_tables(tables, p, o, out):
    out[0], out[1] = 1.0, 0.0
    tables[0][o, 0] = 1.0


@pytest.mark.parametrize(("replicas", "error"), [(10, fg.RuleError), (6000, CompileError)])
def test_policies_cannot_write_to_tables(replicas, error):
    learner = fg.Learner(zero, nothing, policy=writes_tables)
    result = fg.run(fg.games.matching_pennies(), learner, 3, replicas, rng=1)
    with pytest.raises(error, match=r"read-only|only read"):
        result.policy(0)
    assert not result.tables[0]["q"].any()
