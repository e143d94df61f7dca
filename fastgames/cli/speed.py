"""Speed of the engine on this machine, measured in a few seconds: `fastgames speed`.

A few workloads, each on one thread and on all, each checked: a few replicas must have the bits that
the slowest build gives. Beside each a textbook's loop in Python and NumPy, on the same game.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from fastgames import _core
from fastgames._common import checks
from fastgames.engine.arguments import cpus
from fastgames.games import (
    MarkovGame,
    MatrixGame,
    logit_bertrand,
    matching_pennies,
    random_markov_game,
    remember,
)
from fastgames.learners import EpsilonGreedy, QLearner, Softmax, UniformRivals
from fastgames.runs.running import run
from fastgames.schedules import Exponential

REPLICAS, STEPS = 33, 500  # of the check: more than two registers hold, and not a whole number
SHARE_OF_LISTING = 0.1  # of the time of a workload on one thread


@dataclass(frozen=True)
class Workload:
    """A game of two agents, the learner that both are, and how much of it is a unit of work."""

    name: str
    game: MatrixGame | MarkovGame
    learner: QLearner
    dtype: str
    steps: int
    replicas: int  # for each thread, at least


@dataclass(frozen=True)
class Speed:
    """The measurements of a workload on `threads` threads."""

    workload: Workload
    threads: int
    steps_per_second: float  # game steps
    listing: float  # the same of the textbook's loop
    same: bool  # whether the bits are those of the slowest build

    @property
    def agent_steps_per_second(self) -> float:
        """Learning steps: every agent takes one in each game step."""
        return self.steps_per_second * self.workload.game.num_agents


def workloads() -> list[Workload]:
    """Return the workloads."""
    pennies, random = matching_pennies(), random_markov_game(2, 50, 4, rng=1)
    greedy = QLearner(alpha=0.1, explore=EpsilonGreedy(0.1))
    soft = QLearner(alpha=0.1, explore=Softmax(0.5))
    firm = QLearner(
        alpha=0.15, explore=EpsilonGreedy(Exponential(1.0, 4e-6)), initial=UniformRivals()
    )
    pricing = remember(logit_bertrand(), discount=0.95)
    return [
        Workload("matching pennies, epsilon-greedy", pennies, greedy, "float64", 20_000, 256),
        Workload("matching pennies, epsilon-greedy", pennies, greedy, "float32", 20_000, 256),
        Workload("matching pennies, softmax", pennies, soft, "float64", 20_000, 128),
        Workload("random game, 50 states x 4 actions", random, greedy, "float64", 20_000, 32),
        Workload("pricing, 225 states x 15 actions", pricing, firm, "float64", 1_000_000, 4),
    ]


def measure(
    seconds: float = 10.0,
    threads: int | None = None,
    announce: Callable[[str, int, int], None] = lambda what, number, of: None,
) -> Iterator[Speed]:
    """Measure each workload on one thread, then on `threads`, and yield what was found.

    Parameters
    ----------
    seconds : float
        About how long all of it takes, above 0; more where one unit of work takes longer.
    threads : int, optional
        As many as there are CPUs unless given.
    announce : function
        Called before each with its name, its number from 0, and how many there are.
    """
    seconds = checks.real("seconds", seconds, "(0, 86400]")
    most = checks.whole("threads", cpus() if threads is None else threads, "[1, 1024]")
    chosen, counts = workloads(), [1] if most == 1 else [1, most]
    share = seconds / (len(chosen) * len(counts))
    for i, workload in enumerate(chosen):
        for j, count in enumerate(counts):
            what = f"{workload.name}, {workload.dtype}, threads: {count}"
            announce(what, i * len(counts) + j, len(chosen) * len(counts))
            if j == 0:
                same, listing = check(workload), _rate_of_listing(workload, share)
            yield Speed(workload, count, _rate(workload, count, share), listing, same)


def check(workload: Workload) -> bool:
    """Return whether a few replicas have the bits of the slowest build, or of the reference."""
    work = partial(
        run, workload.game, workload.learner, STEPS, REPLICAS,
        rng=7, dtype=workload.dtype, threads=1, progress=False,
    )  # fmt: skip
    ours, builds = work(), _core.available()
    if len(builds) > 1:
        chosen, _core.isa = _core.isa, builds[0]
        try:
            other = work()
        finally:
            _core.isa = chosen
    else:  # there is no other build
        other = work(backend="reference")
    pairs = zip(ours.tables, other.tables, strict=True)
    return all(a["q"].tobytes() == b["q"].tobytes() for a, b in pairs)


def _rate(workload: Workload, threads: int, share: float) -> float:
    """Return the game steps a second of the longest of runs that double in length."""
    replicas = workload.replicas * threads
    while True:
        began = time.perf_counter()
        run(
            workload.game, workload.learner, workload.steps, replicas,
            rng=7, dtype=workload.dtype, threads=threads, progress=False,
        )  # fmt: skip
        taken = time.perf_counter() - began
        if taken >= share / 3:  # together with those before at most 4/3 of the share
            return workload.steps * replicas / taken
        replicas *= 2


def _rate_of_listing(workload: Workload, share: float) -> float:
    steps = 1000
    while True:
        began = time.perf_counter()
        listing(workload.game, workload.learner, steps)
        taken = time.perf_counter() - began
        if taken >= share * SHARE_OF_LISTING:
            return steps / taken
        steps *= 2


def listing(game: MatrixGame | MarkovGame, learner: QLearner, steps: int) -> list[np.ndarray]:
    """Run the textbook loop of two Q-learners; return their tables after `steps` steps.

    It draws from NumPy as listings do, so its digits are not ours.
    """
    rng, alpha = np.random.default_rng(7), learner.alpha
    s = s2 = game.compact.start_state
    rewards, next_state, gamma = _tables(game)
    q = [_first(game, learner, i) for i in range(2)]
    a = [0, 0]
    for t in range(steps):
        for i in range(2):
            a[i] = _choose(rng, q[i][s], learner.explore, t)
        if next_state is not None:
            s2 = next_state[s, a[0], a[1]]
        for i in range(2):
            target = rewards[i, s, a[0], a[1]] + gamma * np.max(q[i][s2])
            q[i][s, a[i]] += alpha * (target - q[i][s, a[i]])
        s = s2
    return q


def _choose(rng: np.random.Generator, row: np.ndarray, explore: Any, t: int) -> Any:
    if isinstance(explore, Softmax):
        weights = np.exp((row - np.max(row)) / explore.temperature)
        return rng.choice(len(row), p=weights / np.sum(weights))
    epsilon = explore.epsilon
    if isinstance(epsilon, Exponential):
        epsilon = epsilon.start * np.exp(-epsilon.rate * t)
    return rng.integers(len(row)) if rng.random() < epsilon else np.argmax(row)


def _tables(game: MatrixGame | MarkovGame) -> tuple[np.ndarray, Any, float]:
    """Return rewards [agent, state, a, b], next states [state, a, b] or None, and gamma."""
    if isinstance(game, MatrixGame):
        return game.payoffs[:, None], None, 0.0
    return game.rewards, game.transitions, game.discount


def _first(game: MatrixGame | MarkovGame, learner: QLearner, agent: int) -> np.ndarray:
    """Return the table at the start, (states, actions)."""
    shape = 1, game.num_states, game.num_actions[agent]
    return np.array(np.broadcast_to(learner.start(game, agent)["q"], shape)[0])
