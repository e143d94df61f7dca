"""Job arrays: the shard of a task from the scheduler's variables, and submission scripts."""

from __future__ import annotations

import os
import re
from typing import NamedTuple

from fastgames.runs.shards import MOST, Shard, check_shard

FORM = f"K/N with 1 <= K <= N <= {MOST:,}, such as 3/40, auto or auto/N"


class Scheduler(NamedTuple):
    """Variables that a scheduler sets in the tasks of a job array, and a script for it.

    Attributes
    ----------
    task : str
        Variable of the number of the task.
    first, last, step, tasks : str
        Variables of the smallest and the largest number, the step between two, and the number of
        tasks; "" if there is none.
    cpus : str
        Variable of the CPUs of a task.
    again : str
        Command that submits some tasks of a script again.
    head : str
        First lines of a script: a format of `name`, `number`, `cpus`, `time` and `memory`.
    """

    task: str
    first: str
    last: str
    step: str
    tasks: str
    cpus: str
    again: str
    head: str


SCHEDULERS = {
    "slurm": Scheduler(
        "SLURM_ARRAY_TASK_ID",
        "SLURM_ARRAY_TASK_MIN",
        "SLURM_ARRAY_TASK_MAX",
        "SLURM_ARRAY_TASK_STEP",
        "SLURM_ARRAY_TASK_COUNT",
        "SLURM_CPUS_PER_TASK",
        "sbatch --array=3,17 SCRIPT",
        """\
#SBATCH --job-name=fastgames
#SBATCH --array=1-{number}
#SBATCH --cpus-per-task={cpus}
#SBATCH --mem={memory}G
#SBATCH --time={time}
""",
    ),
    "pbs": Scheduler(
        "PBS_ARRAY_INDEX",
        "",
        "",
        "",
        "",
        "NCPUS",
        "qsub -J 3-4 SCRIPT",
        """\
#PBS -N fastgames
#PBS -J 1-{number}
#PBS -l select=1:ncpus={cpus}:mem={memory}gb
#PBS -l walltime={time}
cd "$PBS_O_WORKDIR" || exit
""",
    ),
    "sge": Scheduler(
        "SGE_TASK_ID",
        "SGE_TASK_FIRST",
        "SGE_TASK_LAST",
        "SGE_TASK_STEPSIZE",
        "",
        "NSLOTS",
        "qsub -t 3 SCRIPT",
        """\
#$ -N fastgames
#$ -S /bin/bash
#$ -cwd
#$ -t 1-{number}
#$ -pe smp {cpus}
#$ -l h_vmem={memory}G
#$ -l h_rt={time}
""",
    ),
}


def shard_of(text: str) -> Shard:
    """Return the shard of an option: "3/40", or "auto" and "auto/40" in a job array."""
    found = re.fullmatch(r"(\d{1,9}|auto)/(\d{1,9})", text)
    if text != "auto" and found is None:
        raise ValueError(f"shard must be {FORM}, got {text!r}")
    if found is not None and found[1] != "auto":
        return check_shard((int(found[1]), int(found[2])))
    count = None if found is None else int(found[2])
    if count is not None and not 1 <= count <= MOST:
        raise ValueError(f"shard must be {FORM}, got {text!r}")
    shard = scheduled(count)
    if shard is None:
        names = ", ".join(each.task for each in SCHEDULERS.values())
        raise ValueError(
            f"shard must be K/N outside of a job array, got {text!r} and none of {names}"
        )
    return shard


def scheduled(count: int | None = None) -> Shard | None:
    """Return the shard of this task of a job array; None outside of one.

    With `count`, tasks are numbered from 1 to `count`, of which any may be submitted. Else all
    tasks are, and the numbers of the first and of the last one tell the shard.

    Raises ValueError that names the variable if one is missing or numbers do not agree.
    """
    for each in SCHEDULERS.values():
        if not _is_set(each.task):
            continue
        task = _number(each.task)
        if count is None:
            return _of_all(each, task)
        if not 1 <= task <= count:
            raise ValueError(
                f"{each.task} must be in [1, {count}] with --shard auto/{count}, got {task}; "
                f"number the tasks from 1"
            )
        return Shard(task, count)
    return None


def _of_all(each: Scheduler, task: int) -> Shard:
    """Return the shard of a task of an array of which all tasks were submitted at once."""
    bound = each.tasks if _is_set(each.tasks) else each.last
    for name in (each.first, bound):
        if not _is_set(name):
            raise ValueError(
                f"{name or 'the number of tasks'} must be set beside {each.task} with --shard auto,"
                " got nothing; give the number of shards: --shard auto/N"
            )
    step = max(_number(each.step), 1) if _is_set(each.step) else 1
    first = _number(each.first)
    of = _number(bound)
    if bound == each.last:
        of = (of - first) // step + 1
    last = _number(each.last) if _is_set(each.last) else first + (of - 1) * step
    number, rest = divmod(task - first, step)
    if rest or last != first + (of - 1) * step or not 0 <= number < of <= MOST:
        names = each.task, each.first, each.last, each.step, each.tasks
        values = ", ".join(f"{name}={os.environ[name]}" for name in names if _is_set(name))
        raise ValueError(
            f"{each.task} must be one of evenly spaced numbers with --shard auto, got {values}; "
            "give the number of shards: --shard auto/N"
        )
    return Shard(number + 1, of)


def _is_set(name: str) -> bool:
    """Return whether a variable has a value; SGE sets "undefined" outside of arrays."""
    return os.environ.get(name, "") not in ("", "undefined")


def _number(name: str) -> int:
    """Return a variable that is a whole number."""
    text = os.environ[name]
    if not re.fullmatch(r"\d{1,18}", text):
        raise ValueError(f"{name} must be a whole number, got {text!r}")
    return int(text)


def script(
    scheduler: Scheduler, number: int, cpus: int, memory: int, time: str, command: str, after: str
) -> str:
    """Return a submission script to edit; command, after: lines of a shell."""
    head = scheduler.head.format(number=number, cpus=cpus, memory=memory, time=time)
    return f"""\
#!/bin/bash
{head}
# Load modules or activate an environment here.

# A shard that was killed goes on where it was: {scheduler.again}
{command}

# When all tasks have ended:
# {after}
"""
