"""LOLA: its steps against derivatives of the values, and published figures."""

import numpy as np
import pytest

import fastgames as fg

PD = np.array([[-1.0, -3.0], [0.0, -2.0]])
COIN = np.array([[1.0, -1.0], [-1.0, 1.0]])


def iterated(one, other, discount):
    """The iterated game with the states (0, 0), (0, 1), (1, 0), (1, 1) and the start."""
    following = np.broadcast_to(np.arange(4).reshape(2, 2), (5, 2, 2))
    rewards = [np.broadcast_to(x, (5, 2, 2)) for x in (one, other)]
    return fg.MarkovGame(rewards, following, discount, start=4)


IPD = iterated(PD, PD.T, 0.96)
ZERO = np.zeros(5)
TIT_FOR_TAT = np.array([1.0, -1, 1, -1, 1]), np.array([1.0, 1, -1, -1, 1])


def with_last_fixed(theta):
    """Logits (..., S, 2) of parameters (..., S)."""
    return np.stack([theta, np.zeros_like(theta)], axis=-1)


def one_step(game, logits, eta):
    """The changes of both agents' logits in one step of size 1."""
    learners = [fg.LOLA(1.0, eta, initial=x) for x in logits]
    result = fg.run(game, learners, 1, rng=1, backend="reference")
    return [table["logits"][0] - x for table, x in zip(result.tables, logits, strict=True)]


def swapped(x):
    return x[[0, 2, 1, 3, 4]]


@pytest.mark.parametrize(
    ("start", "naive", "aware"),
    [
        ((ZERO, ZERO), [-1.5, -1.5, -1.5, -1.5, -0.25], [4.35, -4.35, 4.35, -4.35, 0.0]),
        (
            TIT_FOR_TAT,
            [-0.17836, -0.16380, -0.16380, -0.15635, -0.02760],
            [3.6530, -1.4733, 1.2865, -3.5005, -0.0016],
        ),
    ],
)
def test_unit_check_of_the_first_step(start, naive, aware):
    logits = [with_last_fixed(theta) for theta in start]
    plain = one_step(IPD, logits, 0.0)
    whole = one_step(IPD, logits, 1.0)
    for of_agent in (lambda x: x[0], lambda x: swapped(x[1])):
        np.testing.assert_allclose(of_agent(plain)[:, 0], naive, atol=1e-5)
        step = of_agent(whole) - of_agent(plain)
        np.testing.assert_allclose(step[:, 0], aware, atol=1e-3)
        assert not of_agent(whole)[:, 1].any()  # the last logit is fixed


def value(game, logits, agent):
    """The discounted value of an agent from the start, in longdouble, by iteration."""
    policies = [np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True) for x in logits]
    chances = np.einsum("sa,sb->sab", *policies)
    moves = game.transitions
    if moves.dtype.kind == "i":
        moves = np.eye(game.num_states)[moves]
    chain = np.einsum("sab,sabk->sk", chances, moves)
    reward = np.einsum("sab,sab->s", chances, game.rewards[agent])
    chain[game.terminal], reward[game.terminal] = 0.0, 0.0
    start = np.eye(game.num_states)[game.start] if np.ndim(game.start) == 0 else game.start
    return start @ np.linalg.solve(np.eye(game.num_states) - game.discount * chain, reward)


def slope(function, logits, agent, h=1e-4):
    """The gradient of a function of both logits in those of an agent, but for the last of each."""
    out = np.zeros(logits[agent].shape)
    for place in np.ndindex(*out[:, :-1].shape):
        up, down = ([x.copy() for x in logits] for _ in range(2))
        up[agent][place] += h
        down[agent][place] -= h
        out[place] = (function(up) - function(down)) / (2 * h)
    return out


def random_game(seed, kind):
    """Two agents with 2 and 3 actions; kind: "chance", "ends" or "matrix"."""
    rng = np.random.default_rng(seed)
    if kind == "matrix":
        return fg.MatrixGame(rng.normal(size=(2, 2, 3)))
    rewards = rng.normal(size=(2, 3, 2, 3))
    if kind == "chance":
        moves, start = rng.dirichlet(np.ones(3), (3, 2, 3)), rng.dirichlet(np.ones(3))
        return fg.MarkovGame(rewards, moves, 0.8, start)
    moves = rng.integers(3, size=(3, 2, 3))
    return fg.MarkovGame(rewards, moves, 0.8, terminal=[False, False, True])


