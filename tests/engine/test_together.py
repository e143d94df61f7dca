"""All that a call can give at once, drawn at random, has the same bits in every body and cut.

First states, tables and joint actions; schedules, visits; records, snapshots at any times; a stop;
blocks, threads, and a cut after which another body goes on.
"""

from dataclasses import dataclass, replace
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from library.equal import assert_same
from library.every import BACKENDS
from library.games import GAMES, by_chance, markov_games, remembering_games
from library.learners import AHEAD, DTYPES, KINDS
from library.runs import Setup, can_record, random_tables, setups

import fastgames as fg
from fastgames import registry
from fastgames.engine.spec import RunSpec
from fastgames.games import ProceduralGame

# The passes of these are those of test_parity: in the same type, for all sizes.
QUICK = ("q-softmax-alpha", "sarsa-epsilon_greedy-alpha", "wolf_phc", "exp3", "coma")
FEW = settings(max_examples=settings.default.max_examples // 5)
BY_VISITS = [
    fg.ByVisits(fg.Hyperbolic(0.9, 3.0, 0.6), of, initial=2) for of in ("action", "observation")
]


@dataclass
class Call(Setup):
    """The arguments of a run that begins somewhere else than its game and its learners say."""

    start_states: Any
    start_tables: Any
    opening: Any

    def resume(self, result, **changes):
        """Go on from a result."""
        its = ("replicas", "rng", "dtype", "start_states", "start_tables", "opening")
        return self.run(resume=result, **dict.fromkeys(its), **changes)


def states_of(setup, rng):
    """States in which replicas may stand, each its own."""
    if isinstance(setup.game, ProceduralGame):
        played = setup.run(steps=5, record=fg.Record(), stop=None, backend="reference")
        return rng.permutation(played.states)
    terminal = setup.game.compact.terminal
    may = np.arange(setup.game.num_states) if terminal is None else np.flatnonzero(~terminal)
    return rng.choice(may, setup.replicas)


def opening_of(setup, rng, steps):
    """Joint actions of these steps; 0 of agents that do not move in some state."""
    game = setup.game
    turns = game.compact.turns
    moves = np.ones(game.num_agents, int) if turns is None else turns.all(axis=1)
    return rng.integers(game.num_actions, size=(setup.replicas, steps, game.num_agents)) * moves


def by_visits(draw, learners):
    """The learners, of which some Q-learners have a step size that depends on visits."""
    return tuple(
        replace(x, alpha=draw(st.sampled_from(BY_VISITS)))
        if isinstance(x, fg.QLearner) and not x.counterfactual and draw(st.booleans())
        else x
        for x in learners
    )


@st.composite
def calls(draw, counts=False, **arguments):
    """A run with all that a call can give; counts: whether step sizes may depend on visits."""
    setup = draw(setups(steps=30, **arguments))
    if isinstance(setup.game, ProceduralGame):  # whose mean rewards are not known
        rivals = [isinstance(getattr(x, "initial", 0), fg.UniformRivals) for x in setup.learners]
        setup.learners = tuple(
            replace(x, initial=0.5) if knows else x
            for x, knows in zip(setup.learners, rivals, strict=True)
        )
    if counts:
        setup.learners = by_visits(draw, setup.learners)
    rng = np.random.default_rng(draw(st.integers(0, 9999)))
    record = setup.record
    if record.every is not None and draw(st.booleans()):
        times = draw(st.sets(st.integers(0, setup.steps + 3), min_size=1, max_size=6))
        record = replace(record, every=sorted(times))
    if can_record(setup.game, "regret"):
        record = replace(record, regret=draw(st.booleans()))
    spec = RunSpec(setup.game, setup.learners, setup.replicas, setup.dtype)
    tables = [random_tables(agent, rng) for agent in spec.agents]
    return Call(
        **vars(setup) | {"record": record},
        start_states=draw(st.sampled_from([None, states_of(setup, rng)])),
        start_tables=draw(st.sampled_from([None, tables])),
        opening=draw(st.none() | st.integers(1, 12).map(lambda n: opening_of(setup, rng, n))),
    )


def assert_bodies_and_cuts_agree(call, data):
    """On all backends, in blocks of any size on any threads, in one go and in two."""
    backends = [b for b in BACKENDS if b != "cython"]
    if all(learner.rules.twin is not None for learner in call.learners):
        backends = BACKENDS if not isinstance(call.game, ProceduralGame) else backends
    where = {
        "backend": st.sampled_from([*backends, "auto"]),
        "threads": st.integers(1, 4),
        "capacity": st.sampled_from([None, 1, 5, 16]),
    }

    def somewhere():
        return {name: data.draw(each) for name, each in where.items()}

    reference = call.run(backend="reference", threads=1)
    for backend in {*backends, "auto"} - {"reference"}:
        assert_same(call.run(**somewhere() | {"backend": backend}), reference)
    if call.steps < 2:
        return
    cut = data.draw(st.integers(1, call.steps - 1))
    record = replace(call.record, every=None, greedy=False, policies=False, last=None)
    first = call.run(record=record, steps=cut, **somewhere())
    then = call.resume(first, record=record, steps=call.steps - cut, **somewhere())
    assert_same(then, call.run(record=record, **somewhere()))


@pytest.mark.usefixtures("passes_for_all_sizes")
@pytest.mark.parametrize("name", QUICK)
@FEW
@given(data=st.data())
def test_all_that_a_call_can_give_has_the_same_bits_together(name, data):
    (kind,) = (kind for kind in KINDS if str(kind) == name)
    assert_bodies_and_cuts_agree(data.draw(calls(kind=kind, dtype=DTYPES[kind])), data)


@pytest.mark.usefixtures("passes_for_all_sizes")
@FEW
@given(data=st.data())
def test_step_sizes_by_visits_have_the_same_bits_together(data):
    kinds = [kind for kind in AHEAD if str(kind) == "q-epsilon_greedy-alpha"]
    game = st.one_of(markov_games(), remembering_games())
    call = data.draw(calls(counts=True, kinds=kinds, game=game, dtype="float64"))
    assert_bodies_and_cuts_agree(call, data)


GIVEN = {"chance": st.builds(by_chance), "functions": st.builds(fg.games.soccer)}


@pytest.mark.usefixtures("passes_for_all_sizes")
@pytest.mark.parametrize("name", GIVEN)
@FEW
@given(data=st.data())
def test_games_that_draw_much_have_the_same_bits_together(name, data):
    """Starts, transitions and ends; the passes of soccer are compiled for other tests too."""
    kinds = [kind for kind in AHEAD if DTYPES[kind] == "float64"]
    call = data.draw(calls(kinds=kinds, game=GIVEN[name], dtype="float64"))
    assert_bodies_and_cuts_agree(call, data)


@pytest.mark.usefixtures("passes_for_all_sizes")
@pytest.mark.slow
@pytest.mark.parametrize("dtype", registry.DTYPES)
@given(data=st.data())
def test_all_learners_have_the_same_bits_together(learner_kind, dtype, data):
    game = st.one_of(*GAMES.values(), *GIVEN.values())
    game = game if learner_kind.learner != "minimax_q" else None
    call = data.draw(calls(counts=True, kind=learner_kind, game=game, dtype=dtype))
    assert_bodies_and_cuts_agree(call, data)
