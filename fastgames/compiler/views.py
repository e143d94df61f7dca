"""Arrays at addresses and read-only arrays for passes, and what these do with numbers returned."""

from typing import Any

import numba
import numpy as np
from numba import types
from numba.core.imputils import impl_ret_borrowed
from numba.extending import intrinsic

from fastgames.compiler.compile import OPTIONS, compiled
from fastgames.errors import is_whole

_is_whole = compiled(is_whole, inline=True)


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


@intrinsic  # type: ignore[untyped-decorator]
def unwritable(context: Any, array: Any) -> Any:
    """The same array, of a type that may not be written to: Numba refuses to compile a write."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return impl_ret_borrowed(context, builder, signature.return_type, arguments[0])

    return array.copy(readonly=True)(array), generate


@numba.njit(inline="always", **OPTIONS)
def noted(x):  # type: ignore[no-untyped-def]
    """A number as an entry of `wrong`: itself where it is whole, else the bits of a float64."""
    if _is_whole(x):
        return np.int64(x)
    return np.float64(x).view(np.int64)
