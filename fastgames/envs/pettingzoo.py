"""PettingZoo environments: the caller acts for all agents."""

from __future__ import annotations

import copy
import re
from array import array
from collections.abc import Callable
from typing import Any

import numpy as np

from fastgames._common import checks
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
from fastgames.games import Game
from fastgames.vector import VectorGame

with checks.importing("envs", "fastgames.envs.pettingzoo"):
    from gymnasium.error import ResetNeeded
    from gymnasium.spaces import Box, Discrete, Space
    from pettingzoo import AECEnv, ParallelEnv
    from pettingzoo.utils.wrappers import OrderEnforcingWrapper


def parallel_env(
    game: Game | str,
    max_cycles: int | None = None,
    render_mode: str | None = None,
    dtype: str = "float64",
) -> ParallelGame:
    """Return an environment in which all agents act simultaneously (PettingZoo's parallel API).

    Parameters
    ----------
    game : MatrixGame, MarkovGame, ProceduralGame or str
        A game, or the name of a game of the catalogue, which gets its default parameters.
    max_cycles : int, optional
        Steps after which an episode is truncated, at least 1. By default only a terminal state or
        the game's own time limit ends an episode.
    render_mode : "ansi", "human" or "rgb_array", optional
        "ansi": `render` returns a line of text for each step. "human": every step prints it.
        "rgb_array": `render` returns it as an image, (height, width, 3) uint8 (needs matplotlib,
        extra "plot").
    dtype : "float64" or "float32"
        Precision to which rewards are rounded.

    Returns
    -------
    ParallelGame
        An environment with agents "agent_0", "agent_1", … and `Discrete` spaces.

    Raises
    ------
    TypeError, ValueError
        If an argument is outside its domain.

    Examples
    --------
    >>> env = parallel_env("matching_pennies", max_cycles=100)
    >>> observations, infos = env.reset(seed=7)
    >>> env.step({"agent_0": 0, "agent_1": 1})[1]
    {'agent_0': -1.0, 'agent_1': 1.0}
    """
    return ParallelGame(game, max_cycles, render_mode, dtype)


def aec_env(
    game: Game | str,
    max_cycles: int | None = None,
    render_mode: str | None = None,
    dtype: str = "float64",
) -> OrderEnforcingWrapper[str, np.int64, Any]:
    """Return an environment in which agents act one after the other (PettingZoo's AEC API).

    In a step of the game the agents that move choose in order, without observing the choices of
    the others. Rewards follow the choice of the last agent.

    Parameters
    ----------
    game, max_cycles, render_mode, dtype
        As for `parallel_env`.

    Returns
    -------
    AECGame in an `OrderEnforcingWrapper`

    Raises
    ------
    TypeError, ValueError
        If an argument is outside its domain.

    Examples
    --------
    >>> env = aec_env("rock_paper_scissors", max_cycles=1)
    >>> env.reset()
    >>> for agent in env.agent_iter():
    ...     observation, reward, terminated, truncated, info = env.last()
    ...     print(agent, reward)
    ...     env.step(None if terminated or truncated else {"agent_0": 0, "agent_1": 1}[agent])
    agent_0 0.0
    agent_1 0.0
    agent_0 -1.0
    agent_1 1.0
    """
    return OrderEnforcingWrapper(AECGame(game, max_cycles, render_mode, dtype))


