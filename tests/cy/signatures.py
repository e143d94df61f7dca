"""Exports of `fastgames.cy` as text: ``python tests/cy/signatures.py`` writes signatures.txt."""

import re
from pathlib import Path

import fastgames.cy

FILE = Path(__file__).with_name("signatures.txt")
HEADER = """\
# What fastgames.cy exports, made from its .pxd files by: python tests/cy/signatures.py
#
# Code of others is compiled against these lines. Add new ones freely. A line that changes or goes
# is a break: their code no longer builds, or does something else. Then raise the version (0.1 to
# 0.2, 1.x to 2.0), say so in CHANGELOG.md, and keep the old name for a release where that can be.

"""
# In a .pxd each statement is: a type, a name, perhaps the name in C, what stands in parentheses.
FUNCTION = re.compile(
    r"(?:cdef inline )?([\w *]+?[ *])(\w+)(?: \"\w+\")?\(([^()]*)\)( noexcept nogil:)?$"
)
STRUCT = re.compile(r"ctypedef struct (\w+)(?: \"\w+\")?:$")
MEMBER = re.compile(r"([\w ]+?) ((?:\w+, )*\w+)$")
CONSTANT = re.compile(r"(\w+) \"FG_\w+\"$")


def statements(text):
    """The statements of a .pxd, one line each, without comments."""
    text = re.sub(r"#.*", "", text)
    text = re.sub(r"\(\s*([^()]*?)\s*\)", lambda m: f"({' '.join(m[1].split())})", text)
    return [line for line in text.splitlines() if line.strip()]


def exported(module, text):
    """The lines of one .pxd."""
    out = []
    within = None  # the struct whose members come
    for line in statements(text):
        statement = line.strip()
        if function := FUNCTION.match(statement):
            kind, name, arguments, _ = function.groups()
            if not name.startswith("_"):
                out.append(f"{module}: {kind}{name}({arguments})")
        elif struct := STRUCT.match(statement):
            within = struct[1]
        elif within and (member := MEMBER.match(statement)):
            out.append(f"{module}: struct {within} {{ {member[1]} {member[2]} }}")
            within = None
        elif constant := CONSTANT.match(statement):
            out.append(f"{module}: enum {constant[1]}")
        elif line.startswith(" ") and within is None and not statement.startswith(BODY):
            raise ValueError(f"{module}.pxd: what is {statement!r}?")
    return out


BODY = ("enum:", "if ", "else:", "return ", "cdef ", "entry[0] = ", "_")  # what else may be there


def text():
    """The file as it should be."""
    folder = Path(fastgames.cy.__file__).parent
    lines = [line for p in sorted(folder.glob("*.pxd")) for line in exported(p.stem, p.read_text())]
    return HEADER + "\n".join(lines) + "\n"


if __name__ == "__main__":
    FILE.write_text(text())
    print(f"wrote {FILE}")
