"""Rules that count visits: those of any learner with a parameter that is a `ByVisits`.

`counting` wraps the rules of a learner in functions that read the count of the observation (and
action), compute the parameter from it and call the rule with it. `learn` then adds 1 to the count.
The rules and their callers see the counts as one more table. The numbers of the schedule are
parameters: the first under the name of the parameter, the others after those of the learner.
"""

from __future__ import annotations

import dis
import itertools
import types
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from fastgames.functions.graph import outside
from fastgames.learners.rules import Rules, Table, named
from fastgames.rules import schedules
from fastgames.schedules import (
    ByVisits,
    Exponential,
    Hyperbolic,
    Linear,
    Piecewise,
    Schedule,
    with_numbers,
)

MOST_PARAMETERS = 64  # MAX_PARAMETERS in src_cy/block.pxi

# {0}, {1}, …: the numbers of the schedule; n: the count, a float.
_FORMULAS: dict[Any, str] = {
    Exponential: "decayed({0}, {1}, {2}, float(n))",
    Linear: "linear({0}, {1}, {2}, float(n))",
    Hyperbolic: "hyperbolic({0}, {1}, {2}, float(n))",
}
_ENDS = {"-inf": "-np.inf", "inf": "np.inf"}
_COUNTS = {  # where the count is: for one agent, and for a team
    "action": ("[t.observation, t.action]", "[joint_o, joint_a]"),
    "observation": ("[t.observation]", "[joint_o]"),
}
_JOINT = """
    joint_o, joint_a = 0, 0
    for m in range(len(t.observations)):
        joint_o = joint_o * tables[0][m].shape[0] + t.observations[m]
        joint_a = joint_a * tables[0][m].shape[1] + t.actions[m]
"""


def counting(rules: Rules, visits: dict[str, ByVisits]) -> Rules:
    """Return the rules of a learner whose parameters `visits` depend on counted visits.

    Raise ValueError or TypeError if a rule reads a parameter where its count is not known.
    """
    for name, value in visits.items():
        _check_reads(rules, name, value)
    numbers = with_numbers(dict.fromkeys(rules.parameters, 0.0) | visits)
    tables = tuple(_table(rules, name, value) for name, value in visits.items())
    names = [table.name for table in (*rules.tables, *tables)]
    if len(set(names)) < len(names):
        raise ValueError(f"names of tables must not be those of counts, got {names}")
    further = sum(max(len(value.numbers()) - 1, 0) for value in visits.values())
    if len(numbers) < len(rules.parameters) + further:
        raise ValueError(
            "names of parameters must not be those of the numbers of schedules by visits, got "
            f"{rules.parameters}"
        )
    if len(numbers) > MOST_PARAMETERS:
        raise ValueError(
            f"parameters and the numbers of their schedules by visits must be at most "
            f"{MOST_PARAMETERS}, got {len(numbers)}"
        )
    made = replace(rules, parameters=tuple(numbers), tables=rules.tables + tables, twin=None)
    by_observation = {k: v for k, v in visits.items() if v.of == "observation" and not rules.team}
    own = (
        _wrapped("choose", "tables, p, o, signal", rules.choose, made, by_observation),
        _wrapped("policy", "tables, p, o, out", rules.policy, made, by_observation),
    )
    learn = _wrapped("learn", "tables, p, t", rules.learn, made, visits)
    in_turns = _wrapped("learn", "tables, p, t", rules.learn_in_turns, made, visits)
    derive = _wrapped("derive", "tables, p, o", rules.derive, made, by_observation)
    return replace(
        made, choose=own[0], policy=own[1], learn=learn, derive=derive, learn_in_turns=in_turns
    )


def _table(rules: Rules, name: str, value: ByVisits) -> Table:
    """Return the table of the counts of a parameter."""
    joint = "joint_" if rules.team else ""
    dims = (f"{joint}observations", f"{joint}actions")[: 1 + (value.of == "action")]
    return Table(f"visits_{name}", dims, "int64", value.initial, shared=rules.team)


def _wrapped(what: str, form: str, rule: Any, rules: Rules, visits: dict[str, ByVisits]) -> Any:
    """Return a rule that computes the parameters `visits` from the counts, and calls `rule`.

    what: "choose", "policy", "derive" or "learn", which also counts
    rules: with the counts as tables
    """
    if rule is None or not visits:
        return rule
    names: dict[str, Any] = {
        "__name__": __name__,
        "rule": rule,
        "as_inner": float,  # `functions.promotion` rounds where the rule is a user's
        "np": np,
        "Parameters": named("Parameters", rules.parameters),
        "linear": schedules.linear,
        "hyperbolic": schedules.hyperbolic,
        "decayed": schedules.decayed,
        "piecewise": schedules.piecewise,
    }
    given = [f"p[{k}]" for k in range(len(rules.parameters))]
    learns, lines, counts = what == "learn", "", ""
    for k, (name, value) in enumerate(visits.items()):
        at = rules.names.index(f"visits_{name}")
        where = f"{_COUNTS[value.of][rules.team]}" if learns else "[o]"
        first = rules.parameters.index(name)
        own = list(with_numbers({name: value}))[1:]
        numbers = [f"p[{rules.parameters.index(x)}]" for x in (name, *own)]
        lines += (
            f"    n = tables[{at}]{where}\n    value_{k} = {_formula(value, k, numbers, names)}\n"
        )
        lines += _checked(value, k, name)
        counts += f"    tables[{at}]{where} += 1\n" if learns else ""
        given[first] = f"value_{k}"
    lines += "    inner = Parameters(" + "".join(f"as_inner({x}), " for x in given) + ")\n"
    joint = _JOINT if learns and rules.team else ""
    call = f"rule({form.replace(' p,', ' inner,')})"
    end = f"    {call}\n" if learns else f"    return {call}\n"
    exec(compile(f"def {what}({form}):\n{joint}{lines}{counts}{end}", "<counting>", "exec"), names)
    made: types.FunctionType = names.pop(what)
    return made


