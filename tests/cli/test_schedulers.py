"""The shard of a task of a job array, from the variables of its scheduler."""

import re

import pytest

from fastgames.cli import schedulers
from fastgames.cli.schedulers import SCHEDULERS, scheduled, shard_of


@pytest.fixture
def task(monkeypatch):
    """Set the variables of a task, "TASK_ID=3 ..."; those of all schedulers are unset before."""
    for each in SCHEDULERS.values():
        for name in (each.task, each.first, each.last, each.step, each.tasks):
            if name:
                monkeypatch.delenv(name, raising=False)

    def set_variables(text):
        for word in text.split():
            monkeypatch.setenv(*word.split("="))

    return set_variables


def slurm(number, first, last, count, step=1):
    return (f"SLURM_ARRAY_TASK_ID={number} SLURM_ARRAY_TASK_MIN={first} "
            f"SLURM_ARRAY_TASK_MAX={last} SLURM_ARRAY_TASK_COUNT={count} "
            f"SLURM_ARRAY_TASK_STEP={step}")  # fmt: skip


def sge(number, first, last, step=1):
    return (f"SGE_TASK_ID={number} SGE_TASK_FIRST={first} SGE_TASK_LAST={last} "
            f"SGE_TASK_STEPSIZE={step}")  # fmt: skip


@pytest.mark.parametrize(
    ("variables", "text", "shard"),
    [
        ("", "3/40", (3, 40)),
        (slurm(9, 1, 9, 9), "3/40", (3, 40)),
        (slurm(3, 1, 40, 40), "auto", (3, 40)),
        (slurm(0, 0, 39, 40), "auto", (1, 40)),
        (slurm(39, 0, 39, 40), "auto", (40, 40)),
        (slurm(107, 101, 110, 10), "auto", (7, 10)),
        (slurm(8, 0, 12, 4, 4), "auto", (3, 4)),
        (slurm(8, 0, 12, 4, 4).replace("_MAX", "_X"), "auto", (3, 4)),
        (slurm(8, 0, 12, 4, 4).replace("_COUNT", "_X"), "auto", (3, 4)),
        (slurm(17, 3, 17, 2), "auto/40", (17, 40)),
        ("SLURM_ARRAY_TASK_ID=7", "auto/7", (7, 7)),
        ("PBS_ARRAY_INDEX=1", "auto/40", (1, 40)),
        (sge(3, 1, 40), "auto", (3, 40)),
        (sge(5, 1, 9, 4), "auto", (2, 3)),
        (sge(3, 3, 3), "auto/40", (3, 40)),
    ],
)
def test_shards(task, variables, text, shard):
    task(variables)
    assert shard_of(text) == shard


@pytest.mark.parametrize(
    ("variables", "text", "said"),
    [
        ("", "auto", "shard must be K/N outside of a job array, got 'auto' and none of SLURM_"),
        ("", "auto/4", "shard must be K/N outside of a job array, got 'auto/4'"),
        ("SGE_TASK_ID=undefined", "auto", "outside of a job array"),
        ("SLURM_ARRAY_TASK_ID=3", "auto", "SLURM_ARRAY_TASK_MIN must be set beside SLURM_ARRAY_T"),
        (
            "SLURM_ARRAY_TASK_ID=3 SLURM_ARRAY_TASK_MIN=1",
            "auto",
            "SLURM_ARRAY_TASK_MAX must be set beside SLURM_ARRAY_TASK_ID with --shard auto",
        ),
        ("PBS_ARRAY_INDEX=3", "auto", "the number of tasks must be set beside PBS_ARRAY_INDEX"),
        (sge(3, 1, "undefined"), "auto", "SGE_TASK_LAST must be set beside SGE_TASK_ID"),
        (slurm(3, 3, 17, 2), "auto", "SLURM_ARRAY_TASK_ID must be one of evenly spaced numbers"),
        (slurm(3, 1, 40, 39), "auto", "SLURM_ARRAY_TASK_MAX=40.*SLURM_ARRAY_TASK_COUNT=39"),
        (slurm(41, 1, 40, 40), "auto", "evenly spaced.*SLURM_ARRAY_TASK_ID=41"),
        (slurm(0, 1, 40, 40), "auto", "evenly spaced.*SLURM_ARRAY_TASK_ID=0"),
        (slurm(2, 1, 7, 4, 2), "auto", "evenly spaced.*SLURM_ARRAY_TASK_STEP=2"),
        (sge(3, 9, 1), "auto", "evenly spaced.*SGE_TASK_LAST=1"),
        (slurm("x", 1, 40, 40), "auto", "SLURM_ARRAY_TASK_ID must be a whole number, got 'x'"),
        (slurm(1, "-1", 40, 40), "auto", "SLURM_ARRAY_TASK_MIN must be a whole number, got '-1'"),
        (slurm(1, 1, 40, "1e1"), "auto", "SLURM_ARRAY_TASK_COUNT must be a whole number"),
        ("PBS_ARRAY_INDEX=0", "auto/4", r"PBS_ARRAY_INDEX must be in \[1, 4\] with --shard auto/4"),
        (slurm(41, 1, 41, 41), "auto/40", "SLURM_ARRAY_TASK_ID must be in .*, got 41"),
        *(
            ("PBS_ARRAY_INDEX=1", text, "shard must be K/N with 1 <= K <= N.*such as 3/40, auto")
            for text in ("3", "3/", "/4", "3-40", "-1/4", "a/4", "1/b", "1/2/3", "1.0/2", "Auto",
                         "auto/0", "auto/1000001", "auto/-1", "", "1 / 2", "1/9999999999")
        ),
        *(("", text, "shard must be two whole numbers") for text in ("0/4", "5/4", "1/1000001")),
    ],
)  # fmt: skip
def test_what_is_no_shard(task, variables, text, said):
    task(variables)
    with pytest.raises(ValueError, match=said):
        shard_of(text)


def test_outside_of_a_job_array(task):
    assert scheduled() is None
    assert scheduled(4) is None
    task("SGE_TASK_ID=undefined SLURM_ARRAY_TASK_ID=")
    assert scheduled() is None


def test_every_message_names_the_way_out(task):
    task("PBS_ARRAY_INDEX=1")
    with pytest.raises(ValueError, match=re.escape("--shard auto/N")):
        scheduled()
    assert schedulers.MOST == 10**6
