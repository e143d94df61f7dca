"""Every registered game and learner has its golden trajectory, and still takes it.

The trajectories are our own output, kept to notice change. They do not show that it is correct.
"""

import importlib.util
from pathlib import Path

import pytest

SPEC = importlib.util.spec_from_file_location("golden", Path(__file__).with_name("golden.py"))
golden = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(golden)


@pytest.mark.parametrize("name", golden.names())
def test_the_trajectory_is_the_golden_one(name):
    path = golden.path_of(name)
    assert path.exists(), f"no golden trajectory: python tests/golden.py {name}"
    assert golden.trajectory(name) == path.read_text()


def test_there_are_no_others():
    found = {str(p.relative_to(golden.HERE).with_suffix("")) for p in golden.HERE.rglob("*.txt")}
    assert found == set(golden.names())
