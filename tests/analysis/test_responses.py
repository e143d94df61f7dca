"""Best responses, against linear systems and value iteration, and in closed form."""

import numpy as np
import pytest
from library.frozen import GAMES, Slow, some_policies

from fastgames.analysis import best_responses
from fastgames.games import MarkovGame, MatrixGame, random_markov_game, remember

R, S, T, P = 3.0, 0.0, 5.0, 1.0
STAGE = MatrixGame([[[R, S], [T, P]], [[R, T], [S, P]]])
DILEMMA = remember(STAGE)
GRIM = [[[0, 1, 1, 1]], [[0, 1, 1, 1]]]  # states CC, CD, DC, DD
TIT_FOR_TAT = [[[0, 1, 0, 1]], [[0, 0, 1, 1]]]
DEFECT = [[[1] * 4], [[1] * 4]]


def share(flags):
    return np.mean(flags) if len(flags) else 1.0


@pytest.mark.parametrize("deviations", ["any", "once"])
@pytest.mark.parametrize("name", GAMES)
def test_everything_against_slow_solutions(name, deviations):
    game = GAMES[name]
    certain = "random" not in name and "sparse" not in name
    greedy = some_policies(game, 7)
    discount = 0.85
    start = Slow(game, greedy, 0).live[-1]
    found = best_responses(
        game,
        greedy,
        deviations=deviations,
        start=start,
        discount=discount,
        values=True,
        threads=2,
    )
    assert (found.loss_on_path is None) == (not certain)
    for r in range(len(greedy[0])):
        plain = Slow(game, greedy, r)
        path = [s for s, _ in plain.cycle(start)] if certain else []
        everywhere = {s: True for s in plain.live}
        for i in range(game.num_agents):
            own = plain.value(i, discount)
            value = plain.best_value(i, discount) if deviations == "any" else own
            best, fine, loss = np.zeros(plain.states), {}, np.zeros(plain.states)
            for s in plain.live:
                actions = {j: plain.q(i, s, j, value, discount) for j in plain.deviations(i, s)}
                best[s] = max(actions.values())
                loss[s] = (best[s] - own[s]) / abs(best[s])
                if plain.turns[i, s]:
                    fine[s] = actions[plain.played[s]] >= best[s] - 1e-9
                    everywhere[s] &= fine[s]
            np.testing.assert_allclose(found.own[r, i], own, atol=1e-12)
            np.testing.assert_allclose(found.best[r, i], best, atol=1e-12)
            assert found.optimal[r, i] == pytest.approx(share(list(fine.values())))
            assert found.loss[r, i] == pytest.approx(loss[plain.live].mean(), 1e-9, 1e-11)
            if certain:
                on_path = [fine[s] for s in path if s in fine]
                assert found.optimal_on_path[r, i] == pytest.approx(share(on_path))
                assert found.loss_on_path[r, i] == pytest.approx(loss[path].mean(), 1e-9, 1e-11)
        assert found.mutual[r] == pytest.approx(np.mean([everywhere[s] for s in plain.live]))
        if certain:
            here = np.mean([everywhere[s] for s in path])
            assert found.mutual_on_path[r] == pytest.approx(here)
    assert found.optimal.min() < found.optimal.max()


# What is known of the repeated dilemma


@pytest.mark.parametrize("deviations", ["any", "once"])
@pytest.mark.parametrize("off", [-1e-6, 1e-6])
def test_grim_trigger_is_an_equilibrium_from_its_threshold_on(deviations, off):
    """Cooperating pays R / (1 - d), defecting T + d P / (1 - d)."""
    discount = (T - R) / (T - P) + off
    found = best_responses(DILEMMA, GRIM, deviations=deviations, discount=discount)
    assert found.mutual.tolist() == [1.0 if off > 0 else 0.75]
    assert found.mutual_on_path.tolist() == [1.0 if off > 0 else 0.0]
    assert found.optimal.tolist() == [[1, 1] if off > 0 else [0.75, 0.75]]


def test_the_loss_of_grim_trigger_below_its_threshold():
    discount = 0.3
    best = T + discount * P / (1 - discount)
    loss = (best - R / (1 - discount)) / best
    found = best_responses(DILEMMA, GRIM, discount=discount, values=True)
    assert found.loss_on_path.tolist()[0] == pytest.approx([loss, loss])
    assert found.loss.tolist()[0] == pytest.approx([loss / 4, loss / 4])
    assert found.best[0, 0, 0] == pytest.approx(best)
    assert found.own[0, 1].tolist() == pytest.approx([R / 0.7, P / 0.7, P / 0.7, P / 0.7])


@pytest.mark.parametrize("discount", [0.0, 0.5, 0.99, 1 - 1e-6])
def test_defection_is_an_equilibrium_whatever_the_discount(discount):
    found = best_responses(DILEMMA, DEFECT, discount=discount)
    assert found.mutual.tolist() == [1.0]
    assert found.loss.max() == 0.0


