"""Mean paths of frozen greedy policies from given states, with and without a deviation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastgames.analysis.chains import Chain, Nodes
from fastgames.analysis.cycles import LimitCycle
from fastgames.analysis.frozen import Frozen


@dataclass(frozen=True, eq=False)
class Deviation:
    """A deviation, and the paths that are wanted of it.

    agent: the agent that deviates
    forced: (replicas,) int32 its action, or None for the static best response
    discount: discount factor
    grids: (1, A_i) or (replicas, A_i) float64 prices of each agent's actions
    shocks: (replicas, after) float64 in [0, 1), or None for expected paths
    after: number of periods after the deviation
    """

    agent: int
    forced: np.ndarray | None
    discount: float
    grids: list[np.ndarray]
    shocks: np.ndarray | None
    after: int


class Paths:
    """Paths of replicas first to last - 1 around a deviation.

    Without chance, the deviation begins in the states of the limit cycle; else in all states, with
    the weights of the limit distribution.

    nodes: where a deviation may begin; measures: the mass, and its product with the price that each
        agent holds
    """

    chain: Chain
    wanted: Deviation
    forced: np.ndarray | None
    shocks: np.ndarray | None
    grids: list[np.ndarray]
    moving: np.ndarray
    nodes: Nodes

    def __init__(
        self,
        frozen: Frozen,
        first: int,
        last: int,
        wanted: Deviation,
        cycle: LimitCycle | None,
        start: np.ndarray | None,
    ) -> None:
        self.chain = Chain(frozen, first, last)
        self.wanted = wanted
        self.forced = None if wanted.forced is None else wanted.forced[first:last]
        self.shocks = None if wanted.shocks is None else wanted.shocks[first:last]
        self.grids = [grid[first:last] if len(grid) > 1 else grid for grid in wanted.grids]
        turns = frozen.compact.turns
        agents, states = frozen.game.num_agents, frozen.compact.num_states
        self.moving = np.ones((agents, states), bool) if turns is None else turns
        if cycle is None:
            nodes = self.chain.limits(None if start is None else start[first:last])
        else:
            nodes = _cycle_nodes(self.chain, cycle, first, last)
        self.nodes = self._holding(nodes)

    def usual(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the mean prices and rewards without a deviation, (replicas, N) each."""
        prices, rewards, _ = self._period(self.nodes, self.chain.played(self.nodes))
        return prices, rewards

    def deviators(self) -> Nodes:
        """Return the nodes in which the agent moves; the masses of a replica sum to 1."""
        nodes = self.nodes[self.moving[self.wanted.agent, self.nodes.state]]
        total = self.chain.totals(nodes, nodes.mass)[nodes.replica, :1]
        return Nodes(nodes.replica, nodes.age, nodes.state, nodes.mass / total)

    def deviate(self, nodes: Nodes) -> np.ndarray:
        """Return the joint actions (n,) of the deviation at the nodes."""
        agent, chain = self.wanted.agent, self.chain
        own = chain.actions[agent, nodes.replica, nodes.state]
        others = chain.played(nodes) - own * chain.strides[agent]
        if self.forced is None:
            best = np.zeros(len(own), np.int64)
            most = np.full(len(own), -np.inf)
            for action in range(chain.frozen.game.num_actions[agent]):
                joint = others + action * chain.strides[agent]
                paid = chain.rewards(nodes.replica, nodes.state, joint)[:, agent]
                best = np.where(paid > most, action, best)
                most = np.maximum(paid, most)
        else:
            best = self.forced[nodes.replica].astype(np.int64)
        forced: np.ndarray = others + best * chain.strides[agent]
        return forced

    def follow(self, nodes: Nodes, joint: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return mean prices and rewards (replicas, after + 1, N) if joint (n,) is played first.

        A replica without nodes has nan.
        """
        shape = (self.chain.replicas, self.wanted.after + 1, len(self.grids))
        prices, rewards = np.empty(shape), np.empty(shape)
        empty = np.bincount(nodes.replica, minlength=self.chain.replicas) == 0
        for t in range(shape[1]):
            if t > 0:
                shock = None if self.shocks is None else self.shocks[nodes.replica, t - 1]
                nodes = self.chain.step(nodes, joint, shock)
                joint = self.chain.played(nodes)
            prices[:, t], rewards[:, t], nodes = self._period(nodes, joint)
        prices[empty] = rewards[empty] = np.nan
        return prices, rewards

    def gains(self, nodes: Nodes, joint: np.ndarray, value: np.ndarray) -> np.ndarray:
        """Return the means of (Q - V) / |V|, Q - V and deviations, (replicas, 3).

        value: (replicas, S) values V of the deviator's policy
        """
        chain, agent = self.chain, self.wanted.agent
        origin, after, chance = chain.successors(nodes.state, joint)
        future = np.bincount(origin, chance * value[nodes.replica[origin], after], len(nodes.state))
        paid = chain.rewards(nodes.replica, nodes.state, joint)[:, agent]
        own = value[nodes.replica, nodes.state]
        change = paid + self.wanted.discount * future - own
        with np.errstate(divide="ignore", invalid="ignore"):  # V = 0: the gain has no bound
            relative = np.where(change == 0.0, 0.0, change / np.abs(own))
            columns = np.stack([relative, change, joint != chain.played(nodes)], axis=1)
            means = chain.totals(nodes, nodes.mass[:, :1] * columns)
        means[np.bincount(nodes.replica, minlength=chain.replicas) == 0] = np.nan
        return means

    def _period(self, nodes: Nodes, joint: np.ndarray) -> tuple[np.ndarray, np.ndarray, Nodes]:
        """Return mean prices and rewards of a period, and the nodes with the prices then held."""
        mass = nodes.mass.copy()
        for i, stride in enumerate(self.chain.strides):
            action = joint // stride % self.chain.frozen.game.num_actions[i]
            moved = mass[:, 0] * self._price(i, nodes.replica, action)
            mass[:, i + 1] = np.where(self.moving[i, nodes.state], moved, mass[:, i + 1])
        nodes = Nodes(nodes.replica, nodes.age, nodes.state, mass)
        paid = self.chain.rewards(nodes.replica, nodes.state, joint)
        return (
            self.chain.totals(nodes, mass[:, 1:]),
            self.chain.totals(nodes, mass[:, :1] * paid),
            nodes,
        )

    def _price(self, agent: int, replica: np.ndarray, action: np.ndarray) -> np.ndarray:
        """Return the prices of an agent's actions, (n,)."""
        grid = self.grids[agent]
        price: np.ndarray = grid[replica if len(grid) > 1 else 0, action]
        return price

    def _holding(self, nodes: Nodes) -> Nodes:
        """Return nodes (one measure) with the mean prices that agents hold, times the mass."""
        replica, mass = nodes.replica, nodes.mass[:, 0]
        held = np.stack(
            [
                mass * self._price(i, replica, self.chain.actions[i, replica, nodes.state])
                for i in range(len(self.grids))
            ],
            axis=1,
        )
        if not self.moving.all():
            for r in range(self.chain.replicas):
                rows = np.flatnonzero(replica == r)
                self._hold(nodes[rows], rows, held)
        return Nodes(replica, nodes.age, nodes.state, np.column_stack([mass, held]))

    def _hold(self, nodes: Nodes, rows: np.ndarray, held: np.ndarray) -> None:
        """Compute the held prices of agents that do not move at the nodes of one replica.

        The price held at a node is that of the node before, unless the agent moves: a linear system
        in the prices at all nodes. An agent that never moves has the price of action 0.
        """
        chain = self.chain
        origin, age, state, chance = chain.arrivals(nodes, chain.played(nodes))
        codes = chain.code(nodes.replica, nodes.age, nodes.state)
        into = chain.code(nodes.replica[origin], age, state)
        place = np.minimum(np.searchsorted(codes, into), len(codes) - 1)
        known = codes[place] == into  # all but those with a share below the smallest number
        matrix = np.zeros((len(codes), len(codes)))
        np.add.at(matrix, (origin[known], place[known]), chance[known])
        for i, moving in enumerate(self.moving[:, nodes.state]):
            reached = moving
            while (more := reached | (matrix[reached] > 0.0).any(axis=0)).sum() > reached.sum():
                reached = more
            still = reached & ~moving
            system = np.eye(int(still.sum())) - matrix[np.ix_(still, still)].T
            paid = held[rows[moving], i] @ matrix[np.ix_(moving, still)]
            held[rows[still], i] = np.linalg.solve(system, paid)


def _cycle_nodes(chain: Chain, cycle: LimitCycle, first: int, last: int) -> Nodes:
    """Return the nodes of the limit cycles, of equal mass."""
    length = cycle.length[first:last]
    replica = np.repeat(np.arange(last - first), length)
    begin = cycle.offsets[first:last]
    row = np.arange(begin[0], cycle.offsets[last])
    age = row - begin[replica] if chain.limit else 0 * row
    mass = 1.0 / length[replica]
    return chain.merged(replica, age, cycle.states[row].astype(np.int64), mass[:, None])
