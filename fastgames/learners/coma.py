"""Counterfactual multi-agent policy gradients (COMA), with tables and one-step targets."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from fastgames._common.later import cached
from fastgames.learners.base import Example, RuleLearner
from fastgames.learners.fields import initial_values, parameter, text
from fastgames.learners.rules import Rules, Table
from fastgames.learners.value_decomposition import mean
from fastgames.rules import fixed
from fastgames.rules.gradients import choose, climb, policy, softmax
from fastgames.rules.qlearning import update
from fastgames.rules.teams import baseline, expected, expected_in_turns, joint

if TYPE_CHECKING:
    from fastgames.rules.outcome import TeamOutcome


@dataclass(frozen=True, eq=False)
class COMA(RuleLearner):
    """Counterfactual multi-agent policy gradients (COMA) with a common critic and one-step targets.

    The team's critic q[s, u] estimates the value of the members' joint observation s and joint
    action u by expected SARSA: q[s, u] += alpha_critic ((r + gamma E q[s', .]) - q[s, u]). r is the
    mean of the members' rewards, which is the reward itself if they share one. Every member i plays
    the softmax of its own logits, mixed with uniform play. Its logits take the gradient step
    alpha_actor A_i grad log pi_i(u_i | o_i), with the advantage A_i = q[s, u] - sum_b pi_i(b | o_i)
    q[s, (b, u_-i)], in which the others' actions are fixed.

    The critic has one row for each joint observation and one column for each joint action of the
    members, so it is suitable for small teams only.

    Agents with equal learners form one team.

    In games with turns a member that does not move plays action 0 for certain: it has no advantage,
    and its logits do not change. The team moves in a state if a member does; r is the discounted
    reward until its next move, and gamma its factor.

    Parameters
    ----------
    alpha_actor : float, schedule or array (replicas,)
        The step size of the policies, in [0, inf), small relative to alpha_critic.
    alpha_critic : float, schedule or array (replicas,)
        The step size of the critic, in [0, 1].
    gamma : float, schedule or array (replicas,), optional
        The discount factor, in [0, 1]; 1 only if episodes end. None: the game's discount, 0 for a
        matrix game.
    epsilon : float, schedule or array (replicas,)
        The share of uniform play in every policy, in [0, 1].
    initial : float or array
        Initial values of the table "logits" of each member: finite, broadcast from the right to
        (replicas, observations, actions).
    label : str
        The label of the team, which distinguishes teams with otherwise equal learners.

    Raises
    ------
    ValueError, TypeError
        If a parameter is outside of its domain.

    Notes
    -----
    Tables: "logits", (replicas, observations, actions), of each member, and "q", (replicas, joint
    observations, joint actions), initially 0, of the team. The digits of joint observations and
    joint actions are those of the members, the first slowest. One random word per step.

    In games with turns the joint observation includes the members that do not move. It should tell
    who moves: otherwise the states that it does not tell apart share the value of their joint
    action 0.

    Source: Foerster, Farquhar, Afouras, Nardelli & Whiteson, Counterfactual Multi-Agent Policy
    Gradients, AAAI 2018, equation 4; here with tables, one-step targets (lambda = 0) and no
    separate target critic.

    Examples
    --------
    >>> import fastgames as fg
    >>> result = fg.run(fg.games.climbing(), fg.COMA(), 9, 2, rng=1, backend="reference")
    >>> result.tables[0]["q"].shape
    (2, 1, 9)
    """

    alpha_actor: Any = parameter(0.05, "[0, inf)")
    alpha_critic: Any = parameter(0.2, "[0, 1]")
    gamma: Any = parameter(None, "[0, 1]")
    epsilon: Any = parameter(0.0, "[0, 1]")
    initial: Any = initial_values()
    label: str = text()

    name = "coma"
    title = "Counterfactual policy gradients (COMA)"
    formula = (
        r"A_i = Q(s, u) - \sum_{b} \pi_i(b \mid o_i)\, Q(s, (b, u_{-i})), \qquad \theta_i "
        r"\leftarrow \theta_i + \alpha_{actor}\, A_i\, \nabla \log \pi_i(u_i \mid o_i)"
    )
    example: ClassVar[Example] = Example(
        "stag_hunt()",
        "fg.COMA()",
        says="The team learns to hunt the stag, the best joint action.",
    )
    slow = True

    @cached
    def rules(self) -> Rules:
        """Rules of this learner."""
        return Rules(
            parameters=("alpha_actor", "alpha_critic", "gamma", "epsilon"),
            tables=(
                Table("logits"),
                Table("q", ("joint_observations", "joint_actions"), shared=True),
            ),
            draw=fixed.draw,
            choose=choose,
            learn=learn,
            learn_in_turns=learn_in_turns,
            policy=policy,
            team=True,
        )


def learn(tables: Any, p: Any, t: "TeamOutcome") -> None:
    """Update the critic by expected SARSA on the members' mean reward, then every actor.

    q[s, u] += alpha_critic ((reward + weight E q[s2, .]) - q[s, u]), where E is the mean over the
    members' current policies, and its term is 0 if the episode has ended. Then for member i, with
    the new q, A_i = q[s, u] - sum_b pi_i(b | o_i) q[s, (b, u_-i)] (equation 4), and
    logits_i[o_i] += alpha_actor A_i grad log pi_i(u_i | o_i).
    """
    logits = tables.logits
    q = tables.q
    real = q.dtype.type
    s = joint(t.observations, logits, 0)
    u = joint(t.actions, logits, 1)
    value = real(0.0)
    if not t.ended:
        s2 = joint(t.next_observations, logits, 0)
        value = expected(q[s2], logits, t.next_observations, p.epsilon)
    update(q, s, u, mean(t.rewards) + t.weight * value, real(p.alpha_critic))
    stride = 1
    for i in range(len(t.actions) - 1, -1, -1):
        a = t.actions[i]
        row = logits[i][t.observations[i]]
        chances = np.empty(len(row), q.dtype)
        softmax(row, chances)
        advantage = q[s, u] - baseline(q[s], chances, p.epsilon, u - a * stride, stride)
        climb(row, chances, a, p.epsilon, real(p.alpha_actor) * advantage)
        stride = stride * len(row)


def learn_in_turns(tables: Any, p: Any, t: "TeamOutcome") -> None:
    """Update as `learn` does, in a game with turns: members that do not move play action 0.

    The mean E is over the members that move next; only actors that made the move learn.
    """
    logits = tables.logits
    q = tables.q
    real = q.dtype.type
    s = joint(t.observations, logits, 0)
    u = joint(t.actions, logits, 1)
    value = real(0.0)
    if not t.ended:
        s2 = joint(t.next_observations, logits, 0)
        value = expected_in_turns(q[s2], logits, t.next_observations, t.next_moves, p.epsilon)
    update(q, s, u, mean(t.rewards) + t.weight * value, real(p.alpha_critic))
    stride = 1
    for i in range(len(t.actions) - 1, -1, -1):
        a = t.actions[i]
        row = logits[i][t.observations[i]]
        if t.moves[i]:
            chances = np.empty(len(row), q.dtype)
            softmax(row, chances)
            advantage = q[s, u] - baseline(q[s], chances, p.epsilon, u - a * stride, stride)
            climb(row, chances, a, p.epsilon, real(p.alpha_actor) * advantage)
        stride = stride * len(row)
