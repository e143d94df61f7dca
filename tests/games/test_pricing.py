"""Markets against printed figures, closed forms, first-order conditions and brute force."""

import doctest
import itertools
import math
import pickle

import mpmath
import numpy as np
import published
import pytest
from library.processes import output_of
from scipy import optimize

from fastgames import rules
from fastgames.games import (
    Benchmark,
    MarketGame,
    MatrixGame,
    PricingGame,
    Variants,
    cournot,
    homogeneous_bertrand,
    linear_bertrand,
    logit_bertrand,
    pricing,
    remember,
)
from fastgames.games.catalogue import _logit

PRINTED = dict(rtol=0.0, atol=5.01e-6)  # five decimals

# Nash and monopoly prices of the experiments of Calvano et al. (2020, see docs/published.md), as in
# the parameter files that the authors published with the paper. (Theirs for mu = .01 has the
# monopoly price 1.95452, that of one firm alone. Lambert's W gives 1.96138 for two, see below.)
CALVANO = [
    # Table IV, costs
    ({}, 1.47293, 1.92498),
    ({"c": [1, 0.875]}, [1.44135, 1.39588], [1.97674, 1.85174]),
    ({"c": [1, 0.75]}, [1.4142, 1.32539], [2.04051, 1.79051]),
    ({"c": [1, 0.625]}, [1.39133, 1.26145], [2.11503, 1.74003]),
    ({"c": [1, 0.5]}, [1.37233, 1.20377], [2.1984, 1.6984]),
    ({"c": [1, 0.25]}, [1.34369, 1.10519], [2.38411, 1.63411]),
    # Table A5, qualities
    ({"a": [2, 2.125]}, [1.44135, 1.52088], 1.97674),
    ({"a": [2, 2.25]}, [1.4142, 1.57539], 2.04051),
    ({"a": [2, 2.375]}, [1.39133, 1.63645], 2.11503),
    ({"a": [2, 2.5]}, [1.37233, 1.70377], 2.1984),
    ({"a": [2, 2.75]}, [1.34369, 1.85519], 2.38411),
    # Table A6, outside goods
    ({"a0": -0.25}, 1.48865, 2.11343),
    ({"a0": -0.1}, 1.48064, 1.99898),
    ({"a0": 0.1}, 1.46293, 1.85312),
    ({"a0": 0.25}, 1.44331, 1.75),
    # Table A8, differentiation
    ({"mu": 0.5}, 1.79947, 2.18741),
    ({"mu": 0.45}, 1.73858, 2.12768),
    ({"mu": 0.4}, 1.6767, 2.07058),
    ({"mu": 0.35}, 1.61297, 2.01694),
    ({"mu": 0.3}, 1.54588, 1.96786),
    ({"mu": 0.2}, 1.39092, 1.89074),
    ({"mu": 0.15}, 1.29862, 1.86891),
    ({"mu": 0.1}, 1.19997, 1.86575),
    ({"mu": 0.05}, 1.1, 1.89339),
    # Table A7, three firms
    ({"firms": 3}, 1.37016, 2.0),
]

# Parameters of games with 2 to 4 firms that differ in everything.
ODD = [
    {"firms": 2, "a": [2.3, 1.9], "c": [0.9, 1.2], "a0": 0.3, "mu": 0.31},
    {"firms": 3, "a": [2.0, 2.5, 1.0], "c": [1.0, 0.2, 0.7], "a0": -0.5, "mu": 0.2},
    {"firms": 4, "a": [1.0, 2.0, 3.0, 2.5], "c": [0.5, 1.5, 1.0, 2.0], "a0": 1.0, "mu": 0.6},
]


def logit_quantities(p, a, a0, mu):
    """The demand as the paper writes it."""
    e = np.exp((np.asarray(a) - p) / mu)
    return e / (e.sum() + math.exp(a0 / mu))


def logit_profits(p, firms, a, c, a0, mu):
    return (p - np.asarray(c)) * logit_quantities(p, a, a0, mu)


def slopes(f, x, h=1e-5):
    """The derivatives of f, (len(f), len(x)), by central differences."""
    steps = h * np.eye(len(x))
    return np.stack([(f(x + s) - f(x - s)) / (2 * h) for s in steps], axis=-1)


