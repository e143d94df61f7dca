"""Traffic signals that learn, compared with a fixed plan under surges of demand.

The game is a grid of intersections. Every signal observes its own queues and its own light, and the
delay of all vehicles is the common loss of the agents. The fixed-time plan is the best that a
search over green times and offsets finds; it cannot adapt to the surges. All learners here except
`QLearner` are written as user-defined learners.

No figure here was published elsewhere; the test is that trained signals beat the plan. Critics that
observe the neighbours reduce the delay little: by a few hundredths of a vehicle at most, of 4.4 in
surges, and not at all for some seeds. The short streets of the game and the observations of the
critics were chosen so that there is an effect. If streets hold twice as many vehicles, or critics
observe all queues of the neighbours, these critics do worse than those that observe their own
queues, because a vehicle that is passed on still waits. They also need the long training: they have
nine times as many values to learn.
"""

import itertools
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fastgames._common.seeds import seed_from
from fastgames.games import ProceduralGame
from fastgames.games.catalogue.traffic import traffic as traffic_game
from fastgames.learners import EpsilonGreedy, Learner, QLearner, Table
from fastgames.papers.arguments import Arguments, Count, reproduction
from fastgames.papers.estimate import Z, mean
from fastgames.papers.report import Report, Row, picture
from fastgames.result import Result
from fastgames.rules.choice import GREEDY
from fastgames.rules.qlearning import choose_greedy, draw_explore, policy_epsilon, update
from fastgames.schedules import Linear

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ROWS, COLUMNS = 2, 2
PERIOD, SURGE, EPISODE = 80, 40, 240  # steps
LEVELS = 1, 3, 6, 9  # smallest numbers of vehicles of the classes of queues
CROWDED = 3  # smallest class of a crowded queue: at least 6 vehicles wait
SEEDS, STEPS = 40, 480_000  # 2,000 episodes of training
EPISODES = 100  # test episodes of every seed, after the training
GREENS, OFFSETS, TRIALS = range(4, 16), (0, 2, 4), 40  # plans to search, and episodes of each
PLAN, ALONE, OWN, SEEING = (
    "fixed plan", "independent Q-learners", "critic sees its own queues",
    "critic sees the neighbours",
)  # fmt: skip


@reproduction(
    replicas=Count(
        SEEDS,
        "Number of seeds, which is the number of training runs of each kind; at least 2.",
        "[2, inf)",
    ),
    steps=Count(STEPS, "Steps of each training run, at least 1."),
)
def traffic(asked: Arguments) -> Report:
    """Compare a fixed plan, independent learners and teams with critics; return a report.

    Trained policies are frozen, without exploration, and tested in 100 episodes of every seed. All
    controllers face the same vehicles. The measure is the delay: the number of waiting vehicles per
    intersection, averaged over steps.

    - The fixed plan gives green to north-south for a number of steps, then to east-west, with an
      offset from each intersection to the next. It is the best of all plans searched, on other
      vehicles.
    - Independent learners are `QLearner`, each with its own reward and observation.
    - A team of actors with critics (`critic_team`) is trained twice: with critics that observe
      their own queues only, and with critics that also observe crowded queues of the neighbours.
      Actors observe their own intersection only.

    Returns
    -------
    Report
        A report with the results "independent" and "team" of the training. The first half of the
        team's replicas has critics that observe their own queues only, the second half critics that
        observe the neighbours. The results "plan drives" and so on are those of the test episodes;
        their table "delay" sums the delay by step of the episode.
    """
    replicas, steps = asked.replicas, asked.steps
    seed = seed_from(asked.rng)
    asked = replace(asked, rng=seed)
    game = traffic_game(
        ROWS, COLUMNS, period=PERIOD, surge_length=SURGE, levels=LEVELS, time_limit=EPISODE
    )
    began = time.perf_counter()
    plan = search(game, replace(asked, rng=(seed + 1) % 2**64))
    alone = asked.run(game, independent(steps), steps, replicas)
    sees = np.repeat([0.0, 1.0], replicas)
    team = asked.run(game, critic_team(steps, sees), steps, 2 * replicas)
    drivers = {
        PLAN: planned(*plan),
        ALONE: frozen(alone, slice(None)),
        OWN: frozen(team, slice(replicas)),
        SEEING: frozen(team, slice(replicas, None)),
    }
    driven = {
        name: asked.run(game, each, EPISODES * EPISODE, replicas, progress=False)
        for name, each in drivers.items()
    }
    delays = {
        name: result.tables[0]["delay"].astype(np.float64) / EPISODES
        for name, result in driven.items()
    }
    seconds = time.perf_counter() - began
    short = dict(zip(driven, ("plan", "independent", "own", "seeing"), strict=True))
    return Report(
        title=f"Traffic signals on a {ROWS} x {COLUMNS} grid: {replicas:,} seeds",
        rows=(*_rows(plan, delays), Row("time", "", f"{seconds:,.1f} s")),
        lines=(
            "Delay: waiting vehicles per intersection, mean over steps, with the 95 % confidence "
            "interval over seeds.",
            "Differences are between controllers that face the same vehicles.",
        ),
        figure=picture(lambda: _draw(delays), asked.out),
        results={"independent": alone, "team": team}
        | {f"{short[name]} drives": result for name, result in driven.items()},
    )


