"""Games with turns: learners against Shapley's iteration, linear algebra and Bouton's nim."""

import itertools

import numpy as np
import pytest
from library.values import value_of

import fastgames as fg
from fastgames import jit
from fastgames.games.turns import playable
from fastgames.learners import coma, minimax, value_decomposition
from fastgames.rules.outcome import Outcome, TeamOutcome

GAMMA = 0.9


def played(game):
    """The joint actions that can be played in each state, as index arrays (rows, columns)."""
    for moves in game.turns.T:
        yield np.ix_(
            *(np.arange(n if m else 1) for n, m in zip(game.num_actions, moves, strict=True))
        )


def iterated(game, value, sweeps=600):
    """The fixed point of v[s] = value(s, payoffs of the joint actions that can be played)."""
    values = np.zeros(game.num_states)
    following = game.transitions
    for _ in range(sweeps):
        onward = np.where(game.terminal, 0.0, values)
        values = np.array(
            [
                value(s, (game.rewards[0, s] + game.discount * onward[following[s]])[cells])
                for s, cells in enumerate(played(game))
            ]
        )
    return values


def random_game(signs, seed, states, shape, turns, terminal=0, **more):
    """A game without chance that visits every state: short episodes from any of them.

    signs: each agent's reward, in units of agent 0's
    """
    rng = np.random.default_rng(seed)
    rewards = rng.normal(size=(states, *shape))
    ends = np.arange(states) < terminal
    return fg.MarkovGame(
        [sign * rewards for sign in signs], rng.integers(0, states, (states, *shape)), GAMMA,
        ~ends / (~ends).sum(), ends, turns=turns, **{"time_limit": 7} | more,
    )  # fmt: skip


def zero_sum(*args):
    """A random zero-sum game."""
    return random_game((1, -1), *args)


# --- minimax-Q ------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", ["reference", "numba"])
@pytest.mark.parametrize(
    ("turns", "terminal"),
    [([0, 1, 0, 1, 1], 0), ([1, 0, 1, 0, 1], 2), ([0, 1, -1, -1, 1], 1)],
    ids=["alternating", "ending", "together, too"],
)
def test_minimax_q_has_the_values_of_shapley(turns, terminal, backend):
    """With steps of size 1 and no chance it is asynchronous value iteration."""
    game = zero_sum(3, 5, (3, 2), turns, terminal)
    values = iterated(game, lambda s, payoffs: value_of(payoffs))
    learner = fg.MinimaxQ(alpha=1.0, epsilon=1.0)
    result = fg.run(game, learner, 6000, 2, rng=1, backend=backend)
    for agent, sign in enumerate((1, -1)):
        found = result.tables[agent]["value"][:, ~game.terminal]
        expected = np.broadcast_to(sign * values[~game.terminal], found.shape)
        np.testing.assert_allclose(found, expected, atol=1e-9)
        waiting = ~game.turns[agent] & ~game.terminal
        policy = result.tables[agent]["policy"][:, waiting]
        np.testing.assert_array_equal(policy, np.broadcast_to(np.eye(3 - agent)[0], policy.shape))


def test_in_turns_the_value_is_a_largest_or_a_smallest_entry():
    """Littman & Szepesvári (1996): in alternating Markov games, max over a or min over b."""
    game = zero_sum(8, 4, (2, 3), [0, 1, 1, 0])
    result = fg.run(game, fg.MinimaxQ(0.3, epsilon=0.5), 500, 3, rng=2, backend="reference")
    q, value = result.tables[0]["q"], result.tables[0]["value"]
    for s in range(4):
        expected = q[:, s, :, 0].max(axis=1) if game.turns[0, s] else q[:, s, 0].min(axis=1)
        np.testing.assert_array_equal(value[:, s], expected)
    untouched = ~playable(game.turns, game.num_actions).reshape(4, 2, 3)
    assert not result.tables[0]["q"][:, untouched].any()


def nim(heap):
    """Take 1 to 3 from a heap; the last to take wins 1. State 2 h + i: h are left, i moves."""
    rewards, following = np.zeros((2 * heap + 2, 3, 3)), np.zeros((2 * heap + 2, 3, 3), int)
    for h, i, a, b in itertools.product(range(heap + 1), range(2), range(3), range(3)):
        left = max(h - 1 - (a, b)[i], 0)
        following[2 * h + i, a, b] = 2 * left + 1 - i
        rewards[2 * h + i, a, b] = 0 if left or not h else 1 - 2 * i
    ends = np.arange(2 * heap + 2) < 2
    return fg.MarkovGame(
        [rewards, -rewards], following, 1.0, ~ends / (2 * heap), ends,
        turns=np.arange(2 * heap + 2) % 2,
    )  # fmt: skip


