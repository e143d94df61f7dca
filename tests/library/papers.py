"""Reproductions whose games Numba compiles for a minute; each has tests of its own."""

COMPILED = ("traffic", "bar-problem", "chapter", "gradients")
