"""Results as files: `save`, `load`, and the checks of all that a file holds.

Whatever a kernel uses as an index, or makes one of, is held against its range. Before a file is
written its contents pass the same checks, so what `save` accepts, `load` accepts.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from fastgames._common import checks
from fastgames._common.fields import MOST_STEPS, declared
from fastgames._common.seeds import generator_of
from fastgames.engine.arguments import check_learner, check_recordable
from fastgames.engine.parts import Part
from fastgames.engine.snapshots import KINDS as KINDS_OF_SNAPSHOTS
from fastgames.engine.snapshots import Snapshots
from fastgames.engine.spec import AgentSpec, RunSpec
from fastgames.engine.state import Pending, Seat, State
from fastgames.games import Game, ProceduralGame
from fastgames.games.procedural import check_observations, check_states
from fastgames.games.variants import part_of
from fastgames.io.archive import FORMAT, Archive, Held, first, plain, read, write
from fastgames.io.codec import (
    check_given,
    decode_game,
    decode_grid,
    decode_learner,
    encode,
    encode_game,
    encode_grid,
)
from fastgames.learners import Learner, RuleLearner
from fastgames.record import Record
from fastgames.registry import DTYPES, STREAMS
from fastgames.result import Result
from fastgames.stop import Stable

KEPT = ("bool", "int64", "float32", "float64")  # types of the arrays that `keep` returned
ALWAYS_RECORDED = (  # the fields of `Record` in every file; never add one, see `recorded`
    "every", "tables", "greedy", "policies", "flips", "joint_actions", "rewards", "last",
)  # fmt: skip


def save(result: Result, path: str | Path) -> None:
    """Write `result` to `path`; an existing file is replaced only once the new one is complete.

    Raises ValueError where `load` would refuse the file, as where a table has an infinite entry,
    and OSError where it cannot be written; then nothing is left behind.
    """
    write(path, *checked_contents(result))


def load(
    path: str | Path,
    game: Game | None = None,
    learners: RuleLearner | Sequence[RuleLearner] | None = None,
) -> Result:
    """Read a result that `Result.save` wrote.

    Parameters
    ----------
    path : str or Path
        A regular file.
    game, learners : Game, learner or sequence of learners, optional
        As they were given to `run`; needed where they are made of functions of yours, which no file
        holds. They must be the same: source, constants, parameters.

    Returns
    -------
    Result

    Raises
    ------
    OSError
        If the file cannot be read.
    MemoryError
        If the file is larger than memory.
    ValueError
        If the file is not a result, is damaged, or is of another version.
    """
    given = learners if learners is None or isinstance(learners, Sequence) else (learners,)
    return read(path, lambda file: result_of(file, game, given))


def checked_contents(result: Result) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return `contents`; ValueError if `load` would refuse a file that holds them."""
    header, arrays = contents(result)
    try:
        text = json.dumps(header, default=plain)
        with np.errstate(all="ignore"):
            held, read = Held(arrays), json.loads(text)
            _result(held, read, result.game, result.learners, _part(held, read))
    except (ValueError, TypeError, LookupError) as error:
        reason = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        raise ValueError(f"result must be one that a file can hold: {reason}") from None
    return header, arrays


