"""The one-step actor-critic."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from fastgames._common.later import cached
from fastgames.learners.base import Example, RuleLearner
from fastgames.learners.fields import initial_values, parameter
from fastgames.learners.rules import Rules, Table
from fastgames.rules import fixed
from fastgames.rules.gradients import choose, climb, policy, softmax

if TYPE_CHECKING:
    from fastgames.rules.outcome import Outcome


@dataclass(frozen=True, eq=False)
class ActorCritic(RuleLearner):
    """The one-step actor-critic, a policy gradient with the TD error as advantage.

    In every step d = (r + gamma V[o']) - V[o]. The critic is V[o] += alpha_critic d, and the logits
    of o take the gradient step alpha_actor d grad log pi(a | o). The agent plays the softmax of its
    logits, mixed with uniform play.

    In games with turns, r is the discounted reward until the agent's next move, and gamma its
    factor.

    Parameters
    ----------
    alpha_actor : float, schedule or array (replicas,)
        The step size of the policy, in [0, inf), small relative to alpha_critic.
    alpha_critic : float, schedule or array (replicas,)
        The step size of the values, in [0, 1].
    gamma : float, schedule or array (replicas,), optional
        The discount factor, in [0, 1]; 1 only if episodes end. None: the game's discount, 0 for a
        matrix game.
    epsilon : float, schedule or array (replicas,)
        The share of uniform play in the policy, in [0, 1].
    initial : float or array
        Initial values of the table "logits": finite, broadcast from the right to (replicas,
        observations, actions).

    Raises
    ------
    ValueError, TypeError
        If a parameter is outside of its domain.

    Notes
    -----
    Tables: "logits", (replicas, observations, actions), and "value", (replicas, observations),
    initially 0. One random word per step.

    The step of the policy leaves out the factor gamma^t of the t-th move of an episode, as is
    usual.

    Source: Sutton & Barto, Reinforcement Learning: An Introduction, 2nd edition (2018), section
    13.5.

    Examples
    --------
    >>> import fastgames as fg
    >>> game = fg.games.chicken()
    >>> result = fg.run(game, fg.ActorCritic(), 9, 2, rng=1, backend="reference")
    >>> result.tables[0]["value"].shape
    (2, 1)
    """

    alpha_actor: Any = parameter(0.05, "[0, inf)")
    alpha_critic: Any = parameter(0.2, "[0, 1]")
    gamma: Any = parameter(None, "[0, 1]")
    epsilon: Any = parameter(0.0, "[0, 1]")
    initial: Any = initial_values()

    name = "actor_critic"
    title = "Actor-critic"
    formula = (
        r"\delta = r + \gamma V(o') - V(o), \qquad V(o) \leftarrow V(o) + \alpha_{critic}\,\delta, "
        r"\qquad \theta \leftarrow \theta + \alpha_{actor}\,\delta\, \nabla \log \pi(a \mid o)"
    )
    example: ClassVar[Example] = Example(
        "prisoners_dilemma()",
        "fg.ActorCritic()",
        says="Every agent learns to defect, the dominant action.",
    )

    @cached
    def rules(self) -> Rules:
        """Rules of this learner."""
        return Rules(
            parameters=("alpha_actor", "alpha_critic", "gamma", "epsilon"),
            tables=(Table("logits"), Table("value", ("observations",))),
            draw=fixed.draw,
            choose=choose,
            learn=learn,
            policy=policy,
        )


def learn(tables: Any, p: Any, t: "Outcome") -> None:
    """Step the value and the logits of o along the TD error d.

    d = (gain + weight value[o2]) - value[o], where the second term is 0 if the episode has ended;
    value[o] += alpha_critic d; logits[o] += alpha_actor d grad log pi(a | o).
    """
    value, row = tables.value, tables.logits[t.observation]
    real = value.dtype.type
    following = real(0.0)
    if not t.ended:
        following = value[t.next_observation]
    error = (t.gain + t.weight * following) - value[t.observation]
    value[t.observation] = value[t.observation] + real(p.alpha_critic) * error
    chances = np.empty(len(row), row.dtype)
    softmax(row, chances)
    climb(row, chances, t.action, p.epsilon, real(p.alpha_actor) * error)
