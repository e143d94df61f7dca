"""What learners are told in games with turns: teams, every step, counterfactual rewards."""

import itertools

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from library.equal import assert_same
from library.games import markov_games
from library.runs import setups

import fastgames as fg
from fastgames.games.turns import may_wait, playable
from fastgames.rules.chance import below
from fastgames.rules.choice import argmax

GAMMA = 0.5
bodies = pytest.mark.parametrize("backend", ["reference", "auto"])


def choose(tables, p, o, signal):
    """Any action, whatever the tables are."""
    return int(signal * tables.q.shape[1])


# --- outcomes of teams, worked out from the path --------------------------------------------------


def log(tables, p, t):
    """Write down everything that a team of two is told."""
    at = tables.count[0]
    tables.count[0] += 1
    row = tables.log[at]
    for m in range(2):
        row[m] = t.observations[m]
        row[2 + m] = t.actions[m]
        row[4 + m] = 1.0 if t.moves[m] else 0.0
        row[6 + m] = t.next_observations[m]
        row[8 + m] = 1.0 if t.next_moves[m] else 0.0
        row[10 + m] = t.rewards[m]
    row[12] = t.weight
    row[13] = 1.0 if t.ended else 0.0
    row[14] = 1.0 if t.truncated else 0.0


STEPS = 60


def logging(asks=()):
    tables = [
        fg.Table("q"),
        fg.Table("log", (STEPS, 15), shared=True),
        fg.Table("count", (1,), kind="int64", shared=True),
    ]
    return fg.Learner(choose, log, {"gamma": GAMMA}, tables, team=True, asks=asks)


def expected_log(game, path, asks):
    """The outcomes of agents 0 and 1 as the contract on turns says, from all steps of a replica."""
    rows, moved, age = [], None, 0
    for k, s in enumerate(path.states[0]):
        joint, s2 = path.actions[0, k], None
        s2 = game.transitions[(s, *joint)]
        age += 1
        ended = bool(game.terminal[s2])
        cut = not ended and age == game.time_limit
        age = 0 if ended or cut else age
        if "steps" in asks or game.turns[:2, s].any():
            moved = k
        if moved is None:
            continue
        known = "steps" in asks or ended or game.turns[:2, s2].any()
        if known or (cut and "cuts" in asks):
            first = path.states[0, moved]
            discounts = GAMMA ** np.arange(k + 1 - moved)
            gains = discounts @ path.rewards[0, moved : k + 1, :2]
            after = game.observations[:2, s2] if known else [-1, -1]
            rows.append(
                [
                    *game.observations[:2, first], *path.actions[0, moved, :2],
                    *game.turns[:2, first], *after, *game.turns[:2, s2], *gains,
                    GAMMA ** (k + 1 - moved), ended, cut,
                ]
            )  # fmt: skip
        if known or cut:
            moved = None
    return np.array(rows)


TURNS = {
    "one at a time": [0, 1, 2, 2, 1, 2],
    "some together": [-1, 0, 2, 1, 2, 2],
    "nobody in some": np.array([[1, 0, 0, 0, 1, 0], [0, 0, 0, 1, 1, 0], [0, 0, 1, 0, 0, 0]], bool),
}


@bodies
@pytest.mark.parametrize("asks", [(), ("cuts",), ("steps",), ("cuts", "steps")], ids=str)
@pytest.mark.parametrize(
    ("limit", "terminal"), [(None, False), (None, True), (1, True), (4, False), (5, True)]
)
@pytest.mark.parametrize("turns", TURNS)
def test_a_team_is_told_what_came_of_its_moves(turns, limit, terminal, asks, backend):
    rng = np.random.default_rng(7)
    shape = (6, 2, 3, 2)
    ends = np.arange(6) == (5 if terminal else 9)
    game = fg.MarkovGame(
        rng.normal(size=(3, *shape)), rng.integers(0, 6, shape), 0.9, ~ends / (~ends).sum(), ends,
        rng.integers(0, 4, (3, 6)), turns=TURNS[turns], time_limit=limit,
    )  # fmt: skip
    team = logging(asks)
    learners = [team, team, fg.FixedPolicy([0.5, 0.5])]
    record = fg.Record(path=STEPS)
    result = fg.run(game, learners, STEPS, rng=3, record=record, backend=backend)
    expected = expected_log(game, result.path, asks)
    count = int(result.tables[0]["count"][0, 0])
    assert count == len(expected)
    np.testing.assert_allclose(result.tables[1]["log"][0, :count], expected, rtol=1e-14)


