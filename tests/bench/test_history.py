"""The pure parts of bench/: what is timed, held against what, and how it is kept and drawn."""

import copy
import dataclasses
import json
import re
from fnmatch import fnmatchcase

import checked
import generated
import history
import machine
import numpy as np
import pytest

import fastgames as fg
from fastgames import _core, registry

SCENARIOS = generated.learner_scenarios() + generated.game_scenarios()


# --- scenarios ----------------------------------------------------------------------------------


def test_everything_registered_has_a_scenario():
    words = {word for s in SCENARIOS for word in s.name.split("-")}
    names = [getattr(registry, k) for k in ("LEARNERS", "EXPLORERS", "STEP_SIZES", "GAMES")]
    assert {name for each in names for name in each} | {"counterfactual"} <= words
    assert len({s.name for s in SCENARIOS}) == len(SCENARIOS)


def test_every_word_of_a_choice_has_a_scenario():
    found = {s.name: s for s in SCENARIOS}
    for word in ("optimistic", "central"):
        arguments = found[f"qmix-softmax-weighting_{word}-small-float64-one"].arguments()
        assert {learner.weighting for learner in arguments["learners"]} == {word}
    arguments = found["grpo-leave_one_out-deviation_none-turns-float32-all"].arguments()
    assert all(x.deviation == "none" and x.leave_one_out for x in arguments["learners"])


def test_a_new_learner_and_a_new_game_get_scenarios_with_nothing_else_said(monkeypatch):
    class Timid(fg.QLearner):
        pass

    monkeypatch.setattr(registry, "LEARNERS", {"timid": Timid})
    monkeypatch.setattr(registry, "GAMES", {"chess": fg.games.jordan})
    found = {s.name: s for s in generated.learner_scenarios() + generated.game_scenarios()}
    learner = found["timid-softmax-visits-counterfactual-large-float32-all"].arguments()
    assert {type(x) for x in learner["learners"]} == {Timid}
    assert all(x.counterfactual for x in learner["learners"])
    assert {type(x.explore) for x in learner["learners"]} == {fg.Softmax}
    assert found["chess-float64-one"].arguments()["game"].num_agents == 3


def test_a_learner_that_needs_what_nobody_knows_says_so(monkeypatch):
    class Odd(fg.QLearner):
        def __init__(self, oddness):
            super().__init__()

    monkeypatch.setattr(registry, "LEARNERS", {"odd": Odd})
    scenario = next(s for s in generated.learner_scenarios() if s.name.startswith("odd"))
    with pytest.raises(TypeError, match="oddness"):
        scenario.arguments()


REFUSED = {  # by pattern of the table: what `run` says of a scenario that the pattern leaves out
    "q-*-counterfactual-turns-*": "needs counterfactual rewards, which are undefined",
    "regret_matching*-turns-*": "needs counterfactual rewards, which are undefined",
    "hedge-turns-*": "needs counterfactual rewards, which are undefined",
    "fictitious_play-turns-*": "needs counterfactual rewards, which are undefined",
    "joint_action-*-turns-*": "game must be without turns for JointActionLearner",
    "lola-large-*": "game must have at most 64 states for LOLA",
    "lola-turns-*": "game must be without turns for LOLA",
    "sampled_lola-turns-*": "game must be without turns for SampledLOLA",
    "self_play*-small-*": "game must be symmetric for SelfPlay",
    "self_play*-large-*": "game must be symmetric for SelfPlay",
    "minimax_q-*-turns-*": "observations of agent 0 must identify the state for MinimaxQ",
    "minimax_q-*-large-*": "rewards of game must sum to 0 .* for MinimaxQ",
}


def test_what_is_left_out_is_refused_for_its_reason_and_all_else_runs():
    assert set(generated.excluded()) == set(REFUSED)
    for scenario in SCENARIOS:
        arguments = scenario.arguments() | {"progress": False, "backend": "reference"}
        arguments["steps"] = max(learner.least_steps for learner in arguments["learners"])
        patterns = [p for p in generated.excluded() if fnmatchcase(scenario.name, p)]
        if patterns:
            with pytest.raises(ValueError, match=REFUSED[patterns[0]]):
                fg.run(**arguments)
        else:
            fg.run(**arguments)


def test_every_row_of_the_table_leaves_something_out():
    assert generated.excluded()
    for pattern, reason in generated.excluded().items():
        assert any(fnmatchcase(s.name, pattern) for s in SCENARIOS), pattern
        assert reason


# --- what results are held against --------------------------------------------------------------

RUN = {
    "game": fg.games.klein(),
    "learners": [fg.Sarsa(fg.Exponential(0.5, 0.1)), fg.QLearner(fg.VisitCount())],
    "steps": 40,
    "replicas": 3,
    "rng": 7,
    "record": fg.Record(every=7, tables=("q",), flips=True, joint_actions=True, rewards=True),
    "stop": fg.Stable(2**20),
}


