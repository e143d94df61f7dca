"""Games as environments of other libraries: PettingZoo, Gymnasium, OpenSpiel.

Every environment steps a `fastgames.VectorGame`. Its games, random words and internal learners are
those of `fastgames.run`, bit for bit.

    pip install "fastgames-engine[envs]"

=====================================  ====================================================
`parallel_env`, `aec_env`              PettingZoo: the caller acts for all agents
`GameEnv`, `GameVectorEnv`             Gymnasium: the caller acts for one agent; others may learn
`to_openspiel`, `from_openspiel`       conversion of matrix games to and from OpenSpiel
`markov_from_openspiel`                conversion of OpenSpiel's small games of several moves
`information_states`                   texts of the observations of such a game
`fixed_policy`                         conversion of an OpenSpiel policy to a `FixedPolicy`
=====================================  ====================================================

Importing `fastgames.envs.gymnasium` registers the games of the catalogue with Gymnasium:
``fastgames/MatchingPennies-v0`` and so on.
"""

from typing import TYPE_CHECKING

from fastgames._common.later import later

if TYPE_CHECKING:
    from .gymnasium import GameEnv, GameVectorEnv
    from .openspiel import (
        fixed_policy,
        from_openspiel,
        information_states,
        markov_from_openspiel,
        to_openspiel,
    )
    from .pettingzoo import AECGame, ParallelGame, aec_env, parallel_env
else:  # every module needs another package, so each loads on first use
    __getattr__, __dir__ = later(
        __name__,
        {
            "gymnasium": ("GameEnv", "GameVectorEnv"),
            "openspiel": (
                "fixed_policy",
                "from_openspiel",
                "information_states",
                "markov_from_openspiel",
                "to_openspiel",
            ),
            "pettingzoo": ("AECGame", "ParallelGame", "aec_env", "parallel_env"),
        },
    )

__all__ = [
    "AECGame",
    "GameEnv",
    "GameVectorEnv",
    "ParallelGame",
    "aec_env",
    "fixed_policy",
    "from_openspiel",
    "information_states",
    "markov_from_openspiel",
    "parallel_env",
    "to_openspiel",
]
