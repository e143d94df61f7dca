"""Names of this package and the modules that define them; made by `make names`, do not edit."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .actor_critic import ActorCritic
    from .coma import COMA
    from .exp3 import Exp3
    from .fictitious import FictitiousPlay
    from .fixed import FixedPolicy
    from .grpo import GRPO
    from .hedge import Hedge
    from .hill_climbing import PHC, WoLFPHC
    from .hysteretic import HystereticQ
    from .joint_action import JointActionLearner
    from .lenient import LenientQ
    from .lola import LOLA
    from .maddpg import MADDPG
    from .minimax import MinimaxQ
    from .proximal import IPPO, MAPPO
    from .qlearner import QLearner
    from .qmix import QMIX
    from .regret import RegretMatching
    from .reinforce import Reinforce
    from .sampled_lola import SampledLOLA
    from .sarsa import ExpectedSarsa, Sarsa
    from .self_play import SelfPlay
    from .value_decomposition import VDN

MODULES = {
    "QLearner": "qlearner",
    "Sarsa": "sarsa",
    "ExpectedSarsa": "sarsa",
    "HystereticQ": "hysteretic",
    "LenientQ": "lenient",
    "MinimaxQ": "minimax",
    "PHC": "hill_climbing",
    "WoLFPHC": "hill_climbing",
    "RegretMatching": "regret",
    "Hedge": "hedge",
    "Exp3": "exp3",
    "FictitiousPlay": "fictitious",
    "VDN": "value_decomposition",
    "COMA": "coma",
    "FixedPolicy": "fixed",
    "ActorCritic": "actor_critic",
    "Reinforce": "reinforce",
    "GRPO": "grpo",
    "JointActionLearner": "joint_action",
    "QMIX": "qmix",
    "SelfPlay": "self_play",
    "LOLA": "lola",
    "IPPO": "proximal",
    "MAPPO": "proximal",
    "MADDPG": "maddpg",
    "SampledLOLA": "sampled_lola",
}

REGISTERED = {
    "q": "QLearner",
    "sarsa": "Sarsa",
    "expected_sarsa": "ExpectedSarsa",
    "hysteretic_q": "HystereticQ",
    "lenient_q": "LenientQ",
    "minimax_q": "MinimaxQ",
    "phc": "PHC",
    "wolf_phc": "WoLFPHC",
    "regret_matching": "RegretMatching",
    "hedge": "Hedge",
    "exp3": "Exp3",
    "fictitious_play": "FictitiousPlay",
    "vdn": "VDN",
    "coma": "COMA",
    "fixed": "FixedPolicy",
    "actor_critic": "ActorCritic",
    "reinforce": "Reinforce",
    "grpo": "GRPO",
    "joint_action": "JointActionLearner",
    "qmix": "QMIX",
    "self_play": "SelfPlay",
    "lola": "LOLA",
    "ippo": "IPPO",
    "mappo": "MAPPO",
    "maddpg": "MADDPG",
    "sampled_lola": "SampledLOLA",
}

__all__ = [
    "COMA",
    "GRPO",
    "IPPO",
    "LOLA",
    "MADDPG",
    "MAPPO",
    "PHC",
    "QMIX",
    "VDN",
    "ActorCritic",
    "Exp3",
    "ExpectedSarsa",
    "FictitiousPlay",
    "FixedPolicy",
    "Hedge",
    "HystereticQ",
    "JointActionLearner",
    "LenientQ",
    "MinimaxQ",
    "QLearner",
    "RegretMatching",
    "Reinforce",
    "SampledLOLA",
    "Sarsa",
    "SelfPlay",
    "WoLFPHC",
]
