"""The site: its snippets run and print what the pages say; every learner and game has a page."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from fastgames import registry
from fastgames.games.registry import about

ROOT = Path(__file__).parents[2]
SITE = ROOT / "docs/site"
WRITTEN = sorted([*(ROOT / "docs").rglob("*.md"), ROOT / "README.md"])
SLOW = [name for name, kind in registry.LEARNERS.items() if kind.slow]
SLOW += [name for name in registry.GAMES if about(name).slow]


@pytest.fixture(scope="module", autouse=True)
def _found():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SITE))
        yield


@pytest.fixture
def snippets():
    return importlib.import_module("snippets")


@pytest.fixture
def pages():
    return importlib.import_module("pages")


# Fewer sessions of a paper than a reader would run; nothing that is printed depends on it.
SHORTER = {"replicas=1000,\n    rng=1": "replicas=20,\n    rng=1"}


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: str(path.relative_to(ROOT)))
def test_snippets_run_and_print_what_the_page_says(path, snippets, tmp_path):
    text = path.read_text()
    for long, short in SHORTER.items():
        text = text.replace(long, short)
    snippets.run(text, str(path), tmp_path)


def generated():
    for kind, names in (("learners", registry.LEARNERS), ("games", registry.GAMES)):
        for name in names:
            marks = [pytest.mark.slow] if name in SLOW else []
            yield pytest.param(f"{kind}/{name}.md", marks=marks, id=f"{kind}-{name}")


@pytest.mark.parametrize("place", list(generated()))
def test_the_pages_of_the_registry_draw_their_pictures(place, pages, snippets, tmp_path):
    text = {**pages.LEARNERS, **pages.GAMES}[place]()
    snippets.run(text, place, tmp_path)
    picture = tmp_path / f"{Path(place).stem}.png"
    assert picture.exists() and f"]({picture.name})" in text


def test_a_page_that_says_something_else_than_is_printed_fails(snippets, tmp_path):
    page = "``` python\nprint(1 + 1)\n```\n``` text\n3\n```\n"
    with pytest.raises(AssertionError, match=r"page, line 1: prints\n2"):
        snippets.run(page, "page", tmp_path)
    snippets.run(page.replace("3", "2"), "page", tmp_path)
    apart = page.replace("```\n``` text", "```\nElsewhere:\n``` text")
    snippets.run(apart, "page", tmp_path)  # not what the block prints


@pytest.mark.slow
def test_the_site_builds(tmp_path):
    pytest.importorskip("mkdocs", reason="mkdocs is not installed")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True)
    page = (tmp_path / "learners/q/index.html").read_text()
    assert "<math" in page and "Watkins" in page
    page = (tmp_path / "tutorials/embedding/index.html").read_text()
    for quoted in ("next_word", "Streams", "play_one"):  # of the three examples
        assert quoted in page
    assert "--8" not in page
