"""The checks of the arguments of a run, before anything is allocated or compiled."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fastgames._common import checks
from fastgames._common.checks import check_fits
from fastgames._common.fields import MOST_STEPS, declared
from fastgames.engine import state
from fastgames.engine.spec import AgentSpec, RunSpec, nature_draws
from fastgames.engine.state import CONTRACT
from fastgames.engine.window import COUNTED
from fastgames.games import Game, ProceduralGame
from fastgames.games.procedural import check_states
from fastgames.games.variants import index_of, part_of
from fastgames.learners import RuleLearner
from fastgames.record import COUNTS, Counts, Record
from fastgames.registry import BACKENDS, DTYPES, STREAMS
from fastgames.schedules import NEVER, BaseSchedule, limits, numbers
from fastgames.stop import Stable

if TYPE_CHECKING:
    from fastgames.engine.parts import Part
    from fastgames.grids import Grid

PROGRESS = 25  # bytes for each replica: where it began, what it has taken, whether any is left
EARLIEST = 8  # and before which step it does not stop, if that is asked for
MAX_AGENTS = 62  # numpy has 64 axes, and rewards need (N, S, A_0, …)


def checked_spec(
    game: Any,
    learners: Any,
    *,
    steps: Any,
    replicas: Any,
    rng: Any,
    record: Any = None,
    stop: Any = None,
    dtype: Any = None,
    backend: Any = "auto",
    stream: Any = None,
    threads: Any = None,
    resume: Any = None,
    checked: Any = None,
    start_states: Any = None,
    start_tables: Any = None,
    reset: Any = None,
    only: Any = None,
    opening: Any = None,
    kept: bool = False,
    memory: bool = True,
) -> RunSpec:
    """Return the specification of a run; its arguments are those of `fastgames.run`.

    kept: whether `keep` was given

    Raises TypeError or ValueError if one is outside its domain, or, unless `memory` is False, the
    run does not fit into memory.
    """
    check_game(game)
    seats = one_for_each(learners, game.num_agents)
    steps = checks.whole("steps", steps, f"[1, {MOST_STEPS}]")
    count, grid = _check_replicas(game, replicas, resume)
    part = None if resume is None else resume.part
    if resume is not None:
        if part is not None:
            game = part_of(game, part.numbers, part.total, cut=True)
        count, dtype, stream = _agree_with(resume, game, rng, count, dtype, stream)
        grid = grid or resume.grid
    replicas = checks.whole("replicas", 1 if count is None else count, "[1, 2^48]")
    dtype = checks.one_of("dtype", "float64" if dtype is None else dtype, DTYPES)
    stream = checks.one_of("stream", "fastgames" if stream is None else stream, STREAMS)
    backend = checks.one_of("backend", backend, BACKENDS)
    if stream == "numpy" and replicas != 1:
        raise ValueError(f'replicas must be 1 with stream="numpy", got {replicas}')
    if only is not None:
        part = _check_only(only, replicas, rng, stream, resume)
    threads = checks.whole("threads", cpus() if threads is None else threads, "[1, 1024]")
    if checked is not None and not isinstance(checked, bool):
        raise TypeError(f"checked must be None, True or False, got {checked!r}")
    if start_states is not None:
        from fastgames.engine import starts

        start_states = starts.check_start_states(game, start_states, replicas, resume)
    if reset is not None:
        from fastgames.engine import starts

        reset = starts.check_reset(reset, seats, resume)
    opening_steps = 0 if resume is None else resume.state.opening_steps
    if opening is not None:
        from fastgames.engine import starts

        opening = starts.check_opening(game, opening, replicas)
        opening_steps = opening.shape[1]
    record = Record() if record is None else record
    spec = RunSpec(
        game, seats, replicas, dtype, stream, record, stop, steps, backend, threads, checked, grid,
        start_states, reset=reset, opening=opening, opening_steps=opening_steps, kept=kept,
    )  # fmt: skip
    if start_tables is not None:
        from fastgames.engine import starts

        spec = replace(spec, start_tables=starts.check_start_tables(spec, start_tables))
    if part is not None:
        from fastgames.engine import parts

        spec = parts.part_of(spec, part, resume)
    _check_stop(spec)
    _check_record(spec, resume)
    _check_backend(spec)
    for agent in spec.agents:
        check_learner(spec, agent)
        if resume is not None:
            from fastgames.engine.starts import check_resumed

            check_resumed(agent, resume.state.seats[agent.agent])
    _check_batches(spec, 0 if resume is None else int(resume.steps.max()))
    if memory:
        _check_memory(spec, 0 if resume is None else int(resume.steps[0]))
    return spec


def check_game(game: Any) -> None:
    """Raise if an argument is no game, or a game is larger than the engine can hold."""
    if not isinstance(game, Game):
        raise TypeError(
            "game must be a MatrixGame, a MarkovGame, a ProceduralGame or Variants of a game, "
            f"got {game!r}"
        )
    functions = isinstance(game, ProceduralGame)
    if isinstance(game, ProceduralGame):
        game.functions.check_unchanged("game", game)
    if game.num_agents > MAX_AGENTS and not functions:
        raise ValueError(f"game must have 1 to {MAX_AGENTS} agents, got {game.num_agents}")
    joint = math.prod(game.num_actions)
    if joint >= 2**31 and not functions:
        raise ValueError(f"game must have fewer than 2^31 joint actions, got {joint}")
    if max(game.num_actions) > 2**24:
        raise ValueError(f"game must have at most 2^24 actions, got {max(game.num_actions)}")
    for i, (rows, actions) in enumerate(zip(game.num_observations, game.num_actions, strict=True)):
        if rows * _padded(actions) >= 2**31:
            raise ValueError(
                f"game must have fewer than 2^31 observations x actions for each agent (rows are "
                f"padded to multiples of 16), agent {i} has {rows} x {actions}"
            )


def _padded(actions: int) -> int:
    """Return an upper bound of the entries of a padded row in the compiled core."""
    return -(-actions // 16) * 16 if actions > 4 else 4


def _check_replicas(game: Game, replicas: Any, resume: Any) -> tuple[Any, Grid | None]:
    """Return the number of replicas (None if not given) and the grid that was given, or None."""
    count, grid = replicas, None
    if not isinstance(replicas, int | None):
        from fastgames.grids import Grid

        if isinstance(replicas, Grid):
            count, grid = replicas.replicas, replicas
    index = index_of(game)
    of_part = resume is not None and resume.part is not None and game == resume.game
    if index is not None and not of_part:
        held = len(index)
        if count is not None and count != held:
            raise ValueError(
                f"replicas must be as many as the index of game has, {held}, got {count}"
            )
        count = held
    return count, grid


def _check_only(only: Any, replicas: int, rng: Any, stream: str, resume: Any) -> Part | None:
    """Return the part of a run that `only` selects; None if that is all of it."""
    from fastgames.engine import parts

    if resume is not None:
        raise ValueError(f"only must be None with resume, whose replicas go on, got {only!r}")
    if rng is None:
        raise ValueError("rng must be given with only: all parts of a run need the same seed")
    if stream == "numpy":
        raise ValueError(f'only must be None with stream="numpy", got {only!r}')
    numbers = parts.check_only(only, replicas)
    return None if numbers is None else parts.Part(numbers, replicas)


def _check_stop(spec: RunSpec) -> None:
    """Raise if `stop` is no Stable, or some epsilon never falls to its bound."""
    stop = spec.stop
    if stop is not None and not isinstance(stop, Stable):
        raise TypeError(f"stop must be None or a Stable, got {stop!r}")
    if stop is None or isinstance(stop.after, int):
        return
    schedules = [agent.schedules.get("epsilon") for agent in spec.agents]
    if all(schedule is None for schedule in schedules):
        raise ValueError(
            f"after of stop must be a step, a whole number, where no learner has an epsilon, got "
            f"{stop.after!r}"
        )
    from fastgames.schedules import falls_to

    for i, schedule in enumerate(schedules):
        if schedule is not None and getattr(schedule[1][0], "of_function", None) is not None:
            raise ValueError(
                f"after of stop must be a step, a whole number, where an epsilon is a function of "
                f"the step, got {stop.after!r}; epsilon of learners[{i}] is {schedule[1][0]!r}"
            )
        never = np.zeros(1) if schedule is None else falls_to(schedule, stop.after) >= NEVER
        if never.any():
            where = f" in replica {never.argmax()}" if never.ndim else ""
            raise ValueError(
                f"after of stop must be a bound that every epsilon falls to (or a step, a whole "
                f"number), got {stop.after!r}; epsilon of learners[{i}] never does{where}: no "
                "replica would ever stop"
            )


def one_for_each(learners: Any, agents: int) -> tuple[RuleLearner, ...]:
    """Return the learners, one for each agent; a single learner stands for all."""
    seats = (learners,) * agents if isinstance(learners, RuleLearner) else learners
    if isinstance(seats, str) or not isinstance(seats, Sequence):
        raise TypeError(f"learners must be a learner or a sequence of learners, got {learners!r}")
    for learner in seats:
        if not isinstance(learner, RuleLearner):
            raise TypeError(f"learners must be learners such as QLearner(), got {learner!r}")
    if len(seats) != agents:
        raise ValueError(
            f"learners must be one, or one for each of {agents} agents, got {len(seats)}"
        )
    for i, learner in {id(x): (i, x) for i, x in reversed(list(enumerate(seats)))}.values():
        if hasattr(learner, "functions"):  # a `Learner`: its module is not loaded for others
            learner.functions.check_unchanged(f"learners[{i}]", learner)
        for name, value in learner.values(0.0).items():
            made = value.of_function if isinstance(value, BaseSchedule) else None
            if made is not None:
                made.functions.check_unchanged(f"{name} of learners[{i}]", value)
    return tuple(seats)


def _agree_with(
    resume: Any,
    game: Game,
    rng: Any,
    replicas: int | None,
    dtype: str | None,
    stream: str | None,
) -> tuple[int, str, str]:
    """Return replicas, dtype and stream of `resume`; raise if an argument disagrees with it."""
    if resume.contract != CONTRACT:
        raise ValueError(
            f"resume must follow version {CONTRACT} of the contract on streams and events, got "
            f"version {resume.contract}; run it anew"
        )
    if rng is not None:
        raise ValueError(f"rng must be None with resume, which has its own streams, got {rng!r}")
    for name in ("num_actions", "num_observations", "num_states"):
        before, now = getattr(resume.game, name), getattr(game, name)
        if now != before:
            raise ValueError(f"game must have the {name} of resume, {before}, got {now}")
    if nature_draws(game) != nature_draws(resume.game):
        raise ValueError("game must leave something to chance if that of resume does, and else not")
    if (game.compact.time_limit > 0) != (resume.state.ages is not None):
        raise ValueError("game must have a time limit if that of resume has, and else none")
    if isinstance(game, ProceduralGame):
        check_states(game, resume.state.states)
    if resume.kept is not None:
        raise ValueError(
            "resume must have tables, got a result of a run with keep, which dropped them; run it "
            "without keep to go on from it"
        )
    broken = resume.state.error()
    if broken is not None:
        raise ValueError(
            f"tables of resume must be finite, got {broken.value} (replica {broken.replica}, step "
            f"{broken.step}): {broken.function} {broken.problem}"
        )
    known = {"replicas": resume.total, "dtype": resume.dtype, "stream": resume.stream}
    given = {"replicas": replicas, "dtype": dtype, "stream": stream}
    for name, value in given.items():
        if value is not None and value != known[name]:
            raise ValueError(f"{name} must be that of resume, {known[name]!r}, got {value!r}")
    return resume.total, resume.dtype, resume.stream


def _check_record(spec: RunSpec, resume: Any) -> None:
    """Raise if the run cannot take the record."""
    record, game = spec.record, spec.game
    if not isinstance(record, Record):
        raise TypeError(f"record must be a Record, got {record!r}")
    if record.last is not None and record.last > spec.steps:
        raise ValueError(f"record.last must be at most steps, {spec.steps}, got {record.last}")
    known = {name for learner in spec.learners for name in learner.rules.names}
    for name in record.tables:
        checks.one_of("record.tables", name, known)
    if record.every is not None and resume is not None and np.ptp(resume.steps):
        raise ValueError(
            "record.every needs replicas that stand at the same step; those of resume do not"
        )
    check_recordable(spec)
    if math.prod(game.num_actions) < 2**31 and game.num_agents <= MAX_AGENTS:
        return
    for count in COUNTS.values():
        if count.joint and getattr(record, count.asked):
            raise ValueError(
                f"record.{count.asked} must be False in a game of more than {MAX_AGENTS} agents or "
                f"2^31 joint actions; {game.name!r} has {game.num_agents} agents"
            )


def check_recordable(spec: RunSpec) -> None:
    """Raise ValueError if the record asks for something that the game does not have."""
    record, game, compact = spec.record, spec.game, spec.game.compact
    functions = spec.functions is not None
    ends = functions or compact.terminal is not None or compact.time_limit > 0
    without = {
        "state_visits": (functions, "a procedural game, whose states are not numbered"),
        "episodes": (not ends, "a game without terminal states and time limit: no episode ends"),
        "regret": (
            functions or compact.rewards.shape[2] > 1,
            "a game whose rewards depend on more than the joint action: what another action would "
            "have brought depends on the states that would have followed",
        ),
    }
    if compact.has_turns and not without["regret"][0]:
        without["regret"] = (True, "a game with turns: an agent that is not to move has no choice")
    for name, (lacking, why) in without.items():
        if lacking and getattr(record, name):
            raise ValueError(f"record.{name} must be False in {why}; got {game!r}")


def _check_backend(spec: RunSpec) -> None:
    """Raise if the backend lacks a body, or stream="numpy" does not know what a learner draws."""
    seats, backend, stream = spec.learners, spec.backend, spec.stream
    without = [i for i, learner in enumerate(seats) if learner.rules.twin is None]
    if backend == "cython" and without:
        raise ValueError(
            f'backend must be "auto", "numba" or "reference" for learners without a twin compiled '
            f'ahead; learners[{without[0]}] is {seats[without[0]]!r}, got "cython"'
        )
    if backend == "cython" and spec.functions is not None:
        raise ValueError(
            'backend must be "auto", "numba" or "reference" for a game of functions, got "cython"'
        )
    if stream == "numpy":
        from fastgames.rules.listing import LISTINGS

        for i, learner in enumerate(seats):
            if learner.rules.words and learner.rules.draw not in LISTINGS:
                raise ValueError(
                    f'stream must be "fastgames" for a learner that draws as no listing does; '
                    f"learners[{i}] is {learner!r}"
                )
            if learner.rules.mediator:
                raise ValueError(
                    'stream must be "fastgames" for a learner that asks for the mediator; '
                    f"learners[{i}] is {learner!r}"
                )


def check_learner(spec: RunSpec, agent: AgentSpec) -> None:
    """Raise if a learner does not fit its agent: shapes, values that the tables cannot hold."""
    learner, who = agent.learner, f"learners[{agent.agent}]"
    for table in agent.rules.tables:
        shape = (spec.replicas, *agent.shapes[table.name])
        if math.prod(shape[1:]) >= 2**31:
            raise ValueError(
                f"table {table.name!r} of {who} must have fewer than 2^31 entries, its shape is "
                f"{shape[1:]}"
            )
        _check_start(who, learner, table.name, agent.starts[table.name], shape)
    if agent.rules.counterfactual and agent.waits:
        _check_waits(spec.game, agent, who)
    for i in agent.opponents:
        if spec.learners[i].rules.twin == "outside":
            raise ValueError(
                f'asks of {who} must not include "opponents" where actions of an agent come from '
                f"outside, as those of agent {i}: it has no tables"
            )
        if agent.rules.reads not in ("", spec.learners[i].table):
            raise ValueError(
                f"learners[{i}] must have the table {agent.rules.reads!r}, which {who} reads, got "
                f"{spec.learners[i]!r}"
            )
    for name, value in agent.values.items():
        for part in numbers(value).values():
            if isinstance(part, np.ndarray) and part.shape != (spec.replicas,):
                raise ValueError(
                    f"{name} of {who} must be a number or an array ({spec.replicas},), "
                    f"one value for each replica, got shape {part.shape}"
                )
    check = getattr(learner, "check", None)
    if check is not None:
        check(spec.game, agent.agent)
    if agent.rules.team and agent.first:
        learner.check_team(spec.game, agent.team)
    smallest = float(np.finfo(spec.dtype).tiny)
    if "temperature" in agent.values and hasattr(learner, "explore"):
        _check_least("temperature", agent, smallest, spec.dtype)
    if "omega" in agent.values:  # times a mean temperature of at least 1e-6
        _check_least("omega", agent, 1e7 * smallest, spec.dtype)
    _check_sizes(spec, agent, who)


def least_steps(spec: RunSpec) -> int:
    """Return the steps before the first update of every learner, at least."""
    return max(learner.least_steps for learner in spec.learners)


def _check_batches(spec: RunSpec, begun: int) -> None:
    """Raise ValueError if a learner's batch is longer than the run; begun: steps taken before."""
    steps = begun + spec.steps
    for i, learner in enumerate(spec.learners):
        if learner.least_steps > steps:
            batch = " * ".join(learner.batch)
            raise ValueError(
                f"{batch} of learners[{i}] must be at most the steps of the run, {steps}, "
                f"got {learner.least_steps}; it would never learn"
            )


