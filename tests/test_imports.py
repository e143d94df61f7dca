"""Importing fastgames is quick: what a run does not need is not loaded."""

import os
import subprocess
import sys
import textwrap

import pytest

from fastgames import _core

HEAVY = ("numba", "llvmlite", "scipy", "matplotlib", "xarray", "rich", "typer", "pandas")


def loaded_after(program, **environment):
    """The heavy packages that a fresh process has loaded once it has run `program`."""
    report = f"\nimport sys\nprint(*sorted(set({HEAVY}) & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program) + report],
        text=True,
        capture_output=True,
        env={**os.environ, **environment},
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_import_loads_nothing_heavy():
    assert loaded_after("import fastgames") == []


def test_a_compiled_run_saved_and_loaded_loads_nothing_heavy(tmp_path):
    assert (
        loaded_after(f"""
        import fastgames as fg
        record = fg.Record(every=5, policies=True, flips=True, joint_actions=True)
        learners = [fg.QLearner(fg.Exponential(0.5, 0.1)), fg.QLearner(explore=fg.Softmax(1.0))]
        for stream in ("fastgames", "numpy"):
            result = fg.run(fg.games.shapley(), learners, steps=10, stream=stream, record=record)
            result.save({str(tmp_path / "result")!r})
            fg.load({str(tmp_path / "result")!r}).policy(0)
        fg.run(fg.games.shapley(), learners, steps=10, backend="reference")
    """)
        == []
    )


def test_a_run_of_a_game_of_states_that_stops_loads_nothing_heavy(tmp_path):
    assert (
        loaded_after(f"""
        import fastgames as fg
        game = fg.games.random_markov_game(rng=1, transitions="sparse", start="random", terminal=1)
        sweep = fg.grid(alpha=[0.1, 0.2], repeats=3)
        learners = [fg.Sarsa(sweep.alpha), fg.QLearner(fg.VisitCount(), initial=fg.UniformRivals())]
        arguments = dict(
            steps=50, replicas=sweep, stop=fg.Stable(20), record=fg.Record(rewards=True, last=5),
            checkpoint={str(tmp_path / "checkpoint")!r}, rng=1,
        )
        fg.run(game, learners, **arguments)
        fg.run(game, learners, **arguments)
    """)
        == []
    )


def test_the_numba_backend_does_load_numba():
    assert "numba" in loaded_after("""
        import fastgames as fg
        fg.run(fg.games.shapley(), fg.QLearner(), steps=1, backend="numba")
    """)


@pytest.mark.parametrize("build", _core.available())
def test_the_environment_forces_a_build(build):
    program = f"""
        import fastgames as fg, sys
        assert fg.isa == {build!r}
        fg.run(fg.games.shapley(), fg.QLearner(), steps=1)
        builds = [name for name in sys.modules if "_core.lanes_" in name]
        assert builds == ["fastgames._core.lanes_{build}_f64"], builds
    """
    assert loaded_after(program, FASTGAMES_ISA=build) == []


def test_a_build_that_this_cpu_cannot_run_is_refused():
    program = """
        try:
            import fastgames
        except ImportError as error:
            assert "FASTGAMES_ISA" in str(error) and "'v9'" in str(error), error
        else:
            raise AssertionError("no error")
    """
    assert loaded_after(program, FASTGAMES_ISA="v9") == []
