"""Gymnasium environments: the caller acts for one agent, the other agents play and may learn.

Importing this module registers every game of the catalogue:

>>> import gymnasium
>>> import fastgames.envs.gymnasium
>>> gymnasium.register_envs(fastgames.envs.gymnasium)
>>> env = gymnasium.make("fastgames/MatchingPennies-v0", max_episode_steps=100)
>>> envs = gymnasium.make_vec("fastgames/MatchingPennies-v0", num_envs=1000)
"""

from __future__ import annotations

import copy
from array import array
from typing import Any

import numpy as np

from fastgames._common import checks
from fastgames.engine.arguments import one_for_each
from fastgames.envs.common import (
    NUMBERS,
    RENDER_MODES,
    action_masks,
    flag,
    game_from,
    numbers_of,
    picture,
    render_mode_from,
    seed_from,
    step_as_text,
)
from fastgames.games import CATALOGUE, Game
from fastgames.learners import FixedPolicy, RuleLearner
from fastgames.vector import VectorGame

with checks.importing("envs", "fastgames.envs.gymnasium"):
    import gymnasium
    from gymnasium.error import ResetNeeded
    from gymnasium.spaces import Discrete, Space
    from gymnasium.vector import AutoresetMode, VectorEnv
    from gymnasium.vector.utils import batch_space

VECTOR_RENDER_MODES = tuple(mode for mode in RENDER_MODES if mode != "human")