# --- logit --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("parameters", "nash", "monopoly"), CALVANO)
def test_logit_prices_as_published(parameters, nash, monopoly):
    game = logit_bertrand(**parameters)
    np.testing.assert_allclose(game.nash.prices, np.broadcast_to(nash, game.num_agents), **PRINTED)
    np.testing.assert_allclose(
        game.monopoly.prices, np.broadcast_to(monopoly, game.num_agents), **PRINTED
    )


def test_logit_profits_as_published():
    game = logit_bertrand()
    for name, found in (("Nash", game.nash), ("monopoly", game.monopoly)):
        expected = published.CALVANO[f"profit at the {name} price"]
        np.testing.assert_allclose(found.profits, [expected] * 2, **PRINTED)
    assert game.num_actions == (15, 15)
    # The paper's grid, from its rounded prices: 4e-6 from the exact one.
    ends = published.CALVANO["lowest and highest price of the grid"]
    np.testing.assert_allclose(game.prices[0][[0, -1]], ends, rtol=0, atol=1e-5)


@pytest.mark.parametrize("odd", ODD)
def test_logit_benchmarks_satisfy_the_first_order_conditions(odd):
    game = logit_bertrand(prices=2, **odd)

    def profits(p):
        return logit_profits(p, **odd)

    for found in (game.nash, game.monopoly):
        q = logit_quantities(found.prices, odd["a"], odd["a0"], odd["mu"])
        np.testing.assert_allclose(found.quantities, q, rtol=1e-12)
        np.testing.assert_allclose(found.profits, profits(found.prices), rtol=1e-12)
    own = np.diagonal(slopes(profits, game.nash.prices))
    np.testing.assert_allclose(own, 0.0, atol=1e-9)
    joint = slopes(profits, game.monopoly.prices).sum(axis=0)
    np.testing.assert_allclose(joint, 0.0, atol=1e-9)
    # The closed form of the first: p - c = mu / (1 - q).
    np.testing.assert_allclose(
        game.nash.prices - odd["c"], odd["mu"] / (1 - game.nash.quantities), rtol=1e-12
    )


@pytest.mark.parametrize("odd", ODD)
def test_logit_benchmarks_are_global(odd):
    """Scipy finds the same Nash prices; no price of a firm, nor of all together, pays more."""
    game = logit_bertrand(prices=2, **odd)
    cost, n = np.array(odd["c"]), odd["firms"]

    def conditions(p):
        q = logit_quantities(p, odd["a"], odd["a0"], odd["mu"])
        return (p - cost) * (1 - q) - odd["mu"]

    for start in (cost + odd["mu"], game.monopoly.prices, cost + 1.0):
        found = optimize.root(conditions, start, tol=1e-13)
        assert found.success
        np.testing.assert_allclose(game.nash.prices, found.x, rtol=1e-9)
    for i, price in itertools.product(range(n), np.linspace(0.0, 8.0, 2001)):
        p = game.nash.prices.copy()
        p[i] = price
        assert logit_profits(p, **odd)[i] <= game.nash.profits[i] + 1e-14
    most = game.monopoly.profits.sum()
    starts = np.random.default_rng(1).uniform(0.5, 5.0, (6, n))
    starts[0] = game.nash.prices
    for k, start in enumerate(starts):  # from afar some end where one firm sells nothing
        found = optimize.minimize(lambda p: -logit_profits(p, **odd).sum(), start, tol=1e-12)
        assert -found.fun <= most + 1e-12
        assert k > 0 or -found.fun == pytest.approx(most, rel=1e-9)


@pytest.mark.parametrize("odd", ODD)
def test_logit_payoffs_cell_by_cell(odd):
    grids = [np.linspace(0.5 + i, 2.5 + i, 3 + i) for i in range(odd["firms"])]
    game = logit_bertrand(prices=grids, **odd)
    assert game.num_actions == tuple(len(grid) for grid in grids)
    for cell in itertools.product(*map(range, game.num_actions)):
        p = np.array([grid[k] for grid, k in zip(grids, cell, strict=True)])
        np.testing.assert_allclose(
            game.payoffs[(slice(None), *cell)], logit_profits(p, **odd), rtol=1e-13
        )


