"""Functions that change, threads that compile at once, and directories that others can reach."""

import gc
import os
import weakref

import numpy as np
import pytest
from library.processes import output_of

import fastgames as fg
from fastgames import jit
from fastgames.compiler import cache
from fastgames.compiler import compile as compiling

PENNIES = fg.games.matching_pennies()
C = 3.0


def choose(tables, p, o, signal):
    return int(signal * 2.0)


def helper(x):
    return x + C


def learn(tables, p, t):
    tables[0][t.observation, t.action] = helper(tables[0][t.observation, t.action])


def start(state, words):
    state[0] = 0


def step(state, actions, rewards, words):
    rewards[0] = C
    rewards[1] = 0.0
    return False


def observe(state, agent):
    return 0


def game():
    return fg.ProceduralGame(start, step, observe, num_actions=(2, 2), num_observations=(1, 1))


def added(learner, backend):
    """Return the number that `learn` adds in a step."""
    return fg.run(PENNIES, learner, 10, rng=1, backend=backend).tables[0]["q"].sum() / 10


def paid(made, backend):
    """Return the reward that `step` pays."""
    learner, record = fg.FixedPolicy([0.5, 0.5]), fg.Record(rewards=True)
    return fg.run(made, learner, 10, rng=1, backend=backend, record=record).mean_reward[0, 0]


@pytest.mark.parametrize("backend", ["reference", "numba"])
def test_what_has_changed_is_taken_up_by_what_is_made_anew_and_refused_before(backend, monkeypatch):
    learner, made = fg.Learner(choose, learn), game()
    first = fg.run(PENNIES, learner, 10, rng=1, backend=backend)
    before = learner.fingerprint, made.fingerprint
    assert (added(learner, backend), paid(made, backend)) == (3.0, 3.0)
    monkeypatch.setitem(globals(), "C", 10.0)
    with pytest.raises(ValueError, match=r"learners\[0\] must be made .*'learn: helper: C' has"):
        fg.run(PENNIES, learner, 10, rng=1, backend=backend)
    with pytest.raises(ValueError, match=r"game must be made .*'step: C' has; make it anew"):
        fg.run(made, fg.QLearner(), 10, rng=1, backend=backend)
    assert (added(fg.Learner(choose, learn), backend), paid(game(), backend)) == (10.0, 10.0)
    assert (first.learners[0].fingerprint, made.fingerprint) == before  # what its bits are of
    assert fg.Learner(choose, learn).fingerprint != before[0]
    monkeypatch.setitem(globals(), "helper", lambda x: x + 5.0)
    assert added(fg.Learner(choose, learn), backend) == 5.0
    monkeypatch.undo()
    assert (added(learner, backend), paid(made, backend)) == (3.0, 3.0)


def test_a_loop_is_kept_under_what_it_was_when_it_compiled(tmp_path, monkeypatch):
    """The digest is not that of the moment at which it was decorated."""
    monkeypatch.setenv("FASTGAMES_CACHE_DIR", str(tmp_path / "kept"))
    plus = jit.compiled(helper)
    for c in (3.0, 10.0):
        source = f"def f(x):\n    return x + C\n\n\ndef g(x):\n    return f(x)\n\n\nC = {c}\n"
        names = {"__name__": __name__}
        exec(source, names)
        names["f"] = jit.njit(cache=False)(names["f"])
        loop = jit.njit(names["g"])
        if c == 3.0:
            names["C"] = 10.0  # after decorating, before the first call
            names["f"](1.0)
        found = loop(1.0), sum(loop.stats.cache_hits.values())
        assert found == (11.0, int(c == 10.0))
        assert names["f"](1.0) == 11.0
    assert plus(1.0) == 4.0


def test_schedules_with_many_values_tell_learners_apart():
    values = np.linspace(0.1, 0.9, 5000)
    other = values.copy()
    other[2500] = 0.11
    made = [fg.Learner(choose, learn, {"alpha": fg.Exponential(x, 1e-3)}) for x in (values, other)]
    assert repr(made[0]._key()) != repr(made[1]._key())


# --- in memory ------------------------------------------------------------------------------------


def test_the_same_functions_are_compiled_once_and_few_are_kept(monkeypatch):
    monkeypatch.setattr(compiling, "MOST_MADE", 3)
    compiling._made.clear()
    made = [compiling.compiled(adding(1.0)) for _ in range(5)]
    assert len({id(x) for x in made}) == 1
    first = weakref.ref(made[0])
    for k in range(5):
        compiling.compiled(adding(float(k + 2)))
    assert len(compiling._made) == 3
    assert made[0](1.0) == 2.0  # whoever holds it has it
    del made
    gc.collect()
    assert first() is None
    compiling._made.clear()


def adding(c):
    return lambda x: x + c


def test_a_block_holds_the_passes_that_it_calls(monkeypatch):
    monkeypatch.setattr(compiling, "MOST_MADE", 1)
    envs = fg.VectorGame(game(), 4, rng=1)
    compiling._made.clear()
    gc.collect()
    envs.step(np.zeros((2, 4), np.int64))
    assert (envs.rewards[0] == C).all()
    core_game, *_ = envs._envs.blocks[0].core
    assert [x.address for x in core_game.passes] == list(core_game.functions)


