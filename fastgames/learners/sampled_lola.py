"""Learning with opponent-learning awareness (LOLA), from rollouts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from fastgames._common.later import cached
from fastgames.games import Game, ProceduralGame
from fastgames.learners.base import Example, RuleLearner
from fastgames.learners.fields import initial_values, parameter, whole
from fastgames.learners.rules import Rules, Table
from fastgames.rules import fixed
from fastgames.rules.episodes import inside, is_complete
from fastgames.rules.gradients import choose_softmax, policy_softmax, softmax

if TYPE_CHECKING:
    from fastgames.rules.outcome import Outcome


@dataclass(frozen=True, eq=False, repr=False)
class SampledLOLA(RuleLearner):
    """Learning with opponent-learning awareness (LOLA) for two agents, from rollouts.

    The agent does not know the game. It sees the actions and rewards of both agents and reads the
    logits phi of the other one. A rollout starts where the last one ended and takes `horizon`
    steps, fewer if the episode ends. Let V and W be the expected discounted rewards of a rollout,
    of this agent and of the other one. After B rollouts the logits theta move by alpha (dV/dtheta +
    eta (d^2 W / dtheta dphi) (dV/dphi)), where all derivatives are estimated from the rollouts.
    `LOLA` takes the same step from exact values. With eta = 0 this is REINFORCE.

    Let s_t and z_t be the gradients of log pi(a_t | o_t) by theta and of the log probability of the
    other agent's action by phi, and S_t and Z_t their sums up to step t. With the rewards r_t and
    w_t of both agents, dV/dtheta is the mean of sum_t gamma^t r_t S_t, dV/dphi that of sum_t
    gamma^t r_t Z_t, and the second derivative that of sum_t gamma^t w_t S_t Z_t'. The two factors
    of a product are always of different rollouts, so that the mean step is the exact one.

    Baselines reduce the variance and do not change the mean: the discounted rewards from step t on
    count as their difference to the table "value" (or "their_value") at o_t, which moves by
    alpha_critic towards their mean over the visits of the observation in the B rollouts.

    The agent plays the softmax of its logits. The logit of the last action stays as it began, so
    that with two actions there is one parameter for each observation.

    Parameters
    ----------
    horizon : int
        The most steps of a rollout, in [1, 2^31).
    rollouts : int
        The number B of rollouts between two updates, in [2, 2^31).
    alpha : float, schedule or array (replicas,)
        The step size, in [0, inf).
    eta : float, schedule or array (replicas,)
        The step size that the other agent is taken to have, in [0, inf).
    alpha_critic : float, schedule or array (replicas,)
        The step size of the baselines, in [0, 1]. If 0, there are none.
    gamma : float, schedule or array (replicas,), optional
        The discount factor, in [0, 1]. None: the game's discount, 0 for a matrix game.
    initial : float or array
        Initial values of the table "logits": finite, broadcast from the right to (replicas,
        observations, actions).

    Raises
    ------
    ValueError, TypeError
        If a parameter is outside of its domain. `fastgames.run` raises ValueError if the run has
        fewer than rollouts * horizon steps, and unless the game is of tables and without turns and
        has two agents who observe the same, and the other agent has a table "logits".

    Notes
    -----
    Tables: "logits", (replicas, observations, actions); "value" and "their_value", (replicas,
    observations), initially 0. Of the current rollouts: "seen", "played" and "their_played", int64,
    the observations and both agents' actions, "rewards" and "their_rewards", all (replicas, B,
    horizon); "lengths", (replicas, B) int64, the steps of each; "count", (replicas, 1) int64, the
    number of complete ones. One random word per step.

    If gamma is 0, as in a matrix game, every step is a rollout, because later rewards do not count.

    The other agent is taken to play the softmax of its logits as they are at the update. Two agents
    with the same horizon and number of rollouts learn at the same steps, so that this is what they
    played. If the other agent learns at other steps, the estimates are not exact.

    The sums over pairs of rollouts need no matrix: an update takes time in proportion to the steps
    and to the size of the logits. Flips count only changes at the observation of the last move.

    Source: Foerster, Chen, Al-Shedivat, Whiteson, Abbeel & Mordatch, Learning with
    Opponent-Learning Awareness, AAMAS 2018, section 4.2; there the two factors are of the same
    rollouts.

    Examples
    --------
    >>> import fastgames as fg
    >>> game = fg.games.remember(fg.games.prisoners_dilemma(), discount=0.9)
    >>> learner = fg.SampledLOLA(horizon=3, rollouts=2)
    >>> result = fg.run(game, learner, 10, 5, rng=1, backend="reference")
    >>> result.tables[0]["lengths"][0]  # of the first rollout after the update in step 6
    array([3, 1])
    """

    horizon: int = whole(16, "[1, 2^31)")
    rollouts: int = whole(8, "[2, 2^31)")
    alpha: Any = parameter(0.1, "[0, inf)")
    eta: Any = parameter(1.0, "[0, inf)")
    alpha_critic: Any = parameter(0.1, "[0, 1]")
    gamma: Any = parameter(None, "[0, 1]")
    initial: Any = initial_values()

    name = "sampled_lola"
    title = "Opponent-learning awareness (LOLA) from rollouts"
    formula = (
        r"\theta_1 \leftarrow \theta_1 + \alpha\,\Bigl[\,\sum_t \gamma^t r^1_t S^1_t + \eta "
        r"\Bigl(\sum_t \gamma^t r^2_t\, S^1_t {S^2_t}^{\top}\Bigr) \sum_t \gamma^t r^1_t S^2_t"
        r"\,\Bigr], \qquad S^i_t = \sum_{l \le t} \nabla \log \pi_i(a^i_l \mid o_l)"
    )
    example: ClassVar[Example] = Example(
        "remember(fg.games.prisoners_dilemma(), discount=0.9)",
        "fg.SampledLOLA(horizon=20, rollouts=32)",
        says="Policies that foresee the other agent's step reward its cooperation.",
    )
    slow = True
    batch = ("rollouts", "horizon")

    @cached
    def rules(self) -> Rules:
        """Rules of this learner."""
        each = (self.rollouts, self.horizon)
        return Rules(
            parameters=("alpha", "eta", "alpha_critic", "gamma"),
            tables=(
                Table("logits"),
                Table("value", ("observations",)),
                Table("their_value", ("observations",)),
                Table("seen", each, kind="int64"),
                Table("played", each, kind="int64"),
                Table("their_played", each, kind="int64"),
                Table("rewards", each),
                Table("their_rewards", each),
                Table("lengths", (self.rollouts,), kind="int64"),
                Table("count", (1,), kind="int64"),
            ),
            draw=fixed.draw,
            choose=choose_softmax,
            learn=learn,
            policy=policy_softmax,
            joint=True,
            opponents=True,
            reads="logits",
        )

    def check(self, game: Game, agent: int) -> None:
        """Raise ValueError unless the game is one of tables whose two agents observe the same."""
        if game.num_agents != 2:
            raise ValueError(
                f"game must have 2 agents for SampledLOLA, got {game.name!r} with {game.num_agents}"
            )
        if isinstance(game, ProceduralGame):
            raise ValueError(
                "game must be a game of tables for SampledLOLA, which shows that both agents "
                f"observe the same, got {game.name!r}, a game of functions; use "
                "fastgames.tabulate(game)"
            )
        if game.compact.has_turns:
            raise ValueError(f"game must be without turns for SampledLOLA, got {game.name!r}")
        seen = game.compact.observations
        if seen is not None and (seen[0] != seen[1]).any():
            raise ValueError(
                "observations must be the same for both agents for SampledLOLA, got different "
                f"ones in {game.name!r}"
            )


def learn(tables: Any, p: Any, t: Outcome) -> None:
    """Add the step to the current rollout; after the last rollout, step the logits."""
    count, horizon = tables.seen.shape
    k = inside(tables.count[0], count)
    j = inside(tables.lengths[k], horizon)
    tables.seen[k, j], tables.played[k, j] = t.observation, t.action
    tables.their_played[k, j] = t.others
    tables.rewards[k, j], tables.their_rewards[k, j] = t.gain, t.rewards[1 - t.agent]
    tables.lengths[k] = j + 1
    if is_complete(t) or j + 1 == horizon:
        tables.count[0] = k + 1
        if k + 1 == count:
            update(tables, p, t.opponents[0][0])
            tables.count[0] = 0
            for i in range(count):
                tables.lengths[i] = 0


def update(tables: Any, p: Any, theirs: np.ndarray) -> None:
    """Step the logits by the estimates of all rollouts, then the baselines.

    The gain of each step's own action, weighted over the rollouts, is in `gains` (O, A); the
    estimate of dV/dphi, up to the other agent's policy rho (O, B), is in `pull` (O, B).

    theirs: (O, B), the other agent's logits
    """
    logits, seen, rewards = tables.logits, tables.seen, tables.rewards
    played, their_played, lengths = tables.played, tables.their_played, tables.lengths
    real = logits.dtype.type
    size, actions = logits.shape
    others = theirs.shape[1]
    count, horizon = seen.shape
    gains, pull = np.zeros((size, actions), logits.dtype), np.zeros((size, others), logits.dtype)
    returns = np.zeros((2, size), logits.dtype)
    visits = np.zeros(size, np.int64)
    for k in range(count):
        length = min(lengths[k], horizon)
        for j in range(length):
            visits[inside(seen[k, j], size)] += 1
        weigh(seen[k], rewards[k], length, tables.value, p.gamma, returns[0])
        weigh(seen[k], tables.their_rewards[k], length, tables.their_value, p.gamma, returns[1])
        for j in range(length):
            o = inside(seen[k, j], size)
            a, b = inside(played[k, j], actions), inside(their_played[k, j], others)
            gains[o, a] = gains[o, a] + rewards[k, j]
            pull[o, b] = pull[o, b] + rewards[k, j]
    rho = np.zeros((size, others), logits.dtype)
    for o in range(size):
        if visits[o] > 0:
            softmax(theirs[o], rho[o])
            project(pull[o], rho[o])
    foresee(tables, real(p.eta), pull, rho, gains)
    chances = np.empty(actions, logits.dtype)
    for o in range(size):
        if visits[o] > 0:
            softmax(logits[o], chances)
            total = real(0.0)
            for a in range(actions):
                total = total + gains[o, a]
            for a in range(actions - 1):  # the last logit is fixed
                slope = (gains[o, a] - chances[a] * total) / real(count)
                logits[o, a] = logits[o, a] + real(p.alpha) * slope
            move(tables.value, o, returns[0, o], visits[o], real(p.alpha_critic))
            move(tables.their_value, o, returns[1, o], visits[o], real(p.alpha_critic))


def weigh(
    seen: np.ndarray,
    rewards: np.ndarray,
    length: int,
    value: np.ndarray,
    gamma: float,
    returns: Any,
) -> None:
    """Replace the rewards of a rollout by gamma^j (G_j - value[o_j]), and add the G_j to `returns`.

    G_j is the discounted reward from step j on.

    seen, rewards: (horizon,), of which `length` are used; value, returns: (O,)
    """
    real = rewards.dtype.type
    gain, discount = real(0.0), real(1.0)
    for j in range(length - 1, -1, -1):
        o = inside(seen[j], len(value))
        gain = rewards[j] + real(gamma) * gain
        rewards[j], returns[o] = gain - value[o], returns[o] + gain
    for j in range(length):
        rewards[j] = discount * rewards[j]
        discount = discount * real(gamma)


def project(row: np.ndarray, chances: np.ndarray) -> None:
    """Replace weights w of actions by the products of each action's score and the sum of w scores.

    The score of action b is the gradient of log rho(b) in all logits but the last: with the sum c_b
    = w_b - rho_b sum(w), and 0 for the last action, the product is c_b - sum(rho c).

    row: (B,), modified in place; chances: (B,), rho
    """
    real = row.dtype.type
    total, slope = real(0.0), real(0.0)
    for b in range(len(row)):
        total = total + row[b]
    for b in range(len(row) - 1):
        row[b] = row[b] - chances[b] * total
        slope = slope + chances[b] * row[b]
    row[len(row) - 1] = real(0.0)
    for b in range(len(row)):
        row[b] = row[b] - slope


def foresee(tables: Any, eta: Any, pull: np.ndarray, rho: np.ndarray, gains: np.ndarray) -> None:
    """Add eta times the second part of the step to the gains (O, A).

    With y_j the product of the other's score in step j and dV/dphi of the other rollouts, x_j = y_0
    + ... + y_j, and w_j the weighted reward of the other agent, the score of the own action in step
    j counts w_j x_j + sum_{n > j} w_n y_n.

    pull: (O, B), for each action the product of its score and the sum of dV/dphi over all rollouts
    rho: (O, B)
    """
    seen, rewards, their_rewards = tables.seen, tables.rewards, tables.their_rewards
    played, their_played, lengths = tables.played, tables.their_played, tables.lengths
    real = pull.dtype.type
    (size, others), actions = pull.shape, gains.shape[1]
    count, horizon = seen.shape
    alone = np.empty((size, others), pull.dtype)  # as `pull`, of one rollout
    ready = np.zeros(size, np.bool_)
    y = np.empty(horizon, pull.dtype)
    for k in range(count):
        length = min(lengths[k], horizon)
        for j in range(length):
            o = inside(seen[k, j], size)
            ready[o] = False
            for b in range(others):
                alone[o, b] = real(0.0)
        for j in range(length):
            o, b = inside(seen[k, j], size), inside(their_played[k, j], others)
            alone[o, b] = alone[o, b] + rewards[k, j]
        x = real(0.0)
        for j in range(length):
            o, b = inside(seen[k, j], size), inside(their_played[k, j], others)
            if not ready[o]:
                project(alone[o], rho[o])
                ready[o] = True
            y[j] = (pull[o, b] - alone[o, b]) / real(count - 1)
            x = x + y[j]
        later = real(0.0)
        for j in range(length - 1, -1, -1):
            o, a = inside(seen[k, j], size), inside(played[k, j], actions)
            weight = their_rewards[k, j]
            gains[o, a] = gains[o, a] + eta * (weight * x + later)
            later = later + weight * y[j]
            x = x - y[j]


def move(value: np.ndarray, o: int, total: Any, visits: int, alpha: Any) -> None:
    """Move value[o] by alpha towards the mean total / visits."""
    value[o] = value[o] + alpha * (total / value.dtype.type(visits) - value[o])
