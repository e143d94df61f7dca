"""REINFORCE: policy gradients by Monte Carlo returns."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from fastgames._common.later import cached
from fastgames.games import Game
from fastgames.learners.base import Example, RuleLearner
from fastgames.learners.episodes import check_ends, ends
from fastgames.learners.fields import initial_values, parameter
from fastgames.learners.rules import Rules, Table
from fastgames.rules import fixed
from fastgames.rules.episodes import inside, is_complete
from fastgames.rules.gradients import choose, climb, policy, softmax

if TYPE_CHECKING:
    from fastgames.rules.outcome import Outcome


@dataclass(frozen=True, eq=False)
class Reinforce(RuleLearner):
    """REINFORCE, policy gradients by the returns of whole episodes, with or without a baseline.

    At the end of an episode with the moves (o_t, a_t) and the discounted returns G_t that followed
    them, the logits take the gradient step alpha_actor sum_t (G_t - V[o_t]) grad log
    pi(a_t | o_t). V is the baseline: V[o] moves by alpha_critic towards the mean of the G_t of the
    visits of o. With alpha_critic = 0, the default, V stays 0 and there is no baseline. The agent
    plays the softmax of its logits, mixed with uniform play.

    An episode ends in a terminal state or at a time limit. In a matrix game every step is an
    episode; so is every step of any game if gamma is 0, because its return is its reward.

    In games with turns, the rewards until the agent's next move belong to its move; those before
    its first move of an episode are ignored.

    Parameters
    ----------
    alpha_actor : float, schedule or array (replicas,)
        The step size of the policy, in [0, inf).
    alpha_critic : float, schedule or array (replicas,)
        The step size of the baseline, in [0, 1]. If 0, there is no baseline.
    gamma : float, schedule or array (replicas,), optional
        The discount factor, in [0, 1]; 0 where episodes do not end. None: the game's discount, 0
        for a matrix game.
    epsilon : float, schedule or array (replicas,)
        The share of uniform play in the policy, in [0, 1]. The step of an episode uses the share at
        its end.
    initial : float or array
        Initial values of the table "logits": finite, broadcast from the right to (replicas,
        observations, actions).

    Raises
    ------
    ValueError, TypeError
        If a parameter is outside of its domain. `fastgames.run` raises ValueError if gamma is
        positive in a game whose episodes do not end.

    Notes
    -----
    Tables: "logits", (replicas, observations, actions), and "value", (replicas, observations),
    initially 0. Of the current episode: "plays", int64, how often each action was played, "trace",
    these plays discounted by the time since then, and "returns", the sum of the returns of these
    plays so far, all (replicas, observations, actions); "visited", (replicas, observations) int64,
    the observations in the order of their first visit, and "distinct", (replicas, 1) int64, their
    number. One random word per step.

    The policy does not change during an episode, so these sums tell the step exactly, for episodes
    of any length; a step of the game takes time in proportion to the observations visited in its
    episode. Flips count only changes at the observation of the last move.

    The step leaves out the factor gamma^t of the t-th move, as is usual.

    Source: Williams, Simple Statistical Gradient-Following Algorithms for Connectionist
    Reinforcement Learning, Machine Learning 8 (1992); with the baseline Sutton & Barto,
    Reinforcement Learning: An Introduction, 2nd edition (2018), section 13.4.

    Examples
    --------
    >>> import fastgames as fg
    >>> result = fg.run(fg.games.chicken(), fg.Reinforce(), 9, 2, rng=1, backend="reference")
    >>> result.tables[0]["logits"].shape
    (2, 1, 2)
    """

    alpha_actor: Any = parameter(0.05, "[0, inf)")
    alpha_critic: Any = parameter(0.0, "[0, 1]")
    gamma: Any = parameter(None, "[0, 1]")
    epsilon: Any = parameter(0.0, "[0, 1]")
    initial: Any = initial_values()

    name = "reinforce"
    title = "REINFORCE"
    formula = (
        r"\theta \leftarrow \theta + \alpha_{actor} \sum_t \bigl[\,G_t - V(o_t)\,\bigr]\, \nabla "
        r"\log \pi(a_t \mid o_t), \qquad G_t = \sum_{k \ge t} \gamma^{k-t}\, r_k"
    )
    example: ClassVar[Example] = Example(
        "prisoners_dilemma()",
        "fg.Reinforce(alpha_actor=0.02, alpha_critic=0.1)",
        says="Every agent learns to defect, the dominant action.",
    )
    slow = True

    @cached
    def rules(self) -> Rules:
        """Rules of this learner."""
        return Rules(
            parameters=("alpha_actor", "alpha_critic", "gamma", "epsilon"),
            tables=(
                Table("logits"),
                Table("value", ("observations",)),
                Table("plays", kind="int64"),
                Table("trace"),
                Table("returns"),
                Table("visited", ("observations",), kind="int64"),
                Table("distinct", (1,), kind="int64"),
            ),
            draw=fixed.draw,
            choose=choose,
            learn=learn,
            policy=policy,
            cuts=True,
        )

    @classmethod
    def sample(cls, game: Game, agent: int) -> dict[str, Any]:
        """Return a gamma of 0 for games whose episodes do not end."""
        return {} if ends(game) else {"gamma": 0.0}

    def check(self, game: Game, agent: int) -> None:
        """Raise ValueError if gamma is positive and episodes do not end."""
        check_ends("Reinforce", self.values(game.discount)["gamma"], game)


def learn(tables: Any, p: Any, t: "Outcome") -> None:
    """Add the reward to the returns of the episode; at its end, step values and logits."""
    note(tables, t.observation, t.action)
    earn(tables, t.gain, t.weight)
    if is_complete(t):
        for k in range(min(tables.distinct[0], len(tables.visited))):
            step(tables, p, inside(tables.visited[k], len(tables.visited)))
        tables.distinct[0] = 0


def note(tables: Any, o: int, a: int) -> None:
    """Count a play of action a at observation o, and list o if it is new in the episode."""
    plays, distinct = tables.plays[o], tables.distinct
    new = True
    for b in range(len(plays)):
        if plays[b] > 0:
            new = False
    if new:
        k = inside(distinct[0], len(tables.visited))
        tables.visited[k] = o
        distinct[0] = k + 1
    plays[a] += 1
    tables.trace[o, a] = tables.trace[o, a] + tables.trace.dtype.type(1.0)


def earn(tables: Any, gain: Any, weight: Any) -> None:
    """Add gain times trace to the returns of all plays of the episode; trace *= weight."""
    for k in range(min(tables.distinct[0], len(tables.visited))):
        o = inside(tables.visited[k], len(tables.visited))
        returns, trace = tables.returns[o], tables.trace[o]
        for a in range(len(trace)):
            returns[a] = returns[a] + gain * trace[a]
            trace[a] = trace[a] * weight


def step(tables: Any, p: Any, o: int) -> None:
    """Step logits[o] and value[o] by the returns of the plays at o, and clear these.

    logits[o] += alpha_actor sum_a (returns[o, a] - plays[o, a] value[o]) grad log pi(a | o);
    value[o] += alpha_critic (sum_a returns[o, a] / sum_a plays[o, a] - value[o]).
    """
    row, plays, returns = tables.logits[o], tables.plays[o], tables.returns[o]
    real = row.dtype.type
    value, total, count = tables.value[o], real(0.0), 0
    chances = np.empty(len(row), row.dtype)
    softmax(row, chances)
    for a in range(len(row)):
        if plays[a] > 0:
            advantage = returns[a] - real(plays[a]) * value
            climb(row, chances, a, p.epsilon, real(p.alpha_actor) * advantage)
            total = total + returns[a]
            count = count + plays[a]
        plays[a] = 0
        returns[a] = real(0.0)
        tables.trace[o, a] = real(0.0)
    if count > 0:
        tables.value[o] = value + real(p.alpha_critic) * (total / real(count) - value)
