"""Compiled rules of learners and functions of games, for use in users' own jitted loops."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numba
import numpy as np
from numba import types

from fastgames._common import checks
from fastgames.compiler.compile import REFUSALS, explained
from fastgames.compiler.generate import executed
from fastgames.engine.arguments import check_game, check_learner, one_for_each
from fastgames.engine.spec import RunSpec
from fastgames.engine.state import make_seats
from fastgames.functions.graph import is_dispatcher
from fastgames.functions.promotion import computes_in, for_numba
from fastgames.games import Game, ProceduralGame
from fastgames.jit.namespaces import offered
from fastgames.learners import Learner, Rules
from fastgames.learners.rules import named
from fastgames.registry import DTYPES
from fastgames.rules import schedules
from fastgames.rules.exponential import exp
from fastgames.rules.outcome import Outcome, Situation, TeamOutcome
from fastgames.rules.streams import next_word
from fastgames.schedules import (
    CONSTANT,
    EXPONENTIAL,
    HYPERBOLIC,
    LINEAR,
    TABULATED,
    Parts,
    Piecewise,
    check_pure,
)


class LearnerRules(NamedTuple):
    """The compiled rules of a learner, with the start values of one agent of a game.

    Bind the functions to names outside of your loop (`choose = mine.choose`) and call these names:
    Numba then inlines them. Functions passed as arguments are called, which takes several times as
    long.

    Attributes
    ----------
    signal : function (stream, p) -> signal
        Takes the random words of a step from a stream and returns the result of `draw`, of the type
        of the tables. stream: integer array (4,), modified in place.
    choose : function (tables, p, o, signal) -> action
        Returns the action at observation `o`. If the learner's function has a fifth parameter, it
        takes a `Situation` there.
    learn : function (tables, p, t)
        Modifies the tables in place. t: an `Outcome`, for a team a `TeamOutcome`. Numba has no
        defaults for its fields: a loop gives all up to the last one that `learn` reads.
    policy : function (tables, p, o, out) or None
        Writes the probabilities of the actions into `out`. None: the learner does not define it.
    draw : function (u, p, actions, real) -> signal or None
        None: the learner uses no random words.
    values : function (schedule) -> p
        Returns the parameters at the current step of `schedule`.
    advance : function (schedule)
        Moves `schedule` to the next step, in place.
    p : tuple of float
        Parameters of the first step, float64; valid for all steps if none is scheduled.
    schedule : array (parameters, 4) float64
        The state of the schedules at the first step.
    tables : tuple of arrays (*dimensions)
        The initial tables. For a team: those of one member, and the shared ones. In place of each
        table that is not shared, `learn` expects a tuple of all members' arrays.
    words : int
        Random words used in every step.
    """

    signal: Any
    choose: Any
    learn: Any
    policy: Any
    draw: Any
    values: Any
    advance: Any
    p: tuple[float, ...]
    schedule: np.ndarray
    tables: tuple[np.ndarray, ...]
    words: int


class _Functions(NamedTuple):
    start: Any
    step: Any
    observe: Any
    state: np.ndarray
    words: np.ndarray
    start_words: np.ndarray


class GameFunctions(_Functions):
    """The compiled functions of a `ProceduralGame`, with arrays for their arguments.

    Attributes
    ----------
    start : function (state, words)
        Writes the state at the start of an episode.
    step : function (state, actions, rewards, words) -> ended
        Plays one step: modifies `state` and writes `rewards`.
    observe : function (state, agent) -> observation
        Returns the observation of an agent.
    state : array (state_size,) int64
        Zeros; `start` writes the first state into it.
    words, start_words : array (words,) and (start_words,) int64
        Buffers for nature's random words, each a `jit.streams.next_word(stream) >> 1` of the stream
        of role N.
    turns : function (state, agent) -> bool, or None
        Returns whether an agent moves; None if all agents always move.
    reals : array (num_reals,) float64, or None
        Zeros, which the functions of a game with reals take after `state`; None in other games.

    Notes
    -----
    It is a tuple of `start`, `step`, `observe`, `state`, `words` and `start_words`.
    """

    turns: Any = None
    reals: np.ndarray | None = None


def rules(learners: Any, game: Game, agent: int = 0, dtype: str = "float64") -> LearnerRules:
    """Return the compiled rules of a learner as an agent of a game, for your own jitted loop.

    Parameters
    ----------
    learners : learner or sequence of learners
        Learners of the library or your own: one for all agents, or one for each agent. Parameters
        are numbers or schedules of numbers.
    game : game
        The game that the agent plays.
    agent : int
        The number of the agent, in [0, N).
    dtype : "float64" or "float32"
        The type of the tables.

    Returns
    -------
    LearnerRules
        The compiled functions, parameters and initial tables.

    Raises
    ------
    ValueError
        If a parameter or a table is given per replica, or if `fg.run` raises it for this learner
        and game.
    TypeError
        If `fg.run` raises it for these arguments.
    CompileError
        If Numba cannot compile a function of your own learner.

    Notes
    -----
    A loop that calls the functions in the order of the contract (ARCHITECTURE.md, "What is fixed")
    has the same bits as `fg.run`: agent i of replica r draws from the stream that
    `jit.streams.start(seed low, seed high, r, i, stream)` starts, and `weight` of its outcomes is
    gamma, of the type of the tables.

    Examples
    --------
    >>> import fastgames as fg
    >>> from fastgames import jit
    >>> mine = jit.rules(fg.QLearner(0.5, explore=fg.EpsilonGreedy(0.0)), fg.games.chicken())
    >>> mine.p, mine.words
    ((0.5, 0.0, 0.0), 1)
    >>> mine.tables[0]
    array([[0., 0.]])
    """
    check_game(game)
    agent = checks.whole("agent", agent, f"[0, {game.num_agents - 1}]")
    checks.one_of("dtype", dtype, DTYPES)
    seats = one_for_each(learners, game.num_agents)
    spec = RunSpec(game, seats, dtype=dtype)
    check_learner(spec, spec.agents[agent])
    learner, made = seats[agent], spec.agents[agent].rules
    seat = make_seats(spec)[agent]
    values = [seat.schedules[name] for name in made.parameters]
    values_of, advance = _schedules(values)
    more = ", s" if made.situated else ""
    out = LearnerRules(
        signal=_signal(made, game.num_actions[agent], dtype),
        choose=_naming(made.choose, "{tables}, {p}, o, signal" + more, made, dtype),
        learn=_naming(made.learn, "{tables}, {p}, t", made, dtype),
        policy=None if made.policy is None else _naming(made.policy, "{tables}, {p}, o, out", made),
        draw=None if made.draw is None else _naming(made.draw, "u, {p}, actions, real", made),
        values=values_of,
        advance=advance,
        p=tuple(float(x[0]) for x in seat.values(slice(0, 1)).values()),
        schedule=_standing(values),
        tables=tuple(np.array(seat.tables[name][0]) for name in made.names),
        words=made.words,
    )
    if isinstance(learner, Learner):
        _try_out(out, made, spec, agent)
    return out


def game(game: Game) -> GameFunctions:
    """Return the compiled functions of a procedural game, for your own jitted loop.

    Parameters
    ----------
    game : ProceduralGame
        Other games are defined by their arrays (`game.payoffs`, or `game.rewards` and
        `game.transitions`).

    Returns
    -------
    GameFunctions
        The compiled functions, with arrays for their arguments.

    Raises
    ------
    TypeError
        If `game` is not a `ProceduralGame`, or is `ProceduralVariants`.
    CompileError
        If Numba cannot compile a function.

    Examples
    --------
    >>> import fastgames as fg
    >>> from fastgames import jit
    >>> mine = jit.game(fg.games.el_farol(5, 3))
    >>> mine.state.dtype, mine.state.ndim
    (dtype('int64'), 1)
    """
    check_game(game)
    if not isinstance(game, ProceduralGame) or game.index is not None:
        raise TypeError(f"game must be a ProceduralGame, got {game!r}")
    given = game.given
    offers = {name: offered(function) for name, function in given.items()}
    numbers = types.int64[::1]
    state = (numbers, types.float64[::1]) if game.num_reals else (numbers,)
    with _explained("functions of the game", list(given.values())):
        _compile(offers["start"], *state, numbers)
        _compile(offers["step"], *state, numbers, types.float64[::1], numbers)
        for name in offers.keys() & {"observe", "turns"}:
            _compile(offers[name], *state, types.int64)
    turns = offers.pop("turns", None)
    sizes = {"state": game.state_size, "words": game.words, "start_words": game.start_words}
    arrays = {name: np.zeros(size, np.int64) for name, size in sizes.items()}
    made = GameFunctions(**offers, **arrays)
    made.turns, made.reals = turns, np.zeros(game.num_reals) if game.num_reals else None
    return made


_EVERY = {
    CONSTANT: "s[{k}, 0]",
    EXPONENTIAL: "exponential(s[{k}, 0], s[{k}, 2])",
    LINEAR: "linear(s[{k}, 0], s[{k}, 1], s[{k}, 2], s[{k}, 3])",
    HYPERBOLIC: "hyperbolic(s[{k}, 0], s[{k}, 1], s[{k}, 2], s[{k}, 3])",
}


def _standing(values: list[Parts]) -> np.ndarray:
    """Return the state of schedules, (parameters, 4): first, second, third and clock of Seat.

    These are the fields of `Seat` in src_cy/block.pxi. Of a tabulated schedule only the clock is
    used.
    """
    out = np.zeros((len(values), 4))
    for k, (kind, numbers) in enumerate(values):
        if kind == TABULATED:
            continue
        out[k, :3] = [np.ravel(x)[0] for x in numbers]
        if kind == EXPONENTIAL:
            out[k, 1] = exp(-out[k, 1], np.float64)
    return out


def _schedules(values: list[Parts]) -> tuple[Any, Any]:
    """Return the compiled functions `values` and `advance` for parameters in this form."""
    given: dict[str, Any] = {
        "exponential": schedules.exponential,
        "advanced": schedules.advance,
        "linear": schedules.linear,
        "hyperbolic": schedules.hyperbolic,
        "piecewise": schedules.piecewise,
    }
    now, lines = "", ""
    for k, (kind, (first, _, _)) in enumerate(values):
        form = _tabulated(first, k, given) if kind == TABULATED else _EVERY[kind]
        now += form.format(k=k) + ", "
        if kind == EXPONENTIAL:
            lines += f"    s[{k}, 0] = advanced(s[{k}, 0], s[{k}, 1])\n"
        elif kind != CONSTANT:
            lines += f"    s[{k}, 3] += 1.0\n"
    text = f"def values(s):\n    return ({now})\n\n\ndef advance(s):\n{lines or '    pass'}"
    made = executed(text, given)
    return offered(made["values"]), offered(made["advance"])


def _tabulated(schedule: Any, k: int, given: dict[str, Any]) -> str:
    """Return the source of a tabulated parameter; its constants are added to `given`.

    Raise ValueError or TypeError if it is a function that has other bits when compiled.
    """
    if isinstance(schedule, Piecewise):
        given[f"steps_{k}"], given[f"values_{k}"] = (x[:, 0].copy() for x in schedule.knots)
        return f"piecewise(steps_{{k}}, values_{{k}}, {schedule.between == 'linear'}, s[{{k}}, 3])"
    check_pure(schedule)
    given[f"function_{k}"] = schedule.function
    numbers = "".join(f", {float(np.ravel(x)[0])!r}" for x in schedule.parameters)
    return f"float(function_{{k}}(int(s[{{k}}, 3]){numbers}))"


def _signal(rules: Rules, actions: int, dtype: str) -> Any:
    """Return the compiled `signal` of a learner."""
    words, p = rules.words, _named("Parameters", "p", rules.parameters)
    drawn = ", ".join(["next_word(stream) >> 1"] * words)
    made = f"draw({drawn if words == 1 else f'({drawn})'}, {p}, actions, real)"
    if words == 0:
        lines = "return real(0.0)"
    elif rules.num_signals == 1:
        lines = f"return real({made})"
    else:
        each = "".join(f"real(made[{w}]), " for w in range(rules.num_signals))
        lines = f"made = {made}\n    return ({each})"
    given = {"draw": rules.draw, "next_word": next_word, "actions": actions}
    given |= {"real": np.dtype(dtype).type, "Parameters": named("Parameters", rules.parameters)}
    return offered(executed(f"def signal(stream, p):\n    {lines}\n", given)["signal"])


def _naming(rule: Any, form: str, rules: Rules, dtype: str = "float64") -> Any:
    """Return the compiled rule for plain tuples of tables and parameters; it gives them names.

    Parameters are rounded from float64 to the type used in a run.

    form: the arguments of the rule, with {tables} and {p}
    """
    real = computes_in(rule, dtype)
    named_ones = {*rules.names, *rules.parameters}.intersection(rule.__code__.co_names)
    if real is np.float64 and rule.__module__.startswith("fastgames.rules.") and not named_ones:
        return offered(rule)  # it reads by position
    given = {
        "rule": for_numba(rule, dtype),
        "real": real,
        "Tables": named("Tables", rules.names),
        "Parameters": named("Parameters", rules.parameters),
    }
    tables = _named("Tables", "tables", rules.names)
    p = _named("Parameters", "p", rules.parameters, "{}" if real is np.float64 else "real({})")
    plain, full = form.format(tables="tables", p="p"), form.format(tables=tables, p=p)
    text = f"def naming({plain}):\n    return rule({full})\n"
    return offered(executed(text, given)["naming"])


def _named(kind: str, given: str, names: tuple[str, ...], form: str = "{}") -> str:
    """Return the source of a named tuple of the entries of the tuple `given`, each in `form`."""
    return f"{kind}({''.join(form.format(f'{given}[{k}]') + ', ' for k in range(len(names)))})"


def _try_out(made: LearnerRules, rules: Rules, spec: RunSpec, agent: int) -> None:
    """Compile the rules for the types of a run, so that Numba's errors are raised here."""
    game, team = spec.game, spec.agents[agent].team
    real, n = made.tables[0].dtype.type, game.num_agents
    signal: Any = real(0.0) if rules.num_signals < 2 else (real(0.0),) * rules.num_signals
    numbers = np.zeros(n, np.int64)
    tables: tuple[Any, ...] = made.tables
    theirs = _tables_of(spec, spec.agents[agent].opponents) if rules.opponents else None
    outcome: Any = Outcome(
        0, 0, real(0.0), real(0.0), 0, -1, False,
        np.zeros(game.num_actions[agent], real) if rules.counterfactual else None, signal, agent,
        numbers if rules.joint else None, np.zeros(n, real) if rules.joint else None,
        opponents=theirs, moves=np.ones(n, np.bool_) if rules.joint or rules.steps else None,
    )  # fmt: skip
    if rules.team:
        seen, m = np.zeros(len(team), np.int64), len(team)
        rewards = np.zeros(m, real)
        columns = tuple(np.zeros(game.num_actions[i], real) for i in team)
        outcome = TeamOutcome(
            seen, seen, rewards, real(0.0), seen, False, (signal,) * m,
            columns=columns if rules.counterfactual else None, opponents=theirs,
            moves=np.ones(m, np.bool_), next_moves=np.ones(m, np.bool_),
        )  # fmt: skip
        tables = tuple(
            x if table.shared else (x,) * m
            for x, table in zip(made.tables, rules.tables, strict=True)
        )
    given = [f for f in (rules.draw, rules.choose, rules.learn) if f is not None]
    with _explained(f"rules of learners[{agent}]", given):
        _compile(made.signal, *map(numba.typeof, (numbers, made.p)))
        situation = (Situation(0, 0, opponents=theirs),) if rules.situated else ()
        _compile(made.choose, *map(numba.typeof, (made.tables, made.p, 0, signal, *situation)))
        _compile(made.learn, *map(numba.typeof, (tables, made.p, outcome)))


def _tables_of(spec: RunSpec, agents: tuple[int, ...]) -> tuple[Any, ...]:
    """Return the initial tables of some agents, as rules take them."""
    seats = make_seats(spec)
    return tuple(
        seats[i].learner.rules.as_tables(
            np.array(seats[i].tables[name][0]) for name in seats[i].learner.rules.names
        )
        for i in agents
    )


def _compile(function: Any, *kinds: Any) -> None:
    """Compile a function for arguments of these types."""
    if is_dispatcher(function):  # not a dispatcher if NUMBA_DISABLE_JIT is set
        function.compile(kinds)


@contextmanager
def _explained(what: str, functions: list[Callable[..., Any]]) -> Iterator[None]:
    """Replace errors of Numba by a CompileError that names the failing line of `functions`."""
    try:
        yield
    except REFUSALS as error:
        raise explained(what, functions, error) from None
