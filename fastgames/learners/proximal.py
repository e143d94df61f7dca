"""Proximal policy optimisation of several agents: independent (IPPO), and with a value of the team.

IPPO and MAPPO differ in the observations of their values only; `fastgames.rules.rollouts` has what
they share.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from fastgames._common.later import cached
from fastgames.games import Game
from fastgames.learners.base import Example, RuleLearner
from fastgames.learners.fields import flag, initial_values, parameter, text, whole
from fastgames.learners.rules import Rules, Table
from fastgames.learners.value_decomposition import mean
from fastgames.rules import fixed
from fastgames.rules.episodes import inside
from fastgames.rules.gradients import policy_softmax
from fastgames.rules.rollouts import (
    carry,
    choose,
    climb,
    cut,
    estimate,
    fit,
    group,
    standardise,
    td_error,
)
from fastgames.rules.teams import joint
from fastgames.schedules import Numeric

if TYPE_CHECKING:
    from fastgames.rules.outcome import Outcome, TeamOutcome

PARAMETERS = (
    "alpha_actor", "alpha_critic", "gamma", "gae_lambda", "clip", "entropy", "epochs",
    "standardise",
)  # fmt: skip


class _Proximal(RuleLearner):
    """What both learners have: numbers of whole fields and flags, and the check of sharing."""

    slow = True
    batch = ("rollout",)

    def values(self, discount: float) -> dict[str, Numeric]:
        """Return the numeric parameters by their names in the rules; discount: the game's."""
        whole = {name: float(getattr(self, name)) for name in ("epochs", "standardise")}
        return super().values(discount) | whole

    def check_team(self, game: Game, team: tuple[int, ...]) -> None:
        """Raise ValueError if members that share a table have tables of different sizes."""
        sizes = [(game.num_observations[i], game.num_actions[i]) for i in team]
        if self.shared and len(set(sizes)) > 1:  # type: ignore[attr-defined]
            other = next(i for i, size in zip(team, sizes, strict=True) if size != sizes[0])
            raise ValueError(
                f"shared of {type(self).__name__} must be False where members differ in their "
                f"numbers of observations and actions, as agents {team[0]}, {sizes[0]}, and "
                f"{other}, {sizes[team.index(other)]}, of {game.name!r}"
            )