def contents(result: Result, former: bool = False) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return the header of a result's file, and its arrays by name (not copies).

    former: write the digests of functions as earlier revisions did
    """
    state, stop, sweep = result.state, result.stop, result.grid
    arrays: dict[str, np.ndarray] = {}
    pairs = zip(state.seats, result.spec.agents, strict=True)
    names = [_names(seat, agent) for seat, agent in pairs]
    learners = enumerate(result.learners)
    header = {
        "format": FORMAT,
        "contract": result.contract,
        "game": encode_game(result.game, arrays, former),
        "learners": [encode(x, arrays, f"learners/{i}", former) for i, x in learners],
        "record": recorded(result.record),
        "stop": None if stop is None else vars(stop),
        "grid": None if sweep is None else encode_grid(sweep),
        "seed": result.seed,
        "dtype": result.dtype,
        "stream": result.stream,
        "replicas": result.replicas,
        "generator": state.generator,
        "tables": names,
    }
    if state.opening_steps:  # else the file is that of earlier revisions
        header["opening"] = state.opening_steps
    arrays |= _held(state, "state")
    for i, seat in enumerate(state.seats):
        arrays |= _held(seat, f"state/{i}")
        arrays |= {_place(f"state/{i}", name): seat.tables[name] for name in names[i]}
        arrays |= {f"state/{i}/recurrence/{name}": v for name, v in seat.recurrence.items()}
        if seat.pending is not None:
            arrays |= _held(seat.pending, f"state/{i}/pending")
    if result.snapshots is not None:
        arrays |= {f"snapshots/{name}": a for name, a in result.snapshots.arrays().items()}
    if result.kept is not None:
        header["kept"] = {name: array.dtype.name for name, array in result.kept.items()}
        arrays |= {f"kept/{name}": _stored(array) for name, array in result.kept.items()}
    if result.part is not None:
        header["part"] = {"total": result.part.total, "call": result.part.call}
        arrays["numbers"] = result.part.numbers
    return header, arrays


def _stored(array: np.ndarray) -> np.ndarray:
    """Return an array in a type that files have."""
    return array.view(np.uint8) if array.dtype == np.bool_ else array


def _kept(file: Held, header: dict[str, Any], replicas: int) -> dict[str, np.ndarray] | None:
    """Return what `keep` returned, None for a run without it."""
    if "kept" not in header:
        return None
    kept = {}
    for name, dtype in header["kept"].items():
        if not name.isidentifier() or dtype not in KEPT:
            raise ValueError(f"kept has {name!r} of type {dtype!r}")
        array = file.array(f"kept/{name}", "uint8" if dtype == "bool" else dtype)
        if not array.ndim or len(array) != replicas:
            raise ValueError(f"kept/{name} has shape {array.shape}")
        if dtype == "bool" and array.size and array.max() > 1:
            raise ValueError(f"kept/{name} has entries other than 0 and 1")
        kept[name] = array.view(np.bool_) if dtype == "bool" else array
    return kept


def recorded(record: Record) -> dict[str, Any]:
    """Return the fields of a record that files have, by name.

    A field that `Record` did not always have is there only if it is set: so files and digests of
    calls that do not use it are those of earlier revisions.
    """
    values = {field.name: (getattr(record, field.name), field.default) for field in fields(record)}
    return {
        name: value
        for name, (value, default) in values.items()
        if name in ALWAYS_RECORDED or value != default
    }


def _held(holder: State | Seat | Pending, where: str) -> dict[str, np.ndarray]:
    """Return the declared arrays that are there, by their names in the file."""
    kind: type = type(holder)
    found = {each.name: getattr(holder, each.name) for each in declared(kind)}
    return {f"{where}/{name}": array for name, array in found.items() if array is not None}


def _place(where: str, table: str) -> str:
    """Return where a file has a table: under its name, unless the clock of the seat has that."""
    return f"{where}/tables/clock" if table == "clock" else f"{where}/{table}"


def _names(seat: Seat, agent: AgentSpec) -> list[str]:
    """Return the names of the tables in the file; what a team shares is its first member's."""
    left_out = set()
    if not agent.first:
        left_out = {table.name for table in agent.rules.tables if table.shared}
    if not seat.learner.learns:  # its policy is among its parameters
        left_out.add(seat.learner.table)
    return [name for name in seat.tables if name not in left_out]


def result_of(
    file: Archive, given: Game | None = None, seats: Sequence[RuleLearner] | None = None
) -> Result:
    """Return the result in a file; given, seats: games and learners made of functions."""
    header = file.header()
    check_given(header, given, seats)
    replicas = checks.whole("replicas", header["replicas"], "[1, inf)")
    part = _part(file, header)
    if part is not None and given is not None:
        given = part_of(given, part.numbers, part.total, cut=True)
    return _result(file, header, decode_game(file, header["game"], replicas, given), seats, part)


def _part(file: Held, header: dict[str, Any]) -> Part | None:
    """Return which replicas a file holds; None if it holds all of a run."""
    if "part" not in header:
        return None
    total, call = header["part"]["total"], header["part"]["call"]
    replicas = checks.whole("replicas", header["replicas"], "[1, inf)")
    total = checks.whole("total", total, f"[{replicas}, 2^48]")
    numbers = file.array("numbers", "int64", (replicas,), (0, total - 1))
    if not (np.diff(numbers) > 0).all():
        raise ValueError("numbers are not ascending")
    if not isinstance(call, str):
        raise ValueError(f"call must be a text, got {call!r}")
    numbers.setflags(write=False)
    return Part(numbers, total, call)


