"""Variants of procedural games: each replica has the bits of its own game, run alone."""

import pickle

import numpy as np
import pytest

import fastgames as fg
from fastgames.rules.chance import below, happens

INDEX = np.array([0, 2, 1, 1, 0, 2, 2, 0, 1])


def walk(bonus, end, bias, **given):
    """Two agents move a token on a line that begins and moves at random; games differ in all."""

    def start(state, words):
        state[0] = below(words[0], 3)
        state[1] = len(state)

    def step(state, actions, rewards, words):
        move = 1 if happens(words[0], bias) else -1
        state[0] += move if actions[0] == actions[1] else -move
        for i in range(2):
            rewards[i] = bonus * state[0] + actions[i]
        ended = state[0] < 0 or state[0] >= end
        state[0] = min(max(state[0], 0), end)
        return ended

    def observe(state, agent):
        return state[0] if agent == 0 else state[0] % 2

    form = {
        "num_actions": (2, 3),
        "num_observations": (7, 2),
        "state_size": 2,
        "state_bounds": [(0, end), (2, 2)],
        "words": 1,
        "start_words": 1,
        "discount": 0.9,
        "time_limit": 11,
        "name": f"walk to {end}",
    }
    return fg.ProceduralGame(start, step, observe, **form | given)


GAMES = (walk(0.5, 4, 0.6), walk(-1.0, 6, 0.3), walk(2.0, 5, 0.5))


def still(number):
    """No random start: all replicas begin in one state, which differs between games."""

    def start(state, words):
        state[0] = number

    def step(state, actions, rewards, words):
        rewards[0] = state[0] * actions[0]
        state[0] = (state[0] + actions[0]) % 4
        return False

    def observe(state, agent):
        return state[0]

    return fg.ProceduralGame(
        start, step, observe, num_actions=(2,), num_observations=(4,), discount=0.5
    )


def assert_alone(result, run, games, index):
    """Tables, states and mean rewards of every replica are those of its game alone."""
    for k, game in enumerate(games):
        alone, mine = run(game), index == k
        for i in range(game.num_agents):
            assert alone.tables[i]["q"][mine].tobytes() == result.tables[i]["q"][mine].tobytes()
        assert np.array_equal(alone.states[mine], result.states[mine, :-1])
        assert np.array_equal(alone.mean_reward[mine], result.mean_reward[mine])
    assert np.array_equal(result.states[:, -1], index)


@pytest.mark.parametrize("backend", ["reference", "numba"])
def test_replicas_have_the_bits_of_their_game_alone(backend):
    def run(game):
        return fg.run(
            game,
            [fg.QLearner(alpha=0.3), fg.Sarsa()],
            steps=60,
            replicas=len(INDEX),
            rng=4,
            record=fg.Record(rewards=True),
            backend=backend,
            threads=2,
        )

    result = run(fg.ProceduralVariants(GAMES, INDEX))
    assert_alone(result, run, GAMES, INDEX)
    q = result.tables[0]["q"]
    assert not np.array_equal(q[0], q[1])


@pytest.mark.parametrize("backend", ["reference", "numba"])
def test_starts_without_chance(backend):
    games, index = [still(n) for n in range(4)], np.array([3, 1, 0, 2, 3])

    def run(game):
        record = fg.Record(rewards=True)
        return fg.run(game, fg.QLearner(), 20, len(index), rng=1, record=record, backend=backend)

    result = run(fg.ProceduralVariants(games, index))
    assert_alone(result, run, games, index)
    assert len(set(result.states[:, 0])) > 1


def test_counterfactual_rewards_are_those_of_the_own_game():
    """Hedge asks for the reward of every action, in copies of the state."""
    index = np.array([1, 0, 2])

    def run(game):
        return fg.run(game, fg.Hedge(), 40, 3, rng=2, backend="numba")

    games = [blind(scale) for scale in (1.0, -1.0, 0.25)]
    result = run(fg.ProceduralVariants(games, index))
    for k, game in enumerate(games):
        alone = run(game)
        for name, table in alone.tables[0].items():
            mine = index == k
            assert np.array_equal(table[mine], result.tables[0][name][mine])


def blind(scale):
    def start(state, words):
        state[0] = 0

    def step(state, actions, rewards, words):
        rewards[0] = scale * (actions[0] - actions[1])
        rewards[1] = -rewards[0]
        return False

    def observe(state, agent):
        return 0

    return fg.ProceduralGame(start, step, observe, num_actions=(3, 3), num_observations=(1, 1))


def test_environments_have_the_bits_of_their_game_alone():
    """Of a VectorGame, in which episodes end and are reset."""
    count = len(INDEX)
    mask = np.arange(count) % 2 == 0

    def play(game):
        envs = fg.VectorGame(game, num_envs=count, rng=3)
        draw, seen = np.random.default_rng(0), [envs.reset().copy()]
        for step in range(30):
            if step == 17:
                seen.append(envs.reset(mask=mask).copy())
            actions = draw.integers(2, size=(2, count)).astype(np.int32)
            seen += [x.copy() for x in envs.step(actions)[:2]]
        return seen

    together = play(fg.ProceduralVariants(GAMES, INDEX))
    for k, game in enumerate(GAMES):
        for ours, alone in zip(together, play(game), strict=True):
            assert np.array_equal(ours[..., k == INDEX], alone[..., k == INDEX])


