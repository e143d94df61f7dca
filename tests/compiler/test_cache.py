"""The next process finds compiled code on disk, and never code that is out of date."""

import builtins
import contextlib
import os
import resource
import subprocess
import sys
import textwrap
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import ModuleType

import numba
import numpy as np
import pytest
from library.processes import output_of
from numba.core.event import RecordingListener, register, unregister

import fastgames as fg
from fastgames import jit
from fastgames.compiler import cache, compile, policies
from fastgames.functions import source

# --- another process ------------------------------------------------------------------------------

MINE = """
    import numba
    import numpy as np
    from fastgames import jit

    def choose(tables, p, o, signal):
        return int(signal * 2.0)

    def learn(tables, p, t):
        tables[0][t.observation, t.action] += t.gain

    @numba.njit(cache=True)
    def loop(steps):
        stream = np.empty(4, np.uint32)
        jit.streams.start(7, 0, 0, 0, stream)
        total = 0.0
        for _ in range(steps):
            total += jit.choice.unit(jit.streams.next_word(stream) >> 1, np.float64)
        return total
"""
PROGRAM = """
    import sys
    import numba.core.event as event
    recorder = event.RecordingListener()
    event.register("numba:run_pass", recorder)
    import fastgames as fg
    import mine
    learner = fg.Learner(mine.choose, mine.learn)
    result = fg.run(fg.games.matching_pennies(), learner, 50, replicas=3, rng=5)
    digest = result.tables[0]["q"].sum() + mine.loop(9)
    print(digest, len(recorder.buffer), sum(mine.loop.stats.cache_hits.values()))
"""


def begun(folder):
    """A process that runs `PROGRAM`."""
    (folder / "mine.py").write_text(textwrap.dedent(MINE))
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(PROGRAM)],
        cwd=folder,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={
            **os.environ,
            "FASTGAMES_CACHE_DIR": str(folder / "kept"),
            "NUMBA_CACHE_DIR": str(folder / "numba"),
            "PYTHONPATH": os.pathsep.join([str(folder), *sys.path]),
        },
    )


def ended(process):
    """Return its output: a number made of all results, passes compiled, hits in the cache."""
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    digest, compiled, hits = out.split()
    return digest, int(compiled), int(hits)


def test_the_second_process_compiles_nothing(tmp_path):
    first, second = ended(begun(tmp_path)), ended(begun(tmp_path))
    assert first[1] > 100
    assert second == (first[0], 0, 1)


@pytest.mark.slow
def test_processes_compile_at_once(tmp_path):
    first = [ended(process) for process in [begun(tmp_path) for _ in range(6)]]
    last = ended(begun(tmp_path))
    assert {digest for digest, _, _ in first} == {last[0]}
    assert last[1:] == (0, 1)
    assert not list((tmp_path / "kept").glob("*.tmp"))


ADDING = """
    import sys
    import fastgames as fg

    def added(by):
        def choose(tables, p, o, signal):
            return 0

        def learn(tables, p, t):
            tables[0][t.observation, t.action] += by

        learner = fg.Learner(choose, learn)
        result = fg.run(fg.games.matching_pennies(), learner, 10, rng=1, backend="numba")
        return result.tables[0]["q"].sum()
"""
ONE_AFTER_ANOTHER = "print(*[added(float(by)) for by in sys.argv[1:]])"
FORKED = """
    import os
    added(9.0)
    for by in sys.argv[1:]:
        if os.fork() == 0:
            print(by, *[added(float(x)) for x in by.split(",")], flush=True)
            os._exit(0)
        os.wait()
"""


def said(program, *arguments, folder):
    """The words that a program prints, which keeps what it compiles in a folder."""
    text = textwrap.dedent(ADDING) + textwrap.dedent(program)
    return output_of(text, *arguments, FASTGAMES_CACHE_DIR=str(folder / "kept")).split()


def test_code_from_disk_is_not_exchanged_for_what_this_process_compiled(tmp_path):
    """Both are the first of their process, and are called by the same names and types."""
    assert said(ONE_AFTER_ANOTHER, "1", folder=tmp_path) == ["10.0"]
    assert said(ONE_AFTER_ANOTHER, "2", "1", folder=tmp_path) == ["20.0", "10.0"]


