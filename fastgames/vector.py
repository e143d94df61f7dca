"""Many copies of a game, stepped by actions of external learners."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastgames._common import checks
from fastgames._common.seeds import seed_from
from fastgames.engine.arguments import check_game, check_learner, one_for_each
from fastgames.engine.environments import Environments, check_memory, outside
from fastgames.engine.policies import policy
from fastgames.engine.spec import RunSpec
from fastgames.engine.state import State, fresh
from fastgames.games import Game
from fastgames.games.variants import index_of
from fastgames.learners import RuleLearner
from fastgames.learners.outside import Outside
from fastgames.registry import DTYPES

OTHER_FORM, OUT_OF_RANGE = 1, 2  # return codes of `Stepper.step`


class VectorGame:
    """Copies of a game ("environments") that one call steps together, for external learners.

    The learners may be written in NumPy, PyTorch or JAX. One call steps all environments in
    compiled code, without the GIL. It writes into arrays that the next call overwrites: copy the
    arrays that you keep. A VectorGame can be copied and pickled.

    Parameters
    ----------
    game : MatrixGame, MarkovGame, ProceduralGame, Variants or ProceduralVariants
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
        self._spec = _checked_spec(game, num_envs, learners, dtype, checked)
        check_memory(self._spec)
        self.seed = seed_from(rng)
        self._create(fresh(self._spec, self.seed))

    def _create(self, state: State) -> None:
        """Create the environments in this state, and the attributes that show their arrays."""
        self.agents = outside(self._spec)
        self._envs = Environments(self._spec, state)
        self._advance, self._checked = self._envs.advance, self._spec.checked
        out, shown = self._envs.out, slice(self.num_envs)
        self.rewards = out.rewards[:, shown]
        self.observations = out.observations[:, shown]
        self.next_observations = (
            self.observations if out.reached is out.observations else out.reached[:, shown]
        )
        self.terminated, self.truncated = out.terminated[shown], out.truncated[shown]
        self._step = self.observations, self.rewards, self.terminated, self.truncated

    @property
    def game(self) -> Game:
        """The game, or the variants of it."""
        return self._spec.game

    @property
    def num_envs(self) -> int:
        """Number of copies."""
        return self._spec.replicas

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
            wrong = self._advance(actions)
        except (TypeError, ValueError, BufferError):  # actions have no contiguous buffer
            wrong = OTHER_FORM
        if wrong == OTHER_FORM:
            actions = _as_actions(actions, len(self.agents), self.num_envs)
            wrong = self._advance(actions)
        if wrong == OUT_OF_RANGE:
            raise _out_of_range(actions, self.agents, self.game.num_actions)
        if wrong:
            self._envs.check()
        if self._checked:
            self._envs.check_tables()
        return self._step

    def reset(self, rng: Any = None, mask: Any = None) -> np.ndarray:
        """Begin a new episode in the environments of a mask and return the current observations.

        Parameters
        ----------
        rng : None, int in [0, 2^64), SeedSequence or Generator
            As in the constructor; resets everything, internal learners included. None: the random
            streams continue; see Notes. Must be None if a mask is given.
        mask : None or (num_envs,) bool
            True where a new episode begins. None: everywhere.

        Returns
        -------
        (N, num_envs) int32
            The array `observations`.

        Raises
        ------
        TypeError, ValueError
            If an argument is outside its domain, or both are given. No environment is reset.
        RuleError
            If the function `start` of a game fails; no environment is reset. If the last step
            failed and a mask is given: `reset(rng)` begins anew.
        RuntimeError
            If another thread is stepping these environments.

        Notes
        -----
        With rng=None, a new episode starts as it does after a terminal state. If starts are random,
        nature draws the words of one start from the stream of that environment. The time limit
        counts from 0. The tables and schedules of internal learners continue. Pending moves, from
        which an agent has not yet learnt (in games with turns, or `Sarsa`), are discarded, because
        their return is unknown; all other moves have been learnt in their step, from a target that
        includes the value of the next observation.

        In the environments that are reset, `next_observations` become the first observations,
        `rewards` 0, and `terminated` and `truncated` False. All other environments keep their
        entries, and continue with the bits that they have without the reset.

        Examples
        --------
        >>> import fastgames as fg
        >>> fg.VectorGame(fg.games.matching_pennies(), num_envs=3, rng=7).reset().tolist()
        [[0, 0, 0], [0, 0, 0]]
        >>> game = fg.remember(fg.games.matching_pennies(), periods=1, discount=0.9)
        >>> envs = fg.VectorGame(game, num_envs=3, rng=7)
        >>> envs.step([[1, 1, 1], [0, 0, 1]])[0].tolist()
        [[2, 2, 3], [2, 2, 3]]
        >>> envs.reset(mask=[False, True, False]).tolist()
        [[2, 0, 3], [2, 0, 3]]
        """
        if rng is not None and mask is not None:
            raise ValueError(f"rng must be None if a mask is given, got {rng!r}")
        everywhere = np.arange(self.num_envs)
        envs = everywhere if mask is None else everywhere[_as_mask(mask, self.num_envs)]
        with self._envs.alone():
            if rng is not None:
                self.seed = seed_from(rng)
                self._envs.load(fresh(self._spec, self.seed))
            else:
                if mask is not None:
                    self._envs.check()
                self._envs.restart(envs)
        return self.observations

    def _state(self) -> State:
        """Return the current state."""
        with self._envs.alone():
            return self._envs.stored()

    @property
    def states(self) -> np.ndarray:
        """Current state of every environment, (num_envs,) int64, a copy.

        In a procedural game the shape is (num_envs, state_size).
        """
        functions = self._spec.functions
        with self._envs.alone():
            states = self._envs.states()
        return states if functions is None else functions.whole_numbers(states)

    @property
    def reals(self) -> np.ndarray | None:
        """Current reals of every environment, (num_envs, num_reals) float64, a copy.

        None in games without reals.
        """
        functions = self._spec.functions
        if functions is None or not functions.reals:
            return None
        with self._envs.alone():
            return functions.real_numbers(self._envs.states())

    @property
    def moves(self) -> np.ndarray:
        """Mask of the agents that move in the current state, (N, num_envs) bool, a copy."""
        turns = self.game.compact.turns
        if not self.game.compact.has_turns:
            return np.ones((self.game.num_agents, self.num_envs), np.bool_)
        if turns is None:
            with self._envs.alone():
                return self._envs.moves()
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
        seat = self._state().seats[self._inside(agent)]
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
        return policy(self._state(), self._inside(agent))

    def _inside(self, agent: int) -> int:
        """Return `agent` if it has an internal learner, else raise ValueError."""
        agent = checks.whole("agent", agent, f"[0, {self.game.num_agents - 1}]")
        if agent in self.agents:
            raise ValueError(f"agent must have an internal learner, got {agent}")
        return agent

    def __getstate__(self) -> dict[str, Any]:
        """Return the complete state; a copy or another process continues with the same bits."""
        spec = self._spec
        return {
            "spec": RunSpec(
                spec.game, spec.learners, spec.replicas, spec.dtype, checked=spec.checked
            ),
            "seed": self.seed,
            "state": copy.deepcopy(self._state()),
            "out": [array.copy() for array in self._envs.out.arrays],
        }

    def __setstate__(self, kept: dict[str, Any]) -> None:
        self._spec, self.seed = kept["spec"], kept["seed"]
        self._create(kept["state"])
        for array, now in zip(self._envs.out.arrays, kept["out"], strict=True):
            array[...] = now

    def __repr__(self) -> str:
        return f"<VectorGame of {self.game.name}: {self.num_envs} environments, seed {self.seed}>"


