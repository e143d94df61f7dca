"""What a learner or a game does, compiled, for loops that are written elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numba
import numpy as np
from numba import types

from fastgames._common import checks
from fastgames.compiler.compile import REFUSALS, explained
from fastgames.engine.arguments import check_game, check_learner, one_for_each
from fastgames.engine.spec import RunSpec
from fastgames.engine.state import make_seats
from fastgames.functions.promotion import computes_in, for_numba
from fastgames.functions.source import is_dispatcher
from fastgames.games import Game, ProceduralGame
from fastgames.games.compact import Functions
from fastgames.jit.namespaces import offered
from fastgames.learners import Learner, Rules
from fastgames.registry import DTYPES
from fastgames.rules import schedules
from fastgames.rules.exponential import exp
from fastgames.rules.outcome import Outcome, TeamOutcome
from fastgames.rules.streams import next_word
from fastgames.schedules import CONSTANT, EXPONENTIAL, LINEAR


class LearnerRules(NamedTuple):
    """What a learner does in a step, compiled, and what it starts with at one seat of a game.

    Give the functions names outside of your loop (`choose = mine.choose`), and call these: then
    they become a part of it. Passed as arguments they are called, several times as slow.

    signal (stream, p) -> signal: takes the step's words from a stream, and says what `draw` makes
        of them, of the tables' type. stream: (4,) of whole numbers, modified in place
    choose (tables, p, o, signal) -> action
    learn (tables, p, t): modifies the tables; t: an `Outcome`, for a team a `TeamOutcome`
    policy (tables, p, o, out): writes the probabilities of the actions; None where it is not known
    draw (u, p, actions, real) -> signal; None where there are no words
    values (schedule) -> p: the parameters in the step at which `schedule` stands
    advance (schedule): moves it to the next step, in place
    p: the parameters of the first step, a tuple of float64: of all steps, if none is scheduled
    schedule: (parameters, 4) float64, where its schedules stand
    tables: a tuple of arrays (*dimensions), what they start at. For a team one member's, with those
        that all share; `learn` wants a tuple of all members' arrays in the place of each other one
    words: how many random words it takes in every step
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


class GameFunctions(NamedTuple):
    """The functions of a `ProceduralGame`, compiled, and arrays for them.

    start (state, words), step (state, actions, rewards, words) -> ended, observe (state, agent)
    state: (state_size,) int64, zeros: `start` begins an episode in it
    words, start_words: (words,) and (start_words,) int64, for nature's words, each a
        `jit.streams.next_word(stream) >> 1` of the stream of role N
    """

    start: Any
    step: Any
    observe: Any
    state: np.ndarray
    words: np.ndarray
    start_words: np.ndarray


def rules(learners: Any, game: Game, agent: int = 0, dtype: str = "float64") -> LearnerRules:
    """What a learner does at a seat of a game, compiled, to call from your own jitted loop.

    A loop that calls it in the order of the contract (ARCHITECTURE.md, "What is fixed") has the
    bits of `fg.run`: agent i of replica r draws from the stream that `jit.streams.start(seed low,
    seed high, r, i, stream)` begins, and `weight` of its outcomes is gamma, of the tables' type.

    Parameters
    ----------
    learners : a learner, of the library or your own, or a sequence of one for each agent
        One learner stands for all. Parameters are numbers or schedules of numbers.
    game : a game
    agent : int in [0, N)
    dtype : "float64" or "float32"
        The type of the tables.

    Raises ValueError where a parameter or a table is given for each replica, and what `fg.run`
    raises for such a learner in such a game; CompileError where Numba cannot compile a function of
    a learner of your own.
    """
    check_game(game)
    agent = checks.whole("agent", agent, 0, game.num_agents - 1)
    checks.one_of("dtype", dtype, DTYPES)
    seats = one_for_each(learners, game.num_agents)
    spec = RunSpec(game, seats, dtype=dtype)
    check_learner(spec, spec.agents[agent])
    learner, made = seats[agent], seats[agent].rules
    seat = make_seats(spec)[agent]
    values = [seat.schedules[name] for name in made.parameters]
    values_of, advance = _schedules(tuple(kind for kind, _ in values))
    out = LearnerRules(
        signal=_signal(made.draw, made.words, game.num_actions[agent], dtype),
        choose=_rounding(made.choose, "tables, {p}, o, signal", dtype, len(made.parameters)),
        learn=_rounding(made.learn, "tables, {p}, t", dtype, len(made.parameters)),
        policy=None if made.policy is None else offered(made.policy),
        draw=None if made.draw is None else offered(made.draw),
        values=values_of,
        advance=advance,
        p=tuple(float(x[0]) for x in seat.values(slice(0, 1)).values()),
        schedule=_standing(values),
        tables=tuple(np.array(seat.tables[name][0]) for name in made.names),
        words=made.words,
    )
    if isinstance(learner, Learner):
        _try_out(out, made, spec.agents[agent].team, agent, game)
    return out


def game(game: Game) -> GameFunctions:
    """The functions of a game of functions, compiled, to call from your own jitted loop.

    game: a `ProceduralGame`. What other games are stands in their arrays (`game.payoffs`, or
    `game.rewards` and `game.transitions`).

    Raises TypeError for another game, CompileError where Numba cannot compile a function.
    """
    check_game(game)
    if not isinstance(game, ProceduralGame):
        raise TypeError(f"game must be a ProceduralGame, whose rules are functions, got {game!r}")
    moves = game.compact.moves
    assert isinstance(moves, Functions)
    given = [moves.start, moves.step, moves.observe]
    start, step, observe = (offered(function) for function in given)
    numbers = types.int64[::1]
    with _explained("functions of the game", given):
        _compile(start, numbers, numbers)
        _compile(step, numbers, numbers, types.float64[::1], numbers)
        _compile(observe, numbers, types.int64)
    sizes = moves.state_size, moves.words, moves.start_words
    return GameFunctions(start, step, observe, *(np.zeros(n, np.int64) for n in sizes))


