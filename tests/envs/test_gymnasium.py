"""Gymnasium's environments: its own checks over every game, and the bits of `run`."""

import copy
import pickle

import gymnasium
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env, data_equivalence
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers.vector import RecordEpisodeStatistics
from library.games import by_chance

import fastgames as fg
from fastgames.envs import GameEnv, GameVectorEnv
from fastgames.registry import GAMES

every_game = pytest.mark.parametrize("name", GAMES)


def env_id(name):
    return f"fastgames/{name.title().replace('_', '')}-v0"


@every_game
@pytest.mark.parametrize("arguments", [{}, {"agent": 1, "others": fg.QLearner()}], ids=str)
def test_gymnasium_checks_every_game(name, arguments, capsys):
    if arguments and GAMES[name]().num_agents == 1:
        arguments = {"others": fg.QLearner()}  # there are none
    check_env(gymnasium.make(env_id(name), **arguments).unwrapped)


@every_game
def test_every_game_is_registered_as_a_vector_too(name):
    envs = gymnasium.make_vec(env_id(name), num_envs=3)
    assert isinstance(envs, GameVectorEnv)
    assert envs.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    envs.action_space.seed(0)
    observations, _ = envs.reset(seed=1)
    for _ in range(30):
        assert observations in envs.observation_space
        observations, rewards, terminated, truncated, infos = envs.step(envs.action_space.sample())
        assert rewards.shape == terminated.shape == truncated.shape == (3,)
        assert ("final_obs" in infos) == (terminated | truncated).any()
    envs.close()


def test_a_game_of_ones_own_and_a_time_limit():
    env = gymnasium.make("fastgames/Penalty-v0", game=fg.games.penalty(k=-7), max_episode_steps=2)
    env.reset(seed=0)
    assert not env.step(0)[3]
    assert env.step(0)[3]
    assert env.unwrapped.game.payoffs.min() == -7.0


OTHERS = {
    "q": fg.QLearner(alpha=0.1),
    "sarsa": fg.Sarsa(explore=fg.Softmax(0.5)),
    "phc": fg.PHC(),
    "fixed": None,
}
LIKE_RUN = [
    (make, agent, other)
    for make in (fg.games.matching_pennies, fg.games.klein, by_chance, fg.games.coin_game)
    for agent, other in ((0, "q"), (1, "sarsa"), (0, "phc"), (1, "fixed"))
]


def run_beside(make, agent, other, steps, replicas):
    """A plan for the agent, and the run in which it plays by it."""
    game, draw = make(), np.random.default_rng(4)
    plan = draw.integers(0, game.num_actions[agent], game.num_observations[agent])
    rival = OTHERS[other] or fg.FixedPolicy(
        draw.dirichlet(np.ones(game.num_actions[1 - agent]), game.num_observations[1 - agent])
    )
    seats = [rival, rival]
    seats[agent] = fg.FixedPolicy(np.eye(game.num_actions[agent])[plan])
    record = fg.Record(rewards=True)
    result = fg.run(game, seats, steps=steps, replicas=replicas, rng=21, record=record)
    return game, plan, rival, result


def assert_same_tables(mine, theirs):
    assert mine.keys() == theirs.keys()
    for name, table in mine.items():
        assert table.tobytes() == theirs[name].tobytes()


@pytest.mark.parametrize(("make", "agent", "other"), LIKE_RUN)
def test_one_environment_has_the_bits_of_a_run(make, agent, other):
    game, plan, rival, result = run_beside(make, agent, other, steps=310, replicas=1)
    env, total = GameEnv(game, agent, rival), 0.0
    seen, _ = env.reset(seed=21)
    for _ in range(310):
        seen, reward, terminated, truncated, _ = env.step(plan[seen])
        total += reward
        if terminated or truncated:
            seen, _ = env.reset()
    rivals = {name: table[0] for name, table in result.tables[1 - agent].items()}
    assert_same_tables(env.tables(1 - agent), rivals)
    assert np.array_equal(env.policy(1 - agent), result.policy(1 - agent)[0])
    assert total / 310 == pytest.approx(result.mean_reward[0, agent], rel=1e-12)
    assert env.game_seed == 21


@pytest.mark.parametrize(("make", "agent", "other"), LIKE_RUN)
def test_many_environments_have_the_bits_of_a_run(make, agent, other):
    game, plan, rival, result = run_beside(make, agent, other, steps=160, replicas=19)
    envs, total = GameVectorEnv(game, 19, agent, rival), np.zeros(19)
    seen, _ = envs.reset(seed=21)
    for _ in range(160):
        seen, rewards, *_ = envs.step(plan[seen])
        total += rewards
    assert_same_tables(envs.tables(1 - agent), result.tables[1 - agent])
    assert np.array_equal(envs.policy(1 - agent), result.policy(1 - agent))
    np.testing.assert_allclose(total / 160, result.mean_reward[:, agent], rtol=1e-12, atol=1e-12)
    assert envs.game_seed == 21


