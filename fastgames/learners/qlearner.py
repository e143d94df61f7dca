"""Q-learning."""

from dataclasses import dataclass
from typing import ClassVar

from fastgames._common.later import cached
from fastgames.learners.base import Example
from fastgames.learners.fields import flag
from fastgames.learners.rules import Rules
from fastgames.learners.stepsize import VisitCount
from fastgames.learners.values import ValueLearner
from fastgames.rules import qlearning

_LEARN = {  # (by visits, counterfactual)
    (False, False): qlearning.learn,
    (True, False): qlearning.learn_by_visits,
    (False, True): qlearning.learn_all,
    (True, True): qlearning.learn_all_by_visits,
}


@dataclass(frozen=True, eq=False)
class QLearner(ValueLearner):
    """Tabular Q-learning.

    The update is q[o, a] += alpha ((r + gamma max q[o']) - q[o, a]).

    Parameters
    ----------
    alpha : float, schedule, array (replicas,) or VisitCount
        The step size, in (0, 1] (a schedule may tend to 0).
    gamma : float, schedule or array (replicas,), optional
        The discount factor, in [0, 1]; 1 only if episodes end. None: the game's discount, 0 for a
        matrix game.
    explore : EpsilonGreedy or Softmax
        The exploration.
    initial : float, array or UniformRivals
        Initial values of the table "q": finite, broadcast from the right to
        (replicas, observations, actions).
    counterfactual : bool
        Update the values of all own actions in every step, from the rewards that they would have
        received against the others' actions. In games with turns each of the agent's moves must be
        followed by its own next move or by the end of the episode.

    Raises
    ------
    ValueError, TypeError
        If a parameter is outside of its domain.

    Notes
    -----
    Table: "q", (replicas, observations, actions). One random word per step.

    Source: Watkins & Dayan, Q-learning, Machine Learning 8 (1992), equation 1. Counterfactual:
    "synchronous" learning of Asker, Fershtman & Pakes, AEA Papers and Proceedings 112 (2022).

    Examples
    --------
    >>> import fastgames as fg
    >>> learner = fg.QLearner(0.5, explore=fg.EpsilonGreedy(0.2))
    >>> result = fg.run(fg.games.chicken(), learner, 9, 2, rng=1, backend="reference")
    >>> result.tables[0]["q"].shape
    (2, 1, 2)
    """

    counterfactual: bool = flag()

    name = "q"
    title = "Q-learning"
    formula = (
        r"Q(o,a) \leftarrow Q(o,a) + \alpha\,\bigl[\,r + \gamma\,\max_{a'} Q(o',a') - "
        r"Q(o,a)\,\bigr]"
    )
    example: ClassVar[Example] = Example(
        "matching_pennies()",
        "fg.QLearner(alpha=0.1, explore=fg.Softmax(0.5))",
        replicas=50,
        says="Softmax Q-learners stay near the mixed equilibrium; epsilon-greedy ones do not.",
    )

    @cached
    def rules(self) -> Rules:
        """Rules of this learner."""
        learn = _LEARN[isinstance(self.alpha, VisitCount), self.counterfactual]
        return self._rules(learn, counterfactual=self.counterfactual)
