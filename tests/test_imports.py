"""Importing fastgames is quick: what a run does not need is not loaded."""

import ast
import inspect
import sys
import textwrap
from pathlib import Path

import pytest
from library.processes import output_of

import fastgames as fg
from fastgames import _core, games, registry

HEAVY = ("numba", "llvmlite", "scipy", "matplotlib", "xarray", "rich", "typer", "pandas", "ray")

# Our own modules that a run of a classic game loads, and what else it imports besides NumPy.
# Each costs a process up to a millisecond: that of `python -c "import numpy"` takes 80.
A_RUN = """
    _common _common.checks _common.fields _common.frozen _common.interrupt _common.later
    _common.light _common.seeds _common.version _core _core.cpu _core.lanes_ISA_f64 engine
    engine.arguments engine.compiled engine.core engine.driver engine.progress engine.recorded
    engine.spec engine.state engine.window errors games games._names games._tables games.catalogue
    games.catalogue._declaration games.catalogue._payoffs games.catalogue.matching_pennies
    games.compact games.markov games.matrix games.procedural games.transitions games.variants
    learners learners._names learners.base learners.explore learners.fields learners.qlearner
    learners.rules learners.stepsize learners.values record registry result rules rules.choice
    rules.exponential rules.fixed rules.logarithm rules.qlearning rules.stepsize runs runs.execution
    runs.running schedules schedules.base stop
"""
OTHERS = "import __future__, dataclasses, numpy, threading"


def all_loaded_after(program, **environment):
    """The modules that a fresh process has loaded once it has run `program`.

    Without `site`: what stands in site-packages can make it load more, an editable install does.
    """
    path = [*sys.path, str(Path(fg.__file__).parents[1])]
    before, after = f"import sys\nsys.path[:] = {path}\n", "\nprint(*sys.modules)"
    whole = before + textwrap.dedent(program) + after
    return set(output_of(whole, options=["-S"], timeout=60, **environment).split())


def loaded_after(program, **environment):
    """The heavy packages that a fresh process has loaded once it has run `program`."""
    return sorted(all_loaded_after(program, **environment).intersection(HEAVY))


def test_import_loads_nothing_heavy():
    assert loaded_after("import fastgames") == []


def test_executors_are_imported_without_their_packages():
    assert loaded_after("from fastgames.distributed import RayExecutor") == []


@pytest.mark.parametrize("replicas", [1, 100])
def test_a_run_of_a_classic_game_loads_only_what_it_needs(replicas):
    loaded = all_loaded_after(f"""
        import fastgames as fg
        fg.run(fg.games.matching_pennies(), fg.QLearner(), steps=100, replicas={replicas}, rng=1)
    """)
    loaded -= all_loaded_after(OTHERS)
    ours = {name for name in loaded if name.partition(".")[0] == "fastgames"}
    expected = A_RUN.replace("ISA", fg.isa).split()
    assert ours == {"fastgames", *(f"fastgames.{name}" for name in expected)}
    others = sorted(name for name in loaded - ours if "cython" not in name)
    assert others == ["signal"]  # by which a second Ctrl-C is held back


@pytest.mark.parametrize("package", [fg, games])
def test_names_that_are_loaded_late_are_like_any_other(package):
    for name in package.__all__:
        assert name in dir(package)
        assert getattr(package, name) is getattr(package, name)
    with pytest.raises(AttributeError, match=f"module '{package.__name__}' has no attribute 'nam'"):
        _ = package.nam
    assert not hasattr(package, "__wrapped__")


def test_type_checkers_are_told_of_every_name_that_is_loaded_late():
    tree = ast.parse(inspect.getsource(games))
    for_checkers = next(node for node in tree.body if isinstance(node, ast.If))
    told = {
        (node.module, name.name)
        for node in for_checkers.body
        if isinstance(node, ast.ImportFrom) and node.module != "_names"  # see games/test_names.py
        for name in node.names
    }
    (call,) = (x for x in ast.walk(tree) if isinstance(x, ast.Call))
    table = ast.literal_eval(call.args[1])
    assert {(module, name) for module, names in table.items() for name in names} == told
    assert registry.GAMES is games.CATALOGUE


@pytest.mark.parametrize("module", ["analysis", "distributed", "papers"])
def test_modules_are_attributes_before_they_are_imported(module):
    program = f"""
        import fastgames, sys
        assert "fastgames.{module}" not in sys.modules and "{module}" in dir(fastgames)
        assert fastgames.{module} is sys.modules["fastgames.{module}"]
        from fastgames import {module}
    """
    assert f"fastgames.{module}" in all_loaded_after(program)


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


def test_a_cpu_that_is_too_old_is_told_so_before_numpy_may_crash_on_it():
    loaded = all_loaded_after("""
        import sys, types
        sys.modules["fastgames._core.cpu"] = types.SimpleNamespace(x86_level=lambda: 1)
        try:
            import fastgames
        except ImportError as error:
            assert "this CPU can run none of the builds" in str(error), error
        else:
            raise AssertionError("no error")
    """)
    assert "numpy" not in loaded
