"""Rollouts of n moves, their advantages, and the gradient steps of proximal policy optimisation.

The policy does not change during a rollout. `tables.logits` and `tables.softmax` are (observations,
actions): the softmax of each row of logits is kept from the step that changed it on, and is 0
before. A rollout has, for each move, the TD error of the value and the factor ("carry") by which
the advantage of the next move counts. Form of the rules as in `qlearning`.
"""

from typing import Any

import numpy as np

from fastgames.rules.choice import largest, sample
from fastgames.rules.episodes import inside
from fastgames.rules.exponential import exp
from fastgames.rules.gradients import clips, softmax
from fastgames.rules.logarithm import log
from fastgames.rules.roots import sqrt
from fastgames.rules.sums import mean
from fastgames.rules.zero_sum import smallest


def is_kept(row: np.ndarray) -> bool:
    """Return whether a row (A,) of `tables.softmax` has been computed."""
    kept = False
    for a in range(len(row)):
        kept = kept or row[a] > row.dtype.type(0.0)
    return kept


def choose(tables: Any, p: Any, o: int, signal: Any) -> int:
    """Return an action sampled from the softmax of logits[o], which is computed if not kept."""
    kept = tables.softmax[o]
    real = kept.dtype.type
    if is_kept(kept):
        return sample(kept, real(signal))
    chances = np.empty(len(kept), kept.dtype)
    softmax(tables.logits[o], chances)
    return sample(chances, real(signal))


def td_error(value: np.ndarray, o: int, gain: Any, weight: Any, o2: int, ended: bool) -> Any:
    """Return (gain + weight value[o2]) - value[o]; value[o2] is 0 if the episode has ended."""
    following = value.dtype.type(0.0)
    if not ended:
        following = value[o2]
    return (gain + weight * following) - value[o]


def carry(weight: Any, gae_lambda: float, over: bool, real: Any) -> Any:
    """Return the factor of the next move's advantage: weight times lambda, 0 if `over`."""
    if over:
        return real(0.0)
    return weight * real(gae_lambda)


def cut(carries: np.ndarray, k: int) -> None:
    """End the advantages at move k - 1, because the move after it is not stored; carries: (n,)."""
    if k > 0:
        carries[k - 1] = carries.dtype.type(0.0)


def estimate(errors: np.ndarray, carries: np.ndarray, out: np.ndarray) -> None:
    """Write the advantages A_k = errors[k] + carries[k] A_{k+1} into `out`; all (n,)."""
    following = out.dtype.type(0.0)
    for k in range(len(errors) - 1, -1, -1):
        following = errors[k] + carries[k] * following
        out[k] = following


def standardise(advantages: np.ndarray) -> None:
    """Subtract the mean of advantages (n,), in place, and divide by their standard deviation.

    The deviation has n in its denominator. If all are equal, they become 0.
    """
    real = advantages.dtype.type
    equal = largest(advantages) == smallest(advantages)
    middle, square = mean(advantages), real(0.0)
    for k in range(len(advantages)):
        advantages[k] = real(0.0) if equal else advantages[k] - middle
        square = square + advantages[k] * advantages[k]
    deviation = sqrt(square / real(len(advantages)), real)
    if deviation > real(0.0):
        for k in range(len(advantages)):
            advantages[k] = advantages[k] / deviation


def group(rows: np.ndarray, size: int, first: np.ndarray, slots: np.ndarray) -> int:
    """Number the distinct rows in the order of their first use; return how many there are.

    rows: (n,) indices of a table with `size` rows
    first: (n,), set to the distinct rows
    slots: (n,), set to the number of each row
    """
    where = np.empty(size, np.int64)  # an entry counts only if `first` agrees
    count = 0
    for k in range(len(rows)):
        o = inside(rows[k], size)
        s = where[o]
        if s < 0 or s >= count or first[s] != o:
            s = count
            where[o] = s
            first[s] = o
            count += 1
        slots[k] = s
    return count


