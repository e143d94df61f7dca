"""Limit distributions, against closed forms, eigenvectors, long simulations and limit cycles."""

import numpy as np
import pytest
from library.frozen import CERTAIN, GAMES, Slow, some_policies

import fastgames as fg
from fastgames.analysis import limit_cycle, limit_distribution, profit_gain
from fastgames.analysis.chains import long_run
from fastgames.games import MarkovGame, MatrixGame, Variants, random_markov_game

RANDOM = [name for name in GAMES if name not in CERTAIN]


def chain(matrix, start=0, rewards=None, **more):
    """Return a game of one agent with one action in which nature moves by the matrix."""
    size = len(matrix)
    rewards = np.arange(size, dtype=float) if rewards is None else np.asarray(rewards, float)
    moves = np.asarray(matrix, float)[:, None, :]
    return MarkovGame(rewards.reshape(1, size, 1), moves, start=start, **more)


def shares(game, start=None):
    still = [np.zeros((1, game.num_states), int)] * game.num_agents
    return limit_distribution(game, still, start=start).state_shares[0]


@pytest.mark.parametrize(("a", "b"), [(0.1, 0.3), (0.5, 0.5), (1e-9, 3e-9), (0.25, 1.0)])
def test_two_states(a, b):
    """State 0 is left with probability a, state 1 with b: b / (a + b) and a / (a + b)."""
    game = chain([[1 - a, a], [b, 1 - b]], rewards=[2, 10])
    expected = [b / (a + b), a / (a + b)]
    for start in (0, 1):
        assert shares(game, start) == pytest.approx(expected, rel=1e-6 if a < 1e-8 else 1e-14)
    found = limit_distribution(game, [[[0, 0]]])
    assert found.rewards[0, 0] == pytest.approx(np.dot(expected, [2, 10]), rel=1e-6)
    assert found.joint_action_shares.tolist() == [[pytest.approx(1.0)]]


@pytest.mark.parametrize("p", [0.3, 0.5, 0.7])
def test_gamblers_ruin(p):
    """From k of n coins, ruin has probability (x^k - x^n) / (1 - x^n) with x = (1 - p) / p."""
    n = 10
    matrix = np.zeros((n + 1, n + 1))
    matrix[0, 0] = matrix[n, n] = 1.0
    for k in range(1, n):
        matrix[k, k - 1], matrix[k, k + 1] = 1 - p, p
    x = (1 - p) / p
    for k in range(n + 1):
        ruin = 1 - k / n if p == 0.5 else (x**k - x**n) / (1 - x**n)
        found = shares(chain(matrix), k)
        assert found[[0, n]] == pytest.approx([ruin, 1 - ruin], rel=1e-12, abs=1e-15)
        assert (found[1:n] == 0).all()


def test_a_random_start_is_a_mixture_of_starts():
    matrix = [[1, 0, 0], [0, 1, 0], [0.25, 0.75, 0]]
    game = chain(matrix, start=[0.2, 0.3, 0.5])
    assert shares(game) == pytest.approx([0.2 + 0.125, 0.3 + 0.375, 0])
    assert shares(game, 2) == pytest.approx([0.25, 0.75, 0])
    assert shares(game, 1) == pytest.approx([0, 1, 0])


def test_periodic_play_has_the_cesaro_limit():
    """Even and odd states alternate; on each side nature chooses."""
    matrix = [[0, 0.2, 0, 0.8], [0.5, 0, 0.5, 0], [0, 0.6, 0, 0.4], [0.9, 0, 0.1, 0]]
    found = shares(chain(matrix))
    assert found[[0, 2]].sum() == pytest.approx(0.5)
    power = np.linalg.matrix_power(np.array(matrix), 1000)[0]
    following = power @ np.array(matrix)
    assert found == pytest.approx((power + following) / 2, abs=1e-13)
    assert abs(power - following).max() > 0.3  # there is no other limit


def classes(rng, sizes, transient):
    """Return a matrix of closed classes, and transient states that lead to all, shuffled."""
    size = sum(sizes) + transient
    matrix = np.zeros((size, size))
    at = 0
    for n in sizes:
        block = rng.random((n, n)) * (rng.random((n, n)) < 0.5)
        block += np.roll(np.eye(n), 1, axis=1)  # one class
        matrix[at : at + n, at : at + n] = block
        at += n
    matrix[at:] = rng.random((transient, size)) * (rng.random((transient, size)) < 0.4)
    matrix[at:, 0] += 0.1
    matrix /= matrix.sum(axis=1, keepdims=True)
    order = rng.permutation(size)
    return matrix[np.ix_(order, order)], order


@pytest.mark.parametrize("seed", range(6))
def test_several_closed_classes_against_eigenvectors(seed):
    """Left eigenvectors of 1 span the limits, right ones are the chances to end in each class."""
    rng = np.random.default_rng(seed)
    matrix, _ = classes(rng, rng.integers(1, 6, size=3), 5)
    values, left = np.linalg.eig(matrix.T)
    left = left[:, np.abs(values - 1) < 1e-9].real
    values, right = np.linalg.eig(matrix)
    right = right[:, np.abs(values - 1) < 1e-9].real
    assert left.shape[1] == 3
    limit = right @ np.linalg.solve(left.T @ right, left.T)
    game = chain(matrix)
    for start in range(len(matrix)):
        assert shares(game, start) == pytest.approx(limit[start], abs=1e-12)


