"""Responses to deviations in games with chance, against chains that carry all that agents hold."""

import numpy as np
import pytest
from library.frozen import CERTAIN, GAMES, Slow, some_policies

import fastgames as fg
from fastgames.analysis import deviation_response
from fastgames.games import MarkovGame, random_markov_game

RANDOM = {name: game for name, game in GAMES.items() if name not in CERTAIN} | {
    "time limit": random_markov_game(
        states=5, transitions="sparse", start="random", time_limit=3, terminal=1, turns=True, rng=9
    ),
    "sure moves, random start": random_markov_game(states=6, start="random", time_limit=4, rng=4),
    "turns": random_markov_game(states=6, transitions="sparse", turns=True, rng=11),
    "no random start": random_markov_game(states=6, transitions="sparse", time_limit=3, rng=12),
}


class Holding(Slow):
    """Nodes are (state, age, actions that the agents hold)."""

    def held(self, node, joint):
        return tuple(a if self.turns[i, node[0]] else node[2][i] for i, a in enumerate(joint))

    def after(self, node, joint, shock=None):
        """The next nodes, and their probabilities."""
        state, age, _ = node
        held = self.held(node, joint)
        chances = self.chances[state][joint]
        if shock is not None:
            chances = np.eye(self.states)[np.searchsorted(np.cumsum(chances), shock, side="right")]
        first = self.start if np.ndim(self.start) else np.eye(self.states)[self.start]
        found = {}
        for t, chance in enumerate(chances):
            cut = self.time_limit and age + 1 == self.time_limit
            if self.terminal[t] or cut:
                more = {(s, 0, held): chance * p for s, p in enumerate(first)}
            else:
                more = {(t, age + 1 if self.time_limit else 0, held): chance}
            for key, p in more.items():
                if p:
                    found[key] = found.get(key, 0.0) + p
        return found

    def limit(self, state):
        """The mean over 2^50 periods."""
        nodes = [(state, 0, (0,) * self.agents)]
        moves = {}
        for node in nodes:
            moves[node] = self.after(node, self.played[node[0]])
            nodes += [t for t in moves[node] if t not in nodes]
        matrix = np.array([[moves[s].get(t, 0.0) for t in nodes] for s in nodes])
        mean = np.eye(len(nodes))[0]
        for _ in range(50):
            mean = (mean + mean @ matrix) / 2
            matrix = matrix @ matrix
            matrix /= matrix.sum(axis=1, keepdims=True)
        return {node: p for node, p in zip(nodes, mean, strict=True) if p > 1e-13}

    def outcome(self, dist, joints, prices):
        """Mean prices and rewards, (2, N), if the joint actions are played."""
        total = np.zeros((2, self.agents))
        for (node, p), joint in zip(dist.items(), joints, strict=True):
            held = self.held(node, joint)
            total[0] += [p * prices[i][held[i]] for i in range(self.agents)]
            total[1] += [p * self.rewards[i][node[0]][joint] for i in range(self.agents)]
        return total

    def path(self, dist, joints, prices, after, shocks):
        found = [self.outcome(dist, joints, prices)]
        for t in range(after):
            new = {}
            for (node, p), joint in zip(dist.items(), joints, strict=True):
                shock = None if shocks is None else shocks[t]
                for key, chance in self.after(node, joint, shock).items():
                    new[key] = new.get(key, 0.0) + p * chance
            dist, joints = new, [self.played[node[0]] for node in new]
            found.append(self.outcome(dist, joints, prices))
        return np.moveaxis(found, 1, 0)


