"""Results as files: what is loaded is what was saved, and a bad file is a ValueError.

Results of every kind are made by hand here, with random contents in all that a state can hold: the
format is tested apart from what runs happen to leave.
"""

import copy
import functools
import hashlib
import io
import json
import os
import re
import struct
import sys
import warnings
import zipfile
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from library.equal import assert_same, plain
from library.every import EVERYTHING
from library.processes import output_of
from library.runs import setups

import fastgames as fg
from fastgames.engine.snapshots import Snapshots
from fastgames.engine.state import Pending, Seat, State
from fastgames.games.compact import Chances
from fastgames.grids import grid
from fastgames.io.results import recorded
from fastgames.learners import ExpectedSarsa, Sarsa, UniformRivals, VisitCount
from fastgames.registry import LEARNERS
from fastgames.result import Result
from fastgames.schedules import parts
from fastgames.stop import Stable

PENNIES = fg.games.matching_pennies()
FULL = replace(EVERYTHING, every=3, last=7)


def small(record=FULL):
    """A result of two replicas of matching pennies."""
    learners = [fg.QLearner(fg.Exponential(0.5, [0.1, 0.2])), fg.QLearner(explore=fg.Softmax(2.0))]
    return by_hand(PENNIES, learners, 2, record)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """The bytes of a saved result, and the result."""
    result, path = small(), tmp_path_factory.mktemp("saved") / "result.fg"
    result.save(path)
    return path.read_bytes(), result


@pytest.fixture
def load(tmp_path):
    """load(data): the result in a file of these bytes."""

    def load(data):
        path = tmp_path / "some.fg"
        path.write_bytes(data)
        return fg.load(path)

    return load


# --- results made by hand -----------------------------------------------------------------------


def by_hand(game, learners, replicas, record=None, stop=None, sweep=None, dtype="float64", seed=3):
    """A result with random contents: whatever a state of these can hold, each value in its range.

    Written down from the description of `State`, not with the functions that make states.
    """
    rng = np.random.default_rng(seed)
    record, compact, each = record or fg.Record(), game.compact, (replicas,)
    agents, _, states, joint = compact.rewards.shape
    going = np.ones(game.num_states, bool) if compact.terminal is None else ~compact.terminal
    chance = isinstance(compact.moves, Chances) or compact.start_weights is not None
    shapes = [
        (replicas, o, a) for o, a in zip(game.num_observations, game.num_actions, strict=True)
    ]
    seats = []
    for i, learner in enumerate(learners):
        if learner.learns:
            tables = {"q": rng.normal(size=shapes[i]).astype(dtype)}
        else:
            weights = np.asarray(learner.probabilities, dtype)
            tables = {"probabilities": np.broadcast_to(weights, shapes[i])}
        if learner.learns and isinstance(learner.alpha, VisitCount):
            tables["visits"] = rng.integers(0, 2**40, shapes[i])
        pending = None
        if learner.learns and (compact.turns is not None or isinstance(learner, Sarsa)):
            pending = Pending(
                observation=rng.integers(-1, shapes[i][1], each, np.int32),
                action=rng.integers(0, shapes[i][2], each, np.int32),
                gain=rng.normal(size=each).astype(dtype),
                weight=rng.uniform(size=each).astype(dtype),
            )
        values = learner.values(game.discount)
        recurrence = {
            name: value.start * rng.uniform(size=each)
            for name, value in values.items()
            if isinstance(value, fg.Exponential)
        }
        seat = Seat(
            learner=learner,
            schedules={name: parts(value) for name, value in values.items()},
            tables=tables,
            clock=rng.integers(0, 1000, each).astype(float),
            recurrence=recurrence,
            pending=pending,
        )
        seats.append(seat)
    limit = compact.time_limit
    state = State(
        seats=seats,
        streams=rng.integers(1, 2**32, (replicas, agents + chance, 4), np.uint32),
        states=rng.choice(np.flatnonzero(going), each).astype(np.int32),
        ages=rng.integers(0, limit, each, np.int32) if limit else None,
        steps=rng.integers(0, 2**50, each),
        counted=rng.integers(0, 1 + (record.last or 2**50), each),
    )
    if stop:
        state.stable = rng.integers(0, 1 + stop.periods, each)
        if record.last:
            state.window = rng.integers(0, states * joint, (replicas, record.last), np.int32)
    if record.flips:
        state.flips = rng.integers(0, 2**50, (replicas, agents))
    if record.joint_actions:
        state.joint_counts = rng.integers(0, 2**50, (replicas, *game.num_actions))
    if record.rewards:
        state.reward_sums = rng.normal(size=(replicas, agents))
    snapshots = None
    if record.every:
        snapshots = Snapshots(
            np.array([5, 10, 15]),
            [
                {n: np.stack([t, t, t]) for n, t in seat.tables.items() if n in record.tables}
                for seat in seats
            ],
            [rng.integers(-1, s[2], (3, *s[:2]), np.int32) for s in shapes]
            if record.greedy
            else None,
            [rng.uniform(size=(3, *s)) for s in shapes] if record.policies else None,
        )
    return Result(
        game, tuple(learners), record, seed, dtype, "fastgames", snapshots, state,
        stop=stop, grid=sweep,
    )  # fmt: skip


def everything(result):
    """All of a result by its path within it: bytes of arrays, reprs of the rest."""
    found = {}

    def visit(value, where):
        if isinstance(value, np.ndarray):
            found[where] = (value.dtype.str, value.shape, value.tobytes())
        elif isinstance(value, Result | State | Seat | Pending | Snapshots):
            for name, part in vars(value).items():
                visit(part, f"{where}.{name}")
        elif isinstance(value, dict):
            found[where] = sorted(value)
            for name, part in value.items():
                visit(part, f"{where}[{name}]")
        elif isinstance(value, list | tuple):
            found[where] = len(value)
            for k, part in enumerate(value):
                visit(part, f"{where}[{k}]")
        else:  # games, learners, records compare by content
            found[where] = value

    visit(result, "result")
    return found


def compact_bits(game):
    """The bits that kernels read."""
    compact = game.compact
    arrays = {**vars(compact), **vars(compact.moves)}
    return {
        name: (value.dtype, value.shape, value.tobytes())
        if isinstance(value, np.ndarray)
        else value
        for name, value in arrays.items()
        if name != "moves"
    }


RECORDS = [
    fg.Record(),
    fg.Record(flips=True, rewards=True),
    fg.Record(joint_actions=True, rewards=True, last=6),
    fg.Record(every=5, tables=("q",), greedy=True),
    fg.Record(every=5, tables=("q", "visits"), policies=True, flips=True, joint_actions=True),
]


@st.composite
def any_games(draw):
    """Matrix and Markov games of all kinds of transitions, repeated games, and variants of each."""
    kind = draw(st.sampled_from(["matrix", "markov", "markov", "markov", "memory"]))
    seed, count = draw(st.integers(0, 99)), draw(st.integers(0, 3))
    rng = np.random.default_rng(seed)
    if kind == "matrix":
        games = [fg.MatrixGame(rng.normal(size=(2, 3, 2)), name=f"{k}") for k in range(count or 1)]
    elif kind == "memory":
        stages = [fg.MatrixGame(rng.normal(size=(2, 2, 2))) for _ in range(count or 1)]
        start = draw(st.sampled_from([0, 2, "uniform"]))
        periods = draw(st.sampled_from([2, (1, 2), (0, 1)]))
        games = [fg.games.remember(stage, periods, 0.5, start) for stage in stages]
    else:
        games = [
            fg.games.random_markov_game(
                actions=(2, 3),
                states=4,
                rng=seed,
                transitions=draw(st.sampled_from(["deterministic", "random", "sparse"])),
                terminal=draw(st.sampled_from([0, 2])),
                turns=draw(st.booleans()),
                observations=draw(st.none() | st.just((2, 3))),
                start=draw(st.sampled_from(["state", "random"])),
                time_limit=draw(st.none() | st.integers(1, 9)),
            )
        ]
        for k in range(1, count):
            each = {n: getattr(games[0], n) for n in ("discount", "start", "terminal", "turns")}
            games.append(
                fg.games.MarkovGame(
                    games[0].rewards + k,
                    games[0].transitions,
                    observations=games[0].observations,
                    num_observations=games[0].num_observations,
                    time_limit=games[0].time_limit,
                    name=f"{k}",
                    source="shifted",
                    **each,
                )
            )
    return games, count


