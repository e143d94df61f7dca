"""Credit against closed forms, counting over joint actions and orders, and COMA's advantage."""

import itertools
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from library.equal import assert_same
from library.games import matrix_games

import fastgames as fg
from fastgames.games import MarkovGame, MatrixGame, ProceduralGame, Variants, random_markov_game
from fastgames.games.credit import team_reward
from fastgames.rules.chance import coin, happens

small = matrix_games(agents=st.integers(1, 4), actions=st.integers(1, 3))
CREDITS = {
    "difference": lambda game: fg.difference_rewards(game, 0),
    "aristocrat": fg.aristocrat_rewards,
    "shapley": lambda game: fg.shapley_rewards(game, 0),
}
every_credit = pytest.mark.parametrize("credit", CREDITS.values(), ids=CREDITS)


def joints(game):
    return list(itertools.product(*map(range, game.num_actions)))


def team(game, joint):
    """G: the reward that all share, or the mean."""
    return game.payoffs[(slice(None), *joint)].mean()


def with_actions(joint, changes):
    return tuple(changes.get(i, a) for i, a in enumerate(joint))


def by_orders(worth, agents):
    """Shapley values as defined: the mean marginal contribution over all orders of the agents."""
    values, orders = np.zeros(agents), list(itertools.permutations(range(agents)))
    for order in orders:
        for k, i in enumerate(order):
            values[i] += worth(set(order[: k + 1])) - worth(set(order[:k]))
    return values / len(orders)


def gloves(left=2, right=1):
    """The glove game: action 1 brings the glove, a pair is worth 1."""
    brought = np.indices((2,) * (left + right))
    pairs = np.minimum(brought[:left].sum(axis=0), brought[left:].sum(axis=0))
    return MatrixGame([pairs] * (left + right))


# --- tables ---------------------------------------------------------------------------------------


@given(small, st.data())
def test_difference_rewards(game, data):
    default = [data.draw(st.integers(0, count - 1)) for count in game.num_actions]
    credit = fg.difference_rewards(game, default)
    for joint in joints(game):
        expected = [
            team(game, joint) - team(game, with_actions(joint, {i: default[i]}))
            for i in range(game.num_agents)
        ]
        np.testing.assert_allclose(credit.payoffs[(slice(None), *joint)], expected, atol=1e-12)


@given(small.filter(lambda game: game.num_agents > 1), st.data())
def test_difference_rewards_are_factored(game, data):
    """They rank the own actions as G does, whatever the others do."""
    shared = MatrixGame([game.payoffs[0]] * game.num_agents)
    default = data.draw(st.integers(0, min(game.num_actions) - 1))
    credit = fg.difference_rewards(shared, default).payoffs
    for i in range(game.num_agents):
        for a, b in itertools.combinations(range(game.num_actions[i]), 2):
            change_of_team = np.take(shared.payoffs[i], a, i) - np.take(shared.payoffs[i], b, i)
            change = np.take(credit[i], a, i) - np.take(credit[i], b, i)
            np.testing.assert_allclose(change, change_of_team, atol=1e-12)


@given(small, st.data())
def test_aristocrat_rewards(game, data):
    rng = np.random.default_rng(data.draw(st.integers(0, 999)))
    policies = [rng.dirichlet(np.ones(count)) for count in game.num_actions]
    uniform = [np.full(count, 1 / count) for count in game.num_actions]
    for chosen, credit in (
        (policies, fg.aristocrat_rewards(game, policies)),
        (uniform, fg.aristocrat_rewards(game)),
    ):
        for joint in joints(game):
            expected = [
                team(game, joint)
                - sum(p * team(game, with_actions(joint, {i: b})) for b, p in enumerate(chosen[i]))
                for i in range(game.num_agents)
            ]
            np.testing.assert_allclose(credit.payoffs[(slice(None), *joint)], expected, atol=1e-12)