@pytest.mark.parametrize("discount", [0.2, 0.3, 0.45, 0.55, 0.9])
def test_deviating_once_and_for_good_from_tit_for_tat(discount):
    """Against tit for tat, defecting once and then copying pays (T + d S) / (1 - d^2), defecting
    for good T + d P / (1 - d). With R - S > T - P the latter is worth it for longer.
    """
    r, s, t, p = 4.0, 0.0, 5.0, 3.0
    game = remember(MatrixGame([[[r, s], [t, p]], [[r, t], [s, p]]]))
    stay = r / (1 - discount)
    once = (t + discount * s) / (1 - discount**2)
    good = t + discount * p / (1 - discount)
    for deviations, best in (("once", once), ("any", max(once, good))):
        found = best_responses(game, TIT_FOR_TAT, deviations=deviations, discount=discount)
        assert found.mutual_on_path.tolist() == [float(best <= stay)]
        expected = max(0.0, (best - stay) / best)
        assert found.loss_on_path[0].tolist() == pytest.approx([expected] * 2, abs=1e-15)


def test_a_stage_game_has_no_future():
    """Discount 0: a best response is one of the stage game."""
    found = best_responses(STAGE, [[[0], [1]], [[1], [1]]])
    assert found.optimal.tolist() == [[0, 1], [1, 1]]
    assert found.mutual.tolist() == [0, 1]
    assert found.loss.tolist() == [[1, 0], [0, 0]]  # gets 0 instead of 1


def test_ties_are_best_responses():
    """All actions pay the same; rounding does not matter, a difference does."""
    moves = np.random.default_rng(1).integers(4, size=(4, 3, 3))
    rewards = np.full((2, 4, 3, 3), 0.1)
    greedy = np.random.default_rng(2).integers(3, size=(2, 5, 4))
    for discount in (0.5, 0.999):
        found = best_responses(MarkovGame(rewards, moves, discount), greedy)
        assert (found.mutual == 1).all()
        assert found.loss.max() < 1e-12
    rewards[0, :, 0] += 1e-4
    found = best_responses(MarkovGame(rewards, moves, 0.5), greedy)
    assert found.optimal[:, 0].max() < 1
    assert (found.optimal[:, 1] == 1).all()
    found = best_responses(MarkovGame(rewards, moves, 0.5), greedy, tolerance=1e-2)
    assert (found.mutual == 1).all()


@pytest.mark.parametrize("rewards", [[[9, 10], [10, 10]], [[-10, -9], [-9, -9]]])
def test_the_tolerance_is_a_part_of_the_largest_value(rewards):
    """Gains of 1 in values of up to 10 / (1 - d) = 20 are 0.05 of them."""
    game = MatrixGame([rewards, [[1, 1], [1, 1]]])
    for tolerance, share in ((0.0499, 0.0), (0.0501, 1.0)):
        found = best_responses(
            game, [[[0]], [[0]]], discount=0.5, deviations="once", tolerance=tolerance
        )
        assert found.optimal[0, 0] == share


def test_values_near_a_discount_of_1():
    """A ring of 50 states on which agent 0 may stand still or go on; only state 0 pays, 1."""
    ring, discount = 50, 0.9999
    moves = np.stack([np.arange(ring), (np.arange(ring) + 1) % ring], axis=1)[:, :, None]
    rewards = np.zeros((2, ring, 2, 1))
    rewards[0, 0] = 1.0
    game = MarkovGame(rewards, moves, discount)
    found = best_responses(game, [[[1] * ring], [[0] * ring]], values=True)
    distance = (ring - np.arange(ring)) % ring
    np.testing.assert_allclose(found.best[0, 0], discount**distance / (1 - discount), rtol=1e-11)
    round_trip = discount**distance / (1 - discount**ring)
    np.testing.assert_allclose(found.own[0, 0], round_trip, rtol=1e-11)
    assert found.optimal[0, 0] == 1 - 1 / ring
    sure = MarkovGame(rewards, (np.stack([moves, moves], -1), np.full((ring, 2, 1, 2), 0.5)))
    lazy = moves.copy()
    lazy[:, 1] = lazy[:, 0]
    random = MarkovGame(rewards, (np.stack([moves, lazy], -1), np.full((ring, 2, 1, 2), 0.5)))
    expected = best_responses(game, [[[1] * ring], [[0] * ring]], discount=0.95, values=True)
    merged = best_responses(sure, [[[1] * ring], [[0] * ring]], discount=0.95, values=True)
    np.testing.assert_allclose(merged.best, expected.best, rtol=1e-12)
    # going on takes one step with probability 1/2: each costs d / (2 - d)
    slow = best_responses(random, [[[1] * ring], [[0] * ring]], discount=discount, values=True)
    each = discount / 2 / (1 - discount / 2)
    np.testing.assert_allclose(slow.best[0, 0], each**distance / (1 - discount), rtol=1e-9)


def test_probabilities_are_used_as_weights():
    """They need not sum to 1 exactly; what pays 1 for ever is worth 1 / (1 - d)."""
    chances = np.broadcast_to([0.5, 0.5 + 9e-7], (2, 1, 1, 2))
    game = MarkovGame(np.ones((2, 2, 1, 1)), chances, discount=0.95)
    found = best_responses(game, [[[0, 0]], [[0, 0]]], values=True)
    np.testing.assert_allclose(found.own, 20.0, rtol=1e-13)