def test_observations_that_occur_in_no_state_are_kept(tmp_path):
    tables = fg.games.random_markov_game(2, 3, 2, rng=1)
    for seen in (None, [[0, 1, 1], [2, 0, 0]]):
        game = fg.MarkovGame(
            tables.rewards, tables.transitions, observations=seen, num_observations=(3, 7)
        )
        result = fg.run(game, fg.QLearner(), 30, replicas=2, rng=1)
        assert result.tables[1]["q"].shape == (2, 7, 2)
        result.save(tmp_path / "result.zip")
        loaded = fg.load(tmp_path / "result.zip")
        assert_same(result, loaded)
        assert loaded.game == game and loaded.game.num_observations == (3, 7)


@st.composite
def any_results(draw):
    """Results of everything there is."""
    games, count = draw(any_games())
    replicas = draw(st.sampled_from([1, 2, 6]))
    game = games[0]
    if count:
        game = fg.games.Variants(games, np.arange(replicas) % count)
    observations = game.num_observations
    many = np.linspace(0.1, 0.9, replicas)
    learners = []
    for i, actions in enumerate(game.num_actions):
        alpha = st.sampled_from([0.5, many, fg.Exponential(many, 0.1), VisitCount(many)])
        explore = st.sampled_from([fg.EpsilonGreedy(fg.Exponential(0.5, many)), fg.Softmax(0.5)])
        initial = st.sampled_from([1.5, np.ones((replicas, 1, actions)), UniformRivals()])
        kinds = st.sampled_from([fg.QLearner, Sarsa, ExpectedSarsa, None])
        if (kind := draw(kinds)) is not None:
            learners.append(kind(draw(alpha), 0.5, draw(explore), draw(initial)))
        else:
            flat = np.full((observations[i], actions), 1 / actions)
            learners.append(fg.FixedPolicy(flat))
    if game.compact.turns is None and isinstance(learners[0], fg.QLearner) and draw(st.booleans()):
        learners[0] = replace(learners[0], counterfactual=True)
    sweep = {1: None, 2: grid(repeats=2), 6: grid(mu=[0.1, 2], name=["x", "y", "z"])}[replicas]
    return by_hand(
        game,
        learners,
        replicas,
        draw(st.sampled_from(RECORDS)),
        draw(st.none() | st.just(Stable(100))),
        sweep if draw(st.booleans()) else None,
        draw(st.sampled_from(["float64", "float32"])),
    )


WORLDS = ("chance", "table", "memory")


@pytest.fixture(scope="module")
def worlds(tmp_path_factory):
    """worlds(name): the bytes of a file, and the result. All that can be held is in one of them."""
    replicas, folder = 4, tmp_path_factory.mktemp("worlds")
    arguments = {"states": 5, "actions": (2, 3), "rng": 3, "terminal": 1, "start": "random"}
    chance = fg.games.random_markov_game(
        **arguments, transitions="sparse", turns=True, observations=(3, 4), time_limit=9
    )
    table = fg.games.random_markov_game(**arguments | {"start": "state"})
    stage = fg.MatrixGame(np.random.default_rng(0).normal(size=(2, 2, 3)))
    memory = fg.games.Variants([fg.games.remember(stage)] * 2, [0, 1, 1, 0])
    falling = fg.Exponential(0.5, 0.1)
    last = fg.Record(joint_actions=True, rewards=True, flips=True, last=7)
    taken = fg.Record(every=5, tables=("q", "visits"), greedy=True, policies=True)
    alphas = np.full(replicas, 0.5)
    results = {
        "chance": by_hand(
            chance, [Sarsa(VisitCount(alphas)), fg.QLearner(falling)], replicas, last, Stable(50)
        ),
        "table": by_hand(table, [fg.QLearner(), ExpectedSarsa(VisitCount())], replicas, taken),
        "memory": by_hand(
            memory, [Sarsa(), fg.FixedPolicy([0.5, 0.25, 0.25])], replicas, last, Stable(50)
        ),
    }
    for name, result in results.items():
        result.save(folder / name)
    held = {name: ((folder / name).read_bytes(), result) for name, result in results.items()}

    def worlds(name):  # no dictionary, which would be printed with every failure
        return held[name]

    return worlds


# --- round trips --------------------------------------------------------------------------------


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(result=any_results())
def test_all_that_a_result_can_hold_comes_back(result, tmp_path):
    result.save(tmp_path / "result")
    again = fg.load(tmp_path / "result")
    assert everything(again) == everything(result)
    assert compact_bits(again.game) == compact_bits(result.game)
    assert all(array.flags.writeable for array in (again.steps, again.state.streams))


@pytest.mark.parametrize("transitions", ["deterministic", "random", "sparse"])
def test_transitions_come_back_in_the_form_in_which_they_were_given(transitions, tmp_path):
    game = fg.games.random_markov_game(rng=1, transitions=transitions)
    by_hand(game, [fg.QLearner()] * 2, 2).save(tmp_path / "result")
    again = fg.load(tmp_path / "result").game.transitions
    assert type(again) is type(game.transitions)
    if transitions != "sparse":
        assert again.dtype == game.transitions.dtype
        assert again.tobytes() == game.transitions.tobytes()


def test_variants_share_what_does_not_differ(tmp_path):
    """However many there are, memory holds the transitions once: as the file does."""
    first = fg.games.random_markov_game(states=200, actions=5, rng=1)
    games = [
        fg.games.MarkovGame(first.rewards + k, first.transitions, 0.9, first.start)
        for k in range(5)
    ]
    game = fg.games.Variants(games, [4, 0, 2])
    by_hand(game, [fg.FixedPolicy(np.full(5, 0.2))] * 2, 3).save(tmp_path / "result")
    again = fg.load(tmp_path / "result").game
    assert again == game
    assert len({id(each.compact.moves) for each in again.games}) == 1
    for k, each in enumerate(again.games):
        assert (each.rewards == first.rewards + k).all()
        assert not each.compact.rewards.flags.writeable


def test_a_large_memory_is_a_small_file(tmp_path):
    """30^4 states x 900 joint actions: never made, neither here nor there."""
    stage = fg.MatrixGame(np.random.default_rng(0).normal(size=(2, 30, 30)))
    game = fg.games.remember(stage, 2)
    by_hand(game, [fg.FixedPolicy(np.full(30, 1 / 30))] * 2, 1).save(tmp_path / "result")
    assert (tmp_path / "result").stat().st_size < 4 * game.num_states + 2**16
    assert fg.load(tmp_path / "result").game == game


def test_the_game_of_a_subclass_is_saved_as_what_it_is_a_kind_of(tmp_path):
    class Market(fg.MatrixGame):
        __slots__ = ("price",)

    game = Market(np.random.default_rng(0).normal(size=(2, 2, 2)), name="market")
    by_hand(game, [fg.QLearner()] * 2, 1).save(tmp_path / "result")
    again = fg.load(tmp_path / "result").game
    assert type(again) is fg.MatrixGame
    assert again == game


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_what_is_loaded_is_what_was_saved(data, tmp_path):
    setup = data.draw(setups())
    names = (
        {"record": fg.Record(every=2, tables=("q",), policies=True)}
        if data.draw(st.booleans())
        else {}
    )
    if "q" not in {learner.table for learner in setup.learners}:
        names = {}
    result = setup.run(**names)
    path = tmp_path / "result.fg"
    result.save(path)
    values = [value for learner in setup.learners for value in learner.values(0.0).values()]
    of_functions = any(getattr(value, "of_function", None) is not None for value in values)
    again = fg.load(path, learners=setup.learners if of_functions else None)
    assert_same(result, again)
    assert again.game == result.game
    assert again.learners == result.learners
    assert again.record == result.record
    for name in ("seed", "dtype", "stream", "replicas", "contract"):
        assert getattr(again, name) == getattr(result, name)
    more = {"steps": 5, "record": fg.Record(flips=True)}
    assert_same(
        fg.run(setup.game, setup.learners, resume=result, **more),
        fg.run(setup.game, setup.learners, resume=again, **more),
    )


