"""Checkpoints as files: of this very call or refused, and a disk that is full loses nothing.

First by themselves, of results made by hand, then as runs write them and go on from them.
"""

import copy
import hashlib
import io
import json
import os
import subprocess
import sys
import time
import warnings
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from library.equal import assert_same

import fastgames as fg
from fastgames._common.seeds import generator_from
from fastgames.engine.snapshots import Snapshots
from fastgames.engine.spec import RunSpec
from fastgames.engine.state import Seat, State, make_seats
from fastgames.io import archive, checkpoint, files, results
from fastgames.result import Result
from fastgames.schedules import parts

REPLICAS, STEPS = 6, 100
SWEEP = fg.grid(alpha=[0.1, 0.2, 0.3], repeats=2)
GAME = fg.Variants(
    [fg.remember(fg.MatrixGame(np.arange(8.0).reshape(2, 2, 2) + k)) for k in range(2)],
    [0, 1, 0, 1, 0, 1],
)
LEARNERS = (fg.QLearner(SWEEP.alpha), fg.QLearner(fg.Exponential(0.5, 0.1), explore=fg.Softmax(1)))
RECORD = fg.Record(every=30, tables=("q",), greedy=True, rewards=True, flips=True, last=9)
ARGUMENTS = {
    "game": GAME,
    "learners": LEARNERS,
    "steps": STEPS,
    "replicas": SWEEP,
    "seed": 7,
    "record": RECORD,
    "stop": fg.Stable(50),
    "dtype": "float64",
    "stream": "fastgames",
    "resume": None,
}


def described(*, replicas, seed, resume, **arguments):
    """The description of a call; replicas: a number or a grid."""
    sweep = replicas if isinstance(replicas, fg.Grid) else None
    count = replicas if sweep is None else sweep.replicas
    return checkpoint.describe(RunSpec(replicas=count, grid=sweep, **arguments), seed, resume)


def on_its_way(begun, done, seed=7, contents=0):
    """A result of the call that began at these steps, so many steps later."""
    rng, each = np.random.default_rng(contents), (REPLICAS,)
    shape = (REPLICAS, 4, 2)
    seats = [
        Seat(
            learner=learner,
            schedules={name: parts(value) for name, value in learner.values(0.95).items()},
            tables={"q": rng.normal(size=shape)},
            clock=np.asarray(done, float),
            recurrence={"alpha": np.full(REPLICAS, 0.25)} if i else {},
        )
        for i, learner in enumerate(LEARNERS)
    ]
    state = State(
        seats=seats,
        streams=rng.integers(1, 2**32, (REPLICAS, 2, 4), np.uint32),
        states=rng.integers(0, 4, each, np.int32),
        steps=np.asarray(begun + done, np.int64),
        counted=rng.integers(0, 10, each),
        stable=rng.integers(0, 51, each),
        window=rng.integers(0, 4, (REPLICAS, 9), np.int32),
        flips=rng.integers(0, 50, (REPLICAS, 2)),
        reward_sums=rng.normal(size=(REPLICAS, 2)),
    )
    first = int(begun[0])
    steps = np.array([t for t in range(first + bool(first), first + STEPS + 1) if t % 30 == 0])
    taken = Snapshots(
        steps,
        [{"q": rng.normal(size=(len(steps), *shape))} for _ in range(2)],
        [rng.integers(-1, 2, (len(steps), *shape[:2]), np.int32) for _ in range(2)],
        None,
    )
    return Result(
        GAME, LEARNERS, RECORD, seed, "float64", "fastgames", taken, state, fg.Stable(50), SWEEP
    )


BEGUN = np.full(REPLICAS, 45)
DONE = np.array([0, 1, 50, 99, 100, 100])


@pytest.fixture
def path(tmp_path):
    return tmp_path / "some.ckpt"


@pytest.fixture
def call():
    return described(**ARGUMENTS)


def assert_only(path):
    """Nothing else is in its folder."""
    assert list(path.parent.iterdir()) == [path]


# --- round trips --------------------------------------------------------------------------------


def test_what_is_read_is_what_was_written(path, call):
    result = on_its_way(BEGUN, DONE)
    checkpoint.write(path, result, call, BEGUN)
    again, begun = checkpoint.read(path, described(**ARGUMENTS))
    assert begun.tolist() == BEGUN.tolist()
    assert begun.dtype == np.int64
    assert_same(result, again)
    for name in ("states", "stable", "window"):
        one, other = (getattr(x.state, name) for x in (result, again))
        assert (one.dtype, one.tobytes()) == (other.dtype, other.tobytes())
    assert (again.game, again.learners, again.record) == (GAME, LEARNERS, RECORD)
    assert (again.stop, again.grid, again.seed) == (fg.Stable(50), SWEEP, 7)
    for array in (again.steps, again.state.streams, again.tables[0]["q"], again.state.window):
        assert array.flags.writeable
    assert_only(path)


