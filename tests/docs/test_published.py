"""The figures that tests compare runs with are those of docs/published.md, with their sources."""

from pathlib import Path

import published
import pytest

PAGE = Path(__file__).parents[2] / "docs" / "published.md"
SOURCES = [thing for thing in vars(published).values() if isinstance(thing, published.Source)]


def sections():
    """Return the text of every section of the page by its heading."""
    _, *parts = PAGE.read_text().split("\n## ")
    return dict(part.split("\n", 1) for part in parts)


def figures(section):
    """Return the figures in the tables "| figure | value |" of a section, as (name, value)."""
    out, inside = [], False
    for line in section.splitlines():
        inside = line == "|---|---|" or (inside and line.startswith("|"))
        if inside and line != "|---|---|":
            name, cell = (text.strip() for text in line.strip("|").split("|"))
            out.append((name, value(cell)))
    return out


def value(cell):
    """Return what a cell says: text in backticks, or a number, or several with commas between."""
    if cell.startswith("`"):
        return cell.strip("`")
    numbers = tuple(map(float, cell.split(", ")))
    return numbers if len(numbers) > 1 else numbers[0]


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.heading)
def test_page_has_the_figures_and_the_source(source):
    section = sections()[source.heading]
    assert figures(section) == list(source.figures.items())
    assert f"Source: {source.source}." in " ".join(section.split())


def test_page_has_no_other_figures():
    shown = [heading for heading, section in sections().items() if figures(section)]
    assert shown == [source.heading for source in SOURCES]
