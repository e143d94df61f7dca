"""Games as functions, for what is too large for tables."""

from __future__ import annotations

import copyreg
import functools
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, ParamSpec

import numpy as np

from fastgames._common import checks
from fastgames._common.later import provided
from fastgames.errors import is_below, unwritable
from fastgames.games._tables import action_names, listed, read_only, string, whole
from fastgames.games.compact import Compact, Functions

if TYPE_CHECKING:
    from fastgames.functions.source import Source

_FORMS = {
    "start": ("state", "words"),
    "step": ("state", "actions", "rewards", "words"),
    "observe": ("state", "agent"),
}
MOST_AGENTS = 2**15
_P = ParamSpec("_P")
MOST_OBSERVED = 10_000  # calls of `observe` that look at the states of a file


class ProceduralGame:
    """A Markov game of N agents as three plain functions over a state of k whole numbers.

    Parameters
    ----------
    start : function (state, words)
        Writes the first state of an episode into `state`, (k,) int64.
    step : function (state, actions, rewards, words) -> bool
        One step by the joint action `actions`, (N,) int64: modifies `state`, writes every agent's
        reward into `rewards`, (N,) float64, and returns whether a terminal state was reached.
    observe : function (state, agent) -> int
        What an agent sees of a state, in [0, O_agent).
    num_actions, num_observations : sequence of int
        A_i and O_i of every agent; at least 2 agents.
    state_size : int
        k.
    state_bounds : sequence of k pairs (low, high), optional
        Between which two numbers, both included, every entry of a state stays. States out of a file
        are held against them; a run does not check them. None: entries may be any numbers.
    words, start_words : int
        How many random words `step` and `start` are given, as (words,) int64 of 31 bits each
        (`fastgames.rules.chance` turns them into numbers). As many are drawn each time, used or
        not.
    discount : float
        In [0, 1); 1 only with a time limit or where episodes end.
    time_limit : int, optional
        Steps after which an episode is cut; what comes is still worth something. None: none.
    largest_reward : float
        A bound on the size of any reward; with gamma, tables cannot leave the finite numbers then.
    actions : sequence of sequences of str, optional
        Names of the actions.
    name, source : str

    Notes
    -----
    The functions are in the subset of Python that Numba compiles; numbers, tuples and arrays that
    they take from outside are constants, and the plain functions that they call are compiled along;
    once one of these has changed, a run of the game is refused: make it anew. They run interpreted
    on backend="reference". Randomness comes from `words` only; `np.random`, clocks, state outside
    of `state` and functions with other bits compiled than interpreted (`np.exp`, `np.sum` of
    floats) are refused. `actions` and `words`, and `state` in `observe`, are read-only. In every
    step an exception, an index outside its array or a value out of its range stops the run with a
    `RuleError`; see `checked` of `fastgames.run`.

    A game is immutable; `copy.copy` and `copy.deepcopy` return the game itself. A game of the
    catalogue is pickled as its name and parameters. Any other is pickled with its functions as the
    pickler handles functions: `pickle` needs functions defined at the top level of an importable
    module; cloudpickle, which joblib and Ray use, takes any.

    Raises TypeError or ValueError where an argument is outside its domain, or where the functions
    fail or leave their ranges in a first step with words and actions of 0.

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
    """

    state_size: int
    state_bounds: np.ndarray | None
    functions: Source
    words: int
    start_words: int
    largest_reward: float

    def __init__(
        self,
        start: Callable[[Any, Any], Any],
        step: Callable[[Any, Any, Any, Any], Any],
        observe: Callable[[Any, Any], Any],
        *,
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
        for what, function in (("start", start), ("step", step), ("observe", observe)):
            checks.function(what, function, _FORMS[what])
        self._num_actions = _counts("num_actions", num_actions, 2**24)
        self._num_observations = _counts("num_observations", num_observations, 2**31)
        if len(self._num_observations) != len(self._num_actions):
            raise ValueError(
                f"num_observations must be one for each of the {len(self._num_actions)} agents; "
                f"there are {len(self._num_observations)}"
            )
        self.state_size = whole("state_size", state_size, 1, 2**20)
        self.state_bounds = _bounds(state_bounds, self.state_size)
        self.words = whole("words", words, 0, 2**16)
        self.start_words = whole("start_words", start_words, 0, 2**16)
        self._discount = _number("discount", discount, 0.0, 1.0)
        self._time_limit = 0 if time_limit is None else whole("time_limit", time_limit, 1, 2**31)
        self.largest_reward = _number("largest_reward", largest_reward, 0.0, 1e300)
        self._name, self._source = string("name", name), string("source", source)
        self._actions = action_names(actions, self._num_actions)
        self.made: tuple[str, dict[str, Any]] | None = None  # set by `catalogued`
        agents = len(self._num_actions)
        functions = Functions(
            start, step, observe, agents, max(self._num_observations) == 1, self.state_size,
            self.words, self.start_words, self.largest_reward,
        )  # fmt: skip
        self._compact = Compact(
            rewards=np.zeros((agents, 1, 1, 0)), moves=functions, time_limit=self._time_limit
        )
        from fastgames.functions.source import Source  # here, for few processes come by

        self.functions = Source(start, step, observe)
        self._check_functions()
        _try_out(self, functions)

    def _check_functions(self) -> None:
        """Raise ValueError or TypeError if a function uses more than arguments and constants."""
        from fastgames.functions.purity import check

        for what, form in _FORMS.items():
            check(what, getattr(self._compact.moves, what), form)

    @property
    def num_agents(self) -> int:
        """N."""
        return len(self._num_actions)

    @property
    def num_actions(self) -> tuple[int, ...]:
        """A_i of every agent."""
        return self._num_actions

    @property
    def num_observations(self) -> tuple[int, ...]:
        """O_i of every agent."""
        return self._num_observations

    @property
    def num_states(self) -> int:
        """0, for it is not known: a state is `state_size` whole numbers."""
        return 0

    @property
    def discount(self) -> float:
        """The discount of learners that do not have their own."""
        return self._discount

    @property
    def time_limit(self) -> int | None:
        """Steps after which an episode is cut, or None."""
        return self._time_limit or None

    @property
    def actions(self) -> tuple[tuple[str, ...], ...]:
        """Names of every agent's actions."""
        return self._actions

    @property
    def name(self) -> str:
        """Its name."""
        return self._name

    @property
    def source(self) -> str:
        """Where it comes from."""
        return self._source

    @property
    def compact(self) -> Compact:
        """The game as the engine reads it."""
        return self._compact

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the functions, and of all that they read, when this was made."""
        return self.functions.text

    def _key(self) -> tuple[Any, ...]:
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
        return (
            f"<ProceduralGame {self._name!r}: {self.num_agents} agents, {actions} actions, "
            f"state of {self.state_size}, discount {self._discount:g}>"
        )

    def __copy__(self) -> ProceduralGame:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> ProceduralGame:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        if self.made is None:  # the pickler decides what it can do with the functions
            return copyreg.__newobj__, (type(self),), vars(self)  # type: ignore[attr-defined]
        return provided("fastgames.games.registry", "make_again"), self.made


def catalogued(build: Callable[_P, ProceduralGame]) -> Callable[_P, ProceduralGame]:
    """Let the games that `build` returns know the call that makes them again.

    For the functions of the catalogue: their games are pickled and saved as `made`, the name of
    `build` and the parameters of the call.
    """

    @functools.wraps(build)
    def wrapper(*args: _P.args, **kwargs: _P.kwargs) -> ProceduralGame:
        held, named = [_plain(x) for x in args], {name: _plain(x) for name, x in kwargs.items()}
        game = build(*held, **named)
        import inspect  # here, for it takes 5 ms

        game.made = build.__name__, dict(inspect.signature(build).bind(*held, **named).arguments)
        return game

    return wrapper


def _plain(value: Any) -> Any:
    """Return a parameter as immutable Python objects, which a pickle and a file can hold."""
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, np.floating):
        return float(value)
    if isinstance(value, Iterable) and not isinstance(value, str | bytes | dict):
        try:
            return tuple(_plain(x) for x in value)
        except TypeError:  # a 0-d array is an Iterable that cannot be iterated over
            pass
    return value


def _bounds(value: Any, size: int) -> np.ndarray | None:
    """The lowest and the highest value of every entry of a state, (size, 2) int64, or None."""
    if value is None:
        return None
    domain = f"{size} pairs (low, high) of whole numbers, one for each entry of a state"
    pairs = [listed("state_bounds", x, domain) for x in listed("state_bounds", value, domain)]
    if len(pairs) != size or any(len(pair) != 2 for pair in pairs):
        raise ValueError(f"state_bounds must be {domain}, got {len(pairs)}")
    for k, pair in enumerate(pairs):
        low, high = (whole(f"state_bounds[{k}]", x, -(2**63), 2**63) for x in pair)
        if low > high:
            raise ValueError(f"state_bounds[{k}] must have low <= high, got {(low, high)}")
    return read_only(np.array(pairs, np.int64))


def check_states(game: ProceduralGame, states: np.ndarray) -> None:
    """Raise ValueError if any of the states, (replicas, state_size), is out of `state_bounds`."""
    if game.state_bounds is None:
        return
    low, high = game.state_bounds.T
    bad = np.argwhere((states < low) | (states > high))
    if len(bad):
        r, k = (int(x) for x in bad[0])
        raise ValueError(
            f"states must be within state_bounds of game {game.name!r}, got {states[r, k]} as "
            f"entry {k} of replica {r}, which must be in [{low[k]}, {high[k]}]"
        )


def check_observations(game: ProceduralGame, states: np.ndarray) -> None:
    """Raise ValueError if agents would observe something out of range in one of these states.

    Interpreted, so only of the first replicas; a run looks at all, in its first step.
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
    counts = listed(argument, value, "a sequence of one whole number for each agent")
    if not 2 <= len(counts) <= MOST_AGENTS:
        raise ValueError(
            f"{argument} must be for 2 to {MOST_AGENTS} agents; the number is {len(counts)}"
        )
    return tuple(whole(f"{argument}[{i}]", count, 1, limit) for i, count in enumerate(counts))


def _number(argument: str, value: Any, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | np.floating | np.integer):
        raise TypeError(f"{argument} must be a number in [{low:g}, {high:g}], got {value!r}")
    if not low <= float(value) <= high:
        raise ValueError(f"{argument} must be in [{low:g}, {high:g}], got {value!r}")
    return float(value)


def _try_out(game: ProceduralGame, functions: Functions) -> None:
    """A first step, with words and actions of 0: what is wrong at once is said at once."""
    state = np.zeros(game.state_size, np.int64)
    rewards = np.full(game.num_agents, np.nan)
    what = "start"
    try:
        functions.start(state, unwritable(np.zeros(game.start_words, np.int64)))
        if game.state_bounds is not None:
            low, high = game.state_bounds.T
            if ((state < low) | (state > high)).any():
                raise ValueError(f"it wrote the state {state.tolist()}, outside state_bounds")
        what = "observe"
        for i, count in enumerate(game.num_observations):
            seen = functions.observe(unwritable(state), i) + 0  # fails for None
            if not is_below(seen, count):
                raise ValueError(
                    f"it returned {seen} for agent {i} in the first state, must be a whole number "
                    f"in [0, {count})"
                )
        what = "step"
        actions = unwritable(np.zeros(game.num_agents, np.int64))
        words = unwritable(np.zeros(game.words, np.int64))
        ended = functions.step(state, actions, rewards, words)
        if ended is None or not (ended == 0 or ended == 1):
            raise ValueError(
                f"it returned {ended!r}, must be True or False: whether a terminal state was "
                "reached"
            )
        bad = np.flatnonzero(~(np.abs(rewards) <= game.largest_reward))
        if len(bad):
            raise ValueError(
                f"it wrote the reward {rewards[bad[0]]} for agent {bad[0]}, must be a number of at "
                f"most largest_reward, {game.largest_reward:g}, in size (nan: nothing was written)"
            )
    except Exception as error:
        raise ValueError(
            f"{what} of game {game.name!r} must run with words and actions of 0; "
            f"{type(error).__name__}: {error}"
        ) from error
