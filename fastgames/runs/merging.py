"""`merge`: the result of a run from the results of its parts."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from fastgames._common.fields import declared
from fastgames._common.frozen import joined
from fastgames.engine.parts import chunk_of, with_part
from fastgames.engine.snapshots import KINDS, Snapshots
from fastgames.engine.spec import AgentSpec, RunSpec
from fastgames.engine.state import FIELDS, Pending, Seat, State
from fastgames.errors import stretches
from fastgames.games import Game
from fastgames.games.variants import index_of
from fastgames.io.results import load
from fastgames.learners import RuleLearner
from fastgames.result import Result

_Places = list[np.ndarray]  # of each part, where its replicas are among all


def merge(
    parts: Any,
    partial: bool = False,
    *,
    game: Game | None = None,
    learners: RuleLearner | Sequence[RuleLearner] | None = None,
) -> Result:
    """Return the result of a run from the results of its parts, with the bits of one call.

    Parameters
    ----------
    parts : sequence of Result, str or Path, or one path
        Parts of one run, made by `run` with `only`, in any order: results, files that
        `Result.save` wrote, and folders of such files. Files whose names begin with a dot are left
        out. All replicas of the run must be there, each once.
    partial : bool
        Allow missing replicas, and warn of them. The result is then a part itself, which can be
        merged with others.
    game, learners : Game, learner or sequence of learners, optional
        As they were given to `run`; needed where they are made of functions of yours, which no file
        holds.

    Returns
    -------
    Result

    Raises
    ------
    TypeError, ValueError
        If there is no part, parts are of different calls or have taken different numbers of steps,
        or a replica is in two parts or in none.
    OSError
        If a file cannot be read.

    Warns
    -----
    RuntimeWarning
        If `partial` is True and replicas are missing.

    Notes
    -----
    Parts are of one call if the arguments of `run` were equal but for `only`, `backend`, `threads`,
    `progress`, `checked` and the checkpoint. Parts that were resumed are merged if all were resumed
    by equal calls.

    Examples
    --------
    >>> import fastgames as fg
    >>> def part(only):
    ...     game, learner = fg.games.matching_pennies(), fg.QLearner()
    ...     return fg.run(game, learner, steps=100, replicas=10, rng=7, only=only)
    >>> merge([part(slice(0, 6)), part([9, 8, 7, 6])])
    <Result of matching pennies: QLearner, QLearner; 10 replicas, 100 steps, float64, seed 7>
    """
    if not isinstance(partial, bool):
        raise TypeError(f"partial must be True or False, got {partial!r}")
    found = _results(parts, game, learners)
    if not found:
        raise ValueError(f"parts must have at least 1 part, got none in {parts!r}")
    names, results = [name for name, _ in found], [result for _, result in found]
    first = results[0]
    _check_calls(names, results)
    numbers = np.concatenate([result.numbers for result in results])
    order = np.argsort(numbers, kind="stable")
    _check_overlaps(names, results, numbers[order], order)
    missing = np.setdiff1d(np.arange(first.total), numbers, assume_unique=True)
    if len(missing) and not partial:
        raise ValueError(
            f"parts must have all {first.total} replicas of the run, got none of "
            f"{stretches(missing)}"
        )
    if len(missing):
        warnings.warn(
            f"merged {len(numbers)} of {first.total} replicas, none of {stretches(missing)}",
            RuntimeWarning,
            stacklevel=2,
        )
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    places = np.split(place, np.cumsum([result.replicas for result in results])[:-1])
    part = None
    if len(missing) and first.part is not None:
        part = first.part._replace(numbers=numbers[order])
    spec = replace(
        first.spec, game=_game(names, results, places), learners=_learners(names, results, places),
        replicas=len(order), opening_steps=0, part=part,
    )  # fmt: skip
    return joined_results(spec, results, places)


def _results(parts: Any, game: Game | None, learners: Any) -> list[tuple[str, Result]]:
    """Return the parts, each with its name for errors."""
    if isinstance(parts, str | os.PathLike):
        parts = [parts]
    if not isinstance(parts, Sequence):
        raise TypeError(f"parts must be a sequence of results or paths, or a path, got {parts!r}")
    found: list[tuple[str, Result]] = []
    for k, each in enumerate(parts):
        if isinstance(each, Result):
            found.append((f"parts[{k}]", each))
        elif isinstance(each, str | os.PathLike):
            found += [(str(path), load(path, game, learners)) for path in _files(Path(each))]
        else:
            raise TypeError(f"parts[{k}] must be a Result or a path, got {each!r}")
    return found


def _files(path: Path) -> list[Path]:
    """Return the files of a folder, in the order of their names, or the path of a file."""
    if not path.is_dir():
        return [path]
    return sorted(each for each in path.iterdir() if not each.name.startswith("."))


def _check_calls(names: list[str], results: list[Result]) -> None:
    """Raise ValueError if two parts are of different calls, or have taken different steps."""
    for name, result in zip(names[1:], results[1:], strict=True):
        for what, was, got in _compared(results[0], result):
            if was != got:
                raise _of_another_call(names[0], name, what, was, got)
    going_on = [result.steps[~result.stopped] for result in results]
    target = max((int(steps.max()) for steps in going_on if len(steps)), default=0)
    for name, steps in zip(names, going_on, strict=True):
        if len(steps) and steps.min() != target:
            raise ValueError(
                f"parts must have taken the same number of steps, {target}, got {name} with a "
                f"replica that has taken {steps.min()}; resume it first"
            )


def _compared(first: Result, other: Result) -> list[tuple[str, Any, Any]]:
    """Return what two parts must have in common: its name, and the values of both."""
    same = ("seed", "total", "dtype", "stream", "contract", "stop", "grid", "record")
    found = [(name, getattr(first, name), getattr(other, name)) for name in same]
    for what, of in (
        ("learners", _kinds),
        ("what keep returned", form_of_kept),
        ("steps or first states or tables of digest", _call),
    ):
        found.append((what, of(first), of(other)))
    return found


def _kinds(result: Result) -> str:
    """Return the classes of the learners."""
    return ", ".join(type(learner).__name__ for learner in result.learners)


def form_of_kept(result: Result) -> dict[str, tuple[str, tuple[int, ...]]] | None:
    """Return type and shape, without the replicas, of each array that `keep` returned."""
    kept = result.kept
    if kept is None:
        return None
    return {name: (array.dtype.name, array.shape[1:]) for name, array in kept.items()}


def _call(result: Result) -> str:
    """Return the digest of what a call gave and its result does not tell."""
    return "" if result.part is None else result.part.call[:16]


def _of_another_call(first: str, name: str, what: str, was: Any, got: Any) -> ValueError:
    """Return the error for two parts that differ."""
    return ValueError(
        f"parts must be of one call, got {first} with {what} {was!r} and {name} with {got!r}"
    )


def _check_overlaps(
    names: list[str], results: list[Result], numbers: np.ndarray, order: np.ndarray
) -> None:
    """Raise ValueError if a replica is in two parts; numbers: of all parts, ascending."""
    twice = np.flatnonzero(numbers[1:] == numbers[:-1])
    if not len(twice):
        return
    owner = np.repeat(np.arange(len(results)), [result.replicas for result in results])
    one, other = (names[owner[order[k]]] for k in (twice[0], twice[0] + 1))
    raise ValueError(
        f"parts must not overlap, got replica {numbers[twice[0]]} in both {one} and {other}, and "
        f"{len(twice)} such replicas in all"
    )


def joined_results(spec: RunSpec, results: Sequence[Result], places: _Places) -> Result:
    """Return the result of all replicas.

    spec: of all replicas; places: of each result, where its replicas are among all
    """
    first = results[0]
    states = [result.state for result in results]
    arrays: dict[str, Any] = {}
    for field in FIELDS:
        own = [getattr(state, field.name) for state in states]
        like = next((array for array in own if array is not None), None)
        if like is not None:  # a part that has played its opening has none any more
            own = [
                np.zeros((len(place), *like.shape[1:]), like.dtype) if array is None else array
                for array, place in zip(own, places, strict=True)
            ]
            arrays[field.name] = joined(own, places)
    seats: list[Seat] = []
    for agent in spec.agents:
        seats.append(_seat(agent, [state.seats[agent.agent] for state in states], places, seats))
    return Result(
        spec.game, spec.learners, spec.record, first.seed, spec.dtype, spec.stream,
        _snapshots(results, places), State(seats=seats, **arrays), spec.stop, spec.grid,
        first.contract, spec.part, _kept(results, places),
    )  # fmt: skip


def _kept(results: Sequence[Result], places: _Places) -> dict[str, np.ndarray] | None:
    """Return what `keep` returned for all replicas, None for a run without it."""
    kept = [result.kept for result in results if result.kept is not None]
    return _joined(kept, places) if kept else None


def part_of_result(result: Result, places: np.ndarray) -> Result:
    """Return the result of some replicas; places: (n,) int64, where they are in it, ascending."""
    return cut(result, chunk_of(with_part(result.spec), places), places)


def cut(result: Result, spec: RunSpec, places: np.ndarray) -> Result:
    """Return the result of some replicas; its arrays are copies.

    spec: of these replicas; places: (n,) int64, where they are in the result, ascending
    """
    state = result.state
    arrays: dict[str, Any] = {field.name: getattr(state, field.name) for field in FIELDS}
    arrays = {name: None if array is None else array[places] for name, array in arrays.items()}
    shared: dict[int, np.ndarray] = {}  # tables of a team are one array at every member

    def of_table(table: np.ndarray) -> np.ndarray:
        """Return a table of the replicas."""
        return shared.setdefault(id(table), table[places])

    seats = [
        Seat(
            learner=agent.learner,
            schedules=agent.schedules,
            tables={name: of_table(table) for name, table in seat.tables.items()},
            recurrence={name: v[places] for name, v in seat.recurrence.items()},
            pending=seat.pending
            and Pending(**{name: v[places] for name, v in seat.pending.arrays().items()}),
            **{field.name: getattr(seat, field.name)[places] for field in declared(Seat)},
        )
        for agent, seat in zip(spec.agents, state.seats, strict=True)
    ]
    snapshots = result.snapshots
    if snapshots is not None:
        kinds: dict[str, Any] = {kind.name: getattr(snapshots, kind.name) for kind in KINDS}
        kinds = {name: of and [x[:, places] for x in of] for name, of in kinds.items()}
        tables = [{name: x[:, places] for name, x in of.items()} for of in snapshots.tables]
        snapshots = Snapshots(snapshots.steps, tables, **kinds)
    return replace(
        result,
        game=spec.game,
        learners=spec.learners,
        snapshots=snapshots,
        state=State(seats=seats, **arrays),
        part=spec.part,
        kept=result.kept and {name: array[places] for name, array in result.kept.items()},
    )


def _game(names: list[str], results: list[Result], places: _Places) -> Game:
    """Return the game of all replicas; raise ValueError if two parts have different ones."""
    game: Any = results[0].game
    indexes = [index_of(result.game) for result in results]
    held = [index for index in indexes if index is not None]
    if len(held) == len(results):
        game = game.with_index(joined(held, places))
    for name, result, index in zip(names, results, indexes, strict=True):
        if result.game != (game if index is None else game.with_index(index)):
            raise _of_another_call(names[0], name, "game", results[0].game, result.game)
    made: Game = game
    return made


def _learners(names: list[str], results: list[Result], places: _Places) -> tuple[RuleLearner, ...]:
    """Return the learners of all replicas; raise ValueError if two parts have different ones."""
    out = []
    for i, parts in enumerate(zip(*(result.learners for result in results), strict=True)):
        try:
            whole = type(parts[0]).joined(parts, places)
            own = [whole.part(place, sum(map(len, places)), cut=True) for place in places]
        except (TypeError, ValueError, LookupError, AttributeError):  # they have different forms
            whole, own = parts[0], [parts[0]] * len(parts)
        for name, part, expected in zip(names, parts, own, strict=True):
            if part != expected:
                raise _of_another_call(names[0], name, f"learners[{i}]", parts[0], part)
        out.append(whole)
    return tuple(out)


def _seat(agent: AgentSpec, parts: list[Seat], places: _Places, before: list[Seat]) -> Seat:
    """Return an agent's learner in all replicas; before: those of the agents before it."""
    shared = {table.name for table in agent.rules.tables if table.shared and not agent.first}
    tables = {}
    for name in parts[0].tables:
        if name in shared:
            tables[name] = before[agent.team[0]].tables[name]
        elif name == agent.learner.table and not agent.learner.learns:
            shape = (agent.replicas, *agent.shapes[name])
            tables[name] = np.broadcast_to(agent.starts[name].astype(agent.dtype), shape)
        else:
            tables[name] = joined([seat.tables[name] for seat in parts], places)
    pending = [seat.pending.arrays() for seat in parts if seat.pending is not None]
    own = [{field.name: getattr(seat, field.name) for field in declared(Seat)} for seat in parts]
    return Seat(
        learner=agent.learner,
        schedules=agent.schedules,
        tables=tables,
        recurrence=_joined([seat.recurrence for seat in parts], places),
        pending=Pending(**_joined(pending, places)) if pending else None,
        **_joined(own, places),
    )


def _joined(
    parts: Sequence[dict[str, np.ndarray]], places: _Places, axis: int = 0
) -> dict[str, np.ndarray]:
    """Return arrays of all replicas by name; axis: that of the replicas."""
    return {name: joined([part[name] for part in parts], places, axis) for name in parts[0]}


def _snapshots(results: Sequence[Result], places: _Places) -> Snapshots | None:
    """Return the snapshots of all replicas, None if there are none."""
    taken = [result.snapshots for result in results if result.snapshots is not None]
    if not taken:
        return None
    agents = range(len(taken[0].tables))
    kinds: dict[str, Any] = {}
    for kind in KINDS:
        arrays = [getattr(each, kind.name) for each in taken]
        if arrays[0] is not None:
            arrays = [joined([each[i] for each in arrays], places, axis=1) for i in agents]
        kinds[kind.name] = None if arrays[0] is None else arrays
    tables = [_joined([each.tables[i] for each in taken], places, axis=1) for i in agents]
    return Snapshots(taken[0].steps, tables, **kinds)