def test_runs_go_on_and_are_saved(tmp_path):
    variants = fg.ProceduralVariants(GAMES, INDEX)
    options = {"rng": 5, "backend": "reference"}
    whole = fg.run(variants, fg.QLearner(), 40, **options)
    part = fg.run(variants, fg.QLearner(), 25, **options)
    part.save(tmp_path / "part.fg")
    again = fg.load(tmp_path / "part.fg", game=variants)
    rest = fg.run(variants, fg.QLearner(), 15, resume=again, backend="reference")
    assert np.array_equal(whole.tables[0]["q"], rest.tables[0]["q"])
    assert np.array_equal(whole.states, rest.states)
    other = fg.ProceduralVariants(GAMES, INDEX[::-1])
    with pytest.raises(ValueError, match="game must be the game 'walk to 4' of the file"):
        fg.load(tmp_path / "part.fg", game=other)
    with pytest.raises(
        ValueError, match="index of the game as last entries, got 0 in replica 0 in place of 1"
    ):
        fg.run(other, fg.QLearner(), 15, resume=part, start_states=None, backend="reference")


def test_given_states_have_the_index():
    variants = fg.ProceduralVariants(GAMES, [1, 2])
    states = np.array([[3, 2, 1], [3, 2, 2]])
    options = {"rng": 5, "backend": "reference"}
    result = fg.run(variants, fg.QLearner(), 1, start_states=states, **options)
    for r in range(2):
        alone = fg.run(GAMES[r + 1], fg.QLearner(), 1, 2, start_states=states[:, :-1], **options)
        assert np.array_equal(result.states[r, :-1], alone.states[r])
    with pytest.raises(ValueError, match="start_states must have the index of the game as last"):
        fg.run(variants, fg.QLearner(), 1, start_states=states[::-1], **options)


def test_tables_and_labels_name_the_variant():
    variants = fg.ProceduralVariants(GAMES, INDEX)
    result = fg.run(variants, fg.QLearner(), 5, rng=5, backend="reference")
    assert result.to_pandas()["variant"].tolist() == INDEX.tolist()
    assert result.to_xarray().variant.values.tolist() == INDEX.tolist()


def test_variants_are_values():
    bars = [fg.games.el_farol(5, capacity) for capacity in (3, 4)]
    one, two = (fg.ProceduralVariants(bars, [0, 1, 1]) for _ in range(2))
    assert one == two and hash(one) == hash(two)
    assert one != fg.ProceduralVariants(bars, [1, 1, 0])
    assert one != fg.ProceduralVariants(bars[::-1], [0, 1, 1])
    again = pickle.loads(pickle.dumps(one))
    assert again == one and again.games == tuple(bars)
    assert not one.index.flags.writeable
    bounds = fg.ProceduralVariants(GAMES, [0]).state_bounds
    assert bounds.tolist() == [[0, 6], [2, 2], [0, 2]]


@pytest.mark.parametrize(
    ("games", "index", "error", "message"),
    [
        ([], [0], ValueError, "games must have at least 1 entry, got 0"),
        ([fg.games.chicken()], [0], TypeError, r"games must be ProceduralGames, got games\[0\]"),
        (GAMES, [0, 3], ValueError, r"index must be in \[0, 3\)"),
        (GAMES, [0.5], TypeError, "index must hold integers"),
        ([*GAMES, still(0)], [0], ValueError, r"num_actions = \(2,\) in games\[3\] and \(2, 3\)"),
        (
            [GAMES[0], walk(1.0, 4, 0.5, discount=0.5)],
            [0],
            ValueError,
            r"discount = 0.5 in games\[1\] and 0.9 in games\[0\]",
        ),
        ([GAMES[0], walk(1.0, 4, 0.5, words=2)], [0], ValueError, r"words = 2 in games\[1\]"),
    ],
)
def test_refused(games, index, error, message):
    with pytest.raises(error, match=message):
        fg.ProceduralVariants(games, index)


def test_other_numbers_of_replicas_are_refused():
    variants = fg.ProceduralVariants(GAMES, INDEX)
    with pytest.raises(ValueError, match="replicas must be as many as the index of game has, 9"):
        fg.run(variants, fg.QLearner(), 1, replicas=8, rng=0)
    with pytest.raises(ValueError, match="num_envs must equal the length of the index of game, 9"):
        fg.VectorGame(variants, num_envs=8)


@pytest.mark.parametrize("use", [fg.tabulate, fg.jit.game])
def test_functions_for_one_game_refuse_variants(use):
    with pytest.raises(TypeError, match="game must be a ProceduralGame, got <ProceduralVa"):
        use(fg.ProceduralVariants(GAMES, INDEX))


def test_variants_of_tables_name_this_class():
    with pytest.raises(TypeError, match="ProceduralVariants holds procedural games"):
        fg.Variants(GAMES, INDEX)
