"""Markov games: in each state agents act simultaneously, get rewards and reach the next state.

A game is a few read-only tables. They are checked and converted to the layout of `compact`, the
only one that the reference and the kernels read. The public tables are views of it, or are computed
from it on access.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from fastgames._common import checks

from ._tables import (
    FloatArray,
    action_names,
    agents_text,
    array_of,
    distribution,
    float64,
    listed,
    numbers,
    pairs_hint,
    read_only,
    real_array,
    refuse_cells,
    refuse_pairs,
    same_shapes,
    string,
)
from .compact import Chances, Compact, Sum, Table
from .matrix import MatrixGame
from .transitions import (
    IntArray,
    Sparse,
    as_sum,
    as_table_or_sparse,
    int32,
    next_states,
    running_sums,
    same_parts,
)

if TYPE_CHECKING:
    import numpy.typing as npt

BoolArray: TypeAlias = "npt.NDArray[np.bool_]"

#: Bound for states, entries of a table and steps of an episode, which are 32-bit integers.
LIMIT = 2**31


class MarkovGame:
    """Game with states: the joint action determines the rewards and the next state.

    A game of one agent is a Markov decision process.

    A MarkovGame is immutable: its attributes cannot be set and its tables are read-only. Games
    compare and hash by content (tables, name, actions and source). N is the number of agents, S the
    number of states and J = A_0 ... A_{N-1} the number of joint actions; the number of a joint
    action has agent 0's action as its slowest digit.

    Parameters
    ----------
    rewards : array_like, (N, S, A_0, ..., A_{N-1}), or N arrays (S, A_0, ..., A_{N-1})
        ``rewards[i, s, a_0, ..., a_{N-1}]`` is the reward of agent i in state s if agent 0 plays
        a_0, agent 1 plays a_1 and so on. N >= 1, S >= 1, every A_i >= 1, all finite; integers or
        floats. Copied to float64. If the array is a view of one state broadcast to all states
        (`numpy.broadcast_to`), only the rewards of that state are stored.
    transitions : one of
        array_like of int, (S, A_0, ..., A_{N-1})
            the next state, in [0, S), without chance;
        array_like, (S, A_0, ..., A_{N-1}, S)
            the probability of every next state, at least 0, with sum 1 up to 1e-6;
        pair of array_like, (S, A_0, ..., A_{N-1}, K) each, as a tuple
            K next states in [0, S) and their probabilities; those of repeated states are added;
        object with a method ``tocsr()``, (S J, S)
            such as a matrix of scipy.sparse: row ``s * J + j`` has the probabilities of the next
            state after joint action number j in state s;
        fastgames.games.compact.Sum
            next states ``from_state[s] + from_joint[j]``, as in games of `remember`.
    discount : float
        Default discount factor of learners: in [0, 1), or 1 if terminal states or a time limit end
        the episodes.
    start : int, or array_like (S,)
        First state of an episode, or the probability of every state, at least 0, with sum 1 up to
        1e-6. Terminal states are not allowed.
    terminal : array_like of bool (S,), optional
        Mask of the terminal states, which end an episode when they are entered; the next episode
        begins at once. Rewards and transitions of terminal states are checked but never used. No
        state is terminal unless given.
    observations : array_like of int (N, S), optional
        Observation of every agent in every state, at least 0; agent i has O_i = 1 + (maximum of its
        row) observations. Every agent observes the state itself unless given.
    num_observations : sequence of N int, optional
        Number of observations O_i of every agent, above all of its observations and below 2^31.
        Only needed if an agent's largest observations occur in no state.
    turns : array_like of int (S,), or of bool (N, S), optional
        The agent that moves in each state, or -1 if all agents move; or the mask of the agents that
        move. Agents that do not move play action 0. In at least one state that is not terminal, an
        agent must move. All agents move in every state unless given.
    time_limit : int, optional
        Steps after which an episode is truncated, in [1, 2^31). Learners still bootstrap from the
        value of the state reached. With `turns`, an agent that does not move in that state does not
        learn from its last move. There is no limit unless given.
    name : str
        Name of the game.
    actions : sequence of N sequences of A_i distinct str, optional
        Names of every agent's actions; "0", "1", ... unless given.
    source : str
        Publication of the game.

    Raises
    ------
    TypeError
        If a table has a wrong dtype (complex, str and objects are refused, and bool in place of
        numbers), or a name is not a str.
    ValueError
        If a table is ragged, has a wrong shape or is outside its domain, or if a table of S J
        rewards or transitions, or of S A_i values, would have 2^31 entries or more.

    Notes
    -----
    Markov games, or stochastic games: Shapley (1953), Stochastic games, PNAS 39, 1095-1100.

    Examples
    --------
    Two agents reach state 1, trust, by both playing action 0; rewards are higher in that state:

    >>> rewards = [[[[2, 0], [3, 1]], [[4, 0], [5, 1]]], [[[2, 3], [0, 1]], [[4, 5], [0, 1]]]]
    >>> game = MarkovGame(rewards, transitions=[[[1, 0], [0, 0]]] * 2, discount=0.9)
    >>> game
    <MarkovGame 'Markov game': 2 agents, (2, 2) actions, 2 states, discount 0.9>
    >>> game.rewards[:, 1, 0, 1]  # in state 1, agent 0 plays 0 and agent 1 plays 1
    array([0., 5.])
    >>> game.transitions[1, 0, 1]
    np.int32(0)
    """

    __slots__ = (
        "_actions",
        "_compact",
        "_dense",
        "_discount",
        "_name",
        "_num_observations",
        "_procedural_reals",
        "_procedural_states",
        "_source",
        "_sparse",
        "_stage",
    )

    def __init__(
        self,
        rewards: npt.ArrayLike | Iterable[npt.ArrayLike],
        transitions: Any,
        discount: float = 0.95,
        start: int | npt.ArrayLike = 0,
        terminal: npt.ArrayLike | None = None,
        observations: npt.ArrayLike | None = None,
        *,
        num_observations: Sequence[int] | None = None,
        turns: npt.ArrayLike | None = None,
        time_limit: int | None = None,
        name: str = "Markov game",
        actions: Sequence[Sequence[str]] | None = None,
        source: str = "",
    ) -> None:
        self._name: str = string("name", name)
        self._source: str = string("source", source)
        tables, (states, *counts) = _reward_tables(rewards)
        shape = (states, *counts)
        self._actions: tuple[tuple[str, ...], ...] = action_names(actions, tuple(counts))
        ends = _terminal(terminal, states)
        start_state, start_weights = _start(start, states, ends)
        seen, self._num_observations = _observations(
            observations, num_observations, len(counts), states
        )
        for agent, count in enumerate(counts):
            check_size(f"values of agent {agent}", self._num_observations[agent], count)
        moves = _turns(turns, len(counts), states, ends)
        limit = 0 if time_limit is None else checks.whole("time_limit", time_limit, f"[1, {LIMIT})")
        self._discount: float = _discount(discount, ends is not None or limit > 0)
        self._stage: MatrixGame | None = None
        self._procedural_states: npt.NDArray[np.int64] | None = None
        self._procedural_reals: npt.NDArray[np.float64] | None = None
        self._dense: bool = False
        self._sparse: Sparse | None = None
        where: Sum | Table | Chances
        if isinstance(transitions, Sum):
            where = as_sum(transitions, shape)
        else:
            check_size("transitions", states, math.prod(counts))
            given, self._dense = as_table_or_sparse(transitions, shape)
            if isinstance(given, Sparse):
                self._sparse = given
                where = Chances(given.indptr, given.indices, running_sums(given))
            else:
                where = Table(given)
        self._compact: Compact = Compact(
            _stacked(tables), where, start_state, start_weights, ends, seen, moves, limit
        )

    @property
    def rewards(self) -> FloatArray:
        """Rewards, (N, S, A_0, ..., A_{N-1}) float64, read-only.

        The array is a view with stride 0 along the states if it was given as such a view.
        """
        table = self._compact.rewards
        each = table.reshape(self.num_agents, table.shape[2], *self.num_actions)
        return np.broadcast_to(each, (self.num_agents, self.num_states, *self.num_actions))

    @property
    def transitions(self) -> IntArray | FloatArray | Sparse:
        """Transitions, read-only, in a form that the constructor accepts.

        Next states as (S, A_0, ..., A_{N-1}) int32; probabilities as (S, A_0, ..., A_{N-1}, S)
        float64 if they were given in this form, else as `Sparse`, which has the layout of scipy's
        csr_array. The dense arrays are computed from `compact` on every access.
        """
        shape = (self.num_states, *self.num_actions)
        if self._sparse is None:
            return read_only(next_states(self._compact.moves).reshape(shape))
        if not self._dense:
            return self._sparse
        return read_only(self._sparse.toarray().reshape(*shape, self.num_states))

    @property
    def discount(self) -> float:
        """Default discount factor of learners."""
        return self._discount

    @property
    def start(self) -> int | FloatArray:
        """First state of an episode, or the probability of every state, (S,) float64."""
        weights = self._compact.start_weights
        return self._compact.start_state if weights is None else weights

    @property
    def terminal(self) -> BoolArray:
        """Mask of the states that end an episode, (S,) bool, read-only."""
        ends = self._compact.terminal
        return np.broadcast_to(np.False_, (self.num_states,)) if ends is None else ends

    @property
    def observations(self) -> IntArray:
        """Observation of every agent in every state, (N, S) int32, read-only."""
        if self._compact.observations is not None:
            return self._compact.observations
        itself = np.arange(self.num_states, dtype=np.int32)
        return np.broadcast_to(itself, (self.num_agents, self.num_states))

    @property
    def turns(self) -> BoolArray:
        """Mask of the agents that move in every state, (N, S) bool, read-only."""
        if self._compact.turns is not None:
            return self._compact.turns
        return np.broadcast_to(np.True_, (self.num_agents, self.num_states))

    @property
    def time_limit(self) -> int | None:
        """Steps after which an episode is truncated, or None."""
        return self._compact.time_limit or None

    @property
    def name(self) -> str:
        """Name of the game."""
        return self._name

    @property
    def actions(self) -> tuple[tuple[str, ...], ...]:
        """Names of the actions, one tuple for each agent."""
        return self._actions

    @property
    def source(self) -> str:
        """Publication of the game."""
        return self._source

    @property
    def stage(self) -> MatrixGame | None:
        """Stage game of a repeated game made by `remember`; None for other games.

        Comparisons ignore it, and files do not store it.
        """
        return self._stage

    @property
    def procedural_states(self) -> npt.NDArray[np.int64] | None:
        """States of the procedural game of which `tabulate` made this game, by their numbers.

        (S, state_size) int64, read-only; None for other games. Comparisons ignore it, and files do
        not store it.
        """
        return self._procedural_states

    @property
    def procedural_reals(self) -> npt.NDArray[np.float64] | None:
        """Reals of the procedural game of which `tabulate` made this game, by numbers of states.

        (S, num_reals) float64, read-only; None for other games and if there are no reals.
        """
        return self._procedural_reals

    @property
    def num_agents(self) -> int:
        """Number of agents N."""
        return len(self._actions)

    @property
    def num_actions(self) -> tuple[int, ...]:
        """Number of actions of every agent, (A_0, ..., A_{N-1})."""
        return tuple(len(names) for names in self._actions)

    @property
    def num_states(self) -> int:
        """Number of states S."""
        return self._compact.num_states

    @property
    def num_observations(self) -> tuple[int, ...]:
        """Number of observations of every agent, (O_0, ..., O_{N-1})."""
        return self._num_observations

    @property
    def compact(self) -> Compact:
        """Internal layout of the game, read by the kernels."""
        return self._compact

    def __repr__(self) -> str:
        return (
            f"<MarkovGame {self._name!r}: {agents_text(self.num_agents)}, "
            f"{self.num_actions} actions, {self.num_states} states, discount {self._discount:g}>"
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, MarkovGame):
            return NotImplemented
        return (
            (self._name, self._source) == (other._name, other._source)
            and self.differs_only_in_rewards(other)
            and bool(np.all(self._compact.rewards == other._compact.rewards))
        )

    def __hash__(self) -> int:
        # Use only values available for every form of the tables. Adding 0 turns -0.0 into 0.0.
        first = self._compact.rewards[:, 0, 0] + 0.0
        labels = (self._name, self._actions, self._source)
        return hash((labels, self.num_states, self._discount, first.tobytes()))

    def differs_only_in_rewards(self, other: MarkovGame) -> bool:
        """Return True if the games are equal except for rewards, name and source.

        Parameters
        ----------
        other : MarkovGame
            The game to compare with.

        Returns
        -------
        bool

        Examples
        --------
        >>> from fastgames.games import prisoners_dilemma, remember
        >>> one, two = (remember(prisoners_dilemma(temptation=t)) for t in (4, 5))
        >>> one == two, one.differs_only_in_rewards(two)
        (False, True)
        """
        one, two = self._compact, other._compact
        return (
            (self._actions, self._discount) == (other._actions, other._discount)
            and (one.start_state, one.time_limit) == (two.start_state, two.time_limit)
            and self._moves_as(other)
            and _same(one.start_weights, two.start_weights)
            and _same(one.terminal, two.terminal)
            and self._num_observations == other._num_observations
            and _same(one.observations, two.observations)
            and _same(one.turns, two.turns)
        )

    def _moves_as(self, other: MarkovGame) -> bool:
        """Return True if the transitions of both games are equal, in any form they were given."""
        if self._sparse is not None and other._sparse is not None:
            return same_parts(self._sparse, other._sparse)
        if self._sparse is not None or other._sparse is not None:
            return False
        one, two = self._compact.moves, other._compact.moves
        if isinstance(one, Sum) and isinstance(two, Sum):
            return same_parts(one, two)
        return one is two or _same(next_states(one), next_states(two))

    def __reduce__(self) -> tuple[Callable[..., MarkovGame], tuple[Any, ...]]:
        return _again, (type(self), {name: getattr(self, name) for name in MarkovGame.__slots__})


def _again(kind: type[MarkovGame], slots: dict[str, Any]) -> MarkovGame:
    """Return a game from pickled slots and make its arrays read-only; unpickling loses the flag."""
    game = object.__new__(kind)
    for name, value in slots.items():
        setattr(game, name, value)
    if game._procedural_states is not None:
        read_only(game._procedural_states)
    for holder in (game._compact, game._compact.moves, game._sparse):
        for value in vars(holder).values() if holder is not None else ():
            if isinstance(value, np.ndarray):
                read_only(value)
    return game


def check_size(what: str, states: int, count: int) -> None:
    """Raise ValueError for a table that a 32-bit integer cannot index."""
    if states * count >= LIMIT:
        raise ValueError(
            f"{what} must have fewer than 2^31 entries, got {states} x {count} = {states * count}"
        )


def _reward_tables(rewards: object) -> tuple[list[npt.NDArray[Any]], tuple[int, ...]]:
    """Return N arrays (K, A_0, ..., A_{N-1}) and the shape (S, A_0, ..., A_{N-1}).

    K is 1 if the rewards of one state were broadcast to all states, else S.
    """
    given = listed(
        "rewards", rewards, "an array (N, S, A_0, ..., A_{N-1}) or N arrays of one shape"
    )
    refuse_pairs("rewards", rewards, 1)
    tables = [numbers(f"rewards[{agent}]", table) for agent, table in enumerate(given)]
    shape = same_shapes("rewards", tables, "(S, A_0, ..., A_{N-1})")
    if len(shape) != len(tables) + 1:
        raise ValueError(
            "rewards must have the shape (N, S, A_0, ..., A_{N-1}), one axis of states and one of "
            f"actions for each of the {len(tables)} agents, got shape {(len(tables), *shape)}"
            f"{pairs_hint('rewards', (len(tables), *shape), 1)}"
        )
    if 0 in shape:
        raise ValueError(
            "rewards must have at least 1 state, and 1 action for every agent, "
            f"got shape {(len(tables), *shape)}"
        )
    if all(table.strides[0] == 0 for table in tables):
        tables = [table[:1] for table in tables]
    check_size("rewards of an agent", len(tables[0]), math.prod(shape[1:]))
    return tables, shape


def _stacked(tables: list[npt.NDArray[Any]]) -> FloatArray:
    """Return the checked rewards in the layout of `Compact`, (N, 1, K, J) float64."""
    stacked = np.array([float64(table) for table in tables], order="C")
    refuse_cells("rewards", stacked, ~np.isfinite(stacked), "finite")
    return read_only(stacked.reshape(len(tables), 1, len(tables[0]), -1))


def _terminal(terminal: object, states: int) -> BoolArray | None:
    """Return the checked mask of terminal states, (S,) bool; None if no state is terminal."""
    if terminal is None:
        return None
    ends = array_of("terminal", terminal, "b", "bool")
    if ends.shape != (states,):
        raise ValueError(f"terminal must have shape ({states},), got shape {ends.shape}")
    return read_only(ends.copy()) if ends.any() else None


def _start(start: Any, states: int, ends: BoolArray | None) -> tuple[int, FloatArray | None]:
    """Return the start state and None, or 0 and the start weights, (S,) float64."""
    if not isinstance(start, list | tuple) and np.ndim(start) == 0:
        state = checks.whole("start", start, f"[0, {states})")
        if ends is not None and ends[state]:
            raise ValueError(f"start must not be a terminal state, got {state}")
        return state, None
    weights = distribution("start", start, states)
    if ends is not None:
        refuse_cells("start", weights, ends & (weights > 0.0), "0 in terminal states")
    return 0, read_only(weights.copy())


def _observations(
    observations: object, given: object, agents: int, states: int
) -> tuple[IntArray | None, tuple[int, ...]]:
    """Return the table, (N, S) int32, and every agent's number of observations.

    The table is None if every agent observes the state itself and has S observations.
    given: the argument `num_observations`
    """
    seen = _seen(observations, agents, states)
    fewest = (states,) * agents if seen is None else tuple(1 + int(x) for x in seen.max(axis=1))
    if given is None:
        return seen, fewest
    counts = listed("num_observations", given, "a sequence of one whole number for each agent")
    if len(counts) != agents:
        raise ValueError(
            f"num_observations must be one for each of the {agents} agents, got {len(counts)}"
        )
    checked = tuple(
        checks.whole(f"num_observations[{i}]", count, f"[{least}, {LIMIT})")
        for i, (count, least) in enumerate(zip(counts, fewest, strict=True))
    )
    if seen is None and checked != fewest:
        seen = int32(np.tile(np.arange(states), (agents, 1)))
    return seen, checked


def _seen(observations: object, agents: int, states: int) -> IntArray | None:
    """Return the checked observations, (N, S) int32; None if every agent observes the state."""
    if observations is None:
        return None
    seen = array_of("observations", observations, "iu", "integers")
    if seen.shape != (agents, states):
        raise ValueError(
            f"observations must have shape ({agents}, {states}), one for each agent and state, "
            f"got shape {seen.shape}"
        )
    refuse_cells("observations", seen, (seen < 0) | (seen >= LIMIT), "in [0, 2^31)")
    if (seen == np.arange(states)).all():
        return None
    return int32(seen)


def _turns(turns: object, agents: int, states: int, ends: BoolArray | None) -> BoolArray | None:
    """Return the mask of agents that move, (N, S) bool.

    It is None if all agents move in every state that is not terminal.
    """
    if turns is None:
        return None
    given = array_of("turns", turns, "iub", "int (S,) or bool (N, S)")
    if given.shape != ((agents, states) if given.dtype.kind == "b" else (states,)):
        raise ValueError(
            f"turns must have shape ({states},) of int, or ({agents}, {states}) of bool, got "
            f"shape {given.shape} of {given.dtype}"
        )
    moves: BoolArray = given.copy()
    if given.dtype.kind != "b":
        refuse_cells("turns", given, (given < -1) | (given >= agents), f"-1 or in [0, {agents})")
        moves = (given == np.arange(agents)[:, None]) | (given == -1)
    acted_in = ~ends if ends is not None else np.ones(states, np.bool_)
    if not (moves & acted_in).any():
        raise ValueError("turns must let an agent move in at least one state that is not terminal")
    return None if (moves | ~acted_in).all() else read_only(moves)


def _discount(discount: object, ends: bool) -> float:
    """Return the checked discount; ends: True if episodes end."""
    value = real_array("discount", discount)
    if value.shape != ():
        raise TypeError(f"discount must be a number, got shape {value.shape}")
    if not (0.0 <= value < 1.0 or (value == 1.0 and ends)):
        raise ValueError(
            "discount must be in [0, 1), or 1 in a game with an end (terminal states or a time "
            f"limit), got {discount}"
        )
    return float(value)


def _same(one: npt.NDArray[Any] | None, two: npt.NDArray[Any] | None) -> bool:
    """Return True if both arrays are equal, or both are None."""
    if one is None or two is None:
        return one is two
    return one is two or np.array_equal(one, two)
