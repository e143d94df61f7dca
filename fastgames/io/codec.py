"""Games, learners and grids as JSON and arrays, and back.

Every value that is read goes through the checks of the constructors.
"""

import copy
import hashlib
from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np

from fastgames._common import checks
from fastgames._common.frozen import Frozen
from fastgames._common.later import Later
from fastgames.games import Game, MarkovGame, MatrixGame, ProceduralGame, Variants
from fastgames.games.compact import Sum
from fastgames.games.transitions import Sparse
from fastgames.grids import Grid, grid
from fastgames.io.archive import Archive, GivenError, Held
from fastgames.learners import EpsilonGreedy, Learner, RuleLearner, Softmax, VisitCount
from fastgames.learners._names import MODULES
from fastgames.schedules import (
    BaseSchedule,
    ByVisits,
    Exponential,
    Hyperbolic,
    Linear,
    Piecewise,
    Schedule,
)

PARTS = (
    EpsilonGreedy, Softmax, VisitCount, Exponential, Linear, Hyperbolic, Piecewise, ByVisits,
)  # fmt: skip
#: Classes of learners and of their parts, by class name; learners are imported on lookup.
KINDS: Mapping[str, Any] = ChainMap(
    {kind.__name__: kind for kind in PARTS},
    Later("fastgames.learners", MODULES | {"UniformRivals": "initial"}),  # type: ignore[arg-type]
)


class _NotGivenError(Exception):
    """A schedule made of a function was not given to `decode`."""


def encode(value: Any, arrays: dict[str, np.ndarray], name: str, former: bool = False) -> Any:
    """Return a learner, or a part of one, for the header; its arrays are added under `name`.

    former: write the digest of functions as earlier revisions did
    """
    if isinstance(value, Learner):
        found = {x: encode(v, arrays, f"{name}/{x}") for x, v in value.parameters.items()}
        return {"name": value.name, "parameters": found, "functions": _digest(value, former)}
    if isinstance(value, Schedule):
        return {"functions": _digest(value)}
    if isinstance(value, tuple):
        return [encode(x, arrays, f"{name}/{k}") for k, x in enumerate(value)]
    if type(value).__name__ in KINDS:
        found = {
            f.name: encode(getattr(value, f.name), arrays, f"{name}/{f.name}")
            for f in fields(value)
            if not isinstance(value, Frozen) or value._says(f)
        }
        return {"kind": type(value).__name__, **found}
    if isinstance(value, np.ndarray):
        arrays[name] = value
        return {"array": name}
    return value


def _digest(value: Learner | ProceduralGame | Schedule, former: bool = False) -> str:
    """Return the SHA-256 of what a learner or a game made of functions is, 64 hex digits.

    former: with the digest of the functions that earlier revisions wrote, which covers docstrings
    """
    key: tuple[Any, ...] = value._key()
    if former:
        key = tuple(value.functions.former if x == value.fingerprint else x for x in key)
    return hashlib.sha256(repr(key).encode()).hexdigest()


def _has_digest(value: Learner | ProceduralGame | Schedule, digest: Any) -> bool:
    """Return whether a file may name this learner or game by a digest, present or former."""
    return digest in (_digest(value), _digest(value, former=True))


def encode_grid(sweep: Grid) -> dict[str, Any]:
    """Return a grid for the header."""
    return {"dims": [list(each) for each in sweep.dims.items()], "repeats": sweep.repeats}


def encode_game(game: Game, arrays: dict[str, np.ndarray], former: bool = False) -> dict[str, Any]:
    """Return a game for the header; its arrays are added under "game/". Subclasses are lost.

    former: as in `encode`
    """
    if isinstance(game, ProceduralGame):
        return {
            "kind": "ProceduralGame",
            "name": game.name,
            "made": None if game.made is None else list(game.made),
            "discount": game.discount,
            "time_limit": game.time_limit,
            "functions": _digest(game, former),
        }
    games = game.games if isinstance(game, Variants) else (game,)
    first, compact = games[0], game.compact
    header: dict[str, Any] = {
        "kind": "MarkovGame" if isinstance(first, MarkovGame) else "MatrixGame",
        "variants": isinstance(game, Variants),
        "names": [each.name for each in games],
        "sources": [each.source for each in games],
        "actions": game.actions,
    }
    held = {"rewards": compact.rewards}
    if isinstance(game, Variants):
        held["index"] = game.index
    if isinstance(first, MarkovGame):
        moves = compact.moves if first._sparse is None else first._sparse
        header |= {
            "states": first.num_states,
            "discount": first.discount,
            "start": compact.start_state,
            "time_limit": first.time_limit,
            "moves": type(moves).__name__,
            "dense": first._dense,
        }
        seen = compact.observations
        if seen is not None and first.num_observations != tuple(1 + seen.max(axis=1)):
            header["num_observations"] = first.num_observations  # else as files of older versions
        some = ("start_weights", "terminal", "observations", "turns")
        header["held"] = [name for name in some if getattr(compact, name) is not None]
        held |= {name: getattr(compact, name) for name in header["held"]}
        held |= {f"moves/{x}": a for x, a in vars(moves).items() if isinstance(a, np.ndarray)}
    for name, array in held.items():
        arrays[f"game/{name}"] = array.view(np.uint8) if array.dtype == np.bool_ else array
    return header


