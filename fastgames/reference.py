"""The reference: the rules, interpreted, one replica after the other. Slow and obvious.

Every other body must give its bits. It reads like the contract: every agent draws and chooses, the
game moves, every agent learns, schedules advance.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fastgames.games import Game, Variants
from fastgames.games.compact import Chances, Sum
from fastgames.record import Record
from fastgames.rules import listing, schedules, streams
from fastgames.rules.choice import argmax, unit
from fastgames.rules.exponential import exp
from fastgames.rules.nature import pick
from fastgames.rules.outcome import Outcome
from fastgames.schedules import EXPONENTIAL, LINEAR, parts
from fastgames.state import State
from fastgames.stop import Stable


class View(NamedTuple):
    """A state as one agent has it: what it sees, and whether it is its turn."""

    observation: int
    moves: bool


class World:
    """The game of one replica, and where it stands."""

    def __init__(
        self, game: Game, state: State, replica: int, rng: np.random.Generator | None
    ) -> None:
        self.compact, self.actions, self.rng = game.compact, game.num_actions, rng
        variant = game.index[replica] if isinstance(game, Variants) else 0
        rewards = self.compact.rewards[:, variant]
        self.rewards = rewards.reshape(*rewards.shape[:2], *self.actions)
        self.joint_actions = int(rewards.shape[2])
        self.state = int(state.states[replica])
        self.age = 0 if state.ages is None else int(state.ages[replica])
        self.stream = None
        if state.streams is not None and state.streams.shape[1] > game.num_agents:
            self.stream = [int(w) for w in state.streams[replica, game.num_agents]]

    def view(self, agent: int) -> View:
        """How an agent finds the state."""
        observations, turns = self.compact.observations, self.compact.turns
        return View(
            self.state if observations is None else int(observations[agent, self.state]),
            True if turns is None else bool(turns[agent, self.state]),
        )

    def payoffs(self, agent: int) -> np.ndarray:
        """An agent's rewards in this state, (A_0, ...)."""
        rewards: np.ndarray = self.rewards[agent, self.state if self.rewards.shape[1] > 1 else 0]
        return rewards

    def cell(self, number: int) -> int:
        """The joint action of that number here, as State.window keeps it."""
        return number + (self.joint_actions * self.state if self.rewards.shape[1] > 1 else 0)

    def move(self, number: int) -> tuple[bool, bool]:
        """Go on by the joint action of that number: (the episode ended, it ended or was cut)."""
        moves, row = self.compact.moves, self.state * self.joint_actions + number
        if isinstance(moves, Sum):
            self.state = int(moves.from_state[self.state] + moves.from_joint[number])
        elif isinstance(moves, Chances):
            possible = slice(moves.first[row], moves.first[row + 1])
            self.state = int(moves.successor[possible][self._chance(moves.cumulative[possible])])
        else:
            self.state = int(moves.next[row])
        self.age += 1
        ended = self.compact.terminal is not None and bool(self.compact.terminal[self.state])
        limit = self.compact.time_limit
        return ended, ended or 0 < limit <= self.age

    def restart(self) -> None:
        """Begin another episode."""
        weights = self.compact.start_weights
        self.state = self.compact.start_state
        if weights is not None:
            self.state = self._chance(np.add.accumulate(weights))
        self.age = 0

    def _chance(self, sums: np.ndarray) -> int:
        if self.rng is not None:
            return int(pick(sums, self.rng.random()))
        return int(pick(sums, unit(streams.next_word(self.stream) >> 1, np.float64)))

    def store(self, state: State, replica: int) -> None:
        """Write everything back."""
        state.states[replica] = self.state
        if state.ages is not None:
            state.ages[replica] = self.age
        if self.stream is not None and state.streams is not None:
            state.streams[replica, -1] = self.stream


class Move(NamedTuple):
    """A move that is still to be learnt from: the fields of state.Pending."""

    observation: int
    action: int
    gain: Any
    weight: Any


