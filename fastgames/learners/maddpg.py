"""Multi-agent actor-critics with a critic of joint actions for each agent (MADDPG), in tables."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from fastgames._common.later import cached
from fastgames.learners.base import Example, RuleLearner
from fastgames.learners.fields import choice, initial_values, parameter, text
from fastgames.learners.rules import Rules, Table
from fastgames.rules import fixed
from fastgames.rules.gradients import choose, climb, policy, softmax
from fastgames.rules.qlearning import update
from fastgames.rules.sums import dot
from fastgames.rules.teams import joint, joint_chances
from fastgames.schedules import Numeric

if TYPE_CHECKING:
    from fastgames.rules.outcome import TeamOutcome

BASELINES = ("value", "none")


@dataclass(frozen=True, eq=False)
class MADDPG(RuleLearner):
    """Multi-agent actor-critics with own critics of joint actions (MADDPG), in tables.

    Agents with equal learners learn together and play alone. Each agent i has its own rewards r_i
    and its own critic q_i[s, u] of all members' joint observation s and joint action u, so that
    members may have different aims: q_i[s, u] += alpha_critic ((r_i + gamma E q_i[s', .]) - q_i[s,
    u]), where the mean E is over the policies of all members at s', not over the actions that they
    play next. Then its logits take the gradient step alpha_actor A_i grad log pi_i(u_i | o_i) with
    A_i = q_i[s, u] - E q_i[s, .]. Every member plays the softmax of its own logits, mixed with
    uniform play.

    Each critic has one row for each joint observation and one column for each joint action of the
    members, so MADDPG is suitable for small teams only.

    In games with turns a member that does not move plays action 0 for certain, and its logits do
    not change. The team moves in a state if a member does; r_i is the discounted reward until its
    next move, and gamma its factor.

    Parameters
    ----------
    alpha_actor : float, schedule or array (replicas,)
        The step size of the policies, in [0, inf), small relative to alpha_critic.
    alpha_critic : float, schedule or array (replicas,)
        The step size of the critics, in [0, 1].
    gamma : float, schedule or array (replicas,), optional
        The discount factor, in [0, 1]; 1 only if episodes end. None: the game's discount, 0 for a
        matrix game.
    epsilon : float, schedule or array (replicas,)
        The share of uniform play in every policy, in [0, 1].
    baseline : "value" or "none"
        "none" leaves out E q_i[s, .] in A_i, as the source does; the mean step is the same.
    initial : float or array
        Initial values of the table "logits" of each member: finite, broadcast from the right to
        (replicas, observations, actions).
    label : str
        The label of the team, which distinguishes teams with otherwise equal learners.

    Raises
    ------
    ValueError, TypeError
        If a parameter is outside of its domain. `fastgames.run` raises ValueError if the critics of
        all joint observations do not fit into memory.

    Notes
    -----
    Tables of each member: "logits", (replicas, observations, actions), and "q", (replicas, joint
    observations, joint actions), initially 0. The digits of joint observations and joint actions
    are those of the members, the first slowest. One random word per step.

    All members step at once: the policies in E are those before the step. If all members have the
    same rewards, their critics are equal, and equal to that of `COMA`, whose baseline leaves the
    others' actions fixed and so has less variance.

    In games with turns the joint observation should tell who moves: otherwise the states that it
    does not tell apart share the value of their joint action 0.

    Source: Lowe, Wu, Tamar, Harb, Abbeel & Mordatch, Multi-Agent Actor-Critic for Mixed
    Cooperative-Competitive Environments, NeurIPS 2017, equations 4 and 6; here with stochastic
    policies in tables, learned from every step as it comes, without memory of former steps and
    without target networks.

    Examples
    --------
    >>> import fastgames as fg
    >>> result = fg.run(fg.games.chicken(), fg.MADDPG(), 9, 2, rng=1, backend="reference")
    >>> result.tables[1]["q"].shape
    (2, 1, 4)
    """

    alpha_actor: Any = parameter(0.05, "[0, inf)")
    alpha_critic: Any = parameter(0.2, "[0, 1]")
    gamma: Any = parameter(None, "[0, 1]")
    epsilon: Any = parameter(0.0, "[0, 1]")
    baseline: str = choice(BASELINES)
    initial: Any = initial_values()
    label: str = text()

    name = "maddpg"
    title = "Multi-agent actor-critic (MADDPG)"
    formula = (
        r"Q_i(s, u) \leftarrow Q_i(s, u) + \alpha_{critic}\,\bigl[\,r_i + \gamma\, E_{u' \sim \pi}"
        r"\, Q_i(s', u') - Q_i(s, u)\,\bigr], \qquad \theta_i \leftarrow \theta_i + "
        r"\alpha_{actor}\,\bigl[\,Q_i(s, u) - E_{u' \sim \pi}\, Q_i(s, u')\,\bigr]\, \nabla \log "
        r"\pi_i(u_i \mid o_i)"
    )
    example: ClassVar[Example] = Example(
        "prisoners_dilemma()",
        "fg.MADDPG()",
        says="Every agent learns to defect: its critic is of its own rewards.",
    )
    slow = True

    @cached
    def rules(self) -> Rules:
        """Rules of this learner."""
        return Rules(
            parameters=("alpha_actor", "alpha_critic", "gamma", "epsilon", "baseline"),
            tables=(Table("logits"), Table("q", ("joint_observations", "joint_actions"))),
            draw=fixed.draw,
            choose=choose,
            learn=learn,
            policy=policy,
            team=True,
        )

    def values(self, discount: float) -> dict[str, Numeric]:
        """Return the numeric parameters by their names in the rules; discount: the game's."""
        return super().values(discount) | {"baseline": float(self.baseline == "value")}


def learn(tables: Any, p: Any, t: "TeamOutcome") -> None:
    """Update the critic of every member by expected SARSA on its own reward, then every actor.

    q_i[s, u] += alpha_critic ((reward_i + weight E q_i[s2, .]) - q_i[s, u]), where E is the mean
    over the policies of the members that move, and its term is 0 if the episode has ended. Then,
    with the new q_i, logits_i[o_i] += alpha_actor (q_i[s, u] - E q_i[s, .]) grad log pi_i(u_i |
    o_i) for members that made the move.
    """
    logits, qs = tables.logits, tables.q
    real = qs[0].dtype.type
    s, u = joint(t.observations, logits, 0), joint(t.actions, logits, 1)
    chances = np.empty(qs[0].shape[1], qs[0].dtype)
    s2 = s
    if not t.ended:
        s2 = joint(t.next_observations, logits, 0)
        joint_chances(logits, t.next_observations, t.next_moves, p.epsilon, chances)
    for i in range(len(t.actions)):
        value = real(0.0)
        if not t.ended:
            value = dot(chances, qs[i][s2])
        update(qs[i], s, u, t.rewards[i] + t.weight * value, real(p.alpha_critic))
    joint_chances(logits, t.observations, t.moves, p.epsilon, chances)
    for i in range(len(t.actions)):
        if t.moves[i]:
            advantage = qs[i][s, u]
            if p.baseline:
                advantage = advantage - dot(chances, qs[i][s])
            row = logits[i][t.observations[i]]
            own = np.empty(len(row), row.dtype)
            softmax(row, own)
            climb(row, own, t.actions[i], p.epsilon, real(p.alpha_actor) * advantage)