@dataclass(frozen=True, eq=False)
class IPPO(_Proximal):
    """Independent proximal policy optimisation (IPPO): rollouts, advantages and clipped steps.

    The agent plays the softmax of its logits for a rollout of n moves. The moves get generalised
    advantages A_t = d_t + gamma lambda A_{t+1}, with the TD errors d_t = (r_t + gamma V[o_{t+1}]) -
    V[o_t]; they stop at the ends of episodes and of the rollout. Then the logits take `epochs`
    gradient steps of size alpha_actor on the mean over the rollout of min(r_t A_t, clip(r_t, 1 -
    clip, 1 + clip) A_t) + entropy H(pi(. | o_t)), where r_t is the ratio of the probability of the
    t-th action to that which it was played with, and H is the entropy of the policy. In each epoch
    V[o] moves by alpha_critic towards the mean of A_t + V[o] over the visits of o, with the A_t and
    V[o] of the rollout.

    With n = 1, epochs = 1 and entropy = 0 it is `ActorCritic`.

    With shared=True agents with equal learners form one team, whose members have the same policy
    and the same values V of their own observations (parameter sharing). The members' moves are one
    batch: the objective is the mean over all of them. Each member learns from its own rewards.

    In games with turns, r_t is the discounted reward until the agent's next move, and gamma its
    factor. With shared=True, every move of the team is a step of all its members, of which those
    that do not move learn values only.

    Parameters
    ----------
    rollout : int
        The number n of moves between two updates, in [1, 2^31).
    epochs : int
        The number of gradient steps for each rollout, in [1, 2^31).
    alpha_actor : float, schedule or array (replicas,)
        The step size of the policy, in [0, inf).
    alpha_critic : float, schedule or array (replicas,)
        The step size of the values, in [0, 1].
    gamma : float, schedule or array (replicas,), optional
        The discount factor, in [0, 1]; 1 only if episodes end. None: the game's discount, 0 for a
        matrix game.
    gae_lambda : float, schedule or array (replicas,)
        The weight lambda of later TD errors in the advantages, in [0, 1].
    clip : float, schedule or array (replicas,)
        How far r_t may go from 1, in [0, inf).
    entropy : float, schedule or array (replicas,)
        The weight of the entropy, in [0, inf).
    standardise : bool
        The advantages of a rollout are divided by their standard deviation, after their mean is
        subtracted. Nothing is added to it; if all are equal, they become 0.
    shared : bool
        All members have one policy and one table of values.
    initial : float or array
        Initial values of the table "logits": finite, broadcast from the right to (replicas,
        observations, actions).
    label : str
        The label of the team, which distinguishes teams with otherwise equal learners. It has no
        effect unless shared.

    Raises
    ------
    ValueError, TypeError
        If a parameter is outside of its domain. `fastgames.run` raises ValueError if the run has
        fewer steps than a rollout, or if members that share tables have different numbers of
        observations or actions.

    Notes
    -----
    Tables: "logits", (replicas, observations, actions); "value", (replicas, observations),
    initially 0; "softmax", (replicas, observations, actions), the policy of observations whose
    logits were stepped, 0 for others. Of the current rollout: "seen" and "played", (replicas, n)
    int64, the observations and actions; "errors", (replicas, n), the d_t; "carries", (replicas, n),
    gamma lambda, or 0 where A_{t+1} does not count; "count", (replicas, 1) int64, the number of
    moves. One random word per step.

    With shared=True the team has one "value", "carries" and "count", and "seen", "played" and
    "errors" are (replicas, members, n), where -1 is the action of a member that does not move. Each
    member has a copy of "logits" and "softmax"; tables that are given should be equal for all
    members.

    A time limit that cuts the episode before the agent's next turn leaves the return of its last
    move unknown. This move is not part of the rollout. Flips count only changes at the observation
    of the last move.

    Source: Schulman, Wolski, Dhariwal, Radford & Klimov, Proximal Policy Optimization Algorithms,
    arXiv:1707.06347 (2017), equations 7, 9 and 11; de Witt et al., Is Independent Learning All You
    Need in the StarCraft Multi-Agent Challenge?, arXiv:2011.09533 (2020); here with full batches,
    and without a clip of values. Sharing can cost: Kuba et al., Trust Region Policy Optimisation in
    Multi-Agent Reinforcement Learning, ICLR 2022, proposition 1.

    Examples
    --------
    >>> import fastgames as fg
    >>> result = fg.run(fg.games.chicken(), fg.IPPO(4), 9, 2, rng=1, backend="reference")
    >>> result.tables[0]["count"][0]  # of the third rollout
    array([1])
    """

    rollout: int = whole(32, "[1, 2^31)")
    epochs: int = whole(4, "[1, 2^31)")
    alpha_actor: Any = parameter(0.2, "[0, inf)")
    alpha_critic: Any = parameter(0.1, "[0, 1]")
    gamma: Any = parameter(None, "[0, 1]")
    gae_lambda: Any = parameter(0.95, "[0, 1]")
    clip: Any = parameter(0.2, "[0, inf)")
    entropy: Any = parameter(0.0, "[0, inf)")
    standardise: bool = flag()
    shared: bool = flag()
    initial: Any = initial_values()
    label: str = text()

    name = "ippo"
    title = "Independent proximal policy optimisation (IPPO)"
    formula = (
        r"A_t = \delta_t + \gamma \lambda A_{t+1}, \qquad \theta \leftarrow \theta + \alpha_{actor}"
        r"\,\nabla\, \frac{1}{n} \sum_t \min\bigl(r_t A_t,\, \mathrm{clip}(r_t, 1 - c, 1 + c)\, A_t"
        r"\bigr) + \beta H(\pi(\cdot \mid o_t))"
    )
    example: ClassVar[Example] = Example(
        "prisoners_dilemma()",
        "fg.IPPO(rollout=16)",
        says="Every agent learns to defect, the dominant action.",
    )

    @cached
    def rules(self) -> Rules:
        """Rules of this learner."""
        each = ("agents", self.rollout) if self.shared else (self.rollout,)
        return Rules(
            parameters=PARAMETERS,
            tables=(
                Table("logits"),
                Table("softmax"),
                Table("value", ("observations",), shared=self.shared),
                Table("seen", each, kind="int64", shared=self.shared),
                Table("played", each, kind="int64", shared=self.shared),
                Table("errors", each, shared=self.shared),
                Table("carries", (self.rollout,), shared=self.shared),
                Table("count", (1,), kind="int64", shared=self.shared),
            ),
            draw=fixed.draw,
            choose=choose,
            learn=learn_shared if self.shared else learn,
            policy=policy_softmax,
            cuts=True,
            team=self.shared,
            derived=("softmax",),
        )


