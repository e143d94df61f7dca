"""`RunSpec`: the checked arguments of a run in one object, and values derived from them."""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from fastgames._common.light import light_dataclass
from fastgames.games import Game
from fastgames.games.compact import Chances, Functions, Sum
from fastgames.learners import RuleLearner, Rules
from fastgames.record import Record
from fastgames.schedules import EXPONENTIAL, Numeric, Parts, parts, with_numbers
from fastgames.stop import Stable

if TYPE_CHECKING:
    from fastgames.engine.parts import Part
    from fastgames.grids import Grid


@light_dataclass(frozen=True)
class RunSpec:
    """The arguments of a run, checked by `engine.arguments`.

    Attributes
    ----------
    game : Game
    learners : tuple of learners
        One for each agent.
    replicas : int
        At least 1.
    dtype : str
        The type of the tables, "float64" or "float32".
    stream : str
        "fastgames" or "numpy".
    record : Record
    stop : Stable or None
    steps : int
        Game steps that the call adds to each replica.
    backend : str
        "auto", "cython", "numba" or "reference".
    threads : int
        The largest number of threads to use.
    checked : bool or None
        Whether indices and tables are checked; None: indices in functions of users.
    grid : Grid or None
        What the replicas differ in.
    start_states : array or None
        The state of each replica before its first step; None: as the game says.
    start_tables : list of dict, or None
        For each agent, tables by name that replace its own before the first step of the call.
    reset : dict or None
        What begins anew where a run resumes: "tables", "schedules" or "both", by agent.
    part : Part or None
        The replicas of the whole run that these are; None: all.
    opening : (replicas, K, N) int32 array, or None
        The joint actions of the first K steps of the call.
    opening_steps : int
        K, or that of an opening in which a resumed run stands; 0: none.
    kept : bool
        Whether finished replicas lose their tables and all that only serves to go on.
    """

    game: Game
    learners: tuple[RuleLearner, ...]
    replicas: int = 1
    dtype: str = "float64"
    stream: str = "fastgames"
    record: Record = Record()
    stop: Stable | None = None
    steps: int = 1
    backend: str = "auto"
    threads: int = 1
    checked: bool | None = None
    grid: Grid | None = None
    start_states: np.ndarray | None = None
    start_tables: list[dict[str, np.ndarray]] | None = None
    reset: dict[int, str] | None = None
    part: Part | None = None
    opening: np.ndarray | None = None
    opening_steps: int = 0
    kept: bool = False

    @cached_property
    def real(self) -> np.dtype[Any]:
        """The type of the tables."""
        return np.dtype(self.dtype)

    @cached_property
    def agents(self) -> tuple[AgentSpec, ...]:
        """The specification of each agent."""
        return tuple(AgentSpec(self, i) for i in range(len(self.learners)))

    @cached_property
    def functions(self) -> Functions | None:
        """The functions of a procedural game, None for games of tables."""
        moves = self.game.compact.moves
        return moves if isinstance(moves, Functions) else None

    @cached_property
    def roles(self) -> int:
        """Random streams of a replica: one for each agent, and one for nature if it draws."""
        return self.game.num_agents + nature_draws(self.game)

    @cached_property
    def mediated(self) -> bool:
        """True if a learner asks for the mediator, whose stream is that of role N + 1."""
        return not self.kept and any(learner.rules.mediator for learner in self.learners)

    @property
    def window(self) -> int:
        """Steps that the window of a replica holds; 0 if it has none.

        A replica that may stop at any time keeps its last steps until it is known which they are.
        """
        return 0 if self.stop is None or self.kept else self.record.last or 0

    @cached_property
    def in_columns(self) -> bool:
        """True if compiled blocks have columns: one state, several agents, simple learners."""
        compact = self.game.compact
        return (
            not any(agent.by_rules for agent in self.agents)
            and self.stop is None
            and self.opening_steps == 0
            and self.functions is None
            and compact.num_states == 1
            and self.game.num_agents > 1  # the kernels of columns combine the actions of two agents
            and compact.rewards.shape[1] == 1
            and isinstance(compact.moves, Sum)
            and compact.turns is compact.terminal is compact.observations is None
            and not compact.time_limit
            and all(
                agent.rules.bootstrap == "max"
                and agent.rules.twin != "outside"
                and agent.rules.names != ("q", "visits")
                and not (agent.rules.defers or agent.rules.counterfactual)
                for agent in self.agents
            )
        )

    @property
    def cells(self) -> int:
        """The number of different cells of a window, see `State.window`."""
        if self.functions is not None:
            return min(math.prod(self.game.num_actions), 2**31)
        return math.prod(self.game.compact.rewards.shape[2:])