@bodies
def test_an_agent_that_asks_for_steps_learns_from_every_step(backend):
    """Agents 0 and 1 move in turn; agent 1 is told of all steps, and who moves in them."""

    def note(tables, p, t):
        k = tables.count[0]
        tables.count[0] += 1
        tables.log[k, 0] = 10 * t.observation + t.action
        tables.log[k, 1] = (1 if t.moves[0] else 0) + (2 if t.moves[1] else 0)
        tables.log[k, 2] = t.next_observation
        tables.kept[k, 0] = t.gain
        tables.kept[k, 1] = t.weight

    rewards = np.arange(4.0).reshape(1, 4, 1, 1) + np.array([0.5, 0.25]).reshape(2, 1, 1, 1)
    game = fg.MarkovGame(
        np.broadcast_to(rewards, (2, 4, 1, 2)),
        np.broadcast_to(np.reshape([1, 2, 3, 0], (4, 1, 1)), (4, 1, 2)),
        GAMMA, turns=[0, 1, -1, 0], time_limit=3,
    )  # fmt: skip
    tables = [
        fg.Table("q"), fg.Table("log", (9, 3), kind="int64"), fg.Table("kept", (9, 2)),
        fg.Table("count", (1,), kind="int64"),
    ]  # fmt: skip
    learner = fg.Learner(lambda tables, p, o, signal: 1, note, tables=tables, asks=("steps",))
    result = fg.run(game, [fg.QLearner(), learner], 6, rng=1, backend=backend)
    once = [[0, 1, 1], [11, 2, 2], [21, 3, 3]]
    assert result.tables[1]["log"][0, :6].tolist() == once * 2
    assert result.tables[1]["kept"][0, :6].tolist() == [[s + 0.25, GAMMA] for s in range(3)] * 2
    assert result.state.seats[1].pending is None


def note_movers(tables, p, t):
    """Append a digit for each agent: 2 if it moved, 1 if not."""
    for i in range(len(t.moves)):
        tables.moved[i] = 10 * tables.moved[i] + (2 if t.moves[i] else 1)


@bodies
def test_who_asks_for_all_actions_is_told_who_moved(backend):
    """Agent 0 moves in states 0 and 1 of 3, and learns in the steps before these."""
    game = fg.MarkovGame(
        np.zeros((3, 3, 1, 1, 1)), np.reshape([1, 2, 0], (3, 1, 1, 1)), turns=[0, -1, 1]
    )
    tables = [fg.Table("q"), fg.Table("moved", ("agents",), kind="int64")]
    learner = fg.Learner(choose, note_movers, tables=tables, asks=("joint",))
    result = fg.run(game, [learner, fg.QLearner(), fg.QLearner()], 4, rng=1, backend=backend)
    # Step 0: only agent 0 moves; it is to move next. Step 2: only agent 1; step 3 as step 0.
    assert result.tables[0]["moved"].tolist() == [[212, 121, 111]]
    still = fg.run(fg.games.el_farol(3, 2), learner, 2, rng=1, backend=backend)
    assert still.tables[0]["moved"].tolist() == [[22, 22, 22]]


# --- counterfactual rewards -----------------------------------------------------------------------


def joining(terminal=False):
    """Agent 0 moves in all states, agent 1 in some: in state 2 it joins, and it stays."""
    rng = np.random.default_rng(3)
    moves = np.maximum(rng.integers(0, 4, (4, 2, 3)), np.arange(4).reshape(4, 1, 1))
    return fg.MarkovGame(
        rng.normal(size=(2, 4, 2, 3)), moves, 0.9, np.append(np.full(3, 1 / 3), 0.0),
        np.arange(4) == (3 if terminal else 9), turns=np.array([[1] * 4, [0, 0, 1, 1]], bool),
        time_limit=4,
    )  # fmt: skip