def decode(file: Held, value: Any, given: Sequence[Schedule] = ()) -> Any:
    """Return what `encode` was given; file: has its arrays.

    given: the schedules made of functions in the learner that the user gave
    """
    if isinstance(value, dict) and "functions" in value:
        for schedule in given:
            if _has_digest(schedule, value["functions"]):
                return schedule
        raise _NotGivenError
    if isinstance(value, dict) and "kind" in value:
        kind = KINDS[checks.one_of("kind", value["kind"], KINDS)]
        return kind(**{k: decode(file, v, given) for k, v in value.items() if k != "kind"})
    if isinstance(value, dict):
        return file.array(value["array"])
    if isinstance(value, list):
        return tuple(decode(file, x, given) for x in value)
    return value


def decode_learner(
    file: Held, header: Any, agent: int, given: Sequence[RuleLearner] | None
) -> RuleLearner:
    """Return a learner; one made of functions must be among those given."""
    if not _has_functions(header):
        decoded: RuleLearner = decode(file, header)
        return decoded
    assert given is not None  # `check_given`
    learner = given[agent if len(given) > 1 else 0]
    if "functions" not in header:
        return _with_schedules(file, header, agent, learner)
    if not (isinstance(learner, Learner) and _has_digest(learner, header["functions"])):
        raise GivenError(
            f"learners[{agent}] must be the learner {header['name']!r} of the file: the same "
            f"source, constants, parameters and tables; got {learner!r}, which differs"
        )
    return learner


def _with_schedules(file: Held, header: Any, agent: int, given: RuleLearner) -> RuleLearner:
    """Return a learner with schedules made of functions, which the given learner must have."""
    own = [x.of_function for x in given.values(0.0).values() if isinstance(x, BaseSchedule)]
    try:
        decoded: RuleLearner = decode(file, header, [x for x in own if x is not None])
    except _NotGivenError:
        raise GivenError(
            f"learners[{agent}] must have the schedules of the learner {header['kind']!r} of the "
            f"file: the same source, constants and parameters; got {given!r}, which differs"
        ) from None
    return decoded


def _has_functions(header: Any) -> bool:
    """Return whether the header of a learner, or a part of it, holds a digest of functions."""
    if isinstance(header, list):
        return any(map(_has_functions, header))
    parts = header.values() if isinstance(header, dict) else ()
    return bool(parts) and ("functions" in header or any(map(_has_functions, parts)))


def decode_grid(header: dict[str, Any], replicas: int) -> Grid:
    """Return the grid of a header; ValueError unless it has this number of replicas."""
    sweep = grid(repeats=header["repeats"], **dict(header["dims"]))
    if len(sweep) != replicas:
        raise ValueError(f"it has a grid of {len(sweep)} replicas, not {replicas}")
    return sweep


def check_given(
    header: dict[str, Any], game: Game | None, learners: Sequence[RuleLearner] | None
) -> None:
    """Raise GivenError unless the game and the learners that a file cannot hold were given."""
    lacks, seats = [], header["learners"]
    kind = header["game"]["kind"]
    if kind == "ProceduralGame" and header["game"]["made"] is None and game is None:
        lacks.append(("game", f"game {header['game']['name']!r}"))
    ours = [x["name"] if "functions" in x else x["kind"] for x in seats if _has_functions(x)]
    if ours and learners is None:
        lacks.append(("learners", f"learner {ours[0]!r}"))
    if lacks:
        arguments, what = (" and ".join(words) for words in zip(*lacks, strict=True))
        call = ", ".join(f"{argument}=..." for argument, _ in lacks)
        raise GivenError(
            f"{arguments} must be given as to run, got None: no file holds the functions of "
            f"{what}; call fastgames.load(path, {call})"
        )
    if ours and learners is not None and len(learners) not in (1, len(seats)):
        raise GivenError(
            f"learners must be one, or one for each of {len(seats)} agents, got {len(learners)}"
        )


def _procedural(header: dict[str, Any], given: Game | None) -> Game:
    """Return a game of functions: the one given, or one made again by its name."""
    name, made = header["name"], header["made"]
    if given is None and made is not None:
        from fastgames.games.registry import CATALOGUE, make_again

        # Before it is made: other games are tables, of any size that a file asks for.
        if CATALOGUE[made[0]].__annotations__["return"] != "ProceduralGame":
            raise ValueError(f"{made[0]!r} is no game of functions")
        given = make_again(made[0], made[1])
        if not _is_game_of(header, given):
            raise GivenError(
                f"game must be given: {made[0]!r} of the catalogue is not the game of the file, "
                "which another version of fastgames wrote"
            )
    if given is None or not _is_game_of(header, given):
        raise GivenError(
            f"game must be the game {name!r} of the file: the same source, constants and "
            f"parameters; got {given!r}, which differs"
        )
    return given