@pytest.mark.parametrize("kind", ["chance", "ends"])
@pytest.mark.parametrize("seed", range(3))
def test_steps_are_derivatives_of_the_values(seed, kind):
    game = random_game(seed, kind)
    rng = np.random.default_rng(seed + 9)
    logits = [rng.normal(size=(3, count)) for count in (2, 3)]
    plain, whole = one_step(game, logits, 0.0), one_step(game, logits, 0.5)
    for i in range(2):
        own = slope(lambda x, i=i: value(game, x, i), logits, i)
        np.testing.assert_allclose(plain[i], own, atol=1e-6)
        through = slope(lambda x, i=i: value(game, x, i), logits, 1 - i)

        def gain(x, i=i, through=through):
            """What the other agent gains along the fixed direction `through`."""
            return (slope(lambda y: value(game, y, 1 - i), x, 1 - i) * through).sum()

        aware = slope(gain, logits, i, h=1e-3)
        np.testing.assert_allclose(whole[i] - plain[i], 0.5 * aware, atol=1e-5)


def test_matrix_games_have_one_step():
    game = random_game(4, "matrix")
    logits = [np.array([[0.3, -0.2]]), np.array([[0.1, 0.5, -0.4]])]
    markov = fg.MarkovGame(
        game.payoffs[:, None], np.zeros((1, 2, 3), int), 0.0, name="the same game"
    )
    for one, other in zip(one_step(game, logits, 1.0), one_step(markov, logits, 1.0), strict=True):
        np.testing.assert_array_equal(one, other)
        assert one.any()


def test_variants_have_their_own_payoffs():
    games = [fg.MatrixGame([x, x.T]) for x in (PD, PD + np.array([[0.0, 0.0], [3.0, 0.0]]))]
    learner = fg.LOLA(0.1)
    both = fg.run(fg.Variants(games, [1, 0]), learner, 3, rng=1, backend="reference")
    for replica, game in enumerate(games[::-1]):
        alone = fg.run(game, learner, 3, rng=1, backend="reference")
        for i in range(2):
            np.testing.assert_array_equal(
                both.tables[i]["logits"][replica], alone.tables[i]["logits"][0]
            )


def per_step(result, game):
    """The mean of (1 - gamma) V over the agents, for each replica."""
    policies = [np.exp(table["logits"]) for table in result.tables]
    policies = [x / x.sum(axis=-1, keepdims=True) for x in policies]
    chances = np.einsum("rsa,rsb->rsab", *policies).reshape(result.replicas, 5, 4)
    chain = np.zeros((result.replicas, 5, 5))
    chain[..., :4] = chances
    rewards = np.stack([x[0].ravel() for x in game.rewards])
    paid = np.einsum("rsj,ij->rsi", chances, rewards)
    values = np.linalg.solve(np.eye(5) - game.discount * chain, paid)
    return (1 - game.discount) * values[:, 4]


def outcome(game, eta, runs=1000):
    """(1 - gamma) V of both agents, (runs, 2), after 200 steps from normal parameters; the run."""
    rng = np.random.default_rng(5)
    learners = [fg.LOLA(1.0, eta, initial=with_last_fixed(rng.normal(size=(runs, 5))))
                for _ in range(2)]  # fmt: skip
    result = fg.run(game, learners, 200, runs, rng=1)
    return per_step(result, game), result


@pytest.mark.parametrize(
    ("eta", "mean", "tolerance", "spread"),
    [(0.0, -1.98, 0.04, (0.05, 0.2)), (1.0, -1.06, 0.06, (0.1, 0.25)),
     (0.5, -1.16, 0.06, (0.2, 0.4))],
)  # fmt: skip
def test_published_values_of_the_iterated_prisoners_dilemma(eta, mean, tolerance, spread):
    values, _ = outcome(IPD, eta)
    assert abs(values.mean() - mean) < tolerance
    assert spread[0] < values[:, 0].std() < spread[1]