class Player:
    """One agent of one replica."""

    def __init__(self, game: Game, agent: int, state: State, replica: int) -> None:
        self.agent, self.seat = agent, state.seats[agent]
        self.actions = game.num_actions[agent]
        learner, self.rules = self.seat.learner, self.seat.learner.rules
        self.tables = tuple(self.seat.tables[name][replica].copy() for name in self.rules.names)
        self.real = self.tables[0].dtype.type
        self.stream = None
        if state.streams is not None:
            self.stream = [int(w) for w in state.streams[replica, agent]]
        self.move: Move | None = None
        if self.seat.pending is not None and self.seat.pending.observation[replica] >= 0:
            self.move = Move(*(x[replica] for x in self.seat.pending.arrays().values()))
        self.clock = float(self.seat.clock[replica])
        self.parameters = {}  # name: (kind, first, second, third), as in block.pxi
        for name in self.rules.parameters:
            kind, numbers = parts(learner.values(game.discount)[name])
            first, second, third = (
                float(x[replica] if isinstance(x, np.ndarray) else x) for x in numbers
            )
            if kind == EXPONENTIAL:
                first = float(self.seat.recurrence[name][replica])
                second = float(exp(-second, np.float64))
            self.parameters[name] = (kind, first, second, third)

    def values(self) -> dict[str, float]:
        """The parameters used at this step, in the order of the rules."""
        out = {}
        for name, (kind, first, second, third) in self.parameters.items():
            if kind == EXPONENTIAL:
                out[name] = schedules.exponential(first, third)
            elif kind == LINEAR:
                out[name] = schedules.linear(first, second, third, self.clock)
            else:
                out[name] = first
        return out

    def act(self, here: View, rng: np.random.Generator | None) -> int:
        """Draw, then choose if it is its turn; else action 0."""
        values = self.values()
        p = tuple(values.values())
        if rng is None:
            u = streams.next_word(self.stream) >> 1
            signal = self.rules.draw(u, p, self.actions, self.real)
        elif "epsilon" in values:
            signal = listing.explore(rng, values["epsilon"], self.actions)
        else:
            signal = listing.unit(rng, self.real)
        if not here.moves:
            return 0
        return int(self.rules.choose(self.tables, p, here.observation, signal))

    def learn(
        self, here: View, joint: tuple[int, ...], payoffs: np.ndarray, there: View,
        ended: bool, over: bool,
    ) -> int:  # fmt: skip
        """Learn from a step from `here` to `there`; how often its greedy action changed."""
        if not self.seat.learner.learns:
            return 0
        real, defers, action, changes = self.real, self.rules.defers, joint[self.agent], 0
        if defers and self.move is not None and here.moves:
            changes += self._update(here.observation, action, False, joint, payoffs)
        if here.moves:
            self.move = Move(here.observation, action, real(0.0), real(1.0))
        if self.move is not None:
            o, a, gain, weight = self.move
            gamma = real(self.values().get("gamma", 0.0))
            self.move = Move(o, a, gain + weight * real(payoffs[joint]), weight * gamma)
            if over or (there.moves and not defers):
                changes += self._update(there.observation, -1, ended, joint, payoffs)
        return changes

    def _update(
        self, next_observation: int, next_action: int, ended: bool,
        joint: tuple[int, ...], payoffs: np.ndarray,
    ) -> bool:  # fmt: skip
        """Learn from the move; whether that changed which action is greedy where it was made."""
        assert self.move is not None
        o, a, gain, weight = self.move
        self.move = None
        column = np.empty(0, self.real)
        if self.rules.counterfactual:
            own: Any = (*joint[: self.agent], slice(None), *joint[self.agent + 1 :])
            column = payoffs[own].astype(self.real)
        row = self.tables[0][o]
        greedy = argmax(row)
        outcome = Outcome(
            o,
            a,
            gain,
            weight,
            next_observation,
            next_action,
            ended,
            None,
            column,
            0,
            None,
            None,
            -1,
        )
        self.rules.learn(self.tables, tuple(self.values().values()), outcome)
        return bool(argmax(row) != greedy)

    def advance(self) -> None:
        """Schedules go on by one step."""
        self.clock += 1.0
        self.parameters = {
            name: (kind, first * second if kind == EXPONENTIAL else first, second, third)
            for name, (kind, first, second, third) in self.parameters.items()
        }

    def store(self, state: State, replica: int) -> None:
        """Write everything back."""
        seat = self.seat
        if seat.learner.learns:
            for name, table in zip(self.rules.names, self.tables, strict=True):
                seat.tables[name][replica] = table
        if seat.pending is not None:
            move = self.move or Move(-1, 0, 0.0, 0.0)
            for array, x in zip(seat.pending.arrays().values(), move, strict=True):
                array[replica] = x
        seat.clock[replica] = self.clock
        if self.stream is not None and state.streams is not None:
            state.streams[replica, self.agent] = self.stream
        for name, recurrence in seat.recurrence.items():
            recurrence[replica] = self.parameters[name][1]


