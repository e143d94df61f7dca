"""Calls whose replicas are run in parts, and the comparison of what is joined."""

import numpy as np
from hypothesis import strategies as st

import fastgames as fg
from fastgames.io.results import contents

TOTAL = 12  # replicas
ROWS = np.random.default_rng(0)
EACH = np.linspace(0.1, 0.9, TOTAL)


def dilemma():
    return fg.remember(fg.games.prisoners_dilemma(), discount=0.9)


def variants():
    games = [fg.games.prisoners_dilemma(temptation=t) for t in (5.5, 6.0, 7.0)]
    return fg.Variants(games, ROWS.integers(0, 3, TOTAL))


def turns():
    rewards, turn = ROWS.normal(size=(2, 3, 2, 2)), [[True, False, True], [False, True, True]]
    chances = ROWS.dirichlet(np.ones(3), (3, 2, 2))
    return fg.MarkovGame(rewards, chances, 0.9, [0.5, 0.5, 0.0], turns=turn)


def number(value, low, high):
    return {"number": value, "array": low + (high - low) * EACH,
            "exponential": fg.Exponential(low + (high - low) * EACH, 1e-2),
            "piecewise": fg.Piecewise([0, 20], [high, low + (high - low) * EACH])}  # fmt: skip


ALPHAS, EPSILONS = number(0.3, 0.1, 0.5), number(0.2, 0.05, 0.4)

POLICIES = ROWS.dirichlet([1, 1], (TOTAL, 4))
VALUES = ROWS.random((TOTAL, 1, 2))
VISITS = fg.ByVisits(fg.Hyperbolic(EACH, 2.0), initial=3)

#: A game, and what makes the learners of one with a step size and exploration.
CASES = {
    "pennies": (fg.games.matching_pennies(), lambda q: q),
    "states": (dilemma(), lambda q: q),
    "variants": (variants(), lambda q: q),
    "turns": (turns(), lambda q: q),
    "sarsa": (turns(), lambda q: fg.Sarsa(q.alpha, explore=q.explore)),
    "fixed": (dilemma(), lambda q: [q, fg.FixedPolicy(POLICIES)]),
    "initial": (dilemma(), lambda q: fg.QLearner(q.alpha, initial=VALUES)),
    "shared": (dilemma(), lambda q: fg.QLearner(q.alpha, initial=VALUES[:1])),
    "by visits": (dilemma(), lambda q: fg.HystereticQ(VISITS, 0.1)),
}
RECORDS = [
    None,
    fg.Record(flips=True, joint_actions=True, rewards=True, last=7),
    fg.Record(every=[0, 9], greedy=True, tables=("q",), path=3, policies=True),
]


@st.composite
def calls(draw, case):
    """Arguments of a run of 30 steps."""
    game, make = CASES[case]
    alpha = ALPHAS[draw(st.sampled_from(list(ALPHAS)))]
    epsilon = EPSILONS[draw(st.sampled_from(list(EPSILONS)))]
    backend = "reference" if case == "by visits" else draw(st.sampled_from(["auto", "reference"]))
    return {
        "game": game,
        "learners": make(fg.QLearner(alpha, explore=fg.EpsilonGreedy(epsilon))),
        "steps": 30,
        "record": draw(st.sampled_from(RECORDS)),
        "stop": draw(st.sampled_from([None, fg.Stable(15)])),
        "backend": backend,
    }


@st.composite
def partitions(draw, total=TOTAL):
    """Split the numbers of the replicas into parts, in any order."""
    owner = draw(st.lists(st.integers(0, 4), min_size=total, max_size=total))
    return [[r for r in range(total) if owner[r] == k] for k in sorted(set(owner))]


def same_contents(one, other):
    """Compare all that a file of a result would hold."""
    (header, arrays), (expected, wanted) = contents(one), contents(other)
    assert header == expected
    assert arrays.keys() == wanted.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, wanted[name], name)


def keep(part):
    """Something of every kind of array, for every replica."""
    return {
        "best": part.tables[0][part.learners[0].table].max(axis=(1, 2)),
        "greedy": part.greedy(1),
        "first": part.numbers == 0,
        "policy": part.policy(1).astype(np.float32),
    }


def same_kept(result, whole):
    """Compare a result with `keep` with a result without."""
    for name, array in keep(whole).items():
        np.testing.assert_array_equal(result.kept[name], array, name)
        assert result.kept[name].dtype == array.dtype
    for name in ("steps", "states", "stopped", "unchanged", "exploring", "numbers"):
        np.testing.assert_array_equal(getattr(result, name), getattr(whole, name), name)
    for name in result.COUNTED:
        one, other = getattr(result, name), getattr(whole, name)
        for a, b in zip(*([x] if x is None else list(x) for x in (one, other)), strict=True):
            np.testing.assert_array_equal(a, b, name)
    if whole.snapshots is not None:
        for name, array in whole.snapshots.arrays().items():
            np.testing.assert_array_equal(result.snapshots.arrays()[name], array, name)
