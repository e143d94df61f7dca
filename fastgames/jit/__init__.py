"""Numba: the rules compiled, to call from jitted code; imported only when it is used."""

from fastgames.jit.compile import compiled

__all__ = ["compiled"]
