"""Markov chains of frozen greedy policies in games with chance, and their limits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastgames._common import checks
from fastgames.analysis.frozen import Frozen
from fastgames.games.compact import Chances, Sum

BATCH = 2**22  # entries of the matrices that are eliminated at once


@dataclass(frozen=True, eq=False)
class Nodes:
    """Measures over the nodes of the chains of several replicas, ordered by replica, age, state.

    A node is a state and, with a time limit, the age of the episode, which is 0 otherwise.

    replica: (n,) int64, counted from the first replica of the chain
    age, state: (n,) int64
    mass: (n, measures) float64, what each measure gives the node
    """

    replica: np.ndarray
    age: np.ndarray
    state: np.ndarray
    mass: np.ndarray

    def __getitem__(self, rows: np.ndarray) -> Nodes:
        """Return the nodes of a mask or of indices."""
        return Nodes(self.replica[rows], self.age[rows], self.state[rows], self.mass[rows])


class Chain:
    """The chains of replicas first to last - 1.

    actions: (N, replicas, S) int64, action of every agent in every state; 0 if it does not move
    joint: (replicas, S) int64, index of the joint action
    strides: N int, stride of each agent's action in this index
    """

    frozen: Frozen
    replicas: int
    states: int
    limit: int
    variant: np.ndarray | None
    actions: np.ndarray
    strides: list[int]
    joint: np.ndarray

    def __init__(self, frozen: Frozen, first: int, last: int) -> None:
        compact, counts = frozen.compact, frozen.game.num_actions
        self.frozen, self.replicas, self.states = frozen, last - first, compact.num_states
        self.limit = compact.time_limit
        self.variant = None if frozen.variant is None else frozen.variant[first:last]
        self.actions = np.zeros((len(counts), last - first, self.states), np.int64)
        for i, greedy in enumerate(frozen.greedy):
            seen = slice(None) if compact.observations is None else compact.observations[i]
            self.actions[i] = greedy[first:last, seen]
            if compact.turns is not None:
                self.actions[i] *= compact.turns[i]
        self.strides = [int(np.prod(counts[i + 1 :], dtype=np.int64)) for i in range(len(counts))]
        self.joint = np.tensordot(self.strides, self.actions, 1)

    def rewards(self, replica: np.ndarray, state: np.ndarray, joint: np.ndarray) -> np.ndarray:
        """Return the rewards of all agents, (n, N)."""
        table = self.frozen.compact.rewards
        variant = 0 if self.variant is None else self.variant[replica]
        row = state if table.shape[2] > 1 else 0
        paid: np.ndarray = np.moveaxis(table, 0, -1)[variant, row, joint]
        return paid

    def successors(
        self, state: np.ndarray, joint: np.ndarray, shock: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the next states of n states: for each entry its origin, state and probability.

        shock: (n,) numbers in [0, 1), whose quantiles are the next states; None: all next states
        """
        moves, each = self.frozen.moves, np.arange(len(state))
        cell = state * self.frozen.compact.rewards.shape[-1] + joint
        if isinstance(moves, Sum):
            return each, moves.from_state[state] + moves.from_joint[joint], np.ones(len(state))
        if not isinstance(moves, Chances):
            return each, moves.next[cell], np.ones(len(state))
        first, count = moves.first[cell], moves.first[cell + 1] - moves.first[cell]
        origin = np.repeat(each, count)
        entry = np.arange(len(origin)) + np.repeat(first - (np.cumsum(count) - count), count)
        if shock is None:
            assert self.frozen.probability is not None
            return origin, moves.successor[entry], self.frozen.probability[entry]
        sums = moves.cumulative  # compared as a run compares them
        below = sums[entry] <= (shock * sums[first + count - 1])[origin]
        rank = np.minimum(np.bincount(origin, below, len(state)).astype(np.int64), count - 1)
        return each, moves.successor[first + rank], np.ones(len(state))

    def restarted(
        self, origin: np.ndarray, state: np.ndarray, chance: np.ndarray, ended: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return entries in which the first states of an episode replace the ended ones.

        Returns origins, states, probabilities, and a mask of the entries that begin an episode.
        """
        first, weight = self.frozen.first_states
        lost = np.flatnonzero(ended)
        kept = ~ended
        anew = np.repeat(lost, len(first))
        return (
            np.concatenate([origin[kept], origin[anew]]),
            np.concatenate([state[kept], np.tile(first, len(lost))]),
            np.concatenate([chance[kept], chance[anew] * np.tile(weight, len(lost))]),
            np.repeat([False, True], [kept.sum(), len(anew)]),
        )

    def arrivals(
        self, nodes: Nodes, joint: np.ndarray, shock: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return where joint actions (n,) at the nodes lead: origins, ages, states, probabilities.

        When an episode ends, the next one begins. shock: as for `successors`
        """
        origin, state, chance = self.successors(nodes.state, joint, shock)
        age = nodes.age[origin] + 1 if self.limit else nodes.age[origin]
        terminal = self.frozen.compact.terminal
        ended = np.zeros(len(state), bool) if terminal is None else terminal[state]
        if self.limit:
            ended = ended | (age == self.limit)
        if not ended.any():
            return origin, age, state, chance
        origin, state, chance, begun = self.restarted(origin, state, chance, ended)
        age = np.where(begun, 0, nodes.age[origin] + bool(self.limit))
        return origin, age, state, chance

    def step(self, nodes: Nodes, joint: np.ndarray, shock: np.ndarray | None = None) -> Nodes:
        """Return the measures in the next period; joint and shock as for `arrivals`."""
        origin, age, state, chance = self.arrivals(nodes, joint, shock)
        return self.merged(nodes.replica[origin], age, state, nodes.mass[origin] * chance[:, None])

    def merged(
        self, replica: np.ndarray, age: np.ndarray, state: np.ndarray, mass: np.ndarray
    ) -> Nodes:
        """Return nodes in order, with the summed masses of equal ones."""
        code, place = np.unique(self.code(replica, age, state), return_inverse=True)
        total = [np.bincount(place, column, len(code)) for column in mass.T]
        row, state = np.divmod(code, self.states)
        replica, age = np.divmod(row, max(self.limit, 1))
        return Nodes(replica, age, state, np.stack(total, axis=1))

    def code(self, replica: np.ndarray, age: np.ndarray, state: np.ndarray) -> np.ndarray:
        """Return one number for each node, (n,) int64, in the order of the nodes."""
        code: np.ndarray = (replica * max(self.limit, 1) + age) * self.states + state
        return code

    def played(self, nodes: Nodes) -> np.ndarray:
        """Return the joint actions of the policies at the nodes, (n,) int64."""
        joint: np.ndarray = self.joint[nodes.replica, nodes.state]
        return joint

    def totals(self, nodes: Nodes, values: np.ndarray) -> np.ndarray:
        """Return the sums over the nodes of each replica of values (n, k), (replicas, k)."""
        sums = [np.bincount(nodes.replica, column, self.replicas) for column in values.T]
        return np.stack(sums, axis=1).astype(np.float64)  # sums over no node are int

    def begin(self, start: np.ndarray | None) -> Nodes:
        """Return the nodes in which play begins: states (replicas,), or None for an episode."""
        each = np.arange(self.replicas)
        if start is not None:
            return Nodes(each, 0 * each, start.astype(np.int64), np.ones((self.replicas, 1)))
        state, weight = self.frozen.first_states
        replica = np.repeat(each, len(state))
        mass = np.tile(weight, self.replicas)[:, None]
        return Nodes(replica, 0 * replica, np.tile(state, self.replicas), mass)

    def limits(self, start: np.ndarray | None) -> Nodes:
        """Return the long-run share of periods in each node, if play begins in `start`."""
        return self._episodes() if self.limit else self._closed(self.begin(start))

    def _episodes(self) -> Nodes:
        """Return the shares of the periods of an episode, all of which are alike."""
        now = self.begin(None)
        seen = []
        while len(now.state):
            seen.append(now)
            now = self.step(now, self.played(now))
            now = now[now.age > 0]
        parts = zip(*((n.replica, n.age, n.state, n.mass) for n in seen), strict=True)
        nodes = self.merged(*(np.concatenate(part) for part in parts))
        length = np.bincount(nodes.replica, nodes.mass[:, 0])
        return Nodes(
            nodes.replica, nodes.age, nodes.state, nodes.mass / length[nodes.replica, None]
        )

    def _closed(self, begin: Nodes) -> Nodes:
        """Return the limit without a time limit, by elimination among the states reached."""
        reached, source, target, chance = self._reached(begin)
        replica, state = np.divmod(reached, self.states)
        counts = np.bincount(replica, minlength=self.replicas)
        place = np.zeros(self.replicas * self.states, np.int64)  # 0 is the node before the start
        place[reached] = 1 + np.arange(len(reached)) - (np.cumsum(counts) - counts)[replica]
        size = int(counts.max()) + 1
        checks.check_fits("game", "states that play reaches", size, 8 * size**2, 8 * size)
        mass = np.empty((self.replicas, size))
        group = max(1, BATCH // size**2)
        for a in range(0, self.replicas, group):
            b = min(a + group, self.replicas)
            matrix = np.zeros((b - a, size, size))
            here = (source // self.states >= a) & (source // self.states < b)
            row = source[here] // self.states - a
            np.add.at(matrix, (row, place[source[here]], place[target[here]]), chance[here])
            here = (begin.replica >= a) & (begin.replica < b)
            into = place[begin.replica[here] * self.states + begin.state[here]]
            matrix[begin.replica[here] - a, 0, into] = begin.mass[here, 0]
            mass[a:b] = long_run(matrix)
        found = mass[replica, place[reached]]
        nodes = Nodes(replica, 0 * replica, state, found[:, None])
        return nodes[found > 0]

    def _reached(self, begin: Nodes) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return the nodes that play reaches, and all moves between them.

        Nodes are numbers replica S + state, in ascending order; moves are sources, targets and
        probabilities.
        """
        terminal = self.frozen.compact.terminal
        seen = np.zeros(self.replicas * self.states, bool)
        fresh = np.unique(begin.replica * self.states + begin.state)
        sources, targets, chances = [], [], []
        while len(fresh):
            seen[fresh] = True
            replica, state = np.divmod(fresh, self.states)
            origin, after, chance = self.successors(state, self.joint[replica, state])
            if terminal is not None:
                origin, after, chance, _ = self.restarted(origin, after, chance, terminal[after])
            target = replica[origin] * self.states + after
            sources.append(fresh[origin])
            targets.append(target)
            chances.append(chance)
            fresh = np.unique(target)
            fresh = fresh[~seen[fresh]]
        joined = (np.concatenate(parts) for parts in (sources, targets, chances))
        source, target, chance = joined
        return np.flatnonzero(seen), source, target, chance


def long_run(chances: np.ndarray) -> np.ndarray:
    """Return the Cesàro limits of chains that begin in state 0, to which they do not return.

    States are eliminated from the last to the first, without subtractions (Grassmann, Taksar and
    Heyman 1985). A state that leads to no state before it, nor into a closed class that was found,
    is the first of a closed class.

    chances: (batch, n, n) transition probabilities, overwritten
    Returns the long-run share of the periods in each state, (batch, n).
    """
    batch, n, _ = chances.shape
    leaves = np.ones((batch, n))  # probability to leave the state, once those after it are gone
    leaks = np.zeros((batch, n))  # probability to enter a closed class that was found
    root = np.zeros((batch, n), bool)
    for k in range(n - 1, 0, -1):
        out = chances[:, k, :k].sum(axis=1) + leaks[:, k]
        root[:, k] = out == 0.0
        leaves[:, k] = np.where(root[:, k], 1.0, out)
        into = chances[:, :k, k]
        share = chances[:, k, :k] / leaves[:, k, None]
        chances[:, :k, :k] += into[:, :, None] * share[:, None, :]
        lost = np.where(root[:, k], 1.0, leaks[:, k] / leaves[:, k])
        leaks[:, :k] += into * lost[:, None]
    visits = np.zeros((batch, n))  # of a transient state; relative to its root in a closed class
    visits[:, 0] = 1.0
    entered = np.zeros((batch, n))  # probability to end in the closed class of a root
    label = np.zeros((batch, n), np.int64)  # root of the closed class; 0: transient
    for k in range(1, n):
        into = chances[:, :k, k]
        own = np.where(into > 0.0, label[:, :k], 0).max(axis=1)
        alike = label[:, :k] == np.where(root[:, k], 0, own)[:, None]
        total = (visits[:, :k] * into * alike).sum(axis=1) / leaves[:, k]
        label[:, k] = np.where(root[:, k], k, own)
        entered[:, k] = np.where(root[:, k], total, 0.0)
        visits[:, k] = np.where(root[:, k], 1.0, total)
    sums = np.zeros((batch, n))
    each = np.arange(batch)[:, None]
    np.add.at(sums, (each, label), visits)
    shares = np.where(label > 0, entered[each, label] * visits / sums[each, label], 0.0)
    shares /= shares.sum(axis=1, keepdims=True)
    return shares
