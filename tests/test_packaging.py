"""The distribution has one name, said everywhere: "fastgames" on the index is another project."""

import ast
import re
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
