"""The decisions of the two gates on speed, bench/compare.py and bench/instructions.py."""

import sys
from pathlib import Path

import numpy as np
import pytest

BENCH = Path(__file__).parents[2] / "bench"


@pytest.fixture(scope="module", autouse=True)
def on_the_path():
    """Scripts import each other from where they lie."""
    sys.path.insert(0, str(BENCH))
    yield
    sys.path.remove(str(BENCH))


# --- two revisions side by side -------------------------------------------------------------------

NOISE = 0.02  # standard deviation of a round's log ratio; measured: 0.01 to 0.02


def verdict(true_ratio, seed, noise=NOISE):
    """Both passes, on rounds with that noise."""
    import compare

    rng = np.random.default_rng(seed)

    def rounds(count):
        return np.log(true_ratio) + noise * rng.standard_t(5, count) / np.sqrt(5 / 3)

    first, second = rounds(compare.ROUNDS), rounds(2 * compare.ROUNDS)
    return compare.is_suspicious(first) and compare.is_slower(second)


def test_a_slowdown_of_five_per_cent_is_caught():
    assert all(verdict(1.05, seed) for seed in range(100))


@pytest.mark.parametrize("noise", [0.005, NOISE, 2 * NOISE])
def test_the_same_revision_raises_no_alarm(noise):
    assert not any(verdict(1.0, seed, noise) for seed in range(400))


def test_a_slowdown_within_the_limit_raises_no_alarm():
    assert not any(verdict(1.015, seed) for seed in range(100))


def test_a_gain_is_no_slowdown():
    assert not any(verdict(0.9, seed) for seed in range(100))


def test_what_may_be_chance_is_not_slower():
    import compare

    assert not compare.is_slower([0.0, 0.0, 0.0, 0.3])  # the mean is far beyond the limit


def test_the_interval_is_that_of_student():
    import compare

    low, middle, high = compare.interval([0.01, 0.03])  # t of one degree: tan(0.495 pi)
    assert middle == pytest.approx(0.02)
    assert high - middle == middle - low == pytest.approx(0.01 * np.tan(0.495 * np.pi))


class Scripted:
    """A worker that answers what it is told to."""

    def __init__(self, *answers, contract=1):
        self.answers, self.contract = list(answers), contract

    def ask(self, name, steps):
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def answer(seconds, digest="same"):
    return {"seconds": seconds, "digest": digest}


def test_a_round_is_head_over_base():
    import compare

    ratio = compare.one_round(Scripted(answer(2.0)), Scripted(answer(3.0)), "x", 1)
    assert ratio == pytest.approx(np.log(1.5))


def test_a_round_with_other_results_is_wrong_unless_the_contract_changed():
    import compare

    base, wrong = Scripted(answer(1.0)), Scripted(answer(1.0), answer(0.5, "other"))
    assert "another result" in compare.one_round(base, wrong, "x", 1)
    changed = Scripted(answer(1.0), answer(0.5, "other"), contract=2)
    assert isinstance(compare.one_round(base, changed, "x", 1), float)


def test_a_head_that_cannot_run_what_base_can_fails():
    import compare

    assert compare.one_round(Scripted(answer(1.0)), Scripted({"skipped": "Error: no"}), "x", 1) == (
        "fails: Error: no"
    )


def test_steps_are_chosen_by_the_time_they_take():
    import compare

    class Steady:
        def ask(self, name, steps):
            return answer(steps * 1e-6)

    assert compare.steps_for(Steady(), "x") == pytest.approx(compare.SECONDS / 1e-6, rel=1e-3)
    assert compare.steps_for(Scripted({"skipped": "Error: old"}), "x") == "Error: old"


# --- instruction counts ---------------------------------------------------------------------------


def test_a_count_may_rise_by_one_per_cent():
    import instructions

    before = {"a": 100.0, "b": 100.0, "c": 100.0}
    assert instructions.risen(before, {"a": 100.9, "b": 101.1, "c": 50.0, "new": 1.0}) == ["b"]


def version(count, reason):
    import instructions

    return {instructions.COUNTS: {"a": count}, instructions.REASON: reason}


def test_counts_change_with_a_reason():
    import instructions

    first, second = version(1.0, "first"), version(2.0, "a wider table")
    assert not instructions.unexplained([first])
    assert not instructions.unexplained([first, second, second])
    assert instructions.unexplained([first, version(2.0, "first")])
    assert instructions.unexplained([first, second, version(3.0, "a wider table")])


def test_stored_against_now(monkeypatch):
    import instructions

    stored = version(1.0, "first")
    for now, wrong in (
        ({"a": 1.0}, []),
        ({"a": 1.02}, ["a has risen"]),
        ({"a": 1.0, "b": 1.0}, ["b is in one of them only"]),
        ({}, ["a is in one of them only"]),
    ):
        monkeypatch.setattr(instructions, "count", lambda site, now=now: now)
        assert instructions.check(stored) == wrong


def test_with_another_compiler_a_rise_must_be_in_the_file(monkeypatch):
    import builds
    import instructions

    monkeypatch.setattr(builds, "build_both", lambda base, head: ({"a": 1.0}, {"a": 1.1}))
    monkeypatch.setattr(instructions, "count", lambda site: site)
    for there, wrong in ((version(9.0, "first"), ["a has risen"]), (version(8.0, "first"), [])):
        monkeypatch.setattr(instructions, "committed", lambda base, there=there: there)
        assert instructions.check_against("base", version(9.0, "second")) == wrong


def test_every_scenario_runs_and_gives_a_digest():
    import scenarios

    for name in scenarios.SCENARIOS:
        if scenarios.ISA.get(name, scenarios.BEST) == scenarios.BEST:
            assert len(scenarios.digest(scenarios.prepare(name, 2)())) == 16
