"""Parameters that change with the game steps of their replica, counted from 0. All in float64."""


def exponential(value: float, floor: float) -> float:
    """The value used while the recurrence v <- v d stands at `value`."""
    return max(value, floor)


def linear(start: float, end: float, steps: float, t: float) -> float:
    """start + (end - start) min(t / steps, 1), at step t."""
    return start + (end - start) * min(t / steps, 1.0)