def test_a_checkpoint_is_a_result_that_load_reads(path, call):
    result = on_its_way(BEGUN, DONE)
    checkpoint.write(path, result, call, BEGUN)
    assert_same(result, fg.load(path))


def test_where_there_is_no_file_there_is_no_checkpoint(path, call):
    assert checkpoint.read(path, call) is None
    assert not list(path.parent.iterdir())


def test_the_seed_of_a_call_without_one_is_that_of_the_checkpoint(path):
    call = described(**ARGUMENTS | {"seed": None})
    checkpoint.write(path, on_its_way(BEGUN, DONE, seed=12345), call, BEGUN)
    assert checkpoint.read(path, call)[0].seed == 12345


def test_the_generator_of_a_listing_is_in_it(path):
    """stream="numpy" from a Generator: there is no seed, its state decides."""
    game = fg.games.matching_pennies()
    learners = (fg.QLearner(), fg.QLearner())
    generator, _ = generator_from(np.random.default_rng(3))
    begins = dict(generator.bit_generator.state)
    generator.random(5)
    spec = RunSpec(game, learners, stream="numpy")
    seats = make_seats(spec)
    zeros = np.zeros(1, np.int64)
    state = State(
        seats=seats,
        generator=dict(generator.bit_generator.state),
        states=np.zeros(1, np.int32),
        steps=zeros,
        counted=zeros,
    )
    result = Result(game, learners, fg.Record(), None, "float64", "numpy", None, state)
    arguments = ARGUMENTS | {
        "game": game,
        "learners": learners,
        "replicas": 1,
        "record": fg.Record(),
        "stop": None,
        "stream": "numpy",
    }
    call = described(**arguments | {"seed": begins})
    checkpoint.write(path, result, call, zeros)
    again, _ = checkpoint.read(path, described(**arguments | {"seed": begins}))
    assert again.state.generator == generator.bit_generator.state
    other, _ = generator_from(np.random.default_rng(4))
    call = described(**arguments | {"seed": dict(other.bit_generator.state)})
    with pytest.raises(ValueError, match="is of another call: rng was not the same"):
        checkpoint.read(path, call)


# --- other calls --------------------------------------------------------------------------------

EARLIER = on_its_way(BEGUN * 0, BEGUN)
OTHERS = [
    ({"steps": 101}, "steps was 100, got 101"),
    ({"seed": 8}, "rng was 7, got 8"),
    ({"seed": None}, "rng was 7, got None"),
    ({"replicas": 6}, r"grid was {'dims': \['alpha'\], 'alpha': \[0.1, .*, got None"),
    ({"replicas": 7}, "replicas was 6, got 7"),
    (
        {"replicas": fg.grid(beta=[0.1, 0.2, 0.3], repeats=2)},
        r"grid.dims\[0\] was 'alpha', got 'beta'",
    ),
    ({"replicas": fg.grid(alpha=[0.1, 0.2, 0.4], repeats=2)}, r"grid.alpha\[2\] was 0.3, got 0.4"),
    ({"replicas": fg.grid(alpha=[0.1, 0.2], repeats=3)}, "grid.alpha was .*0.3], got .*0.2]"),
    ({"dtype": "float32"}, "dtype was 'float64', got 'float32'"),
    ({"stream": "numpy"}, "stream was 'fastgames', got 'numpy'"),
    ({"stop": None}, "stop was 50, got None"),
    ({"stop": fg.Stable(51)}, "stop was 50, got 51"),
    ({"record": replace(RECORD, last=8)}, "record.last was 9, got 8"),
    ({"record": replace(RECORD, tables=())}, r"record.tables was \['q'\], got \[\]"),
    ({"record": replace(RECORD, flips=False)}, "record.flips was True, got False"),
    ({"game": GAME.games[0]}, "game.variants was True, got False"),
    ({"game": fg.games.chicken()}, r"game was MarkovGame\(.*, got MatrixGame\("),
    (
        {"game": fg.Variants(GAME.games, [0, 1, 0, 1, 0, 0])},
        r"game.index\[5\] was 1, got 0",
    ),
    (
        {"game": fg.Variants(GAME.games[::-1], GAME.index)},
        r"game.games\[0\].rewards\[0, 0, 0, 0\] was 0.0, got 1.0",
    ),
    (
        {"learners": LEARNERS[::-1]},
        r"learners\[0\].alpha was an array .*, got Exponential\(start=0",
    ),
    ({"learners": (fg.Sarsa(),) * 2}, r"learners\[0\] was QLearner\(.*, got Sarsa\("),
    (
        {"learners": (LEARNERS[0], replace(LEARNERS[1], alpha=fg.Exponential(0.5, 0.11)))},
        r"learners\[1\].alpha.rate was 0.1, got 0.11",
    ),
    (
        {"learners": (replace(LEARNERS[0], alpha=SWEEP.alpha[::-1].copy()), LEARNERS[1])},
        r"learners\[0\].alpha\[0\] was 0.1, got 0.3",
    ),
    (
        {"learners": (LEARNERS[0], replace(LEARNERS[1], explore=fg.Softmax(2)))},
        r"learners\[1\].explore.temperature was 1.0, got 2.0",
    ),
    ({"resume": EARLIER}, "resume was not the same"),
]


