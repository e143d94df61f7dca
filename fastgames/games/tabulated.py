"""Procedural games as tables: all states that can be reached, with exact probabilities."""

from __future__ import annotations

import itertools
import math
import reprlib
from array import array
from collections.abc import Callable
from fractions import Fraction
from operator import mul
from typing import Any, TypeVar

import numpy as np

from fastgames._common import checks
from fastgames.errors import is_below, out_of_range, unwritable

from ._outcomes import VALUES, outcomes
from ._tables import read_only
from .compact import Functions
from .markov import LIMIT, MarkovGame
from .procedural import ProceduralGame
from .transitions import Sparse

T = TypeVar("T")


def tabulate(game: ProceduralGame, most: int = 100_000) -> MarkovGame:
    """Return a procedural game as a Markov game of tables, with all states that can be reached.

    States are found by breadth-first search from the starts, with all joint actions and all
    outcomes of chance. The functions are interpreted: once for every state, joint action and
    outcome.

    Parameters
    ----------
    game : ProceduralGame
        The game. Its functions use their random words only by `coin`, `below`, `integer`, `happens`
        and `categorical` of `fastgames.rules.chance`, or compare `number` of a word with a number.
    most : int
        Largest number of states, of joint actions, and of outcomes of a step or a start, in
        [1, 2^31).

    Returns
    -------
    MarkovGame
        The game with the same actions, numbers of observations, turns, discount and time limit.
        ``procedural_states[s]`` is the state of `game` that has the number s, (S, state_size)
        int64, and ``procedural_reals[s]`` has its reals, (S, num_reals) float64; states are in the
        order in which they were found, so starts are first. A state that is reached both at the end
        of an episode and within one has two numbers, of which one is terminal. If neither the start
        nor a transition is random, the start is a state and transitions are next states, else they
        are probabilities.

    Raises
    ------
    TypeError
        If game is not a ProceduralGame, or is `ProceduralVariants`, whose games may differ in all
        tables: call ``tabulate(variants.games[k])`` for each of them.
    ValueError
        If there are more states, joint actions or outcomes than `most`; if a function uses a word
        in another way, fails, or leaves its range; or if a function has changed since the game was
        constructed.

    Notes
    -----
    A random word u has 2^31 equally likely values, so the probability of an outcome is a multiple
    of 2^-31 for every word: of ``below(u, 3)`` the outcomes have 715827883, 715827883 and 715827882
    parts of 2^31. The tables have these rational numbers, rounded to float64. Outcomes of a word
    that is used several times, and of several words, are combined exactly.

    If a reward depends on chance, the table has its mean, correctly rounded, because rewards of a
    `MarkovGame` depend on state and joint action only. Values and equilibria of both games are
    equal, but a learner sees rewards with less noise.

    States with reals are equal if all bits are. Reals that are computed from random words, other
    than by cases, are refused, as their outcomes are too many; so are games with more than `most`
    states, which reals reach quickly unless they move on a grid.

    Without chance, a run of the tables gives the bits of a run of the functions. With chance it
    gives other bits, because a game of tables draws one random word per step and per random start.

    Examples
    --------
    >>> import fastgames as fg
    >>> soccer = fg.tabulate(fg.games.soccer())
    >>> soccer.num_states, int(soccer.terminal.sum()), soccer.start[:3]
    (140, 28, array([0.5, 0.5, 0. ]))
    >>> soccer.procedural_states[0]  # A in cell 2, B in cell 1, and A has the ball
    array([2, 1, 0])
    """
    if not isinstance(game, ProceduralGame) or game.index is not None:
        variants = isinstance(game, ProceduralGame)
        hint = "; tabulate each of its games, as in tabulate(game.games[0])" if variants else ""
        raise TypeError(f"game must be a ProceduralGame, got {reprlib.repr(game)}{hint}")
    most = checks.whole("most", most, f"[1, {LIMIT})")
    game.functions.check_unchanged("game", game)
    joint = math.prod(game.num_actions)
    if joint > most:
        raise ValueError(f"game must have at most most = {most} joint actions, got {joint}")
    search = _Search(game, most)
    start = search.starts()
    for number in itertools.count():
        if number == len(search.states):
            break
        search.expand(number)
    return search.markov_game(start)


