"""Limit cycles and profit gains, against simulation and what is known of repeated dilemmas."""

import numpy as np
import pytest
from library.frozen import CERTAIN, GAMES, Slow, some_policies
from published import CALVANO

from fastgames.analysis import limit_cycle, profit_gain
from fastgames.games import MarkovGame, MatrixGame, Variants, random_markov_game, remember

DILEMMA = remember(MatrixGame([[[3, 0], [5, 1]], [[3, 5], [0, 1]]], name="dilemma"))
TIT_FOR_TAT = [[[0, 1, 0, 1]], [[0, 0, 1, 1]]]  # states CC, CD, DC, DD


def rows(cycle, r):
    return slice(cycle.offsets[r], cycle.offsets[r + 1])


@pytest.mark.parametrize("certain", CERTAIN)
def test_cycles_are_those_of_simulated_play(certain):
    game = GAMES[certain]
    for seed in range(4):
        greedy = some_policies(game, seed)
        live = Slow(game, greedy, 0).live
        start = np.random.default_rng(seed).choice(live, len(greedy[0]))
        cycle = limit_cycle(game, greedy, start=start, threads=1 + seed % 2)
        assert cycle.offsets[0] == 0
        assert (np.diff(cycle.offsets) == cycle.length).all()
        for r, state in enumerate(start):
            plain = Slow(game, greedy, r)
            expected = [s for s, _ in plain.cycle(state)]
            found = cycle.states[rows(cycle, r)].tolist()
            if plain.time_limit:  # it may begin anywhere on the cycle
                turned = [expected[k:] + expected[:k] for k in range(len(expected))]
                assert found in turned
                assert found[0] == plain.start
            else:
                assert found == expected
            assert cycle.actions[rows(cycle, r)].tolist() == [list(plain.played[s]) for s in found]
            for i in range(game.num_agents):
                mean = np.mean([plain.rewards[i][s][plain.played[s]] for s in expected])
                assert cycle.rewards[r, i] == pytest.approx(mean, abs=1e-14)


def test_some_cycles_are_long():
    """So that the test above means something."""
    game = GAMES["plain"]
    lengths = [limit_cycle(game, some_policies(game, seed)).length for seed in range(4)]
    assert set(np.concatenate(lengths)) >= {1, 2, 3}


@pytest.mark.parametrize(
    ("start", "states", "rewards"),
    [(0, [0], [3, 3]), (3, [3], [1, 1]), (1, [1, 2], [2.5, 2.5]), (2, [2, 1], [2.5, 2.5])],
)
def test_tit_for_tat(start, states, rewards):
    cycle = limit_cycle(DILEMMA, TIT_FOR_TAT, start=start)
    assert cycle.states.tolist() == states
    assert cycle.length.tolist() == [len(states)]
    assert cycle.rewards.tolist() == [rewards]


def test_grim_trigger_and_defection_end_where_they_should():
    grim = [[0, 1, 1, 1]]
    assert limit_cycle(DILEMMA, [grim, grim], start=1).states.tolist() == [3]
    assert limit_cycle(DILEMMA, [grim, grim]).states.tolist() == [0]  # the game's start
    cycle = limit_cycle(DILEMMA, [grim, [[1, 1, 1, 1]]], start=0)
    assert cycle.states.tolist() == [3]
    assert cycle.rewards.tolist() == [[1, 1]]
    cycle = limit_cycle(DILEMMA, [[[0] * 4], [[1] * 4]], start=0)
    assert cycle.rewards.tolist() == [[0, 5]]


def test_moves_by_turns():
    """Whose turn it is alternates; who does not move plays action 0, whatever its policy says."""
    moves = [[[1, 1], [1, 1]], [[0, 0], [0, 0]]]
    rewards = [[[[1, 2], [3, 4]]] * 2] * 2
    game = MarkovGame(rewards, moves, turns=[0, 1])
    cycle = limit_cycle(game, [[[1, 1]], [[1, 1]]])
    assert cycle.states.tolist() == [0, 1]
    assert cycle.actions.tolist() == [[1, 0], [0, 1]]
    assert cycle.rewards.tolist() == [[2.5, 2.5]]


