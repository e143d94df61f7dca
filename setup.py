"""Extensions, their flags and the index's description; everything else stands in pyproject.toml.

The lane kernels are compiled once per instruction set and type of the tables, from one source; the
best build that the CPU can run is chosen at import (fastgames/_core/__init__.py).

FASTGAMES_BUILD=v2 (or "base", "v3,v4", …) compiles these builds only, for packagers who know the
CPUs. Without it: v2, v3 and v4 on x86-64, "base" elsewhere ("base" is what any CPU can run).
"""

import itertools
import os
import platform
import re
import sys
import tempfile
from pathlib import Path

import numpy
from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import CompileError

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
# What runs on any CPU must, whatever the compiler was configured for.
ANY_CPU = ["-march=x86-64", "-mtune=generic"] if X86 else []
# Debug symbols name the folder of the build, so two builds would differ.
NO_SYMBOLS = [] if MSVC else ["-g0"]
LEVELS = {
    "base": [],
    "v2": ["-march=x86-64-v2"],
    "v3": ["-march=x86-64-v3"],
    "v4": ["-march=x86-64-v4", "-mprefer-vector-width=512"],
}
REALS = {"f32": ("float", "0"), "f64": ("double", "1")}
INCLUDE = "fastgames/cy/include"
HEADERS = [f"{INCLUDE}/fastgames/{f}" for f in sorted(os.listdir(f"{INCLUDE}/fastgames"))]


def levels() -> list[str]:
    """The builds to compile."""
    here = list(LEVELS) if X86 else ["base"]
    asked = os.environ.get("FASTGAMES_BUILD", "")
    if not asked:
        return ["v2", "v3", "v4"] if X86 else ["base"]
    chosen = asked.split(",")
    if not set(chosen) <= set(here):
        sys.exit(f"FASTGAMES_BUILD must be some of {','.join(here)} here, got {asked!r}")
    return chosen


def lanes(level: str, real: str) -> Extension:
    """The engine for one instruction set and one type of the tables."""
    c_type, double = REALS[real]
    return Extension(
        f"fastgames._core.lanes_{level}_{real}",
        [f"src_cy/lanes_{level}_{real}.pyx"],
        include_dirs=["src_cy", INCLUDE, numpy.get_include()],
        define_macros=[
            ("FG_NO_CONTRACTION", None),  # as FLAGS say
            ("FG_REAL", c_type),
            ("FG_DOUBLE", double),
            ("NPY_NO_DEPRECATED_API", "NPY_2_0_API_VERSION"),
        ],
        extra_compile_args=FLAGS + LEVELS[level],
        depends=HEADERS
        + [f"src_cy/{f}" for f in sorted(os.listdir("src_cy")) if f.endswith((".pxi", ".h"))],
    )


def description() -> str:
    """Return the README for the package index, where its relative links would lead nowhere.

    Pictures that stand in the repository are left out, links to its files become their text.
    """
    text = Path("README.md").read_text(encoding="utf-8")
    text = re.sub(r"^!\[[^]]*]\((?!https?:)[^)]*\)\n\n?", "", text, flags=re.MULTILINE)
    return re.sub(r"\[([^]]*)]\((?!https?:)[^)]*\)", r"\1", text)


class Build(build_ext):
    """Build the extensions side by side, none for the builder's own CPU."""

    def finalize_options(self) -> None:
        super().finalize_options()
        self.parallel = self.parallel or os.cpu_count()

    def build_extensions(self) -> None:
        """Leave out what the compiler does not know, and what must not come from the environment.

        That is flags that choose the builder's CPU, such as an -march in CFLAGS, and fast-math or a
        part of it, which changes bits (told to the linker, of all that the process does).
        """
        unwanted = re.compile(
            "-m(arch=|cpu=|tune=|avx|s?sse|fma|bmi|f16c|xop|daz)|-Ofast|-fno-signed-zeros"
            "|-f(fast|unsafe|associative|reciprocal|finite)-math"
        )
        for part in ("compiler", "compiler_so", "linker_so"):
            command = getattr(self.compiler, part, None)
            if command:
                setattr(self.compiler, part, [x for x in command if not unwanted.match(x)])
        speed = [] if MSVC else [flag for flag in FLAGS if flag != "-ffp-contract=off"]
        unknown = [flag for flag in speed if not self.knows(flag)]
        for extension in self.extensions:
            flags = extension.extra_compile_args
            extension.extra_compile_args = [flag for flag in flags if flag not in unknown]
        self.started = itertools.count(1)
        super().build_extensions()

    def build_extension(self, extension: Extension) -> None:
        """Build one extension, saying which: all take minutes (pip shows it with -v only)."""
        number, of = next(self.started), len(self.extensions)
        print(f"fastgames: building {extension.name} ({number} of {of})", flush=True)
        super().build_extension(extension)

    def knows(self, flag: str) -> bool:
        """Whether the compiler takes a flag: clang has no -fno-thread-jumps."""
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder, "empty.c")
            source.touch()
            try:
                self.compiler.compile([str(source)], folder, extra_postargs=[flag])
            except CompileError:
                return False
        return True


setup(
    long_description=description(),
    long_description_content_type="text/markdown",
    ext_modules=cythonize(
        [
            Extension(
                "fastgames._core.cpu",
                ["src_cy/cpu.pyx"],
                extra_compile_args=NO_SYMBOLS + ANY_CPU,
            ),
            Extension(
                "fastgames._core.analysis",
                ["src_cy/analysis.pyx"],
                extra_compile_args=FLAGS + ANY_CPU,
            ),
        ]
        + [lanes(level, real) for level in levels() for real in REALS],
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
    cmdclass={"build_ext": Build},
)
