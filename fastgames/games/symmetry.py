"""Symmetry of games: whether payoffs and transitions stay the same when agents change places."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fastgames.games.compact import Chances, Compact, Functions, Sum
from fastgames.games.turns import playable

CLOSE = 1e-9  # relative to the largest payoff; probabilities: absolute


def asymmetry(game: Any) -> str:
    """Return how a game of tables differs when agents change places; "" if it is symmetric.

    A game is symmetric if every permutation of the agents leaves it as it is. Two permutations
    generate all: the swap of agents 0 and 1, and the cycle of all agents. In a game with several
    states a permutation of the agents must go with one of the states, which the observations tell:
    if the agents change places in state s, they are in the state in which each observes what its
    predecessor did. If all agents observe the same, it is the state itself. The start of episodes
    is not compared.
    """
    agents, actions = game.num_agents, game.num_actions
    for i in range(1, agents):
        for name in ("num_actions", "num_observations"):
            counts = getattr(game, name)
            if counts[i] != counts[0]:
                what = name.removeprefix("num_")
                return f"agent {i} has {counts[i]} {what}, and agent 0 has {counts[0]}"
    if agents == 1:
        return ""
    swap = [1, 0, *range(2, agents)]
    cycle = [*range(1, agents), 0]
    for places in [swap] if agents == 2 else [swap, cycle]:
        found = _differs(game.compact, actions, places)
        if found:
            return found
    return ""


def _differs(compact: Compact, actions: tuple[int, ...], places: list[int]) -> str:
    """Return how a game differs when agent i takes the place of agent places[i]."""
    states, found = _states(compact, places)
    if states is None:
        return found
    agents, joint = len(actions), math.prod(actions)
    # numbers[j]: the joint action in which agent places[i] plays what agent i plays in j
    numbers = np.arange(joint).reshape(actions).transpose(places).ravel()
    possible = np.ones((1, joint), np.bool_)
    if compact.turns is not None:
        for i in range(agents):
            wrong = compact.turns[i] != compact.turns[places[i]][states]
            if wrong.any():
                s = int(wrong.argmax())
                return (
                    f"only one of agent {i} in state {s} and agent {places[i]} in state "
                    f"{states[s]} moves"
                )
        possible = playable(compact.turns, actions)
    return _payoffs(compact, actions, places, states, numbers, possible) or _moves(
        compact, actions, states, numbers, possible
    )


def _states(compact: Compact, places: list[int]) -> tuple[Any, str]:
    """Return for each state the one in which the agents have changed places, or None and why.

    An agent sees its observation, and whether it moves; a terminal state is one for all.
    """
    count = compact.num_states
    states = np.arange(count)
    if compact.observations is not None:
        moves = np.ones((len(places), count)) if compact.turns is None else compact.turns
        views = [
            [(int(o), bool(m)) for o, m in zip(seen, moving, strict=True)]
            for seen, moving in zip(compact.observations.T, np.transpose(moves), strict=True)
        ]
        known: dict[Any, int] = {}
        if not all(view == view[:1] * len(view) for view in views):
            for s, view in enumerate(views):
                other = known.setdefault(tuple(view), s)
                if other != s:
                    return None, (
                        "observations must tell states apart to check it, but are "
                        f"{_seen(view)} in states {other} and {s}"
                    )
            for s, view in enumerate(views):
                changed = list(view)
                for i, place in enumerate(places):
                    changed[place] = view[i]
                if tuple(changed) not in known:
                    return None, (
                        f"agents have observations {_seen(view)} in state {s}, and no state with "
                        f"these agents to move has {_seen(changed)}"
                    )
                states[s] = known[tuple(changed)]
    if compact.terminal is not None:
        wrong = compact.terminal != compact.terminal[states]
        if wrong.any():
            s = int(wrong.argmax())
            return None, f"only one of states {s} and {states[s]} is terminal"
    return states, ""


def _seen(view: list[tuple[int, bool]]) -> tuple[int, ...]:
    """Return the observations of all agents in a state."""
    return tuple(o for o, _ in view)


def _payoffs(
    compact: Compact,
    actions: tuple[int, ...],
    places: list[int],
    states: np.ndarray,
    numbers: np.ndarray,
    possible: np.ndarray,
) -> str:
    """Return which payoffs differ; "" if none do."""
    rewards = compact.rewards  # (N, variants, S or 1, J)
    by_state = rewards.shape[2] > 1
    ends = np.zeros(1, np.bool_) if compact.terminal is None else compact.terminal
    counts = possible & ~ends[:, None]
    if not by_state:
        counts = counts.any(axis=0, keepdims=True)
    allowed = CLOSE * np.abs(rewards).max(initial=0.0)
    for i, place in enumerate(places):
        theirs = rewards[place][:, states] if by_state else rewards[place]
        wrong = (np.abs(rewards[i] - theirs[..., numbers]) > allowed) & counts
        if not wrong.any():
            continue
        v, s, j = (int(k) for k in np.argwhere(wrong)[0])
        own, other = rewards[i, v, s, j], theirs[v, s, numbers[j]]
        at = f" in state {s}" if by_state else ""
        there = f" in state {states[s]}" if by_state else ""
        return (
            f"agent {i} gets {own:g} at joint action {_joint(j, actions)}{at}, and agent {place} "
            f"gets {other:g} at {_joint(int(numbers[j]), actions)}{there}"
            + (f" (variant {v})" if rewards.shape[1] > 1 else "")
        )
    return ""


def _moves(
    compact: Compact,
    actions: tuple[int, ...],
    states: np.ndarray,
    numbers: np.ndarray,
    possible: np.ndarray,
) -> str:
    """Return which transitions differ; "" if none do."""
    count, joint = len(states), len(numbers)
    if count == 1:
        return ""
    ends = np.zeros(count, np.bool_) if compact.terminal is None else compact.terminal
    counts = np.broadcast_to(possible, (count, joint)) & ~ends[:, None]
    moves = compact.moves
    if isinstance(moves, Chances):
        wrong = _chances_differ(moves, states, numbers) & counts
    else:
        assert not isinstance(moves, Functions)
        following = (
            moves.from_state[:, None] + moves.from_joint[None, :]
            if isinstance(moves, Sum)
            else moves.next.reshape(count, joint)
        )
        wrong = (following[states][:, numbers] != states[following]) & counts
    if not wrong.any():
        return ""
    s, j = (int(k) for k in np.argwhere(wrong)[0])
    same = states[s] == s and compact.observations is None
    hint = (
        "; agents that observe the state itself share a row of the tables in it, so give each its "
        "own view as observations"
    )
    return (
        f"the next state after joint action {_joint(j, actions)} in state {s} is not that after "
        f"{_joint(int(numbers[j]), actions)} in state {states[s]} with the agents in each other's "
        f"places{hint if same else ''}"
    )


def _chances_differ(moves: Chances, states: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Return in which states and joint actions the probabilities differ, (S, J) bool."""
    count, joint = len(states), len(numbers)
    lengths = np.diff(moves.first)
    rows = np.repeat(np.arange(count * joint), lengths)
    chances = np.diff(moves.cumulative, prepend=0.0)
    starts = moves.first[:-1]
    chances[starts] = moves.cumulative[starts]
    chances = chances / moves.cumulative[moves.first[1:] - 1][rows]
    row_of = (states[:, None] * joint + numbers[None, :]).ravel()  # of each (s, j)
    # the chances of each row as those of the row in which the agents have changed places
    changed = np.lexsort((states[moves.successor], row_of[rows]))
    plain = np.lexsort((moves.successor, rows))
    wrong_rows = np.zeros(count * joint, np.bool_)
    other = lengths[row_of] != lengths
    wrong_rows |= other
    if not other.any():
        unlike = states[moves.successor][changed] != moves.successor[plain]
        unlike |= np.abs(chances[changed] - chances[plain]) > CLOSE
        wrong_rows[rows[changed][unlike]] = True
    return wrong_rows.reshape(count, joint)


def _joint(number: int, actions: tuple[int, ...]) -> tuple[int, ...]:
    """Return the actions of a joint action."""
    return tuple(int(a) for a in np.unravel_index(number, actions))
