"""IPPO and MAPPO against their objective, differentiated numerically, and published figures."""

import itertools

import numpy as np
import pytest
from library.gradients import adding_game, changes, mix
from scipy.optimize import approx_fprime
from scipy.special import expit

import fastgames as fg
from fastgames.learners import proximal
from fastgames.rules import rollouts
from fastgames.rules.outcome import Outcome, TeamOutcome

N, MEMBERS, SHAPE = 9, 3, (3, 4)  # moves of a rollout, agents, (observations, actions)


# --- rollouts by definition -----------------------------------------------------------------------


def drawn_moves(rng, cuts=True):
    """Return more moves than a rollout has, of all members, as dictionaries.

    Each has observations, actions, rewards, moves, next observations (None: cut), weight and end.
    """
    out = []
    while sum(move["after"] is not None for move in out) < N:
        kind = rng.choice(["", "", "", "ended", "truncated", *(["cut"] if cuts else [])])
        moves = rng.random(MEMBERS) < 0.7
        moves[rng.integers(MEMBERS)] = True
        actions = rng.integers(SHAPE[1], size=MEMBERS) * moves
        after = None if kind == "cut" else rng.integers(SHAPE[0], size=MEMBERS)
        out.append(
            {
                "seen": rng.integers(SHAPE[0], size=MEMBERS), "actions": actions, "moves": moves,
                "rewards": rng.normal(size=MEMBERS), "weight": rng.choice([0.9, 0.81]),
                "after": after, "kind": kind,
            }
        )  # fmt: skip
    return out


def advantages_of(moves, values, rewards, lam):
    """Return the generalised advantages of the moves that are stored, by their definition.

    values: function of observations; rewards: function of rewards. A_t is the sum of the later
    errors d_k, weighted by the products of the factors between, until the chain ends.
    """
    errors, links = [], []
    for k, move in enumerate(moves):
        if move["after"] is None:
            continue
        onward = 0.0 if move["kind"] == "ended" else move["weight"] * values(move["after"])
        errors.append(rewards(move["rewards"]) + onward - values(move["seen"]))
        broken = move["kind"] or k + 1 == len(moves) or moves[k + 1]["after"] is None
        links.append(0.0 if broken else move["weight"] * lam)
    out = []
    for k in range(len(errors)):
        factors = np.concatenate([[1.0], np.cumprod(links[k:-1])])
        out.append(factors @ np.array(errors[k:]))
    return np.array(out)


def stored(moves):
    """Return the observations and actions of the stored moves, (n, members); -1: did not move."""
    kept = [move for move in moves if move["after"] is not None]
    seen = np.array([move["seen"] for move in kept])
    played = np.array([np.where(move["moves"], move["actions"], -1) for move in kept])
    return seen, played


def objective(logits, old, samples, size, learner):
    """Return the mean of the clipped objectives and entropies over `size` moves.

    samples: (observation, action, advantage) of each move of the agents with this policy
    """
    new, total = mix(logits.reshape(SHAPE)), 0.0
    for o, a, advantage in samples:
        r = new[o, a] / mix(old)[o, a]
        clipped = np.clip(r, 1 - learner.clip, 1 + learner.clip)
        total += min(r * advantage, clipped * advantage)
        total -= learner.entropy * new[o] @ np.log(new[o])
    return total / size


def climbed(logits, samples, size, learner):
    """Return the logits after the epochs, and how many ratios left the clip."""
    old, left = logits, 0
    for _ in range(learner.epochs):
        args = (old, samples, size, learner)
        slope = approx_fprime(logits.ravel(), objective, 1e-7, *args).reshape(SHAPE)
        left += (abs(mix(logits) / mix(old) - 1) > learner.clip).sum()
        logits = logits + learner.alpha_actor * slope
    return logits, left


def fitted(value, places, targets, learner):
    """Return the values after the epochs."""
    value = value.copy()
    for place in set(places):
        mean = np.mean([x for at, x in zip(places, targets, strict=True) if at == place])
        for _ in range(learner.epochs):
            value[place] += learner.alpha_critic * (mean - value[place])
    return value


