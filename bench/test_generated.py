"""Speed of everything that is registered. Names are permanent: history hangs on them."""

import time

import pytest
from generated import game_scenarios, included, learner_scenarios


def cases(scenarios):
    """One thread is timed by its CPU time, which others on the machine disturb less."""
    one = pytest.mark.benchmark(timer=time.process_time)
    return [
        pytest.param(s, id=s.name, marks=one if s.threads == 1 else ()) for s in included(scenarios)
    ]


@pytest.mark.parametrize("scenario", cases(learner_scenarios()))
def test_every_learner(timed, scenario):
    """Every learner, on a small game, a large one and one with turns."""
    timed(**scenario.arguments())


@pytest.mark.parametrize("scenario", cases(game_scenarios()))
def test_every_game(timed, scenario):
    """Every game of the catalogue."""
    timed(**scenario.arguments())
