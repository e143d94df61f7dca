"""Compilation of rules by Numba into functions and passes, with a cache on disk."""
