"""Random games with random policies, and slow independent measures of what happens in them."""

import itertools

import numpy as np

from fastgames.games import MarkovGame, MatrixGame, Variants, random_markov_game, remember

REPLICAS = 18  # more than a thread takes at once


def some_policies(game, seed, replicas=REPLICAS):
    rng = np.random.default_rng(seed)
    return [
        rng.integers(actions, size=(replicas, observations))
        for actions, observations in zip(game.num_actions, game.num_observations, strict=True)
    ]


def _games():
    """(name, game): every feature alone, and together."""
    features = {
        "plain": {},
        "three agents": {"agents": 3, "actions": (2, 3, 2)},
        "turns": {"turns": True},
        "turns of three": {"agents": 3, "turns": True, "states": 9},
        "observations": {"observations": (2, 4)},
        "terminal": {"terminal": 2},
        "time limit": {"time_limit": 4},
        "all": {
            "agents": 3,
            "actions": (3, 1, 4),
            "turns": True,
            "observations": 3,
            "terminal": 2,
            "time_limit": 5,
        },
        "random moves": {"transitions": "random"},
        "sparse, random start": {"transitions": "sparse", "start": "random", "terminal": 1},
        "sparse, all": {
            "agents": 3,
            "transitions": "sparse",
            "turns": True,
            "observations": 3,
            "terminal": 1,
        },
    }
    for number, (name, feature) in enumerate(features.items()):
        yield name, random_markov_game(**{"states": 7, "actions": 3, **feature, "rng": number + 13})


def _remembered():
    rng = np.random.default_rng(5)
    equal = ((3, 4), 1), ((2, 2), 2), ((2, 3, 2), 1)
    for actions, periods in (*equal, ((3, 2), (0, 2)), ((2, 3, 2), (1, 0, 1))):
        stage = MatrixGame(rng.normal(size=(len(actions), *actions)))
        yield f"memory {periods}, {actions}", remember(stage, periods, 0.8, "uniform")
    yield "matrix game", stage


def _variants():
    rng = np.random.default_rng(6)
    moves = rng.integers(5, size=(5, 2, 3))
    games = [MarkovGame(rng.normal(size=(2, 5, 2, 3)), moves, 0.9) for _ in range(3)]
    yield "variants", Variants(games, rng.integers(3, size=REPLICAS))


GAMES = dict([*_games(), *_remembered(), *_variants()])
CERTAIN = [name for name in GAMES if "random" not in name and "sparse" not in name]


class Slow:
    """One replica, by definition: dictionaries, linear systems, value iteration."""

    def __init__(self, game, greedy, replica):
        if isinstance(game, Variants):
            game = game.games[game.index[replica]]
        self.agents, self.counts, self.states = game.num_agents, game.num_actions, game.num_states
        if isinstance(game, MatrixGame):
            self.rewards = game.payoffs[:, None]
            self.turns = np.ones((self.agents, 1), bool)
            self.terminal, self.time_limit, self.start = np.zeros(1, bool), None, 0
            seen = np.zeros((self.agents, 1), int)
            self.chances = np.ones((1, *self.counts, 1))
        else:
            self.rewards, self.turns, self.terminal = game.rewards, game.turns, game.terminal
            self.time_limit, self.start, seen = game.time_limit, game.start, game.observations
            moves = game.transitions
            if hasattr(moves, "toarray"):
                moves = moves.toarray().reshape(self.states, *self.counts, self.states)
            if moves.dtype.kind == "i":
                moves = np.eye(self.states)[moves]
            self.chances = moves
        self.live = [s for s in range(self.states) if not self.terminal[s]]
        self.played = [
            tuple(
                int(greedy[i][replica][seen[i][s]]) if self.turns[i, s] else 0
                for i in range(self.agents)
            )
            for s in range(self.states)
        ]

    def next(self, state, age, joint):
        """Return the next state after certain moves, and the age of the episode there."""
        state, age = int(self.chances[state][joint].argmax()), age + 1
        return (self.start, 0) if self.terminal[state] or age == self.time_limit else (state, age)

    def cycle(self, state):
        """The states of the limit cycle, with ages; the age only counts with a time limit."""
        path, when = [], {}
        age = 0
        while (key := (state, age if self.time_limit else 0)) not in when:
            when[key] = len(path)
            path.append((state, age))
            state, age = self.next(state, age, self.played[state])
        return path[when[key] :]

    def deviations(self, agent, state):
        """Joint actions that differ from what is played in what the agent does."""
        joint = self.played[state]
        actions = range(self.counts[agent]) if self.turns[agent, state] else [0]
        return [(*joint[:agent], a, *joint[agent + 1 :]) for a in actions]

    def q(self, agent, state, joint, value, discount):
        return self.rewards[agent][state][joint] + discount * self.chances[state][joint] @ value

    def value(self, agent, discount):
        """(I - discount P)^-1 r of what all play."""
        chances, paid = np.zeros((self.states, self.states)), np.zeros(self.states)
        for s in self.live:
            chances[s] = self.chances[s][self.played[s]] * ~self.terminal
            paid[s] = self.rewards[agent][s][self.played[s]]
        return np.linalg.solve(np.eye(self.states) - discount * chances, paid)

    def best_value(self, agent, discount):
        """Value iteration until nothing changes any more."""
        value = np.zeros(self.states)
        for _ in itertools.count():
            new = value.copy()
            for s in self.live:
                joints = self.deviations(agent, s)
                new[s] = max(self.q(agent, s, joint, value, discount) for joint in joints)
            if np.abs(new - value).max() < 1e-15:
                return new
            value = new