def _result(
    file: Held,
    header: dict[str, Any],
    game: Game,
    seats: Sequence[RuleLearner] | None,
    part: Part | None,
) -> Result:
    """Return the result of a header and arrays; raise if any part of it is out of range."""
    replicas = checks.whole("replicas", header["replicas"], "[1, inf)")
    if part is not None and seats is not None:
        seats = [learner.part(part.numbers, part.total, cut=True) for learner in seats]
    learners = tuple(decode_learner(file, x, i, seats) for i, x in enumerate(header["learners"]))
    if len(learners) != game.num_agents or len(header["tables"]) != game.num_agents:
        raise ValueError(f"it has {len(learners)} learners for {game.num_agents} agents")
    record = Record(**header["record"])
    stop = None if header["stop"] is None else Stable(**header["stop"])
    sweep = (
        None
        if header["grid"] is None
        else decode_grid(header["grid"], part.total if part else replicas)
    )
    dtype = checks.one_of("dtype", header["dtype"], DTYPES)
    stream = checks.one_of("stream", header["stream"], STREAMS)
    seed = header["seed"]
    if seed is not None:
        seed = checks.whole("seed", seed, "[0, 2^64)")
    opening = checks.whole("opening", header.get("opening", 0), f"[0, {MOST_STEPS}]")
    spec = RunSpec(
        game, learners, replicas, dtype, stream, record, stop, grid=sweep, opening_steps=opening,
        part=part, kept="kept" in header,
    )  # fmt: skip
    check_recordable(spec)
    # Tables first: what learners start from may be as large, and only then is known to be there.
    seats_read = [
        _seat(file, f"state/{agent.agent}", names, agent)
        for agent, names in zip(spec.agents, header["tables"], strict=True)
    ]
    for agent, seat in zip(spec.agents, seats_read, strict=True):
        check_learner(spec, agent)
        for table in () if spec.kept else agent.rules.tables:
            if table.shared:
                seat.tables[table.name] = seats_read[agent.team[0]].tables[table.name]
    state = _state(file, spec, seats_read, header["generator"])
    contract = _contract(header["contract"], seats_read)
    snapshots = _snapshots(file, spec, seats_read)
    return Result(
        game, learners, record, seed, dtype, stream, snapshots, state, stop, sweep,
        contract, part, _kept(file, header, replicas),
    )  # fmt: skip


def _contract(version: int, seats: list[Seat]) -> int:
    """Return the version of the contract that the bits of a file of this version follow.

    Versions 2 and 3 differ only in exponential schedules that fell below the normal numbers.
    """
    same = all(
        ((v >= sys.float_info.min) | (v == seat.schedules[name][1][0])).all()
        for seat in seats
        for name, v in seat.recurrence.items()
    )
    return 3 if version == 2 and same else version


def _arrays(file: Held, kind: type, spec: RunSpec | AgentSpec, where: str) -> dict[str, np.ndarray]:
    """Return the arrays that a run holds of a kind, each checked against its declaration."""
    return {
        each.name: file.array(
            f"{where}/{each.name}", each.type(spec).name, each.shape(spec), each.bounds(spec)
        )
        for each in declared(kind)
        if each.present(spec)
    }


def _seat(file: Held, where: str, names: list[str], agent: AgentSpec) -> Seat:
    learner, replicas, dtype = agent.learner, agent.replicas, agent.dtype
    tables = {}
    known = {} if agent.kept else {table.name: table for table in agent.rules.tables}
    if agent.kept and names:
        raise ValueError(f"{where} has tables, which keep dropped")
    for name in names:
        if not isinstance(name, str) or not name.isidentifier():
            raise ValueError(f"{where} has a table with the name {name!r}")
        kind, size = None, None
        if name in known:
            size = (replicas, *agent.shapes[name])
            kind = known[name].dtype(dtype)
        tables[name] = array = _table(file, _place(where, name), kind, size, dtype, replicas)
        counts = name in known and not isinstance(learner, Learner)  # what the library counts
        _check_table(f"tables[{agent.agent}][{name!r}]", array, counts)
    for name, table in known.items() if learner.learns else ():
        if name not in tables and not (table.shared and not agent.first):
            raise ValueError(f"{where} has no table {name!r}")
    if not learner.learns and not agent.kept:
        start = agent.starts[learner.table].astype(dtype)
        shape = (replicas, agent.observations, agent.actions)
        tables[learner.table] = np.broadcast_to(start, shape)
    recurrence = {}
    for name in agent.exponentials:
        v = recurrence[name] = file.array(f"{where}/recurrence/{name}", "float64", (replicas,))
        if not ((v >= 0.0) & (v <= agent.schedules[name][1][0])).all():
            raise ValueError(f"{where}/recurrence/{name} is not between 0 and its start")
    pending = None
    if agent.waits:
        pending = Pending(**_arrays(file, Pending, agent, f"{where}/pending"))
    arrays = _arrays(file, Seat, agent, where)
    return Seat(
        learner=learner,
        schedules=agent.schedules,
        tables=tables,
        recurrence=recurrence,
        pending=pending,
        **arrays,
    )


