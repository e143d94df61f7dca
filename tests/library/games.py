"""Strategies that draw random games of tables, and games that several files play."""

import math

import numpy as np
from hypothesis import strategies as st

import fastgames as fg
from fastgames import registry


def _tables(draw, shape):
    """Small whole numbers (ties) or normal ones."""
    rng = np.random.default_rng(draw(st.integers(0, 9999)))
    return rng.integers(-2, 3, shape) if draw(st.booleans()) else rng.normal(size=shape)


@st.composite
def matrix_games(draw, agents=None, actions=None, shape=None):
    """Matrix games of few agents and actions; shape: the number of actions of every agent."""
    agents = st.integers(2, 5) if agents is None else agents
    actions = st.integers(1, 7) if actions is None else actions
    shape = [draw(actions) for _ in range(draw(agents))] if shape is None else shape
    return fg.MatrixGame(_tables(draw, (len(shape), *shape)))


@st.composite
def symmetric_games(draw):
    """Symmetric games of two agents, of which each observes its own part of the state."""
    actions, seen = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(st.integers(0, 9999)))
    own = _tables(draw, (seen, seen, actions, actions))
    if seen == 1 and draw(st.booleans()):
        return fg.MatrixGame([own[0, 0], own[0, 0].T])
    moves, (x, y) = np.empty(own.shape, int), np.indices((seen, seen))
    for i, j, a, b in np.ndindex(own.shape):
        following = rng.integers(seen, size=2)
        if (i, a) == (j, b):
            following[1] = following[0]
        moves[i, j, a, b] = following @ (seen, 1)
        moves[j, i, b, a] = following @ (1, seen)
    turns = rng.random((seen, seen)) < 0.7
    turns[0, 0] = True
    ends = np.zeros(seen**2, bool)
    ends[-1] = seen > 1 and draw(st.booleans())
    return fg.MarkovGame(
        [z.reshape(seen**2, actions, actions) for z in (own, own.transpose(1, 0, 3, 2))],
        moves.reshape(seen**2, actions, actions),
        0.8,
        terminal=ends if ends.any() else None,
        observations=[x.ravel(), y.ravel()],
        turns=[turns.ravel(), turns.T.ravel()] if draw(st.booleans()) else None,
        time_limit=draw(st.none() | st.integers(1, 6)),
    )


@st.composite
def _shapes(draw):
    """Actions of every agent: few, or many of one agent, so that rows have every length."""
    shape = [draw(st.integers(1, 4)) for _ in range(draw(st.integers(2, 3)))]
    if draw(st.booleans()):
        shape[draw(st.integers(0, len(shape) - 1))] = draw(st.integers(1, 40))
    return shape


def _same_for_sure(game):
    """The game with what is certain in it left to chance: nature draws all the same."""
    following = np.eye(game.num_states)[game.transitions]
    return fg.MarkovGame(game.rewards, following, game.discount, game.start, game.terminal)


@st.composite
def _turns(draw, game):
    """Draw who moves, (N, S): any agents in a state, and someone in one that is not terminal."""
    rng = np.random.default_rng(draw(st.integers(0, 9999)))
    turns = rng.random((game.num_agents, game.num_states)) < draw(st.sampled_from([0.3, 0.7]))
    turns[rng.integers(game.num_agents), np.flatnonzero(~game.terminal)[0]] = True
    return turns


@st.composite
def markov_games(draw, turns=None, terminal=None, time_limit=True, shape=None):
    """Markov games of few states; `turns`, `terminal`: whether agents take turns, episodes end."""
    shape = draw(_shapes()) if shape is None else shape
    states = draw(st.integers(1 if not terminal else 2, 6))
    ends = draw(st.integers(0, min(2, states - 1))) if terminal is None else int(terminal)
    turns = draw(st.booleans()) if turns is None else turns
    game = fg.games.random_markov_game(
        len(shape),
        states,
        shape,
        rng=draw(st.integers(0, 9999)),
        transitions=draw(st.sampled_from(["deterministic", "random", "sparse"])),
        terminal=ends,
        turns=turns,
        observations=draw(st.none() | st.integers(1, states)),
        start=draw(st.sampled_from(["state", "random"])),
        time_limit=draw(st.none() | st.integers(1, 9)) if time_limit else None,
    )
    certain = isinstance(game.compact.moves, fg.games.compact.Table)
    if certain and not turns and draw(st.integers(0, 3)) == 0:
        return _same_for_sure(game)
    if draw(st.booleans()):
        return game
    seen = game.observations * 2 if draw(st.booleans()) else game.observations
    more = draw(st.integers(0, 2))  # observations that occur in no state
    return fg.MarkovGame(  # rewards with ties, or that of one state in all; observations with gaps
        np.broadcast_to(_tables(draw, (len(shape), 1, *shape)), game.rewards.shape)
        if draw(st.booleans())
        else _tables(draw, game.rewards.shape),
        game.transitions,
        game.discount,
        game.start,
        game.terminal,
        seen,
        num_observations=[1 + more + int(most) for most in seen.max(axis=1)] if more else None,
        turns=draw(_turns(game)) if turns else None,
        time_limit=game.time_limit,
    )


