"""Cars that merge into one lane: all want through, and each wants to be first."""

from __future__ import annotations

import numpy as np

from fastgames._common import checks
from fastgames.games.markov import MarkovGame

from ._declaration import catalogued

_DOMAINS = {"cars": "[2, 6]", "delay": "[0, 1e12]", "conflict": "[0, 1e12]"}


@catalogued(
    "Merge",
    domains=_DOMAINS,
    formula=r"r_i = \begin{cases} 1 & i \text{ goes alone} \\ -\text{conflict} & i \text{ and"
    r" another go} \\ -\text{delay} & i \text{ waits} \\ 0 & i \text{ is through} \end{cases}",
    ends=True,
)
def merge(
    cars: int = 2, *, delay: float = 0.1, conflict: float = 1.0, discount: float = 0.95
) -> MarkovGame:
    """Return the merge of cars from several lanes into one.

    Each car stands at the end of its own lane and waits or goes. If exactly one car goes, it passes
    and gets 1. If several go, all of them brake: each gets -conflict, and none passes. A car that
    waits gets -delay. A car that is through gets 0, whatever it does. The episode ends when all
    cars are through.

    Parameters
    ----------
    cars : int
        Number of cars N, in [2, 6].
    delay : float
        Cost of a step of waiting, in [0, 1e12].
    conflict : float
        Cost of going together with another car, in [0, 1e12].
    discount : float
        Discount factor per step, in [0, 1]. Also the reason to be first if `delay` is 0.

    Returns
    -------
    MarkovGame
        A game of 2^N states: in state s car i is through if bit i of s is 1. It has the actions
        wait, go; it is without chance, and all cars observe the state.

    Raises
    ------
    TypeError, ValueError
        If an argument is outside its domain.

    Notes
    -----
    The setting is mixed: all gain if the cars pass one after the other, and each prefers to be the
    one that goes first. For two cars, the pure equilibria of the first step are that one goes and
    the other waits; the last car always goes.

    Source: this project's own (2026); a game of chicken in several steps.

    Examples
    --------
    >>> game = merge()
    >>> game.rewards[:, 0, 1, 0], game.transitions[0, 1, 0]  # car 0 goes, car 1 waits
    (array([ 1. , -0.1]), np.int32(1))
    """
    cars = checks.whole("cars", cars, _DOMAINS["cars"])
    delay = checks.real("delay", delay, _DOMAINS["delay"])
    conflict = checks.real("conflict", conflict, _DOMAINS["conflict"])
    discount = checks.real("discount", discount, "[0, 1]")
    states, shape = 2**cars, (2,) * cars
    through = (np.arange(states) >> np.arange(cars)[:, None]) & 1  # (N, S)
    standing = (through == 0).reshape(cars, states, *[1] * cars)
    asked = np.indices(shape)[:, None] == 1  # (N, 1, 2, ..., 2)
    goes = standing & asked
    alone = goes.sum(axis=0) == 1
    rewards = np.where(goes, np.where(alone, 1.0, 0.0 - conflict), 0.0)
    rewards[standing & ~asked] = 0.0 - delay
    bits = (1 << np.arange(cars)).reshape(cars, 1, *[1] * cars)
    passed = (goes * bits).sum(axis=0) * alone
    return MarkovGame(
        rewards,
        np.arange(states).reshape(states, *[1] * cars) + passed,
        discount,
        terminal=np.arange(states) == states - 1,
        name="merge",
        actions=[("wait", "go")] * cars,
        source="this project's own (2026)",
    )
