"""Outcomes at a time limit: users' returns and traces have the values of linear algebra."""

import numpy as np
import pytest

import fastgames as fg
from fastgames.learners import RuleLearner, Rules
from fastgames.rules.choice import sample

LIMIT, LAMBDA = 4, 0.8
bodies = pytest.mark.parametrize("backend", ["reference", "numba"])


# --- learners as users write them: the values of a fixed policy -----------------------------------


def choose(tables, p, o, signal):
    return sample(tables.policy[o], signal)


def by_returns(tables, p, t):
    """Every-visit Monte Carlo: at the end of an episode, the discounted return of each visit."""
    v, n = tables.v, tables.count[0]
    tables.seen[n], tables.gains[n], tables.weights[n] = t.observation, t.gain, t.weight
    tables.count[0] = n + 1
    if t.ended or t.truncated:
        tables.count[0] = 0
        total = v[t.next_observation]
        if t.ended:
            total = v.dtype.type(0.0)
        for k in range(n, -1, -1):
            total = tables.gains[k] + tables.weights[k] * total
            tables.totals[k] = total
        for k in range(n + 1):
            v[tables.seen[k]] += p.alpha * (tables.totals[k] - v[tables.seen[k]])


def by_traces(tables, p, t):
    """TD(lambda) with accumulating traces, whose sum is added at the end of an episode."""
    v, trace, change = tables.v, tables.trace, tables.change
    value = v[t.next_observation]
    if t.ended:
        value = v.dtype.type(0.0)
    error = t.gain + t.weight * value - v[t.observation]
    trace[t.observation] += 1.0
    for o in range(len(v)):
        change[o] += p.alpha * error * trace[o]
        trace[o] *= t.weight * p.decay
    if t.ended or t.truncated:
        for o in range(len(v)):
            v[o] += change[o]
            change[o] = 0.0
            trace[o] = 0.0


def by_returns_with_turns(tables, p, t):
    """The same if a limit may cut a move before the agent's next turn: it asks for "cuts".

    Such a move is not learnt from. The returns of earlier moves have the value of its observation.
    """
    v, n = tables.v, tables.count[0]
    if t.next_observation < 0:
        total = v[t.observation]
    else:
        tables.seen[n], tables.gains[n], tables.weights[n] = t.observation, t.gain, t.weight
        total = v[t.next_observation]
        n += 1
    tables.count[0] = n
    if t.ended or t.truncated:
        tables.count[0] = 0
        if t.ended:
            total = v.dtype.type(0.0)
        for k in range(n - 1, -1, -1):
            total = tables.gains[k] + tables.weights[k] * total
            tables.totals[k] = total
        for k in range(n):
            v[tables.seen[k]] += p.alpha * (tables.totals[k] - v[tables.seen[k]])


RETURNS = (
    fg.Table("v", ("observations",)),
    fg.Table("count", (1,), kind="int64"),
    fg.Table("seen", (LIMIT,), kind="int64"),
    *(fg.Table(name, (LIMIT,)) for name in ("gains", "weights", "totals")),
)
TRACES = tuple(fg.Table(name, ("observations",)) for name in ("v", "trace", "change"))
KINDS = {"returns": (by_returns, RETURNS), "traces": (by_traces, TRACES)}
TURNS = (by_returns_with_turns, RETURNS)


def learner(policy, kind, alpha, **more):
    learn, tables = {**KINDS, "turns": TURNS}[kind]
    first = fg.Table("policy", initial=policy)
    given = {"alpha": alpha, "decay": LAMBDA}
    return fg.Learner(choose, learn, given, (first, *tables), **more)


# --- what they must learn -------------------------------------------------------------------------


