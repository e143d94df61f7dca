"""Breadth-first search of the states of an OpenSpiel game of several moves, and its tables."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyspiel

from fastgames._common import checks
from fastgames.games import MarkovGame
from fastgames.games.markov import LIMIT, check_size
from fastgames.games.transitions import Sparse

IntArray = npt.NDArray[np.int64]

#: Number of the terminal state during the search; it becomes the last state of the tables.
END = -1


@dataclass(frozen=True, slots=True)
class Node:
    """State in which agents move.

    legal: OpenSpiel's legal actions of every agent, in ascending order; () if it does not move
    """

    state: Any
    legal: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Row:
    """Outcomes of a joint action: probabilities of next states by number, and mean rewards (N,)."""

    chances: dict[int, float]
    rewards: npt.NDArray[np.float64]


class Search:
    """All states of a game in which agents move, in the order in which they were found.

    nodes, first_rows: the states, and the number of the first row of each
    rows: a row for every joint action of legal actions in every state; the last agent's varies
        fastest
    start: outcomes of the start
    seen: for every agent, the observations by the texts of its information states
    first_seen: for every agent and observation, the first state with it
    observed: for every state, the observation of every agent, (N,)
    actions: for every agent, the OpenSpiel actions that are its actions 0, 1, ...
    """

    def __init__(self, game: Any, most: int) -> None:
        kind = game.get_type()
        self.most = checks.whole("most", most, f"[1, {LIMIT})")
        self.agents = range(game.num_players())
        self.long_name, self.short_name = kind.long_name, kind.short_name
        self.perfect = kind.information == pyspiel.GameType.Information.PERFECT_INFORMATION
        _check_kind(kind, self.perfect)
        self.nodes: list[Node] = []
        self.numbers: dict[tuple[str, Any], int] = {}
        self.seen: list[dict[str, int]] = [{} for _ in self.agents]
        self.first_seen: list[list[Any]] = [[] for _ in self.agents]
        self.observed: list[list[int]] = []
        self.rows: list[Row] = []
        self.first_rows: list[int] = []
        self.start = self._row(game.new_initial_state())
        if END in self.start.chances or self.start.rewards.any():
            raise ValueError(
                "game must begin with a move of an agent, without rewards before it, got "
                f"{self.short_name!r}"
            )
        for node in self.nodes:  # the list grows while states are found
            self.first_rows.append(len(self.rows))
            for joint in itertools.product(*(legal or (None,) for legal in node.legal)):
                self.rows.append(self._row(_after(node.state, joint)))
        self.actions = [self._actions(i) for i in self.agents]

    def _row(self, state: Any) -> Row:
        """Return the outcomes of the moves of chance that begin in a state."""
        chances: dict[int, float] = {}
        rewards = np.zeros(len(self.agents))
        waiting, outcomes = [(1.0, state)], 0
        while waiting:
            chance, state = waiting.pop()
            if state.is_chance_node():
                waiting += [(chance * p, state.child(a)) for a, p in state.chance_outcomes()[::-1]]
                continue
            outcomes += 1
            if outcomes > self.most:
                raise ValueError(
                    f"game must have at most most = {self.most} outcomes of chance in one step, "
                    f"got {outcomes} in {self.short_name!r} before the search stopped"
                )
            number = self._number(state)
            chances[number] = chances.get(number, 0.0) + chance
            rewards += chance * np.array(state.rewards())
        return Row(chances, rewards)

    def _number(self, state: Any) -> int:
        """Return the number of a state, which is new if the state was not found before."""
        if state.is_terminal():
            return END
        legal = _legal(state, self.agents)
        key = (str(state) if self.perfect else state.history_str(), legal)
        number = self.numbers.setdefault(key, len(self.nodes))
        if number == len(self.nodes):
            if number == self.most:
                raise ValueError(
                    f"game must have at most most = {self.most} states in which an agent moves, "
                    f"got {number + 1} in {self.short_name!r} before the search stopped"
                )
            self.nodes.append(Node(state, legal))
            self.observed.append([self._observation(self.nodes[-1], i) for i in self.agents])
        return number

    def _observation(self, node: Node, agent: int) -> int:
        """Return an agent's observation in a new state; 0 if it does not move."""
        if not node.legal[agent]:
            return 0
        text = str(node.state) if self.perfect else node.state.information_state_string(agent)
        observation = self.seen[agent].setdefault(text, len(self.seen[agent]))
        if observation == len(self.first_seen[agent]):
            self.first_seen[agent].append(node.state)
        return observation

    def _actions(self, agent: int) -> tuple[int, ...]:
        """Return the OpenSpiel actions that are legal for an agent in any state, ascending.

        An agent that never moves has one action.
        """
        legal = {action for node in self.nodes for action in node.legal[agent]}
        return tuple(sorted(legal)) or (0,)

    def played(self, agent: int, legal: tuple[int, ...]) -> IntArray:
        """Return which legal action, by its place, each action of an agent plays, (A_i,) int64.

        An illegal action number j plays the legal action in place j modulo their number.
        """
        return np.array(
            [
                legal.index(action) if action in legal else j % len(legal)
                for j, action in enumerate(self.actions[agent])
            ]
        )

    def policy(
        self, agent: int, probabilities: Callable[[Any], Mapping[int, float]]
    ) -> npt.NDArray[np.float64]:
        """Return a policy as an array (O_i, A_i); probabilities: of OpenSpiel actions in a state.

        An agent that never moves has one observation and one action.
        """
        if not self.first_seen[agent]:
            return np.ones((1, 1))
        rows = []
        for state in self.first_seen[agent]:
            given = probabilities(state)
            rows.append([given.get(action, 0.0) for action in self.actions[agent]])
        return np.array(rows)

    def markov_game(self, discount: float, time_limit: int | None) -> MarkovGame:
        """Return the game of the rows; its last state is the terminal state."""
        row_of = self._row_of()
        states, agents = len(row_of), len(self.agents)
        rows = [*self.rows, Row({END: 1.0}, np.zeros(agents))]
        turns = np.array([[bool(legal) for legal in node.legal] for node in self.nodes]).T
        rewards = np.array([row.rewards for row in rows])
        return MarkovGame(
            [rewards[row_of, i] for i in self.agents],
            _transitions(rows, row_of),
            discount,
            _start(self.start.chances, states),
            np.arange(states) == states - 1,
            np.array([*self.observed, [0] * agents]).T,
            turns=np.pad(turns, ((0, 0), (0, 1))),
            time_limit=time_limit,
            name=self.long_name,
            actions=[self._names(i) for i in self.agents],
            source=f"OpenSpiel, {self.short_name}",
        )

    def _row_of(self) -> IntArray:
        """Return the number of the row of every state and joint action, (S, A_0, ..., A_{N-1})."""
        counts = [len(actions) for actions in self.actions]
        states, joint, agents = len(self.nodes) + 1, math.prod(counts), len(self.agents)
        check_size("tables of game", states, joint)
        each = 8 * joint * (3 + 2 * agents)
        checks.check_fits("game", "states", states, states * each, each)
        row_of = np.full((states, *counts), len(self.rows))
        for s, node in enumerate(self.nodes):
            place = np.zeros((1,) * agents, np.int64)
            for i, legal in enumerate(node.legal):
                if legal:
                    axis = [1] * agents
                    axis[i] = -1
                    place = place * len(legal) + self.played(i, legal).reshape(axis)
            row_of[s] = self.first_rows[s] + place
        return row_of

    def _names(self, agent: int) -> list[str]:
        """Return the names of an agent's actions: OpenSpiel's, or their numbers if ambiguous."""
        names: dict[int, str] = {}
        for node in self.nodes:
            for action in node.legal[agent]:
                if action not in names:
                    names[action] = node.state.action_to_string(agent, action)
        actions = self.actions[agent]
        if len(set(names.values())) < len(actions):
            return [str(action) for action in actions]
        return [names[action] for action in actions]