@pytest.mark.parametrize(("mu", "prices"), [(0.05, 15), (0.001, [1.0, 1.72, 2.0])])
def test_logit_payoffs_have_the_bits_of_the_rules(mu, prices):
    """Every cell by our own exp, in the order of the docstring: the same on every CPU."""
    game = logit_bertrand(2, prices, mu=mu, c=[1.0, 0.5], a0=0.3)
    for cell in itertools.product(*map(range, game.num_actions)):
        p = [grid[k] for grid, k in zip(game.prices, cell, strict=True)]
        u = [(2.0 - 0.3 - price) / mu for price in p]
        peak = max(0.0, *u)
        weights = [rules.exponential.exp(x - peak, np.float64) for x in u]
        total = rules.exponential.exp(np.float64(-peak), np.float64) + weights[0] + weights[1]
        expected = [
            (price - cost) * (w / total)
            for price, cost, w in zip(p, (1.0, 0.5), weights, strict=True)
        ]
        assert game.payoffs[(slice(None), *cell)].tolist() == expected


@pytest.mark.parametrize("xi", [0.0, 0.1, 0.5])
@pytest.mark.parametrize("odd", ODD)
def test_logit_grids(odd, xi):
    game = logit_bertrand(prices=6, xi=xi, **odd)
    for i, grid in enumerate(game.prices):
        low, high = game.nash.prices[i], game.monopoly.prices[i]
        expected = [low - xi * (high - low) + k / 5 * (1 + 2 * xi) * (high - low) for k in range(6)]
        np.testing.assert_allclose(grid, expected, rtol=1e-14)


def test_one_grid_for_all_firms():
    game = logit_bertrand(3, [1.0, 1.5, 2.0])
    assert [grid.tolist() for grid in game.prices] == [[1.0, 1.5, 2.0]] * 3
    assert game.payoffs[1, 0, 2, 1] == pytest.approx(
        logit_profits(np.array([1, 2, 1.5]), 3, [2] * 3, [1] * 3, 0, 0.25)[1], rel=1e-13
    )


@pytest.mark.parametrize("mu", ["0.0001", "0.001", "0.01", "0.25", "1000"])
def test_logit_at_the_extremes(mu):
    """No overflow (warnings are errors); prices as mpmath has them, monopoly by Lambert's W."""
    game = logit_bertrand(mu=float(mu))
    with mpmath.workdps(40):
        scale = mpmath.mpf(mu)
        together = 1 + scale * (1 + mpmath.lambertw(2 * mpmath.exp(1 / scale - 1)))

        def condition(p):
            return p - 1 - scale / (1 - 1 / (2 + mpmath.exp((p - 2) / scale)))

        alone = mpmath.findroot(condition, (1 + scale, 1 + 2 * scale), solver="anderson")
    np.testing.assert_allclose(game.monopoly.prices, float(together), rtol=1e-13)
    np.testing.assert_allclose(game.nash.prices, float(alone), rtol=1e-13)
    assert np.isfinite(game.payoffs).all()


def test_logit_with_hardly_any_differentiation():
    """No overflow for any mu: the lower price takes the market if it is below a."""
    game = logit_bertrand(prices=[0.0, 1.5, 10.0], mu=1e-300)
    expected = [[-0.5, -1.0, -1.0], [0.0, 0.25, 0.5], [0.0, 0.0, 0.0]]
    assert game.payoffs.tolist() == [expected, np.transpose(expected).tolist()]
    assert game.nash.prices.tolist() == [1.0, 1.0]
    assert game.monopoly.prices == pytest.approx([2.0, 2.0])


def test_logit_with_a_firm_far_ahead():
    """The weak firm sells next to nothing, the strong one charges what it would alone."""
    game = logit_bertrand(prices=[1.0, 2.0], a=[2.0, -20.0])
    alone = optimize.brentq(
        lambda p: (p - 1) * (1 - 1 / (1 + math.exp((p - 2) / 0.25))) - 0.25, 1.0, 5.0, xtol=1e-14
    )
    np.testing.assert_allclose(game.nash.prices, [alone, 1.25], rtol=1e-12)


