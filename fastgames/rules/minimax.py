"""Minimax-Q (Littman 1994): Q-learning of values against a worst-case opponent in zero-sum games.

Form of the rules as in `qlearning`. Tables are (policy, q, value), or (policy, q, value, visits) if
the step size depends on visits; o is an observation, a an own action and b the opponent's action:
    policy (observations, actions)  the policy without exploration: a maximin strategy of q[o]
    q (observations, actions, others_actions)
    value (observations,)           the payoff that policy[o] guarantees in q[o]
    visits (observations, actions, others_actions) int64
p is (alpha or power, gamma, epsilon). The rules `draw`, `choose` and `policy` are those of `mixed`.
"""

from typing import TYPE_CHECKING, Any

from fastgames.rules.stepsize import visit
from fastgames.rules.zero_sum import solve

if TYPE_CHECKING:
    from fastgames.rules.outcome import Outcome


def update(tables: Any, t: "Outcome", step: Any) -> None:
    """q[o, a, b] += step ((gain + weight value[o2]) - q[o, a, b]), then policy[o] and value[o].

    The value of a terminal state is 0. Source: Littman (1994), figure 1.
    """
    policy, q, value = tables[0], tables[1], tables[2]
    real = q.dtype.type
    o, a, b = t.observation, t.action, t.others
    best = real(0.0)
    if not t.ended:
        best = value[t.next_observation]
    q[o, a, b] = q[o, a, b] + real(step) * ((t.gain + t.weight * best) - q[o, a, b])
    value[o] = solve(q[o], policy[o])


def learn(tables: Any, p: Any, t: "Outcome") -> None:
    """With the step size alpha."""
    update(tables, t, p[0])


def learn_by_visits(tables: Any, p: Any, t: "Outcome") -> None:
    """With the step size of the visit of (a, b) at o."""
    update(tables, t, visit(tables[3][t.observation], t.action, t.others, p[0]))
