"""Runs whose replicas start in states that the caller gives."""

import re

import numpy as np
import pytest
from library.equal import assert_same
from library.every import BACKENDS, each_backend

import fastgames as fg
from fastgames import _core

STAGE = fg.games.prisoners_dilemma()
MEMORY = fg.remember(STAGE)
STARTS = np.array([3, 0, 2, 1, 3])


def starting_in(state):
    """The repeated game whose own start is `state`."""
    return fg.remember(STAGE, start=state)


@each_backend
def test_a_replica_has_the_bits_of_a_game_that_starts_there(backend):
    more = {"steps": 30, "rng": 5, "record": fg.Record(rewards=True, flips=True)}
    result = fg.run(
        MEMORY, fg.QLearner(), replicas=len(STARTS), start_states=STARTS, backend=backend, **more
    )
    for state in range(4):
        alone = fg.run(starting_in(state), fg.QLearner(), replicas=len(STARTS), **more)
        mine = state == STARTS
        for i in range(2):
            np.testing.assert_array_equal(result.tables[i]["q"][mine], alone.tables[i]["q"][mine])
        np.testing.assert_array_equal(result.states[mine], alone.states[mine])
        np.testing.assert_array_equal(result.mean_reward[mine], alone.mean_reward[mine])


def test_no_word_is_drawn_for_a_given_start():
    """A game that draws its start has the streams of one that does not."""
    drawn = fg.remember(STAGE, start="uniform")
    given = fg.run(drawn, fg.QLearner(), 20, 5, rng=2, start_states=STARTS)
    streams = given.state.streams
    unmoved = fg.run(MEMORY, fg.QLearner(), 20, 5, rng=2).state.streams
    np.testing.assert_array_equal(streams[:, :2], unmoved[:, :2])
    untouched = np.zeros_like(streams)
    _core.lanes("float64").start_streams(2, 0, 3, untouched)
    np.testing.assert_array_equal(streams[:, 2], untouched[:, 2])


def test_later_episodes_begin_as_the_game_says():
    def start(state, words):
        state[0] = 7

    def step(state, actions, rewards, words):
        rewards[:] = state[0]
        state[0] += 1
        return state[0] == 10

    game = fg.ProceduralGame(
        start, step, lambda state, agent: 0, num_actions=(2, 2), num_observations=(1, 1),
        state_bounds=[(0, 10)],
    )  # fmt: skip
    sums = {}
    for backend in ("reference", "numba"):
        result = fg.run(
            game, fg.QLearner(gamma=0.0), 5, 3, rng=1, start_states=[[9], [7], [4]],
            record=fg.Record(rewards=True), backend=backend,
        )  # fmt: skip
        sums[backend] = result.mean_reward[:, 0] * 5
        assert result.states.ravel().tolist() == [8, 9, 9]
    expected = [9 + 7 + 8 + 9 + 7, 7 + 8 + 9 + 7 + 8, 4 + 5 + 6 + 7 + 8]
    for backend, found in sums.items():
        np.testing.assert_allclose(found, expected, rtol=1e-15, err_msg=backend)
    with pytest.raises(ValueError, match="start_states must be within state_bounds of game"):
        fg.run(game, fg.QLearner(gamma=0.0), 5, start_states=[[11]])
    with pytest.raises(ValueError, match=r"start_states must be below 2\^63"):
        fg.run(game, fg.QLearner(gamma=0.0), 5, start_states=np.array([[2**64 - 2]], np.uint64))


@pytest.mark.parametrize("backend", BACKENDS)
def test_parts_and_checkpoints_have_the_bits_of_one_run(backend, tmp_path):
    arguments = {"replicas": 5, "rng": 3, "backend": backend}
    whole = fg.run(MEMORY, fg.QLearner(), 30, start_states=STARTS, **arguments)
    part = fg.run(MEMORY, fg.QLearner(), 11, start_states=STARTS, **arguments)
    rest = fg.run(MEMORY, fg.QLearner(), 19, resume=part, backend=backend)
    assert_same(whole, rest)

    path = tmp_path / "run.fg"
    for _ in range(2):  # the second call reads the file
        kept = fg.run(MEMORY, fg.QLearner(), 30, start_states=STARTS, checkpoint=path, **arguments)
        assert_same(whole, kept)
    for other in (STARTS[::-1], None):
        with pytest.raises(ValueError, match="of another call: start_states"):
            fg.run(MEMORY, fg.QLearner(), 30, start_states=other, checkpoint=path, **arguments)


ENDING = fg.MarkovGame(
    np.zeros((2, 3, 2, 2)), np.ones((3, 2, 2), int), 0.9, terminal=[False, False, True]
)


@pytest.mark.parametrize(
    ("game", "states", "error", "message"),
    [
        (MEMORY, [0, 4], ValueError, "must be in [0, 4), got start_states[1] = 4"),
        (MEMORY, [-1, 0], ValueError, "must be in [0, 4), got start_states[0] = -1"),
        (MEMORY, [0], ValueError, "must have shape (2,), one state for each replica, got shape (1"),
        (MEMORY, 0, ValueError, "must have shape (2,)"),
        (MEMORY, [0.0, 1.0], TypeError, "must hold whole numbers, got dtype float64"),
        (MEMORY, [[0], [0, 1]], ValueError, "rectangular"),
        (STAGE, [0, 1], ValueError, "must be in [0, 1), got start_states[1] = 1"),
        (ENDING, [1, 2], ValueError, "must be no terminal states, got start_states[1] = 2"),
    ],
)  # fmt: skip
def test_states_that_cannot_be(game, states, error, message):
    with pytest.raises(error, match=re.escape(message)):
        fg.run(game, fg.QLearner(), 3, replicas=2, rng=1, start_states=states)


def test_a_run_that_goes_on_has_its_own_states():
    first = fg.run(MEMORY, fg.QLearner(), 3, rng=1)
    with pytest.raises(ValueError, match="start_states must be None with resume"):
        fg.run(MEMORY, fg.QLearner(), 3, resume=first, start_states=[0])
