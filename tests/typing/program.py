"""A program as users write it, with types: mypy, pyright and Python must all accept it."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, assert_type

import numpy as np

import fastgames as fg
from fastgames import analysis, jit
from fastgames.games import Game, MarketGame
from fastgames.learners import RuleLearner
from fastgames.rules.chance import happens
from fastgames.rules.choice import argmax, explore, largest
from fastgames.rules.outcome import Outcome


def draw(u: int, p: Any, actions: int, real: Any) -> int:
    signal = explore(u, p[2], actions, real)
    assert_type(signal, int)
    return signal


def choose(tables: tuple[np.ndarray, ...], p: Any, o: int, signal: int) -> int:
    best = argmax(tables[0][o])
    assert_type(best, int)
    return best if signal < 0 else int(signal)


def learn(tables: tuple[np.ndarray, ...], p: Any, t: Outcome) -> None:
    q = tables[0]
    best = q.dtype.type(0.0) if t.ended else largest(q[t.next_observation])
    error = t.gain + t.weight * best - q[t.observation, t.action]
    q[t.observation, t.action] += q.dtype.type(p[0]) * error


def start(state: np.ndarray, words: np.ndarray) -> None:
    state[0] = 0


def step(state: np.ndarray, actions: np.ndarray, rewards: np.ndarray, words: np.ndarray) -> bool:
    chance = happens(words[0], 0.6)
    assert_type(chance, bool)
    state[0] = min(state[0] + chance, 9)
    rewards[0] = rewards[1] = -state[0]
    return False


def observe(state: np.ndarray, agent: int) -> int:
    return int(state[0])


def learners() -> Sequence[RuleLearner]:
    """One of each: all of them are what `fg.run` takes."""
    return [
        fg.QLearner(alpha=0.1, explore=fg.EpsilonGreedy(fg.Exponential(1.0, 1e-3))),
        fg.Sarsa(explore=fg.Softmax(fg.Linear(1.0, 0.1, 100))),
        fg.ExpectedSarsa(),
        fg.FixedPolicy([0.5, 0.5]),
        fg.HystereticQ(),
        fg.LenientQ(),
        fg.PHC(),
        fg.WoLFPHC(),
        fg.RegretMatching(),
        fg.Hedge(),
        fg.Exp3(low=-1.0),
        fg.FictitiousPlay(),
        fg.MinimaxQ(),
        fg.VDN(),
        fg.QMIX(),
        fg.COMA(),
        fg.Reinforce(),
        fg.ActorCritic(),
        fg.IPPO(),
        fg.MAPPO(shared=True),
        fg.GRPO(),
        fg.JointActionLearner(),
        fg.LOLA(),
        fg.SampledLOLA(rollouts=2, horizon=3),
        fg.SelfPlay(fg.Sarsa(), pool=3),
        fg.MADDPG(),
        fg.Learner(choose, learn, {"alpha": 0.1, "gamma": None, "epsilon": 0.1}, draw=draw),
    ]


def games() -> list[Game]:
    """One of each kind."""
    pennies = fg.games.matching_pennies()
    assert_type(pennies, fg.MatrixGame)
    stage = fg.games.logit_bertrand()
    assert_type(stage.nash, fg.games.Benchmark)
    market: MarketGame = stage
    return [
        pennies,
        market,
        fg.remember(fg.games.prisoners_dilemma(), periods=1, discount=0.9),
        fg.remember(fg.games.prisoners_dilemma(), periods=(1, 0)),
        fg.tabulate(fg.games.soccer()),
        fg.ProceduralGame(
            start, step, observe, num_actions=(2, 2), num_observations=(10, 10), words=1
        ),
        fg.Variants([fg.games.penalty(k=-10), fg.games.penalty(k=-20)], [0, 1]),
    ]


def results() -> None:
    """Check the types of a result."""
    game = fg.games.matching_pennies()
    record = fg.Record(every=10, greedy=True, flips=True, rewards=True, joint_actions=True)
    result = fg.run(game, fg.QLearner(), steps=100, replicas=3, rng=7, record=record)
    assert_type(result, fg.Result)
    assert_type(result.tables, list[dict[str, np.ndarray]])
    assert_type(result.greedy(0), np.ndarray)
    assert_type(result.policy(0), np.ndarray)
    assert_type(result.steps, np.ndarray)
    assert_type(result.flips, np.ndarray | None)
    assert_type(result.mean_reward, np.ndarray | None)
    assert_type(result.regret, np.ndarray | None)
    assert_type(result.action_visits, list[np.ndarray] | None)
    assert_type(result.episodes, np.ndarray | None)
    assert result.path is None
    assert_type(result.seed, int | None)
    assert_type(result.learners, tuple[RuleLearner, ...])
    assert result.snapshots is not None
    assert_type(result.snapshots.steps, np.ndarray)
    policy = result.agent(0)
    assert_type(policy, fg.Policy)
    with TemporaryDirectory() as folder:
        result.save(Path(folder, "result.zip"))
        assert_type(fg.load(Path(folder, "result.zip")), fg.Result)
    again = fg.run(game, [fg.QLearner(), fg.Hedge()], steps=10, stop=fg.Stable(5))
    assert_type(again.stopped, np.ndarray)
    sweep = fg.grid(alpha=[0.1, 0.2], repeats=2)
    assert_type(sweep, fg.Grid)
    fg.run(game, fg.QLearner(alpha=sweep.alpha), steps=10, replicas=sweep)
    dilemma = fg.remember(fg.games.prisoners_dilemma(), periods=1, discount=0.9)
    cycle = analysis.limit_cycle(fg.run(dilemma, fg.QLearner(), steps=10, rng=1))
    assert_type(cycle, analysis.LimitCycle)
    limits = analysis.limit_distribution(dilemma, [[[0] * 4]] * 2, start=0)
    assert_type(limits, analysis.LimitDistribution)
    assert_type(cycle.length, np.ndarray)


def elsewhere() -> None:
    """Learners and games in other code."""
    game = fg.games.matching_pennies()
    envs = fg.VectorGame(game, num_envs=4, rng=7)
    assert_type(envs.seed, int)
    for array in envs.step(np.zeros((2, 4), np.int32)):
        assert_type(array, np.ndarray)
    words = fg.Streams(7, replicas=4, role=0).words()
    assert_type(words, np.ndarray)
    mine = jit.rules(fg.QLearner(), game)
    assert_type(mine, jit.LearnerRules)
    assert_type(mine.p, tuple[float, ...])
    assert_type(jit.choice.argmax(np.array([1.0, 2.0])), int)
    assert_type(jit.streams.next_word(np.arange(4, dtype=np.uint32)), int)
    assert_type(fg.get_include(), str)
    assert_type(fg.isa, str)


def errors() -> None:
    """Check the types of errors."""
    try:
        fg.run(fg.games.matching_pennies(), fg.QLearner(), steps=10)
    except fg.RuleError as error:
        assert_type(error.function, str)
        assert_type(error.replica, int)
        assert_type(error.step, int)
    except fg.Interrupted as error:
        whole: fg.Result = error.result  # None in a run with executor if nothing was finished
        assert_type(whole.steps, np.ndarray)


if __name__ == "__main__":
    everyones = fg.MatrixGame([[[0.0, 1.0], [-1.0, 0.0]], [[0.0, -1.0], [1.0, 0.0]]])
    for learner in learners():
        assert_type(learner.learns, bool)
        assert_type(learner.least_steps, int)
        fg.run(everyones, learner, learner.least_steps, backend="reference")
    for played in games():
        assert_type(played.num_actions, tuple[int, ...])
        fg.run(played, fg.QLearner(), 1, 2, backend="reference")
    results()
    elsewhere()
    errors()
