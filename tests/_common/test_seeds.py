"""The values that `rng` accepts, and the seed of each."""

import numpy as np
import pytest
from library.equal import assert_same

import fastgames as fg

PENNIES = fg.games.matching_pennies()


def run(rng, **more):
    return fg.run(PENNIES, fg.QLearner(), steps=20, replicas=2, rng=rng, **more)


@pytest.mark.parametrize("seed", [0, 1, 2**32, 2**64 - 1, np.int64(5), np.uint64(2**64 - 1)])
def test_a_whole_number_is_the_seed(seed):
    assert run(seed).seed == int(seed)


def test_a_seed_sequence_gives_its_first_64_bit_word():
    expected = int(np.random.SeedSequence(42).generate_state(1, np.uint64)[0])
    assert run(np.random.SeedSequence(42)).seed == expected


def test_a_generator_gives_one_64_bit_integer_and_goes_on():
    expected = np.random.default_rng(42).integers(2**64, dtype=np.uint64, size=2)
    generator = np.random.default_rng(42)
    assert [run(generator).seed, run(generator).seed] == expected.tolist()


def test_none_gives_a_fresh_seed_that_reproduces_the_run():
    one, other = run(None), run(None)
    assert one.seed != other.seed
    assert 0 <= one.seed < 2**64
    assert_same(one, run(one.seed))


def test_a_seed_above_32_bits_is_not_the_seed_below():
    assert (run(2**32 + 5).state.streams != run(5).state.streams).any(axis=-1).all()


def test_under_the_numpy_stream_the_seed_is_known_where_there_is_one_number():
    numpy = {"steps": 5, "stream": "numpy"}
    assert fg.run(PENNIES, fg.QLearner(), rng=7, **numpy).seed == 7
    assert fg.run(PENNIES, fg.QLearner(), rng=np.random.default_rng(7), **numpy).seed is None
    assert fg.run(PENNIES, fg.QLearner(), rng=np.random.SeedSequence(7), **numpy).seed is None
    unnamed = fg.run(PENNIES, fg.QLearner(), **numpy)
    again = fg.run(PENNIES, fg.QLearner(), rng=unnamed.seed, **numpy)
    assert (unnamed.tables[0]["q"] == again.tables[0]["q"]).all()
