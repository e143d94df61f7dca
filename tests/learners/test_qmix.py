"""QMIX against least squares, derivatives, and the figures of its papers."""

import numpy as np
import pytest

import fastgames as fg
from fastgames.rules.outcome import TeamOutcome

UNIFORM = fg.EpsilonGreedy(1.0)
MIXER = ("first_weights", "first_biases", "last_weights", "last_bias")


def mixed(tables, values):
    """Q_tot of values (..., M), by the definition; tables: of one joint observation."""
    w, b, v, c = (np.asarray(tables[name], np.float64) for name in MIXER)
    x = b + np.einsum("hm,...m->...h", np.abs(w), values)
    kinds = np.arange(len(b)) % 3
    units = np.where(kinds == 0, elu(x), np.where(kinds == 1, -elu(-x), np.tanh(x)))
    return c + units @ np.abs(v)


def elu(x):
    """The exponential linear unit."""
    return np.where(x > 0.0, x, np.expm1(np.minimum(x, 0.0)))


def totals(result, observation=0):
    """Q_tot of every joint action of two members, (replicas, A_0, A_1); both observe the state."""
    states = result.tables[0]["q"].shape[1]
    out = []
    for r in range(result.replicas):
        tables = {k: result.tables[0][k][r, observation * (states + 1)] for k in MIXER}
        rows = [result.tables[i]["q"][r, observation] for i in range(2)]
        out.append(mixed(tables, np.stack(np.meshgrid(*rows, indexing="ij"), axis=-1)))
    return np.array(out)


def sums(result, observation=0):
    """VDN's values of every joint action of two members, (replicas, A_0, A_1)."""
    one, two = (result.tables[i]["q"][:, observation] for i in range(2))
    return one[:, :, None] + two[:, None, :]


def learnt(game, learner=None, steps=100_000, replicas=20, **more):
    """Run a learner, QMIX with a falling step unless given, from uniform play unless given."""
    learner = learner or fg.QMIX(falling(steps), explore=UNIFORM)
    return fg.run(game, learner, steps, replicas, rng=1, backend="numba", **more)


def falling(steps, start=0.02, end=1e-4):
    """A step size that falls exponentially in these steps."""
    return fg.Exponential(start, np.log(start / end) / steps)


def common(payoffs):
    """A matrix game in which both agents receive these payoffs."""
    return fg.MatrixGame([payoffs, payoffs])


def team(learner, seed=3, members=(3, 2, 4), states=2):
    """The learner's rules, and tables of random numbers for members with these actions."""
    rng, rules = np.random.default_rng(seed), learner.rules
    sizes = {
        "agents": len(members),
        "joint_observations": states ** len(members),
        "joint_actions": int(np.prod(members)),
    }
    tables = {}
    for table in rules.tables:
        if table.shared:
            shape = [sizes.get(dim, dim) for dim in table.dims]
            tables[table.name] = rng.normal(size=shape)
        else:
            tables[table.name] = tuple(rng.normal(size=(states, n)) for n in members)
    return rules, tables


def outcome(ended=False, moves=(True,) * 3, next_moves=(True,) * 3):
    """One move of three members: the joint observation 1 0 1, the joint action 2 1 3."""
    return TeamOutcome(
        np.array([1, 0, 1]),
        np.array([2, 1, 3]) * moves,
        np.array([0.5, 1.5, 4.0]),
        np.float64(0.9),
        np.array([0, 1, 1]),
        ended,
        (0.0,) * 3,
        moves=np.array(moves),
        next_moves=np.array(next_moves),
    )


def total(tables, t):
    """Q_tot of the move of an outcome."""
    values = [
        q[o, a] * moved
        for q, o, a, moved in zip(tables["q"], t.observations, t.actions, t.moves, strict=True)
    ]
    return mixed({name: tables[name][0b101] for name in MIXER}, np.array(values))


def copied(tables):
    return {k: tuple(map(np.copy, x)) if k == "q" else x.copy() for k, x in tables.items()}