def _is_game_of(header: dict[str, Any], game: Game) -> bool:
    return isinstance(game, ProceduralGame) and _has_digest(game, header["functions"])


def decode_game(file: Archive, header: dict[str, Any], replicas: int, given: Game | None) -> Game:
    """Return the game of a header; given: the one that the user gave, for a game of functions."""
    if header["kind"] == "ProceduralGame":
        return _procedural(header, given)
    rewards = file.array("game/rewards", "float64")
    actions = header["actions"]
    kind = checks.one_of("kind of game", header["kind"], ("MatrixGame", "MarkovGame"))
    labels = [
        {"name": name, "source": source}
        for name, source in zip(header["names"], header["sources"], strict=True)
    ]
    if rewards.ndim != 4 or rewards.shape[1] != len(labels) or not labels:
        raise ValueError(f"game/rewards have shape {rewards.shape} for {len(labels)} games")
    agents, count, states, _ = rewards.shape
    shape = tuple(map(len, actions))
    games: list[Any]
    if kind == "MatrixGame":
        payoffs = rewards.reshape(agents, count, *shape)
        games = [MatrixGame(payoffs[:, v], actions=actions, **labels[v]) for v in range(count)]
    else:
        table = rewards[:, 0].reshape(agents, states, *shape)
        first = _markov_game(file, header, table, labels[0])
        games = [first, *_others(first, rewards, labels)]
    if not header["variants"]:
        if len(games) != 1:
            raise ValueError(f"it has {len(games)} games that are no variants")
        only: Game = games[0]
        return only
    return Variants(games, file.array("game/index", "int64", (replicas,)))


def _markov_game(
    file: Archive, header: dict[str, Any], rewards: np.ndarray, labels: dict[str, str]
) -> MarkovGame:
    states = checks.whole("states", header["states"], "[1, inf)")
    if rewards.shape[1] == 1:
        rewards = np.broadcast_to(rewards, (len(rewards), states, *rewards.shape[2:]))
    kind = checks.one_of("moves", header["moves"], ("Sum", "Table", "Sparse"))
    moves: Any
    if kind == "Sum":
        moves = Sum(*(file.array(f"game/moves/{x}", "int32") for x in ("from_state", "from_joint")))
    elif kind == "Table":
        moves = file.array("game/moves/next", "int32").reshape(states, *rewards.shape[2:])
    else:
        moves = _sparse(file, states)
    some = {"start_weights": "float64", "terminal": "u1", "observations": "int32", "turns": "u1"}
    held = {name: file.array(f"game/{name}", some[name]) for name in header["held"]}
    flags = {name: held[name].astype(np.bool_) for name in ("terminal", "turns") if name in held}
    game = MarkovGame(
        rewards,
        moves,
        header["discount"],
        held.get("start_weights", header["start"]),
        flags.get("terminal"),
        held.get("observations"),
        num_observations=header.get("num_observations"),
        turns=flags.get("turns"),
        time_limit=header["time_limit"],
        actions=header["actions"],
        **labels,
    )
    game._dense = kind == "Sparse" and header["dense"] is True  # in what form they were given
    return game


def _sparse(file: Archive, states: int) -> Sparse:
    indices = file.array("game/moves/indices", "int32")
    indptr = file.array("game/moves/indptr", "int64")
    data = file.array("game/moves/data", "float64", indices.shape)
    ends = indptr.ravel()[[0, -1]].tolist()
    if indptr.ndim != 1 or ends != [0, len(indices)] or (np.diff(indptr) < 0).any():
        raise ValueError("game/moves/indptr does not cut the entries into rows")
    return Sparse(indptr, indices, data, (len(indptr) - 1, states))


def _others(
    first: MarkovGame, rewards: np.ndarray, labels: list[dict[str, str]]
) -> list[MarkovGame]:
    """Return the variants after the first game, which share all but rewards, name and source.

    Not made by the constructor, which would copy what is shared: many times what the file holds.
    """
    if not np.isfinite(rewards).all():
        raise ValueError("game/rewards are not finite")
    games = []
    for v, label in enumerate(labels[1:], 1):
        if not all(isinstance(text, str) for text in label.values()):
            raise TypeError("a game has a name or a source that is no text")
        each = rewards[:, v : v + 1].copy()
        each.setflags(write=False)
        game = copy.copy(first)
        game._compact = replace(first.compact, rewards=each)
        game._name, game._source = label["name"], label["source"]
        games.append(game)
    return games
