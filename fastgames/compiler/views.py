"""Intrinsics for passes: pointers from addresses, read-only arrays, values noted in `wrong`."""

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
    """Return an intrinsic that converts an address (int64) to a pointer to entries of `kind`."""

    def pointer(context: Any, address: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.inttoptr(arguments[0], context.get_value_type(signature.return_type))

        return types.CPointer(kind)(types.int64), generate

    return intrinsic(pointer)


POINTERS = {
    "float64": _pointer(types.float64),
    "float32": _pointer(types.float32),
    "int64": _pointer(types.int64),
    "bool": _pointer(types.boolean),
}


@intrinsic  # type: ignore[untyped-decorator]
def unwritable(context: Any, array: Any) -> Any:
    """Return the same array with a read-only type, for which Numba rejects writes."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return impl_ret_borrowed(context, builder, signature.return_type, arguments[0])

    return array.copy(readonly=True)(array), generate


@numba.njit(inline="always", **OPTIONS)
def noted(x):  # type: ignore[no-untyped-def]
    """Return a number as an entry of `wrong`: itself if whole, else its bits as a float64."""
    if _is_whole(x):
        return np.int64(x)
    return np.float64(x).view(np.int64)
