"""Ctrl-C: a run stops soon, and what was done so far can be used."""

import os
import signal
import subprocess
import sys
import textwrap
import threading

import numpy as np
import pytest
from library.equal import assert_same
from library.every import each_backend
from library.processes import output_of

import fastgames as fg
from fastgames._common import checks
from fastgames._common.interrupt import interrupts
from fastgames.engine import driver
from fastgames.runs import execution

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")
PENNIES = fg.games.matching_pennies()
FOR_EVER = 10**12


def interrupted(seconds=0.2, **arguments):
    """The result of a run that Ctrl-C ends."""
    timer = threading.Timer(seconds, signal.raise_signal, (signal.SIGINT,))
    timer.start()
    try:
        with pytest.raises(fg.Interrupted) as caught:
            fg.run(**{"game": PENNIES, "learners": fg.QLearner(), "rng": 1, **arguments})
    finally:
        timer.cancel()
    return caught.value.result


@each_backend
@pytest.mark.parametrize("stream", ["fastgames", "numpy"])
def test_the_result_is_a_run_of_the_steps_that_it_says(backend, stream):
    fg.run(
        PENNIES, fg.QLearner(), steps=1, stream=stream, backend=backend
    )  # compiled before the clock runs
    record = fg.Record(flips=True, joint_actions=True, rewards=True)
    part = interrupted(steps=FOR_EVER, backend=backend, stream=stream, record=record)
    taken = int(part.steps[0])
    assert 0 < taken < FOR_EVER
    whole = fg.run(PENNIES, fg.QLearner(), steps=taken, rng=1, stream=stream, record=record)
    assert_same(part, whole)


@each_backend
def test_every_replica_has_the_bits_of_its_own_steps_and_can_go_on(backend):
    fg.run(PENNIES, fg.QLearner(), steps=1, backend=backend)
    part = interrupted(
        steps=10**7, replicas=1000, threads=2, backend=backend, record=fg.Record(joint_actions=True)
    )
    assert (part.steps == part.joint_counts.sum(axis=(1, 2))).all()
    assert part.steps.max() > 0
    assert (part.steps == 0).any()  # blocks that nobody had come to
    for steps in {int(part.steps.max()), int(part.steps[part.steps > 0].min())}:
        replica = int((part.steps == steps).argmax())
        alone = fg.run(PENNIES, fg.QLearner(), steps=steps, replicas=replica + 1, rng=1)
        assert (alone.tables[0]["q"][replica] == part.tables[0]["q"][replica]).all()
        assert (alone.state.streams[replica] == part.state.streams[replica]).all()
    more = fg.run(PENNIES, fg.QLearner(), steps=5, resume=part)
    assert (more.steps == part.steps + 5).all()
    untouched = int((part.steps == 0).argmax())
    fresh = fg.run(PENNIES, fg.QLearner(), steps=5, replicas=untouched + 1, rng=1)
    assert (more.tables[1]["q"][untouched] == fresh.tables[1]["q"][untouched]).all()


def test_interrupted_is_a_keyboard_interrupt_and_says_where_the_result_is():
    assert issubclass(fg.Interrupted, KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt, match="result"):
        raise fg.Interrupted(None)


@pytest.mark.parametrize("threads", [1, 4])
def test_no_thread_goes_on_after_the_interrupt(threads):
    part = interrupted(steps=FOR_EVER, replicas=64, threads=threads)
    before = part.steps.copy()
    for thread, frame in sys._current_frames().items():
        while frame is not None:
            stepping = frame.f_code is driver.Roster.work_off.__code__
            assert thread == threading.get_ident() or not stepping
            frame = frame.f_back
    assert (part.steps == before).all()


def test_an_error_in_a_thread_is_raised_in_the_caller(monkeypatch):
    from fastgames.engine import compiled

    def broken(self, steps):
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr(compiled.LaneBlock, "advance", broken)
    for threads in (1, 3):
        with pytest.raises(RuntimeError, match="on purpose"):
            fg.run(PENNIES, fg.QLearner(), replicas=100, threads=threads)