def standard(advantages, learner):
    """Return the advantages, standardised if the learner does that."""
    if not learner.standardise:
        return advantages
    return (advantages - advantages.mean()) / advantages.std()


def given(learner, logits, value):
    """Return the tables of a team, or of one agent if logits is a table."""
    team = learner.rules.team
    members = logits if team else [logits]
    sizes = {"agents": MEMBERS}
    out = []
    for table in learner.rules.tables:
        dims = tuple(sizes.get(d, d) for d in table.dims)
        dtype = np.int64 if table.kind == "int64" else float
        if table.name == "logits":
            each = tuple(row.copy() for row in members)
        elif table.name == "softmax":
            each = tuple(np.zeros(SHAPE) for _ in members)
        elif table.name == "value":
            each = (value.copy(),)
        else:
            each = (np.zeros(dims, dtype),)
        out.append(each if team and not table.shared else each[0])
    return learner.rules.as_tables(out)


def learn(learner, tables, moves):
    """Let the rule learn from the moves; an agent without a team is member 0."""
    p = learner.rules.as_p(learner.values(0.9).values())
    for move in moves:
        after = np.full(MEMBERS, -1) if move["after"] is None else move["after"]
        ended, over = move["kind"] == "ended", move["kind"] in ("truncated", "cut")
        if learner.rules.team:
            outcome = TeamOutcome(
                move["seen"], move["actions"], move["rewards"], move["weight"], after, ended,
                (0.0,) * MEMBERS, over, moves=move["moves"], next_moves=move["moves"],
            )  # fmt: skip
        else:
            outcome = Outcome(
                move["seen"][0], move["actions"][0], move["rewards"][0], move["weight"], after[0],
                -1, ended, truncated=over,
            )  # fmt: skip
        learner.rules.learn(tables, p, outcome)


GIVEN = {
    "one step": {"epochs": 1, "alpha_actor": 0.5},
    "epochs": {"epochs": 4, "alpha_actor": 3.0},
    "entropy": {"epochs": 3, "alpha_actor": 1.0, "entropy": 0.4},
    "standardised": {"epochs": 3, "alpha_actor": 2.0, "standardise": True},
}
given_each = pytest.mark.parametrize("options", GIVEN.values(), ids=GIVEN)


def made(make, options, **more):
    """Return a learner whose rollouts have N moves."""
    return make(N, alpha_critic=0.3, gae_lambda=0.7, clip=0.3, **options, **more)


@given_each
def test_a_rollout_of_one_agent_is_steps_along_the_gradient_of_the_objective(options):
    rng = np.random.default_rng(1)
    learner = made(fg.IPPO, options)
    logits, value = rng.normal(size=SHAPE), rng.normal(size=SHAPE[0])
    tables = given(learner, logits, value)
    clipped = 0
    for _ in range(2):  # the second rollout starts from a cleared count, and from kept softmaxes
        moves = drawn_moves(rng)
        for move in moves:
            move["moves"][0], move["actions"][0] = True, rng.integers(SHAPE[1])
        learn(learner, tables, moves)
        advantages = advantages_of(moves, lambda o, v=value: v[o[0]], lambda r: r[0], 0.7)
        seen, played = (x[:, 0] for x in stored(moves))
        samples = list(zip(seen, played, standard(advantages, learner), strict=True))
        logits, left = climbed(logits, samples, N, learner)
        clipped += left
        np.testing.assert_allclose(tables.logits, logits, atol=1e-5)
        value = fitted(value, seen, advantages + value[seen], learner)
        np.testing.assert_allclose(tables.value, value, atol=1e-12)
        logits = tables.logits.copy()
    assert (clipped > 0) == (learner.epochs > 1)


