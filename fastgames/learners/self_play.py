"""Self-play: one set of tables for all seats of a symmetric game, and a pool of its own past."""

from __future__ import annotations

import functools
import types
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from fastgames._common.later import cached
from fastgames.games import Game, ProceduralGame
from fastgames.games.symmetry import asymmetry
from fastgames.learners._names import MODULES
from fastgames.learners.base import Example, RuleLearner
from fastgames.learners.fields import Form, flag, text, whole
from fastgames.learners.qlearner import QLearner
from fastgames.learners.rules import Rules, Table, named
from fastgames.rules.choice import unit
from fastgames.rules.episodes import inside
from fastgames.rules.outcome import Outcome
from fastgames.schedules import limits

if TYPE_CHECKING:
    from fastgames.rules.outcome import TeamOutcome
    from fastgames.schedules import Numeric


#: What the rules of a learner must not ask for, and why.
_REFUSED = {
    "team": "controls several agents",
    "joint": "learns from what each of the others does",
    "opponents": "reads the tables of the others",
}


def _check_learner(name: str, value: Any) -> RuleLearner:
    """Return a registered learner that learns from its own rewards; raise for anything else."""
    if not isinstance(value, RuleLearner) or type(value).__name__ not in MODULES:
        raise TypeError(f"{name} must be a registered learner such as QLearner(), got {value!r}")
    for asks, why in _REFUSED.items():
        if getattr(value.rules, asks):
            raise ValueError(
                f"{name} must be one that learns from its own rewards, such as QLearner(), got "
                f"{value!r}, which {why}"
            )
    if not value.learns:
        raise ValueError(f"{name} must be one that learns, such as QLearner(), got {value!r}")
    return value


