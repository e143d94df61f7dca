"""Passes for the engine compiled from the rules of a learner.

The engine calls passes by address (src_cy/rules.pxi), each for all lanes of a block; their
signatures are in src_cy/block.pxi. This module generates the source of a pass for the tables, words
and parameters of the rules, and inlines the rules into its loop.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fastgames.compiler.compile import (
    MOST_INLINED,
    REFUSALS,
    check_enabled,
    compiled,
    explained,
    length,
    once,
)
from fastgames.compiler.generate import Pass, make
from fastgames.compiler.views import POINTERS, noted, unwritable
from fastgames.errors import (
    CHOOSE_FAILED,
    CHOSE_FRACTION,
    CHOSE_OUTSIDE,
    DRAW_FAILED,
    LEARN_FAILED,
    is_below,
    is_whole,
)
from fastgames.functions.promotion import computes_in, for_numba
from fastgames.learners import Rules, Table
from fastgames.learners.rules import named
from fastgames.rules import choice
from fastgames.rules.outcome import Outcome, Situation, TeamOutcome

MOST_UNROLLED = 4  # actions; loops over more are not unrolled
FIXED = 4  # leading entries of sizes: actions, observations, agents of the game, own number

_ACT = Pass(
    "act",
    """
lanes active
sizes: int64 ({sizes})
value: float64 ({parameters}, lanes)
at: int64 ({count})
observation: int32 (lanes)
u: int64 ({words}, lanes)
drawn
signals: real ({signals}, lanes)
move: int32 (lanes)
wrong: int64 (4)
""",
    """
    actions = {actions}
{views}
    wrong[3] = {choose_failed}
    for i in range(active):
        wrong[2] = i
        p = {p}
        if not drawn:
            wrong[3] = {draw_failed}
{draw}
            wrong[3] = {choose_failed}
        o = int(observation[i])
        action = choose({read_only}, {p_choose}, o, {signal}{situation}) + 0  # not None
        if not is_below(action, actions):
            wrong[0] = {chose} if is_whole(action) else {chose_fraction}
            wrong[1], wrong[3] = sizes[3], noted(action)
            return
        move[i] = int(action)
""",
    caught="wrong[0], wrong[1] = wrong[3], carray(sizes_, (4,))[3]",
)

_LEARN = Pass(
    "learn_all",
    """
lanes active
sizes: int64 ({sizes})
counts: int64 (sizes[2])
value: float64 ({parameters}, lanes)
at: int64 ({count})
due: int32 (lanes)
o: int32 (lanes)
a: int32 (lanes)
gain: real (lanes)
weight: real (lanes)
o2: int32 (lanes)
a2: int32 (lanes)
over: int32 (lanes)
signals: real ({signals}, lanes)
columns: real (lanes, {actions})
actions: int64 (lanes, sizes[2])
rewards: real (lanes, sizes[2])
watched
flip: int32 (lanes)
wrong: int64 (4)
""",
    """
{views}
    for i in range(active):
        if not due[i]:
            continue
        wrong[2] = i
        p = {p_learn}
        before = 0
        if watched:
            before = argmax(table_0[i][o[i]])
        others = -1
{others}
        outcome = Outcome(
            int(o[i]), int(a[i]), gain[i] + as_real(0),  # never -0.0: it is a sum that begins at 0
            weight[i], int(o2[i]), int(a2[i]), over[i] == 1, {column}, {signal},
            sizes[3], {joint}, others, over[i] == 2, {word}, {opponents}, {moves}
        )
        learn({tables}, p, outcome)
        if watched and argmax(table_0[i][o[i]]) != before:
            flip[i] += 1
""",
    caught="wrong[0], wrong[1] = {learn_failed}, carray(sizes_, (4,))[3]",
)

_OTHERS = """\
        others = 0
        for j in range(sizes[2]):
            if j != sizes[3]:
                others = (others * counts[j] + actions[i, j]) & 0x7FFFFFFF
"""

_TEAM = Pass(
    "learn_together",
    """