@bodies
@pytest.mark.parametrize("terminal", [False, True])
def test_fictitious_play_sums_the_rewards_of_its_own_moves(terminal, backend):
    """Against the actions that the other agent can play: 0 in states in which it does not move."""
    game, steps = joining(terminal), 50
    result = fg.run(
        game, fg.FictitiousPlay(), steps, rng=2, backend=backend, record=fg.Record(path=steps)
    )
    sums, plays = np.zeros((4, 2)), np.zeros((2, 4, 3), int)
    for s, (a, b) in zip(result.path.states[0], result.path.actions[0], strict=True):
        assert game.turns[1, s] or b == 0
        sums[s] += game.rewards[0, s, :, b]
        plays[0, s, a] += 1
        plays[1, s, b] += game.turns[1, s]
    np.testing.assert_allclose(result.tables[0]["payoffs"][0], sums, rtol=1e-12)
    for i in range(2):
        counted = result.tables[i]["plays"][0]
        assert counted.tolist() == plays[i, :, : counted.shape[1]].tolist()


@pytest.mark.parametrize(
    "learner",
    [fg.RegretMatching(), fg.Hedge(0.5), fg.QLearner(0.5, counterfactual=True)],
    ids=lambda learner: learner.name,
)
def test_counterfactual_learners_agree_where_no_one_replies_in_between(learner):
    arguments = {"rng": 5, "record": fg.Record(flips=True)}
    for terminal in (False, True):
        reference = fg.run(joining(terminal), learner, 60, 3, backend="reference", **arguments)
        assert reference.tables[0][learner.table].any()
        for backend in ("auto", "numba"):
            found = fg.run(joining(terminal), learner, 60, 3, backend=backend, **arguments)
            assert_same(reference, found)


def ultimatum():
    """Agent 0 offers (state 0), agent 1 replies (states 1 and 2), then the episode ends."""
    following = np.full((4, 2, 2), 3)
    following[0] = np.array([[1, 1], [2, 2]])
    rewards = np.zeros((2, 4, 2, 2))
    rewards[:, 1, :, 0] = np.array([5.0, 5.0])[:, None]
    rewards[:, 2, :, 0] = np.array([9.0, 1.0])[:, None]
    return fg.MarkovGame(rewards, following, 1.0, 0, np.arange(4) == 3, turns=[0, 1, 1, 0])


@bodies
def test_who_has_the_last_word_knows_what_it_could_have_had(backend):
    learners = [fg.QLearner(), fg.FictitiousPlay()]
    result = fg.run(ultimatum(), learners, 200, rng=1, backend=backend)
    sums = result.tables[1]["payoffs"][0]
    plays = result.tables[1]["plays"][0].sum(axis=1)
    assert sums.tolist() == [[0, 0], [5 * plays[1], 0], [1 * plays[2], 0], [0, 0]]
    assert plays.sum() == 100 and plays[0] == 0
    with pytest.raises(ValueError, match=r"learners\[0\] needs counterfactual rewards"):
        fg.run(ultimatum(), learners[::-1], 200, backend=backend)


def learn_nothing(tables, p, t):
    pass


NEED = "needs counterfactual rewards, which are undefined in games with turns"


@pytest.mark.parametrize(
    "learner",
    [
        fg.FictitiousPlay(),
        fg.RegretMatching(),
        fg.Hedge(),
        fg.QLearner(counterfactual=True),
        fg.Learner(choose, learn_nothing, team=True, counterfactual=True, name="team"),
    ],
    ids=lambda learner: learner.name,
)
def test_counterfactual_rewards_of_moves_with_replies_are_refused(learner):
    game = fg.games.random_markov_game(3, 6, (2, 3, 2), rng=1, turns=True)
    learners = [fg.FixedPolicy([0.5, 0.5]), learner, fg.FixedPolicy([0.5, 0.5])]
    with pytest.raises(ValueError, match=rf"learners\[1\] {NEED}.* such as Exp3 or QLearner, got"):
        fg.run(game, learners, 5)


