"""tabulate(): tables against the functions that they were made of, and against closed forms."""

import itertools
import pickle
import re
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from library.equal import assert_same
from published import SOCCER

import fastgames as fg
from fastgames.games.transitions import Sparse
from fastgames.rules.chance import below, coin, happens, number
from fastgames.rules.zero_sum import solve

FEW = settings(max_examples=15)


# --- games without chance: the bits of the functions --------------------------------------------


def functions_of(tables, spare_words=0):
    """A game of two agents without chance; the state is the pair (5 - s, s)."""
    rewards, moves = tables.rewards, np.ascontiguousarray(tables.transitions)
    seen, ends, first = np.ascontiguousarray(tables.observations), tables.terminal, tables.start

    def start(state, words):
        state[0], state[1] = 5 - first, first

    def step(state, actions, paid, words):
        s = state[1]
        for i in range(2):
            paid[i] = rewards[i, s, actions[0], actions[1]]
        s = moves[s, actions[0], actions[1]]
        state[0], state[1] = 5 - s, s
        return ends[s]

    def observe(state, agent):
        return seen[agent, state[1]]

    return fg.ProceduralGame(
        start, step, observe, num_actions=tables.num_actions, state_size=2,
        num_observations=tables.num_observations, discount=tables.discount,
        time_limit=tables.time_limit, words=spare_words, start_words=spare_words,
    )  # fmt: skip


@st.composite
def small_tables(draw):
    states = draw(st.integers(2, 6))
    return fg.games.random_markov_game(
        2,
        states,
        (draw(st.integers(1, 3)), draw(st.integers(1, 3))),
        rng=draw(st.integers(0, 9999)),
        transitions="deterministic",
        terminal=draw(st.integers(0, 1)),
        observations=draw(st.none() | st.integers(1, states)),
        start="state",
        time_limit=draw(st.none() | st.integers(1, 6)),
    )


LEARNERS = [
    fg.QLearner(0.5, explore=fg.EpsilonGreedy(0.3)),
    fg.Sarsa(0.5, explore=fg.Softmax(0.7)),
    fg.QLearner(0.3, counterfactual=True),
    fg.WoLFPHC(0.2),
]


def assert_same_run(functions, tables, learners, **arguments):
    """A run of the functions has the bits of a run of the tables."""
    arguments = {"replicas": 3, "rng": 5, "backend": "reference", **arguments}
    arguments["record"] = fg.Record(flips=True, rewards=True, joint_actions=True)
    one, other = (fg.run(game, learners, **arguments) for game in (functions, tables))
    for i, held in enumerate(one.tables):
        for name, table in held.items():
            assert table.tobytes() == other.tables[i][name].tobytes(), (i, name)
    assert one.mean_reward.tobytes() == other.mean_reward.tobytes()
    assert np.array_equal(one.joint_counts, other.joint_counts)
    assert np.array_equal(one.flips, other.flips)
    assert np.array_equal(one.states, tables.procedural_states[other.states])


@FEW
@given(small_tables(), st.integers(0, 1), st.sampled_from(LEARNERS))
def test_without_chance_a_run_has_the_bits_of_the_functions(tables, spare_words, learner):
    functions = functions_of(tables, spare_words)
    found = fg.tabulate(functions)
    assert found.num_observations == functions.num_observations
    assert isinstance(found.transitions, np.ndarray)
    assert_same_run(functions, found, learner, steps=60)


@pytest.mark.parametrize("agents", [2, 5])
def test_el_farol_has_the_bits_of_the_functions(agents):
    game = fg.games.el_farol(agents=agents, capacity=agents - 1)
    found = fg.tabulate(game)
    assert (found.actions, found.source) == (game.actions, game.source)
    assert_same_run(game, found, fg.QLearner(0.2), steps=40)