def slopes(tables, t):
    """Derivatives of Q_tot by every entry of q and of the mixer, from central differences."""
    found = {k: x for k, x in copied(tables).items() if k == "q" or k in MIXER}
    for array, out in zip(entries(tables), entries(found), strict=True):
        for index in np.ndindex(array.shape):
            was, ends = array[index], []
            for h in (1e-6, -1e-6):
                array[index] = was + h
                ends.append(total(tables, t))
            array[index] = was
            out[index] = (ends[0] - ends[1]) / 2e-6
    return found


def entries(tables):
    return [*tables["q"], *(tables[name] for name in MIXER)]


def best_value(tables, t):
    """Q_tot of the greedy joint action at the next observations, 0 0b011."""
    values = [
        q[o].max() * moves
        for q, o, moves in zip(tables["q"], t.next_observations, t.next_moves, strict=True)
    ]
    return mixed({name: tables[name][0b011] for name in MIXER}, np.array(values))


def number(actions):
    """The number of a joint action of members with 3, 2 and 4 actions."""
    return 8 * actions[0] + 4 * actions[1] + actions[2]


def greedy(tables, observations, moves):
    """The number of the greedy joint action; members that do not move have action 0."""
    rows = (q[o] for q, o in zip(tables["q"], observations, strict=True))
    return number([int(row.argmax()) * moved for row, moved in zip(rows, moves, strict=True)])


def updated(learner, tables, t):
    """The tables after a step of the learner."""
    after, rules = copied(tables), learner.rules
    p = {"alpha": learner.alpha, "gamma": 0.9, "epsilon": 0.1, "weight": learner.weight}
    p["alpha_joint"] = learner.alpha_joint
    rules.learn(rules.as_tables(after.values()), rules.as_p(p[k] for k in rules.parameters), t)
    return after


MOVES = [((True,) * 3, (True,) * 3), ((True, False, True), (False, False, True))]


@pytest.mark.parametrize("ended", [False, True])
@pytest.mark.parametrize(("moves", "next_moves"), MOVES)
def test_a_step_is_along_the_gradient(ended, moves, next_moves):
    learner, t = fg.QMIX(0.001, hidden=5), outcome(ended, moves, next_moves)
    _, tables = team(learner)
    error = 2.0 + (0.0 if ended else 0.9 * best_value(tables, t)) - total(tables, t)
    assert abs(error) > 0.1
    gradient = slopes(tables, t)
    after = updated(learner, tables, t)
    for was, now, slope in zip(entries(tables), entries(after), entries(gradient), strict=True):
        np.testing.assert_allclose(now, was + 0.001 * error * slope, atol=1e-9)
    assert all((slope != 0.0).any() for slope in entries(gradient)[:1] + entries(gradient)[3:])


def test_a_long_step_reaches_the_target_and_not_further():
    learner, t = fg.QMIX(1.0, hidden=5), outcome(True)
    _, tables = team(learner)
    gradient = slopes(tables, t)
    length = sum(float((slope**2).sum()) for slope in entries(gradient))
    assert length > 1.5
    after = updated(learner, tables, t)
    for was, now, slope in zip(entries(tables), entries(after), entries(gradient), strict=True):
        expected = was + (2.0 - total(tables, t)) / length * slope
        np.testing.assert_allclose(now, expected, atol=1e-7)


def test_a_step_is_at_most_as_long_as_what_it_changes_plus_1():
    learner, t = fg.QMIX(0.001, hidden=5), outcome(True)
    t = t._replace(rewards=t.rewards + 1e9)
    _, tables = team(learner)
    changes, after = [], updated(learner, tables, t)
    for was, now in zip(entries(tables), entries(after), strict=True):
        changes.append(((now - was) ** 2).sum())
    values = [q[o, a] for q, o, a in zip(tables["q"], t.observations, t.actions, strict=True)]
    sizes = [*values, *(tables[name][0b101] for name in MIXER)]
    most = 1.0 + sum(float(np.abs(x).sum()) for x in sizes)
    assert np.sqrt(sum(changes)) == pytest.approx(most)