@pytest.mark.parametrize("transitions", ["deterministic", "sparse", "sum"])
@pytest.mark.parametrize("terminal", [0, 1])
def test_who_may_wait_is_found_by_search(transitions, terminal):
    """Against a search of every state and joint action that can be played."""
    found = set()
    for seed, agents in itertools.product(range(40), [(0,), (1,), (0, 1)]):
        rng = np.random.default_rng(seed)
        game = fg.games.random_markov_game(
            3, 3, 2, rng=seed, transitions="deterministic" if transitions == "sum" else transitions,
            terminal=terminal, turns=True,
        )  # fmt: skip
        turns = rng.random((3, 3)) < 0.7
        turns[0, ~game.terminal] = True
        turns[1:, 0] = False
        following = game.transitions
        if transitions == "sum":
            following = fg.games.compact.Sum(
                np.zeros(3, np.int32), rng.integers(0, 3, 8).astype(np.int32)
            )
        game = fg.MarkovGame(game.rewards, following, 0.9, game.start, game.terminal, turns=turns)
        dense = game.transitions
        if transitions == "sparse":
            dense = dense.toarray().reshape(3, 2, 2, 2, 3) > 0
        else:
            dense = np.eye(3)[dense] > 0
        waits, some = False, turns[list(agents)].any(axis=0)
        for s, joint in itertools.product(range(3), itertools.product(range(2), repeat=3)):
            can = all(turns[i, s] or joint[i] == 0 for i in range(3))
            assert can == playable(turns, (2, 2, 2))[s, np.ravel_multi_index(joint, (2, 2, 2))]
            if can and some[s] and not game.terminal[s]:
                waits |= bool((dense[(s, *joint)] & ~some & ~game.terminal).any())
        assert may_wait(game.compact, game.num_actions, agents) == waits
        found.add(waits)
    assert found == {True, False}


# --- every body gives the same bits ---------------------------------------------------------------


def choose_knowing(tables, p, o, signal, s):
    """Read everything that a situation has, but for opponents."""
    return (int(signal * tables.q.shape[1]) + s.word + s.step + s.agent) % tables.q.shape[1]


def learn_knowing(tables, p, t):
    """Add everything that a team is told to its tables."""
    kept = tables.kept
    for m in range(len(t.observations)):
        q, o, a = tables.q[m], t.observations[m], t.actions[m]
        real = q.dtype.type
        best = real(0.0)
        if not t.ended and t.next_observations[m] >= 0 and t.next_moves[m]:
            best = q[t.next_observations[m], argmax(q[t.next_observations[m]])]
        if t.moves[m]:
            q[o, a] += p.alpha * (t.rewards[m] + t.weight * best - q[o, a])
        kept[0] = kept[0] * 0.5 + t.rewards[m]
        kept[1] = kept[1] * 0.5 + (1.0 if t.moves[m] else 0.0)
        tables.whole[0] = (tables.whole[0] * 7 + 3 * o + 5 * t.next_observations[m]) % 1_000_003
    kept[2] = kept[2] * 0.5 + t.weight
    tables.whole[1] += 1
    tables.whole[2] = (tables.whole[2] * 5 + t.word + below(t.word, 3)) % 1_000_003
    if t.truncated:
        tables.whole[3] += 1


def write_uniform(tables, p, o, out):
    for a in range(len(out)):
        out[a] = 1 / len(out)


def knowing(asks):
    tables = [
        fg.Table("q"),
        fg.Table("kept", (3,), shared=True),
        fg.Table("whole", (4,), kind="int64", shared=True),
    ]
    parameters = {"alpha": 0.5, "gamma": fg.Linear(0.9, 0.1, 9)}
    return fg.Learner(
        choose_knowing, learn_knowing, parameters, tables, policy=write_uniform, team=True,
        asks=("mediator", *asks),
    )  # fmt: skip


