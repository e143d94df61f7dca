"""Executors for runs on several machines: `fastgames.run(..., executor=...)`.

    pip install "fastgames-engine[ray]"

`RayExecutor` runs functions on Ray. Other executors need nothing of this package: `run` takes any
object with ``submit(function, *arguments)``.
"""

from typing import TYPE_CHECKING

from fastgames._common.later import later

if TYPE_CHECKING:
    from .ray import RayExecutor
else:
    __getattr__, __dir__ = later(__name__, {"ray": ("RayExecutor",)})

__all__ = ["RayExecutor"]