def test_all_reachable_states_and_no_others():
    """A counter up to 3 that agent 0 increases; agent 1 can end the episode at 3."""

    def start(state, words):
        state[0] = 1

    def step(state, actions, rewards, words):
        rewards[0], rewards[1] = state[0], -0.0
        ended = state[0] == 3 and actions[1] == 1
        state[0] = min(3, state[0] + actions[0])
        return ended

    def observe(state, agent):
        return state[0] if agent == 0 else 0

    game = fg.ProceduralGame(
        start, step, observe, num_actions=(2, 2), num_observations=(9, 1), discount=1.0,
        time_limit=8, name="counter", actions=[("stay", "go"), ("on", "off")], source="here",
    )  # fmt: skip
    found = fg.tabulate(game)
    assert found.procedural_states.tolist() == [[1], [2], [3], [3]]
    assert found.procedural_states.dtype == np.int64
    assert found.terminal.tolist() == [False, False, False, True]
    assert found.transitions[:3].tolist() == [[[0, 0], [1, 1]], [[1, 1], [2, 2]], [[2, 3], [2, 3]]]
    assert found.rewards[0, :3, 0, 0].tolist() == [1.0, 2.0, 3.0]
    assert np.signbit(found.rewards[1, :3]).all()
    assert found.observations.tolist() == [[1, 2, 3, 3], [0, 0, 0, 0]]
    assert found.num_observations == (9, 1)
    assert (found.start, found.discount, found.time_limit) == (0, 1.0, 8)
    assert (found.name, found.source, found.actions) == (game.name, "here", game.actions)
    assert_same_run(game, found, fg.QLearner(0.5, explore=fg.EpsilonGreedy(0.5)), steps=100)


# --- chance -------------------------------------------------------------------------------------


def lottery():
    """Four states; two words decide the next one, one of them also the reward of agent 0."""

    def start(state, words):
        state[0] = below(words[0], 3)

    def step(state, actions, rewards, words):
        won = happens(words[0], 0.3)
        rewards[0] = (1.0 if won else 0.1) if actions[0] == 0 else 0.7
        rewards[1] = 0.2
        if state[0] == 3 and won:
            return True
        state[0] = below(words[1], 3) + coin(words[0]) + (1 if number(words[1]) < 0.5 else 0)
        return False

    def observe(state, agent):
        return state[0]

    return fg.ProceduralGame(
        start, step, observe, num_actions=(2, 1), num_observations=(4, 4), words=2, start_words=1,
        discount=0.9,
    )  # fmt: skip


def share(count):
    return Fraction(count, 2**31)


