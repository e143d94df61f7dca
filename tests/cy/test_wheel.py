"""The package as others get it: a sdist, a wheel made from that, and an example built against it.

Nothing is downloaded, and no environment made: packages are put side by side in folders.
"""

import os
import re
import shutil
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest
from library.processes import python as run_python

import fastgames as fg

ROOT = Path(__file__).parents[2]
SOURCES = (
    "pyproject.toml",
    "setup.py",
    "MANIFEST.in",
    "README.md",
    "LICENSE",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CITATION.cff",
    "CODE_OF_CONDUCT.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "Makefile",
    "mkdocs.yml",
    "src_cy",
    "fastgames",
    "tests",
    "bench",
    "docs",
    "examples",
)
LEVELS = {"v2", "v3", "v4"}
BUILD = "base" if fg.isa == "base" else "v2"
PIP = ["-m", "pip", "--disable-pip-version-check"]
OURS = [*PIP, "install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--target"]

pytestmark = pytest.mark.skipif(
    not (ROOT / "setup.py").exists(), reason="the package is tested without its sources"
)


def python(*arguments, cwd, path=(), **environment):
    """Return the output of a process that finds packages in the folders of `path` first."""
    done = run_python(
        "-P", *arguments, cwd=cwd, **{"PYTHONPATH": os.pathsep.join(map(str, path)), **environment}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def is_newer(made):
    """Return whether a file is newer than everything that it is made of."""
    sources = [ROOT / "setup.py", *(ROOT / "src_cy").iterdir(), *ROOT.glob("fastgames/cy/**/*.*")]
    return made.stat().st_mtime >= max(source.stat().st_mtime for source in sources)


def copy_translated(folder):
    """Copy the C files that are newer than their sources.

    The copies are newer than Cython's own files, too. The originals need not be: an environment may
    have got its Cython after them. Then all would be translated and compiled again, for minutes.
    """
    for file in (ROOT / "build" / "cython").rglob("*.c"):
        if is_newer(file):
            copy = folder / file.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, copy)


@pytest.fixture(scope="module")
def sdist(tmp_path_factory):
    """The unpacked sdist."""
    folder = tmp_path_factory.mktemp("source")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            unwanted = shutil.ignore_patterns("*.so", "*.pyd", "__pycache__")
            shutil.copytree(ROOT / name, folder / name, ignore=unwanted)
        else:
            shutil.copy2(ROOT / name, folder)
    copy_translated(folder)
    python("setup.py", "--quiet", "sdist", cwd=folder)
    (archive,) = (folder / "dist").iterdir()
    with tarfile.open(archive) as opened:
        opened.extractall(folder / "unpacked", filter="data")
    (unpacked,) = (folder / "unpacked").iterdir()
    return unpacked


@pytest.fixture(
    scope="module", params=["as built", pytest.param("from scratch", marks=pytest.mark.slow)]
)
def wheel(request, sdist, tmp_path_factory):
    """The wheel made from the sdist, and the builds in it.

    As built: modules that are newer than their sources are taken from the package under test, for
    they were compiled by the same setup.py. From scratch: one build of them.
    """
    folder = tmp_path_factory.mktemp("wheel")
    shutil.copytree(sdist, folder / "source")
    environment, builds = {"FASTGAMES_BUILD": BUILD}, {BUILD}
    if request.param == "as built":
        environment, builds = {"FASTGAMES_BUILD": ""}, {"base"} if BUILD == "base" else LEVELS
        lib = f"lib.{sysconfig.get_platform()}-{sys.implementation.cache_tag}"
        made = folder / "source" / "build" / lib / "fastgames" / "_core"
        made.mkdir(parents=True)
        copy_translated(folder / "source")
        for module in (ROOT / "fastgames" / "_core").glob("*.so"):
            if is_newer(module):
                shutil.copy(module, made)
    how = ("-q", "--no-deps", "--no-index", "--no-build-isolation")
    python(*PIP, "wheel", *how, "./source", cwd=folder, **environment)
    return next(folder.glob("*.whl")), builds


