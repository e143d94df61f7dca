"""Hooks and fixtures of all tests. What tests import by name stands in `library/`.

Hypothesis runs the same examples every time. For a longer search with new ones:
``pytest --hypothesis-profile=thorough``.
"""

import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

from fastgames.compiler import passes

pytest.register_assert_rewrite("library")

from library.learners import KINDS  # noqa: E402  (after its assertions are rewritten)

settings.register_profile("quick", deadline=None, derandomize=True, max_examples=40)
settings.register_profile("thorough", deadline=None, max_examples=2000)
settings.load_profile("quick")

# What Numba compiled is found again by other workers, and by the next session. It is named by a
# digest of all that it is made of, and what cannot be compiled is never kept: no error hides.
os.environ.setdefault("FASTGAMES_CACHE_DIR", str(Path(__file__).parents[1] / "build" / "compiled"))


def pytest_generate_tests(metafunc):
    """A test that asks for `learner_kind` runs with every kind of learner."""
    if "learner_kind" in metafunc.fixturenames:
        metafunc.parametrize("learner_kind", KINDS, ids=str)


@pytest.fixture(scope="class")  # of a test by itself that is the test; Hypothesis allows no less
def passes_for_all_sizes():
    """Make Numba's passes without constants for small sizes, once for all games.

    Users get passes with constants, and so do tests unless they ask for this fixture: those that
    draw games of any size, for which every size would be compiled.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passes, "_small", lambda actions, observations: {})
        yield


# --- Ctrl-C -------------------------------------------------------------------------------------


def pytest_configure(config):
    """Handle SIGINT where whoever started the tests ignores it (``nohup make test &``).

    Otherwise tests of interrupts, and the processes that they start, would wait for ever.
    """
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


# --- slow tests ---------------------------------------------------------------------------------


def pytest_collection_modifyitems(config, items):
    """Leave slow tests out unless -m says otherwise."""
    if config.option.markexpr:
        return
    slow = [item for item in items if item.get_closest_marker("slow")]
    if slow:
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if not item.get_closest_marker("slow")]