@pytest.mark.parametrize("alpha", [1.0, fg.VisitCount(0.6)])
def test_minimax_q_plays_nim_as_bouton_does(alpha):
    """Bouton (1901): whoever moves wins, unless a multiple of four is left; it leaves one."""
    heap = 9
    result = fg.run(nim(heap), fg.MinimaxQ(alpha, epsilon=0.5), 20_000, rng=3)
    for h, i in itertools.product(range(1, heap + 1), range(2)):
        wins = h % 4 != 0
        own, other = (result.tables[j]["value"][0, 2 * h + i] for j in (i, 1 - i))
        assert own == pytest.approx(1 if wins else -1, abs=0.03)
        assert other == pytest.approx(-own, abs=0.03)
        if wins:
            best = np.eye(3)[h % 4 - 1]
            if h < 3:  # taking more than is left takes all
                best = np.where(np.arange(3) >= h - 1, 1 / (4 - h), 0)
            if alpha == 1.0:
                np.testing.assert_allclose(result.tables[i]["policy"][0, 2 * h + i], best)


def test_minimax_q_ignores_rewards_that_no_one_can_get():
    rewards = np.zeros((2, 2, 2, 2))
    rewards[:, 0, :, 1] = 7.0  # agent 1 does not move in state 0
    game = fg.MarkovGame(rewards, np.ones((2, 2, 2), int), 0.5, turns=[0, 1])
    fg.run(game, fg.MinimaxQ(), 3, rng=1, backend="reference")
    rewards[0, 1, 0, 1] = 0.5
    game = fg.MarkovGame(rewards, np.ones((2, 2, 2), int), 0.5, turns=[0, 1])
    with pytest.raises(ValueError, match=r"sum to 0 .* sums of up to 0\.5"):
        fg.run(game, fg.MinimaxQ(), 3, rng=1)


def test_minimax_q_must_see_the_states_in_which_it_waits():
    game = fg.games.AlternatingGame(fg.games.matching_pennies())
    with pytest.raises(ValueError, match="must identify the state"):
        fg.run(game, fg.MinimaxQ(), 3)


# --- teams ----------------------------------------------------------------------------------------


def shared(seed, states, shape, *args, **more):
    """A random game whose agents get one reward."""
    return random_game([1] * len(shape), seed, states, shape, *args, **more)


def team_values(game, outsider=None):
    """The optimal values of a team; an outsider always plays action 1."""

    def value(s, payoffs):
        if outsider is not None and game.turns[outsider, s]:
            payoffs = payoffs.take([1], axis=outsider)
        return payoffs.max()

    return iterated(game, value)


@pytest.mark.parametrize("backend", ["reference", "numba"])
@pytest.mark.parametrize("terminal", [0, 1])
@pytest.mark.parametrize("turns", [[0, 1, 2, 1, 0], [0, 1, 1, 0, 1]], ids=["three", "two"])
def test_vdn_finds_the_optimum_of_a_team_of_one_mover(turns, terminal, backend):
    """One member moves at a time: the sum is the value of its action, and VDN is Q-learning."""
    game = shared(1, 5, (2, 3, 2), turns, terminal)
    values = team_values(game)
    result = fg.run(game, fg.VDN(1.0, explore=fg.EpsilonGreedy(1.0)), 8000, rng=1, backend=backend)
    for s in np.flatnonzero(~game.terminal):
        found = result.tables[turns[s]]["q"][0, s]
        assert found.max() == pytest.approx(values[s], abs=1e-9)
    for i, tables in enumerate(result.tables):
        assert not tables["q"][:, ~game.turns[i]].any()  # it does not move there


@pytest.mark.parametrize("backend", ["reference", "numba"])
def test_a_team_waits_while_no_member_moves(backend):
    """Agent 2 is no member and moves alone in two states: the team values what comes after."""
    turns = [0, 2, 1, 2, 1]
    game = shared(2, 5, (2, 3, 2), turns, time_limit=None)
    learner = fg.VDN(1.0, explore=fg.EpsilonGreedy(1.0))
    learners = [learner, learner, fg.FixedPolicy([0.0, 1.0])]
    values = team_values(game, outsider=2)
    following = game.transitions.reshape(5, -1)
    reached = {0}  # states that the run visits
    for _ in range(5):
        cells = playable(game.turns, game.num_actions)
        reached |= {int(x) for s in reached for x in following[s][cells[s]]}
    result = fg.run(game, learners, 8000, rng=1, start_states=[0], backend=backend)
    checked = [s for s in reached if turns[s] < 2]
    assert len(checked) > 1
    for s in checked:
        assert result.tables[turns[s]]["q"][0, s].max() == pytest.approx(values[s], abs=1e-9)


