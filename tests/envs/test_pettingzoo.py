"""PettingZoo's environments: its own checks over every game, and the bits of `run`."""

import copy
import pickle
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import data_equivalence
from library.games import by_chance
from pettingzoo.test import (
    api_test,
    max_cycles_test,
    parallel_api_test,
    parallel_seed_test,
    render_test,
    seed_test,
)

import fastgames as fg
from fastgames.envs import AECGame, ParallelGame, aec_env, parallel_env
from fastgames.games.registry import about
from fastgames.registry import GAMES

# Its checks warn of observations that are numbers, as those of its own games of few states are.
numbers = pytest.mark.filterwarnings("ignore:Observation is not a NumPy array")
every_game = pytest.mark.parametrize("name", GAMES)


def its_checks(name, cycles):
    game = GAMES[name]()
    parallel, aec = partial(parallel_env, game), partial(aec_env, game)
    parallel_api_test(parallel(), cycles)
    api_test(aec(), cycles)
    seed_test(aec, cycles)
    parallel_seed_test(parallel, cycles)
    render_test(aec)
    if game.compact.turns is None and not about(name).ends:
        # It asks that all agents act in every cycle, and that no episode is over before.
        max_cycles_test(SimpleNamespace(parallel_env=parallel, env=aec))


@numbers
@every_game
def test_pettingzoo_checks_every_game(name, capsys):
    its_checks(name, 20 if name == "el_farol" else 100)


@numbers
@pytest.mark.slow
@every_game
def test_pettingzoo_checks_every_game_for_long(name, capsys):
    its_checks(name, 1000)


def some_actions(env, draw):
    """One of every agent whose turn it is, 0 of the others."""
    return {
        a: int(draw.integers(env.action_space(a).n)) if a in env.movers() else 0 for a in env.agents
    }


@every_game
def test_an_episode_is_truncated_after_max_cycles(name):
    env, cycles, draw = parallel_env(GAMES[name](), max_cycles=5), 0, np.random.default_rng(0)
    env.reset(seed=3)
    while env.agents:
        *_, terminated, truncated, _ = env.step(some_actions(env, draw))
        cycles += 1
    assert cycles <= 5
    assert all(terminated.values()) or (cycles == 5 and all(truncated.values()))


@every_game
def test_both_forms_play_the_same_game(name):
    """AEC: in each step of the game those who move act in order, then all are paid."""
    parallel, aec = (make(GAMES[name](), max_cycles=20) for make in (parallel_env, aec_env))
    draw = np.random.default_rng(1)
    observations, infos = parallel.reset(seed=11)
    aec.reset(seed=11)
    while parallel.agents:
        assert {a: aec.observe(a) for a in aec.agents} == observations
        assert data_equivalence(aec.infos, infos)
        assert np.array_equal(aec.state(), parallel.state())
        assert parallel.state() in parallel.state_space
        movers, actions = parallel.movers(), some_actions(parallel, draw)
        observations, rewards, terminated, truncated, infos = parallel.step(actions)
        for agent in movers:
            assert aec.agent_selection == agent
            aec.step(actions[agent])
        assert aec.rewards == rewards
        assert aec.terminations == terminated
        assert aec.truncations == truncated
    left = []
    for agent in aec.agent_iter():
        left.append(agent)
        aec.step(None)
    assert left == parallel.possible_agents
    assert not aec.agents


@pytest.mark.parametrize("name", [n for n in GAMES if isinstance(GAMES[n](), fg.MatrixGame)])
def test_agents_are_paid_what_the_table_says(name):
    game, draw = GAMES[name](), np.random.default_rng(2)
    env = parallel_env(game)
    env.reset()
    for _ in range(20):
        cell = [int(draw.integers(n)) for n in game.num_actions]
        rewards = env.step(dict(zip(env.agents, cell, strict=True)))[1]
        assert [rewards[f"agent_{i}"] for i in range(game.num_agents)] == [
            table[tuple(cell)] for table in game.payoffs
        ]