@pytest.mark.parametrize(("changes", "message"), OTHERS)
def test_another_call_is_refused_and_says_what_differs(changes, message, path, call):
    checkpoint.write(path, on_its_way(BEGUN, DONE), call, BEGUN)
    before = path.read_bytes()
    with pytest.raises(
        ValueError, match=f"^checkpoint '.*some.ckpt' is of another call: {message}"
    ):
        checkpoint.read(path, described(**ARGUMENTS | changes))
    assert path.read_bytes() == before


def test_every_bit_of_what_is_resumed_counts():
    def digest(result):
        return described(**ARGUMENTS | {"resume": result})["resume"]["sha256"]

    assert digest(EARLIER) == digest(copy.deepcopy(EARLIER))
    changes = 0
    for name, array in results.contents(EARLIER)[1].items():
        if name.split("/")[0] in ("state", "snapshots"):
            other = copy.deepcopy(EARLIER)
            twin = results.contents(other)[1][name]
            assert twin.tobytes() == array.tobytes()
            twin.reshape(-1)[-1:].view(np.uint8)[0] ^= 1
            assert digest(other) != digest(EARLIER), name
            changes += 1
    assert changes >= 14
    assert digest(replace(EARLIER, seed=8)) != digest(EARLIER)


def test_games_are_told_apart_by_their_bits():
    def digest(game):
        return described(**ARGUMENTS | {"game": game})["game"]["sha256"]

    base = {"states": 4, "rng": 1, "transitions": "sparse"}
    games = [fg.games.random_markov_game(**base | more) for more in (
        {}, {"rng": 2}, {"discount": 0.8}, {"time_limit": 3}, {"time_limit": 4}, {"terminal": 1},
        {"turns": True}, {"observations": 2}, {"start": "random"}, {"transitions": "deterministic"},
    )]  # fmt: skip
    rewards = games[0].rewards.copy()
    rewards[1, 3, 1, 1] = np.nextafter(rewards[1, 3, 1, 1], 9)
    games.append(fg.MarkovGame(rewards, games[0].transitions, 0.9, games[0].start))
    assert len({digest(game) for game in games}) == len(games)
    assert digest(games[0]) == digest(fg.games.random_markov_game(**base))


def refusal(path, was, got):
    """Return the message with which a call refuses the checkpoint of another call."""
    arguments = ARGUMENTS | {"record": fg.Record(), "stop": None, "replicas": REPLICAS}
    call, other = (described(**arguments | x) for x in (was, got))
    checkpoint.write(path, on_its_way(BEGUN, DONE), call, BEGUN)
    with pytest.raises(ValueError, match="is of another call: ") as caught:
        checkpoint.read(path, other)
    return str(caught.value).partition("is of another call: ")[2]


def games_of_functions():
    def start(state, words):
        state[0] = 0

    def make(constant, **more):
        def step(state, actions, rewards, words):
            rewards[0] = rewards[1] = constant
            return False

        def observe(state, agent):
            return 0

        counts = {"num_actions": (2, 2), "num_observations": (1, 1)}
        return fg.ProceduralGame(start, step, observe, **counts, **more)

    return make(1.0), make(2.0), make(1.0, discount=0.5)


def test_a_game_of_functions_is_refused_by_what_differs(path):
    one, other, patient = games_of_functions()
    text = refusal(path, {"game": one}, {"game": patient})
    assert text == "game.discount was 0.0, got 0.5"
    text = refusal(path, {"game": one}, {"game": other})
    assert text == "game.functions were not the same: their source, or a value that they use"
    bars = [{"game": fg.games.make("el_farol", agents=4, capacity=k)} for k in (2, 3)]
    assert refusal(path, *bars) == "game.capacity was 2, got 3"


