"""Traffic signals on a grid of intersections, one agent at each."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from fastgames.games._tables import listed, whole
from fastgames.games.procedural import ProceduralGame, _number, catalogued
from fastgames.rules.chance import coin, happens

_TO = ("north-south", "east-west")  # the actions
_CLOCK, _AXIS, _LIGHTS = 0, 1, 2  # where the state has them
_NONE = 2  # the axis of the surge where there is none
_CHANGING = 2  # is added to a light in the step in which it changes


@catalogued
def traffic(
    rows: int = 2,
    columns: int = 2,
    *,
    rate: float = 0.15,
    surge: float = 0.6,
    period: int = 80,
    surge_length: int = 40,
    capacity: int = 4,
    saturation: int = 1,
    levels: tuple[int, ...] = (1, 3, 6, 9),
    discount: float = 0.9,
    time_limit: int = 240,
) -> ProceduralGame:
    """Signals on a grid of streets; the delay of all vehicles is everyone's loss.

    The intersections are numbered row by row from the north-west. Each has a queue for each of its
    four approaches. In a step an agent gives green to north-south or to east-west:

    - If that is what had it, up to `saturation` vehicles of both approaches of that axis go
      straight on: into the queue of the next intersection as far as it has room, or out of the
      grid. Room that the queue there makes in the same step counts.
    - If not, nobody goes in that step (yellow, all red), and from then on the other axis has it.

    Then at every entry, one for each end of each street, a vehicle arrives with a probability:
    `rate`, or `surge` on one axis in a surge. There is one in the last `surge_length` steps of each
    `period`, on an axis that a coin picks as it begins. Queues at entries hold any number, so no
    vehicle is turned away and none goes uncounted; queues within the grid hold `capacity`.

    The reward of every agent is minus the number of vehicles that wait in the grid after the step,
    divided by the number of intersections: delay is shared by all.

    An agent sees how many wait at its own intersection on each axis, in classes, and which axis has
    green. It sees neither the clock nor its neighbours, nor whether there is a surge.

    Parameters
    ----------
    rows, columns : int
        At least 1 each, at least 2 intersections, at most 1,024.
    rate, surge : float
        Probabilities in [0, 1].
    period, surge_length : int
        Steps; the length in [0, period].
    capacity : int
        Vehicles in each queue within the grid, at least 1.
    saturation : int
        Vehicles that an approach with green lets go in a step, at least 1.
    levels : tuple of int
        Where the classes of queues after the first begin, rising, from at least 1: (1, 3, 6, 9) is
        none, 1 to 2, 3 to 5, 6 to 8, 9 and more. With C classes there are 2 C^2 observations:
        (class of north-south * C + class of east-west) * 2 + the axis that has green.
    discount : float
    time_limit : int
        Steps of an episode, which starts with empty streets and green for north-south.

    Returns
    -------
    ProceduralGame
        Actions "north-south" and "east-west". The state: the step of the episode; the axis of the
        surge, 0 or 1, or 2 where there is none; each intersection's light, the axis that has green,
        plus 2 in the step in which it changed; its queues from north, south, west and east.

    Notes
    -----
    A fixed plan with g of its c steps for an axis lets at most (g - 1) / c vehicles a step through
    each approach of it, for every change of the lights costs a step: with equal halves less than
    1/2, which a surge of 0.6 exceeds. Nor can a plan by the clock follow it, for a coin picks the
    axis.

    Source: this project's own (2026) model of a well-known task. Queues in whole vehicles,
    discharge at saturation flow and lost time at changes: Webster, Traffic Signal Settings, Road
    Research Technical Paper 39 (1958). Learning agents at the intersections of a grid, which see
    their own queues: Wiering, Multi-Agent Reinforcement Learning for Traffic Light
    Control, ICML 2000.

    Examples
    --------
    >>> game = traffic()
    >>> game.num_agents, game.num_observations[0], game.actions[0]
    (4, 50, ('north-south', 'east-west'))
    """
    rows, columns = whole("rows", rows, 1, 1025), whole("columns", columns, 1, 1025)
    agents = rows * columns
    if not 2 <= agents <= 1024:
        raise ValueError(f"rows * columns must be in [2, 1024]; it is {agents}")
    rate, surge = _number("rate", rate, 0.0, 1.0), _number("surge", surge, 0.0, 1.0)
    period = whole("period", period, 1, 2**31)
    surge_begins = period - whole("surge_length", surge_length, 0, period + 1)
    capacity = whole("capacity", capacity, 1, 2**31)
    saturation = whole("saturation", saturation, 1, 2**31)
    begins = _rising(levels)
    classes = len(begins) + 1
    time_limit = whole("time_limit", time_limit, 1, 2**31)
    queues = _LIGHTS + agents
    size = queues + 4 * agents
    entries = 2 * (rows + columns)
    most = 4 * capacity + entries * time_limit / agents
    # For each entry its street, one way: the approach by which vehicles come to every intersection,
    # the first intersection, and the difference of one's number to the next one's.
    streets = np.array(
        [(0, c, columns) for c in range(columns)]
        + [(1, agents - columns + c, -columns) for c in range(columns)]
        + [(2, r * columns, 1) for r in range(rows)]
        + [(3, r * columns + columns - 1, -1) for r in range(rows)]
    )
    # The queues of entries hold whatever came in an episode.
    most_waiting = np.full(4 * agents, capacity)
    most_waiting[4 * streets[:, 1] + streets[:, 0]] = time_limit
    highest = [time_limit - 1, _NONE, *[_CHANGING + 1] * agents, *most_waiting]
    bounds = np.stack([np.zeros(size, np.int64), highest], axis=1)

    def start(state: Any, words: Any) -> None:
        for k in range(size):
            state[k] = 0
        state[_AXIS] = _NONE

    def step(state: Any, actions: Any, rewards: Any, words: Any) -> bool:
        now = state[_CLOCK] % period
        state[_CLOCK] += 1
        if now == surge_begins:
            state[_AXIS] = coin(words[entries])
        elif now == 0:
            state[_AXIS] = _NONE
        for i in range(agents):
            axis = state[_LIGHTS + i] & 1
            state[_LIGHTS + i] = axis if actions[i] == axis else _CHANGING + actions[i]
        # No branch depends on the traffic: which way it would go, a processor could only guess.
        for s in range(entries):
            approach, at, onward = streets[s]
            axis = approach >> 1
            last = (columns if axis else rows) - 1
            at += last * onward
            queue = queues + 4 * at + approach
            most = saturation if state[_LIGHTS + at] == axis else 0
            state[queue] -= min(state[queue], most)
            for _ in range(last):  # from the exit back: room is made before it is used
                ahead = queue
                at -= onward
                queue -= 4 * onward
                most = saturation if state[_LIGHTS + at] == axis else 0
                gone = min(state[queue], most, capacity - state[ahead])
                state[queue] -= gone
                state[ahead] += gone
            state[queue] += 1 if happens(words[s], surge if state[_AXIS] == axis else rate) else 0
        everywhere = 0
        for k in range(queues, size):
            everywhere += state[k]
        for i in range(agents):
            rewards[i] = -everywhere / agents
        return False

    def observe(state: Any, agent: int) -> int:
        queue = queues + 4 * agent
        seen = 0
        for axis in range(2):
            waiting = state[queue + 2 * axis] + state[queue + 2 * axis + 1]
            seen *= classes
            for k in range(classes - 1):
                seen += 1 if waiting >= begins[k] else 0
        return 2 * seen + (state[_LIGHTS + agent] & 1)  # type: ignore[no-any-return]

    return ProceduralGame(
        start,
        step,
        observe,
        num_actions=[2] * agents,
        num_observations=[2 * classes**2] * agents,
        state_size=size,
        state_bounds=bounds.tolist(),
        words=entries + 1,
        discount=discount,
        time_limit=time_limit,
        largest_reward=most,
        actions=[_TO] * agents,
        name="traffic",
        source="this project's own (2026); see the docstring of fastgames.games.functions.traffic",
    )


def _rising(levels: tuple[int, ...]) -> tuple[int, ...]:
    found = [
        whole(f"levels[{k}]", x, 1, 2**31)
        for k, x in enumerate(listed("levels", levels, "a sequence of int"))
    ]
    if not 1 <= len(found) <= 64 or any(b <= a for a, b in itertools.pairwise(found)):
        raise ValueError(f"levels must be 1 to 64 rising numbers; they are {found}")
    return tuple(found)