@dataclass(frozen=True, eq=False)
class MAPPO(_Proximal):
    """Multi-agent proximal policy optimisation (MAPPO), with values of joint observations.

    Every member i of the team plays the softmax of its own logits for a rollout of n steps. The
    team has values V of the members' joint observations s. All members have the same generalised
    advantages A_t = d_t + gamma lambda A_{t+1}, with the TD errors d_t = (r_t + gamma V[s_{t+1}]) -
    V[s_t], where r is the mean of the members' rewards, which is the reward itself if they share
    one; they stop at the ends of episodes and of the rollout. Then the logits of every member take
    `epochs` gradient steps of size alpha_actor on the mean over the rollout of min(r_ti A_t,
    clip(r_ti, 1 - clip, 1 + clip) A_t) + entropy H(pi_i(. | o_ti)), where r_ti is the ratio of the
    probability of the member's own action to that which it was played with, and H is the entropy of
    its policy. In each epoch V[s] moves by alpha_critic towards the mean of A_t + V[s] over the
    visits of s, with the A_t and V[s] of the rollout.

    The values have one row for each joint observation of the members.

    Agents with equal learners form one team. With shared=True its members have the same policy
    (parameter sharing): their moves are one batch, and the objective is the mean over all of them.

    In games with turns a member that does not move plays action 0 for certain, which does not
    change its logits. The team moves in a state if a member does; r is the discounted reward until
    its next move, and gamma its factor.

    Parameters
    ----------
    rollout : int
        The number n of moves of the team between two updates, in [1, 2^31).
    epochs : int
        The number of gradient steps for each rollout, in [1, 2^31).
    alpha_actor : float, schedule or array (replicas,)
        The step size of the policies, in [0, inf).
    alpha_critic : float, schedule or array (replicas,)
        The step size of the values, in [0, 1].
    gamma : float, schedule or array (replicas,), optional
        The discount factor, in [0, 1]; 1 only if episodes end. None: the game's discount, 0 for a
        matrix game.
    gae_lambda : float, schedule or array (replicas,)
        The weight lambda of later TD errors in the advantages, in [0, 1].
    clip : float, schedule or array (replicas,)
        How far r_ti may go from 1, in [0, inf).
    entropy : float, schedule or array (replicas,)
        The weight of the entropy, in [0, inf).
    standardise : bool
        The advantages of a rollout are divided by their standard deviation, after their mean is
        subtracted. Nothing is added to it; if all are equal, they become 0.
    shared : bool
        All members have one policy.
    initial : float or array
        Initial values of the table "logits" of each member: finite, broadcast from the right to
        (replicas, observations, actions).
    label : str
        The label of the team, which distinguishes teams with otherwise equal learners.

    Raises
    ------
    ValueError, TypeError
        If a parameter is outside of its domain. `fastgames.run` raises ValueError if the run has
        fewer steps than a rollout, if the values of all joint observations do not fit into memory,
        or if members that share a policy have different numbers of observations or actions.

    Notes
    -----
    Tables of each member: "logits", (replicas, observations, actions), and "softmax", of the same
    shape, the policy of observations whose logits were stepped, 0 for others. Of the team: "value",
    (replicas, joint observations), initially 0. Of its current rollout: "states", (replicas, n)
    int64, the joint observations; "seen" and "played", (replicas, members, n) int64, the members'
    observations and actions, -1 for a member that does not move; "errors", (replicas, n), the d_t;
    "carries", (replicas, n), gamma lambda, or 0 where A_{t+1} does not count; "count", (replicas,
    1) int64, the number of moves. The digits of joint observations are those of the members, the
    first slowest. One random word per step.

    With shared=True each member has a copy of "logits" and "softmax"; tables that are given should
    be equal for all members.

    A time limit that cuts the episode before the team's next move leaves the return of its last
    move unknown. This move is not part of the rollout. Flips count only changes at the observations
    of the last move.

    Source: Yu et al., The Surprising Effectiveness of PPO in Cooperative Multi-Agent Games, NeurIPS
    2022 (datasets and benchmarks); Schulman, Wolski, Dhariwal, Radford & Klimov, Proximal Policy
    Optimization Algorithms, arXiv:1707.06347 (2017), equations 7, 9 and 11; here with full batches,
    and without a clip of values. Sharing can cost: Kuba et al., Trust Region Policy Optimisation in
    Multi-Agent Reinforcement Learning, ICLR 2022, proposition 1.

    Examples
    --------
    >>> import fastgames as fg
    >>> result = fg.run(fg.games.climbing(), fg.MAPPO(4), 9, 2, rng=1, backend="reference")
    >>> result.tables[0]["played"].shape
    (2, 2, 4)
    """

    rollout: int = whole(32, "[1, 2^31)")
    epochs: int = whole(4, "[1, 2^31)")
    alpha_actor: Any = parameter(0.2, "[0, inf)")
    alpha_critic: Any = parameter(0.1, "[0, 1]")
    gamma: Any = parameter(None, "[0, 1]")
    gae_lambda: Any = parameter(0.95, "[0, 1]")
    clip: Any = parameter(0.2, "[0, inf)")
    entropy: Any = parameter(0.0, "[0, inf)")
    standardise: bool = flag()
    shared: bool = flag()
    initial: Any = initial_values()
    label: str = text()

    name = "mappo"
    title = "Multi-agent proximal policy optimisation (MAPPO)"
    formula = (
        r"\delta_t = r_t + \gamma V(s_{t+1}) - V(s_t), \qquad \theta_i \leftarrow \theta_i + "
        r"\alpha_{actor}\,\nabla\, \frac{1}{n} \sum_t \min\bigl(r_{ti} A_t,\, \mathrm{clip}("
        r"r_{ti}, 1 - c, 1 + c)\, A_t\bigr) + \beta H(\pi_i(\cdot \mid o_{ti}))"
    )
    example: ClassVar[Example] = Example(
        "stag_hunt()",
        "fg.MAPPO(rollout=16)",
        says="Most teams learn to hunt the stag, the best joint action.",
    )

    @cached
    def rules(self) -> Rules:
        """Rules of this learner."""
        each = ("agents", self.rollout)
        return Rules(
            parameters=PARAMETERS,
            tables=(
                Table("logits"),
                Table("softmax"),
                Table("value", ("joint_observations",), shared=True),
                Table("states", (self.rollout,), kind="int64", shared=True),
                Table("seen", each, kind="int64", shared=True),
                Table("played", each, kind="int64", shared=True),
                Table("errors", (self.rollout,), shared=True),
                Table("carries", (self.rollout,), shared=True),
                Table("count", (1,), kind="int64", shared=True),
            ),
            draw=fixed.draw,
            choose=choose,
            learn=learn_central_shared if self.shared else learn_central,
            policy=policy_softmax,
            cuts=True,
            team=True,
            derived=("softmax",),
        )


