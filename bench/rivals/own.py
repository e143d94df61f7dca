"""Compare users' learners and games with the same written by hand as plain Numba loops.

    python bench/rivals/own.py [--rounds 5] [--only pennies pricing farol traffic]

Medians of CPU time on one CPU without compilation; the programs run in turn, in several rounds.
Every program is checked: means over runs agree with those of the built-in learner within noise.
"""

import argparse
import functools
import os
import statistics
import sys

if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

import by_numba
import numba
import numpy as np
import ours
from compare import Contender, timed

import fastgames as fg
from fastgames.games.catalogue.el_farol import el_farol
from fastgames.games.catalogue.traffic import traffic
from fastgames.rules.choice import epsilon_greedy, explore, largest

# --- a learner and a game as a user writes them -------------------------------------------------


def draw(u, p, actions, real):
    """Return the action to explore, or GREEDY."""
    return explore(u, p[2], actions, real)


def choose(tables, p, o, signal):
    """Choose epsilon-greedily."""
    return epsilon_greedy(tables[0][o], signal)


def learn(tables, p, t):
    """Update by Q-learning."""
    q = tables[0]
    real = q.dtype.type
    value = real(0.0) if t.ended else largest(q[t.next_observation])
    target = t.gain + t.weight * value
    q[t.observation, t.action] += real(p[0]) * (target - q[t.observation, t.action])


def users(alpha=0.1, epsilon=0.1, initial=0.0):
    """Return the user's Q-learner."""
    parameters = {"alpha": alpha, "gamma": None, "epsilon": epsilon}
    return fg.Learner(choose, learn, parameters, [fg.Table("q", initial=initial)], draw)


def start(state, words):
    """Do nothing: matching pennies has no state."""
    state[0] = 0


def step(state, actions, rewards, words):
    """Pay the row agent for equal actions, the column agent for different ones."""
    rewards[0] = 1.0 if actions[0] == actions[1] else -1.0
    rewards[1] = -rewards[0]
    return False


def observe(state, agent):
    """Return the only observation."""
    return 0


OWN_PENNIES = fg.ProceduralGame(start, step, observe, num_actions=(2, 2), num_observations=(1, 1))


# --- by hand ------------------------------------------------------------------------------------


@numba.njit
def seeded(seed):
    """Return a state of xoshiro256+ for a seed."""
    np.random.seed(seed)
    s = np.empty(4, np.uint64)
    for k in range(4):
        s[k] = np.uint64(np.random.randint(1, 2**62))
    return s


@numba.njit(inline="always")
def uniform(s):
    """Return a number in [0, 1) from xoshiro256+, in half the time of np.random.random()."""
    z = s[0] + s[3]
    t = s[1] << np.uint64(17)
    s[2] ^= s[0]
    s[3] ^= s[1]
    s[1] ^= s[2]
    s[0] ^= s[3]
    s[2] ^= t
    s[3] = (s[3] << np.uint64(45)) | (s[3] >> np.uint64(19))
    return np.float64(np.int64(z >> np.uint64(11))) * 2.0**-53


@numba.njit
def pennies(runs, steps=20_000):
    """Play matching pennies with each agent's two values in an array."""
    q, total = np.zeros((2, 2)), 0.0
    for seed in range(runs):
        s = seeded(seed)
        q[:] = 0.0
        for _ in range(steps):
            u, v = uniform(s), uniform(s)
            a = int(u * 20.0) if u < 0.1 else int(q[0, 1] > q[0, 0])
            b = int(v * 20.0) if v < 0.1 else int(q[1, 1] > q[1, 0])
            r = 1.0 if a == b else -1.0
            q[0, a] += 0.1 * (r - q[0, a])
            q[1, b] += 0.1 * (-r - q[1, b])
        total += q[0, 0] + q[0, 1]
    return total / runs


@numba.njit
def farol(runs, steps, agents=100, capacity=60):
    """Play El Farol with 100 agents; return the mean value over agents and runs."""
    q, go, total = np.zeros((agents, 2)), np.zeros(agents, np.int64), 0.0
    for seed in range(runs):
        s = seeded(seed)
        q[:] = 0.0
        for _ in range(steps):
            attending = 0
            for i in range(agents):
                u = uniform(s)
                go[i] = int(u * 20.0) if u < 0.1 else int(q[i, 1] > q[i, 0])
                attending += go[i]
            payoff = 1.0 if attending <= capacity else -1.0
            for i in range(agents):
                a = go[i]
                q[i, a] += 0.1 * (payoff * a - q[i, a])
        total += q.mean()
    return total / runs


ROWS = COLUMNS = 4
CELLS = ROWS * COLUMNS
FAR = 4  # vehicles that fit into a street


@numba.njit
def _class(waiting):
    return int(waiting >= 1) + int(waiting >= 3) + int(waiting >= 6) + int(waiting >= 9)


@numba.njit
def _seen(north, south, west, east, light, r, c):
    vertical = _class(north[r, c] + south[r, c])
    return (vertical * 5 + _class(west[r, c] + east[r, c])) * 2 + light[r, c]