def test_a_frozen_agent_keeps_its_q_table_in_the_file(tmp_path):
    first = fg.run(PENNIES, small().learners, steps=10, replicas=2, rng=1)
    frozen = [first.learners[0], fg.FixedPolicy(first.policy(1))]
    second = fg.run(PENNIES, frozen, steps=5, resume=first)
    second.save(tmp_path / "frozen")
    again = fg.load(str(tmp_path / "frozen"))
    assert_same(second, again)
    assert_same(
        fg.run(PENNIES, first.learners, steps=5, resume=second),
        fg.run(PENNIES, first.learners, steps=5, resume=again),
    )


def test_an_interrupted_looking_result_with_different_steps_is_kept(tmp_path):
    result = small(record=None)
    result.state.steps[1] = 3
    result.save(tmp_path / "result")
    assert_same(result, fg.load(tmp_path / "result"))


def test_a_file_is_a_zip_of_plain_arrays_and_json(saved):
    with zipfile.ZipFile(io.BytesIO(saved[0])) as archive:
        assert archive.testzip() is None
        json.loads(archive.read("header.json"))
        for name in set(archive.namelist()) - {"header.json", "sha256sums"}:
            np.load(io.BytesIO(archive.read(name)), allow_pickle=False)


# --- writing ------------------------------------------------------------------------------------


def test_a_directory_that_does_not_exist(tmp_path):
    with pytest.raises(OSError, match="nowhere"):
        small().save(tmp_path / "nowhere" / "result")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("where", ["write_array", "fsync", "replace"])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_save_that_fails_leaves_the_old_file_and_nothing_else(
    where, error, tmp_path, monkeypatch
):
    path = tmp_path / "result"
    path.write_bytes(b"the old file")
    result, calls = small(), []

    def fail(*arguments, **keywords):
        calls.append(arguments)
        raise error

    monkeypatch.setattr(np.lib.format if where == "write_array" else os, where, fail)
    with pytest.raises(type(error)):
        result.save(path)
    monkeypatch.undo()
    assert calls
    assert path.read_bytes() == b"the old file"
    assert list(tmp_path.iterdir()) == [path]
    result.save(path)
    assert fg.load(path).seed == 3
    assert list(tmp_path.iterdir()) == [path]


# --- damage -------------------------------------------------------------------------------------


def refused_or_same(load, data, result):
    try:
        again = load(data)
    except ValueError as error:
        assert "path" in str(error)
        assert "result" in str(error)
    else:
        assert_same(result, again)
        assert again.learners == result.learners
        assert compact_bits(again.game) == compact_bits(result.game)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(
    damage=st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), min_size=1, max_size=3
    )
)
def test_flipped_bits_are_found_or_make_no_difference(damage, saved, load):
    data, result = bytearray(saved[0]), saved[1]
    for place, flip in damage:
        data[int(place * len(data))] ^= flip
    refused_or_same(load, bytes(data), result)


def test_every_byte_of_headers_and_directory_may_be_damaged(saved, load):
    """All places outside the arrays' contents, with a few flips each."""
    data, result = saved
    names = ("state/steps.npy", "game/rewards.npy")
    places = {*range(60), *range(len(data) - 120, len(data))}
    for name in names:
        start = data.index(name.encode())
        places |= set(range(start - 40, start + 200))
    for place in sorted(p for p in places if 0 <= p < len(data)):
        for flip in (1, 8, 128):
            damaged = bytearray(data)
            damaged[place] ^= flip
            refused_or_same(load, bytes(damaged), result)


def test_a_file_cut_short_anywhere(saved, load):
    data = saved[0]
    places = {
        0,
        1,
        3,
        21,
        22,
        len(data) // 2,
        *range(len(data) - 30, len(data)),
        *range(4, len(data), 97),
    }
    for place in places:
        with pytest.raises(ValueError, match="path must be a result"):
            load(data[:place])


@pytest.mark.parametrize(
    "data", [b"", b"PK", b"not a zip at all", b"\x00" * 1000, b"PK\x05\x06" + 18 * b"\x00"]
)
def test_other_files(data, load):
    with pytest.raises(ValueError, match="path must be a result"):
        load(data)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(OSError, match="missing"):
        fg.load(tmp_path / "missing")


# --- forgery ------------------------------------------------------------------------------------


def sums_of(contents):
    """Return the output of `sha256sum` for the members of a file."""
    return "".join(
        f"{hashlib.sha256(content).hexdigest()}  {name}\n"
        for name, content in contents.items()
        if name != "sha256sums"
    )


