"""The check of games for learners that learn from whole episodes."""

from typing import Any

import numpy as np

from fastgames.games import Game, ProceduralGame
from fastgames.schedules import limits


def ends(game: Game) -> bool:
    """Return whether episodes of the game may end, which a game of functions does not tell."""
    compact = game.compact
    functions = isinstance(game, ProceduralGame)
    return functions or compact.terminal is not None or compact.time_limit > 0


def check_ends(who: str, gamma: Any, game: Game) -> None:
    """Raise ValueError unless episodes of the game end or gamma is 0; who: the learner's name."""
    if ends(game):
        return
    most = max((float(np.max(end)) for end in limits(gamma)), default=1.0)
    if most > 0.0:
        raise ValueError(
            f"gamma of {who} must be 0 where episodes do not end, as in {game.name!r}, got up to "
            f"{most:g}; give the game a time limit or a terminal state, or use ActorCritic"
        )