@pytest.mark.parametrize("shocked", [False, True])
@pytest.mark.parametrize("name", RANDOM)
def test_everything_against_chains_of_all_that_is_held(name, shocked):
    game, discount, after = RANDOM[name], 0.7, 4
    if shocked and np.ndim(game.start) and (game.time_limit or game.terminal.any()):
        with pytest.raises(ValueError, match="shocks must be None"):
            deviation_response(game, some_policies(game, 6), agent=0, shocks=[0.5] * 15)
        return
    greedy = some_policies(game, 6, 17)
    rng = np.random.default_rng(3)
    shocks = rng.random((17, after)) if shocked else None
    prices = [rng.normal(size=n) for n in game.num_actions]
    start = Slow(game, greedy, 0).live[0]
    for agent, static in ((0, True), (game.num_agents - 1, False)):
        actions = rng.integers(game.num_actions[agent], size=17)
        found = deviation_response(
            game,
            greedy,
            agent=agent,
            **({} if static else {"action": actions}),
            before=2,
            after=after,
            prices=prices,
            start=start,
            discount=discount,
            shocks=shocks,
            threads=2,
        )
        for r in (0, 5, 16):
            plain = Holding(game, greedy, r)
            dist = plain.limit(start)
            usual = plain.outcome(dist, [plain.played[n[0]] for n in dist], prices)
            np.testing.assert_allclose(found.prices[r, :2], [usual[0]] * 2, atol=1e-8)
            np.testing.assert_allclose(found.baseline_rewards[r, :2], [usual[1]] * 2, atol=1e-8)
            dist = {n: p for n, p in dist.items() if plain.turns[agent, n[0]]}
            total = sum(dist.values())
            dist = {n: p / total for n, p in dist.items()}
            if not dist:
                assert np.isnan(found.deviated[r])
                continue
            own = plain.value(agent, discount)
            usual, forced, gain, change, differs = [], [], 0.0, 0.0, 0.0
            for node, p in dist.items():
                s = node[0]
                joints, pays = plain.deviations(agent, s), plain.rewards[agent][s]
                joint = (
                    max(joints, key=lambda j, pays=pays: pays[j]) if static else joints[actions[r]]
                )
                q = plain.q(agent, s, joint, own, discount)
                change += p * (q - own[s])
                gain += p * (q - own[s]) / abs(own[s])
                differs += p * (joint != plain.played[s])
                usual.append(plain.played[s])
                forced.append(joint)
            own_shocks = None if shocks is None else shocks[r]
            path = plain.path(dist, forced, prices, after, own_shocks)
            np.testing.assert_allclose(found.prices[r, 2:], path[0], atol=1e-8)
            np.testing.assert_allclose(found.rewards[r, 2:], path[1], atol=1e-8)
            path = plain.path(dist, usual, prices, after, own_shocks)
            np.testing.assert_allclose(found.baseline_prices[r, 2:], path[0], atol=1e-8)
            np.testing.assert_allclose(found.baseline_rewards[r, 2:], path[1], atol=1e-8)
            assert found.gain[r] == pytest.approx(gain, rel=1e-6, abs=1e-8)
            assert found.change[r] == pytest.approx(change, rel=1e-6, abs=1e-8)
            assert found.deviated[r] == pytest.approx(differs, abs=1e-9)


def test_expected_paths_are_means_over_shocks():
    """All 16^3 paths of three shocks in the middle of cells of 1/16, of which chances are whole."""
    chances = np.random.default_rng(2).multinomial(16, [1 / 4] * 4, size=(4, 2, 2)) / 16
    game = MarkovGame(np.random.default_rng(1).normal(size=(2, 4, 2, 2)), chances, discount=0.9)
    greedy = some_policies(game, 2, 1)
    expected = deviation_response(game, greedy, agent=1, action=1, after=3)
    cells = (np.indices((16,) * 3).reshape(3, -1).T + 0.5) / 16
    many = [np.repeat(policy, len(cells), axis=0) for policy in greedy]
    found = deviation_response(game, many, agent=1, action=1, after=3, shocks=cells)
    for name in ("prices", "rewards", "baseline_prices", "baseline_rewards"):
        mean = getattr(found, name).mean(axis=0)
        np.testing.assert_allclose(mean, getattr(expected, name)[0], atol=1e-12)
    assert found.rewards[:, -1].std() > 0.1
    np.testing.assert_allclose(found.gain, expected.gain[0], rtol=1e-12)