@pytest.mark.parametrize(
    "make", [by_chance, *(GAMES[n] for n in ("klein", "two_step", "coin_game", "traffic"))]
)
def test_episodes_are_those_of_a_run(make):
    """All play by a table; `reset` without a seed goes on with the random words of the run."""
    game, steps, draw = make(), 400, np.random.default_rng(4)
    plans = [
        draw.integers(0, a, o) for a, o in zip(game.num_actions, game.num_observations, strict=True)
    ]
    policies = [
        fg.FixedPolicy(np.eye(a)[plan]) for a, plan in zip(game.num_actions, plans, strict=True)
    ]
    result = fg.run(game, policies, steps=steps, rng=21, record=fg.Record(rewards=True))
    env, total, episodes = parallel_env(game), np.zeros(game.num_agents), 0
    observations, _ = env.reset(seed=21)
    for _ in range(steps):
        actions = {a: plan[observations[a]] for a, plan in zip(env.agents, plans, strict=True)}
        observations, rewards, *_ = env.step(actions)
        total += list(rewards.values())
        if not env.agents:
            episodes += 1
            observations, _ = env.reset()
    assert env.state().tolist() == result.states[0].reshape(-1).tolist()
    np.testing.assert_allclose(total / steps, result.mean_reward[0], rtol=1e-12, atol=1e-12)
    assert episodes > 0 or game.name == "sequential pricing"  # which has no end
    assert env.game_seed == 21


def test_seeds():
    def played(seed):
        env, draw, out = parallel_env("pursuit", max_cycles=50), np.random.default_rng(0), []
        env.reset(seed=seed)
        while env.agents:
            out.append(env.step(some_actions(env, draw))[:2])
        return out

    assert played(5) == played(5)
    assert played(5) != played(6)
    env = parallel_env("pursuit")
    env.reset(seed=5)
    starts = {tuple(env.reset()[0].values()) for _ in range(20)}
    assert len(starts) > 10


def test_who_does_not_move_is_told_so():
    env = parallel_env("klein")
    _, infos = env.reset(seed=0)
    mover = "agent_0"
    for _ in range(6):
        other = "agent_1" if mover == "agent_0" else "agent_0"
        assert infos[mover]["action_mask"].tolist() == [1] * 7
        assert infos[other]["action_mask"].tolist() == [1] + [0] * 6
        assert env.movers() == [mover]
        infos = env.step({mover: 3, other: 5})[4]
        mover = other
    counts_as_0 = parallel_env("klein")
    counts_as_0.reset(seed=0)
    for mover, other in [("agent_0", "agent_1"), ("agent_1", "agent_0")] * 3:
        counts_as_0.step({mover: 3, other: 0})
    assert counts_as_0.state() == env.state()


def test_one_after_the_other_where_agents_take_turns():
    env = aec_env("klein", max_cycles=6)
    env.reset(seed=0)
    acted = []
    for agent in env.agent_iter():
        *_, terminated, truncated, info = env.last()
        if terminated or truncated:
            env.step(None)
        else:
            assert info["action_mask"].all()
            acted.append(agent)
            env.step(2)
    assert acted == ["agent_0", "agent_1"] * 3
    assert not env.metadata["is_parallelizable"]


def test_a_state_in_which_nobody_moves_is_played_through():
    """States 0 and 2 move on by themselves and pay; in 1 both move; 3 is the end."""
    rewards = np.zeros((2, 4, 2, 2))
    rewards[:, 0] = [[[1.0]], [[2.0]]]
    rewards[:, 2] = [[[10.0]], [[20.0]]]
    following = np.array([1, 2, 3, 3])[:, None, None] * np.ones((4, 2, 2), int)
    turns = np.array([[False, True, False, True]] * 2)
    game = fg.MarkovGame(
        rewards, following, discount=0.9, terminal=[False, False, False, True], turns=turns
    )
    env = aec_env(game)
    env.reset()
    paid, acted = dict.fromkeys(env.possible_agents, 0.0), []
    for agent in env.agent_iter():
        _, reward, terminated, _, _ = env.last()
        paid[agent] += reward
        if not terminated:
            acted.append(agent)
        env.step(None if terminated else 1)
    assert acted == ["agent_0", "agent_1"]
    assert paid == {"agent_0": 11.0, "agent_1": 22.0}


