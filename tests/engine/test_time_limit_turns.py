"""Time limits in games with turns: what a pending move is worth where the episode is cut."""

import numpy as np
import pytest
from library.every import each_backend

import fastgames as fg
from fastgames.rules import qlearning

GAMMA = 0.9
EPISODES = 60


def ring(agents, limit, discount=GAMMA, start=0):
    """Agents move in a circle, one after the other; every step pays 1 to everyone."""
    states = np.arange(agents)
    ones = (1,) * agents
    return fg.MarkovGame(
        np.ones((agents, agents, *ones)),
        ((states + 1) % agents).reshape(agents, *ones),
        discount,
        start,
        turns=states,
        time_limit=limit,
    )


def own():
    """Q-learning as a user's functions: its passes are made by Numba."""
    return fg.Learner(
        qlearning.choose_greedy,
        qlearning.learn,
        draw=qlearning.draw_explore,
        tables=(fg.Table("q"),),
        parameters={"alpha": 1.0, "gamma": GAMMA, "epsilon": 0.5},
        name="own",
    )


LEARNERS = {
    "q": lambda: fg.QLearner(1.0),
    "q, softmax": lambda: fg.QLearner(1.0, explore=fg.Softmax(1.0)),
    "sarsa": lambda: fg.Sarsa(1.0),
    "sarsa, softmax": lambda: fg.Sarsa(1.0, explore=fg.Softmax(1.0)),
    "expected_sarsa": lambda: fg.ExpectedSarsa(1.0),
    "hysteretic": lambda: fg.HystereticQ(1.0, 1.0),
    "own": own,
}


def learnt(agent, agents, limit):
    """Return the number of times that an agent learns in an episode."""
    return max(0, (limit - agent) // agents)


@each_backend
@pytest.mark.parametrize("learner", LEARNERS)
@pytest.mark.parametrize("agents", [2, 3])
@pytest.mark.parametrize("limit", range(1, 10))
def test_values_in_closed_form(limit, agents, learner, backend):
    """Every value is 1 / (1 - g), whatever the limit, once the agent has learnt often enough.

    N agents move in a circle, agent i at t = i, i + N, ...; all rewards are 1. From its move at t
    an agent learns when it is to move again, at t + N, the target

        1 + g + ... + g^(N-1) + g^N q = (1 - g^N) / (1 - g) + g^N q.

    It is the same where the limit L cuts the episode just there (t + N = L): that is the state in
    which it would move. A cut before that (t + N > L) discards the move. So in each episode agent
    i learns floor((L - i) / N) times, and after n times with a step size of 1, from q = 0,

        q_n = (1 - g^(N n)) / (1 - g),

    which tends to 1 / (1 - g), the value of a reward of 1 for ever: 10 at g = .9. An agent whose
    every move is discarded (L < i + N) stays at 0.
    """
    if learner == "own" and backend == "cython":
        backend = "auto"
    game = ring(agents, limit)
    result = fg.run(game, LEARNERS[learner](), limit * EPISODES, replicas=3, rng=1, backend=backend)
    for i in range(agents):
        n = EPISODES * learnt(i, agents, limit)
        expected = np.zeros((3, agents, 1))
        expected[:, i] = (1 - GAMMA ** (agents * n)) / (1 - GAMMA)
        np.testing.assert_allclose(result.tables[i]["q"], expected, rtol=1e-12)
    assert not result.state.ages.any()


@pytest.mark.parametrize("start", [0, 1])
@pytest.mark.parametrize("limit", range(2, 10))
def test_both_movers_value_a_reward_for_ever(limit, start):
    """At every limit the agent that moves at all before a cut values 1 / (1 - .9) = 10."""
    result = fg.run(ring(2, limit, start=start), fg.QLearner(0.5), 20_000, rng=1)
    first, second = (float(result.tables[i]["q"][0, i, 0]) for i in (start, 1 - start))
    assert first == pytest.approx(10, rel=1e-12)
    assert second == pytest.approx(0 if limit == 2 else 10, rel=1e-12)


@each_backend
def test_a_move_that_was_cut_is_not_learnt_from_in_the_next_episode(backend):
    """Limit 3: agent 0's second move is cut, and its first of the next episode begins anew."""
    game = ring(2, 3)
    steps = {2: 1, 3: 1, 4: 1, 5: 2, 6: 2, 8: 3}  # steps of the run: times agent 0 has learnt
    for count, times in steps.items():
        result = fg.run(game, fg.QLearner(1.0), count, rng=1, backend=backend)
        expected = (1 - GAMMA ** (2 * times)) / (1 - GAMMA)
        assert result.tables[0]["q"][0, 0, 0] == pytest.approx(expected, rel=1e-14)
    cut = fg.run(game, fg.QLearner(1.0), 3, rng=1, backend=backend)
    assert [seat.pending.observation.tolist() for seat in cut.state.seats] == [[-1], [-1]]


@each_backend
def test_visits_and_flips_do_not_count_discarded_moves(backend):
    game, record = ring(2, 2), fg.Record(flips=True)
    learner = fg.QLearner(fg.VisitCount())
    result = fg.run(game, learner, 20, rng=1, backend=backend, record=record)
    assert result.tables[0]["visits"].ravel().tolist() == [10, 0]
    assert result.tables[1]["visits"].ravel().tolist() == [0, 0]
    assert result.flips.tolist() == [[0, 0]]


@each_backend
@pytest.mark.parametrize("kind", [fg.QLearner, fg.Sarsa])
def test_as_a_listing_draws(kind, backend):
    game = ring(2, 5)
    result = fg.run(game, kind(1.0), 5 * EPISODES, rng=1, stream="numpy", backend=backend)
    for i in range(2):
        n = EPISODES * learnt(i, 2, 5)
        assert result.tables[i]["q"][0, i, 0] == pytest.approx((1 - GAMMA ** (2 * n)) / 0.1)


@pytest.mark.parametrize("kind", [fg.QLearner, fg.Sarsa, None])
@pytest.mark.parametrize("inside", [0, 1])
@pytest.mark.parametrize("limit", [2, 3, 4, 7])
def test_learners_inside_a_vector_game(limit, inside, kind):
    learners = [None, None]
    learners[inside] = own() if kind is None else kind(1.0)
    envs = fg.VectorGame(ring(2, limit), 5, 1, learners)
    for _ in range(EPISODES * limit):
        envs.step(np.zeros((1, 5), np.int64))
    n = EPISODES * learnt(inside, 2, limit)
    expected = (1 - GAMMA ** (2 * n)) / (1 - GAMMA)
    np.testing.assert_allclose(envs.tables(inside)["q"][:, inside, 0], expected, rtol=1e-12)


@each_backend
@pytest.mark.parametrize("kind", [fg.QLearner, fg.Sarsa, fg.ExpectedSarsa])
def test_a_terminal_state_ends_a_pending_move_whoever_is_to_move(kind, backend):
    """Its return is known: 1 + g for the first mover, 1 for the second."""
    game = fg.MarkovGame(
        np.ones((2, 3, 1, 1)), np.reshape([1, 2, 2], (3, 1, 1)), GAMMA,
        terminal=[False, False, True], turns=[0, 1, 0], time_limit=2,
    )  # fmt: skip
    result = fg.run(game, kind(1.0), 2, rng=1, backend=backend)
    assert result.tables[0]["q"][0, :, 0].tolist() == [1 + GAMMA, 0, 0]
    assert result.tables[1]["q"][0, :, 0].tolist() == [0, 1, 0]