@pytest.fixture(scope="module")
def site(wheel, tmp_path_factory):
    """Return the folder in which the wheel is installed."""
    folder = tmp_path_factory.mktemp("site")
    python(*OURS, folder, wheel[0], cwd=folder)
    return folder


def shipped(*endings):
    """The files under fastgames/ that end so."""
    return {str(p.relative_to(ROOT)) for e in endings for p in (ROOT / "fastgames").rglob(f"*{e}")}


def test_the_sdist_holds_what_a_build_needs_and_nothing_compiled(sdist):
    names = {str(path.relative_to(sdist)) for path in sdist.rglob("*") if path.is_file()}
    needed = {str(p.relative_to(ROOT)) for p in (ROOT / "src_cy").iterdir() if p.suffix != ".c"}
    files = {name for name in SOURCES if (ROOT / name).is_file()}
    assert needed | shipped(".py", ".pyi", ".pxd", ".h") | files <= names
    assert not [name for name in names if name.endswith((".so", ".o", ".pyc"))]
    assert not [name for name in names if name.endswith(".c") and not name.startswith("bench/")]


def test_the_sdist_holds_all_that_its_tests_import_and_read(sdist):
    """They are collected in the unpacked sdist, on the package under test."""
    read = [path.relative_to(ROOT) for path in (ROOT / "tests").rglob("*") if path.is_file()]
    assert [path for path in read if path.suffix != ".pyc" and not (sdist / path).exists()] == []
    path = [ROOT] if Path(fg.__file__).is_relative_to(ROOT) else []
    run = ("-m", "pytest", "-q", "-p", "no:cacheprovider")
    python(*run, "--collect-only", cwd=sdist, path=path)
    said = python(*run, "tests/rules/test_streams.py", cwd=sdist, path=path)
    assert "[100%]" in said


def test_the_description_for_the_index_links_to_nothing_beside_it(sdist):
    described = (sdist / "PKG-INFO").read_text(encoding="utf-8")
    assert "import fastgames as fg" in described
    targets = re.findall(r"]\(([^)]*)\)", described)
    assert [target for target in targets if not target.startswith("https://")] == []


def test_the_wheel_holds_what_it_should_and_no_more(wheel):
    path, builds = wheel
    names = set(zipfile.ZipFile(path).namelist())
    named = {
        name
        for name in names
        if not name.startswith(f"fastgames_engine-{fg.__version__}.dist-info/")
    }
    compiled = {name for name in named if name.endswith((".so", ".pyd"))}
    assert named - compiled == shipped(".py", ".pyi", ".pxd", ".h", "py.typed")
    modules = {Path(name).name.partition(".")[0] for name in compiled}
    lanes = {f"lanes_{build}_{real}" for build in builds for real in ("f32", "f64")}
    assert modules == {"cpu", "analysis", *lanes}


def test_the_wheel_names_no_folder_of_the_machine_that_built_it(wheel):
    """Otherwise two builds of the same sources differ."""
    with zipfile.ZipFile(wheel[0]) as archive:
        for name in archive.namelist():
            if name.endswith((".so", ".pyd")):
                told = [
                    part for part in (ROOT, wheel[0].parent) if bytes(part) in archive.read(name)
                ]
                assert told == [], name


def test_an_example_that_cimports_it_has_the_bits_of_a_run(site, tmp_path):
    example = shutil.copytree(ROOT / "examples" / "cython", tmp_path / "example")
    there = tmp_path / "there"
    python(*OURS, there, example, cwd=tmp_path, path=[site], PENNIES_FLAGS="-O1")
    where = python("-c", "import fastgames; print(fastgames.__file__)", cwd=tmp_path, path=[site])
    assert Path(where.strip()).is_relative_to(site)
    said = python(example / "compare.py", cwd=tmp_path, path=[site, there])
    assert said == "50 replicas of 2,000 steps: the bits of fg.run, tables and streams\n"


def test_a_build_that_there_is_not_is_refused(sdist):
    with pytest.raises(AssertionError, match=r"FASTGAMES_BUILD must be some of .*, got 'v9'"):
        python("setup.py", "--quiet", "--version", cwd=sdist, FASTGAMES_BUILD="v9")
