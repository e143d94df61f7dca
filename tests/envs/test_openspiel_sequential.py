"""Games of several moves come in from OpenSpiel, whose own values are what is expected."""

import itertools
import zlib

import numpy as np
import pytest

import fastgames as fg

pyspiel = pytest.importorskip("pyspiel")

from open_spiel.python import policy as policies  # noqa: E402
from open_spiel.python.algorithms import best_response  # noqa: E402
from open_spiel.python.games import iterated_prisoners_dilemma  # noqa: E402, F401 it registers

from fastgames.envs import (  # noqa: E402
    fixed_policy,
    from_openspiel,
    information_states,
    markov_from_openspiel,
)

# Games in turn and simultaneous, with and without chance, of 1 to 3 agents, with equal and unequal
# numbers of actions, and with rewards at the end and within an episode.
TREES = [
    "kuhn_poker",
    "kuhn_poker(players=3)",
    "tiny_hanabi",
    "first_sealed_auction(max_value=4)",
    "goofspiel(num_cards=3)",
    "goofspiel(num_cards=3,imp_info=True,points_order=descending)",
    "nim(pile_sizes=1;2;2)",
    "catch(rows=4,columns=3)",
    "matching_pennies_3p",
    "oshi_zumo(coins=4,size=1,min_bid=1)",
    "repeated_game(stage_game=matrix_pd(),num_repetitions=3)",
    "repeated_game(stage_game=matrix_bos(),num_repetitions=2)",
    "python_iterated_prisoners_dilemma(termination_probability=0.3,max_game_length=3)",
]


class Mixed(policies.Policy):
    """Probabilities that are random numbers of what the agent observes."""

    def __init__(self, game):
        super().__init__(game, list(range(game.num_players())))
        information = game.get_type().information
        self.perfect = information == pyspiel.GameType.Information.PERFECT_INFORMATION

    def action_probabilities(self, state, player_id=None):
        agent = state.current_player() if player_id is None else player_id
        text = str(state) if self.perfect else state.information_state_string(agent)
        draw = np.random.default_rng([agent, zlib.crc32(text.encode())])
        legal = state.legal_actions(agent)
        return dict(zip(legal, draw.dirichlet(np.ones(len(legal))), strict=True))


def their_value(state, policy):
    """The expected returns of all agents, by OpenSpiel's own states."""
    if state.is_terminal():
        return np.array(state.returns())
    if state.is_chance_node():
        return sum(p * their_value(state.child(a), policy) for a, p in state.chance_outcomes())
    if not state.is_simultaneous_node():
        chances = policy.action_probabilities(state).items()
        return sum(p * their_value(state.child(a), policy) for a, p in chances)
    each = [policy.action_probabilities(state, i) for i in range(state.num_players())]
    total = 0.0
    for joint in itertools.product(*each):
        after = state.clone()
        after.apply_actions(list(joint))
        chance = np.prod([given[a] for given, a in zip(each, joint, strict=True)])
        total = total + chance * their_value(after, policy)
    return total


def seats(policy, game):
    """The policy of each agent, (O_i, A_i); of a game of one joint action, too."""
    return [
        np.atleast_2d(fixed_policy(policy, game, i).probabilities)
        for i in range(game.num_players())
    ]


def step_means(game, profile):
    """The mean rewards of a step, (N, S), and the chance of each next state, (S, S)."""
    states, moves = game.num_states, game.transitions
    joint = np.ones((states, 1))
    for i, each in enumerate(profile):
        idle = np.eye(game.num_actions[i])[0]  # an agent that does not move plays action 0
        rows = np.where(game.turns[i][:, None], each[game.observations[i]], idle)
        joint = (joint[:, :, None] * rows[:, None, :]).reshape(states, -1)
    means = (game.rewards.reshape(game.num_agents, states, -1) * joint).sum(2)
    if hasattr(moves, "toarray"):
        dense = moves.toarray().reshape(states, -1, states)
    else:
        dense = np.eye(states)[moves.reshape(states, -1)]
    return means * ~game.terminal, np.einsum("sj,sjt->st", joint, dense)