def _check_waits(game: Game, agent: AgentSpec, who: str) -> None:
    """Raise ValueError if the agent needs counterfactual rewards and may wait after its move."""
    compact = game.compact
    if not compact.has_turns:
        return
    from fastgames.games.turns import may_wait  # few runs need it

    # Where functions say who moves, it is not known.
    if compact.turns is None or may_wait(compact, game.num_actions, agent.team):
        raise ValueError(
            f"{who} needs counterfactual rewards, which are undefined in games with turns in which "
            "others move between two of its moves: their replies to the actions that it did not "
            f"play are not known; use a learner of its own rewards, such as Exp3 or QLearner, got "
            f"{agent.learner!r} in {game.name!r}"
        )


def _check_start(
    who: str, learner: RuleLearner, name: str, start: np.ndarray, shape: tuple[int, ...]
) -> None:
    try:
        fits = np.broadcast_shapes(start.shape, shape) == shape
    except ValueError:
        fits = False
    if not fits:
        what = "initial" if learner.learns else "probabilities"
        if name != learner.table:
            what = name if name in learner.forms() else f"initial of table {name!r}"
        raise ValueError(f"{what} of {who} must broadcast to {shape}, got shape {start.shape}")
    if not learner.learns and start.shape[-1] != shape[-1]:
        raise ValueError(
            f"probabilities of {who} must have {shape[-1]} actions, got {start.shape[-1]}"
        )