@pytest.mark.usefixtures("passes_for_all_sizes")
@pytest.mark.parametrize(
    ("asks", "dtype"), [((), "float32"), (("cuts",), "float64"), (("steps",), "float32")], ids=str
)
@settings(max_examples=settings.default.max_examples // 4)
@given(data=st.data())
def test_users_teams_have_the_same_bits_interpreted_and_compiled(asks, dtype, data):
    game = markov_games(turns=True, shape=[2, 3, 2])
    setup = data.draw(setups(game=game, dtype=dtype, steps=40))
    team, q = knowing(asks), fg.QLearner(0.5)
    learners = data.draw(st.sampled_from([[team, team, q], [q, team, team], [team] * 3]))
    reference = setup.run(learners=learners, backend="reference")
    for capacity in (None, data.draw(st.sampled_from([1, 2, 5, 16]))):
        found = setup.run(
            learners=learners, capacity=capacity, threads=data.draw(st.integers(1, 3))
        )
        assert_same(reference, found)


# --- pending moves of teams -----------------------------------------------------------------------


def relay(limit=None):
    """Agents 0, 2 and 1 move in turn; every step pays 1 to everyone."""
    return fg.MarkovGame(
        np.ones((3, 3, 1, 1, 1)), np.reshape([1, 2, 0], (3, 1, 1, 1)), GAMMA, turns=[0, 2, 1],
        time_limit=limit,
    )  # fmt: skip


RELAY = [fg.VDN(1.0), fg.VDN(1.0), fg.QLearner(1.0)]


@bodies
@pytest.mark.parametrize("steps", range(1, 7))
def test_a_run_goes_on_with_the_pending_move_of_a_team(steps, backend, tmp_path):
    whole = fg.run(relay(), RELAY, 9, 2, rng=1, backend=backend)
    part = fg.run(relay(), RELAY, steps, 2, rng=1, backend=backend)
    pending = [seat.pending.action[0] for seat in part.state.seats[:2]]
    waits = part.state.seats[0].pending.observation[0] >= 0
    assert waits == (steps % 3 == 1)
    assert not waits or pending == [0, -1]
    part.save(tmp_path / "part.zip")
    for first in (part, fg.load(tmp_path / "part.zip")):
        assert_same(whole, fg.run(relay(), RELAY, 9 - steps, resume=first, backend=backend))


@bodies
def test_the_values_of_a_team_that_waits_in_closed_form(backend):
    """V = 1 / (1 - g) after enough moves; agent 0's target has two rewards, agent 1's one."""
    result = fg.run(relay(), RELAY, 2, rng=1, backend=backend)
    assert result.tables[0]["q"].ravel().tolist() == [1 + GAMMA, 0, 0]
    assert result.tables[1]["q"].ravel().tolist() == [0, 0, 0]
    result = fg.run(relay(), RELAY, 3, rng=1, backend=backend)
    assert result.tables[1]["q"].ravel().tolist() == [0, 0, 1 + GAMMA * (1 + GAMMA)]
    result = fg.run(relay(), RELAY, 300, rng=1, backend=backend)
    assert result.tables[0]["q"].ravel().tolist() == pytest.approx([2, 0, 0])
    assert result.tables[1]["q"].ravel().tolist() == pytest.approx([0, 0, 2])


@bodies
def test_a_time_limit_discards_moves_of_a_team_before_its_next_turn(backend):
    """Limit 1 cuts where agent 2 is to move: the team never learns. Limit 2 cuts at agent 1."""
    for limit, expected in ((1, 0.0), (2, 1 + GAMMA)):
        result = fg.run(relay(limit), RELAY, 10 * limit, rng=1, backend=backend)
        assert result.tables[0]["q"][0, 0, 0] == expected
        assert result.state.seats[0].pending.observation.tolist() == [-1]
        assert not result.tables[1]["q"].any()


@bodies
def test_another_team_does_not_take_over_pending_moves(backend):
    part = fg.run(relay(), RELAY, 1, rng=1, backend=backend)
    same = [fg.VDN(0.5), fg.VDN(0.5), fg.QLearner(1.0)]  # the same members: it does
    result = fg.run(relay(), same, 1, resume=part, backend=backend)
    assert result.tables[0]["q"][0, 0, 0] == 0.5 * (1 + GAMMA)
    for others in (
        [fg.QLearner(1.0), fg.QLearner(1.0), fg.QLearner(1.0)],
        [fg.VDN(1.0, label="one"), fg.VDN(1.0), fg.QLearner(1.0)],
    ):
        result = fg.run(relay(), others, 2, resume=part, backend=backend)
        assert not result.tables[0]["q"].any()


def test_a_team_inside_a_vector_game():
    envs = fg.VectorGame(relay(3), 2, 1, [fg.VDN(1.0), fg.VDN(1.0), None])
    for _ in range(3):
        envs.step(np.zeros((1, 2), np.int64))
    assert envs.tables(0)["q"][:, 0, 0].tolist() == [1 + GAMMA] * 2
    assert envs.tables(1)["q"][:, 2, 0].tolist() == [1 + GAMMA * (1 + GAMMA)] * 2
