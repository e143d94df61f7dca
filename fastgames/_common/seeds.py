"""From what the user passes as `rng` to the seed of the streams, or to one numpy Generator."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from fastgames._common import checks

_DOMAIN = "None, an int in [0, 2^64), a numpy SeedSequence or a numpy Generator"


def seed_from(rng: Any) -> int:
    """Return the seed: an int, 64 bits of a SeedSequence or a Generator, or fresh entropy."""
    if type(rng) is int and 0 <= rng < 2**64:  # without a look at numpy.random, which loads late
        return rng
    if rng is None:
        return int.from_bytes(os.urandom(8), "little")
    if isinstance(rng, np.random.SeedSequence):
        return int(rng.generate_state(1, np.uint64)[0])
    if isinstance(rng, np.random.Generator):
        return int(rng.integers(2**64, dtype=np.uint64))
    try:
        return checks.whole("rng", rng, "[0, 2^64)")
    except TypeError:
        raise TypeError(f"rng must be {_DOMAIN}, got {rng!r}") from None
    except ValueError:
        raise ValueError(f"rng must be {_DOMAIN}, got {rng!r}") from None


def generator_from(rng: Any) -> tuple[np.random.Generator, int | None]:
    """Return `np.random.default_rng(rng)`, and the seed if there is one number for it."""
    if isinstance(rng, np.random.Generator | np.random.SeedSequence):
        return np.random.default_rng(rng), None
    seed = seed_from(rng)
    return np.random.default_rng(seed), seed


GENERATORS = ("PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64")


def generator_of(state: dict[str, Any]) -> np.random.Generator:
    """Return a Generator that goes on from the state of one of numpy's bit generators.

    Raises ValueError, TypeError or KeyError where it is no such state. numpy itself takes any
    position within a generator's buffer, and would then read elsewhere.
    """
    name = checks.one_of("bit generator", state["bit_generator"], GENERATORS)
    if name == "MT19937":
        checks.whole("pos", state["state"]["pos"], "[0, 624]")
    if name == "Philox":
        checks.whole("buffer_pos", state["buffer_pos"], "[0, 4]")
    bit_generator = getattr(np.random, name)(0)
    bit_generator.state = state
    return np.random.Generator(bit_generator)