class ParallelGame(ParallelEnv[str, np.int64, Any]):
    """A game as a parallel environment of PettingZoo; see `parallel_env`.

    In games with turns, the action of an agent that does not move counts as 0.
    ``infos[agent]["action_mask"]``, (A_i,) int8, marks the actions that have an effect, in the form
    that `Discrete.sample` takes. The masks are shared: copy them before you write.

    ``reset(seed=s)`` starts at the state and with the random words of ``fastgames.run(rng=s)``.
    Without a seed the random words continue, so episodes played to their ends are those of one run.
    Copies and pickles continue from the same state, bit for bit.
    """

    game: Game
    render_mode: str | None
    possible_agents: list[str]
    observation_spaces: dict[str, Space[Any]]
    action_spaces: dict[str, Space[Any]]
    state_space: Space[Any]

    metadata: dict[str, Any] = {"render_modes": list(RENDER_MODES), "render_fps": 4}  # noqa: RUF012

    def __init__(
        self,
        game: Game | str,
        max_cycles: int | None = None,
        render_mode: str | None = None,
        dtype: str = "float64",
    ) -> None:
        self.game = game_from(game)
        self.max_cycles = max_cycles
        if max_cycles is not None:
            checks.whole("max_cycles", max_cycles, "[1, inf)")
        self.render_mode = render_mode_from(render_mode)
        self._envs = VectorGame(self.game, 1, dtype=dtype)
        self.possible_agents = [f"agent_{i}" for i in range(self.game.num_agents)]
        self.agents: list[str] = []
        self.metadata = {
            **self.metadata,
            "name": re.sub(r"\W+", "_", self.game.name.lower()) + "_v0",
            "is_parallelizable": not self.game.compact.has_turns,
        }
        self._make_spaces()
        self._make_views([0] * self.game.num_agents)
        self._begun = True  # True while the inner game is at the start of an unused episode
        self._cycles = 0

    def _make_spaces(self) -> None:
        """Set the spaces of observations, actions and the state."""
        game, agents = self.game, self.possible_agents
        self.observation_spaces = {
            a: Discrete(n) for a, n in zip(agents, game.num_observations, strict=True)
        }
        self.action_spaces = {a: Discrete(n) for a, n in zip(agents, game.num_actions, strict=True)}
        if game.num_states:
            self.state_space = Box(0, game.num_states - 1, (1,), np.int64)
        elif self._envs.reals is not None:
            shape = len(numbers_of(self._envs, 0))
            self.state_space = Box(-np.inf, np.inf, (shape,), np.float64)
        else:
            ends = np.iinfo(np.int64)
            shape = self._envs.states[0].shape
            self.state_space = Box(ends.min, ends.max, shape, np.int64)

    def _make_views(self, actions: list[int]) -> None:
        """Make the views of arrays that a step reads and writes fastest."""
        envs, agents = self._envs, self.possible_agents
        self._actions = array("q", actions)
        self._hot = (
            list(enumerate(agents)),
            self._actions,
            np.frombuffer(self._actions, np.int64)[:, None],
            envs.step,
            flag(envs.terminated),
            flag(envs.truncated),
            dict.fromkeys(agents, False),
        )
        self._seen, self._got = envs.next_observations[:, 0].tolist, envs.rewards[:, 0].tolist
        self._by_agent = _written_out(agents)
        masks = action_masks(self.game)
        self._masks = None if masks is None else list(zip(agents, masks, strict=True))

    def __getstate__(self) -> dict[str, Any]:
        views = ("_hot", "_seen", "_got", "_by_agent", "_masks")
        return {name: x for name, x in vars(self).items() if name not in views}

    def __setstate__(self, kept: dict[str, Any]) -> None:
        vars(self).update(kept)
        self._make_views(self._actions.tolist())

    def __copy__(self) -> ParallelGame:
        return copy.deepcopy(self)

    def observation_space(self, agent: str) -> Space[np.int64]:
        """Return the `Discrete` space of the agent's observations."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Space[Any]:
        """Return the `Discrete` space of the agent's actions."""
        return self.action_spaces[agent]

    @property
    def game_seed(self) -> int:
        """Seed of the random words: that of the last `reset` with a seed, or fresh entropy."""
        return self._envs.seed

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, np.int64], dict[str, dict[str, Any]]]:
        """Start an episode; return the first observations and infos by agent.

        Parameters
        ----------
        seed : int, optional
            Seed in [0, 2^64); see the class.
        options : dict, optional
            Ignored.

        Returns
        -------
        observations : dict of str to np.int64
            In [0, O_i).
        infos : dict of str to dict
            Each has "action_mask" in games with turns.

        Raises
        ------
        TypeError, ValueError
            If the seed is outside its domain.
        """
        seed = seed_from(seed)
        if seed is not None or not self._begun:
            self._envs.reset(seed)
        self._begun, self._cycles = False, 0
        self.agents = self.possible_agents[:]
        if self.render_mode == "human":
            print(self._text())
        first = self._envs.observations[:, 0].tolist()
        observations, _, infos = self._by_agent(first, self._got())
        return observations, infos if self._masks is None else self._masked()

    def step(
        self, actions: dict[str, int]
    ) -> tuple[
        dict[str, np.int64],
        dict[str, float],
        dict[str, bool],
        dict[str, bool],
        dict[str, dict[str, Any]],
    ]:
        """Take one step; return observations, rewards, terminations, truncations and infos.

        Parameters
        ----------
        actions : dict of str to int
            Action of every agent by name, in [0, A_i).

        Returns
        -------
        observations : dict of str to np.int64
            In [0, O_i); after the end of an episode those of the state reached.
        rewards : dict of str to float
            Rewards of the agents.
        terminations, truncations : dict of str to bool
            True if the episode ended in a terminal state, or by a time limit or max_cycles.
        infos : dict of str to dict
            Each has "action_mask" in games with turns while the episode runs.

        Raises
        ------
        TypeError, ValueError
            If an action is missing or outside its domain.
        gymnasium.error.ResetNeeded
            If no episode is running.
        """
        agents = self.agents
        if not agents:
            raise ResetNeeded("no episode is running; call reset()")
        order, given, as_array, step, terminated, truncated, nobody = self._hot
        try:
            for i, agent in order:
                given[i] = actions[agent]
        except (KeyError, TypeError, OverflowError) as error:
            raise _wrong(actions, agent, self.game.num_actions[i]) from error
        step(as_array)
        self._cycles += 1
        observations, rewards, infos = self._by_agent(self._seen(), self._got())
        ended, cut = terminated[0], truncated[0]
        if ended or cut:
            self._begun = True
        elif self._cycles == self.max_cycles:
            cut = True
        if self.render_mode == "human":
            print(self._text())
        if ended or cut:
            self.agents = []
            terminations, truncations = dict.fromkeys(agents, ended), dict.fromkeys(agents, cut)
            return observations, rewards, terminations, truncations, infos
        if self._masks is not None:
            infos = self._masked()
        return observations, rewards, nobody.copy(), nobody.copy(), infos

    def _masked(self) -> dict[str, dict[str, Any]]:
        """Return the infos with the action masks (A_i,) of the state, by agent."""
        assert self._masks is not None
        moves = self._envs.moves[:, 0].tolist()
        pairs = zip(self._masks, moves, strict=True)
        return {agent: {"action_mask": masks[int(moving)]} for (agent, masks), moving in pairs}

    def movers(self) -> list[str]:
        """Return the names of the agents that move in this state."""
        if self._masks is None:
            return self.possible_agents
        moves = self._envs.moves[:, 0]
        return [agent for agent, yes in zip(self.possible_agents, moves, strict=True) if yes]

    def state(self) -> np.ndarray:
        """Return the state, an element of `state_space`: (1,) int64, or (k,) of a `ProceduralGame`.

        In a game with reals it is (k + m,) float64, of whole numbers and reals.
        If the game itself ended the episode, it is the first state of the next one.
        """
        return np.array(numbers_of(self._envs, 0), self.state_space.dtype)

    def render(self) -> Any:
        """Return the last step: a line of text in mode "ansi", an image in "rgb_array".

        Return None in mode "human", which prints every step, and without a mode.
        """
        if self.render_mode == "rgb_array":
            return picture(self._text(), self.game.num_agents)
        return self._text() if self.render_mode == "ansi" else None

    def _text(self) -> str:
        """Return the last step as a line of text."""
        played = [
            (agent, names[action])
            for agent, names, action in zip(
                self.possible_agents, self.game.actions, self._actions, strict=True
            )
        ]
        numbers, shown = numbers_of(self._envs, 0), played if self._cycles else []
        return step_as_text(self._cycles, numbers, shown, self._got())

    def close(self) -> None:
        """Do nothing: the environment holds no resources."""


