"""Procedural games: games given by functions, for games that are too large for tables."""

from __future__ import annotations

import copyreg
import functools
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, ParamSpec

import numpy as np

from fastgames._common import checks
from fastgames._common.later import provided
from fastgames.errors import is_below, unwritable
from fastgames.games._tables import action_names, agents_text, listed, read_only, string
from fastgames.games.compact import Compact, Functions

if TYPE_CHECKING:
    import numpy.typing as npt

    from fastgames.functions.source import Source

_FORMS = {
    "start": ("state", "words"),
    "step": ("state", "actions", "rewards", "words"),
    "observe": ("state", "agent"),
    "turns": ("state", "agent"),
}
MOST_AGENTS = 2**15
_P = ParamSpec("_P")
MOST_OBSERVED = 10_000  # calls of `observe` that check the states of a file


class ProceduralGame:
    """Markov game of N agents given by plain functions over a state of k integers.

    Parameters
    ----------
    start : function (state, words)
        Writes the first state of an episode into `state`, (k,) int64.
    step : function (state, actions, rewards, words) -> bool
        Takes one step by the joint action `actions`, (N,) int64: modifies `state`, writes every
        agent's reward into `rewards`, (N,) float64, and returns True if a terminal state was
        reached, else False.
    observe : function (state, agent) -> int
        Returns the observation of an agent in a state, in [0, O_agent).
    turns : function (state, agent) -> bool, optional
        Returns True if an agent moves in a state, else False; called in terminal states too. An
        agent that does not move plays action 0, as in a `MarkovGame` with `turns`. All agents move
        in every state unless given.
    num_actions, num_observations : sequence of int
        Numbers of actions A_i and of observations O_i of every agent; at least 1 agent.
    state_size : int
        Number of entries k of a state.
    state_bounds : sequence of k pairs (low, high), optional
        Smallest and largest value of every entry of a state, both included. States read from a file
        are checked against these bounds; a run does not check them. Unless given, entries may be
        any integers.
    words, start_words : int
        Number of random words passed to `step` and to `start`, as (words,) int64 of 31 bits each
        (`fastgames.rules.chance` turns them into random draws). All words are drawn at every call,
        whether the function uses them or not.
    discount : float
        Default discount factor of learners, in [0, 1); 1 is allowed only with a time limit or in a
        game whose episodes end.
    time_limit : int, optional
        Steps after which an episode is truncated; learners still bootstrap from the state reached.
        With `turns`, an agent that does not move in that state does not learn from its last move.
        There is no limit unless given.
    largest_reward : float
        Bound for the absolute value of every reward. Together with the discount factor it ensures
        that tables stay finite.
    actions : sequence of sequences of str, optional
        Names of the actions.
    name, source : str
        Name and publication of the game.

    Raises
    ------
    TypeError, ValueError
        If an argument is outside its domain, or if a function fails or leaves its range in a first
        step with words and actions of 0.

    Notes
    -----
    The functions must be in the subset of Python that Numba compiles. Numbers, tuples and arrays
    from outside a function are constants, and the plain functions that it calls are compiled with
    it. If one of these changes, a run refuses the game; construct it again. With
    backend="reference" the functions are interpreted. `words` is the only source of randomness;
    `np.random`, clocks, state outside `state` and functions whose compiled bits differ from the
    interpreted ones (`np.exp`, `np.sum` of floats) are refused. `actions` and `words`, and `state`
    in `observe` and `turns`, are read-only. In every step an exception, an index outside its array
    or a value out of range stops the run with a `RuleError`; see `checked` of `fastgames.run`.

    In a game with `turns` an agent learns its move from the discounted rewards until it is to move
    next or the episode ends. Counterfactual rewards are not defined there, so learners that need
    them are refused, and so are teams.

    A game is immutable; `copy.copy` and `copy.deepcopy` return the game itself. A game of the
    catalogue is pickled as its name and parameters. For other games the pickler handles the
    functions: `pickle` requires functions defined at the top level of an importable module;
    cloudpickle, which joblib and Ray use, accepts all functions.

    `fastgames.tabulate` returns a game with few states as a `MarkovGame`.

    Examples
    --------
    >>> def start(state, words):
    ...     state[0] = 0
    >>> def step(state, actions, rewards, words):
    ...     rewards[0] = 1.0 if actions[0] == actions[1] else -1.0
    ...     rewards[1] = -rewards[0]
    ...     return False
    >>> def observe(state, agent):
    ...     return 0
    >>> ProceduralGame(start, step, observe, num_actions=(2, 2), num_observations=(1, 1))
    <ProceduralGame 'procedural': 2 agents, (2, 2) actions, state of 1, discount 0>

    Agents that take turns to count; the game pays the agent that says 3:

    >>> def step(state, actions, rewards, words):
    ...     mover = state[0] % 2
    ...     state[0] += 1 + actions[mover]
    ...     for i in range(2):
    ...         rewards[i] = 1.0 if i == mover and state[0] >= 3 else 0.0
    ...     return state[0] >= 3
    >>> def observe(state, agent):
    ...     return min(state[0], 3)
    >>> def turns(state, agent):
    ...     return state[0] % 2 == agent
    >>> ProceduralGame(
    ...     start, step, observe, turns=turns, num_actions=(2, 2), num_observations=(4, 4)
    ... )
    <ProceduralGame 'procedural': 2 agents, (2, 2) actions, turns, state of 1, discount 0>
    """

    state_size: int
    state_bounds: np.ndarray | None
    functions: Source
    words: int
    start_words: int
    largest_reward: float
    index: npt.NDArray[np.int64] | None = None  # only `ProceduralVariants` have one

    def __init__(
        self,
        start: Callable[[Any, Any], Any],
        step: Callable[[Any, Any, Any, Any], Any],
        observe: Callable[[Any, Any], Any],
        *,
        turns: Callable[[Any, Any], Any] | None = None,
        num_actions: Sequence[int],
        num_observations: Sequence[int],
        state_size: int = 1,
        state_bounds: Sequence[tuple[int, int]] | None = None,
        words: int = 0,
        start_words: int = 0,
        discount: float = 0.0,
        time_limit: int | None = None,
        largest_reward: float = 1e6,
        actions: Sequence[Sequence[str]] | None = None,
        name: str = "procedural",
        source: str = "",
    ) -> None:
        given = {"start": start, "step": step, "observe": observe}
        if turns is not None:
            given["turns"] = turns
        for what, function in given.items():
            checks.function(what, function, _FORMS[what])
        self._num_actions = _counts("num_actions", num_actions, 2**24)
        self._num_observations = _counts("num_observations", num_observations, 2**31)
        if len(self._num_observations) != len(self._num_actions):
            raise ValueError(
                f"num_observations must be one for each of the {len(self._num_actions)} agents, "
                f"got {len(self._num_observations)}"
            )
        self.state_size = checks.whole("state_size", state_size, "[1, 2^20)")
        self.state_bounds = _bounds(state_bounds, self.state_size)
        self.words = checks.whole("words", words, "[0, 2^16)")
        self.start_words = checks.whole("start_words", start_words, "[0, 2^16)")
        self._discount = checks.real("discount", discount, "[0, 1]")
        self._time_limit = (
            0 if time_limit is None else checks.whole("time_limit", time_limit, "[1, 2^31)")
        )
        self.largest_reward = checks.real("largest_reward", largest_reward, "[0, 1e300]")
        self._name, self._source = string("name", name), string("source", source)
        self._actions = action_names(actions, self._num_actions)
        self.made: tuple[str, dict[str, Any]] | None = None  # `saved_by_name` sets it
        agents = len(self._num_actions)
        functions = Functions(
            start, step, observe, agents, max(self._num_observations) == 1, self.state_size,
            self.words, self.start_words, self.largest_reward, turns,
        )  # fmt: skip
        self._compact = Compact(
            rewards=np.zeros((agents, 1, 1, 0)), moves=functions, time_limit=self._time_limit
        )
        from fastgames.functions.source import Source  # not at import: few processes need it

        self.functions = Source(*given.values())
        _check_functions(given)
        _try_out(self, functions)

    @property
    def num_agents(self) -> int:
        """Number of agents N."""
        return len(self._num_actions)

    @property
    def num_actions(self) -> tuple[int, ...]:
        """Number of actions of every agent, (A_0, ..., A_{N-1})."""
        return self._num_actions

    @property
    def num_observations(self) -> tuple[int, ...]:
        """Number of observations of every agent, (O_0, ..., O_{N-1})."""
        return self._num_observations

    @property
    def num_states(self) -> int:
        """Always 0, as the number is unknown: a state is an array of `state_size` integers."""
        return 0

    @property
    def discount(self) -> float:
        """Default discount factor of learners."""
        return self._discount

    @property
    def time_limit(self) -> int | None:
        """Steps after which an episode is truncated, or None."""
        return self._time_limit or None

    @property
    def actions(self) -> tuple[tuple[str, ...], ...]:
        """Names of every agent's actions."""
        return self._actions

    @property
    def name(self) -> str:
        """Name of the game."""
        return self._name

    @property
    def source(self) -> str:
        """Publication of the game."""
        return self._source

    @property
    def compact(self) -> Compact:
        """Internal layout of the game, read by the engine."""
        return self._compact

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the functions and of everything that they read, taken at construction."""
        return self.functions.text

    def _key(self) -> tuple[Any, ...]:
        """Return the values by which games compare; the last two are left out of the hash."""
        return (
            self._name, self._source, self._num_actions, self._num_observations, self.state_size,
            self.words, self.start_words, self._discount, self._time_limit, self.largest_reward,
            self._actions, self.fingerprint,
        )  # fmt: skip

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ProceduralGame):
            return NotImplemented
        return self is other or self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key()[:-2])

    def __repr__(self) -> str:
        actions = self._num_actions if self.num_agents <= 8 else f"{self._num_actions[0]}, …"
        turns = ", turns" if self._compact.has_turns else ""
        return (
            f"<ProceduralGame {self._name!r}: {agents_text(self.num_agents)}, {actions} actions"
            f"{turns}, state of {self.state_size}, discount {self._discount:g}>"
        )

    def __copy__(self) -> ProceduralGame:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> ProceduralGame:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        if self.made is None:  # the pickler must handle the functions
            return copyreg.__newobj__, (type(self),), vars(self)  # type: ignore[attr-defined]
        return provided("fastgames.games.registry", "make_again"), self.made


def _check_functions(functions: dict[str, Callable[..., Any]]) -> None:
    """Raise ValueError or TypeError if a function uses more than arguments and constants."""
    from fastgames.functions.purity import check

    for what, function in functions.items():
        check(what, function, _FORMS[what])


def saved_by_name(build: Callable[_P, ProceduralGame]) -> Callable[_P, ProceduralGame]:
    """Return `build`, wrapped to store its name and parameters in the game, as `made`.

    Games of the catalogue are pickled and saved as `made` and constructed again from it.
    """

    @functools.wraps(build)
    def wrapper(*args: _P.args, **kwargs: _P.kwargs) -> ProceduralGame:
        """Return the game of `build` with its call as `made`."""
        held, named = [_plain(x) for x in args], {name: _plain(x) for name, x in kwargs.items()}
        game = build(*held, **named)
        import inspect  # not at import, where it costs 5 ms

        game.made = build.__name__, dict(inspect.signature(build).bind(*held, **named).arguments)
        return game

    return wrapper


def _plain(value: Any) -> Any:
    """Return a parameter as immutable Python objects, which can be pickled and saved."""
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, np.floating):
        return float(value)
    if isinstance(value, Iterable) and not isinstance(value, str | bytes | dict):
        try:
            return tuple(_plain(x) for x in value)
        except TypeError:  # a 0-d array is an Iterable but cannot be iterated over
            pass
    return value


def _bounds(value: Any, size: int) -> np.ndarray | None:
    """Return the smallest and the largest value of every entry of a state, (size, 2) int64."""
    if value is None:
        return None
    domain = f"{size} pairs (low, high) of whole numbers, one for each entry of a state"
    pairs = [listed("state_bounds", x, domain) for x in listed("state_bounds", value, domain)]
    if len(pairs) != size or any(len(pair) != 2 for pair in pairs):
        raise ValueError(f"state_bounds must be {domain}, got {len(pairs)}")
    for k, pair in enumerate(pairs):
        low, high = (checks.whole(f"state_bounds[{k}]", x, "[-2^63, 2^63)") for x in pair)
        if low > high:
            raise ValueError(f"state_bounds[{k}] must have low <= high, got {(low, high)}")
    return read_only(np.array(pairs, np.int64))


def check_states(game: ProceduralGame, states: np.ndarray, name: str = "states") -> None:
    """Raise ValueError if any of the states, (replicas, state_size), is outside `state_bounds`.

    States of `ProceduralVariants` must also have the numbers of the index.
    """
    if game.index is not None and not np.array_equal(states[:, -1], game.index):
        r = int((states[:, -1] != game.index).argmax())
        raise ValueError(
            f"{name} must have the index of the game as last entries, got {states[r, -1]} in "
            f"replica {r} in place of {game.index[r]}"
        )
    if game.state_bounds is None:
        return
    low, high = game.state_bounds.T
    bad = np.argwhere((states < low) | (states > high))
    if len(bad):
        r, k = (int(x) for x in bad[0])
        raise ValueError(
            f"{name} must be within state_bounds of game {game.name!r}, got {states[r, k]} as "
            f"entry {k} of replica {r}, with bounds [{low[k]}, {high[k]}]"
        )


def check_observations(game: ProceduralGame, states: np.ndarray) -> None:
    """Raise ValueError if an agent's observation is out of range in one of these states.

    states: (replicas, state_size) int64. `observe` is interpreted, so only the first replicas are
    checked; a run checks all of them in its first step.
    """
    moves = game.compact.moves
    assert isinstance(moves, Functions)
    for r, state in enumerate(states[: max(1, MOST_OBSERVED // game.num_agents)]):
        for i, count in enumerate(game.num_observations):
            seen = moves.observe(state.copy(), i)
            if not 0 <= seen < count:
                raise ValueError(
                    f"states must be those of game {game.name!r}, got {state.tolist()} in replica "
                    f"{r}, of which agent {i} observes {seen}, not in [0, {count})"
                )


def _counts(argument: str, value: Any, limit: int) -> tuple[int, ...]:
    """Return one int in [1, limit) for each agent, (N,)."""
    counts = listed(argument, value, "a sequence of one whole number for each agent")
    if not 1 <= len(counts) <= MOST_AGENTS:
        raise ValueError(f"{argument} must be for 1 to {MOST_AGENTS} agents, got {len(counts)}")
    return tuple(
        checks.whole(f"{argument}[{i}]", count, f"[1, {limit})") for i, count in enumerate(counts)
    )


def _try_out(game: ProceduralGame, functions: Functions) -> None:
    """Take a first step with words and actions of 0; raise ValueError if a function fails."""
    state = np.zeros(game.state_size, np.int64)
    rewards = np.full(game.num_agents, np.nan)
    what = "start"
    try:
        functions.start(state, unwritable(np.zeros(game.start_words, np.int64)))
        if game.state_bounds is not None:
            low, high = game.state_bounds.T
            if ((state < low) | (state > high)).any():
                raise ValueError(f"state must be within state_bounds, got {state.tolist()}")
        what = "observe"
        for i, count in enumerate(game.num_observations):
            seen = functions.observe(unwritable(state), i) + 0  # adding 0 raises TypeError for None
            if not is_below(seen, count):
                raise ValueError(
                    f"the observation of agent {i} must be a whole number in [0, {count}), got "
                    f"{seen} in the first state"
                )
        what = "turns"
        for i in range(game.num_agents if functions.turns is not None else 0):
            moves = functions.turns(unwritable(state), i) + 0
            if not (moves == 0 or moves == 1):
                raise ValueError(
                    f"the return value must be True if agent {i} moves, else False, got {moves!r}"
                )
        what = "step"
        actions = unwritable(np.zeros(game.num_agents, np.int64))
        words = unwritable(np.zeros(game.words, np.int64))
        ended = functions.step(state, actions, rewards, words)
        if ended is None or not (ended == 0 or ended == 1):
            raise ValueError(
                "the return value must be True if a terminal state was reached, else False, got "
                f"{ended!r}"
            )
        bad = np.flatnonzero(~(np.abs(rewards) <= game.largest_reward))
        if len(bad):
            raise ValueError(
                f"the reward of agent {bad[0]} must be a number of absolute value at most "
                f"largest_reward, {game.largest_reward:g}, got {rewards[bad[0]]} (nan means that "
                "none was written)"
            )
    except Exception as error:
        raise ValueError(
            f"{what} of game {game.name!r} must run with words and actions of 0, got "
            f"{type(error).__name__}: {error}"
        ) from error
