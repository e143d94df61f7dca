"""What the tests share: random runs made from the registry, and comparison bit for bit.

Hypothesis runs the same examples every time. For a longer search with new ones:
``pytest --hypothesis-profile=thorough``.
"""

import inspect
import itertools
import json
import math
import os
import signal
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st

import fastgames as fg
from fastgames import _core, registry
from fastgames.compiler import passes
from fastgames.engine import compiled
from fastgames.io import archive

settings.register_profile("quick", deadline=None, derandomize=True, max_examples=40)
settings.register_profile("thorough", deadline=None, max_examples=2000)
settings.load_profile("quick")

# What Numba compiled is found again by other workers, and by the next session. It is named by a
# digest of all that it is made of, and what cannot be compiled is never kept: no error hides.
os.environ.setdefault("FASTGAMES_CACHE_DIR", str(Path(__file__).parents[1] / "build" / "compiled"))


# --- comparison ---------------------------------------------------------------------------------


def _bits(array):
    return None if array is None else (array.dtype, array.shape, array.tobytes())


def _plain(generator):
    """The state of a numpy generator; files hold lists in place of its arrays."""
    return json.dumps(generator, sort_keys=True, default=archive.plain)


def _contents(result):
    """Every array of a result, by name."""
    state = result.state
    arrays = {name: array for name, array in vars(state).items() if name not in ("seats", "window")}
    out = {name: array for name, array in arrays.items() if name != "generator"}
    for i, seat in enumerate(state.seats):
        out |= {f"{name} of agent {i}": table for name, table in seat.tables.items()}
        out[f"clock of agent {i}"] = seat.clock
        out |= {f"{name} of agent {i}": v for name, v in seat.recurrence.items()}
        if seat.pending is not None:
            out |= _moves(i, seat.pending)
        out[f"greedy({i})"] = result.greedy(i)
        out[f"policy({i})"] = result.policy(i)
    out["stopped"] = result.stopped
    out["window"] = _unrolled(state)
    if result.snapshots is not None:
        out |= {f"snapshots {name}": a for name, a in result.snapshots.arrays().items()}
    return out


def _moves(agent, pending):
    """A move that is not pending is only that: what else stands there is never read."""
    none = pending.observation < 0
    return {
        f"pending {name} of agent {agent}": np.where(none, array.dtype.type(-1), array)
        for name, array in pending.arrays().items()
    }


def _unrolled(state):
    """The cells of the last steps in order, -1 before the first: what else is there is not read."""
    if state.window is None:
        return None
    last = state.window.shape[1]
    ago = np.arange(last, 0, -1)
    cells = np.take_along_axis(state.window, (state.steps[:, None] - ago) % last, axis=1)
    return np.where(ago <= state.counted[:, None], cells, -1)


def _assert_same(one, other, replicas=slice(None)):
    """Two results hold the same bits; `replicas`: only those of `one` (without snapshots)."""
    left, right = _contents(one), _contents(other)
    if replicas != slice(None):
        left = {name: None if a is None else a[replicas] for name, a in left.items()}
    assert left.keys() == right.keys()
    for name in left:
        same = _bits(left[name]) == _bits(right[name])  # pytest would compare the bytes for minutes
        assert same, f"{name}: {left[name]} != {right[name]}"
    same = _plain(one.state.generator) == _plain(other.state.generator)
    assert same, "the generators differ"


@pytest.fixture(scope="session")
def assert_same():
    """assert_same(one, other): all arrays of two results, policies and snapshots, bit for bit."""
    return _assert_same


# --- random games -------------------------------------------------------------------------------


def _tables(draw, shape):
    """Small whole numbers (ties) or normal ones."""
    rng = np.random.default_rng(draw(st.integers(0, 9999)))
    return rng.integers(-2, 3, shape) if draw(st.booleans()) else rng.normal(size=shape)


@st.composite
def _matrix_games(draw, agents=None, actions=None):
    """Matrix games of few agents and actions."""
    agents = st.integers(2, 5) if agents is None else agents
    actions = st.integers(1, 7) if actions is None else actions
    shape = [draw(actions) for _ in range(draw(agents))]
    return fg.MatrixGame(_tables(draw, (len(shape), *shape)))


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
    """Who moves, (N, S): any agents in any state, somebody in one that is not terminal."""
    rng = np.random.default_rng(draw(st.integers(0, 9999)))
    turns = rng.random((game.num_agents, game.num_states)) < draw(st.sampled_from([0.3, 0.7]))
    turns[rng.integers(game.num_agents), np.flatnonzero(~game.terminal)[0]] = True
    return turns