def expected_values(game, policies):
    """The values of every agent in every state, (N, S): (I - gamma P)^-1 r."""
    states = game.num_states
    moves = game.transitions
    if not isinstance(moves, np.ndarray):
        moves = moves.toarray().reshape(states, *game.num_actions, states)
    moves = np.eye(states)[moves] if moves.dtype.kind == "i" else moves
    chances, rewards = np.zeros((states, states)), np.zeros((game.num_agents, states))
    for s in range(states):
        for joint in np.ndindex(game.num_actions):
            weight = 1.0
            for i, a in enumerate(joint):
                weight *= policies[i][s, a] if game.turns[i, s] else float(a == 0)
            chances[s] += weight * moves[(s, *joint)]
            rewards[:, s] += weight * game.rewards[(slice(None), s, *joint)]
    goes_on = ~game.terminal
    values = np.zeros((game.num_agents, states))
    lives = np.eye(states) - game.discount * chances * goes_on
    values[:, goes_on] = np.linalg.solve(lives, rewards.T).T[:, goes_on]
    return values


def drawn_policies(rng, game, certain):
    """A random policy of each agent: one action for sure, or a share of each."""
    for actions in game.num_actions:
        if certain:
            yield np.eye(actions)[rng.integers(actions, size=game.num_states)]
        else:
            yield rng.dirichlet(np.ones(actions), game.num_states)


def random_game(seed, transitions, **more):
    return fg.games.random_markov_game(
        2, 5, (2, 3), rng=seed, transitions=transitions, start="random", time_limit=LIMIT, **more
    )


@bodies
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(4))
def test_values_where_nothing_is_left_to_chance_are_exact(seed, kind, backend):
    """Every target is the value itself in the limit, whatever the step size."""
    game = random_game(seed, "deterministic", terminal=seed % 2)
    policies = list(drawn_policies(np.random.default_rng(seed), game, certain=True))
    learners = [learner(policy, kind, 0.5) for policy in policies]
    steps = 1_500 if backend == "reference" else 20_000
    result = fg.run(game, learners, steps, rng=seed, backend=backend)
    visited = result.tables[0]["v"][0] != 0.0
    assert visited.sum() >= 4
    for i, expected in enumerate(expected_values(game, policies)):
        near = 1e-9 if backend == "numba" else 1e-2
        found = result.tables[i]["v"][0, visited]
        np.testing.assert_allclose(found, expected[visited], rtol=near, atol=near)


@bodies
@pytest.mark.parametrize("terminal", [0, 1])
@pytest.mark.parametrize("seed", [2, 5, 6, 8])
def test_values_with_turns_are_exact(seed, terminal, backend):
    """Those of the states in which an agent moves.

    In these games an agent is to move again within the limit, or the episode ends: a state after
    which every move is cut would never be learnt.
    """
    game = random_game(seed, "deterministic", terminal=terminal, turns=True)
    policies = list(drawn_policies(np.random.default_rng(seed), game, certain=True))
    learners = [learner(policy, "turns", 0.5, asks=("cuts",)) for policy in policies]
    steps = 8_000 if backend == "reference" else 20_000
    result = fg.run(game, learners, steps, rng=seed, backend=backend)
    near = 1e-9 if backend == "numba" else 1e-2
    for i, expected in enumerate(expected_values(game, policies)):
        found = result.tables[i]["v"][0]
        visited = found != 0.0
        assert (visited == (game.turns[i] & ~game.terminal)).all()
        np.testing.assert_allclose(found[visited], expected[visited], rtol=near, atol=near)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("transitions", ["random", "sparse"])
@pytest.mark.parametrize("terminal", [0, 1])
def test_values_in_games_of_chance(terminal, transitions, kind):
    """The means of 200 replicas, as the step size falls to 0."""
    game = random_game(7, transitions, terminal=terminal)
    policies = list(drawn_policies(np.random.default_rng(1), game, certain=False))
    alpha = fg.Linear(0.1, 0.0, 8_000)
    learners = [learner(policy, kind, alpha) for policy in policies]
    result = fg.run(game, learners, 8_000, 200, rng=3)
    for i, expected in enumerate(expected_values(game, policies)):
        goes_on = ~game.terminal
        mean = result.tables[i]["v"].mean(axis=0)
        np.testing.assert_allclose(mean[goes_on], expected[goes_on], atol=0.03)


