"""Procedural games: games given by functions, for games that are too large for tables."""

from __future__ import annotations

import copyreg
import functools
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, ParamSpec

import numpy as np

from fastgames._common import checks
from fastgames._common.later import provided
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
    """Markov game of N agents given by plain functions over a state of k integers and m reals.

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
    num_reals : int
        Number m of reals of a state. If it is not 0, every function has a second parameter `reals`,
        (m,) float64, after `state`: `start` and `step` write it, `observe` and `turns` read it.
        `state_size` may then be 0. Before `start` is called in a run, reals are 0.0, or those in
        which the last episode ended. Reals must be finite.
    state_bounds : sequence of k pairs (low, high), optional
        Smallest and largest value of every entry of a state, both included. States read from a file
        are checked against these bounds; a run does not check them. Unless given, entries may be
        any integers.
    real_bounds : sequence of m pairs (low, high), optional
        The same for the reals. Unless given, reals may be any finite numbers.
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
    them are refused.

    Rewards may be random: `step` computes them from `words`, as in ``rewards[0] = coin(words[0])``.

    Reals have the same bits on every machine and with every backend if they are computed by + - *
    /, `math.sqrt`, comparisons, and `exp`, `log` and other functions of `fastgames.rules`; the page
    "What a rule may use" lists all. NumPy's and Python's `exp`, `log`, `**`, sines and sums are
    refused, because their last bits depend on the CPU and on the version of a library. An
    observation is a whole number, so `observe` assigns reals to cells, as ``int(10.0 * reals[0])``
    does.

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

    Two agents harvest a fish stock in [0, 1], which grows by r x (1 - x) with r = 0.8:

    >>> def start(state, reals, words):
    ...     reals[0] = 1.0
    >>> def step(state, reals, actions, rewards, words):
    ...     for i in range(2):
    ...         rewards[i] = 0.15 * actions[i] * reals[0]
    ...     left = reals[0] - rewards[0] - rewards[1]
    ...     reals[0] = left + 0.8 * left * (1.0 - left)
    ...     return False
    >>> def observe(state, reals, agent):
    ...     return min(int(10.0 * reals[0]), 9)
    >>> sizes = {"num_actions": (3, 3), "num_observations": (10, 10)}
    >>> ProceduralGame(start, step, observe, state_size=0, num_reals=1, **sizes)
    <ProceduralGame 'procedural': 2 agents, (3, 3) actions, state of 0 and 1 real, discount 0>
    """

    state_size: int
    num_reals: int
    state_bounds: np.ndarray | None
    real_bounds: np.ndarray | None
    given: dict[str, Callable[..., Any]]  # by name
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
        num_reals: int = 0,
        state_bounds: Sequence[tuple[int, int]] | None = None,
        real_bounds: Sequence[tuple[float, float]] | None = None,
        words: int = 0,
        start_words: int = 0,
        discount: float = 0.0,
        time_limit: int | None = None,
        largest_reward: float = 1e6,
        actions: Sequence[Sequence[str]] | None = None,
        name: str = "procedural",
        source: str = "",
    ) -> None:
        given: dict[str, Callable[..., Any]] = {"start": start, "step": step, "observe": observe}
        if turns is not None:
            given["turns"] = turns
        self.num_reals = checks.whole("num_reals", num_reals, "[0, 2^20)")
        for what, function in given.items():
            checks.function(what, function, _form(what, self.num_reals))
        self.given = given
        self._num_actions = _counts("num_actions", num_actions, 2**24)
        self._num_observations = _counts("num_observations", num_observations, 2**31)
        if len(self._num_observations) != len(self._num_actions):
            raise ValueError(
                f"num_observations must be one for each of the {len(self._num_actions)} agents, "
                f"got {len(self._num_observations)}"
            )
        domain = "[0, 2^20)" if self.num_reals else "[1, 2^20)"
        self.state_size = checks.whole("state_size", state_size, domain)
        self.state_bounds = _bounds("state_bounds", state_bounds, self.state_size)
        self.real_bounds = _bounds("real_bounds", real_bounds, self.num_reals)
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
        self._compact = self._layout()
        # not at import: few processes need these
        from fastgames.functions.source import Source
        from fastgames.games._first_step import try_out

        self.functions = Source(*given.values())
        _check_functions(given, self.num_reals)
        try_out(self)

    def _layout(self) -> Compact:
        """Return the layout of the game for the engine."""
        given, agents = self.given, len(self._num_actions)
        if self.num_reals:
            from fastgames.games._reals import joined

            given = joined(given, self.state_size)
        functions = Functions(
            start=given["start"],
            step=given["step"],
            observe=given["observe"],
            agents=agents,
            blind=max(self._num_observations) == 1,
            state_size=self.state_size + self.num_reals,
            words=self.words,
            start_words=self.start_words,
            largest_reward=self.largest_reward,
            turns=given.get("turns"),
            reals=self.num_reals,
            first_real=self.state_size,
        )
        return Compact(
            rewards=np.zeros((agents, 1, 1, 0)), moves=functions, time_limit=self._time_limit
        )

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
        reals = (("num_reals", self.num_reals),) if self.num_reals else ()
        return (
            self._name, self._source, self._num_actions, self._num_observations, self.state_size,
            *reals, self.words, self.start_words, self._discount, self._time_limit,
            self.largest_reward, self._actions, self.fingerprint,
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
        reals = f" and {self.num_reals} real{'s'[: self.num_reals > 1]}" if self.num_reals else ""
        return (
            f"<ProceduralGame {self._name!r}: {agents_text(self.num_agents)}, {actions} actions"
            f"{turns}, state of {self.state_size}{reals}, discount {self._discount:g}>"
        )

    def __copy__(self) -> ProceduralGame:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> ProceduralGame:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        if self.made is None:  # the pickler must handle the functions
            kept = {name: value for name, value in vars(self).items() if name != "_compact"}
            return copyreg.__newobj__, (type(self),), kept  # type: ignore[attr-defined]
        return provided("fastgames.games.registry", "make_again"), self.made

    def __setstate__(self, kept: dict[str, Any]) -> None:
        vars(self).update(kept)
        self._compact = self._layout()


def _form(what: str, reals: int) -> tuple[str, ...]:
    """Return the names of the parameters of a function."""
    state, *rest = _FORMS[what]
    return (state, "reals", *rest) if reals else (state, *rest)


def _check_functions(functions: dict[str, Callable[..., Any]], reals: int) -> None:
    """Raise ValueError or TypeError if a function uses more than arguments and constants."""
    from fastgames.functions.purity import check

    for what, function in functions.items():
        check(what, function, _form(what, reals))


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


def _bounds(name: str, value: Any, size: int) -> np.ndarray | None:
    """Return the smallest and the largest value of every entry or real of a state, (size, 2).

    name: "state_bounds", for int64, or "real_bounds", for float64
    """
    if value is None:
        return None
    whole = name == "state_bounds"
    each = "whole numbers, one for each entry" if whole else "numbers, one for each real"
    domain = f"{size} pairs (low, high) of {each} of a state"
    pairs = [listed(name, x, domain) for x in listed(name, value, domain)]
    if len(pairs) != size or any(len(pair) != 2 for pair in pairs):
        raise ValueError(f"{name} must be {domain}, got {len(pairs)}")
    for k, pair in enumerate(pairs):
        place = f"{name}[{k}]"
        low, high = (
            checks.whole(place, x, "[-2^63, 2^63)") if whole else checks.real(place, x)
            for x in pair
        )
        if low > high:
            raise ValueError(f"{place} must have low <= high, got {(low, high)}")
    return read_only(np.array(pairs, np.int64 if whole else np.float64).reshape(size, 2))


def check_states(game: ProceduralGame, states: np.ndarray, name: str = "states") -> None:
    """Raise ValueError if any of the states, (replicas, entries), is outside the game's bounds.

    Reals must be finite. States of `ProceduralVariants` must have the numbers of the index.
    """
    if game.index is not None and not np.array_equal(states[:, -1], game.index):
        r = int((states[:, -1] != game.index).argmax())
        raise ValueError(
            f"{name} must have the index of the game as last entries, got {states[r, -1]} in "
            f"replica {r} in place of {game.index[r]}"
        )
    moves = game.compact.moves
    assert isinstance(moves, Functions)
    reals = moves.real_numbers(states)
    for r, k in np.argwhere(~np.isfinite(reals))[:1].tolist():
        raise ValueError(
            f"{name} must have finite reals, got {reals[r, k]} as real {k} of replica {r}"
        )
    parts = (
        ("state_bounds", "entry", moves.whole_numbers(states), game.state_bounds),
        ("real_bounds", "real", reals, game.real_bounds),
    )
    for bounds, what, values, pairs in parts:
        if pairs is None:
            continue
        low, high = pairs.T
        for r, k in np.argwhere((values < low) | (values > high))[:1].tolist():
            raise ValueError(
                f"{name} must be within {bounds} of game {game.name!r}, got {values[r, k]} as "
                f"{what} {k} of replica {r}, with bounds [{low[k]}, {high[k]}]"
            )


def check_observations(game: ProceduralGame, states: np.ndarray) -> None:
    """Raise ValueError if an agent's observation is out of range in one of these states.

    states: (replicas, entries) int64. `observe` is interpreted, so only the first replicas are
    checked; a run checks all of them in its first step.
    """
    moves = game.compact.moves
    assert isinstance(moves, Functions)
    for r, state in enumerate(states[: max(1, MOST_OBSERVED // game.num_agents)]):
        for i, count in enumerate(game.num_observations):
            seen = moves.observe(state.copy(), i)
            if not 0 <= seen < count:
                raise ValueError(
                    f"states must be those of game {game.name!r}, got {moves.text(state)} in "
                    f"replica {r}, of which agent {i} observes {seen}, not in [0, {count})"
                )


def _counts(argument: str, value: Any, limit: int) -> tuple[int, ...]:
    """Return one int in [1, limit) for each agent, (N,)."""
    counts = listed(argument, value, "a sequence of one whole number for each agent")
    if not 1 <= len(counts) <= MOST_AGENTS:
        raise ValueError(f"{argument} must be for 1 to {MOST_AGENTS} agents, got {len(counts)}")
    return tuple(
        checks.whole(f"{argument}[{i}]", count, f"[1, {limit})") for i, count in enumerate(counts)
    )