class GameEnv(gymnasium.Env[np.int64, Any]):
    """A game as a Gymnasium environment for one of its agents.

    Parameters
    ----------
    game : MatrixGame, MarkovGame, ProceduralGame or str
        A game, or the name of a game of the catalogue, which gets its default parameters.
    agent : int
        The agent for which the caller acts, in [0, N).
    others : learner, policy, list or None
        Learners or policies of the other agents: one for all of them, or a list or tuple of one for
        each, in order. A learner plays and learns as in `fastgames.run`. A policy is fixed: an
        array (A_i,) or (O_i, A_i), or ``result.agent(i)``. None: uniformly random play.
    render_mode : "ansi", "human" or "rgb_array", optional
        "ansi": `render` returns a line of text for each step. "human": every step prints it.
        "rgb_array": `render` returns it as an image, (height, width, 3) uint8 (needs matplotlib,
        extra "plot").
    dtype : "float64" or "float32"
        Type of rewards and of the other agents' tables.

    Raises
    ------
    TypeError, ValueError
        If an argument is outside its domain.

    Notes
    -----
    ``reset(seed=s)`` restarts the environment: the state, learners and random words are those of
    replica 0 of ``fastgames.run(rng=s)``. Without a seed the random words continue, and the others
    keep their tables. Copies and pickles continue from the same state, bit for bit.

    In games with turns, an action of the agent counts as 0 if it does not move, and
    ``info["action_mask"]``, (A_i,) int8, marks the actions that have an effect. A terminal state
    terminates an episode, and the game's time limit truncates it. Most games have neither;
    ``gymnasium.make(…, max_episode_steps=…)`` then truncates episodes.

    Examples
    --------
    >>> import fastgames as fg
    >>> env = GameEnv("matching_pennies", others=fg.QLearner(alpha=0.1))
    >>> observation, info = env.reset(seed=7)
    >>> observation, reward, terminated, truncated, info = env.step(0)
    >>> env.tables(1)["q"].shape
    (1, 2)
    """

    game: Game
    agent: int
    render_mode: str | None
    observation_space: Space[Any]
    action_space: Space[Any]

    metadata: dict[str, Any] = {"render_modes": list(RENDER_MODES), "render_fps": 4}  # noqa: RUF012

    def __init__(
        self,
        game: Game | str,
        agent: int = 0,
        others: Any = None,
        render_mode: str | None = None,
        dtype: str = "float64",
    ) -> None:
        self.game = game_from(game)
        self.agent = checks.whole("agent", agent, f"[0, {self.game.num_agents - 1}]")
        self.render_mode = render_mode_from(render_mode)
        self._envs = VectorGame(self.game, 1, None, _seats(self.game, self.agent, others), dtype)
        self.observation_space = Discrete(self.game.num_observations[self.agent])
        self.action_space = Discrete(self.game.num_actions[self.agent])
        masks = action_masks(self.game)
        self._masks = masks and masks[self.agent]
        self._make_views(0)
        self._begun = True  # True while the inner game is at the start of an unused episode
        self._running = False
        self._steps = 0

    def _make_views(self, action: int) -> None:
        """Make the views of arrays that a step reads and writes fastest."""
        self._action = array("q", [action])
        self._given = np.frombuffer(self._action, np.int64)[:, None]
        self._seen = memoryview(self._envs.next_observations[self.agent])
        self._reward = memoryview(self._envs.rewards[self.agent])
        self._terminated = flag(self._envs.terminated)
        self._truncated = flag(self._envs.truncated)

    def __getstate__(self) -> dict[str, Any]:
        views = ("_given", "_seen", "_reward", "_terminated", "_truncated")
        return {name: x for name, x in vars(self).items() if name not in views}

    def __setstate__(self, kept: dict[str, Any]) -> None:
        vars(self).update(kept)
        self._make_views(self._action[0])

    def __copy__(self) -> GameEnv:
        return copy.deepcopy(self)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.int64, dict[str, Any]]:
        """Start an episode; return the first observation and info.

        Parameters
        ----------
        seed : int, optional
            Seed in [0, 2^64); see the notes of the class.
        options : dict, optional
            Ignored.

        Returns
        -------
        observation : np.int64
            In [0, O_i).
        info : dict
            Has "action_mask" in games with turns.

        Raises
        ------
        TypeError, ValueError
            If the seed is outside its domain.
        """
        seed = seed_from(seed)
        super().reset(seed=seed)
        if seed is not None or not self._begun:
            self._envs.reset(seed)
        self._begun, self._running, self._steps = False, True, 0
        self._render_step()
        return NUMBERS[int(self._envs.observations[self.agent, 0])], self._info()

    def step(self, action: int) -> tuple[np.int64, float, bool, bool, dict[str, Any]]:
        """Take one step; return observation, reward, terminated, truncated and info.

        Parameters
        ----------
        action : int
            Action of the agent, in [0, A_i).

        Returns
        -------
        observation : np.int64
            In [0, O_i); after the end of an episode that of the state reached.
        reward : float
            Reward of the agent.
        terminated, truncated : bool
            True if the episode ended in a terminal state, or at the time limit.
        info : dict
            Has "action_mask" in games with turns while the episode runs.

        Raises
        ------
        TypeError, ValueError
            If the action is outside its domain.
        gymnasium.error.ResetNeeded
            If no episode is running.
        """
        if not self._running:
            raise ResetNeeded("no episode is running; call reset()")
        try:
            self._action[0] = action
        except (TypeError, OverflowError) as error:
            domain = f"a whole number in [0, {self.game.num_actions[self.agent]})"
            raise TypeError(f"action must be {domain}, got {action!r}") from error
        self._envs.step(self._given)
        self._steps += 1
        ended, cut = self._terminated[0], self._truncated[0]
        if ended or cut:
            self._begun, self._running = True, False
        if self.render_mode == "human":
            self._render_step()
        return NUMBERS[self._seen[0]], self._reward[0], ended, cut, self._info()

    def _info(self) -> dict[str, Any]:
        """Return the info of a step: the action mask (A_i,) in games with turns."""
        if self._masks is None or not self._running:
            return {}
        moves = self._envs.moves[self.agent, 0]
        return {"action_mask": self._masks[int(moves)].copy()}

    @property
    def game_seed(self) -> int:
        """Seed of the random words: that of the last `reset` with a seed, or fresh entropy."""
        return self._envs.seed

    def tables(self, agent: int) -> dict[str, np.ndarray]:
        """Return copies of the tables of another agent by name, such as (O_i, A_i)."""
        return {name: table[0] for name, table in self._envs.tables(agent).items()}

    def policy(self, agent: int) -> np.ndarray:
        """Return the policy of another agent, exploration included, (O_i, A_i) float64."""
        now: np.ndarray = self._envs.policy(agent)[0]
        return now

    def render(self) -> Any:
        """Return the last step: a line of text in mode "ansi", an image in "rgb_array".

        Return None in mode "human", which prints every step, and without a mode.
        """
        if self.render_mode == "rgb_array":
            return picture(self._text(), 1)
        return self._text() if self.render_mode == "ansi" else None

    def _render_step(self) -> None:
        """Print the last step in mode "human"."""
        if self.render_mode == "human":
            print(self._text())

    def _text(self) -> str:
        """Return the last step as a line of text."""
        action = self.game.actions[self.agent][self._action[0]]
        played = [(f"agent_{self.agent}", action)] if self._steps else []
        return step_as_text(self._steps, numbers_of(self._envs, 0), played, [self._reward[0]])


