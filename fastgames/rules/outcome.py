"""Situations, in which agents choose, and outcomes, from which an agent or a team learns."""

from typing import Any, NamedTuple


class Situation(NamedTuple):
    """The situation in which an agent chooses: the fifth argument of a `choose` that takes one.

    Attributes
    ----------
    agent : int
        The number of the agent.
    step : int
        The game steps that the replica has taken before this one.
    word : int
        The mediator's word of the step, in [0, 2^31), the same for all agents, if the learner asks
        for "mediator"; else -1. `fastgames.rules.chance` turns it into draws.
    opponents : tuple or None
        The tables of all other agents in order, read-only, if the learner asks for "opponents":
        `opponents[0].q` is the table "q" of the first. A team's members are no opponents. Compiled
        functions index it by constants, unless the tables of all of them have the same names,
        numbers of dimensions and types.
    """

    agent: int
    step: int
    word: int = -1
    opponents: Any = None


class Outcome(NamedTuple):
    """One move of an agent and its consequences. The target of `learn` is gain + weight * value.

    The fields gain, weight, column and rewards have the type of the tables ("real").

    Attributes
    ----------
    observation, action : int
        The observation of the move (o), and the action (a). If the learner asks for "steps", those
        of the step: the action is 0 if the agent does not move.
    gain : real
        The discounted rewards since the move; without turns, the reward itself.
    weight : real
        The factor of the value of the next observation; without turns, gamma.
    next_observation : int
        The observation of the agent's next move, or of the terminal state (o2). If the learner asks
        for "cuts", -1: a time limit cut the episode before the agent's next turn, so that the
        return of the move is not known (gain and weight say what is); `truncated` is True.
    next_action : int
        The action of the next move (a2) if the learner defers learning, else -1.
    ended : bool
        True if a terminal state was reached; its value is 0. A time limit does not end an episode:
        an agent whose turn it is in the state reached learns from the target there; otherwise the
        move is discarded, unless the learner asks for "cuts".
    column : array (A_i,) or None
        The reward that each action of the agent would have received against the others' actions, if
        the learner is `counterfactual`.
    signal : real or tuple
        The signal of the step in which the agent learns, as passed to `choose`.
    agent : int
        The number of the agent.
    actions, rewards : array (N,) or None
        The actions (int64) and rewards of all agents in the step in which the agent learns, if the
        learner is `joint`.
    others : int
        The number of the others' joint action, with digits in agent order, if the learner is
        `joint`, else -1.
    truncated : bool
        True if the time limit cut the episode in the state reached. Its value counts (`ended` is
        False), but the next outcome is of another episode: returns and traces stop here.
    word : int
        The mediator's word of the step in which the agent learns, as in `Situation`, else -1.
    opponents : tuple or None
        The tables of all other agents as they stood before anyone learned in this step, as in
        `Situation`.
    moves : array (N,) of bool, or None
        Which agents moved in the step in which the agent learns, if the learner asks for "joint" or
        "steps". Without turns, all of them.
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
    truncated: bool = False
    word: int = -1
    opponents: Any = None
    moves: Any = None


class TeamOutcome(NamedTuple):
    """One move of a team of M agents, in the order of their numbers, and its consequences.

    In a game with turns the team moves if any of its members does. It learns when a member is to
    move next or a terminal state is reached; a time limit that cuts the episode in another state
    discards the move. If the learner asks for "steps", it learns from every step, whoever moves.

    Attributes
    ----------
    observations, actions, next_observations : array (M,) int64
        The observations and actions of the move, and the observations at the team's next move or in
        the terminal state. The action of a member that does not move is 0. If the learner asks for
        "cuts", `next_observations` are -1 after a move that a time limit cuts before the team's
        next turn.
    rewards : array (M,)
        The discounted rewards since the move, of the type of the tables; without turns, the rewards
        of the step.
    weight : real
        The factor of the value of the next observations, of the type of the tables; without turns,
        the discount factor gamma.
    ended : bool
        True if a terminal state was reached; its value is 0. A time limit does not end an episode.
    signals : tuple of M signals
        The signals of the step in which the team learns, as passed to `choose`.
    truncated : bool
        True if the time limit cut the episode in the state reached. Its value counts (`ended` is
        False), but the next outcome is of another episode: returns and traces stop here.
    columns : tuple of M arrays (A_m,) or None
        For each member, the reward that each of its actions would have received against the actions
        of all other agents, members and others, if the learner is `counterfactual`.
    word : int
        The mediator's word of the step in which the team learns, as in `Situation`, else -1.
    opponents : tuple or None
        The tables of all agents outside of the team as they stood before anyone learned in this
        step, as in `Situation`.
    moves, next_moves : array (M,) of bool
        Which members made the move, and which are to move at the next observations. Without turns,
        all of them.
    """

    observations: Any
    actions: Any
    rewards: Any
    weight: Any
    next_observations: Any
    ended: bool
    signals: Any
    truncated: bool = False
    columns: Any = None
    word: int = -1
    opponents: Any = None
    moves: Any = None
    next_moves: Any = None
