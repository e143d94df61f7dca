"""The arguments that all reproductions take: declared, documented and checked once."""

import functools
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from inspect import Signature, getdoc, signature
from pathlib import Path
from typing import Any, NoReturn, Protocol, cast

from fastgames._common import checks
from fastgames.games import Game
from fastgames.papers.report import Report
from fastgames.result import Result
from fastgames.runs.estimating import Estimate
from fastgames.runs.estimating import estimate as estimate_run
from fastgames.runs.keep import Keep
from fastgames.runs.running import run
from fastgames.runs.shards import Shard, Shards

RAISES = """\
Raises
------
TypeError, ValueError, OSError, ImportError
    As `fastgames.run` and `fastgames.plot.overview`."""
AS_RUN = "As for `fastgames.run`."


@dataclass(frozen=True)
class Count:
    """Declaration of the replicas or the steps of a reproduction.

    Attributes
    ----------
    default : int or function
        The number unless given, or a function of the reproduction's own arguments that returns it.
    description : str
        The description in the docstring.
    domain : str
        The interval of the number.
    """

    default: int | Callable[..., int]
    description: str
    domain: str = "[1, inf)"

    @property
    def optional(self) -> bool:
        """True if None is accepted, because the default depends on other arguments."""
        return callable(self.default)

    def checked(self, name: str, value: Any, own: Mapping[str, Any]) -> int:
        """Return the value of the argument `name`; own: the reproduction's own arguments."""
        if value is None and callable(self.default):
            return self.default(**own)
        return checks.whole(name, value, self.domain)


@dataclass(frozen=True)
class Arguments:
    """The arguments that all reproductions take, in this order."""

    replicas: int
    steps: int
    rng: Any = 7
    dtype: str = "float64"
    threads: int | None = None
    out: str | Path | None = None

    @property
    def given(self) -> dict[str, Any]:
        """The arguments that all runs of a reproduction have."""
        return {"rng": self.rng, "dtype": self.dtype, "threads": self.threads}

    def run(self, game: Game, learners: Any, steps: int, replicas: Any, **options: Any) -> Result:
        """Return `fastgames.run` of the game with `rng`, `dtype` and `threads`."""
        return run(game, learners, steps, replicas, **self.given | options)

    def shards(self, folder: str | Path, call: Mapping[str, Any], keep: Keep) -> Shards:
        """Return the shards in a folder of `fastgames.run` with `rng`, `dtype` and `threads`."""
        return Shards(folder, {**self.given, **call}, keep)

    def run_shard(
        self, folder: str | Path, call: Mapping[str, Any], keep: Keep, shard: Shard
    ) -> Result:
        """Return the result of a shard, which is run unless its file is in the folder."""
        result, _ = self.shards(folder, call, keep).run(shard)
        return result


@dataclass(frozen=True)
class _Estimating(Arguments):
    """Arguments whose `run` raises `_Estimated` in place of running."""

    def run(self, game: Game, learners: Any, steps: int, replicas: Any, **options: Any) -> NoReturn:
        """Raise the estimate of the run; a checkpoint has no part in it."""
        given = {key: value for key, value in options.items() if key != "checkpoint"}
        raise _Estimated(estimate_run(game, learners, steps, replicas, **self.given | given))

    def run_shard(
        self, folder: str | Path, call: Mapping[str, Any], keep: Keep, shard: Shard
    ) -> NoReturn:
        """Raise the estimate of the shard."""
        raise _Estimated(estimate_run(**{**self.given, **call}, keep=keep, only=shard.only))


class _Estimated(Exception):
    """The estimate of the run of a reproduction, which ends the reproduction."""

    estimate: Estimate

    def __init__(self, estimate: Estimate) -> None:
        super().__init__(str(estimate))
        self.estimate = estimate


