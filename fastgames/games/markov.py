"""Markov games: agents act at once in a state, are paid, and the game moves on to the next state.

A game is a few read-only tables. They are checked and brought into the form of `compact`, which is
all that the reference and the kernels read; the tables that users see are views of it or made from
it when asked for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ._tables import (
    SUM,
    FloatArray,
    action_names,
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
    whole,
)
from .compact import Chances, Compact, Functions, Sum, Table
from .matrix import MatrixGame

IntArray = npt.NDArray[np.int32]
BoolArray = npt.NDArray[np.bool_]

#: States, entries of a table and steps of an episode are counted in 32 bits.
LIMIT = 2**31


@dataclass(frozen=True, eq=False)
class Sparse:
    """Probabilities of next states as compressed rows, one for each state and joint action.

    ``scipy.sparse.csr_array((p.data, p.indices, p.indptr), shape=p.shape)`` is the same matrix.

    indptr: (S J + 1,) int64, where each row begins
    indices: (entries,) int32, next states, ascending in every row
    data: (entries,) float64, their probabilities, all above 0
    shape: (S J, S)
    """

    indptr: npt.NDArray[np.int64]
    indices: IntArray
    data: FloatArray
    shape: tuple[int, int]

    def tocsr(self) -> Sparse:
        """Itself: `MarkovGame` takes anything that has this method."""
        return self

    def toarray(self) -> FloatArray:
        """The matrix with its zeros."""
        dense = np.zeros(self.shape)
        dense[np.repeat(np.arange(self.shape[0]), np.diff(self.indptr)), self.indices] = self.data
        return dense


class MarkovGame:
    """A game of states: what all agents do at once pays each of them and moves the game.

    Immutable: the attributes cannot be set, the tables are read-only. Games compare and hash by
    content (tables, name, actions and source). N agents, S states, J = A_0 ... A_{N-1} joint
    actions, whose numbers have agent 0's action as the slowest digit.

    Parameters
    ----------
    rewards : array_like, (N, S, A_0, ..., A_{N-1}), or N arrays (S, A_0, ..., A_{N-1})
        ``rewards[i, s, a_0, ..., a_{N-1}]`` is what agent i gets in state s when agent 0 plays
        a_0, agent 1 plays a_1 and so on. N >= 2, S >= 1, every A_i >= 1, all finite; integers or
        floats. Copied to float64; if it is the same in all states and a view of one of them
        (`numpy.broadcast_to`), only that one is kept.
    transitions : one of
        array_like of int, (S, A_0, ..., A_{N-1})
            the next state, in [0, S): nothing is left to chance;
        array_like, (S, A_0, ..., A_{N-1}, S)
            the probability of every next state, at least 0, with sum 1 up to 1e-6;
        pair of array_like, (S, A_0, ..., A_{N-1}, K) each, as a tuple
            K next states in [0, S) and their probabilities; a state named twice has the sum;
        anything with ``.tocsr()``, (S J, S)
            such as a matrix of scipy.sparse: row ``s * J + j`` has the probabilities of the next
            state after joint action number j in state s;
        fastgames.games.compact.Sum
            next states ``from_state[s] + from_joint[j]``, as `remember` has them.
    discount : float
        What a learner multiplies future rewards by unless told otherwise: in [0, 1), or 1 where
        episodes end, by terminal states or a time limit.
    start : int, or array_like (S,)
        The state in which an episode begins, or the probability of every state, at least 0, with
        sum 1 up to 1e-6. No terminal state.
    terminal : array_like of bool (S,), optional
        States that end an episode when they are entered; the next one begins at once. Their own
        rewards and transitions are checked, and never used. None unless given.
    observations : array_like of int (N, S), optional
        What every agent sees of a state, at least 0; agent i has O_i = 1 + the largest of its row
        observations. Every agent sees the state itself unless given.
    turns : array_like of int (S,), or of bool (N, S), optional
        The one agent that moves in a state, -1 where all do; or who moves. The others do nothing
        there: they play action 0. Somebody must move in some state that is not terminal.
    time_limit : int, optional
        Steps after which an episode is cut, in [1, 2^31). That is no end to a learner: it still
        expects the value of the state reached. With `turns`, an agent that is not to move in that
        state does not learn from its last move.
    name : str
    actions : sequence of N sequences of A_i distinct str, optional
        Names of every agent's actions; "0", "1", ... unless given.
    source : str
        Where the game was published.

    Raises
    ------
    TypeError
        If a table is not of such numbers (complex, str and objects are refused, bool where numbers
        are meant), or a name is not a str.
    ValueError
        If a table is ragged, of a wrong shape or outside its domain, or a table of S J rewards or
        transitions, or of S A_i values, would have 2^31 entries or more.

    Notes
    -----
    Markov games, or stochastic games: Shapley (1953), Stochastic games, PNAS 39, 1095-1100.

    Examples
    --------
    Two agents build trust by cooperating, at once or never; in state 1, trust, it pays more:

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
        seen, self._num_observations = _observations(observations, len(counts), states)
        for agent, count in enumerate(counts):
            check_size(f"values of agent {agent}", self._num_observations[agent], count)
        moves = _turns(turns, len(counts), states, ends)
        limit = 0 if time_limit is None else whole("time_limit", time_limit, 1, LIMIT)
        self._discount: float = _discount(discount, ends is not None or limit > 0)
        self._stage: MatrixGame | None = None
        self._dense: bool = False
        self._sparse: Sparse | None = None
        where: Sum | Table | Chances
        if isinstance(transitions, Sum):
            where = _sum(transitions, shape)
        else:
            check_size("transitions", states, math.prod(counts))
            given, self._dense = _transitions(transitions, shape)
            if isinstance(given, Sparse):
                self._sparse = given
                where = Chances(given.indptr, given.indices, _running_sums(given))
            else:
                where = Table(given)
        self._compact: Compact = Compact(
            _stacked(tables), where, start_state, start_weights, ends, seen, moves, limit
        )

    @property
    def rewards(self) -> FloatArray:
        """The rewards, (N, S, A_0, ..., A_{N-1}) float64, read-only.

        A view with stride 0 along the states where no reward depends on them.
        """
        table = self._compact.rewards
        each = table.reshape(self.num_agents, table.shape[2], *self.num_actions)
        return np.broadcast_to(each, (self.num_agents, self.num_states, *self.num_actions))

    @property
    def transitions(self) -> IntArray | FloatArray | Sparse:
        """Where the game goes, read-only, in a form that the constructor takes.

        (S, A_0, ..., A_{N-1}) int32, the next states; or, of probabilities, (S, A_0, ..., A_{N-1},
        S) float64 if they were given so, else `Sparse`, which has the form of scipy's csr_array.
        Except for Sparse, made from `compact` when asked for.
        """
        shape = (self.num_states, *self.num_actions)
        if self._sparse is None:
            return read_only(_next_states(self._compact.moves).reshape(shape))
        if not self._dense:
            return self._sparse
        return read_only(self._sparse.toarray().reshape(*shape, self.num_states))

    @property
    def discount(self) -> float:
        """The discount a learner uses unless told otherwise."""
        return self._discount

    @property
    def start(self) -> int | FloatArray:
        """The state in which an episode begins, or the probability of every state, (S,) float64."""
        weights = self._compact.start_weights
        return self._compact.start_state if weights is None else weights

    @property
    def terminal(self) -> BoolArray:
        """Which states end an episode, (S,) bool, read-only."""
        ends = self._compact.terminal
        return np.broadcast_to(np.False_, (self.num_states,)) if ends is None else ends

    @property
    def observations(self) -> IntArray:
        """What every agent sees of every state, (N, S) int32, read-only."""
        if self._compact.observations is not None:
            return self._compact.observations
        itself = np.arange(self.num_states, dtype=np.int32)
        return np.broadcast_to(itself, (self.num_agents, self.num_states))

    @property
    def turns(self) -> BoolArray:
        """Who moves in every state, (N, S) bool, read-only."""
        if self._compact.turns is not None:
            return self._compact.turns
        return np.broadcast_to(np.True_, (self.num_agents, self.num_states))

    @property
    def time_limit(self) -> int | None:
        """Steps after which an episode is cut, None if it is not."""
        return self._compact.time_limit or None

    @property
    def name(self) -> str:
        """What the game is called."""
        return self._name

    @property
    def actions(self) -> tuple[tuple[str, ...], ...]:
        """Names of the actions, one tuple for each agent."""
        return self._actions

    @property
    def source(self) -> str:
        """Where the game was published."""
        return self._source

    @property
    def stage(self) -> MatrixGame | None:
        """The game that is repeated, of a game that `remember` made; None of any other.

        It is no part of what games compare by, and files do not hold it.
        """
        return self._stage

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
        """The game as the kernels read it."""
        return self._compact

    def __repr__(self) -> str:
        return (
            f"<MarkovGame {self._name!r}: {self.num_agents} agents, {self.num_actions} actions, "
            f"{self.num_states} states, discount {self._discount:g}>"
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
        # Of what is at hand in every form of the tables. Adding 0 turns -0.0 into 0.0.
        first = self._compact.rewards[:, 0, 0] + 0.0
        labels = (self._name, self._actions, self._source)
        return hash((labels, self.num_states, self._discount, first.tobytes()))

    def differs_only_in_rewards(self, other: MarkovGame) -> bool:
        """Whether the games are equal in everything but rewards, name and source."""
        one, two = self._compact, other._compact
        return (
            (self._actions, self._discount) == (other._actions, other._discount)
            and (one.start_state, one.time_limit) == (two.start_state, two.time_limit)
            and self._moves_as(other)
            and _same(one.start_weights, two.start_weights)
            and _same(one.terminal, two.terminal)
            and _same(one.observations, two.observations)
            and _same(one.turns, two.turns)
        )

    def _moves_as(self, other: MarkovGame) -> bool:
        """Whether the transitions are the same, in whatever form they were given."""
        if self._sparse is not None and other._sparse is not None:
            return _same_parts(self._sparse, other._sparse)
        if self._sparse is not None or other._sparse is not None:
            return False
        one, two = self._compact.moves, other._compact.moves
        if isinstance(one, Sum) and isinstance(two, Sum):
            return _same_parts(one, two)
        return one is two or _same(_next_states(one), _next_states(two))

    def __reduce__(self) -> tuple[Callable[..., MarkovGame], tuple[Any, ...]]:
        return _again, (type(self), {name: getattr(self, name) for name in MarkovGame.__slots__})


def _again(kind: type[MarkovGame], slots: dict[str, Any]) -> MarkovGame:
    """A game out of a pickle, from which arrays come writable."""
    game = object.__new__(kind)
    for name, value in slots.items():
        setattr(game, name, value)
    for holder in (game._compact, game._compact.moves, game._sparse):
        for value in vars(holder).values() if holder is not None else ():
            if isinstance(value, np.ndarray):
                read_only(value)
    return game


def check_size(what: str, states: int, count: int) -> None:
    """Refuse a table that 32 bits cannot index."""
    if states * count >= LIMIT:
        raise ValueError(
            f"{what} must have fewer than 2^31 entries; {states} x {count} = {states * count}"
        )


def _reward_tables(rewards: object) -> tuple[list[npt.NDArray[Any]], tuple[int, ...]]:
    """One array (K, A_0, ..., A_{N-1}) for each agent, and the shape (S, A_0, ..., A_{N-1})."""
    given = listed(
        "rewards", rewards, "an array (N, S, A_0, ..., A_{N-1}) or N arrays of one shape"
    )
    refuse_pairs("rewards", rewards, 1)
    tables = [numbers(f"rewards[{agent}]", table) for agent, table in enumerate(given)]
    shape = same_shapes("rewards", tables, "(S, A_0, ..., A_{N-1})")
    if len(shape) != len(tables) + 1:
        raise ValueError(
            "rewards must have the shape (N, S, A_0, ..., A_{N-1}), one axis of states and one of "
            f"actions for each of the {len(tables)} agents; the shape is {(len(tables), *shape)}"
            f"{pairs_hint('rewards', (len(tables), *shape), 1)}"
        )
    if 0 in shape:
        raise ValueError(
            "rewards must have at least 1 state, and 1 action for every agent; "
            f"the shape is {(len(tables), *shape)}"
        )
    if all(table.strides[0] == 0 for table in tables):
        tables = [table[:1] for table in tables]
    check_size("rewards of an agent", len(tables[0]), math.prod(shape[1:]))
    return tables, shape


def _stacked(tables: list[npt.NDArray[Any]]) -> FloatArray:
    """The rewards as they are in `Compact`."""
    stacked = np.array([float64(table) for table in tables], order="C")
    refuse_cells("rewards", stacked, ~np.isfinite(stacked), "finite")
    return read_only(stacked.reshape(len(tables), 1, len(tables[0]), -1))


def _terminal(terminal: object, states: int) -> BoolArray | None:
    if terminal is None:
        return None
    ends = array_of("terminal", terminal, "b", "bool")
    if ends.shape != (states,):
        raise ValueError(f"terminal must have shape ({states},); its shape is {ends.shape}")
    return read_only(ends.copy()) if ends.any() else None


def _start(start: Any, states: int, ends: BoolArray | None) -> tuple[int, FloatArray | None]:
    """Start state and start weights."""
    if not isinstance(start, list | tuple) and np.ndim(start) == 0:
        state = whole("start", start, 0, states)
        if ends is not None and ends[state]:
            raise ValueError(f"start must not be a terminal state; it is {state}")
        return state, None
    weights = distribution("start", start, states)
    if ends is not None:
        refuse_cells("start", weights, ends & (weights > 0.0), "0 in terminal states")
    return 0, read_only(weights.copy())


def _observations(
    observations: object, agents: int, states: int
) -> tuple[IntArray | None, tuple[int, ...]]:
    """The table and how many observations every agent has; None if all see the state itself."""
    itself = None, (states,) * agents
    if observations is None:
        return itself
    seen = array_of("observations", observations, "iu", "integers")
    if seen.shape != (agents, states):
        raise ValueError(
            f"observations must have shape ({agents}, {states}), one for each agent and state; "
            f"the shape is {seen.shape}"
        )
    refuse_cells("observations", seen, (seen < 0) | (seen >= LIMIT), "in [0, 2^31)")
    if (seen == np.arange(states)).all():
        return itself
    return _int32(seen), tuple(1 + int(most) for most in seen.max(axis=1))


def _turns(turns: object, agents: int, states: int, ends: BoolArray | None) -> BoolArray | None:
    """Who moves, (N, S) bool; None if everyone does in every state that is not terminal."""
    if turns is None:
        return None
    given = array_of("turns", turns, "iub", "int (S,) or bool (N, S)")
    if given.shape != ((agents, states) if given.dtype.kind == "b" else (states,)):
        raise ValueError(
            f"turns must have shape ({states},) of int, or ({agents}, {states}) of bool; it has "
            f"shape {given.shape} of {given.dtype}"
        )
    moves: BoolArray = given.copy()
    if given.dtype.kind != "b":
        refuse_cells("turns", given, (given < -1) | (given >= agents), f"-1 or in [0, {agents})")
        moves = (given == np.arange(agents)[:, None]) | (given == -1)
    acted_in = ~ends if ends is not None else np.ones(states, np.bool_)
    if not (moves & acted_in).any():
        raise ValueError("turns must let some agent move in some state that is not terminal")
    return None if (moves | ~acted_in).all() else read_only(moves)


def _discount(discount: object, ends: bool) -> float:
    value = real_array("discount", discount)
    if value.shape != ():
        raise TypeError(f"discount must be a number; its shape is {value.shape}")
    if not (0.0 <= value < 1.0 or (value == 1.0 and ends)):
        raise ValueError(
            "discount must be in [0, 1), or 1 in a game with an end (terminal states or a time "
            f"limit); it is {discount}"
        )
    return float(value)


def _sum(moves: Sum, shape: tuple[int, ...]) -> Sum:
    states, joints = shape[0], math.prod(shape[1:])
    parts = []
    for name, count in (("from_state", states), ("from_joint", joints)):
        part = array_of(f"transitions.{name}", getattr(moves, name), "iu", "integers")
        if part.shape != (count,):
            raise ValueError(
                f"transitions.{name} must have shape ({count},); its shape is {part.shape}"
            )
        parts.append(part)
    for extreme in (np.argmin, np.argmax):
        state, joint = (int(extreme(part)) for part in parts)
        reached = int(parts[0][state]) + int(parts[1][joint])
        if not 0 <= reached < states:
            cell = tuple(int(digit) for digit in np.unravel_index(joint, shape[1:]))
            raise ValueError(
                f"transitions must be states in [0, {states}); from state {state}, joint action "
                f"{cell}, the next state is {reached}"
            )
    return Sum(_int32(parts[0]), _int32(parts[1]))


def _transitions(transitions: Any, shape: tuple[int, ...]) -> tuple[IntArray | Sparse, bool]:
    """Next states (S J,) int32, or probabilities; and whether these came with their zeros."""
    states, rows = shape[0], math.prod(shape)
    if hasattr(transitions, "tocsr"):
        return _from_csr(transitions.tocsr(), shape), False
    if isinstance(transitions, tuple) and len(transitions) == 2:
        pair = numbers("transitions[0]", transitions[0]), numbers("transitions[1]", transitions[1])
        if pair[0].ndim == len(shape) + 1:
            return _from_pair(*pair, shape), False
    given = numbers("transitions", transitions)
    if given.shape == shape:
        if given.dtype.kind == "f":
            raise TypeError(
                f"transitions of shape {shape} must hold next states, integers; "
                f"the dtype is {given.dtype}"
            )
        flat = given.reshape(-1)
        _refuse_states(flat, None, shape)
        return _int32(flat), False
    if given.shape != (*shape, states):
        raise ValueError(
            f"transitions must have shape {shape} (next states) or {(*shape, states)} "
            f"(probabilities); the shape is {given.shape}"
        )
    dense = given.reshape(rows, states)
    row, successor = np.nonzero(dense)
    return _sparse(row, successor, float64(dense[row, successor]), shape), True


def _from_csr(matrix: Any, shape: tuple[int, ...]) -> Sparse:
    states, rows = shape[0], math.prod(shape)
    if tuple(matrix.shape) != (rows, states):
        raise ValueError(
            f"transitions must have shape ({rows}, {states}), a row for every state and joint "
            f"action; the shape is {tuple(matrix.shape)}"
        )
    row = np.repeat(np.arange(rows), np.diff(matrix.indptr))
    return _sparse(row, np.asarray(matrix.indices), real_array("transitions", matrix.data), shape)


def _from_pair(
    successors: npt.NDArray[Any], chances: npt.NDArray[Any], shape: tuple[int, ...]
) -> Sparse:
    if successors.dtype.kind == "f":
        raise TypeError(
            f"transitions[0] must hold next states, integers; its dtype is {successors.dtype}"
        )
    if successors.shape[:-1] != shape or chances.shape != successors.shape:
        raise ValueError(
            f"transitions must be two arrays of shape {shape} and one more axis; the shapes are "
            f"{successors.shape} and {chances.shape}"
        )
    row = np.repeat(np.arange(math.prod(shape)), successors.shape[-1])
    return _sparse(row, successors.reshape(-1), float64(chances.reshape(-1)), shape)


def _sparse(
    row: npt.NDArray[Any], successor: npt.NDArray[Any], chance: FloatArray, shape: tuple[int, ...]
) -> Sparse:
    """The entries, their rows in ascending order, as `Sparse`."""
    states, rows = shape[0], math.prod(shape)
    _refuse_states(successor, row, shape)
    successor = successor.astype(np.int64)
    bad = ~(chance >= 0.0)
    if bad.any():
        k = int(bad.argmax())
        raise ValueError(
            "transitions must be probabilities, at least 0; "
            f"{_at(row[k], shape)}, that of state {successor[k]} is {chance[k]}"
        )
    sums = np.bincount(row, weights=chance, minlength=rows)
    bad = ~(np.abs(sums - 1.0) <= SUM)
    if bad.any():
        k = int(bad.argmax())
        raise ValueError(
            f"transitions must sum to 1, up to {SUM}, for every state and joint action; "
            f"{_at(k, shape)}, they sum to {sums[k]}"
        )
    cell = row * states + successor
    order = np.argsort(cell, kind="stable")
    order = order[chance[order] > 0.0]
    cell, chance = cell[order], chance[order]
    first = np.flatnonzero(np.diff(cell, prepend=-1))  # of those that name one state twice
    row, successor = np.divmod(cell[first], states)
    indptr = np.zeros(rows + 1, np.int64)
    np.cumsum(np.bincount(row, minlength=rows), out=indptr[1:])
    data = np.add.reduceat(chance, first)
    return Sparse(read_only(indptr), _int32(successor), read_only(data), (rows, states))


def _refuse_states(
    successor: npt.NDArray[Any], row: npt.NDArray[Any] | None, shape: tuple[int, ...]
) -> None:
    """Raise ValueError if a next state is none; the rows are 0, 1, ... if `row` is None."""
    bad = (successor < 0) | (successor >= shape[0])
    if bad.any():
        k = int(bad.argmax())
        raise ValueError(
            f"transitions must be states in [0, {shape[0]}); "
            f"{_at(k if row is None else row[k], shape)}, the next state is {successor[k]}"
        )


def _at(row: int, shape: tuple[int, ...]) -> str:
    """A row of the transitions in words."""
    state, *joint = (int(digit) for digit in np.unravel_index(row, shape))
    return f"from state {state}, joint action {tuple(joint)}"


def _running_sums(sparse: Sparse) -> FloatArray:
    """Every row summed up from its first entry on, one after the other."""
    first, sums = sparse.indptr[:-1], sparse.data.copy()
    lengths = np.diff(sparse.indptr)
    longer = np.arange(len(first))
    for k in range(1, int(lengths.max())):
        longer = longer[lengths[longer] > k]
        sums[first[longer] + k] += sums[first[longer] + k - 1]
    return read_only(sums)


def _next_states(moves: Sum | Table | Chances | Functions) -> IntArray:
    """The next states (S J,) of a game without chance."""
    assert not isinstance(moves, Chances | Functions)
    if isinstance(moves, Table):
        return moves.next
    following: IntArray = moves.from_state[:, None] + moves.from_joint
    return following.reshape(-1)


def _same(one: npt.NDArray[Any] | None, two: npt.NDArray[Any] | None) -> bool:
    if one is None or two is None:
        return one is two
    return one is two or np.array_equal(one, two)


def _same_parts(one: Sparse | Sum, two: Sparse | Sum) -> bool:
    return all(np.array_equal(part, vars(two)[name]) for name, part in vars(one).items())


def _int32(array: npt.NDArray[Any]) -> IntArray:
    """A read-only copy, for which the values are known to fit."""
    return read_only(np.array(array, np.int32, order="C"))