@pytest.mark.parametrize("weighting", ["optimistic", "central"])
@pytest.mark.parametrize(("moves", "next_moves"), MOVES)
def test_a_weighted_step(weighting, moves, next_moves):
    learner = fg.QMIX(0.001, hidden=3, weighting=weighting, weight=0.25, alpha_joint=0.5)
    t, cases = outcome(False, moves, next_moves), set()
    u = number(t.actions)
    for seed in range(90):
        _, tables = team(learner, seed)
        tables["q_joint"] *= 5.0
        if seed % 3 == 0:  # the joint action is greedy
            for q, o, a in zip(tables["q"], t.observations, t.actions, strict=True):
                q[o, a] = q[o].max() + 0.1
        then = greedy(tables, t.next_observations, next_moves)
        target = 2.0 + 0.9 * tables["q_joint"][0b011, then]
        error = target - total(tables, t)
        best = greedy(tables, t.observations, moves)
        above = bool(target > tables["q_joint"][0b101, best])
        full = error > 0.0 if weighting == "optimistic" else best == u or above
        cases.add((bool(error > 0.0), bool(best == u), above))
        gradient, after = slopes(tables, t), updated(learner, tables, t)
        factor = 0.001 * (1.0 if full else 0.25) * error
        for was, now, slope in zip(entries(tables), entries(after), entries(gradient), strict=True):
            np.testing.assert_allclose(now, was + factor * slope, atol=1e-8)
        expected = tables["q_joint"].copy()
        expected[0b101, u] += 0.5 * (target - expected[0b101, u])
        np.testing.assert_allclose(after["q_joint"], expected)
    assert len(cases) == 8  # all there are


# 2.1, 2.2: what uniform play teaches about single matrices


def test_the_qtran_game_is_fitted_with_the_best_action_last():
    """Son et al. (2019), Table 1, print -8.08 and 0.01 to 0.03."""
    learner = fg.QMIX(falling(40_000, 0.01), explore=UNIFORM)
    result = learnt(fg.games.qtran(), learner, 40_000, 200)
    limit = [[-8.0, -8.0, -8.0], [-8.0, 0.0, 0.0], [-8.0, 0.0, 0.0]]
    np.testing.assert_allclose(totals(result).mean(axis=0), limit, atol=0.1)
    rows, columns = (result.greedy(i)[:, 0] for i in range(2))
    assert (fg.games.qtran().payoffs[0][rows, columns] == 0.0).all()


def test_vdn_fits_the_qtran_game_by_means():
    payoffs = fg.games.qtran().payoffs[0]
    expected = payoffs.mean(axis=0) + payoffs.mean(axis=1)[:, None] - payoffs.mean()
    np.testing.assert_allclose(expected[0], [-6.222, -4.889, -4.889], atol=1e-3)
    result = learnt(fg.games.qtran(), fg.VDN(falling(100_000), explore=UNIFORM), replicas=200)
    np.testing.assert_allclose(sums(result).mean(axis=0), expected, atol=0.02)


@pytest.mark.parametrize("weighting", ["optimistic", "central"])
def test_weighted_forms_find_the_best_joint_action(weighting):
    learner = fg.QMIX(falling(100_000), explore=UNIFORM, weighting=weighting)
    result = learnt(fg.games.qtran(), learner)
    assert (result.greedy(0) == 0).all() and (result.greedy(1) == 0).all()
    q_joint = result.tables[0]["q_joint"]
    expected = fg.games.qtran().payoffs[0].reshape(1, 1, 9)
    np.testing.assert_allclose(q_joint, np.broadcast_to(expected, q_joint.shape), atol=1e-6)


@pytest.mark.parametrize(
    "payoffs",
    [
        [[1.0, 5.0], [5.0, 9.0]],  # linear
        [[0.0, 0.0], [0.0, 10.0]],  # convex
        [[0.0, 1.0], [1.0, 1.0]],  # concave
        [[0.0, 10.0], [10.0, 10.0]],
        [[0.0, 1.0], [1.0, 8.0]],
        [[3.0, 1.0, 2.0], [6.0, 1.0, 5.0]],  # monotonic in another order of the actions
    ],
    ids=str,
)
def test_monotonic_games_are_fitted_exactly(payoffs):
    result = learnt(common(payoffs))
    expected = np.broadcast_to(payoffs, (20, *np.shape(payoffs)))
    np.testing.assert_allclose(totals(result), expected, atol=0.05)


