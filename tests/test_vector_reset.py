"""VectorGame.reset(mask=...): the bits of the interpreted reference, and of games left alone."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from library.games import markov_games, matrix_games, variants
from library.learners import AHEAD
from library.runs import core_as, setups
from test_vector import actions_for, play_by_hand, pursuit

import fastgames as fg
from fastgames import registry
from fastgames.engine.interpreted import FunctionWorld, ReferenceBlock, TableWorld
from fastgames.engine.spec import RunSpec
from fastgames.engine.state import fresh
from fastgames.learners.outside import Outside

SHOWN = ("observations", "next_observations", "rewards", "terminated", "truncated", "states")
CAPACITIES = st.sampled_from([None, 16, 32])


@st.composite
def masks(draw, num_envs):
    """None, all, one, or any environments."""
    kind = draw(st.sampled_from(["none", "all", "one", "some", "some"]))
    if kind == "one":
        return np.arange(num_envs) == draw(st.integers(0, num_envs - 1))
    if kind == "some":
        rng = np.random.default_rng(draw(st.integers(0, 999)))
        return rng.random(num_envs) < draw(st.sampled_from([0.1, 0.5, 0.9]))
    return np.full(num_envs, kind == "all")


def shown(envs):
    return {name: np.array(getattr(envs, name)) for name in SHOWN}


def worlds_of(game, num_envs, rng, dtype):
    """The games of the environments, interpreted."""
    seats = tuple(Outside() for _ in range(game.num_agents))
    state = fresh(RunSpec(game, seats, num_envs, dtype, backend="reference"), rng)
    kind = FunctionWorld if isinstance(game, fg.ProceduralGame) else TableWorld
    return [kind(game, state, r, None) for r in range(num_envs)]


def assert_resets_like_the_reference(game, num_envs, all_masks, rng, dtype="float64"):
    """Random actions, and a reset after each step, beside the interpreted game."""
    envs = fg.VectorGame(game, num_envs, rng, dtype=dtype)
    worlds, agents = worlds_of(game, num_envs, rng, dtype), range(game.num_agents)
    draw = np.random.default_rng(rng % 1000)
    for mask in all_masks:
        actions = actions_for(game, agents, num_envs, draw)
        joints = np.where(envs.moves, actions, 0).T.tolist()
        envs.step(actions)
        cut = [w.step(tuple(j), []).over for w, j in zip(worlds, joints, strict=True)]
        for world in (w for w, over in zip(worlds, cut, strict=True) if over):
            world.restart()
        before = shown(envs)
        assert envs.reset(mask=mask) is envs.observations
        for world in (w for w, chosen in zip(worlds, mask, strict=True) if chosen):
            world.restart()
        now, cleared = shown(envs), before
        seen = np.array([[world.view(i).observation for world in worlds] for i in agents])
        assert (now["observations"] == seen).all()
        assert now["states"].tolist() == [np.asarray(world.state).tolist() for world in worlds]
        cleared["next_observations"][:, mask] = seen[:, mask]
        for name in ("rewards", "terminated", "truncated"):
            cleared[name][..., mask] = 0
        for name in ("next_observations", "rewards", "terminated", "truncated"):
            assert (now[name] == cleared[name]).all()
    state = envs._state()
    for r, world in enumerate(worlds):
        if state.ages is not None:
            assert state.ages[r] == world.age
        if world.stream is not None:
            assert (state.streams[r, -1] == world.stream).all()


@st.composite
def games_and_sizes(draw):
    num_envs = draw(st.sampled_from([1, 2, 15, 16, 17, 33]))
    game = draw(st.one_of(markov_games(), matrix_games(), st.just(pursuit())))
    return draw(st.just(game) | variants(game, num_envs)), num_envs


@given(data=st.data(), rng=st.integers(0, 2**64 - 1), dtype=st.sampled_from(registry.DTYPES))
def test_every_game_of_tables_is_reset_as_the_reference(data, rng, dtype):
    game, num_envs = data.draw(games_and_sizes())
    several = [data.draw(masks(num_envs)) for _ in range(data.draw(st.integers(1, 6)))]
    with core_as(None, data.draw(CAPACITIES)):
        assert_resets_like_the_reference(game, num_envs, several, rng, dtype)


def draws_two_words(time_limit):
    """A game whose starts and steps take two words each."""

    def start(state, words):
        state[0] = words[0] % 7
        state[1] = words[1] % 3

    def step(state, actions, rewards, words):
        state[0] = (state[0] + actions[0] + words[0] + words[1]) % 7
        rewards[0] = state[0]
        rewards[1] = -state[0]
        return state[0] == 6

    def observe(state, agent):
        return state[0] + 7 * state[1]

    return fg.ProceduralGame(
        start, step, observe, num_actions=(2, 1), num_observations=(21, 21), state_size=2,
        words=2, start_words=2, time_limit=time_limit,
    )  # fmt: skip


@pytest.mark.parametrize("make", [fg.games.soccer, lambda: draws_two_words(4)])
def test_games_of_functions_are_reset_as_the_reference(make):
    rng, num_envs = np.random.default_rng(1), 300
    several = [rng.random(num_envs) < share for share in (0.1, 0.0, 1.0, 0.5, 0.1, 0.1)]
    several.insert(2, np.arange(num_envs) == num_envs - 1)  # a single start
    assert_resets_like_the_reference(make(), num_envs, several, 7)


@given(data=st.data())
def test_learners_inside_go_on_as_in_the_reference(data):
    """Tables, schedules and streams continue, and the moves that are pending are discarded."""
    setup = data.draw(setups(kinds=AHEAD, steps=8))
    game, num_envs = setup.game, setup.replicas
    outside = data.draw(st.sets(st.sampled_from(range(game.num_agents)), min_size=1))
    learners = list(setup.learners)
    for i in outside:
        shape = game.num_observations[i], game.num_actions[i]
        learners[i] = fg.FixedPolicy(np.full(shape, 1.0 / shape[1]))
    spec = RunSpec(game, tuple(learners), num_envs, setup.dtype, backend="reference")
    state = fresh(spec, setup.rng)
    blocks = [ReferenceBlock(spec, state) for _ in range(num_envs)]
    for r, block in enumerate(blocks):
        block.load(np.arange(1), np.array([r]))
    inside = [None if i in outside else x for i, x in enumerate(learners)]
    with core_as(None, data.draw(CAPACITIES)):
        envs = fg.VectorGame(game, num_envs, setup.rng, inside, setup.dtype)
    hands = [play_by_hand(envs, i, learners[i], setup.dtype)[0] for i in envs.agents]
    for _ in range(setup.steps):
        envs.step([act() for act in hands])
        mask = data.draw(masks(num_envs))
        envs.reset(mask=mask)
        for block, chosen in zip(blocks, mask, strict=True):
            block.advance(1)
            if chosen:
                block.world.restart()
                for player in block.players:
                    player.move = None
    for r, block in enumerate(blocks):
        block.store(np.arange(1), np.array([r]))
    now = envs._state()
    assert (now.states == state.states).all()
    for i in set(range(game.num_agents)) - outside:
        assert now.streams[:, i].tobytes() == state.streams[:, i].tobytes()
        seat, expected = now.seats[i], state.seats[i]
        assert (seat.clock == expected.clock).all()
        for name, table in expected.tables.items():
            assert seat.tables[name].tobytes() == table.tobytes()
        for name, v in expected.recurrence.items():
            assert (seat.recurrence[name] == v).all()


@pytest.mark.parametrize("learners", [None, [None, fg.Sarsa()], [fg.QLearner(), None]])
@given(data=st.data())
def test_environments_outside_of_the_mask_are_as_if_nothing_happened(learners, data):
    num_envs = 40
    one, other = (fg.VectorGame(pursuit(), num_envs, 3, learners) for _ in range(2))
    rng, alone = np.random.default_rng(0), np.ones(num_envs, np.bool_)
    for _ in range(data.draw(st.integers(1, 8))):
        actions = actions_for(one.game, one.agents, num_envs, rng)
        one.step(actions), other.step(actions)
        mask = data.draw(masks(num_envs))
        one.reset(mask=mask)
        alone &= ~mask
        now, expected = shown(one), shown(other)
        for name in SHOWN:
            assert now[name][..., alone].tobytes() == expected[name][..., alone].tobytes()
    for i in set(range(2)) - set(one.agents):
        for name, table in other.tables(i).items():
            assert one.tables(i)[name][alone].tobytes() == table[alone].tobytes()


@pytest.mark.parametrize("learners", [None, [None, fg.Sarsa()]])
def test_a_mask_of_all_is_a_reset_without_a_mask(learners):
    one, other = (fg.VectorGame(pursuit(), 50, 3, learners) for _ in range(2))
    zeros = np.zeros((len(one.agents), 50), np.int64)
    for _ in range(3):
        for envs in (one, other):
            envs.step(zeros)
        one.reset(mask=np.ones(50, np.bool_))
        other.reset()
        now, expected = shown(one), shown(other)
        assert all((now[name] == expected[name]).all() for name in SHOWN)
        assert (one._state().streams == other._state().streams).all()


def random_soccer_with_draws(num_envs, steps, seed):
    """Goals of each agent, and draws, in soccer at random: Littman's rule."""
    envs = fg.VectorGame(fg.games.soccer(), num_envs, rng=seed)
    rng = np.random.default_rng(seed)
    wins, draws = np.zeros(2), 0
    for _ in range(steps):
        _, rewards, terminated, _ = envs.step(rng.integers(0, 5, (2, num_envs)))
        wins += (rewards > 0).sum(axis=1)
        drawn = (rng.random(num_envs) < 0.1) & ~terminated
        envs.reset(mask=drawn)
        draws += drawn.sum()
    return wins, draws


