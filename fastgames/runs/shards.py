"""Shards: strided parts of a run, each worked off by one process into one file of a folder."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from fastgames._common.seeds import seed_from
from fastgames.engine.arguments import checked_spec
from fastgames.engine.spec import RunSpec
from fastgames.errors import ConvergenceWarning
from fastgames.io import checkpoint
from fastgames.io.files import check_writable
from fastgames.result import Result, doubts
from fastgames.runs.chunks import Chunks
from fastgames.runs.execution import Origin
from fastgames.runs.executors import Pool
from fastgames.runs.folder import Folder, described
from fastgames.runs.keep import Keep, digest_of_keep
from fastgames.runs.merging import merge

MOST = 10**6  # shards of a run
_NAME = re.compile(r"\.?shard-(\d+)-of-(\d+)(\.zip)?")


class Shard(NamedTuple):
    """A part of the replicas of a run: replica number - 1 and every `of`-th after it.

    Attributes
    ----------
    number : int
        Number of the shard, in [1, of].
    of : int
        Number of shards.
    """

    number: int
    of: int

    def __str__(self) -> str:
        """Return the shard as text, such as "3/40"."""
        return f"{self.number}/{self.of}"

    @property
    def stem(self) -> str:
        """The name of its file without the ending, such as "shard-03-of-40"."""
        return f"shard-{self.number:0{len(str(self.of))}}-of-{self.of}"

    @property
    def only(self) -> slice:
        """The replicas, as `run` takes them."""
        return slice(self.number - 1, None, self.of)


def check_shard(shard: Any) -> Shard:
    """Return two whole numbers as a shard; raise TypeError or ValueError if they are none."""
    domain = f"two whole numbers K, N with 1 <= K <= N <= {MOST:,}"
    try:
        number, of = shard
    except (TypeError, ValueError):
        raise TypeError(f"shard must be {domain}, got {shard!r}") from None
    if any(isinstance(x, bool) or not isinstance(x, int | np.integer) for x in (number, of)):
        raise TypeError(f"shard must be {domain}, got {shard!r}")
    if not 1 <= number <= of <= MOST:
        raise ValueError(f"shard must be {domain}, got {number}/{of}")
    return Shard(int(number), int(of))


class Shards:
    """The shards of one call, each a file of a folder.

    Parameters
    ----------
    folder : str or Path
        The folder; it is made if needed.
    call : mapping
        Arguments of `run`, of which `game`, `learners`, `steps`, `replicas` and `rng` are needed.
    keep : function, optional
        As for `run`.
    """

    folder: Path
    call: dict[str, Any]
    keep: Keep | None
    seed: int

    def __init__(
        self, folder: str | os.PathLike[str], call: Mapping[str, Any], keep: Keep | None = None
    ) -> None:
        if call.get("rng") is None:
            raise ValueError("rng must be given with shard, got None: all shards need one seed")
        self.folder = Path(os.path.abspath(folder))
        self.keep = keep
        self.seed = seed_from(call["rng"])
        self.call = {**call, "rng": self.seed}

    def run(self, shard: Shard, progress: bool | None = None) -> tuple[Result, bool]:
        """Run what is left of a shard, and write its file; return the result and whether it ran.

        Finished chunks are in a folder beside the file, which is removed once the file is written.

        Raises ValueError if the file, a chunk or the folder is of another call, or another process
        runs the shard.
        """
        spec = self._spec(shard)
        if self.folder.exists() and not self.folder.is_dir():
            raise ValueError(f"out must be a folder, got the file {str(self.folder)!r}")
        self._check_others(shard)
        found = self._finished(shard, spec)
        if found is not None:
            return found, False
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.path(shard)
        check_writable(path)
        chunks = Folder(self.folder / f".{shard.stem}", spec, self.seed, None, self.keep)
        try:
            found = self._finished(shard, spec)  # by a process that held the lock before
            if found is None:
                pool = Pool(None, spec.threads)
                try:
                    work = Chunks(spec, Origin(self.seed), self.keep, pool, None, 1, chunks)
                    result = work.run(progress)
                finally:
                    pool.close()
                begun = np.zeros(result.replicas, np.int64)
                checkpoint.write(path, result, self._described(spec), begun)
            chunks.remove()
        finally:
            chunks.close()
        if found is not None:
            return found, False
        if said := doubts(result):
            warnings.warn(said, ConvergenceWarning, stacklevel=2)
        return result, True

    def merged(self) -> tuple[Result, list[Shard]]:
        """Return the result of all shards that are finished, and the other shards.

        Raises ValueError if there is none, or one is of another call.
        """
        there, missing = listed(self.folder)
        results = [self._finished(shard, self._spec(shard)) for shard in there]
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "merged .* of .* replicas", RuntimeWarning)
            return merge([each for each in results if each is not None], partial=True), missing

    def path(self, shard: Shard) -> Path:
        """Return the file of a shard."""
        return self.folder / f"{shard.stem}.zip"

    def _spec(self, shard: Shard) -> RunSpec:
        """Return the specification of a shard; raise if an argument is outside its domain."""
        if shard.of > 1:
            whole = checked_spec(**self.call, memory=False)
            if shard.of > whole.replicas:
                raise ValueError(
                    f"shard must be K/N with N at most the {whole.replicas} replicas, got {shard}"
                )
        return checked_spec(**self.call, only=shard.only, kept=self.keep is not None)

    def _check_others(self, shard: Shard) -> None:
        """Raise ValueError if the folder has shards of another number of them."""
        if not self.folder.is_dir():
            return
        for path in sorted(self.folder.iterdir()):
            name = _NAME.fullmatch(path.name)
            if name is not None and int(name[2]) != shard.of:
                raise ValueError(
                    f"shard must be one of {int(name[2])} as is {path.name!r} in "
                    f"{str(self.folder)!r}, got {shard}"
                )

    def _finished(self, shard: Shard, spec: RunSpec) -> Result | None:
        """Return the result of the file of a shard, None if there is no file."""
        call, former = self._described(spec), partial(self._described, spec, former=True)
        found = checkpoint.read(self.path(shard), call, spec.game, spec.learners, former)
        return None if found is None else found[0]

    def _described(self, spec: RunSpec, former: bool = False) -> checkpoint.Call:
        """Return the description of the call of a shard."""
        keep = None if self.keep is None else digest_of_keep(self.keep)
        return described(spec, self.seed, None, keep, former)


def listed(folder: str | os.PathLike[str]) -> tuple[list[Shard], list[Shard]]:
    """Return the shards whose files are in a folder, and those whose files are missing.

    Raises ValueError if there is none, or some are of another number of shards.
    """
    names = [_NAME.fullmatch(name) for name in sorted(os.listdir(folder))]
    there = sorted(
        Shard(int(name[1]), int(name[2]))
        for name in names
        if name is not None and name[3] and not name[0].startswith(".")
    )
    if not there:
        raise ValueError(f"parts must be a folder with files of shards, got {str(folder)!r}")
    of = there[0].of
    other = next((shard for shard in there if shard.of != of), None)
    if other is not None:
        raise ValueError(
            f"parts must be shards of one run, got {there[0].stem}.zip and {other.stem}.zip in "
            f"{str(folder)!r}"
        )
    numbers = {shard.number for shard in there}
    return there, [Shard(k, of) for k in range(1, of + 1) if k not in numbers]
