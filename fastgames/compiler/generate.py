"""Generation of passes: functions that the engine calls by address for all lanes of a block.

A pass is declared once, by its arguments and the text of its body. Its signature, the views of its
arrays and the handling of errors follow from the declaration; src_cy/block.pxi has the same
signatures in C.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numba import carray, types

from fastgames.compiler.cache import cfunc
from fastgames.compiler.compile import OPTIONS

_TYPES = {
    "int64": types.CPointer(types.int64),
    "int32": types.CPointer(types.int32),
    "uint8": types.CPointer(types.uint8),
    "float64": types.CPointer(types.float64),
    "float32": types.CPointer(types.float32),
    "bool": types.CPointer(types.boolean),
}
#: `wrong` describes the first error: its kind, a number defined in fastgames/errors.py; the agent
#: or the function of the game; the lane; the value. The passes after an error do nothing.
_LANES = """
def {name}_lanes({arguments}):
{views}
    if wrong[0] != 0:
        return
{body}
"""
_CAUGHT = """
def {name}({arguments}):
    try:
        {name}_lanes({arguments})
    except Exception:
        wrong = carray(wrong_, (4,))
        {caught}
"""


@dataclass(frozen=True)
class Pass:
    """The declaration of a pass, in which {names} stand for what differs between learners or games.

    Parameters
    ----------
    name : str
        Name of the function.
    arguments : str
        One line for each array, in order: "name: type (shape)"; "real" is the type of the tables.
        Other words are whole numbers. The last array is "wrong: int64 (4)".
    body : str
        Text of the function after the views of its arrays.
    caught : str
        The line that is executed if the body raises an exception.
    """

    name: str
    arguments: str
    body: str
    caught: str

    def text(self, dtype: str, given: dict[str, Any]) -> tuple[str, Any]:
        """Return the text of the function and its signature.

        dtype: the type of the tables; given: the text or number for each {name}
        """
        names, kinds, views = [], [], []
        for line in self.arguments.strip().splitlines():
            name, colon, rest = line.partition(":")
            if not colon:
                names += line.split()
                kinds += [types.int64] * len(line.split())
                continue
            kind, _, shape = rest.strip().partition(" ")
            names.append(f"{name}_")
            kinds.append(_TYPES[dtype if kind == "real" else kind])
            views.append(f"    {name} = carray({name}_, {shape.replace(')', ',)')})")
        made = {"name": self.name, "arguments": ", ".join(names), "caught": self.caught}
        made |= {"views": "\n".join(views), "body": self.body.strip("\n")}
        text = (_LANES + _CAUGHT).format(**made).format(**given)
        return text.strip("\n"), types.void(*kinds)


def executed(text: str, names: dict[str, Any]) -> dict[str, Any]:
    """Return the namespace of an executed text; names: what it uses from outside."""
    made = {"__name__": __name__, **names}  # Numba imports this module if it loads code from disk
    exec(compile(text, "<generated>", "exec"), made)
    return made


def make(
    name: str,
    text: str,
    signature: Any,
    names: dict[str, Any],
    checked: bool,
    what: Any,
    digest: str | None,
) -> Any:
    """Return the compiled pass of a text, from disk if it is there.

    Numba catches exceptions only from calls that are not inlined. The loop over lanes is therefore
    a function of its own, called once for all lanes inside of a `try`.

    names: what the text uses from outside, except NumPy and carray
    checked: raise IndexError for an index outside of its array
    what, digest: key of the pass on disk: `what` is all that the names depend on, except the
        functions of the digest; if this is None, the pass is not kept
    """
    made = executed(text, {"np": np, "carray": carray, **names})
    made[f"{name}_lanes"] = numba.njit(boundscheck=checked, **OPTIONS)(made[f"{name}_lanes"])
    return cfunc(made[name], signature, OPTIONS, (text, checked, what), digest)
