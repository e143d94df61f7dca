"""Parametrisations of tests, and settings of generated tests."""

import numpy as np
import pytest
from hypothesis import settings

import fastgames as fg
from fastgames.jit import compiled

BACKENDS = ("cython", "numba", "reference")
BODIES = {"interpreted": lambda rule: rule, "numba": compiled}
each_backend = pytest.mark.parametrize("backend", BACKENDS)
each_body = pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
each_dtype = pytest.mark.parametrize("dtype", ["float64", "float32"])
each_real = pytest.mark.parametrize("real", [np.float32, np.float64])

# Half the examples of the profile; imported by test files only, after the profile is loaded.
FEW = settings(max_examples=settings.default.max_examples // 2)

# All that a run can record, but for a window.
EVERYTHING = fg.Record(
    every=20,
    tables=("q",),
    greedy=True,
    policies=True,
    flips=True,
    joint_actions=True,
    rewards=True,
)
