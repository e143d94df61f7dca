"""Fixed policies."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from fastgames._common.later import cached
from fastgames.games import Game
from fastgames.learners.base import Example, RuleLearner
from fastgames.learners.fields import PROBABILITIES
from fastgames.learners.rules import Rules, Table
from fastgames.rules import fixed


@dataclass(frozen=True, eq=False)
class FixedPolicy(RuleLearner):
    """A fixed policy, which samples actions from given probabilities and never learns.

    It can freeze a trained agent and use it as an opponent. ``fg.FixedPolicy(result.policy(1))``
    plays the current policy of agent 1 in each replica, so every replica has its own opponent;
    ``fg.FixedPolicy(result.agent(1, replica=5))`` plays that of replica 5 in all replicas.

    Parameters
    ----------
    probabilities : array (A,), (observations, A) or (replicas, observations, A), or a `Policy`
        The probabilities of the actions, at least 0, with the sum 1 within 1e-6 in each row. They
        are used as given, not normalised. A single row is used at every observation, and the rows
        of a single replica in every replica.

    Raises
    ------
    ValueError
        If the shape is not one of these, an entry is negative, or a row does not sum to 1.
    TypeError
        If the entries are not real numbers.

    Notes
    -----
    Source: a mixed strategy (Nash 1951), or a stationary policy in a game with observations.

    Table: "probabilities", (replicas, observations, A). One random word per step.

    Examples
    --------
    >>> import fastgames as fg
    >>> policy = fg.FixedPolicy([0.25, 0.75])
    >>> result = fg.run(fg.games.chicken(), policy, 9, 2, rng=1, backend="reference")
    >>> result.policy(0)[0]
    array([[0.25, 0.75]])
    """

    probabilities: Any = field(metadata={"form": PROBABILITIES})

    name = "fixed"
    title = "A fixed policy"
    formula = r"a \sim \pi(\cdot \mid o)"
    example: ClassVar[Example] = Example(
        "rock_paper_scissors()",
        "[fg.QLearner(alpha=0.05), fg.FixedPolicy([0.5, 0.25, 0.25])]",
        kind="overview",
        record="fg.Record(every={every}, greedy=True)",
        says="Against a fixed policy the best response is constant: the learner plays paper.",
    )
    learns = False

    @cached
    def rules(self) -> Rules:
        """Rules of this learner."""
        return Rules(
            parameters=(),
            tables=(Table("probabilities"),),
            draw=fixed.draw,
            choose=fixed.choose,
            learn=fixed.learn,
            policy=fixed.policy,
            twin="fixed",
        )

    @classmethod
    def sample(cls, game: Game, agent: int) -> dict[str, Any]:
        """Return uniform probabilities."""
        actions = game.num_actions[agent]
        return {"probabilities": np.full(actions, 1.0 / actions)}

    def start(self, game: Game, agent: int) -> dict[str, np.ndarray]:
        """Return the table by name, broadcastable to (replicas, observations, A)."""
        return {"probabilities": np.asarray(self.probabilities)}