def test_a_learner_of_functions_is_refused_by_its_parameter(path):
    def choose(tables, p, o, signal):
        return 0

    def learn(tables, p, t):
        tables[0][t.observation, t.action] += p[0] * t.gain

    def other(tables, p, t):
        tables[0][t.observation, t.action] -= p[0] * t.gain

    one, two = (fg.Learner(choose, learn, {"alpha": x}) for x in (0.1, 0.2))
    text = refusal(path, {"learners": (one, two)}, {"learners": (two, two)})
    assert text == "learners[0].parameters.alpha was 0.1, got 0.2"
    other = fg.Learner(choose, other, {"alpha": 0.2})
    text = refusal(path, {"learners": (one, two)}, {"learners": (one, other)})
    assert text.startswith("learners[1].functions were not the same")


def test_the_payoff_that_differs_is_named_as_the_user_has_it(path):
    payoffs = np.zeros((2, 3, 2))
    payoffs[1, 2, 0] = 5
    one, other = fg.MatrixGame(payoffs), fg.MatrixGame(payoffs * 2)
    call = {"learners": fg.QLearner(), "steps": 3, "rng": 1, "checkpoint": path}
    fg.run(one, **call)
    with pytest.raises(ValueError, match=r"call: game.payoffs\[1, 2, 0\] was 5.0, got 10.0$"):
        fg.run(other, **call)


def test_the_array_of_a_resumed_result_that_differs_is_named(path):
    earlier = replace(EARLIER, state=copy.deepcopy(EARLIER.state))
    earlier.tables[1]["q"][2, 0, 1] += 1
    text = refusal(path, {"resume": EARLIER}, {"resume": earlier})
    assert text == "resume.state/1/q was not the same"


# --- other files --------------------------------------------------------------------------------


def changed(path, header=None, **members):
    """The file at `path` with entries of its header, or whole arrays, replaced."""
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    if header is not None:
        contents["header.json"] = json.dumps(json.loads(contents["header.json"]) | header).encode()
    for name, array in members.items():
        del contents[f"{name}.npy"]
        if array is not None:
            out = io.BytesIO()
            np.save(out, array)
            contents[f"{name}.npy"] = out.getvalue()
    del contents["sha256sums"]
    contents["sha256sums"] = "".join(
        f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in contents.items()
    ).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)


def test_another_version_is_refused_with_a_sentence(path, call):
    result = on_its_way(BEGUN, DONE)
    sentence = "is of another version: it was written by fastgames 0.0.9, this is " + fg.__version__
    checkpoint.write(path, result, call | {"version": "0.0.9"}, BEGUN)
    with pytest.raises(ValueError, match=sentence):
        checkpoint.read(path, call)
    for name in ("format", "contract"):
        checkpoint.write(path, result, call, BEGUN)
        changed(path, {name: 99})
        with pytest.raises(ValueError, match=f"checkpoint must .*its {name} is version 99, this"):
            checkpoint.read(path, call)


def test_a_checkpoint_of_an_older_contract_is_refused_but_loads(path, call):
    result = replace(on_its_way(BEGUN, DONE), contract=1)
    checkpoint.write(path, result, call | {"contract": 1}, BEGUN)
    with pytest.raises(ValueError, match=r"follows the contract .* in version 1, .* in version 3"):
        checkpoint.read(path, call)
    assert fg.load(path).contract == 1


def test_a_checkpoint_of_version_2_goes_on_unless_a_schedule_is_subnormal(path, call):
    result = replace(on_its_way(BEGUN, DONE), contract=2)
    checkpoint.write(path, result, call | {"contract": 2}, BEGUN)
    read, _ = checkpoint.read(path, call)
    assert read.contract == 3
    result.state.seats[1].recurrence["alpha"][0] = 1e-310
    checkpoint.write(path, result, call | {"contract": 2}, BEGUN)
    with pytest.raises(ValueError, match=r"follows the contract .* in version 2, .* in version 3"):
        checkpoint.read(path, call)


def test_a_result_is_no_checkpoint(path, call):
    on_its_way(BEGUN, DONE).save(path)
    with pytest.raises(ValueError, match=r"some\.ckpt' is no checkpoint, but a result"):
        checkpoint.read(path, call)


@pytest.mark.parametrize("content", [b"", b"notes of mine", b"PK\x05\x06" + 18 * b"\0"])
def test_some_other_file_is_refused_and_left_alone(content, path, call):
    path.write_bytes(content)
    with pytest.raises(ValueError, match="checkpoint must be a result written by fastgames"):
        checkpoint.read(path, call)
    assert path.read_bytes() == content


