"""Conversion of one-shot games to and from OpenSpiel, and of its policies."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastgames._common import checks
from fastgames.games import MatrixGame, make
from fastgames.learners import FixedPolicy

with checks.importing("openspiel", "fastgames.envs.openspiel"):
    import pyspiel


def to_openspiel(game: MatrixGame | str) -> Any:
    """Return a matrix game as an OpenSpiel game.

    Parameters
    ----------
    game : MatrixGame or str
        A game, or the name of a game of the catalogue, which gets its default parameters.

    Returns
    -------
    pyspiel.MatrixGame for two agents, pyspiel.TensorGame for more
        A game with the same payoffs, action names and order of agents; its long name is
        `game.name`.

    Raises
    ------
    TypeError
        If game is not a matrix game or the name of one.
    ValueError
        If the catalogue has no game of that name.

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
    """Return a one-shot simultaneous game of OpenSpiel as a `MatrixGame`.

    Parameters
    ----------
    game : pyspiel.Game or str
        A game, or a string for ``pyspiel.load_game``, such as "matrix_rps" or "blotto(players=2)".
        It may be a matrix game, a tensor game, or any other game without chance in which all
        agents move once, simultaneously. The payoffs are computed by playing every joint action.

    Returns
    -------
    MatrixGame
        A game with the same payoffs, action names and order of agents; `name` is the long name.

    Raises
    ------
    TypeError
        If game is neither a pyspiel.Game nor a str.
    ValueError
        If the game is of another kind, or OpenSpiel has no game of that name. Convert a game of
        several moves by ``pyspiel.extensive_to_tensor_game`` first.

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
    """Return the game, or the game of that name, if all agents move once, simultaneously."""
    if isinstance(game, str):
        try:
            game = pyspiel.load_game(game)
        except pyspiel.SpielError as error:
            raise ValueError(
                f"game must be the name of an OpenSpiel game, got {game!r}; {error}"
            ) from None
    if not isinstance(game, pyspiel.Game):
        raise TypeError(f"game must be a pyspiel.Game or a str, got {game!r}")
    if not game.new_initial_state().is_simultaneous_node() or game.max_game_length() != 1:
        raise ValueError(
            "game must be one in which all agents move once, simultaneously, got "
            f"{game.get_type().short_name!r}; pyspiel.extensive_to_tensor_game may convert it"
        )
    return game


def _returns(start: Any, actions: list[int]) -> list[float]:
    """Return the payoffs of a joint action; raise ValueError if the game continues after it."""
    state = start.clone()
    state.apply_actions(actions)
    if not state.is_terminal():
        raise ValueError(
            f"game must end after one joint action, got a game that continues after {actions}"
        )
    returns: list[float] = state.returns()
    return returns


def fixed_policy(policy: Any, game: Any, agent: int) -> FixedPolicy:
    """Return an agent's OpenSpiel policy in a one-shot game as a `FixedPolicy`.

    Parameters
    ----------
    policy : open_spiel.python.policy.Policy, pyspiel.Policy or array
        A policy such as a `TabularPolicy`; or an array of probabilities, (agents, actions) like
        its `action_probability_array`, or (actions,) for this agent alone.
    game : pyspiel.Game or str
        The game of the policy, as for `from_openspiel`.
    agent : int
        The agent, in [0, N).

    Returns
    -------
    FixedPolicy
        Probabilities (A_i,), in the order of the actions of ``from_openspiel(game)``.

    Raises
    ------
    TypeError, ValueError
        If an argument is outside its domain, or if the probabilities do not sum to 1.

    Examples
    --------
    >>> fixed_policy([0.25, 0.75], "matrix_pd", agent=0).probabilities.tolist()
    [0.25, 0.75]
    """
    game = _played_once(game)
    agent = checks.whole("agent", agent, f"[0, {game.num_players() - 1}]")
    start = game.new_initial_state()
    legal = start.legal_actions(agent)
    if isinstance(policy, pyspiel.Policy):  # C++ policies take an information state, not a state
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
