"""Traffic signals against a simulation in which every vehicle is an object on its street."""

import numpy as np
import pytest

import fastgames as fg
from fastgames.games.catalogue.traffic import traffic

RUN = {"progress": False, "backend": "reference"}


class Grid:
    """The rules once more: queues are lists of vehicles, streets are lists of places."""

    def __init__(self, rows, columns, capacity=4, saturation=1, rate=0.15, surge=0.6, period=80,
                 surge_length=40, travel=0, platoon=0):  # fmt: skip
        self.rows, self.columns, self.saturation = rows, columns, saturation
        self.rates, self.period, self.surge_length = (rate, surge), period, surge_length
        self.green = {(r, c): "vertical" for r in range(rows) for c in range(columns)}
        self.travel, self.platoon, self.roads = travel, platoon, {}  # roads: times of arrival
        self.capacity, self.time, self.surging = capacity, 0, None
        down = [[(r, c) for r in range(rows)] for c in range(columns)]
        right = [[(r, c) for c in range(columns)] for r in range(rows)]
        self.streets = [
            *(("vertical", "north", places) for places in down),
            *(("vertical", "south", places[::-1]) for places in down),
            *(("horizontal", "west", places) for places in right),
            *(("horizontal", "east", places[::-1]) for places in right),
        ]
        self.queues = {(p, side): [] for _, side, places in self.streets for p in places}

    def step(self, wanted, chances, coin):
        """wanted: the axis for each place; chances: one number in [0, 1) for each entry."""
        phase = self.time % self.period
        if phase == self.period - self.surge_length:
            self.surging = ("vertical", "horizontal")[coin]
        elif phase == 0:
            self.surging = None
        self.time += 1
        for at, road in self.roads.items():
            while road and road[0] == self.time:
                self.queues[at].append(road.pop(0))
        open_for = {}
        for place, axis in wanted.items():
            open_for[place] = axis if axis == self.green[place] else None
            self.green[place] = axis
        for (axis, side, places), chance in zip(self.streets, chances, strict=True):
            for k in reversed(range(len(places))):
                queue = self.queues[places[k], side]
                for _ in range(self.saturation):
                    if open_for[places[k]] != axis or not queue:
                        continue
                    if k + 1 == len(places):
                        queue.pop(0)
                        continue
                    ahead = self.queues[places[k + 1], side]
                    road = self.roads.setdefault((places[k + 1], side), [])
                    if len(ahead) + len(road) < self.capacity:
                        queue.pop(0)
                        if self.travel:
                            road.append(self.time + self.travel)
                        else:
                            ahead.append(self.time)
            certain = side == "west" and phase < self.platoon
            if certain or chance < self.rates[axis == self.surging]:
                self.queues[places[0], side].append(self.time)

    def seen(self, place, levels):
        """Return the observation of the agent there."""
        classes = []
        for sides in (("north", "south"), ("west", "east")):
            waiting = sum(len(self.queues[place, side]) for side in sides)
            classes.append(sum(waiting >= level for level in levels))
        return (classes[0] * (len(levels) + 1) + classes[1]) * 2 + (
            self.green[place] == "horizontal"
        )


@pytest.mark.parametrize(
    ("rows", "columns", "options"),
    [
        (2, 2, {}),
        (1, 3, {"capacity": 1}),
        (3, 2, {"saturation": 3, "capacity": 2, "surge": 1.0}),
        (4, 4, {"period": 7, "surge_length": 7}),
        (2, 3, {"surge_length": 0, "rate": 0.4}),
        (1, 3, {"travel": 4, "platoon": 5, "period": 12, "surge_length": 0, "clock": 12}),
        (3, 3, {"travel": 3, "saturation": 2, "capacity": 3, "rate": 0.4, "clock": 4}),
        (2, 2, {"travel": 1, "platoon": 9, "period": 9, "surge_length": 4, "clock": 3}),
    ],
)
def test_every_vehicle_is_where_it_should_be(rows, columns, options):
    levels = (1, 2, 4)
    game = traffic(rows, columns, levels=levels, **options)
    options = dict(options)
    parts = options.pop("clock", 1)
    grid = Grid(rows, columns, **options)
    moves, places = game.compact.moves, list(grid.green)
    rng = np.random.default_rng(1)
    state, rewards = np.full(game.state_size, 99), np.zeros(game.num_agents)
    moves.start(state, np.zeros(0, np.int64))
    wanted = np.zeros(len(places), np.int64)
    for _ in range(400):
        wanted = np.where(rng.random(len(places)) < 0.3, rng.integers(2, size=len(places)), wanted)
        words = rng.integers(2**31, size=game.words)
        ended = moves.step(state, wanted, rewards, words)
        axes = {p: ("vertical", "horizontal")[a] for p, a in zip(places, wanted, strict=True)}
        grid.step(axes, words[:-1] / 2**31, int(words[-1] >= 2**30))
        assert not ended
        queues = state[2 + len(places) :][: 4 * len(places)].reshape(-1, 4)
        driving = state[2 + 5 * len(places) :]
        assert driving.sum() == sum(len(road) for road in grid.roads.values())
        low, high = game.state_bounds[2 + 5 * len(places) :].T
        assert np.all((low <= driving) & (driving <= high))
        for place, found in zip(places, queues, strict=True):
            sides = ("north", "south", "west", "east")
            assert found.tolist() == [len(grid.queues[place, side]) for side in sides]
        waiting = sum(len(queue) for queue in grid.queues.values())
        assert rewards.tolist() == [-waiting / len(places)] * len(places)
        assert (np.abs(rewards) <= game.largest_reward).all()
        for i, place in enumerate(places):
            part = grid.time % grid.period * parts // grid.period
            assert moves.observe(state, i) == grid.seen(place, levels) + 32 * part


