"""Golden trajectories: a short run of every registered game and learner, as text to read.

They are our own output, kept to notice change. They are no evidence that the behaviour is correct.

tests/golden/games/NAME.txt is the game of that name, played by Q-learners; tests/golden/learners/
NAME.txt the learner in all seats of a small zero-sum Markov game, with its tables at the end (for
self-play, of a symmetric one). A
behaviour that changes shows here as lines that differ; then, if it was meant:
``python tests/golden.py games/NAME`` (or learners/NAME) writes the file anew. Without a name, the
missing ones are written.
"""

import sys
from pathlib import Path

import numpy as np

import fastgames as fg
from fastgames import registry
from fastgames.engine.interpreted import ReferenceBlock
from fastgames.engine.spec import RunSpec
from fastgames.engine.state import fresh

HERE = Path(__file__).parent / "golden"
SEED, STEPS = 2**33 + 1, 12
EXPLORE = fg.EpsilonGreedy(0.3)


def names():
    """Every trajectory that there has to be: "games/NAME" and "learners/NAME"."""
    return [f"games/{name}" for name in registry.GAMES] + [
        f"learners/{name}" for name in registry.LEARNERS
    ]


def game_of_learners():
    """Two agents, three states, rewards in whole numbers that sum to 0, an end."""
    rng = np.random.default_rng(5)
    rewards = rng.integers(-3, 4, (3, 2, 3)).astype(float)
    moves = np.indices((3, 2, 3)).sum(axis=0) % 3
    return fg.MarkovGame([rewards, -rewards], moves, 0.5, terminal=[False, False, True])


def symmetric_game():
    """Two agents alike, each of which observes its own part of the state; four states, an end."""
    rng = np.random.default_rng(5)
    own = rng.integers(-3, 4, (2, 2, 2, 2)).astype(float)  # own part, the other's, and actions
    moves = np.empty((2, 2, 2, 2), int)
    for x, y, a, b in np.ndindex(2, 2, 2, 2):
        moves[x, y, a, b] = 2 * (a ^ y) + (b ^ x)
    return fg.MarkovGame(
        [z.reshape(4, 2, 2) for z in (own, own.transpose(1, 0, 3, 2))],
        moves.reshape(4, 2, 2),
        0.5,
        terminal=[False, False, False, True],
        observations=[[0, 0, 1, 1], [0, 1, 0, 1]],
    )


def learners_of(name, game):
    """The learner of that name in every seat."""
    make = registry.LEARNERS[name]
    if name == "fixed":
        return tuple(
            fg.FixedPolicy(np.arange(1, n + 1) * 2 / (n * n + n)) for n in game.num_actions
        )
    if name == "exp3":
        return (make(mixing=0.3, low=-3.0, high=3.0),) * game.num_agents
    if name == "self_play":
        return (make(fg.QLearner(0.5, explore=EXPLORE), pool=2, interval=3),) * game.num_agents
    given = dict.fromkeys(make.batch, 2)  # so that it learns in these steps
    return (make(**given),) * game.num_agents


def trajectory(name):
    """The text of one run."""
    kind, _, key = name.partition("/")
    if kind == "games":
        game = registry.GAMES[key]()
        learners = (fg.QLearner(0.5, explore=EXPLORE),) * game.num_agents
    else:
        game = symmetric_game() if key == "self_play" else game_of_learners()
        learners = learners_of(key, game)
    state, steps = play(game, learners)
    lines = [
        f"# {game.name}, {learners[0]!r}" if kind == "games" else f"# {learners[0]!r}",
        f"# seed {SEED}, float64, replica 0",
        "step | state | actions | rewards",
        *steps,
        f"end | {shown(state.states[0])}",
    ]
    if kind == "learners":
        for i, seat in enumerate(state.seats):
            for table, values in seat.tables.items():
                lines.append(f"agent {i} {table}")
                rows = values[0].reshape(-1, values.shape[-1])
                lines += ["  " + " ".join(repr(x) for x in row.tolist()) for row in rows]
    return "\n".join(lines) + "\n"


def play(game, learners):
    """The state after the run by the reference, and a line for every step."""
    spec = RunSpec(game, learners, backend="reference")
    state = fresh(spec, SEED)
    block, lane, lines = ReferenceBlock(spec, state), np.array([0]), []
    block.load(lane, lane)
    count = block._count

    def noted(here, before, joint, step, changes):
        where = shown(before)
        paid = " ".join(f"{float(reward) + 0.0:.6g}" for reward in step.rewards)
        lines.append(f"{len(lines)} | {where} | {shown(joint)} | {paid}")
        count(here, before, joint, step, changes)

    block._count = noted
    block.advance(STEPS)
    block.store(lane, lane)
    return state, lines


def shown(numbers):
    """Whole numbers side by side; those below 10 of many without spaces."""
    digits = [str(int(x)) for x in np.ravel(numbers)]
    return ("" if len(digits) > 16 and max(map(len, digits)) == 1 else " ").join(digits)


def path_of(name):
    """Return the path of a trajectory's file."""
    return HERE / f"{name}.txt"


if __name__ == "__main__":
    asked = sys.argv[1:] or [name for name in names() if not path_of(name).exists()]
    for each in asked:
        path_of(each).parent.mkdir(parents=True, exist_ok=True)
        path_of(each).write_text(trajectory(each))
        print(f"wrote {path_of(each)}")