def forged(data, members=None, drop=(), compression=zipfile.ZIP_STORED, **header):
    """The file with some members and entries of its header replaced, and sums that fit."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", compression) as new:
        contents = {name: old.read(name) for name in old.namelist() if name not in drop}
        contents |= members or {}
        if header:
            contents["header.json"] = json.dumps(
                json.loads(contents["header.json"]) | header
            ).encode()
        if "sha256sums" in contents:
            contents["sha256sums"] = sums_of(contents)
        for name, content in contents.items():
            new.writestr(name, content)
    return out.getvalue()


def npy(header, content=b"", version=(1, 0)):
    """An .npy file with any header."""
    text = header.encode("latin1") + b"\n"
    return b"\x93NUMPY" + bytes(version) + struct.pack("<H", len(text)) + text + content


def test_forging_nothing_is_fine(saved, load):
    assert_same(saved[1], load(forged(saved[0])))


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1099511627776, 2)}",  # terabytes
        "{'descr': '<f8', 'fortran_order': False, 'shape': (-2, -1, 2)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 1)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 1, 3)}",
        "{'descr': '<f8', 'fortran_order': True, 'shape': (2, 1, 2)}",
        "{'descr': '>f8', 'fortran_order': False, 'shape': (2, 1, 2)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1, 2)}",
        "{'descr': '|O', 'fortran_order': False, 'shape': (2, 1, 2)}",
        "{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (2, 1, 2)}",
        "{'descr': '<V8', 'fortran_order': False, 'shape': (2, 1, 2)}",
        "{'descr': 'nonsense', 'fortran_order': False, 'shape': (2, 1, 2)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': 4}",
        "{'descr': '<f8', 'fortran_order': False}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 1, 2)",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2L, 1, 2)}",
        "((((((",
        "'''",
        "  x\n y",
        "(" * 300 + ")" * 300,
        "__import__('os').abort()",
        "",
        "\x00",
    ],
)
def test_forged_array_headers(header, saved, load):
    content = np.zeros((2, 1, 2)).tobytes()
    with pytest.raises(ValueError, match="path must be a result"):
        load(forged(saved[0], {"state/0/q.npy": npy(header, content)}))


@pytest.mark.parametrize("name", ["game/rewards", "learners/0/alpha/rate", "snapshots/steps"])
def test_no_array_is_made_before_the_file_is_seen_to_hold_it(name, saved, load):
    """Of whatever shape the reader expects none in particular: terabytes, in a small file."""
    for shape in ((2**40,), (2**20, 1, 1, 2**20), (2**62, 2)):
        member = npy(f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}}}", bytes(64))
        member = member.replace(b"<f8", b"<i8") if name == "snapshots/steps" else member
        with pytest.raises(ValueError, match="larger than the file"):
            load(forged(saved[0], {f"{name}.npy": member}))


def pickled(array):
    out = io.BytesIO()
    np.lib.format.write_array(out, array, allow_pickle=True)
    return out.getvalue()


@pytest.mark.parametrize(
    "member",
    [
        pickled(np.array([[[1.0, 2.0]], [[3.0, None]]], object)),
        b"cos\nabort\n(tR.",  # a pickle
        npy("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 1, 2)}", bytes(31)),
        npy("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 1, 2)}", bytes(33)),
        npy("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 1, 2)}", bytes(32), (9, 0)),
        b"",
    ],
    ids=["objects", "pickle", "short", "long", "version", "empty"],
)
def test_forged_arrays(member, saved, load):
    with pytest.raises(ValueError, match="path must be a result"):
        load(forged(saved[0], {"state/0/q.npy": member}))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("format", 1),
        ("format", 99),
        ("format", "1"),
        ("format", None),
        ("contract", 0),
        ("contract", 4),
        ("contract", True),
        ("contract", 2.0),
        ("contract", None),
        ("dtype", "float16"),
        ("dtype", "object"),
        ("dtype", None),
        ("stream", "philox"),
        ("replicas", 3),
        ("replicas", 0),
        ("replicas", -1),
        ("replicas", 2.0),
        ("replicas", 10**15),
        ("replicas", "2"),
        ("seed", -1),
        ("seed", 2**64),
        ("seed", 1.5),
        ("tables", 3),
        ("tables", []),
        ("tables", [[], []]),
        ("tables", [["q"], ["visits"]]),
        ("tables", [["q"], ["q", "../q"]]),
        ("stop", {"periods": 3}),
        ("stop", {"periods": 0}),
        ("stop", 3),
        ("grid", {"dims": [], "repeats": 3}),
        ("grid", {"dims": [["alpha", []]], "repeats": 2}),
        ("grid", {"dims": [["alpha", [1e400]]], "repeats": 2}),
        ("grid", {"repeats": 2}),
        ("grid", 2),
        ("game", None),
        ("game", {"name": 3}),
        ("game", {"kind": "MatrixGame"}),
        ("record", {"every": 0}),
        ("record", {"unknown": 1}),
        ("record", []),
        ("learners", []),
        ("learners", [1, 2]),
        ("learners", [{"kind": "os.system"}] * 2),
        ("learners", [{"kind": "Linear"}] * 2),
        ("learners", [{"kind": "EpsilonGreedy", "epsilon": 0.1}] * 2),
        ("learners", [{"kind": "QLearner", "alpha": 7}] * 2),
        ("learners", [{"kind": "QLearner", "alpha": {"array": "../../etc/passwd"}}] * 2),
        ("learners", [{"kind": "QLearner", "explore": 1}] * 2),
        ("learners", [{"kind": "FixedPolicy", "probabilities": {"array": "state/steps"}}] * 2),
        ("learners", None),
        ("learners", "ab"),
    ],
)
def test_forged_headers(key, value, saved, load):
    with pytest.raises(ValueError, match="path must be a result"):
        load(forged(saved[0], **{key: value}))


def test_learners_whose_arrays_do_not_fit_the_replicas(saved, load):
    alphas = io.BytesIO()
    np.save(alphas, np.full(5, 0.1))
    learner = {
        "kind": "QLearner",
        "alpha": {"array": "alphas"},
        "gamma": None,
        "explore": {"kind": "EpsilonGreedy", "epsilon": 0.1},
        "initial": 0.0,
    }
    with pytest.raises(ValueError, match="path must be a result"):
        load(forged(saved[0], {"alphas.npy": alphas.getvalue()}, learners=[learner] * 2))


@pytest.mark.parametrize(
    "header", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"format": 1}']
)
def test_headers_that_are_none(header, saved, load):
    with pytest.raises(ValueError, match="path must be a result"):
        load(forged(saved[0], {"header.json": header}))


def test_every_member_is_needed(saved, worlds, load):
    for data, _ in (saved, *map(worlds, WORLDS)):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
        for name in names:
            with pytest.raises(ValueError, match="path must be a result"):
                load(forged(data, drop=(name,)))


BIG = 2**62 + 1
OUT_OF_RANGE = [  # world, array, what its last entry becomes
    ("chance", "state/states", (-1, 5, 2**31 - 1, "terminal")),
    ("chance", "state/ages", (-1, 9)),
    ("chance", "state/steps", (-1, BIG)),
    ("chance", "state/counted", (-1, 8)),
    ("chance", "state/stable", (-1, BIG)),
    ("chance", "state/window", (-1, 30)),
    ("memory", "state/window", (-1, 6)),
    ("memory", "state/states", (-1, 6)),
    ("chance", "state/flips", (-1, BIG)),
    ("chance", "state/joint_counts", (-1, BIG)),
    ("chance", "state/0/q", (np.nan, np.inf, -np.inf)),
    ("chance", "state/0/visits", (-1, BIG)),
    ("chance", "state/0/clock", (np.nan, np.inf, -1.0, 1e300)),
    ("chance", "state/1/recurrence/alpha", (np.nan, np.inf, -1e-9, 0.5000001)),
    ("chance", "state/0/pending/observation", (-2, 3, 2**31 - 1)),
    ("chance", "state/0/pending/action", (-1, 2)),
    ("chance", "state/1/pending/observation", (-2, 4)),
    ("chance", "state/1/pending/action", (-1, 3)),
    ("memory", "state/0/pending/observation", (-2, 6)),
    ("chance", "state/1/pending/gain", (np.nan, np.inf, -np.inf)),
    ("chance", "state/1/pending/weight", (np.nan, -0.1, 1.1)),
    ("table", "snapshots/steps", (-1, BIG)),
    ("table", "snapshots/greedy/0", (-2, 2)),
    ("table", "snapshots/greedy/1", (-2, 3)),
    ("memory", "game/index", (-1, 2, 2**62)),
    ("memory", "game/moves/from_state", (-1, 6)),
    ("memory", "game/moves/from_joint", (-1, 6, 2**31 - 1, -(2**31))),
    ("table", "game/moves/next", (-1, 5)),
    ("chance", "game/moves/indices", (-1, 5)),
    ("chance", "game/moves/indptr", (-1, 0, 2**60, "-1")),
    ("chance", "game/moves/data", (np.nan, -0.5, 0.5, 2.0)),
    ("chance", "game/start_weights", (np.nan, -0.5, 2.0)),
    ("chance", "game/observations", (-1, 2**31 - 1)),
    ("chance", "game/rewards", (np.nan, np.inf, 1e308)),
    ("memory", "game/rewards", (np.nan, np.inf)),
]


@pytest.mark.parametrize(
    ("world", "name", "value"),
    [(world, name, value) for world, name, values in OUT_OF_RANGE for value in values],
)
def test_values_out_of_range_are_refused(world, name, value, worlds, load):
    """Kernels use them as indices, make indices of them, or would run to nan."""
    data, result = worlds(world)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        array = np.load(io.BytesIO(archive.read(f"{name}.npy")))
    if value == "terminal":
        value = np.flatnonzero(result.game.terminal)[0]
    elif value == "-1":
        value = array.flat[-1] - 1
    assert array.flat[-1] != value
    array.flat[-1] = value
    changed = io.BytesIO()
    np.save(changed, array)
    with pytest.raises(ValueError, match="path must be a result"):
        load(forged(data, {f"{name}.npy": changed.getvalue()}))


def test_rows_that_go_back_are_refused_before_they_are_unrolled(worlds, load):
    """A row of 2^60 entries, made up for by the next, would be written out one by one."""
    data, _ = worlds("chance")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        rows = np.load(io.BytesIO(archive.read("game/moves/indptr.npy")))
    for at, value in ((1, 2**60), (3, rows[5]), (0, 1)):
        changed, array = io.BytesIO(), rows.copy()
        array[at] = value
        np.save(changed, array)
        with pytest.raises(ValueError, match="indptr"):
            load(forged(data, {"game/moves/indptr.npy": changed.getvalue()}))


@pytest.mark.parametrize("counts", [None, [2**29 + 1, 2**29]])  # None: as in files without them
def test_a_table_that_is_not_in_the_file_is_not_made(counts, worlds, load):
    """2^30 observations, of which UniformRivals would make a table of 16 GiB."""
    data, _ = worlds("chance")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        header = json.loads(archive.read("header.json"))
    header["learners"][0] |= {"initial": {"kind": "UniformRivals"}, "gamma": 0.5}
    seen, changed = np.zeros((2, 5), np.int32), io.BytesIO()
    seen[0, 0] = 2**29
    np.save(changed, seen)
    members = {"game/observations.npy": changed.getvalue()}
    game = header["game"] | {"num_observations": counts}
    with pytest.raises(ValueError, match="state/0/q has shape"):
        load(forged(data, members, learners=header["learners"], game=game))


@pytest.mark.parametrize(
    ("world", "changes"),
    [
        ("chance", {"states": 6}),
        ("chance", {"states": 10**15}),
        ("memory", {"states": 10**18}),
        ("memory", {"states": 2**31}),
        ("memory", {"states": 0}),
        ("memory", {"variants": False}),
        ("memory", {"names": ["one"]}),
        ("memory", {"names": ["one", 2]}),
        ("memory", {"sources": ["", None]}),
        ("memory", {"names": [], "sources": []}),
        ("memory", {"moves": "Table"}),
        ("memory", {"moves": "Chances"}),
        ("memory", {"kind": "MatrixGame"}),
        ("memory", {"kind": "Variants"}),
        ("memory", {"start": 6}),
        ("memory", {"start": "uniform"}),
        ("memory", {"actions": [["a"], ["b"]]}),
        ("memory", {"actions": [["a", "b", "c"], ["a", "b"]]}),
        ("table", {"held": ["rewards"]}),
        ("table", {"discount": 1.5}),
        ("table", {"discount": "0.5"}),
        ("table", {"discount": None}),
        ("table", {"time_limit": 0}),
        ("table", {"time_limit": 5}),  # without ages
        ("table", {"kind": "MatrixGame"}),
    ],
)
def test_forged_games(world, changes, worlds, load):
    with pytest.raises(ValueError, match="path must be a result"):
        load(with_game(worlds(world)[0], changes))


def with_game(data, changes):
    """The file with some entries of its game's header replaced."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        game = json.loads(archive.read("header.json"))["game"]
    return forged(data, game=game | changes)