@given_each
@pytest.mark.parametrize("shared", [False, True])
def test_a_rollout_of_a_team_is_steps_along_the_gradient_of_the_objective(options, shared):
    rng = np.random.default_rng(2)
    learner = made(fg.MAPPO, options, shared=shared)
    logits = [rng.normal(size=SHAPE)] * MEMBERS
    if not shared:
        logits = [rng.normal(size=SHAPE) for _ in range(MEMBERS)]
    sizes = (SHAPE[0],) * MEMBERS
    value = rng.normal(size=sizes)
    tables = given(learner, logits, value.ravel())
    for _ in range(2):
        moves = drawn_moves(rng)
        learn(learner, tables, moves)
        advantages = advantages_of(moves, lambda o, v=value: v[tuple(o)], np.mean, 0.7)
        seen, played = stored(moves)
        weights = standard(advantages, learner)
        samples = [
            [(o, a, w) for o, a, w in zip(seen[:, i], played[:, i], weights, strict=True) if a >= 0]
            for i in range(MEMBERS)
        ]
        if shared:
            common, _ = climbed(logits[0], list(itertools.chain(*samples)), MEMBERS * N, learner)
            logits = [common] * MEMBERS
        else:
            each = zip(logits, samples, strict=True)
            logits = [climbed(row, mine, N, learner)[0] for row, mine in each]
        np.testing.assert_allclose(tables.logits, logits, atol=1e-5)
        places = [tuple(o) for o in seen]
        targets = advantages + np.array([value[at] for at in places])
        value = fitted(value, places, targets, learner)
        np.testing.assert_allclose(tables.value, value.ravel(), atol=1e-12)
        logits = [table.copy() for table in tables.logits]


@given_each
def test_members_of_ippo_who_share_learn_from_their_own_rewards(options):
    rng = np.random.default_rng(3)
    learner = made(fg.IPPO, options, shared=True)
    logits, value = rng.normal(size=SHAPE), rng.normal(size=SHAPE[0])
    tables = given(learner, [logits] * MEMBERS, value)
    moves = drawn_moves(rng)
    learn(learner, tables, moves)
    seen, played = stored(moves)
    each = [
        advantages_of(moves, lambda o, i=i: value[o[i]], lambda r, i=i: r[i], 0.7)
        for i in range(MEMBERS)
    ]
    advantages, places, actions = np.concatenate(each), seen.T.ravel(), played.T.ravel()
    weights = standard(advantages, learner)
    samples = [x for x in zip(places, actions, weights, strict=True) if x[1] >= 0]
    expected, _ = climbed(logits, samples, MEMBERS * N, learner)
    for table in tables.logits:
        np.testing.assert_allclose(table, expected, atol=1e-5)
    expected = fitted(value, places, advantages + value[places], learner)
    np.testing.assert_allclose(tables.value, expected, atol=1e-12)


@pytest.mark.parametrize(("up", "down"), [(1.0, 0.0), (0.0, 1.0), (1.5, 0.5), (0.5, 1.5)])
def test_a_clip_stops_steps_on_their_worse_side_only(up, down):
    # After the first step the ratio is outside of the clip. Steps that lead further stop.
    before, after = (row_after(epochs, up, down) for epochs in (1, 2))
    chance = mix(before)[0]
    ratio = chance / 0.5
    assert abs(ratio - 1) > 0.2
    force = ratio * (-down if ratio > 1 else up)
    expected = 4.0 * force * 2 * (1 - chance)
    found = (after[0] - after[1]) - (before[0] - before[1])
    assert found == pytest.approx(expected, abs=1e-12)


def row_after(epochs, up, down):
    """Return two logits after steps from uniform play, where action 0 had both advantages."""
    learner = fg.IPPO(1, epochs, 4.0, clip=0.2)
    p = learner.rules.as_p(learner.values(0.0).values())
    row, chances = np.zeros(2), np.full(2, 0.5)
    rollouts.climb_row(row, chances, np.array([up, 0.0]), np.array([-down, 0.0]), 1, 1, p)
    return row


def test_a_move_that_a_time_limit_cuts_is_not_stored_and_ends_the_advantages():
    learner = fg.IPPO(5, gae_lambda=0.5)
    tables = given(learner, np.zeros(SHAPE), np.zeros(SHAPE[0]))
    p = learner.rules.as_p(learner.values(0.8).values())
    for o2 in (-1, 1, 2, -1, 0):
        outcome = Outcome(0, 1, 1.0, 0.8, o2, -1, False, truncated=o2 < 0)
        proximal.learn(tables, p, outcome)
    assert tables.count[0] == 3
    np.testing.assert_allclose(tables.carries, [0.4, 0.0, 0.4, 0.0, 0.0])
    np.testing.assert_array_equal(tables.played, [1, 1, 1, 0, 0])


