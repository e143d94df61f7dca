"""Speed of the engine through the public API. Names are permanent; history is stored under them."""

import time

import numpy as np
import pytest

import fastgames as fg
from fastgames import _core

pytestmark = pytest.mark.benchmark(timer=time.process_time)  # most scenarios run on one thread

PENNIES = fg.games.matching_pennies()
Q = fg.QLearner(alpha=0.1, explore=fg.EpsilonGreedy(0.1))


def random_game(*actions):
    """Return a game with random payoffs from a fixed seed, without structure."""
    return fg.MatrixGame(np.random.default_rng(1).normal(size=(len(actions), *actions)))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("isa", _core.available())
def test_pennies(timed, isa, dtype):
    """W1: matching pennies, two epsilon-greedy Q-learners, one thread."""
    timed(PENNIES, Q, isa=isa, dtype=dtype, replicas=10_000)


@pytest.mark.benchmark(timer=time.perf_counter)
@pytest.mark.parametrize("threads", [1, 2])
def test_pennies_threads(timed, threads):
    """W1 over threads."""
    timed(PENNIES, Q, threads=threads, replicas=40_000)


@pytest.mark.parametrize("actions", [(2, 2), (2, 3), (3, 3), (4, 4), (5, 5), (6, 6), (15, 15)])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_actions(timed, actions, dtype):
    """Random payoffs, two agents, by number of actions."""
    timed(random_game(*actions), Q, dtype=dtype, replicas=2_000)


@pytest.mark.parametrize("agents", [3, 4, 5])
def test_agents(timed, agents):
    """Random payoffs, two actions, by number of agents."""
    timed(random_game(*[2] * agents), Q, replicas=1_000)


LEARNERS = {
    "softmax": fg.QLearner(explore=fg.Softmax(0.5)),
    "discounted": fg.QLearner(gamma=0.9),
    "fixed": fg.FixedPolicy([0.5, 0.5]),
    "scheduled": fg.QLearner(explore=fg.EpsilonGreedy(fg.Exponential(1.0, 1e-4, 0.01))),
}


@pytest.mark.parametrize("learner", LEARNERS)
def test_learners(timed, learner):
    """Matching pennies with other learners."""
    timed(PENNIES, LEARNERS[learner], replicas=1_000)


RECORDS = {
    "flips": fg.Record(flips=True),
    "joint": fg.Record(joint_actions=True),
    "rewards": fg.Record(rewards=True),
    "snapshots": fg.Record(every=1_000, tables=("q",), greedy=True),
}


@pytest.mark.parametrize("record", RECORDS)
def test_records(timed, record):
    """Matching pennies with each record."""
    timed(PENNIES, Q, record=RECORDS[record], replicas=2_000)


def test_numba(timed):
    """Passes compiled by Numba from the rules, as for a learner without a twin."""
    timed(PENNIES, Q, backend="numba", replicas=200)


def test_listing(timed):
    """One replica with NumPy's generator, as in a textbook listing."""
    timed(PENNIES, Q, stream="numpy", replicas=1, steps=200_000)


PRICING = fg.remember(fg.games.logit_bertrand(), discount=0.95)
FALLING = fg.EpsilonGreedy(fg.Exponential(1.0, 4e-6))
PRICER = fg.QLearner(alpha=0.15, explore=FALLING, initial=fg.UniformRivals())


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("isa", _core.available())
def test_pricing(timed, isa, dtype):
    """W3: Calvano's pricing duopoly, a million steps, one thread."""
    timed(PRICING, PRICER, isa=isa, dtype=dtype, replicas=16, steps=1_000_000)


def test_pricing_stop(timed):
    """W3 with `stop`, which watches greedy actions."""
    stop = fg.Stable(2**30)
    timed(PRICING, PRICER, stop=stop, replicas=32, steps=500_000)


def test_episodes(timed):
    """The grid game of Hu & Wellman, with short episodes."""
    timed(fg.games.grid_game(), fg.QLearner(alpha=0.1), replicas=64, steps=100_000)


MARKOV = {
    "random": {"transitions": "random"},
    "turns": {"turns": True},
    "observations": {"observations": 4},
}
ON_STATES = {
    "q": fg.QLearner(),
    "softmax": fg.QLearner(explore=fg.Softmax(1.0)),
    "sarsa": fg.Sarsa(),
    "expected_sarsa": fg.ExpectedSarsa(),
    "visits": fg.QLearner(alpha=fg.VisitCount()),
}


@pytest.mark.parametrize("kind", MARKOV)
def test_markov_games(timed, kind):
    """Random Markov games of 20 states, two agents with four actions each."""
    game = fg.games.random_markov_game(2, 20, 4, rng=1, **MARKOV[kind])
    timed(game, fg.QLearner(), replicas=64, steps=20_000)


@pytest.mark.parametrize("learner", ON_STATES)
def test_learners_on_states(timed, learner):
    """Each learner in a game with states."""
    game = fg.games.random_markov_game(2, 20, 4, rng=1)
    timed(game, ON_STATES[learner], replicas=64, steps=20_000)
