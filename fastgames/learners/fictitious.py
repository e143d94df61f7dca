"""Fictitious play."""

from dataclasses import dataclass
from typing import Any

from fastgames.learners.base import RuleLearner, Rules, Table
from fastgames.rules import fictitious

_RULES = Rules(
    parameters=(),
    tables=(Table("payoffs"), Table("plays", kind="int64")),
    draw=None,
    choose=fictitious.choose,
    learn=fictitious.learn,
    policy=fictitious.policy,
    words=0,
    counterfactual=True,
)


@dataclass(frozen=True, eq=False)
class FictitiousPlay(RuleLearner):
    """Fictitious play: the best reply to how often the others played what, lowest index on ties.

    All agents play at once. Nothing is drawn: where all play so, a run is one path. Beliefs are
    about what the others play jointly: with three or more agents this is the correlated form, not
    that which takes the others' frequencies as independent. The best reply to such a belief is the
    action that would have earned the most so far, so those sums are all that is kept. It sees the
    payoffs of all its actions at every step (full information), so it needs a game without turns;
    in a Markov game every observation has beliefs of its own, and it replies to the rewards of the
    step alone: what comes after counts nothing.

    Parameters
    ----------
    initial : float or array
        What the sums start at: finite, broadcast from the right to (replicas, observations, A). A
        prior that gives weight w_j to the others' action j stands as the payoffs against j times
        w_j, summed over j: ``payoffs @ w``.

    Notes
    -----
    Tables, both (replicas, observations, A): "payoffs", the sums; "plays", int64, how often each
    action was played: divided by its sum over the actions it is the average play. No random words.

    Which action is best depends on ties, and those on exact sums: sums of whole payoffs are exact
    up to 2^53 in float64 and up to 2^24 in float32, 10^7 steps of payoffs of at most 1. Other
    payoffs are rounded at every step, and in float32 that is too coarse beyond about 10^5 steps.

    Smooth fictitious play (Fudenberg & Levine, The Theory of Learning in Games, 1998, chapter 4)
    without a prior is ``QLearner(VisitCount(), 0, Softmax(temperature), counterfactual=True)``: the
    logit reply to the average payoffs. Its `initial` decides the first reply only, for the first
    step, of size 1, replaces it: no prior is kept.

    Source: Brown, Iterative Solution of Games by Fictitious Play, in Koopmans (ed.), Activity
    Analysis of Production and Allocation (1951); with a prior Fudenberg & Levine (1998), section
    2.2.
    """

    initial: Any = 0.0

    name = "fictitious_play"

    @property
    def rules(self) -> Rules:
        """What it does in a step."""
        return _RULES
