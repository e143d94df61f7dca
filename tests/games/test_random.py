"""Random Markov games: valid, as asked for, the same for the same seed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastgames.games import random_markov_game
from fastgames.games.compact import Chances, Table


@st.composite
def arguments(draw):
    agents, states = draw(st.integers(2, 4)), draw(st.integers(1, 6))
    observations = st.integers(1, states)
    return {
        "agents": agents,
        "states": states,
        "actions": draw(st.integers(1, 3) | st.tuples(*[st.integers(1, 3)] * agents)),
        "transitions": draw(st.sampled_from(["deterministic", "random", "sparse"])),
        "terminal": draw(st.integers(0, states - 1)),
        "turns": draw(st.booleans()),
        "observations": draw(st.none() | observations | st.tuples(*[observations] * agents)),
        "start": draw(st.sampled_from(["state", "random"])),
        "time_limit": draw(st.none() | st.integers(1, 9)),
        "discount": draw(st.sampled_from([0.0, 0.9])),
    }


def each(value, agents):
    return (value,) * agents if isinstance(value, int) else value


@given(arguments(), st.integers(0, 2**63))
def test_as_asked_for(asked, seed):
    game = random_markov_game(**asked, rng=seed)
    assert game == random_markov_game(**asked, rng=np.random.default_rng(seed))
    assert game != random_markov_game(**asked, rng=seed + 1)
    agents, states = asked["agents"], asked["states"]
    assert (game.num_agents, game.num_states) == (agents, states)
    assert game.num_actions == each(asked["actions"], agents)
    assert game.terminal.sum() == asked["terminal"]
    assert game.time_limit == asked["time_limit"]
    assert game.discount == asked["discount"]
    if asked["observations"] is None:
        assert game.compact.observations is None
    else:
        counts = each(asked["observations"], agents)
        assert [len(set(row)) for row in game.observations.tolist()] == list(counts)
        assert game.num_observations == counts
    if asked["start"] == "state":
        assert not game.terminal[game.start]
    else:
        assert ((game.start > 0) == ~game.terminal).all()
    if asked["turns"]:
        assert set(game.turns.sum(axis=0)) <= {1, agents}
        assert (game.turns.sum(axis=0)[~game.terminal] == 1).any()
    else:
        assert game.turns.all()
    moves, rows = game.compact.moves, states * np.prod(game.num_actions)
    if asked["transitions"] == "deterministic":
        assert isinstance(moves, Table) and len(moves.next) == rows
    else:
        assert isinstance(moves, Chances)
        entries = np.diff(moves.first)
        most = states if asked["transitions"] == "random" else min(states, 3)
        assert entries.max() <= most
        assert asked["transitions"] == "sparse" or (entries == states).all()


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"agents": 0}, ValueError, "agents must be a whole number in [1, 31], got 0"),
        ({"agents": 32}, ValueError, "agents must be a whole number in [1, 31], got 32"),
        ({"states": 0}, ValueError, "states must be a whole number in [1, 2147483648), got 0"),
        ({"actions": 0}, ValueError, "actions[0] must be a whole number in [1, 2147483648), got 0"),
        (
            {"actions": (2, 2, 2)},
            ValueError,
            "actions must be one int, or one for each of the 2 agents, got (2, 2, 2)",
        ),
        (
            {"states": 2**29},
            ValueError,
            "transitions must have fewer than 2^31 entries, got 536870912 x 4 = 2147483648",
        ),
        ({"terminal": 5}, ValueError, "terminal must be a whole number in [0, 5), got 5"),
        (
            {"observations": 6},
            ValueError,
            "observations[0] must be a whole number in [1, 6), got 6",
        ),
        (
            {"transitions": "dense"},
            ValueError,
            "transitions must be one of deterministic, random, sparse, got 'dense'",
        ),
        ({"start": 0}, ValueError, "start must be one of state, random, got 0"),
        (
            {"time_limit": 0},
            ValueError,
            "time_limit must be a whole number in [1, 2147483648), got 0",
        ),
    ],
)
def test_bad_input(changes, error, message):
    with pytest.raises(error) as caught:
        random_markov_game(rng=0, **changes)
    assert str(caught.value) == message