def test_code_on_disk_of_two_processes_is_not_exchanged(tmp_path):
    for by in ("1", "2", "3"):
        said(ONE_AFTER_ANOTHER, by, folder=tmp_path)
    assert said(ONE_AFTER_ANOTHER, "3", "1", "2", folder=tmp_path) == ["30.0", "10.0", "20.0"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform does not fork")
def test_code_is_not_exchanged_among_forked_processes(tmp_path):
    assert said(FORKED, "1", "2,1", folder=tmp_path) == ["1", "10.0", "2,1", "20.0", "10.0"]


# --- one process, which forgets -------------------------------------------------------------------


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """An empty directory for what is compiled, and nothing in memory."""
    monkeypatch.setenv("FASTGAMES_CACHE_DIR", str(tmp_path / "kept"))
    monkeypatch.setattr(cache, "_warned", False)
    forget()
    yield tmp_path / "kept"
    forget()


def forget():
    """As if the process had just begun."""
    compile._made.clear()


def module(text, **given):
    """A module with this text; under a name that Numba can import when it loads a function."""
    made = ModuleType(__name__)
    vars(made).update(given, np=np, numba=numba)
    exec(textwrap.dedent(text), vars(made))
    return made


def hits(function):
    return sum(function._cache_hits.values())


PLAIN = "def f(x):\n    return x + g(x)\n"
CHANGES = {
    "its text": (
        lambda: module("def f(x):\n    return x + 1").f,
        lambda: module("def f(x):\n    return x + 2").f,
    ),
    "a constant": (
        lambda: module("def f(x):\n    return x + A", A=1).f,
        lambda: module("def f(x):\n    return x + A", A=2).f,
    ),
    "an array": (
        lambda: module("def f(x):\n    return x + A[1]", A=np.array([0, 1])).f,
        lambda: module("def f(x):\n    return x + A[1]", A=np.array([0, 2])).f,
    ),
    "a closure": (lambda: closing_over(1), lambda: closing_over(2)),
    "a default": (
        lambda: module("def f(x, y=1):\n    return x + y").f,
        lambda: module("def f(x, y=2):\n    return x + y").f,
    ),
    "a helper in another module": (
        lambda: module(PLAIN, g=numba.njit(module("def g(x):\n    return 1").g)).f,
        lambda: module(PLAIN, g=numba.njit(module("def g(x):\n    return 2").g)).f,
    ),
    "an attribute of a module": (
        lambda: module("def f(x):\n    return x + m.A", m=module("A = 1")).f,
        lambda: module("def f(x):\n    return x + m.A", m=module("A = 2")).f,
    ),
    "an attribute of a module in a module": (
        lambda: module("def f(x):\n    return x + m.n.A", m=module("", n=module("A = 1"))).f,
        lambda: module("def f(x):\n    return x + m.n.A", m=module("", n=module("A = 2"))).f,
    ),
    "a helper's default": (
        lambda: module(PLAIN, g=numba.njit(module("def g(x, y=1):\n    return y").g)).f,
        lambda: module(PLAIN, g=numba.njit(module("def g(x, y=2):\n    return y").g)).f,
    ),
    "the fields of a tuple": (
        lambda: module("def f(x):\n    return T(x, x + 1).a", T=namedtuple("T", "b a")).f,
        lambda: module("def f(x):\n    return T(x, x + 1).a", T=namedtuple("T", "a b")).f,
    ),
    "how a helper is compiled": (
        lambda: module(PLAIN, g=numba.njit(module("def g(x):\n    return 1").g)).f,
        lambda: module(PLAIN, g=numba.njit(module("def g(x):\n    return 1").g, fastmath=True)).f,
    ),
}


def closing_over(value):
    def f(x):
        return x + value

    return f


@pytest.mark.parametrize("what", CHANGES)
def test_what_changed_is_compiled_anew(what, kept):
    before, after = CHANGES[what]
    first, again, changed = (jit.njit(make()) for make in (before, before, after))
    assert (first(5), hits(first)) == (6, 0)
    assert (again(5), hits(again)) == (6, 1)
    assert (changed(5), hits(changed)) == (changed.py_func(5), 0)


def test_a_file_that_is_newer_than_what_is_loaded_does_not_count(kept, tmp_path):
    """The function that runs is kept, not the text that stands there now."""
    file, made = tmp_path / "edited.py", {}
    file.write_text("def f(x):\n    return x + 1\n")
    exec(compile_text(file), made)
    file.write_text("def f(x):\n    return x + 2\n")
    assert jit.njit(made["f"])(5) == 6
    exec(compile_text(file), made)
    assert jit.njit(made["f"])(5) == 7


def compile_text(file):
    return builtins.compile(file.read_text(), str(file), "exec")


def test_options_and_types_have_their_own(kept):
    def f(x):
        return x / 2

    assert jit.njit(f)(5) == 2.5
    other = jit.njit(f, error_model="python")
    assert other(5) == other(5.0) == 2.5
    assert hits(other) == 0
    assert len(list(kept.iterdir())) == 3


PENNIES = fg.games.matching_pennies()


def learner(by):
    """One that adds so much to what it did."""
    text = """
        def choose(tables, p, o, signal):
            return int(signal * 2.0)

        def more(x):
            return x + BY

        def learn(tables, p, t):
            tables[0][t.observation, t.action] = more(tables[0][t.observation, t.action])
    """
    mine = module(text, BY=by)
    return fg.Learner(mine.choose, mine.learn)


def test_passes_of_a_learner_whose_helper_names_another_constant(kept):
    for by in (1.0, 2.0):
        forget()
        result = fg.run(PENNIES, learner(by), 20, rng=1, backend="numba")
        assert result.tables[0]["q"].sum() == 20 * by
    files = sorted(kept.iterdir())
    forget()
    fg.run(PENNIES, learner(1.0), 20, rng=1, backend="numba")
    assert sorted(kept.iterdir()) == files


def counting(by):
    """A game that counts its steps by so much; a policy that names the same number."""
    return module("""
        def start(state, words):
            state[0] = 0

        def step(state, actions, rewards, words):
            state[0] = state[0] + BY
            rewards[0] = rewards[1] = state[0]
            return False

        def observe(state, agent):
            return 0

        def policy(tables, p, o, out):
            out[0] = BY
    """, BY=by)  # fmt: skip


def test_games_of_functions_and_policies_are_kept_too(kept):
    compiled = []
    for by in (1, 1, 2):
        forget()
        mine, out = counting(by), np.empty((3, 1, 2))
        game = fg.ProceduralGame(
            mine.start, mine.step, mine.observe, start_words=1, num_actions=(2, 2),
            num_observations=(1, 1),
        )  # fmt: skip
        recorder = RecordingListener()
        register("numba:run_pass", recorder)
        result = fg.run(game, fg.FixedPolicy([0.5, 0.5]), 30, replicas=3, rng=1)
        rules = replace(fg.FixedPolicy([0.5, 0.5]).rules, policy=mine.policy)
        policies.write_policies(rules, (out,), None, out, np.zeros(1, np.int64))
        unregister("numba:run_pass", recorder)
        compiled.append(len(recorder.buffer))
        assert (result.state.states == 30 * by).all()
        assert (out[:, :, 0] == by).all()
    assert compiled[2] > 100  # of passes, of the first step of a replica, of the policy
    assert compiled[1] == 0


def test_what_names_something_without_a_digest_is_not_kept(kept):
    mine = module("def f(x):\n    return x + 1 if A else x + A['b']", A={"b": 1})
    with pytest.raises(TypeError, match=r"got f: A = \{'b': 1\}"):
        source.fingerprint(mine.f)
    taking = jit.njit(lambda f, x: f(x))
    assert taking(jit.njit(lambda x: x + 1, cache=False), 5) == 6
    assert not kept.exists()


# --- damage, and directories that are none --------------------------------------------------------


def add(x):
    return x + 1


@pytest.mark.parametrize("damage", [
    lambda data: b"", lambda data: data[:40], lambda data: data[:-1],
    lambda data: data[:500] + bytes([data[500] ^ 1]) + data[501:],
])  # fmt: skip
def test_a_damaged_file_is_compiled_anew(damage, kept):
    jit.njit(add)(5)
    (file,) = kept.iterdir()
    whole = file.read_bytes()
    file.write_bytes(damage(whole))
    for found in (0, 1):
        again = jit.njit(add)
        assert (again(5), hits(again)) == (6, found)
    assert len(file.read_bytes()) == len(whole)


def test_a_file_of_something_else_is_compiled_anew(kept):
    jit.njit(add)(5)
    (file,) = kept.iterdir()
    payload = b"no pickle"
    file.write_bytes(cache.hashlib.sha256(payload).digest() + payload)
    again = jit.njit(add)
    assert (again(5), hits(again)) == (6, 0)


def test_where_nothing_can_be_written_what_is_there_is_used(kept):
    jit.njit(add)(5)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))  # also root writes no byte
    try:
        again, other = jit.njit(add), jit.njit(lambda x: x + 3)
        assert (again(5), hits(again)) == (6, 1)
        with pytest.warns(RuntimeWarning, match=r"could not be kept in '.*kept'.*File too large"):
            assert other(5) == 8
        assert jit.njit(lambda x: x + 4)(5) == 9  # a process warns once
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert len(list(kept.iterdir())) == 1  # and nothing unfinished