@st.composite
def joining_games(draw):
    """Games with turns in which agents join one after the other, and then move at every step."""
    game = draw(markov_games(turns=True).filter(lambda game: game.num_states > 1))
    states = np.arange(game.num_states)
    rng = np.random.default_rng(draw(st.integers(0, 9999)))
    shape = (game.num_states, *game.num_actions)
    later = rng.integers(0, game.num_states, shape)
    return fg.MarkovGame(
        game.rewards,
        np.maximum(later, states.reshape(-1, *(1,) * game.num_agents)),
        game.discount,
        0,
        (states == states[-1]) & draw(st.booleans()),
        game.observations,
        num_observations=game.num_observations,
        turns=rng.permutation(game.num_agents)[:, None] <= states,
        time_limit=5,
    )


@st.composite
def remembering_games(draw):
    """Repeated games whose agents remember the same number of periods, or each its own."""
    longest, agents = draw(st.integers(1, 2)), st.integers(2, 3)
    stage = draw(matrix_games(agents, st.integers(1, 7 if longest == 1 else 3)))
    periods = longest
    if draw(st.booleans()):
        shorter = [draw(st.integers(0, longest)) for _ in range(1, stage.num_agents)]
        periods = draw(st.permutations([longest, *shorter]))
    states = math.prod(stage.num_actions) ** longest
    start = draw(st.just("uniform") | st.integers(0, states - 1))
    return fg.remember(stage, periods, 0.9, start)


def _catalogue():
    """Every registered game of tables."""
    made = [make() for make in registry.GAMES.values()]
    return [game for game in made if not isinstance(game, fg.ProceduralGame)]


GAMES = {
    "matrix": matrix_games(),
    "markov": markov_games(),
    "remembering": remembering_games(),
    "catalogue": st.deferred(lambda: st.sampled_from(_catalogue())),
}


@st.composite
def variants(draw, one, replicas):
    """The game with other rewards for some replicas."""
    made = [one]
    for _ in range(draw(st.integers(0, 2))):
        if isinstance(one, fg.MatrixGame):
            other = fg.MatrixGame(_tables(draw, one.payoffs.shape), actions=one.actions)
        else:
            shape = one.rewards.shape
            if draw(st.booleans()):
                shape = (shape[0], 1, *shape[2:])
            rewards = np.broadcast_to(_tables(draw, shape), one.rewards.shape)
            moves = one.transitions
            if isinstance(one.compact.moves, fg.games.compact.Sum):
                moves = one.compact.moves
            other = fg.MarkovGame(
                rewards,
                moves,
                one.discount,
                one.start,
                one.terminal,
                one.observations,
                num_observations=one.num_observations,
                turns=one.turns,
                time_limit=one.time_limit,
                actions=one.actions,
            )
        made.append(other)
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    return fg.Variants(made, rng.integers(0, len(made), replicas))


def by_chance():
    """A game that draws the start, the transitions and the length of an episode."""
    draw = np.random.default_rng(8)
    return fg.MarkovGame(
        draw.normal(size=(2, 5, 2, 3)),
        draw.dirichlet(np.ones(5), size=(5, 2, 3)),
        discount=0.9,
        start=[0.3, 0.3, 0.3, 0.1, 0.0],
        terminal=[False] * 4 + [True],
        time_limit=7,
    )


def game_of_states(rng, agents, chances, starts):
    """Turns, an end, a time limit; `chances`, `starts`: of the next state and of the first one."""
    states = int(rng.integers(2, 6))
    shape = (states, *rng.integers(1, 4, agents))
    moves = rng.dirichlet(np.ones(states), shape) if chances else rng.integers(0, states, shape)
    turns = rng.random((agents, states)) < 0.6
    turns[0, 0] = True
    return fg.MarkovGame(
        rng.normal(size=(agents, *shape)),
        moves,
        0.9,
        np.append(rng.dirichlet(np.ones(states - 1)), 0.0) if starts else 0,
        np.arange(states) == states - 1,
        rng.integers(0, states, (agents, states)),
        turns=turns,
        time_limit=int(rng.integers(2, 9)),
    )