@numba.njit
def signals(runs, steps):
    """Play traffic on a 4 x 4 grid of Q-learners; return the mean value over runs."""
    q = np.zeros((ROWS, COLUMNS, 50, 2))
    north, south = np.zeros((ROWS, COLUMNS), np.int64), np.zeros((ROWS, COLUMNS), np.int64)
    west, east = np.zeros((ROWS, COLUMNS), np.int64), np.zeros((ROWS, COLUMNS), np.int64)
    light, goes = np.zeros((ROWS, COLUMNS), np.int64), np.zeros((ROWS, COLUMNS), np.int64)
    seen, action = np.zeros((ROWS, COLUMNS), np.int64), np.zeros((ROWS, COLUMNS), np.int64)
    total = 0.0
    for seed in range(runs):
        s = seeded(seed)
        q[:] = 0.0
        clock = 240
        surge = 2
        for _ in range(steps):
            if clock == 240:
                clock = 0
                surge = 2
                north[:], south[:], west[:], east[:], light[:], seen[:] = 0, 0, 0, 0, 0, 0
            if clock % 80 == 40:
                surge = int(uniform(s) * 2.0)
            elif clock % 80 == 0:
                surge = 2
            clock += 1
            for r in range(ROWS):
                for c in range(COLUMNS):
                    o, u = seen[r, c], uniform(s)
                    a = int(u * 20.0) if u < 0.1 else int(q[r, c, o, 1] > q[r, c, o, 0])
                    action[r, c] = a
                    goes[r, c] = a if a == light[r, c] else 2
                    light[r, c] = a
            vertical = 0.6 if surge == 0 else 0.15
            horizontal = 0.6 if surge == 1 else 0.15
            for c in range(COLUMNS):
                for r in range(ROWS - 1, -1, -1):
                    if goes[r, c] == 0 and north[r, c] > 0:
                        if r == ROWS - 1:
                            north[r, c] -= 1
                        elif north[r + 1, c] < FAR:
                            north[r, c] -= 1
                            north[r + 1, c] += 1
                for r in range(ROWS):
                    if goes[r, c] == 0 and south[r, c] > 0:
                        if r == 0:
                            south[r, c] -= 1
                        elif south[r - 1, c] < FAR:
                            south[r, c] -= 1
                            south[r - 1, c] += 1
                if uniform(s) < vertical:
                    north[0, c] += 1
                if uniform(s) < vertical:
                    south[ROWS - 1, c] += 1
            for r in range(ROWS):
                for c in range(COLUMNS - 1, -1, -1):
                    if goes[r, c] == 1 and west[r, c] > 0:
                        if c == COLUMNS - 1:
                            west[r, c] -= 1
                        elif west[r, c + 1] < FAR:
                            west[r, c] -= 1
                            west[r, c + 1] += 1
                for c in range(COLUMNS):
                    if goes[r, c] == 1 and east[r, c] > 0:
                        if c == 0:
                            east[r, c] -= 1
                        elif east[r, c - 1] < FAR:
                            east[r, c] -= 1
                            east[r, c - 1] += 1
                if uniform(s) < horizontal:
                    west[r, 0] += 1
                if uniform(s) < horizontal:
                    east[r, COLUMNS - 1] += 1
            waiting = 0
            for r in range(ROWS):
                for c in range(COLUMNS):
                    waiting += north[r, c] + south[r, c] + west[r, c] + east[r, c]
            reward = -waiting / CELLS
            for r in range(ROWS):
                for c in range(COLUMNS):
                    o, a = seen[r, c], action[r, c]
                    o2 = _seen(north, south, west, east, light, r, c)
                    best = max(q[r, c, o2, 0], q[r, c, o2, 1])
                    q[r, c, o, a] += 0.1 * (reward + 0.9 * best - q[r, c, o, a])
                    seen[r, c] = o2
        total += q.mean()
    return total / runs


# --- ours ---------------------------------------------------------------------------------------

FAROL, SIGNALS = el_farol(), traffic(ROWS, COLUMNS)
PRICING = {"alpha": 0.15, "epsilon": fg.Exponential(1.0, 4e-6)}


def run(game, learner, steps, runs, backend):
    """Run fg.run on one thread."""
    return fg.run(game, learner, steps, runs, 7, threads=1, progress=False, backend=backend)


def our_pennies(runs, game=ours.PENNIES, learner=None, backend="auto"):
    """Return q[0] + q[1] of the row agent in each run."""
    learner = learner or fg.QLearner()
    return run(game, learner, 20_000, runs, backend).tables[0]["q"].sum(axis=(1, 2))


def our_pricing(runs, learner=None, backend="auto", steps=1_000_000):
    """Return the row agent's largest value in the last state of each run."""
    if learner is None:
        explore_ = fg.EpsilonGreedy(PRICING["epsilon"])
        learner = fg.QLearner(PRICING["alpha"], explore=explore_, initial=fg.UniformRivals())
    result = run(ours.PRICING, learner, steps, runs, backend)
    return result.tables[0]["q"][np.arange(runs), result.states].max(axis=1)