def test_logit_says_when_it_does_not_converge(monkeypatch):
    monkeypatch.setattr(_logit, "_MAX_ROUNDS", 3)
    with pytest.raises(RuntimeError, match="Nash prices were not found in 3 rounds"):
        logit_bertrand()


# --- linear -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gamma", "nash"),  # the parameter file of Table A12 of Calvano et al. (2020)
    [
        (0.01, 0.497487),
        (0.1, 0.473684211),
        (0.25, 0.428571429),
        (0.5, 0.333333333),
        (0.75, 0.2),
        (0.9, 0.090909091),
        (0.99, 0.00990099),
    ],
)
def test_linear_prices_as_published(gamma, nash):
    game = linear_bertrand(gamma=gamma)
    np.testing.assert_allclose(game.nash.prices, nash, atol=5e-7)
    np.testing.assert_allclose(game.monopoly.prices, 0.5)
    gap = 0.5 - nash
    np.testing.assert_allclose(
        game.prices[0][[0, -1]], [max(nash - 0.1 * gap, 0.0), 0.5 + 0.1 * gap], atol=1e-6
    )


LINEAR = [
    (0.5, [1.0, 1.0], [0.0, 0.0]),
    (0.9, [1.0, 1.0], [0.2, 0.2]),
    (0.6, [1.5, 1.2], [0.3, 0.1]),
    (0.3, [1.0, 2.0], [0.5, 1.1]),
]


def linear_quantities(p, a, gamma):
    """Return the quantities that maximise consumers' utility, by trying all sets of sellers."""

    def utility(q):
        return np.dot(np.subtract(a, p), q) - np.dot(q, q) / 2 - gamma * q[0] * q[1]

    both = np.linalg.solve([[1, gamma], [gamma, 1]], np.subtract(a, p))
    options = [(a[0] - p[0], 0.0), (0.0, a[1] - p[1]), tuple(both), (0.0, 0.0)]
    return np.array(max((q for q in options if min(q) >= 0.0), key=utility))


@pytest.mark.parametrize(("gamma", "a", "c"), LINEAR)
def test_linear_payoffs_cell_by_cell(gamma, a, c):
    grid = np.linspace(0.0, 2.5, 26)  # from free to more than anybody pays
    game = linear_bertrand(grid, gamma=gamma, a=a, c=c)
    sellers = set()
    for cell in itertools.product(range(26), repeat=2):
        p = grid[list(cell)]
        q = linear_quantities(p, a, gamma)
        sellers.add(tuple(q > 1e-12))
        np.testing.assert_allclose(game.payoffs[(slice(None), *cell)], (p - c) * q, atol=1e-13)
    assert len(sellers) == 4  # every case occurs


@pytest.mark.parametrize(("gamma", "a", "c"), LINEAR)
def test_linear_benchmarks(gamma, a, c):
    game = linear_bertrand(gamma=gamma, a=a, c=c)

    def profits(p):
        return (p - np.array(c)) * linear_quantities(p, a, gamma)

    for found in (game.nash, game.monopoly):
        np.testing.assert_allclose(found.quantities, linear_quantities(found.prices, a, gamma))
        np.testing.assert_allclose(found.profits, profits(found.prices))
    np.testing.assert_allclose(np.diagonal(slopes(profits, game.nash.prices)), 0.0, atol=1e-9)
    np.testing.assert_allclose(slopes(profits, game.monopoly.prices).sum(axis=0), 0.0, atol=1e-9)
    for i, price in itertools.product((0, 1), np.linspace(0.0, 2.5, 1001)):
        p = game.nash.prices.copy()
        p[i] = price
        assert profits(p)[i] <= game.nash.profits[i] + 1e-14
    best = max(
        profits(np.array(p)).sum() for p in itertools.product(np.linspace(0, 2.5, 101), repeat=2)
    )
    assert best <= game.monopoly.profits.sum() + 1e-14


# --- homogeneous --------------------------------------------------------------------------------


