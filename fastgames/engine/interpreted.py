"""The reference: the rules, interpreted, one replica after the other. Slow and obvious.

Every other body must give its bits. It reads like the contract: every agent draws and chooses, the
game moves, every agent learns, schedules advance.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from fastgames.engine.spec import AgentSpec, RunSpec
from fastgames.engine.state import COUNTERS, Seat, State, check_finite, next_nature
from fastgames.errors import (
    RuleError,
    is_below,
    not_finite,
    of_game,
    out_of_range,
    out_of_turn,
    plain,
    unwritable,
)
from fastgames.functions.promotion import for_reference
from fastgames.games import Game, Variants
from fastgames.games.compact import Chances, Compact, Functions, Sum, Table
from fastgames.learners import Rules
from fastgames.record import COUNTS, Played, first_pairs
from fastgames.rules import listing, schedules, streams
from fastgames.rules.choice import argmax, unit
from fastgames.rules.exponential import exp
from fastgames.rules.nature import pick
from fastgames.rules.outcome import Outcome, Situation, TeamOutcome
from fastgames.schedules import EXPONENTIAL, HYPERBOLIC, LINEAR, TABULATED, ScheduleError
from fastgames.stop import Stable


class View(NamedTuple):
    """An agent's view of a state: its observation, and whether it moves."""

    observation: int
    moves: bool


class Step(NamedTuple):
    """The outcome of a joint action.

    cell: where its rewards stand, as State.window keeps it
    rewards: of every agent, float64
    columns: for every agent that asks for them, what each of its actions would have got
    ended, over: whether a terminal state was reached; whether the episode ended or was cut
    word: the mediator's, or -1
    before: every agent's tables before anyone learns, if a learner asks for them
    moves: whether every agent moved
    """

    cell: int
    rewards: list[Any]
    columns: dict[int, Any]
    ended: bool
    over: bool
    word: int = -1
    before: list[Any] | None = None
    moves: tuple[bool, ...] = ()

    @property
    def truncated(self) -> bool:
        """True if the time limit cut the episode."""
        return self.over and not self.ended


class World(ABC):
    """The game of one replica and its state."""

    compact: Compact
    actions: tuple[int, ...]
    rng: np.random.Generator | None
    age: int
    stream: np.ndarray | None
    state: Any

    def __init__(
        self, game: Game, state: State, replica: int, rng: np.random.Generator | None
    ) -> None:
        self.compact, self.actions, self.rng = game.compact, game.num_actions, rng
        self.age = 0 if state.ages is None else int(state.ages[replica])
        self.stream = None
        if state.streams is not None and state.streams.shape[1] > game.num_agents:
            self.stream = state.streams[replica, game.num_agents].copy()

    @abstractmethod
    def observation(self, agent: int) -> int:
        """Return an agent's observation of the state."""

    @abstractmethod
    def moves(self, agent: int) -> bool:
        """Return whether an agent moves in the state."""

    def view(self, agent: int) -> View:
        """Return an agent's view of the state."""
        return View(self.observation(agent), self.moves(agent))

    @abstractmethod
    def step(self, joint: tuple[int, ...], asking: list[int]) -> Step:
        """Take a joint action and return its outcome; asking: the agents that want columns."""

    @abstractmethod
    def restart(self) -> None:
        """Begin another episode."""

    def _over(self, ended: bool) -> bool:
        self.age += 1
        return ended or 0 < self.compact.time_limit <= self.age

    def store(self, state: State, replica: int) -> None:
        """Write everything back."""
        if state.ages is not None:
            state.ages[replica] = self.age
        if self.stream is not None and state.streams is not None:
            state.streams[replica, -1] = self.stream