_EVERY = {CONSTANT: "s[{k}, 0]", EXPONENTIAL: "exponential(s[{k}, 0], s[{k}, 2])",
          LINEAR: "linear(s[{k}, 0], s[{k}, 1], s[{k}, 2], s[{k}, 3])"}  # fmt: skip


def _standing(values: list[tuple[int, tuple[Any, Any, Any]]]) -> np.ndarray:
    """(parameters, 4): first, second and third of block.pxi, and the clock."""
    out = np.zeros((len(values), 4))
    for k, (kind, numbers) in enumerate(values):
        out[k, :3] = [np.ravel(x)[0] for x in numbers]
        if kind == EXPONENTIAL:
            out[k, 1] = exp(-out[k, 1], np.float64)
    return out


def _schedules(kinds: tuple[int, ...]) -> tuple[Any, Any]:
    """`values` and `advance` for parameters of these kinds."""
    now = "".join(_EVERY[kind].format(k=k) + ", " for k, kind in enumerate(kinds))
    steps = {CONSTANT: "pass", EXPONENTIAL: "s[{k}, 0] *= s[{k}, 1]", LINEAR: "s[{k}, 3] += 1.0"}
    lines = "".join(f"    {steps[kind].format(k=k)}\n" for k, kind in enumerate(kinds))
    text = f"def values(s):\n    return ({now})\n\n\ndef advance(s):\n{lines or '    pass'}"
    given = {"exponential": schedules.exponential, "linear": schedules.linear}
    made = _written(text, given)
    return offered(made["values"]), offered(made["advance"])


def _signal(draw: Any, words: int, actions: int, dtype: str) -> Any:
    """`signal` of a learner that draws so many words."""
    drawn = [f"next_word(stream) >> 1{',' * (words > 1)} " for _ in range(words)]
    if words == 0:
        lines = "return real(0.0)"
    elif words == 1:
        lines = "return real(draw(next_word(stream) >> 1, p, actions, real))"
    else:
        each = "".join(f"real(made[{w}]), " for w in range(words))
        lines = f"made = draw(({''.join(drawn)}), p, actions, real)\n    return ({each})"
    given = {"draw": draw, "next_word": next_word, "actions": actions}
    text = f"def signal(stream, p):\n    {lines}\n"
    return offered(_written(text, given | {"real": np.dtype(dtype).type})["signal"])


def _rounding(rule: Any, form: str, dtype: str, parameters: int) -> Any:
    """A rule that is given float64 parameters and computes in the type that it does in a run."""
    real = computes_in(rule, dtype)
    if real is np.float64:
        return offered(rule)
    rounded = "".join(f"real(p[{k}]), " for k in range(parameters))
    text = (
        f"def rounding({form.format(p='p')}):\n    return rule({form.format(p=f'({rounded})')})\n"
    )
    return offered(_written(text, {"rule": for_numba(rule, dtype), "real": real})["rounding"])


def _written(text: str, given: dict[str, Any]) -> dict[str, Any]:
    """The functions of a text that takes what is given from outside."""
    made = {"__name__": __name__, **given}
    exec(text, made)
    return made


def _try_out(
    made: LearnerRules, rules: Rules, team: tuple[int, ...], agent: int, game: Game
) -> None:
    """Compile it for the types that it will meet, so that what Numba refuses is said here."""
    real, n = made.tables[0].dtype.type, game.num_agents
    signal: Any = real(0.0) if rules.words < 2 else (real(0.0),) * rules.words
    numbers = np.zeros(n, np.int64)
    tables: tuple[Any, ...] = made.tables
    outcome: Any = Outcome(
        0, 0, real(0.0), real(0.0), 0, -1, False,
        np.zeros(game.num_actions[agent], real) if rules.counterfactual else None, signal, agent,
        *((numbers, np.zeros(n, real)) if rules.joint else (None, None)),
    )  # fmt: skip
    if rules.team:
        seen, m = np.zeros(len(team), np.int64), len(team)
        rewards = np.zeros(m, real)
        outcome = TeamOutcome(seen, seen, rewards, real(0.0), seen, False, (signal,) * m)
        tables = tuple(
            x if table.shared else (x,) * m
            for x, table in zip(made.tables, rules.tables, strict=True)
        )
    given = [f for f in (rules.draw, rules.choose, rules.learn) if f is not None]
    with _explained(f"rules of learners[{agent}]", given):
        _compile(made.signal, *map(numba.typeof, (numbers, made.p)))
        _compile(made.choose, *map(numba.typeof, (made.tables, made.p, 0, signal)))
        _compile(made.learn, *map(numba.typeof, (tables, made.p, outcome)))


def _compile(function: Any, *kinds: Any) -> None:
    """Compile a function for arguments of these types."""
    if is_dispatcher(function):  # else NUMBA_DISABLE_JIT is set
        function.compile(kinds)


@contextmanager
def _explained(what: str, functions: list[Callable[..., Any]]) -> Iterator[None]:
    try:
        yield
    except REFUSALS as error:
        raise explained(what, functions, error) from None