def test_vdn_in_an_alternating_game_finds_the_best_cycle():
    """Waiting agents observe 0 there, which is also an observation at which they move."""
    stage = fg.MatrixGame([[[1.0, 0.0], [0.0, 2.0]]] * 2)
    game = fg.games.AlternatingGame(stage, 0.5)
    result = fg.run(game, fg.VDN(0.5, explore=fg.EpsilonGreedy(0.5)), 3000, 3, rng=1)
    # Held 1: play 1 for ever, 2 / (1 - .5) = 4. Held 0: 0 + .5 * 4 by action 1, 1 + .5 * 2 by 0.
    for tables in result.tables:
        expected = [[1 + 0.5 * 2, 0.5 * 4], [0.5 * 2, 2 + 0.5 * 4]]
        np.testing.assert_allclose(tables["q"], np.broadcast_to(expected, (3, 2, 2)), atol=1e-6)


def mix(logits, epsilon):
    weights = np.exp(logits - logits.max())
    return (1 - epsilon) * weights / weights.sum() + epsilon / len(logits)


@pytest.mark.parametrize("backend", ["reference", "numba"])
@pytest.mark.parametrize("turns", [[0, 1, 0, 1], [0, 1, -1, 1]], ids=["alternating", "both"])
def test_the_critic_of_coma_learns_the_value_of_the_policies(turns, backend):
    """The exact q solves q = r + gamma P q over the joint actions that can be played."""
    states, epsilon = 4, 0.3
    game = shared(5, states, (2, 3), turns, time_limit=None)
    rng = np.random.default_rng(1)
    logits = [rng.normal(size=(states, 2)), rng.normal(size=(states, 3))]
    learners = [fg.COMA(0.0, 1.0, None, epsilon, initial=0.0)] * 2
    start = [{"logits": logits[0]}, {"logits": logits[1]}]
    result = fg.run(game, learners, 4000, rng=1, start_tables=start, backend=backend)
    play = np.zeros((states, 6))
    for s in range(states):
        one, two = (
            mix(x[s], epsilon) if m else np.eye(x.shape[1])[0]
            for x, m in zip(logits, game.turns[:, s], strict=True)
        )
        play[s] = np.outer(one, two).ravel()
    following = game.transitions.reshape(states, 6)
    onward = np.zeros((states * 6, states * 6))
    for s, u in itertools.product(range(states), range(6)):
        s2 = following[s, u]
        onward[s * 6 + u, s2 * 6 : s2 * 6 + 6] = play[s2]
    exact = np.linalg.solve(np.eye(states * 6) - GAMMA * onward, game.rewards[0].ravel())
    cells = playable(game.turns, game.num_actions).ravel()
    critic = result.tables[0]["q"][0][[s * states + s for s in range(states)]].ravel()
    visited = critic != 0
    assert visited.sum() > cells.sum() / 2
    assert not visited[~cells].any()
    np.testing.assert_allclose(critic[visited], exact[visited], atol=1e-9)


def test_an_actor_of_coma_learns_only_where_it_moves():
    turns = [0, 1, 0, 1]
    game = shared(5, 4, (2, 3), turns)
    result = fg.run(game, fg.COMA(0.1, 0.5), 400, 2, rng=1, backend="reference")
    for tables, moves in zip(result.tables, game.turns, strict=True):
        assert not tables["logits"][:, ~moves].any()
        assert tables["logits"][:, moves].any(axis=-1).all()


def test_coma_learns_to_coordinate_one_after_the_other():
    """Agent 0 plays, agent 1 sees it and replies; (2, 2) pays most, but only together."""
    payoffs = np.array([[1.0, 0, 0], [0, 2.0, 0], [-3.0, -3.0, 4.0]])
    rewards, following = np.zeros((5, 3, 3)), np.full((5, 3, 3), 4)
    following[0] = np.arange(1, 4)[:, None]
    for a in range(3):
        rewards[1 + a] = payoffs[a]
    game = fg.MarkovGame([rewards] * 2, following, 1.0, 0, np.arange(5) == 4, turns=[0, 1, 1, 1, 0])
    result = fg.run(game, fg.COMA(0.2, 0.5, epsilon=0.1), 10_000, 100, rng=1)
    assert (result.greedy(0)[:, 0] == 2).mean() > 0.8
    assert (result.greedy(1)[:, 3] == 2).mean() > 0.8