class TableWorld(World):
    """A game of tables."""

    rewards: np.ndarray
    joint_actions: int
    state: int

    def __init__(
        self, game: Game, state: State, replica: int, rng: np.random.Generator | None
    ) -> None:
        super().__init__(game, state, replica, rng)
        variant = game.index[replica] if isinstance(game, Variants) else 0
        rewards = self.compact.rewards[:, variant]
        self.rewards = rewards.reshape(*rewards.shape[:2], *self.actions)
        self.joint_actions = int(rewards.shape[2])
        self.state = int(state.states[replica])

    def observation(self, agent: int) -> int:
        """Return an agent's observation of the state."""
        observations = self.compact.observations
        return self.state if observations is None else int(observations[agent, self.state])

    def moves(self, agent: int) -> bool:
        """Return whether an agent moves in the state."""
        turns = self.compact.turns
        return True if turns is None else bool(turns[agent, self.state])

    def step(self, joint: tuple[int, ...], asking: list[int]) -> Step:
        """Take a joint action and return its outcome."""
        number = int(np.ravel_multi_index(joint, self.actions))
        by_state = self.rewards.shape[1] > 1
        payoffs = self.rewards[:, self.state if by_state else 0]  # (N, A_0, ...)
        cell = number + (self.joint_actions * self.state if by_state else 0)
        columns = {}
        for i in asking:
            own: Any = (i, *joint[:i], slice(None), *joint[i + 1 :])
            columns[i] = payoffs[own]
        self.state = self._next(self.state * self.joint_actions + number, number)
        ended = self.compact.terminal is not None and bool(self.compact.terminal[self.state])
        return Step(cell, [x[joint] for x in payoffs], columns, ended, self._over(ended))

    def _next(self, row: int, number: int) -> int:
        moves = self.compact.moves
        if isinstance(moves, Sum):
            return int(moves.from_state[self.state] + moves.from_joint[number])
        if isinstance(moves, Chances):
            possible = slice(moves.first[row], moves.first[row + 1])
            return int(moves.successor[possible][self._chance(moves.cumulative[possible])])
        assert isinstance(moves, Table)
        return int(moves.next[row])

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
        return int(pick(sums, unit(next_nature(self.stream, None), np.float64)))

    def store(self, state: State, replica: int) -> None:
        """Write everything back."""
        super().store(state, replica)
        state.states[replica] = self.state


class FunctionWorld(World):
    """A game of functions."""

    functions: Functions
    observations: tuple[int, ...]
    state: np.ndarray

    def __init__(
        self, game: Game, state: State, replica: int, rng: np.random.Generator | None
    ) -> None:
        super().__init__(game, state, replica, rng)
        assert isinstance(self.compact.moves, Functions)
        self.functions = self.compact.moves
        self.observations = game.num_observations
        self.state = state.states[replica].copy()

    def observation(self, agent: int) -> int:
        """Return an agent's observation of the state."""
        seen = self.functions.observe(unwritable(self.state), agent) + 0  # fails for None
        if not is_below(seen, self.observations[agent]):
            raise _Outside("observation", seen, self.observations[agent])
        return int(seen)

    def moves(self, agent: int) -> bool:
        """Return whether an agent moves in the state."""
        if self.functions.turns is None:
            return True
        moves = self.functions.turns(unwritable(self.state), agent) + 0
        if not (moves == 0 or moves == 1):
            raise _Outside("turn", moves, 2)
        return bool(moves)

    def step(self, joint: tuple[int, ...], asking: list[int]) -> Step:
        """Take a joint action and return its outcome.

        Columns are the rewards of the same step in copies of the state, by each action of an agent.
        """
        moves, words = self.functions, self._words(self.functions.words)
        columns = {i: np.zeros(self.actions[i]) for i in asking}
        for i, column in columns.items():
            for a in range(self.actions[i]):
                others = (*joint[:i], a, *joint[i + 1 :])
                column[a] = self._play(self.state.copy(), others, words)[1][i]
                if not abs(column[a]) <= moves.largest_reward:
                    raise _Outside("reward", column[a], moves.largest_reward, i)
        ended, rewards = self._play(self.state, joint, words)
        if not (ended == 0 or ended == 1):
            raise _Outside("end", ended, 2)
        self._check_reals()
        for i, reward in enumerate(rewards):
            if not abs(reward) <= moves.largest_reward:
                raise _Outside("reward", reward, moves.largest_reward, i)
        return Step(
            joint_number(joint, self.actions), list(rewards), columns, bool(ended),
            self._over(bool(ended)),
        )  # fmt: skip

    def _play(self, state: Any, joint: tuple[int, ...], words: Any) -> tuple[Any, Any]:
        rewards = np.zeros(len(joint))
        actions = unwritable(np.array(joint, np.int64))
        return self.functions.step(state, actions, rewards, words) + 0, rewards

    def restart(self) -> None:
        """Begin another episode."""
        self.functions.start(self.state, self._words(self.functions.start_words))
        self._check_reals()
        self.age = 0

    def _check_reals(self) -> None:
        reals = self.functions.real_numbers(self.state)
        for k in np.flatnonzero(~np.isfinite(reals))[:1]:
            raise _Outside("real", reals[k], k)

    def _words(self, count: int) -> np.ndarray:
        words = [next_nature(self.stream, self.rng) for _ in range(count)]
        return unwritable(np.array(words, np.int64))

    def store(self, state: State, replica: int) -> None:
        """Write everything back."""
        super().store(state, replica)
        state.states[replica] = self.state