def test_shocks_are_the_random_numbers_of_a_run():
    """Play from outside: a deviation, then the policy, with nature's words of the seed as shocks.

    Action 0 stays in state 0, so that the limit is state 0.
    """
    envs, after = 40, 12
    moves = np.random.default_rng(4).dirichlet([1.0] * 5, size=(5, 3))
    moves[0, 0] = [1, 0, 0, 0, 0]
    moves[3] = moves[3] * (1 + 3e-7)  # sums that are not exactly 1 are used as they are
    game = MarkovGame(np.arange(15.0).reshape(1, 5, 3), moves)
    policy = np.array([0, 1, 2, 1, 2])
    words = fg.Streams(7, envs, role=1).words(after)
    found = deviation_response(
        game,
        [[policy] * envs],
        agent=0,
        action=2,
        after=after,
        shocks=words.T / 2**31,
    )
    play = fg.VectorGame(game, envs, rng=7)
    actions, paid = np.full(envs, 2), []
    for _ in range(after):
        paid.append(play.step(actions[None])[1][0].copy())
        actions = policy[play.states]
    np.testing.assert_array_equal(found.rewards[:, 1:-1, 0], np.transpose(paid))
    assert len(np.unique(paid)) > 4
    assert (found.baseline_rewards == 0.0).all()


@pytest.mark.parametrize(
    ("chances", "shock", "state"),
    [
        ([0.5, 0.5], np.nextafter(0.5, 0), 0),
        ([0.5, 0.5], 0.5, 1),
        ([0.5, 0.5 + 9e-7], 0.5 - 1e-8, 1),  # 0.5 of a sum of 1 + 9e-7 is more than 0.5
        ([0.5, 0.5 + 9e-7], 0.5 - 1e-6, 0),
        ([0.25, 0.75], np.nextafter(1, 0), 1),
    ],
)
def test_shocks_at_the_ends_of_intervals(chances, shock, state):
    game = MarkovGame([[[0.0], [1.0]]], [[chances], [chances]])
    found = deviation_response(game, [[[0, 0]]], agent=0, after=1, shocks=[shock])
    assert found.rewards[0, -1, 0] == state


def test_a_punishment_that_ends_by_chance():
    """Grim play that nature forgives with probability f: the punishment decays as (1 - f)^t."""
    forgive, after = 0.3, 6
    rewards = np.array([[[3.0, 5.0], [1.0, 1.0]]])
    moves = np.array([[[1.0, 0.0], [0.0, 1.0]], [[forgive, 1 - forgive]] * 2])
    game = MarkovGame(rewards, moves, discount=0.9)
    found = deviation_response(game, [[[0, 0]]], agent=0, action=1, after=after)
    left = (1 - forgive) ** np.arange(after)
    expected = [3, 5, *(3 - 2 * left)]
    np.testing.assert_allclose(found.rewards[0, :, 0], expected, rtol=1e-14)
    assert found.baseline_rewards[0, :, 0].tolist() == [3.0] * (after + 2)
    lost = 2 * 0.9 / (1 - 0.9 * (1 - forgive))
    assert found.change[0] == pytest.approx(2 - lost)
    assert found.gain[0] == pytest.approx((2 - lost) / 30)


def test_shocks_do_nothing_without_chance():
    game = GAMES["plain"]
    greedy = some_policies(game, 1)
    plain = deviation_response(game, greedy, agent=0, after=3)
    shocked = deviation_response(game, greedy, agent=0, after=3, shocks=[0.1, 0.2, 0.3])
    for name, array in vars(plain).items():
        assert array.tobytes() == getattr(shocked, name).tobytes()


def test_results_and_variants():
    games = [random_markov_game(states=4, transitions="random", rng=1)]
    games += [MarkovGame(2 * games[0].rewards, games[0].transitions, 0.9, start=games[0].start)]
    game = fg.Variants(games, [0, 1] * 9)
    result = fg.run(game, fg.QLearner(), 50, replicas=18, rng=1, backend="reference")
    greedy = [result.greedy(i) for i in range(2)]
    found = deviation_response(result, agent=0, action=1)
    for k in range(2):
        mine = [policy[k::2] for policy in greedy]
        expected = deviation_response(games[k], mine, agent=0, action=1, start=result.states[k::2])
        np.testing.assert_allclose(found.rewards[k::2], expected.rewards, rtol=1e-12)
        np.testing.assert_allclose(found.change[k::2], expected.change, rtol=1e-12)
