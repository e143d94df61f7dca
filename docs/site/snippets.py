"""Find the Python of a page, run it, and compare its output with the output shown on the page.

A page's blocks ``` python run in order, as one program. A block ``` text directly after one shows
its output. `tests/docs/test_site.py` runs all pages; the site contains the pictures that they
write.
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
    """A block of Python, its first line, and the output that the page shows, if any."""

    code: str
    line: int
    prints: str | None = None


def snippets(text: str) -> list[Snippet]:
    """Return the Python blocks of a page, in order."""
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
    """Run the Python of a page in `folder`, to which its files are written.

    Raise AssertionError if a block prints other text than the page shows.
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
    """Register the module, because dataclasses and pickles look it up by name."""
    sys.modules[module.__name__] = module
    os.environ.setdefault("MPLBACKEND", "agg")
    try:
        yield
    finally:
        del sys.modules[module.__name__]
