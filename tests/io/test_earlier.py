"""Files of earlier revisions load, and runs go on from them to the bits of a run in one go.

The files in `earlier/` were written by revision b0c35d5 (format 3, contract 2), with
``python tests/io/test_earlier.py FOLDER``. They are kept as they are: never write them anew, add a
folder for a later revision instead.
"""

import contextlib
import dataclasses
import linecache
import shutil
import sys
from pathlib import Path

import pytest
from library.equal import assert_same

import fastgames as fg
from fastgames.io import codec
from fastgames.rules import choice

HERE = Path(__file__).parent / "earlier"
FIRST, REST, REPLICAS = 37, 25, 3
SWEEP = fg.grid(alpha=[0.1, 0.2, 0.3])


pytestmark = pytest.mark.filterwarnings("ignore::fastgames.ConvergenceWarning")


def _choose(tables, p, o, signal):
    return int(signal * 2.0)


def _learn(tables, p, t):
    tables[0][t.observation, t.action] += p[0] * t.gain


def _policy(tables, p, o, out):
    out[0] = out[1] = 0.5


MINE = fg.Learner(
    _choose, _learn, policy=_policy, parameters={"rate": fg.Exponential(0.5, 0.01, 0.1)}
)
PRICING = fg.remember(fg.games.logit_bertrand(prices=4), discount=0.95)
ALL = fg.Record(
    every=10, tables=("q",), greedy=True, policies=True, flips=True, joint_actions=True,
    rewards=True,
)  # fmt: skip
LAST = fg.Record(joint_actions=True, rewards=True, last=9)
Q = fg.QLearner(fg.Exponential(0.5, 0.01), explore=fg.Softmax(fg.Linear(1.0, 0.1, 50)))

#: name -> (game, learners, what else `run` is given)
CALLS = {
    "matrix": (fg.games.matching_pennies(), [fg.QLearner(SWEEP.alpha), Q], {"record": ALL}),
    "stop": (PRICING, fg.QLearner(fg.VisitCount()), {"record": LAST, "stop": fg.Stable(50)}),
    "turns": (fg.games.klein(), [fg.Sarsa(), fg.HystereticQ()], {"dtype": "float32"}),
    "chance": (
        fg.games.random_markov_game(2, 4, 3, rng=5, start="random", terminal=1, time_limit=7),
        [fg.ExpectedSarsa(), fg.FixedPolicy([0.2, 0.3, 0.5])],
        {"record": fg.Record(rewards=True, flips=True)},
    ),
    "functions": (fg.games.el_farol(5, 3), fg.WoLFPHC(), {"stop": fg.Stable(60), "record": LAST}),
    "team": (fg.games.climbing(), fg.VDN(), {}),
    "mine": (fg.games.chicken(), [MINE, fg.Hedge(0.1)], {}),
}


def run(name, steps, **more):
    """A run of a call with so many steps."""
    game, learners, arguments = CALLS[name]
    if "resume" not in more:
        more |= {"replicas": SWEEP if name == "matrix" else REPLICAS, "rng": 11}
    return fg.run(game, learners, steps, backend="reference", **arguments, **more)


def given(name):
    """The learners that a file of the call does not hold."""
    return {"learners": CALLS[name][1]} if name == "mine" else {}


@pytest.mark.parametrize("name", CALLS)
def test_a_result_loads_and_goes_on_to_the_same_bits(name):
    loaded = fg.load(HERE / f"{name}.zip", **given(name))
    assert_same(run(name, FIRST), loaded)
    assert_same(run(name, REST, resume=run(name, FIRST)), run(name, REST, resume=loaded))


@pytest.mark.parametrize("name", CALLS)
def test_a_checkpoint_goes_on_to_the_bits_of_a_run_in_one_go(name, tmp_path):
    path = tmp_path / "copy"
    shutil.copy(HERE / f"{name}.checkpoint", path)
    before = fg.load(path, **given(name))
    assert (before.steps < FIRST + REST).any() and before.steps.any()
    assert_same(run(name, FIRST + REST), run(name, FIRST + REST, checkpoint=path))


