"""Learning with opponent-learning awareness (LOLA), from exact values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from fastgames._common.later import cached
from fastgames.games import Game, ProceduralGame, Variants
from fastgames.games.compact import Chances, Sum
from fastgames.learners.base import Example, RuleLearner
from fastgames.learners.fields import initial_values, parameter
from fastgames.learners.rules import Rules, Table
from fastgames.rules import fixed
from fastgames.rules.gradients import choose_softmax, policy_softmax, softmax
from fastgames.rules.linear import dot, resolvent, row_times, times

if TYPE_CHECKING:
    from fastgames.rules.outcome import Outcome

MOST_STATES = 64  # a step inverts a matrix of as many rows and columns
_EACH = ("observations", "actions", "others_actions")


@dataclass(frozen=True, eq=False, repr=False)
class LOLA(RuleLearner):
    """Learning with opponent-learning awareness (LOLA) for two agents, from exact values.

    The agent knows the game and reads the logits of the other agent. Let V and W be the discounted
    values of this agent and of the other one from the start, as functions of their logits theta and
    phi. In every step theta moves by alpha (dV/dtheta + eta (d^2 W / dtheta dphi) (dV/dphi)). The
    second part is how the step eta dW/dphi that the other agent is about to take changes V, to
    first order. With eta = 0 the agent follows the gradient of its own value ("naive" learning).
    Both agents learn at once, from the logits before the step. What is played does not matter.

    The agent plays the softmax of its logits. The logit of the last action stays as it began, so
    that with two actions there is one parameter for each state.

    Parameters
    ----------
    alpha : float, schedule or array (replicas,)
        The step size, in [0, inf).
    eta : float, schedule or array (replicas,)
        The step size that the other agent is taken to have, in [0, inf).
    gamma : float, schedule or array (replicas,), optional
        The discount factor, in [0, 1). None: the game's discount, 0 for a matrix game.
    initial : float or array
        Initial values of the table "logits": finite, broadcast from the right to (replicas,
        observations, actions).

    Raises
    ------
    ValueError, TypeError
        If a parameter is outside of its domain. `fastgames.run` raises ValueError unless the game
        is of tables and without turns, has two agents who observe the state and at most 64 states,
        and the other agent has a table "logits".

    Notes
    -----
    Tables: "logits", (replicas, observations, actions). The game as the agent sees it: "rewards"
    and "their_rewards", (replicas, observations, actions, actions of the other agent), "following",
    (replicas, observations, actions, actions of the other agent, observations), the probabilities
    of the next state, and "start", (replicas, observations), those of the first one. One random
    word per step.

    With P the chain of the states under both policies and r the mean rewards, V = start
    (1 - gamma P)^-1 r; the inverse is computed by Gaussian elimination, and the derivatives follow
    from it. A step takes time in proportion to the third power of the number of states. A time
    limit does not change the values.

    In an iterated game, ``fastgames.games.remember(game, discount=0.96)``, policies depend on the
    last joint action; a start without a last joint action is one more state.

    Source: Foerster, Chen, Al-Shedivat, Whiteson, Abbeel & Mordatch, Learning with
    Opponent-Learning Awareness, AAMAS 2018, section 4.1.

    Examples
    --------
    >>> import fastgames as fg
    >>> game = fg.games.remember(fg.games.prisoners_dilemma(), discount=0.96)
    >>> result = fg.run(game, fg.LOLA(), 9, 2, rng=1, backend="reference")
    >>> result.tables[0]["logits"].shape
    (2, 4, 2)
    """

    alpha: Any = parameter(1.0, "[0, inf)")
    eta: Any = parameter(1.0, "[0, inf)")
    gamma: Any = parameter(None, "[0, 1)")
    initial: Any = initial_values()

    name = "lola"
    title = "Opponent-learning awareness (LOLA)"
    formula = (
        r"\theta_1 \leftarrow \theta_1 + \alpha\,\Bigl[\,\frac{\partial V_1}{\partial \theta_1} + "
        r"\eta\,\frac{\partial^2 V_2}{\partial \theta_1\, \partial \theta_2}\, "
        r"\frac{\partial V_1}{\partial \theta_2}\,\Bigr]"
    )
    example: ClassVar[Example] = Example(
        "remember(fg.games.prisoners_dilemma(), discount=0.96)",
        "fg.LOLA(initial=np.random.default_rng(1).normal(size=(20, 4, 2)))",
        steps=200,
        replicas=20,
        says="Most pairs learn to cooperate as long as the other one does.",
    )
    slow = True

    @cached
    def rules(self) -> Rules:
        """Rules of this learner."""
        return Rules(
            parameters=("alpha", "eta", "gamma"),
            tables=(
                Table("logits"),
                Table("rewards", _EACH),
                Table("their_rewards", _EACH),
                Table("following", (*_EACH, "observations")),
                Table("start", ("observations",)),
            ),
            draw=fixed.draw,
            choose=choose_softmax,
            learn=learn,
            policy=policy_softmax,
            opponents=True,
            reads="logits",
            of_game=("rewards", "their_rewards", "following", "start"),
        )

    def start(self, game: Game, agent: int) -> dict[str, np.ndarray]:
        """Return initial tables by name, each broadcastable to (replicas, *dimensions)."""
        return super().start(game, agent) | _known(game, agent)

    def check(self, game: Game, agent: int) -> None:
        """Raise ValueError unless the game is one of tables whose states two agents observe."""
        wrong = _refused(game)
        if wrong:
            raise ValueError(wrong)
        if self.gamma is None and game.discount == 1.0:
            raise ValueError(f"gamma of LOLA must be below 1, got the discount 1 of {game.name!r}")


def _refused(game: Game) -> str:
    """Return why LOLA cannot compute the values of a game, "" if it can."""
    if game.num_agents != 2:
        return f"game must have 2 agents for LOLA, got {game.name!r} with {game.num_agents}"
    if isinstance(game, ProceduralGame):
        return (
            "game must be a game of tables for LOLA, which computes values from them, got "
            f"{game.name!r}, a game of functions; use fastgames.tabulate(game)"
        )
    compact = game.compact
    if compact.has_turns:
        return f"game must be without turns for LOLA, got {game.name!r}"
    states = compact.num_states
    if states > MOST_STATES:
        return (
            f"game must have at most {MOST_STATES} states for LOLA, got {game.name!r} with {states}"
        )
    if compact.observations is not None and (compact.observations != np.arange(states)).any():
        return (
            "observations must be the number of the state for LOLA, got other ones in "
            f"{game.name!r}"
        )
    if set(game.num_observations) != {states}:
        return (
            f"num_observations must be the number of states, {states}, for LOLA, got "
            f"{game.num_observations} in {game.name!r}"
        )
    return ""


def _known(game: Game, agent: int) -> dict[str, np.ndarray]:
    """Return the tables of LOLA that hold the game, empty for a game that `check` refuses."""
    if _refused(game):
        return {}
    compact, actions = game.compact, game.num_actions
    states = compact.num_states
    ends = np.zeros(states, np.bool_) if compact.terminal is None else compact.terminal
    rewards = compact.rewards  # (2, variants, S or 1, J)
    rewards = np.broadcast_to(rewards, (*rewards.shape[:2], states, rewards.shape[3]))
    rewards = np.where(ends[:, None], 0.0, rewards)
    following = _following(compact.moves, states, rewards.shape[3])
    following[ends] = 0.0
    start = np.eye(states)[compact.start_state]
    if compact.start_weights is not None:
        start = compact.start_weights / np.add.accumulate(compact.start_weights)[-1]
    rewards = rewards.reshape(*rewards.shape[:3], *actions)
    following = following.reshape(states, *actions, states)
    if agent == 1:
        rewards, following = rewards.swapaxes(-1, -2), following.swapaxes(1, 2)
    rewards = rewards[:, game.index] if isinstance(game, Variants) else rewards[:, 0]
    names = {"rewards": rewards[agent], "their_rewards": rewards[1 - agent]}
    return names | {"following": following, "start": start}


def _following(moves: Any, states: int, joint: int) -> np.ndarray:
    """Return the probabilities of the next state, (S, J, S)."""
    out = np.zeros((states * joint, states))
    if isinstance(moves, Chances):
        rows = np.repeat(np.arange(states * joint), np.diff(moves.first))
        chances = np.diff(moves.cumulative, prepend=0.0)
        chances[moves.first[:-1]] = moves.cumulative[moves.first[:-1]]
        out[rows, moves.successor] = chances / moves.cumulative[moves.first[1:] - 1][rows]
    else:
        summed = isinstance(moves, Sum)
        after = moves.from_state[:, None] + moves.from_joint if summed else moves.next
        out[np.arange(states * joint), after.ravel()] = 1.0
    return out.reshape(states, joint, states)


def learn(tables: Any, p: Any, t: Outcome) -> None:
    """Take one step of the logits, from the logits of both agents before it.

    pi, rho: the policies of this agent and of the other one; v, w: values (S,); d: discounted
    visits of the states from the start.
    """
    logits, rewards, theirs, following = tables[0], tables[1], tables[2], tables[3]
    states, actions = logits.shape
    others, real = rewards.shape[2], logits.dtype.type
    pi = np.empty((states, actions), logits.dtype)
    rho = np.empty((states, others), logits.dtype)
    for s in range(states):
        softmax(logits[s], pi[s])
        softmax(t.opponents[0][0][s], rho[s])
    visits = np.empty((states, states), logits.dtype)
    resolvent(chain(pi, rho, following), p.gamma, visits)
    d = np.empty(states, logits.dtype)
    row_times(tables[4], visits, d)
    q, own = np.empty(rewards.shape, logits.dtype), np.empty(states, logits.dtype)
    values(pi, rho, rewards, following, visits, p.gamma, q, own)
    w, other = np.empty(rewards.shape, logits.dtype), np.empty(states, logits.dtype)
    values(pi, rho, theirs, following, visits, p.gamma, w, other)
    change = np.empty((states, others), logits.dtype)
    change_of_other(pi, rho, q, d, change)
    awareness = np.empty((states, actions), logits.dtype)
    aware(pi, rho, change, w, following, visits, d, p.gamma, awareness)
    for s in range(states):
        average = real(0.0)
        for a in range(actions):
            gain = d[s] * dot(rho[s], q[s, a]) + real(p.eta) * awareness[s, a]
            awareness[s, a] = gain
            average = average + pi[s, a] * gain
        for a in range(actions - 1):
            step = pi[s, a] * (awareness[s, a] - average)
            logits[s, a] = logits[s, a] + real(p.alpha) * step


def chain(pi: np.ndarray, rho: np.ndarray, following: np.ndarray) -> np.ndarray:
    """Return the probabilities of the next states under policies pi (S, A) and rho (S, B)."""
    states = len(pi)
    out = np.zeros((states, states), pi.dtype)
    for s in range(states):
        for a in range(pi.shape[1]):
            for b in range(rho.shape[1]):
                chance = pi[s, a] * rho[s, b]
                for k in range(states):
                    out[s, k] = out[s, k] + chance * following[s, a, b, k]
    return out


def values(
    pi: np.ndarray,
    rho: np.ndarray,
    rewards: np.ndarray,
    following: np.ndarray,
    visits: np.ndarray,
    gamma: float,
    q: np.ndarray,
    v: np.ndarray,
) -> None:
    """Write the values of joint actions into q (S, A, B), and those of states into v (S,).

    rewards: (S, A, B) of one of the agents; visits: the inverse of 1 - gamma P
    """
    states = len(pi)
    mean = np.empty(states, pi.dtype)
    for s in range(states):
        mean[s] = weighted(pi[s], rho[s], rewards[s])
    times(visits, mean, v)
    for s in range(states):
        for a in range(pi.shape[1]):
            for b in range(rho.shape[1]):
                ahead = dot(following[s, a, b], v)
                q[s, a, b] = rewards[s, a, b] + pi.dtype.type(gamma) * ahead


def weighted(one: np.ndarray, other: np.ndarray, matrix: np.ndarray) -> Any:
    """Return sum_a sum_b one[a] other[b] matrix[a, b]."""
    total = one.dtype.type(0.0)
    for a in range(len(one)):
        total = total + one[a] * dot(other, matrix[a])
    return total


def change_of_other(
    pi: np.ndarray, rho: np.ndarray, q: np.ndarray, d: np.ndarray, out: np.ndarray
) -> None:
    """Write the change of rho along the gradient of the own value in the other's logits.

    q: (S, A, B), the own values of joint actions; out: (S, B); in every row the changes sum to 0
    """
    real = pi.dtype.type
    others = rho.shape[1]
    for s in range(len(pi)):
        average = real(0.0)
        for b in range(others):
            out[s, b] = real(0.0)
            for a in range(pi.shape[1]):
                out[s, b] = out[s, b] + pi[s, a] * q[s, a, b]
            average = average + rho[s, b] * out[s, b]
        slope = real(0.0)
        for b in range(others):  # the gradient; the last logit is fixed
            out[s, b] = real(0.0) if b == others - 1 else d[s] * rho[s, b] * (out[s, b] - average)
            slope = slope + rho[s, b] * out[s, b]
        for b in range(others):
            out[s, b] = rho[s, b] * (out[s, b] - slope)


def aware(
    pi: np.ndarray,
    rho: np.ndarray,
    change: np.ndarray,
    w: np.ndarray,
    following: np.ndarray,
    visits: np.ndarray,
    d: np.ndarray,
    gamma: float,
    out: np.ndarray,
) -> None:
    """Write what the own actions add to the gain of the other agent by `change`, into out (S, A).

    The gain is c = sum_s d[s] sum_a sum_b pi[s, a] change[s, b] w[s, a, b], the derivative of the
    other's value along `change`. Its derivative in pi[s, a] is out[s, a], up to a number for each
    s: through pi itself, through the visits d, and through the values w.

    w: (S, A, B), the other's values of joint actions
    """
    real = pi.dtype.type
    states = len(pi)
    gain, later = np.empty(states, pi.dtype), np.empty(states, pi.dtype)
    moved, shifted = np.zeros(states, pi.dtype), np.empty(states, pi.dtype)
    for s in range(states):
        gain[s] = weighted(pi[s], change[s], w[s])
        for a in range(pi.shape[1]):
            for b in range(rho.shape[1]):
                chance = d[s] * pi[s, a] * change[s, b]
                for k in range(states):
                    moved[k] = moved[k] + chance * following[s, a, b, k]
    times(visits, gain, later)  # the gain of all later steps
    row_times(moved, visits, shifted)  # the change of the visits
    for s in range(states):
        for a in range(pi.shape[1]):
            ahead = real(0.0)
            for b in range(rho.shape[1]):
                ahead = ahead + rho[s, b] * dot(following[s, a, b], later)
            direct = dot(change[s], w[s, a]) + real(gamma) * ahead
            out[s, a] = d[s] * direct + real(gamma) * shifted[s] * dot(rho[s], w[s, a])
