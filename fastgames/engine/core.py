"""Arguments of the compiled core: a game, its agents, and the arrays of environments.

`Lanes` (src_cy/engine.pxi) reads these fields by name, and copies them into the structs of
src_cy/block.pxi. Passes are called by their addresses; a block holds the passes.
"""

from __future__ import annotations

import math
from dataclasses import replace
from types import FunctionType
from typing import Any

import numpy as np

from fastgames._common.fields import declared
from fastgames._common.light import light_dataclass
from fastgames.engine.spec import AgentSpec, RunSpec
from fastgames.games.compact import Chances, Functions, Sum, Table
from fastgames.learners import Rules
from fastgames.record import COUNTS, Counts
from fastgames.rules import fixed, qlearning


@light_dataclass()
class CoreGame:
    """A game as the compiled core takes it.

    from_state, from_joint, table, chance_first, chance_state, chance_sum: the arrays of
        `fastgames.games.compact.Sum`, `Table` or `Chances`; None for the other forms
    start_state, start_sums: where an episode begins; running sums of its chances, or None
    terminal: (states,) uint8, or None
    time_limit: steps of an episode; 0: no limit
    rewards_by_state: whether rewards depend on the state
    variants, reward_cells: the number of games, and of rewards of one agent in each
    functions: the addresses of the passes of a procedural game, or None
    passes: these passes
    words, start_words, state_size: of a procedural game
    turns: whether a procedural game has a function `turns`
    """

    from_state: np.ndarray | None
    from_joint: np.ndarray | None
    table: np.ndarray | None
    chance_first: np.ndarray | None
    chance_state: np.ndarray | None
    chance_sum: np.ndarray | None
    start_state: int
    start_sums: np.ndarray | None
    terminal: np.ndarray | None
    time_limit: int
    rewards_by_state: bool
    variants: int
    reward_cells: int
    functions: tuple[int, ...] | None = None
    passes: tuple[Any, ...] = ()
    words: int = 0
    start_words: int = 0
    state_size: int = 0
    turns: bool = False


@light_dataclass()
class CoreAgent:
    """An agent as the compiled core takes it.

    actions, observations, discount: of the agent in its game
    choose: the `twin` of its rules
    update, bootstrap, defers, counterfactual, joint, cuts, steps, words: as in
        `fastgames.learners.Rules`
    situated, mediated: whether its rules read the step, and the mediator's word
    opponents: the agents whose tables its rules read; reads: the table that they read, "" for all
    columnar: whether its table is in columns, in a block of rows too
    learns: whether its tables change
    team: the agents of its team, or None
    draw: which built-in passes draw its words, "explore" or "unit"; None: its own rule does
    counts_visits: whether built-in passes count visits
    tables: (name, dimensions, shared) of each; whole: the names of those of whole numbers
    parameters, schedules: their names, and the kind of schedule of each
    payoffs: (variants, states or 1, joint actions) of the type of the tables
    observe, turns: (states,) what it sees, and whether it moves; None: the state, and always, or as
        functions tell
    rules: the addresses of the passes made from its rules; None: built-in ones run
    passes: these passes
    """

    actions: int
    observations: int
    discount: float
    choose: str | None
    update: str
    columnar: bool
    bootstrap: str
    learns: bool
    defers: bool
    counterfactual: bool
    joint: bool
    cuts: bool
    steps: bool
    situated: bool
    mediated: bool
    opponents: list[int]
    reads: str
    team: list[int] | None
    words: int
    draw: str | None
    counts_visits: bool
    tables: list[tuple[str, list[int], bool]]
    whole: list[str]
    parameters: tuple[str, ...]
    schedules: tuple[int, ...]
    payoffs: np.ndarray
    observe: np.ndarray | None
    turns: np.ndarray | None
    rules: tuple[int, ...] | None
    passes: tuple[Any, ...] | None


@light_dataclass()
class CoreCount:
    """A quantity that the compiled core counts, see `fastgames.record.Count`.

    dtype, dims: of its entries; their dimensions for a replica
    by_agent: whether the first dimension is the agents
    last: whether it covers the last steps only, else all
    joint, rewards: whether its pass reads the number of the joint action, and rewards
    states: whether its pass reads the state, and so runs before the game moves
    ring: whether it is a ring of the last steps, of `dims[0]` entries
    """

    dtype: np.dtype[Any]
    dims: tuple[int, ...]
    by_agent: bool
    last: bool
    joint: bool
    rewards: bool
    states: bool
    ring: bool


@light_dataclass()
class OutsideArrays:
    """Arrays in which environments write observations, rewards and ends of episodes.

    rewards: (agents, width) of the type of the tables
    observations, reached: (agents, width) int32, what agents see, and what they saw after the step
    terminated, truncated: (width,) bool
    first: the number of the first environment of a block
    """

    rewards: np.ndarray
    observations: np.ndarray
    reached: np.ndarray
    terminated: np.ndarray
    truncated: np.ndarray
    first: int = 0

    @property
    def arrays(self) -> list[np.ndarray]:
        """All arrays; observations and those reached may be the same one."""
        return [
            self.rewards, self.observations, self.reached, self.terminated, self.truncated
        ]  # fmt: skip


