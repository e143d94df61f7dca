"""Joint action learners, which model the others by the frequencies of their actions."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from fastgames._common.later import cached
from fastgames.games import Game
from fastgames.learners.base import Example, RuleLearner
from fastgames.learners.explore import EpsilonGreedy, Softmax
from fastgames.learners.fields import exploration, initial_values, parameter
from fastgames.learners.rules import Rules, Table
from fastgames.learners.stepsize import VisitCount
from fastgames.rules.choice import largest
from fastgames.rules.stepsize import visit

if TYPE_CHECKING:
    from fastgames.rules.outcome import Outcome

_EACH = ("observations", "actions", "others_actions")


@dataclass(frozen=True, eq=False, repr=False)
class JointActionLearner(RuleLearner):
    """Joint action learner (JAL), which responds to the frequencies of the others' joint actions.

    The agent sees the others' actions. It learns the value q[o, a, b] of each own action a and
    joint action b of the others, q[o, a, b] += alpha ((r + gamma max value[o']) - q[o, a, b]), and
    counts the plays of b. It explores by value[o, a] = sum_b f(b | o) q[o, a, b], where f are the
    frequencies in all steps so far, uniform before the first one. Nothing is forgotten.

    With three agents or more, f are the frequencies of the joint actions of the others (the
    correlated form), not the products of the frequencies of each.

    Parameters
    ----------
    alpha : float, schedule, array (replicas,) or VisitCount
        The step size, in (0, 1] (a schedule may tend to 0). Visits are counted per (o, a, b).
    gamma : float, schedule or array (replicas,), optional
        The discount factor, in [0, 1]; 1 only if episodes end. None: the game's discount, 0 for a
        matrix game.
    explore : EpsilonGreedy or Softmax
        The exploration.
    initial : float
        Initial value of the tables "value" and "q", finite.

    Raises
    ------
    ValueError, TypeError
        If a parameter is outside of its domain. `fastgames.run` raises ValueError in games with
        turns.

    Notes
    -----
    Tables: "value", (replicas, observations, actions); "q", (replicas, observations, actions, joint
    actions of the others), whose digits are in agent order; "plays", int64, (replicas,
    observations, joint actions of the others); with VisitCount "visits", int64, of the shape of q.
    One random word per step. After a step, the values of its observation are those of the new q and
    plays.

    Source: Claus & Boutilier, The Dynamics of Reinforcement Learning in Cooperative Multiagent
    Systems, AAAI 1998, sections 2.2 and 3, for repeated games; here with observations.

    Examples
    --------
    >>> import fastgames as fg
    >>> learner = fg.JointActionLearner(explore=fg.Softmax(1.0))
    >>> result = fg.run(fg.games.climbing(), learner, 9, 2, rng=1, backend="reference")
    >>> int(result.tables[0]["plays"][0].sum())
    9
    """

    alpha: Any = parameter(0.1, "(0, 1]", "[0, 1]", visits=True)
    gamma: Any = parameter(None, "[0, 1]")
    explore: EpsilonGreedy | Softmax = exploration()
    initial: float = initial_values(most=0)

    name = "joint_action"
    title = "Joint action learner"
    formula = (
        r"Q(o,a,b) \leftarrow Q(o,a,b) + \alpha\,\bigl[\,r + \gamma \max_{a'} V(o',a') - "
        r"Q(o,a,b)\,\bigr], \qquad V(o,a) = \sum_b \frac{n(o,b)}{n(o)}\, Q(o,a,b)"
    )
    example: ClassVar[Example] = Example(
        "climbing()",
        "fg.JointActionLearner(explore=fg.EpsilonGreedy(0.1))",
        kind="joint",
        steps=5_000,
        record="fg.Record(joint_actions=True)",
        says=(
            "In the climbing game the agents know what every joint action pays, and still do not "
            "reach the best one: each avoids it because of what the other has played."
        ),
    )

    @cached
    def rules(self) -> Rules:
        """Rules of this learner."""
        visits = isinstance(self.alpha, VisitCount)
        tables = (
            Table("value"),
            Table("q", _EACH),
            Table("plays", ("observations", "others_actions"), kind="int64"),
            Table("visits", _EACH, kind="int64"),
        )
        return Rules(
            parameters=("power" if visits else "alpha", "gamma", self.explore.parameter),
            tables=tables if visits else tables[:3],
            learn=learn_by_visits if visits else learn,
            joint=True,
            **(self.explore.rules | {"twin": None}),
        )

    def start(self, game: Game, agent: int) -> dict[str, np.ndarray]:
        """Return initial tables by name, each broadcastable to (replicas, *dimensions)."""
        actions, initial = game.num_actions[agent], np.asarray(self.initial)
        tables = {table.name: table.start(actions) for table in self.rules.tables}
        return tables | {"value": initial, "q": initial}

    def check(self, game: Game, agent: int) -> None:
        """Raise ValueError in games with turns."""
        if game.compact.has_turns:
            raise ValueError(
                "game must be without turns for JointActionLearner, whose agents count what the "
                f"others play in the same step, got {game.name!r}"
            )


def update(tables: Any, t: "Outcome", step: Any) -> None:
    """Move q[o, a, b] by `step`, count b, and write the values of o; all tables in place.

    The target is gain + weight max value[o2], without the maximum if the episode has ended.
    """
    value, q, plays = tables.value, tables.q, tables.plays
    real = value.dtype.type
    o, a, b = t.observation, t.action, t.others
    best = real(0.0)
    if not t.ended:
        best = largest(value[t.next_observation])
    q[o, a, b] = q[o, a, b] + real(step) * ((t.gain + t.weight * best) - q[o, a, b])
    plays[o, b] += 1
    respond(q[o], plays[o], value[o])


def respond(q: np.ndarray, plays: np.ndarray, value: np.ndarray) -> None:
    """Write the mean of each row of q over the plays; the sums run in index order.

    q: (A, B); plays: (B,) int64, not all 0; value: (A,), modified in place
    """
    real = value.dtype.type
    count = 0
    for b in range(len(plays)):
        count += plays[b]
    for a in range(len(value)):
        total = real(0.0)
        for b in range(len(plays)):
            total = total + real(plays[b]) * q[a, b]
        value[a] = total / real(count)


def learn(tables: Any, p: Any, t: "Outcome") -> None:
    """Update the tables with the step size alpha."""
    update(tables, t, p[0])


def learn_by_visits(tables: Any, p: Any, t: "Outcome") -> None:
    """Update the tables with the step size of this visit of (o, a, b), `stepsize.visit`."""
    update(tables, t, visit(tables.visits[t.observation], t.action, t.others, p[0]))
