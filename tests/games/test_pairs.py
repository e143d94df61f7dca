"""Payoffs written as books print them, a tuple of all agents' in each cell: refused or said."""

import numpy as np
import pytest

import fastgames as fg

DILEMMA = [[(3, 3), (0, 5)], [(5, 0), (1, 1)]]
FIRST = "must have the axis of agents first, got tuples of {} numbers, .*numpy.moveaxis"

PAIRS = {
    "2 x 2": (DILEMMA, 2),
    "tuples of rows": (tuple(map(list, DILEMMA)), 2),
    "1 x 2": ([[(3, 3), (0, 5)]], 2),
    "2 x 3": ([[(3, 3), (0, 5), (1, 2)], [(5, 0), (1, 1), (0, 0)]], 2),
    "three agents": (np.arange(24).reshape(2, 2, 2, 3), 3),
}


def in_tuples(array):
    """Nested lists whose cells are tuples."""
    array = np.asarray(array)
    return tuple(array.tolist()) if array.ndim == 1 else [in_tuples(part) for part in array]


@pytest.mark.parametrize("name", PAIRS)
def test_cells_of_tuples_are_refused_with_what_to_write(name):
    payoffs, agents = PAIRS[name]
    message = "payoffs " + FIRST.format(agents)
    for given in (in_tuples(payoffs), payoffs):
        if isinstance(given, np.ndarray):
            continue  # an array says nothing of its axes
        with pytest.raises(ValueError, match=message):
            fg.MatrixGame(given)
    game = fg.MatrixGame(np.moveaxis(np.array(payoffs), -1, 0))  # as the message says
    assert game.num_agents == agents
    np.testing.assert_array_equal(np.stack(game.payoffs, axis=-1), payoffs)


def test_what_is_written_agents_first_stays_as_it_is():
    expected = np.array([[[3, 0], [5, 1]], [[3, 5], [0, 1]]], float)
    everything = tuple(tuple(tuple(row) for row in table) for table in expected.tolist())
    for given in (expected, expected.tolist(), everything, list(expected)):
        np.testing.assert_array_equal(fg.MatrixGame(given).payoffs, expected)
    rows = [[(1, 2, 3), (4, 5, 6)], [(0, 1, 0), (1, 0, 1)]]  # 3 numbers are no 2 agents' payoffs
    np.testing.assert_array_equal(fg.MatrixGame(rows).payoffs, np.array(rows))


@pytest.mark.parametrize("shape", [(3, 3, 2), (4, 5, 2), (2, 2, 4, 3), (5, 2, 2, 3)])
def test_a_shape_that_fits_with_the_agents_last_says_so(shape):
    with pytest.raises(ValueError, match=r"if the last axis is that of agents, give numpy.moveax"):
        fg.MatrixGame(np.zeros(shape))
    assert fg.MatrixGame(np.moveaxis(np.zeros(shape), -1, 0)).num_actions == shape[:-1]


def test_the_same_for_rewards_of_a_markov_game():
    moves = np.zeros((2, 2, 2), int)
    with pytest.raises(ValueError, match="rewards " + FIRST.format(2)):
        fg.MarkovGame([DILEMMA, DILEMMA], moves)
    last = np.array([DILEMMA, DILEMMA, DILEMMA])
    with pytest.raises(ValueError, match=r"if the last axis is that of agents, give numpy.moveax"):
        fg.MarkovGame(last, np.zeros((3, 2, 2), int))
    game = fg.MarkovGame(np.moveaxis(last, -1, 0), np.zeros((3, 2, 2), int))
    np.testing.assert_array_equal(game.rewards[1, 0], [[3, 5], [0, 1]])


def test_a_printed_game_shows_the_cells_as_they_were_understood():
    actions = [["cooperate", "defect"]] * 2
    payoffs = np.moveaxis(np.array(DILEMMA, float), -1, 0)
    game = fg.MatrixGame(payoffs, name="dilemma", actions=actions)
    assert str(game).splitlines() == [
        "dilemma: agent 0 chooses the row, agent 1 the column",
        "           cooperate  defect",
        "cooperate       3, 3    0, 5",
        "defect          5, 0    1, 1",
    ]
    wrong = fg.MatrixGame(np.array(DILEMMA))  # an array: taken as documented
    assert str(wrong).splitlines()[2:] == ["0  3, 5  3, 0", "1  0, 1  5, 1"]
    large = fg.MatrixGame(np.zeros((2, 13, 2)))
    assert str(large) == repr(large)
    three = fg.MatrixGame(np.zeros((3, 2, 2, 2)))
    assert str(three) == repr(three)
