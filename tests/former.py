"""Write `fastgames/functions/former.py`: digests of the package's functions as they once were.

Up to revision b0c35d5 the digests of functions in files covered docstrings. For each function of
`fastgames.rules`, and of the games in `fastgames.games.functions`, in that revision the table holds
the digest that it had. A function is found by the name of its file and its own name, in whatever
folder it is now.

    python tests/former.py [NEW=OLD ...]

A function whose code has changed leaves the table, and files of users' rules that call it are
refused. If the function does the same to the last bit, give NEW=OLD, its name now and then:
`hedge.learn=hedge.learn`. Names given once are kept until the code changes again.
"""

import subprocess
import sys
from pathlib import Path

from fastgames.functions.digests import defined, digest_of_tree
from fastgames.functions.former import FORMER

ROOT = Path(__file__).parents[1]
FILE = ROOT / "fastgames/functions/former.py"
REVISION = "b0c35d5"
RULES, GAMES = "fastgames/rules", "fastgames/games/functions"
HEAD = '''"""Digests with docstrings that functions of this package had at revision b0c35d5.

`python tests/former.py` writes this file; do not edit it. A line has the name of a function's file
and its own name, the first digits of the digest of its code (so that changed code is not found),
and its former digest. See `Source.former`.
"""
# ruff: noqa: E501

_TABLE = """
'''
TAIL = '''"""

#: name -> (first digits of the present digest, former digest)
FORMER: dict[str, tuple[str, str]] = {
    name: (present, former) for name, present, former in map(str.split, _TABLE.splitlines()[1:])
}
'''


def digests(text, stem, docstrings):
    """Return {name: digest} of all functions in the text of a file; lambdas are left out."""
    return {
        f"{stem}.{code.co_qualname}": digest_of_tree(tree, docstrings).hex()
        for _, code, tree in defined(text)
        if "<lambda>" not in code.co_qualname
    }


def of_revision(docstrings):
    """Return the digests of the functions of rules and games in the revision."""
    found = {}
    for path in git("ls-tree", "-r", "--name-only", REVISION, RULES, GAMES).split():
        if path.endswith(".py"):
            text = git("show", f"{REVISION}:{path}")
            made = digests(text, Path(path).stem, docstrings)
            if path.startswith(GAMES):  # a game consists of functions inside the public one
                made = {name: digest for name, digest in made.items() if "<locals>" in name}
            found |= made
    return found


def of_today():
    """Return the digests, without docstrings, of all functions of the package."""
    found = {}
    for path in sorted((ROOT / "fastgames").rglob("*.py")):
        found |= digests(path.read_text(), path.stem, docstrings=False)
    return found


def git(*arguments):
    return subprocess.run(
        ["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout


def main(given):
    before, plain, today = of_revision(True), of_revision(False), of_today()
    rows = {}
    for name, former in before.items():
        if plain[name] == today.get(name):
            rows[name] = today[name], former
    for name, (present, former) in FORMER.items():  # accepted earlier
        if today.get(name, "").startswith(present):
            rows.setdefault(name, (today[name], former))
    for new, old in given.items():
        rows[new] = today[new], before[old]
    found = {former for _, former in rows.values()}
    for name in sorted(name for name, former in before.items() if former not in found):
        print(f"{name}: its code has changed; files of rules that call it are refused")
    lines = (
        f"{name} {present[:16]} {former}\n"
        for name, (present, former) in sorted(rows.items())
        if present != former
    )
    FILE.write_text(HEAD + "".join(lines) + TAIL)


if __name__ == "__main__":
    main(dict(each.split("=") for each in sys.argv[1:]))
