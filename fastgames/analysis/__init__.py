"""What the agents have learnt, measured on all replicas at once: greedy policies, frozen.

>>> import fastgames as fg
>>> from fastgames.analysis import limit_cycle
>>> dilemma = fg.remember(fg.games.prisoners_dilemma(), periods=1, discount=0.9)
>>> tit_for_tat = [[[0, 1, 0, 1]], [[0, 0, 1, 1]]]  # what the other did; states CC, CD, DC, DD
>>> cycle = limit_cycle(dilemma, tit_for_tat, start=1)
>>> cycle.length, cycle.states  # they take turns
(array([2]), array([1, 2], dtype=int32))

`limit_cycle` and `profit_gain`: where play ends and what it pays. `best_responses`: whether the
agents' policies are best replies to each other, and what they lose if not. `deviation_response`:
what the others do to an agent that deviates. The measures are those of Calvano, Calzolari, Denicolò
and Pastorello (2020), "Artificial Intelligence, Algorithmic Pricing, and Collusion", American
Economic Review 110(10), section IV.
"""

from fastgames.analysis.cycles import LimitCycle, limit_cycle, profit_gain
from fastgames.analysis.deviations import DeviationResponse, deviation_response
from fastgames.analysis.responses import BestResponses, best_responses

__all__ = [
    "BestResponses",
    "DeviationResponse",
    "LimitCycle",
    "best_responses",
    "deviation_response",
    "limit_cycle",
    "profit_gain",
]
