"""Arrays at addresses, for passes whose tables are given as such."""

from typing import Any

from numba import types
from numba.extending import intrinsic


def _pointer(kind: Any) -> Any:
    """A function from an address to a pointer to entries of `kind`."""

    def pointer(context: Any, address: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.inttoptr(arguments[0], context.get_value_type(signature.return_type))

        return types.CPointer(kind)(types.int64), generate

    return intrinsic(pointer)


POINTERS = {
    "float64": _pointer(types.float64),
    "float32": _pointer(types.float32),
    "int64": _pointer(types.int64),
}