def _written_out(
    agents: list[str],
) -> Callable[
    [list[int], list[float]],
    tuple[dict[str, np.int64], dict[str, float], dict[str, dict[str, Any]]],
]:
    """Return a function from lists (N,) of observations and rewards to dicts by agent.

    It returns observations, rewards and empty infos. It is compiled from source text, as a
    namedtuple is, because dict(zip(…)) takes several times longer.
    """
    rows = list(enumerate(agents))
    observations = ", ".join(f"{agent!r}: n[o[{i}]]" for i, agent in rows)
    rewards = ", ".join(f"{agent!r}: r[{i}]" for i, agent in rows)
    infos = ", ".join(f"{agent!r}: {{}}" for agent in agents)
    made: Callable[..., Any] = eval(
        f"lambda o, r: ({{{observations}}}, {{{rewards}}}, {{{infos}}})", {"n": NUMBERS}
    )
    return made


def _wrong(actions: Any, agent: str, count: int) -> Exception:
    """Return the error for an action of an agent that is missing or not a whole number."""
    domain = f"actions must be a dict with a whole number in [0, {count}) for each agent"
    if not isinstance(actions, dict):
        return TypeError(f"{domain}, got {actions!r}")
    if agent not in actions:
        return ValueError(f"{domain}, got {actions!r} without {agent!r}")
    return TypeError(f"{domain}, got {actions[agent]!r} for {agent!r}")