def test_equal_advantages_are_0_when_standardised():
    # The mean of three times 0.1 is not 0.1 in floating point.
    advantages = np.full(3, 0.1)
    rollouts.standardise(advantages)
    np.testing.assert_array_equal(advantages, np.zeros(3))


def test_tables_of_users_with_numbers_out_of_range_are_survived():
    for learner in (fg.IPPO(2), fg.IPPO(2, shared=True), fg.MAPPO(2), fg.MAPPO(2, shared=True)):
        one = learner.rules.team
        logits = [np.zeros(SHAPE)] * MEMBERS if one else np.zeros(SHAPE)
        tables = given(learner, logits, np.zeros(SHAPE[0] ** MEMBERS))
        move = {
            "seen": np.zeros(MEMBERS, int), "actions": np.ones(MEMBERS, int), "kind": "",
            "moves": np.ones(MEMBERS, bool), "rewards": np.ones(MEMBERS), "weight": 0.5,
            "after": np.zeros(MEMBERS, int),
        }  # fmt: skip
        for wrong in (-3, 2, 10**9):
            tables.count[0] = 1
            for name in ("seen", "played", *(["states"] if hasattr(tables, "states") else [])):
                getattr(tables, name)[...] = wrong
            learn(learner, tables, [move])
            assert tables.count[0] == 0
            tables.count[0] = wrong
            learn(learner, tables, [move])
            assert tables.count[0] == 1


# --- runs -----------------------------------------------------------------------------------------


def test_one_move_and_one_epoch_are_the_actor_critic():
    game = fg.games.grid_game()
    one = fg.run(game, fg.IPPO(1, 1, 0.3, 0.2, 0.9), 400, 5, rng=1)
    other = fg.run(game, fg.ActorCritic(0.3, 0.2, 0.9), 400, 5, rng=1)
    for mine, its in zip(one.tables, other.tables, strict=True):
        for name in ("logits", "value"):
            np.testing.assert_allclose(mine[name], its[name], rtol=1e-9, atol=1e-12)


def test_a_team_of_one_learns_as_one_agent_does():
    game = fg.games.grid_game()
    options = {"rollout": 7, "epochs": 3, "entropy": 0.1, "standardise": True}
    ippo = fg.run(game, fg.IPPO(**options), 300, 3, rng=1)
    mappo = fg.run(game, [fg.MAPPO(**options, label=label) for label in "ab"], 300, 3, rng=1)
    for one, other in zip(ippo.tables, mappo.tables, strict=True):
        for name in ("logits", "value", "softmax"):
            np.testing.assert_array_equal(one[name], other[name])


def cycle(agents):
    """Four states in a row, for ever; agent i sees whether the number of the state has bit i."""
    shape = (4, *(2,) * agents)
    rewards = np.arange(4.0).reshape(4, *(1,) * agents)
    following = ((np.arange(4) + 1) % 4).reshape(rewards.shape)
    sees = np.array([[s >> i & 1 for s in range(4)] for i in range(agents)])
    return fg.MarkovGame(
        [np.broadcast_to((i + 1) * rewards, shape) for i in range(agents)],
        np.broadcast_to(following, shape), 0.8, observations=sees,
    )  # fmt: skip


@pytest.mark.parametrize("gae_lambda", [0.0, 0.9])
def test_the_values_of_joint_observations_tell_states_apart_that_no_member_does(gae_lambda):
    learner = fg.MAPPO(6, alpha_actor=0.0, alpha_critic=0.3, gae_lambda=gae_lambda)
    result = fg.run(cycle(2), learner, 6000, rng=1)
    exact = np.linalg.solve(np.eye(4) - 0.8 * np.roll(np.eye(4), 1, axis=1), 1.5 * np.arange(4))
    joint = [2 * (s & 1) + (s >> 1) for s in range(4)]  # the first member's digit varies slowest
    np.testing.assert_allclose(result.tables[0]["value"][0, joint], exact, atol=1e-9)