@pytest.mark.parametrize(
    ("world", "held"),
    [
        ("table", []),
        ("chance", ["terminal", "observations", "turns"]),
        ("chance", ["start_weights", "terminal", "observations"]),
    ],
)
def test_what_makes_another_game_is_loaded_as_that(world, held, worlds, load):
    """Forged, but nothing that could not be played."""
    data, result = worlds(world)
    again = load(with_game(data, {"held": held}))
    assert again.game != result.game
    fg.run(again.game, again.learners, 20, resume=again)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("stop", None),
        ("stop", {"periods": 1, "after": 0.0}),
        ("stop", {"periods": 1, "after": -1}),
        ("stop", {"periods": 1, "after": True}),
        ("stop", {"periods": 1, "after": float("nan")}),
        ("stop", {"periods": 1, "later": 1}),
        ("record", {"last": 3, "rewards": True}),
        ("record", {"every": 5, "greedy": True}),
        ("dtype", "float32"),
        ("replicas", 3),
        ("tables", [["q"], ["q"]]),
        ("tables", [["q", "visits"], []]),
        ("grid", {"dims": [["mu", [1, 2, 3]]], "repeats": 1}),
    ],
)
def test_headers_that_do_not_go_with_the_arrays(key, value, worlds, load):
    data, _ = worlds("chance")
    if (key, value) == ("stop", None):  # what is not asked for is not read
        assert load(forged(data, stop=None)).state.window is None
        return
    with pytest.raises(ValueError, match="path must be a result"):
        load(forged(data, **{key: value}))


EXTREMES = {
    "f": [np.nan, np.inf, -np.inf, 1e308, -1e308, 1e30, 0.5, 0.0, -0.0, -1.0, 1e-320, 2.0**62],
    "i": [-(2**63), 2**63 - 1, 2**62, -(2**31), 2**31 - 1, -1, 0, 1, 2, 3, 4, 5, 6, 7, 9, 50],
    "u": [0, 1, 2, 255, 2**32 - 1],
}


@pytest.mark.filterwarnings("ignore::fastgames.ConvergenceWarning")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(
    world=st.sampled_from(WORLDS),
    changes=st.lists(
        st.tuples(st.integers(0, 99), st.integers(0, 99), st.booleans()), min_size=1, max_size=3
    ),
)
def test_whatever_is_not_refused_can_be_run_on(world, changes, worlds, load):
    """No value in a file, or several, makes the compiled core read or write elsewhere."""
    content, result = worlds(world)
    members = {}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = sorted(set(archive.namelist()) - {"header.json", "sha256sums"})
        for which, what, everywhere in changes:
            name = names[which % len(names)]
            array = np.load(io.BytesIO(archive.read(name)))
            values = EXTREMES[array.dtype.kind]
            if array.dtype.kind != "f":
                limits = np.iinfo(array.dtype)
                values = [value for value in values if limits.min <= value <= limits.max]
            array.reshape(-1)[slice(None) if everywhere else -1] = values[what % len(values)]
            changed = io.BytesIO()
            np.save(changed, array)
            members[name] = changed.getvalue()
    try:
        again = load(forged(content, members))
    except ValueError as error:
        assert "path must be a result" in str(error)
        return
    record = replace(result.record, every=None, tables=(), greedy=False, policies=False, last=None)
    arguments = {"record": record, "stop": result.stop, "threads": 1}
    after = fg.run(again.game, again.learners, 20, resume=again, **arguments)
    assert 0 <= after.states.min() <= after.states.max() < after.game.num_states
    assert all(np.isfinite(table["q"]).all() for table in after.tables if "q" in table)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(
    world=st.sampled_from(WORLDS),
    damage=st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), min_size=1, max_size=3
    ),
)
def test_flipped_bits_in_any_world(world, damage, worlds, load):
    data, result = bytearray(worlds(world)[0]), worlds(world)[1]
    for place, flip in damage:
        data[int(place * len(data))] ^= flip
    try:
        again = load(bytes(data))
    except ValueError as error:
        assert "path must be a result" in str(error)
    else:
        assert everything(again) == everything(result)


def test_an_older_format_is_refused_with_a_sentence(saved, load):
    sentence = "its format is version 1, this fastgames reads 2 to 3"
    with pytest.raises(ValueError, match=sentence):
        load(forged(saved[0], format=1))


def test_streams_that_stand_still_are_refused(saved, load):
    zeros = io.BytesIO()
    np.save(zeros, np.zeros((2, 2, 4), np.uint32))
    with pytest.raises(ValueError, match="zeros"):
        load(forged(saved[0], {"state/streams.npy": zeros.getvalue()}))