@dataclass(frozen=True, eq=False, repr=False)
class SelfPlay(RuleLearner):
    """Self-play: one set of tables, from which all seats of a symmetric game play and learn.

    All agents with equal learners play from the same tables. In every step they choose in turn, the
    game moves, and the tables learn by the rule of `learner` from the outcome of each seat, in the
    order of the agents.

    With a pool, the first seat plays the current tables, and only its outcomes are learned. Every
    other seat plays a frozen copy of past tables, which it draws from the pool with equal
    probabilities, anew when an episode ends, when a copy is added, and in every step in which gamma
    is 0. The pool starts with the initial tables. A copy of the current tables is added every
    `interval` steps; once there are `pool` copies, it replaces the oldest one. The policy of every
    seat in results is that of the current tables.

    Parameters
    ----------
    learner : RuleLearner
        The learner whose tables and rules all seats share: one that learns from its own rewards,
        such as `QLearner`, with its parameters.
    pool : int
        The number of past copies of the tables to play against, in [0, 10000]. 0: all seats play
        the current tables.
    interval : int
        The number of steps between two copies for the pool, in [1, 2^53). In games with turns,
        steps in which a seat moves.
    unchecked : bool
        Accept a game of functions, whose symmetry cannot be checked.
    label : str
        The label of the team, which distinguishes teams with otherwise equal learners.

    Raises
    ------
    TypeError
        If learner is not a registered learner.
    ValueError
        If learner never learns, controls a team, learns from the others' actions or reads their
        tables, or if a number is outside of its domain. `fastgames.run` raises ValueError if the
        game is not symmetric, or is of functions and `unchecked` is False; if a learner that
        collects the moves of an episode, such as `Reinforce`, has a positive gamma.

    Notes
    -----
    Tables: those of `learner`, one array for all seats. "open_moves", (replicas, seats, 2) int64,
    and "open_returns", (replicas, seats, 2), have 1 + the observation and the action of a move from
    which a seat has not learnt yet (0: there is none), its discounted rewards and the factor of the
    next value; they are used in games with turns and by learners such as `Sarsa`. With a pool there
    are also "past_NAME", (replicas, pool, ...), for every table NAME; "updates", (replicas, 1)
    int64, the steps learned from; and "copy", (replicas, 1) int64 for each seat, 1 + the entry of
    the pool that it plays, 0 if it plays the current tables. Random words per step: those of
    `learner`, and one more with a pool.

    A game is symmetric if it stays the same when agents change places: they have equal numbers of
    actions and observations, and each gets in its new place what it got in the old one. Payoffs are
    compared up to 1e-9 of the largest one. In a Markov game, states change along with the places:
    the state that belongs to s is the one in which each agent observes what the agent in its place
    observed in s, so observations must be each agent's own view of the state. Transitions, turns
    and terminal states must then be equal as well; the start of episodes need not be. Functions are
    not compared, since their states have no known form: `fastgames.tabulate` makes a game of
    tables, or set `unchecked`.

    Source: Samuel, Some Studies in Machine Learning Using the Game of Checkers, IBM Journal 3
    (1959); with a pool Bansal et al., Emergent Complexity via Multi-Agent Competition, ICLR 2018,
    section 3.2.

    Examples
    --------
    >>> import fastgames as fg
    >>> learner = fg.SelfPlay(fg.QLearner(0.1), pool=4, interval=3)
    >>> game = fg.games.rock_paper_scissors()
    >>> result = fg.run(game, learner, 9, 2, rng=1, backend="reference")
    >>> result.tables[1]["q"] is result.tables[0]["q"]
    True
    >>> result.tables[0]["past_q"].shape
    (2, 4, 1, 3)
    """

    learner: Any = field(
        default_factory=QLearner, metadata={"form": Form("learner", _check_learner)}
    )
    pool: int = whole(0, "[0, 10000]")
    interval: int = whole(1000, "[1, 2^53)")
    unchecked: bool = flag()
    label: str = text()

    name = "self_play"
    title = "Self-play"
    formula = (
        r"Q(o_i,a_i) \leftarrow Q(o_i,a_i) + \alpha\,\bigl[\,r_i + \gamma \max_{a'} Q(o'_i,a') - "
        r"Q(o_i,a_i)\,\bigr] \quad \text{for each seat } i, \text{ or the rule of another learner}"
    )
    example: ClassVar[Example] = Example(
        "rock_paper_scissors()",
        "fg.SelfPlay(fg.QLearner(0.05, explore=fg.Softmax(0.5)), pool=10, interval=100)",
        says="Against a pool of its past, the policy does not circle as far from uniform play.",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        self.__dict__["batch"] = self.learner.batch

    @cached
    def rules(self) -> Rules:
        """Rules of this learner."""
        return _rules(self.learner.rules, self.pool, self.interval if self.pool else 1)

    @property
    def least_steps(self) -> int:
        """The steps before its first update, at least."""
        steps: int = self.learner.least_steps
        return steps

    def values(self, discount: float) -> dict[str, Numeric]:
        """Return the numeric parameters by their names in the rules; discount: the game's."""
        values: dict[str, Numeric] = self.learner.values(discount)
        return values

    def _visits(self) -> dict[str, Any]:
        """Return no parameters that count visits: the rules of `learner` count them."""
        return {}

    def start(self, game: Game, agent: int) -> dict[str, np.ndarray]:
        """Return initial tables by name, each broadcastable to (replicas, *dimensions)."""
        actions = game.num_actions[agent]
        given = {table.name: table.start(actions) for table in self.rules.tables}
        own: dict[str, np.ndarray] = self.learner.start(game, agent)
        if self.pool:
            for name, rank in ((x.name, len(x.dims)) for x in self.learner.rules.tables):
                start = np.asarray(own[name])
                given[f"past_{name}"] = start if start.ndim <= rank else start[:, None]
        return given | own

    def check(self, game: Game, agent: int) -> None:
        """Raise ValueError if the game is not symmetric, or `learner` does not fit it."""
        inner = getattr(self.learner, "check", None)
        if inner is not None:
            inner(game, agent)
        gamma = self.values(game.discount).get("gamma", game.discount)
        most = max((float(np.max(end)) for end in limits(gamma)), default=1.0)
        if self.learner.rules.cuts and most > 0.0:
            raise ValueError(
                f"gamma of {self.learner.name!r} must be 0 in SelfPlay, got up to {most:g}: it "
                "collects the moves of one agent's episode in its tables, which all seats share; "
                "use a learner that learns from each move, such as ActorCritic"
            )
        if isinstance(game, ProceduralGame):
            _check_functions(game, self.unchecked)
            return
        found = asymmetry(game)
        if found:
            raise ValueError(f"game must be symmetric for SelfPlay, got {game.name!r}: {found}")


def _check_functions(game: ProceduralGame, unchecked: bool) -> None:
    """Raise ValueError unless agents of a game of functions may be alike and `unchecked` is set."""
    for name in ("num_actions", "num_observations"):
        counts = getattr(game, name)
        if len(set(counts)) > 1:
            raise ValueError(
                f"{name} of game must be equal for all agents for SelfPlay, got {counts} in "
                f"{game.name!r}"
            )
    if not unchecked and game.num_agents > 1:
        raise ValueError(
            "game must be a game of tables for SelfPlay, whose symmetry can be checked, got "
            f"{game.name!r}, a game of functions; use fastgames.tabulate(game), or set "
            "unchecked=True if you know that the game is symmetric"
        )


# --- tables and rules, made from those of the learner ---------------------------------------------


@functools.lru_cache(maxsize=64)  # equal learners have equal rules
def _rules(inner: Rules, pool: int, interval: int) -> Rules:
    """Return the rules of self-play by the rules `inner`; pool: 0, or the size of the pool."""
    used: dict[str, Any] = {"rule": inner.learn, "defers": inner.defers, "cuts": inner.cuts}
    used["column"] = _column if inner.counterfactual else _no_column
    tables = [*(_shared(table) for table in inner.tables), *_OPEN]
    draw, choose, words, signals = inner.draw, inner.choose, inner.words, inner.signals
    if pool:
        tables += [_past(table, pool) for table in inner.tables]
        tables += [_UPDATES, _COPY]
        of_pool = {"pool": pool, "interval": interval, "keep": _keep(inner)}
        of_pool["first"] = _first_signal if inner.num_signals else _signal
        used["turn_over"] = _bound(turn_over_pool, of_pool)
        used["seats"] = _first_seat
        used["signal"] = _inner_signal(inner.num_signals)
        draw, choose, words = _draw(inner), _choose(inner), words + 1
        signals = inner.num_signals + 1
    used["update"] = _bound(update, used)
    waiting = _bound(wait, used)
    return Rules(
        parameters=inner.parameters,
        tables=tuple(tables),
        draw=draw,
        choose=choose,
        learn=waiting if inner.defers else _bound(learn, used),
        policy=inner.policy,
        words=words,
        signals=signals,
        counterfactual=inner.counterfactual,
        mediator=inner.mediator,
        cuts=True,
        team=True,
        distributions=inner.distributions,
        derived=inner.derived,
        derive=inner.derive,
        learn_in_turns=waiting,
    )


_OPEN = (
    Table("open_moves", ("agents", 2), "int64", shared=True),
    Table("open_returns", ("agents", 2), shared=True),
)
_UPDATES = Table("updates", (1,), "int64", shared=True)
_COPY = Table("copy", (1,), "int64")


def _shared(table: Table) -> Table:
    """Return the declaration of a table as one that all seats share."""
    return Table(table.name, table.dims, table.kind, table.initial, shared=True)


def _past(table: Table, pool: int) -> Table:
    """Return the declaration of the past copies of a table."""
    return Table(f"past_{table.name}", (pool, *table.dims), table.kind, table.initial, shared=True)


def _bound(function: Any, used: dict[str, Any]) -> Any:
    """Return a copy of a function of this module that reads these names from outside."""
    code: types.CodeType = function.__code__
    made = types.FunctionType(code, function.__globals__ | used, function.__name__)
    made.__module__ = __name__
    return made


def _written(name: str, source: str, used: dict[str, Any]) -> Any:
    """Return the function of a source; it reads these names from outside."""
    names = {"__name__": __name__, **used}
    exec(compile(source, "<self-play>", "exec"), names)
    return names.pop(name)


def _draw(inner: Rules) -> Any:
    """Return the rule that draws a number in [0, 1) for the pool, then the learner's signals."""
    words, count = inner.words, inner.num_signals
    given = "u[1]" if words == 1 else "(" + "".join(f"u[{w + 1}], " for w in range(words)) + ")"
    own = "".join(f"drawn[{k}], " for k in range(count)) if count > 1 else "drawn, " * count
    source = (
        "def draw(u, p, actions, real):\n"
        + (f"    drawn = rule({given}, p, actions, real)\n" if words else "")
        + (f"    return unit(u[0], real), {own}\n" if words else "    return unit(u, real)\n")
    )
    return _written("draw", source, {"rule": inner.draw, "unit": unit})


def _choose(inner: Rules) -> Any:
    """Return the rule that chooses from the current tables or from an entry of the pool."""
    count, own = len(inner.tables), inner.num_signals
    copied = "".join(f"tables[{count + len(_OPEN) + k}][copy], " for k in range(count))
    current = "".join(f"tables[{k}], " for k in range(count))
    signal = {0: "real(0.0)", 1: "signal[1]"}.get(own, "signal[1:]")
    last = ", situation" if inner.situated else ""
    source = (
        f"def choose(tables, p, o, signal{last}):\n"
        "    real = tables[0].dtype.type\n"
        f"    own = {signal}\n"
        "    if tables.copy[0] == 0:\n"
        f"        return rule(Tables({current}), p, o, own{last})\n"
        f"    copy = inside(tables.copy[0] - 1, tables[{count + len(_OPEN)}].shape[0])\n"
        f"    return rule(Tables({copied}), p, o, own{last})\n"
    )
    used = {"rule": inner.choose, "Tables": named("Tables", inner.names), "inside": inside}
    return _written("choose", source, used)


def _keep(inner: Rules) -> Any:
    """Return the function that writes the current tables into an entry of the pool."""
    count = len(inner.tables)
    lines = [f"    tables[{count + len(_OPEN) + k}][entry] = tables[{k}]\n" for k in range(count)]
    return _written("keep", "def keep(tables, entry):\n" + "".join(lines), {})


def _column(t: TeamOutcome, m: int) -> Any:
    """Return the rewards that each action of a seat would have received."""
    return t.columns[m]


def _no_column(t: TeamOutcome, m: int) -> Any:
    """Return None: the learner does not ask for counterfactual rewards."""
    return None


def _signal(t: TeamOutcome, m: int) -> Any:
    """Return the signals of a seat, without a pool."""
    return t.signals[m]


def _first_signal(t: TeamOutcome, m: int) -> Any:
    """Return the signal of the pool, before those of the learner."""
    return t.signals[m][0]


def _second_signal(t: TeamOutcome, m: int) -> Any:
    """Return the one signal of the learner, after that of the pool."""
    return t.signals[m][1]


def _further_signals(t: TeamOutcome, m: int) -> Any:
    """Return the signals of the learner, after that of the pool."""
    return t.signals[m][1:]


def _inner_signal(count: int) -> Any:
    """Return the function that returns the learner's signals with a pool, of this number."""
    return {0: _signal, 1: _second_signal}.get(count, _further_signals)


def _all_seats(t: TeamOutcome) -> int:
    """Return the number of seats that learn without a pool: all."""
    return len(t.observations)


def _first_seat(t: TeamOutcome) -> int:
    """Return the number of seats that learn with a pool: the first."""
    return 1


def _no_pool(tables: Any, t: TeamOutcome) -> None:
    """Do nothing: all seats play the current tables."""


# What the functions below read from outside; `_bound` replaces it.
rule: Any = None  # `learn` of the learner
column: Any = _no_column
signal: Any = _signal
seats: Any = _all_seats
turn_over: Any = _no_pool
keep: Any = None
first: Any = None  # the number in [0, 1) for the pool
defers = cuts = False
pool = interval = 1


def turn_over_pool(tables: Any, t: TeamOutcome) -> None:
    """Count the step, add the current tables to the pool if it is time, and draw the copies."""
    tables.updates[0] += 1
    taken = tables.updates[0] // interval
    added = tables.updates[0] % interval == 0
    if added:
        keep(tables, taken % pool)
    if added or t.ended or t.truncated or t.weight == 0.0:
        count = min(taken + 1, pool)
        for m in range(1, len(t.observations)):
            tables.copy[m][0] = 1 + min(int(float(first(t, m)) * float(count)), count - 1)


def learn(tables: Any, p: Any, t: TeamOutcome) -> None:
    """Learn from the outcome of every seat that learns, in order."""
    for m in range(seats(t)):
        outcome = Outcome(
            t.observations[m], t.actions[m], t.rewards[m], t.weight, t.next_observations[m], -1,
            t.ended, column(t, m), signal(t, m), m, None, None, -1, t.truncated, t.word, None, None,
        )  # fmt: skip
        rule(tables, p, outcome)
    turn_over(tables, t)


def wait(tables: Any, p: Any, t: TeamOutcome) -> None:
    """Learn as `learn` does where a seat's move waits for its next turn or its next action.

    This is what the engine does for an agent that learns by itself.
    """
    real = tables[0].dtype.type
    for m in range(seats(t)):
        move, returns = tables.open_moves[m], tables.open_returns[m]
        if defers and move[0] > 0 and t.moves[m]:
            update(tables, p, t, m, t.observations[m], t.actions[m], False, False)
        if t.moves[m]:
            move[0], move[1] = t.observations[m] + 1, t.actions[m]
            returns[0], returns[1] = real(0.0), real(1.0)
        if move[0] > 0:
            returns[0] = returns[0] + returns[1] * t.rewards[m]
            returns[1] = returns[1] * t.weight
            if t.ended or (t.next_moves[m] and (t.truncated or not defers)):
                update(tables, p, t, m, t.next_observations[m], -1, t.ended, t.truncated)
            elif t.truncated and cuts:
                update(tables, p, t, m, -1, -1, False, True)
            elif t.truncated:
                move[0] = 0  # cut before its next turn: the return of the move is not known
    turn_over(tables, t)


def update(
    tables: Any, p: Any, t: TeamOutcome, m: int, o2: int, a2: int, ended: bool, truncated: bool
) -> None:
    """Learn from the open move of a seat.

    o2, a2: what it observes and plays next
    """
    move, returns = tables.open_moves[m], tables.open_returns[m]
    o = inside(move[0] - 1, tables[0].shape[0])
    a = inside(move[1], tables[0].shape[1])
    outcome = Outcome(
        o, a, returns[0], returns[1], o2, a2, ended, column(t, m), signal(t, m), m, None, None, -1,
        truncated, t.word, None, None,
    )  # fmt: skip
    move[0] = 0
    rule(tables, p, outcome)