def learn(tables: Any, p: Any, t: "Outcome") -> None:
    """Add a move to the rollout of IPPO; after the last one, step the logits and the values."""
    size = len(tables.errors)
    k = inside(tables.count[0], size)
    if t.next_observation < 0:
        cut(tables.carries, k)
        return
    tables.seen[k], tables.played[k] = t.observation, t.action
    tables.errors[k] = td_error(
        tables.value, t.observation, t.gain, t.weight, t.next_observation, t.ended
    )
    over = t.ended or t.truncated
    tables.carries[k] = carry(t.weight, p.gae_lambda, over, tables.carries.dtype.type)
    tables.count[0] = k + 1
    if k + 1 == size:
        tables.count[0] = 0
        advantages = np.empty(size, tables.errors.dtype)
        estimate(tables.errors, tables.carries, advantages)
        first, slots = np.empty(size, np.int64), np.empty(size, np.int64)
        count = group(tables.seen, len(tables.value), first, slots)
        fit(tables.value, first, slots, count, advantages, p)
        if p.standardise:
            standardise(advantages)
        climb(tables.logits, tables.softmax, first, slots, count, tables.played, advantages, p)


def note(tables: Any, p: Any, t: "TeamOutcome", k: int) -> None:
    """Store the observations and actions of the k-th move of a team, and its carry."""
    for i in range(len(t.actions)):
        tables.seen[i, k] = t.observations[i]
        tables.played[i, k] = t.actions[i] if t.moves[i] else -1
    over = t.ended or t.truncated
    tables.carries[k] = carry(t.weight, p.gae_lambda, over, tables.carries.dtype.type)
    tables.count[0] = k + 1