def test_entropy_holds_the_policy_at_its_optimum():
    # max over p of p + beta H(p) is at p = sigmoid(1 / beta).
    game = fg.MatrixGame([np.array([0.0, 1.0])])
    result = fg.run(game, fg.IPPO(32, 2, 0.1, entropy=0.5), 40_000, 50, rng=1)
    assert result.policy(0)[:, 0, 1].mean() == pytest.approx(expit(2.0), abs=0.01)


@pytest.mark.parametrize("make", [fg.IPPO, fg.MAPPO])
def test_members_who_share_play_alike_and_others_do_not(make):
    result = fg.run(cycle(2), make(4, shared=True), 40, 3, rng=1, backend="reference")
    for name in ("logits", "softmax"):
        np.testing.assert_array_equal(result.tables[0][name], result.tables[1][name])
    result = fg.run(cycle(2), make(4), 40, 3, rng=1, backend="reference")
    assert (result.tables[0]["logits"] != result.tables[1]["logits"]).any()


# --- published ------------------------------------------------------------------------------------


def halves(agents):
    """Pay 1 if the first half plays 0 and the second 1, or the reverse, else 0."""
    payoffs = np.zeros((2,) * agents)
    half = agents // 2
    payoffs[(0,) * half + (1,) * half] = payoffs[(1,) * half + (0,) * half] = 1.0
    return fg.MatrixGame([payoffs] * agents)


def expected_payoffs(game, result):
    """Return the expected payoff of the policies at the end, (replicas,)."""
    agents = game.num_agents
    chances = [result.policy(i)[:, 0] for i in range(agents)]
    out = np.zeros(len(chances[0]))
    for u in itertools.product((0, 1), repeat=agents):
        each = [chance[:, a] for chance, a in zip(chances, u, strict=True)]
        out += game.payoffs[0][u] * np.prod(each, axis=0)
    return out


@pytest.mark.parametrize("make", [fg.IPPO, fg.MAPPO])
def test_sharing_parameters_can_cost(make):
    # Kuba et al., ICLR 2022, proposition 1: the best common policy earns 2 / 2^n, separate ones 1.
    game = halves(4)
    shared = expected_payoffs(game, fg.run(game, make(32, shared=True), 20_000, 100, rng=1))
    assert shared.max() <= 2 / 2**4 + 1e-12
    assert shared.mean() > 0.9 * 2 / 2**4
    separate = expected_payoffs(game, fg.run(game, make(32), 20_000, 100, rng=1))
    assert (separate > 0.95).mean() > 0.9


@pytest.mark.parametrize("agents", [2, 5])
def test_the_variance_of_a_step_is_that_of_a_baseline_of_the_value(agents):
    # PUBLISHED-LEARNERS 4.1: the exact value N / 2 of a game of one step as the baseline.
    start = [{"value": np.full(1, agents / 2)}] + [{}] * (agents - 1)
    found = changes(adding_game(agents, 1.0), fg.MAPPO(1, 1, 1.0, 0.0), start)
    assert found.mean() == pytest.approx(0.25, abs=0.01)
    assert found.var() == pytest.approx((agents - 1) / 16 + 0.25, rel=0.03)


@pytest.mark.parametrize("agents", [1, 3, 6])
def test_few_single_steps_point_where_the_value_rises(agents):
    # Lowe et al., NeurIPS 2017, proposition 1: with probability 2^-N, if 1 is paid for (1, ..., 1).
    payoffs = np.zeros((2,) * agents)
    payoffs[(1,) * agents] = 1.0
    game, runs = fg.MatrixGame([payoffs] * agents), 20_000
    result = fg.run(game, fg.MAPPO(1, 1, 1.0, 0.0), 1, runs, rng=1)
    steps = np.array([tables["logits"][:, 0, 1] for tables in result.tables])
    chance = 2.0**-agents
    error = np.sqrt(chance * (1 - chance) / runs)
    assert (steps.sum(axis=0) > 0).mean() == pytest.approx(chance, abs=4 * error)