def _table(
    file: Held,
    name: str,
    kind: np.dtype[Any] | None,
    shape: tuple[int, ...] | None,
    dtype: str,
    replicas: int,
) -> np.ndarray:
    """Return a table; kind and shape are None for one that no learner has any more."""
    array = file.array(name, None if kind is None else kind.name, shape)
    if len(array) != replicas or array.dtype not in (np.dtype(dtype), np.dtype("int64")):
        raise ValueError(f"{name} has shape {array.shape}, type {array.dtype}")
    return array


def _check_table(name: str, array: np.ndarray, counts: bool) -> None:
    """Raise ValueError unless a table is finite and, if its whole numbers are counts, in range."""
    if not array.size:
        return
    low, high = array.min(), array.max()
    if array.dtype.kind == "f" and not np.isfinite([low, high]).all():
        value, place = first(array, ~np.isfinite(array))
        raise ValueError(f"{name} must be finite, got {value} {place}")
    if array.dtype.kind == "i" and counts and not 0 <= low <= high <= MOST_STEPS:
        value, place = first(array, (array < 0) | (array > MOST_STEPS))
        raise ValueError(f"{name} must be in [0, {MOST_STEPS}], got {value} {place}")


def _state(file: Held, spec: RunSpec, seats: list[Seat], generator: Any) -> State:
    arrays = _arrays(file, State, spec, "state")
    states, terminal = arrays["states"], spec.game.compact.terminal
    if spec.kept:
        generator = None
    elif spec.stream == "fastgames":
        if not arrays["streams"].any(axis=-1).all():
            raise ValueError("state/streams has a state of zeros")
        if spec.mediated and not arrays["mediator"].any(axis=-1).all():
            raise ValueError("state/mediator has a state of zeros")
        generator = None
    else:
        generator_of(generator)
    if isinstance(spec.game, ProceduralGame):
        check_states(spec.game, states)
        check_observations(spec.game, states)
    if terminal is not None and terminal[states].any():
        raise ValueError("state/states has a terminal state")
    return State(seats=seats, generator=generator, **arrays)


def _forms(agent: AgentSpec, seat: Seat) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Return the type and the shape of each of an agent's tables during the run."""
    if agent.kept:
        tables = {table.name: table.dtype(agent.dtype).name for table in agent.rules.tables}
        return {x: (dtype, (agent.replicas, *agent.shapes[x])) for x, dtype in tables.items()}
    return {name: (table.dtype.name, table.shape) for name, table in seat.tables.items()}


def _snapshots(file: Held, spec: RunSpec, seats: list[Seat]) -> Snapshots | None:
    record = spec.record
    if record.every is None:
        return None
    steps = file.array("snapshots/steps", "int64", within=(0, MOST_STEPS))
    if steps.ndim != 1:
        raise ValueError(f"snapshots/steps has shape {steps.shape}")
    tables = [
        {
            name: file.array(f"snapshots/tables/{i}/{name}", dtype, (len(steps), *shape))
            for name, (dtype, shape) in _forms(spec.agents[i], seat).items()
            if name in record.tables
        }
        for i, seat in enumerate(seats)
    ]
    kinds: dict[str, Any] = {}
    for kind in KINDS_OF_SNAPSHOTS:
        kinds[kind.name] = None
        if getattr(record, kind.name):
            kinds[kind.name] = [
                file.array(
                    f"snapshots/{kind.name}/{agent.agent}",
                    kind.dtype,
                    (len(steps), spec.replicas, *kind.dims(agent)),
                    kind.bounds(agent),
                )
                for agent in spec.agents
            ]
    return Snapshots(steps, tables, **kinds)
