"""Speed of all registered learners and games. Names are permanent; history is stored under them."""

import time

import pytest
from generated import game_scenarios, included, learner_scenarios


def cases(scenarios):
    """Return the cases; one thread is timed by CPU time, which other processes disturb less."""
    one = pytest.mark.benchmark(timer=time.process_time)
    return [
        pytest.param(s, id=s.name, marks=one if s.threads == 1 else ()) for s in included(scenarios)
    ]


@pytest.mark.parametrize("scenario", cases(learner_scenarios()))
def test_every_learner(timed, scenario):
    """Time every learner on a small game, a large one and one with turns."""
    timed(**scenario.arguments())


@pytest.mark.parametrize("scenario", cases(game_scenarios()))
def test_every_game(timed, scenario):
    """Time every game of the catalogue."""
    timed(**scenario.arguments())
