"""Functions for `keep` of `fastgames.run`: the measures of this package, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, NamedTuple

import numpy as np

from fastgames._common import checks
from fastgames.analysis.cycles import LimitCycle, cycles_of
from fastgames.analysis.distributions import LimitDistribution, distributions_of
from fastgames.analysis.frozen import Frozen, freeze, threads_of
from fastgames.analysis.gains import profit_gain
from fastgames.analysis.responses import BestResponses, criterion_of, responses_of
from fastgames.games import Game, MarketGame, Variants
from fastgames.result import Result


@dataclass(frozen=True, repr=False)
class Summary:
    """Function of a Result that returns measures of its replicas, made by `summary`.

    Summaries are immutable, and equal if their names and options are; ``repr`` has all of both.

    Attributes
    ----------
    names : tuple of str
        Names of the measures and tables.
    options : tuple of (str, value)
        Options by name; arrays are tuples of float.
    """

    names: tuple[str, ...]
    options: tuple[tuple[str, Any], ...]

    def __call__(self, result: Result) -> dict[str, np.ndarray]:
        """Return the arrays of all names, each (replicas, ...).

        Parameters
        ----------
        result : Result
            All replicas of a run or some of them, with their tables.

        Returns
        -------
        dict of str to array
            The entries of a replica do not depend on other replicas.

        Raises
        ------
        TypeError, ValueError
            If result is not a Result or has no tables, if an option does not fit it, or if a
            measure is not defined in its game.
        """
        if not isinstance(result, Result):
            raise TypeError(f"result must be a Result, got {result!r}")
        tables = {name for own in result.tables for name in own}
        for name in self.names:
            checks.one_of("names", name, (*_MEASURES, *sorted(tables - _MEASURES.keys())))
        part = _Part(result, dict(self.options))
        arrays: dict[str, np.ndarray] = {}
        for name in self.names:
            measure = _MEASURES.get(name)
            found = part.of_agents(name) if measure is None else measure.function(part)
            if isinstance(found, dict):
                arrays |= {f"{name}_{agent}": array for agent, array in found.items()}
            else:
                arrays[name] = found
        return arrays

    def __repr__(self) -> str:
        options = (f"{name}={value!r}" for name, value in self.options)
        return f"summary({', '.join([*map(repr, self.names), *options])})"


def summary(*names: str, **options: Any) -> Summary:
    """Return a function for `keep` of `fastgames.run` that computes measures of each replica.

    Parameters
    ----------
    *names : str
        At least one, all different. A name gives an array of this name; N is the number of agents:

        ===================== ==================================================================
        ``profit_gain``       (replicas,), or (replicas, N) if per_agent: `profit_gain`
        ``cycle_length``      (replicas,) int64: length of the `limit_cycle`
        ``cycle_rewards``     (replicas, N): mean rewards on the `limit_cycle`
        ``mutual``            (replicas,): share of states in which all agents best respond, 1 at
                              an equilibrium; as the following names, of `best_responses`
        ``mutual_on_path``    (replicas,): the same on the limit cycle
        ``optimal``           (replicas, N): share of states in which the agent best responds
        ``optimal_on_path``   (replicas, N): the same on the limit cycle
        ``loss``              (replicas, N): mean relative loss against the best response
        ``loss_on_path``      (replicas, N): the same on the limit cycle
        ===================== ==================================================================

        Other names give an array for each agent i that has it, called as in ``to_xarray``:

        ===================== ==================================================================
        ``greedy``            greedy_i, (replicas, O_i) int64: ``result.greedy(i)``
        ``policy``            policy_i, (replicas, O_i, A_i): ``result.policy(i)``
        ``q``, ``visits``, …  q_i, …: the table of this name, ``result.tables[i]["q"]``
        ===================== ==================================================================

        A table that is called as a measure, such as "policy", cannot be named.
    **options
        Arguments of the functions of these measures; each must be used by a name. Of
        `profit_gain`: ``nash`` and ``monopoly``, a number, (N,) or (replicas, N) for all replicas
        of the run, by default those of the game if it is a `MarketGame`, a game that `remember`
        made of one, or `Variants` of such games; ``per_agent``. Of `best_responses`:
        ``deviations``, ``discount`` and ``tolerance``.

    Returns
    -------
    Summary
        Its argument is a Result; it returns a dict of arrays.

    Raises
    ------
    TypeError, ValueError
        If there are no names, if one is given twice or cannot be a table, or if an option is
        outside its domain or not used. The function raises ValueError for a name that is neither
        a measure nor a table, for profits that are not given and that the game does not know, and
        in games with chance for measures of the limit cycle. The profit gain is then that of the
        `limit_distribution`.

    Examples
    --------
    >>> import fastgames as fg
    >>> from fastgames import analysis
    >>> game = fg.remember(fg.games.prisoners_dilemma(), discount=0.9)
    >>> keep = analysis.summary("cycle_length")
    >>> fg.run(game, fg.QLearner(), 1000, replicas=3, rng=7, keep=keep).kept["cycle_length"]
    array([1, 1, 1])

    A market knows its profits; here the agents best respond if they could not gain by one
    deviation:

    >>> market = fg.remember(fg.games.logit_bertrand(prices=5), discount=0.95)
    >>> keep = analysis.summary("profit_gain", "mutual", "q", deviations="once")
    >>> result = fg.run(market, fg.QLearner(), 1000, replicas=3, rng=7, keep=keep)
    >>> {name: array.shape for name, array in result.kept.items()}
    {'profit_gain': (3,), 'mutual': (3,), 'q_0': (3, 25, 5), 'q_1': (3, 25, 5)}
    """
    if not names:
        raise ValueError(f"names must have at least one of {', '.join(map(repr, _MEASURES))}")
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f"names must be str, got {name!r}")
        if not name.isidentifier():
            checks.one_of("names (except tables)", name, _MEASURES)
        if names.count(name) > 1:
            raise ValueError(f"names must be different, got {name!r} twice")
    used = {option for name in names if name in _MEASURES for option in _MEASURES[name].options}
    checked = {}
    for option in sorted(options):
        checks.one_of("options", option, _OPTIONS)
        if option not in used:
            users = [name for name, measure in _MEASURES.items() if option in measure.options]
            raise ValueError(
                f"{option} must be used by one of the names {', '.join(map(repr, users))}, "
                f"got names {', '.join(map(repr, names))}"
            )
        checked[option] = _OPTIONS[option](option, options[option])
    if {"nash", "monopoly"} <= checked.keys():
        _check_together(checked["nash"], checked["monopoly"], checked.get("per_agent", False))
    return Summary(names, tuple(checked.items()))


class _Part:
    """A Result, and what several measures of it share, computed when the first one needs it."""

    def __init__(self, result: Result, options: dict[str, Any]) -> None:
        self.result, self.options = result, options

    @cached_property
    def frozen(self) -> Frozen:
        return freeze(self.result, None)

    @cached_property
    def cycle(self) -> LimitCycle:
        return cycles_of(self.frozen, None, threads_of(None))

    @property
    def long_run(self) -> LimitCycle | LimitDistribution:
        if not self.frozen.chance:
            return self.cycle
        return distributions_of(self.frozen, None, threads_of(None))

    @cached_property
    def responses(self) -> BestResponses:
        given = {name: self.options[name] for name in _OF_RESPONSES if name in self.options}
        criterion = criterion_of(self.frozen, **given)
        cycle = None if self.frozen.chance else self.cycle
        return responses_of(self.frozen, cycle, criterion, threads_of(None))

    def profits(self, name: str) -> np.ndarray:
        """Return the profits `nash` or `monopoly`: (), (N,) or (replicas, N)."""
        result = self.result
        if name not in self.options:
            return _known_profits(result.game, name)
        array = np.asarray(self.options[name])
        if array.ndim < 2:
            return array
        if len(array) != result.total:
            raise ValueError(
                f"{name} must have a row for each of the {result.total} replicas of the run, "
                f"got shape {array.shape}"
            )
        rows: np.ndarray = array[result.numbers]
        return rows

    def of_agents(self, table: str) -> dict[int, np.ndarray]:
        """Return a table of every agent that has it."""
        return {i: own[table] for i, own in enumerate(self.result.tables) if table in own}


def _known_profits(game: Game, name: str) -> np.ndarray:
    """Return the profits that a game knows, (N,), or (replicas, N) of variants."""
    games = game.games if isinstance(game, Variants) else (game,)
    stages = [getattr(one, "stage", one) for one in games]
    if not all(isinstance(stage, MarketGame) for stage in stages):
        raise ValueError(
            f"{name} must be given, because {game!r} does not know these profits; pass "
            f'summary("profit_gain", {name}=...)'
        )
    profits = np.array([getattr(stage, name).profits for stage in stages])
    return profits[game.index] if isinstance(game, Variants) else profits[0]


def _profit_gain(part: _Part) -> np.ndarray:
    """Return the profit gain on the limit cycle or in the limit distribution."""
    per_agent = part.options.get("per_agent", False)
    nash, monopoly = part.profits("nash"), part.profits("monopoly")
    return profit_gain(part.long_run, nash, monopoly, per_agent=per_agent)


def _response(name: str, part: _Part) -> np.ndarray:
    """Return an attribute of `BestResponses`; raise if there is no limit cycle that it needs."""
    found: np.ndarray | None = getattr(part.responses, name)
    if found is None:
        raise ValueError(
            f"game must have a limit cycle for {name!r}, got {part.result.game!r} with chance; "
            f"{name.removesuffix('_on_path')!r} takes all states"
        )
    return found


def _greedy(part: _Part) -> dict[int, np.ndarray]:
    """Return the greedy actions of every agent."""
    return {i: part.result.greedy(i) for i in range(part.result.game.num_agents)}


def _policy(part: _Part) -> dict[int, np.ndarray]:
    """Return the policy of every agent that has one; raise ValueError if none has."""
    result = part.result
    agents = [i for i, own in enumerate(result.learners) if own.rules.policy is not None]
    return {i: result.policy(i) for i in agents or [0]}  # for agent 0 without policy it raises


class _Measure(NamedTuple):
    """A function of a part, and the options that it uses; a dict has an array of each agent."""

    function: Callable[[_Part], np.ndarray | dict[int, np.ndarray]]
    options: tuple[str, ...] = ()


def _profits(name: str, value: Any) -> Any:
    """Return checked profits as a float, or as tuples of float."""
    array = checks.finite_array(name, value)
    if array.ndim > 2 or not array.size:
        raise ValueError(f"{name} must have shape (), (N,) or (replicas, N), got {array.shape}")
    rows = array.tolist()
    return tuple(map(tuple, rows)) if array.ndim == 2 else tuple(rows) if array.ndim else rows


def _check_together(nash: Any, monopoly: Any, per_agent: bool) -> None:
    """Raise ValueError unless the shapes of profits agree and monopoly profits are greater."""
    shapes = [np.shape(profits) for profits in (nash, monopoly)]
    *rows, agents = max(shapes, key=len) or (1,)
    profit_gain(np.zeros((*(rows or (1,)), agents)), nash, monopoly, per_agent=per_agent)


def _flag(name: str, value: Any) -> bool:
    """Return a bool; raise TypeError for anything else."""
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be True or False, got {value!r}")
    return value


_OPTIONS: dict[str, Callable[[str, Any], Any]] = {
    "nash": _profits,
    "monopoly": _profits,
    "per_agent": _flag,
    "deviations": partial(checks.one_of, choices=("any", "once")),
    "discount": partial(checks.real, domain="[0, 1)"),
    "tolerance": partial(checks.real, domain="[0, inf)"),
}
_OF_RESPONSES = ("deviations", "discount", "tolerance")

_MEASURES = {
    "profit_gain": _Measure(_profit_gain, ("nash", "monopoly", "per_agent")),
    "cycle_length": _Measure(lambda part: part.cycle.length),
    "cycle_rewards": _Measure(lambda part: part.cycle.rewards),
    "mutual": _Measure(partial(_response, "mutual"), _OF_RESPONSES),
    "mutual_on_path": _Measure(partial(_response, "mutual_on_path"), _OF_RESPONSES),
    "optimal": _Measure(partial(_response, "optimal"), _OF_RESPONSES),
    "optimal_on_path": _Measure(partial(_response, "optimal_on_path"), _OF_RESPONSES),
    "loss": _Measure(partial(_response, "loss"), _OF_RESPONSES),
    "loss_on_path": _Measure(partial(_response, "loss_on_path"), _OF_RESPONSES),
    "greedy": _Measure(_greedy),
    "policy": _Measure(_policy),
}
