"""Ends of episodes, and indices from tables that users may have set."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastgames.rules.outcome import Outcome


def is_complete(t: "Outcome") -> bool:
    """Return whether the returns of the moves up to this one are known.

    They are if the episode is over, by its end or a time limit, or if later rewards do not count.
    """
    return t.ended or t.truncated or t.weight == 0.0


def inside(index: Any, size: int) -> Any:
    """Return an index that was read from a table, 0 if it is outside of [0, size).

    Tables can be given by users and by files; compiled rules do not check their indices.
    """
    if index < 0 or index >= size:
        return 0
    return index