def test_iterated_matching_pennies_end_near_the_equilibrium():
    """Foerster et al., Table 3: naive learners stay away from it, LOLA plays it."""
    game = iterated(COIN, -COIN, 0.9)
    naive, _ = outcome(game, 0.0)
    aware, result = outcome(game, 1.0)
    assert naive[:, 0].std() > 0.3
    assert aware[:, 0].std() < 0.06
    assert abs(aware[:, 0].mean()) < 0.01
    assert np.median(np.abs(result.policy(0)[..., 0] - 0.5)) < 0.02


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("kind", ["chance", "ends", "matrix"])
def test_compiled_rules_give_the_bits_of_the_reference(kind, dtype):
    game = random_game(1, kind)
    learners = [fg.LOLA(0.3, 0.7, initial=x) for x in ([0.5, -0.2], [0.1, 0.5, -0.4])]
    one, two = (
        fg.run(game, learners, 20, 3, rng=1, backend=backend, dtype=dtype)
        for backend in ("reference", "numba")
    )
    for i in range(2):
        np.testing.assert_array_equal(one.tables[i]["logits"], two.tables[i]["logits"])
        np.testing.assert_array_equal(one.states, two.states)


@pytest.mark.parametrize(
    ("game", "learners", "text"),
    [
        (fg.games.public_goods(3), fg.LOLA(), "game must have 2 agents for LOLA"),
        (fg.games.soccer(), fg.LOLA(), "game must be a game of tables for LOLA"),
        (fg.games.klein(), fg.LOLA(), "without turns for LOLA"),
        (fg.games.logit_bertrand(), fg.LOLA(), None),
        (
            fg.games.remember(fg.games.chicken(), 4, 0.9),
            fg.LOLA(),
            "game must have at most 64 states for LOLA",
        ),
        (
            fg.games.remember(fg.games.chicken(), (1, 2), 0.9),
            fg.LOLA(),
            "observations must be the number of the state for LOLA",
        ),
        (
            fg.MarkovGame(
                np.zeros((2, 1, 1, 1)), np.zeros((1, 1, 1), int), num_observations=(1, 2)
            ),
            fg.LOLA(),
            r"num_observations must be the number of states, 1, for LOLA, got \(1, 2\)",
        ),
        (
            fg.games.chicken(),
            [fg.LOLA(), fg.QLearner()],
            r"learners\[1\] must have the table 'logits', which learners\[0\] reads",
        ),
    ],
)
def test_games_and_opponents_that_do_not_suit_are_refused(game, learners, text):
    if text is None:
        fg.run(game, learners, 1, rng=1, backend="reference")
        return
    with pytest.raises(ValueError, match=text):
        fg.run(game, learners, 1, rng=1)


def test_other_learners_of_logits_can_be_opponents():
    game = fg.games.stag_hunt()
    result = fg.run(game, [fg.LOLA(), fg.ActorCritic()], 5, rng=1, backend="reference")
    assert result.tables[0]["logits"].any()


def test_discounts_of_1_are_refused():
    game = fg.MarkovGame(
        np.zeros((2, 2, 1, 1)), np.ones((2, 1, 1), int), 1.0, terminal=[False, True]
    )
    with pytest.raises(ValueError, match="gamma of LOLA must be below 1"):
        fg.run(game, fg.LOLA(), 1, rng=1)
    with pytest.raises(ValueError, match=r"gamma must be in \[0, 1\)"):
        fg.LOLA(gamma=1.0)


def test_a_resumed_run_follows_its_own_game():
    rng = np.random.default_rng(3)
    start = rng.normal(size=(5, 2))
    before = fg.run(iterated(COIN, -COIN, 0.9), fg.LOLA(0.0, initial=start), 3, rng=1)
    after = fg.run(IPD, fg.LOLA(0.5), 4, resume=before)
    anew = fg.run(IPD, fg.LOLA(0.5, initial=start), 4, rng=1)
    for i in range(2):
        np.testing.assert_array_equal(after.tables[i]["logits"], anew.tables[i]["logits"])
    with pytest.raises(ValueError, match="must not be given: it holds the game"):
        fg.run(IPD, fg.LOLA(), 1, rng=1, start_tables=[{"rewards": 1.0}, None])