def test_vdn_fits_the_monotonic_game_by_a_sum():
    game = common([[0.0, 0.0], [0.0, 10.0]])
    result = learnt(game, fg.VDN(fg.Linear(0.1, 0.0, 100_000), explore=UNIFORM))
    expected = [[-2.5, 2.5], [2.5, 7.5]]
    np.testing.assert_allclose(sums(result).mean(axis=0), expected, atol=0.05)


# 2.1: the other regime, data from play around (B, B)


def around_b(make, alpha, epsilon, steps=100_000):
    """Run a learner that prefers B at first, in the QTRAN game, exploring with epsilon."""
    learner = make(alpha, explore=fg.EpsilonGreedy(epsilon), initial=[0.0, 1.0, 0.0])
    result = learnt(fg.games.qtran(), learner, steps, 100)
    assert (result.greedy(0) != 0).all() and (result.greedy(1) != 0).all()
    return result


@pytest.mark.parametrize(("epsilon", "printed"), [(0.03, -11.9), (0.2, None)])
def test_qmix_drifts_where_the_best_joint_action_is_rare(epsilon, printed):
    """All joint actions with A have one value, the mean of their payoffs as often as played."""
    result = around_b(fg.QMIX, falling(100_000), epsilon)
    a = epsilon / 3.0
    expected = (8.0 * a**2 - 24.0 * a * (1.0 - a)) / (a**2 + 2.0 * a * (1.0 - a))
    learnt_values = totals(result).mean(axis=0)
    np.testing.assert_allclose(learnt_values[0, 1:], expected, atol=0.1)
    np.testing.assert_allclose(learnt_values[1:, 0], expected, atol=0.1)
    np.testing.assert_allclose(learnt_values[1:, 1:], 0.0, atol=0.1)
    if printed:
        assert expected == pytest.approx(printed, abs=0.05)


def test_vdn_drifts_where_the_best_joint_action_is_rare():
    """The least squares are those of means weighted by play, as members choose independently."""
    epsilon = 0.185
    result = around_b(fg.VDN, falling(100_000, 0.05), epsilon)
    a = epsilon / 3.0
    with_a, others = 8.0 * a - 12.0 * (1.0 - a), -12.0 * a
    everyone = a * with_a + (1.0 - a) * others
    both, one = 2.0 * with_a - everyone, with_a + others - everyone
    assert (one, both) == (pytest.approx(-10.1, abs=0.1), pytest.approx(-20.2, abs=0.1))
    learnt_values = sums(result).mean(axis=0)
    np.testing.assert_allclose(learnt_values[0, 0], both, atol=0.1)
    np.testing.assert_allclose(learnt_values[0, 1:], one, atol=0.1)


# 2.3: the two-step game


def earned(result):
    """What the greedy joint actions earn in the two-step game, (replicas,)."""
    game, out = fg.games.two_step(), []
    for r in range(result.replicas):
        state, total_ = 0, 0.0
        while not game.terminal[state]:
            joint = tuple(int(result.greedy(i)[r, state]) for i in range(2))
            total_ += game.rewards[0][(state, *joint)]
            state = int(game.transitions[(state, *joint)])
        out.append(total_)
    return np.array(out)


def test_qmix_earns_8_in_the_two_step_game():
    learner = fg.QMIX(falling(100_000), 1.0, UNIFORM)
    result = learnt(fg.games.two_step(), learner, 100_000)
    limits = {0: [[7.0, 7.0], [8.0, 8.0]], 1: [[7.0, 7.0], [7.0, 7.0]], 2: [[0.0, 1.0], [1.0, 8.0]]}
    for state, limit in limits.items():
        expected = np.broadcast_to(limit, (20, 2, 2))
        np.testing.assert_allclose(totals(result, state), expected, atol=0.05)
    assert (earned(result) == 8.0).all()


