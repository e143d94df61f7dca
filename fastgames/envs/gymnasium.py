"""Gymnasium: one agent is played from outside, the others play and learn inside.

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
    picture,
    render_mode_from,
    seed_from,
    step_as_text,
)
from fastgames.games import CATALOGUE, Game
from fastgames.learners import AnyLearner, FixedPolicy
from fastgames.vector import VectorGame

with checks.importing("envs", "fastgames.envs.gymnasium"):
    import gymnasium
    from gymnasium.error import ResetNeeded
    from gymnasium.spaces import Discrete, Space
    from gymnasium.vector import AutoresetMode, VectorEnv
    from gymnasium.vector.utils import batch_space

VECTOR_RENDER_MODES = tuple(mode for mode in RENDER_MODES if mode != "human")


class GameEnv(gymnasium.Env[np.int64, Any]):
    """A game as one of its agents meets it.

    Parameters
    ----------
    game : MatrixGame, MarkovGame, ProceduralGame or str
        A str names one of the catalogue, with its default parameters.
    agent : int
        The one that acts, in [0, N).
    others : learner, policy, list or None
        Who the others are: one for all of them, or a list or tuple of one for each, in order. A
        learner plays and learns inside, as in `fastgames.run`. A policy, an array (A_i,) or
        (O_i, A_i) or what ``result.agent(i)`` gives, is played as it is. None: uniformly at random.
    render_mode : "ansi", "human" or "rgb_array", optional
        A line of text for each step: returned by `render`, or printed. "rgb_array": `render`
        returns it as a picture, (height, width, 3) uint8 (needs matplotlib, extra "plot").
    dtype : "float64" or "float32"
        Of rewards and of tables inside.

    Raises
    ------
    TypeError, ValueError
        If an argument is outside its domain.

    Notes
    -----
    ``reset(seed=s)`` begins everything anew: the state, learners and random words are those of
    replica 0 of ``fastgames.run(rng=s)``. Without a seed the random words go on, and the others
    keep what they have learnt. Copies and pickles go on from where it stands, with the same bits.

    Where it is not the agent's turn, its action counts as 0, and ``info["action_mask"]``, (A_i,)
    int8, says which actions make a difference. Reaching a terminal state terminates an episode, the
    game's time limit truncates it; most games have neither: ``gymnasium.make(…,
    max_episode_steps=…)`` cuts them.

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
        self.agent = checks.whole("agent", agent, 0, self.game.num_agents - 1)
        self.render_mode = render_mode_from(render_mode)
        self._envs = VectorGame(self.game, 1, None, _seats(self.game, self.agent, others), dtype)
        self.observation_space = Discrete(self.game.num_observations[self.agent])
        self.action_space = Discrete(self.game.num_actions[self.agent])
        masks = action_masks(self.game)
        self._masks = masks and masks[self.agent]
        self._make_views(0)
        self._begun = True  # whether an episode of which no step is taken stands ready
        self._running = False
        self._steps = 0

    def _make_views(self, action: int) -> None:
        """Make what a step reads and writes, in the forms in which that takes the least time."""
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
        """Begin an episode; the observation and info.

        seed: in [0, 2^64); see the class. options: there are none.
        """
        seed = seed_from(seed)
        super().reset(seed=seed)
        if seed is not None or not self._begun:
            self._envs.reset(seed)
        self._begun, self._running, self._steps = False, True, 0
        self._render_step()
        return NUMBERS[int(self._envs.observations[self.agent, 0])], self._info()

    def step(self, action: int) -> tuple[np.int64, float, bool, bool, dict[str, Any]]:
        """One step: observation, reward, terminated, truncated and info.

        Raises TypeError or ValueError if the action is outside its domain, and
        `gymnasium.error.ResetNeeded` where no episode has begun.
        """
        if not self._running:
            raise ResetNeeded("the episode is over, or none has begun: call reset()")
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
        if self._masks is None or not self._running:
            return {}
        return {"action_mask": self._masks[self._envs.states[0]].copy()}

    @property
    def game_seed(self) -> int:
        """That of the last `reset` with a seed, or fresh entropy."""
        return self._envs.seed

    def tables(self, agent: int) -> dict[str, np.ndarray]:
        """The tables of one of the others by name, such as (O_i, A_i); copies."""
        return {name: table[0] for name, table in self._envs.tables(agent).items()}

    def policy(self, agent: int) -> np.ndarray:
        """What one of the others would play now, exploration included: (O_i, A_i) float64."""
        now: np.ndarray = self._envs.policy(agent)[0]
        return now

    def render(self) -> Any:
        """Return the last step: a line of text in mode "ansi", a picture in "rgb_array".

        None in mode "human", which prints every step, or without a mode.
        """
        if self.render_mode == "rgb_array":
            return picture(self._text(), 1)
        return self._text() if self.render_mode == "ansi" else None

    def _render_step(self) -> None:
        if self.render_mode == "human":
            print(self._text())

    def _text(self) -> str:
        action = self.game.actions[self.agent][self._action[0]]
        played = [(f"agent_{self.agent}", action)] if self._steps else []
        return step_as_text(
            self._steps, self._envs.states[0].reshape(-1), played, [self._reward[0]]
        )


