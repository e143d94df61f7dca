"""Tests of frozen greedy policies: shares of best responses, and losses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fastgames._common import checks
from fastgames.analysis.chains import Chain
from fastgames.analysis.cycles import LimitCycle, cycles_of
from fastgames.analysis.frozen import Frozen, discount_of, freeze, in_blocks, threads_of
from fastgames.analysis.tables import Columns, Tabulated, each_agent
from fastgames.games import Game
from fastgames.result import Result


@dataclass(frozen=True, eq=False, repr=False)
class BestResponses(Tabulated):
    """Shares of best responses in the policies of every replica, and losses.

    A share over no states is 1. Attributes of the limit cycle are None in a game with chance: play
    has a limit distribution there, `limit_distribution`, which depends on the start and may have
    all states.

    Attributes
    ----------
    optimal : (replicas, N) float64
        Share of the states in which the agent's greedy action is a best response, among those in
        which it moves; in [0, 1].
    optimal_on_path : (replicas, N) float64 or None
        The same share among the states of the limit cycle.
    mutual : (replicas,) float64
        Share of the non-terminal states in which every agent that moves best responds; 1 at a
        (subgame-perfect) equilibrium.
    mutual_on_path : (replicas,) float64 or None
        The same share among the states of the limit cycle.
    loss : (replicas, N) float64
        Mean over the non-terminal states of (best - own) / |best|, with best the value of the best
        response and own the value of the agent's policy. A state counts 0 if they are equal, and
        inf if only best is 0.
    loss_on_path : (replicas, N) float64 or None
        The same mean over the states of the limit cycle.
    best, own : (replicas, N, S) float64 or None
        These values, if ``values=True``: discounted rewards from a state on, 0 in terminal states.
        For deviations="once", best is max Q, the value of the best action in the state followed by
        the agent's policy; there is no policy that has this value in all states.
    policies : (replicas, N, S) int32 or None
        Action of the agent's best response in every state, if ``policies=True``: its greedy action
        if that is a best response, else the best action, the lowest index on ties; 0 in terminal
        states and where the agent does not move.
    """

    optimal: np.ndarray
    optimal_on_path: np.ndarray | None
    mutual: np.ndarray
    mutual_on_path: np.ndarray | None
    loss: np.ndarray
    loss_on_path: np.ndarray | None
    best: np.ndarray | None
    own: np.ndarray | None
    policies: np.ndarray | None

    def _count(self) -> int:
        return len(self.mutual)

    def _frames(self) -> dict[str, Columns]:
        columns: Columns = {"replica": np.arange(len(self.mutual))}
        for name, (axes, array) in self._arrays().items():
            if len(axes) < 3:
                columns |= {name: array} if len(axes) == 1 else each_agent(name, array)
        found = {"replicas": columns}
        arrays = {"own": self.own, "best": self.best, "policy": self.policies}
        states = {name: array.ravel() for name, array in arrays.items() if array is not None}
        if states:
            shape = next(a.shape for a in arrays.values() if a is not None)
            replica, agent, state = (axis.ravel() for axis in np.indices(shape))
            found["states"] = {"replica": replica, "agent": agent, "state": state, **states}
        return found

    def _arrays(self) -> dict[str, tuple[tuple[str, ...], np.ndarray]]:
        axes = ("replica", "agent", "state")
        found = {name: array for name, array in vars(self).items() if array is not None}
        return {name: (axes[: array.ndim], array) for name, array in found.items()}

    def __repr__(self) -> str:
        return (
            f"<BestResponses of {len(self.mutual)} replicas: mutual in "
            f"{self.mutual.mean():.3f} of all states on average>"
        )


def best_responses(
    game: Result | Game,
    greedy: Sequence[npt.ArrayLike] | None = None,
    *,
    deviations: str = "any",
    start: npt.ArrayLike | None = None,
    discount: float | None = None,
    tolerance: float = 1e-9,
    values: bool = False,
    policies: bool = False,
    threads: int | None = None,
) -> BestResponses:
    """Compare every agent's greedy policy with its best response to the policies of the others.

    Given the policies of the others, each agent faces a decision problem over the states. Its
    optimal value V* is computed exactly, by policy iteration from the agent's own policy. Policies
    are evaluated in closed form if transitions are deterministic, else by sweeps that stop at
    rounding error.

    Parameters
    ----------
    game, greedy, start, threads
        As for `limit_cycle`; start affects the attributes of the limit cycle only.
    deviations : "any" or "once"
        Definition of a best response, with V the value of the current policies. "any": the agent
        may change its whole policy; a best action maximises r + discount V*(next), and the loss is
        V* - V. "once": the agent deviates now and then returns to its policy; a best action
        maximises Q = r + discount V(next), and the loss is max Q - V. The published program of
        Calvano et al. uses "once". Both definitions have the same equilibria (one-shot deviation
        principle), but different shares of states.
    discount : float, optional
        Discount factor of all agents, in [0, 1); by default that of the game.
    tolerance : float
        Actions tie if their values differ by at most tolerance times the agent's largest absolute
        reward / (1 - discount). At least 0.
    values : bool
        If True, return `best` and `own`, which take 16 N S bytes for each replica.
    policies : bool
        If True, return `policies`, which takes 20 N S bytes for each replica meanwhile; requires
        deviations="any". In a game in which agent i observes the states, ``policies[:, i]`` may
        replace its greedy policy.

    Returns
    -------
    BestResponses

    Raises
    ------
    TypeError, ValueError
        If an argument is outside its domain.

    Notes
    -----
    Discounted rewards end at a terminal state. They continue past a time limit, as they do for
    learners. The best response depends on the state: it may be out of reach of an agent whose
    observations do not identify the state.

    Transitions may be random: values are then expected ones. They do not depend on `start`.

    Source: Calvano et al. (2020), section IV, on equilibrium play and the loss in Q-values. They
    report the share of sessions whose on-path outcome is a mutual best response (.505 in their
    baseline); it is the share of replicas with ``mutual_on_path == 1`` for deviations="once".

    Examples
    --------
    Grim trigger is an equilibrium of this prisoner's dilemma if discount >= (5 - 3) / (5 - 1):

    >>> import fastgames as fg
    >>> dilemma = fg.remember(fg.MatrixGame([[[3, 0], [5, 1]], [[3, 5], [0, 1]]]))
    >>> grim = [[[0, 1, 1, 1]], [[0, 1, 1, 1]]]
    >>> [float(best_responses(dilemma, grim, discount=d).mutual[0]) for d in (0.49, 0.5)]
    [0.75, 1.0]

    The best response to it is to defect for good if the discount is lower:

    >>> best_responses(dilemma, grim, discount=0.49, policies=True).policies[0, 0]
    array([1, 1, 1, 1], dtype=int32)
    """
    frozen = freeze(game, greedy)
    criterion = criterion_of(frozen, deviations, discount, tolerance)
    threads = threads_of(threads)
    for name, flag in (("values", values), ("policies", policies)):
        if not isinstance(flag, bool):
            raise TypeError(f"{name} must be True or False, got {flag!r}")
    if policies and criterion.once:
        raise ValueError(
            'policies must be False if deviations="once", got True; the best actions of single '
            "periods are no policy of their own"
        )
    cycle = None if frozen.chance else cycles_of(frozen, start, threads)
    return responses_of(frozen, cycle, criterion, threads, values, policies)


class Criterion(NamedTuple):
    """Checked arguments of `best_responses` that define a best response.

    once: True for deviations="once"
    """

    once: bool
    discount: float
    tolerance: float


def criterion_of(
    frozen: Frozen, deviations: Any = "any", discount: Any = None, tolerance: Any = 1e-9
) -> Criterion:
    """Check the arguments of `best_responses` that define a best response, and return them."""
    once = checks.one_of("deviations", deviations, ("any", "once")) == "once"
    discount = discount_of(frozen, discount)
    slack = checks.finite_array("tolerance", tolerance)
    if slack.ndim:
        raise ValueError(f"tolerance must be one number, got shape {slack.shape}")
    checks.within("tolerance", slack, "[0, inf)")
    return Criterion(once, discount, float(slack))


def responses_of(
    frozen: Frozen,
    cycle: LimitCycle | None,
    criterion: Criterion,
    threads: int,
    values: bool = False,
    policies: bool = False,
) -> BestResponses:
    """Return the shares and losses; the arguments are valid.

    cycle: the limit cycles, None in a game with chance
    """
    once, discount, slack = criterion
    replicas, agents = frozen.replicas, frozen.game.num_agents
    largest = frozen.largest / (1.0 - discount)
    shares = np.empty((replicas, 2, agents + 1))
    losses = np.empty((replicas, 2, agents))
    shape = (replicas, agents, frozen.compact.num_states)
    best, own = (np.empty(shape), np.empty(shape)) if values or policies else (None, None)
    in_blocks(
        replicas,
        threads,
        lambda a, b: frozen.play.best_responses(
            a,
            b,
            discount,
            slack,
            once,
            largest,
            None if cycle is None else cycle.offsets,
            None if cycle is None else cycle.states,
            shares,
            losses,
            best,
            own,
        ),
    )
    replies = None
    if policies:
        assert best is not None
        replies = np.zeros(shape, np.int32)
        in_blocks(
            replicas,
            threads,
            lambda a, b: _reply(Chain(frozen, a, b), best[a:b], discount, slack, replies[a:b]),
        )
    on_path = cycle is not None
    return BestResponses(
        optimal=shares[:, 0, :-1],
        optimal_on_path=shares[:, 1, :-1] if on_path else None,
        mutual=shares[:, 0, -1],
        mutual_on_path=shares[:, 1, -1] if on_path else None,
        loss=losses[:, 0],
        loss_on_path=losses[:, 1] if on_path else None,
        best=best if values else None,
        own=own if values else None,
        policies=replies,
    )


def _reply(
    chain: Chain, best: np.ndarray, discount: float, tolerance: float, replies: np.ndarray
) -> None:
    """Write the best response of every agent of a chain of replicas.

    best: (replicas, N, S) values of the best responses
    replies: OUT (replicas, N, S) int32, zeros before
    """
    frozen = chain.frozen
    compact, states = frozen.compact, chain.states
    replica, state = (axis.ravel() for axis in np.indices((chain.replicas, states)))
    live = np.ones(states, bool) if compact.terminal is None else ~compact.terminal
    variant = 0 if chain.variant is None else chain.variant[:, None]
    for i, (count, stride) in enumerate(zip(frozen.game.num_actions, chain.strides, strict=True)):
        own = chain.actions[i]
        others = (chain.joint - own * stride).ravel()
        q = np.empty((count, chain.replicas, states))
        for action in range(count):
            joint = others + action * stride
            origin, after, chance = chain.successors(state, joint)
            future = np.bincount(origin, chance * best[replica[origin], i, after], len(state))
            paid = chain.rewards(replica, state, joint)[:, i]
            q[action] = (paid + discount * future).reshape(chain.replicas, states)
        slack = tolerance * frozen.largest[i, variant] / (1.0 - discount)
        played = np.take_along_axis(q, own[None], axis=0)[0]
        moving = live if compact.turns is None else live & compact.turns[i]
        found = np.where(played >= q.max(axis=0) - slack, own, q.argmax(axis=0))
        replies[:, i] = np.where(moving, found, 0)
