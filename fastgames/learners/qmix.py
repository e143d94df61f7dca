"""QMIX: the value of a team is a monotonic function of its members' values."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from fastgames._common.later import cached
from fastgames.learners.base import Example, RuleLearner
from fastgames.learners.explore import EpsilonGreedy, Softmax
from fastgames.learners.fields import choice, exploration, initial_values, parameter, text, whole
from fastgames.learners.rules import Rules, Table
from fastgames.rules.choice import argmax
from fastgames.rules.exponential import exp
from fastgames.rules.hyperbolic import tanh
from fastgames.rules.qlearning import update
from fastgames.rules.roots import sqrt
from fastgames.rules.sums import mean
from fastgames.rules.teams import joint

if TYPE_CHECKING:
    from fastgames.rules.outcome import TeamOutcome

WEIGHTINGS = ("none", "optimistic", "central")


@dataclass(frozen=True, eq=False)
class QMIX(RuleLearner):
    """QMIX, Q-learning of a team value that is a monotonic function of the members' values.

    Every member i has a table q_i of its own observation and action. A mixer with two layers makes
    the team value of them, with weights and biases of its own for every joint observation s:
    Q_tot = c + sum_k |v_k| f_k(b_k + sum_i |w_ki| q_i[o_i, a_i]). As no weight is negative, Q_tot
    increases in every q_i, and each member's greedy action is its part of the greedy joint action.
    The units f_k are in turn elu(x), which is x for x > 0 and e^x - 1 else, -elu(-x), and tanh(x).

    In each step q_i[o_i, a_i] and all w, b, v, c of s move by alpha d times the gradient of Q_tot,
    with the error d = (r + gamma Q_tot') - Q_tot. r is the mean of the members' rewards, which is
    the reward itself if they share one, and Q_tot' mixes max q_i[o_i'] at the next joint
    observation. Two limits keep QMIX from diverging, whatever the size of the rewards: where alpha
    exceeds 1 / |gradient|^2, this takes its place, because a longer step would overshoot the
    target; and no step is longer than 1 plus the sum of the sizes of all that it changes.

    The weighted forms also learn the values of joint actions, without a mixer: q_joint[s, u] +=
    alpha_joint (y - q_joint[s, u]), where u is the members' joint action, and y = r + gamma
    q_joint[s', u'], with the greedy joint action u', is the target of Q_tot too. They multiply d by
    `weight`, except where the joint action may be better than Q_tot says: if y > Q_tot
    ("optimistic"), or if u is greedy or y exceeds q_joint of the greedy joint action ("central").

    The mixer has one row for each joint observation, and q_joint one column for each joint action
    of the members, so QMIX is suitable for small teams only.

    Agents with equal learners form one team.

    In games with turns a member that does not move has the value 0 in Q_tot, and action 0; its q_i
    does not change. The joint observation includes its observation. The team moves in a state if a
    member does; r is the discounted reward until its next move, and gamma its factor.

    Parameters
    ----------
    alpha : float, schedule or array (replicas,)
        The step size of the members' values and of the mixer, in [0, 1].
    gamma : float, schedule or array (replicas,), optional
        The discount factor, in [0, 1]; 1 only if episodes end. None: the game's discount, 0 for a
        matrix game.
    explore : EpsilonGreedy or Softmax
        The exploration of each member, by its own q_i.
    initial : float or array
        Initial values of the table "q" of each member: finite, broadcast from the right to
        (replicas, observations, actions).
    hidden : int
        The number of units of the mixer, in [1, 1024].
    weighting : "none", "optimistic" or "central"
        The weights of errors. "none" is QMIX, the others are OW-QMIX and CW-QMIX.
    weight : float, schedule or array (replicas,)
        The weight of errors that do not count fully, in [0, 1]. It has no effect if weighting is
        "none".
    alpha_joint : float, schedule or array (replicas,)
        The step size of q_joint, in [0, 1]. It has no effect if weighting is "none".
    label : str
        The label of the team, which distinguishes teams with otherwise equal learners.

    Raises
    ------
    ValueError, TypeError
        If a parameter is outside of its domain.

    Notes
    -----
    Tables: "q", (replicas, observations, actions), of each member. Of the team: the mixer's
    "first_weights" w, (replicas, joint observations, hidden, members), "first_biases" b and
    "last_weights" v, both (replicas, joint observations, hidden), and "last_bias" c, (replicas,
    joint observations); if weighted, also "q_joint", (replicas, joint observations, joint actions),
    initially 0. The digits of joint observations and joint actions are those of the members, the
    first slowest. One random word per step.

    Initially w = 0.1, v = 0.3, c = 0, and b is evenly spaced from -1 to 1, so that the units differ
    and all weights have gradients. The gradient of abs(x) at 0 is 1. In games such as
    `fg.games.qtran()` there are several local optima; from such small weights QMIX tends to the one
    that is reported for it, in which A is ranked last.

    The units are almost linear near 0. If rewards are much smaller than 1, QMIX therefore learns
    what `VDN` does for a long time; multiply them by a factor.

    Source: Rashid, Samvelyan, Schroeder de Witt, Farquhar, Foerster & Whiteson, QMIX: Monotonic
    Value Function Factorisation for Deep Multi-Agent Reinforcement Learning, ICML 2018, equation 6
    and section 4.2; Rashid, Farquhar, Peng & Whiteson, Weighted QMIX, NeurIPS 2020, section 5; here
    with tables instead of networks and without target networks. All units of the source are
    elu(x), which is convex, so that their mixer cannot represent games such as [[0, 1], [1, 1]].

    Examples
    --------
    >>> import fastgames as fg
    >>> result = fg.run(fg.games.climbing(), fg.QMIX(), 9, 2, rng=1, backend="reference")
    >>> result.tables[0]["first_weights"].shape
    (2, 1, 12, 2)
    """

    alpha: Any = parameter(0.01, "[0, 1]")
    gamma: Any = parameter(None, "[0, 1]")
    explore: EpsilonGreedy | Softmax = exploration()
    initial: Any = initial_values()
    hidden: int = whole(12, "[1, 1024]")
    weighting: str = choice(WEIGHTINGS)
    weight: Any = parameter(0.1, "[0, 1]")
    alpha_joint: Any = parameter(0.1, "[0, 1]")
    label: str = text()

    name = "qmix"
    title = "Monotonic value decomposition (QMIX)"
    formula = (
        r"Q_{tot}(s, a) = c_s + \sum_k |v_{sk}|\, f_k\Bigl(b_{sk} + \sum_i |w_{ski}|\, Q_i(o_i, "
        r"a_i)\Bigr), \qquad \theta \leftarrow \theta + \alpha\,\bigl[\,r + \gamma \max_{a'} "
        r"Q_{tot}(s', a') - Q_{tot}(s, a)\,\bigr]\, \nabla_\theta Q_{tot}(s, a)"
    )
    example: ClassVar[Example] = Example(
        "two_step()",
        "fg.QMIX()",
        says="The agents learn to go to stage B and to play B there.",
    )
    slow = True

    @cached
    def rules(self) -> Rules:
        """Rules of this learner."""
        layer = ("joint_observations", self.hidden)
        tables = [
            Table("q"),
            Table("first_weights", (*layer, "agents"), initial=0.1, shared=True),
            Table("first_biases", layer, initial=spaced(self.hidden), shared=True),
            Table("last_weights", layer, initial=0.3, shared=True),
            Table("last_bias", ("joint_observations",), shared=True),
        ]
        parameters = ["alpha", "gamma", self.explore.parameter]
        rule = learn
        if self.weighting != "none":
            tables.append(Table("q_joint", ("joint_observations", "joint_actions"), shared=True))
            parameters += ["weight", "alpha_joint"]
            rule = learn_optimistic if self.weighting == "optimistic" else learn_central
        return Rules(
            parameters=tuple(parameters),
            tables=tuple(tables),
            learn=rule,
            team=True,
            **(self.explore.rules | {"twin": None}),
        )


def spaced(hidden: int) -> np.ndarray:
    """Return numbers evenly spaced from -1 to 1, (hidden,); of one unit, 0."""
    if hidden == 1:
        return np.zeros(1)
    return np.arange(hidden) * (2.0 / (hidden - 1)) - 1.0


def unit(x: Any, k: int, real: Any) -> Any:
    """Return the value of unit k at x: elu(x), -elu(-x) or tanh(x)."""
    if k % 3 == 0:
        if x > real(0.0):
            return x
        return exp(x, real) - real(1.0)
    if k % 3 == 1:
        if x < real(0.0):
            return x
        return real(1.0) - exp(-x, real)
    return tanh(x, real)


def slope(value: Any, k: int, real: Any) -> Any:
    """Return the derivative of unit k where it has this value."""
    one = real(1.0)
    if k % 3 == 0:
        return one if value > real(0.0) else one + value
    if k % 3 == 1:
        return one if value < real(0.0) else one - value
    return one - value * value


def sign(weight: Any, real: Any) -> Any:
    """Return the derivative of the absolute value of a weight; 1 at 0."""
    if weight < real(0.0):
        return real(-1.0)
    return real(1.0)


def mixed(tables: Any, s: int, inputs: np.ndarray, units: np.ndarray) -> Any:
    """Return Q_tot of the members' values at a joint observation.

    inputs: (M,) the members' values
    units: (hidden,), set to the values of the units
    """
    real = inputs.dtype.type
    value = tables.last_bias[s]
    for k in range(len(units)):
        x = tables.first_biases[s, k]
        for i in range(len(inputs)):
            x = x + abs(tables.first_weights[s, k, i]) * inputs[i]
        units[k] = unit(x, k, real)
        value = value + abs(tables.last_weights[s, k]) * units[k]
    return value


def gradient(
    tables: Any, s: int, inputs: np.ndarray, units: np.ndarray, slopes: np.ndarray, out: np.ndarray
) -> Any:
    """Return the squared length of the gradient of Q_tot, over all weights, biases and inputs.

    inputs, units: as `mixed` takes and sets them
    slopes: (hidden,), set to the derivatives by the first biases
    out: (M,), set to the derivatives by the inputs
    """
    real = inputs.dtype.type
    square = real(1.0)  # of the last bias
    for i in range(len(inputs)):
        out[i] = real(0.0)
    inside = real(1.0)
    for i in range(len(inputs)):
        inside = inside + inputs[i] * inputs[i]
    for k in range(len(units)):
        slopes[k] = abs(tables.last_weights[s, k]) * slope(units[k], k, real)
        square = square + units[k] * units[k] + slopes[k] * slopes[k] * inside
        for i in range(len(inputs)):
            out[i] = out[i] + slopes[k] * abs(tables.first_weights[s, k, i])
    for i in range(len(inputs)):
        square = square + out[i] * out[i]
    return square


def climb(
    tables: Any, s: int, inputs: np.ndarray, units: np.ndarray, slopes: np.ndarray, step: Any
) -> None:
    """Add step times the gradient of Q_tot to the mixer's tables at a joint observation.

    inputs, units, slopes: as `gradient` takes and sets them
    """
    real = inputs.dtype.type
    for k in range(len(units)):
        change = step * slopes[k]
        for i in range(len(inputs)):
            w = tables.first_weights[s, k, i]
            tables.first_weights[s, k, i] = w + change * inputs[i] * sign(w, real)
        tables.first_biases[s, k] = tables.first_biases[s, k] + change
        v = tables.last_weights[s, k]
        tables.last_weights[s, k] = v + step * units[k] * sign(v, real)
    tables.last_bias[s] = tables.last_bias[s] + step


def size(tables: Any, s: int, inputs: np.ndarray) -> Any:
    """Return 1 plus the sum of the sizes of the inputs and of the mixer's tables at s."""
    total = inputs.dtype.type(1.0) + abs(tables.last_bias[s])
    for i in range(len(inputs)):
        total = total + abs(inputs[i])
    for k in range(tables.last_weights.shape[1]):
        total = total + abs(tables.first_biases[s, k]) + abs(tables.last_weights[s, k])
        for i in range(len(inputs)):
            total = total + abs(tables.first_weights[s, k, i])
    return total