def test_aristocrat_rewards_are_the_advantages_of_coma():
    """COMA's logits move by alpha A_i (1[a] - pi(a)), with its critic held at G."""
    game, replicas = fg.games.climbing(), 200
    rng = np.random.default_rng(3)
    logits = rng.normal(size=(2, 1, 3)) / 4
    policies = np.exp(logits[:, 0]) / np.exp(logits[:, 0]).sum(axis=-1, keepdims=True)
    result = fg.run(
        game,
        fg.COMA(alpha_actor=1.0, alpha_critic=0.0, gamma=0.0),
        1,
        replicas,
        rng=2,
        record=fg.Record(joint_actions=True),
        start_tables=[
            {"logits": logits[0], "q": game.payoffs[0].reshape(1, 9)},  # of the team
            {"logits": logits[1]},
        ],
    )
    utilities = fg.aristocrat_rewards(game, policies).payoffs
    played = {tuple(np.argwhere(counts)[0]) for counts in result.joint_counts}
    assert len(played) == 9
    for r, counts in enumerate(result.joint_counts):
        joint = tuple(np.argwhere(counts)[0])
        for i, a in enumerate(joint):
            moved = result.tables[i]["logits"][r, 0] - logits[i, 0]
            expected = utilities[i][joint] * (np.eye(3)[a] - policies[i])
            np.testing.assert_allclose(moved, expected, atol=1e-10)


@settings(deadline=None)
@given(small, st.data())
def test_shapley_rewards(game, data):
    default = [data.draw(st.integers(0, count - 1)) for count in game.num_actions]
    credit = fg.shapley_rewards(game, default).payoffs
    for joint in joints(game):

        def worth(members, joint=joint):
            absent = {i: d for i, d in enumerate(default) if i not in members}
            return team(game, with_actions(joint, absent))

        expected = by_orders(worth, game.num_agents)
        found = credit[(slice(None), *joint)]
        np.testing.assert_allclose(found, expected, atol=1e-12)
        whole = team(game, joint) - team(game, tuple(default))  # efficiency
        np.testing.assert_allclose(found.sum(), whole, atol=1e-12)


def test_shapley_rewards_of_the_glove_game():
    credit = fg.shapley_rewards(gloves(), 0).payoffs
    np.testing.assert_allclose(credit[:, 1, 1, 1], [1 / 6, 1 / 6, 2 / 3], rtol=1e-15)
    np.testing.assert_allclose(credit[:, 1, 0, 1], [1 / 2, 0, 1 / 2], rtol=1e-15)
    assert (credit[:, 1, 1, 0] == 0).all()


def test_dummies_get_nothing_and_equals_the_same():
    rng = np.random.default_rng(8)
    one = rng.integers(-9, 9, (3, 3))
    payoff = np.broadcast_to((one + one.T)[:, None, :], (3, 4, 3))  # agent 1 changes nothing
    credit = fg.shapley_rewards(MatrixGame([payoff] * 3), 0).payoffs
    assert (credit[1] == 0).all()
    for a in range(3):
        assert (credit[0, a, :, a] == credit[2, a, :, a]).all()


def test_shapley_rewards_of_many_agents_in_a_table():
    """Every glove of ten lefts and one right, and the closed form for one scarce glove."""
    credit = fg.shapley_rewards(gloves(10, 1), 0).payoffs[(slice(None), *[1] * 11)]
    np.testing.assert_allclose(credit, [1 / 110] * 10 + [10 / 11], rtol=1e-12)


def test_g_is_the_mean_of_rewards_that_differ():
    game = fg.games.prisoners_dilemma()
    credit = fg.difference_rewards(game, default=1)
    mean = (game.payoffs[0] + game.payoffs[1]) / 2
    assert (credit.payoffs[0] == mean - mean[1]).all()
    assert (credit.payoffs[1] == mean - mean[:, 1:]).all()


def test_a_shared_reward_is_exact():
    third = MatrixGame([[[0.1, 0.7], [0.3, 0.0]]] * 2)
    assert fg.difference_rewards(third, 1).payoffs[0, 0, 0] == 0.1 - 0.3
    assert team_reward(np.full(3, 0.1)) == 0.1
    assert team_reward(np.array([1.0, 2.0, 6.0])) == 3.0
    tenths = MatrixGame([np.full((1,) * 3, 0.1)] * 3)  # 0.1 + 0.1 + 0.1 is not 0.3
    assert (fg.difference_rewards(tenths, 0).payoffs == 0.0).all()


# --- Markov games ---------------------------------------------------------------------------------


def state_game(game, state):
    return MatrixGame(game.rewards[:, state])


