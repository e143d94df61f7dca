"""Conversion of games to and from OpenSpiel, and of its policies."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from fastgames._common import checks
from fastgames.games import MarkovGame, MatrixGame, make
from fastgames.learners import FixedPolicy

with checks.importing("openspiel", "fastgames.envs.openspiel"):
    import pyspiel

    from fastgames.envs._openspiel_search import Search


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
        If the game is of another kind, or OpenSpiel has no game of that name.

    See Also
    --------
    markov_from_openspiel : The conversion of games of several moves, with or without chance.

    Examples
    --------
    >>> from_openspiel("matrix_sh").actions
    (('Stag', 'Hare'), ('Stag', 'Hare'))
    """
    game = _loaded(game)
    if not _is_one_shot(game):
        raise ValueError(
            "game must be one in which all agents move once, simultaneously, got "
            f"{game.get_type().short_name!r}; markov_from_openspiel converts games of several moves"
        )
    kind, start, agents = game.get_type(), game.new_initial_state(), range(game.num_players())
    legal = [start.legal_actions(i) for i in agents]
    payoffs = np.empty((len(agents), *map(len, legal)))
    for cell in np.ndindex(*payoffs.shape[1:]):
        payoffs[(slice(None), *cell)] = _returns(start, [legal[i][a] for i, a in enumerate(cell)])
    names = [[start.action_to_string(i, a) for a in legal[i]] for i in agents]
    return MatrixGame(
        payoffs, name=kind.long_name, actions=names, source=f"OpenSpiel, {kind.short_name}"
    )


def _loaded(game: Any) -> Any:
    """Return the game, or the game of that name."""
    if isinstance(game, str):
        try:
            game = pyspiel.load_game(game)
        except pyspiel.SpielError as error:
            raise ValueError(
                f"game must be the name of an OpenSpiel game, got {game!r}; {error}"
            ) from None
    if not isinstance(game, pyspiel.Game):
        raise TypeError(f"game must be a pyspiel.Game or a str, got {game!r}")
    return game


def _is_one_shot(game: Any) -> bool:
    """Return True if all agents move once, simultaneously."""
    return game.max_game_length() == 1 and bool(game.new_initial_state().is_simultaneous_node())


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


def markov_from_openspiel(
    game: Any, discount: float = 1.0, *, time_limit: int | None = None, most: int = 100_000
) -> MarkovGame:
    """Return a small game of OpenSpiel as a `MarkovGame`, with all states that can be reached.

    States are found by breadth-first search from the start, with all legal actions and all outcomes
    of chance. Agents may move in turn or simultaneously, and observe everything or less.

    Parameters
    ----------
    game : pyspiel.Game or str
        A game, or a string for ``pyspiel.load_game``, such as "kuhn_poker" or
        "pig(winscore=10,diceoutcomes=3)". It has perfect information, or provides information
        states as strings; its outcomes of chance are listed, not sampled.
    discount : float
        Default discount factor of learners, in [0, 1].
    time_limit : int, optional
        Steps after which an episode is truncated, in [1, 2^31). There is no limit unless given.
    most : int
        Largest number of states in which an agent moves, and of outcomes of chance in one step, in
        [1, 2^31). Only states are stored, but the tables also have an entry for every joint action.

    Returns
    -------
    MarkovGame
        A game with the same agents, rewards and chances; `name` is the long name. See Notes for
        states, observations and actions.

    Raises
    ------
    TypeError
        If game is neither a pyspiel.Game nor a str.
    ValueError
        If OpenSpiel has no game of that name, if the game is of another kind, if it has more states
        or outcomes than `most` (the message says how many were found), or if its tables do not fit
        into memory.

    Notes
    -----
    **States** are those in which an agent moves, in the order in which they were found, and one
    terminal state, the last. In a game of perfect information, states with the same ``str(state)``
    are one state, as in OpenSpiel's value iteration; in other games every history is a state.
    Nature's moves are part of the transitions, and of the start, and have no states.

    **Observations** are information states: observation o of agent i stands for the text
    ``information_states(game)[i][o]``. They are numbered for every agent in the order in which
    they were found. An agent observes 0 in states in which it does not move; it neither acts nor
    learns there.

    **Actions** of agent i are all OpenSpiel actions that are legal for it in some state, in
    ascending order. `actions` has their names, or their numbers in OpenSpiel if two names are
    equal. An action that is illegal in a state plays a legal one: action j plays the legal action
    in place j mod L among the L legal actions, in ascending order. Hence an illegal action has the
    value of the legal action that it plays, the best value of a state is that of the original game,
    and no penalty distorts the rewards of learners or their opponents. Only the shares of random
    play change: a legal action that several actions play is explored more often.

    **Rewards** are paid in the step in which they arrive. If a reward depends on a move of chance,
    the table has its mean, because rewards of a `MarkovGame` depend on state and joint action only.

    A bound on the length of an episode that ``str(state)`` does not show, such as the horizon of
    "pig", is not part of the converted game. Pass it as `time_limit`, which truncates episodes.

    Examples
    --------
    >>> kuhn = markov_from_openspiel("kuhn_poker")
    >>> kuhn
    <MarkovGame 'Kuhn Poker': 2 agents, (2, 2) actions, 25 states, discount 1>
    >>> kuhn.num_observations, kuhn.actions[0]
    ((6, 6), ('Pass', 'Bet'))
    """
    return Search(_loaded(game), most).markov_game(discount, time_limit)