lanes active
sizes: int64 ({sizes})
value: float64 ({parameters}, lanes)
at: int64 ({count})
due: int32 (lanes)
o: int64 (lanes, {members})
a: int64 (lanes, {members})
moves: bool (lanes, {members})
o2: int64 (lanes, {members})
next_moves: bool (lanes, {members})
rewards: real (lanes, {members})
weight: real (lanes)
over: int32 (lanes)
signals: real (lanes, {members}, {words})
watched
flip: int32 (lanes, {members})
wrong: int64 (4)
""",
    """
{views}
    before = np.zeros({members}, np.int64)
    for i in range(active):
        if not due[i]:
            continue
        wrong[2] = i
        p = {p_learn}
        tables = {tables}
        if watched:
            for m in range({members}):
                before[m] = argmax({preferred}[o[i, m]])
        outcome = TeamOutcome(
            unwritable(o[i]), unwritable(a[i]), unwritable(rewards[i]), weight[i],
            unwritable(o2[i]), over[i] == 1,
            {signals}, over[i] == 2, {columns}, {word}, {opponents},
            unwritable(moves[i]), unwritable(next_moves[i])
        )
        learn(tables, p, outcome)
        if watched:
            for m in range({members}):
                flip[i, m] = argmax({preferred}[o[i, m]]) != before[m]
