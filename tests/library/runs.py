"""Strategies that draw the arguments of a run, and the ways to run them."""

import warnings
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st

import fastgames as fg
from fastgames import _core, registry
from fastgames.engine import compiled, environments
from fastgames.engine.arguments import check_recordable
from fastgames.engine.spec import RunSpec
from fastgames.record import COUNTS
from library.games import (
    GAMES,
    joining_games,
    markov_games,
    matrix_games,
    symmetric_games,
    variants,
)
from library.learners import AHEAD, LEARNERS


@dataclass
class Setup:
    """The arguments of a run."""

    game: Any
    learners: tuple[Any, ...]
    steps: int
    replicas: int
    rng: int
    dtype: str
    record: fg.Record
    stop: fg.Stable | None

    def run(self, build=None, capacity=None, **changes):
        """Run it, with some arguments changed or added.

        `build`: of the compiled core; `capacity`: the lanes of a block.
        """
        arguments = {f.name: getattr(self, f.name) for f in fields(self)}
        with core_as(build, capacity), warnings.catch_warnings():
            warnings.simplefilter("ignore", fg.ConvergenceWarning)  # they stop at any time
            return fg.run(**{"progress": False, **arguments, **changes})


@contextmanager
def core_as(build, capacity):
    with pytest.MonkeyPatch.context() as patch:
        if build is not None:
            patch.setattr(_core, "isa", build)
        if capacity is not None:
            for module in (compiled, environments):  # which imports the name
                patch.setattr(module, "block_size", lambda spec, replicas: capacity)
        yield


def random_tables(agent, rng):
    """Random tables of all replicas with which an agent, an `AgentSpec`, may start, or None."""
    rules, out = agent.rules, {}
    by_action = any(getattr(value, "of", "") == "action" for value in agent.values.values())
    if not agent.learner.learns or (rules.derive is not None and by_action):
        return None
    for table in rules.tables:
        if table.name in (*rules.derived, *rules.of_game) or (table.shared and not agent.first):
            continue
        shape = (agent.replicas, *agent.shapes[table.name])
        drawn = rng.integers(0, 9, shape)
        if table.kind == "real":
            drawn = drawn + rng.random(shape)
        if table.name in rules.distributions:
            drawn = drawn / drawn.sum(axis=-1, keepdims=True)
        out[table.name] = drawn
    return out


def can_record(game, asked):
    """Whether a run of the game can record what an attribute of `Record` asks for."""
    try:
        check_recordable(RunSpec(game, (), record=asking(asked)))
    except ValueError:
        return False
    return True


def asking(*asked, path=3, **more):
    """A record of what these attributes ask for; path: its value, if it is among them."""
    return fg.Record(**{name: path if name == "path" else True for name in asked}, **more)


@st.composite
def _records(draw, steps, game):
    every = draw(st.none() | st.integers(1, steps + 1))
    asked = {count.asked: st.booleans() for count in COUNTS.values()}
    asked["path"] = st.none() | st.integers(1, steps + 2)
    counts = {name: draw(values) for name, values in asked.items() if can_record(game, name)}
    over_last = any(counts[count.asked] for count in COUNTS.values() if count.last)
    return fg.Record(
        every=every,
        greedy=every is not None,
        policies=every is not None and draw(st.booleans()),
        **counts,
        last=draw(st.none() | st.integers(1, steps)) if over_last else None,
    )


@st.composite
def _learners(draw, kind, game, agent, replicas):
    strategy, make = LEARNERS[kind.learner], registry.LEARNERS[kind.learner]
    sizes = (game.num_observations[agent], game.num_actions[agent])
    learner = draw(strategy(make, kind, replicas, *sizes))
    try:
        getattr(learner, "check", lambda game, agent: None)(game, agent)
    except ValueError:  # such as a gamma above 0 for returns where episodes do not end
        return replace(learner, **make.sample(game, agent))
    return learner


@st.composite
def _games_for(draw, kind):
    """A game that suits a learner which does not suit every game: nobody waits, or zero-sum."""
    if kind.learner == "self_play":
        return draw(symmetric_games())
    game = draw(st.one_of(matrix_games(), markov_games(turns=False), joining_games()))
    if kind.suits(game):
        return game
    agents, actions = st.just(2), st.integers(1, 4)
    if draw(st.booleans()):
        payoffs = draw(matrix_games(agents, actions)).payoffs
        return fg.MatrixGame([payoffs[0], -payoffs[0]])
    shape = [draw(actions), draw(actions)]
    turns = None if kind.learner == "minimax_q" else False
    game = draw(markov_games(shape=shape, turns=turns))
    rewards = np.array([game.rewards[0], -game.rewards[0]])
    more = {"time_limit": game.time_limit, "turns": game.turns}
    args = (game.transitions, game.discount, game.start, game.terminal)  # all states are seen
    return fg.MarkovGame(rewards, *args, **more)


@st.composite
def setups(draw, kind=None, kinds=None, replicas=None, game=None, dtype=None, steps=24):
    """A run. `kind`: of the first agent; others are of `kinds`, unless given of any with a twin.

    (Others have to be compiled: the parity tests do that, of one kind after the other.)
    """
    game = draw(st.one_of(*GAMES.values()) if game is None else game)
    replicas = replicas or draw(st.sampled_from([1, 2, 3, 15, 16, 17, 33]))
    tables = not isinstance(game, fg.ProceduralGame) and not (kind and kind.learner == "minimax_q")
    if tables and draw(st.integers(0, 4)) == 0:
        game = draw(variants(game, replicas))
    steps = draw(st.integers(1, steps))
    if kind is not None and not kind.suits(game):
        game = draw(_games_for(kind))
    some = [k for k in (AHEAD if kinds is None else kinds) if k.suits(game)]
    others = st.sampled_from(some)
    first = draw(others) if kind is None else kind
    seats = [first, *(draw(others) for _ in range(1, game.num_agents))]
    reading = [k for k in seats if k.made(game).rules.reads]
    seats = [reading[0]] * len(seats) if reading else seats  # others may lack what it reads
    learners = [draw(_learners(k, game, i, replicas)) for i, k in enumerate(seats)]
    if learners[0].rules.team and draw(st.integers(0, 3)):  # else a team of one
        learners = [learners[0] if k == first else x for k, x in zip(seats, learners, strict=True)]
    sizes = list(zip(game.num_observations, game.num_actions, strict=True))
    if len(set(sizes)) > 1:  # only members of equal sizes can share tables
        learners = [
            replace(x, label=str(size)) if getattr(x, "shared", False) else x
            for x, size in zip(learners, sizes, strict=True)
        ]
    steps = max(steps, *(learner.least_steps for learner in learners))
    return Setup(
        game,
        tuple(learners),
        steps,
        replicas,
        draw(st.sampled_from([0, 1, 7, 2**32, 2**64 - 1]) | st.integers(0, 2**64 - 1)),
        draw(st.sampled_from(registry.DTYPES)) if dtype is None else dtype,
        draw(_records(steps, game)),
        draw(st.none() | st.builds(fg.Stable, st.sampled_from([1, 2, 3, 5, 9]))),
    )