@pytest.mark.parametrize("firms", [2, 3, 4])
def test_homogeneous_payoffs_cell_by_cell(firms):
    grid = [1.0, 2.0, 3.0, 5.0, 6.0]
    game = homogeneous_bertrand(firms, grid, cost=2.0, reservation=5.0)
    for cell in itertools.product(range(5), repeat=firms):
        p = [grid[k] for k in cell]
        sellers = [i for i in range(firms) if p[i] == min(p) and p[i] <= 5.0]
        expected = [(p[i] - 2.0) / len(sellers) if i in sellers else 0.0 for i in range(firms)]
        assert game.payoffs[(slice(None), *cell)].tolist() == expected


def test_homogeneous_grid_of_asker_fershtman_pakes():
    """The final prices that Asker et al. (2022) print are the next ones above the cost."""
    (prices, _) = homogeneous_bertrand().prices
    assert (len(prices), prices[0], prices[-1]) == (100, 0.01, 10.0)
    printed = sorted({*published.ASKER["final price of 2, 3 and 4 firms"]})
    assert prices[prices > 2.0][:2].round(2).tolist() == printed
    assert prices[prices < 2.0][-1].round(2) == 1.93


@pytest.mark.parametrize("firms", [2, 3, 4, 5])
def test_homogeneous_equilibria_are_where_synchronous_learning_ends(firms):
    """The final prices that Asker et al. (2022) print are all prices of an equilibrium."""
    some, of_five = published.ASKER.figures.values()
    prices = [of_five] if firms == 5 else sorted({*some})
    near_cost = homogeneous_bertrand().prices[0][16:26]
    game = homogeneous_bertrand(firms, near_cost)
    above = [cell for cell in game.pure_equilibria() if near_cost[min(cell)] > 2.0]
    assert all(len(set(cell)) == 1 for cell in above)
    assert [near_cost[cell[0]].round(2) for cell in above] == prices


@pytest.mark.parametrize("firms", [2, 3, 4])
def test_homogeneous_benchmarks(firms):
    game = homogeneous_bertrand(firms, 5, cost=1.5, reservation=4.0)
    assert game.nash.prices.tolist() == [1.5] * firms
    assert game.nash.profits.tolist() == [0.0] * firms
    assert game.monopoly.prices.tolist() == [4.0] * firms
    np.testing.assert_allclose(game.monopoly.profits, 2.5 / firms)
    for found in (game.nash, game.monopoly):
        np.testing.assert_allclose(found.quantities, 1.0 / firms)
    assert game.payoffs.sum(axis=0).max() == pytest.approx(game.monopoly.profits.sum())


# --- Cournot ------------------------------------------------------------------------------------


@pytest.mark.parametrize("firms", [2, 3, 4])
def test_cournot_payoffs_cell_by_cell(firms):
    costs = [4.0, 1.0, 0.0, 2.0][:firms]
    game = cournot(firms, 5, intercept=8.0, slope=0.5, cost=costs)
    assert [grid.tolist() for grid in game.choices] == [[0.0, 4.0, 8.0, 12.0, 16.0]] * firms
    for cell in itertools.product(range(5), repeat=firms):
        q = [4.0 * k for k in cell]
        price = max(8.0 - 0.5 * sum(q), 0.0)
        expected = [(price - cost) * sold for cost, sold in zip(costs, q, strict=True)]
        assert game.payoffs[(slice(None), *cell)].tolist() == expected


def test_cournot_of_waltman_and_kaymak():
    game = cournot()
    assert game.choices[0].tolist() == list(range(41))
    printed = published.WALTMAN["joint quantity and joint profit at the Nash equilibrium"]
    assert (game.nash.quantities.sum(), game.nash.profits.sum()) == pytest.approx(printed)
    assert game.payoffs[:, 12, 12].tolist() == [144.0, 144.0]
    assert game.payoffs[:, 40, 40].tolist() == [-160.0, -160.0]
    assert (12, 12) in game.pure_equilibria()
    # The best that the two can do together: half of the market, for any parts.
    assert game.monopoly.quantities.sum() == pytest.approx(18.0)
    assert game.monopoly.profits.sum() == game.payoffs.sum(axis=0).max() == 324.0