@pytest.mark.parametrize("make", [fg.IPPO, fg.MAPPO])
def test_from_uniform_policies_they_end_at_safe_joint_actions(make):
    # PUBLISHED-LEARNERS 3.4: (b, b) or below in climbing, (b, b) with penalties of -100. Longer
    # steps are noisy: with 0.2 one of 200 runs of climbing ends at (a, a).
    learner = make(32, alpha_actor=0.05)
    climbing = fg.run(fg.games.climbing(), learner, 60_000, 200, rng=1)
    joint = np.stack([climbing.greedy(i)[:, 0] for i in (0, 1)])
    assert not (joint == 0).all(axis=0).any()
    payoffs = np.array([[10.0, 0.0, -100.0], [0.0, 2.0, 0.0], [-100.0, 0.0, 10.0]])
    penalty = fg.run(fg.MatrixGame([payoffs, payoffs]), learner, 60_000, 200, rng=1)
    joint = np.stack([penalty.greedy(i)[:, 0] for i in (0, 1)])
    assert (joint == 1).all()


# --- refused, and gone on from --------------------------------------------------------------------


@pytest.mark.parametrize("make", [fg.IPPO, fg.MAPPO])
def test_rollouts_that_are_longer_than_the_run_are_refused(make):
    game = fg.games.chicken()
    words = r"rollout of learners\[1\] must be at most the steps of the run, 9, got 10"
    with pytest.raises(ValueError, match=words):
        fg.run(game, [make(9), make(10)], 9)
    result = fg.run(game, make(9), 9, backend="reference")
    fg.run(game, make(9), 1, resume=result, backend="reference")


@pytest.mark.parametrize("make", [fg.IPPO, fg.MAPPO])
def test_members_of_different_sizes_cannot_share(make):
    game = fg.MatrixGame([np.zeros((2, 2, 3))] * 3)
    words = r"shared of \w+ must be False where .* as agents 0, \(1, 2\), and 2, \(1, 3\), of"
    with pytest.raises(ValueError, match=words):
        fg.run(game, make(4, shared=True), 9)
    some = [make(4, shared=True), make(4, shared=True), make(4, shared=True, label="other")]
    fg.run(game, some, 9, backend="reference")


def test_a_team_whose_joint_observations_exceed_memory():
    game = fg.remember(fg.games.public_goods(5), periods=3)
    words = r"table 'value' of learners\[0\] must have fewer than 2\^31 entries"
    with pytest.raises(ValueError, match=words):
        fg.run(game, fg.MAPPO(4), 10)


@pytest.mark.parametrize("make", [fg.IPPO, fg.MAPPO])
@pytest.mark.parametrize(
    ("options", "kind", "words"),
    [
        ({"rollout": 0}, ValueError, r"rollout must be a whole number in \[1, 2\^31\), got 0"),
        ({"epochs": 1.5}, TypeError, "epochs must be a whole number"),
        ({"alpha_critic": 1.5}, ValueError, r"alpha_critic must be in \[0, 1\], got 1.5"),
        ({"gae_lambda": -0.1}, ValueError, "gae_lambda must be in"),
        ({"clip": -0.1}, ValueError, "clip must be in"),
        ({"entropy": -1.0}, ValueError, "entropy must be in"),
        ({"shared": 1}, TypeError, "shared must be True or False, got 1"),
    ],
)
def test_parameters_outside_of_their_domains_are_refused(make, options, kind, words):
    with pytest.raises(kind, match=words):
        make(**options)


@pytest.mark.parametrize("learner", [fg.IPPO(5, 2), fg.MAPPO(5, 2, shared=True)], ids=str)
def test_a_rollout_goes_on_where_a_run_or_a_file_was_cut(tmp_path, learner):
    game = fg.games.grid_game()
    whole = fg.run(game, learner, 90, 3, rng=1, backend="reference")
    part = fg.run(game, learner, 37, 3, rng=1, backend="reference")
    part.save(tmp_path / "part.zip")
    rest = fg.run(game, learner, 53, resume=fg.load(tmp_path / "part.zip"), backend="reference")
    for one, other in zip(whole.tables, rest.tables, strict=True):
        for name in one:
            np.testing.assert_array_equal(one[name], other[name])
