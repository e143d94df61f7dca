"""Outcomes and tables for tests that call the rules of learners, and runs of the same rules."""

import numpy as np

import fastgames as fg
from fastgames.rules.outcome import Outcome


def outcomes(rng, count, observations, actions, ends=0.1, others=None):
    """Random outcomes of single moves; ends: the chance that an episode ends; others: the number
    of joint actions of the other agents, if the rule asks for theirs.
    """
    for _ in range(count):
        t = Outcome(
            observation=int(rng.integers(observations)),
            action=int(rng.integers(actions)),
            gain=rng.normal(),
            weight=0.9,
            next_observation=int(rng.integers(observations)),
            next_action=-1,
            ended=bool(rng.random() < ends),
        )
        yield t if others is None else t._replace(others=int(rng.integers(others)))


def counterfactual_outcome(column, action=0, observation=0):
    """The outcome of an action; column: (actions,) rewards of all actions, of the tables' type."""
    return Outcome(
        observation=observation, action=action, gain=column[action], weight=column.dtype.type(0.9),
        next_observation=0, next_action=-1, ended=False, column=column,
    )  # fmt: skip


def mixed_tables(rules, actions, real=np.float64, observations=1):
    """Initial tables of a rule with a strategy, a table of 0, the average strategy and visits."""
    shape = observations, actions
    uniform = np.full(shape, 1 / actions, real)
    return rules.as_tables(
        (uniform, np.zeros(shape, real), uniform.copy(), np.zeros(observations, np.int64))
    )


def assert_same_interpreted_and_compiled(game, learners, dtype):
    """Interpreted and compiled rules have the same tables and policies after 200 steps."""
    one, other = (
        fg.run(game, learners, 200, 3, rng=4, dtype=dtype, backend=backend, progress=False)
        for backend in ("reference", "numba")
    )
    for agent in range(game.num_agents):
        for name, table in one.tables[agent].items():
            assert table.tobytes() == other.tables[agent][name].tobytes(), name
        assert one.policy(agent).tobytes() == other.policy(agent).tobytes()


def assert_discount_does_not_matter(learner, table):
    """The table is the same with any discount, and every observation's visits are counted."""
    one, other = (
        fg.run(
            fg.remember(fg.games.prisoners_dilemma(), discount=discount), learner, 300, 2, rng=1,
            backend="reference", progress=False,
        )
        for discount in (0.0, 0.95)
    )  # fmt: skip
    assert one.tables[0][table].tobytes() == other.tables[0][table].tobytes()
    assert (one.tables[0]["seen"].sum(axis=-1) == 300).all()
