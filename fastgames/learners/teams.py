"""Team learners: one learner controls several agents; each acts on its own observation."""

from dataclasses import dataclass, field
from functools import partial
from typing import Any

from fastgames.learners.base import RuleLearner, Rules, Table
from fastgames.learners.explore import EpsilonGreedy, Softmax
from fastgames.rules import coma, fixed, qlearning, value_decomposition

_vdn = partial(Rules, tables=(Table("q"),), learn=value_decomposition.learn, team=True)
_VDN_EPSILON = _vdn(
    parameters=("alpha", "gamma", "epsilon"),
    draw=qlearning.draw_explore,
    choose=qlearning.choose_greedy,
    policy=qlearning.policy_epsilon,
)
_VDN_SOFTMAX = _vdn(
    parameters=("alpha", "gamma", "temperature"),
    draw=qlearning.draw_unit,
    choose=qlearning.choose_softmax,
    policy=qlearning.policy_softmax,
)
_COMA = Rules(
    parameters=("alpha_actor", "alpha_critic", "gamma", "epsilon"),
    tables=(
        Table("logits"),
        Table("q", dims=("joint_observations", "joint_actions"), shared=True),
    ),
    draw=fixed.draw,
    choose=coma.choose,
    learn=coma.learn,
    policy=coma.policy,
    team=True,
)


class _Team(RuleLearner):
    """The base class of team learners, which have a label."""

    label: str

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.label, str):
            raise TypeError(f"label must be a str, got {self.label!r}")


@dataclass(frozen=True, eq=False)
class VDN(_Team):
    """Value decomposition (VDN): Q-learning of a team value that is a sum over the members.

    Every member i has a table q_i of its own observation and action. In each step all
    q_i[o_i, a_i] += alpha d, with the common error d = (r + gamma sum_i max q_i[o_i']) - sum_i
    q_i[o_i, a_i]. r is the mean of the members' rewards, which is the reward itself if they share
    one.

    A step moves the sum by M alpha of its distance to the target, for M members. Keep alpha below
    1 / M: above 2 / M the tables diverge.

    Agents with equal learners form one team.

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
        Distinguishes teams that are otherwise equal.

    Raises
    ------
    ValueError, TypeError
        If a parameter is outside of its domain.

    Notes
    -----
    Table: "q", (replicas, observations, actions), of each member. One random word per step.

    Source: Sunehag et al., Value-Decomposition Networks For Cooperative Multi-Agent Learning Based
    On Team Reward, AAMAS 2018, equation 1; here with tables instead of networks.

    Examples
    --------
    >>> import fastgames as fg
    >>> result = fg.run(fg.games.climbing(), fg.VDN(), 9, 2, rng=1, backend="reference")
    >>> result.tables[0]["q"].shape
    (2, 1, 3)
    """

    alpha: Any = 0.1
    gamma: Any = None
    explore: EpsilonGreedy | Softmax = field(default_factory=lambda: EpsilonGreedy(0.1))
    initial: Any = 0.0
    label: str = ""

    name = "vdn"

    def domains(self) -> dict[str, str]:
        """Return the domain of every numeric field, by name."""
        return {"alpha": "[0, 1]", "gamma": "[0, 1]"}

    @property
    def rules(self) -> Rules:
        """Rules of this learner."""
        return _VDN_EPSILON if isinstance(self.explore, EpsilonGreedy) else _VDN_SOFTMAX


@dataclass(frozen=True, eq=False)
class COMA(_Team):
    """Counterfactual multi-agent policy gradients (COMA): members learn from their own advantage.

    The team's critic q[s, u] estimates the value of the members' joint observation s and joint
    action u by expected SARSA: q[s, u] += alpha_critic ((r + gamma E q[s', .]) - q[s, u]). r is the
    mean of the members' rewards, which is the reward itself if they share one. Every member i plays
    the softmax of its own logits, mixed with uniform play. Its logits take the gradient step
    alpha_actor A_i grad log pi_i(u_i | o_i), with the advantage A_i = q[s, u] - sum_b pi_i(b | o_i)
    q[s, (b, u_-i)], in which the others' actions are fixed.

    The critic has one row for each joint observation and one column for each joint action of the
    members, so it is suitable for small teams only.

    Agents with equal learners form one team.

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
        Distinguishes teams that are otherwise equal.

    Raises
    ------
    ValueError, TypeError
        If a parameter is outside of its domain.

    Notes
    -----
    Tables: "logits", (replicas, observations, actions), of each member, and "q", (replicas, joint
    observations, joint actions), initially 0, of the team. The digits of joint observations and
    joint actions are those of the members, the first slowest. One random word per step.

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

    alpha_actor: Any = 0.05
    alpha_critic: Any = 0.2
    gamma: Any = None
    epsilon: Any = 0.0
    initial: Any = 0.0
    label: str = ""

    name = "coma"

    def domains(self) -> dict[str, str]:
        """Return the domain of every numeric field, by name."""
        return {
            "alpha_actor": "[0, inf)",
            "alpha_critic": "[0, 1]",
            "gamma": "[0, 1]",
            "epsilon": "[0, 1]",
        }

    @property
    def rules(self) -> Rules:
        """Rules of this learner."""
        return _COMA
