"""Measure the cost of a step by states, actions and agents; print a table and draw a picture.

    python bench/growth.py [--out docs/growth.png]

Q-learners, epsilon-greedy, float64, one thread, CPU time, the median of five. Games are random;
their transitions are a table of next states.
"""

import argparse
import platform
import statistics
import time

import numpy as np

import fastgames as fg

SWEEPS = {
    "states": [(2, s, 8) for s in (4, 16, 64, 256, 1_024, 4_096, 16_384, 65_536, 262_144)],
    "actions": [(2, 64, a) for a in (2, 3, 4, 5, 8, 9, 15, 16, 17, 24, 32, 33, 50, 64, 100)],
    "agents": [(n, 16, 4) for n in (2, 3, 4, 5, 6)],
}
STEPS = 100_000
MORE = 400_000  # steps if tables are so large that filling them would disturb the measurement
REPLICAS = 32


def game(agents, states, actions):
    """Return a random game; rewards do not depend on the state, so only tables grow with it."""
    rng = np.random.default_rng(1)
    shape = (states, *[actions] * agents)
    payoffs = rng.normal(size=(agents, 1, *shape[1:]))
    rewards = np.broadcast_to(payoffs, (agents, *shape))
    return fg.MarkovGame(rewards, rng.integers(states, size=shape), discount=0.95)


def seconds_per_step(agents, states, actions, steps):
    """Return (seconds of a game step, KiB of the tables of one replica)."""
    play = game(agents, states, actions)

    def once(count):
        began = time.process_time()
        fg.run(play, fg.QLearner(), count, REPLICAS, rng=7, threads=1, progress=False)
        return time.process_time() - began

    call = statistics.median(once(1) for _ in range(5))  # constant cost of a call
    took = statistics.median(once(steps) for _ in range(5)) - call
    return took / (steps * REPLICAS), agents * states * actions / 128


def main():
    """Measure all sizes, print the table, and draw the picture if asked."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out")
    out = parser.parse_args().out
    found = {}
    print(f"{platform.processor() or platform.machine()}, {fg.isa}, float64, one thread")
    print(
        f"{'':10}{'N':>4}{'S':>9}{'A':>5}{'KiB/replica':>13}{'M steps/s':>11}{'ns/agent-step':>15}"
    )
    for what, sizes in SWEEPS.items():
        for size in sizes:
            took, kib = seconds_per_step(*size, STEPS if size[1] < 2**15 else MORE)
            found.setdefault(what, []).append((size, took, kib))
            agents, states, actions = size
            print(
                f"{what:10}{agents:4}{states:9,}{actions:5}{kib:13,.1f}{1e-6 / took:11,.1f}"
                f"{1e9 * took / agents:15.2f}",
                flush=True,
            )
    if out is not None:
        draw(found, out)


def draw(found, out):
    """Draw one panel for each of states, actions and agents."""
    from fastgames import plot

    drawn, axes = plot.figure(3, 3, "Cost of a step")
    for axis, (what, index) in zip(
        axes, (("states", 1), ("actions", 2), ("agents", 0)), strict=True
    ):
        x = [size[index] for size, _, _ in found[what]]
        y = [1e9 * took / size[0] for size, took, _ in found[what]]
        axis.plot(x, y, marker="o", color=plot.INK)
        if what != "agents":
            axis.set_xscale("log", base=2)
        axis.set_ylim(0, 1.1 * max(y))
        plot.finish(axis, "", what, "ns per agent and step")
    plot.save(drawn, out)


if __name__ == "__main__":
    main()
