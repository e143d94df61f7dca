"""Soccer on a grid, the game of minimax-Q."""

from __future__ import annotations

from typing import Any

from fastgames.games._tables import whole
from fastgames.games.procedural import ProceduralGame, catalogued
from fastgames.rules.chance import coin

_MOVES = ("north", "south", "east", "west", "stay")
_BALL = 2  # where the state has who owns it


@catalogued
def soccer(rows: int = 2, columns: int = 4) -> ProceduralGame:
    """Two agents and a ball: A, agent 0, attacks the west side, B the east side.

    Both choose north, south, east, west or stay at once. A fair coin says who moves first; the
    other moves then, on the field as it is now:

    - Who would enter the other's cell stays, and the other has the ball from then on, if it had
      not already.
    - Who has the ball and leaves the field through its goal, on the side that it attacks, scores:
      1 for it, -1 for the other, and the episode ends. All else gets 0.
    - Who would leave the field elsewhere stays. (So there are no own goals.)

    The goals are the middle rows: two, or one if the number of rows is odd. At kick-off A is in the
    upper of them, one column off the east side, and B in the lower, one column off the west side;
    where there are only two rows, B is in the upper one, too. A fair coin says who has the ball.

    Two sizes are in the literature:

    - 2 x 4, 112 states: every row is a goal row, and the agents kick off side by side, A in column
      2 of row 0 and B in column 1.
    - 4 x 5, 760 states: the field of Littman's figure 2, goals two cells high in the middle, A in
      row 1 and column 3, B in row 2 and column 1.

    Parameters
    ----------
    rows, columns : int
        Of the field, from the north and from the west: rows in [1, 100], columns in [4, 100].

    Returns
    -------
    ProceduralGame
        Discount 0.9. The state is the cell of A, that of B (``columns * row + column``) and who has
        the ball, 0 or 1. Both agents see all of it, as the number ``2 * (cell of A * (cells - 1) +
        cell of B, less 1 if it is above that of A) + ball``. Zero-sum.

    Notes
    -----
    2 x 4: the value to A is 0.2316 at kick-off with the ball and the negative of it without. A
    random player can be held to -0.560 (the mean over both). Both figures are those of the open
    course https://github.com/dasimoni/RL, chapter 17, section 4.4.

    Source: Littman (1994), Markov games as a framework for multi-agent reinforcement learning,
    ICML, section 5.1; 2 x 4 after Greenwald & Hall (2003), Correlated Q-learning, ICML, where an
    own goal counts.

    Examples
    --------
    >>> game = soccer()
    >>> game.num_observations, game.actions[0]
    ((112, 112), ('north', 'south', 'east', 'west', 'stay'))
    >>> soccer(4, 5).num_observations
    (760, 760)
    """
    rows, columns = whole("rows", rows, 1, 101), whole("columns", columns, 4, 101)
    cells = rows * columns
    upper, lower = (rows - 1) // 2, rows // 2
    kick_off_a = upper * columns + columns - 2
    kick_off_b = (upper if rows == 2 else lower) * columns + 1

    def start(state: Any, words: Any) -> None:
        state[0] = kick_off_a
        state[1] = kick_off_b
        state[_BALL] = coin(words[0])

    def move(state: Any, agent: int, action: int) -> bool:
        """Move an agent, or the ball out of its hands; whether it scores."""
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
