"""The extension. The bits depend on no flag; -ffast-math is refused."""

import os
import sys

from Cython.Build import cythonize
from setuptools import Extension, setup

import fastgames

flags = [] if sys.platform == "win32" else ["-O3", *os.environ.get("PENNIES_FLAGS", "").split()]

setup(
    ext_modules=cythonize(
        Extension(
            "pennies.loop",
            ["pennies/loop.pyx"],
            include_dirs=[fastgames.get_include()],
            extra_compile_args=flags,
        ),
        language_level=3,
    )
)