def test_where_there_can_be_no_directory_nothing_is_kept(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        monkeypatch.setenv("FASTGAMES_CACHE_DIR", str(place))
        monkeypatch.setattr(cache, "_warned", False)
        with pytest.warns(RuntimeWarning, match="kept in '.*file.*FASTGAMES_CACHE_DIR"):
            assert jit.njit(add)(5) == 6
    assert (tmp_path / "file").read_text() == ""


def test_who_asks_for_no_directory_is_not_warned(monkeypatch):
    monkeypatch.setenv("FASTGAMES_CACHE_DIR", "")
    monkeypatch.setattr(cache, "_warned", False)
    assert jit.njit(add)(5) == 6  # warnings are errors
    assert not cache._warned


def test_threads_compile_at_once(kept):
    functions = [jit.njit(add) for _ in range(8)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda f: f(5), functions)) == [6] * 8
    assert len(list(kept.iterdir())) == 1


def test_only_the_owner_may_look(kept):
    jit.njit(add)(5)
    assert kept.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("mode", [0o700, 0o755, 0o722, 0o702, 0o770])
def test_nothing_is_read_where_others_may_write(mode, kept):
    jit.njit(add)(5)
    kept.chmod(mode)
    again, safe = jit.njit(add), mode in (0o700, 0o755)
    with contextlib.nullcontext() if safe else pytest.warns(RuntimeWarning, match="by its owner"):
        again(5)
    assert hits(again) == safe


