"""Extensions and their flags only; everything else stands in pyproject.toml.

The lane kernels are compiled once per instruction set and type of the tables, from one source; the
best build that the CPU can run is chosen at import (fastgames/_core/__init__.py).
"""

import os
import platform
import sys

import numpy
from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

MSVC = sys.platform == "win32"
X86 = platform.machine().lower() in ("x86_64", "amd64") and not MSVC
if "arm64" in os.environ.get("ARCHFLAGS", ""):  # macOS, cross-compiled
    X86 = False

# Bits: no contraction to fused multiply-adds. Speed: the others change no value. Without
# -fno-trapping-math gcc does not turn selects into blends, and with jump threading it splits a
# loop's selects into paths that it cannot vectorise (either way 5 to 20 times slower).
FLAGS = ["-O3", "-ffp-contract=off", "-fno-trapping-math", "-fno-math-errno", "-fno-thread-jumps"]
# A few lanes' results packed into a vector, for one store instead of four, take longer than four.
FLAGS += ["-fno-tree-slp-vectorize", "-Wno-psabi"]
FLAGS += ["-g0"]  # debug symbols would be nine tenths of the package
if MSVC:
    FLAGS = ["/O2", "/fp:precise"]
LEVELS = {
    "base": [],
    "v2": ["-march=x86-64-v2"],
    "v3": ["-march=x86-64-v3"],
    "v4": ["-march=x86-64-v4", "-mprefer-vector-width=512"],
}
REALS = {"f32": ("float", "0"), "f64": ("double", "1")}


def lanes(level: str, real: str) -> Extension:
    """The engine for one instruction set and one type of the tables."""
    c_type, double = REALS[real]
    return Extension(
        f"fastgames._core.lanes_{level}_{real}",
        [f"src_cy/lanes_{level}_{real}.pyx"],
        include_dirs=["src_cy", numpy.get_include()],
        define_macros=[
            ("FG_REAL", c_type),
            ("FG_DOUBLE", double),
            ("NPY_NO_DEPRECATED_API", "NPY_2_0_API_VERSION"),
        ],
        extra_compile_args=FLAGS + LEVELS[level],
        depends=[f"src_cy/{f}" for f in sorted(os.listdir("src_cy")) if f.endswith((".pxi", ".h"))],
    )


class Parallel(build_ext):
    """Build the extensions side by side."""

    def finalize_options(self) -> None:
        super().finalize_options()
        self.parallel = self.parallel or os.cpu_count()


setup(
    ext_modules=cythonize(
        [
            Extension("fastgames._core.cpu", ["src_cy/cpu.pyx"]),
            Extension(
                "fastgames._core.analysis", ["src_cy/analysis.pyx"], extra_compile_args=FLAGS
            ),
        ]
        + [
            lanes(level, real)
            for level in (["v2", "v3", "v4"] if X86 else ["base"])
            for real in REALS
        ],
        build_dir="build/cython",
        compiler_directives={
            "language_level": 3,
            "boundscheck": False,
            "wraparound": False,
            "cdivision": True,
            "initializedcheck": False,
            "embedsignature": True,
        },
    ),
    cmdclass={"build_ext": Parallel},
)