class GameVectorEnv(VectorEnv[np.ndarray, np.ndarray, np.ndarray]):
    """Many copies of a game as one of its agents meets it, stepped by one compiled call.

    Parameters
    ----------
    game, agent, others, dtype
        As for `GameEnv`. Every environment has others of its own. A policy (num_envs, O_i, A_i)
        has one for each environment.
    num_envs : int
        At least 1.
    render_mode : "ansi" or "rgb_array", optional
        `render` returns a tuple of what `GameEnv` renders, one for each environment.

    Raises
    ------
    TypeError, ValueError
        If an argument is outside its domain.

    Notes
    -----
    Environment r with ``reset(seed=s)`` is replica r of ``fastgames.run(rng=s)``: the seed is one
    int, not one for each environment.

    An episode that is over is followed by the next in the same step (`AutoresetMode.SAME_STEP`):
    the observation is its first, ``infos["final_obs"]``, (num_envs,) object, has what was reached,
    ``infos["_final_obs"]``, (num_envs,) bool, says where. Observations and rewards are new arrays
    at every step; `fastgames.VectorGame` does without.

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
        self.agent = checks.whole("agent", agent, 0, self.game.num_agents - 1)
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
        self._played = np.zeros(self.num_envs, np.int64)  # for `render`: the last actions,
        self._steps = np.zeros(self.num_envs, np.int64)  # and the steps of every episode

    def __copy__(self) -> GameVectorEnv:
        return copy.deepcopy(self)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin an episode in every environment; observations (num_envs,) int64, and infos.

        seed: in [0, 2^64); as in `GameEnv`. options: there are none; a "reset_mask" is refused.
        """
        if options and "reset_mask" in options:
            raise ValueError("options must not have a reset_mask: episodes follow by themselves")
        seed = seed_from(seed)
        super().reset(seed=seed)
        if seed is not None or not self._begun:
            self._envs.reset(seed)
        self._begun = False
        self._steps[:] = 0
        return self._envs.observations[self.agent].astype(np.int64), self._infos()

    def step(
        self, actions: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """One step in every environment by actions (num_envs,) int.

        Returns observations int64, rewards, terminations and truncations bool, (num_envs,), and
        infos.

        Raises TypeError or ValueError if actions are of another form or out of range.
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
        """Return what `GameEnv.render` does of every environment, or None without a mode."""
        if self.render_mode is None:
            return None
        names, states = self.game.actions[self.agent], self._envs.states
        texts = [
            step_as_text(
                steps,
                states[env].reshape(-1),
                [(f"agent_{self.agent}", names[self._played[env]])] if steps else [],
                [self._envs.rewards[self.agent, env]],
            )
            for env, steps in enumerate(self._steps.tolist())
        ]
        if self.render_mode == "ansi":
            return tuple(texts)
        return tuple(picture(text, 1) for text in texts)

    def _infos(self) -> dict[str, Any]:
        if self._masks is None:
            return {}
        masks = self._masks[self._envs.states]
        return {"action_mask": masks, "_action_mask": np.ones(self.num_envs, np.bool_)}

    def _add_final(self, infos: dict[str, Any]) -> None:
        """Where an episode is over, what it reached."""
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
        """As in `GameEnv`."""
        return self._envs.seed

    def tables(self, agent: int) -> dict[str, np.ndarray]:
        """The tables of one of the others by name, (num_envs, …), copies."""
        return self._envs.tables(agent)

    def policy(self, agent: int) -> np.ndarray:
        """What one of the others would play now: (num_envs, O_i, A_i) float64."""
        return self._envs.policy(agent)


def _seats(game: Game, agent: int, others: Any) -> list[AnyLearner | None]:
    """Who sits where; None where actions come from outside."""
    rivals = [i for i in range(game.num_agents) if i != agent]
    if not isinstance(others, list | tuple):
        others = [others] * len(rivals)
    if len(others) != len(rivals):
        raise ValueError(
            f"others must be one, or a list of one for each of {len(rivals)}, got {len(others)}"
        )
    seats: list[AnyLearner | None] = [None] * game.num_agents
    for i, other in zip(rivals, others, strict=True):
        seats[i] = _learner(other, game.num_actions[i])
    return seats


def _learner(other: Any, actions: int) -> AnyLearner:
    """A learner as it is, a policy as a `FixedPolicy`."""
    if other is None:
        return FixedPolicy(np.full(actions, 1.0 / actions))
    try:
        return one_for_each([other], 1)[0]
    except TypeError:  # no learner
        pass
    try:
        return FixedPolicy(other)
    except (TypeError, ValueError) as error:
        raise type(error)(f"others must be learners or policies, got {other!r}; {error}") from None


def _register() -> None:
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