def _check_least(name: str, agent: AgentSpec, least: float, dtype: str) -> None:
    """Raise if a parameter that is divided by, as its schedule computes it, is below `least`."""
    ends = limits(agent.values[name])
    found = min((float(np.min(end)) for end in ends), default=least)  # of functions: `tabulated`
    if found < least:
        raise ValueError(
            f"{name} of learners[{agent.agent}] must be at least {least:.3g} in {dtype}, "
            f"got {found}"
        )


def _check_sizes(spec: RunSpec, agent: AgentSpec, who: str) -> None:
    """Raise unless tables stay finite: |q| <= max(|initial|, |reward| / (1 - gamma))."""
    game, dtype, start = spec.game, spec.dtype, agent.starts[agent.learner.table]
    gamma = agent.values.get("gamma", game.discount)
    most = max((float(np.max(end)) for end in limits(gamma)), default=1.0)
    functions = isinstance(game, ProceduralGame)
    ends = functions or game.compact.terminal is not None or game.compact.time_limit > 0
    if not limits(gamma) and not ends:
        raise ValueError(
            f"gamma of {who} must have known bounds where episodes do not end, as numbers and "
            f"schedules other than Schedule have, got {gamma!r}"
        )
    if np.dtype(dtype).type(most) >= 1.0 and not ends:
        rounded = f", which {dtype} rounds to 1" if most < 1.0 else ""
        raise ValueError(
            f"gamma of {who} must be below 1 where episodes do not end, got {most}{rounded}"
        )
    largest = float(np.finfo(dtype).max) / 8  # differences and sums of two such must fit as well
    share = max(1.0 - most, 2.0**-62)  # with gamma 1, a step adds at most one reward
    sizes = {
        "rewards of game": (_largest_reward(game, agent.agent), largest * share),
        f"initial of {who}": (np.abs(start).max(), largest),
    }
    for name, (size, limit) in sizes.items():
        if size > limit:
            raise ValueError(f"{name} must be at most {limit:.3g} in size in {dtype}, got {size}")


