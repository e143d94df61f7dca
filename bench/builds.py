"""Build any revision in build/compare/<digest of its sources>, and reuse earlier builds."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / "build" / "compare"
PARTS = ["pyproject.toml", "setup.py", "README.md", "LICENSE", "src_cy", "fastgames"]
WORKING_TREE = "the working tree"


def git(*arguments, **environment):
    """Return the output of git; exit if it fails, after git's own message."""
    done = subprocess.run(
        ["git", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        text=True,
    )
    if done.returncode:
        sys.exit(f"git {' '.join(arguments)} failed")
    return done.stdout.strip()


def tree_of(revision):
    """Return the tree of a revision, or of the working tree without ignored files."""
    if revision != WORKING_TREE:
        return git("rev-parse", "--verify", f"{revision}^{{tree}}")
    with tempfile.TemporaryDirectory() as folder:
        index = {"GIT_INDEX_FILE": f"{folder}/index"}
        git("read-tree", "HEAD", **index)
        git("add", "--all", **index)
        return git("write-tree", **index)


def build(revision):
    """Return the folder from which `import fastgames` imports that revision; build it if needed.

    Equal sources share a folder; two folders with equal sources hold equal bytes.
    """
    tree = tree_of(revision)
    listed = git("ls-tree", "--full-tree", tree, *PARTS)
    folder = CACHE / hashlib.sha256(listed.encode()).hexdigest()[:16]
    if folder.exists():
        return folder
    print(f"building {revision} in {folder.relative_to(ROOT)}", file=sys.stderr, flush=True)
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="unfinished-") as unfinished:
        archive, source, site = (Path(unfinished, x) for x in ("source.tar", "source", "site"))
        there = [line.split("\t")[1] for line in listed.splitlines()]
        git("archive", "--output", str(archive), tree, *there)
        shutil.unpack_archive(archive, source, filter="data")
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target"]
        subprocess.run([*pip, site, source], check=True)
        site.rename(folder)
    return folder


def build_both(base, head):
    """Return the folders of both revisions; exit if different compilers built them."""
    sites = build(base), build(head)
    if toolchain(sites[0]) != toolchain(sites[1]):
        sys.exit(f"{sites[0]} and {sites[1]} are of different compilers: remove {CACHE}")
    return sites


def toolchain(site):
    """Return the compiler, Cython and flags of the kernels under `site`, read from one file."""
    for library in sorted(Path(site, "fastgames", "_core").glob("lanes_*_f64.*")):
        content = library.read_bytes()
        compilers = set(re.findall(rb"GCC: \([^)\0]*\) [\d.]+|clang version [^\0]+", content))
        cython = re.search(rb"_cython_(\d+_\d+_\w+)", content)
        return {
            "compiler": ", ".join(sorted(x.decode() for x in compilers)),
            "cython": "" if cython is None else cython[1].decode().replace("_", "."),
            "python's flags": sysconfig.get_config_var("CFLAGS"),
        }
    sys.exit(f"no compiled kernels under {site}")