@pytest.mark.parametrize("firms", [2, 3, 4, 5])
def test_cournot_closed_forms(firms):
    game = cournot(firms, 2, intercept=10.0, slope=2.0, cost=1.0)
    np.testing.assert_allclose(game.nash.quantities, 9.0 / (2.0 * (firms + 1)))
    np.testing.assert_allclose(game.nash.prices, (10.0 + firms) / (firms + 1))
    np.testing.assert_allclose(game.nash.profits, 81.0 / (2.0 * (firms + 1) ** 2))
    np.testing.assert_allclose(game.monopoly.quantities, 9.0 / 4.0 / firms)
    np.testing.assert_allclose(game.monopoly.profits, 81.0 / 8.0 / firms)


@pytest.mark.parametrize(
    "costs", [[4.0, 1.0], [1.0, 9.0], [3.0, 1.0, 3.0], [7.0, 2.0, 0.0, 6.5], [2.0, 1.0, 1.0, 1.0]]
)
def test_cournot_with_different_costs(costs):
    """Nash: best responses by scipy, one firm after another; some may not sell at all."""
    game = cournot(len(costs), 2, intercept=10.0, slope=0.5, cost=costs)

    def profit(q, i):
        return (10.0 - 0.5 * sum(q) - costs[i]) * q[i]

    q = np.zeros(len(costs))
    for i in itertools.islice(itertools.cycle(range(len(costs))), 60 * len(costs)):

        def loss(x, i=i):
            return -profit([*q[:i], x, *q[i + 1 :]], i)

        q[i] = optimize.minimize_scalar(loss, bounds=(0, 20), options={"xatol": 1e-10}).x
    np.testing.assert_allclose(game.nash.quantities, q, atol=1e-5)
    np.testing.assert_allclose(game.nash.prices, 10.0 - 0.5 * q.sum(), atol=1e-5)
    np.testing.assert_allclose(
        game.nash.profits, [profit(game.nash.quantities, i) for i in range(len(costs))], atol=1e-12
    )
    # Monopoly: only the lowest cost is worth paying; its firms share.
    least = min(costs)
    best = optimize.minimize_scalar(lambda x: -(10.0 - 0.5 * x - least) * x, bounds=(0, 20))
    assert game.monopoly.profits.sum() == pytest.approx(-best.fun)
    parts = [(cost == least) / costs.count(least) * best.x for cost in costs]
    np.testing.assert_allclose(game.monopoly.quantities, parts, atol=1e-5)


# --- all of them --------------------------------------------------------------------------------

MAKERS = {
    logit_bertrand: PricingGame,
    linear_bertrand: PricingGame,
    homogeneous_bertrand: PricingGame,
    cournot: MarketGame,
}


@pytest.mark.parametrize("make", MAKERS)
def test_markets_are_immutable_matrix_games(make):
    game = make()
    assert type(game) is MAKERS[make]
    assert isinstance(game, MatrixGame)
    for name in ("choices", "nash", "monopoly", "prices", "payoffs"):
        with pytest.raises(AttributeError):
            setattr(game, name, None)
    for found in (game.nash, game.monopoly):
        with pytest.raises(AttributeError):
            found.prices = None
        assert not found.prices.flags.writeable
        assert not found.quantities.flags.writeable
        assert not found.profits.flags.writeable
    assert not any(grid.flags.writeable for grid in game.choices)


@pytest.mark.parametrize("make", MAKERS)
def test_markets_survive_pickling(make):
    game = make()
    other = pickle.loads(pickle.dumps(game))
    assert type(other) is type(game)
    assert (other, hash(other)) == (game, hash(game))
    for one, two in zip(game.choices, other.choices, strict=True):
        assert one.tolist() == two.tolist()
        assert not two.flags.writeable
    for name in ("nash", "monopoly"):
        one, two = getattr(game, name), getattr(other, name)
        for part in ("prices", "quantities", "profits"):
            assert getattr(one, part).tolist() == getattr(two, part).tolist()
            assert not getattr(two, part).flags.writeable


def test_markets_compare_by_content():
    assert logit_bertrand() == logit_bertrand(c=[1.0, 1.0])
    assert logit_bertrand() != logit_bertrand(mu=0.3)


