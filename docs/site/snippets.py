"""The Python of a page: found, run, and held against what the page says that it prints.

A page's blocks ``` python run one after the other, as one program. A block ``` text right after one
is what that prints. `tests/docs/test_site.py` runs all pages; the site is built of the pictures
that they write.
"""

import contextlib
import io
import os
import re
import sys
import types
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(r"^``` ?(\w+)[^\n]*\n(.*?)^```[ ]*$", re.MULTILINE | re.DOTALL)


@dataclass
class Snippet:
    """A block of Python: where it begins, and what the page says that it prints, if it does."""

    code: str
    line: int
    prints: str | None = None


def snippets(text: str) -> list[Snippet]:
    """The blocks of a page, in order."""
    found: list[Snippet] = []
    end = 0
    for block in FENCE.finditer(text):
        language, inside = block.groups()
        if language == "python":
            found.append(Snippet(inside, text[: block.start(2)].count("\n")))
        elif language == "text" and found and not text[end : block.start()].strip():
            found[-1].prints = inside
        end = block.end()
    return found


def run(text: str, name: str, folder: Path) -> None:
    """Run the Python of a page in `folder`, where its files go.

    Raises AssertionError where a block prints something else than the page says.
    """
    module = types.ModuleType("__page__")
    names = vars(module)
    with contextlib.chdir(folder), _registered(module):
        for snippet in snippets(text):
            code = compile("\n" * snippet.line + snippet.code, name, "exec")
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(code, names)
            if snippet.prints is not None and printed.getvalue() != snippet.prints:
                place, found = f"{name}, line {snippet.line}", printed.getvalue()
                raise AssertionError(
                    f"{place}: prints\n{found}\nand the page says\n{snippet.prints}"
                )


@contextlib.contextmanager
def _registered(module):
    """Dataclasses and pickles look their module up by its name."""
    sys.modules[module.__name__] = module
    os.environ.setdefault("MPLBACKEND", "agg")
    try:
        yield
    finally:
        del sys.modules[module.__name__]