def _largest_reward(game: Game, agent: int) -> float:
    if isinstance(game, ProceduralGame):
        return game.largest_reward
    return float(np.abs(game.compact.rewards[agent]).max())


class Memory(NamedTuple):
    """The bytes that a run needs.

    Attributes
    ----------
    each : int
        Of each replica, in the result and while the run works.
    result : int
        Of all arrays of the result.
    kept : int
        Of those that stay with `keep`, without what `keep` returns.
    working : int
        Besides the result, while the run works: its blocks, the progress of each replica.
    """

    each: int
    result: int
    kept: int
    working: int


def memory_of(spec: RunSpec, begun: int = 0) -> Memory:
    """Return the bytes that a run needs.

    begun: the steps that the first replica has already taken; tells how many snapshots there are.
    """
    game, record, replicas = spec.game, spec.record, spec.replicas
    count, recorded = len(record.times(begun, spec.steps)), 0
    if count:
        from fastgames.engine import snapshots

        recorded = snapshots.bytes_each(spec, count)
    size = state.bytes_each(spec) + recorded
    each = size + PROGRESS + (EARLIEST if spec.stop is not None and spec.stop.after else 0)
    if spec.opening_steps <= spec.steps and spec.stop is None:  # it is discarded once played
        size -= sum(x.size(spec) for x in state.FIELDS if x.name.startswith("opening"))
    working = (each - size) * replicas + 92 * count
    if spec.window:  # windows are counted up some at a time
        last = [array for array in declared(Counts) if COUNTS[array.name].last]
        counts = sum(array.size(spec) for array in last)
        working += min(replicas, COUNTED) * (counts + 8 * (2 * game.num_agents + 8))
    if spec.backend != "reference":
        from fastgames.engine.compiled import block_bytes, layout

        threads, capacity = layout(spec, replicas, spec.threads)
        working += threads * block_bytes(spec, capacity)
    if spec.kept:
        most = min(replicas, spec.threads * state.most_of_chunk(spec))
        working += most * state.bytes_each(replace(spec, kept=False))
    kept = (state.bytes_each(replace(spec, kept=True)) + recorded) * replicas + 8 * count
    return Memory(each, size * replicas + 8 * count, kept, working)


def _check_memory(spec: RunSpec, begun: int) -> None:
    """Raise if the run does not fit into memory; begun: as for `memory_of`."""
    need = memory_of(spec, begun)
    name = _largest_part(spec, need.each)
    kept = None if spec.kept else need.kept
    check_fits(name, "replicas", spec.replicas, need.result + need.working, need.each, kept)


def _largest_part(spec: RunSpec, each: int) -> str:
    """Return the argument that takes most of the `each` bytes of a replica."""
    sizes: dict[str, int] = {}
    for array in declared(Counts):
        asked = COUNTS[array.name].asked
        sizes[asked] = sizes.get(asked, 0) + array.size(spec)
    largest = max(sizes, key=lambda name: sizes[name])
    if 2 * sizes[largest] <= each:
        return "replicas (and what is recorded)"
    return f"record.{largest} of {sizes[largest]:,} bytes for each replica"


def cpus() -> int:
    """Return the number of CPUs that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1