@each_backend
def test_sigint_from_outside_ends_a_process_with_what_it_has(backend):
    program = f"""
        import fastgames as fg
        game, learner = fg.games.matching_pennies(), fg.QLearner()
        arguments = dict(replicas=300, threads=2, backend="{backend}")
        fg.run(game, learner, steps=1, **arguments)
        print("ready", flush=True)
        try:
            fg.run(game, learner, steps={FOR_EVER}, **arguments)
        except fg.Interrupted as interrupt:
            print("steps", interrupt.result.steps.max(), flush=True)
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        assert process.stdout.readline() == "ready\n"
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.3)
        os.kill(process.pid, signal.SIGINT)
        out, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert (process.returncode, errors) == (0, "")
    assert 0 < int(out.removeprefix("steps ")) < FOR_EVER


def test_an_error_while_reporting_leaves_no_thread_behind():
    class Endless:
        capacity, active, stable = 1, 0, None
        steps = 0

        def load(self, compiled, replicas): ...

        def tally(self, compiled, on): ...

        def advance(self, steps):
            self.steps += steps
            threading.Event().wait(2 * driver.SLICE)  # so that slices do not grow
            return steps

        def store(self, compiled, replicas): ...

    def broken(done, finished):
        raise RuntimeError("broken on purpose")

    block, one = Endless(), np.zeros(1, np.int64)
    work = driver.Work(FOR_EVER, one, one, [], 0, 0, lambda *_: None)
    with pytest.raises(RuntimeError, match="on purpose"):
        driver.run(work, lambda: block, 1, broken)
    taken = block.steps
    threading.Event().wait(10 * driver.SLICE)
    assert block.steps == taken


# --- games of states, and stops -----------------------------------------------------------------

MARKOV = fg.games.random_markov_game(
    2, 6, (3, 4), rng=3, transitions="sparse", terminal=1, turns=True, start="random", time_limit=9
)
SEATS = (
    fg.Sarsa(fg.VisitCount(0.9), explore=fg.EpsilonGreedy(fg.Exponential(1.0, 1e-4, 0.01))),
    fg.QLearner(0.05, explore=fg.EpsilonGreedy(0.2)),
)


@each_backend
@pytest.mark.parametrize("stream", ["fastgames", "numpy"])
def test_an_interrupted_markov_game_goes_on_to_the_same_bits(backend, stream):
    """From whatever step of whatever episode, with moves pending."""
    record = fg.Record(flips=True, joint_actions=True, rewards=True)
    same = {"backend": backend, "record": record}
    fg.run(MARKOV, SEATS, steps=1, stream=stream, **same)  # compiled before the clock runs
    part = interrupted(game=MARKOV, learners=SEATS, steps=FOR_EVER, stream=stream, **same)
    taken = int(part.steps[0])
    assert 0 < taken < FOR_EVER
    whole = fg.run(MARKOV, SEATS, steps=taken + 77, rng=1, stream=stream, record=record)
    assert_same(fg.run(MARKOV, SEATS, steps=77, resume=part, **same), whole)


@pytest.mark.filterwarnings("ignore::fastgames.ConvergenceWarning")
def test_an_interrupted_run_of_many_that_stop_goes_on_to_the_same_bits():
    """Lanes have been refilled, replicas have moved between them, and are in no order."""
    replicas, rates = 20_000, 10 ** np.random.default_rng(1).uniform(-3.5, -1, 20_000)
    explore = fg.EpsilonGreedy(fg.Exponential(1.0, rates))
    learners, stop = (fg.QLearner(0.3, 0.8, explore),) * 2, fg.Stable(200)
    game = fg.remember(fg.games.prisoners_dilemma())
    record = fg.Record(joint_actions=True, rewards=True, last=150)
    arguments = {"steps": 200_000, "replicas": replicas, "stop": stop, "record": record}
    part = interrupted(0.4, game=game, learners=learners, threads=2, **arguments)
    begun = part.steps > 0
    assert 0.001 < begun.mean() < 0.999
    assert part.stopped.any()
    on_their_way = np.flatnonzero(begun & ~part.stopped)
    assert len(on_their_way) > 1
    assert (part.joint_counts.sum(axis=(1, 2)) == np.minimum(part.steps, 150)).all()
    more = fg.run(game, learners, steps=100, resume=part, stop=stop)
    for replica in [*on_their_way[:3], *np.flatnonzero(part.stopped)[-3:]]:
        explore = fg.EpsilonGreedy(fg.Exponential(1.0, rates[: replica + 1]))
        steps = int(part.steps[replica])
        arguments = {"learners": fg.QLearner(0.3, 0.8, explore), "rng": 1, "threads": 1}
        arguments["replicas"] = int(replica) + 1
        record = fg.Record(joint_actions=True, rewards=True, last=min(150, steps))
        straight = fg.run(game, steps=steps, record=record, **arguments)
        longer = fg.run(game, steps=int(more.steps[replica]), **arguments)
        for name in ("joint_counts", "mean_reward", "states"):
            one, other = getattr(straight, name), getattr(part, name)
            assert one[replica].tobytes() == other[replica].tobytes()
        for one, other in ((straight, part), (longer, more)):
            assert (one.state.streams == other.state.streams[: replica + 1])[replica].all()
            for agent in range(2):
                tables = one.tables[agent]["q"][replica], other.tables[agent]["q"][replica]
                assert tables[0].tobytes() == tables[1].tobytes()


def test_interrupted_before_the_first_step_of_a_listing(monkeypatch):
    """A start that was drawn stays drawn."""

    def at_once(*arguments, **keywords):
        raise KeyboardInterrupt

    arguments = {"rng": 5, "stream": "numpy"}
    with monkeypatch.context() as patch:
        patch.setattr(driver, "run", at_once)
        with pytest.raises(fg.Interrupted) as caught:
            fg.run(MARKOV, SEATS, steps=50, **arguments)
    part = caught.value.result
    assert part.steps.tolist() == [0]
    whole = fg.run(MARKOV, SEATS, steps=50, **arguments)
    assert_same(fg.run(MARKOV, SEATS, steps=50, resume=part), whole)


def test_further_interrupts_do_not_lose_the_result(monkeypatch):
    """They come while lanes are written back, and while the window is summed up."""
    from fastgames.engine import compiled

    store, count_up, struck = compiled.LaneBlock.store, execution.count_up, []

    def strike():
        struck.append(threading.current_thread() is threading.main_thread())
        signal.raise_signal(signal.SIGINT)

    def storing(self, *arguments):
        strike()
        store(self, *arguments)

    def counting(*arguments):
        strike()
        count_up(*arguments)

    monkeypatch.setattr(compiled.LaneBlock, "store", storing)
    monkeypatch.setattr(execution, "count_up", counting)
    record = fg.Record(rewards=True, last=1000)
    stop = fg.Stable(2**31 - 1)
    part = interrupted(steps=FOR_EVER, record=record, stop=stop)
    assert len(struck) >= 2
    assert {True, False} == set(struck)  # in this thread, and in that of the block
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    monkeypatch.undo()
    whole = fg.run(PENNIES, fg.QLearner(), int(part.steps[0]), rng=1, record=record, stop=stop)
    assert_same(part, whole)


def test_an_interrupt_waits_until_a_package_is_imported(tmp_path, monkeypatch):
    source = """
        import signal
        signal.raise_signal(signal.SIGINT)
        whole = True
    """
    (tmp_path / "half_imported.py").write_text(textwrap.dedent(source))
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(KeyboardInterrupt), checks.importing("frames", "a data frame"):
        import half_imported
    assert sys.modules["half_imported"].whole
    assert half_imported.whole
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize(("package", "place"), [("matplotlib", 90), ("pandas", 60), ("xarray", 60)])
def test_what_an_interrupt_left_of_an_import_does_no_harm(package, place):
    """Ctrl-C at one of the modules: half of matplotlib would not be imported again."""
    program = f"""
        import signal, sys
        import fastgames as fg
        result = fg.run(fg.games.matching_pennies(), fg.QLearner(), steps=10, rng=1)

        class Strike:
            seen = 0
            def find_spec(self, *arguments):
                Strike.seen += 1
                if Strike.seen == {place}:
                    signal.raise_signal(signal.SIGINT)

        sys.meta_path.insert(0, Strike())
        make = {{"pandas": result.to_pandas, "xarray": result.to_xarray, "matplotlib": result.plot}}
        try:
            make["{package}"]()
        except KeyboardInterrupt:
            print("interrupted")
        make["{package}"]()
        print(Strike.seen >= {place})
    """
    assert output_of(program, timeout=120) == "interrupted\nTrue\n"


def test_a_broken_package_is_not_called_missing(tmp_path, monkeypatch):
    (tmp_path / "broken_package.py").write_text("raise ImportError('its own trouble')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ImportError, match="its own trouble"), checks.importing("plot", "x"):
        import broken_package  # noqa: F401


@pytest.mark.parametrize("ignored", [True, False])
def test_these_tests_run_where_interrupts_are_ignored(ignored):
    """As in ``nohup make test &``; they used to wait for ever."""
    name = "test_the_result_is_a_run_of_the_steps_that_it_says[fastgames-cython]"
    program = f"""
        import signal, sys, pytest
        signal.signal(signal.SIGINT, signal.SIG_IGN if {ignored} else signal.default_int_handler)
        sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", {__file__ + "::" + name!r}]))
    """
    output_of(program, timeout=120)


def test_an_ignored_interrupt_stays_ignored(monkeypatch):
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with interrupts(0):
            signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, previous)
