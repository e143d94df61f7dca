"""The streams and rules in C, to cimport from Cython code of your own; bits as in the rules.

    from fastgames.cy cimport chance, choice, nature, qlearning, schedules, stepsize, streams

The modules and names are those of `fastgames.rules`; what they take stands in the `.pxd` files
here, the code in C headers (`fastgames.get_include()`), which C and C++ can include too. All of it
runs without the GIL and is inlined. The bits do not depend on the compiler's flags; fast-math,
which changes them, is refused.
"""

from pathlib import Path


def get_include() -> str:
    """The folder for `include_dirs` of an Extension that cimports from `fastgames.cy`, a path.

    >>> Path(get_include(), "fastgames", "rules.h").is_file()
    True
    """
    return str(Path(__file__).parent / "include")