def _altered(result):
    """Copies of a result in which one bit of one array differs, by the name of the array."""
    for name in checked.arrays(result):
        other = copy.deepcopy(result)
        agent, _, rest = name.rpartition("/")
        seat = other.state.seats[int(agent[0])] if agent else None
        if "/pending" in agent:
            place = vars(seat.pending)
            if place["observation"][0] < 0:  # nothing is pending: what stands there is never read
                continue
        elif "/recurrence" in agent:
            place = seat.recurrence
        elif agent:
            place = seat.tables | vars(seat)
        else:
            place = vars(other.state)
        place[rest][:1].reshape(-1).view(np.uint8)[0] ^= 1
        yield name, other


def test_one_bit_of_any_array_changes_the_digest():
    windowed = RUN | {"record": dataclasses.replace(RUN["record"], last=20), "progress": False}
    result = fg.run(**windowed)
    names = set()
    for name, other in _altered(result):
        names.add(name)
        assert checked.digest(other) != checked.digest(result), name
    assert {
        "steps",
        "streams",
        "states",
        "flips",
        "joint_counts",
        "reward_sums",
        "stable",
        "window",
    } <= names
    assert {"0/q", "1/visits", "0/clock", "0/recurrence/alpha", "0/pending/gain"} <= names
    result.snapshots.tables[0]["q"][0, 0, 0, 0] += 1
    assert checked.digest(result) != checked.digest(fg.run(**windowed))
    assert checked.digest(result, snapshots=False) != checked.digest(result)


def test_the_digest_of_the_first_replicas_is_that_of_a_smaller_run():
    larger = fg.run(**RUN, progress=False)
    smaller = fg.run(**RUN | {"replicas": 2}, progress=False)
    assert checked.digest(larger, 2) == checked.digest(smaller) != checked.digest(larger)


@pytest.mark.parametrize("beyond", [0, 5])
def test_a_wrong_answer_fails(beyond, monkeypatch):
    monkeypatch.setattr(checked, "REFERENCE_STEPS", RUN["steps"] - beyond)
    result = fg.run(**RUN, progress=False)
    checked.check(result, **RUN)
    for name, other in _altered(result):
        with pytest.raises(AssertionError, match="the least build differs"):
            checked.check(other, **RUN)
        assert name


def test_builds_that_agree_on_a_wrong_answer_fail(monkeypatch):
    result = fg.run(**RUN, progress=False)
    correct = checked.digest

    def same_for_all_builds(result, replicas=None, snapshots=True):
        return correct(result, replicas, snapshots) if not snapshots else "the same"

    monkeypatch.setattr(checked, "digest", same_for_all_builds)
    result.state.flips[0] += 1
    with pytest.raises(AssertionError, match="the rules differ"):
        checked.check(result, **RUN)


def test_the_build_is_forced_only_where_it_is_said(monkeypatch):
    monkeypatch.setattr(_core, "isa", "another")
    with pytest.raises(KeyError), checked.build(_core.available()[0]):
        assert _core.isa == _core.available()[0]
        raise KeyError
    assert _core.isa == "another"


@pytest.mark.parametrize("dtype", registry.DTYPES)
def test_memory_counts_tables_streams_and_clocks(dtype):
    result = fg.run(fg.games.shapley(), fg.QLearner(), 1, 1000, rng=1, dtype=dtype)
    taken = checked.memory(result, "auto")
    table = 3 * np.dtype(dtype).itemsize
    streams, clocks, counters = 2 * 16, 2 * 8, 4 + 8 + 8
    assert taken["state_bytes"] == 2 * table + streams + clocks + counters
    assert 2 * table < taken["block_bytes"] < 4096


# --- the machine --------------------------------------------------------------------------------


def test_the_fingerprint_is_json_and_its_key_changes_with_it():
    found = machine.fingerprint()
    assert json.loads(json.dumps(found)) == found
    assert all(found.values())
    assert machine.key(found) == machine.key(dict(reversed(found.items())))
    assert machine.key(found) != machine.key(found | {"cores": found["cores"] + 1})


def test_the_compiler_is_what_signed_the_extensions(tmp_path):
    assert machine.compiler(tmp_path) == "unknown"
    (tmp_path / "lanes_v2_f32.so").write_bytes(b"\0GCC: (Debian 12.2.0-14) 12.2.0\0\1")
    assert machine.compiler(tmp_path) == "GCC: (Debian 12.2.0-14) 12.2.0"
    (tmp_path / "lanes_v3_f32.so").write_bytes(b"Debian clang version 14.0.6\0")
    assert machine.compiler(tmp_path) == "clang version 14.0.6"


# --- history ------------------------------------------------------------------------------------


def report(commit="abc123", median=0.5, digest="d1", cpu="Z80", **more):
    """A report of pytest-benchmark, as far as it is read."""
    steps = {"game_steps_per_s": 1e6 / median, "digest": digest, **more}
    stats = {"median": median, "iqr": 0.01}
    return {
        "commit_info": {"id": commit, "dirty": False},
        "datetime": "2026-11-24T12:00:00+00:00",
        "machine_info": {"fastgames": {"cpu": cpu, "cores": 1}},
        "benchmarks": [
            {"name": "test_run[<2>]", "stats": stats, "extra_info": steps},
            {"name": "test_import[numpy]", "stats": stats, "extra_info": {}},
        ],
    }


