"""Symmetry of games: which differences are found, and which games have none."""

import itertools

import numpy as np
import pytest

import fastgames as fg
from fastgames import registry
from fastgames.games.symmetry import asymmetry


def _symmetric(agents, actions, rng):
    """Payoffs (N, A, …) of which agent i gets that of its own action and the others' counts."""
    value = {}
    payoffs = np.empty((agents, *(actions,) * agents))
    for joint in itertools.product(range(actions), repeat=agents):
        for i in range(agents):
            key = joint[i], tuple(sorted(joint[:i] + joint[i + 1 :]))
            payoffs[(i, *joint)] = value.setdefault(key, rng.normal())
    return payoffs


@pytest.mark.parametrize("agents, actions", [(1, 3), (2, 3), (3, 2), (4, 3)])
def test_payoffs_of_any_one_agent_and_joint_action_count(agents, actions):
    rng = np.random.default_rng(1)
    payoffs = _symmetric(agents, actions, rng)
    assert asymmetry(fg.MatrixGame(payoffs)) == ""
    if agents == 1:
        return
    for place in [tuple(x) for x in np.argwhere(np.ones(payoffs.shape))][::5]:
        other = payoffs.copy()
        other[place] += 1.0
        assert "gets" in asymmetry(fg.MatrixGame(other))
    nearly = payoffs + 1e-12 * rng.normal(size=payoffs.shape)
    assert asymmetry(fg.MatrixGame(nearly)) == ""


def test_payoffs_that_only_the_cycle_keeps_are_not_symmetric():
    payoffs = np.zeros((3, 2, 2, 2))
    for joint in itertools.product(range(2), repeat=3):
        for i in range(3):
            payoffs[(i, *joint)] = joint[(i + 1) % 3] + 0.1 * joint[i]
    assert "agent" in asymmetry(fg.MatrixGame(payoffs))


def _memory(agents=2, own_view=True, chance=False):
    """A symmetric game of two actions that remembers the last joint action."""
    rng = np.random.default_rng(2)
    stage = _symmetric(agents, 2, rng)
    states = 2**agents
    joints = list(itertools.product(range(2), repeat=agents))
    rewards = np.broadcast_to(stage[:, None], (agents, states, *stage.shape[1:])).copy()
    following = np.broadcast_to(np.arange(states).reshape((2,) * agents), rewards.shape[1:])
    if chance:  # with a chance of 0.2 all are taken to have played action 0
        table = np.zeros((*following.shape, states))
        table[..., 0] = 0.2
        for index in np.ndindex(following.shape):
            table[(*index, following[index])] += 0.8
        following = table
    seen = None
    if own_view:
        # the own action, and how many of the others played action 1
        seen = np.array([[j[i] * agents + sum(j) - j[i] for j in joints] for i in range(agents)])
    return rewards, following, seen


@pytest.mark.parametrize("chance", [False, True])
@pytest.mark.parametrize("agents", [2, 3])
def test_states_change_along_with_the_places(agents, chance):
    rewards, following, seen = _memory(agents, chance=chance)
    game = fg.MarkovGame(rewards, following, 0.9, observations=seen)
    assert asymmetry(game) == ""
    whole = fg.MarkovGame(rewards, following, 0.9)
    assert "own view" in asymmetry(whole)
    other = rewards.copy()
    other[0, 1, (0,) * agents if agents == 2 else ...] += 1.0
    assert "gets" in asymmetry(fg.MarkovGame(other, following, 0.9, observations=seen))
    moved = following.copy()
    index = (1, *(0,) * agents)
    if chance:
        moved[index] = np.eye(2**agents)[2]
    else:
        moved[index] = 2
    found = asymmetry(fg.MarkovGame(rewards, moved, 0.9, observations=seen))
    assert "the next state after joint action" in found


def test_turns_and_ends_of_both_seats_count():
    rewards, following, seen = _memory()
    turns = np.array([[True, False, True, True], [True, True, False, True]])
    given = {"discount": 0.9, "observations": seen}
    assert asymmetry(fg.MarkovGame(rewards, following, turns=turns, **given)) == ""
    unlike = np.array([[True, False, True, True], [True, True, True, True]])
    found = asymmetry(fg.MarkovGame(rewards, following, turns=unlike, **given))
    assert "no state with these agents to move" in found
    found = asymmetry(fg.MarkovGame(rewards, following, 0.9, turns=turns))  # all see the state
    assert found == "only one of agent 0 in state 1 and agent 1 in state 1 moves"
    ends = np.array([False, True, True, False])
    assert asymmetry(fg.MarkovGame(rewards, following, terminal=ends, **given)) == ""
    ends = np.array([False, True, False, False])
    found = asymmetry(fg.MarkovGame(rewards, following, terminal=ends, **given))
    assert "terminal" in found


def test_joint_actions_that_cannot_be_played_do_not_count():
    rewards, following, seen = _memory()
    turns = np.array([[True, False, True, True], [True, True, False, True]])
    other = rewards.copy()
    other[0, 1, 1] += 1.0  # agent 0 does not move in state 1
    game = fg.MarkovGame(other, following, 0.9, observations=seen, turns=turns)
    assert asymmetry(game) == ""


def test_states_that_look_alike_are_named():
    rewards, following, _ = _memory()
    seen = np.array([[0, 0, 1, 1], [1, 1, 0, 0]])
    found = asymmetry(fg.MarkovGame(rewards, following, 0.9, observations=seen))
    assert "in states 0 and 1" in found
    seen = np.array([[0, 1, 2, 3], [0, 1, 3, 3]])
    found = asymmetry(fg.MarkovGame(rewards, following, 0.9, observations=seen))
    assert "and no state with these agents to move has (3, 2)" in found


def test_variants_and_counts_of_actions():
    one = fg.MatrixGame([[[0.0, 1.0], [2.0, 3.0]], [[0.0, 2.0], [1.0, 3.0]]])
    other = fg.MatrixGame([[[0.0, 1.0], [2.0, 3.0]], [[0.0, 2.0], [1.0, 4.0]]])
    assert "(variant 1)" in asymmetry(fg.Variants([one, other], [0, 1]))
    uneven = fg.MatrixGame(np.zeros((2, 2, 3)))
    assert asymmetry(uneven) == "agent 1 has 3 actions, and agent 0 has 2"


def test_games_of_the_catalogue():
    for name in ("klein", "prisoners_dilemma", "rock_paper_scissors", "cournot", "public_goods"):
        assert asymmetry(registry.GAMES[name]()) == ""
    for name in ("matching_pennies", "battle_of_the_sexes", "shapley", "jordan", "two_step"):
        assert asymmetry(registry.GAMES[name]()) != ""