def test_vdn_earns_7_in_the_two_step_game():
    learner = fg.VDN(fg.Linear(0.1, 0.0, 100_000), 1.0, UNIFORM)
    result = learnt(fg.games.two_step(), learner, 100_000)
    limits = {0: [[7.0, 7.0], [6.5, 6.5]], 1: [[7.0, 7.0]] * 2, 2: [[-1.5, 2.5], [2.5, 6.5]]}
    for state, limit in limits.items():
        np.testing.assert_allclose(sums(result, state).mean(axis=0), limit, atol=0.05)
    assert (earned(result) == 7.0).all()


@pytest.mark.parametrize("weighting", ["optimistic", "central"])
def test_weighted_forms_earn_8_in_the_two_step_game(weighting):
    learner = fg.QMIX(falling(100_000), 1.0, UNIFORM, weighting=weighting)
    result = learnt(fg.games.two_step(), learner, 100_000)
    assert (earned(result) == 8.0).all()


# beyond figures


def test_a_mixer_of_zeros_learns():
    """Last weights move first, as the units differ in their biases; then all others."""
    zeros = {"first_weights": 0.0, "last_weights": 0.0, "q": 0.5}
    game = common([[0.0, 0.0], [0.0, 10.0]])
    result = learnt(game, start_tables=[zeros, {"q": 0.5}])
    expected = np.broadcast_to([[0.0, 0.0], [0.0, 10.0]], (20, 2, 2))
    np.testing.assert_allclose(totals(result), expected, atol=0.1)


@pytest.mark.parametrize("size", [10.0, 1e3, 1e6, 1e12])
@pytest.mark.parametrize("alpha", [0.02, 1.0])
def test_rewards_may_be_large(size, alpha):
    payoffs = size * np.array([[0.0, 0.0], [0.0, 1.0]])
    learner = fg.QMIX(falling(100_000, alpha, alpha / 200), explore=UNIFORM)
    found = totals(learnt(common(payoffs), learner)) / size
    np.testing.assert_allclose(found, np.broadcast_to(payoffs / size, found.shape), atol=0.01)


@pytest.mark.parametrize("backend", ["numba", "reference"])
def test_a_discount_of_1_needs_an_end(backend):
    game = fg.games.random_markov_game(2, 3, 2, rng=1)
    message = r"gamma of learners\[0\] must be below 1 where episodes do not end, got 1.0$"
    with pytest.raises(ValueError, match=message):
        fg.run(game, fg.QMIX(gamma=1.0), 10, backend=backend)
    fg.run(fg.games.two_step(), fg.QMIX(gamma=1.0), 10, backend=backend)


def test_a_team_whose_joint_observations_exceed_memory():
    game = fg.remember(fg.games.public_goods(3), periods=3)
    message = r"'first_weights' of learners\[0\] must have fewer than 2\^31 entries"
    with pytest.raises(ValueError, match=message):
        fg.run(game, fg.QMIX(), 10)


@pytest.mark.parametrize(
    ("argument", "value", "error", "message"),
    [
        ("alpha", 1.5, ValueError, r"alpha must be in \[0, 1\], got 1.5"),
        ("weight", -0.5, ValueError, r"weight must be in \[0, 1\], got -0.5"),
        ("alpha_joint", 2.0, ValueError, r"alpha_joint must be in \[0, 1\], got 2.0"),
        ("hidden", 0, ValueError, r"hidden must be .*\[1, 1024\], got 0"),
        ("hidden", 2.5, TypeError, r"hidden must be .*\[1, 1024\], got 2.5"),
        (
            "weighting",
            "centre",
            ValueError,
            "weighting must be one of 'none', 'optimistic', 'central', got 'centre'; "
            "did you mean 'central'",
        ),
        ("label", 3, TypeError, "label must be a str, got 3"),
    ],
)
def test_bad_parameters(argument, value, error, message):
    with pytest.raises(error, match=message):
        fg.QMIX(**{argument: value})
