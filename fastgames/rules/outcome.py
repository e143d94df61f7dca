"""What an agent, or a team, learns from."""

from typing import Any, NamedTuple


class Outcome(NamedTuple):
    """One move of an agent and what came of it. The target of `learn` is gain + weight * value.

    Of the type of the tables ("real"): gain, weight, column, rewards.

    observation, action: where it moved (o), and what it did (a)
    gain: the discounted rewards since; the reward itself where everyone always moves
    weight: what multiplies the value of the next observation: gamma where everyone always moves
    next_observation: where it moves next, or what it saw of the terminal state (o2)
    next_action: what it does there (a2) if the learner waits to know it, else -1
    ended: whether a terminal state was reached: it is worth 0. A time limit is no end: an agent
        that is to move in the state reached learns from the target there; else the move is dropped
    column: (A_i,) the reward that each of its actions would have got against what the others did,
        if the learner asks for it (`counterfactual`), else None
    signal: what the learner drew in the step in which it learns, as `choose` has it
    agent: its number
    actions, rewards: (N,) what every agent did and got in the step in which it learns, if the
        learner asks for it (`joint`), else None
    others: the number of what the others did, their digits in agent order, if it asks, else -1
    """

    observation: int
    action: int
    gain: Any
    weight: Any
    next_observation: int
    next_action: int
    ended: bool
    column: Any = None
    signal: Any = 0.0
    agent: int = 0
    actions: Any = None
    rewards: Any = None
    others: int = -1


class TeamOutcome(NamedTuple):
    """One step of a team of M agents, in the order of their numbers.

    observations, actions, next_observations: (M,) int64, where each moved, what it did, what it
        sees then
    rewards: (M,) of the type of the tables
    weight: gamma, of that type
    ended: whether a terminal state was reached: it is worth 0. A time limit is no end
    signals: what each of them drew in this step, as `choose` has it: a tuple of M
    """

    observations: Any
    actions: Any
    rewards: Any
    weight: Any
    next_observations: Any
    ended: bool
    signals: Any