def test_nothing_is_read_that_belongs_to_another(kept, monkeypatch):
    jit.njit(add)(5)
    monkeypatch.setattr(os, "geteuid", lambda: kept.stat().st_uid + 1)
    again, safe = jit.njit(add), kept.stat().st_uid == 0  # what is the system's is trusted
    with contextlib.nullcontext() if safe else pytest.warns(RuntimeWarning, match="by its owner"):
        again(5)
    assert hits(again) == safe


def test_the_files_not_used_for_longest_go(kept, monkeypatch):
    monkeypatch.setattr(cache, "MOST_FILES", 8)
    kept.mkdir()
    (kept / "another's").write_text("")
    for k in range(9):
        cache._write(f"{k}.bin", b"x")
        os.utime(kept / f"{k}.bin", (k, k))
    left = {path.name for path in kept.iterdir()}  # three of nine went, then one came
    assert left == {"another's", *(f"{k}.bin" for k in range(3, 9))}


def test_where_it_is(monkeypatch, tmp_path):
    for name in ("FASTGAMES_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(cache.config, "CACHE_DIR", "")
    monkeypatch.setattr(cache.sys, "platform", "linux")
    assert cache.directory() == tmp_path / ".cache" / "fastgames"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")  # which the standard says to ignore
    assert cache.directory() == tmp_path / ".cache" / "fastgames"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "x"))
    assert cache.directory() == tmp_path / "x" / "fastgames"
    monkeypatch.setattr(cache.sys, "platform", "darwin")
    assert cache.directory() == tmp_path / "Library" / "Caches" / "fastgames"
    monkeypatch.setattr(cache.config, "CACHE_DIR", str(tmp_path / "numba"))
    assert cache.directory() == tmp_path / "numba" / "fastgames"
    monkeypatch.setenv("FASTGAMES_CACHE_DIR", str(tmp_path / "ours"))
    assert cache.directory() == tmp_path / "ours"
    monkeypatch.setenv("FASTGAMES_CACHE_DIR", "")
    assert cache.directory() is None