def turns_with_an_end():
    """Agents move in turn through states 0 to 2, and from state 3 on the episode is over."""
    rewards = np.arange(2 * 4 * 2 * 2, dtype=float).reshape(2, 4, 2, 2)
    following = np.minimum(np.arange(4)[:, None, None] + 1, 3) * np.ones((4, 2, 2), int)
    following[1, :, 1] = 0
    turns, terminal = [0, 1, 0, -1], [False, False, False, True]
    return fg.MarkovGame(
        rewards, following, discount=0.9, terminal=terminal, turns=turns, time_limit=4
    )


@pytest.mark.parametrize("make", [fg.games.two_step, turns_with_an_end])
@pytest.mark.parametrize("agent", [0, 1])
def test_like_gymnasiums_own_vector_of_environments(make, agent):
    """Neither game nor other leaves anything to chance, so all that is said must be equal."""
    game = make()
    other = np.eye(2)[np.arange(game.num_observations[1 - agent]) % 2]
    ours = GameVectorEnv(game, 4, agent, other)
    theirs = SyncVectorEnv(
        [lambda: GameEnv(game, agent, other)] * 4, autoreset_mode=AutoresetMode.SAME_STEP
    )
    assert ours.observation_space == theirs.observation_space
    assert ours.action_space == theirs.action_space
    assert data_equivalence(ours.reset(seed=3), theirs.reset(seed=3), exact=True)
    draw, ends = np.random.default_rng(0), 0
    for _ in range(40):
        actions = draw.integers(0, 2, 4)
        mine, other_ones = ours.step(actions), theirs.step(actions)
        assert data_equivalence(mine, other_ones, exact=True)
        ends += "final_obs" in mine[-1]
    assert ends > 5


def test_its_wrappers_take_the_vector():
    """As they take its own: what they make of episodes differs between its versions."""
    other = np.array([1.0, 0.0])
    ours = RecordEpisodeStatistics(GameVectorEnv("two_step", 3, others=other))
    single = [lambda: GameEnv("two_step", others=other)] * 3
    theirs = RecordEpisodeStatistics(SyncVectorEnv(single, autoreset_mode=AutoresetMode.SAME_STEP))
    for envs in (ours, theirs):
        envs.reset(seed=0)
    for _ in range(6):
        (*mine, infos), (*expected, said) = (e.step(np.zeros(3, int)) for e in (ours, theirs))
        assert data_equivalence(mine, expected, exact=True)
        assert infos.keys() == said.keys()
        if "episode" in infos:
            assert all(np.array_equal(infos["episode"][key], said["episode"][key]) for key in "rl")


def test_a_mask_resets_some_environments():
    """Those become environments whose episode begins now; the others go on."""
    game = fg.games.random_markov_game(2, 9, (2, 2), rng=1, start="random", terminal=1)
    ours, alone = (GameVectorEnv(game, 50, render_mode="ansi") for _ in range(2))
    core = fg.VectorGame(game, 50, 3, [None, fg.FixedPolicy([0.5, 0.5])])
    for envs in (ours, alone):
        envs.reset(seed=3)
    mask, actions = np.arange(50) % 3 == 0, np.zeros(50, int)
    options = {"reset_mask": mask}
    for _ in range(4):
        ours.step(actions), core.step(actions)
        others = alone.step(actions)[0][~mask]
        observations, infos = ours.reset(options=options)
        assert observations.tolist() == core.reset(mask=mask)[0].tolist()
        assert (observations[~mask] == others).all() and infos == {}
    assert options == {"reset_mask": mask}
    after = [text.split(" ")[1] for text in ours.render()]
    assert all(number == "0" for number in np.array(after)[mask])
    assert np.array_equal(np.array(ours.render())[~mask], np.array(alone.render())[~mask])


def test_a_mask_passes_through_a_wrapper():
    envs = RecordEpisodeStatistics(GameVectorEnv("klein", 3))
    envs.reset(seed=0)
    for _ in range(2):
        envs.step(np.zeros(3, int))
    _, infos = envs.reset(options={"reset_mask": np.array([False, True, False])})
    assert envs.episode_lengths.tolist() == [2, 0, 2]
    assert infos["action_mask"].shape == (3, 7) and infos["_action_mask"].all()


def test_arrays_are_new_at_every_step():
    envs = GameVectorEnv("coordination", 2, others=np.array([1.0, 0.0]))
    envs.reset(seed=0)
    kept = envs.step(np.array([0, 0]))
    envs.step(np.array([1, 1]))
    assert kept[1].tolist() == [1.0, 1.0]


def test_a_seed_begins_anew_and_no_seed_goes_on():
    env = GameEnv("prisoners_dilemma", others=fg.QLearner(alpha=0.5))
    env.reset(seed=1)
    for _ in range(20):
        env.step(1)
    learnt = env.tables(1)["q"]
    assert learnt.any()
    env.reset()
    assert np.array_equal(env.tables(1)["q"], learnt)
    env.reset(seed=1)
    assert not env.tables(1)["q"].any()