def _checked_spec(game: Any, num_envs: Any, learners: Any, dtype: Any, checked: Any) -> RunSpec:
    """Return the specification of a `VectorGame`, whose arguments these are, after checking it."""
    check_game(game)
    count = checks.whole("num_envs", num_envs, "[1, 2^40]")
    index = index_of(game)
    if index is not None and len(index) != count:
        held = len(index)
        raise ValueError(
            f"num_envs must equal the length of the index of game, {held}, got {num_envs}"
        )
    dtype = checks.one_of("dtype", dtype, DTYPES)
    if checked is not None and not isinstance(checked, bool):
        raise TypeError(f"checked must be None, True or False, got {checked!r}")
    spec = RunSpec(game, _seats(learners, game.num_agents), count, dtype, checked=checked)
    for agent in spec.agents:
        if not isinstance(agent.learner, Outside):
            check_learner(spec, agent)
    return spec


def _seats(learners: Any, count: int) -> tuple[RuleLearner, ...]:
    """Return the learners of `count` agents, with `Outside` in place of None."""
    given = [None] * count if learners is None else learners
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise TypeError(
            f"learners must be a sequence of learners and None, one for each agent, got {given!r}"
        )
    if all(x is not None for x in given):
        raise ValueError(
            "learners must have None for at least one agent, got a learner for every agent; "
            "use `fastgames.run` if no agent takes actions from outside"
        )
    return one_for_each([Outside() if x is None else x for x in given], count)


def _as_actions(actions: Any, agents: int, num_envs: int) -> np.ndarray:
    """Return checked actions as a new array (agents, num_envs) int64, C-contiguous."""
    array = np.asarray(actions)
    checks.not_masked("actions", actions)
    shape = agents, num_envs
    domain = f"whole numbers of shape {shape}"
    if array.dtype.kind not in "iu":
        raise TypeError(f"actions must be {domain}, got {array.dtype}")
    if array.shape == shape[1:] and agents == 1:
        array = array[None]
    if array.shape != shape:
        raise ValueError(f"actions must be {domain}, got shape {array.shape}")
    if array.dtype == np.uint64:
        array = np.minimum(array, 2**62)
    return np.array(array, np.int64, order="C")  # a copy is always aligned


def _as_mask(mask: Any, num_envs: int) -> np.ndarray:
    """Return a checked mask as an array (num_envs,) bool."""
    domain = f"an array of bool of shape {(num_envs,)}"
    checks.not_masked("mask", mask)
    try:
        array = np.asarray(mask)
    except ValueError as error:  # ragged
        raise ValueError(f"mask must be {domain}, got {mask!r:.80}") from error
    if array.dtype != np.bool_:
        raise TypeError(f"mask must be {domain}, got {array.dtype}")
    if array.shape != (num_envs,):
        raise ValueError(f"mask must be {domain}, got shape {array.shape}")
    return array


def _out_of_range(
    actions: np.ndarray, agents: tuple[int, ...], num_actions: tuple[int, ...]
) -> ValueError:
    """Return the error for the first action that is out of range, (agents, num_envs)."""
    counts = np.array([num_actions[i] for i in agents])[:, None]
    row, env = np.argwhere((actions < 0) | (actions >= counts))[0]
    return ValueError(
        f"actions of agent {agents[row]} must be in [0, {counts[row, 0]}), got "
        f"{actions[row, env]} in environment {env}"
    )