def greedy(qs: Any, observations: Any, moves: Any, out: np.ndarray) -> None:
    """Write the members' greedy actions into `out`, (M,) int64; 0 of members that do not move."""
    for i in range(len(observations)):
        out[i] = argmax(qs[i][observations[i]]) if moves[i] else 0


def values(qs: Any, observations: Any, actions: Any, moves: Any, out: np.ndarray) -> None:
    """Write q_i[o_i, a_i] of every member into `out`, (M,); 0 of members that do not move."""
    for i in range(len(observations)):
        out[i] = qs[i][observations[i], actions[i]] if moves[i] else out.dtype.type(0.0)


def follow(tables: Any, p: Any, t: "TeamOutcome", inputs: Any, units: Any, error: Any) -> None:
    """Move q_i[o_i, a_i] and the mixer by the error times the gradient of Q_tot.

    The factor is alpha, or 1 / |gradient|^2 if that is less. It is reduced where the step would be
    longer than the `size` of what it changes.

    inputs, units: (M,), (hidden,), as `mixed` takes and sets them
    """
    qs = tables.q
    real = inputs.dtype.type
    s = joint(t.observations, qs, 0)
    slopes = np.empty(len(units), inputs.dtype)
    changes = np.empty(len(inputs), inputs.dtype)
    square = gradient(tables, s, inputs, units, slopes, changes)
    step = real(p.alpha)
    if step * square > real(1.0):
        step = real(1.0) / square
    step = step * error
    length = abs(step) * sqrt(square, real)
    most = size(tables, s, inputs)
    if length > most:
        step = step * (most / length)
    climb(tables, s, inputs, units, slopes, step)
    for i in range(len(inputs)):
        if t.moves[i]:
            o = t.observations[i]
            a = t.actions[i]
            qs[i][o, a] = qs[i][o, a] + step * changes[i]