def fit(
    value: np.ndarray, first: Any, slots: Any, count: int, advantages: np.ndarray, p: Any
) -> None:
    """Move the values of a rollout's observations towards the means of their targets.

    In each epoch value[o] += alpha_critic (mean of value[o] + A_k over the visits of o - value[o]),
    where the targets are those before the first epoch.

    value: (S,), modified in place; advantages: (n,), not standardised
    first, slots, count: as `group` sets and returns them
    """
    real = value.dtype.type
    total, visits = np.empty(count, value.dtype), np.empty(count, np.int64)
    for s in range(count):
        total[s], visits[s] = real(0.0), 0
    for k in range(len(slots)):
        total[slots[k]] = total[slots[k]] + advantages[k]
        visits[slots[k]] += 1
    for s in range(count):
        o = first[s]
        target = value[o] + total[s] / real(visits[s])
        for _ in range(int(p.epochs)):
            value[o] = value[o] + real(p.alpha_critic) * (target - value[o])


def climb(
    logits: np.ndarray, kept: np.ndarray, first: Any, slots: Any, count: int, actions: Any,
    advantages: np.ndarray, p: Any,
) -> None:  # fmt: skip
    """Take the gradient steps of a rollout; each epoch steps all logits at once.

    logits, kept: (observations, A), modified in place
    first, slots, count: as `group` sets and returns them, for the observations of the moves
    actions: (n,), -1 where the agent did not move
    advantages: (n,)
    """
    real = logits.dtype.type
    size, moves = logits.shape[1], len(slots)
    up, down = np.empty((count, size), logits.dtype), np.empty((count, size), logits.dtype)
    plays = np.empty(count, np.int64)
    for s in range(count):
        plays[s] = 0
        for a in range(size):
            up[s, a], down[s, a] = real(0.0), real(0.0)
    for k in range(moves):
        if actions[k] < 0:
            continue
        s, a = slots[k], inside(actions[k], size)
        plays[s] += 1
        if advantages[k] > real(0.0):
            up[s, a] = up[s, a] + advantages[k]
        else:
            down[s, a] = down[s, a] + advantages[k]
    for s in range(count):
        if plays[s] > 0:
            o = first[s]
            if not is_kept(kept[o]):
                softmax(logits[o], kept[o])
            climb_row(logits[o], kept[o], up[s], down[s], plays[s], moves, p)


def climb_row(
    row: np.ndarray, chances: np.ndarray, up: np.ndarray, down: np.ndarray, plays: int, moves: int,
    p: Any,
) -> None:  # fmt: skip
    """Take the gradient steps of a rollout at one observation.

    The objective is 1 / moves times the sum over the plays of min(r A, clip(r) A) + entropy H.

    row, chances: (A,), its logits and their softmax, modified in place
    up, down: (A,), for each action the sums of the positive and of the other advantages
    plays: the number of moves at this observation
    moves: the number of moves of the rollout
    """
    real = row.dtype.type
    size = len(row)
    old, slope = chances.copy(), np.empty(size, row.dtype)
    step = real(p.alpha_actor) / real(moves)
    bonus = real(p.entropy) * real(plays)
    for _ in range(int(p.epochs)):
        total = real(0.0)
        for a in range(size):
            slope[a] = real(0.0)
            if old[a] > real(0.0):
                ratio = chances[a] / old[a]
                if not clips(ratio, True, p.clip, real):
                    slope[a] = slope[a] + ratio * up[a]
                if not clips(ratio, False, p.clip, real):
                    slope[a] = slope[a] + ratio * down[a]
            total = total + slope[a]
        for a in range(size):
            slope[a] = slope[a] - chances[a] * total
        if bonus > real(0.0):
            add_entropy(row, chances, bonus, slope)
        for a in range(size):
            row[a] = row[a] + step * slope[a]
        softmax(row, chances)


def add_entropy(row: np.ndarray, chances: np.ndarray, factor: Any, out: np.ndarray) -> None:
    """Add factor times the gradient of the entropy H by the logits to `out`.

    H = -sum_a pi(a) log pi(a), dH / d logits[a] = -pi(a) (log pi(a) + H).

    row, chances, out: (A,), the logits, their softmax, and the gradient
    """
    real = row.dtype.type
    best, total = largest(row), real(0.0)
    for a in range(len(row)):
        total = total + exp(row[a] - best, real)
    below = best + real(log(float(total)))
    entropy = real(0.0)
    for a in range(len(row)):
        entropy = entropy - chances[a] * (row[a] - below)
    for a in range(len(row)):
        out[a] = out[a] - factor * chances[a] * ((row[a] - below) + entropy)
