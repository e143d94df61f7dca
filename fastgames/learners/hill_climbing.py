"""Policy hill-climbing (PHC), and its variant "win or learn fast" (WoLF-PHC)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from fastgames._common.later import cached
from fastgames.learners.base import Example, RuleLearner
from fastgames.learners.fields import parameter
from fastgames.learners.rules import Rules, Table
from fastgames.rules import mixed
from fastgames.rules.choice import argmax
from fastgames.rules.qlearning import discounted_best, update
from fastgames.schedules import first

if TYPE_CHECKING:
    from fastgames.rules.outcome import Outcome

_POLICY, _Q = Table("policy", initial="uniform"), Table("q")


@dataclass(frozen=True, eq=False)
class PHC(RuleLearner):
    """Policy hill-climbing, Q-learning with a mixed policy that moves towards the greedy action.

    Every step moves probability from each other action to the action with the largest q: delta /
    (A - 1), or all of it if it has less. The policy can be mixed, but in games such as matching
    pennies it cycles around the equilibrium.

    Parameters
    ----------
    alpha : float, schedule or array (replicas,)
        The step size of q, in [0, 1].
    delta : float, schedule or array (replicas,)
        The step size of the policy, in [0, 1], small relative to alpha; 1 plays the greedy action.
    gamma : float, schedule or array (replicas,), optional
        The discount factor, in [0, 1]; 1 only if episodes end. None: the game's discount, 0 for a
        matrix game.
    epsilon : float, schedule or array (replicas,)
        The probability of a uniformly random action instead of one from the policy, in [0, 1]. The
        probability used is floor(epsilon 2^31) / 2^31.

    Raises
    ------
    ValueError, TypeError
        If a parameter is outside of its domain.

    Notes
    -----
    Tables: "policy", initially uniform, and "q", initially 0, both (replicas, observations,
    actions). Two random words per step.

    Source: Bowling & Veloso, Multiagent learning using a variable learning rate, Artificial
    Intelligence 136 (2002), Table 5; epsilon as in their experiments, section 5.

    Examples
    --------
    >>> import fastgames as fg
    >>> result = fg.run(fg.games.chicken(), fg.PHC(), 9, 2, rng=1, backend="reference")
    >>> result.tables[0]["policy"].shape
    (2, 1, 2)
    """

    alpha: Any = parameter(0.1, "[0, 1]")
    delta: Any = parameter(0.001, "[0, 1]")
    gamma: Any = parameter(None, "[0, 1]")
    epsilon: Any = parameter(0.05, "[0, 1]")

    name = "phc"
    title = "Policy hill-climbing"
    formula = (
        r"\pi(o,a) \leftarrow \pi(o,a) - \min\Bigl(\pi(o,a), \tfrac{\delta}{|A|-1}\Bigr) \text{ for"
        r" } a \ne a^*, \quad \text{the rest to } a^* = \arg\max_a Q(o,a)"
    )
    example: ClassVar[Example] = Example(
        "matching_pennies()",
        "fg.PHC(alpha=0.1, delta=0.002)",
        replicas=3,
        says="The policies circle around the equilibrium.",
    )

    @cached
    def rules(self) -> Rules:
        """Rules of this learner."""
        return Rules(
            parameters=("alpha", "gamma", "epsilon", "delta"),
            tables=(_POLICY, _Q),
            draw=mixed.draw,
            choose=mixed.choose,
            learn=learn,
            policy=mixed.policy,
            words=2,
            distributions=("policy",),
        )


@dataclass(frozen=True, eq=False)
class WoLFPHC(RuleLearner):
    """WoLF-PHC, policy hill-climbing with smaller steps while it wins than while it loses.

    The agent wins if the value of its policy under q exceeds the value of its average policy so
    far, which stands for the unknown equilibrium. It converges in games in which `PHC` cycles.

    Parameters
    ----------
    alpha : float, schedule or array (replicas,)
        The step size of q, in [0, 1].
    delta_win : float, schedule or array (replicas,)
        The step size of the policy while it wins, in [0, 1], at most delta_lose. Of schedules, the
        values at the first step are compared. Equal step sizes give `PHC`.
    delta_lose : float, schedule or array (replicas,)
        The step size of the policy while it loses, in [0, 1], small relative to alpha.
    gamma : float, schedule or array (replicas,), optional
        The discount factor, in [0, 1]; 1 only if episodes end. None: the game's discount, 0 for a
        matrix game.
    epsilon : float, schedule or array (replicas,)
        The probability of a uniformly random action instead of one from the policy, in [0, 1]. The
        probability used is floor(epsilon 2^31) / 2^31.

    Raises
    ------
    ValueError, TypeError
        If a parameter is outside of its domain, or if delta_win exceeds delta_lose.

    Notes
    -----
    Tables: "policy" and "average", initially uniform, and "q", initially 0, all
    (replicas, observations, actions), and "visits", (replicas, observations) int64. Two random
    words per step.

    Source: Bowling & Veloso, Multiagent learning using a variable learning rate, Artificial
    Intelligence 136 (2002), Table 6; epsilon as in their experiments, section 5.

    Examples
    --------
    >>> import fastgames as fg
    >>> result = fg.run(fg.games.chicken(), fg.WoLFPHC(), 9, 2, rng=1, backend="reference")
    >>> result.tables[0]["visits"][:, 0]
    array([9, 9])
    """

    alpha: Any = parameter(0.1, "[0, 1]")
    delta_win: Any = parameter(0.001, "[0, 1]")
    delta_lose: Any = parameter(0.002, "[0, 1]")
    gamma: Any = parameter(None, "[0, 1]")
    epsilon: Any = parameter(0.05, "[0, 1]")

    name = "wolf_phc"
    title = "WoLF-PHC: win or learn fast"
    formula = (
        r"\delta = \begin{cases} \delta_w & \sum_a \pi(o,a) Q(o,a) > \sum_a \bar\pi(o,a) Q(o,a) \\ "
        r"\delta_l & \text{else} \end{cases}"
    )
    example: ClassVar[Example] = Example(
        "matching_pennies()",
        "fg.WoLFPHC(alpha=0.1, delta_win=0.001, delta_lose=0.002)",
        replicas=3,
        says=(
            "In the game in which PHC cycles, with its step size as delta_lose, the policies "
            "spiral into the equilibrium."
        ),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        win, lose = first(self.delta_win), first(self.delta_lose)
        if win.ndim and lose.ndim and len(win) != len(lose):
            raise ValueError(
                "delta_win and delta_lose must have the same number of replicas, "
                f"got {len(win)} and {len(lose)}"
            )
        win, lose = np.broadcast_arrays(win, lose)
        if np.any(win > lose):
            r = int(np.argmax(win > lose))
            raise ValueError(
                "delta_win must be at most delta_lose, which is "
                f"{lose.flat[r]}, got {win.flat[r]}" + (f" at index {r}" if win.ndim else "")
            )

    @cached
    def rules(self) -> Rules:
        """Rules of this learner."""
        return Rules(
            parameters=("alpha", "gamma", "epsilon", "delta_win", "delta_lose"),
            tables=(
                _POLICY,
                _Q,
                Table("average", initial="uniform"),
                Table("visits", ("observations",), "int64"),
            ),
            draw=mixed.draw,
            choose=mixed.choose,
            learn=learn_wolf,
            policy=mixed.policy,
            words=2,
            distributions=("policy", "average"),
        )


def climb(row: np.ndarray, best: int, delta: Any) -> None:
    """Move probability to the action `best` from every other: delta / (A - 1), or all it has.

    row: (A,) probabilities, modified in place; delta: of their type, in [0, 1]. `best` gets 1
    minus the sum of the others. This equals its old probability plus the moved probability up to
    rounding, and rounding errors do not accumulate over steps: the sum is 1 up to the rounding of
    one sum, and no entry is negative.
    """
    real = row.dtype.type
    step = delta / real(max(len(row) - 1, 1))
    others = real(0.0)
    for a in range(len(row)):
        if a != best:
            row[a] = row[a] - min(row[a], step)
            others = others + row[a]
    row[best] = max(real(1.0) - others, real(0.0))


def learn(tables: Any, p: Any, t: "Outcome") -> None:
    """Update q[o, a] by Q-learning, then move the policy by delta towards the greedy action."""
    q = tables.q
    real = q.dtype.type
    target = t.gain + discounted_best(q, t)
    update(q, t.observation, t.action, target, real(p.alpha))
    climb(tables.policy[t.observation], argmax(q[t.observation]), real(p.delta))


def winning(row: np.ndarray, mean: np.ndarray, values: np.ndarray) -> bool:
    """Return whether the policy `row` is worth more than the policy `mean`; all (A,).

    It compares the sum of (row - mean) (values - values[0]), in index order, with 0. For
    probabilities this is equivalent to comparing the sums of row values and mean values, and a
    large value common to all actions does not amplify the rounding.
    """
    more = row.dtype.type(0.0)
    for a in range(1, len(row)):
        more = more + (row[a] - mean[a]) * (values[a] - values[0])
    return more > 0.0  # type: ignore[no-any-return]


def learn_wolf(tables: Any, p: Any, t: "Outcome") -> None:
    """Update as `learn` does, with delta_win if the policy beats its average, else delta_lose.

    The average covers the policies at all visits of o, including the current one before its step.
    """
    q, o = tables.q, t.observation
    real = q.dtype.type
    target = t.gain + discounted_best(q, t)
    update(q, o, t.action, target, real(p.alpha))
    row, mean = tables.policy[o], tables.average[o]
    tables.visits[o] += 1
    count = real(tables.visits[o])
    for a in range(len(row)):
        mean[a] = mean[a] + (row[a] - mean[a]) / count
    delta = real(p.delta_lose)
    if winning(row, mean, q[o]):
        delta = real(p.delta_win)
    climb(row, argmax(q[o]), delta)