def learn(tables: Any, p: Any, t: "TeamOutcome") -> None:
    """Move q_i[o_i, a_i] and the mixer along the gradient of Q_tot, by the error of Q_tot.

    The error is (mean reward + weight Q_tot') - Q_tot, where Q_tot' mixes max q_i[o2_i]; its term
    is 0 if the episode has ended.
    """
    qs = tables.q
    inputs = np.empty(len(t.actions), qs[0].dtype)
    units = np.empty(tables.last_weights.shape[1], qs[0].dtype)
    target = mean(t.rewards)
    if not t.ended:
        best = np.empty(len(t.actions), np.int64)
        greedy(qs, t.next_observations, t.next_moves, best)
        values(qs, t.next_observations, best, t.next_moves, inputs)
        s2 = joint(t.next_observations, qs, 0)
        target = target + t.weight * mixed(tables, s2, inputs, units)
    values(qs, t.observations, t.actions, t.moves, inputs)
    value = mixed(tables, joint(t.observations, qs, 0), inputs, units)
    follow(tables, p, t, inputs, units, target - value)


def learn_optimistic(tables: Any, p: Any, t: "TeamOutcome") -> None:
    """Update as `learn_weighted` does; errors count fully if the target exceeds Q_tot."""
    learn_weighted(tables, p, t, False)