# --- learners ----------------------------------------------------------------------------------


def independent(steps: int) -> QLearner:
    """Return the Q-learner of every signal, with step size and exploration that fall over steps.

    The step size falls over all `steps`, exploration over the first four fifths of them.
    """
    return QLearner(
        alpha=Linear(0.05, 0.0025, steps),
        explore=EpsilonGreedy(Linear(0.5, 0.02, max(1, steps * 4 // 5))),
    )


def critic_team(steps: int, sees: Any) -> Learner:
    """Return a team of actors with critics.

    sees: (replicas,) 1 if the critics observe the neighbours, else 0

    The critic of member i has the values V_i[o_i, d_i], with d_i a digest of the neighbours'
    observations: for each axis, the number of neighbours along it that are crowded on it. Vehicles
    that i sends there may find no room. The actor is epsilon-greedy in the mean TD error of each
    action, given its own observation alone:

        e = r_i + gamma V_i[o_i', d_i'] - V_i[o_i, d_i],   V_i[o_i, d_i] += beta e,
        advantage_i[o_i, a_i] += alpha (e - advantage_i[o_i, a_i]).

    This is an actor-critic (Barto, Sutton & Anderson, IEEE SMC 13, 1983; Sutton & Barto 2018,
    section 13.5) with averages of TD errors in place of preferences. Its critics observe more than
    the actors, as in Lowe et al., Multi-Agent Actor-Critic for Mixed Cooperative-Competitive
    Environments, NeurIPS 2017.
    """
    neighbours = _neighbours()
    classes = len(LEVELS) + 1

    def crowded(o: Any, axis: int) -> int:
        pair = o // 2
        seen = pair % classes if axis == 1 else pair // classes
        return 1 if seen >= CROWDED else 0

    def digest(member: int, observations: Any, sees: float) -> int:
        counts = 0
        if sees > 0.0:
            for axis in range(2):
                counts *= 3
                for k in range(2):
                    j = neighbours[member, axis, k]
                    if j >= 0:
                        counts += crowded(observations[j], axis)
        return counts

    def learn(tables: Any, p: Any, t: Any) -> None:
        for i in range(len(t.actions)):
            advantage = tables[0][i]
            critic = tables[1][i]
            real = critic.dtype.type
            o = t.observations[i]
            d = digest(i, t.observations, p[3])
            value = real(0.0)
            if not t.ended:
                value = critic[t.next_observations[i], digest(i, t.next_observations, p[3])]
            target = t.rewards[i] + t.weight * value
            error = target - critic[o, d]
            update(critic, o, d, target, real(p[1]))
            update(advantage, o, t.actions[i], error, real(p[0]))

    return Learner(
        choose=choose_greedy,
        learn=learn,
        parameters={
            "alpha": Linear(0.01, 0.001, steps),
            "beta": Linear(0.1, 0.01, steps),
            "epsilon": Linear(0.5, 0.05, max(1, steps * 4 // 5)),
            "sees": sees,
        },
        tables=(Table("advantage"), Table("critic", ("observations", 9))),
        draw=draw_explore,
        policy=policy_epsilon,
        team=True,
        name="neighbour_critic",
    )


def _neighbours() -> Any:
    """Return the neighbours of each intersection, (agents, 2, 2); -1 if there is none.

    The second axis is the axis of streets; the last has north and south, or west and east.
    """
    number = np.full((ROWS + 2, COLUMNS + 2), -1)
    number[1:-1, 1:-1] = np.arange(ROWS * COLUMNS).reshape(ROWS, COLUMNS)
    around = (number[:-2, 1:-1], number[2:, 1:-1]), (number[1:-1, :-2], number[1:-1, 2:])
    return np.stack([np.stack(pair, -1).reshape(-1, 2) for pair in around], axis=1)


def _count_delay(tables: Any, p: Any, t: Any) -> None:
    """Add the delay of a step to the sum for this step of the episode, and advance the clock."""
    clock = tables[1]
    delay = tables[2]
    delay[clock[0]] -= t.gain
    clock[0] = (clock[0] + 1) % EPISODE


def _by_clock(tables: Any, p: Any, o: Any, signal: Any) -> int:
    """Return north-south (0) for p[0] steps, then east-west (1) for p[1], p[2] steps ahead."""
    now = (tables[1][0] + int(p[2])) % int(p[0] + p[1])
    return 0 if now < p[0] else 1


def _counting(choose: Any, first: Table, **parameters: Any) -> Learner:
    """Return a learner that plays `choose`, counts delays and does not learn."""
    tables = first, Table("clock", (1,), "int64"), Table("delay", (EPISODE,))
    return Learner(choose, _count_delay, parameters, tables, words=0)


def planned(green: Any, other: Any, offset: Any) -> list[Learner]:
    """Return the learners of a fixed plan, one for each intersection.

    green, other: number or (replicas,), steps of north-south and of east-west, with the change of
        lights
    offset: number or (replicas,), steps by which an intersection is ahead of its northern and
        western neighbours
    """
    ahead = [sum(divmod(i, COLUMNS)) * np.asarray(offset, float) for i in range(ROWS * COLUMNS)]
    return [
        _counting(_by_clock, Table("unused"), green=green, other=other, ahead=each)
        for each in ahead
    ]


def frozen(result: Result, replicas: slice) -> list[Learner]:
    """Return learners that play the greedy actions of these replicas' agents and do not learn."""
    name = result.learners[0].table
    return [
        _counting(_greedy, Table(name, initial=tables[name][replicas])) for tables in result.tables
    ]


def _greedy(tables: Any, p: Any, o: Any, signal: Any) -> int:
    """Return the greedy action."""
    return int(choose_greedy(tables, p, o, GREEDY))


# --- measures ----------------------------------------------------------------------------------


def search(game: ProceduralGame, asked: Arguments) -> tuple[int, int, int]:
    """Return the plan with the smallest delay: steps of north-south, of east-west, and offset."""
    plans = np.array(list(itertools.product(GREENS, GREENS, OFFSETS)), np.float64)
    result = asked.run(game, planned(*plans.T), TRIALS * EPISODE, len(plans), progress=False)
    best = plans[result.tables[0]["delay"].sum(axis=1).argmin()]
    return int(best[0]), int(best[1]), int(best[2])


def in_surge() -> Any:
    """Return a mask (EPISODE,) of the steps of an episode in a surge."""
    return np.arange(EPISODE) % PERIOD >= PERIOD - SURGE


def _rows(plan: tuple[int, int, int], delays: dict[str, Any]) -> list[Row]:
    """Return the rows of the report. delays: (seeds, EPISODE) by controller."""
    surge = in_surge()
    text = f"{plan[0]} and {plan[1]} steps, offset {plan[2]}"
    rows = [Row("best fixed plan: north-south, east-west", "", text)]
    for name, delay in delays.items():
        found = (mean(delay[:, where].mean(axis=1)) for where in (surge, ~surge))
        rows.append(Row(f"{name}: delay in surges", "", next(found).text(2)))
        rows.append(Row(f"{name}: delay between them", "", next(found).text(2)))
    within = {name: delay[:, surge].mean(axis=1) for name, delay in delays.items()}
    for name in (ALONE, OWN, SEEING):
        less = mean(within[PLAN] - within[name])
        what = f"{name}: less delay than the plan in surges"
        rows.append(Row(what, "more than 0", less.text(2), less.low > 0.0))
    for name in (OWN, ALONE):
        less = mean(within[name] - within[SEEING])
        rows.append(Row(f"what seeing neighbours saves beside: {name}", "", less.text(3)))
    return rows


def _draw(delays: dict[str, Any]) -> "Figure":
    """Draw the delay over an episode. delays: (seeds, EPISODE) by controller."""
    from fastgames import plot

    seeds = len(delays[PLAN])
    title = (
        f"Traffic signals, {ROWS} x {COLUMNS} intersections: mean of {seeds} seeds, 95 % interval"
    )
    drawn, axes = plot.figure(2, 2, title, (6.6, 3.8))
    for k, (name, delay) in enumerate(delays.items()):
        _over_time(axes[0], delay, plot.COLOURS[k], name)
    axes[0].set_ylim(bottom=0.0)
    plot.finish(
        axes[0], "Delay over an episode; shaded: one axis surges", "step of the episode",
        "vehicles waiting per intersection", legend="",
    )  # fmt: skip
    axes[0].legend(loc="upper left", fontsize=8, labelcolor=plot.INK, edgecolor="none", ncols=2)
    axes[0].set_ylim(top=1.2 * axes[0].get_ylim()[1])
    for k, name in enumerate((ALONE, OWN), 1):
        _over_time(axes[1], delays[name] - delays[SEEING], plot.COLOURS[k], f"beside: {name}")
    axes[1].axhline(0.0, color=plot.GREY, linewidth=0.8)
    plot.finish(
        axes[1], "Delay saved by critics that see the neighbours", "step of the episode",
        "vehicles waiting per intersection",
    )  # fmt: skip
    return drawn


def _over_time(axes: Any, delay: Any, colour: str, name: str) -> None:
    """Draw the mean of `delay` (seeds, EPISODE) with its 95 % interval; shade surges once."""
    from fastgames.plot import PALE

    if not axes.lines:
        axes.set_xlim(0, EPISODE)
        for begins in range(PERIOD - SURGE, EPISODE, PERIOD):
            axes.axvspan(begins, begins + SURGE, color=PALE, alpha=0.6, linewidth=0)
    middle, half = delay.mean(axis=0), Z * delay.std(axis=0) / np.sqrt(len(delay))
    steps = np.arange(EPISODE)
    axes.fill_between(steps, middle - half, middle + half, color=colour, alpha=0.3, linewidth=0)
    axes.plot(steps, middle, color=colour, linewidth=1.2, label=name)