class _Outside(Exception):
    """A value is out of its range; raised where replica and step are not known.

    Arguments: what it is, the value, its limit, and for a reward the agent who got it.
    """


class _OutOfTurn(Exception):
    """The opening has an action of an agent that does not move. Arguments: action, agent."""


class Move(NamedTuple):
    """A move that the agent has not yet learnt from: the fields of `state.Pending`."""

    observation: int
    action: int
    gain: Any
    weight: Any

    def earned(self, reward: Any, gamma: Any) -> Move:
        """Return the move after a step with a reward, both of the type of the tables."""
        return self._replace(gain=self.gain + self.weight * reward, weight=self.weight * gamma)


class Player:
    """One agent of one replica."""

    agent: int
    opponents: tuple[int, ...]
    seat: Seat
    num_actions: tuple[int, ...]
    actions: int
    rules: Rules
    tables: Any
    real: Any
    draw_rule: Any
    choose_rule: Any
    learn_rule: Any
    discount: float
    stream: list[int] | None
    clock: float
    parameters: dict[str, tuple[int, float, float, float]]
    tabulated: dict[str, Any]
    replica: int

    def __init__(self, game: Game, spec: AgentSpec, state: State, replica: int) -> None:
        self.agent, self.opponents, self.rules = spec.agent, spec.opponents, spec.rules
        self.seat = state.seats[self.agent]
        self.num_actions, self.actions = game.num_actions, spec.actions
        self.tables = self.rules.as_tables(
            self.seat.tables[x][replica].copy() for x in self.rules.names
        )
        self.real = self.tables[0].dtype.type
        rules = self.rules
        self.draw_rule = for_reference(rules.draw, self.real, np.float64)
        self.choose_rule = for_reference(rules.choose, self.real)
        self.learn_rule = for_reference(rules.learn, self.real)
        self.signal: Any = self.real(0.0)
        self.discount = game.discount
        self.stream = None
        if state.streams is not None:
            self.stream = [int(w) for w in state.streams[replica, self.agent]]
        self.move: Move | None = None
        if self.seat.pending is not None and self.seat.pending.observation[replica] >= 0:
            self.move = Move(*(x[replica] for x in self.seat.pending.arrays().values()))
        self.clock = float(self.seat.clock[replica])
        self.parameters = {}  # name: (kind, first, second, third), as in block.pxi
        self.tabulated = {}  # name: the schedule
        self.replica = replica
        for name in self.rules.parameters:
            kind, numbers = self.seat.schedules[name]
            if kind == TABULATED:
                self.tabulated[name], numbers = numbers[0], (0.0, 0.0, 0.0)
            first, second, third = (
                float(x[replica] if isinstance(x, np.ndarray) else x) for x in numbers
            )
            if kind == EXPONENTIAL:
                first = float(self.seat.recurrence[name][replica])
                second = float(exp(-second, np.float64))
            self.parameters[name] = (kind, first, second, third)

    def p(self) -> Any:
        """Return the parameters used at this step, as rules take them."""
        return self.rules.as_p(self.values().values())

    def values(self) -> dict[str, float]:
        """Return the parameters used at this step, in the order of the rules."""
        out = {}
        for name, (kind, first, second, third) in self.parameters.items():
            if kind == EXPONENTIAL:
                out[name] = schedules.exponential(first, third)
            elif kind == LINEAR:
                out[name] = schedules.linear(first, second, third, self.clock)
            elif kind == HYPERBOLIC:
                out[name] = schedules.hyperbolic(first, second, third, self.clock)
            elif kind == TABULATED:
                out[name] = self._tabulated(name)
            else:
                out[name] = first
        return out

    def _tabulated(self, name: str) -> float:
        """Return a tabulated parameter at this step."""
        try:
            return float(self.tabulated[name].value(int(self.clock), self.replica))
        except ScheduleError as error:
            error.parameter = name
            raise

    def gamma(self) -> Any:
        """Return the factor of the value of the next observation."""
        return self.real(self.values().get("gamma", self.discount))

    @cached_property
    def shown(self) -> Any:
        """The tables as `choose` sees them, read-only."""
        return self.rules.as_tables(unwritable(table) for table in self.tables)

    def draw(self, rng: np.random.Generator | None) -> None:
        """Make this step's signal."""
        self.signal = self._draw(rng)

    def choose(self, here: View, step: int, word: int, before: list[Any] | None) -> int:
        """Choose an action if it is its turn; else action 0.

        step: the steps taken; word, before: as in `Step`
        """
        if not here.moves:
            return 0
        given = [self.shown, self.p(), here.observation, self.signal]
        if self.rules.situated:
            given.append(Situation(self.agent, step, *self.asked(word, before)))
        chosen = self.choose_rule(*given)
        action = chosen + 0  # not None
        if not is_below(action, self.actions):
            raise _Outside("action", action, self.actions)
        return int(action)

    def asked(self, word: int, before: list[Any] | None) -> tuple[int, Any]:
        """Return the mediator's word and the opponents' tables as the rules see them."""
        seen = None
        if self.rules.opponents:
            assert before is not None
            seen = tuple(before[i] for i in self.opponents)
        return word if self.rules.mediator else -1, seen

    def _draw(self, rng: np.random.Generator | None) -> Any:
        rules, real, p = self.rules, self.real, self.p()
        if rules.words == 0:
            return real(0.0)
        assert rules.draw is not None
        if rng is not None:
            as_listed: Any = listing.LISTINGS[rules.draw]
            return as_listed(rng, p, self.actions, real)
        words = tuple(streams.next_word(self.stream) >> 1 for _ in range(rules.words))
        drawn = self.draw_rule(words if rules.words > 1 else words[0], p, self.actions, real)
        return real(drawn) if rules.num_signals == 1 else tuple(real(x) for x in drawn)

    def learn(self, here: View, joint: tuple[int, ...], step: Step, there: View) -> int:
        """Learn from a step from `here` to `there`; return how often the greedy action changed."""
        if not self.seat.learner.learns:
            return 0
        real, defers, action, changes = self.real, self.rules.defers, joint[self.agent], 0
        moves, moves_next = here.moves or self.rules.steps, there.moves or self.rules.steps
        if defers and self.move is not None and moves:
            changes += self._update(here.observation, action, False, False, joint, step)
        if moves:
            self.move = Move(here.observation, action, real(0.0), real(1.0))
        if self.move is not None:
            self.move = self.move.earned(real(step.rewards[self.agent]), self.gamma())
            if step.ended or (moves_next and (step.over or not defers)):
                o2, ends = there.observation, (step.ended, step.truncated)
                changes += self._update(o2, -1, *ends, joint, step)
            elif step.over and self.rules.cuts:
                changes += self._update(-1, -1, False, True, joint, step)
            elif step.over:
                self.move = None  # cut before its next turn: what the move was worth is not known
        return changes

    def _update(
        self, next_observation: int, next_action: int, ended: bool, truncated: bool,
        joint: tuple[int, ...], step: Step,
    ) -> bool:  # fmt: skip
        """Learn from the move; return whether the greedy action at its observation changed."""
        assert self.move is not None
        o, a, gain, weight = self.move
        self.move = None
        column = actions = rewards = moves = None
        others = -1
        if self.rules.counterfactual:
            column = unwritable(step.columns[self.agent].astype(self.real))
        if self.rules.joint:
            actions = unwritable(np.array(joint, np.int64))
            rewards = unwritable(np.array(step.rewards).astype(self.real))
            others = joint_number(
                joint[: self.agent] + joint[self.agent + 1 :],
                self.num_actions[: self.agent] + self.num_actions[self.agent + 1 :],
            )
        if self.rules.joint or self.rules.steps:
            moves = unwritable(np.array(step.moves, np.bool_))
        row = self.tables[0][o]
        greedy = argmax(row)
        outcome = Outcome(
            o, a, gain, weight, next_observation, next_action, ended, column, self.signal,
            self.agent, actions, rewards, others, truncated, *self.asked(step.word, step.before),
            moves,
        )  # fmt: skip
        self.learn_rule(self.tables, self.p(), outcome)
        return bool(argmax(row) != greedy)

    def advance(self) -> None:
        """Advance the schedules by one step."""
        self.clock += 1.0
        self.parameters = {
            name: (
                (kind, schedules.advance(first, second), second, third)
                if kind == EXPONENTIAL
                else (kind, first, second, third)
            )
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


def joint_number(joint: tuple[int, ...], counts: tuple[int, ...]) -> int:
    """Return the number of a joint action, agent 0's digit slowest, modulo 2^31."""
    number = 0
    for action, count in zip(joint, counts, strict=True):
        number = (number * count + action) & 0x7FFFFFFF
    return number


class Team:
    """The members of a team, who learn together."""

    players: list[Player]
    rules: Rules
    waits: bool
    tables: Any

    def __init__(self, players: list[Player], waits: bool) -> None:
        self.players, self.rules, self.waits = players, players[0].rules, waits
        self.tables = self.rules.as_tables(
            players[0].tables[k] if table.shared else tuple(p.tables[k] for p in players)
            for k, table in enumerate(self.rules.tables)
        )

    def learn(
        self, here: list[View], joint: tuple[int, ...], step: Step, there: list[View]
    ) -> dict[int, int]:
        """Learn from a step; return the changes of the greedy action by member.

        The members' moves are pending together; the action of one that did not move is -1.
        """
        players, agents = self.players, [player.agent for player in self.players]
        real, gamma = players[0].real, players[0].gamma()
        rewards = [real(step.rewards[i]) for i in agents]
        before, after = [here[i] for i in agents], [there[i] for i in agents]
        actions = [joint[i] if here[i].moves else -1 for i in agents]
        if not self.waits:
            made = zip(before, actions, rewards, strict=True)
            moves = [Move(view.observation, a, reward, gamma) for view, a, reward in made]
            return self._update(moves, after, step)
        if any(view.moves for view in before):
            for player, view, a in zip(players, before, actions, strict=True):
                player.move = Move(view.observation, a, real(0.0), real(1.0))
        moves = [player.move for player in players if player.move is not None]
        if len(moves) < len(players):
            return {}
        moves = [m.earned(reward, gamma) for m, reward in zip(moves, rewards, strict=True)]
        known = step.ended or any(view.moves for view in after)  # else its return is not known
        for player, move in zip(players, moves, strict=True):
            player.move = None if known or step.over else move
        if known:
            return self._update(moves, after, step)
        if step.over and self.rules.cuts:
            return self._update(moves, [View(-1, False)] * len(players), step)
        return {}

    def _update(self, moves: list[Move], after: list[View], step: Step) -> dict[int, int]:
        """Learn from the members' moves; return the changes of the greedy action by member."""
        players, real = self.players, self.players[0].real
        rows = [p.tables[0][m.observation] for p, m in zip(players, moves, strict=True)]
        greedy = [argmax(row) for row in rows]
        outcome = TeamOutcome(
            unwritable(np.array([move.observation for move in moves], np.int64)),
            unwritable(np.array([max(move.action, 0) for move in moves], np.int64)),
            unwritable(np.array([move.gain for move in moves], real)),
            moves[0].weight,
            unwritable(np.array([view.observation for view in after], np.int64)),
            step.ended,
            tuple(player.signal for player in players),
            step.truncated,
            self._columns(step) if self.rules.counterfactual else None,
            *players[0].asked(step.word, step.before),
            unwritable(np.array([move.action >= 0 for move in moves], np.bool_)),
            unwritable(np.array([view.moves for view in after], np.bool_)),
        )
        players[0].learn_rule(self.tables, players[0].p(), outcome)
        return {
            p.agent: int(argmax(row) != was)
            for p, row, was in zip(players, rows, greedy, strict=True)
        }

    def _columns(self, step: Step) -> tuple[np.ndarray, ...]:
        columns = [step.columns[player.agent] for player in self.players]
        return tuple(unwritable(column.astype(self.players[0].real)) for column in columns)


class ReferenceBlock:
    """A block of one replica; see `fastgames.engine.driver.Block` for what each method is for.

    rng: draws under stream="numpy"
    """

    spec: RunSpec
    game: Game
    state: State
    stop: Stable | None
    rng: np.random.Generator | None
    active: int
    stable: np.ndarray | None
    waits: np.ndarray
    replica: int
    players: list[Player]
    teams: dict[int, Team]
    asking: list[int]
    mediator: list[int] | None
    counters: dict[str, Any]
    tallying: bool
    doing: str

    capacity = 1

    def __init__(self, spec: RunSpec, state: State, rng: np.random.Generator | None = None) -> None:
        self.spec, self.game, self.stop = spec, spec.game, spec.stop
        self.state, self.rng = state, rng
        self.checked = spec.checked is True
        self.active = 0
        self.stable = None if self.stop is None else np.zeros(1, np.int64)
        self.waits = np.zeros(1, np.int64)

    def load(self, lanes: np.ndarray, replicas: np.ndarray) -> None:
        """Take up a replica."""
        (r,) = (int(r) for r in replicas)
        state = self.state
        self.replica = r
        make = FunctionWorld if isinstance(self.game.compact.moves, Functions) else TableWorld
        self.world: World = make(self.game, state, r, self.rng)
        self.players = [Player(self.game, agent, state, r) for agent in self.spec.agents]
        self.mediator = None
        if state.mediator is not None:
            self.mediator = [int(word) for word in state.mediator[r]]
        self.teams = self._teams()
        self.asking = [p.agent for p in self.players if p.rules.counterfactual]
        self.counters = {
            name: array[r].copy()
            for name in COUNTERS
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
        if state.mediator is not None:
            state.mediator[r] = self.mediator
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

    @np.errstate(over="ignore", under="ignore")  # compiled passes do not warn of these either
    def advance(self, steps: int) -> int:
        """Advance by at most `steps`, fewer only if the replica may stop; return the number."""
        for taken in range(1, steps + 1):
            self._step()
            if self.stop is None or self.stable is None or taken < self.waits[0]:
                continue
            if self.stable[0] >= self.stop.periods:
                return taken
        return steps

    def _teams(self) -> dict[int, Team]:
        """Return the teams by first member; the other members take its shared tables."""
        teams = {}
        for player in self.players:
            if not player.rules.team:
                continue
            first = self.spec.agents[player.agent].team[0]
            player.tables = player.rules.as_tables(
                self.players[first].tables[k] if table.shared else player.tables[k]
                for k, table in enumerate(player.rules.tables)
            )
        for player in self.players:
            team = self.spec.agents[player.agent].team
            if player.rules.team and team[0] == player.agent:
                waits = self.spec.agents[player.agent].waits
                teams[player.agent] = Team([self.players[i] for i in team], waits)
        return teams

    def _step(self) -> None:
        try:
            self._take_step()
        except Exception as error:
            function = self.doing
            if isinstance(error, _Outside):
                kind, value, count, *agent = error.args
                value = float(value) if kind in ("reward", "table", "real") else plain(value)
                problem = count if kind == "table" else out_of_range(kind, value, count)
                function += f" for agent {agent[0]}" if agent else ""
            elif isinstance(error, _OutOfTurn):
                function, value, problem = "opening", error.args[0], out_of_turn(*error.args)
            elif isinstance(error, ScheduleError):
                function = f"{error.parameter} of {function.partition(' of ')[2]}"
                value, problem = error.value, str(error)
            else:
                value, problem = None, f"failed: {type(error).__name__}: {error}"
            step = int(self.counters["steps"])
            raise RuleError(function, self.replica, step, value, problem) from error

    def _look(self) -> list[View]:
        """Return how every agent finds the state."""
        views = []
        for i in range(len(self.players)):
            self.doing = of_game("observe", self.game.name, i)
            seen = self.world.observation(i)
            self.doing = of_game("turns", self.game.name, i)
            views.append(View(seen, self.world.moves(i)))
        return views

    def _take_step(self) -> None:
        world, players, name = self.world, self.players, self.game.name
        here = self._look()
        word = -1 if self.mediator is None else streams.next_word(self.mediator) >> 1
        before = self._tables() if any(p.rules.opponents for p in players) else None
        taken = int(self.counters["steps"])
        joint = []
        for player, view in zip(players, here, strict=True):
            self.doing = f"draw of learners[{player.agent}]"
            player.draw(self.rng)
            self.doing = f"choose of learners[{player.agent}]"
            joint.append(player.choose(view, taken, word, before))
        joint = self._opened(joint, here, taken)
        self.doing = of_game("step", name)
        origin = np.copy(world.state)
        step = world.step(tuple(joint), self.asking)._replace(
            word=word, before=before, moves=tuple(view.moves for view in here)
        )
        there = self._look()
        changes = [0] * len(players)
        for i, player in enumerate(players):
            self.doing = f"learn of learners[{i}]"
            if not player.rules.team:
                changes[i] = player.learn(here[i], tuple(joint), step, there[i])
            elif i in self.teams:
                for member, count in self.teams[i].learn(here, tuple(joint), step, there).items():
                    changes[member] = count
        if self.checked:
            self._check_tables()
        if step.over:
            self.doing = of_game("start", name)
            world.restart()
            self._look()  # what is out of range there is an error of this step, as in the kernels
        for player in players:
            player.advance()
        self._count(here, origin, tuple(joint), step, changes)

    def _opened(self, chosen: list[int], here: list[View], taken: int) -> list[int]:
        """Return the joint action of the opening, or the one that was chosen once it is over.

        taken: the steps taken
        """
        opening, begun = self.state.opening, self.state.opening_begun
        if opening is None or begun is None or taken - begun[self.replica] >= opening.shape[1]:
            return chosen
        joint: list[int] = opening[self.replica, taken - begun[self.replica]].tolist()
        for agent, (action, view) in enumerate(zip(joint, here, strict=True)):
            if action and not view.moves:
                raise _OutOfTurn(action, agent)
        return joint

    def _tables(self) -> list[Any]:
        """Return copies of every agent's tables, read-only, as rules take them."""
        return [
            player.rules.as_tables(unwritable(table.copy()) for table in player.tables)
            for player in self.players
        ]

    def _check_tables(self) -> None:
        for player in self.players:
            names = player.rules.names if player.seat.learner.learns else ()
            tables = zip(names, player.tables, strict=False)
            found = check_finite({name: table[None] for name, table in tables})
            if found is not None:
                self.doing = f"learn of learners[{player.agent}]"
                name, (_, *place), value = found
                raise _Outside("table", value, not_finite(value, name, tuple(place)))

    def _count(
        self, here: list[View], before: np.ndarray, joint: tuple[int, ...], step: Step,
        changes: list[int],
    ) -> None:  # fmt: skip
        """Count a step of the replica; before: its state before the step."""
        counters, rewards = self.counters, [float(self.players[0].real(x)) for x in step.rewards]
        steps = int(counters["steps"])
        if "window" in counters:
            at = steps % len(counters["window"])
            counters["window"][at] = step.cell
            counters["counted"] = min(counters["counted"] + 1, len(counters["window"]))
            if "reward_window" in counters:
                counters["reward_window"][at] = rewards
        elif self.tallying:
            counters["counted"] += 1
        counters["steps"] += 1
        now = self.tallying and "window" not in counters  # counts over the last steps go on
        asked = {x: c for x, c in COUNTS.items() if x in counters and (now or not c.last)}
        if asked:
            played = Played(
                rows=np.zeros(1, np.int64),
                actions=np.array([joint]).T,
                rewards=np.array([rewards]),
                changes=np.array([changes]),
                steps=np.array([steps]),
                states=before[None],
                pairs=np.array([self._pairs(here, joint)]).T,
                over=np.array([step.over]),
                discount=self.game.discount,
            )
            for name, count in asked.items():
                count.add(counters[name][None], played)
        if self.stable is not None:
            self.stable[0] = 0 if any(changes) else self.stable[0] + 1

    def _pairs(self, here: list[View], joint: tuple[int, ...]) -> list[int]:
        """Return `Played.pairs` of the replica."""
        first, game = first_pairs(self.game), self.game
        return [
            first[i] + view.observation * game.num_actions[i] + action if view.moves else -1
            for i, (view, action) in enumerate(zip(here, joint, strict=True))
        ]