@pytest.mark.parametrize("make", MAKERS)
def test_games_of_a_sweep_are_variants_of_each_other(make):
    """If prices depend on the parameters, numbers name the actions; each game has its prices."""
    other = {logit_bertrand: {"mu": 0.3}, linear_bertrand: {"gamma": 0.3}}.get(make, {"cost": 1.0})
    games = make(), make(**other)
    for given in (games, [remember(game) for game in games]):
        variants = Variants(given, [0, 1])
        if games[0].actions == games[1].actions:
            assert variants.actions == games[0].actions
        else:
            numbers = tuple(tuple(map(str, range(count))) for count in games[0].num_actions)
            assert variants.actions == numbers
        for one, game in zip(variants.games, games, strict=True):
            stage = getattr(one, "stage", one)
            assert all(map(np.array_equal, stage.choices, game.choices))


@pytest.mark.parametrize("make", MAKERS)
def test_actions_are_named_by_what_they_stand_for(make):
    """To a twentieth of a step, all of them different, in the order of the numbers."""
    game = make()
    for names, choices in zip(game.actions, game.choices, strict=True):
        assert len(set(names)) == len(names)
        found = np.array([float(name) for name in names])
        assert abs(found - choices).max() <= np.diff(choices).min() / 20
    assert remember(game).stage is game
    assert remember(game).actions == game.actions
    assert pickle.loads(pickle.dumps(remember(game))).stage == game


def test_names_of_prices_as_they_were_printed():
    assert logit_bertrand(prices=[1.0, 1.5, 2.0]).actions[0] == ("1.0", "1.5", "2.0")
    assert logit_bertrand(prices=[1, 2, 10]).actions[1] == ("1", "2", "10")
    near = [1.0, np.nextafter(1.0, 2.0)]
    assert len(set(logit_bertrand(prices=near).actions[0])) == 2
    named = MarketGame(
        np.zeros((2, 2, 2)), [[0, 1], [0, 1]], *[Benchmark([1, 2], [3, 4], [5, 6])] * 2,
        actions=[["low", "high"]] * 2,
    )  # fmt: skip
    assert named.actions == (("low", "high"),) * 2


def test_a_market_of_your_own():
    outcome = Benchmark([1, 2], [3, 4], [5, 6])
    game = MarketGame(np.zeros((2, 2, 3)), [[0, 1], [0, 1, 2]], outcome, outcome, name="mine")
    assert game.choices[1].tolist() == [0.0, 1.0, 2.0]
    assert game.nash.profits.dtype == np.float64
    assert not hasattr(game, "prices")
    three = Benchmark([1, 2, 3], [3, 4, 3], [5, 6, 3])
    for argument, arguments in (
        ("choices", ([[0, 1], [0, 1]], outcome, outcome)),
        ("choices", ([[0, 1]], outcome, outcome)),
        (r"choices\[1\]", ([[0, 1], [0, 2, 1]], outcome, outcome)),
        ("nash", ([[0, 1], [0, 1, 2]], three, outcome)),
        ("monopoly", ([[0, 1], [0, 1, 2]], outcome, three)),
    ):
        with pytest.raises(ValueError, match=argument):
            MarketGame(np.zeros((2, 2, 3)), *arguments)
    with pytest.raises(TypeError, match="nash must be a Benchmark"):
        MarketGame(np.zeros((2, 2, 3)), [[0, 1], [0, 1, 2]], None, outcome)


