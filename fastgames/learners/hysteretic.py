"""Hysteretic Q-learning."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from fastgames._common.later import cached
from fastgames.learners.base import Example, RuleLearner
from fastgames.learners.explore import EpsilonGreedy, Softmax
from fastgames.learners.fields import exploration, initial_values, parameter
from fastgames.learners.rules import Rules, Table
from fastgames.rules.qlearning import discounted_best, update

if TYPE_CHECKING:
    from fastgames.rules.outcome import Outcome


@dataclass(frozen=True, eq=False)
class HystereticQ(RuleLearner):
    """Hysteretic Q-learning, which learns more slowly from results below its expectation.

    The update is q[o, a] += step d with d = (r + gamma max q[o']) - q[o, a]; step is alpha if
    d >= 0 and beta if d < 0. It is meant for cooperative games: with beta < alpha an agent reacts
    less to low rewards caused by others' exploration. beta = alpha is Q-learning.

    Parameters
    ----------
    alpha : float, schedule or array (replicas,)
        The step size if the target is at least q[o, a] (d >= 0), in [0, 1].
    beta : float, schedule or array (replicas,)
        The step size if the target is below q[o, a] (d < 0), in [0, 1].
    gamma : float, schedule or array (replicas,), optional
        The discount factor, in [0, 1]; 1 only if episodes end. None: the game's discount, 0 for a
        matrix game.
    explore : EpsilonGreedy or Softmax
        The exploration.
    initial : float or array
        Initial values of the table "q": finite, broadcast from the right to
        (replicas, observations, actions).

    Raises
    ------
    ValueError, TypeError
        If a parameter is outside of its domain.

    Notes
    -----
    Table: "q", (replicas, observations, actions). One random word per step.

    With beta = 0 no value ever falls. This alone is not the distributed Q-learning of Lauer &
    Riedmiller (ICML 2000), which uses alpha = 1, starts below every payoff, and changes the greedy
    action of an observation only if its largest value rises. Without the last condition, agents
    with several actions of equal value all play the first of them: with alpha = 1, two agents paid
    10 for unequal actions and 0 for equal ones end at 0.

    Source: Matignon, Laurent & Le Fort-Piat, Hysteretic Q-Learning: an algorithm for Decentralized
    Reinforcement Learning in Cooperative Multi-Agent Teams, IROS 2007.

    Examples
    --------
    >>> import fastgames as fg
    >>> learner = fg.HystereticQ(0.5, beta=0.1)
    >>> result = fg.run(fg.games.climbing(), learner, 9, 2, rng=1, backend="reference")
    >>> result.tables[0]["q"].shape
    (2, 1, 3)
    """

    alpha: Any = parameter(0.1, "[0, 1]")
    beta: Any = parameter(0.01, "[0, 1]")
    gamma: Any = parameter(None, "[0, 1]")
    explore: EpsilonGreedy | Softmax = exploration()
    initial: Any = initial_values()

    name = "hysteretic_q"
    title = "Hysteretic Q-learning"
    formula = (
        r"Q(o,a) \leftarrow Q(o,a) + \begin{cases} \alpha\,\delta & \delta \ge 0 \\ \beta\,\delta &"
        r" \delta < 0 \end{cases} \qquad \delta = r + \gamma \max_{a'} Q(o',a') - Q(o,a)"
    )
    example: ClassVar[Example] = Example(
        "climbing()",
        "fg.HystereticQ(alpha=0.1, beta=0.01)",
        kind="joint",
        record="fg.Record(joint_actions=True)",
        says=(
            "In the climbing game independent Q-learners rarely find the best joint action, "
            "(a, a); hysteretic learners usually do."
        ),
    )

    @cached
    def rules(self) -> Rules:
        """Rules of this learner."""
        return Rules(
            parameters=("alpha", "gamma", self.explore.parameter, "beta"),
            tables=(Table("q"),),
            learn=learn,
            update="hysteretic",
            **self.explore.rules,
        )


def learn(tables: Any, p: Any, t: "Outcome") -> None:
    """Move q[o, a] towards the target gain + weight max q[o2].

    The step size is alpha if the target is at least q[o, a], else beta.
    """
    q = tables.q
    target = t.gain + discounted_best(q, t)
    step = q.dtype.type(p.alpha)
    if target < q[t.observation, t.action]:
        step = q.dtype.type(p.beta)
    update(q, t.observation, t.action, target, step)
