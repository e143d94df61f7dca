"""Traffic signals on a grid of intersections, with one agent for each intersection."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from fastgames._common import checks
from fastgames.games._tables import listed
from fastgames.games.procedural import ProceduralGame, saved_by_name
from fastgames.rules.chance import coin, happens

from ._declaration import catalogued

_TO = ("north-south", "east-west")  # the actions
_CLOCK, _AXIS, _LIGHTS = 0, 1, 2  # indices into the state
_FROM_WEST = 2  # the approach of platoons
_NONE = 2  # the axis if there is no surge
_CHANGING = 2  # added to a light in the step in which it changes
_DOMAINS = {
    "rows": "[1, 1024]",
    "columns": "[1, 1024]",
    "rate": "[0, 1]",
    "surge": "[0, 1]",
    "period": "[1, 2^31)",
    "capacity": "[1, 2^31)",
    "saturation": "[1, 2^31)",
    "travel": "[0, 1024]",
    "clock": "[1, 1024]",
    "time_limit": "[1, 2^31)",
}


@catalogued("Traffic", domains=_DOMAINS, slow=True)
@saved_by_name
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
    travel: int = 0,
    platoon: int = 0,
    levels: tuple[int, ...] = (1, 3, 6, 9),
    clock: int = 1,
    discount: float = 0.9,
    time_limit: int = 240,
) -> ProceduralGame:
    """Return the traffic signal game, in which all agents share the delay of all vehicles.

    The intersections of a grid of streets are numbered row by row from the north-west. Each has a
    queue for each of its four approaches. In a step an agent gives green to north-south or to
    east-west:

    - If the chosen axis already has green, up to `saturation` vehicles of each of its two
      approaches go straight on: into the queue of the next intersection if it has room, or out of
      the grid. Room that this queue makes in the same step counts. A vehicle reaches the next
      queue after `travel` steps on the street; if `travel` is 0, it cannot pass the next
      intersection in the same step.
    - Otherwise no vehicle passes the intersection in this step (yellow, all red), and the chosen
      axis has green from then on.

    A vehicle then arrives at every entry, one for each end of each street, with probability `rate`,
    or `surge` on one axis during a surge. A platoon is one vehicle for certain in each of the first
    `platoon` steps of each `period`, at the western end of every row. A surge lasts for the last
    `surge_length` steps of each `period`, on an axis that is drawn at random when it begins. Queues
    at entries are unbounded, so that every vehicle is admitted and counted; a street within the
    grid holds `capacity` vehicles, those that drive included.

    The reward of every agent is minus the number of vehicles that wait in the grid after the step,
    divided by the number of intersections.

    An agent observes the class of the number of vehicles that wait at its own intersection on each
    axis, and the axis that has green; and which of `clock` equal parts of the period it is, if
    there are several. It observes neither its neighbours, nor the surge, nor vehicles that drive.

    Parameters
    ----------
    rows : int
        Number of rows of the grid, at least 1, for 2 to 1,024 intersections.
    columns : int
        Number of columns of the grid, at least 1, for 2 to 1,024 intersections.
    rate : float
        Probability of an arrival per entry and step, in [0, 1].
    surge : float
        Probability of an arrival per entry and step on the axis of a surge, in [0, 1].
    period : int
        Length of a period in steps, at least 1.
    surge_length : int
        Length of the surge at the end of each period in steps, in [0, period].
    capacity : int
        Number of vehicles that a street within the grid holds in each direction, at least 1.
    saturation : int
        Number of vehicles that leave an approach with green in a step, at least 1.
    travel : int
        Number of steps from an intersection to the next queue, in [0, 1024]. Vehicles that drive do
        not wait.
    platoon : int
        Number of vehicles of a platoon, in [0, period].
    levels : tuple of int
        Lower ends of the classes of queues after the first, ascending, at least 1. For example,
        (1, 3, 6, 9) makes the classes 0, 1 to 2, 3 to 5, 6 to 8, and 9 or more. C classes give 2
        C^2 observations: (class of north-south * C + class of east-west) * 2 + axis that has green.
    clock : int
        Number of parts of the period that agents tell apart, a divisor of it in [1, 1024]. The
        number of the part, times 2 C^2, is added to the observation.
    discount : float
        Discount factor per step, in [0, 1].
    time_limit : int
        Number of steps of an episode, at least 1. An episode starts with empty streets and green
        for north-south.

    Returns
    -------
    ProceduralGame
        A game with actions "north-south" and "east-west". The state has the step of the episode;
        the axis of the surge, 0 or 1, or 2 if there is no surge; the light of each intersection,
        which is the axis that has green, plus 2 in the step in which it changed; and for each
        intersection the queues from north, south, west and east. If `travel` is not 0, there follow
        for each of these queues the vehicles that drive to it: how many reach it in the next step
        whose number is 0, 1, ... modulo `travel`.

    Raises
    ------
    TypeError, ValueError
        If an argument is outside its domain.

    Notes
    -----
    A fixed plan that gives an axis g of its c steps lets at most (g - 1) / c vehicles per step
    through each approach of this axis, since every change of the lights costs a step. With equal
    halves this is less than 1/2, below a surge of 0.6. A plan by the clock cannot follow the surge,
    since its axis is random.

    Source: this project's own (2026) model of a well-known task. Queues in whole vehicles,
    discharge at saturation flow and lost time at changes: Webster, Traffic Signal Settings, Road
    Research Technical Paper 39 (1958). Learning agents at the intersections of a grid that observe
    their own queues: Wiering, Multi-Agent Reinforcement Learning for Traffic Light
    Control, ICML 2000.

    Examples
    --------
    >>> game = traffic()
    >>> game.num_agents, game.num_observations[0], game.actions[0]
    (4, 50, ('north-south', 'east-west'))
    """
    rows = checks.whole("rows", rows, _DOMAINS["rows"])
    columns = checks.whole("columns", columns, _DOMAINS["columns"])
    agents = rows * columns
    if not 2 <= agents <= 1024:
        raise ValueError(f"rows * columns must be in [2, 1024], got {agents}")
    rate = checks.real("rate", rate, _DOMAINS["rate"])
    surge = checks.real("surge", surge, _DOMAINS["surge"])
    period = checks.whole("period", period, _DOMAINS["period"])
    surge_begins = period - checks.whole("surge_length", surge_length, f"[0, {period}]")
    capacity = checks.whole("capacity", capacity, _DOMAINS["capacity"])
    saturation = checks.whole("saturation", saturation, _DOMAINS["saturation"])
    begins = _rising(levels)
    classes = len(begins) + 1
    time_limit = checks.whole("time_limit", time_limit, _DOMAINS["time_limit"])
    travel = checks.whole("travel", travel, _DOMAINS["travel"])
    platoon = checks.whole("platoon", platoon, f"[0, {period}]")
    parts = checks.whole("clock", clock, _DOMAINS["clock"])
    if period % parts:
        raise ValueError(f"clock must be a divisor of period, {period}, got {parts}")
    part = period // parts
    queues = _LIGHTS + agents
    roads = queues + 4 * agents
    size = roads + 4 * agents * travel
    entries = 2 * (rows + columns)
    most = 4 * capacity + entries * time_limit / agents
    # For each entry, its one-way street: the approach at which vehicles reach the intersections,
    # the first intersection, and the increment of the number from one intersection to the next.
    streets = np.array(
        [(0, c, columns) for c in range(columns)]
        + [(1, agents - columns + c, -columns) for c in range(columns)]
        + [(2, r * columns, 1) for r in range(rows)]
        + [(3, r * columns + columns - 1, -1) for r in range(rows)]
    )
    # A queue at an entry can hold all arrivals of an episode, at most one per step.
    most_waiting = np.full(4 * agents, capacity)
    most_waiting[4 * streets[:, 1] + streets[:, 0]] = time_limit
    driving = [min(saturation, capacity)] * (4 * agents * travel)
    highest = [time_limit - 1, _NONE, *[_CHANGING + 1] * agents, *most_waiting, *driving]
    bounds = np.stack([np.zeros(size, np.int64), highest], axis=1)

    def start(state: Any, words: Any) -> None:
        for k in range(size):
            state[k] = 0
        state[_AXIS] = _NONE

    def step(state: Any, actions: Any, rewards: Any, words: Any) -> bool:
        now = state[_CLOCK] % period
        slot = state[_CLOCK] % travel if travel else 0
        state[_CLOCK] += 1
        if now == surge_begins:
            state[_AXIS] = coin(words[entries])
        elif now == 0:
            state[_AXIS] = _NONE
        for i in range(agents):
            axis = state[_LIGHTS + i] & 1
            state[_LIGHTS + i] = axis if actions[i] == axis else _CHANGING + actions[i]
        # No branch depends on the traffic, as a processor could not predict it.
        for s in range(entries):
            approach, at, onward = streets[s]
            axis = approach >> 1
            last = (columns if axis else rows) - 1
            at += last * onward
            queue = queues + 4 * at + approach
            if travel:
                _reach(state, queue, roads + (queue - queues) * travel + slot)
            most = saturation if state[_LIGHTS + at] == axis else 0
            state[queue] -= min(state[queue], most)
            for _ in range(last):  # from the exit backwards, so that room is made before it is used
                ahead = queue
                at -= onward
                queue -= 4 * onward
                road = roads + (ahead - queues) * travel
                if travel:
                    _reach(state, queue, roads + (queue - queues) * travel + slot)
                most = saturation if state[_LIGHTS + at] == axis else 0
                room = capacity - state[ahead]
                for k in range(road, road + travel):
                    room -= state[k]
                gone = min(state[queue], most, room)
                state[queue] -= gone
                state[road + slot if travel else ahead] += gone
            chance = surge if state[_AXIS] == axis else rate
            if approach == _FROM_WEST and now < platoon:
                chance = 1.0
            state[queue] += 1 if happens(words[s], chance) else 0
        everywhere = 0
        for k in range(queues, roads):
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
        if parts > 1:
            seen += classes**2 * (state[_CLOCK] % period // part)
        return 2 * seen + (state[_LIGHTS + agent] & 1)  # type: ignore[no-any-return]

    return ProceduralGame(
        start,
        step,
        observe,
        num_actions=[2] * agents,
        num_observations=[2 * classes**2 * parts] * agents,
        state_size=size,
        state_bounds=bounds.tolist(),
        words=entries + 1,
        discount=discount,
        time_limit=time_limit,
        largest_reward=most,
        actions=[_TO] * agents,
        name="traffic",
        # Games compare by this text, so it names the module in which the game was published.
        source="this project's own (2026); see the docstring of fastgames.games.functions.traffic",
    )


def _reach(state: Any, queue: int, road: int) -> None:
    """Move the vehicles at the end of a road to their queue."""
    state[queue] += state[road]
    state[road] = 0


def _rising(levels: tuple[int, ...]) -> tuple[int, ...]:
    """Return the checked levels, strictly ascending ints in [1, 2^31)."""
    found = [
        checks.whole(f"levels[{k}]", x, "[1, 2^31)")
        for k, x in enumerate(listed("levels", levels, "a sequence of int"))
    ]
    if not 1 <= len(found) <= 64 or any(b <= a for a, b in itertools.pairwise(found)):
        raise ValueError(f"levels must be 1 to 64 strictly ascending numbers, got {found}")
    return tuple(found)