class Reproduction(Protocol):
    """A reproduction as users call it; own: arguments that only some reproductions have.

    Attributes
    ----------
    estimate : function or None
        Takes the same arguments and returns the `Estimate` of the run; None if there are several.
    """

    estimate: Callable[..., Estimate] | None

    def __call__(
        self,
        replicas: int | None = ...,
        steps: int = ...,
        rng: Any = ...,
        dtype: str = ...,
        threads: int | None = ...,
        out: str | Path | None = ...,
        **own: Any,
    ) -> Report: ...


def reproduction(
    *,
    replicas: Count,
    steps: Count,
    engine: str = AS_RUN,
    own: Mapping[str, str] | None = None,
    one_run: bool = False,
) -> Callable[[Callable[..., Report]], Reproduction]:
    """Return a decorator that makes a reproduction of a function of `Arguments`.

    The reproduction checks replicas and steps. Its signature has the fields of `Arguments`, then
    the function's own keyword-only arguments. Its docstring is that of the function, which has a
    section "Returns", with the sections "Parameters" and "Raises" before and after that.

    Parameters
    ----------
    replicas, steps : Count
        Declarations of the two counts.
    engine : str
        Description of rng, dtype and threads.
    own : dict of str to str, optional
        Descriptions of the function's own arguments by heading, "name : type".
    one_run : bool
        True if the function calls `Arguments.run` once, which makes its run known beforehand.
    """
    counts = {"replicas": replicas, "steps": steps}
    described = {
        **{
            f"{name} : int{', optional' * count.optional}": count.description
            for name, count in counts.items()
        },
        "rng, dtype, threads": engine,
        "out : str or Path, optional": "File to write the figure to.",
        **(own or {}),
    }

    def decorate(function: Callable[..., Report]) -> Reproduction:
        outer = _signature(function, counts)

        def called(
            kind: type[Arguments], arguments: tuple[Any, ...], options: dict[str, Any]
        ) -> Report:
            """Return what the function returns for these arguments."""
            bound = outer.bind(*arguments, **options)
            bound.apply_defaults()
            values = {field.name: bound.arguments.pop(field.name) for field in fields(Arguments)}
            for name, count in counts.items():
                values[name] = count.checked(name, values[name], bound.arguments)
            return function(kind(**values), **bound.arguments)

        @functools.wraps(function)
        def reproduce(*arguments: Any, **options: Any) -> Report:
            return called(Arguments, arguments, options)

        def estimate(*arguments: Any, **options: Any) -> Estimate:
            """Return the estimate of the run of the reproduction with these arguments."""
            try:
                called(_Estimating, arguments, options)
            except _Estimated as found:
                return found.estimate
            raise AssertionError(f"{function.__name__} is declared as one run, but runs nothing")

        reproduce.__doc__ = _documented(function, described)
        reproduce.__annotations__ = {
            **{name: each.annotation for name, each in outer.parameters.items()},
            "return": outer.return_annotation,
        }
        vars(reproduce)["__signature__"] = outer
        vars(reproduce)["estimate"] = estimate if one_run else None
        return cast(Reproduction, reproduce)

    return decorate


def _signature(function: Callable[..., Report], counts: Mapping[str, Count]) -> Signature:
    """Return the signature of the reproduction that calls `function`."""
    inner = signature(function)
    shared = dict(signature(Arguments).parameters)
    for name, count in counts.items():
        kind = int | None if count.optional else int
        default = None if count.optional else count.default
        shared[name] = shared[name].replace(default=default, annotation=kind)
    _, *own = inner.parameters.values()
    return inner.replace(parameters=[*shared.values(), *own])


def _documented(function: Callable[..., Report], described: Mapping[str, str]) -> str:
    """Return the docstring of `function` with the sections "Parameters" and "Raises"."""
    summary, heading, rest = (getdoc(function) or "").partition("Returns\n-------\n")
    returns, *others = rest.split("\n\n", 1)
    parameters = "\n".join(
        f"{name}\n{textwrap.fill(text, 96, initial_indent='    ', subsequent_indent='    ')}"
        for name, text in described.items()
    )
    return "\n\n".join(
        [f"{summary}Parameters\n----------\n{parameters}", heading + returns, RAISES, *others]
    )
