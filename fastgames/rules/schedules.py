"""Schedules: parameters that depend on the replica's game steps, counted from 0; in float64."""


def exponential(value: float, floor: float) -> float:
    """Return the value of an exponential schedule.

    Parameters
    ----------
    value : float
        State of the recurrence v <- v d, which is advanced once a step.
    floor : float
        Lower bound of the schedule.

    Returns
    -------
    float
        max(value, floor), float64.
    """
    return max(value, floor)


def linear(start: float, end: float, steps: float, t: float) -> float:
    """Return the value of a linear schedule at step t.

    Parameters
    ----------
    start, end : float
        Value at step 0, and from step `steps` on.
    steps : float
        Number of game steps from `start` to `end`, above 0.
    t : float
        Game steps that the replica has taken.

    Returns
    -------
    float
        start + (end - start) min(t / steps, 1), float64.
    """
    return start + (end - start) * min(t / steps, 1.0)
