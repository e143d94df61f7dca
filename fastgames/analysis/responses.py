"""Whether frozen greedy policies are best responses to each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fastgames._common import checks
from fastgames.analysis.cycles import cycles_of
from fastgames.analysis.frozen import discount_of, freeze, in_blocks, threads_of
from fastgames.games import Game
from fastgames.result import Result


@dataclass(frozen=True, eq=False, repr=False)
class BestResponses:
    """How close every replica's policies are to best responses.

    Shares are 1 where there is nothing to count. What is said of the limit cycle is None in a game
    in which nature samples.

    Attributes
    ----------
    optimal : (replicas, N) float64
        Share of the states in which the agent moves where its greedy action is a best response.
    optimal_on_path : (replicas, N) float64 or None
        The same, of the states of the limit cycle.
    mutual : (replicas,) float64
        Share of the states, terminal ones apart, where every agent that moves best responds: 1 at a
        (subgame-perfect) equilibrium.
    mutual_on_path : (replicas,) float64 or None
        The same, of the states of the limit cycle.
    loss : (replicas, N) float64
        Mean over the states, terminal ones apart, of (best - own) / |best|: best is the value of
        the best response, own that of the agent's policy. 0 where they are equal, inf where only
        best is 0.
    loss_on_path : (replicas, N) float64 or None
        The same, over the states of the limit cycle.
    best, own : (replicas, N, S) float64 or None
        Those values, if asked for: discounted rewards from a state on, 0 in terminal states.
    """

    optimal: np.ndarray
    optimal_on_path: np.ndarray | None
    mutual: np.ndarray
    mutual_on_path: np.ndarray | None
    loss: np.ndarray
    loss_on_path: np.ndarray | None
    best: np.ndarray | None
    own: np.ndarray | None

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
    threads: int | None = None,
) -> BestResponses:
    """Whether every agent's greedy policy is a best response to those of the others.

    What the others play makes the game a decision problem over its states, whose best value V* is
    computed exactly: by policy iteration, from the agent's own policy on; each policy is evaluated
    in closed form where moves are certain, and by sweeps down to rounding where nature samples.

    Parameters
    ----------
    game, greedy, start, threads
        As for `limit_cycle`; start only matters for what is said of the cycle.
    deviations : "any" or "once"
        What a best response is. "any": the agent may change its policy altogether. A best action
        has the largest r + discount V*(next), the loss of its policy is V* - V, with V the value of
        the policies as they are. "once": the agent deviates now and goes back to its policy. A best
        action has the largest Q = r + discount V(next), the loss is max Q - V. The program that
        Calvano et al. published does the latter. Both find the same equilibria (one-shot deviation
        principle), but not the same shares of the states.
    discount : float, optional
        In [0, 1), the same for all; the game's unless given.
    tolerance : float
        Actions tie if their values differ by at most this part of the agent's largest absolute
        reward / (1 - discount). At least 0.
    values : bool
        Bring back `best` and `own`: 16 N S bytes for each replica.

    Returns
    -------
    BestResponses

    Raises
    ------
    TypeError, ValueError
        If an argument is outside its domain.

    Notes
    -----
    The end of an episode ends what is discounted: nothing follows a terminal state. A time limit
    does not, as it does not for learners. The best response sees the state: if the agent observes
    less, it is held to more than it could do.

    Calvano et al. (2020), section IV, on equilibrium play and the loss in Q-values. The share of
    sessions whose on-path outcome is a mutual best response, .505 in their baseline, is that of
    replicas with ``mutual_on_path == 1`` and deviations="once".

    Examples
    --------
    Grim trigger is an equilibrium of this prisoner's dilemma if discount >= (5 - 3) / (5 - 1):

    >>> import fastgames as fg
    >>> dilemma = fg.remember(fg.MatrixGame([[[3, 0], [5, 1]], [[3, 5], [0, 1]]]))
    >>> grim = [[[0, 1, 1, 1]], [[0, 1, 1, 1]]]
    >>> [float(best_responses(dilemma, grim, discount=d).mutual[0]) for d in (0.49, 0.5)]
    [0.75, 1.0]
    """
    frozen = freeze(game, greedy)
    once = checks.one_of("deviations", deviations, ("any", "once")) == "once"
    discount = discount_of(frozen, discount)
    slack = checks.finite_array("tolerance", tolerance)
    if slack.ndim:
        raise ValueError(f"tolerance must be one number, got shape {slack.shape}")
    checks.within("tolerance", slack, "[0, inf)")
    threads = threads_of(threads)
    if not isinstance(values, bool):
        raise TypeError(f"values must be True or False, got {values!r}")
    cycle = None
    if not frozen.chance:
        cycle = cycles_of(frozen, start, threads)
    replicas, agents = frozen.replicas, frozen.game.num_agents
    largest = frozen.largest / (1.0 - discount)
    shares = np.empty((replicas, 2, agents + 1))
    losses = np.empty((replicas, 2, agents))
    shape = (replicas, agents, frozen.compact.num_states)
    best, own = (np.empty(shape), np.empty(shape)) if values else (None, None)
    in_blocks(
        replicas,
        threads,
        lambda a, b: frozen.play.best_responses(
            a,
            b,
            discount,
            float(slack),
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
    on_path = cycle is not None
    return BestResponses(
        optimal=shares[:, 0, :-1],
        optimal_on_path=shares[:, 1, :-1] if on_path else None,
        mutual=shares[:, 0, -1],
        mutual_on_path=shares[:, 1, -1] if on_path else None,
        loss=losses[:, 0],
        loss_on_path=losses[:, 1] if on_path else None,
        best=best,
        own=own,
    )