def test_small_shares_are_exact_to_all_digits():
    """A walk on a line goes up with probability 1e-3: shares are a geometric sequence."""
    size, up = 30, 1e-3
    matrix = np.zeros((size, size))
    for k in range(size):
        matrix[k, min(k + 1, size - 1)] += up
        matrix[k, max(k - 1, 0)] += 1 - up
    ratio = (up / (1 - up)) ** np.arange(size)
    np.testing.assert_allclose(shares(chain(matrix), 15), ratio / ratio.sum(), rtol=1e-12)


def test_the_ends_of_episodes():
    """An episode lasts T periods with probability 2^-T, or three at most with a limit."""
    matrix = [[0, 0.5, 0.5], [0, 0.5, 0.5], [0, 0, 1]]
    game = chain(matrix, terminal=[False, False, True])
    assert shares(game) == pytest.approx([0.5, 0.5, 0])
    game = chain(matrix, terminal=[False, False, True], time_limit=3)
    assert shares(game, 1) == pytest.approx([1 / 1.75, 0.75 / 1.75, 0])
    game = chain([[0, 1], [0, 1]], start=[0.5, 0.5], time_limit=2)
    assert shares(game) == pytest.approx([0.25, 0.75])


@pytest.mark.parametrize("name", [*RANDOM, "sparse, time limit"])
def test_random_games_against_powers_of_the_chain(name):
    """A mean over 2^k periods from the start, for ages and states together."""
    game = GAMES.get(name) or random_markov_game(
        states=6, transitions="sparse", start="random", time_limit=3, terminal=1, turns=True, rng=3
    )
    greedy = some_policies(game, 2)
    begin = Slow(game, greedy, 0).live
    start = np.random.default_rng(1).choice(begin, len(greedy[0]))
    found = limit_distribution(game, greedy, start=start, threads=2)
    for r, state in enumerate(start):
        plain = Slow(game, greedy, r)
        first = (
            np.asarray(plain.start) if np.ndim(plain.start) else np.eye(plain.states)[plain.start]
        )
        ages = plain.time_limit or 1
        size = plain.states
        matrix = np.zeros((ages, size, ages, size))
        for age in range(ages):
            for s in plain.live:
                for t, chance in enumerate(plain.chances[s][plain.played[s]]):
                    if plain.terminal[t] or (plain.time_limit and age + 1 == ages):
                        matrix[age, s, 0] += chance * first
                    else:
                        matrix[age, s, age + 1 if plain.time_limit else 0, t] += chance
        matrix = matrix.reshape(ages * size, ages * size)
        mean = np.eye(ages * size)[state]
        power = matrix
        for _ in range(50):
            mean = (mean + mean @ power) / 2
            power = power @ power
            power /= np.maximum(power.sum(axis=1, keepdims=True), 1e-300)
        expected = mean.reshape(ages, size).sum(axis=0)
        assert found.state_shares[r] == pytest.approx(expected, abs=1e-9)
        for i in range(game.num_agents):
            paid = [plain.rewards[i][s][plain.played[s]] for s in range(size)]
            assert found.rewards[r, i] == pytest.approx(expected @ paid, abs=1e-8)
    rows = slice(found.offsets[3], found.offsets[4])
    played = [Slow(game, greedy, 3).played[s] for s in found.states[rows]]
    assert found.actions[rows].tolist() == [list(joint) for joint in played]
    total = found.joint_action_shares.sum(axis=tuple(range(1, game.num_agents + 1)))
    assert total == pytest.approx(1.0)


def test_a_long_run_of_the_engine():
    """Mean rewards and joint actions over 200,000 periods, within five standard errors.

    The chain mixes within about ten periods, so a mean has a standard error of at most
    sqrt(2 * 10 / 200,000) = 0.01 standard deviations.
    """
    game = random_markov_game(states=6, transitions="random", rng=5)
    greedy = some_policies(game, 4, 1)
    agents = [
        fg.FixedPolicy(np.eye(a)[g[0]]) for a, g in zip(game.num_actions, greedy, strict=True)
    ]
    record = fg.Record(joint_actions=True, rewards=True)
    result = fg.run(game, agents, 200_000, rng=3, record=record, backend="cython")
    found = limit_distribution(result)
    np.testing.assert_array_equal(found.state_shares, limit_distribution(game, greedy).state_shares)
    played = result.joint_counts[0] / 200_000
    assert found.joint_action_shares[0] == pytest.approx(played, abs=5 * 0.01 * 0.5)
    spread = np.abs(game.rewards).max()
    assert found.rewards[0] == pytest.approx(result.mean_reward[0], abs=5 * 0.01 * spread)