def test_damage_is_found(path, call):
    checkpoint.write(path, on_its_way(BEGUN, DONE), call, BEGUN)
    data = path.read_bytes()
    for place in range(11, len(data) - 30, 997):
        path.write_bytes(data[:place])
        with pytest.raises(ValueError, match="checkpoint must be a result written by fastgames"):
            checkpoint.read(path, call)
    at = data.index(b"state/streams.npy") + 200  # in the numbers
    path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    with pytest.raises(ValueError, match="CRC"):
        checkpoint.read(path, call)


@pytest.mark.parametrize(
    "begun",
    [
        BEGUN + 1,  # a replica took -1 steps
        BEGUN - 1,  # a replica took 101 steps
        BEGUN - 50,  # it began before step 0
        BEGUN.astype(np.int32),
        BEGUN[:5],
        None,
    ],
)
def test_steps_that_the_call_cannot_have_taken(begun, path, call):
    checkpoint.write(path, on_its_way(BEGUN, DONE), call, BEGUN)
    changed(path, begun=begun)
    with pytest.raises(ValueError, match="checkpoint must be a result written by fastgames"):
        checkpoint.read(path, call)


def test_a_call_cannot_have_begun_before_step_0(path, call):
    zeros, begun = np.zeros(REPLICAS, int), np.array([0, 0, 0, 0, -1, 0])
    checkpoint.write(path, on_its_way(zeros, zeros + 7), call, begun)
    with pytest.raises(ValueError, match="begun must be in"):
        checkpoint.read(path, call)


@pytest.mark.parametrize("name", ["steps", "learners[1]", "record.last"])
def test_a_call_that_is_not_described_whole_is_another(name, path, call):
    less = {key: value for key, value in call.items() if key != name}
    checkpoint.write(path, on_its_way(BEGUN, DONE), less, BEGUN)
    with pytest.raises(ValueError, match="is of another call"):
        checkpoint.read(path, call)


def test_a_checkpoint_must_hold_what_its_call_asks_for(path, call):
    """One might say that it is of the call, and bring arrays of other shapes to the kernels."""
    result = on_its_way(BEGUN, DONE)
    others = [
        replace(result, seed=8),
        replace(result, grid=None),
        replace(result, stop=fg.Stable(51)),
        replace(result, game=fg.Variants(GAME.games[::-1], GAME.index)),
        replace(result, learners=(replace(LEARNERS[0], gamma=0.5), LEARNERS[1])),
        replace(result, record=replace(RECORD, every=31)),
    ]
    single = {"q": result.tables[0]["q"].astype("float32")}
    seats = [replace(seat, tables=single) for seat in result.state.seats]
    taken = replace(result.snapshots, tables=[
        {"q": tables["q"].astype("float32")} for tables in result.snapshots.tables
    ])  # fmt: skip
    others.append(
        replace(result, dtype="float32", state=replace(result.state, seats=seats), snapshots=taken)
    )
    for other in others:
        checkpoint.write(path, other, call, BEGUN)
        fg.load(path)  # it is a result
        with pytest.raises(ValueError, match="it has not what its call asks for"):
            checkpoint.read(path, call)


def test_snapshots_are_those_that_the_call_will_take(path, call):
    result = on_its_way(BEGUN, DONE)
    for steps in ([30, 60, 90], [60, 90, 121]):
        taken = replace(result.snapshots, steps=np.array(steps))
        checkpoint.write(path, replace(result, snapshots=taken), call, BEGUN)
        with pytest.raises(ValueError, match="snapshots/steps are not those of its call"):
            checkpoint.read(path, call)
    checkpoint.write(path, result, call, BEGUN)
    assert checkpoint.read(path, call)[0].snapshots.steps.tolist() == [60, 90, 120]


# --- full disks ---------------------------------------------------------------------------------


def full_disk(*arguments, **keywords):
    raise OSError(28, "No space left on device")


FAILURES = [(np.lib.format, "write_array"), (os, "fsync"), (os, "replace"), (files, "open")]


@pytest.mark.parametrize(("module", "name"), FAILURES)
def test_a_full_disk_leaves_the_last_checkpoint_and_one_warning(
    module, name, path, call, monkeypatch
):
    writer = checkpoint.Writer(path, 1.0, call, BEGUN)
    first, second, third = (on_its_way(BEGUN, DONE, contents=k) for k in range(3))
    writer.save(first)
    before = path.read_bytes()
    monkeypatch.setattr(module, name, full_disk, raising=name != "open")
    with pytest.warns(RuntimeWarning, match=r"some.ckpt' could not be written.*No space") as caught:
        for _ in range(3):
            writer.save(second)
    assert len(caught) == 1
    assert path.read_bytes() == before
    assert_only(path)
    monkeypatch.undo()
    assert_same(checkpoint.read(path, call)[0], first)
    writer.save(third)  # there is space again
    assert_same(checkpoint.read(path, call)[0], third)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no such device")