@st.composite
def _markov_games(draw, turns=None, terminal=None, time_limit=True, shape=None):
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
    return fg.MarkovGame(  # rewards with ties, or that of one state in all; observations with gaps
        np.broadcast_to(_tables(draw, (len(shape), 1, *shape)), game.rewards.shape)
        if draw(st.booleans())
        else _tables(draw, game.rewards.shape),
        game.transitions,
        game.discount,
        game.start,
        game.terminal,
        game.observations * 2 if draw(st.booleans()) else game.observations,
        turns=draw(_turns(game)) if turns else None,
        time_limit=game.time_limit,
    )


@st.composite
def _remembering_games(draw):
    periods, agents = draw(st.integers(1, 2)), st.integers(2, 3)
    stage = draw(_matrix_games(agents, st.integers(1, 7 if periods == 1 else 3)))
    states = math.prod(stage.num_actions) ** periods
    start = draw(st.just("uniform") | st.integers(0, states - 1))
    return fg.remember(stage, periods, 0.9, start)


def _catalogue():
    """Every registered game of tables."""
    made = [make() for make in registry.GAMES.values()]
    return [game for game in made if not isinstance(game, fg.ProceduralGame)]


GAMES = {
    "matrix": _matrix_games(),
    "markov": _markov_games(),
    "remembering": _remembering_games(),
    "catalogue": st.deferred(lambda: st.sampled_from(_catalogue())),
}


@st.composite
def _variants(draw, one, replicas):
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
                turns=one.turns,
                time_limit=one.time_limit,
                actions=one.actions,
            )
        made.append(other)
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    return fg.Variants(made, rng.integers(0, len(made), replicas))


# --- random learners ----------------------------------------------------------------------------

# With thresholds T of 0, 1, 2, 3 and 2^31.
EPSILONS = st.sampled_from(
    [0.0, 1.0, 2.0**-32, 2.0**-31, 2.0**-30, 3 * 2.0**-31, 0.5, 1 - 2.0**-53]
)
INTERVALS = {
    "alpha": st.sampled_from([1.0, 0.5, 0.1, 1e-9]) | st.floats(1e-3, 1.0),
    "gamma": st.sampled_from([0.0, 0.5, 0.95]) | st.floats(0.0, 0.99),
    "epsilon": EPSILONS | st.floats(0.0, 1.0),
    "temperature": st.sampled_from([1.0, 0.01, 1000.0]) | st.floats(0.01, 100.0),
    "omega": st.sampled_from([1.0, 50.0, 1e-3]) | st.floats(0.01, 100.0),
    "power": st.sampled_from([1.0, 0.5, 0.51]) | st.floats(0.01, 1.0),
}


@st.composite
def _numbers(draw, one, replicas):
    """A number, or one for each replica."""
    if draw(st.booleans()):
        return draw(one)
    few = draw(st.lists(one, min_size=1, max_size=4))
    return np.resize(few, replicas)


@st.composite
def _parameters(draw, name, replicas):
    """A number, an array or a schedule in the domain of the parameter."""
    one = INTERVALS[name]
    kind = draw(st.sampled_from(["number", "number", "exponential", "linear"]))
    if kind == "number":
        return draw(_numbers(one, replicas))
    start, end = draw(_numbers(one, replicas)), draw(_numbers(one, replicas))
    if kind == "linear":
        return fg.Linear(start, end, draw(_numbers(st.floats(0.5, 60.0), replicas)))
    return fg.Exponential(start, draw(_numbers(st.floats(0.0, 2.0), replicas)), end)


EXPLORERS = {
    "epsilon_greedy": lambda replicas: st.builds(
        fg.EpsilonGreedy, _parameters("epsilon", replicas)
    ),
    "softmax": lambda replicas: st.builds(fg.Softmax, _parameters("temperature", replicas)),
}
STEP_SIZES = {
    "alpha": lambda replicas: _parameters("alpha", replicas),
    "visits": lambda replicas: st.builds(fg.VisitCount, _parameters("power", replicas)),
}
INITIALS = {"uniform_rivals": fg.UniformRivals}