""",
    caught=_LEARN.caught,
)


def _tuple(items: list[str]) -> str:
    """Return the source of a tuple of these items."""
    return "(" + "".join(item + ", " for item in items) + ")"


def _small(actions: int, observations: int) -> dict[str, str]:
    """Return {dimension: source} of small sizes, which become constants so that loops unroll."""
    small = {"actions": str(actions)} if actions <= MOST_UNROLLED else {}
    return small | ({"observations": "1"} if observations == 1 else {})


def _views(tables: tuple[Table, ...], dtype: str, small: dict[str, str]) -> tuple[str, int]:
    """Return the source lines that view tables as (lanes, *dimensions), and the count of sizes."""
    lines, at = [], FIXED
    for k, table in enumerate(tables):
        dims = ", ".join(
            small.get(str(dim), f"sizes[{at + d}]") for d, dim in enumerate(table.dims)
        )
        kind = table.dtype(dtype).name
        lines.append(f"    table_{k} = carray({kind}_at(at[{k}]), (lanes, {dims}))")
        at += len(table.dims)
    return "\n".join(lines), at


def _asked(
    rules: Rules, theirs: tuple[Rules, ...], dtype: str, sizes: int, count: int
) -> tuple[dict[str, str], list[str], int, int]:
    """Return the source of what few rules ask for, by its name, and the lines that view it.

    That is the mediator's word, the opponents' tables and which agents move.

    theirs: rules of the opponents; sizes, count: the sizes and the addresses before. The last two
    items are these numbers after.
    """
    lines, tables = [], []
    for j, other in enumerate(theirs):
        each = []
        for k, table in enumerate(other.shown(rules.reads)):
            dims = ", ".join(f"sizes[{sizes + d}]" for d in range(len(table.dims)))
            kind, name = table.dtype(dtype).name, f"theirs_{j}_{k}"
            lines.append(f"    {name} = carray({kind}_at(at[{count}]), (lanes, {dims}))")
            each.append(f"unwritable({name}[i])")
            sizes, count = sizes + len(table.dims), count + 1
        tables.append(f"Tables_{j}" + _tuple(each))
    if rules.mediator:
        lines.append(f"    said = carray(int64_at(at[{count}]), (lanes,))")
        count += 1
    told = rules.joint or rules.steps
    if told:
        lines.append(f"    moved = carray(bool_at(at[{count}]), (lanes, sizes[2]))")
        count += 1
    given = {
        "word": "said[i]" if rules.mediator else "-1",
        "opponents": _tuple(tables) if rules.opponents else "None",
        "moves": "unwritable(moved[i])" if told else "None",
    }
    return given, lines, sizes, count


def _draw(rules: Rules) -> str:
    """Return the source lines that write the signals of lane i."""
    if rules.words == 0:
        return " " * 12 + "pass"
    words = "u[0, i]" if rules.words == 1 else _tuple([f"u[{w}, i]" for w in range(rules.words)])
    if rules.num_signals == 1:
        return " " * 12 + f"signals[0, i] = draw({words}, p, actions, as_real)"
    lines = [f"made = draw({words}, p, actions, as_real)"]
    lines += [f"signals[{w}, i] = made[{w}]" for w in range(rules.num_signals)]
    return "\n".join(" " * 12 + line for line in lines)


def _signal(count: int, index: str) -> str:
    """Return the source of so many signals; index: of an entry of `signals`, with {w} for one."""
    if count == 0:
        return "as_real(0.0)"
    items = [f"signals[{index.format(w=w)}]" for w in range(count)]
    return items[0] if count == 1 else _tuple(items)


def _built(
    form: Pass,
    given: dict[str, Any],
    rules: Rules,
    dtype: str,
    checked: bool,
    theirs: tuple[Rules, ...],
) -> Any:
    """Return the compiled pass of a declaration; given: what differs between learners."""
    text, signature = form.text(dtype, given)
    fields = Outcome._fields, TeamOutcome._fields, Situation._fields
    named_by = tuple(tuple(x.name for x in other.shown(rules.reads)) for other in theirs)
    what = dtype, rules.parameters, rules.names, named_by, *fields
    draw = [] if rules.draw is None else [rules.draw]
    used: list[Any] = [choice.argmax, is_below, is_whole, rules.choose, rules.learn, *draw]

    def made(digest: str | None, *functions: Any) -> Any:
        outside = _names(rules, dtype, checked, *functions)
        outside |= {f"Tables_{j}": named("Tables", names) for j, names in enumerate(named_by)}
        return make(form.name, text, signature, outside, checked, what, digest)

    return once((text, checked, what), used, made)


def _names(
    rules: Rules,
    dtype: str,
    checked: bool,
    argmax: Any,
    below: Any,
    whole: Any,
    choose: Any,
    learn: Any,
    draw: Any = None,
) -> dict[str, Any]:
    """Return what the text of a pass uses from outside; functions are frozen copies."""
    inline = length(choose) + length(learn) <= MOST_INLINED
    out = {
        "as_real": getattr(np, dtype),
        "Outcome": Outcome,
        "TeamOutcome": TeamOutcome,
        "Situation": Situation,
        "Parameters": named("Parameters", rules.parameters),
        "Tables": named("Tables", rules.names),
        "unwritable": unwritable,
        "is_below": compiled(below, True),
        "is_whole": compiled(whole, True),
        "noted": noted,
        "argmax": compiled(argmax, inline),
        "choose": compiled(for_numba(choose, dtype), inline, checked),
        "learn": compiled(for_numba(learn, dtype), inline, checked),
    }
    if draw is not None:
        out["draw"] = compiled(draw, inline, checked)
    return out | {f"{kind}_at": pointer for kind, pointer in POINTERS.items()}


def passes_of(
    rules: Rules,
    dtype: np.dtype[Any],
    actions: int,
    observations: int,
    members: int,
    checked: bool,
    who: str,
    theirs: tuple[Rules, ...] = (),
) -> tuple[Any, Any]:
    """Return the passes `act` and `learn` of the current `rules`.

    Callers that use the `address` of a pass must keep a reference to the pass, which owns the code.

    Parameters
    ----------
    rules : Rules
        The rules of the learner.
    dtype : dtype
        The type of the tables, float64 or float32.
    actions, observations : int
        Sizes of the agent. There is one pass for each number of actions up to `MOST_UNROLLED` and
        one for all larger numbers; one for a single observation and one for several.
    members : int
        The number of members of the team, which learn in one call.
    checked : bool
        Raise IndexError for an index outside of its array.
    who : str
        The owner of the rules, such as "learners[0]", for messages.
    theirs : tuple of Rules
        The rules of the agents whose tables it reads.

    Returns
    -------
    tuple of two cfuncs
        (act, learn).

    Raises
    ------
    CompileError
        If Numba cannot compile a rule.
    RuntimeError
        If NUMBA_DISABLE_JIT is set.
    """
    check_enabled(f"rules of {who}")
    given = [rules.draw, rules.choose, rules.learn]
    try:
        small = _small(actions, observations)
        act = _act(rules, dtype.name, small, checked, theirs)
        learn = (
            _team(rules, dtype.name, members, checked, theirs)
            if rules.team
            else _learn(rules, dtype.name, small, checked, theirs)
        )
    except REFUSALS as error:
        functions = [function for function in given if function is not None]
        raise explained(f"rules of {who}", functions, error) from None
    return act, learn


def _one_agent(
    rules: Rules, dtype: str, small: dict[str, str], theirs: tuple[Rules, ...]
) -> dict[str, Any]:
    """Return the fields that `_ACT` and `_LEARN` have in common, for one agent's tables."""
    views, sizes = _views(rules.tables, dtype, small)
    asked, lines, sizes, count = _asked(rules, theirs, dtype, sizes, len(rules.tables))
    if rules.situated:
        lines.append(f"    step = carray(int64_at(at[{count}]), (lanes,))")
        count += 1
    situation = ", Situation(sizes[3], step[i], {word}, {opponents})".format(**asked)
    return asked | {
        "situation": situation if rules.situated else "",
        "sizes": sizes,
        "actions": small.get("actions", "sizes[0]"),
        "count": count,
        "words": max(rules.words, 1),
        "signals": max(rules.num_signals, 1),
        "parameters": len(rules.parameters),
        "p": _p(rules),
        "p_choose": _p(rules, computes_in(rules.choose, dtype)),
        "p_learn": _p(rules, computes_in(rules.learn, dtype)),
        "views": "\n".join([views, *lines]),
        "tables": "Tables" + _tuple([f"table_{k}[i]" for k in range(len(rules.tables))]),
        "read_only": "Tables"
        + _tuple([f"unwritable(table_{k}[i])" for k in range(len(rules.tables))]),
        "signal": _signal(rules.num_signals, "{w}, i"),
    }


