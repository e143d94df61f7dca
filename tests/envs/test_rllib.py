"""The RLlib example runs: pip install -r examples/rllib/requirements.txt."""

import math
import re
from pathlib import Path

import pytest
from library.processes import python

EXAMPLE = Path(__file__).parents[2] / "examples/rllib/rock_paper_scissors.py"
LINE = re.compile(r"agent_0 return (\S+) entropy (\S+) agent_1 return (\S+) entropy (\S+)")


@pytest.mark.slow
def test_two_ppo_agents_at_rock_paper_scissors(tmp_path):
    pytest.importorskip("ray", reason="Ray is not installed: see examples/rllib/requirements.txt")
    home = {"HOME": str(tmp_path)}  # where Ray leaves a token
    done = python(EXAMPLE, "--iterations", 3, **home)
    assert done.returncode == 0, done.stderr
    lines = LINE.findall(done.stdout)
    assert len(lines) == 3
    for line in lines:
        first, entropy, second, other = map(float, line)
        assert first + second == 0.0  # a game of zero sum, which nobody learns to win
        assert abs(first) < 3.0  # of 10 rounds
        assert 0.8 < entropy <= math.log(3) + 1e-3
        assert 0.8 < other <= math.log(3) + 1e-3
