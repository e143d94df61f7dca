"""The compiled core: one build of the lane kernels per instruction set and type of the tables.

The best build that this CPU can run is chosen when this package is imported. FASTGAMES_ISA forces
another: "v2", "v3" or "v4" (the x86-64 levels: SSE4.2, AVX2, AVX-512), or "base" elsewhere. All
builds give the same bits. A package may have been made with some of them only (setup.py).
"""

import importlib
import os
from types import ModuleType

from fastgames._core import cpu

ENVIRONMENT = "FASTGAMES_ISA"


def _built() -> set[str]:
    """Return the builds that are in this package."""
    return {name.split("_")[1] for name in os.listdir(__path__[0]) if name.startswith("lanes_")}


def available() -> tuple[str, ...]:
    """Return the builds in this package that this CPU can run, the best one last."""
    runs = ("base", *(f"v{n}" for n in (2, 3, 4) if n <= cpu.x86_level()))
    built = _built()
    return tuple(build for build in runs if build in built)


def _choose() -> str:
    builds = available()
    if not builds:
        raise ImportError(
            f"this CPU can run none of the builds in this package, {', '.join(sorted(_built()))}: "
            "v2 needs SSE4.2 (x86-64-v2), v3 AVX2, v4 AVX-512"
        )
    forced = os.environ.get(ENVIRONMENT, "")
    if forced and forced not in builds:
        raise ImportError(f"{ENVIRONMENT} must be one of {', '.join(builds)} here, got {forced!r}")
    return forced or builds[-1]


isa: str = _choose()


def lanes(dtype: str) -> ModuleType:
    """Return the module of the engine for tables of "float64" or "float32"."""
    return importlib.import_module(f"fastgames._core.lanes_{isa}_f{dtype[-2:]}")
