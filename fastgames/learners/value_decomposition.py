"""Value decomposition (VDN): the value of a team is a sum of its members' values."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from fastgames._common.later import cached
from fastgames.learners.base import Example, RuleLearner
from fastgames.learners.explore import EpsilonGreedy, Softmax
from fastgames.learners.fields import exploration, initial_values, parameter, text
from fastgames.learners.rules import Rules, Table
from fastgames.rules.choice import largest

if TYPE_CHECKING:
    from fastgames.rules.outcome import TeamOutcome


@dataclass(frozen=True, eq=False)
class VDN(RuleLearner):
    """Value decomposition (VDN), Q-learning of a team value that is a sum over the members.

    Every member i has a table q_i of its own observation and action. In each step all
    q_i[o_i, a_i] += alpha d, with the common error d = (r + gamma sum_i max q_i[o_i']) - sum_i
    q_i[o_i, a_i]. r is the mean of the members' rewards, which is the reward itself if they share
    one.

    A step moves the sum by M alpha of its distance to the target, for M members. Keep alpha below
    1 / M: above 2 / M the tables diverge.

    Agents with equal learners form one team.

    In games with turns both sums are over the members that move: a member that does not move has no
    action, and its observation is not used. The team moves in a state if a member does; r is the
    discounted reward until its next move, and gamma its factor.

    Parameters
    ----------
    alpha : float, schedule or array (replicas,)
        The step size of each member, in [0, 1].
    gamma : float, schedule or array (replicas,), optional
        The discount factor, in [0, 1]; 1 only if episodes end. None: the game's discount, 0 for a
        matrix game.
    explore : EpsilonGreedy or Softmax
        The exploration of each member, by its own q_i.
    initial : float or array
        Initial values of the table "q" of each member: finite, broadcast from the right to
        (replicas, observations, actions).
    label : str
        The label of the team, which distinguishes teams with otherwise equal learners.

    Raises
    ------
    ValueError, TypeError
        If a parameter is outside of its domain.

    Notes
    -----
    Table: "q", (replicas, observations, actions), of each member. One random word per step.

    If one member moves at a time and observes the state, the team learns as one Q-learner does that
    controls all its members.

    Source: Sunehag et al., Value-Decomposition Networks For Cooperative Multi-Agent Learning Based
    On Team Reward, AAMAS 2018, equation 1; here with tables instead of networks.

    Examples
    --------
    >>> import fastgames as fg
    >>> result = fg.run(fg.games.climbing(), fg.VDN(), 9, 2, rng=1, backend="reference")
    >>> result.tables[0]["q"].shape
    (2, 1, 3)
    """

    alpha: Any = parameter(0.1, "[0, 1]")
    gamma: Any = parameter(None, "[0, 1]")
    explore: EpsilonGreedy | Softmax = exploration()
    initial: Any = initial_values()
    label: str = text()

    name = "vdn"
    title = "Value decomposition (VDN)"
    formula = (
        r"Q_{tot}(o, a) = \sum_i Q_i(o_i, a_i), \qquad Q_i \leftarrow Q_i + \alpha\,\bigl[\,r + "
        r"\gamma \sum_j \max_{a'} Q_j(o'_j, a') - Q_{tot}(o, a)\,\bigr]"
    )
    example: ClassVar[Example] = Example(
        "coordination(3)",
        "fg.VDN(alpha=0.1)",
        kind="joint",
        record="fg.Record(joint_actions=True)",
        says="The members coordinate on one of the best joint actions.",
    )

    @cached
    def rules(self) -> Rules:
        """Rules of this learner."""
        return Rules(
            parameters=("alpha", "gamma", self.explore.parameter),
            tables=(Table("q"),),
            learn=learn,
            learn_in_turns=learn_in_turns,
            team=True,
            **(self.explore.rules | {"twin": None}),
        )


def mean(rewards: np.ndarray) -> Any:
    """Return the reward of a team: the mean of its members' rewards (M,), in index order."""
    total = rewards[0]
    for i in range(1, len(rewards)):
        total = total + rewards[i]
    return total / rewards.dtype.type(len(rewards))


def learn(tables: Any, p: Any, t: "TeamOutcome") -> None:
    """Add alpha d to q_i[o_i, a_i] of every member i, with the error d of the sum.

    d = (mean reward + weight sum_i max q_i[o2_i]) - sum_i q_i[o_i, a_i]; the first sum is 0 if the
    episode has ended. This is a gradient step on the squared error of the sum, which moves by
    M alpha d.
    """
    qs = tables.q
    real = t.rewards.dtype.type
    value = real(0.0)
    best = real(0.0)
    for i in range(len(t.observations)):
        value = value + qs[i][t.observations[i], t.actions[i]]
        if not t.ended:
            best = best + largest(qs[i][t.next_observations[i]])
    change = real(p.alpha) * ((mean(t.rewards) + t.weight * best) - value)
    for i in range(len(t.observations)):
        o = t.observations[i]
        a = t.actions[i]
        qs[i][o, a] = qs[i][o, a] + change


def learn_in_turns(tables: Any, p: Any, t: "TeamOutcome") -> None:
    """Update q_i as `learn` does, in a game with turns: only members that move count in the sums.

    Those that made the move count in the value, those that move next in that of the target.
    """
    qs = tables.q
    real = t.rewards.dtype.type
    value = real(0.0)
    best = real(0.0)
    for i in range(len(t.observations)):
        if t.moves[i]:
            value = value + qs[i][t.observations[i], t.actions[i]]
        if t.next_moves[i] and not t.ended:
            best = best + largest(qs[i][t.next_observations[i]])
    change = real(p.alpha) * ((mean(t.rewards) + t.weight * best) - value)
    for i in range(len(t.observations)):
        if t.moves[i]:
            o = t.observations[i]
            a = t.actions[i]
            qs[i][o, a] = qs[i][o, a] + change