def test_a_bomb_is_not_inflated(saved, load):
    """A member of 64 MiB deflated to 64 KiB; the file must be refused by its directory alone."""
    bomb = npy("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 1, 2)}") + bytes(2**26)
    data = forged(saved[0], {"state/0/q.npy": bomb}, compression=zipfile.ZIP_DEFLATED)
    assert len(data) < 2**18
    with pytest.raises(ValueError, match="larger than the file"):
        load(data)
    with pytest.raises(ValueError, match="larger than the file"):
        load(forged(saved[0], compression=zipfile.ZIP_DEFLATED))  # nor anything else
    header = forged(saved[0], {"header.json": b" " * 2**26}, compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(ValueError, match="larger than the file"):
        load(header)


def generator_state(source):
    """The state of a generator as a file holds it."""
    state = getattr(np.random, source)(1).state
    return json.loads(json.dumps(state, default=lambda array: np.asarray(array).tolist()))


@pytest.fixture(scope="module")
def listing(tmp_path_factory):
    """The bytes of a saved result of stream="numpy"."""
    path = tmp_path_factory.mktemp("listing") / "result.fg"
    fg.run(PENNIES, fg.QLearner(), steps=3, rng=1, stream="numpy").save(path)
    return path.read_bytes()


@pytest.mark.parametrize("source", ["PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_forged_generators_are_refused_or_loaded(source, data, listing, load):
    state = generator_state(source)
    odd = st.sampled_from([None, "x", -1, 2**200, 1.5, [], [1, 2], {}, 3])
    inner = state["state"] if data.draw(st.booleans()) else state
    inner[data.draw(st.sampled_from(sorted(inner)))] = data.draw(odd)
    try:
        again = load(forged(listing, generator=state))
    except ValueError as error:
        assert "path must be a result" in str(error)
    else:
        assert plain(again.state.generator) == plain(state)


@pytest.mark.parametrize("pos", [-1, -(10**9), 625, 10**9])
def test_a_mersenne_twister_that_would_read_beyond_its_state_is_refused(pos, listing, load):
    """numpy takes any position and then reads there: a crash (not tried here) at the next draw."""
    state = generator_state("MT19937")
    load(forged(listing, generator=state))
    state["state"]["pos"] = pos
    with pytest.raises(ValueError, match="path must be a result"):
        load(forged(listing, generator=state))


@pytest.mark.parametrize("pos", [-1, -(10**9)])
def test_a_philox_that_would_read_before_its_buffer_is_refused(pos, listing, load):
    state = generator_state("Philox")
    load(forged(listing, generator=state))
    state["buffer_pos"] = pos
    with pytest.raises(ValueError, match="path must be a result"):
        load(forged(listing, generator=state))


@pytest.mark.skipif(sys.platform == "win32", reason="modes as POSIX has them")
def test_files_have_the_mode_of_any_file_of_the_user(tmp_path, saved):
    before = os.umask(0o027)
    try:
        saved[1].save(tmp_path / "mode.zip")
    finally:
        os.umask(before)
    assert (tmp_path / "mode.zip").stat().st_mode & 0o777 == 0o640


# --- older contracts ----------------------------------------------------------------------------


def test_a_result_of_an_older_contract_loads_but_no_run_goes_on_from_it(saved, load, tmp_path):
    data, result = saved
    old = load(forged(data, contract=1))
    assert (old.contract, result.contract) == (1, 3)
    assert (old.steps == result.steps).all()
    with pytest.raises(ValueError, match=r"resume must follow version 3 .*got version 1"):
        fg.run(old.game, old.learners, 5, resume=old)
    old.save(tmp_path / "again")
    assert fg.load(tmp_path / "again").contract == 1  # its bits are still those of version 1


@pytest.mark.parametrize(
    ("v", "contract"),
    [(0.25, 3), (2.0**-1022, 3), (0.5, 3), (2.0**-1023, 2), (5e-324, 2), (0.0, 2)],
)
def test_a_file_of_version_2_is_one_of_3_until_a_schedule_is_subnormal(v, contract, tmp_path):
    learner = fg.QLearner(fg.Exponential(0.5, 0.1))
    result = fg.run(PENNIES, learner, 5, 2, rng=1, backend="reference")
    result.state.seats[1].recurrence["alpha"][1] = v
    result.save(tmp_path / "new")
    (tmp_path / "old").write_bytes(forged((tmp_path / "new").read_bytes(), contract=2))
    old = fg.load(tmp_path / "old")
    assert old.contract == contract
    if contract == 2:
        with pytest.raises(ValueError, match=r"resume must follow version 3 .*got version 2"):
            fg.run(PENNIES, learner, 5, resume=old)
    else:
        ends = [fg.run(PENNIES, learner, 5, resume=each) for each in (old, result)]
        assert_same(*ends)


def test_a_schedule_that_is_0_from_the_start_is_the_same_in_version_2(tmp_path):
    learner = fg.QLearner(0.5, explore=fg.EpsilonGreedy(fg.Exponential(0.0, 0.1)))
    fg.run(PENNIES, learner, 5, 2, rng=1, backend="reference").save(tmp_path / "new")
    (tmp_path / "old").write_bytes(forged((tmp_path / "new").read_bytes(), contract=2))
    assert fg.load(tmp_path / "old").contract == 3


# --- what is saved loads ------------------------------------------------------------------------

# Symmetric, and of sum zero: a game that each learner plays.
EVERYONES = fg.MatrixGame([[[0.0, 1.0], [-1.0, 0.0]], [[0.0, -1.0], [1.0, 0.0]]])


def played(name, dtype):
    """A result of a learner of the registry."""
    kind = LEARNERS[name]
    needed = {"fixed": {"probabilities": [0.5, 0.5]}, "exp3": {"low": -1.0}}
    learner = kind(**needed.get(name, {}))
    steps = max(3, learner.least_steps)
    return fg.run(EVERYONES, learner, steps, 2, 1, dtype=dtype, backend="reference")


@functools.cache
def of_every_learner():
    return {(name, dtype): played(name, dtype) for name in LEARNERS for dtype in REALS}


REALS = ("float64", "float32")
SIZES = ("max", "-max", "tiny", "denormal", "-0.0", "big")


def extreme(word, dtype):
    limits = np.finfo(dtype)
    return {
        "max": limits.max,
        "-max": limits.min,
        "tiny": limits.tiny,
        "denormal": limits.smallest_subnormal,
        "-0.0": -0.0,
        "big": limits.max / 3,
        "inf": np.inf,
        "-inf": -np.inf,
        "nan": np.nan,
    }[word]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(data=st.data())
def test_what_save_accepts_load_accepts_and_it_accepts_all_that_is_finite(data, tmp_path):
    name, dtype = data.draw(st.sampled_from(sorted(of_every_learner())))
    result = copy.deepcopy(of_every_learner()[name, dtype])
    words = st.sampled_from([*SIZES, "inf", "-inf", "nan"] if data.draw(st.booleans()) else SIZES)
    for i, seat in enumerate(result.state.seats):
        for key in seat.tables if seat.learner.learns else ():
            table = seat.tables[key]  # which a team shares
            place = data.draw(st.integers(0, table.size - 1))
            if table.dtype.kind == "i":
                value = data.draw(st.sampled_from([-(2**63), -1, 0, 2**62, 2**62 + 1, 2**63 - 1]))
            else:
                value = extreme(data.draw(words), dtype)
            table.flat[place] = value
            note(f"tables[{i}][{key!r}].flat[{place}] = {value}")
    learnt = [t for s in result.state.seats if s.learner.learns for t in s.tables.values()]
    good = all(
        np.isfinite(t).all() if t.dtype.kind == "f" else ((t >= 0) & (t <= 2**62)).all()
        for t in learnt
    )
    path = tmp_path / "result"
    path.unlink(missing_ok=True)
    try:
        result.save(path)
    except ValueError as error:
        assert not good
        assert re.search(
            r"^result must be .*: tables\[\d\]\['\w+'\] must be .*in replica \d", f"{error}"
        )
        assert not path.exists()
    else:
        assert good
        assert everything(fg.load(path)) == everything(result)


@pytest.mark.parametrize(("value", "said"), [(np.inf, "inf"), (-np.inf, "-inf"), (np.nan, "nan")])
def test_a_table_that_no_file_can_hold_is_refused_when_it_is_written(value, said, tmp_path):
    result, path = small(record=None), tmp_path / "result"
    result.save(path)
    before = path.read_bytes()
    result.tables[1]["q"][1, 0, 1] = value
    words = rf"tables\[1\]\['q'\] must be finite, got {said} in replica 1 at \[0, 1\]"
    with pytest.raises(ValueError, match=f"^result must be one that a file can hold: {words}"):
        result.save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda r: r.tables[0].update(q=r.tables[0]["q"][:, :, :1]), "state/0/q has shape"),
        (lambda r: r.tables[0].update(q=r.tables[0]["q"].astype(object)), "one of the types"),
        (lambda r: r.tables[0].update(q=r.tables[0]["q"].astype(">f8")), "one of the types"),
        (lambda r: r.tables[0].pop("q"), "no table 'q'"),
        (lambda r: r.state.steps.__setitem__(0, -1), "state/steps must be in"),
        (lambda r: r.state.streams.__setitem__(0, 0), "state of zeros"),
    ],
)
def test_whatever_load_would_refuse_is_refused_when_it_is_written(change, said, tmp_path):
    result = small(record=None)
    change(result)
    with pytest.raises(ValueError, match=f"^result must be one that a file can hold: .*{said}"):
        result.save(tmp_path / "result")
    assert not list(tmp_path.iterdir())


