"""Greedy choices that break ties at random."""

import math

import numpy as np
import pytest
from library.contract import Words
from library.equal import assert_same
from library.every import each_dtype
from scipy.stats import chisquare

import fastgames as fg
from fastgames import jit
from fastgames.cli.parse import learner_of
from fastgames.rules import ties

ALL_TIED = fg.MatrixGame(np.zeros((2, 3, 5)))
STEPS = 60
RANDOM = {"ties": "random"}


def explorer(epsilon=0.3):
    return fg.EpsilonGreedy(epsilon, **RANDOM)


def action_of(words, agent, epsilon, best):
    """The action by the formulas of the contract on Python integers; best: the tied actions."""
    u, threshold = words.u(agent), math.floor(epsilon * 2**31)
    actions = ALL_TIED.num_actions[agent]
    if u < threshold:
        real = words.real
        return min(actions - 1, int(real(u) * real(actions / threshold)))
    return best[(u - threshold) * len(best) // (2**31 - threshold)]


@each_dtype
@pytest.mark.parametrize("backend", ["numba", "reference"])
@pytest.mark.parametrize("epsilon", [0.0, 2.0**-31, 0.3, 1 - 2.0**-31, 1.0])
def test_the_word_decides_between_ties(epsilon, backend, dtype):
    result = fg.run(
        ALL_TIED, fg.QLearner(explore=explorer(epsilon)), STEPS, 3, rng=2**40 + 3,
        record=fg.Record(path=STEPS), backend=backend, dtype=dtype,
    )  # fmt: skip
    for replica in range(3):
        words = Words(2**40 + 3, replica, np.dtype(dtype).type)
        for t in range(STEPS):
            expected = [action_of(words, i, epsilon, range((3, 5)[i])) for i in range(2)]
            assert result.path.actions[replica, t].tolist() == expected


@each_dtype
@pytest.mark.parametrize("count", [1, 7, 2**16 + 1, 2**31 - 3, 2**31])
def test_the_index_among_ties_is_exact(count, dtype):
    real, row = np.dtype(dtype).type, np.array([0.0, 1.0, 1.0, 0.0, 1.0])
    edges = {k * count // 3 + d for k in range(4) for d in (-1, 0, 1)}
    for v in {v for v in edges if 0 <= v < count} | {0, count - 1, count // 2}:
        assert ties.joined(*ties.split(v, real)) == v
        assert ties.among(row, v, count) == (1, 2, 4)[v * 3 // count]


def test_only_the_largest_values_tie():
    """Payoffs are the values, so that values stay as they are; actions 1 and 4 tie."""
    values = np.array([0.0, 1.0, 0.5, -1.0, 1.0])
    game = fg.MatrixGame(np.broadcast_to(values, (2, 3, 5)) * [[[0.0]], [[1.0]]])
    learner = fg.QLearner(0.5, explore=explorer(), initial=0.0)
    result = fg.run(
        game, [fg.QLearner(), learner], STEPS, rng=5, record=fg.Record(path=STEPS),
        start_tables=[None, {"q": values}],
    )  # fmt: skip
    words = Words(5, 0, np.float64)
    expected = [action_of(words, 1, 0.3, [1, 4]) for _ in range(STEPS)]
    assert result.path.actions[0, :, 1].tolist() == expected
    np.testing.assert_allclose(result.policy(1)[0, 0], [0.06, 0.41, 0.06, 0.06, 0.41], atol=1e-9)
    assert result.greedy(1)[0, 0] == 1


def test_fictitious_play_draws_a_word_for_its_ties():
    learner = fg.FictitiousPlay(**RANDOM)
    result = fg.run(ALL_TIED, learner, STEPS, rng=5, record=fg.Record(path=STEPS))
    words = Words(5, 0, np.float64)
    for t in range(STEPS):
        expected = [action_of(words, i, 0.0, range((3, 5)[i])) for i in range(2)]
        assert result.path.actions[0, t].tolist() == expected
    np.testing.assert_array_equal(result.policy(1)[0, 0], np.full(5, 0.2))
    chosen = fg.run(ALL_TIED, fg.FictitiousPlay(), STEPS, rng=5, record=fg.Record(path=STEPS))
    assert not chosen.path.actions.any()


def test_tied_actions_are_equally_likely():
    result = fg.run(ALL_TIED, fg.QLearner(explore=explorer(0.0)), 50_000, rng=8,
                    record=fg.Record(joint_actions=True))  # fmt: skip
    assert chisquare(result.joint_counts.ravel()).pvalue > 1e-4


LEARNERS = {
    "q": lambda: fg.QLearner(0.5, explore=explorer(fg.Linear(1.0, 0.0, 40))),
    "by visits": lambda: fg.QLearner(fg.VisitCount(), explore=explorer()),
    "counterfactual": lambda: fg.QLearner(0.5, explore=explorer(), counterfactual=True),
    "sarsa": lambda: fg.Sarsa(0.5, explore=explorer()),
    "expected_sarsa": lambda: fg.ExpectedSarsa(0.5, explore=explorer()),
    "hysteretic": lambda: fg.HystereticQ(0.5, explore=explorer()),
    "lenient": lambda: fg.LenientQ(0.5, explore=explorer()),
    "vdn": lambda: fg.VDN(0.5, explore=explorer()),
    "fictitious": lambda: fg.FictitiousPlay(**RANDOM),
}


@each_dtype
@pytest.mark.parametrize("name", LEARNERS)
def test_numba_agrees_with_the_reference(name, dtype):
    """With rewards of 0 and 1, ties are frequent."""
    rewards = np.random.default_rng(3).integers(0, 2, (2, 3, 3)).astype(float)
    game = fg.remember(fg.MatrixGame(rewards), discount=0.5)
    call = {"steps": 150, "replicas": 3, "rng": 9, "dtype": dtype}
    call["record"] = fg.Record(flips=True, joint_actions=True)
    learner = LEARNERS[name]()
    expected = fg.run(game, learner, backend="reference", **call)
    assert_same(fg.run(game, learner, backend="numba", **call), expected)
    halves = fg.run(game, learner, backend="numba", **call | {"steps": 70})
    resumed = fg.run(game, learner, 80, resume=halves, record=call["record"])
    assert_same(resumed, expected)


def test_sarsa_learns_from_the_action_that_it_takes_next():
    """Both actions tie; the value of the action that is played next is known by its payoff."""
    learner = fg.Sarsa(1.0, gamma=0.5, explore=explorer(0.0))
    game = fg.MatrixGame([[[1.0], [1.0]], [[0.0], [0.0]]])
    result = fg.run(game, [learner, fg.FixedPolicy([1.0])], 30, 4, rng=1)
    assert result.tables[0]["q"].max() < 2.0 <= result.tables[0]["q"].max() + 0.5


@each_dtype
def test_signals_in_a_users_loop(dtype):
    """`jit.rules` draws the same two signals as a run."""
    learner, real = fg.QLearner(explore=explorer()), np.dtype(dtype).type
    seat = jit.rules(learner, ALL_TIED, 1, dtype)
    stream = np.zeros(4, np.uint32)
    jit.streams.start(7, 0, 0, 1, stream)
    words = Words(7, 0, real)
    for _ in range(STEPS):
        action = seat.choose(seat.tables, seat.p, 0, seat.signal(stream, seat.p))
        assert action == action_of(words, 1, 0.3, range(5))


def test_files_hold_random_ties(tmp_path):
    for learner in (fg.QLearner(explore=explorer()), fg.FictitiousPlay(**RANDOM)):
        result = fg.run(ALL_TIED, learner, 5, rng=0)
        result.save(tmp_path / "run.npz")
        loaded = fg.load(tmp_path / "run.npz")
        assert loaded.learners[0] == learner
        assert_same(fg.run(ALL_TIED, learner, 5, resume=loaded),
                    fg.run(ALL_TIED, learner, 5, resume=result))  # fmt: skip


def test_wrong_values_and_backends_are_refused():
    with pytest.raises(ValueError, match="ties must be one of 'first', 'random', got 'rnd'"):
        fg.EpsilonGreedy(0.1, ties="rnd")
    with pytest.raises(ValueError, match="ties must be one of 'first', 'random', got 'last'"):
        fg.FictitiousPlay(ties="last")
    with pytest.raises(ValueError, match="for learners without a twin compiled ahead"):
        fg.run(ALL_TIED, fg.QLearner(explore=explorer()), 1, rng=0, backend="cython")
    with pytest.raises(ValueError, match='stream must be "fastgames" for a learner that draws as'):
        fg.run(ALL_TIED, fg.QLearner(explore=explorer()), 1, rng=0, stream="numpy")


def test_options_of_the_command_line():
    assert learner_of("q", {}, {"epsilon": "0.3", "ties": "random"}).explore == explorer()
    assert learner_of("fictitious_play", {}, {"ties": "random"}) == fg.FictitiousPlay(**RANDOM)
    for others in ({}, {"temperature": "0.3"}):
        with pytest.raises(ValueError, match="ties must be given with epsilon, got no --epsilon"):
            learner_of("q", {}, {"ties": "random", **others})
