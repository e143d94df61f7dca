"""Q-learning."""

from dataclasses import dataclass

from fastgames._common.later import cached
from fastgames.learners.base import Rules
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
    """Tabular Q-learning: q[o, a] += alpha ((r + gamma max q[o']) - q[o, a]).

    Parameters
    ----------
    alpha : float, schedule, array (replicas,) or VisitCount
        The step size, in (0, 1] (a schedule may tend to 0).
    gamma : float, schedule or array (replicas,), optional
        The discount, in [0, 1]; 1 only where episodes end. None: the game's own, 0 for a matrix
        game.
    explore : EpsilonGreedy or Softmax
        How it explores.
    initial : float, array or UniformRivals
        What the table "q" starts at: finite, broadcast from the right to
        (replicas, observations, actions).
    counterfactual : bool
        Whether it learns from every own action at once, from the rewards that they would have got
        against what the others did. Not in games with turns.

    Notes
    -----
    Table: "q", (replicas, observations, actions). One random word per step.

    Source: Watkins & Dayan, Q-learning, Machine Learning 8 (1992), equation 1. Counterfactual:
    "synchronous" learning of Asker, Fershtman & Pakes, AEA Papers and Proceedings 112 (2022).
    """

    counterfactual: bool = False

    name = "q"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.counterfactual, bool):
            raise TypeError(f"counterfactual must be True or False, got {self.counterfactual!r}")

    @cached
    def rules(self) -> Rules:
        """The rules of this learner, as `fastgames.rules` has them."""
        learn = _LEARN[isinstance(self.alpha, VisitCount), self.counterfactual]
        return self._rules(learn, counterfactual=self.counterfactual)