@pytest.mark.parametrize("name", CERTAIN)
def test_without_chance_the_shares_are_those_of_the_cycle(name):
    game = GAMES[name]
    greedy = some_policies(game, 1)
    start = Slow(game, greedy, 0).live[-1]
    cycle = limit_cycle(game, greedy, start=start)
    found = limit_distribution(game, greedy, start=start)
    assert found.rewards.tobytes() == cycle.rewards.tobytes()
    for r in range(len(cycle.length)):
        states = cycle.states[cycle.offsets[r] : cycle.offsets[r + 1]]
        expected = np.bincount(states, minlength=game.num_states) / len(states)
        assert found.state_shares[r].tolist() == expected.tolist()


@pytest.mark.parametrize("name", ["plain", "turns", "observations", "terminal", "all"])
def test_chance_of_almost_nothing_is_play_without_chance(name):
    """With terminal states and turns; the same next states, given as probabilities of 1/2."""
    game = GAMES[name]
    if game.time_limit:
        game = random_markov_game(3, 7, (3, 1, 4), turns=True, observations=3, terminal=2, rng=1)
    size = game.num_states
    moves = np.eye(size)[game.transitions]
    twin = (
        np.concatenate([moves, 0 * moves], axis=-1) / 2 + np.concatenate([0 * moves, moves], -1) / 2
    )
    # states s and s + S are the same, and each is next with probability 1/2
    double = MarkovGame(
        np.concatenate([game.rewards] * 2, axis=1),
        np.concatenate([twin] * 2, axis=0),
        start=game.start,
        terminal=np.tile(game.terminal, 2),
        turns=np.tile(game.turns, (1, 2)),
        observations=np.tile(game.observations, (1, 2)),
    )
    greedy = some_policies(game, 5)
    found = limit_distribution(double, greedy).state_shares
    expected = limit_distribution(game, greedy).state_shares
    assert found[:, :size] + found[:, size:] == pytest.approx(expected, abs=1e-14)


def test_variants():
    games = [random_markov_game(states=5, transitions="random", rng=2)]
    games += [MarkovGame(-games[0].rewards, games[0].transitions, 0.9, start=games[0].start)]
    greedy = some_policies(games[0], 1, 20)
    found = limit_distribution(Variants(games, [0, 1] * 10), greedy)
    plain = limit_distribution(games[0], greedy)
    assert found.rewards[::2].tolist() == plain.rewards[::2].tolist()
    assert found.rewards[1::2].tolist() == (-plain.rewards[1::2]).tolist()


def test_profit_gain_under_chance():
    game = chain([[0.9, 0.1], [0.3, 0.7]], rewards=[1, 5])
    found = limit_distribution(game, [[[0, 0]]])
    assert profit_gain(found, 1, 3) == pytest.approx([0.5])
    result = fg.run(game, fg.QLearner(), 5, replicas=3, rng=1, backend="reference")
    assert profit_gain(result, 1, 3) == pytest.approx([0.5] * 3)


def test_threads_and_batches_make_no_difference(monkeypatch):
    game = GAMES["sparse, all"]
    greedy = some_policies(game, 3, 100)
    one, four = (limit_distribution(game, greedy, threads=t) for t in (1, 4))
    monkeypatch.setattr("fastgames.analysis.chains.BATCH", 1)
    single = limit_distribution(game, greedy)
    for name in ("offsets", "states", "actions"):
        assert getattr(one, name).tobytes() == getattr(four, name).tobytes()
        assert getattr(one, name).tobytes() == getattr(single, name).tobytes()
    assert one.shares.tobytes() == four.shares.tobytes()
    np.testing.assert_allclose(single.shares, one.shares, rtol=1e-13)


def test_states_out_of_reach_do_not_matter_to_elimination():
    matrix = np.zeros((1, 4, 4))
    matrix[0, 0, 1] = matrix[0, 1, 1] = 1.0  # states 2 and 3 are padding
    assert long_run(matrix).tolist() == [[0, 1, 0, 0]]


def test_matrix_games_and_repr():
    found = limit_distribution(MatrixGame([[[1, 2]], [[3, 4]]]), [[[0]] * 2, [[0], [1]]])
    assert found.state_shares.tolist() == [[1], [1]]
    assert found.rewards.tolist() == [[1, 3], [2, 4]]
    assert repr(found) == "<LimitDistribution of 2 replicas: 1 to 1 states>"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"start": 2}, r"start must be whole numbers in \[0, 2\), got start = 2"),
        ({"start": [0, 0]}, r"start must have shape \(\) or \(1,\)"),
        ({"threads": 0}, "threads must be a whole number"),
    ],
)
def test_bad_input(arguments, message):
    with pytest.raises(ValueError, match=message):
        limit_distribution(chain([[0.5, 0.5], [1, 0]]), [[[0, 0]]], **arguments)


def test_too_many_states_are_refused(monkeypatch):
    def full(name, unit, count, need, each):
        raise ValueError(f"{name} must fit into memory: {count} {unit}, {need}, {each}")

    monkeypatch.setattr("fastgames._common.checks.check_fits", full)
    with pytest.raises(
        ValueError, match="game must fit into memory: 3 states that play reaches, 72"
    ):
        shares(chain([[0.5, 0.5], [1, 0]]))