def test_very_large_payoffs_and_step_sizes_load(tmp_path):
    """Long runs hold such values: sums of payoffs of 1e305, Hedge with an eta of 1e300."""
    large = fg.MatrixGame(PENNIES.payoffs * 1e305)
    for learner in (fg.RegretMatching(), fg.Hedge(1e300), fg.FictitiousPlay(), fg.WoLFPHC()):
        result = fg.run(large, learner, 2000, 2, rng=1, checkpoint=tmp_path / repr(learner))
        largest = max(np.abs(t).max() for tables in result.tables for t in tables.values())
        assert largest > 1e304
        result.save(tmp_path / "result")
        assert_same(fg.load(tmp_path / "result"), result)
        again = fg.run(large, learner, 2000, 2, rng=1, checkpoint=tmp_path / repr(learner))
        assert_same(again, result)


def test_a_users_table_may_hold_any_number_of_its_type(tmp_path):
    learner = fg.Learner(
        lambda tables, p, o, signal: 0,
        lambda tables, p, t: None,
        tables=(fg.Table("q"), fg.Table("marks", kind="int64")),
    )
    result = fg.run(PENNIES, learner, 2, 3, 1, backend="reference")
    result.tables[0]["q"][...] = np.finfo(float).max
    for value in (-(2**63), 2**63 - 1):
        result.tables[0]["marks"][...] = value
        result.save(tmp_path / "result")
        again = fg.load(tmp_path / "result", learners=learner)
        assert (again.tables[0]["marks"] == value).all()
        # an agent that has no use for the table keeps it
        other = fg.run(PENNIES, fg.QLearner(), 1, resume=replace(again, learners=result.learners))
        other.save(tmp_path / "other")
        assert (fg.load(tmp_path / "other").tables[0]["marks"] == value).all()


@pytest.mark.parametrize(
    "name", ["clock", "probabilities", "recurrence", "pending", "schedule", "steps", "größe"]
)
def test_a_users_table_may_have_any_name(name, tmp_path):
    def choose(tables, p, o, signal):
        return 0

    def learn(tables, p, t):
        tables[0][t.observation, t.action] += 1.0

    learner = fg.Learner(choose, learn, {"clock": fg.Exponential(1.0, 0.1)}, (fg.Table(name),))
    call = {"game": PENNIES, "learners": learner, "rng": 1, "backend": "reference"}
    result = fg.run(**call, steps=5, replicas=3)
    result.save(tmp_path / "result")
    again = fg.load(tmp_path / "result", learners=learner)
    assert everything(again) == everything(result)
    assert again.tables[0][name].max() == 5
    on = fg.run(PENNIES, learner, 4, resume=again, backend="reference")
    assert on.tables[0][name].max() == 9
    fixed = fg.run(PENNIES, [fg.FixedPolicy([0.25, 0.75]), learner], 4, resume=again)
    assert fixed.policy(0)[0].tolist() == [[0.25, 0.75]]


def test_a_run_that_goes_on_with_a_shorter_wait_is_saved(tmp_path):
    first = fg.run(PENNIES, fg.QLearner(), 50, 2, rng=1, stop=Stable(10**6))
    first.state.stable[:] = 40
    result = fg.run(PENNIES, fg.QLearner(), 5, resume=first, stop=Stable(10))
    assert (result.state.stable >= 40).all()
    result.save(tmp_path / "result")
    assert_same(fg.load(tmp_path / "result"), result)


# --- files that are not to be trusted -----------------------------------------------------------


def naively(data, name, change):
    """The file with some bytes of a member changed, and its CRC made right; no sums."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for each in old.namelist():
            content = old.read(each)
            new.writestr(each, change(content) if each == name else content)
    return out.getvalue()


@pytest.mark.parametrize("name", ["state/0/q.npy", "game/rewards.npy", "header.json"])
def test_a_member_changed_with_a_right_crc_is_found(name, saved, load):
    def change(content):
        new = content.replace(b'"seed": 3', b'"seed": 4')
        return new if new != content else content[:-1] + bytes([content[-1] ^ 1])

    data = naively(saved[0], name, change)
    assert zipfile.ZipFile(io.BytesIO(data)).testzip() is None
    with pytest.raises(ValueError, match=f"{name} was changed after it was written"):
        load(data)


def test_members_that_are_swapped_added_twice_or_unnamed_are_found(saved, load):
    data = saved[0]
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    one, other = "state/0/q.npy", "state/1/q.npy"
    swapped = contents | {one: contents[other], other: contents[one]}
    listed = [*swapped.items()], [*contents.items(), ("x", b"")], [*contents.items()]
    listed[2].append((one, contents[other]))
    words = ("state/0/q.npy was changed", "must name every other member", "must name every other")
    for members, said in zip(listed, words, strict=True):
        out = io.BytesIO()
        with warnings.catch_warnings(), zipfile.ZipFile(out, "w") as new:
            warnings.simplefilter("ignore")  # of the duplicate
            for name, content in members:
                new.writestr(name, content)
        with pytest.raises(ValueError, match=said):
            load(out.getvalue())


def test_the_sums_are_those_of_sha256sum(saved, tmp_path):
    with zipfile.ZipFile(io.BytesIO(saved[0])) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    assert contents["sha256sums"].decode() == sums_of(contents)


def test_a_file_of_the_format_before_loads_without_sums(saved, load):
    old = forged(saved[0], drop=("sha256sums",), format=2)
    assert everything(load(old)) == everything(saved[1])
    with pytest.raises(ValueError, match="it lacks 'sha256sums'"):
        load(forged(saved[0], drop=("sha256sums",)))


def peak(tmp_path, data, seconds=20):
    """Return the output of a process of 2 GB that loads a file, and the MB that this took."""
    path = tmp_path / "forged"
    path.write_bytes(data)
    code = """
import resource, sys, fastgames as fg
import fastgames.io.results, fastgames.games.registry
resource.setrlimit(resource.RLIMIT_AS, (2 * 10**9,) * 2)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    fg.load(sys.argv[1])
except BaseException as error:
    print(type(error).__name__, error)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
    *said, megabytes = output_of(code, path, timeout=seconds).splitlines()
    return " ".join(said), int(megabytes)


def soccer_file(tmp_path, record=None):
    path = tmp_path / "soccer"
    game = fg.games.make("soccer")
    fg.run(game, fg.QLearner(), 20, 3, 1, record, backend="reference").save(path)
    return path.read_bytes()


@pytest.mark.skipif(sys.platform == "win32", reason="limits as POSIX has them")
def test_a_file_cannot_name_a_game_of_tables_of_any_size(tmp_path):
    data = soccer_file(tmp_path)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        game = json.loads(archive.read("header.json"))["game"]
    for made in (
        ["logit_bertrand", {"firms": 4, "prices": 90}],
        ["public_goods", {"agents": 20}],
        ["os.system", {}],
        ["soccer", {"rows": 10**9}],
        ["soccer", []],
        [],
        3,
    ):
        said, megabytes = peak(tmp_path, forged(data, game=game | {"made": made}))
        assert said.startswith("ValueError path must be a result written by fastgames")
        assert megabytes < 50