class _Search:
    """Breadth-first search of the states of a game; rows are those of states in their order.

    states: every state found, (k,) int64, with True if it ends an episode
    counts: number of next states of every state and joint action
    successors, chances: next states and their probabilities, row by row
    rewards: rewards of all agents, row by row
    """

    def __init__(self, game: ProceduralGame, most: int) -> None:
        moves = game.compact.moves
        assert isinstance(moves, Functions)
        self.game, self.moves, self.most = game, moves, most
        self.joints = list(itertools.product(*map(range, game.num_actions)))
        self.states: list[tuple[np.ndarray, bool]] = []
        self.numbers: dict[tuple[bytes, bool], int] = {}
        self.counts, self.successors = array("q"), array("q")
        self.chances, self.rewards = array("d"), array("d")

    def starts(self) -> dict[int, float]:
        """Return the probability of every first state of an episode, by its number."""

        def call(words: Any) -> np.ndarray:
            state = np.zeros(self.moves.state_size, np.int64)
            self.moves.start(state, words)
            self._check_reals(state)
            return state

        found: dict[int, int] = {}
        for weight, state in self._outcomes("start", call, self.moves.start_words, ""):
            number = self._number(state, False)
            found[number] = found.get(number, 0) + weight
        return _chances(found, self.moves.start_words)

    def expand(self, number: int) -> None:
        """Add the rows of a state."""
        state, ended = self.states[number]
        for joint in self.joints:
            if ended:  # such a row is never used
                chances, paid = {number: 1.0}, [0.0] * self.game.num_agents
            else:
                chances, paid = self._row(state, joint)
            self.counts.append(len(chances))
            self.successors.extend(chances)
            self.chances.extend(chances.values())
            self.rewards.extend(paid)

    def _row(self, state: np.ndarray, joint: tuple[int, ...]) -> tuple[dict[int, float], Any]:
        """Return the probabilities of next states, and the mean reward of every agent."""
        where = f" in state {self.moves.text(state)} for joint action {joint}"

        def call(words: Any) -> tuple[np.ndarray, bool, tuple[float, ...]]:
            after, rewards = state.copy(), np.zeros(len(joint))
            ended = self.moves.step(after, unwritable(np.array(joint, np.int64)), rewards, words)
            self._check_reals(after)
            return after, self._checked(ended + 0, rewards), tuple(rewards.tolist())

        found: dict[int, int] = {}
        paid: dict[tuple[float, ...], int] = {}
        for weight, (after, ended, rewards) in self._outcomes(
            "step", call, self.moves.words, where
        ):
            number = self._number(after, ended)
            found[number] = found.get(number, 0) + weight
            paid[rewards] = paid.get(rewards, 0) + weight
        return _chances(found, self.moves.words), _means(paid, self.moves.words)

    def _check_reals(self, state: np.ndarray) -> None:
        """Raise ValueError if a real is not finite."""
        reals = self.moves.real_numbers(state)
        for k in np.flatnonzero(~np.isfinite(reals))[:1].tolist():
            raise ValueError(out_of_range("real", reals[k], k))

    def _checked(self, ended: Any, rewards: np.ndarray) -> bool:
        """Return whether the episode ended; raise ValueError if a value is out of its range."""
        if not (ended == 0 or ended == 1):
            raise ValueError(out_of_range("end", ended, 2))
        for reward in rewards:
            if not abs(reward) <= self.moves.largest_reward:
                raise ValueError(out_of_range("reward", reward, self.moves.largest_reward))
        return bool(ended)

    def _outcomes(
        self, what: str, call: Callable[[Any], T], words: int, where: str
    ) -> list[tuple[int, T]]:
        """Return the weights and results of a function; errors name it and say where it failed."""
        found = []
        try:
            for outcome in outcomes(call, words):
                found.append(outcome)
                if len(found) > self.most:
                    raise ValueError(f"must have at most most = {self.most} outcomes, got more")
        except ValueError as error:
            raise ValueError(f"{what} of game {self.game.name!r} {error}{where}") from error
        except Exception as error:
            raise ValueError(
                f"{what} of game {self.game.name!r} must run in every state that can be reached, "
                f"got {type(error).__name__}: {error}{where}"
            ) from error
        return found

    def _number(self, state: np.ndarray, ended: bool) -> int:
        """Return the number of a state, which is new if the state was not found before."""
        number = self.numbers.setdefault((state.tobytes(), ended), len(self.states))
        if number == len(self.states):
            if number == self.most:
                raise ValueError(
                    f"game must have at most most = {self.most} states that can be reached, got "
                    f"{number + 1} in {self.game.name!r} before the search stopped"
                )
            self.states.append((state, ended))
        return number

    def markov_game(self, start: dict[int, float]) -> MarkovGame:
        """Return the game of the rows; start: the probabilities of first states."""
        game, shape = self.game, (len(self.states), *self.game.num_actions)
        successors, rows = np.array(self.successors), len(self.counts)
        transitions: Any
        if len(successors) == rows:
            transitions = successors.reshape(shape)
        else:
            first = np.concatenate([[0], np.cumsum(self.counts)])
            indices, data = successors.astype(np.int32), np.array(self.chances)
            transitions = Sparse(first, indices, data, (rows, shape[0]))
        rewards = np.array(self.rewards).reshape(rows, game.num_agents)
        weights: Any = 0
        if len(start) > 1:
            weights = np.zeros(shape[0])
            weights[list(start)] = list(start.values())
        table = MarkovGame(
            np.moveaxis(rewards, 1, 0).reshape(game.num_agents, *shape),
            transitions,
            game.discount,
            weights,
            np.array([ended for _, ended in self.states]),
            self._observations(),
            num_observations=game.num_observations,
            turns=self._turns(),
            time_limit=game.time_limit,
            name=game.name,
            actions=game.actions,
            source=game.source,
        )
        states = np.array([state for state, _ in self.states])
        table._procedural_states = read_only(self.moves.whole_numbers(states))
        if self.moves.reals:
            table._procedural_reals = read_only(self.moves.real_numbers(states).copy())
        return table

    def _turns(self) -> np.ndarray | None:
        """Return the mask of the agents that move in every state, (N, S) bool, or None."""
        turns = self.moves.turns
        if turns is None:
            return None
        mask = np.empty((self.game.num_agents, len(self.states)), np.bool_)
        for s, (state, _) in enumerate(self.states):
            for i in range(self.game.num_agents):
                moves = turns(unwritable(state), i) + 0
                if not (moves == 0 or moves == 1):
                    raise ValueError(
                        f"turns of game {self.game.name!r} {out_of_range('turn', moves, 2)} in "
                        f"state {self.moves.text(state)} for agent {i}"
                    )
                mask[i, s] = moves
        return mask

    def _observations(self) -> np.ndarray:
        """Return the observation of every agent in every state, (N, S) int64."""
        seen = np.empty((self.game.num_agents, len(self.states)), np.int64)
        for s, (state, _) in enumerate(self.states):
            for i, count in enumerate(self.game.num_observations):
                observation = self.moves.observe(unwritable(state), i) + 0
                if not is_below(observation, count):
                    raise ValueError(
                        f"observe of game {self.game.name!r} "
                        f"{out_of_range('observation', observation, count)} in state "
                        f"{self.moves.text(state)} for agent {i}"
                    )
                seen[i, s] = observation
        return seen


def _chances(weights: dict[int, int], words: int) -> dict[int, float]:
    """Return weights out of VALUES ** words as probabilities, correctly rounded."""
    total = VALUES**words
    return {number: weight / total for number, weight in weights.items()}


def _means(paid: dict[tuple[float, ...], int], words: int) -> list[float]:
    """Return the mean of every agent's rewards, correctly rounded; paid: weights of rewards."""
    if len(paid) == 1:
        return list(next(iter(paid)))
    total = VALUES**words
    return [
        float(sum(map(mul, map(Fraction, each), paid.values())) / total)
        for each in zip(*paid, strict=True)
    ]