@st.composite
def _value_learners(draw, make, kind, replicas, observations, actions, turns):
    table = (observations, actions)
    shape = draw(st.sampled_from([(), (actions,), table, (replicas, 1, 1), (replicas, *table)]))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    initial = rng.integers(-2, 3, shape) if draw(st.booleans()) else rng.normal(size=shape)
    if draw(st.integers(0, 3)) == 0:
        initial = INITIALS[draw(st.sampled_from(sorted(INITIALS)))]()
    more = {} if turns else dict.fromkeys(kind.options, True)
    return make(
        alpha=draw(STEP_SIZES[kind.step](replicas)),
        gamma=draw(st.none() | _parameters("gamma", replicas)),
        explore=draw(EXPLORERS[kind.explorer](replicas)),
        initial=initial,
        **more,
    )


@st.composite
def _fixed_policies(draw, make, kind, replicas, observations, actions, turns):
    table = (observations, actions)
    shape = draw(st.sampled_from([(actions,), (1, actions), table, (replicas, *table)]))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    weights = rng.integers(0, 3, shape) + 1e-3 * rng.integers(0, 2, shape)
    weights[..., rng.integers(actions)] += 1.0
    return make(weights / weights.sum(axis=-1, keepdims=True))


def _interval(domain):
    """Numbers in a domain such as "(0, 1]"; of one without an end, small ones."""
    low, high = (float(end) for end in domain[1:-1].split(","))
    low, high = max(low, -3.0), min(high, 3.0)
    inside = st.floats(low, high, exclude_min=domain[0] == "(", exclude_max=domain[-1] == ")")
    ends = [x for x, open_ in ((low, domain[0] == "("), (high, domain[-1] == ")")) if not open_]
    return inside.filter(lambda x: x == 0.0 or abs(x) > 1e-9) | st.sampled_from([*ends, 0.5])


@st.composite
def _described(draw, make, kind, replicas, observations, actions, turns):
    """A learner that is described by its rules: parameters in their domains."""
    has, given = inspect.signature(make).parameters, {}
    for name, domain in make().domains().items():
        one = INTERVALS.get(name, _interval(domain))
        given[name] = draw(_numbers(one, replicas))
        if draw(st.integers(0, 3)) == 0 and name not in ("low", "high"):
            end = draw(_numbers(one, replicas))
            given[name] = fg.Linear(given[name], end, draw(st.floats(0.5, 60.0)))
    if "gamma" in has and draw(st.booleans()):
        given["gamma"] = None
    if "delta_win" in has:  # at most delta_lose
        given["delta_win"], given["delta_lose"] = 0.01, draw(st.sampled_from([0.01, 0.05, 1.0]))
    if "low" in has:  # what payoffs lie between
        given["low"], given["high"] = -1e4, 1e4
    if kind.explorer:
        given["explore"] = draw(EXPLORERS[kind.explorer](replicas))
    if kind.step == "visits":
        given["alpha"] = draw(STEP_SIZES["visits"](replicas))
    elif kind.step and "alpha" not in given:
        given["alpha"] = draw(_parameters("alpha", replicas))
    if "initial" in has and draw(st.booleans()):
        given["initial"] = draw(st.sampled_from([-1.0, 0.25, 2.0]))
    return make(**given, **dict.fromkeys(kind.options, True))


LEARNERS = dict.fromkeys(registry.LEARNERS, _described) | {
    "q": _value_learners,
    "sarsa": _value_learners,
    "expected_sarsa": _value_learners,
    "fixed": _fixed_policies,
}


