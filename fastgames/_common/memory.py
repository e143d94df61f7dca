"""The memory that is available to this process."""

import os
from pathlib import Path

# A control group's limit, what it uses, and how its memory.stat calls the file cache that it can
# drop: version 2 and version 1.
_V2 = ("memory.max", "memory.current", "inactive_file")
_V1 = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")


def available(root: str | Path = "/") -> int | None:
    """Return the bytes that this process can take without swapping, None if unknown.

    On Linux, what is free or can be freed at once, within the limits of its control groups (a
    container's, a batch job's). Elsewhere, what the machine has. root: where /proc and /sys stand.
    """
    root = Path(root)
    free = _number(root / "proc/meminfo", "MemAvailable:")
    rooms = [] if free is None else [1024 * free]
    return min([*rooms, *_rooms(root)], default=_installed())


def in_units(size: int) -> str:
    """Return a number of bytes as text, in the unit that makes it readable.

    Examples
    --------
    >>> in_units(900), in_units(3_000_000), in_units(10**12)
    ('900 bytes', '2.9 MiB', '931.3 GiB')
    """
    if size < 2**10:
        return f"{size} bytes"
    power = min((size.bit_length() - 1) // 10, 5)
    return f"{size / 2 ** (10 * power):,.1f} {'KMGTP'[power - 1]}iB"


def _rooms(root: Path) -> list[int]:
    """Return the bytes that each control group of the process leaves it."""
    try:
        groups = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return []
    rooms = []
    for line in groups:
        _, kind, path = line.split(":", 2)
        if kind and "memory" not in kind.split(","):
            continue
        top = root / "sys/fs/cgroup" / ("memory" if kind else "")
        own = top / path.lstrip("/")
        for group in {top, own, *(x for x in own.parents if x.is_relative_to(top))}:
            limit, used, cache = _V1 if kind else _V2
            most, now = _number(group / limit), _number(group / used)
            if most is not None and now is not None:
                rooms.append(max(0, most - now + (_number(group / "memory.stat", cache) or 0)))
    return rooms


def _number(file: Path, name: str | None = None) -> int | None:
    """Return the number in a file, or after a name at the start of a line, or None."""
    try:
        words = [line.split() for line in file.read_text().splitlines()]
        return int(words[0][0] if name is None else next(w[1] for w in words if w[0] == name))
    except (OSError, ValueError, IndexError, StopIteration):  # "max": no limit
        return None


def _installed() -> int | None:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # Windows: numpy's own MemoryError has to do
        return None
