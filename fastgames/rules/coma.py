"""Counterfactual multi-agent policy gradients (COMA) with tables and one-step targets.

Foerster, Farquhar, Afouras, Nardelli & Whiteson, Counterfactual Multi-Agent Policy Gradients,
AAAI 2018. A team has one critic, which estimates the value of the members' joint observation and
joint action. Each member learns from its advantage: the value of its action minus the mean over its
own actions, with the others' actions fixed.

Tables are (logits, q): every member's logits (observations, actions), and the shared critic (joint
observations, joint actions), numbered with the first member's digit slowest. p is (alpha_actor,
alpha_critic, gamma, epsilon).
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from fastgames.rules.choice import sample, softmax_weights
from fastgames.rules.qlearning import update
from fastgames.rules.value_decomposition import mean

if TYPE_CHECKING:
    from fastgames.rules.outcome import TeamOutcome


def softmax(logits: np.ndarray, out: np.ndarray) -> None:
    """Write exp(logits) / sum exp(logits) into `out`, both (A,), modified in place."""
    real = logits.dtype.type
    softmax_weights(logits, real(1.0), real, out)
    total = out[0]
    for a in range(1, len(out)):
        total = total + out[a]
    for a in range(len(out)):
        out[a] = out[a] / total


def mixed(chance: Any, epsilon: float, actions: int, real: Any) -> Any:
    """The probability of an action of that chance if one in epsilon is uniformly at random."""
    return (real(1.0) - real(epsilon)) * chance + real(epsilon) / real(actions)


def choose(tables: Any, p: Any, o: int, signal: Any) -> int:
    """Sample from the policy of observation o."""
    logits = tables[0]
    real = logits.dtype.type
    actions = logits.shape[1]
    chances = np.empty(actions, logits.dtype)
    softmax(logits[o], chances)
    for a in range(actions):
        chances[a] = mixed(chances[a], p[3], actions, real)
    return sample(chances, real(signal))


def policy(tables: Any, p: Any, o: int, out: np.ndarray) -> None:
    """The softmax of logits[o], mixed with uniform play."""
    logits = tables[0]
    actions = logits.shape[1]
    chances = np.empty(actions, logits.dtype)
    softmax(logits[o], chances)
    for a in range(actions):
        out[a] = mixed(float(chances[a]), p[3], actions, np.float64)


def joint(digits: Any, logits: Any, axis: int) -> int:
    """The number of what members see (axis 0) or do (axis 1); digits: (M,), the first slowest."""
    number = 0
    for i in range(len(digits)):
        number = number * logits[i].shape[axis] + digits[i]
    return number


def expected(row: np.ndarray, logits: Any, observations: Any, epsilon: float) -> Any:
    """The mean of the critic's `row` (joint actions,) over what the members play.

    One member after the other, the last first: each time the mean over its own action is left.
    """
    real = row.dtype.type
    values = row.copy()
    size = len(row)
    for i in range(len(observations) - 1, -1, -1):
        actions = logits[i].shape[1]
        chances = np.empty(actions, row.dtype)
        softmax(logits[i][observations[i]], chances)
        size = size // actions
        for k in range(size):
            total = real(0.0)
            for a in range(actions):
                chance = mixed(chances[a], epsilon, actions, real)
                total = total + chance * values[k * actions + a]
            values[k] = total
    return values[0]


def baseline(row: np.ndarray, chances: np.ndarray, epsilon: float, first: int, stride: int) -> Any:
    """The mean of the critic's `row` over one member's action: sum_b pi(b) row[first + b stride].

    chances: (A,) that member's softmax.
    """
    real = row.dtype.type
    total = real(0.0)
    for b in range(len(chances)):
        chance = mixed(chances[b], epsilon, len(chances), real)
        total = total + chance * row[first + b * stride]
    return total


def climb(logits: np.ndarray, chances: np.ndarray, a: int, epsilon: float, step: Any) -> None:
    """logits += step times the gradient of log pi(a); all (A,), logits modified in place.

    d log pi(a) / d logits[b] = share ((1 if b is a else 0) - chances[b]), where share is what of
    pi(a) is not exploration: 1 with epsilon 0.
    """
    real = logits.dtype.type
    own = (real(1.0) - real(epsilon)) * chances[a]
    share = real(0.0)
    if own > real(0.0):
        share = own / (own + real(epsilon) / real(len(chances)))
    for b in range(len(chances)):
        is_a = real(1.0) if b == a else real(0.0)
        logits[b] = logits[b] + step * share * (is_a - chances[b])


def learn(tables: Any, p: Any, t: "TeamOutcome") -> None:
    """First the critic, by expected SARSA on the mean of the members' rewards, then every actor.

    q[s, u] += alpha_critic ((reward + weight E q[s2, .]) - q[s, u]), the mean over what the members
    play now, 0 once ended. Then for member i, with the new q, A_i = q[s, u] - sum_b pi_i(b | o_i)
    q[s, (b, u_-i)] (equation 4), and logits_i[o_i] += alpha_actor A_i grad log pi_i(u_i | o_i).
    """
    logits = tables[0]
    q = tables[1]
    real = q.dtype.type
    s = joint(t.observations, logits, 0)
    u = joint(t.actions, logits, 1)
    value = real(0.0)
    if not t.ended:
        s2 = joint(t.next_observations, logits, 0)
        value = expected(q[s2], logits, t.next_observations, p[3])
    update(q, s, u, mean(t.rewards) + t.weight * value, real(p[1]))
    stride = 1
    for i in range(len(t.actions) - 1, -1, -1):
        a = t.actions[i]
        row = logits[i][t.observations[i]]
        chances = np.empty(len(row), q.dtype)
        softmax(row, chances)
        advantage = q[s, u] - baseline(q[s], chances, p[3], u - a * stride, stride)
        climb(row, chances, a, p[3], real(p[0]) * advantage)
        stride = stride * len(row)