BAD = [
    (logit_bertrand, {"firms": 1}, ValueError, r"firms must be a whole number in \[2, 20\], got 1"),
    (logit_bertrand, {"firms": 2.0}, TypeError, "firms must be a whole number in .* got 2.0"),
    (logit_bertrand, {"prices": 1}, ValueError, r"prices must be a whole number in \[2"),
    (logit_bertrand, {"prices": 15.0}, TypeError, "prices must be a whole number"),
    (logit_bertrand, {"prices": "15"}, TypeError, "prices must be a number, an array"),
    (logit_bertrand, {"prices": []}, ValueError, "prices must be .* got 0"),
    (
        logit_bertrand,
        {"prices": [2.0, 1.0]},
        ValueError,
        "prices must be finite and strictly ascending",
    ),
    (logit_bertrand, {"prices": [1.0, 1.0]}, ValueError, "finite and strictly ascending"),
    (logit_bertrand, {"prices": [1.0, np.inf]}, ValueError, "prices must be finite"),
    (logit_bertrand, {"prices": [[1, 2]] * 3}, ValueError, "2 arrays, got 3"),
    (logit_bertrand, {"prices": [[1, 2], []]}, ValueError, r"prices\[1\] must have shape"),
    (logit_bertrand, {"prices": [[1, 2], [[1, 2]]]}, ValueError, r"prices\[1\] must have shape"),
    (logit_bertrand, {"prices": ["a", "b"]}, TypeError, r"prices\[0\] must hold real numbers"),
    (logit_bertrand, {"a": [1, 2, 3]}, ValueError, r"a must be .* shape \(2,\), .* \(3,\)"),
    (logit_bertrand, {"a": math.nan}, ValueError, "a must be finite"),
    (logit_bertrand, {"c": "1"}, TypeError, "c must be real numbers"),
    (logit_bertrand, {"a0": [0.0]}, TypeError, "a0 must be a finite number"),
    (logit_bertrand, {"a0": -math.inf}, ValueError, "a0 must be a finite number"),
    (logit_bertrand, {"mu": 0.0}, ValueError, r"mu must be a number in \(0, inf\), got 0.0"),
    (logit_bertrand, {"mu": 1e-309}, ValueError, "mu must be large enough for a finite"),
    (logit_bertrand, {"xi": -0.1}, ValueError, r"xi must be a number in \[0, inf\), got -0.1"),
    (logit_bertrand, {"a": -200.0}, ValueError, "a, c, a0, mu, xi must leave room for 15 prices"),
    (logit_bertrand, {"firms": 20}, ValueError, r"prices must make at most 2\^29 payoffs"),
    (logit_bertrand, {"prices": 2**28}, ValueError, r"prices must make at most 2\^29 payoffs"),
    (linear_bertrand, {"gamma": 0.0}, ValueError, r"gamma must be a number in \(0, 1\)"),
    (linear_bertrand, {"gamma": 1.0}, ValueError, r"gamma must be a number in \(0, 1\)"),
    (linear_bertrand, {"a": [1.0, 0.5]}, ValueError, "a and c must satisfy .* gamma = 0.5"),
    (linear_bertrand, {"xi": math.nan}, ValueError, "xi must be a number in"),
    (homogeneous_bertrand, {"cost": 10.0}, ValueError, "cost must be below reservation, 10.0"),
    (homogeneous_bertrand, {"lowest": 11}, ValueError, "lowest must be below reservation"),
    (homogeneous_bertrand, {"cost": [1, 2]}, TypeError, "cost must be a finite number"),
    (homogeneous_bertrand, {"firms": 5}, ValueError, r"at most 2\^29 .* 5 agents"),
    (cournot, {"cost": 40.0}, ValueError, r"cost must be in \[0, 40.0\), got 40.0"),
    (cournot, {"cost": [1, -1]}, ValueError, r"cost must be in \[0, 40.0\), got -1.0 at index 1"),
    (cournot, {"slope": 0.0}, ValueError, r"slope must be a number in \(0, inf\)"),
    (cournot, {"intercept": -1.0}, ValueError, r"intercept must be a number in \(0, inf\)"),
    (cournot, {"quantities": [-1, 0]}, ValueError, "quantities must be at least 0"),
    (cournot, {"quantities": 1}, ValueError, r"quantities must be a whole number in \[2"),
]


@pytest.mark.parametrize(("make", "arguments", "error", "message"), BAD)
def test_bad_parameters(make, arguments, error, message):
    with pytest.raises(error, match=message):
        make(**arguments)


def test_markets_need_no_scipy():
    program = """
import sys
from fastgames.games import cournot, first_price_auction, klein, linear_bertrand, logit_bertrand
for make in (logit_bertrand, linear_bertrand, cournot, klein, first_price_auction):
    make()
assert not {"scipy", "numba"} & set(sys.modules)
"""
    output_of(program, timeout=60)


def test_docstrings():
    done = doctest.testmod(pricing)
    assert done.attempted > 0
    assert done.failed == 0