@every_credit
@pytest.mark.parametrize("agents", [1, 2, 3])
def test_markov_games_have_the_credit_of_every_state(credit, agents):
    game = random_markov_game(agents, 4, 3, rng=5, terminal=1, transitions="random")
    made = credit(game)
    assert type(made) is MarkovGame and made.differs_only_in_rewards(game)
    for s in range(4):
        assert (made.rewards[:, s] == credit(state_game(game, s)).payoffs).all()


@every_credit
def test_an_agent_that_does_not_move_gets_nothing(credit):
    game = random_markov_game(3, 5, 2, rng=1, turns=True, start="random")
    made = credit(game)
    for i, s in itertools.product(range(3), range(5)):
        if game.turns[i, s]:
            assert (made.rewards[i, s] == credit(state_game(game, s)).payoffs[i]).all()
        else:
            assert (made.rewards[i, s] == 0).all()


def test_policies_by_observation():
    game = random_markov_game(2, 4, 3, rng=5, observations=2)
    rng = np.random.default_rng(0)
    policies = [rng.dirichlet(np.ones(3), size=2), rng.dirichlet(np.ones(3))]
    made = fg.aristocrat_rewards(game, policies)
    for s in range(4):
        here = [policies[0][game.observations[0, s]], policies[1]]
        expected = fg.aristocrat_rewards(state_game(game, s), here).payoffs
        assert (made.rewards[:, s] == expected).all()
        mean = np.einsum("ab,a->b", made.rewards[0, s], here[0])  # 0 under the own policy
        np.testing.assert_allclose(mean, 0.0, atol=1e-12)


@every_credit
def test_repeated_games_stay_small_and_keep_their_stage(credit):
    stage = fg.games.prisoners_dilemma()
    made = credit(fg.remember(stage, 3))
    assert made.compact.rewards.shape == (2, 1, 1, 4)
    assert made.stage == credit(stage)
    assert (made.rewards[:, 5] == credit(stage).payoffs).all()


@every_credit
def test_subclasses_become_plain_games(credit):
    alternating = credit(fg.games.AlternatingGame(fg.games.coordination()))
    assert type(alternating) is MarkovGame and alternating.stage is None
    assert pickle.loads(pickle.dumps(alternating)) == alternating
    assert type(credit(fg.games.cournot())) is MatrixGame


@every_credit
def test_variants(credit):
    pair = [fg.games.penalty(k) for k in (-10, -20)]
    made = credit(Variants(pair, [0, 1, 1]))
    assert made == Variants([credit(game) for game in pair], [0, 1, 1])
    bars = [fg.games.el_farol(3, 1), fg.games.el_farol(3, 2)]
    made = credit(fg.ProceduralVariants(bars, [1, 0]))
    assert made == fg.ProceduralVariants([credit(bar) for bar in bars], [1, 0])


# --- games of functions ---------------------------------------------------------------------------


def noisy(turns=False):
    """Three agents; the reward depends on the state, all actions and a coin; the state on all."""

    def start(state, words):
        state[0] = 0

    def step(state, actions, rewards, words):
        total = actions[0] + 2 * actions[1] * actions[2] - state[0] * actions[1]
        for i in range(3):
            rewards[i] = total * total if coin(words[0]) else 3.0 - total + i * state[0]
        state[0] = (state[0] + actions[0] + actions[1] + actions[2]) % 3
        return state[0] == 2

    def observe(state, agent):
        return state[0]

    def moves(state, agent):
        return agent != state[0]

    return ProceduralGame(
        start,
        step,
        observe,
        turns=moves if turns else None,
        num_actions=(2, 3, 2),
        num_observations=(3, 3, 3),
        words=1,
        discount=0.5,
    )


POLICIES = [np.array([[0.5, 0.5], [0.25, 0.75], [1, 0]]), np.array([0.25, 0.5, 0.25]), [0.5, 0.5]]
OF_FUNCTIONS = CREDITS | {
    "difference of many": lambda game: fg.difference_rewards(game, (1, 2, 0)),
    "aristocrat by observation": lambda game: fg.aristocrat_rewards(game, POLICIES),
    "shapley of many": lambda game: fg.shapley_rewards(game, (1, 2, 0)),
}


