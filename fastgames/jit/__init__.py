"""Numba: the rules compiled, to call from jitted code; imported only when it is used."""

from fastgames.jit.compile import CompileError, compiled

__all__ = ["CompileError", "compiled"]