def start_weights(game):
    return np.eye(game.num_states)[game.start] if np.isscalar(game.start) else game.start


def values(game, profile, steps):
    """The expected sum of rewards of an episode of at most so many steps, (N,)."""
    means, chances = step_means(game, profile)
    value = np.zeros_like(means)
    for _ in range(steps):
        value = means + value @ chances.T * ~game.terminal
    return value @ start_weights(game)


@pytest.mark.parametrize("name", TREES)
def test_policies_have_the_values_of_openspiel(name):
    theirs = pyspiel.load_game(name)
    policy = Mixed(theirs)
    game = markov_from_openspiel(name)
    expected = their_value(theirs.new_initial_state(), policy)
    found = values(game, seats(policy, theirs), theirs.max_game_length() + 1)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
    assert np.abs(expected).max() > 1e-3


def test_leduc_poker():
    theirs = pyspiel.load_game("leduc_poker")
    game = markov_from_openspiel(theirs)
    assert game.num_observations == (468, 468)  # 936 information states: Southey et al. (2005)
    policy = Mixed(theirs)
    profile = seats(policy, theirs)
    rows = game.transitions
    value = np.zeros((2, game.num_states))
    for _ in range(9):
        following = np.array(
            [np.add.reduceat(rows.data * v[rows.indices], rows.indptr[:-1]) for v in value]
        )
        total = game.rewards + following.reshape(game.rewards.shape)
        weights = [
            np.where(game.turns[i][:, None], profile[i][game.observations[i]], [1.0, 0.0, 0.0])
            for i in range(2)
        ]
        value = np.einsum("isab,sa,sb->is", total, *weights) * ~game.terminal
    found = value @ game.start
    expected = their_value(theirs.new_initial_state(), policy)
    np.testing.assert_allclose(found, expected, atol=1e-12)


def kuhn_equilibrium(alpha):
    """Kuhn (1950): agent 0 bets a jack with probability alpha in [0, 1/3]; 0 passes, 1 bets."""
    bets = {
        "0": alpha, "1": 0.0, "2": 3 * alpha,
        "0pb": 0.0, "1pb": alpha + 1 / 3, "2pb": 1.0,
        "0p": 1 / 3, "1p": 0.0, "2p": 1.0,
        "0b": 0.0, "1b": 1 / 3, "2b": 1.0,
    }  # fmt: skip
    return pyspiel.TabularPolicy({text: [(0, 1 - p), (1, p)] for text, p in bets.items()})


@pytest.mark.parametrize("alpha", [0.0, 0.2, 1 / 3])
def test_kuhn_poker_at_its_equilibrium(alpha):
    game = markov_from_openspiel("kuhn_poker")
    assert (game.num_states, game.discount) == (25, 1.0)
    profile = [fixed_policy(kuhn_equilibrium(alpha), "kuhn_poker", i) for i in range(2)]
    found = values(game, [p.probabilities for p in profile], 4)
    np.testing.assert_allclose(found, [-1 / 18, 1 / 18], atol=1e-15)


def test_a_run_of_kuhn_poker_at_its_equilibrium():
    """Rewards of a step are the value over the length of an episode."""
    game = markov_from_openspiel("kuhn_poker")
    profile = [fixed_policy(kuhn_equilibrium(0.2), "kuhn_poker", i) for i in range(2)]
    _, chances = step_means(game, [p.probabilities for p in profile])
    stay, at = ~game.terminal, start_weights(game)
    length = 0.0
    for _ in range(4):
        length += at[stay].sum()
        at = at @ chances * stay
    record = fg.Record(rewards=True)
    result = fg.run(game, profile, steps=20_000, replicas=100, rng=1, record=record)
    mean = result.mean_reward.mean(axis=0)
    error = 3.0 / np.sqrt(2e6 / length)  # more than two standard deviations of a game, 1.3
    np.testing.assert_allclose(mean * length, [-1 / 18, 1 / 18], atol=error)
    assert abs(mean[0] * length) > 10 * error
    assert mean[0] == -mean[1]