@pytest.mark.parametrize("turns", [False, True])
@pytest.mark.parametrize("credit", OF_FUNCTIONS.values(), ids=OF_FUNCTIONS)
def test_functions_pay_the_credit_of_their_tables(credit, turns):
    """In each outcome of chance: a game of functions with that coin, as a table."""
    game = noisy(turns)
    made = credit(game)
    moves, plain = made.compact.moves, game.compact.moves
    for s, coin_word in itertools.product(range(2), (0, 2**30)):
        table = np.zeros((3, 2, 3, 2))
        for joint in itertools.product(range(2), range(3), range(2)):
            rewards = np.zeros(3)
            plain.step(np.array([s]), np.array(joint), rewards, np.array([coin_word]))
            table[(slice(None), *joint)] = rewards
        # the table of this state alone, with the agents that move in it
        masks = np.array([[not turns or i != s] for i in range(3)])
        one = MarkovGame(
            np.repeat(table[:, None], 3, axis=1),
            np.zeros((3, 2, 3, 2), int),
            turns=np.repeat(masks, 3, axis=1),
            start=s,
        )
        expected = credit(one).rewards[:, s]
        for joint in itertools.product(range(2), range(3), range(2)):
            if any(a and not m for a, m in zip(joint, masks[:, 0], strict=True)):
                continue  # it cannot be played
            state, rewards, after = np.array([s]), np.full(3, np.nan), np.array([s])
            ended = moves.step(state, np.array(joint), rewards, np.array([coin_word]))
            over = plain.step(after, np.array(joint), np.zeros(3), np.array([coin_word]))
            assert (ended, state[0]) == (over, after[0])  # the play itself is that of the game
            np.testing.assert_allclose(rewards, expected[(slice(None), *joint)], atol=1e-12)


@pytest.mark.parametrize("credit", OF_FUNCTIONS.values(), ids=OF_FUNCTIONS)
def test_compiled_games_give_the_bits_of_interpreted_ones(credit):
    game = credit(noisy(turns=True))
    runs = [
        fg.run(
            game, fg.QLearner(0.1), 60, 3, rng=4, backend=backend, record=fg.Record(rewards=True)
        )
        for backend in ("reference", "numba")
    ]
    assert_same(*runs)


def harvest():
    """Two agents harvest a stock, a real that grows with chance."""

    def start(state, reals, words):
        reals[0] = 1.0

    def step(state, reals, actions, rewards, words):
        taken = 0.1 * (actions[0] + actions[1]) * reals[0]
        rewards[0] = taken
        rewards[1] = taken
        reals[0] -= taken
        reals[0] += (0.8 if happens(words[0], 0.5) else 0.2) * reals[0] * (1.0 - reals[0])
        return False

    def observe(state, reals, agent):
        return min(int(4.0 * reals[0]), 3)

    return ProceduralGame(
        start, step, observe, state_size=0, num_reals=1, real_bounds=[(0.0, 2.0)], words=1,
        num_actions=(3, 3), num_observations=(4, 4), discount=0.5, time_limit=9,
    )  # fmt: skip


@every_credit
def test_games_with_reals(credit):
    game = credit(harvest())
    assert game.num_reals == 1 and game.time_limit == 9
    step, rewards, reals = game.given["step"], np.zeros(2), np.array([0.5])
    step(np.zeros(0, int), reals, np.array([1, 2]), rewards, np.array([0]))
    own = 0.1 * 0.5 * np.array([1.0, 2.0])  # what agents take adds up
    if credit is fg.aristocrat_rewards:
        own -= 0.1 * 0.5 * 1.0  # the mean of 0, 1, 2
    np.testing.assert_allclose(rewards, own, atol=1e-12)
    np.testing.assert_allclose(reals, 0.35 + 0.8 * 0.35 * 0.65)
    runs = [
        fg.run(game, fg.QLearner(0.1), 60, 3, rng=4, backend=backend)
        for backend in ("reference", "numba")
    ]
    assert_same(*runs)


@every_credit
def test_games_of_functions_are_pickled_with_the_game_that_they_are_made_of(credit):
    game = credit(fg.games.el_farol(4, 2))
    again = pickle.loads(pickle.dumps(game))
    assert again == game and game != credit(fg.games.el_farol(4, 3))
    assert hash(again) == hash(game)


