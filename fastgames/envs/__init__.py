"""Games as environments of other libraries: PettingZoo, Gymnasium, OpenSpiel.

All of them step a `fastgames.VectorGame`: the games, their random words and the learners inside are
those of `fastgames.run`, bit for bit.

    pip install "fastgames-engine[envs]"

=====================================  ====================================================
`parallel_env`, `aec_env`              PettingZoo: everyone is played from outside
`GameEnv`, `GameVectorEnv`             Gymnasium: one agent against others, who may learn inside
`to_openspiel`, `from_openspiel`       matrix games as OpenSpiel has them, and back
`fixed_policy`                         what an OpenSpiel policy plays, as a `FixedPolicy`
=====================================  ====================================================

Importing `fastgames.envs.gymnasium` registers the games of the catalogue with Gymnasium:
``fastgames/MatchingPennies-v0`` and so on.
"""

from typing import TYPE_CHECKING

from fastgames._common.later import later

if TYPE_CHECKING:
    from .gymnasium import GameEnv, GameVectorEnv
    from .openspiel import fixed_policy, from_openspiel, to_openspiel
    from .pettingzoo import AECGame, ParallelGame, aec_env, parallel_env
else:  # each needs a package of its own
    __getattr__, __dir__ = later(
        __name__,
        {
            "gymnasium": ("GameEnv", "GameVectorEnv"),
            "openspiel": ("fixed_policy", "from_openspiel", "to_openspiel"),
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
    "parallel_env",
    "to_openspiel",
]
