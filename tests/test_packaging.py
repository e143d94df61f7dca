"""The distribution has one name, said everywhere: "fastgames" on the index is another project."""

import ast
import re
import runpy
import sys
import tomllib
from pathlib import Path

import pytest

import fastgames as fg
from fastgames._common import checks

ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.skipif(
    not (ROOT / "pyproject.toml").exists(), reason="the package is tested without its sources"
)


@pytest.fixture(scope="module")
def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_no_text_asks_for_the_other_project(project):
    name = project["name"]
    assert name != "fastgames"
    asked = set()
    install = re.compile(r"pip install (?:-\S+ )*[\"'\\]*(fastgames[\w-]*)(?:\\*\[([\w{},]*)\\*])?")
    for folder in ("fastgames", "docs", "examples", "tests", "bench", ".github"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in (".py", ".md", ".toml", ".txt", ".yml") and path != Path(__file__):
                asked |= {(m[1], m[2]) for m in install.finditer(path.read_text(encoding="utf-8"))}
    asked |= {(m[1], m[2]) for m in install.finditer((ROOT / "README.md").read_text("utf-8"))}
    assert asked
    assert {found for found, _ in asked} == {name}
    extras = {
        extra for _, given in asked if given and "{" not in given for extra in given.split(",")
    }
    assert extras <= set(project["optional-dependencies"])


def test_every_requirement_of_ours_is_of_this_project(project):
    name = project["name"]
    example = tomllib.loads((ROOT / "examples/cython/pyproject.toml").read_text(encoding="utf-8"))
    rllib = (ROOT / "examples/rllib/requirements.txt").read_text(encoding="utf-8")
    required = [
        *(one for extra in project["optional-dependencies"].values() for one in extra),
        *example["build-system"]["requires"],
        *example["project"]["dependencies"],
        *rllib.splitlines(),
    ]
    ours = {re.split(r"[\[<>=]", one)[0] for one in required if one.startswith("fastgames")}
    assert ours == {name}


def test_what_is_missing_is_installed_by_that_name(project):
    error = checks.needs_extra("matplotlib", "plot", "a picture")
    assert str(error) == f'a picture needs matplotlib: pip install "{project["name"]}[plot]"'


def test_numba_has_a_ceiling(project):
    """Its private interfaces are used: a new release is tested before it is allowed."""
    (numba,) = (one for one in project["dependencies"] if one.startswith("numba"))
    assert re.fullmatch(r"numba>=[\d.]+,<[\d.]+", numba)


def test_the_version_is_read_without_an_import():
    """A build has no compiled code to import: setuptools reads the assignment from the source."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    settings = tomllib.loads(text)
    assert "version" in settings["project"]["dynamic"]
    assert settings["tool"]["setuptools"]["dynamic"]["version"] == {
        "attr": "fastgames._common.version.__version__"
    }
    source = (ROOT / "fastgames" / "_common" / "version.py").read_text(encoding="utf-8")
    _docstring, assignment = ast.parse(source).body
    assert ast.unparse(assignment) == f"__version__ = {fg.__version__!r}"


FORBIDDEN = {"-march=native", "-mavx2", "-Ofast", "-ffast-math", "-funsafe-math-optimizations"}
FORBIDDEN |= {"-fassociative-math", "-freciprocal-math", "-ffinite-math-only", "-fno-signed-zeros"}


@pytest.mark.skipif(sys.platform == "win32", reason="the flags are those of gcc and clang")
def test_no_flag_of_the_environment_changes_bits_or_chooses_a_cpu(tmp_path, monkeypatch):
    """A small extension is built by the class that builds ours; a wrapper writes down its flags."""
    setuptools = pytest.importorskip("setuptools")
    pytest.importorskip("Cython")
    log, wrapper, source = (tmp_path / name for name in ("log", "cc", "small.c"))
    wrapper.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >> "{log}"\nexec cc "$@"\n')
    wrapper.chmod(0o755)
    source.write_text("int small(void) { return 0; }\n")
    for name in ("CC", "LDSHARED"):
        monkeypatch.setenv(name, str(wrapper) + (" -shared" if name == "LDSHARED" else ""))
    for name in ("CFLAGS", "LDFLAGS"):
        monkeypatch.setenv(name, " ".join([*FORBIDDEN, "-DKEPT"]))
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr("setuptools.setup", lambda **options: None)
    monkeypatch.setattr("Cython.Build.cythonize", lambda extensions, **options: extensions)
    build = runpy.run_path("setup.py")["Build"]
    extension = setuptools.Extension("small", [str(source)], extra_compile_args=["-O1"])
    command = build(setuptools.Distribution({"ext_modules": [extension]}))
    command.build_lib, command.build_temp = str(tmp_path), str(tmp_path)
    command.ensure_finalized()
    command.run()
    given = log.read_text().splitlines()
    assert {"-DKEPT", "-O1", "-shared"} <= set(given)
    assert not set(given) & FORBIDDEN