def test_a_learner_finds_the_best_response():
    """Against random play, in a game with illegal actions: the value of the greedy policy."""
    theirs = pyspiel.load_game("first_sealed_auction(max_value=4)")
    game = markov_from_openspiel(theirs)
    assert game.num_actions == (4, 4)
    uniform = policies.UniformRandomPolicy(theirs)
    opponent = fixed_policy(uniform, theirs, 0)
    learner = fg.QLearner(alpha=fg.Exponential(0.2, 1e-5, 1e-3), explore=fg.EpsilonGreedy(0.5))
    result = fg.run(game, [opponent, learner], steps=1_000_000, replicas=1, rng=0)
    greedy = np.eye(4)[result.greedy(1)[0]]
    found = values(game, [opponent.probabilities, greedy], 3)[1]
    best = best_response.BestResponsePolicy(theirs, 1, uniform).value(theirs.new_initial_state())
    assert found == pytest.approx(best, abs=0.01)


def optimal_values(game, sweeps):
    """The values of states for agent 0 if both agents of a zero-sum game play their best."""
    moves, first = game.transitions, game.turns[0]
    value = np.zeros(game.num_states)
    for _ in range(sweeps):
        if hasattr(moves, "indptr"):
            after = np.add.reduceat(moves.data * value[moves.indices], moves.indptr[:-1])
        else:
            after = value[moves]
        total = game.rewards[0] + after.reshape(game.rewards[0].shape)
        best = np.where(first, total[:, :, 0].max(1), total[:, 0].min(1))
        value = best * ~game.terminal
    return value


def test_tic_tac_toe_is_a_draw():
    game = markov_from_openspiel("tic_tac_toe")
    assert game.num_states == 4520 + 1  # 5478 positions, 958 of them final
    assert sum(game.num_observations) == 4520
    expected = {}

    def minimax(state):
        """Keep the value of every position that is not final, by its text."""
        if state.is_terminal():
            return state.returns()[0]
        if str(state) not in expected:
            best = max if state.current_player() == 0 else min
            expected[str(state)] = best(minimax(state.child(a)) for a in state.legal_actions())
        return expected[str(state)]

    assert minimax(pyspiel.load_game("tic_tac_toe").new_initial_state()) == 0.0
    value, texts = optimal_values(game, 9), information_states("tic_tac_toe")
    for agent in range(2):
        for s in np.flatnonzero(game.turns[agent]):
            assert value[s] == expected[texts[agent][game.observations[agent, s]]]
    assert set(value) == {-1.0, 0.0, 1.0}


def test_chances_and_rewards_of_pig():
    """Chance within an episode, in a game whose states come back."""
    name = "pig(winscore=5,diceoutcomes=3)"
    theirs, game, texts = pyspiel.load_game(name), markov_from_openspiel(name), {}
    for agent, each in enumerate(information_states(name)):
        for s in np.flatnonzero(game.turns[agent]):
            texts[each[game.observations[agent, s]]] = s
    assert len(texts) == game.num_states - 1
    moves, found, draw = game.transitions.toarray(), set(), np.random.default_rng(2)
    moves = moves.reshape(game.num_states, 2, 2, game.num_states)
    for _ in range(400):
        state = theirs.new_initial_state()
        assert texts[str(state)] == game.start
        while not state.is_terminal():
            s, mover = texts[str(state)], state.current_player()
            action = draw.choice(state.legal_actions())
            found.add(s)
            state.apply_action(action)
            outcomes = [(state.clone(), 1.0)]
            if state.is_chance_node():
                outcomes = [(state.child(a), p) for a, p in state.chance_outcomes()]
            expected, rewards = np.zeros(game.num_states), np.zeros(2)
            for after, p in outcomes:
                expected[-1 if after.is_terminal() else texts[str(after)]] += p
                rewards += p * np.array(after.returns())
            joint = (action, 0) if mover == 0 else (0, action)
            np.testing.assert_allclose(moves[s, *joint], expected, rtol=1e-12)
            np.testing.assert_allclose(game.rewards[:, s, *joint], rewards, rtol=1e-12)
            state = outcomes[draw.integers(len(outcomes))][0]
    assert len(found) > 0.7 * game.num_states


