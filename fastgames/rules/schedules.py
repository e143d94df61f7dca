"""Schedules: parameters that depend on the replica's game steps, counted from 0; in float64."""


def exponential(value: float, floor: float) -> float:
    """The value used while the recurrence v <- v d stands at `value`."""
    return max(value, floor)


def linear(start: float, end: float, steps: float, t: float) -> float:
    """start + (end - start) min(t / steps, 1), at step t."""
    return start + (end - start) * min(t / steps, 1.0)
