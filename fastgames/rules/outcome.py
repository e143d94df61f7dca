"""What an agent learns from."""

from typing import Any, NamedTuple


class Outcome(NamedTuple):
    """One move of an agent and what came of it. The target of `learn` is gain + weight * value.

    Of the type of the tables ("real"): gain, weight, column.

    observation, action: where it moved (o), and what it did (a)
    gain: the discounted rewards since; the reward itself where everyone always moves
    weight: what multiplies the value of the next observation: gamma where everyone always moves
    next_observation: where it moves next, or the episode was left (o2)
    next_action: what it does there (a2) if the learner waits to know it, else -1
    ended: whether a terminal state was reached: it is worth 0. A time limit is no end
    column: (A_i,) the reward that each of its actions would have got against what the others did,
        if the learner asks for it, else empty
    """

    observation: int
    action: int
    gain: Any
    weight: Any
    next_observation: int
    next_action: int
    ended: bool
    column: Any