def test_episodes_go_on_from_the_start():
    """0 → 1 → 2 = terminal: the cycle is 0, 1, from wherever play begins; 3 stays where it is."""
    moves = np.array([1, 2, 2, 3]).reshape(4, 1, 1)
    rewards = np.arange(8.0).reshape(2, 4, 1, 1)
    game = MarkovGame(rewards, moves, start=0, terminal=[False, False, True, False])
    cycle = limit_cycle(game, np.zeros((2, 3, 4), int), start=[0, 1, 3])
    assert cycle.length.tolist() == [2, 2, 1]
    assert cycle.states.tolist() == [0, 1, 1, 0, 3]
    assert cycle.rewards.tolist() == [[0.5, 4.5], [0.5, 4.5], [3, 7]]
    game = MarkovGame(rewards, moves, start=0, terminal=[False, False, True, False], time_limit=1)
    assert limit_cycle(game, np.zeros((2, 1, 4), int), start=3).states.tolist() == [0]
    game = MarkovGame(rewards, moves, start=3, time_limit=5)
    cycle = limit_cycle(game, np.zeros((2, 1, 4), int), start=0)
    assert cycle.states.tolist() == [3] * 5
    assert cycle.rewards.tolist() == [[3, 7]]


def test_probabilities_of_0_and_1_are_certain():
    certain = GAMES["plain"]
    dense = MarkovGame(certain.rewards, np.eye(7)[certain.transitions], start=certain.start)
    greedy = some_policies(certain, 1)
    assert (
        limit_cycle(dense, greedy).states.tolist() == limit_cycle(certain, greedy).states.tolist()
    )


def test_threads_make_no_difference():
    game = GAMES["all"]
    greedy = some_policies(game, 3, 200)
    one, four = (limit_cycle(game, greedy, start=game.start, threads=t) for t in (1, 4))
    for name, array in vars(one).items():
        assert array.tobytes() == getattr(four, name).tobytes()


# Profit gain

# Profits in the duopoly of Calvano et al. (2020)
NASH, MONOPOLY = (CALVANO[f"profit at the {name} price"] for name in ("Nash", "monopoly"))


def test_profit_gain_is_0_at_nash_and_1_at_monopoly():
    gain = profit_gain([[NASH, NASH], [MONOPOLY, MONOPOLY], [0.3, 0.3]], NASH, MONOPOLY)
    assert gain.tolist() == pytest.approx([0, 1, (0.3 - NASH) / (MONOPOLY - NASH)], abs=1e-15)


def test_profit_gain_of_firms_that_differ():
    """The means first: (5 - 2) / (8 - 2); and 1/2 and 4/8 of their own."""
    profits, nash, monopoly = [[2, 8]], [1, 3], [3, 13]
    assert profit_gain(profits, nash, monopoly).tolist() == [0.5]
    assert profit_gain([[3, 3]], nash, monopoly).tolist() == pytest.approx([1 / 6])
    assert profit_gain([[3, 3]], nash, monopoly, per_agent=True).tolist() == [[1, 0]]
    # one of them earns less in monopoly: Delta is defined, its own gain is not
    assert profit_gain(profits, [1, 3], [0, 15]).tolist() == pytest.approx([3 / 5.5])
    with pytest.raises(ValueError, match=r"monopoly must be greater than nash, got 0.0 and 1"):
        profit_gain(profits, [1, 3], [0, 15], per_agent=True)


def test_profit_gain_of_variants():
    gain = profit_gain([[2, 2], [2, 2]], nash=[[1, 1], [0, 0]], monopoly=[[3, 3], [8, 8]])
    assert gain.tolist() == [0.5, 0.25]


