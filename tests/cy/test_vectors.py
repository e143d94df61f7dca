"""Functions of `fastgames.cy` have the bits of the rules, whatever options compile them."""

import importlib.util
import shutil
import subprocess
import sysconfig
from pathlib import Path

import numpy as np
import pytest

import fastgames as fg
from fastgames import _core
from fastgames.rules import choice, exponential, qlearning, schedules

HERE = Path(__file__).parent
SPEC = importlib.util.spec_from_file_location("vectors", HERE / "vectors.py")
vectors = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(vectors)

FUSED = ["-O2", "-march=x86-64-v3"]  # fused multiply-adds, which gcc makes of any a * b + c
needs_fma = pytest.mark.skipif("v3" not in _core.available(), reason="this CPU has no AVX2")
COMPILERS = {
    "gcc, plain": ("gcc", ["-O3"]),
    "gcc, fused": ("gcc", FUSED),
    "gcc, native": ("gcc", ["-O3", "-march=native", "-funroll-loops"]),
    "gcc, -O0": ("gcc", ["-O0"]),
    "gcc, link-time": ("gcc", [*FUSED, "-flto"]),
    "g++, fused": ("g++", [*FUSED, "-x", "c++"]),
    "clang, fused": ("clang", [*FUSED, "-ffp-contract=fast"]),
    "clang, native": ("clang", ["-O2", "-march=native"]),
}
QUICK = ("gcc, -O0", "gcc, fused")


def cases():
    """Every way to compile; all but two are slow."""
    for name, (compiler, flags) in COMPILERS.items():
        marks = [] if name in QUICK else [pytest.mark.slow]
        marks += [needs_fma] if "fused" in name else []
        marks += [pytest.mark.skipif(shutil.which(compiler) is None, reason=f"no {compiler}")]
        yield pytest.param(compiler, flags, id=name, marks=marks)


def compile_c(compiler, flags, source, out):
    """Return the messages of the compiler."""
    include = [f"-I{sysconfig.get_paths()['include']}", f"-I{fg.get_include()}"]
    return subprocess.run(
        [compiler, "-w", "-shared", "-fPIC", *include, *flags, str(source), "-o", str(out)],
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """every.pyx as C."""
    from Cython.Compiler.Main import compile as cythonize

    folder = tmp_path_factory.mktemp("every")
    out = folder / "every.c"
    done = cythonize(
        str(HERE / "every.pyx"),
        output_file=str(out),
        language_level=3,
        include_path=[str(Path(fg.__file__).parents[1])],
    )
    assert done.num_errors == 0
    return out


def imported(path):
    """The module compiled to `path`."""
    spec = importlib.util.spec_from_file_location("every", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_exported_function_has_its_lines():
    names = {name for name, *_ in vectors.stored()}
    assert names == set(vectors.RULES)
    assert [line[:3] for line in vectors.stored()][: len(vectors.PUBLISHED)] == [
        line[:3] for line in vectors.PUBLISHED
    ]


def test_the_rules_give_the_answers():
    for name, kind, given, answer in vectors.stored():
        with np.errstate(over="ignore"):
            found = vectors.ask(vectors.RULES[name], kind, given)
        assert vectors.bits(found) == vectors.bits(answer), (name, kind, given)


@pytest.mark.parametrize(("compiler", "flags"), list(cases()))
def test_compiled_by_a_user_the_answers_are_the_same(compiler, flags, source, tmp_path):
    done = compile_c(compiler, flags, source, tmp_path / "every.so")
    assert done.returncode == 0, done.stderr
    every = imported(tmp_path / "every.so")
    for name, kind, given, answer in vectors.stored():
        found = vectors.ask(getattr(every, name), kind, given)
        assert vectors.bits(found) == vectors.bits(answer), (name, kind, given)
    products_are_rounded_before_they_are_used(every)


def products_are_rounded_before_they_are_used(every):
    """Products of arguments and of results in a caller are not fused either."""
    rng = np.random.default_rng(1)
    for _ in range(200):
        row, (scale, step) = rng.uniform(0.1, 1, 10), rng.uniform(0.1, 1, 2).tolist()
        q = np.array([[row[0] * scale]])
        qlearning.update(q, 0, 0, row[1] * scale, np.float64(step))
        assert every.chained(row, scale, step) == [
            q[0, 0],
            choice.sample(row[2:5] * scale, 0.5),
            schedules.linear(row[5] * scale, row[6] * scale, 3.0, 1.0),
            1.0 - row[7] * scale,
            1.0 + row[8] * scale,
            exponential.exp(row[9] * scale, np.float64),
        ]


@pytest.mark.parametrize("flag", ["-ffast-math", "-Ofast", "-ffinite-math-only"])
def test_fast_math_is_refused(flag, tmp_path):
    source = tmp_path / "some.c"
    source.write_text("#include <fastgames/rules.h>\n")
    assert compile_c("gcc", ["-O2"], source, tmp_path / "some.so").returncode == 0
    done = compile_c("gcc", ["-O2", flag], source, tmp_path / "some.so")
    assert done.returncode != 0 and "fastgames: compile without -ffast-math" in done.stderr
