"""The grid game of Hu & Wellman against a simulation with coordinates, and the paper's values.

Hu & Wellman (2003), see docs/published.md.
"""

import itertools

import numpy as np
import pytest
from published import HU_WELLMAN

from fastgames.games import grid_game

ACTIONS = ("left", "right", "down", "up")


def where(cell):
    return cell % 3, cell // 3


def step(positions, actions):
    """Positions and rewards after a step, from the rules as the paper tells them."""
    goals = [(2, 2), (0, 2)]
    wanted = []
    for (x, y), action in zip(positions, actions, strict=True):
        if action == "left":
            x = max(x - 1, 0)
        elif action == "right":
            x = min(x + 1, 2)
        elif action == "down":
            y = max(y - 1, 0)
        else:
            y = min(y + 1, 2)
        wanted.append((x, y))
    if wanted[0] == wanted[1] and wanted[0] not in goals:
        return positions, [-1, -1]
    return wanted, [100 if cell == goal else 0 for cell, goal in zip(wanted, goals, strict=True)]


def test_every_step():
    game = grid_game()
    assert game.actions == (ACTIONS, ACTIONS)
    assert game.num_states == 81
    for one, two in itertools.product(range(9), repeat=2):
        for a, b in itertools.product(range(4), repeat=2):
            positions, rewards = step([where(one), where(two)], [ACTIONS[a], ACTIONS[b]])
            cells = [3 * y + x for x, y in positions]
            state = 9 * one + two
            assert game.transitions[state, a, b] == 9 * cells[0] + cells[1]
            assert game.rewards[:, state, a, b].tolist() == rewards
        assert game.terminal[9 * one + two] == (one == 8 or two == 6)
    assert game.start == 9 * 0 + 2
    assert game.compact.observations is game.compact.turns is game.time_limit is None


def test_two_agents_are_never_in_one_cell_before_the_end():
    game = grid_game()
    reached, todo = set(), [game.start]
    while todo:
        state = todo.pop()
        if state not in reached:
            reached.add(state)
            if not game.terminal[state]:
                todo += game.transitions[state].ravel().tolist()
    assert all(s // 9 != s % 9 or s in (80, 60) for s in reached)  # both in 8, both in 6
    assert len(reached - set(np.flatnonzero(game.terminal).tolist())) == 8 * 8 - 7


def test_values_of_the_paper():
    # The paper's are Nash Q-values. With both ends paid in the same step these are the values of
    # the best joint ways.
    game = grid_game()
    values = np.zeros((2, 81))
    for _ in range(50):
        onward = np.where(game.terminal, 0.0, values)[:, game.transitions]
        q = game.rewards + game.discount * onward
        values = q.reshape(2, 81, 16).max(axis=2)
    right, left, up = 1, 0, 3
    start = q[:, game.start]
    meet, other = HU_WELLMAN.figures.values()
    assert np.round(start[:, right, left], 1).tolist() == [meet, meet]
    for joint in [(right, up), (up, left), (up, up)]:
        assert np.round(start[(slice(None), *joint)], 1).tolist() == [other, other]
    assert values[:, game.start] == pytest.approx([100 * 0.99**3] * 2)


def test_ten_ways_in_four_steps():
    game, ways = grid_game(), 0
    for actions in itertools.product(itertools.product(range(4), repeat=2), repeat=4):
        state, paid = game.start, []
        for joint in actions:
            if game.terminal[state]:
                break
            paid.append(game.rewards[(slice(None), state, *joint)].tolist())
            state = game.transitions[(state, *joint)]
        ways += paid == [[0, 0]] * 3 + [[100, 100]]
    assert ways == 10
