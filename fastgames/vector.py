"""Many copies of a game, stepped by actions of external learners."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from fastgames import _core
from fastgames._common import checks
from fastgames._common.checks import check_fits
from fastgames._common.seeds import seed_from
from fastgames.engine.arguments import check_game, check_learner, one_for_each
from fastgames.engine.compiled import (
    RULE_LANES,
    LaneBlock,
    block_bytes,
    block_size,
    core_arguments,
)
from fastgames.engine.core import OutsideArrays
from fastgames.engine.policies import policy
from fastgames.engine.spec import RunSpec
from fastgames.engine.state import State, begin_episodes, bytes_each, fresh
from fastgames.games import Game, ProceduralGame, Variants
from fastgames.learners import RuleLearner
from fastgames.learners.outside import Outside
from fastgames.registry import DTYPES

LANES = 1024  # of a block without learners: data passed between passes stays in the L1 cache
OTHER_FORM, OUT_OF_RANGE = 1, 2  # return codes of `Stepper.step`


class VectorGame:
    """Copies of a game ("environments") that one call steps together, for external learners.

    The learners may be written in NumPy, PyTorch or JAX. One call steps all environments in
    compiled code, without the GIL. It writes into arrays that the next call overwrites: copy the
    arrays that you keep. A VectorGame can be copied and pickled.

    Parameters
    ----------
    game : MatrixGame, MarkovGame, ProceduralGame or Variants
        The game, or one game for each copy.
    num_envs : int
        Number of copies, at least 1. With `Variants`, the length of its index.
    rng : None, int in [0, 2^64), SeedSequence or Generator
        The seed, or the source from which it is drawn; `seed` is the seed that was used. The random
        words of nature in environment r are those of replica r of `fastgames.run` with this seed,
        for any num_envs.
    learners : sequence, optional
        For each agent, None if an external learner chooses its actions, or an internal learner that
        plays and learns as in `run` (`FixedPolicy` only plays). All are external unless given.
    dtype : "float64" or "float32"
        The type of the rewards and of the tables of internal learners.
    checked : None, True or False
        As in `run`: unless it is False, an index outside its array in a user-defined function stops
        the step.

    Attributes
    ----------
    agents : tuple of int
        The agents whose actions come from outside.
    observations : (N, num_envs) int32
        Current observation of every agent.
    next_observations : (N, num_envs) int32
        Observation of every agent after the last step and before the next episode began, if one
        ended: the observations to bootstrap from. If episodes of the game never end, the same array
        as `observations`.
    rewards : (N, num_envs) of dtype
        Rewards of the last step.
    terminated, truncated : (num_envs,) bool
        True if the last step ended the episode in a terminal state, or at the time limit. The next
        episode has then begun, as in `run`, and `observations` are its first.

    Raises
    ------
    TypeError, ValueError
        If an argument is outside its domain, before anything is allocated or compiled.

    Examples
    --------
    >>> import fastgames as fg
    >>> import numpy as np
    >>> envs = VectorGame(fg.games.matching_pennies(), num_envs=3, rng=7)
    >>> observations, rewards, terminated, truncated = envs.step(np.array([[0, 1, 1], [0, 0, 1]]))
    >>> rewards[0].tolist()
    [1.0, -1.0, 1.0]
    """

    game: Game
    num_envs: int
    agents: tuple[int, ...]
    seed: int
    rewards: np.ndarray
    observations: np.ndarray
    next_observations: np.ndarray
    terminated: np.ndarray
    truncated: np.ndarray

    def __init__(
        self,
        game: Game,
        num_envs: int,
        rng: Any = None,
        learners: Sequence[RuleLearner | None] | None = None,
        dtype: str = "float64",
        checked: bool | None = None,
    ) -> None:
        check_game(game)
        self.game = game
        self.num_envs = checks.whole("num_envs", num_envs, "[1, 2^40]")
        if isinstance(game, Variants) and len(game.index) != self.num_envs:
            held = len(game.index)
            raise ValueError(
                f"num_envs must equal the length of the index of game, {held}, got {num_envs}"
            )
        self._dtype = checks.one_of("dtype", dtype, DTYPES)
        if checked is not None and not isinstance(checked, bool):
            raise TypeError(f"checked must be None, True or False, got {checked!r}")
        self._checked = checked
        self._learners = self._seats(learners)
        self._spec = self._specified()
        self.agents = tuple(i for i, x in enumerate(self._learners) if isinstance(x, Outside))
        self._check_memory()
        self.seed = seed_from(rng)
        self._state = self._fresh()
        self._make()

    def _make(self) -> None:
        """Allocate the arrays and the blocks and load the state into them."""
        self._make_arrays()
        self._make_blocks()
        self._load()

    def _seats(self, learners: Any) -> tuple[RuleLearner, ...]:
        """Return the learners, with `Outside` in place of None."""
        count = self.game.num_agents
        given = [None] * count if learners is None else learners
        if isinstance(given, str) or not isinstance(given, Sequence):
            raise TypeError(
                "learners must be a sequence of learners and None, one for each agent, got "
                f"{given!r}"
            )
        if all(x is not None for x in given):
            raise ValueError(
                "learners must have None for at least one agent, got a learner for every agent; "
                "use `fastgames.run` if no agent takes actions from outside"
            )
        return one_for_each([Outside() if x is None else x for x in given], count)

    def _specified(self) -> RunSpec:
        """Return the specification of the environments, after checking the internal learners."""
        spec = RunSpec(self.game, self._learners, self.num_envs, self._dtype, checked=self._checked)
        for agent in spec.agents:
            if not isinstance(agent.learner, Outside):
                check_learner(spec, agent)
        return spec

    def _capacity(self) -> int:
        """Return the number of environments in a block, a multiple of 16."""
        if len(self.agents) < len(self._learners):
            most = block_size(self._spec, self.num_envs, columns=False)
        else:
            most = RULE_LANES if isinstance(self.game, ProceduralGame) else LANES
        return -(-min(most, self.num_envs) // 16) * 16

    def _check_memory(self) -> None:
        """Raise ValueError if the environments exceed the available memory."""
        spec, capacity = self._spec, self._capacity()
        each = bytes_each(spec) + self.game.num_agents * (8 + spec.real.itemsize) + 2
        block = block_bytes(spec, capacity)
        need = each * self.num_envs + -(-self.num_envs // capacity) * block
        check_fits("num_envs", "environments", self.num_envs, need, each)

    def _make_arrays(self) -> None:
        """Allocate the arrays that a step writes, (N, num_envs) and (num_envs,).

        Rows start on cache lines, as aligned vector stores require.
        """
        count, width = self.game.num_agents, -(-self.num_envs // 16) * 16
        aligned = _core.lanes(self._dtype).aligned
        compact = self.game.compact
        ends = (
            isinstance(self.game, ProceduralGame)
            or compact.terminal is not None
            or compact.time_limit > 0
        )
        seen = aligned((count, width), np.int32)
        self._out = OutsideArrays(
            rewards=aligned((count, width), self._dtype),
            observations=seen,
            reached=aligned((count, width), np.int32) if ends else seen,
            terminated=aligned((width,), np.bool_),
            truncated=aligned((width,), np.bool_),
        )
        self.rewards = self._out.rewards[:, : self.num_envs]
        self.observations: np.ndarray = seen[:, : self.num_envs]
        self.next_observations = (
            self._out.reached[:, : self.num_envs] if ends else self.observations
        )
        self.terminated = self._out.terminated[: self.num_envs]
        self.truncated = self._out.truncated[: self.num_envs]
        self._step = self.observations, self.rewards, self.terminated, self.truncated

    def _make_blocks(self) -> None:
        """Create the blocks of environments and the compiled stepper over them."""
        capacity, core = self._capacity(), core_arguments(self._spec)
        self._blocks = []
        for first in range(0, self.num_envs, capacity):
            out = self._out._replace(first=first)
            size = min(capacity, self.num_envs - first)
            block = LaneBlock(self._spec, self._state, size, core, outside=out)
            block.active = size
            self._blocks.append(block)
        stepper = _core.lanes(self._dtype).Stepper
        self._stepper = stepper([block.lanes for block in self._blocks], self.agents)

    def step(self, actions: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Step every environment and return observations, rewards and ends of episodes.

        Parameters
        ----------
        actions : (len(agents), num_envs) int
            Actions in the order of `agents`; (num_envs,) is accepted for a single agent. int32 or
            int64, C-contiguous, is read without a copy. The action of an agent that does not move
            in the current state (`moves`) is replaced by 0.

        Returns
        -------
        observations, rewards, terminated, truncated
            The attributes of these names; the same arrays at every step.

        Raises
        ------
        TypeError, ValueError
            If actions have a wrong type or shape, or are out of range. No environment is stepped.
        RuleError
            If a function of a game or a learner fails, or a value that it returns is out of range.
            Call `reset(rng)` before the next step.
        RuntimeError
            If another thread is stepping these environments. (Other VectorGames are independent.)

        Examples
        --------
        >>> import fastgames as fg
        >>> envs = fg.VectorGame(fg.games.prisoners_dilemma(), num_envs=2, rng=7)
        >>> observations, rewards, terminated, truncated = envs.step([[0, 1], [0, 0]])
        >>> rewards.tolist()
        [[3.0, 5.0], [3.0, 0.0]]
        """
        if type(actions) is not np.ndarray and isinstance(actions, np.ndarray):
            checks.not_masked("actions", actions)
        try:
            wrong = self._stepper.step(actions)
        except (TypeError, ValueError, BufferError):  # actions have no contiguous buffer
            wrong = OTHER_FORM
        if wrong == OTHER_FORM:
            actions = self._as_actions(actions)
            wrong = self._stepper.step(actions)
        if wrong == OUT_OF_RANGE:
            raise self._out_of_range(actions)
        if wrong:
            raise self._failure()
        if self._checked:
            self._settle()
            for block in self._blocks:
                block.check_tables()
        return self._step

    def _as_actions(self, actions: Any) -> np.ndarray:
        """Return checked actions as a new array (len(agents), num_envs) int64, C-contiguous."""
        array = np.asarray(actions)
        checks.not_masked("actions", actions)
        shape = len(self.agents), self.num_envs
        domain = f"whole numbers of shape {shape}"
        if array.dtype.kind not in "iu":
            raise TypeError(f"actions must be {domain}, got {array.dtype}")
        if array.shape == shape[1:] and shape[0] == 1:
            array = array[None]
        if array.shape != shape:
            raise ValueError(f"actions must be {domain}, got shape {array.shape}")
        if array.dtype == np.uint64:
            array = np.minimum(array, 2**62)
        return np.array(array, np.int64, order="C")  # a copy is always aligned

    def _out_of_range(self, actions: np.ndarray) -> ValueError:
        """Return the error for the first action that is out of range."""
        counts = np.array([self.game.num_actions[i] for i in self.agents])[:, None]
        row, env = np.argwhere((actions < 0) | (actions >= counts))[0]
        return ValueError(
            f"actions of agent {self.agents[row]} must be in [0, {counts[row, 0]}), got "
            f"{actions[row, env]} in environment {env}"
        )

    def _failure(self) -> Exception:
        """Return the error of the user-defined function that failed."""
        self._settle()
        return next(block.error() for block in self._blocks if block.lanes.wrong[0])

    def reset(self, rng: Any = None) -> np.ndarray:
        """Begin a new episode in every environment and return the first observations.

        Parameters
        ----------
        rng : None, int in [0, 2^64), SeedSequence or Generator
            As in the constructor; resets everything, internal learners included. If None, the
            random streams of nature and the tables of internal learners continue; pending moves,
            from which an agent has not yet learnt (in games with turns, or `Sarsa`), are dropped.

        Returns
        -------
        (N, num_envs) int32
            The array `observations`.

        Raises
        ------
        TypeError, ValueError
            If rng is outside its domain.
        RuntimeError
            If another thread is stepping these environments.

        Examples
        --------
        >>> import fastgames as fg
        >>> fg.VectorGame(fg.games.matching_pennies(), num_envs=3, rng=7).reset().tolist()
        [[0, 0, 0], [0, 0, 0]]
        """
        with self._alone():
            if rng is not None:
                self.seed = seed_from(rng)
                self._state = self._fresh()
            else:
                self._store()
                state = self._state
                begin_episodes(self._spec, state.states, state.streams)
                if state.ages is not None:
                    state.ages[:] = 0
                for seat in state.seats:
                    if seat.pending is not None:
                        seat.pending.observation[:] = -1
            self._load()
        return self.observations

    def _fresh(self) -> State:
        """Return the initial state for the seed."""
        return fresh(self._spec, self.seed)

    def _load(self) -> None:
        """Copy the state into the blocks and clear rewards, ends and errors of the last step."""
        self._stepper.taken = 0
        for k, block in enumerate(self._blocks):
            block.state = self._state
            block.lanes.wrong[:] = 0
            block.steps[:] = 0
            block.load(*self._stretch(k))
            block.lanes.active = block.active
            block.lanes.begin()
        self._out.reached[...] = self._out.observations
        for array in (self._out.rewards, self._out.terminated, self._out.truncated):
            array[...] = 0

    def _stretch(self, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the lanes of block k and the indices of their environments, (active,) int64."""
        lanes = np.arange(self._blocks[k].active)
        return lanes, lanes + k * self._blocks[0].active

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the step lock; raise RuntimeError if another thread is stepping."""
        if self._stepper.busy:
            raise RuntimeError(
                "another thread is stepping these environments: one thread at a time"
            )
        self._stepper.busy = True
        try:
            yield
        finally:
            self._stepper.busy = False

    def _settle(self) -> None:
        """Add the steps taken since the last call to the step counts of the blocks."""
        for block in self._blocks:
            block.steps[: block.active] += self._stepper.taken
        self._stepper.taken = 0

    def _up_to_date(self) -> State:
        """Return the state after storing the blocks into it."""
        with self._alone():
            self._store()
        return self._state

    def _store(self) -> None:
        """Copy the blocks into the state."""
        self._settle()
        for k, block in enumerate(self._blocks):
            block.store(*self._stretch(k))

    @property
    def states(self) -> np.ndarray:
        """Current state of every environment, (num_envs,) int64, a copy.

        In a procedural game the shape is (num_envs, state_size).
        """
        with self._alone():
            now = [block.lanes.state[: block.active].copy() for block in self._blocks]
        return np.concatenate(now).astype(np.int64)

    @property
    def moves(self) -> np.ndarray:
        """Mask of the agents that move in the current state, (N, num_envs) bool, a copy."""
        turns = self.game.compact.turns
        if turns is None:
            return np.ones((self.game.num_agents, self.num_envs), np.bool_)
        now: np.ndarray = turns[:, self.states]
        return now

    def tables(self, agent: int) -> dict[str, np.ndarray]:
        """Return copies of the tables of an internal learner by name.

        Parameters
        ----------
        agent : int
            In [0, N); an agent with an internal learner.

        Returns
        -------
        dict of str to (num_envs, *dimensions) arrays

        Raises
        ------
        TypeError, ValueError
            If agent is outside its domain.
        RuntimeError
            If another thread is stepping these environments.

        Examples
        --------
        >>> import fastgames as fg
        >>> learners = [None, fg.QLearner(initial=2.0)]
        >>> envs = fg.VectorGame(fg.games.matching_pennies(), 1, rng=7, learners=learners)
        >>> envs.tables(1)["q"].tolist()
        [[[2.0, 2.0]]]
        """
        seat = self._up_to_date().seats[self._inside(agent)]
        return {name: table.copy() for name, table in seat.tables.items()}

    def policy(self, agent: int) -> np.ndarray:
        """Return the current policy of an internal learner, exploration included.

        `FixedPolicy(envs.policy(1))` plays this policy without learning.

        Parameters
        ----------
        agent : int
            In [0, N); an agent with an internal learner.

        Returns
        -------
        (num_envs, observations, actions) float64
            The probability of every action.

        Raises
        ------
        TypeError, ValueError
            If agent is outside its domain, or the learner has no function `policy`.
        RuleError
            If that function fails or writes values that are not probabilities.
        RuntimeError
            If another thread is stepping these environments.

        Examples
        --------
        >>> import fastgames as fg
        >>> learners = [None, fg.FixedPolicy([0.25, 0.75])]
        >>> envs = fg.VectorGame(fg.games.matching_pennies(), 1, rng=7, learners=learners)
        >>> envs.policy(1).tolist()
        [[[0.25, 0.75]]]
        """
        return policy(self._up_to_date(), self._inside(agent))

    def _inside(self, agent: int) -> int:
        """Return `agent` if it has an internal learner, else raise ValueError."""
        agent = checks.whole("agent", agent, f"[0, {self.game.num_agents - 1}]")
        if agent in self.agents:
            raise ValueError(f"agent must have an internal learner, got {agent}")
        return agent

    def _written(self) -> dict[str, np.ndarray]:
        """Return the arrays that a step writes, by name."""
        found = self._out._asdict()
        del found["first"]
        return found

    def __getstate__(self) -> dict[str, Any]:
        """Return the complete state; a copy or another process continues with the same bits."""
        kept = ("game", "num_envs", "seed", "agents", "_dtype", "_checked", "_learners")
        out = {name: array.copy() for name, array in self._written().items()}
        state = copy.deepcopy(self._up_to_date())
        return {name: getattr(self, name) for name in kept} | {"_state": state, "out": out}

    def __setstate__(self, kept: dict[str, Any]) -> None:
        out = kept.pop("out")
        vars(self).update(kept)
        self._spec = self._specified()
        self._make()
        for name, array in out.items():
            getattr(self._out, name)[...] = array

    def __repr__(self) -> str:
        return f"<VectorGame of {self.game.name}: {self.num_envs} environments, seed {self.seed}>"
