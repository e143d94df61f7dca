"""Teams: one learner that holds several agents, learns from all, and acts from each one's view."""

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
    """A learner with a label."""

    label: str

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.label, str):
            raise TypeError(f"label must be a str, got {self.label!r}")


@dataclass(frozen=True, eq=False)
class VDN(_Team):
    """Value decomposition: one Q-learner for a team, whose value is a sum over the members.

    Every member i has q_i, which knows its own observation and action alone. In each step all
    q_i[o_i, a_i] += alpha d, with the one error d = (r + gamma sum_i max q_i[o_i']) - sum_i
    q_i[o_i, a_i]. r is the mean of the members' rewards: the reward itself where they share one.

    The sum goes M alpha of the way to its target, M the number of members. Keep alpha below 1 / M:
    above 2 / M the tables do not stay finite.

    Agents with an equal learner are one team.

    Parameters
    ----------
    alpha : float, schedule or array (replicas,)
        The step size of each member, in [0, 1].
    gamma : float, schedule or array (replicas,), optional
        The discount, in [0, 1]; 1 only where episodes end. None: the game's own, 0 for a matrix
        game.
    explore : EpsilonGreedy or Softmax
        How each member explores, by its own q_i.
    initial : float or array
        What the table "q" of each member starts at: finite, broadcast from the right to
        (replicas, observations, actions).
    label : str
        Tells two teams apart that are otherwise equal.

    Notes
    -----
    Table: "q", (replicas, observations, actions), of each member. One random word per step.

    Source: Sunehag et al., Value-Decomposition Networks For Cooperative Multi-Agent Learning Based
    On Team Reward, AAMAS 2018, equation 1; here with tables in place of networks.
    """

    alpha: Any = 0.1
    gamma: Any = None
    explore: EpsilonGreedy | Softmax = field(default_factory=lambda: EpsilonGreedy(0.1))
    initial: Any = 0.0
    label: str = ""

    name = "vdn"

    def domains(self) -> dict[str, str]:
        """The domain of every numeric field."""
        return {"alpha": "[0, 1]", "gamma": "[0, 1]"}

    @property
    def rules(self) -> Rules:
        """The rules of this learner, as `fastgames.rules` has them."""
        return _VDN_EPSILON if isinstance(self.explore, EpsilonGreedy) else _VDN_SOFTMAX


@dataclass(frozen=True, eq=False)
class COMA(_Team):
    """Counterfactual policy gradients: members are credited with what their own action changed.

    The team's critic q[s, u] values what all members see, s, and do, u, by expected SARSA: q[s, u]
    += alpha_critic ((r + gamma E q[s', .]) - q[s, u]). r is the mean of the members' rewards: the
    reward itself where they share one. Every member i plays the softmax of its own logits, mixed
    with uniform play, and climbs alpha_actor A_i grad log pi_i(u_i | o_i), where A_i = q[s, u] -
    sum_b pi_i(b | o_i) q[s, (b, u_-i)]: the others' actions stay as they were.

    The critic has one row for each combination of the members' observations, and one column for
    each of their actions: this is for small teams.

    Agents with an equal learner are one team.

    Parameters
    ----------
    alpha_actor : float, schedule or array (replicas,)
        The step size of the policies, in [0, inf), small beside alpha_critic.
    alpha_critic : float, schedule or array (replicas,)
        The step size of the critic, in [0, 1].
    gamma : float, schedule or array (replicas,), optional
        The discount, in [0, 1]; 1 only where episodes end. None: the game's own, 0 for a matrix
        game.
    epsilon : float, schedule or array (replicas,)
        The share of uniform play in every policy, in [0, 1].
    initial : float or array
        What "logits" of each member start at: finite, broadcast from the right to
        (replicas, observations, actions).
    label : str
        Tells two teams apart that are otherwise equal.

    Notes
    -----
    Tables: "logits", (replicas, observations, actions), of each member, and "q", (replicas, joint
    observations, joint actions), 0 at first, of the team; joint ones are numbered with the digits
    of the members, the first slowest. One random word per step.

    Source: Foerster, Farquhar, Afouras, Nardelli & Whiteson, Counterfactual Multi-Agent Policy
    Gradients, AAAI 2018, equation 4; here with tables, in single steps (their lambda is 0), and
    the critic's own table is its target.
    """

    alpha_actor: Any = 0.05
    alpha_critic: Any = 0.2
    gamma: Any = None
    epsilon: Any = 0.0
    initial: Any = 0.0
    label: str = ""

    name = "coma"

    def domains(self) -> dict[str, str]:
        """The domain of every numeric field."""
        return {
            "alpha_actor": "[0, inf)",
            "alpha_critic": "[0, 1]",
            "gamma": "[0, 1]",
            "epsilon": "[0, 1]",
        }

    @property
    def rules(self) -> Rules:
        """The rules of this learner, as `fastgames.rules` has them."""
        return _COMA