def test_vehicles_that_nobody_stops_wait_one_step_each():
    """One street, green for ever: a vehicle that arrives is counted once at every intersection."""
    game = traffic(1, 3, rate=1.0, surge_length=0, time_limit=100)
    east = fg.FixedPolicy([0.0, 1.0])
    result = fg.run(game, east, 100, rng=1, record=fg.Record(rewards=True), **RUN)
    # Six vehicles arrive in every step across it, which never move. Along it one comes from each
    # end, and stands once at each of the three intersections; the first step, in which the lights
    # change, meets empty streets.
    step = np.arange(1, 101)
    along = 2 * np.minimum(step, 3)
    expected = -(6 * step + along).mean() / 3
    assert result.mean_reward[0] == pytest.approx([expected] * 3, rel=1e-12)


def test_surges_come_when_they_should_on_both_axes_alike():
    game = traffic(rate=0.0, surge=1.0, period=10, surge_length=4, time_limit=10)
    moves, picked = game.compact.moves, []
    rng = np.random.default_rng(2)
    for _ in range(200):
        state, rewards = np.zeros(game.state_size, np.int64), np.zeros(4)
        moves.start(state, np.zeros(0, np.int64))
        arrived = []
        for _ in range(10):
            before = state[6:].sum()
            words = rng.integers(2**31, size=game.words)
            moves.step(state, np.zeros(4, np.int64), rewards, words)
            arrived.append(state[6:].sum() - before)
            if state[1] == 1:  # nobody leaves
                assert arrived[-1] == 4
        assert arrived[:6] == [0] * 6
        picked.append(state[1])
    assert 70 <= sum(picked) <= 130  # of 200, four standard deviations of a fair coin


def test_bits_do_not_depend_on_the_backend():
    game = traffic(2, 3)
    learner = fg.QLearner(explore=fg.EpsilonGreedy(0.3))
    options = {"replicas": 3, "rng": 5, "record": fg.Record(rewards=True, joint_actions=False)}
    one = fg.run(game, learner, 300, **options, **RUN)
    other = fg.run(game, learner, 300, **options, progress=False, backend="numba")
    for a, b in zip(one.tables, other.tables, strict=True):
        assert a["q"].tobytes() == b["q"].tobytes()
    assert one.mean_reward.tobytes() == other.mean_reward.tobytes()
    assert np.any(one.tables[0]["q"] != 0.0)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"rows": 1, "columns": 1}, "at least 2|in \\[2, 1024\\]"),
        ({"rows": 0}, "rows must be a whole number in"),
        ({"rate": 1.5}, "rate must be"),
        ({"surge_length": 81}, "surge_length must be a whole number in"),
        ({"levels": (1, 1)}, "levels must be"),
        ({"levels": ()}, "levels must be"),
        ({"levels": (0, 2)}, r"levels\[0\] must be"),
        ({"capacity": 0}, "capacity must be a whole number in"),
        ({"travel": -1}, "travel must be a whole number in"),
        ({"platoon": 81}, r"platoon must be a whole number in \[0, 80\]"),
        ({"clock": 0}, "clock must be a whole number in"),
        ({"clock": 3}, "clock must be a divisor of period, 80, got 3"),
        ({"time_limit": 0}, "time_limit must be a whole number in"),
    ],
)
def test_what_cannot_be_is_refused(options, words):
    with pytest.raises(ValueError, match=words):
        traffic(**options)


def test_what_is_no_number_is_refused():
    with pytest.raises(TypeError, match="rows must be a whole number"):
        traffic(2.0)
    with pytest.raises(TypeError, match="rate must be a number"):
        traffic(rate="high")
