"""Speed of environments that are stepped from outside."""

import time

import numpy as np
import pytest
from checked import build
from scenarios import digest, pricing, step_outside

import fastgames as fg
from fastgames import _core

pytestmark = pytest.mark.benchmark(timer=time.process_time)

COPIES, STEPS = 8_192, 500
GAMES = {
    "pennies": fg.games.matching_pennies(),
    "pricing": pricing(1)[0],
    "grid_game": fg.games.grid_game(),
    "chances": fg.games.random_markov_game(2, 20, 4, rng=1, transitions="random"),
    "coin_game": fg.games.coin_game(),
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("game", GAMES)
def test_outside(benchmark, game, dtype):
    """Time steps of 8,192 copies by random actions; check them with the lowest instruction set."""
    made, copies = GAMES[game], COPIES
    draw = np.random.default_rng(1)
    actions = [draw.integers(0, [[a] for a in made.num_actions], (2, copies)) for _ in range(16)]
    envs = fg.VectorGame(made, copies, rng=7, dtype=dtype)

    def step():
        for t in range(STEPS):
            envs.step(actions[t % 16])

    benchmark.pedantic(step, rounds=5, warmup_rounds=1)
    ends = step_outside(_core.isa, made, 40, copies, dtype)
    with build(_core.available()[0]):
        assert digest(step_outside(_core.isa, made, 40, copies, dtype)) == digest(ends)
    rate = copies * STEPS / benchmark.stats.stats.median
    benchmark.extra_info |= {
        "replicas": copies,
        "game_steps_per_s": round(rate),
        "agent_steps_per_s": round(rate * made.num_agents),
        "digest": digest(ends),
        "state_bytes": made.num_agents * (8 + envs.rewards.itemsize) + 2,
        "block_bytes": 0,
    }