@pytest.fixture
def folder(tmp_path):
    """A history of two machines, the first with three runs."""
    for more in (
        {"commit": "one"},
        {"commit": "two", "median": 0.51},
        {"commit": "three", "median": 0.7, "digest": "d2"},
        {"commit": "one", "cpu": "6502 & co"},
    ):
        history.append(history.run_of(report(**more)), tmp_path)
    return tmp_path


def test_what_is_appended_is_read_back_by_machine(folder):
    found = history.read(folder)
    assert sorted([run.commit for run in runs] for runs in found.values()) == [
        ["one"],
        ["one", "two", "three"],
    ]
    for key, runs in found.items():
        assert key == machine.key(runs[0].machine)
    runs = max(found.values(), key=len)
    assert runs[2] == history.run_of(report("three", 0.7, "d2"))
    assert runs[2].scenarios["test_run[<2>]"] == history.Timing(0.7, 0.01, 1e6 / 0.7, "d2")
    assert runs[2].scenarios["test_import[numpy]"].steps_per_s is None


def test_a_missing_history_says_what_makes_one(tmp_path, capsys):
    with pytest.raises(FileNotFoundError, match="make bench-history"):
        history.read(tmp_path / "none")
    with pytest.raises(SystemExit, match="make bench-history"):
        history.main(["--folder", str(tmp_path), "--out", str(tmp_path / "page.html")])


TIMING = {"median": 1.0, "iqr": 0.1}


@pytest.mark.parametrize(
    "change",
    [
        lambda run: "{",
        lambda run: "[]",
        lambda run: "7",
        lambda run: json.dumps(run)[:-9],
        lambda run: json.dumps({**run, "more": 1}),
        lambda run: json.dumps({k: v for k, v in run.items() if k != "date"}),
        lambda run: json.dumps(run | {"machine": {}}),
        lambda run: json.dumps(run | {"machine": 3}),
        lambda run: json.dumps(run | {"scenarios": 3}),
        lambda run: json.dumps(run | {"scenarios": {"a": 3}}),
        lambda run: json.dumps(run | {"scenarios": {"a": {"median": 1.0}}}),
        lambda run: json.dumps(run | {"scenarios": {"a": TIMING | {"median": "1"}}}),
        lambda run: json.dumps(run | {"scenarios": {"a": TIMING | {"median": 0.0}}}),
        lambda run: json.dumps(run | {"scenarios": {"a": TIMING | {"iqr": float("nan")}}}),
        lambda run: json.dumps(run | {"scenarios": {"a": TIMING | {"steps_per_s": -1.0}}}),
    ],
)
def test_a_damaged_line_is_named(change, tmp_path):
    path = history.append(history.run_of(report()), tmp_path)
    run = dataclasses.asdict(history.run_of(report()))
    with path.open("a") as file:
        file.write(change(run) + "\n")
    with pytest.raises(ValueError, match=rf"{path}, line 2, is not a run"):
        history.read(tmp_path)


def test_what_is_no_report_is_refused(tmp_path):
    path = tmp_path / "report.json"
    for text in ("", "{}", "[]", json.dumps(report() | {"benchmarks": [{}]})):
        path.write_text(text)
        with pytest.raises(SystemExit, match=r"report\.json is not a report"):
            history.main(["--add", str(path), "--folder", str(tmp_path)])
    with pytest.raises(SystemExit, match="No such file"):
        history.main(["--add", str(tmp_path / "none.json"), "--folder", str(tmp_path)])
    assert not list(tmp_path.glob("*.jsonl"))


def test_changes_beyond_the_noise_are_named(folder):
    runs = max(history.read(folder).values(), key=len)
    assert history.changes(runs[:1]) == history.changes(runs[:2]) == []
    (run, ratio, bits), (other, same, _) = history.changes(runs)
    assert (run, bits, other) == ("test_run[<2>]", True, "test_import[numpy]")
    assert ratio == same == pytest.approx(0.7 / 0.51)


def test_the_page_stands_alone_and_shows_every_run(folder, tmp_path):
    (tmp_path / "report.json").write_text(json.dumps(report("f<ur", 0.7, "d2")))
    out = tmp_path / "new" / "page.html"
    history.main(
        ["--add", str(tmp_path / "report.json"), "--folder", str(folder), "--out", str(out)]
    )
    text = out.read_text()
    assert not re.search(r"<script|src=|href=|url\(|@import|://", text)
    assert text.count("<section") == 2
    assert text.count("<svg") == 4
    assert text.count("<circle") == 2 * (4 + 1)
    assert text.count('class="changed"') == 1
    assert "test_run[&lt;2&gt;]" in text
    assert "6502 &amp; co" in text
    assert "6502 & co" not in text
    for commit in ("one", "two", "three", "f&lt;ur"):
        assert f"<title>{commit}, 2026-11-24T12:00" in text
    assert "<b>1.429</b> M steps/s" in text
    assert "<b>700</b> ms" in text
