"""Hysteretic Q-learning: a smaller step size for decreases of a value than for increases.

Matignon, Laurent & Le Fort-Piat, Hysteretic Q-Learning: an algorithm for Decentralized
Reinforcement Learning in Cooperative Multi-Agent Teams, IROS 2007. A teammate that explores can
make a good action yield a low reward; with a smaller step size for decreases an agent keeps such an
action.

The form, and the rules `draw`, `choose` and `policy`, are those of `qlearning`. Tables are (q,), p
is (alpha, gamma, epsilon or temperature, beta).
"""

from typing import TYPE_CHECKING, Any

from fastgames.rules.qlearning import discounted_best, update

if TYPE_CHECKING:
    from fastgames.rules.outcome import Outcome


def learn(tables: Any, p: Any, t: "Outcome") -> None:
    """q[o, a] += step (target - q[o, a]), target = gain + weight max q[o2].

    step: alpha where the target is at least q[o, a], else beta.
    """
    q = tables[0]
    target = t.gain + discounted_best(q, t)
    step = q.dtype.type(p[0])
    if target < q[t.observation, t.action]:
        step = q.dtype.type(p[3])
    update(q, t.observation, t.action, target, step)