def test_render(capsys):
    env = parallel_env("prisoners_dilemma", render_mode="ansi")
    env.reset()
    assert env.render() == "step 0 · state 0"
    env.step({"agent_0": 1, "agent_1": 0})
    assert env.render() == "step 1 · state 0 · agent_0 defect +5 · agent_1 cooperate +0"
    human = parallel_env("prisoners_dilemma", render_mode="human")
    human.reset()
    human.step({"agent_0": 1, "agent_1": 0})
    assert human.render() is None
    assert capsys.readouterr().out == f"step 0 · state 0\n{env.render()}\n"
    many = parallel_env("el_farol", render_mode="ansi")
    many.reset()
    many.step(dict.fromkeys(many.agents, 0))
    assert many.render().endswith("agent_7 stay +0 · … and 92 more")


def test_names_and_spaces():
    env = parallel_env("two_step")
    assert env.possible_agents == ["agent_0", "agent_1"]
    assert env.metadata["name"] == "two_step_v0"
    assert env.observation_space("agent_1").n == env.game.num_observations[1]
    assert env.action_space("agent_0").n == 2
    assert str(aec_env("prisoners_dilemma")) == "prisoner_s_dilemma_v0"
    assert isinstance(aec_env("two_step").unwrapped, AECGame)


def test_copies():
    env = parallel_env("grid_game", max_cycles=7, render_mode="ansi", dtype="float32")
    for other in (pickle.loads(pickle.dumps(env)), copy.deepcopy(env)):
        assert isinstance(other, ParallelGame)
        assert (other.game, other.max_cycles, other.render_mode) == (env.game, 7, "ansi")
        assert data_equivalence(other.reset(seed=1), env.reset(seed=1))


@pytest.mark.parametrize(
    ("actions", "error", "message"),
    [
        ({"agent_0": 0}, ValueError, "got {'agent_0': 0} without 'agent_1'"),
        ({"agent_0": 0, "agent_1": 0.5}, TypeError, "got 0.5 for 'agent_1'"),
        ({"agent_0": 0, "agent_1": 2}, ValueError, r"agent 1 must be in \[0, 2\), got 2"),
        ({"agent_0": -1, "agent_1": 0}, ValueError, r"agent 0 must be in \[0, 2\), got -1"),
        ({"agent_0": 2**80, "agent_1": 0}, TypeError, r"got 12089\d+ for 'agent_0'"),
        ([0, 0], TypeError, r"must be a dict .*, got \[0, 0\]"),
    ],
)
def test_bad_actions(actions, error, message):
    env = parallel_env("matching_pennies")
    env.reset()
    with pytest.raises(error, match=message):
        env.step(actions)


def test_bad_actions_one_after_the_other():
    env = aec_env("matching_pennies")
    env.reset()
    for action in (2, -1, None, 1.5, "a", np.zeros(2)):
        with pytest.raises((ValueError, TypeError), match=r"action of 'agent_0' .* in \[0, 1\]"):
            env.step(action)
        assert env.agent_selection == "agent_0"
    env.step(0)  # and the game goes on
    env.step(1)
    assert env.rewards == {"agent_0": -1.0, "agent_1": 1.0}


def test_an_episode_must_have_begun():
    env = parallel_env("matching_pennies", max_cycles=1)
    with pytest.raises(ResetNeeded):
        env.step({"agent_0": 0, "agent_1": 0})
    env.reset()
    env.step({"agent_0": 0, "agent_1": 0})
    with pytest.raises(ResetNeeded):
        env.step({"agent_0": 0, "agent_1": 0})


@pytest.mark.parametrize("make", [parallel_env, aec_env])
@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"game": "pennies"}, ValueError, "name must be one of"),
        ({"game": 3}, TypeError, "game must be"),
        ({"max_cycles": 0}, ValueError, "max_cycles must be"),
        ({"max_cycles": 1.5}, TypeError, "max_cycles must be"),
        ({"render_mode": "rgb"}, ValueError, "render_mode must be"),
        ({"dtype": "float16"}, ValueError, "dtype must be"),
    ],
)
def test_bad_arguments(make, arguments, error, message):
    with pytest.raises(error, match=message):
        make(**{"game": "chicken", **arguments})


@pytest.mark.parametrize(
    ("seed", "error"), [(-1, ValueError), (2**64, ValueError), (0.5, TypeError)]
)
def test_bad_seeds(seed, error):
    with pytest.raises(error, match="seed must be a whole number"):
        parallel_env("chicken").reset(seed=seed)