def information_states(game: Any, *, most: int = 100_000) -> tuple[tuple[str, ...], ...]:
    """Return the texts of the observations in the game of `markov_from_openspiel`.

    Parameters
    ----------
    game, most
        As for `markov_from_openspiel`.

    Returns
    -------
    tuple of N tuples of O_i str
        ``texts[i][o]`` is the information state that agent i observes as o: OpenSpiel's
        ``information_state_string(i)``, or ``str(state)`` in a game of perfect information. An
        agent that never moves has one text, "".

    Raises
    ------
    TypeError, ValueError
        As for `markov_from_openspiel`.

    Examples
    --------
    Agent 1 of Kuhn poker observes its card, 0, 1 or 2, and the moves, pass or bet:

    >>> information_states("kuhn_poker")[1]
    ('1p', '1b', '2p', '2b', '0p', '0b')
    """
    search = Search(_loaded(game), most)
    return tuple(tuple(texts) or ("",) for texts in search.seen)


def fixed_policy(policy: Any, game: Any, agent: int, *, most: int = 100_000) -> FixedPolicy:
    """Return an agent's OpenSpiel policy as a `FixedPolicy`.

    Parameters
    ----------
    policy : open_spiel.python.policy.Policy, pyspiel.Policy or array
        A policy such as a `TabularPolicy`. For a one-shot game also an array of probabilities,
        (agents, actions) like its `action_probability_array`, or (actions,) for this agent alone.
    game : pyspiel.Game or str
        The game of the policy, as for `from_openspiel` or `markov_from_openspiel`.
    agent : int
        The agent, in [0, N).
    most : int
        As for `markov_from_openspiel`.

    Returns
    -------
    FixedPolicy
        For a one-shot game, probabilities (A_i,), in the order of the actions of
        ``from_openspiel(game)``. For other games (O_i, A_i), in the order of the observations and
        actions of ``markov_from_openspiel(game)``, 0 for illegal actions. If histories of a game of
        perfect information lead to one state, the policy is that after the history found first.

    Raises
    ------
    TypeError, ValueError
        If an argument is outside its domain, or if the probabilities do not sum to 1.

    Examples
    --------
    >>> fixed_policy([0.25, 0.75], "matrix_pd", agent=0).probabilities.tolist()
    [0.25, 0.75]
    >>> from open_spiel.python.policy import UniformRandomPolicy
    >>> uniform = UniformRandomPolicy(pyspiel.load_game("kuhn_poker"))
    >>> fixed_policy(uniform, "kuhn_poker", agent=0).probabilities.shape
    (6, 2)
    """
    game = _loaded(game)
    agent = checks.whole("agent", agent, f"[0, {game.num_players() - 1}]")
    chances = _chances_of(policy, agent)
    if not _is_one_shot(game):
        if chances is None:
            raise TypeError(
                "policy must be a policy of OpenSpiel for a game of several moves, got "
                f"{reprlib.repr(policy)}"
            )
        return FixedPolicy(Search(game, most).policy(agent, chances))
    start = game.new_initial_state()
    legal = start.legal_actions(agent)
    if chances is not None:
        given = chances(start)
        return FixedPolicy([given.get(action, 0.0) for action in legal])
    array = checks.finite_array("policy", policy)
    shape = game.num_players(), game.num_distinct_actions()
    if array.shape == shape:
        return FixedPolicy(array[agent][legal])
    if array.shape != (len(legal),):
        raise ValueError(f"policy must have shape ({len(legal)},) or {shape}, got {array.shape}")
    return FixedPolicy(array)


def _chances_of(policy: Any, agent: int) -> Callable[[Any], Mapping[int, float]] | None:
    """Return a function from states to the agent's probabilities; None if policy is no policy."""
    if isinstance(policy, pyspiel.Policy):  # C++ policies take an information state, not a state
        return lambda state: policy.action_probabilities(state.information_state_string(agent))
    if hasattr(policy, "action_probabilities"):
        return lambda state: policy.action_probabilities(state, agent)
    return None
