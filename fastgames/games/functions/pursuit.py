"""Pursuit: hunters on a grid after a prey that moves at random."""

from __future__ import annotations

from typing import Any

from fastgames.games._tables import whole
from fastgames.games.procedural import ProceduralGame, catalogued
from fastgames.rules.cells import ahead, moved
from fastgames.rules.chance import below

_CATCH, _MOVE = 1.0, -0.1  # rewards
_MOVES = ("up", "down", "left", "right")


@catalogued
def pursuit(
    rows: int = 10,
    columns: int = 10,
    hunters: int = 2,
    *,
    sight: int = 4,
    joint: bool = False,
    shared: bool = False,
    torus: bool = False,
    discount: float = 0.9,
    time_limit: int | None = None,
) -> ProceduralGame:
    """Hunters who learn to catch a prey that moves at random.

    In a step all hunters move one cell up, down, left or right, and if the prey is not caught then
    it moves, too, each way with probability 1/4. Who would leave the grid stays; any number may be
    in a cell. When the prey is caught, by the hunters' move or by its own, the episode ends:

    - By any hunter in its cell, each of whom gets 1.
    - If `joint`, by two or more hunters in its cell or next to it (above, below or beside), each of
      whom gets 1; one is not enough.

    All other hunters get -0.1, and everyone does in any step without a catch. If `shared`, all get
    1 for a catch, whoever was in it.

    An episode begins with all in cells at random, no hunter in the prey's.

    Parameters
    ----------
    rows, columns : int
        In [2, 1024].
    hunters : int
        In [2, 1024].
    sight : int
        How many cells away in both directions a hunter sees the prey, in [0, 1024).
    joint, shared : bool
        See above.
    torus : bool
        Whether what leaves the grid comes back on the other side.
    discount : float
    time_limit : int, optional
        Steps after which an episode is cut.

    Returns
    -------
    ProceduralGame
        Actions up, down, left, right. Observations: with the prey d rows below and e columns to the
        right, both in [-sight, sight], ``(d + sight) * (2 * sight + 1) + e + sight``, on a torus
        the short way round; else the last one, ``(2 * sight + 1)**2``. Hunters do not see each
        other. The state: the cell of the prey, then that of each hunter, row by row from the upper
        left. One random word a step; 1 + hunters at a start.

    Notes
    -----
    Two hunters who move at random take 60.4 steps on average to catch the prey on a 10 x 10 grid,
    one would take 123.7: worked out from the chances of all cells, as the test does.

    Source: Tan (1993), Multi-agent reinforcement learning: independent vs. cooperative agents,
    ICML, 330-337: the grid, sight, rewards, catches by one and by two. That the prey moves after
    the hunters is this project's choice. The task is that of Benda, Jagannathan & Dodhiawala
    (1986), On optimal cooperation of knowledge sources, Boeing, technical report, on a torus.

    Examples
    --------
    >>> game = pursuit()
    >>> game.num_observations, game.actions[0]
    ((82, 82), ('up', 'down', 'left', 'right'))
    """
    rows, columns = whole("rows", rows, 2, 1025), whole("columns", columns, 2, 1025)
    hunters = whole("hunters", hunters, 2, 1025)
    sight = whole("sight", sight, 0, 1024)
    for name, flag in (("joint", joint), ("shared", shared), ("torus", torus)):
        if not isinstance(flag, bool):
            raise TypeError(f"{name} must be True or False; it is {flag!r}")
    cells, side = rows * columns, 2 * sight + 1
    needed, reach = (2, 1) if joint else (1, 0)

    def start(state: Any, words: Any) -> None:
        state[0] = below(words[0], cells)
        for i in range(1, hunters + 1):
            cell = below(words[i], cells - 1)
            state[i] = cell if cell < state[0] else cell + 1

    def distance(here: Any, there: Any) -> Any:
        down = ahead(here // columns, there // columns, rows, torus)
        right = ahead(here % columns, there % columns, columns, torus)
        return abs(down) + abs(right)

    def close(state: Any) -> Any:
        count = 0
        for i in range(1, hunters + 1):
            if distance(state[i], state[0]) <= reach:
                count += 1
        return count

    def step(state: Any, actions: Any, rewards: Any, words: Any) -> bool:
        for i in range(hunters):
            state[1 + i] = moved(state[1 + i], actions[i], rows, columns, torus)
        caught = close(state) >= needed
        if not caught:
            state[0] = moved(state[0], below(words[0], 4), rows, columns, torus)
            caught = close(state) >= needed
        for i in range(hunters):
            by_it = caught and (shared or distance(state[1 + i], state[0]) <= reach)
            rewards[i] = _CATCH if by_it else _MOVE
        return caught  # type: ignore[no-any-return]

    def observe(state: Any, agent: int) -> int:
        here, there = state[1 + agent], state[0]
        down = ahead(here // columns, there // columns, rows, torus)
        right = ahead(here % columns, there % columns, columns, torus)
        if abs(down) > sight or abs(right) > sight:
            return side * side
        return (down + sight) * side + right + sight

    return ProceduralGame(
        start,
        step,
        observe,
        num_actions=[len(_MOVES)] * hunters,
        num_observations=[side * side + 1] * hunters,
        state_size=1 + hunters,
        state_bounds=[(0, cells - 1)] * (1 + hunters),
        words=1,
        start_words=1 + hunters,
        discount=discount,
        time_limit=time_limit,
        largest_reward=_CATCH,
        actions=[_MOVES] * hunters,
        name="pursuit",
        source="Tan (1993), ICML, 330-337; Benda, Jagannathan & Dodhiawala (1986)",
    )