@pytest.mark.skipif(sys.platform == "win32", reason="limits as POSIX has them")
def test_an_array_that_many_learners_name_counts_as_many_times(tmp_path):
    replicas = 100_000
    game = fg.games.make("el_farol", agents=100)
    result = fg.run(game, fg.QLearner(), 1, 2, 1, backend="reference")
    result.save(tmp_path / "result")
    alphas = io.BytesIO()
    np.save(alphas, np.full(replicas, 0.5))
    with zipfile.ZipFile(tmp_path / "result") as archive:
        learner = json.loads(archive.read("header.json"))["learners"][0]
    learner["alpha"] = {"array": "alphas"}
    data = (tmp_path / "result").read_bytes()
    members = {"alphas.npy": alphas.getvalue()}
    data = forged(data, members, learners=[learner] * 100, replicas=replicas)
    assert len(data) < 2 * 10**6
    said, megabytes = peak(tmp_path, data)
    assert "larger than the file" in said
    assert megabytes < 50


def test_a_grid_of_many_values_is_refused_as_quickly_as_it_is_made(saved, load, monkeypatch):
    """No count of every value: that was quadratic."""
    import fastgames.grids as module

    values = [*map(float, range(20_000)), 19_999.0]

    class Counted(tuple):
        __slots__ = ()

        def count(self, value):
            raise AssertionError("quadratic")

    monkeypatch.setattr(module, "tuple", Counted, raising=False)
    with pytest.raises(ValueError, match=r"different values, got 19999\.0 more than once"):
        load(forged(saved[0], grid={"dims": [["mu", values]], "repeats": 1}))


# --- states of games of functions ---------------------------------------------------------------

PROCEDURAL = [k for k, make in fg.games.CATALOGUE.items() if isinstance(make(), fg.ProceduralGame)]


@functools.cache
def of_functions(name):
    """A result of random play, long enough to have been about everywhere."""
    explore = fg.EpsilonGreedy(1.0)
    return fg.run(fg.games.make(name), fg.QLearner(explore=explore), 700, 200, rng=1)


@pytest.mark.parametrize("name", PROCEDURAL)
def test_states_of_games_of_functions_are_held_against_their_bounds(name, tmp_path):
    result, path = of_functions(name), tmp_path / "result"
    result.save(path)
    assert_same(fg.load(path), result)
    game, data = result.game, path.read_bytes()
    assert game.state_bounds.shape == (game.state_size, 2)
    low, high = game.state_bounds.T
    for k in range(game.state_size):
        for value in (low[k] - 1, high[k] + 1, -(2**63), 2**63 - 1):
            states = result.state.states.copy()
            states[7, k] = value
            out = io.BytesIO()
            np.save(out, states)
            path.write_bytes(forged(data, {"state/states.npy": out.getvalue()}))
            said = rf"states must be within state_bounds .* got {value} as entry {k} of replica 7"
            with pytest.raises(ValueError, match=said):
                fg.load(path)
    with pytest.raises(ValueError, match="states must be within state_bounds"):
        broken = replace(result, state=replace(result.state, states=states))
        fg.run(game, result.learners, 5, resume=broken)
    with pytest.raises(ValueError, match="result must be one that a file can hold: states must be"):
        broken.save(path)


def test_a_state_in_which_an_agent_sees_what_it_cannot_is_refused(tmp_path):
    """Both in the last cell of soccer: within the bounds, but no number of an observation."""
    result, path = of_functions("soccer"), tmp_path / "result"
    states = result.state.states.copy()
    states[3] = 7, 7, 1
    with pytest.raises(
        ValueError, match=r"got \[7, 7, 1\] in replica 3, of which agent 0 observes"
    ):
        replace(result, state=replace(result.state, states=states)).save(path)


def test_bounds_that_users_declare(tmp_path):
    def start(state, words):
        state[0] = 1

    def step(state, actions, rewards, words):
        state[0] = 1 + actions[0]
        rewards[0] = rewards[1] = 0.0
        return False

    def observe(state, agent):
        return 0

    counts = {"num_actions": (2, 2), "num_observations": (1, 1)}

    def make(bounds):
        return fg.ProceduralGame(start, step, observe, **counts, state_bounds=bounds)

    game = make([(1, 2)])
    fg.run(game, fg.QLearner(), 9, 20, rng=1, backend="reference").save(tmp_path / "result")
    assert fg.load(tmp_path / "result", game).game == game
    with pytest.raises(ValueError, match=r"state_bounds of game 'procedural', got \d as entry 0"):
        fg.load(tmp_path / "result", make([(1, 1)]))
    for bounds, error in (
        ([(2, 1)], ValueError), ([(1, 2)] * 2, ValueError), ([1], TypeError), (3, TypeError),
        ([(0, 0)], ValueError), ([(0.5, 2)], TypeError), ([(0, 2**63)], ValueError),
    ):  # fmt: skip
        with pytest.raises(error, match="state_bounds"):
            make(bounds)


# --- records that are added later ---------------------------------------------------------------


@dataclass(eq=False, repr=False)
class LaterRecord(fg.Record):
    luck: bool = False


def test_a_field_added_to_record_is_in_a_file_only_where_it_is_set():
    """So what is digested of a call that does not use it stays the same."""
    names = ["every", "tables", "greedy", "policies", "flips", "joint_actions", "rewards", "last"]
    assert list(recorded(fg.Record()))[:8] == names
    assert recorded(LaterRecord()) == {name: getattr(fg.Record(), name) for name in names}
    assert recorded(LaterRecord(luck=True)) == {**recorded(LaterRecord()), "luck": True}


# --- schedules ------------------------------------------------------------------------------------


def decaying(t, scale):
    """A function of the step."""
    return scale / (1 + t % 11)


def of_step(make=fg.Schedule):
    """A schedule made of a function, with a parameter of each replica."""
    return make(decaying, [np.array([0.2, 0.5, 0.9])])


@pytest.mark.parametrize(
    "alpha",
    [
        fg.Hyperbolic([0.2, 0.5, 0.9], 3.0, 0.6),
        fg.Piecewise([0, [5, 9, 30]], [[0.2, 0.5, 0.9], 0.1], "constant"),
        of_step(),
        fg.ByVisits(fg.Hyperbolic([0.2, 0.5, 0.9], 3.0), "observation", initial=[[1], [2], [3]]),
        fg.ByVisits(of_step()),
    ],
    ids=["hyperbolic", "piecewise", "function", "visits", "visits of a function"],
)
def test_schedules_in_files_go_on_to_the_same_bits(alpha, tmp_path):
    learner = fg.QLearner(alpha)
    arguments = {"replicas": 3, "rng": 5, "backend": "reference"}
    whole = fg.run(fg.games.chicken(), learner, 40, **arguments)
    fg.run(fg.games.chicken(), learner, 17, **arguments).save(tmp_path / "half")
    half = fg.load(tmp_path / "half", learners=learner)
    assert half.learners == (learner, learner)
    last = fg.run(fg.games.chicken(), half.learners, 23, resume=half, backend="reference")
    assert_same(whole, last)


def test_functions_of_the_step_must_be_given_as_they_were(tmp_path):
    learner = fg.QLearner(of_step())
    path = tmp_path / "result"
    fg.run(fg.games.chicken(), learner, 9, 3, rng=5, backend="reference").save(path)
    with pytest.raises(ValueError, match=r"learners must be given .* learner 'QLearner'"):
        fg.load(path)
    others = (
        fg.QLearner(0.1),
        fg.QLearner(fg.Schedule(lambda t, scale: scale / (2 + t), of_step().parameters)),
        fg.QLearner(fg.Schedule(decaying, [0.5])),
    )
    for other in others:
        with pytest.raises(
            ValueError, match=r"learners\[0\] must have the schedules of .*QLearner"
        ):
            fg.load(path, learners=other)