def by_hand():
    """The probabilities of lottery, and of the reward 1, from the values of the words."""
    thirds = [-(-k * 2**31 // 3) for k in range(4)]  # first value of each outcome of below(u, 3)
    to = [Fraction(0)] * 4
    for heads in range(2):
        for k, low in itertools.product(range(3), range(2)):
            first, end = (2**30, 2**31) if not low else (0, 2**30)
            count = max(0, min(thirds[k + 1], end) - max(thirds[k], first))
            if count:
                to[k + heads + low] += Fraction(1, 2) * share(count)
    won = -(-0.3 * 2**31 // 1)  # the first value that is not below 0.3
    return [share(b - a) for a, b in itertools.pairwise(thirds)], to, share(int(won))


def test_probabilities_and_mean_rewards_are_exact():
    begins, to, won = by_hand()
    assert sum(begins) == sum(to) == 1
    found = fg.tabulate(lottery())
    number_of = {
        int(s): k for k, (s,) in enumerate(found.procedural_states) if not found.terminal[k]
    }
    assert isinstance(found.transitions, Sparse)
    dense = found.transitions.toarray().reshape(len(found.terminal), 2, 1, -1)
    for s in range(3):
        for k, probability in enumerate(to):
            assert dense[number_of[s], 0, 0, number_of[k]] == float(probability), (s, k)
    (end,) = np.flatnonzero(found.terminal)
    assert (dense[number_of[3], :, 0, end] == float(won)).all()
    assert found.start[[number_of[k] for k in range(3)]].tolist() == [float(x) for x in begins]
    mean = float(won * 1 + (1 - won) * Fraction(0.1))
    assert found.rewards[0, number_of[2], :, 0].tolist() == [mean, 0.7]
    assert (found.rewards[1][~found.terminal] == 0.2).all()


SMALL = {  # games of the catalogue with chance, small enough for tables
    "soccer": fg.games.soccer,
    "coin game": lambda: fg.games.coin_game(size=2),
    "pursuit": lambda: fg.games.pursuit(rows=3, columns=3, hunters=2, sight=1),
}


def chain(game, policies):
    """The transition matrix (S, S) of play, in which episodes begin anew at once."""
    moves = game.transitions.toarray().reshape(game.num_states, *game.num_actions, -1)
    played = [np.asarray(p)[seen] for p, seen in zip(policies, game.observations, strict=True)]
    matrix = np.einsum("sa,sb,sabt->st", *played, moves)
    ends = game.terminal
    matrix += matrix[:, ends].sum(axis=1)[:, None] * game.start
    matrix[:, ends] = 0.0
    return matrix


@pytest.mark.parametrize("title", SMALL)
@pytest.mark.parametrize("certain", [True, False])
def test_states_are_as_frequent_as_in_runs_of_the_functions(title, certain):
    game, replicas, steps = SMALL[title](), 4_000, 6
    found = fg.tabulate(game)
    dense = found.transitions.data
    assert np.allclose(np.add.reduceat(dense, found.transitions.indptr[:-1]), 1.0, rtol=1e-15)
    rng = np.random.default_rng(3)
    policies = [
        np.eye(a)[rng.integers(a, size=o)] if certain else rng.dirichlet(np.ones(a), size=o)
        for o, a in zip(game.num_observations, game.num_actions, strict=True)
    ]
    chances = found.start @ np.linalg.matrix_power(chain(found, policies), steps)
    number_of = {
        tuple(state): k
        for k, state in enumerate(found.procedural_states.tolist())
        if not found.terminal[k]
    }
    learners = [fg.FixedPolicy(p) for p in policies]
    record = fg.Record(rewards=True)
    runs = [
        fg.run(each, learners, steps, replicas, rng=seed, record=record)
        for seed, each in enumerate((game, found))
    ]
    reached = [[number_of[tuple(state)] for state in runs[0].states.tolist()], runs[1].states]
    for numbers in reached:
        counts = np.bincount(numbers, minlength=len(chances))
        error = np.sqrt(replicas * chances * (1.0 - chances))
        assert (np.abs(counts - replicas * chances) <= 5.0 * error + 1e-9).all()
    means = [run.mean_reward.mean(axis=0) for run in runs]
    spread = [run.mean_reward.std(axis=0) for run in runs]
    assert (np.abs(means[0] - means[1]) <= 5.0 * np.hypot(*spread) / np.sqrt(replicas)).all()


def test_the_value_of_soccer_is_the_printed_one():
    found = fg.tabulate(fg.games.soccer())
    following = found.transitions.toarray().reshape(found.num_states, 5, 5, -1)
    following[..., found.terminal] = 0.0
    values, change = np.zeros(found.num_states), 1.0
    while change >= 1e-8:
        games = found.rewards[0] + 0.9 * following @ values
        new = np.array([solve(each, np.empty(5)) for each in games])
        change, values = np.abs(new - values).max(), new
    with_ball, without = values[:2]
    assert found.procedural_states[:2].tolist() == [[2, 1, 0], [2, 1, 1]]
    assert round(with_ball, 4) == SOCCER["value at kick-off with the ball"]
    assert without == pytest.approx(-with_ball, abs=1e-7)


# --- what takes the tables ----------------------------------------------------------------------


def test_the_policies_of_a_result_of_the_functions_are_analysed():
    game = functions_of(
        fg.games.random_markov_game(2, 6, 2, rng=4, transitions="deterministic", observations=4)
    )
    result = fg.run(game, fg.QLearner(), 200, replicas=2, rng=1, backend="reference")
    found, greedy = fg.tabulate(game), [result.greedy(i) for i in range(2)]
    cycle = fg.analysis.limit_cycle(found, greedy)
    for r in range(2):  # play by the functions
        state = found.procedural_states[cycle.states[cycle.offsets[r]]].copy()
        for k in range(cycle.offsets[r], cycle.offsets[r + 1]):
            assert state.tolist() == found.procedural_states[cycle.states[k]].tolist()
            seen = [game.compact.moves.observe(state, i) for i in range(2)]
            joint = np.array([greedy[i][r, seen[i]] for i in range(2)])
            assert cycle.actions[k].tolist() == joint.tolist()
            game.compact.moves.step(state, joint, np.zeros(2), np.zeros(0, np.int64))


def test_pickled_saved_and_read_only(tmp_path):
    found = fg.tabulate(fg.games.soccer(1, 4))
    again = pickle.loads(pickle.dumps(found))
    assert again == found
    for game in (found, again):
        assert not game.procedural_states.flags.writeable
        assert game.procedural_states.shape == (game.num_states, 3)
    result = fg.run(found, fg.QLearner(), 50, replicas=2, rng=1)
    result.save(tmp_path / "result.zip")
    loaded = fg.load(tmp_path / "result.zip")
    assert_same(result, loaded)
    assert loaded.game == found and loaded.game.procedural_states is None
    assert fg.remember(fg.games.chicken()).procedural_states is None


# --- bad input ----------------------------------------------------------------------------------


def game_of(step=None, observe=None, start=None, **more):
    """A game of one state whose functions are replaced."""

    def begins(state, words):
        state[0] = 0

    def stays(state, actions, rewards, words):
        rewards[0] = rewards[1] = 0.0
        return False

    def sees(state, agent):
        return 0

    arguments = {"num_actions": (2, 2), "num_observations": (1, 1), "name": "odd"} | more
    return fg.ProceduralGame(start or begins, step or stays, observe or sees, **arguments)


def walk(state, actions, rewards, words):
    rewards[0] = rewards[1] = 0.0
    state[0] += actions[0] - actions[1]
    return False


def adds(state, actions, rewards, words):
    rewards[0] = rewards[1] = 0.0
    state[0] = (words[0] + words[1]) % 2
    return False


def compares(state, words):
    state[0] = 1 if words[1] < words[0] else 0


def pays(state, actions, rewards, words):
    rewards[0] = rewards[1] = 0.0
    rewards[1] = 0.0 if actions[1] == 0 else 2.0
    return False


def ends(state, actions, rewards, words):
    rewards[0] = rewards[1] = 0.0
    return 2 * actions[0]


def fails(state, actions, rewards, words):
    rewards[0] = rewards[1] = 0.0
    rewards[3 * actions[1]] = 1.0
    return False


def leaves(state, actions, rewards, words):
    rewards[0] = rewards[1] = 0.0
    state[0] = actions[1]
    return False


def sees(state, agent):
    return state[0]


def spreads(state, actions, rewards, words):
    rewards[0] = rewards[1] = 0.0
    state[0] = below(words[0], 1000)
    return False


HELPERS = (
    "must use random words only by coin, below, integer, happens and categorical of "
    "fastgames.rules.chance, got "
)
WHERE = " in state [0] for joint action "
BAD = {
    "a sum of words": (game_of(adds, words=2), f"step of game 'odd' {HELPERS}words[0] + words[1]"),
    "a comparison": (
        game_of(start=compares, start_words=2),
        f"start of game 'odd' {HELPERS}words[1] < words[0]",
    ),
    "states": (
        game_of(walk),
        "game must have at most most = 50 states that can be reached, got 51 in 'odd' before the "
        "search stopped",
    ),
    "joint actions": (
        game_of(num_actions=(9, 9)),
        "game must have at most most = 50 joint actions, got 81",
    ),
    "outcomes": (
        game_of(spreads, words=1),
        f"step of game 'odd' must have at most most = 50 outcomes, got more{WHERE}(0, 0)",
    ),
    "a reward": (
        game_of(pays, largest_reward=1),
        "step of game 'odd' wrote the reward 2.0, but a reward must be a number in [-1, 1]"
        f"{WHERE}(0, 1)",
    ),
    "an end": (game_of(ends), f"step of game 'odd' returned 2{WHERE}(1, 0)"),
    "an exception": (
        game_of(fails),
        "step of game 'odd' must run in every state that can be reached, got IndexError: "
        f"index 3 is out of bounds for axis 0 with size 2{WHERE}(0, 1)",
    ),
    "an observation": (
        game_of(leaves, sees),
        "observe of game 'odd' returned ",
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_games(what):
    game, message = BAD[what]
    with pytest.raises(ValueError) as caught:
        fg.tabulate(game, most=50)
    pattern = re.escape(message).replace("returned\\ 2", "returned.*2.*")
    assert re.match(pattern, str(caught.value)), str(caught.value)


def test_other_bad_arguments():
    with pytest.raises(TypeError, match=r"^game must be a ProceduralGame, got <MatrixGame"):
        fg.tabulate(fg.games.chicken())
    with pytest.raises(
        ValueError, match=r"^most must be a whole number in \[1, 2147483648\), got 0"
    ):
        fg.tabulate(game_of(), most=0)


def test_as_many_states_as_allowed():
    found = fg.tabulate(fg.games.soccer())
    assert fg.tabulate(fg.games.soccer(), most=140) == found
    with pytest.raises(ValueError, match=r"most = 139 states .*, got 140 in 'soccer' before"):
        fg.tabulate(fg.games.soccer(), most=139)


def test_functions_that_have_changed_are_refused():
    limits = np.array([3])

    def step(state, actions, rewards, words):
        rewards[0] = rewards[1] = 0.0
        state[0] = min(limits[0], state[0] + actions[0])
        return False

    game = game_of(step)
    assert fg.tabulate(game).num_states == 4
    limits[0] = 5
    with pytest.raises(ValueError, match=r"^game must be made of functions that have not changed"):
        fg.tabulate(game)