class ReferenceBlock:
    """A block of one replica; see `fastgames.engine.Block` for what each method is for."""

    capacity = 1

    def __init__(
        self,
        game: Game,
        state: State,
        record: Record,
        stop: Stable | None,
        rng: np.random.Generator | None,
    ) -> None:
        self.game, self.state, self.record, self.stop, self.rng = game, state, record, stop, rng
        self.active = 0
        self.stable = None if stop is None else np.zeros(1, np.int64)

    def load(self, lanes: np.ndarray, replicas: np.ndarray) -> None:
        """Take up a replica."""
        (r,) = (int(r) for r in replicas)
        state = self.state
        self.world = World(self.game, state, r, self.rng)
        self.players = [Player(self.game, i, state, r) for i in range(self.game.num_agents)]
        self.counters = {
            name: array[r].copy()
            for name in ("steps", "counted", "window", "flips", "joint_counts", "reward_sums")
            if (array := getattr(state, name)) is not None
        }
        if self.stable is not None and state.stable is not None:
            self.stable[0] = state.stable[r]
        self.tallying = False

    def store(self, lanes: np.ndarray, replicas: np.ndarray) -> None:
        """Write it back into the state."""
        (r,) = (int(r) for r in replicas)
        state = self.state
        self.world.store(state, r)
        if self.rng is not None:
            state.generator = dict(self.rng.bit_generator.state)
        for player in self.players:
            player.store(state, r)
        for name, count in self.counters.items():
            getattr(state, name)[r] = count
        if self.stable is not None and state.stable is not None:
            state.stable[r] = self.stable[0]

    def tally(self, lanes: np.ndarray, on: bool) -> None:
        """Count joint actions and sum rewards from here on, or not."""
        self.tallying = on

    def advance(self, steps: int) -> int:
        """Take up to so many steps, fewer only if the replica became stable; how many it took."""
        for taken in range(1, steps + 1):
            self._step()
            if self.stop and self.stable is not None and self.stable[0] == self.stop.periods:
                return taken
        return steps

    def _step(self) -> None:
        world, players = self.world, self.players
        here = [world.view(i) for i in range(len(players))]
        joint = tuple(
            player.act(view, self.rng) for player, view in zip(players, here, strict=True)
        )
        number = int(np.ravel_multi_index(joint, self.game.num_actions))
        payoffs = [world.payoffs(i) for i in range(len(players))]
        cell = world.cell(number)
        ended, over = world.move(number)
        changes = [
            player.learn(here[i], joint, payoffs[i], world.view(i), ended, over)
            for i, player in enumerate(players)
        ]
        if over:
            world.restart()
        for player in players:
            player.advance()
        self._count(joint, cell, [x[joint] for x in payoffs], changes)

    def _count(
        self, joint: tuple[int, ...], cell: int, rewards: list[Any], changes: list[int]
    ) -> None:
        counters = self.counters
        if "window" in counters:
            last = len(counters["window"])
            counters["window"][counters["steps"] % last] = cell
            counters["counted"] = min(counters["counted"] + 1, last)
        elif self.tallying:
            counters["counted"] += 1
            if "joint_counts" in counters:
                counters["joint_counts"][joint] += 1
            if "reward_sums" in counters:
                for i, player in enumerate(self.players):
                    counters["reward_sums"][i] += float(player.real(rewards[i]))
        counters["steps"] += 1
        if "flips" in counters:
            counters["flips"] += changes
        if self.stable is not None:
            self.stable[0] = 0 if any(changes) else self.stable[0] + 1