class AgentSpec:
    """The specification of one agent in a run.

    Attributes
    ----------
    agent, actions, observations : int
        Its number, and how many actions and observations it has.
    learner : learner
    rules : Rules
    by_rules : bool
        Whether passes made from its rules run, and not their twins.
    values : dict of str to number, array or schedule
        Its numeric parameters by the names that its rules use.
    schedules : dict of str to Parts
        The same as the engine holds them.
    team : tuple of int
        The agents that learn as one with it, itself included, ascending.
    opponents : tuple of int
        The agents whose tables its rules read, ascending.
    waits : bool
        Whether it may have a move from which it has not learnt yet.
    replicas, dtype
        Those of the run.
    given : dict of str to array
        The tables that the call gives, each to be broadcast to (replicas, *dimensions).
    resets_tables, resets_schedules : bool
        Whether they begin anew where a run resumes.
    kept : bool
        Whether finished replicas lose their tables.
    """

    agent: int
    actions: int
    observations: int
    learner: RuleLearner
    rules: Rules
    by_rules: bool
    values: dict[str, Numeric]
    schedules: dict[str, Parts]
    team: tuple[int, ...]
    opponents: tuple[int, ...]
    waits: bool
    replicas: int
    dtype: str
    given: dict[str, np.ndarray]
    resets_tables: bool
    resets_schedules: bool
    kept: bool

    def __init__(self, spec: RunSpec, agent: int) -> None:
        game, learner = spec.game, spec.learners[agent]
        self.agent, self.learner, self.rules = agent, learner, learner.rules.in_game(game)
        read = any(other.rules.opponents for other in spec.learners)  # tables of built-in passes
        read = read and self.rules.twin != "outside"  # are padded
        self.by_rules = spec.backend == "numba" or self.rules.twin is None or read
        self.actions, self.observations = game.num_actions[agent], game.num_observations[agent]
        self.values = learner.values(game.discount)
        numbers = with_numbers(self.values)
        self.schedules = {name: parts(value) for name, value in numbers.items()}
        self.team = members(spec.learners, agent)
        others = range(len(spec.learners)) if self.rules.opponents else ()
        self.opponents = tuple(i for i in others if i not in self.team)
        turns = game.compact.has_turns and not self.rules.steps
        self.waits = learner.learns and (turns or self.rules.defers) and not spec.kept
        self.replicas, self.dtype, self.kept = spec.replicas, spec.dtype, spec.kept
        self._game = game
        self.given = spec.start_tables[agent] if spec.start_tables else {}
        part = (spec.reset or {}).get(agent)
        self.resets_tables = part in ("tables", "both")
        self.resets_schedules = part in ("schedules", "both")

    @property
    def first(self) -> bool:
        """True for the first of its team, which holds the shared tables."""
        return self.agent == self.team[0]

    @property
    def exponentials(self) -> list[str]:
        """The parameters with an exponential schedule."""
        return [name for name, (kind, _) in self.schedules.items() if kind == EXPONENTIAL]

    @cached_property
    def starts(self) -> dict[str, np.ndarray]:
        """The initial values of its tables, each to be broadcast to (replicas, *dimensions)."""
        return self.learner.start(self._game, self.agent) | self.given

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The dimensions of each of its tables in a replica, by name."""
        return {x.name: x.shape(self._game, self.agent, self.team) for x in self.rules.tables}

    def table_bytes(self, names: tuple[str, ...] | None = None) -> int:
        """Return the bytes of its tables in a replica; names: of these only.

        What a team shares counts for its first member.
        """
        return sum(
            math.prod(self.shapes[table.name]) * table.dtype(self.dtype).itemsize
            for table in self.rules.tables
            if (names is None and (self.first or not table.shared))
            or (names is not None and table.name in names)
        )


def members(learners: tuple[RuleLearner, ...], agent: int) -> tuple[int, ...]:
    """Return the agents of an agent's team: those with an equal learner; without a team, itself."""
    if not learners[agent].rules.team:
        return (agent,)
    mine = learners[agent]
    return tuple(i for i, other in enumerate(learners) if other is mine or other == mine)


def nature_draws(game: Game) -> bool:
    """Return whether anything in a game is left to chance."""
    compact, moves = game.compact, game.compact.moves
    if isinstance(moves, Functions):
        return moves.words > 0 or moves.start_words > 0
    return isinstance(moves, Chances) or compact.start_weights is not None