def test_losing_everything():
    """The best value 0, the own below it: the loss has no bound."""
    game = MatrixGame([[[-1, -1], [0, 0]], [[0, 0], [0, 0]]])
    found = best_responses(game, [[[0], [1]], [[0], [0]]])
    assert found.loss.tolist() == [[np.inf, 0], [0, 0]]


def test_threads_make_no_difference():
    game = GAMES["all"]
    greedy = some_policies(game, 3, 100)
    one, four = (
        best_responses(game, greedy, threads=t, values=True, policies=True) for t in (1, 4)
    )
    for name, array in vars(one).items():
        assert array.tobytes() == getattr(four, name).tobytes()


# Best responses as policies


@pytest.mark.parametrize("name", GAMES)
def test_policies_have_the_best_values(name):
    """Played against the others, each has the values of the best response (a linear system)."""
    game, discount = GAMES[name], 0.85
    greedy = some_policies(game, 7)
    start = Slow(game, greedy, 0).live[-1]
    found = best_responses(
        game, greedy, start=start, discount=discount, values=True, policies=True, threads=2
    )
    plain = best_responses(game, greedy, start=start, discount=discount)
    assert plain.policies is None
    assert plain.best is None
    for r in (0, 1, len(greedy[0]) - 1):
        for i in range(game.num_agents):
            slow = Slow(game, greedy, r)
            for s in range(slow.states):
                joint = list(slow.played[s])
                if s in slow.live and slow.turns[i, s]:
                    joint[i] = int(found.policies[r, i, s])
                    mine = found.policies[r, i, s] == slow.played[s][i]
                    values = [
                        slow.q(i, s, j, found.best[r, i], discount) for j in slow.deviations(i, s)
                    ]
                    assert mine == (values[slow.played[s][i]] >= max(values) - 1e-9)
                else:
                    assert found.policies[r, i, s] == 0
                slow.played[s] = tuple(joint)
            np.testing.assert_allclose(slow.value(i, discount), found.best[r, i], atol=1e-11)


def test_policies_in_closed_form():
    """Nature forgives a defector with probability f: defecting once pays if 2 > 2 d / (1 - d(1-f)).

    State 1 is the punishment, in which the agent gets 1 instead of 3 whatever it does.
    """
    rewards = [[[3.0, 5.0], [1.0, 1.0]]]
    for forgive, discount in ((0.1, 0.5), (0.5, 0.5), (0.5, 0.8), (0.9, 0.95)):
        moves = [[[1.0, 0.0], [0.0, 1.0]], [[forgive, 1 - forgive]] * 2]
        game = MarkovGame(rewards, moves, discount)
        pays = 2 * discount / (1 - discount * (1 - forgive)) < 2
        for policy in ([0, 0], [1, 1]):
            found = best_responses(game, [[policy]], values=True, policies=True)
            # in state 1 both actions are best: the greedy one stays
            assert found.policies.tolist() == [[[int(pays), policy[1]]]]


def test_values_of_single_deviations():
    """For "once", best is max Q of the agent's own policy: no policy has these values."""
    found = best_responses(DILEMMA, TIT_FOR_TAT, deviations="once", discount=0.3, values=True)
    own = R / 0.7
    assert found.own[0, 0, 0] == pytest.approx(own)
    assert found.best[0, 0, 0] == pytest.approx(max(own, (T + 0.3 * S) / (1 - 0.09)))
    with pytest.raises(ValueError, match=r"policies must be False if deviations=.once., got True"):
        best_responses(DILEMMA, TIT_FOR_TAT, deviations="once", discount=0.3, policies=True)


# Bad input


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"deviations": "twice"}, ValueError, "deviations must be one of 'any', 'once'"),
        ({"discount": 1.0}, ValueError, r"discount must be in \[0, 1\), got 1.0"),
        ({"discount": -0.1}, ValueError, r"discount must be in \[0, 1\), got -0.1"),
        ({"discount": [0.5]}, ValueError, "discount must be one number"),
        ({"discount": "x"}, TypeError, "discount must be real numbers"),
        ({"tolerance": -1e-9}, ValueError, r"tolerance must be in \[0, inf\)"),
        ({"tolerance": [0.0]}, ValueError, "tolerance must be one number"),
        ({"values": 1}, TypeError, "values must be True or False, got 1"),
        ({"policies": "all"}, TypeError, "policies must be True or False, got 'all'"),
        ({"threads": 1.0}, TypeError, "threads must be a whole number"),
        ({"start": 7}, ValueError, "start must be whole numbers"),
        (
            {"game": random_markov_game(states=4, rng=1, time_limit=3, discount=1)},
            ValueError,
            r"discount must be in \[0, 1\), got 1.0",
        ),
    ],
)
def test_bad_input(arguments, error, message):
    arguments = {"game": DILEMMA, "greedy": GRIM, **arguments}
    with pytest.raises(error, match=message):
        best_responses(arguments.pop("game"), arguments.pop("greedy"), **arguments)
