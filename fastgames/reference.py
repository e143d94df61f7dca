"""The reference: the rules, interpreted, one replica after the other. Slow and obvious.

Every other body must give its bits. It reads like the contract: every agent draws and chooses, the
game moves, every agent learns, schedules advance.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fastgames.games import MatrixGame
from fastgames.rules import listing, schedules, streams
from fastgames.rules.choice import argmax
from fastgames.rules.exponential import exp
from fastgames.schedules import EXPONENTIAL, LINEAR, parts
from fastgames.state import State


class Player:
    """One agent of one replica."""

    def __init__(self, game: MatrixGame, agent: int, state: State, replica: int) -> None:
        seat = state.seats[agent]
        self.rules = seat.learner.rules
        self.learns = seat.learner.learns
        self.actions = game.num_actions[agent]
        self.tables = (seat.table[replica],)
        self.real = self.tables[0].dtype.type
        self.stream = (
            None if state.streams is None else [int(w) for w in state.streams[replica, agent]]
        )
        self.clock = float(seat.clock[replica])
        self.parameters = []  # (kind, first, second, third), as in block.pxi
        values = seat.learner.values(game.discount)
        for name in self.rules.parameters:
            kind, numbers = parts(values[name])
            first, second, third = (
                float(x[replica] if isinstance(x, np.ndarray) else x) for x in numbers
            )
            if kind == EXPONENTIAL:
                first = float(seat.recurrence[name][replica])
                second = float(exp(-second, np.float64))
            self.parameters.append((kind, first, second, third))

    def values(self) -> tuple[float, ...]:
        """The parameters used at this step."""
        out = []
        for kind, first, second, third in self.parameters:
            if kind == EXPONENTIAL:
                out.append(schedules.exponential(first, third))
            elif kind == LINEAR:
                out.append(schedules.linear(first, second, third, self.clock))
            else:
                out.append(first)
        return tuple(out)

    def act(self, rng: np.random.Generator | None) -> int:
        """Draw and choose."""
        p = self.values()
        if rng is not None:
            if "epsilon" in self.rules.parameters:
                signal = listing.explore(
                    rng, p[self.rules.parameters.index("epsilon")], self.actions
                )
            else:
                signal = listing.unit(rng, self.real)
        else:
            u = streams.next_word(self.stream) >> 1
            signal = self.rules.draw(u, p, self.actions, self.real)
        return int(self.rules.choose(self.tables, p, 0, signal))

    def learn(self, action: int, reward: Any) -> None:
        """Learn from one step, then advance the schedules."""
        self.rules.learn(self.tables, self.values(), 0, action, self.real(reward), 0, False)
        self.clock += 1.0
        self.parameters = [
            (kind, first * second if kind == EXPONENTIAL else first, second, third)
            for kind, first, second, third in self.parameters
        ]


class ReferenceBlock:
    """A block of one replica."""

    capacity = 1

    def __init__(self, game: MatrixGame, state: State, rng: np.random.Generator | None) -> None:
        self.game, self.state, self.rng = game, state, rng

    def load(self, first: int, count: int) -> None:
        """Take up replica `first`; `count` is 1."""
        self.replica = first
        agents = range(self.game.num_agents)
        self.players = [Player(self.game, i, self.state, first) for i in agents]

    def tally(self, on: bool) -> None:
        """Count joint actions and sum rewards from here on, or not."""
        self.tallying = on

    def advance(self, steps: int) -> None:
        """Take so many steps."""
        for _ in range(steps):
            self._step()

    def _step(self) -> None:
        state, r = self.state, self.replica
        greedy = [argmax(player.tables[0][0]) for player in self.players]
        joint = tuple(player.act(self.rng) for player in self.players)
        rewards = [payoffs[joint] for payoffs in self.game.payoffs]
        for player, action, reward in zip(self.players, joint, rewards, strict=True):
            player.learn(action, reward)
        state.steps[r] += 1
        if state.flips is not None:
            for i, player in enumerate(self.players):
                state.flips[r, i] += argmax(player.tables[0][0]) != greedy[i]
        if self.tallying:
            state.counted[r] += 1
            if state.joint_counts is not None:
                state.joint_counts[(r, *joint)] += 1
            if state.reward_sums is not None:
                for i, player in enumerate(self.players):
                    state.reward_sums[r, i] += float(player.real(rewards[i]))

    def store(self) -> None:
        """Write everything back into the state (tables are modified there, in place)."""
        for i, player in enumerate(self.players):
            seat = self.state.seats[i]
            seat.clock[self.replica] = player.clock
            if self.state.streams is not None:
                self.state.streams[self.replica, i] = player.stream
            for name, (kind, first, _, _) in zip(
                player.rules.parameters, player.parameters, strict=True
            ):
                if kind == EXPONENTIAL:
                    seat.recurrence[name][self.replica] = first