def learn_shared(tables: Any, p: Any, t: "TeamOutcome") -> None:
    """Add a move to the rollout of members who share tables, with errors of each member."""
    size = len(tables.carries)
    members = len(t.actions)
    k = inside(tables.count[0], size)
    if t.next_observations[0] < 0:
        cut(tables.carries, k)
        return
    note(tables, p, t, k)
    for i in range(members):
        tables.errors[i, k] = td_error(
            tables.value, t.observations[i], t.rewards[i], t.weight, t.next_observations[i], t.ended
        )
    if k + 1 == size:
        tables.count[0] = 0
        advantages = np.empty(members * size, tables.errors.dtype)
        for i in range(members):
            estimate(tables.errors[i], tables.carries, advantages[i * size : (i + 1) * size])
        first = np.empty(members * size, np.int64)
        slots = np.empty(members * size, np.int64)
        count = group(flat(tables.seen), len(tables.value), first, slots)
        fit(tables.value, first, slots, count, advantages, p)
        if p.standardise:
            standardise(advantages)
        climb_together(tables, first, slots, count, advantages, p)


def learn_central(tables: Any, p: Any, t: "TeamOutcome") -> None:
    """Add a move to the rollout of MAPPO; after the last one, step all logits and the values."""
    size = len(tables.errors)
    if is_last(tables, p, t):
        advantages, first = np.empty(size, tables.errors.dtype), np.empty(size, np.int64)
        slots = np.empty(size, np.int64)
        evaluate(tables, p, advantages, first, slots)
        for i in range(len(t.actions)):
            logits = tables.logits[i]
            count = group(tables.seen[i], len(logits), first, slots)
            played = tables.played[i]
            climb(logits, tables.softmax[i], first, slots, count, played, advantages, p)


def learn_central_shared(tables: Any, p: Any, t: "TeamOutcome") -> None:
    """Update as `learn_central` does, where all members have one policy."""
    size, members = len(tables.errors), len(t.actions)
    if is_last(tables, p, t):
        every = np.empty(members * size, tables.errors.dtype)
        first = np.empty(members * size, np.int64)
        slots = np.empty(members * size, np.int64)
        evaluate(tables, p, every[:size], first[:size], slots[:size])
        for k in range(size, members * size):
            every[k] = every[k - size]
        count = group(flat(tables.seen), len(tables.logits[0]), first, slots)
        climb_together(tables, first, slots, count, every, p)


def is_last(tables: Any, p: Any, t: "TeamOutcome") -> bool:
    """Add a move to the rollout of a team; return whether it is the last one."""
    size = len(tables.errors)
    k = inside(tables.count[0], size)
    if t.next_observations[0] < 0:
        cut(tables.carries, k)
        return False
    note(tables, p, t, k)
    s, s2 = joint(t.observations, tables.logits, 0), joint(t.next_observations, tables.logits, 0)
    tables.states[k] = s
    tables.errors[k] = td_error(tables.value, s, mean(t.rewards), t.weight, s2, t.ended)
    if k + 1 < size:
        return False
    tables.count[0] = 0
    return True


def evaluate(tables: Any, p: Any, advantages: Any, first: Any, slots: Any) -> None:
    """Write the advantages of a team's rollout, and fit the values of its joint observations.

    advantages: (n,); first, slots: (n,) int64, for `group`
    """
    estimate(tables.errors, tables.carries, advantages)
    count = group(tables.states, len(tables.value), first, slots)
    fit(tables.value, first, slots, count, advantages, p)
    if p.standardise:
        standardise(advantages)


def flat(rows: np.ndarray) -> np.ndarray:
    """Return the entries of rows (M, n) as one array (M n,)."""
    out = np.empty(rows.shape[0] * rows.shape[1], rows.dtype)
    for i in range(rows.shape[0]):
        for k in range(rows.shape[1]):
            out[i * rows.shape[1] + k] = rows[i, k]
    return out


def climb_together(
    tables: Any, first: Any, slots: Any, count: int, advantages: Any, p: Any
) -> None:
    """Step the logits that all members share, and copy the rows to every member.

    first, slots, count: as `rollouts.group` sets and returns them, for the moves of all members
    advantages: (M n,)
    """
    logits, kept = tables.logits, tables.softmax
    climb(logits[0], kept[0], first, slots, count, flat(tables.played), advantages, p)
    for i in range(1, len(logits)):
        for s in range(count):
            o = first[s]
            for a in range(logits[0].shape[1]):
                logits[i][o, a] = logits[0][o, a]
                kept[i][o, a] = kept[0][o, a]
