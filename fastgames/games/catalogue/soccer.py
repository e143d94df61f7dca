"""Soccer on a grid, the game of the minimax-Q paper."""

from __future__ import annotations

from typing import Any

from fastgames._common import checks
from fastgames.games.procedural import ProceduralGame, saved_by_name
from fastgames.rules.chance import coin

from ._declaration import catalogued

_MOVES = ("north", "south", "east", "west", "stay")
_BALL = 2  # index of the ball's owner in the state
_DOMAINS = {"rows": "[1, 100]", "columns": "[4, 100]"}


@catalogued("Soccer", domains=_DOMAINS, ends=True, slow=True)
@saved_by_name
def soccer(rows: int = 2, columns: int = 4) -> ProceduralGame:
    """Return the soccer game of two agents: A (agent 0) attacks the west side, B the east side.

    Both agents choose north, south, east, west or stay simultaneously. A fair coin determines which
    agent moves first; the other agent then moves on the updated field:

    - An agent that would enter the other agent's cell stays, and the other agent has the ball from
      then on.
    - An agent that has the ball and leaves the field through its goal, on the side that it attacks,
      scores: it gets 1, the other agent gets -1, and the episode ends. All other rewards are 0.
    - An agent that would leave the field anywhere else stays. (Own goals are therefore impossible.)

    The goals are the two middle rows, or the middle row if the number of rows is odd. At kick-off A
    is in the upper goal row, one column from the east side, and B is in the lower goal row, one
    column from the west side; on a field of two rows B is in the upper row too. A fair coin
    determines which agent has the ball.

    The literature uses two sizes:

    - 2 x 4, 112 states: every row is a goal row, and the agents kick off side by side, A in column
      2 of row 0 and B in column 1.
    - 4 x 5, 760 states: the field of Littman's figure 2, with goals of the two middle rows, A in
      row 1 and column 3, B in row 2 and column 1.

    Parameters
    ----------
    rows : int
        Number of rows of the field, in [1, 100], counted from the north.
    columns : int
        Number of columns of the field, in [4, 100], counted from the west.

    Returns
    -------
    ProceduralGame
        A zero-sum game with discount 0.9. The state has the cell of A and that of B (``columns *
        row + column``) and the owner of the ball, 0 or 1. Both agents observe the full state, as
        the number ``2 * (cell of A * (cells - 1) + cell of B, less 1 if it is above that of A) +
        ball``.

    Raises
    ------
    TypeError, ValueError
        If an argument is outside its domain.

    Notes
    -----
    2 x 4: the value to A at kick-off is 0.2316 with the ball and -0.2316 without it. The best
    opponent holds a random player to -0.560 (the mean over both kick-offs). Both figures are from
    the open course https://github.com/dasimoni/RL, chapter 17, section 4.4.

    Source: Littman (1994), Markov games as a framework for multi-agent reinforcement learning,
    ICML, section 5.1; 2 x 4 after Greenwald & Hall (2003), Correlated Q-learning, ICML, in which an
    own goal counts.

    Examples
    --------
    >>> game = soccer()
    >>> game.num_observations, game.actions[0]
    ((112, 112), ('north', 'south', 'east', 'west', 'stay'))
    >>> soccer(4, 5).num_observations
    (760, 760)
    """
    rows = checks.whole("rows", rows, _DOMAINS["rows"])
    columns = checks.whole("columns", columns, _DOMAINS["columns"])
    cells = rows * columns
    upper, lower = (rows - 1) // 2, rows // 2
    kick_off_a = upper * columns + columns - 2
    kick_off_b = (upper if rows == 2 else lower) * columns + 1

    def start(state: Any, words: Any) -> None:
        state[0] = kick_off_a
        state[1] = kick_off_b
        state[_BALL] = coin(words[0])

    def move(state: Any, agent: int, action: int) -> bool:
        """Move an agent, or give the ball to the other agent; return whether the agent scores."""
        row, column = state[agent] // columns, state[agent] % columns
        if action == 0:
            row -= 1
        elif action == 1:
            row += 1
        elif action == 2:
            column += 1
        elif action == 3:
            column -= 1
        if column < 0 or column >= columns:
            attacks = column < 0 if agent == 0 else column >= columns
            return bool(attacks and state[_BALL] == agent and upper <= row <= lower)
        if 0 <= row < rows:
            to = row * columns + column
            if to == state[1 - agent]:
                state[_BALL] = 1 - agent
            else:
                state[agent] = to
        return False

    def step(state: Any, actions: Any, rewards: Any, words: Any) -> bool:
        agent = coin(words[0])
        scored = move(state, agent, actions[agent])
        if not scored:
            agent = 1 - agent
            scored = move(state, agent, actions[agent])
        goal = 1.0 if scored else 0.0
        rewards[agent] = goal
        rewards[1 - agent] = 0.0 - goal  # no -0.0
        return scored

    def observe(state: Any, agent: int) -> int:
        b = state[1] - 1 if state[1] > state[0] else state[1]
        return int(2 * (state[0] * (cells - 1) + b) + state[_BALL])

    states = 2 * cells * (cells - 1)
    return ProceduralGame(
        start,
        step,
        observe,
        num_actions=(5, 5),
        num_observations=(states, states),
        state_size=3,
        state_bounds=[(0, cells - 1)] * 2 + [(0, 1)],
        words=1,
        start_words=1,
        discount=0.9,
        largest_reward=1.0,
        actions=[_MOVES] * 2,
        name="soccer",
        source="Littman (1994), ICML, section 5.1",
    )