def test_profit_gain_of_a_cycle():
    cycle = limit_cycle(DILEMMA, TIT_FOR_TAT, start=1)
    assert profit_gain(cycle, 1, 3).tolist() == [0.75]


# Bad input

ONE = [[[0] * 4], [[0] * 4]]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"game": 3}, TypeError, "game must be a game or a Result, got 3"),
        ({"greedy": None}, TypeError, "greedy must be given with a game"),
        ({"greedy": "ab"}, TypeError, "greedy must be a sequence"),
        ({"greedy": ONE[:1]}, ValueError, "2 of them, got 1"),
        ({"greedy": [[0] * 4] * 2}, ValueError, r"greedy\[0\] must have shape \(replicas, 4\)"),
        ({"greedy": [ONE[0], [[0] * 3]]}, ValueError, r"greedy\[1\] must have shape"),
        ({"greedy": [ONE[0], [[0] * 4] * 2]}, ValueError, r"greedy\[1\] must have as many"),
        ({"greedy": [ONE[0], [[0, 0, 2, 0]]]}, ValueError, r"in \[0, 2\), got greedy\[1\]\[0, 2\]"),
        ({"greedy": [ONE[0], [[0, 0, -1, 0]]]}, ValueError, r"got greedy\[1\]\[0, 2\] = -1"),
        ({"greedy": [ONE[0], [[0.0] * 4]]}, TypeError, r"greedy\[1\] must be whole numbers"),
        ({"greedy": [ONE[0], [[0] * 4, [0]]]}, ValueError, r"greedy\[1\] must be a rectangular"),
        ({"greedy": np.zeros((2, 0, 4), int)}, ValueError, r"got \(0, 4\)"),
        ({"start": 4}, ValueError, r"start must be whole numbers in \[0, 4\), got start = 4"),
        ({"start": 0.0}, TypeError, "start must be whole numbers"),
        ({"start": [0, 0]}, ValueError, r"start must have shape \(\) or \(1,\), got \(2,\)"),
        ({"threads": 0}, ValueError, "threads must be a whole number"),
        (
            {"game": remember(MatrixGame(np.zeros((2, 2, 2))), start="uniform")},
            ValueError,
            "start must be given",
        ),
        (
            {
                "game": random_markov_game(states=4, rng=1, terminal=3),
                "greedy": [[[0] * 4] * 4] * 2,
                "start": range(4),
            },
            ValueError,
            "start must not be a terminal state, got",
        ),
        (
            {"game": random_markov_game(states=4, rng=1, transitions="random")},
            ValueError,
            "game must have deterministic transitions",
        ),
        (
            {"game": random_markov_game(states=4, rng=1, start="random", time_limit=3)},
            ValueError,
            "game must have deterministic transitions",
        ),
        (
            {"game": Variants([DILEMMA], [0, 0, 0])},
            ValueError,
            r"greedy must have as many replicas as game.index, 3, got 1",
        ),
    ],
)
def test_bad_input(arguments, error, message):
    arguments = {"game": DILEMMA, "greedy": ONE, **arguments}
    with pytest.raises(error, match=message):
        limit_cycle(arguments.pop("game"), arguments.pop("greedy"), **arguments)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"profits": [1.0, 2.0]}, ValueError, r"profits must have shape \(replicas, N\)"),
        ({"profits": [[1.0, np.nan]]}, ValueError, "profits must be finite"),
        ({"nash": [1, 2, 3]}, ValueError, r"nash must have shape \(\), \(2,\) or \(1, 2\)"),
        ({"monopoly": "x"}, TypeError, "monopoly must be real numbers"),
        ({"monopoly": 1.0}, ValueError, "monopoly must be greater than nash"),
    ],
)
def test_bad_profits(arguments, error, message):
    with pytest.raises(error, match=message):
        profit_gain(**{"profits": [[1.0, 2.0]], "nash": 1.0, "monopoly": 3.0, **arguments})
