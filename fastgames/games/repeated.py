"""Repeated games with memory: the state is the joint actions of the last periods."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from fastgames._common import checks

from ._tables import listed
from .compact import Sum
from .markov import LIMIT, MarkovGame, check_size
from .matrix import MatrixGame


def remember(
    stage_game: MatrixGame,
    periods: int | Sequence[int] = 1,
    discount: float = 0.95,
    start: int | str | npt.ArrayLike = 0,
) -> MarkovGame:
    """Return the infinitely repeated game in which agents observe the last joint actions.

    Agents may remember different numbers of periods. The state has the joint actions of the longest
    memory; an agent with a shorter one observes its latest part.

    Parameters
    ----------
    stage_game : MatrixGame
        The game of every period, with J joint actions.
    periods : int, or sequence of N int
        Number of past periods that every agent observes, at least 1; or one number for each agent,
        at least 0, of which the largest is at least 1. J**periods_i times the number of actions of
        agent i must be below 2^31.
    discount : float
        Discount factor per period, in [0, 1).
    start : int, or "uniform", or array_like (J**max(periods),)
        The first state, or "uniform" for equal probabilities of all states, or the probability of
        every state.

    Returns
    -------
    MarkovGame
        A game of J**max(periods) states. The number of a state has the last joint actions as its
        digits; the latest period is the slowest digit, and within a period agent 0's action is the
        slowest: for two agents and one period, ``a_0 * A_1 + a_1``. Observations have their last
        periods_i joint actions as digits in the same order, J**periods_i of them, and one if
        periods_i is 0. Rewards are a view of the payoffs, and no table of states and joint actions
        is allocated. `stage` of the game is `stage_game`.

    Raises
    ------
    TypeError
        If stage_game is not a MatrixGame, or another argument has a wrong type.
    ValueError
        If an argument is outside its domain.

    Notes
    -----
    With k = max(periods), agent i observes floor(s / J**(k - periods_i)) in state s.

    Players with memories of different length: Lehrer (1988), Repeated games with stationary bounded
    recall strategies, Journal of Economic Theory 46, 130-144.

    Examples
    --------
    >>> from fastgames.games import prisoners_dilemma
    >>> game = remember(prisoners_dilemma(), periods=2, discount=0.9)
    >>> game.num_states
    16
    >>> before = game.transitions[0, 0, 1]  # after (0, 1) now and (0, 0) before
    >>> int(before), int(game.transitions[before, 1, 0])  # the latest period counts 4 times as much
    (4, 9)

    Agent 1 observes only the latest of these two periods:

    >>> shorter = remember(prisoners_dilemma(), periods=(2, 1), discount=0.9)
    >>> shorter.num_observations, shorter.observations[:, 9].tolist()  # (1, 0), before it (0, 1)
    ((16, 4), [9, 2])
    """
    if not isinstance(stage_game, MatrixGame):
        raise TypeError(f"stage_game must be a MatrixGame, got {reprlib.repr(stage_game)}")
    memory = _memory(periods, stage_game.num_agents)
    longest = max(memory)
    joint = math.prod(stage_game.num_actions)
    if joint > 1 and longest > 31:  # refuse at once, as the power would take long to compute
        raise ValueError(f"periods must leave fewer than 2^31 states, got {periods}")
    states = joint**longest
    for observed, count in zip(memory, stage_game.num_actions, strict=True):
        check_size("values of an agent", joint**observed, count)
    if isinstance(start, str):
        if start != "uniform":
            raise ValueError(f"start must be a state, probabilities or 'uniform', got {start!r}")
        start = np.full(states, 1.0 / states)
    latest = states // joint  # place value of the latest period's digit
    game = MarkovGame(
        np.broadcast_to(
            stage_game.payoffs[:, None], (stage_game.num_agents, states, *stage_game.num_actions)
        ),
        Sum(np.arange(states, dtype=np.int32) // joint, np.arange(joint, dtype=np.int32) * latest),
        discount,
        start,
        observations=_observed(memory, joint),
        name=f"{stage_game.name}, memory {memory[0] if len(set(memory)) == 1 else memory}",
        actions=stage_game.actions,
        source=stage_game.source,
    )
    game._stage = stage_game
    return game


def _memory(periods: object, agents: int) -> tuple[int, ...]:
    """Return the checked number of periods that each agent observes, (N,)."""
    domain = f"a whole number, or a sequence of {agents} of them, one for each agent"
    if not isinstance(periods, Iterable) or getattr(periods, "ndim", 1) == 0:
        return (checks.whole("periods", periods, f"[1, {LIMIT})"),) * agents
    given = listed("periods", periods, domain)
    if len(given) != agents:
        raise ValueError(f"periods must be {domain}, got {len(given)} in {periods!r}")
    memory = [checks.whole(f"periods[{i}]", p, f"[0, {LIMIT})") for i, p in enumerate(given)]
    if not any(memory):
        raise ValueError(f"periods must be at least 1 for an agent, got {periods!r}")
    return tuple(memory)


def _observed(memory: tuple[int, ...], joint: int) -> npt.NDArray[np.int32] | None:
    """Return the observations in every state, (N, S) int32; None if all agents observe the state.

    memory: periods that each agent observes; joint: number of joint actions
    """
    longest = max(memory)
    if min(memory) == longest:
        return None
    states = np.arange(joint**longest, dtype=np.int32)
    return np.stack([states // joint ** (longest - observed) for observed in memory])
