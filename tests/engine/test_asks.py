"""What users' functions may ask for: the step, the mediator's word, the others' tables, columns."""

import pickle
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from library.contract import Words
from library.equal import assert_same
from library.every import FEW
from library.games import markov_games, matrix_games
from library.runs import setups

import fastgames as fg
from fastgames.rules.chance import below
from fastgames.rules.choice import argmax
from fastgames.rules.qlearning import draw_explore, policy_epsilon

ASKS = ("counterfactual", "opponents", "mediator")
bodies = pytest.mark.parametrize("backend", ["reference", "numba"])


def zero(tables, p, o, signal):
    return 0


def nothing(tables, p, t):
    pass


# --- the situation in which an agent chooses ------------------------------------------------------


def by_seat_and_step(tables, p, o, signal, s):
    return (s.agent + s.step // 3) % 2


@bodies
def test_a_choice_knows_its_seat_and_the_step(backend):
    """Agent i plays (i + floor(t / 3)) mod 2 at step t, in one go and resumed after 4 steps."""
    game, learner = fg.games.chicken(), fg.Learner(by_seat_and_step, nothing)
    record = fg.Record(joint_actions=True)
    counts = {}
    for steps in (4, 7):
        result = fg.run(game, learner, steps, 3, rng=1, backend=backend, record=record)
        expected = np.zeros((2, 2))
        for t in range(steps):
            expected[t // 3 % 2, (1 + t // 3) % 2] += 1
        assert (result.joint_counts == expected).all()
        counts[steps] = result
    resumed = fg.run(game, learner, 3, resume=counts[4], backend=backend, record=record)
    assert (resumed.joint_counts == counts[7].joint_counts).all()


def after(tables, p, o, signal, s):
    return 1 if s.step >= p.switch else 0


def test_steps_are_those_of_the_replica_in_any_lane():
    """Replicas stop at different steps, and others take their lanes."""
    game = fg.games.matching_pennies()
    learners = [
        fg.QLearner(0.5, explore=fg.EpsilonGreedy(0.3)),
        fg.Learner(after, nothing, {"switch": np.arange(40.0)}),
    ]
    arguments = {"steps": 60, "replicas": 40, "rng": 2, "stop": fg.Stable(9)}
    arguments["record"] = fg.Record(joint_actions=True)
    with pytest.warns(fg.ConvergenceWarning):
        reference = fg.run(game, learners, backend="reference", **arguments)
        result = fg.run(game, learners, threads=2, **arguments)
    played = reference.joint_counts[:, :, 0].sum(axis=1)
    assert (played == np.minimum(np.arange(40), reference.steps)).all()
    assert (result.joint_counts == reference.joint_counts).all()
    assert (result.steps == reference.steps).all()


def test_steps_in_a_vector_game_go_on_after_a_reset_of_some():
    game = fg.games.chicken()
    envs = fg.VectorGame(game, 3, 1, [None, fg.Learner(after, nothing, {"switch": 4.0})])
    rewards = []
    for k in range(6):
        if k == 2:
            envs.reset(mask=[True, False, True])
        rewards.append(envs.step(np.zeros((1, 3), np.int64))[1][0].copy())
    paid = [game.payoffs[0, 0, 0]] * 4 + [game.payoffs[0, 0, 1]] * 2
    assert np.array(rewards).tolist() == [[x] * 3 for x in paid]


# --- the mediator ---------------------------------------------------------------------------------


def keep_word(tables, p, t):
    """The last word, as learn and choose were told it, in a table of whole numbers."""
    tables.heard[0] = t.word


def shift_word(tables, p, o, signal, s):
    return s.word % 2


HEARD = (fg.Table("q"), fg.Table("heard", (1,), kind="int64"))
LISTENER = fg.Learner(shift_word, keep_word, tables=HEARD, asks=["mediator"])
DEAF = fg.Learner(shift_word, keep_word, tables=HEARD)


def words_of(seed, replica, role, count):
    words = Words(seed, replica, np.float64)
    return [words.u(role) for _ in range(count)]


@bodies
@pytest.mark.parametrize("chances", [False, True])
@pytest.mark.parametrize("agents", [2, 3])
def test_words_are_those_of_role_n_plus_1(agents, chances, backend):
    """Whether nature draws or not; everyone is told the same word; parity tells the action."""
    kind = "random" if chances else "deterministic"
    game = fg.games.random_markov_game(agents, 3, 2, rng=1, transitions=kind)
    seed, record = 2**40 + 3, fg.Record(joint_actions=True)
    for steps in (1, 2, 9):
        result = fg.run(game, LISTENER, steps, 4, seed, backend=backend, record=record)
        for r in range(4):
            u = words_of(seed, r, agents + 1, steps)
            heard = [tables["heard"][r, 0] for tables in result.tables]
            assert heard == [u[-1]] * agents
            ones = sum(x % 2 for x in u)
            assert result.joint_counts[(r, *[1] * agents)] == ones
            assert result.joint_counts[(r, *[0] * agents)] == steps - ones


@bodies
def test_who_does_not_ask_hears_nothing_and_no_other_stream_moves(backend):
    game = fg.games.random_markov_game(2, 3, 2, rng=1, transitions="random")
    arguments = {"steps": 9, "replicas": 3, "rng": 5, "backend": backend}
    asked = fg.run(game, [LISTENER, fg.QLearner()], **arguments)
    mixed = fg.run(game, [DEAF, LISTENER], **arguments)
    unasked = fg.run(game, [DEAF, fg.QLearner()], **arguments)
    assert (mixed.tables[0]["heard"] == -1).all()
    assert (mixed.tables[1]["heard"] == asked.tables[0]["heard"]).all()
    assert unasked.state.mediator is None
    for one in (asked, mixed):
        assert one.state.streams.tobytes() == unasked.state.streams.tobytes()
        assert (one.state.mediator == asked.state.mediator).all()


def test_a_mediated_run_goes_on_from_files(tmp_path):
    game = fg.games.chicken()
    whole = fg.run(game, LISTENER, 50, 5, rng=3)
    half = fg.run(game, LISTENER, 20, 5, rng=3, checkpoint=tmp_path / "half.zip")
    half.save(tmp_path / "result.zip")
    loaded = fg.load(tmp_path / "result.zip", learners=LISTENER)
    for backend in ("reference", "numba"):
        for start in (half, loaded):
            assert_same_but_policies(
                whole, fg.run(game, LISTENER, 30, resume=start, backend=backend)
            )
    again = fg.run(game, LISTENER, 20, 5, rng=3, checkpoint=tmp_path / "half.zip")
    assert (again.state.mediator == half.state.mediator).all()


def assert_same_but_policies(one, other):
    """The learners here have no function `policy`."""
    for i, tables in enumerate(one.tables):
        for name, table in tables.items():
            assert table.tobytes() == other.tables[i][name].tobytes()
    assert one.state.streams.tobytes() == other.state.streams.tobytes()
    assert one.state.mediator.tobytes() == other.state.mediator.tobytes()
    assert (one.steps == other.steps).all()


def test_only_mediated_runs_hold_the_stream(tmp_path):
    for learner, there in ((LISTENER, True), (DEAF, False)):
        path = tmp_path / f"{there}.zip"
        fg.run(fg.games.chicken(), learner, 5, 2, rng=1).save(path)
        names = zipfile.ZipFile(path).namelist()
        assert any("mediator" in name for name in names) == there


def test_a_stream_of_zeros_is_refused(tmp_path):
    """xoshiro128++ would stay there."""
    result = fg.run(fg.games.chicken(), LISTENER, 5, 2, rng=1)
    result.state.mediator[1] = 0
    with pytest.raises(ValueError, match="state/mediator has a state of zeros"):
        result.save(tmp_path / "result.zip")


@bodies
def test_a_mediator_asked_for_later_begins_its_stream(backend):
    game = fg.games.chicken()
    start = fg.run(game, DEAF, 7, 2, rng=3, backend=backend)
    result = fg.run(game, LISTENER, 4, resume=start, backend=backend)
    for r in range(2):
        assert result.tables[0]["heard"][r, 0] == words_of(3, r, 3, 4)[-1]


def test_a_mediator_in_a_vector_game():
    """It goes on in a copy, and begins anew after a reset with a seed."""
    envs = fg.VectorGame(fg.games.chicken(), 3, 5, [None, LISTENER])
    for seed, first in ((5, 1), (5, 3), (8, 1)):
        if seed == 8:
            envs.reset(rng=8)
        for k in range(first, first + 2):
            envs.step(np.zeros((1, 3), np.int64))
            heard = envs.tables(1)["heard"][:, 0].tolist()
            assert heard == [words_of(seed, r, 3, k)[-1] for r in range(3)]
        envs = pickle.loads(pickle.dumps(envs))


def test_listings_have_no_mediator():
    with pytest.raises(ValueError, match='stream must be "fastgames" for a learner that asks'):
        fg.run(fg.games.chicken(), LISTENER, 5, stream="numpy", rng=1)


# --- a correlated equilibrium ---------------------------------------------------------------------


def as_advised(tables, p, o, signal, s):
    """Of three equally likely cases, agent 0 dares in case 0, agent 1 in case 1."""
    return 1 if below(s.word, 3) == s.agent else 0


@pytest.mark.parametrize("backend", ["reference", "numba"])
def test_advice_in_chicken_is_a_correlated_equilibrium(backend):
    """Each of (1, 0), (0, 1), (0, 0) has probability 1/3 (Aumann 1974): payoffs 8/3 on average.

    No pair of independent mixed strategies that is an equilibrium is as good for both: the mixed
    one pays 2. Told to swerve, an agent expects (3 + 1) / 2 = 2 and gets (4 + 0) / 2 = 2 by going
    straight; told to go straight, it gets 4, more than 3.
    """
    game = fg.games.chicken()
    steps, replicas = (300, 10) if backend == "reference" else (3_000, 100)
    record = fg.Record(joint_actions=True, rewards=True)
    learner = fg.Learner(as_advised, nothing, asks=("mediator",))
    result = fg.run(game, learner, steps, replicas, rng=11, backend=backend, record=record)
    counts = result.joint_counts.sum(axis=0)
    assert counts[1, 1] == 0
    total = steps * replicas
    spread = 5 * (total * 2 / 9) ** 0.5
    assert np.abs(counts - np.array([[1, 1], [1, 0]]) * total / 3).max() < spread
    near = 5 * (14 / 9 / total) ** 0.5  # of payoffs 3, 4, 1 with probabilities 1/3
    assert result.mean_reward.mean(axis=0) == pytest.approx([8 / 3] * 2, abs=near)


# --- the others' tables ---------------------------------------------------------------------------


def count_and_read(tables, p, t):
    """Count the outcomes, and keep what the others' counts were."""
    tables.n[0] += t.agent + 1
    for j in range(len(t.opponents)):
        tables.seen[j] = t.opponents[j].n[0]


def count_only(tables, p, t):
    tables.n[0] += t.agent + 1


def choose_by_theirs(tables, p, o, signal, s):
    return s.opponents[0].n[0] // (2 - s.agent % 2) % 2


READ = (
    fg.Table("q"),
    fg.Table("n", (1,), kind="int64"),
    fg.Table("seen", ("agents",), kind="int64", initial=-1),
)
READER = fg.Learner(zero, count_and_read, tables=READ, asks=("opponents",))
COUNTER = fg.Learner(zero, count_only, tables=READ)


@bodies
@pytest.mark.parametrize("readers", [(0,), (1,), (2,), (0, 1), (1, 2), (0, 2), (0, 1, 2)])
def test_tables_are_read_as_before_anyone_learned(readers, backend):
    """At step t the count of agent j was (j + 1) t, whoever learns first."""
    game = fg.games.random_markov_game(3, 2, 2, rng=1)
    learners = [READER if i in readers else COUNTER for i in range(3)]
    for steps in (1, 2, 5):
        result = fg.run(game, learners, steps, 3, rng=1, backend=backend)
        for i in range(3):
            seen = [(j + 1) * (steps - 1) for j in range(3) if j != i]
            expected = [*seen, -1] if i in readers else [-1] * 3
            assert result.tables[i]["seen"].tolist() == [expected] * 3
            assert (result.tables[i]["n"] == steps * (i + 1)).all()


@bodies
def test_a_choice_reads_the_tables_too(backend):
    """Before step t, agent 1 stands at 2 t, and agent 0 at t."""
    learner = fg.Learner(choose_by_theirs, count_and_read, tables=READ, asks=("opponents",))
    record = fg.Record(joint_actions=True)
    game = fg.games.chicken()
    result = fg.run(game, learner, 10, 2, rng=1, backend=backend, record=record)
    assert result.joint_counts.tolist() == [[[5, 0], [0, 5]]] * 2


def best_response(tables, p, t):
    """Play against the policy that the other's table of values has now: its first best action."""
    theirs = t.opponents[0]
    kept = tables.kept
    row = theirs.q[t.next_observation]
    for a in range(len(row)):
        kept[a] = row[a]
    kept[len(row)] = kept[0] * 0.5 + theirs.q.shape[1]


@bodies
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("states", [1, 4])
def test_tables_of_built_in_learners_are_read(states, dtype, backend):
    """Five actions, whose rows built-in passes pad; a fixed policy, of which they hold sums."""
    game = fg.games.random_markov_game(2, states, (2, 5), rng=4)
    reader = fg.Learner(
        zero, best_response, tables=[fg.Table("q"), fg.Table("kept", (6,))], asks=("opponents",)
    )
    arguments = {"replicas": 3, "rng": 2, "dtype": dtype}
    q = fg.QLearner(0.5, explore=fg.EpsilonGreedy(0.5))
    before = fg.run(game, [reader, q], 20, **arguments)
    now = fg.run(game, [reader, q], 1, resume=before, backend=backend)
    for r in range(3):
        expected = before.tables[1]["q"][r, now.states[r]]
        assert now.tables[0]["kept"][r, :5].tolist() == expected.tolist()
    plain = fg.run(game, [fg.Learner(zero, nothing), q], 21, **arguments)
    assert now.tables[1]["q"].tobytes() == plain.tables[1]["q"].tobytes()

    def read_policy(tables, p, t):
        for a in range(5):
            tables.kept[a] = t.opponents[0].probabilities[t.observation, a]

    weights = [0.25, 0.125, 0.125, 0.25, 0.25]
    reader = fg.Learner(zero, read_policy, tables=reader.tables, asks=("opponents",))
    result = fg.run(game, [reader, fg.FixedPolicy(weights)], 3, backend=backend, **arguments)
    assert result.tables[0]["kept"][:, :5].tolist() == [weights] * 3


@bodies
def test_no_opponents(backend):
    def none(tables, p, t):
        tables.n[0] += len(t.opponents)

    learner = fg.Learner(zero, none, tables=READ, asks=("opponents",))
    result = fg.run(fg.MatrixGame([[1.0, 2.0]]), learner, 3, rng=1, backend=backend)
    assert result.tables[0]["n"].tolist() == [[0]]


def write_theirs(tables, p, t):
    t.opponents[0].n[0] = 1


@pytest.mark.parametrize(("backend", "error"), [("reference", fg.RuleError), ("numba", TypeError)])
def test_tables_of_others_are_read_only(backend, error):
    learner = fg.Learner(zero, write_theirs, tables=READ, asks=("opponents",))
    with pytest.raises(error):
        fg.run(fg.games.chicken(), learner, 3, rng=1, backend=backend)


# --- teams ----------------------------------------------------------------------------------------


def keep_columns(tables, p, t):
    """Every member's column and action in its own tables; the word in a common one."""
    for i in range(len(t.actions)):
        for a in range(len(t.columns[i])):
            tables.column[i][a] = t.columns[i][a]
        tables.chosen[i][0] = t.actions[i]
    tables.common[0] = t.word
    tables.common[1] += 1


def keep_columns_and_others(tables, p, t):
    """Keep the others' counts, too."""
    keep_columns(tables, p, t)
    for j in range(len(t.opponents)):
        tables.common[2 + j] = t.opponents[j].n[0]


def by_units(tables, p, o, signal):
    row = tables[0][o]
    return int(signal * len(row))


KEPT = (
    fg.Table("q"),
    fg.Table("column", ("actions",)),
    fg.Table("chosen", (1,), kind="int64"),
    fg.Table("common", (4,), kind="int64", shared=True),
)
ALL = fg.Learner(
    by_units, keep_columns, tables=KEPT, team=True, asks=("counterfactual", "mediator")
)
SOME = fg.Learner(
    by_units, keep_columns_and_others, tables=KEPT, team=True,
    asks=[name for name in ASKS if name != "joint"],
)  # fmt: skip


@bodies
@pytest.mark.parametrize("members", [(0, 1), (0, 2), (1, 2), (0, 1, 2)])
def test_a_team_is_told_its_columns_the_word_and_the_others(members, backend):
    """Each member's column is the game's, at what all others played."""
    game = fg.games.random_markov_game(3, 4, (2, 3, 4), rng=8)
    reading = fg.Learner(by_units, count_team, tables=READ, asks=("opponents",))
    team = ALL if len(members) == 3 else SOME
    learners = [team if i in members else reading for i in range(3)]
    before = fg.run(game, learners, 20, 5, rng=2, backend=backend)
    record = fg.Record(joint_actions=True)
    after = fg.run(game, learners, 1, resume=before, backend=backend, record=record)
    first = members[0]
    for r in range(5):
        joint = np.argwhere(after.joint_counts[r])[0].tolist()
        for i in members:
            own = (i, before.states[r], *joint[:i], slice(None), *joint[i + 1 :])
            assert after.tables[i]["column"][r].tolist() == game.rewards[own].tolist()
            assert after.tables[i]["chosen"][r, 0] == joint[i]
        common = after.tables[first]["common"][r].tolist()
        assert common[:2] == [words_of(2, r, 4, 21)[-1], 21]
        outside = [i for i in range(3) if i not in members]
        assert common[2 : 2 + len(outside)] == [(i + 1) * 20 for i in outside]
        for i in outside:  # the outsider saw the team's table as before this step
            assert after.tables[i]["seen"][r].tolist() == [20] * 2 + [-1]


def count_team(tables, p, t):
    tables.n[0] += t.agent + 1
    for j in range(len(t.opponents)):
        tables.seen[j] = t.opponents[j].common[1]


@bodies
def test_columns_of_a_team_in_a_game_of_functions(backend):
    """Rewards are the number of the joint action."""
    game = fg.ProceduralGame(
        begin, number, see, num_actions=(2, 3), num_observations=(1, 1), largest_reward=10.0
    )
    result = fg.run(game, ALL, 5, 3, rng=2, backend=backend)
    for r in range(3):
        a, b = (int(tables["chosen"][r, 0]) for tables in result.tables)
        assert result.tables[0]["column"][r].tolist() == [b, 3 + b]
        assert result.tables[1]["column"][r].tolist() == [3 * a, 3 * a + 1, 3 * a + 2]


def begin(state, words):
    state[0] = 0


def number(state, actions, rewards, words):
    rewards[0] = rewards[1] = 3.0 * actions[0] + actions[1]
    return False


def see(state, agent):
    return 0


# --- moves that a time limit cuts -----------------------------------------------------------------


def count_cuts(tables, p, t):
    """Outcomes, truncated ones, and those whose return is not known; the last gain and weight."""
    tables.counts[0] += 1
    if t.truncated:
        tables.counts[1] += 1
    if t.next_observation < 0:
        tables.counts[2] += 1
        tables.kept[0], tables.kept[1] = t.gain, t.weight


def circle(agents, limit):
    states, ones = np.arange(agents), (1,) * agents
    return fg.MarkovGame(
        np.ones((agents, agents, *ones)), ((states + 1) % agents).reshape(agents, *ones), 0.5,
        turns=states, time_limit=limit,
    )  # fmt: skip


@bodies
@pytest.mark.parametrize("agents", [2, 3])
@pytest.mark.parametrize("limit", range(1, 8))
def test_who_asks_sees_every_move_that_is_cut(limit, agents, backend):
    """Agent i moves at i, i + N, ... < L. All its moves are learnt from; the last one is cut.

    At its last move, L - m steps before the limit, it gains 1 + g + ... + g^(L - m - 1) until the
    cut, and the weight of what follows is g^(L - m). If L - m is N, it is to move there.
    """
    counts = fg.Table("counts", (3,), kind="int64")
    learner = fg.Learner(
        zero, count_cuts, tables=[fg.Table("q"), counts, fg.Table("kept", (2,))], asks=("cuts",)
    )
    episodes = 4
    result = fg.run(circle(agents, limit), learner, limit * episodes, 2, rng=1, backend=backend)
    for i in range(agents):
        moves = len(range(i, limit, agents))
        left = limit - range(i, limit, agents)[-1] if moves else 0
        unknown = moves > 0 and left < agents
        expected = [moves * episodes, episodes * (moves > 0), episodes * unknown]
        assert result.tables[i]["counts"].tolist() == [expected] * 2
        if unknown:
            known = [2 - 2 * 0.5**left, 0.5**left]
            assert result.tables[i]["kept"].tolist() == [known] * 2


# --- every body gives the same bits ---------------------------------------------------------------


def choose_knowing(tables, p, o, signal, s):
    """Read everything that a situation has."""
    row = tables.q[o]
    if signal >= 0:
        return (int(signal) + s.word + s.step + s.agent) % len(row)
    theirs = s.opponents[0]
    return (argmax(row) + int(theirs.q[0, 0] > 0.5) + s.word % 2) % len(row)


def learn_knowing(tables, p, t):
    """Add everything that an outcome has to a table, of whole numbers and of reals."""
    whole, kept = tables.whole, tables.kept
    if t.next_observation >= 0:
        learn_like_q(tables, p, t)
    else:
        whole[0] += 1
    if t.truncated:
        whole[1] = whole[1] * 3 + t.observation
    whole[2] = (whole[2] * 5 + t.word) % 1_000_003
    theirs = t.opponents[0]
    kept[0] = kept[0] * 0.5 + theirs.q[0, 0]
    kept[1] = kept[1] * 0.5 + theirs.q[theirs.q.shape[0] - 1, theirs.q.shape[1] - 1]


def learn_like_q(tables, p, t):
    q, real = tables.q, tables.q.dtype.type
    best = real(0.0)
    if not t.ended:
        best = q[t.next_observation, argmax(q[t.next_observation])]
    error = t.gain + t.weight * best - q[t.observation, t.action]
    q[t.observation, t.action] += p.alpha * error


def knowing(alpha, epsilon):
    return fg.Learner(
        choose_knowing,
        learn_knowing,
        {"alpha": alpha, "gamma": None, "epsilon": epsilon},
        [fg.Table("q"), fg.Table("whole", (3,), kind="int64"), fg.Table("kept", (2,))],
        draw=draw_explore,
        policy=policy_epsilon,
        asks=("cuts", "opponents", "mediator"),
    )


@pytest.mark.usefixtures("passes_for_all_sizes")
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("seats", ["both", "first", "second"])
@FEW
@given(data=st.data())
def test_every_body_gives_the_same_bits(seats, dtype, data):
    shape = [data.draw(st.integers(1, 5)) for _ in range(2)]
    games = st.one_of(
        markov_games(shape=shape), markov_games(shape=shape, turns=True), matrix_games(st.just(2))
    )
    setup = data.draw(setups(game=games, dtype=dtype))
    q = fg.QLearner(0.5, explore=fg.EpsilonGreedy(fg.Exponential(0.9, 0.1)))
    mine = knowing(data.draw(st.sampled_from([0.5, fg.Linear(0.9, 0.1, 9)])), 0.3)
    learners = {"both": [mine, mine], "first": [mine, q], "second": [q, mine]}[seats]
    reference = setup.run(learners=learners, backend="reference")
    for capacity in (None, data.draw(st.sampled_from([1, 2, 5, 16]))):
        found = setup.run(
            learners=learners, capacity=capacity, threads=data.draw(st.integers(1, 3))
        )
        assert_same(reference, found)


# --- bad arguments --------------------------------------------------------------------------------


def too_many(tables, p, o, signal, s, more):
    return 0


def misspelt(tables, p, o, signal, s):
    return s.steps


BAD = [
    ({"asks": "opponents"}, TypeError, "asks must be a sequence of names"),
    ({"asks": ["opponent"]}, ValueError, "did you mean 'opponents'"),
    ({"asks": [3]}, ValueError, "asks must be one of"),
    ({"choose": too_many}, TypeError, "choose must take 4 arguments"),
    ({"choose": misspelt}, TypeError, r"did you mean s\.step\?"),
]


@pytest.mark.parametrize(("changes", "error", "message"), BAD)
def test_bad_asks(changes, error, message):
    with pytest.raises(error, match=message):
        fg.Learner(**{"choose": zero, "learn": nothing} | changes)


def test_agents_from_outside_have_no_tables():
    with pytest.raises(ValueError, match='must not include "opponents" where actions of an agent'):
        fg.VectorGame(fg.games.chicken(), 2, 1, [None, READER])


@pytest.mark.parametrize("asked", [{"joint": True}, {"asks": ["joint"]}])
def test_a_team_does_not_ask_for_what_it_is_told_anyway(asked):
    with pytest.raises(ValueError, match="joint must be False for a team, got True"):
        fg.Learner(zero, nothing, team=True, **asked)


def test_flags_and_asks_are_the_same():
    one = fg.Learner(zero, nothing, joint=True, counterfactual=True)
    other = fg.Learner(zero, nothing, asks=("joint", "counterfactual"))
    assert one == other
    assert other.joint
    assert other.counterfactual
    assert not replace(other, joint=False).joint
    assert len({one, fg.Learner(zero, nothing), fg.Learner(zero, nothing, asks=["cuts"])}) == 3