def test_who_the_others_are():
    """In `jordan` agent 0 is paid 1 where it does what agent 1 does, else -1."""
    result = fg.run(fg.games.jordan(), fg.FixedPolicy([0.0, 1.0]), steps=1, rng=0)
    tails, heads = result.agent(1), [1.0, 0.0]

    def paid(others):
        env = GameEnv("jordan", others=others)
        env.reset(seed=0)
        return {env.step(1)[1] for _ in range(50)}

    assert paid(tails) == paid(np.array([0.0, 1.0])) == paid([tails, heads]) == {1.0}
    assert paid((heads, fg.QLearner())) == {-1.0}
    assert paid(None) == {1.0, -1.0}
    team = GameEnv("public_goods", agent=2, others=fg.VDN())
    assert team.policy(0).shape == team.policy(3).shape == (1, 2)


def test_policies_of_many_environments():
    own = np.eye(2)[[0, 1, 0]][:, None]
    envs = GameVectorEnv("matching_pennies", 3, others=own)
    envs.reset()
    assert envs.step(np.zeros(3, int))[1].tolist() == [1.0, -1.0, 1.0]


def test_whose_turn_it_is():
    env = GameEnv("klein", agent=1)
    _, info = env.reset(seed=0)
    for step in range(4):
        assert info["action_mask"].sum() == (7 if step % 2 else 1)
        assert info["action_mask"][0] == 1
        *_, info = env.step(6)


def test_render(capsys):
    arguments = {"game": "prisoners_dilemma", "agent": 1, "others": [[1.0, 0.0]]}
    env = GameEnv(**arguments, render_mode="ansi")
    env.reset()
    assert env.render() == "step 0 · state 0"
    env.step(1)
    assert env.render() == "step 1 · state 0 · agent_1 defect +5"
    human = GameEnv(**arguments, render_mode="human")
    human.reset()
    human.step(1)
    assert human.render() is None
    assert capsys.readouterr().out == f"step 0 · state 0\n{env.render()}\n"


def test_copies():
    env = GameEnv("klein", 1, fg.QLearner(alpha=0.3), dtype="float32")
    for other in (pickle.loads(pickle.dumps(env)), copy.deepcopy(env)):
        assert (other.agent, other.game) == (1, env.game)
        assert other.tables(0)["q"].dtype == np.float32
        assert data_equivalence(other.reset(seed=1), env.reset(seed=1))


@pytest.mark.parametrize(
    ("action", "error", "message"),
    [
        (2, ValueError, r"must be in \[0, 2\), got 2"),
        (-1, ValueError, r"must be in \[0, 2\), got -1"),
        (0.5, TypeError, r"action must be a whole number in \[0, 2\), got 0.5"),
        (None, TypeError, r"action must be a whole number in \[0, 2\), got None"),
        (2**80, TypeError, r"action must be a whole number in \[0, 2\)"),
    ],
)
def test_bad_actions(action, error, message):
    env = GameEnv("chicken")
    env.reset()
    with pytest.raises(error, match=message):
        env.step(action)


@pytest.mark.parametrize(
    ("actions", "error"),
    [([0, 1], ValueError), ([0, 1, 2], ValueError), ([0, 1, 0.5], TypeError), (0, ValueError)],
)
def test_bad_actions_of_many(actions, error):
    with pytest.raises(error, match="actions"):
        GameVectorEnv("chicken", 3).step(actions)


def test_an_episode_must_have_begun():
    env = GameEnv("two_step")
    with pytest.raises(ResetNeeded):
        env.step(0)
    env.reset()
    env.step(0)
    env.step(0)
    with pytest.raises(ResetNeeded):
        env.step(0)


@pytest.mark.parametrize("make", [GameEnv, GameVectorEnv])
@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"game": "pennies"}, ValueError, "name must be one of"),
        ({"game": 3}, TypeError, "game must be"),
        ({"agent": 2}, ValueError, r"agent must be a whole number in \[0, 1\], got 2"),
        ({"others": "random"}, TypeError, "others must be learners or policies, got 'random'"),
        ({"others": np.array([0.5, 0.6])}, ValueError, "others must be learners or policies"),
        ({"others": []}, ValueError, "others must have one entry for each other agent, 1, got 0"),
        ({"others": np.array([0.5, 0.25, 0.25])}, ValueError, "probabilities"),
        ({"dtype": "float16"}, ValueError, "dtype must be"),
    ],
)
def test_bad_arguments(make, arguments, error, message):
    with pytest.raises(error, match=message):
        make(**{"game": "chicken", **arguments})


def test_other_bad_arguments():
    with pytest.raises(ValueError, match="render_mode must be"):
        GameEnv("chicken", render_mode="rgb")
    with pytest.raises(ValueError, match="num_envs must be"):
        GameVectorEnv("chicken", 0)
    with pytest.raises(ValueError, match="seed must be None with 'reset_mask', got 7"):
        GameVectorEnv("chicken", 2).reset(seed=7, options={"reset_mask": np.ones(2, np.bool_)})
    with pytest.raises(TypeError, match="mask must be an array of bool"):
        GameVectorEnv("chicken", 2).reset(options={"reset_mask": np.ones(2)})
    for env in (GameEnv("chicken"), GameVectorEnv("chicken", 2)):
        with pytest.raises(ValueError, match="seed must be a whole number"):
            env.reset(seed=-1)