@dataclass(frozen=True)
class Kind:
    """What decides which rules a learner has; every kind has its own."""

    learner: str
    explorer: str = ""
    step: str = ""
    options: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "-".join(x for x in (self.learner, self.explorer, self.step, *self.options) if x)

    def made(self):
        """One of this kind, with the parameters that it has unless told otherwise."""
        given = dict.fromkeys(self.options, True)
        if self.explorer:
            given["explore"] = {
                "epsilon_greedy": fg.EpsilonGreedy(0.1),
                "softmax": fg.Softmax(1.0),
            }[self.explorer]
        if self.step:
            given["alpha"] = {"alpha": 0.1, "visits": fg.VisitCount()}[self.step]
        if self.learner == "fixed":
            given["probabilities"] = [1.0]
        if self.learner == "exp3":
            given |= {"low": -10.0, "high": 10.0}
        return registry.LEARNERS[self.learner](**given)

    def suits(self, game):
        """Whether such a learner may sit in this game."""
        rules, make = self.made().rules, registry.LEARNERS[self.learner]
        if game.compact.turns is not None and (rules.counterfactual or rules.team):
            return False
        try:
            getattr(make(), "check", lambda game, agent: None)(game, 0)
        except TypeError:  # there is no learner without arguments
            return True
        except ValueError:
            return self.learner == "exp3"  # which is given the range of the payoffs
        return True


def _kinds():
    """All kinds that there are of the registered learners."""
    for name, make in registry.LEARNERS.items():
        has = inspect.signature(make).parameters
        explorers = list(registry.EXPLORERS) if "explore" in has else [""]
        if "explore" in has and has["explore"].default is None:
            explorers.append("")
        steps = ("alpha", *registry.STEP_SIZES) if _counts_visits(make) else [""]
        flags = [option for option, p in has.items() if p.default is False]
        options = itertools.product(*[((), (flag,)) for flag in flags])
        for explorer, step, chosen in itertools.product(explorers, steps, list(options)):
            yield Kind(name, explorer, step, sum(chosen, ()))


def _counts_visits(make):
    """Whether a learner takes a `VisitCount` for its alpha."""
    try:
        make(alpha=fg.VisitCount())
    except TypeError:
        return False
    return True


KINDS = list(_kinds())
AHEAD = [kind for kind in KINDS if kind.made().rules.twin is not None]


def pytest_generate_tests(metafunc):
    """A test that asks for `learner_kind` runs with every kind of learner."""
    if "learner_kind" in metafunc.fixturenames:
        metafunc.parametrize("learner_kind", KINDS, ids=str)


# --- random runs --------------------------------------------------------------------------------


@dataclass
class Setup:
    """The arguments of a run."""

    game: Any
    learners: tuple[Any, ...]
    steps: int
    replicas: int
    rng: int
    dtype: str
    record: fg.Record
    stop: fg.Stable | None

    def run(self, build=None, capacity=None, **changes):
        """Run it, with some arguments changed or added.

        `build`: of the compiled core; `capacity`: the lanes of a block.
        """
        arguments = {f.name: getattr(self, f.name) for f in fields(self)}
        with _core_as(build, capacity), warnings.catch_warnings():
            warnings.simplefilter("ignore", fg.ConvergenceWarning)  # they stop at any time
            return fg.run(**{"progress": False, **arguments, **changes})


@contextmanager
def _core_as(build, capacity):
    with pytest.MonkeyPatch.context() as patch:
        if build is not None:
            patch.setattr(_core, "isa", build)
        if capacity is not None:
            patch.setattr(compiled, "block_size", lambda *arguments: capacity)
        yield


@pytest.fixture(scope="session")
def core_as():
    """core_as(build, capacity): a context in which compiled runs use these."""
    return _core_as


@st.composite
def _records(draw, steps):
    every = draw(st.none() | st.integers(1, steps + 1))
    joint, rewards = draw(st.booleans()), draw(st.booleans())
    return fg.Record(
        every=every,
        greedy=every is not None,
        policies=every is not None and draw(st.booleans()),
        flips=draw(st.booleans()),
        joint_actions=joint,
        rewards=rewards,
        last=draw(st.none() | st.integers(1, steps)) if joint or rewards else None,
    )


@st.composite
def _learners(draw, kind, game, agent, replicas):
    strategy, make = LEARNERS[kind.learner], registry.LEARNERS[kind.learner]
    sizes = (game.num_observations[agent], game.num_actions[agent])
    return draw(strategy(make, kind, replicas, *sizes, game.compact.turns is not None))


