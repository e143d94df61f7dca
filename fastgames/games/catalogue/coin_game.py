"""The coin game: taking a coin of the other agent's colour pays 1 and costs the other agent 2."""

from __future__ import annotations

from typing import Any

from fastgames._common import checks
from fastgames.games.procedural import ProceduralGame, saved_by_name
from fastgames.rules.cells import moved
from fastgames.rules.chance import below, coin

from ._declaration import catalogued

# Indices into the state: the cells of agent 0, agent 1 and the coin, and the coin's colour.
_OWN, _OTHER, _COIN, _COLOUR = range(4)
_MOVES = ("up", "down", "left", "right")
_DOMAINS = {"size": "[2, 32)"}


@catalogued("Coin game", domains=_DOMAINS, slow=True)
@saved_by_name
def coin_game(
    size: int = 3,
    *,
    alternating: bool = False,
    discount: float = 0.96,
    time_limit: int | None = 150,
) -> ProceduralGame:
    """Return the coin game, a sequential social dilemma.

    Two agents move on a torus of `size` x `size` cells, one cell up, down, left or right in each
    step; both may be in the same cell. The grid has one coin, of colour 0 or 1. An agent that
    enters the cell of the coin gets 1; if the coin has the other agent's colour, the other agent
    loses 2. If both agents enter the cell in the same step, this holds for each of them. A new coin
    then appears in a random cell without an agent.

    Taking any coin pays, but if both agents take coins of any colour, their mean reward is 0. If
    both take only coins of their own colour, both gain.

    Parameters
    ----------
    size : int
        Side of the grid, in [2, 32).
    alternating : bool
        True if the colours of new coins alternate. If False, each colour is drawn at random.
    discount : float
        Discount factor per step, in [0, 1); 1 is allowed only with a time limit.
    time_limit : int, optional
        Steps after which an episode is truncated. At the start of an episode the agents are in
        random cells, and the coin is in a random cell without an agent.

    Returns
    -------
    ProceduralGame
        A game with actions up, down, left, right. Each agent observes the full state from its own
        side: with C cells, ``((own cell * C + other's cell) * C + coin's cell) * 2 + (0 for a coin
        of its own colour, 1 for one of the other's)``. The state has the cells of agent 0, agent 1
        and the coin, numbered row by row from the upper left, and the coin's colour. A step uses
        two random words, a start uses four.

    Raises
    ------
    TypeError, ValueError
        If an argument is outside its domain.

    Notes
    -----
    Source: Lerer & Peysakhovich (2017), Maintaining cooperation in complex social dilemmas using
    deep reinforcement learning, arXiv:1707.01068; with one coin at a time on a 3 x 3 grid:
    Foerster et al. (2018), Learning with opponent-learning awareness, AAMAS.

    Examples
    --------
    >>> game = coin_game()
    >>> game.num_observations, game.actions[0]
    ((1458, 1458), ('up', 'down', 'left', 'right'))
    """
    size = checks.whole("size", size, _DOMAINS["size"])
    if not isinstance(alternating, bool):
        raise TypeError(f"alternating must be True or False, got {alternating!r}")
    cells = size * size

    # Put the coin into a random cell without an agent.
    def place(state: Any, word: Any) -> None:
        low = min(state[_OWN], state[_OTHER])
        high = max(state[_OWN], state[_OTHER])
        cell = below(word, cells - 1 if low == high else cells - 2)
        if cell >= low:
            cell += 1
        if low != high and cell >= high:
            cell += 1
        state[_COIN] = cell

    def start(state: Any, words: Any) -> None:
        state[_OWN] = below(words[0], cells)
        state[_OTHER] = below(words[1], cells)
        place(state, words[2])
        state[_COLOUR] = coin(words[3])

    def step(state: Any, actions: Any, rewards: Any, words: Any) -> bool:
        rewards[0] = 0.0
        rewards[1] = 0.0
        taken = False
        for i in range(2):
            state[i] = moved(state[i], actions[i], size, size, True)
            if state[i] == state[_COIN]:
                taken = True
                rewards[i] += 1.0
                if state[_COLOUR] != i:
                    rewards[1 - i] -= 2.0
        if taken:
            place(state, words[0])
            state[_COLOUR] = 1 - state[_COLOUR] if alternating else coin(words[1])
        return False

    def observe(state: Any, agent: int) -> int:
        others = 0 if state[_COLOUR] == agent else 1
        cell = (state[agent] * cells + state[1 - agent]) * cells + state[_COIN]
        return 2 * cell + others  # type: ignore[no-any-return]

    return ProceduralGame(
        start,
        step,
        observe,
        num_actions=[len(_MOVES)] * 2,
        num_observations=[2 * cells**3] * 2,
        state_size=4,
        state_bounds=[(0, cells - 1)] * 3 + [(0, 1)],
        words=2,
        start_words=4,
        discount=discount,
        time_limit=time_limit,
        largest_reward=2.0,
        actions=[_MOVES] * 2,
        name="coin game",
        source="Lerer & Peysakhovich (2017), arXiv:1707.01068; Foerster et al. (2018), AAMAS",
    )
