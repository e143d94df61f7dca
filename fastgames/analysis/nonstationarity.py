"""Changes of the decision problem of an agent while the others learn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastgames._common import checks
from fastgames.analysis.chains import Chain
from fastgames.analysis.frozen import Frozen, discount_of, freeze
from fastgames.analysis.tables import Columns, Tabulated
from fastgames.games import ProceduralGame, tabulate
from fastgames.games.compact import Chances
from fastgames.result import Result

BATCH = 2**22  # entries of the arrays of a block of replicas
EACH = 200  # bytes for a state and joint action, and for one of its next states
SLACK = 1e-13  # times 1 / (1 - discount), relative to the largest value: a tie of actions


@dataclass(frozen=True, eq=False, repr=False)
class Nonstationarity(Tabulated):
    """Changes of the decision problem of an agent between snapshots.

    Entry k is the change between snapshots k and k + 1. Entries are NaN where a snapshot was not
    reached.

    Attributes
    ----------
    steps : (K + 1,) int64
        The game steps of the snapshots.
    variation : (replicas, K) float64
        Total variation distance between the distributions of the agent's reward and of the next
        state, the largest over its actions in all states; in [0, 1].
    reward_change : (replicas, K) float64
        Change of the expected reward, the largest absolute one over its actions in all states.
    loss : (replicas, K) float64
        Loss in the later problem by the best response to the earlier one: the mean over the
        non-terminal states of the difference between the optimal value and that of the old best
        response, discounted rewards from the state on; at least 0.
    """

    steps: np.ndarray
    variation: np.ndarray
    reward_change: np.ndarray
    loss: np.ndarray

    def _count(self) -> int:
        return len(self.loss)

    def _coordinates(self) -> dict[str, np.ndarray]:
        return {"step": self.steps[1:]}

    def _frames(self) -> dict[str, Columns]:
        changes = {"variation": self.variation, "reward_change": self.reward_change}
        changes["loss"] = self.loss
        replica, place = (axis.ravel() for axis in np.indices(self.loss.shape))
        return {
            "replicas": {
                "replica": np.arange(len(self.loss)),
                **{f"mean_{name}": array.mean(axis=1) for name, array in changes.items()},
            },
            "steps": {
                "replica": replica,
                "step": self.steps[1:][place],
                **{name: array.ravel() for name, array in changes.items()},
            },
        }

    def _arrays(self) -> dict[str, tuple[tuple[str, ...], np.ndarray]]:
        arrays = {name: array for name, array in vars(self).items() if name != "steps"}
        return {name: (("replica", "step"), array) for name, array in arrays.items()}

    def __repr__(self) -> str:
        return (
            f"<Nonstationarity of {len(self.loss)} replicas between {len(self.steps)} snapshots: "
            f"variation {np.nanmean(self.variation):.3g}, loss {np.nanmean(self.loss):.3g} on "
            "average>"
        )


def nonstationarity(
    result: Result, agent: int, *, discount: float | None = None
) -> Nonstationarity:
    """Measure how far the decision problem of an agent moves between the snapshots of a run.

    The policies of the others, averaged over, make the game a decision problem of one agent: a
    reward and a next state, with their probabilities, for each state and action. It stays the same
    if the others' policies do, and moves if they learn.

    Parameters
    ----------
    result : Result
        A run with policies at two times or more, ``Record(every=..., policies=True)``. A game of
        functions is tabulated (`fastgames.tabulate`).
    agent : int
        The agent, in [0, N).
    discount : float, optional
        Discount factor, in [0, 1); by default that of the game.

    Returns
    -------
    Nonstationarity
        Three changes between successive snapshots, each 0 if the problem is the same.

    Raises
    ------
    TypeError, ValueError
        If an argument is outside its domain, the result has no such snapshots, or the game cannot
        be tabulated.

    Notes
    -----
    With p_k(r, s' | s, a) the problem at snapshot k, the variation is max_{s, a} (1/2) sum_{r, s'}
    |p_{k+1}(r, s' | s, a) - p_k(r, s' | s, a)|, and the change of the reward is max_{s, a}
    |E_{k+1} r - E_k r|. The sums of such maxima over time are the variation budgets of problems
    that change (Cheung, Simchi-Levi & Zhu, Reinforcement Learning for Non-Stationary Markov
    Decision Processes, ICML 2020). In the loss, a best response may depend on the state, also if
    the agent does not observe it; its lowest action is taken among equal ones.

    The problem includes the exploration of the others. All states count, also those that play does
    not reach.

    Examples
    --------
    The problem moves against a learner, and stays against a fixed policy:

    >>> import fastgames as fg
    >>> from fastgames.analysis import nonstationarity
    >>> pennies, record = fg.games.matching_pennies(), fg.Record(every=100, policies=True)
    >>> against = [fg.QLearner(), fg.FixedPolicy([[0.25, 0.75]])]
    >>> runs = [fg.run(pennies, [fg.QLearner(), other], 1000, rng=7, record=record)
    ...         for other in against]
    >>> [round(float(nonstationarity(run, agent=0).variation.max()), 6) for run in runs]
    [0.9, 0.0]
    """
    if not isinstance(result, Result):
        raise TypeError(f"result must be a Result, got {result!r}")
    snapshots = result.snapshots
    if snapshots is None or snapshots.policies is None or len(snapshots.steps) < 2:
        raise ValueError(
            "result must have policies at two times or more, as with Record(every=..., "
            f"policies=True), got {result!r}"
        )
    agent = checks.whole("agent", agent, f"[0, {result.game.num_agents})")
    game = tabulate(result.game) if isinstance(result.game, ProceduralGame) else result.game
    frozen = freeze(game, [result.greedy(i) for i in range(game.num_agents)])
    value = discount_of(frozen, discount)
    shape = (result.replicas, len(snapshots.steps) - 1)
    found = Nonstationarity(snapshots.steps, *(np.empty(shape) for _ in range(3)))
    for first, replicas in _groups(frozen):
        problem = _Problem(frozen, first, agent, value)
        size = max(1, BATCH // problem.size)
        for a in range(0, len(replicas), size):
            _compare(problem, snapshots.policies, replicas[a : a + size], found)
    return found


def _groups(frozen: Frozen) -> list[tuple[int, np.ndarray]]:
    """Return the first replica that plays each variant, and all replicas that play it."""
    if frozen.variant is None:
        return [(0, np.arange(frozen.replicas))]
    alike = [np.flatnonzero(frozen.variant == v) for v in np.unique(frozen.variant)]
    return [(int(replicas[0]), replicas) for replicas in alike]


def _compare(
    problem: _Problem, policies: list[np.ndarray], replicas: np.ndarray, found: Nonstationarity
) -> None:
    """Write the changes of some replicas, which play the same variant."""
    before: tuple[np.ndarray, np.ndarray] | None = None  # probabilities of outcomes, best response
    for k in range(len(found.steps)):
        now = [policy[k, replicas] for policy in policies]
        unknown = np.zeros(len(replicas), bool)
        for j, policy in enumerate(now):
            if j != problem.agent:
                unknown |= np.isnan(policy).any(axis=(1, 2))
        chances = problem.chances([np.nan_to_num(policy) for policy in now])
        best, values = problem.best_response(chances)
        if before is not None:
            moved = chances - before[0]
            old = problem.values(chances, before[1])
            found.variation[replicas, k - 1] = 0.5 * problem.sums(np.abs(moved)).max(axis=1)
            change = np.abs(problem.sums(moved * problem.paid))
            found.reward_change[replicas, k - 1] = change.max(axis=1)
            found.loss[replicas, k - 1] = np.maximum(values - old, 0.0).mean(axis=1)
            for array in (found.variation, found.reward_change, found.loss):
                array[replicas[unknown], k - 1] = np.nan
        before = chances, best


class _Problem:
    """The decision problem of an agent in one variant of a game, without its probabilities.

    A row is one of the L non-terminal states and an action of the agent; an outcome is a row, the
    agent's reward and the next state.

    rows: (R,) int64, first outcome of each row; state, action: (R,) int64, of the row
    paid: (M,) float64, rewards of the outcomes; after: (M,) int64, next states, L: a terminal one
    size: entries of the arrays for one replica
    """

    def __init__(self, frozen: Frozen, replica: int, agent: int, discount: float) -> None:
        compact, counts = frozen.compact, frozen.game.num_actions
        chain = Chain(frozen, replica, replica + 1)
        states, joints = compact.num_states, int(np.prod(counts, dtype=np.int64))
        terminal = np.zeros(states, bool) if compact.terminal is None else compact.terminal
        live = np.flatnonzero(~terminal)
        number = np.where(terminal, len(live), np.cumsum(~terminal) - 1)
        cells = entries = len(live) * joints
        if isinstance(frozen.moves, Chances):
            entries = len(frozen.moves.successor)
        need = EACH * (cells + entries) + 40 * len(live) ** 2
        checks.check_fits("game", "states and joint actions", cells, need, need // cells)

        self.agent, self.discount, self.counts = agent, discount, counts
        self.states = len(live)
        self.seen = [
            live if compact.observations is None else compact.observations[i][live]
            for i in range(len(counts))
        ]
        self.moving = [
            np.ones(len(live), bool) if compact.turns is None else compact.turns[i][live]
            for i in range(len(counts))
        ]
        state, joint = (axis.ravel() for axis in np.indices((len(live), joints)))
        action = joint // chain.strides[agent] % counts[agent]
        open_ = self.moving[agent][state] | (action == 0)
        self.cells = np.flatnonzero(open_)
        state, joint, action = state[open_], joint[open_], action[open_]
        origin, after, chance = chain.successors(live[state], joint)
        paid = chain.rewards(np.zeros(len(state), np.int64), live[state], joint)[:, agent]
        row = state * counts[agent] + action
        keys = np.stack([row[origin], number[after], paid[origin]], axis=1)
        outcomes, place = np.unique(keys, axis=0, return_inverse=True)
        place = place.ravel()
        self._order = np.argsort(place, kind="stable")
        self._first = np.searchsorted(place[self._order], np.arange(len(outcomes)))
        self._origin, self._chance = origin[self._order], chance[self._order]
        found, self.rows = np.unique(outcomes[:, 0].astype(np.int64), return_index=True)
        self.state, self.action = np.divmod(found, counts[agent])
        self.row = np.repeat(np.arange(len(found)), np.diff([*self.rows, len(outcomes)]))
        self.after, self.paid = outcomes[:, 1].astype(np.int64), outcomes[:, 2].copy()
        self.size = len(origin) + len(live) * joints + len(live) ** 2

    def chances(self, policies: list[np.ndarray]) -> np.ndarray:
        """Return the probability of each outcome in its row, (n, M).

        policies: of all agents, (n, O_i, A_i); the agent's own is not read
        """
        n = len(policies[0])
        weight = np.ones((n, self.states, 1))
        for i, policy in enumerate(policies):
            chance = policy[:, self.seen[i]]
            if i == self.agent:
                chance = np.ones_like(chance)
            elif not self.moving[i].all():
                chance[:, ~self.moving[i]] = np.arange(self.counts[i]) == 0
            weight = (weight[..., None] * chance[:, :, None, :]).reshape(n, self.states, -1)
        cells = weight.reshape(n, -1)[:, self.cells]
        return np.add.reduceat(cells[:, self._origin] * self._chance, self._first, axis=1)

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Return the sums over the outcomes of each row, (n, R); values: (n, M)."""
        return np.add.reduceat(values, self.rows, axis=1)

    def best_response(self, chances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the best row in each state, (n, L) int64, and the optimal values, (n, L) float64.

        The policy is improved until no action is better (Howard 1960).
        """
        first = np.searchsorted(self.state, np.arange(self.states))
        best = np.broadcast_to(first, (len(chances), self.states)).copy()
        while True:
            values = self.values(chances, best)
            worth = np.append(values, np.zeros((len(values), 1)), axis=1)[:, self.after]
            q = self.sums(chances * (self.paid + self.discount * worth))
            top = np.maximum.reduceat(q, first, axis=1)
            largest = np.abs(q).max(axis=1, keepdims=True)
            slack = SLACK / (1.0 - self.discount) * (1.0 + largest)
            better = top > np.take_along_axis(q, best, axis=1) + slack
            at_top = q >= (top - slack)[:, self.state]
            lowest = np.where(at_top, np.arange(len(self.state)), len(self.state))
            lowest = np.minimum.reduceat(lowest, first, axis=1)
            if not better.any():
                return lowest, values
            best = np.where(better, lowest, best)

    def values(self, chances: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Return the values, (n, L), of a policy that takes these rows in the states, (n, L)."""
        n = len(rows)
        taken = np.zeros((n, len(self.state)), bool)
        np.put_along_axis(taken, rows, True, axis=1)
        mass = chances * taken[:, self.row]
        reward = np.take_along_axis(self.sums(mass * self.paid), rows, axis=1)
        if not self.discount:
            return reward
        code = self.state[self.row] * (self.states + 1) + self.after
        size = self.states * (self.states + 1)
        codes = (np.arange(n)[:, None] * size + code).ravel()
        moves = np.bincount(codes, mass.ravel(), n * size)
        moves = moves.reshape(n, self.states, self.states + 1)[:, :, :-1]
        system = np.eye(self.states) - self.discount * moves
        values: np.ndarray = np.linalg.solve(system, reward[..., None])[..., 0]
        return values
