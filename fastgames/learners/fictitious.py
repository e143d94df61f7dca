"""Fictitious play."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from fastgames._common.later import cached
from fastgames.learners.base import Example, RuleLearner
from fastgames.learners.fields import initial_values, tie_breaking
from fastgames.learners.rules import Rules, Table
from fastgames.rules.choice import argmax
from fastgames.rules.ties import WORDS, among, even, joined, split

if TYPE_CHECKING:
    from fastgames.rules.outcome import Outcome


@dataclass(frozen=True, eq=False, repr=False)
class FictitiousPlay(RuleLearner):
    """Fictitious play, the best response to the frequencies of the others' joint actions.

    All agents move simultaneously. Unless ties are broken at random no random words are drawn, so
    that a run in which all agents use it is deterministic. Beliefs are about the joint actions of
    the others: with three or more agents this is the correlated form, not the form that takes the
    others' frequencies as independent. The best response to such a belief is the action that would
    have earned the most so far, so only these sums are stored. The agent observes the payoffs of
    all its actions at every step (full information). In a Markov game every observation has its own
    beliefs, and the agent responds to the rewards of the current step only; later rewards are
    ignored.

    Parameters
    ----------
    initial : float or array
        Initial values of the sums: finite, broadcast from the right to (replicas, observations, A).
        A prior that gives weight w_j to the others' joint action j is represented by the payoffs
        against j times w_j, summed over j: ``payoffs @ w``.
    ties : "first" or "random"
        The best response among actions with equal sums: the one with the lowest index, or each of
        them with the same probability.

    Raises
    ------
    ValueError, TypeError
        If an argument is outside of its domain.

    Notes
    -----
    Tables, both (replicas, observations, A): "payoffs", the sums; "plays", int64, the number of
    times each action was played, which divided by its sum over the actions is the average play. No
    random words; with random ties one per step, u, and the action among m tied ones has the index
    floor(u m / 2^31).

    The best response depends on ties, and ties depend on exact sums. Sums of integer payoffs are
    exact up to 2^53 in float64 and up to 2^24 in float32, which is 10^7 steps of payoffs of at most
    1. Other payoffs are rounded at every step; in float32 this is too coarse beyond about 10^5
    steps.

    In games with turns it needs an agent whose moves are each followed by its own next move, or by
    the end of the episode. Actions that the others are forced to play count as played; steps in
    which the agent does not move are not counted. If others move in between, `fastgames.run`
    rejects it: the payoff of an action depends on their replies, which are known for the action
    played only, and the source defines beliefs for simultaneous moves.

    Smooth fictitious play (Fudenberg & Levine, The Theory of Learning in Games, 1998, chapter 4)
    without a prior is ``QLearner(VisitCount(), 0, Softmax(temperature), counterfactual=True)``: the
    logit response to the average payoffs. Its `initial` affects the first response only, because
    the first step, of size 1, replaces it: there is no prior.

    Source: Brown, Iterative Solution of Games by Fictitious Play, in Koopmans (ed.), Activity
    Analysis of Production and Allocation (1951); with a prior Fudenberg & Levine (1998), section
    2.2.

    Examples
    --------
    >>> import fastgames as fg
    >>> result = fg.run(fg.games.chicken(), fg.FictitiousPlay(), 9, 2, rng=1, backend="reference")
    >>> result.tables[0]["plays"][0]
    array([[5, 4]])
    """

    initial: Any = initial_values()
    ties: str = tie_breaking()

    name = "fictitious_play"
    title = "Fictitious play"
    formula = r"a_{t+1} = \arg\max_a \sum_{\tau \le t} u(a, a^\tau_{-i})"
    example: ClassVar[Example] = Example(
        "shapley()",
        "fg.FictitiousPlay(initial=[0.3, 0.2, 0.1])",
        kind="joint",
        replicas=1,
        record="fg.Record(joint_actions=True)",
        says=(
            "In Shapley's game play does not converge, and the joint actions that pay 0 to both "
            "agents are never played."
        ),
    )

    @cached
    def rules(self) -> Rules:
        """Rules of this learner."""
        return Rules(
            parameters=(),
            tables=(Table("payoffs"), Table("plays", kind="int64")),
            draw=draw_tie if self.ties == "random" else None,
            choose=choose_tied if self.ties == "random" else choose,
            learn=learn,
            policy=policy_tied if self.ties == "random" else policy,
            words=int(self.ties == "random"),
            signals=2 * (self.ties == "random"),
            counterfactual=True,
        )


def choose(tables: Any, p: Any, o: int, signal: Any) -> int:
    """Return the best response to the others' actions so far, the lowest index on ties."""
    return argmax(tables.payoffs[o])


def draw_tie(u: int, p: Any, actions: int, real: Any) -> Any:
    """Return the parts of the word u, as `ties.split` does."""
    return split(u, real)


def choose_tied(tables: Any, p: Any, o: int, signal: Any) -> int:
    """Return one of the best responses to the others' actions so far."""
    return among(tables.payoffs[o], joined(signal[0], signal[1]), WORDS)


def policy_tied(tables: Any, p: Any, o: int, out: np.ndarray) -> None:
    """Write the same probability for every best response into `out` (A,), and 0 for others."""
    even(tables.payoffs[o], 1.0, out)


def learn(tables: Any, p: Any, t: "Outcome") -> None:
    """Add column[k] to payoffs[o, k] for every own action k, and count the action played."""
    payoffs, o = tables.payoffs, t.observation
    for k in range(payoffs.shape[1]):
        payoffs[o, k] = payoffs[o, k] + t.column[k]
    tables.plays[o, t.action] += 1


def policy(tables: Any, p: Any, o: int, out: np.ndarray) -> None:
    """Write 1 for the best response and 0 for the other actions into `out` (A,)."""
    for a in range(len(out)):
        out[a] = 0.0
    out[argmax(tables.payoffs[o])] = 1.0
