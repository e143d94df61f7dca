"""What the tests share: random runs made from the registry, and comparison bit for bit.

Hypothesis runs the same examples every time. For a longer search with new ones:
``pytest --hypothesis-profile=thorough``.
"""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st

import fastgames as fg
from fastgames import registry

settings.register_profile("quick", deadline=None, derandomize=True, max_examples=40)
settings.register_profile("thorough", deadline=None, max_examples=2000)
settings.load_profile("quick")


# --- comparison ---------------------------------------------------------------------------------


def _bits(array):
    return None if array is None else (array.dtype, array.shape, array.tobytes())


def _contents(result):
    """Every array of a result, by name."""
    state = result.state
    out = {
        name: getattr(state, name)
        for name in ("streams", "steps", "counted", "flips", "joint_counts", "reward_sums")
    }
    for i, seat in enumerate(state.seats):
        out |= {f"{name} of agent {i}": table for name, table in seat.tables.items()}
        out[f"clock of agent {i}"] = seat.clock
        out |= {f"{name} of agent {i}": v for name, v in seat.recurrence.items()}
        out[f"greedy({i})"] = result.greedy(i)
        out[f"policy({i})"] = result.policy(i)
    if result.snapshots is not None:
        out |= {f"snapshots {name}": a for name, a in result.snapshots.arrays().items()}
    return out


def _assert_same(one, other, replicas=slice(None)):
    """Two results hold the same bits; `replicas`: only those of `one` (without snapshots)."""
    left, right = _contents(one), _contents(other)
    if replicas != slice(None):
        left = {name: None if a is None else a[replicas] for name, a in left.items()}
    assert left.keys() == right.keys()
    for name in left:
        assert _bits(left[name]) == _bits(right[name]), f"{name}: {left[name]} != {right[name]}"
    assert str(one.state.generator) == str(other.state.generator)


@pytest.fixture(scope="session")
def assert_same():
    """assert_same(one, other): all arrays of two results, policies and snapshots, bit for bit."""
    return _assert_same


# --- random runs --------------------------------------------------------------------------------

# With thresholds T of 0, 1, 2, 3 and 2^31.
EPSILONS = st.sampled_from(
    [0.0, 1.0, 2.0**-32, 2.0**-31, 2.0**-30, 3 * 2.0**-31, 0.5, 1 - 2.0**-53]
)
INTERVALS = {
    "alpha": st.sampled_from([1.0, 0.5, 0.1, 1e-9]) | st.floats(1e-3, 1.0),
    "gamma": st.sampled_from([0.0, 0.5, 0.95]) | st.floats(0.0, 0.99),
    "epsilon": EPSILONS | st.floats(0.0, 1.0),
    "temperature": st.sampled_from([1.0, 0.01, 1000.0]) | st.floats(0.01, 100.0),
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


@st.composite
def _q_learners(draw, replicas, actions, explorer=None):
    explorer = explorer or draw(st.sampled_from(sorted(registry.EXPLORERS)))
    shape = draw(
        st.sampled_from([(), (actions,), (1, actions), (replicas, 1, 1), (replicas, 1, actions)])
    )
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    return fg.QLearner(
        alpha=draw(_parameters("alpha", replicas)),
        gamma=draw(st.none() | _parameters("gamma", replicas)),
        explore=draw(EXPLORERS[explorer](replicas)),
        initial=rng.integers(-2, 3, shape) if draw(st.booleans()) else rng.normal(size=shape),
    )


@st.composite
def _fixed_policies(draw, replicas, actions, explorer=None):
    shape = draw(st.sampled_from([(actions,), (1, actions), (replicas, 1, actions)]))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    weights = rng.integers(0, 3, shape) + 1e-3 * rng.integers(0, 2, shape)
    weights[..., rng.integers(actions)] += 1.0
    return fg.FixedPolicy(weights / weights.sum(axis=-1, keepdims=True))


LEARNERS = {"q": _q_learners, "fixed": _fixed_policies}


@dataclass
class Setup:
    """The arguments of a run."""

    game: fg.MatrixGame
    learners: tuple[Any, ...]
    steps: int
    replicas: int
    rng: int
    dtype: str
    record: fg.Record

    def run(self, **changes):
        """Run it, with some arguments changed or added."""
        arguments = {f.name: getattr(self, f.name) for f in fields(self)}
        return fg.run(**{"progress": False, **arguments, **changes})


@st.composite
def _games(draw, agents=None, actions=None):
    """Matrix games of few agents and actions; small whole payoffs (ties) or normal ones."""
    agents = st.integers(2, 5) if agents is None else agents
    actions = st.integers(1, 7) if actions is None else actions
    shape = [draw(actions) for _ in range(draw(agents))]
    rng = np.random.default_rng(draw(st.integers(0, 9999)))
    size = (len(shape), *shape)
    whole = draw(st.booleans())
    return fg.MatrixGame(rng.integers(-2, 3, size) if whole else rng.normal(size=size))


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
def _setups(draw, learner=None, explorer=None, replicas=None, game=None):
    """A run. `learner`, `explorer`: the first agent; the others are drawn from the registry."""
    game = draw(_games() if game is None else game)
    replicas = replicas or draw(st.sampled_from([1, 2, 3, 15, 16, 17, 33]))
    steps = draw(st.integers(1, 24))
    learners = []
    for i, actions in enumerate(game.num_actions):
        name = learner if i == 0 and learner else draw(st.sampled_from(sorted(registry.LEARNERS)))
        learners.append(draw(LEARNERS[name](replicas, actions, explorer if i == 0 else None)))
    return Setup(
        game,
        tuple(learners),
        steps,
        replicas,
        draw(st.sampled_from([0, 1, 7, 2**32, 2**64 - 1]) | st.integers(0, 2**64 - 1)),
        draw(st.sampled_from(registry.DTYPES)),
        draw(_records(steps)),
    )


@pytest.fixture(scope="session")
def setups():
    """setups(learner=, explorer=, replicas=, game=): the strategy of runs."""
    return _setups


@pytest.fixture(scope="session")
def games():
    """games(agents=, actions=): the strategy of matrix games."""
    return _games


@pytest.fixture(scope="session")
def strategies_by_name():
    """The registered names for which there are strategies."""
    return {"learners": set(LEARNERS), "explorers": set(EXPLORERS)}


# --- slow tests ---------------------------------------------------------------------------------


def pytest_collection_modifyitems(config, items):
    """Leave slow tests out unless -m says otherwise."""
    if config.option.markexpr:
        return
    slow = [item for item in items if item.get_closest_marker("slow")]
    if slow:
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if not item.get_closest_marker("slow")]