def test_credits_of_a_bar():
    """Two of three seats are taken by three agents: each is worth the harm that it does."""
    game = fg.difference_rewards(fg.games.el_farol(4, 2), default=0)
    rewards = np.zeros(4)
    game.compact.moves.step(np.array([0]), np.array([1, 1, 1, 0]), rewards, np.zeros(0, int))
    # G is -3 / 4, and 2 / 4 if one of those that attend stays
    np.testing.assert_allclose(rewards, [-5 / 4] * 3 + [0])


# --- bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize("credit", [fg.difference_rewards, fg.shapley_rewards])
@pytest.mark.parametrize(
    ("default", "kind", "said"),
    [
        (3, ValueError, r"default must be a whole number in \[0, 3\), got 3"),
        (-1, ValueError, r"default must be a whole number in \[0, 3\), got -1"),
        (1.0, TypeError, r"default must be a whole number in \[0, 3\), got 1.0"),
        (None, TypeError, r"default must be a whole number in \[0, 3\), got None"),
        ([0, 3], ValueError, r"default\[1\] must be a whole number in \[0, 3\), got 3"),
        ([0], ValueError, "default must be a whole number, or a sequence of 2 of them"),
        ("01", TypeError, "default must be a whole number, or a sequence of 2 of them"),
    ],
)
def test_defaults_outside_the_actions_are_refused(credit, default, kind, said):
    with pytest.raises(kind, match=f"^{said}"):
        credit(fg.games.climbing(), default)


def test_a_default_that_some_agents_do_not_have_is_refused():
    game = MatrixGame(np.zeros((2, 3, 2)))
    with pytest.raises(ValueError, match=r"^default of agent 1 must be .* in \[0, 2\), got 2"):
        fg.difference_rewards(game, 2)


@pytest.mark.parametrize(
    ("policies", "kind", "said"),
    [
        ([[1, 0, 0]], ValueError, "policies must be one for each of the 2 agents, got 1"),
        ([[1, 0], [1, 0, 0]], ValueError, r"policies\[0\] must have shape \(3,\) or \(1, 3\)"),
        ([[1, 0, 0], [1, 1, 0]], ValueError, r"the sum of policies\[1\] must be 1, up to 1e-06"),
        ([[2, -1, 0], [1, 0, 0]], ValueError, r"policies\[0\] must be at least 0"),
        ([[np.nan, 0, 1], [1, 0, 0]], ValueError, r"policies\[0\] must be at least 0"),
        (["abc", [1, 0, 0]], TypeError, r"policies\[0\] must hold real numbers"),
        (0.5, TypeError, "policies must be one policy for each agent, got 0.5"),
    ],
)
def test_policies_that_are_none_are_refused(policies, kind, said):
    with pytest.raises(kind, match=f"^{said}"):
        fg.aristocrat_rewards(fg.games.climbing(), policies)


@every_credit
def test_what_is_no_game_is_refused(credit):
    with pytest.raises(TypeError, match=r"^game must be a MatrixGame, .* got 3"):
        credit(3)


def test_too_many_coalitions_are_refused():
    with pytest.raises(ValueError, match=r"^game must have at most 16 agents, .* got 17$"):
        fg.shapley_rewards(fg.games.el_farol(17, 3), 0)


@every_credit
def test_differences_beyond_float64_are_refused(credit):
    huge = np.full((2, 3, 3), -1.5e308)
    huge[:, 0, 0] = 1.5e308
    with pytest.raises(ValueError, match=r"^game must have rewards whose differences are finite"):
        credit(MatrixGame(huge))


@every_credit
def test_functions_that_have_changed_are_refused(credit, monkeypatch):
    game = fg.ProceduralGame(
        lambda state, words: None,
        paying_the_price,
        lambda state, agent: 0,
        num_actions=(2, 2),
        num_observations=(1, 1),
    )
    monkeypatch.setitem(globals(), "PRICE", 3.0)
    with pytest.raises(ValueError, match=r"^game must be made of functions .* PRICE"):
        credit(game)


PRICE = 2.0


def paying_the_price(state, actions, rewards, words):
    rewards[0] = PRICE
    rewards[1] = PRICE
    return False