def _check_kind(kind: Any, perfect: bool) -> None:
    """Raise ValueError if the states of a game cannot be enumerated or told apart."""
    game = pyspiel.GameType
    if kind.dynamics == game.Dynamics.MEAN_FIELD:
        raise ValueError(f"game must have single agents, got the mean field of {kind.short_name!r}")
    if kind.chance_mode == game.ChanceMode.SAMPLED_STOCHASTIC:
        raise ValueError(
            f"game must list the outcomes of chance, got {kind.short_name!r}, which samples them"
        )
    if not perfect and not kind.provides_information_state_string:
        raise ValueError(
            "game must be of perfect information, or provide information states as strings, got "
            f"{kind.short_name!r}"
        )


def _legal(state: Any, agents: range) -> tuple[tuple[int, ...], ...]:
    """Return the legal actions of every agent; () for an agent that does not move."""
    if state.is_simultaneous_node():
        return tuple(tuple(sorted(state.legal_actions(i))) for i in agents)
    mover = state.current_player()
    legal = tuple(sorted(state.legal_actions()))
    return tuple(legal if i == mover else () for i in agents)


def _after(state: Any, joint: tuple[int | None, ...]) -> Any:
    """Return the state after legal actions; None for an agent that does not move."""
    after = state.clone()
    if state.is_simultaneous_node():
        after.apply_actions([pyspiel.INVALID_ACTION if a is None else a for a in joint])
    else:
        after.apply_action(joint[state.current_player()])
    return after


def _transitions(rows: list[Row], row_of: IntArray) -> IntArray | Sparse:
    """Return next states if no row has chance, else the probabilities of all joint actions."""
    flat, states = row_of.reshape(-1), len(row_of)
    counts = np.array([len(row.chances) for row in rows])
    successors = np.concatenate([list(row.chances) for row in rows])
    successors[successors == END] = states - 1
    if len(successors) == len(rows):
        following: IntArray = successors[row_of]
        return following
    chances = np.concatenate([list(row.chances.values()) for row in rows])
    first, each = np.cumsum(counts) - counts, counts[flat]
    indptr = np.concatenate([[0], np.cumsum(each)])
    entry = np.repeat(first[flat] - indptr[:-1], each) + np.arange(indptr[-1])
    indices = successors[entry].astype(np.int32)
    return Sparse(indptr, indices, chances[entry], (len(flat), states))


def _start(chances: dict[int, float], states: int) -> int | npt.NDArray[np.float64]:
    """Return the first state, or the probability of every state, (S,)."""
    if len(chances) == 1:
        return next(iter(chances))
    weights = np.zeros(states)
    weights[list(chances)] = list(chances.values())
    return weights
