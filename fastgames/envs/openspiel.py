"""OpenSpiel: games that are played once, in and out, and what its policies play."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastgames._common import checks
from fastgames.games import MatrixGame, make
from fastgames.learners import FixedPolicy

with checks.importing("openspiel", "fastgames.envs.openspiel"):
    import pyspiel


def to_openspiel(game: MatrixGame | str) -> Any:
    """A matrix game as OpenSpiel has it.

    Parameters
    ----------
    game : MatrixGame or str
        A str names one of the catalogue, with its default parameters.

    Returns
    -------
    pyspiel.MatrixGame of two agents, pyspiel.TensorGame of more
        With the same payoffs, names of actions and order of agents; its long name is `game.name`.

    Raises
    ------
    TypeError
        If it is no matrix game.

    Examples
    --------
    >>> import fastgames as fg
    >>> to_openspiel(fg.games.matching_pennies()).row_utilities().tolist()
    [[1.0, -1.0], [-1.0, 1.0]]
    """
    if isinstance(game, str):
        made = make(game)
        if not isinstance(made, MatrixGame):
            raise TypeError(f"game must be a matrix game, got {game!r}, which is {made!r}")
        game = made
    if not isinstance(game, MatrixGame):
        raise TypeError(f"game must be a MatrixGame or the name of one, got {game!r}")
    short = "fastgames_" + "".join(c if c.isalnum() else "_" for c in game.name.lower())
    names = [list(actions) for actions in game.actions]
    if game.num_agents == 2:
        rows, columns = game.payoffs.tolist()
        return pyspiel.create_matrix_game(short, game.name, *names, rows, columns)
    return pyspiel.create_tensor_game(short, game.name, names, [p.ravel() for p in game.payoffs])


def from_openspiel(game: Any) -> MatrixGame:
    """An OpenSpiel game that is played once, all agents acting at the same moment.

    Parameters
    ----------
    game : pyspiel.Game or str
        A str is what ``pyspiel.load_game`` takes, such as "matrix_rps" or "blotto(players=2)".
        Besides matrix and tensor games any other without chance in which all agents move once,
        together; its payoffs are read off by playing every joint action.

    Returns
    -------
    MatrixGame
        With the same payoffs, names of actions and order of agents; `name` is the long name.

    Raises
    ------
    TypeError
        If it is neither.
    ValueError
        If it is a game of another kind, or OpenSpiel has none of that name. What is played over
        several moves is first to be turned into one by ``pyspiel.extensive_to_tensor_game``.

    Examples
    --------
    >>> from_openspiel("matrix_sh").actions
    (('Stag', 'Hare'), ('Stag', 'Hare'))
    """
    game = _played_once(game)
    kind, start, agents = game.get_type(), game.new_initial_state(), range(game.num_players())
    legal = [start.legal_actions(i) for i in agents]
    payoffs = np.empty((len(agents), *map(len, legal)))
    for cell in np.ndindex(*payoffs.shape[1:]):
        payoffs[(slice(None), *cell)] = _returns(start, [legal[i][a] for i, a in enumerate(cell)])
    names = [[start.action_to_string(i, a) for a in legal[i]] for i in agents]
    return MatrixGame(
        payoffs, name=kind.long_name, actions=names, source=f"OpenSpiel, {kind.short_name}"
    )


def _played_once(game: Any) -> Any:
    """The game, or the one of that name, if all agents move once, together."""
    if isinstance(game, str):
        try:
            game = pyspiel.load_game(game)
        except pyspiel.SpielError as error:
            raise ValueError(
                f"game must be one that OpenSpiel has, got {game!r}; {error}"
            ) from None
    if not isinstance(game, pyspiel.Game):
        raise TypeError(f"game must be a pyspiel.Game or a str, got {game!r}")
    if not game.new_initial_state().is_simultaneous_node() or game.max_game_length() != 1:
        raise ValueError(
            "game must be played once, by all agents at the same moment; "
            f"{game.get_type().short_name!r} is not (pyspiel.extensive_to_tensor_game may make one "
            "of it)"
        )
    return game


def _returns(start: Any, actions: list[int]) -> list[float]:
    state = start.clone()
    state.apply_actions(actions)
    if not state.is_terminal():
        raise ValueError(f"game must be over after one joint action, it is not after {actions}")
    returns: list[float] = state.returns()
    return returns


def fixed_policy(policy: Any, game: Any, agent: int) -> FixedPolicy:
    """What an OpenSpiel policy plays in a game that is played once.

    Parameters
    ----------
    policy : open_spiel.python.policy.Policy or pyspiel.Policy
        Such as a `TabularPolicy`; or an array of probabilities: (agents, actions), as its
        `action_probability_array` is, or (actions,) of this agent alone.
    game : pyspiel.Game or str
        The game it is for, as for `from_openspiel`.
    agent : int
        Whose.

    Returns
    -------
    FixedPolicy
        Probabilities (A_i,), in the order of the actions of ``from_openspiel(game)``.

    Raises
    ------
    TypeError, ValueError
        If an argument is outside its domain, or probabilities do not sum to 1.
    """
    game = _played_once(game)
    agent = checks.whole("agent", agent, 0, game.num_players() - 1)
    start = game.new_initial_state()
    legal = start.legal_actions(agent)
    if isinstance(policy, pyspiel.Policy):  # of C++
        given = policy.action_probabilities(start.information_state_string(agent))
    elif hasattr(policy, "action_probabilities"):
        given = policy.action_probabilities(start, agent)
    else:
        array = checks.finite_array("policy", policy)
        shape = game.num_players(), game.num_distinct_actions()
        if array.shape == shape:
            return FixedPolicy(array[agent][legal])
        if array.shape != (len(legal),):
            raise ValueError(
                f"policy must have shape ({len(legal)},) or {shape}, got {array.shape}"
            )
        return FixedPolicy(array)
    return FixedPolicy([given.get(action, 0.0) for action in legal])
