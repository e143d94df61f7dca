"""Analysis of the greedy policies that agents have learnt, for all replicas at once.

The policies are frozen: no agent learns or explores.

>>> import fastgames as fg
>>> from fastgames.analysis import limit_cycle
>>> dilemma = fg.remember(fg.games.prisoners_dilemma(), periods=1, discount=0.9)
>>> tit_for_tat = [[[0, 1, 0, 1]], [[0, 0, 1, 1]]]  # copy the other; states CC, CD, DC, DD
>>> cycle = limit_cycle(dilemma, tit_for_tat, start=1)
>>> cycle.length, cycle.states  # the agents alternate
(array([2]), array([1, 2], dtype=int32))

- `limit_cycle` computes the cycle in which play ends, and its rewards. In a game with chance,
  `limit_distribution` computes the long-run shares of states and joint actions instead.
- `profit_gain` compares these rewards with one-shot Nash and monopoly profits.
- `best_responses` tests if the agents' policies are best responses to each other, and computes the
  loss if not.
- `deviation_response` computes the play that follows a deviation of one agent.
- `nonstationarity` measures how much the decision problem of an agent changes while the others
  learn.
- `summary` returns a function that computes such measures for `keep` of `fastgames.run`.

The measures are those of Calvano, Calzolari, Denicolò and Pastorello (2020), "Artificial
Intelligence, Algorithmic Pricing, and Collusion", American Economic Review 110(10), section IV.
"""

from fastgames.analysis.cycles import LimitCycle, limit_cycle
from fastgames.analysis.deviations import DeviationResponse, deviation_response
from fastgames.analysis.distributions import LimitDistribution, limit_distribution
from fastgames.analysis.gains import profit_gain
from fastgames.analysis.nonstationarity import Nonstationarity, nonstationarity
from fastgames.analysis.responses import BestResponses, best_responses
from fastgames.analysis.summaries import Summary, summary

__all__ = [
    "BestResponses",
    "DeviationResponse",
    "LimitCycle",
    "LimitDistribution",
    "Nonstationarity",
    "Summary",
    "best_responses",
    "deviation_response",
    "limit_cycle",
    "limit_distribution",
    "nonstationarity",
    "profit_gain",
    "summary",
]
