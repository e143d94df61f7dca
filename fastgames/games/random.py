"""Random Markov games for tests and studies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgames._common import checks
from fastgames._common.seeds import generator_from

from ._tables import listed
from .markov import LIMIT, MarkovGame, check_size

_MAX_AGENTS = 31  # with two actions each, 31 agents already have 2^31 joint actions, the limit


def random_markov_game(
    agents: int = 2,
    states: int = 5,
    actions: int | Sequence[int] = 2,
    *,
    rng: int | np.random.Generator | np.random.SeedSequence | None,
    transitions: str = "deterministic",
    terminal: int = 0,
    turns: bool = False,
    observations: int | Sequence[int] | None = None,
    start: str = "state",
    time_limit: int | None = None,
    discount: float = 0.9,
) -> MarkovGame:
    """Return a Markov game with random tables.

    Rewards have a standard normal distribution, next states a uniform one, and probabilities a
    uniform one on their simplex.

    Parameters
    ----------
    agents, states : int
        Number of agents N, in [1, 31], and of states S, at least 1.
    actions : int, or sequence of N int
        Number of actions of every agent, at least 1.
    rng : None, int in [0, 2^64), SeedSequence or Generator
        As in `fastgames.run`; the same seed gives the same game.
    transitions : str
        "deterministic": next states; "random": probabilities of all states; "sparse":
        probabilities of at most three states after each joint action.
    terminal : int
        Number of terminal states, in [0, S).
    turns : bool
        True for agents that take turns: in each state either one agent, or all agents move, each of
        these N + 1 cases with the same probability. In at least one state a single agent moves.
    observations : int, or sequence of N int, optional
        Number of observations of every agent, in [1, S]; each occurs in at least one state. Agents
        observe the state itself unless given.
    start : str
        "state": one of the states that are not terminal; "random": probabilities of all of them.
    time_limit : int, optional
        As for `MarkovGame`.
    discount : float
        As for `MarkovGame`.

    Returns
    -------
    MarkovGame

    Raises
    ------
    TypeError
        If an argument has a wrong type.
    ValueError
        If an argument is outside its domain.

    Examples
    --------
    >>> random_markov_game(3, states=4, actions=(2, 3, 2), rng=7, transitions="sparse", terminal=1)
    <MarkovGame 'random Markov game': 3 agents, (2, 3, 2) actions, 4 states, discount 0.9>
    """
    agents = checks.whole("agents", agents, f"[1, {_MAX_AGENTS}]")
    states = checks.whole("states", states, f"[1, {LIMIT})")
    counts = _for_each("actions", actions, agents, LIMIT)
    terminal = checks.whole("terminal", terminal, f"[0, {states})")
    for name, value, allowed in (
        ("transitions", transitions, ("deterministic", "random", "sparse")),
        ("start", start, ("state", "random")),
    ):
        if value not in allowed:
            raise ValueError(f"{name} must be one of {', '.join(allowed)}, got {value!r}")
    check_size("transitions", states, math.prod(counts))
    generator, _ = generator_from(rng)
    shape = (states, *counts)
    ends = np.arange(states) < terminal
    generator.shuffle(ends)
    going = np.flatnonzero(~ends)
    first = int(generator.choice(going))
    begin: int | npt.NDArray[np.float64] = first
    if start == "random":
        begin = np.zeros(states)
        begin[going] = generator.dirichlet(np.ones(len(going)))
    movers = None
    if turns:
        movers = generator.integers(-1, agents, states)
        movers[first] = generator.integers(agents)
    seen = None
    if observations is not None:
        different = _for_each("observations", observations, agents, states + 1)
        seen = [generator.permutation(states) % count for count in different]
    return MarkovGame(
        generator.standard_normal((agents, *shape)),
        _moves(transitions, shape, generator),
        discount,
        begin,
        ends,
        seen,
        turns=movers,
        time_limit=time_limit,
        name="random Markov game",
    )


def _for_each(name: str, value: Any, agents: int, high: int) -> tuple[int, ...]:
    """Return one int in [1, high) for each agent, (agents,); a single int is used for all."""
    values = [value] * agents if np.ndim(value) == 0 else listed(name, value, "ints")
    if len(values) != agents:
        raise ValueError(
            f"{name} must be one int, or one for each of the {agents} agents, got {value!r}"
        )
    return tuple(
        checks.whole(f"{name}[{agent}]", v, f"[1, {high})") for agent, v in enumerate(values)
    )


def _moves(kind: str, shape: tuple[int, ...], generator: np.random.Generator) -> Any:
    """Return random transitions of a game of this shape, (S, A_0, ..., A_{N-1})."""
    states = shape[0]
    if kind == "deterministic":
        return generator.integers(states, size=shape)
    if kind == "random":
        return generator.dirichlet(np.ones(states), size=shape)
    few = min(states, 3)
    following = generator.integers(states, size=(*shape, few))
    return following, generator.dirichlet(np.ones(few), size=shape)
