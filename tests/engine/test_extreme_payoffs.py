"""Payoffs near the ends of float32 and float64 make no warnings, and the same bits everywhere."""

import warnings

import numpy as np
import pytest
from library.equal import assert_same

import fastgames as fg

LARGEST = {"float32": 1e37, "float64": 1e306}  # 6 times that is accepted
RECORD = fg.Record(every=10, tables=("q",), greedy=True, policies=True, rewards=True)
SOFTMAX = [fg.QLearner, fg.Sarsa, fg.ExpectedSarsa, fg.HystereticQ, fg.LenientQ, fg.VDN]


def run(learner, dtype, **more):
    game = fg.MatrixGame(fg.games.chicken().payoffs * LARGEST[dtype])
    return fg.run(game, learner, 30, replicas=3, rng=1, dtype=dtype, record=RECORD, **more)


@pytest.mark.parametrize("dtype", LARGEST)
@pytest.mark.parametrize("temperature", [1e-30, 0.1, 1e30])
@pytest.mark.parametrize("make", SOFTMAX)
def test_policies_are_probabilities_without_a_warning(make, temperature, dtype):
    with warnings.catch_warnings(), np.errstate(all="raise"):
        warnings.simplefilter("error")
        learner = make(explore=fg.Softmax(temperature))
        result = run(learner, dtype, backend="reference")
        for i in range(2):
            policy = result.policy(i)
            assert (policy >= 0.0).all()
            np.testing.assert_allclose(policy.sum(axis=-1), 1.0, rtol=1e-12)
            # Values this far apart leave nothing but the best of them.
            q = result.tables[i]["q"]
            apart = q.max(axis=-1) - q.min(axis=-1) > 1000 * temperature
            assert (policy.max(axis=-1)[apart] == 1.0).all()
            assert apart.any()


@pytest.mark.parametrize("dtype", LARGEST)
def test_the_reference_has_the_bits_of_the_compiled_kernel(dtype):
    learner = fg.QLearner(explore=fg.Softmax(0.1))
    assert_same(run(learner, dtype), run(learner, dtype, backend="reference"))