class AECGame(AECEnv[str, np.int64, Any]):
    """A game as an AEC environment of PettingZoo, without checks of the order of calls.

    See `aec_env`, which adds a wrapper with these checks.
    """

    game: Game
    render_mode: str | None
    possible_agents: list[str]
    observation_spaces: dict[str, Space[Any]]
    action_spaces: dict[str, Space[Any]]
    state_space: Space[Any]
    agents: list[str]
    rewards: dict[str, float]
    infos: dict[str, dict[str, Any]]
    terminations: dict[str, bool]
    truncations: dict[str, bool]
    agent_selection: str

    metadata: dict[str, Any] = ParallelGame.metadata

    def __init__(
        self,
        game: Game | str,
        max_cycles: int | None = None,
        render_mode: str | None = None,
        dtype: str = "float64",
    ) -> None:
        self._env = ParallelGame(game, max_cycles, render_mode, dtype)
        self.game, self.render_mode = self._env.game, self._env.render_mode
        self.possible_agents, self.metadata = self._env.possible_agents, self._env.metadata
        self.observation_spaces = self._env.observation_spaces
        self.action_spaces = self._env.action_spaces
        self.state_space = self._env.state_space
        self.agents = []

    def __copy__(self) -> AECGame:
        return copy.deepcopy(self)

    def observation_space(self, agent: str) -> Space[np.int64]:
        """Return the `Discrete` space of the agent's observations."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Space[Any]:
        """Return the `Discrete` space of the agent's actions."""
        return self.action_spaces[agent]

    @property
    def game_seed(self) -> int:
        """Seed of the random words, as in `ParallelGame`."""
        return self._env.game_seed

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        """Start an episode; the parameters and errors are those of `ParallelGame.reset`."""
        self._observations, self.infos = self._env.reset(seed, options)
        self.agents = self._env.agents[:]
        self.rewards = dict.fromkeys(self.agents, 0.0)
        self._cumulative_rewards = dict.fromkeys(self.agents, 0.0)
        self.terminations = dict.fromkeys(self.agents, False)
        self.truncations = dict.fromkeys(self.agents, False)
        self._choices = dict.fromkeys(self.agents, 0)
        self._skip_agent_selection = None  # type: ignore[assignment]
        self._begin_cycle()
        self._accumulate_rewards()

    def _begin_cycle(self) -> None:
        """Queue the agents that move; take steps of the game while no agent moves."""
        self._waiting = self._env.movers()[::-1]
        while not self._waiting and self._env.agents:
            self._play()
            self._waiting = self._env.movers()[::-1]
        over = not self._env.agents
        self.agent_selection = self.agents[0] if over else self._waiting.pop()

    def _play(self) -> None:
        """Take one step of the game by the choices of all agents."""
        self._observations, rewards, self.terminations, self.truncations, self.infos = (
            self._env.step(self._choices)
        )
        for agent, reward in rewards.items():
            self.rewards[agent] += reward
        self._choices = dict.fromkeys(self.agents, 0)

    def step(self, action: int | None) -> None:
        """Take the action of `agent_selection`.

        Parameters
        ----------
        action : int or None
            Action in [0, A_i), or None if the agent's episode is over.

        Raises
        ------
        TypeError, ValueError
            If the action is outside its domain.
        """
        agent = self.agent_selection
        if self.terminations[agent] or self.truncations[agent]:
            self._was_dead_step(action)
            return
        count = self.game.num_actions[self.possible_agents.index(agent)]
        self._choices[agent] = checks.whole(f"action of {agent!r}", action, f"[0, {count - 1}]")
        self._cumulative_rewards[agent] = 0.0
        self._clear_rewards()
        if self._waiting:
            self.agent_selection = self._waiting.pop()
        else:
            self._play()
            self._begin_cycle()
        self._accumulate_rewards()

    def observe(self, agent: str) -> np.int64:
        """Return the agent's observation after the last step of the game, in [0, O_i)."""
        return self._observations[agent]

    def state(self) -> np.ndarray:
        """Return the state, as `ParallelGame.state` does."""
        return self._env.state()

    def render(self) -> Any:
        """Return the last step, as `ParallelGame.render` does."""
        return self._env.render()

    def close(self) -> None:
        """Do nothing: the environment holds no resources."""