THREADS = """
    import threading
    import fastgames as fg

    def choose(tables, p, o, signal):
        return int(signal * 2.0)

    def helper(x):
        return x + 1.0

    def learn(tables, p, t):
        tables[0][t.observation, t.action] = helper(tables[0][t.observation, t.action])

    PENNIES = fg.games.matching_pennies()
    TASKS = [
        lambda: fg.run(PENNIES, fg.WoLFPHC(), 20, replicas=2, rng=1),
        lambda: fg.run(PENNIES, fg.Learner(choose, learn), 20, replicas=2, rng=1),
    ]
    gate, found = threading.Barrier(8), []

    def work(k):
        gate.wait()
        try:
            found.append((k % 2, float(TASKS[k % 2]().tables[0].popitem()[1].sum())))
        except BaseException as error:
            found.append((k % 2, repr(error)))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert len(found) == 8 and len(set(found)) == 2, found
"""


def test_threads_that_compile_for_the_first_time(tmp_path):
    output_of(THREADS, FASTGAMES_CACHE_DIR=str(tmp_path / "kept"))


# --- the directory --------------------------------------------------------------------------------


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """A directory with one file in it."""
    monkeypatch.setenv("FASTGAMES_CACHE_DIR", str(tmp_path / "kept"))
    cache._write("one.bin", b"mine")
    return tmp_path / "kept"


def test_a_directory_that_is_swapped_after_the_check_is_not_read(kept, tmp_path, monkeypatch):
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "one.bin").write_bytes(b"theirs")
    check, swapped = cache._check_owner, []

    def swap(path, found, parent=False):
        check(path, found, parent)
        if not swapped:
            swapped.append(kept.rename(tmp_path / "away"))
            foreign.rename(kept)

    monkeypatch.setattr(cache, "_check_owner", swap)
    assert cache._read("one.bin") == b"mine"
    assert swapped
    assert (kept / "one.bin").read_bytes() == b"theirs"


def test_what_is_written_goes_into_the_directory_that_was_checked(kept, tmp_path, monkeypatch):
    check, swapped = cache._check_owner, []

    def swap(path, found, parent=False):
        check(path, found, parent)
        if not swapped:
            swapped.append(kept.rename(tmp_path / "away"))
            kept.mkdir()

    monkeypatch.setattr(cache, "_check_owner", swap)
    cache._write("two.bin", b"mine")
    assert (tmp_path / "away" / "two.bin").read_bytes() == b"mine"
    assert not list(kept.iterdir())


@pytest.mark.parametrize(
    ("mode", "read"), [(0o755, True), (0o777, False), (0o1777, True), (0o770, False)]
)
def test_a_parent_that_others_may_write_to_is_refused_unless_sticky(
    mode, read, tmp_path, monkeypatch
):
    parent = tmp_path / "parent"
    monkeypatch.setenv("FASTGAMES_CACHE_DIR", str(parent / "between" / "kept"))
    monkeypatch.setattr(cache, "_is_own_group", lambda group: False)
    cache._write("one.bin", b"mine")
    parent.chmod(mode)
    assert (cache._read("one.bin") == b"mine") == read


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o664, 0o666])
def test_a_file_that_others_may_write_to_is_not_read(mode, kept):
    (kept / "one.bin").chmod(mode)
    assert (cache._read("one.bin") == b"mine") == (mode in (0o600, 0o644))


def test_links_and_pipes_are_not_read(kept):
    (kept / "link.bin").symlink_to(kept / "one.bin")
    os.mkfifo(kept / "pipe.bin")
    assert cache._read("one.bin") == b"mine"
    assert cache._read("link.bin") is None
    assert cache._read("pipe.bin") is None


def test_a_link_to_the_directory_is_followed_and_what_it_leads_to_is_checked(
    kept, tmp_path, monkeypatch
):
    (tmp_path / "link").symlink_to(kept)
    monkeypatch.setenv("FASTGAMES_CACHE_DIR", str(tmp_path / "link"))
    assert cache._read("one.bin") == b"mine"
    kept.chmod(0o777)
    assert cache._read("one.bin") is None


# --- without Numba's compiler ---------------------------------------------------------------------

INTERPRETED = """
    import numpy as np
    import fastgames as fg
    from fastgames import jit

    @jit.njit
    def a_word(seed):
        stream = np.empty(4, np.uint32)
        jit.streams.start(seed, 0, 0, 1, stream)
        return jit.streams.next_word(stream)

    assert a_word(7) == 2997349356
    pennies = fg.games.matching_pennies()
    mine = jit.rules(fg.QLearner(), pennies)
    stream = np.zeros(4, np.uint32)
    jit.streams.start(7, 0, 0, 0, stream)
    assert mine.choose(mine.tables, mine.p, 0, mine.signal(stream, mine.p)) in (0, 1)
    assert jit.game(fg.games.soccer()).observe(np.zeros(99, np.int64), 0) >= 0
    for game, backend in ((pennies, "numba"), (fg.games.soccer(), "auto")):
        try:
            fg.run(game, fg.QLearner(), 5, replicas=2, rng=1, backend=backend)
        except RuntimeError as error:
            assert "NUMBA_DISABLE_JIT must be unset or 0" in str(error), error
        else:
            raise AssertionError
"""


def test_rules_work_interpreted_where_numba_is_disabled():
    output_of(INTERPRETED, NUMBA_DISABLE_JIT="1")


def twice(x):
    return helper(x) * helper(x + C)


def test_what_is_inlined_is_counted_at_every_call():
    own, one = len(twice.__code__.co_code), len(helper.__code__.co_code)
    assert compiling.length(helper) == one
    assert compiling.length(twice) == own + 2 * one