def test_a_device_that_is_full(path, call, monkeypatch):
    """Errors as they come from the operating system, at whatever write it is."""
    writer = checkpoint.Writer(path, 1.0, call, BEGUN)
    writer.save(on_its_way(BEGUN, DONE))
    before = path.read_bytes()
    device = os.open("/dev/full", os.O_WRONLY)
    full = path.with_name("full"), os.fdopen(device, "wb")
    monkeypatch.setattr(files, "_temporary", lambda _: full)
    with pytest.warns(RuntimeWarning, match="No space left on device"):
        writer.save(on_its_way(BEGUN, DONE, contents=1))
    assert path.read_bytes() == before
    assert_only(path)


@pytest.mark.skipif(sys.platform == "win32", reason="limits as POSIX has them")
@pytest.mark.parametrize("limit", [0, 100, 5000])
def test_a_limit_on_the_size_of_files(limit, path, call):
    """Cut short by the operating system in the middle of the file."""
    import resource

    writer = checkpoint.Writer(path, 1.0, call, BEGUN)
    writer.save(on_its_way(BEGUN, DONE))
    before = path.read_bytes()
    assert len(before) > 5000
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            writer.save(on_its_way(BEGUN, DONE, contents=1))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert ["could not be written" in str(each.message) for each in caught] == [True]
    assert path.read_bytes() == before
    assert_only(path)


def test_a_folder_that_is_gone_does_not_stop_the_run(path, call):
    writer = checkpoint.Writer(path, 1.0, call, BEGUN)
    path.parent.rmdir()
    with pytest.warns(RuntimeWarning, match="could not be written"):
        writer.save(on_its_way(BEGUN, DONE))


