"""Run Python in a process of its own."""

import os
import subprocess
import sys
import textwrap


def python(*arguments, cwd=None, timeout=600, **environment):
    """Run Python with these arguments; return the finished process with its output as text.

    environment: variables that are set or replaced
    """
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=timeout,
    )


def output_of(program, *arguments, options=(), **more):
    """Run the text of a program; return what it prints, after checking that it succeeds.

    arguments: those of the program; options: those of Python; more: as in `python`
    """
    done = python(*options, "-c", textwrap.dedent(program), *arguments, **more)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
