"""Results as files: what is loaded is what was saved, and a bad file is a ValueError."""

import io
import json
import os
import struct
import sys
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import fastgames as fg

PENNIES = fg.games.matching_pennies()
FULL = fg.Record(
    every=3,
    tables=("q",),
    greedy=True,
    policies=True,
    flips=True,
    joint_actions=True,
    rewards=True,
    last=7,
)


def small(**arguments):
    learners = [fg.QLearner(fg.Exponential(0.5, [0.1, 0.2])), fg.QLearner(explore=fg.Softmax(2.0))]
    return fg.run(
        PENNIES, learners, **{"steps": 10, "replicas": 2, "rng": 1, "record": FULL, **arguments}
    )


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


# --- round trips --------------------------------------------------------------------------------


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_what_is_loaded_is_what_was_saved(data, setups, assert_same, tmp_path):
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
    again = fg.load(path)
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


def test_a_frozen_agent_keeps_its_q_table_in_the_file(tmp_path, assert_same):
    first = small()
    frozen = [first.learners[0], fg.FixedPolicy(first.policy(1))]
    second = fg.run(PENNIES, frozen, steps=5, resume=first)
    second.save(tmp_path / "frozen")
    again = fg.load(str(tmp_path / "frozen"))
    assert_same(second, again)
    assert_same(
        fg.run(PENNIES, first.learners, steps=5, resume=second),
        fg.run(PENNIES, first.learners, steps=5, resume=again),
    )


def test_an_interrupted_looking_result_with_different_steps_is_kept(tmp_path, assert_same):
    result = small(record=None)
    result.state.steps[1] = 3
    result.save(tmp_path / "result")
    assert_same(result, fg.load(tmp_path / "result"))


def test_a_file_is_a_zip_of_plain_arrays_and_json(saved):
    with zipfile.ZipFile(io.BytesIO(saved[0])) as archive:
        assert archive.testzip() is None
        json.loads(archive.read("header.json"))
        for name in set(archive.namelist()) - {"header.json"}:
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
    assert fg.load(path).seed == 1
    assert list(tmp_path.iterdir()) == [path]


# --- damage -------------------------------------------------------------------------------------


def refused_or_same(load, data, result, assert_same):
    try:
        again = load(data)
    except ValueError as error:
        assert "path" in str(error)
        assert "result" in str(error)
    else:
        assert_same(result, again)
        assert again.learners == result.learners
        assert again.game.payoffs.tobytes() == result.game.payoffs.tobytes()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(
    damage=st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), min_size=1, max_size=3
    )
)
def test_flipped_bits_are_found_or_make_no_difference(damage, saved, load, assert_same):
    data, result = bytearray(saved[0]), saved[1]
    for place, flip in damage:
        data[int(place * len(data))] ^= flip
    refused_or_same(load, bytes(data), result, assert_same)


def test_every_byte_of_headers_and_directory_may_be_damaged(saved, load, assert_same):
    """All places outside the arrays' contents, with a few flips each."""
    data, result = saved
    names = ("state/steps.npy", "payoffs.npy")
    places = {*range(60), *range(len(data) - 120, len(data))}
    for name in names:
        start = data.index(name.encode())
        places |= set(range(start - 40, start + 200))
    for place in sorted(p for p in places if 0 <= p < len(data)):
        for flip in (1, 8, 128):
            damaged = bytearray(data)
            damaged[place] ^= flip
            refused_or_same(load, bytes(damaged), result, assert_same)


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


def forged(data, members=None, drop=(), compression=zipfile.ZIP_STORED, **header):
    """The file with some members and entries of its header replaced."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", compression) as new:
        contents = {name: old.read(name) for name in old.namelist() if name not in drop}
        contents |= members or {}
        if header:
            contents["header.json"] = json.dumps(
                json.loads(contents["header.json"]) | header
            ).encode()
        for name, content in contents.items():
            new.writestr(name, content)
    return out.getvalue()


def npy(header, content=b"", version=(1, 0)):
    """An .npy file with any header."""
    text = header.encode("latin1") + b"\n"
    return b"\x93NUMPY" + bytes(version) + struct.pack("<H", len(text)) + text + content


def test_forging_nothing_is_fine(saved, load, assert_same):
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
        load(forged(saved[0], {"state/q/0.npy": npy(header, content)}))


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
        load(forged(saved[0], {"state/q/0.npy": member}))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("format", 2),
        ("format", "1"),
        ("format", None),
        ("contract", 0),
        ("contract", 2),
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
        ("held", 3),
        ("held", [[1]]),
        ("game", None),
        ("game", {"name": 3}),
        ("game", {"payoffs": 1}),
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


def test_every_member_is_needed(saved, load):
    with zipfile.ZipFile(io.BytesIO(saved[0])) as archive:
        names = archive.namelist()
    for name in names:
        with pytest.raises(ValueError, match="path must be a result"):
            load(forged(saved[0], drop=(name,)))


def test_streams_that_stand_still_are_refused(saved, load):
    zeros = io.BytesIO()
    np.save(zeros, np.zeros((2, 2, 4), np.uint32))
    with pytest.raises(ValueError, match="zeros"):
        load(forged(saved[0], {"state/streams.npy": zeros.getvalue()}))


def test_a_bomb_is_not_inflated(saved, load):
    """A member of 64 MiB deflated to 64 KiB; the file must be refused by its directory alone."""
    bomb = npy("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 1, 2)}") + bytes(2**26)
    data = forged(saved[0], {"state/q/0.npy": bomb}, compression=zipfile.ZIP_DEFLATED)
    assert len(data) < 2**18
    with pytest.raises(ValueError, match="larger than the file"):
        load(data)
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
        load(forged(listing, generator=state))
    except ValueError as error:
        assert "path must be a result" in str(error)


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