def test_what_is_not_about_the_disk_is_not_passed_over(path, call, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        checkpoint.Writer(path, 1.0, call, BEGUN).save(on_its_way(BEGUN, DONE))
    assert not list(path.parent.iterdir())


# --- the writer ---------------------------------------------------------------------------------


def test_due_after_so_many_seconds_since_the_last_one(path, call):
    began = time.monotonic()
    writer = checkpoint.Writer(path, 5.0, call, BEGUN)
    assert not writer.due(began + 4.9)
    assert writer.due(time.monotonic() + 5.0)
    writer.last -= 100
    assert writer.due(time.monotonic())
    writer.save(on_its_way(BEGUN, DONE))
    assert not writer.due(time.monotonic() + 4.9)


def test_a_failure_is_tried_again_after_the_interval_only(path, call, monkeypatch):
    monkeypatch.setattr(os, "fsync", full_disk)
    writer = checkpoint.Writer(path, 5.0, call, BEGUN)
    writer.last -= 100
    with pytest.warns(RuntimeWarning):
        writer.save(on_its_way(BEGUN, DONE))
    assert not writer.due(time.monotonic() + 4.9)


def test_halves_that_a_killed_call_left_are_removed(path, call):
    """Only its own: not those of other files, nor files of other names."""
    checkpoint.write(path, on_its_way(BEGUN, DONE), call, BEGUN)
    others = [
        path.with_name(name)
        for name in (
            ".other.ckpt.0123456789abcdef.part",
            ".some.ckpt.part",
            ".some.ckpt.mine.part",
            "some.ckpt.0123456789abcdef.part",
        )
    ]
    left = path.with_name(".some.ckpt.0123456789abcdef.part")
    for each in (*others, left):
        each.write_bytes(b"half")
    checkpoint.Writer(path, 1.0, call, BEGUN)
    assert set(path.parent.iterdir()) == {path, *others}


REWRITE = """
import sys, fastgames
one, other = (fastgames.load(path) for path in sys.argv[2:])
print("ready", flush=True)
while True:
    one.save(sys.argv[1])
    other.save(sys.argv[1])
"""


def test_killed_while_writing(path, call, tmp_path):
    """The file is one of the two, whole, whenever the kill comes; what is left over goes."""
    (tmp_path / "others").mkdir()
    others = [tmp_path / "others" / name for name in ("one", "other")]
    for k, other in enumerate(others):
        on_its_way(BEGUN, DONE, contents=k).save(other)
    path = tmp_path / "own" / path.name
    path.parent.mkdir()
    path.write_bytes(others[0].read_bytes())
    rng, left = np.random.default_rng(0), 0
    for _ in range(6):
        child = subprocess.Popen(
            [sys.executable, "-c", REWRITE, path, *others], stdout=subprocess.PIPE
        )
        with child:
            assert child.stdout.read(5) == b"ready"
            time.sleep(rng.uniform(0.01, 0.05))
            child.kill()
        left += len(list(path.parent.iterdir())) - 1
        again = fg.load(path)
        is_first = (again.tables[0]["q"] == fg.load(others[0]).tables[0]["q"]).all()
        assert_same_contents(again, fg.load(others[not is_first]))
        checkpoint.Writer(path, 1.0, call, BEGUN)
        assert_only(path)
    assert left  # some were killed in the middle of a file


# --- runs ---------------------------------------------------------------------------------------


@pytest.fixture
def written(monkeypatch, path):
    """written(**call): the bytes of every checkpoint of a run, and its result."""

    def written(**call):
        files, write = [], archive.write

        def keep(*arguments):
            write(*arguments)
            files.append(path.read_bytes())

        monkeypatch.setattr(archive, "write", keep)
        result = fg.run(**call, checkpoint=path, checkpoint_every=1e-9)
        monkeypatch.undo()
        return files, result

    return written


def assert_same_contents(one, other):
    """All that a file holds of two results is the same."""
    (header, arrays), (others, twins) = results.contents(one), results.contents(other)
    assert json.dumps(header, default=str) == json.dumps(others, default=str)
    assert arrays.keys() == twins.keys()
    for name, array in arrays.items():
        twin = twins[name]
        assert (array.dtype, array.shape) == (twin.dtype, twin.shape), name
        assert array.tobytes() == twin.tobytes(), name


def going_down(start=0.9):
    """A schedule with a recurrence of its own."""
    return fg.EpsilonGreedy(fg.Exponential(start, 1e-3))


MARKOV = fg.games.random_markov_game(
    states=6, actions=(3, 2), rng=4, transitions="sparse", terminal=1, turns=True, start="random",
    time_limit=50,
)  # fmt: skip
SEVERAL = fg.grid(temptation=[4, 5.5], alpha=[0.1, 0.3], repeats=4)
CALLS = {
    "matrix": {
        "game": fg.games.chicken(),
        "learners": (fg.QLearner(explore=going_down()), fg.QLearner(fg.VisitCount(0.7))),
        "steps": 2000,
        "replicas": 8,
        "rng": 1,
        "record": fg.Record(every=90, tables=("q",), policies=True, joint_actions=True, last=700),
    },
    "markov": {
        "game": MARKOV,
        "learners": (fg.Sarsa(0.2, explore=going_down()), fg.ExpectedSarsa(fg.VisitCount())),
        "steps": 2000,
        "replicas": 10,
        "rng": 2,
        "record": fg.Record(flips=True, rewards=True),
        "dtype": "float32",
    },
    "sweep": {
        "game": SEVERAL.games(
            lambda temptation: fg.remember(fg.games.prisoners_dilemma(temptation=temptation))
        ),
        "learners": fg.QLearner(SEVERAL.alpha, explore=going_down(), initial=fg.UniformRivals()),
        "steps": 3000,
        "replicas": SEVERAL,
        "rng": 3,
        "record": fg.Record(joint_actions=True, rewards=True, last=40, flips=True),
        "stop": fg.Stable(400),
    },
    "listing": {
        "game": fg.remember(fg.games.chicken(), start="uniform"),
        "learners": (fg.QLearner(), fg.QLearner(explore=fg.Softmax(1.0))),
        "steps": 20_000,
        "rng": 4,
        "stream": "numpy",
        "record": fg.Record(every=1000, greedy=True),
    },
}


def call_of(name):
    """The arguments of a call; "resumed": that of markov, from 77 steps on."""
    if name != "resumed":
        return CALLS[name]
    first = fg.run(**CALLS["markov"] | {"steps": 77}, backend="reference")
    return CALLS["markov"] | {"rng": None, "resume": first}


@pytest.mark.filterwarnings("ignore::fastgames.ConvergenceWarning")
@pytest.mark.parametrize("name", [*CALLS, "resumed"])
def test_any_checkpoint_leads_to_the_bits_of_the_whole(name, written, path):
    call = call_of(name)
    whole = fg.run(**call)
    files, watched = written(**call, backend="reference", threads=2)
    assert_same_contents(watched, whole)
    begun = checkpoint.read(path, written_call(files[0]))[1]
    amid = []  # the files in which some replica has some of its steps before it
    for k, data in enumerate(files):
        path.write_bytes(data)
        done = fg.load(path).steps - begun
        if ((done > 0) & (done < whole.steps - begun)).any():
            amid.append(k)
    assert amid
    for k in {0, amid[0], amid[len(amid) // 2], amid[-1], len(files) - 1}:
        path.write_bytes(files[k])
        assert_same_contents(fg.run(**call, checkpoint=path), whole)
        assert_same_contents(fg.load(path), whole)


def written_call(data):
    """The call that a checkpoint says it is of."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return json.loads(archive.read("header.json"))["call"]


def test_killed_again_and_again(written, path):
    """From checkpoint to checkpoint, each of a run that began at the one before."""
    call = CALLS["markov"]
    whole = fg.run(**call)
    for _ in range(3):
        files, result = written(**call, backend="reference")
        assert_same_contents(result, whole)
        if files:  # none where the last one was that of the end
            path.write_bytes(files[len(files) // 3])


def test_a_seed_that_was_never_given_is_kept(written, path):
    call = CALLS["matrix"] | {"rng": None}
    files, result = written(**call, backend="reference")
    path.write_bytes(files[1])
    again = fg.run(**call, checkpoint=path)
    assert again.seed == result.seed
    assert_same_contents(again, result)


def test_a_finished_run_is_only_read(path):
    call = CALLS["matrix"]
    whole = fg.run(**call, checkpoint=path)
    before = path.stat()
    assert_same_contents(fg.run(**call, checkpoint=path, threads=1), whole)
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_the_result_has_the_very_game_and_learners_of_the_call(path):
    class Market(fg.MatrixGame):
        __slots__ = ()

    game = Market(fg.games.chicken().payoffs)
    learners = (fg.QLearner(), fg.QLearner())
    for _ in range(2):
        result = fg.run(game, learners, 20, 3, rng=1, checkpoint=path)
        assert result.game is game
        assert all(one is other for one, other in zip(result.learners, learners, strict=True))


def test_a_run_refuses_the_checkpoint_of_another(path):
    fg.run(**CALLS["matrix"], checkpoint=path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="is of another call: steps was 2000, got 2001"):
        fg.run(**CALLS["matrix"] | {"steps": 2001}, checkpoint=path)
    with pytest.raises(ValueError, match="is of another call: rng was 1, got None"):
        fg.run(**CALLS["matrix"] | {"rng": None}, checkpoint=path)
    assert path.read_bytes() == before


def test_a_run_on_a_full_disk_warns_once_and_has_its_result(path, monkeypatch):
    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.warns(RuntimeWarning, match="could not be written, the run goes on") as caught:
        result = fg.run(
            **CALLS["markov"], checkpoint=path, checkpoint_every=1e-9, backend="reference"
        )
    assert len(caught) == 1
    assert not list(path.parent.iterdir())
    monkeypatch.undo()
    assert_same_contents(result, fg.run(**CALLS["markov"]))


@pytest.mark.parametrize("arguments", [{"checkpoint": 3}, {"checkpoint_every": 0}])
def test_a_run_checks_its_arguments(arguments, path):
    with pytest.raises((TypeError, ValueError), match=next(iter(arguments))):
        fg.run(**CALLS["matrix"], **{"checkpoint": path} | arguments)
    assert not list(path.parent.iterdir())


# --- arguments ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"path": 3}, TypeError, "checkpoint must be the path of a file, got 3"),
        ({"path": True}, TypeError, "checkpoint must be the path of a file, got True"),
        ({"path": "/nowhere/at/all"}, ValueError, "directory that exists, got '/nowhere/at/all'"),
        ({"path": "."}, ValueError, "checkpoint must be a file in a directory that exists"),
        ({"every": 0}, ValueError, r"checkpoint_every must be seconds in \(0, inf\), got 0"),
        ({"every": -1.0}, ValueError, "checkpoint_every must be seconds in"),
        ({"every": np.nan}, ValueError, "checkpoint_every must be seconds in"),
        ({"every": np.inf}, ValueError, "checkpoint_every must be seconds in"),
        ({"every": None}, TypeError, "checkpoint_every must be a number of seconds, got None"),
        ({"every": True}, TypeError, "checkpoint_every must be a number of seconds, got True"),
    ],
)
def test_bad_arguments(changes, error, message, path):
    with pytest.raises(error, match=message):
        checkpoint.check(**{"path": path, "every": 60} | changes)


def test_good_arguments(path):
    assert checkpoint.check(str(path), np.float32(0.5)) == (path, 0.5)
    assert checkpoint.check(path, 60) == (path, 60.0)