@st.composite
def _games_for(draw, kind):
    """A game that suits a learner which does not suit every game: no turns, or zero-sum."""
    game = draw(st.one_of(_matrix_games(), _markov_games(turns=False)))
    if kind.suits(game):
        return game
    agents, actions = st.just(2), st.integers(1, 4)
    if draw(st.booleans()):
        payoffs = draw(_matrix_games(agents, actions)).payoffs
        return fg.MatrixGame([payoffs[0], -payoffs[0]])
    shape = [draw(actions), draw(actions)]
    game = draw(_markov_games(turns=False, shape=shape))
    rewards = np.array([game.rewards[0], -game.rewards[0]])
    more = {"time_limit": game.time_limit}
    args = (game.transitions, game.discount, game.start, game.terminal)  # all states are seen
    return fg.MarkovGame(rewards, *args, **more)


@st.composite
def _setups(draw, kind=None, kinds=None, replicas=None, game=None, dtype=None, steps=24):
    """A run. `kind`: of the first agent; others are of `kinds`, unless given of any with a twin.

    (Others have to be compiled: the parity tests do that, of one kind after the other.)
    """
    game = draw(st.one_of(*GAMES.values()) if game is None else game)
    replicas = replicas or draw(st.sampled_from([1, 2, 3, 15, 16, 17, 33]))
    if draw(st.integers(0, 4)) == 0 and not (kind and kind.learner == "minimax_q"):
        game = draw(_variants(game, replicas))
    steps = draw(st.integers(1, steps))
    if kind is not None and not kind.suits(game):
        game = draw(_games_for(kind))
    some = [k for k in (AHEAD if kinds is None else kinds) if k.suits(game)]
    others = st.sampled_from(some)
    first = draw(others) if kind is None else kind
    seats = [first, *(draw(others) for _ in range(1, game.num_agents))]
    learners = [draw(_learners(k, game, i, replicas)) for i, k in enumerate(seats)]
    if learners[0].rules.team and draw(st.integers(0, 3)):  # else a team of one
        learners = [learners[0] if k == first else x for k, x in zip(seats, learners, strict=True)]
    return Setup(
        game,
        tuple(learners),
        steps,
        replicas,
        draw(st.sampled_from([0, 1, 7, 2**32, 2**64 - 1]) | st.integers(0, 2**64 - 1)),
        draw(st.sampled_from(registry.DTYPES)) if dtype is None else dtype,
        draw(_records(steps)),
        draw(st.none() | st.builds(fg.Stable, st.sampled_from([1, 2, 3, 5, 9]))),
    )


@pytest.fixture(scope="session")
def setups():
    """setups(kind=, kinds=, replicas=, game=, dtype=, steps=): the strategy of runs."""
    return _setups


@pytest.fixture(scope="session")
def games():
    """games(agents=, actions=): the strategy of matrix games."""
    return _matrix_games


@pytest.fixture(scope="session")
def markov_games():
    """markov_games(turns=, terminal=, time_limit=, shape=): the strategy of Markov games."""
    return _markov_games


@pytest.fixture(scope="session")
def strategies_by_name():
    """The registered names for which there are strategies."""
    return {
        "LEARNERS": set(LEARNERS),
        "EXPLORERS": set(EXPLORERS),
        "STEP_SIZES": set(STEP_SIZES) - {"alpha"},
        "INITIALS": set(INITIALS),
    }


@pytest.fixture(scope="session")
def kinds():
    """All kinds of learners that are compiled ahead."""
    return AHEAD


@pytest.fixture(scope="session")
def all_kinds():
    """All kinds of learners."""
    return KINDS


SMALL = passes._small


@pytest.fixture(scope="session", autouse=True)
def passes_for_all_sizes():
    """Numba's passes without constants: made once for all games."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passes, "_small", lambda actions, observations: {})
        yield


@pytest.fixture(scope="module")
def passes_as_users_have_them(passes_for_all_sizes):
    """With small sizes as constants."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passes, "_small", SMALL)
        yield


# --- Ctrl-C -------------------------------------------------------------------------------------


def pytest_configure(config):
    """Handle SIGINT where whoever started the tests ignores it (``nohup make test &``).

    Otherwise tests of interrupts, and the processes that they start, would wait for ever.
    """
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


# --- slow tests ---------------------------------------------------------------------------------


def pytest_collection_modifyitems(config, items):
    """Leave slow tests out unless -m says otherwise."""
    if config.option.markexpr:
        return
    slow = [item for item in items if item.get_closest_marker("slow")]
    if slow:
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if not item.get_closest_marker("slow")]
