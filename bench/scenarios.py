"""Named scenarios of the main kernels, which compare.py and instructions.py run.

Each scenario is a function of the number of steps that returns (game, learners, arguments of run);
without learners, `replicas` environments are stepped from outside. They use public names only, so
that older revisions can run them, too.
"""

import functools
import hashlib
import os
import sys
from types import SimpleNamespace

import numpy as np

import fastgames as fg
from fastgames import _core


def pennies(steps, **arguments):
    """W1: matching pennies, two epsilon-greedy Q-learners."""
    return fg.games.matching_pennies(), fg.QLearner(), {"replicas": 1_024, **arguments}


def two_by_two(steps, *learners, **arguments):
    """Two agents at a game whose payoffs are no sums of powers of 2, so that wrong sums show."""
    game = fg.MatrixGame([[[0.1, 0.3], [0.7, -0.2]], [[0.3, -0.2], [0.1, 0.7]]])
    return game, learners or fg.QLearner(), {"replicas": 1_024, **arguments}


def falling(steps):
    """Exploration that falls through the whole run."""
    return fg.QLearner(explore=fg.EpsilonGreedy(fg.Exponential(1.0, 4.0 / steps)))


POLICY = fg.FixedPolicy([0.3, 0.7])
# Two agents with two actions, in every scenario for both types of tables.
TWO_BY_TWO = {
    "learning": two_by_two,
    "both-fixed": lambda steps, **more: two_by_two(
        steps, POLICY, POLICY, record=fg.Record(rewards=True), **more
    ),
    "one-fixed": lambda steps, **more: two_by_two(steps, fg.QLearner(), POLICY, **more),
    "recorded": lambda steps, **more: two_by_two(
        steps, record=fg.Record(joint_actions=True, rewards=True), **more
    ),
    "falling": lambda steps, **more: two_by_two(steps, falling(steps), falling(steps), **more),
}


def softmax(steps):
    """Matching pennies, two softmax Q-learners."""
    learner = fg.QLearner(explore=fg.Softmax(0.5))
    return fg.games.matching_pennies(), learner, {"replicas": 512}


def random_matrix_game(steps, actions):
    """A matrix game with random payoffs from a fixed seed, without structure."""
    payoffs = np.random.default_rng(1).normal(size=(len(actions), *actions))
    return fg.MatrixGame(payoffs), fg.QLearner(), {"replicas": 512}


def pricing(steps, **arguments):
    """W3: Calvano's pricing duopoly; epsilon falls as in a run of a million steps."""
    game = fg.remember(fg.games.logit_bertrand(), discount=0.95)
    falling = fg.EpsilonGreedy(fg.Exponential(1.0, 4.0 / steps))
    learner = fg.QLearner(alpha=0.15, explore=falling, initial=fg.UniformRivals())
    return game, learner, {"replicas": 32, **arguments}


def markov(steps, learner, transitions="deterministic"):
    """A random Markov game of 64 states, two agents with eight actions each."""
    game = fg.games.random_markov_game(2, 64, 8, rng=1, transitions=transitions)
    return game, learner, {"replicas": 32}


def grid_game(steps):
    """The grid game of Hu & Wellman, with short episodes."""
    return fg.games.grid_game(), fg.QLearner(), {"replicas": 32}


def outside(steps, game):
    """Environments stepped by the caller's actions."""
    return game, None, {"replicas": 1_024}


SCENARIOS = {
    "pennies-f64": pennies,
    "pennies-f32": lambda steps: pennies(steps, dtype="float32"),
    "pennies-v3-f64": pennies,  # the AVX2 build
    "pennies-flips": lambda steps: pennies(steps, record=fg.Record(flips=True)),
    "softmax": softmax,
    "matrix-3x4": lambda steps: random_matrix_game(steps, (3, 4)),
    "matrix-3-agents": lambda steps: random_matrix_game(steps, (2, 2, 2)),
    "matrix-5x5": lambda steps: random_matrix_game(steps, (5, 5)),
    "matrix-6x6": lambda steps: random_matrix_game(steps, (6, 6)),
    "matrix-v3-2x3": lambda steps: random_matrix_game(steps, (2, 3)),
    "matrix-v3-3x3": lambda steps: random_matrix_game(steps, (3, 3)),
    "pricing-f64": pricing,
    "pricing-f32": lambda steps: pricing(steps, dtype="float32"),
    "pricing-stop": lambda steps: pricing(steps, stop=fg.Stable(2**30)),
    "markov": lambda steps: markov(steps, fg.QLearner()),
    "markov-chances": lambda steps: markov(steps, fg.QLearner(), "sparse"),
    "markov-softmax": lambda steps: markov(steps, fg.QLearner(explore=fg.Softmax(1.0))),
    "markov-sarsa": lambda steps: markov(steps, fg.Sarsa()),
    "grid-game": grid_game,
    "outside-pennies": lambda steps: outside(steps, fg.games.matching_pennies()),
    "outside-pricing": lambda steps: outside(steps, pricing(steps)[0]),
    "outside-grid-game": lambda steps: outside(steps, fg.games.grid_game()),
    **{
        f"{name}-f{bits}": functools.partial(scenario, dtype=f"float{bits}")
        for name, scenario in TWO_BY_TWO.items()
        for bits in (64, 32)
    },
}
# Scenarios of a fixed build; the others use the best available one.
ISA = {name: "v3" for name in SCENARIOS if "-v3-" in name}
BEST = _core.isa


def prepare(name, steps):
    """Return a function that runs the scenario and returns its result.

    Errors of a revision that cannot run the scenario are propagated.
    """
    isa = ISA.get(name, BEST)
    if isa not in _core.available():
        raise LookupError(f"no build {isa}")
    game, learner, arguments = SCENARIOS[name](steps)
    if learner is None:
        return functools.partial(step_outside, isa, game, steps, arguments["replicas"])
    arguments = {"rng": 7, "threads": 1, "progress": False, **arguments}

    def run():
        _core.isa = isa
        return fg.run(game, learner, steps, **arguments)

    return run


def step_outside(isa, game, steps, copies, dtype="float64"):
    """Step copies of a game by random actions; return their last arrays in the form of a result."""
    draw = np.random.default_rng(1)
    actions = [draw.integers(0, [[a] for a in game.num_actions], (2, copies)) for _ in range(16)]
    _core.isa = isa
    envs = fg.VectorGame(game, copies, rng=7, dtype=dtype)
    for t in range(steps):
        envs.step(actions[t % len(actions)])
    ends = {"rewards": envs.rewards, "seen": envs.observations, "ended": envs.terminated}
    taken = np.full(copies, steps)
    return SimpleNamespace(tables=[ends], steps=taken, states=envs.states)


def digest(result):
    """Return a short hash of the end of a run: tables, steps, states and flips."""
    found = hashlib.sha256()
    arrays = [table for tables in result.tables for table in tables.values()]
    for name in ("steps", "states", "flips"):
        arrays.append(getattr(result, name, None))
    for array in arrays:
        if array is not None:
            found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()[:16]


def check_origin(root):
    """Exit if fastgames was not imported from `root`."""
    if not os.path.realpath(fg.__file__).startswith(os.path.realpath(root) + os.sep):
        sys.exit(f"fastgames comes from {fg.__file__}, not from {root}")