def _formula(value: ByVisits, k: int, numbers: list[str], names: dict[str, Any]) -> str:
    """Return the source of the value of a schedule at the count n; `names` is added to."""
    schedule = value.schedule
    if isinstance(schedule, Piecewise):
        half = len(schedule.steps)
        steps, values = (", ".join(x) + "," for x in (numbers[:half], numbers[half:]))
        return f"piecewise(({steps}), ({values}), {schedule.between == 'linear'}, float(n))"
    if isinstance(schedule, Schedule):
        names[f"function_{k}"] = schedule.function
        return f"float(function_{k}({', '.join(['n', *numbers[: len(schedule.parameters)]])}))"
    return _FORMULAS[type(schedule)].format(*numbers)


def _checked(value: ByVisits, k: int, name: str) -> str:
    """Return the source that raises ValueError if the value of a user's function is not allowed."""
    if not isinstance(value.schedule, Schedule):
        return ""
    domain = value.schedule.domain
    low, high = (_ENDS.get(end, end) for end in domain[1:-1].split(", "))
    less, more = ("<=" if end in "[]" else "<" for end in (domain[0], domain[-1]))
    return (
        f"    if not {low} {less} value_{k} {more} {high}:\n"
        f'        raise ValueError("{name} by visits must be in {domain}, got", value_{k})\n'
    )


# --- which rules read a parameter -----------------------------------------------------------------


def _check_reads(rules: Rules, name: str, value: ByVisits) -> None:
    """Raise ValueError or TypeError if a rule reads the parameter where its count is not known."""
    k, count = rules.parameters.index(name), len(rules.parameters)
    if name == "gamma":
        raise TypeError(
            f"gamma must be a number, an array (replicas,) or a schedule by steps, got {value!r}"
        )
    for what in ("draw", "choose", "policy"):
        rule = getattr(rules, what)
        known = what != "draw" and value.of == "observation" and not rules.team
        if rule is not None and not known and _reads(rule, k, name, count):
            hint = ""
            if what != "draw" and not rules.team:
                hint = '; count visits of the observation: of="observation"'
            raise TypeError(
                f"{name} must not count visits, because {what!r} of the learner reads it where "
                f"the count is not known, got {value!r}{hint}"
            )


def _reads(rule: Any, k: int, name: str, count: int) -> bool:
    """Return whether a rule may read a parameter; False is certain.

    k, count: the parameter's index, and the number of parameters
    """
    code = rule.__code__
    p = code.co_varnames[1]
    instructions = list(dis.get_instructions(code))
    for at, each in enumerate(instructions):
        loaded = each.argval if isinstance(each.argval, tuple) else (each.argval,)
        if not each.opname.startswith(("LOAD_FAST", "LOAD_DEREF", "STORE")) or p not in loaded:
            continue
        following = instructions[at + 1 : at + 3]
        if each.opname.startswith("STORE") or loaded[-1] != p or len(following) < 2:
            return True
        if following[0].opname == "LOAD_ATTR":
            if following[0].argval == name:
                return True
        elif (
            following[0].opname in ("LOAD_CONST", "LOAD_SMALL_INT")
            and isinstance(following[0].argval, int)
            and (following[1].opname == "BINARY_SUBSCR" or following[1].argrepr == "[]")
        ):
            if following[0].argval in (k, k - count):
                return True
        elif any(_mentions(code_, k, name, count) for code_ in _codes(rule, set())):
            return True  # p is passed on
    return any(p in inner.co_freevars for inner in code.co_consts if hasattr(inner, "co_freevars"))


def _codes(function: types.FunctionType, seen: set[int]) -> Iterator[types.CodeType]:
    """Yield the code of a function and of all plain functions that it refers to."""
    if id(function) in seen:
        return
    seen.add(id(function))
    yield function.__code__
    for value in outside(function).values():
        value = getattr(value, "py_func", value)
        if isinstance(value, types.FunctionType):
            yield from _codes(value, seen)


def _mentions(code: types.CodeType, k: int, name: str, count: int) -> bool:
    """Return whether a code reads an attribute `name`, or an entry k of anything, or unpacks."""
    if name in code.co_names or any(
        x.opname.startswith("UNPACK") for x in dis.get_instructions(code)
    ):
        return True
    instructions = list(dis.get_instructions(code))
    for each, after in itertools.pairwise(instructions):
        subscript = after.opname.startswith("BINARY_SUBSCR") or after.argrepr == "[]"
        constant = each.opname in ("LOAD_CONST", "LOAD_SMALL_INT")
        if subscript and (not constant or each.argval in (k, k - count)):
            return True
    return False