@pytest.fixture
def edited(monkeypatch):
    """Edit a function as if the text of its file were another: the file itself is not touched."""

    def edit(function, old, new):
        path = function.__code__.co_filename
        text = Path(path).read_text()
        assert text.count(old) == 1
        text = text.replace(old, new)
        lines = text.splitlines(keepends=True)
        monkeypatch.setitem(linecache.cache, path, (len(text), None, lines, path))
        made = {}
        exec(compile(text, path, "exec", dont_inherit=True), made)
        monkeypatch.setattr(function, "__code__", made[function.__name__].__code__)

    return edit


def mine_again():
    """A learner of the functions as they are now."""
    return [dataclasses.replace(MINE), CALLS["mine"][1][1]]


def test_a_docstring_of_a_helper_may_change(edited, tmp_path):
    """`draw_unit`, with which MINE draws, calls `unit`."""
    path = tmp_path / "copy"
    shutil.copy(HERE / "mine.checkpoint", path)
    first, whole = run("mine", FIRST), run("mine", FIRST + REST)
    edited(choice.unit, choice.unit.__doc__, "Do as before.")
    game, learners = CALLS["mine"][0], mine_again()
    assert learners[0].fingerprint == MINE.fingerprint
    assert_same(first, fg.load(HERE / "mine.zip", learners=learners))
    call = game, learners, FIRST + REST, REPLICAS
    assert_same(whole, fg.run(*call, rng=11, backend="reference", checkpoint=path))


@pytest.mark.parametrize("kind", ["zip", "checkpoint"])
def test_a_helper_whose_code_changed_is_refused(kind, edited, tmp_path):
    path = tmp_path / "copy"
    shutil.copy(HERE / f"mine.{kind}", path)
    edited(choice.unit, "real(u) * real(2.0**-31)", "real(u) * real(2.0**-32)")
    game, learners = CALLS["mine"][0], mine_again()
    with pytest.raises(ValueError, match=r"learners\[0\]"):
        if kind == "zip":
            fg.load(path, learners=learners)
        else:
            fg.run(
                game, learners, FIRST + REST, REPLICAS, rng=11, backend="reference", checkpoint=path
            )


@pytest.mark.parametrize("stored", ["present", "former"])
def test_a_checkpoint_of_a_resumed_run_loads(stored, monkeypatch, tmp_path):
    """Its call holds the digests of the result that it resumes as well."""
    path = tmp_path / "checkpoint"
    digest = codec._digest
    if stored == "former":
        monkeypatch.setattr(codec, "_digest", lambda value, former=False: digest(value, True))
    first = run("mine", FIRST)
    whole = run("mine", REST, resume=first, checkpoint=path)
    monkeypatch.undo()
    assert MINE.functions.former != MINE.fingerprint
    assert_same(whole, run("mine", REST, resume=first, checkpoint=path))
    with pytest.raises(ValueError, match="resume"):
        run("mine", REST, resume=run("mine", FIRST - 1), checkpoint=path)


def write(folder):
    """Write a result of the first steps of every call, and a checkpoint from its middle."""
    try:
        from fastgames.engine.interpreted import ReferenceBlock
    except ImportError:  # of revision b0c35d5
        from fastgames.reference import ReferenceBlock
    advance, taken = ReferenceBlock.advance, []

    def interrupted(block, steps):
        if sum(taken) > 2 * FIRST:
            raise KeyboardInterrupt
        taken.append(advance(block, min(steps, 5)))
        return taken[-1]

    for name in CALLS:
        ReferenceBlock.advance = advance
        run(name, FIRST).save(folder / f"{name}.zip")
        ReferenceBlock.advance = interrupted
        taken.clear()
        with contextlib.suppress(KeyboardInterrupt):
            run(name, FIRST + REST, checkpoint=folder / f"{name}.checkpoint", threads=1)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