def forward_view(game, joint_of, start, steps, alpha):
    """Offline lambda-returns of a game without chance, from their definition; agent 0's values."""
    v, state = np.zeros(game.num_states), start
    for _ in range(steps // LIMIT):
        path, rewards = [state], []
        for _ in range(LIMIT):
            joint = joint_of[path[-1]]
            rewards.append(game.rewards[(0, path[-1], *joint)])
            path.append(int(game.transitions[(path[-1], *joint)]))
        gamma, change = game.discount, np.zeros_like(v)
        for t in range(LIMIT):
            total, mixed = 0.0, 0.0
            for n in range(1, LIMIT - t + 1):  # the n-step returns
                total += gamma ** (n - 1) * rewards[t + n - 1]
                share = (1 - LAMBDA) * LAMBDA ** (n - 1)
                if t + n == LIMIT:
                    share = LAMBDA ** (n - 1)
                mixed += share * (total + gamma**n * v[path[t + n]])
            change[path[t]] += alpha * (mixed - v[path[t]])
        v += change
    return v


@bodies
@pytest.mark.parametrize("episodes", [1, 2, 3, 7])
def test_traces_are_the_forward_view_of_each_episode(episodes, backend):
    """Sutton & Barto 2018, section 12.1; a trace that outlives its episode has other values."""
    game = fg.games.random_markov_game(2, 5, (2, 3), rng=5, time_limit=LIMIT)
    policies = list(drawn_policies(np.random.default_rng(2), game, certain=True))
    learners = [learner(policy, "traces", 0.5) for policy in policies]
    result = fg.run(game, learners, episodes * LIMIT, rng=1, backend=backend)
    joint_of = list(zip(*(policy.argmax(axis=1) for policy in policies), strict=True))
    expected = forward_view(game, joint_of, game.start, episodes * LIMIT, 0.5)
    np.testing.assert_allclose(result.tables[0]["v"][0], expected, rtol=1e-12)


# --- teams ----------------------------------------------------------------------------------------


def by_returns_of_all(tables, p, t):
    """Monte Carlo for every member, in one memory."""
    n, members = tables.count[0], len(t.observations)
    for i in range(members):
        tables.seen[n, i], tables.gains[n, i] = t.observations[i], t.rewards[i]
    tables.count[0] = n + 1
    if t.ended or t.truncated:
        tables.count[0] = 0
        for i in range(members):
            v = tables.v[i]
            total = v[t.next_observations[i]]
            if t.ended:
                total = v.dtype.type(0.0)
            for k in range(n, -1, -1):
                total = tables.gains[k, i] + t.weight * total
                o = tables.seen[k, i]
                v[o] += p.alpha * (total - v[o])


@bodies
@pytest.mark.parametrize("terminal", [0, 1])
def test_values_of_a_team(terminal, backend):
    game = fg.games.random_markov_game(
        2, 5, 3, rng=6, start="random", time_limit=LIMIT, terminal=terminal
    )
    policy = next(drawn_policies(np.random.default_rng(4), game, certain=True))
    memory = [
        fg.Table("v", ("observations",)),
        fg.Table("count", (1,), kind="int64", shared=True),
        fg.Table("seen", (LIMIT, "agents"), kind="int64", shared=True),
        fg.Table("gains", (LIMIT, "agents"), shared=True),
    ]
    tables = (fg.Table("policy", initial=policy), *memory)
    team = fg.Learner(choose, by_returns_of_all, {"alpha": 0.5}, tables, team=True)
    steps = 1_500 if backend == "reference" else 20_000
    result = fg.run(game, team, steps, rng=2, backend=backend)
    visited = result.tables[0]["v"][0] != 0.0
    assert visited.sum() >= 4
    for i, expected in enumerate(expected_values(game, [policy] * 2)):
        near = 1e-9 if backend == "numba" else 1e-2
        found = result.tables[i]["v"][0, visited]
        np.testing.assert_allclose(found, expected[visited], rtol=near, atol=near)


# --- every kind of end, counted -------------------------------------------------------------------


def count_ends(tables, p, t):
    """How many outcomes there were, how many of them ended, and how many were truncated."""
    tables.counts[0] += 1
    if t.ended:
        tables.counts[1] += 1
    if t.truncated:
        tables.counts[2] += 1


def first_action(tables, p, o, signal):
    return 0


COUNTER = fg.Learner(
    first_action, count_ends, tables=[fg.Table("q"), fg.Table("counts", (3,), kind="int64")]
)


def circle(agents, limit, **more):
    """Agents move one after the other, in a circle of states."""
    states, ones = np.arange(agents), (1,) * agents
    return fg.MarkovGame(
        np.ones((agents, agents, *ones)), ((states + 1) % agents).reshape(agents, *ones), 0.9,
        turns=states, time_limit=limit, **more,
    )  # fmt: skip


@bodies
@pytest.mark.parametrize("agents", [2, 3])
@pytest.mark.parametrize("limit", range(1, 8))
def test_with_turns_only_the_agent_to_move_sees_the_cut(limit, agents, backend):
    """Agent i moves at i, i + N, ...; at the limit L it is the turn of agent L mod N."""
    episodes = 5
    result = fg.run(circle(agents, limit), COUNTER, limit * episodes, 2, rng=1, backend=backend)
    for i in range(agents):
        learnt = max(0, (limit - i) // agents)
        cut = learnt > 0 and limit % agents == i
        assert result.tables[i]["counts"].tolist() == [[episodes * learnt, 0, episodes * cut]] * 2


@bodies
def test_a_terminal_state_at_the_limit_is_no_cut(backend):
    """Three states in a row, of which the last is terminal; limits before, at and after it."""
    moves = np.reshape([1, 2, 2], (3, 1, 1))
    for limit, counts in ((1, [12, 0, 12]), (2, [12, 6, 0]), (3, [12, 6, 0])):
        game = fg.MarkovGame(
            np.ones((2, 3, 1, 1)), moves, 0.9, terminal=[False, False, True], time_limit=limit
        )
        result = fg.run(game, COUNTER, 12, rng=1, backend=backend)
        assert result.tables[1]["counts"].tolist() == [counts]


def start(state, words):
    state[0] = 0


def step(state, actions, rewards, words):
    state[0] += 1
    rewards[0] = rewards[1] = 1.0
    return state[0] == 5


def observe(state, agent):
    return 0


@bodies
def test_games_of_functions(backend):
    for limit, counts in ((4, [20, 0, 5]), (5, [20, 4, 0]), (None, [20, 4, 0])):
        game = fg.ProceduralGame(
            start, step, observe, num_actions=(2, 2), num_observations=(1, 1), time_limit=limit
        )
        result = fg.run(game, COUNTER, 20, rng=1, backend=backend)
        assert result.tables[0]["counts"].tolist() == [counts]


def test_learners_inside_a_vector_game():
    envs = fg.VectorGame(circle(2, 3), 5, 1, [None, COUNTER])
    for _ in range(12):
        envs.step(np.zeros((1, 5), np.int64))
    assert envs.tables(1)["counts"].tolist() == [[4, 0, 4]] * 5


def test_no_limit_no_cut():
    for game in (fg.games.chicken(), fg.remember(fg.games.chicken(), discount=0.9)):
        result = fg.run(game, COUNTER, 9, rng=1)
        assert result.tables[0]["counts"].tolist() == [[9, 0, 0]]


class Deferring(RuleLearner):
    """The counter above, which learns once its next action is known."""

    name = "deferring"

    @property
    def rules(self):
        """Rules of this learner."""
        counts = fg.Table("counts", (3,), kind="int64")
        return Rules(
            (), (fg.Table("q"), counts), None, first_action, count_ends, None, words=0, defers=True
        )


@bodies
@pytest.mark.parametrize("limit", [1, 2, 5])
def test_deferred_learning_sees_the_cut_at_the_last_move(limit, backend):
    """Each of its moves is learnt from once: at the next move, or at the cut."""
    game = fg.games.random_markov_game(2, 3, 2, rng=1, time_limit=limit)
    result = fg.run(game, Deferring(), 4 * limit, rng=1, backend=backend)
    assert result.tables[0]["counts"].tolist() == [[4 * limit, 0, 4]]
    turns = fg.run(circle(2, limit), Deferring(), 4 * limit, rng=1, backend=backend)
    for i in range(2):
        learnt = max(0, (limit - i) // 2)
        cut = learnt > 0 and limit % 2 == i
        assert turns.tables[i]["counts"].tolist() == [[4 * learnt, 0, 4 * cut]]