# --- where everyone moves, nothing changes --------------------------------------------------------


@pytest.mark.parametrize("real", [np.float64, np.float32])
@pytest.mark.parametrize("module", [value_decomposition, coma])
def test_rules_of_teams_have_the_same_bits_if_all_members_move(module, real):
    rng = np.random.default_rng(4)
    own = tuple(rng.normal(size=(3, n)).astype(real) for n in (2, 4))
    kind = fg.VDN() if module is value_decomposition else fg.COMA(epsilon=0.2)
    found = []
    for learn, more in ((module.learn, {}), (module.learn_in_turns, {"moves": np.ones(2, bool)})):
        tables = [tuple(x.copy() for x in own)]
        if module is coma:
            tables.append(np.random.default_rng(5).normal(size=(9, 8)).astype(real))
        p = kind.rules.as_p([0.3, 0.2, 0.9, 0.1][: len(kind.rules.parameters)])
        for ended in (False, True):
            t = TeamOutcome(
                np.array([1, 2]), np.array([1, 3]), np.array([0.5, -2.0], real), real(0.9),
                np.array([0, 2]), ended, (real(0.0),) * 2, next_moves=more.get("moves"), **more,
            )  # fmt: skip
            learn(kind.rules.as_tables(tables), p, t)
        found.append(b"".join(x.tobytes() for x in (*tables[0], *tables[1:])))
    assert found[0] == found[1]


def test_minimax_q_has_the_same_bits_if_both_move():
    rng = np.random.default_rng(4)
    rules = fg.MinimaxQ(0.5).rules
    found = []
    for learn in (minimax.learn, minimax.learn_in_turns):
        tables = [np.full((2, 3), 1 / 3), np.ones((2, 3, 4)), np.ones(2)]
        rng = np.random.default_rng(6)
        for _ in range(50):
            t = Outcome(
                int(rng.integers(2)), int(rng.integers(3)), rng.normal(), 0.9,
                int(rng.integers(2)), -1, False, agent=1, others=int(rng.integers(4)),
                moves=np.ones(2, bool),
            )  # fmt: skip
            learn(rules.as_tables(tables), rules.as_p((0.5, 0.9, 0.2)), t)
        found.append(b"".join(x.tobytes() for x in tables))
    assert found[0] == found[1]


# --- rules that are wrapped, and rules in users' loops --------------------------------------------

CONSTANT = fg.Linear(0.3, 0.3, 1)


@pytest.mark.parametrize(
    ("learner", "same"),
    [
        (fg.VDN(0.3), fg.VDN(fg.ByVisits(CONSTANT))),
        (fg.COMA(0.1, 0.3), fg.COMA(0.1, fg.ByVisits(CONSTANT))),
        (fg.MinimaxQ(0.3), fg.MinimaxQ(fg.ByVisits(CONSTANT))),
    ],
    ids=["vdn", "coma", "minimax_q"],
)
def test_step_sizes_by_visits_in_turns(learner, same):
    game = zero_sum(2, 5, (2, 3), [0, 1, -1, 1, 0])
    one, other = (fg.run(game, x, 70, 3, rng=1, backend="reference") for x in (learner, same))
    for i in range(2):
        for name, table in one.tables[i].items():
            assert table.tobytes() == other.tables[i][name].tobytes(), name
        (counts,) = (x for name, x in other.tables[i].items() if name.startswith("visits_"))
        assert (counts.sum(axis=(1, 2)) == 70).all()  # every step: someone moves in every state


def test_loops_of_users_get_the_rules_in_turns():
    game = shared(2, 5, (2, 3), [0, 1, -1, 1, 0])
    mine, still = jit.rules(fg.VDN(0.5), game), jit.rules(fg.VDN(0.5), fg.games.chicken())
    rewards, moves = np.array([2.0, 4.0]), np.array([True, False])

    @jit.njit
    def learn(qs, seen, actions, rewards, moves, next_moves):
        outcome = jit.TeamOutcome(
            seen, actions, rewards, 0.9, seen, False, (0.0, 0.0), False, None, -1, None,
            moves, next_moves,
        )  # fmt: skip
        rule((qs,), (0.5, 0.9, 0.1), outcome)

    rule = mine.learn
    q = np.zeros((2, 5, 2)) + np.arange(2)[:, None, None]
    learn((q[0], q[1]), np.zeros(2, int), np.zeros(2, int), rewards, moves, ~moves)
    assert q[0, 0].tolist() == [0.5 * (3 + 0.9 * 1), 0]  # the other moves next: its value is 1
    assert (q[1] == 1).all()
    assert still.learn is not mine.learn