def _p(rules: Rules, real: Any = np.float64) -> str:
    """Return the source of the named tuple of parameters in lane i, of the type `real`."""
    form = "value[{k}, i]" if real is np.float64 else "as_real(value[{k}, i])"
    return "Parameters" + _tuple([form.format(k=k) for k in range(len(rules.parameters))])


def _act(
    rules: Rules, dtype: str, small: dict[str, str], checked: bool, theirs: tuple[Rules, ...]
) -> Any:
    """Return the pass that draws and chooses for one agent."""
    given = _one_agent(rules, dtype, small, theirs) | {
        "draw": _draw(rules),
        "draw_failed": DRAW_FAILED,
        "choose_failed": CHOOSE_FAILED,
        "chose": CHOSE_OUTSIDE,
        "chose_fraction": CHOSE_FRACTION,
    }
    return _built(_ACT, given, rules, dtype, checked, theirs)


def _learn(
    rules: Rules, dtype: str, small: dict[str, str], checked: bool, theirs: tuple[Rules, ...]
) -> Any:
    """Return the pass that learns for one agent."""
    given = _one_agent(rules, dtype, small, theirs) | {
        "others": _OTHERS if rules.joint else "",
        "column": "unwritable(columns[i])" if rules.counterfactual else "None",
        "joint": "unwritable(actions[i]), unwritable(rewards[i])" if rules.joint else "None, None",
        "learn_failed": LEARN_FAILED,
    }
    return _built(_LEARN, given, rules, dtype, checked, theirs)


def _team(rules: Rules, dtype: str, members: int, checked: bool, theirs: tuple[Rules, ...]) -> Any:
    """Return the pass that learns for a team.

    Its sizes are the fixed ones, then the dimensions of every table, repeated for each member
    unless the table is shared; those of what it asks for, and the actions of every member if it
    asks for columns.
    """
    views, tables, size, address = [], [], FIXED, 0
    for k, table in enumerate(rules.tables):
        kind, each = table.dtype(dtype).name, []
        for m in range(1 if table.shared else members):
            dims = ", ".join(f"sizes[{size + d}]" for d in range(len(table.dims)))
            views.append(f"    table_{k}_{m} = carray({kind}_at(at[{address}]), (lanes, {dims}))")
            each.append(f"table_{k}_{m}[i]")
            size, address = size + len(table.dims), address + 1
        tables.append(each[0] if table.shared else _tuple(each))
    asked, lines, size, address = _asked(rules, theirs, dtype, size, address)
    columns = []
    for m in range(members if rules.counterfactual else 0):
        place = f"{dtype}_at(at[{address + m}]), (lanes, sizes[{size + m}])"
        lines.append(f"    column_{m} = carray({place})")
        columns.append(f"unwritable(column_{m}[i])")
    size, address = size + len(columns), address + len(columns)
    given = asked | {
        "columns": _tuple(columns) if rules.counterfactual else "None",
        "sizes": size,
        "count": address,
        "members": members,
        "preferred": "tables[0]" if rules.tables[0].shared else "tables[0][m]",
        "words": max(rules.words, 1),
        "parameters": len(rules.parameters),
        "p_learn": _p(rules, computes_in(rules.learn, dtype)),
        "views": "\n".join([*views, *lines]),
        "tables": "Tables" + _tuple(tables),
        "signals": _tuple([_signal(rules.words, f"i, {m}, {{w}}") for m in range(members)]),
        "learn_failed": LEARN_FAILED,
    }
    return _built(_TEAM, given, rules, dtype, checked, theirs)
