"""A typed program of a user, `program.py`, runs and passes mypy.

`make lint` runs mypy and pyright on it too, and asks for the share of public names that are typed.
"""

from pathlib import Path

import pytest
from library.processes import python

import fastgames

PROGRAM = Path(__file__).with_name("program.py")
STRICT = ["--strict", "--config-file=", "--follow-imports=silent", "--no-error-summary"]


def mypy(program, tmp_path):
    cache = f"--cache-dir={tmp_path / 'cache'}"
    path = str(Path(fastgames.__file__).parents[1])
    return python("-m", "mypy", *STRICT, cache, program, cwd=tmp_path, MYPYPATH=path)


@pytest.mark.slow  # `make lint` does the same
def test_a_typed_program_passes_mypy_strict(tmp_path):
    done = mypy(PROGRAM, tmp_path)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


def test_a_typed_program_runs(tmp_path):
    done = python(PROGRAM, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