def expected_goals_and_draws(steps):
    """Expected goals and draws of soccer at random in so many steps, by the chain of its states."""
    functions = fg.games.soccer().compact.moves
    coins, starts = [0, 2**30], []
    for word in coins:
        state = np.zeros(3, np.int64)
        functions.start(state, np.array([word]))
        starts.append(tuple(state.tolist()))
    rows, queue = {}, list(starts)
    while queue:
        here = queue.pop()
        if here in rows:
            continue
        rows[here] = {}
        for a, b, word in np.ndindex(5, 5, 2):
            state, rewards = np.array(here), np.zeros(2)
            ended = functions.step(state, np.array([a, b]), rewards, np.array([coins[word]]))
            if not ended:
                there = tuple(state.tolist())
                rows[here][there] = rows[here].get(there, 0.0) + 1 / 50
                queue.append(there)
    at = {state: k for k, state in enumerate(rows)}
    stays = np.zeros((len(at), len(at)))
    for here, row in rows.items():
        for there, probability in row.items():
            stays[at[here], at[there]] = probability
    first = np.zeros(len(at))
    first[[at[state] for state in starts]] = 0.5
    now, goals, draws = first, 0.0, 0.0
    for _ in range(steps):
        on = now @ stays
        goals += 1.0 - on.sum()
        draws += 0.1 * on.sum()
        now = 0.9 * on + first * (1.0 - 0.9 * on.sum())
    return goals, draws