def core_game(spec: RunSpec) -> CoreGame:
    """Return the game of a run for the compiled core; functions are compiled."""
    compact, moves = spec.game.compact, spec.game.compact.moves
    sums, terminal = compact.start_weights, compact.terminal
    game = CoreGame(
        from_state=moves.from_state if isinstance(moves, Sum) else None,
        from_joint=moves.from_joint if isinstance(moves, Sum) else None,
        table=moves.next if isinstance(moves, Table) else None,
        chance_first=moves.first if isinstance(moves, Chances) else None,
        chance_state=moves.successor if isinstance(moves, Chances) else None,
        chance_sum=moves.cumulative if isinstance(moves, Chances) else None,
        start_state=compact.start_state,
        start_sums=None if sums is None else np.add.accumulate(sums),
        terminal=None if terminal is None else terminal.astype(np.uint8),
        time_limit=compact.time_limit,
        rewards_by_state=compact.rewards.shape[2] > 1,
        variants=compact.rewards.shape[1],
        reward_cells=math.prod(compact.rewards.shape[2:]),
    )
    if not isinstance(moves, Functions):
        return game
    from fastgames.compiler.games import passes_of

    check = _checks_indices(spec.checked, *moves.given)
    passes = passes_of(moves, spec.real, check)
    return replace(
        game,
        functions=tuple(made.address for made in passes),
        passes=passes,
        words=moves.words,
        start_words=moves.start_words,
        state_size=moves.state_size,
        turns=moves.turns is not None,
    )


def core_counts(spec: RunSpec) -> dict[str, CoreCount]:
    """Return what the compiled core counts, by name; a window stands for the last steps."""
    counts = {}
    for array in declared(Counts):
        count = COUNTS[array.name]
        if array.present(spec) and not (count.last and spec.window):
            counts[array.name] = CoreCount(
                array.type(spec), array.dims(spec), array.by_agent, count.last, count.joint,
                count.rewards, count.states, count.ring,
            )  # fmt: skip
    return counts


def core_agent(spec: RunSpec, agent: AgentSpec, columnar: bool) -> CoreAgent:
    """Return an agent of a run for the compiled core; rules without a twin are compiled.

    columnar: whether its table may be in columns
    """
    rules, compact, passes = agent.rules, spec.game.compact, _passes(spec, agent)
    return CoreAgent(
        actions=agent.actions,
        observations=agent.observations,
        discount=spec.game.discount,
        choose=rules.twin,
        update=rules.update,
        columnar=columnar and passes is None and _is_columnar(spec, agent),
        bootstrap=rules.bootstrap,
        learns=agent.learner.learns,
        defers=rules.defers,
        counterfactual=rules.counterfactual,
        joint=rules.joint,
        cuts=rules.cuts,
        steps=rules.steps,
        situated=rules.situated,
        mediated=rules.mediator,
        opponents=list(agent.opponents),
        reads=rules.reads,
        team=list(agent.team) if rules.team else None,
        words=rules.words,
        draw=_drawn(rules),
        counts_visits=passes is None and "visits" in rules.names,
        tables=[(x.name, list(agent.shapes[x.name]), x.shared) for x in rules.tables],
        whole=[x.name for x in rules.tables if x.kind == "int64"],
        parameters=rules.parameters,
        schedules=tuple(agent.schedules[name][0] for name in rules.parameters),
        payoffs=np.ascontiguousarray(compact.rewards[agent.agent], spec.real),
        observe=_row(compact.observations, agent.agent, np.int32),
        turns=_row(compact.turns, agent.agent, np.uint8),
        rules=None if passes is None else tuple(made.address for made in passes),
        passes=passes,
    )


def _is_columnar(spec: RunSpec, agent: AgentSpec) -> bool:
    """Return whether a learner with one observation does what learners in columns do."""
    rules, gamma = agent.rules, agent.values.get("gamma", 0.0)
    return (
        agent.observations == 1
        and not spec.game.compact.has_turns
        and rules.bootstrap == "max"
        and len(rules.tables) == 1
        and not (rules.defers or rules.counterfactual)
        and isinstance(gamma, float)
        and gamma == 0.0
    )


def _drawn(rules: Rules) -> str | None:
    """Return which of the built-in passes draws what the rules' `draw` does, or None."""
    if rules.draw is qlearning.draw_explore and rules.parameters[2:3] == ("epsilon",):
        return "explore"
    return "unit" if rules.draw in (qlearning.draw_unit, fixed.draw) else None


def _passes(spec: RunSpec, agent: AgentSpec) -> tuple[Any, Any] | None:
    """Return the passes made of an agent's rules, None where built-in ones run."""
    if not agent.by_rules:
        return None
    from fastgames.compiler.passes import passes_of

    sizes = agent.actions, agent.observations, len(agent.team)
    check = _checks_indices(spec.checked, agent.learner)
    theirs = tuple(spec.agents[i].rules for i in agent.opponents)
    return passes_of(agent.rules, spec.real, *sizes, check, f"learners[{agent.agent}]", theirs)


def _checks_indices(checked: bool | None, *what: Any) -> bool:
    """Return whether indices are checked in compiled functions: by default, in those of users.

    what: a learner, or the functions of a game
    """
    if checked is not None:
        return checked
    kinds = [x if isinstance(x, FunctionType) else type(x) for x in what]
    modules = [kind.__module__ or "" for kind in kinds]  # None: of executed text
    ours = all(module.split(".")[0] == "fastgames" for module in modules)
    made_of_functions = "fastgames.learners.custom" in modules
    return not ours or made_of_functions


def _row(table: np.ndarray | None, agent: int, kind: Any) -> np.ndarray | None:
    return None if table is None else np.ascontiguousarray(table[agent], kind)