def learn_central(tables: Any, p: Any, t: "TeamOutcome") -> None:
    """Update as `learn_weighted` does, with the weights of CW-QMIX.

    Errors count fully if the joint action is greedy, or if the target exceeds q_joint of the greedy
    one.
    """
    learn_weighted(tables, p, t, True)


def learn_weighted(tables: Any, p: Any, t: "TeamOutcome", central: bool) -> None:
    """Update as `learn` does, with weighted errors and a target by q_joint; then update q_joint.

    The target is mean reward + weight q_joint[s2, u2], with the greedy joint action u2.
    """
    qs = tables.q
    q_joint = tables.q_joint
    real = q_joint.dtype.type
    inputs = np.empty(len(t.actions), q_joint.dtype)
    units = np.empty(tables.last_weights.shape[1], q_joint.dtype)
    best = np.empty(len(t.actions), np.int64)
    s = joint(t.observations, qs, 0)
    u = joint(t.actions, qs, 1)
    target = mean(t.rewards)
    if not t.ended:
        greedy(qs, t.next_observations, t.next_moves, best)
        s2 = joint(t.next_observations, qs, 0)
        target = target + t.weight * q_joint[s2, joint(best, qs, 1)]
    values(qs, t.observations, t.actions, t.moves, inputs)
    error = target - mixed(tables, s, inputs, units)
    full = error > real(0.0)
    if central:
        greedy(qs, t.observations, t.moves, best)
        b = joint(best, qs, 1)
        full = u == b or target > q_joint[s, b]
    if not full:
        error = real(p.weight) * error
    follow(tables, p, t, inputs, units, error)
    update(q_joint, s, u, target, real(p.alpha_joint))