def test_littmans_random_draws_by_single_resets():
    wins, draws = random_soccer_with_draws(2_000, 200, 7)
    goals, expected = 2_000 * np.array(expected_goals_and_draws(200))
    assert abs(wins.sum() - goals) < 4 * np.sqrt(goals)
    assert abs(draws - expected) < 4 * np.sqrt(expected)
    assert abs(wins[0] - wins[1]) < 4 * np.sqrt(goals)  # the game is symmetric


BAD = [
    (np.ones(3, np.int64), TypeError, r"mask must be an array of bool of shape \(3,\), got int64"),
    ([0, 1, 0], TypeError, "got int64"),
    (np.ones(3), TypeError, "got float64"),
    ("all", TypeError, "got <U3"),
    (np.array([True, None, False]), TypeError, "got object"),
    ([[True], [True, False]], ValueError, "bool of shape"),
    (np.ones(2, np.bool_), ValueError, r"bool of shape \(3,\), got shape \(2,\)"),
    (np.ones((1, 3), np.bool_), ValueError, r"got shape \(1, 3\)"),
    (np.True_, ValueError, r"got shape \(\)"),
    (True, ValueError, r"got shape \(\)"),
    (np.ma.masked_array([True, True, False], [True, False, False]), TypeError, "masked array"),
]


@pytest.mark.parametrize("case", BAD, ids=lambda case: str(case[0])[:20])
def test_bad_masks_are_refused_and_reset_nothing(case):
    mask, error, text = case
    envs = fg.VectorGame(pursuit(), 3, 3)
    envs.step(np.ones((2, 3), int))
    before, streams = shown(envs), envs._state().streams.copy()
    with pytest.raises(error, match=text):
        envs.reset(mask=mask)
    assert all((now == before[name]).all() for name, now in shown(envs).items())
    assert (envs._state().streams == streams).all()


def test_a_seed_and_a_mask_are_refused():
    envs = fg.VectorGame(pursuit(), 3, 3)
    with pytest.raises(ValueError, match="rng must be None if a mask is given, got 7"):
        envs.reset(7, mask=np.ones(3, np.bool_))
    assert envs.seed == 3


LARGE = 2**31 * 9 // 10


def fragile():
    """A game of which one start in ten fails, and the observation after action 2."""

    def start(state, words):
        state[0] = 0
        if words[0] > LARGE:
            raise ValueError

    def step(state, actions, rewards, words):
        state[0] = actions[0]
        rewards[:] = 0.0
        return False

    def observe(state, agent):
        return state[0]

    return fg.ProceduralGame(
        start, step, observe, num_actions=(3, 1), num_observations=(2, 2), start_words=1
    )


def test_a_start_that_fails_names_the_environment_and_resets_nothing():
    seed = 9
    envs = fg.VectorGame(fragile(), 12, seed)
    streams = fg.Streams(seed, 12, 2)
    streams.words()  # of the first starts
    second = streams.words()[0]
    bad = np.flatnonzero(second > LARGE)
    assert len(bad) == 1 and bad[0] > 3
    before, state = shown(envs), envs._state().streams.copy()
    with pytest.raises(fg.RuleError, match=rf"start of .*\(replica {bad[0]}, step 0\)"):
        envs.reset(mask=np.arange(12) > 2)
    assert all((now == before[name]).all() for name, now in shown(envs).items())
    assert (envs._state().streams == state).all()
    envs.reset(mask=np.arange(12) != bad[0])


def test_after_a_failed_step_a_mask_is_refused():
    envs = fg.VectorGame(fragile(), 12, 9)
    with pytest.raises(fg.RuleError, match="observe of"):
        envs.step(np.stack([np.full(12, 2), np.zeros(12, int)]))
    with pytest.raises(fg.RuleError, match="observe of"):
        envs.reset(mask=np.zeros(12, np.bool_))
    envs.reset(9)
    envs.reset(mask=np.zeros(12, np.bool_))
