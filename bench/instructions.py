"""Check the instructions per game-step, counted by callgrind and therefore free of noise.

    python bench/instructions.py                        compare with instructions.json
    python bench/instructions.py --update --reason ...  store the counts in it
    python bench/instructions.py --base REVISION        compare with that revision

Exit status 1 if a count has risen by more than 1 %. An intended rise is stored in the file with its
reason, in the same commit. Stored counts are valid for the compiler that the file names; if another
one built the kernels, base and head are built and counted.

Only `Lanes.advance` and `Stepper.play` are counted, in the AVX2 build, because valgrind does not
support AVX-512. All scenarios run in one process; callgrind writes its counts and resets them
whenever the process calls getppid.
"""

import argparse
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import builds

STORED = Path(__file__).with_suffix(".json")
NAME = STORED.relative_to(builds.ROOT).as_posix()
COUNTS, HOLDS_FOR, REASON = "instructions per game-step", "holds for", "reason"
LIMIT = 1.01
STEPS = 2_048
CALLGRIND = [
    "valgrind",
    "--tool=callgrind",
    "--collect-atstart=no",
    "--toggle-collect=__pyx_pw_*Lanes_*advance",
    "--toggle-collect=__pyx_fuse_*Stepper_play",
    "--dump-before=getppid",
]


def work(site):
    """Run every scenario under callgrind; print {name: game-steps taken, or an error}."""
    import scenarios

    scenarios.check_origin(site)
    try:
        from fastgames.engine import driver
    except ImportError:  # a revision from before the layers
        from fastgames import engine as driver

    def run_here(work, make_block, *_):
        """Run in this thread, so that no thread waits for another's lock."""
        work.done = [0]
        driver.Roster(work, make_block(), 0).work_off()

    driver.run = run_here
    driver.SLICE = float("inf")  # so that the number of slices does not depend on a clock
    taken = {}
    os.getppid()
    for name in scenarios.SCENARIOS:
        if name not in scenarios.ISA:
            try:
                taken[name] = int(scenarios.prepare(name, STEPS)().steps.sum())
            except Exception as error:  # an older revision may raise anything
                taken[name] = f"{type(error).__name__}: {error}"
            os.getppid()
    print(json.dumps(taken))


def count(site):
    """Return {name: instructions per game-step} of the package under `site`."""
    if shutil.which("valgrind") is None:
        sys.exit("NO INSTRUCTION WAS COUNTED: valgrind is not installed (apt-get install valgrind)")
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [
                *CALLGRIND,
                f"--callgrind-out-file={folder}/dump",
                *(sys.executable, __file__, "--worker", str(site)),
            ],
            env={
                **os.environ,
                "PYTHONPATH": str(site),
                "PYTHONHASHSEED": "0",
                "OPENBLAS_NUM_THREADS": "1",
                "FASTGAMES_ISA": "v3",
            },
            capture_output=True,
            text=True,
        )
        if done.returncode:
            sys.exit(f"NO INSTRUCTION WAS COUNTED:\n{done.stdout}{done.stderr}")
        found = {}
        # the first dump has the counts before the first scenario
        for number, (name, steps) in enumerate(json.loads(done.stdout).items(), start=2):
            if isinstance(steps, str):
                print(f"{name:18} {steps}")
                continue
            text = Path(folder, f"dump.{number}").read_text()
            total = int(re.search(r"^totals: (\d+)", text, re.MULTILINE)[1])
            if total == 0:
                sys.exit(f"{name}: no instruction was counted in Lanes.advance or Stepper.play")
            found[name] = round(total / steps, 3)
    return found


def risen(before, now):
    """Return the names whose counts have risen beyond the limit."""
    return [name for name in now if name in before and now[name] > LIMIT * before[name]]


def unexplained(versions):
    """Return whether counts changed between two versions of the file without a new reason."""
    return any(
        a[COUNTS] != b[COUNTS] and a[REASON] == b[REASON] for a, b in itertools.pairwise(versions)
    )


def show(before, now):
    """Print the counts before and now, and the changes."""
    for name in {**before, **now}:
        a, b = before.get(name), now.get(name)
        change = f"{100 * (b / a - 1):+8.2f} %" if a and b else "        -"
        print(f"{name:18} {a or '-':>10} {b or '-':>10} {change}")


def committed(revision):
    """Return the stored file at a revision, or None."""
    if not builds.git("ls-tree", "--full-tree", revision, NAME):
        return None
    return json.loads(builds.git("show", f"{revision}:{NAME}"))


def default_base():
    """Return the revision on which the working tree is based."""
    if builds.tree_of(builds.WORKING_TREE) != builds.tree_of("HEAD"):
        return "HEAD"
    if builds.git("for-each-ref", "refs/remotes/origin/main"):
        base = builds.git("merge-base", "HEAD", "origin/main")
        if base != builds.git("rev-parse", "HEAD"):
            return base
    return "HEAD~1"


def check(stored):
    """Count the working tree and compare with the stored counts; return what is wrong."""
    now = count(builds.ROOT)
    print(f"{'':18} {'stored':>10} {'now':>10}   change")
    show(stored[COUNTS], now)
    wrong = [f"{name} has risen" for name in risen(stored[COUNTS], now)]
    return wrong + [f"{x} is in one of them only" for x in sorted(set(stored[COUNTS]) ^ set(now))]


def check_against(base, stored):
    """Build and count the base and the working tree; return what is wrong."""
    before, now = (count(site) for site in builds.build_both(base, builds.WORKING_TREE))
    print(f"{'':18} {'base':>10} {'now':>10}   change   (base: {base})")
    show(before, now)
    there = (committed(base) or {COUNTS: {}})[COUNTS]
    meant = {name for name, n in stored[COUNTS].items() if there.get(name) != n}
    return [f"{name} has risen" for name in risen(before, now) if name not in meant]


def main():
    """Count, compare, and exit with status 1 if a count has risen."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--base", help="revision to count and compare with")
    parser.add_argument("--update", action="store_true", help="store the counts")
    parser.add_argument("--reason", help="reason for the changed counts")
    given = parser.parse_args()
    stored = json.loads(STORED.read_text()) if STORED.exists() else {COUNTS: {}, REASON: ""}
    toolchain = builds.toolchain(builds.ROOT)
    if given.update:
        now = count(builds.ROOT)
        show(stored[COUNTS], now)
        new = {REASON: given.reason, HOLDS_FOR: toolchain, COUNTS: now}
        if not given.reason or unexplained([stored, new]):
            sys.exit("--update needs a new --reason for the changed counts")
        STORED.write_text(json.dumps(new, indent=2) + "\n")
        return
    if given.base is None and toolchain != stored[HOLDS_FOR]:
        print(f"stored counts hold for {stored[HOLDS_FOR]},\nthis build is of {toolchain}")
        given.base = default_base()
    wrong = check(stored) if given.base is None else check_against(given.base, stored)
    commits = builds.git("log", "--format=%H", "-n2", "--", NAME).split()
    if unexplained([*filter(None, map(committed, reversed(commits))), stored]):
        wrong.append(f"{NAME} must have a new reason for its new counts")
    if wrong:
        sys.exit("\n".join([*wrong, f"if intended, use --update --reason and commit {NAME}"]))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        work(sys.argv[2])
    else:
        main()
