"""The machine's fingerprint: everything that determines the speed of fastgames on it.

`python bench/machine.py` prints it as JSON.
"""

import hashlib
import json
import platform
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from fastgames import _core
from fastgames.engine.arguments import cpus

# Signatures that gcc and clang write to binaries (start-up files have gcc's in either case).
SIGNED = re.compile(rb"GCC: \([^)]*\) [\d.]+|clang version [\d.]+")


def fingerprint() -> dict[str, object]:
    """Return the CPU, the usable cores and builds, and the installed versions, for JSON."""
    return {
        "cpu": cpu(),
        "cores": cpus(),
        "isa": _core.isa,
        "builds": list(_core.available()),
        "compiler": compiler(),
        "python": platform.python_version(),
        "numpy": version("numpy"),
        "numba": version("numba"),
        "os": f"{platform.system()} {platform.machine()}",
    }


def key(machine: dict[str, object]) -> str:
    """Return a short name of a fingerprint, for files."""
    return hashlib.sha256(json.dumps(machine, sort_keys=True).encode()).hexdigest()[:12]


def cpu() -> str:
    """Return the model of the CPU, as far as the operating system reports it."""
    if sys.platform == "linux":
        lines = re.findall(r"^(.+?)\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
        told = dict(reversed(lines))  # entries of the first core
        names = ("model name", "cpu family", "model", "CPU implementer", "CPU part")
        found = [told[name] for name in names if name in told]
        return " / ".join(found) or platform.machine()
    if sys.platform == "darwin":
        command = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    return platform.processor() or platform.machine()


def compiler(folder: Path = Path(_core.__file__).parent) -> str:
    """Return the compiler of the extensions in `folder`, or "unknown"."""
    extensions = [p for p in sorted(folder.glob("lanes_*")) if p.suffix in (".so", ".pyd")]
    signed = {name.decode() for p in extensions for name in SIGNED.findall(p.read_bytes())}
    clang = {name for name in signed if name.startswith("clang")}
    return ", ".join(sorted(clang or signed)) or "unknown"


if __name__ == "__main__":
    print(json.dumps(fingerprint(), indent=1))
