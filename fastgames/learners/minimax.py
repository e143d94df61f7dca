"""Minimax-Q for zero-sum games of two agents."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from fastgames._common.later import cached
from fastgames.games import Game
from fastgames.games.turns import playable
from fastgames.learners.base import Example, RuleLearner
from fastgames.learners.fields import initial_values, parameter
from fastgames.learners.rules import Rules, Table
from fastgames.learners.stepsize import VisitCount
from fastgames.rules import mixed
from fastgames.rules.choice import largest
from fastgames.rules.stepsize import visit
from fastgames.rules.zero_sum import smallest, solve, spread

if TYPE_CHECKING:
    from fastgames.rules.outcome import Outcome

_EACH = ("observations", "actions", "others_actions")


@dataclass(frozen=True, eq=False)
class MinimaxQ(RuleLearner):
    """Minimax-Q, which learns the values of actions against a worst-case opponent.

    q[o, a, b] += alpha ((r + gamma value[o']) - q[o, a, b]), with the opponent's action b. Then
    policy[o] is a maximin strategy of the matrix game q[o], and value[o] its guaranteed payoff.

    It is for two agents whose rewards sum to 0; observations must identify the state.
    `fastgames.run` rejects other games of tables. It cannot check a `ProceduralGame`: the user must
    ensure that its rewards sum to 0 and that observations identify its states.

    In games with turns (alternating Markov games), an agent that does not move has one action, 0.
    So policy[o] and value[o] solve the game of the rows and columns that can be played: the value
    is max_a q[o, a, 0] if only this agent moves and min_b q[o, 0, b] if only the opponent does. The
    agent learns in every step, whoever moves, as in the source: the values are those of one step.

    Parameters
    ----------
    alpha : float, schedule, array (replicas,) or VisitCount
        The step size, in (0, 1] (a schedule may tend to 0). Visits are counted per (o, a, b).
    gamma : float, schedule or array (replicas,), optional
        The discount factor, in [0, 1]; 1 only if episodes end. None: the game's discount, 0 for a
        matrix game.
    epsilon : float, schedule or array (replicas,)
        The probability of a uniformly random action instead of one sampled from policy[o], in
        [0, 1]. The probability used is floor(epsilon 2^31) / 2^31.
    initial : float
        Initial value of the tables "q" and "value", finite. (Littman uses 1, the reward of a goal.)

    Raises
    ------
    ValueError, TypeError
        If a parameter is outside of its domain. `fastgames.run` raises ValueError for other games.

    Notes
    -----
    Tables: "policy", (replicas, observations, actions), initially uniform; "q", (replicas,
    observations, actions, actions of the opponent); "value", (replicas, observations); with
    VisitCount "visits", of the shape of q. Two random words per step.

    In games with turns observations must identify the states in which the agent does not move, too.
    In these policy[o] is 1 for action 0.

    Source: Littman, Markov games as a framework for multi-agent reinforcement learning, ICML 1994,
    figure 1. Convergence: Littman & Szepesvári, A generalized reinforcement-learning model:
    convergence and applications, ICML 1996, also for alternating Markov games.

    Examples
    --------
    >>> import fastgames as fg
    >>> game = fg.games.matching_pennies()
    >>> result = fg.run(game, fg.MinimaxQ(), 9, 2, rng=1, backend="reference")
    >>> result.tables[0]["q"].shape
    (2, 1, 2, 2)
    """

    alpha: Any = parameter(VisitCount(0.6), "(0, 1]", "[0, 1]", visits=True)
    gamma: Any = parameter(None, "[0, 1]")
    epsilon: Any = parameter(0.2, "[0, 1]")
    initial: float = initial_values(most=0)

    name = "minimax_q"
    title = "Minimax-Q"
    formula = (
        r"Q(o,a,b) \leftarrow Q(o,a,b) + \alpha\,\bigl[\,r + \gamma V(o') - Q(o,a,b)\,\bigr], "
        r"\qquad V(o) = \max_{\pi} \min_{b} \sum_a \pi(a)\, Q(o,a,b)"
    )
    example: ClassVar[Example] = Example(
        "rock_paper_scissors()",
        "fg.MinimaxQ()",
        steps=60,
        replicas=30,
        says=(
            "The policy is a maximin strategy of the learned values; in rock-paper-scissors it "
            "converges to uniform play."
        ),
    )
    slow = True

    @cached
    def rules(self) -> Rules:
        """Rules of this learner."""
        visits = isinstance(self.alpha, VisitCount)
        tables = (
            Table("policy", initial="uniform"),
            Table("q", _EACH),
            Table("value", ("observations",)),
            Table("visits", _EACH, kind="int64"),
        )
        return Rules(
            parameters=("power" if visits else "alpha", "gamma", "epsilon"),
            tables=tables if visits else tables[:3],
            draw=mixed.draw,
            choose=mixed.choose,
            learn=learn_by_visits if visits else learn,
            policy=mixed.policy,
            words=2,
            joint=True,
            steps=True,
            distributions=("policy",),
            learn_in_turns=learn_in_turns_by_visits if visits else learn_in_turns,
        )

    def start(self, game: Game, agent: int) -> dict[str, np.ndarray]:
        """Return initial tables by name, each broadcastable to (replicas, *dimensions)."""
        actions, initial = game.num_actions[agent], np.asarray(self.initial)
        tables = {table.name: table.start(actions) for table in self.rules.tables}
        return tables | {"q": initial, "value": initial}

    def check(self, game: Game, agent: int) -> None:
        """Raise ValueError unless two agents see the state, and their rewards sum to 0."""
        if game.num_agents != 2:
            raise ValueError(
                f"game must have 2 agents for MinimaxQ, got {game.name!r} with {game.num_agents}"
            )
        seen = game.compact.observations
        if seen is not None and not _tells_states(seen[agent], game.compact.terminal):
            raise ValueError(
                f"observations of agent {agent} must identify the state for MinimaxQ, got "
                f"{len(np.unique(seen[agent]))} observations of {len(seen[agent])} states in "
                f"{game.name!r}; use another learner, such as QLearner"
            )
        rewards = game.compact.rewards  # (2, variants, states or 1, joint actions)
        sums = np.abs(rewards[0] + rewards[1])
        if game.compact.turns is not None:  # rewards that no one can get do not matter
            sums = sums * playable(game.compact.turns, game.num_actions)
        allowed = 1e-9 * np.abs(rewards).max(initial=0.0)
        if sums.max(initial=0.0) > allowed:
            raise ValueError(
                "rewards of game must sum to 0 in every state and joint action for MinimaxQ, got "
                f"sums of up to {sums.max():g} in {game.name!r}"
            )


def _tells_states(observations: np.ndarray, terminal: np.ndarray | None) -> bool:
    """Return whether observations (S,) identify all non-terminal states; terminal: (S,) bool."""
    seen = observations if terminal is None else observations[~terminal]
    return len(np.unique(seen)) == len(seen)


def approach(q: np.ndarray, value: np.ndarray, t: "Outcome", step: Any) -> None:
    """Move q[o, a, b] by `step` towards gain + weight value[o2]; a terminal state has value 0."""
    real = q.dtype.type
    o, a, b = t.observation, t.action, t.others
    best = real(0.0)
    if not t.ended:
        best = value[t.next_observation]
    q[o, a, b] = q[o, a, b] + real(step) * ((t.gain + t.weight * best) - q[o, a, b])


def update(tables: Any, t: "Outcome", step: Any) -> None:
    """Update q[o, a, b] by `approach`, then write the solution of q[o] to policy[o], value[o]."""
    o = t.observation
    approach(tables.q, tables.value, t, step)
    tables.value[o] = solve(tables.q[o], tables.policy[o])


def solve_turn(payoffs: np.ndarray, strategy: np.ndarray, moves: bool, other_moves: bool) -> Any:
    """Write a maximin strategy where at most one agent moves, and return its guaranteed payoff.

    The agent that does not move plays action 0. Equally good actions have the same probability.

    payoffs: (A, B) of the row agent; strategy: (A,), modified in place
    moves, other_moves: whether the row agent and the column agent move, not both
    """
    if moves:
        for a in range(len(strategy)):
            strategy[a] = payoffs[a, 0]
        best = largest(strategy)
        spread(strategy, best)
        return best
    for a in range(len(strategy)):
        strategy[a] = 0.0
    strategy[0] = 1.0
    if other_moves:
        return smallest(payoffs[0])
    return payoffs[0, 0]


def update_in_turns(tables: Any, t: "Outcome", step: Any) -> None:
    """Update the tables as `update` does; only actions that can be played count in q[o]."""
    o = t.observation
    payoffs, strategy = tables.q[o], tables.policy[o]
    approach(tables.q, tables.value, t, step)
    moves, other_moves = t.moves[t.agent], t.moves[1 - t.agent]
    if moves and other_moves:
        tables.value[o] = solve(payoffs, strategy)
    else:
        tables.value[o] = solve_turn(payoffs, strategy, moves, other_moves)


def learn(tables: Any, p: Any, t: "Outcome") -> None:
    """Update the tables with the step size alpha."""
    update(tables, t, p.alpha)


def learn_by_visits(tables: Any, p: Any, t: "Outcome") -> None:
    """Update the tables with the step size of this visit of (o, a, b), `stepsize.visit`."""
    update(tables, t, visit(tables.visits[t.observation], t.action, t.others, p.power))


def learn_in_turns(tables: Any, p: Any, t: "Outcome") -> None:
    """Update the tables in a game with turns, with the step size alpha."""
    update_in_turns(tables, t, p.alpha)


def learn_in_turns_by_visits(tables: Any, p: Any, t: "Outcome") -> None:
    """Update the tables in a game with turns, with the step size of this visit of (o, a, b)."""
    step = visit(tables.visits[t.observation], t.action, t.others, p.power)
    update_in_turns(tables, t, step)