class GameVectorEnv(VectorEnv[np.ndarray, np.ndarray, np.ndarray]):
    """Many copies of a `GameEnv`, stepped by one compiled call.

    Parameters
    ----------
    game, agent, others, dtype
        As for `GameEnv`. Every environment has its own copies of the others. A policy
        (num_envs, O_i, A_i) has one policy for each environment.
    num_envs : int
        Number of environments, at least 1.
    render_mode : "ansi" or "rgb_array", optional
        `render` returns a tuple of the renderings of `GameEnv`, one for each environment.

    Raises
    ------
    TypeError, ValueError
        If an argument is outside its domain.

    Notes
    -----
    Environment r after ``reset(seed=s)`` is replica r of ``fastgames.run(rng=s)``: the seed is one
    int for all environments.

    When an episode ends, the next one starts in the same step (`AutoresetMode.SAME_STEP`). The
    observation is then the first of the new episode, ``infos["final_obs"]``, (num_envs,) object,
    has the last of the old one, and ``infos["_final_obs"]``, (num_envs,) bool, marks the
    environments that have one. Observations and rewards are new arrays at every step;
    `fastgames.VectorGame` avoids these copies. ``reset(options={"reset_mask": mask})`` starts
    episodes in some environments only.

    Examples
    --------
    >>> envs = GameVectorEnv("prisoners_dilemma", num_envs=3, others=np.array([0.0, 1.0]))
    >>> observations, infos = envs.reset(seed=7)
    >>> observations, rewards, terminations, truncations, infos = envs.step(np.array([0, 1, 1]))
    >>> rewards.shape
    (3,)
    """

    game: Game
    agent: int
    num_envs: int
    single_observation_space: Space[Any]
    single_action_space: Space[Any]
    observation_space: Space[Any]
    action_space: Space[Any]

    render_mode: str | None
    metadata: dict[str, Any] = {  # noqa: RUF012
        "render_modes": list(VECTOR_RENDER_MODES),
        "render_fps": 4,
        "autoreset_mode": AutoresetMode.SAME_STEP,
    }

    def __init__(
        self,
        game: Game | str,
        num_envs: int = 1,
        agent: int = 0,
        others: Any = None,
        dtype: str = "float64",
        render_mode: str | None = None,
    ) -> None:
        self.game = game_from(game)
        self.agent = checks.whole("agent", agent, f"[0, {self.game.num_agents - 1}]")
        self._envs = VectorGame(
            self.game, num_envs, None, _seats(self.game, self.agent, others), dtype
        )
        self.num_envs = self._envs.num_envs
        self.single_observation_space = Discrete(self.game.num_observations[self.agent])
        self.single_action_space = Discrete(self.game.num_actions[self.agent])
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        masks = action_masks(self.game)
        self._masks = masks and masks[self.agent]
        self._ends = self._envs.next_observations is not self._envs.observations
        self._begun = True
        self.render_mode = render_mode_from(render_mode, VECTOR_RENDER_MODES)
        self._played = np.zeros(self.num_envs, np.int64)  # last actions, for `render`
        self._steps = np.zeros(self.num_envs, np.int64)  # steps of every episode, for `render`

    def __copy__(self) -> GameVectorEnv:
        return copy.deepcopy(self)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Start an episode in every environment, or in those of a mask; return observations, infos.

        Parameters
        ----------
        seed : int, optional
            Seed in [0, 2^64), as for `GameEnv`. None with "reset_mask".
        options : dict, optional
            "reset_mask", (num_envs,) bool: True where an episode starts, everywhere by default; see
            `fastgames.VectorGame.reset`. Other keys are ignored.

        Returns
        -------
        observations : (num_envs,) int64
            Current observations of all environments, in [0, O_i).
        infos : dict
            Has "action_mask", (num_envs, A_i) int8, in games with turns.

        Raises
        ------
        TypeError, ValueError
            If the seed or the mask is outside its domain, or both are given.
        """
        seed, mask = seed_from(seed), (options or {}).get("reset_mask")
        if seed is not None and mask is not None:
            raise ValueError(f"seed must be None with 'reset_mask', got {seed}")
        if seed is not None or mask is not None or not self._begun:
            self._envs.reset(seed, mask)
        super().reset(seed=seed)
        self._begun = False
        self._steps[slice(None) if mask is None else np.asarray(mask)] = 0
        return self._envs.observations[self.agent].astype(np.int64), self._infos()

    def step(
        self, actions: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Take one step in every environment; return the five values of Gymnasium's vector API.

        Parameters
        ----------
        actions : (num_envs,) int
            Actions of the agent, in [0, A_i).

        Returns
        -------
        observations : (num_envs,) int64
            In [0, O_i); the first of the next episode if one ended.
        rewards : (num_envs,) float
            Rewards of the agent, of the environment's dtype.
        terminations, truncations : (num_envs,) bool
            True if the episode ended in a terminal state, or at the time limit.
        infos : dict
            Has "final_obs" if an episode ended, and "action_mask" in games with turns.

        Raises
        ------
        TypeError, ValueError
            If actions have another shape or type, or are outside their domain.
        """
        envs = self._envs
        checks.not_masked("actions", actions)
        actions = np.asarray(actions)
        envs.step(actions[None] if actions.ndim == 1 else actions)
        if self.render_mode is not None:
            self._played[:] = actions.reshape(-1)
            self._steps += 1
            self._steps[envs.terminated | envs.truncated] = 0
        infos = self._infos()
        if self._ends:
            self._add_final(infos)
        return (
            envs.observations[self.agent].astype(np.int64),
            envs.rewards[self.agent].copy(),
            envs.terminated.copy(),
            envs.truncated.copy(),
            infos,
        )

    def render(self) -> tuple[Any, ...] | None:
        """Return the renderings of `GameEnv`, one for each environment, or None without a mode."""
        if self.render_mode is None:
            return None
        names = self.game.actions[self.agent]
        texts = [
            step_as_text(
                steps,
                numbers_of(self._envs, env),
                [(f"agent_{self.agent}", names[self._played[env]])] if steps else [],
                [self._envs.rewards[self.agent, env]],
            )
            for env, steps in enumerate(self._steps.tolist())
        ]
        if self.render_mode == "ansi":
            return tuple(texts)
        return tuple(picture(text, 1) for text in texts)

    def _infos(self) -> dict[str, Any]:
        """Return the infos of a step: the action masks (num_envs, A_i) in games with turns."""
        if self._masks is None:
            return {}
        masks = self._masks[self._envs.moves[self.agent].astype(np.intp)]
        return {"action_mask": masks, "_action_mask": np.ones(self.num_envs, np.bool_)}

    def _add_final(self, infos: dict[str, Any]) -> None:
        """Add the last observations of the episodes that have ended to infos."""
        over = self._envs.terminated | self._envs.truncated
        if not over.any():
            return
        final = np.full(self.num_envs, None, object)
        for env in np.flatnonzero(over):
            final[env] = NUMBERS[int(self._envs.next_observations[self.agent, env])]
        infos |= {"final_obs": final, "_final_obs": over, "final_info": {}}
        infos["_final_info"] = over.copy()

    @property
    def game_seed(self) -> int:
        """Seed of the random words, as in `GameEnv`."""
        return self._envs.seed

    def tables(self, agent: int) -> dict[str, np.ndarray]:
        """Return copies of the tables of another agent by name, (num_envs, …)."""
        return self._envs.tables(agent)

    def policy(self, agent: int) -> np.ndarray:
        """Return the policies of another agent, (num_envs, O_i, A_i) float64."""
        return self._envs.policy(agent)