@pytest.mark.parametrize("name", ["nim(pile_sizes=2;3)", "tic_tac_toe"])
def test_illegal_actions_play_legal_ones(name):
    """Random play of all actions, side by side."""
    theirs, game = pyspiel.load_game(name), markov_from_openspiel(name)
    texts, draw = information_states(name), np.random.default_rng(5)
    ids = [set(), set()]
    for _ in range(300):  # more than enough to see every action of both agents
        state = theirs.new_initial_state()
        while not state.is_terminal():
            ids[state.current_player()].update(state.legal_actions())
            state.apply_action(draw.choice(state.legal_actions()))
    ids = [sorted(each) for each in ids]
    assert game.num_actions == tuple(map(len, ids))
    illegal = 0
    for _ in range(100):
        state, s = theirs.new_initial_state(), game.start
        while not state.is_terminal():
            mover, legal = state.current_player(), state.legal_actions()
            assert game.turns[:, s].tolist() == [mover == 0, mover == 1]
            assert texts[mover][game.observations[mover, s]] == str(state)
            joint = draw.integers(game.num_actions)
            action = ids[mover][joint[mover]]
            if action not in legal:
                illegal += 1
                action = legal[joint[mover] % len(legal)]
            state.apply_action(action)
            assert game.rewards[:, s, *joint].tolist() == state.rewards()
            s = game.transitions[s, *joint]
        assert game.terminal[s]
    assert illegal > 50


def test_names_observations_and_turns():
    game = markov_from_openspiel("tic_tac_toe", discount=0.9, time_limit=7)
    assert game.actions[1][:2] == ("o(0,0)", "o(0,1)")
    assert (game.discount, game.time_limit) == (0.9, 7)
    assert (game.name, game.source) == ("Tic Tac Toe", "OpenSpiel, tic_tac_toe")
    kuhn, texts = markov_from_openspiel("kuhn_poker"), information_states("kuhn_poker")
    assert sorted(texts[0]) == ["0", "0pb", "1", "1pb", "2", "2pb"]
    assert sorted(texts[1]) == ["0b", "0p", "1b", "1p", "2b", "2p"]
    np.testing.assert_allclose(kuhn.start[kuhn.start > 0], np.full(6, 1 / 6))
    assert (kuhn.turns.sum(axis=0) == ~kuhn.terminal).all()
    assert (kuhn.observations[~kuhn.turns] == 0).all()


def test_one_joint_action_is_a_game_of_one_step():
    stage, game = from_openspiel("matrix_pd"), markov_from_openspiel("matrix_pd")
    assert np.array_equal(game.rewards[:, 0], stage.payoffs)
    assert game.turns[:, 0].all()
    assert game.terminal[game.transitions[0]].all()


@pytest.mark.parametrize(
    ("name", "most", "error", "message"),
    [
        ("kuhn_poker", 10, ValueError, "most = 10 states .* got 11 in 'kuhn_poker' before"),
        ("chess", 500, ValueError, "most = 500 states .* got 501 in 'chess'"),
        ("pig(diceoutcomes=6)", 4, ValueError, "most = 4 (outcomes|states)"),
        ("deep_sea", 100, ValueError, "perfect information, .* got 'deep_sea'"),
        ("mfg_crowd_modelling", 100, ValueError, "got the mean field of 'mfg_crowd_modelling'"),
        ("kuhn_poker", 0, ValueError, r"most must be a whole number in \[1, "),
        ("no_such_game", 100, ValueError, "game must be the name of an OpenSpiel game"),
        (3, 100, TypeError, "game must be a pyspiel.Game or a str, got 3"),
    ],
)
def test_games_that_do_not_come_in(name, most, error, message):
    with pytest.raises(error, match=message):
        markov_from_openspiel(name, most=most)


def test_arrays_are_no_policies_of_games_of_several_moves():
    with pytest.raises(TypeError, match="policy must be a policy of OpenSpiel for a game of sev"):
        fixed_policy([0.5, 0.5], "kuhn_poker", 0)
