"""Registry of the named learners."""

from typing import Any

from fastgames.learners.exp3 import Exp3
from fastgames.learners.fictitious import FictitiousPlay
from fastgames.learners.fixed import FixedPolicy
from fastgames.learners.hedge import Hedge
from fastgames.learners.hill_climbing import PHC, WoLFPHC
from fastgames.learners.hysteretic import HystereticQ
from fastgames.learners.lenient import LenientQ
from fastgames.learners.minimax import MinimaxQ
from fastgames.learners.qlearner import QLearner
from fastgames.learners.regret import RegretMatching
from fastgames.learners.sarsa import ExpectedSarsa, Sarsa
from fastgames.learners.teams import COMA, VDN

#: Name of a learner in files and on the command line -> its class.
LEARNERS: dict[str, Any] = {
    kind.name: kind
    for kind in (
        QLearner,
        Sarsa,
        ExpectedSarsa,
        HystereticQ,
        LenientQ,
        MinimaxQ,
        PHC,
        WoLFPHC,
        RegretMatching,
        Hedge,
        Exp3,
        FictitiousPlay,
        VDN,
        COMA,
        FixedPolicy,
    )
}