def _seats(game: Game, agent: int, others: Any) -> list[RuleLearner | None]:
    """Return the learner of every agent, None for the agent for which the caller acts."""
    rivals = [i for i in range(game.num_agents) if i != agent]
    if not isinstance(others, list | tuple):
        others = [others] * len(rivals)
    if len(others) != len(rivals):
        raise ValueError(
            f"others must have one entry for each other agent, {len(rivals)}, got {len(others)}"
        )
    seats: list[RuleLearner | None] = [None] * game.num_agents
    for i, other in zip(rivals, others, strict=True):
        seats[i] = _learner(other, game.num_actions[i])
    return seats


def _learner(other: Any, actions: int) -> RuleLearner:
    """Return a learner unchanged, a policy as a `FixedPolicy`, None as uniformly random play."""
    if other is None:
        return FixedPolicy(np.full(actions, 1.0 / actions))
    try:
        return one_for_each([other], 1)[0]
    except TypeError:  # not a learner, so it should be a policy
        pass
    try:
        return FixedPolicy(other)
    except (TypeError, ValueError) as error:
        raise type(error)(f"others must be learners or policies, got {other!r}; {error}") from None


def _register() -> None:
    """Register the games of the catalogue with Gymnasium."""
    for name in CATALOGUE:
        env_id = f"fastgames/{''.join(word.capitalize() for word in name.split('_'))}-v0"
        if env_id not in gymnasium.registry:
            gymnasium.register(
                env_id,
                entry_point="fastgames.envs.gymnasium:GameEnv",
                vector_entry_point="fastgames.envs.gymnasium:GameVectorEnv",
                kwargs={"game": name},
            )


_register()