def our_mean(runs, game, steps, learner=None, backend="auto"):
    """Return the mean over all tables in each run."""
    tables = run(game, learner or fg.QLearner(), steps, runs, backend).tables
    return np.mean([table["q"].mean(axis=(1, 2)) for table in tables], axis=0)


# --- measured -----------------------------------------------------------------------------------


def workloads():
    """Yield the name, the title, the agents and the programs of each, the one by hand last."""
    farol_steps, signal_steps = 20_000, 24_000
    check = {"expected": functools.cache(lambda: our_pennies(20_480))}
    own = {"learner": users()}
    priced = [users(**PRICING, initial=ours.START[i]) for i in (0, 1)]
    pennies_ = [
        ("built-in learner and game", 10_240, {}),
        ("built-in learner and game, numba", 1_024, {"backend": "numba"}),
        ("your learner, built-in game", 1_024, own),
        ("built-in learner, your game", 1_024, {"game": OWN_PENNIES}),
        ("your learner, your game", 1_024, {"game": OWN_PENNIES, **own}),
    ]
    yield (
        "pennies", "matching pennies, two Q-learners, 20,000 steps a run", 2,
        [
            *(Contender(name, timed(20_000, runs, our_pennies, **options), **check)
              for name, runs, options in pennies_),
            Contender("by hand, np.random", timed(20_000, 512, by_numba.pennies), **check),
            Contender("by hand", timed(20_000, 512, pennies), **check),
        ],
    )  # fmt: skip
    check = {"expected": functools.cache(lambda: our_pricing(256))}
    million = 1_000_000
    by_hand = ours.STAGE.payoffs, ours.START, million
    yield (
        "pricing", "Calvano's pricing duopoly, two Q-learners, a million steps a run", 2,
        [
            Contender("built-in learner and game", timed(million, 32, our_pricing), **check),
            Contender("built-in learner and game, numba",
                      timed(million, 8, our_pricing, backend="numba"), **check),
            Contender("your learner, built-in game",
                      timed(million, 8, our_pricing, learner=priced), **check),
            Contender(
                "by hand, maxima of rows kept",
                timed(million, 4, by_numba.pricing_cached, *by_hand),
                **check,
            ),
            Contender("by hand", timed(million, 4, by_numba.pricing, *by_hand), **check),
        ],
    )  # fmt: skip
    for key, title, game, steps, function, sizes in (
        ("farol", "El Farol, 100 Q-learners, 20,000 steps a run", FAROL, farol_steps, farol,
         (64, 16)),
        ("traffic", "traffic on a 4 x 4 grid, 16 Q-learners, 24,000 steps a run", SIGNALS,
         signal_steps, signals, (64, 16)),
    ):  # fmt: skip
        check = {"expected": functools.cache(functools.partial(our_mean, 256, game, steps))}
        yield (
            key, title, game.num_agents,
            [
                Contender("built-in learner", timed_of(steps, sizes[0], our_mean, game, steps),
                          **check),
                Contender("built-in learner, numba",
                          timed_of(steps, sizes[0], our_mean, game, steps, backend="numba"),
                          **check),
                Contender("your learner",
                          timed_of(steps, sizes[0], our_mean, game, steps, **own), **check),
                Contender("by hand", timed_of(steps, sizes[1], function, steps), **check),
            ],
        )  # fmt: skip


def timed_of(steps, runs, function, *args, **options):
    """Return `timed` for functions whose first argument is the number of runs."""
    return timed(steps, runs, lambda n: function(n, *args, **options))


def measure(workloads, only, rounds):
    """Measure, print the tables, and return whether every check was met.

    workloads: (name, title, number of agents, contenders, the one by hand last) of each
    """
    good = True
    print(f"{rounds} rounds, one CPU; x: how many times as fast as by hand")
    for name, title, agents, contenders in workloads:
        if name not in only:
            continue
        for contender in contenders:  # compile
            contender.take_turn()
            contender.rates.clear()
        for k in range(rounds):
            for contender in contenders[:: 1 if k % 2 else -1]:
                contender.take_turn()
        hand = statistics.median(contenders[-1].rates)
        print(f"\n{name}: {title:<66}{'M agent-steps/s':>15}{'min':>8}{'max':>8}{'x':>7}  check")
        for contender in contenders:
            rate = statistics.median(contender.rates)
            low, high = min(contender.rates), max(contender.rates)
            figures = "".join(
                f"{x * agents / 1e6:>{width},.1f}" for x, width in ((rate, 15), (low, 8), (high, 8))
            )
            verdict, mean = contender.verdict()
            good &= verdict == "ok"
            print(f"  {contender.name:<{len(name) + 66}}{figures}{rate / hand:>7.2f}  "
                  f"{mean} {verdict}")  # fmt: skip
    return good


def main(title, workloads, names):
    """Parse the command line, measure, and return the exit status."""
    parser = argparse.ArgumentParser(description=title)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=names, default=list(names))
    options = parser.parse_args()
    return 0 if measure(workloads, options.only, options.rounds) else 1


if __name__ == "__main__":
    names = ("pennies", "pricing", "farol", "traffic")
    sys.exit(main(__doc__.split("\n")[0], workloads(), names))
