"""Speed of everything that is registered. Names are permanent: history hangs on them."""

import pytest
from generated import game_scenarios, included, learner_scenarios


@pytest.mark.parametrize("scenario", included(learner_scenarios()), ids=lambda s: s.name)
def test_every_learner(timed, scenario):
    """Every learner, on a small game, a large one and one with turns."""
    timed(**scenario.arguments())


@pytest.mark.parametrize("scenario", included(game_scenarios()), ids=lambda s: s.name)
def test_every_game(timed, scenario):
    """Every game of the catalogue."""
    timed(**scenario.arguments())
