"""Pursuit: hunters on a grid chase a prey that moves at random."""

from __future__ import annotations

from typing import Any

from fastgames._common import checks
from fastgames.games.procedural import ProceduralGame, saved_by_name
from fastgames.rules.cells import ahead, moved
from fastgames.rules.chance import below

from ._declaration import catalogued

_CATCH, _MOVE = 1.0, -0.1  # rewards
_MOVES = ("up", "down", "left", "right")
_DOMAINS = {
    "rows": "[2, 1024]",
    "columns": "[2, 1024]",
    "hunters": "[2, 1024]",
    "sight": "[0, 1024)",
}


@catalogued("Pursuit", domains=_DOMAINS, ends=True, slow=True)
@saved_by_name
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
    """Return the pursuit game: hunters learn to catch a prey that moves at random.

    In each step all hunters move one cell up, down, left or right. If the prey is not caught, it
    then moves too, in each direction with probability 1/4. A hunter or prey that would leave the
    grid stays in its cell; a cell may hold any number of them. The episode ends when the prey is
    caught, after the hunters' move or after its own:

    - The prey is caught if a hunter is in its cell. Each hunter in the cell gets 1.
    - If `joint`, the prey is caught if two or more hunters are in its cell or next to it (above,
      below or beside). Each of these hunters gets 1; a single hunter cannot catch the prey.

    All other hunters get -0.1, as does every hunter in a step without a catch. If `shared`, all
    hunters get 1 for a catch.

    At the start of an episode all are in random cells, and no hunter is in the cell of the prey.

    Parameters
    ----------
    rows : int
        Number of rows of the grid, in [2, 1024].
    columns : int
        Number of columns of the grid, in [2, 1024].
    hunters : int
        Number of hunters, in [2, 1024].
    sight : int
        Largest distance, in rows and in columns, at which a hunter sees the prey, in [0, 1024).
    joint : bool
        True if two hunters are needed to catch the prey.
    shared : bool
        True if all hunters get 1 for a catch.
    torus : bool
        True if a hunter or prey that leaves the grid enters it on the opposite side.
    discount : float
        Discount factor per step, in [0, 1].
    time_limit : int, optional
        Steps after which an episode is truncated. There is no limit unless given.

    Returns
    -------
    ProceduralGame
        A game with actions up, down, left, right. If the prey is d rows below the hunter and e
        columns to its right (on a torus by the shortest way), both in [-sight, sight], the
        observation is ``(d + sight) * (2 * sight + 1) + e + sight``; else it is the last one,
        ``(2 * sight + 1)**2``. Hunters do not see each other. The state has the cell of the prey
        and then that of each hunter, numbered row by row from the upper left. A step uses one
        random word, a start 1 + hunters.

    Raises
    ------
    TypeError, ValueError
        If an argument is outside its domain.

    Notes
    -----
    Two hunters that move at random need 60.4 steps on average to catch the prey on a 10 x 10 grid;
    a single hunter would need 123.7. Both numbers are computed from the probabilities of all cells,
    as in the tests.

    Source: Tan (1993), Multi-agent reinforcement learning: independent vs. cooperative agents,
    ICML, 330-337 (the grid, sight, rewards, catches by one and by two hunters). That the prey moves
    after the hunters is this project's choice. The task is from Benda, Jagannathan & Dodhiawala
    (1986), On optimal cooperation of knowledge sources, Boeing, technical report, on a torus.

    Examples
    --------
    >>> game = pursuit()
    >>> game.num_observations, game.actions[0]
    ((82, 82), ('up', 'down', 'left', 'right'))
    """
    rows = checks.whole("rows", rows, _DOMAINS["rows"])
    columns = checks.whole("columns", columns, _DOMAINS["columns"])
    hunters = checks.whole("hunters", hunters, _DOMAINS["hunters"])
    sight = checks.whole("sight", sight, _DOMAINS["sight"])
    for name, flag in (("joint", joint), ("shared", shared), ("torus", torus)):
        if not isinstance(flag, bool):
            raise TypeError(f"{name} must be True or False, got {flag!r}")
    cells, side = rows * columns, 2 * sight + 1
    needed, reach = (2, 1) if joint else (1, 0)

    def start(state: Any, words: Any) -> None:
        state[0] = below(words[0], cells)
        for i in range(1, hunters + 1):
            cell = below(words[i], cells - 1)
            state[i] = cell if cell < state[0] else cell + 1

    # Return the distance between two cells in steps.
    def distance(here: Any, there: Any) -> Any:
        down = ahead(here // columns, there // columns, rows, torus)
        right = ahead(here % columns, there % columns, columns, torus)
        return abs(down) + abs(right)

    # Return the number of hunters within reach of the prey.
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
