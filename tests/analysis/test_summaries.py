"""Summaries: each name is the function it stands for, of all replicas and of parts of them."""

import pickle
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
from library.parts import EACH, TOTAL, dilemma, turns

import fastgames as fg
from fastgames import analysis
from fastgames.analysis import (
    best_responses,
    limit_cycle,
    limit_distribution,
    profit_gain,
    responses,
    summaries,
    summary,
)
from fastgames.errors import KeepError
from fastgames.runs.keep import digest_of_keep

MARKETS = [fg.games.logit_bertrand(prices=4, c=[1.0, cost]) for cost in (1.0, 1.1, 1.2)]
INDEX = np.arange(TOTAL) % 3
GAMES = {
    "market": MARKETS[1],
    "remembered": fg.remember(MARKETS[1], discount=0.9),
    "variants": fg.Variants([fg.remember(stage, discount=0.9) for stage in MARKETS], INDEX),
    "chance": turns(),
    "chance and states": fg.games.random_markov_game(2, 30, 3, transitions="sparse", rng=1),
    "starts": fg.games.random_markov_game(2, 6, 2, rng=2, terminal=1, start="random"),
    "time limit": fg.games.random_markov_game(2, 6, 2, rng=3, time_limit=5),
}
CHANCE = ("chance", "chance and states", "starts")
PROFITS = {"nash": -50.0 - EACH[:, None] * [1.0, 2.0], "monopoly": [60.0, 70.0]}
ONCE = {"deviations": "once", "discount": 0.7, "tolerance": 0.01}


def the_game_s(name, result):
    """Profits that the game of a case knows."""
    if result.game is GAMES["variants"]:
        return np.array([getattr(stage, name).profits for stage in MARKETS])[INDEX]
    return getattr(MARKETS[1], name).profits


def gain(result, **options):
    known = {} if "nash" in options else {k: the_game_s(k, result) for k in ("nash", "monopoly")}
    return {"profit_gain": profit_gain(result, **known | options)}


def response(name):
    return lambda result, **options: {name: getattr(best_responses(result, **options), name)}


def greedy(result):
    return {f"greedy_{i}": result.greedy(i) for i in range(2)}


def policy(result):
    return {f"policy_{i}": result.policy(i) for i in range(2)}


EXPECTED = {
    "profit_gain": gain,
    "cycle_length": lambda result: {"cycle_length": limit_cycle(result).length},
    "cycle_rewards": lambda result: {"cycle_rewards": limit_cycle(result).rewards},
    "mutual": response("mutual"),
    "mutual_on_path": response("mutual_on_path"),
    "optimal": response("optimal"),
    "optimal_on_path": response("optimal_on_path"),
    "loss": response("loss"),
    "loss_on_path": response("loss_on_path"),
    "greedy": greedy,
    "policy": policy,
    "q": lambda result: {f"q_{i}": result.tables[i]["q"] for i in range(2)},
}
OF_THE_CYCLE = [name for name in EXPECTED if name.startswith("cycle") or name.endswith("_on_path")]
names = pytest.mark.parametrize("name", EXPECTED)


def played(game, **more):
    learners = [fg.QLearner(EACH), fg.Sarsa(0.3, explore=fg.Softmax(1.0))]
    return fg.run(game, learners, 300, TOTAL, 1, **more)


@pytest.fixture(scope="module")
def results():
    return {title: played(game) for title, game in GAMES.items()}


def same(found, expected):
    assert list(found) == list(expected)
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array, name)
        assert found[name].dtype == array.dtype


def check(result, name, **options):
    """Compare a summary with the function, of all replicas and in chunks of three."""
    expected = EXPECTED[name](result, **options)
    keep = summary(name, **options)
    same(keep(result), expected)
    same(played(result.game, keep=keep, chunk=3).kept, expected)


def test_every_name_is_compared():
    assert EXPECTED.keys() == {*summaries._MEASURES, "q"}


@names
@pytest.mark.parametrize("title", [title for title in GAMES if title not in CHANCE])
def test_a_name_is_the_function_it_stands_for(results, title, name):
    known = name != "profit_gain" or title != "time limit"
    check(results[title], name, **({} if known else PROFITS))


@names
@pytest.mark.parametrize("title", CHANCE)
def test_games_with_chance(results, title, name):
    options = PROFITS if name == "profit_gain" else {}
    if name not in OF_THE_CYCLE:
        check(results[title], name, **options)
        return
    message = "game must have .* got <MarkovGame .* has no limit cycle, but a limit_distribution"
    if name.endswith("_on_path"):
        message = f"game must have a limit cycle for '{name}', got .* with chance; '{name[:-8]}' ta"
    with pytest.raises(ValueError, match=message):
        summary(name)(results[title])
    with pytest.raises(KeepError, match="raised ValueError: game must have"):
        played(GAMES[title], keep=summary(name))


def test_the_profit_gain_with_chance_is_that_of_the_limit_distribution(results):
    result = results["chance"]
    expected = profit_gain(limit_distribution(result), **PROFITS)
    same(summary("profit_gain", **PROFITS)(result), {"profit_gain": expected})


@pytest.mark.parametrize("name", list(EXPECTED)[3:9])
def test_options_of_best_responses(results, name):
    result = results["variants"]
    check(result, name, **ONCE)
    assert any((EXPECTED[name](result, **ONCE)[name] != EXPECTED[name](result)[name]).ravel())


@pytest.mark.parametrize(
    "options",
    [
        {"nash": 0.1, "monopoly": 0.5},
        {"nash": [0.1, 0.2], "monopoly": 1, "per_agent": True},
        {"nash": 0.1 + EACH[:, None] * [0.1, 0.2], "monopoly": [2.0, 3.0], "per_agent": False},
        PROFITS,
    ],
)
def test_options_of_the_profit_gain(results, options):
    check(results["remembered"], "profit_gain", **options)


def test_profits_that_are_not_given_are_those_of_the_game(results):
    result = results["variants"]
    found = summary("profit_gain", monopoly=2.0, per_agent=True)(result)["profit_gain"]
    nash = the_game_s("nash", result)
    np.testing.assert_array_equal(found, profit_gain(result, nash, 2.0, per_agent=True))
    assert len(np.unique(nash)) > 3  # the variants differ


def test_rows_of_profits_are_those_of_the_replicas_of_a_part(results):
    only = [7, 2, 11, 3]
    keep = summary("profit_gain", **PROFITS)
    found = played(GAMES["remembered"], only=only, keep=keep, chunk=3)
    expected = profit_gain(results["remembered"], **PROFITS)
    np.testing.assert_array_equal(found.kept["profit_gain"], expected[sorted(only)])


def test_names_are_in_the_order_in_which_they_were_given(results):
    keep = summary("q", "loss", "greedy", "cycle_length")
    expected = ["q_0", "q_1", "loss", "greedy_0", "greedy_1", "cycle_length"]
    assert list(keep(results["remembered"])) == expected


def test_the_limit_cycle_is_computed_once(results, monkeypatch):
    calls = []
    cycles_of = summaries.cycles_of

    def counted(*arguments):
        calls.append(1)
        return cycles_of(*arguments)

    monkeypatch.setattr(summaries, "cycles_of", counted)
    monkeypatch.setattr(responses, "cycles_of", counted)
    monkeypatch.setattr(analysis.gains, "cycles_of", counted)
    summary(*EXPECTED)(results["remembered"])
    assert calls == [1]


def test_agents_with_different_tables():
    learners = [fg.Exp3(low=-1.0), fg.FixedPolicy([0.2, 0.8])]
    call = fg.games.matching_pennies(), learners, 50, 4, 1
    whole, kept = fg.run(*call), fg.run(*call, keep=summary("log_weights", "policy"), chunk=3).kept
    assert list(kept) == ["log_weights_0", "policy_0", "policy_1"]
    np.testing.assert_array_equal(kept["log_weights_0"], whole.tables[0]["log_weights"])
    np.testing.assert_array_equal(kept["policy_1"], whole.policy(1))


def without_policy():
    def choose(tables, p, o, signal):
        return 0

    def learn(tables, p, t):
        pass

    return fg.Learner(choose=choose, learn=learn, tables=[fg.Table("wealth")])


def test_policies_of_the_agents_that_have_one():
    call = {"game": fg.games.matching_pennies(), "steps": 3, "backend": "reference"}
    lacking = without_policy()
    result = fg.run(learners=[lacking, fg.QLearner()], **call)
    assert list(summary("policy", "wealth")(result)) == ["policy_1", "wealth_0"]
    with pytest.raises(ValueError, match="policy"):
        summary("policy")(fg.run(learners=lacking, **call))


FULL = summary("profit_gain", "loss", "q", nash=PROFITS["nash"], monopoly=PROFITS["monopoly"],
               per_agent=True, deviations="once", discount=0.9, tolerance=0)  # fmt: skip


@pytest.mark.parametrize("keep", [summary("q"), summary("profit_gain", nash=np.float32(1)), FULL])
def test_pickles_and_texts_are_equal(keep, results):
    again = pickle.loads(pickle.dumps(keep))
    written = eval(repr(keep), {"summary": summary})
    for other in (again, written):
        assert other == keep
        assert hash(other) == hash(keep)
        assert repr(other) == repr(keep)
    if keep is FULL:
        same(again(results["chance"]), keep(results["chance"]))


def test_what_is_given_in_another_form_is_equal():
    one = summary("profit_gain", nash=np.array([1, 2]), monopoly=[[3.0, 4.0]])
    assert one == summary("profit_gain", monopoly=np.array([[3, 4]], np.float32), nash=(1.0, 2.0))
    assert repr(one) == "summary('profit_gain', monopoly=((3.0, 4.0),), nash=(1.0, 2.0))"
    assert one != one.names


@pytest.mark.parametrize(
    "other",
    [
        summary("profit_gain", "q", "loss", **dict(FULL.options)),
        summary("profit_gain", "loss", **dict(FULL.options)),
        summary("profit_gain", "loss", "q"),
        summary("profit_gain", "loss", "q", **dict(FULL.options) | {"tolerance": 1e-300}),
        summary("profit_gain", "loss", "q", **dict(FULL.options) | {"per_agent": False}),
    ],
)
def test_others_differ(other):
    assert other != FULL
    assert digest_of_keep(other) != digest_of_keep(FULL)


def test_the_digest_tells_every_number_of_a_large_array():
    nash = np.zeros((5000, 2))
    one = summary("profit_gain", nash=nash)
    nash[2500, 1] = np.nextafter(0.0, 1.0)  # NumPy's text of an array leaves the middle out
    other = summary("profit_gain", nash=nash)
    assert one != other  # and the first one did not follow the change
    assert digest_of_keep(one) != digest_of_keep(other)


def test_a_summary_is_read_only():
    for change in (lambda: setattr(FULL, "names", ()), lambda: delattr(FULL, "options")):
        with pytest.raises(FrozenInstanceError):
            change()


def test_a_pickled_game_knows_its_profits(results):
    result = results["variants"]
    again = replace(result, game=pickle.loads(pickle.dumps(result.game)))
    same(summary("profit_gain")(again), EXPECTED["profit_gain"](result))


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ([], ValueError, "names must have at least one of 'profit_gain', 'cycle_length', "),
        ([3], TypeError, "names must be str, got 3"),
        ([["q"]], TypeError, r"names must be str, got \['q'\]"),
        (["profit gain"], ValueError, "must be one of .*; did you mean 'profit_gain'"),
        (["q", "loss", "q"], ValueError, "names must be different, got 'q' twice"),
    ],
)
def test_bad_names(given, error, message):
    with pytest.raises(error, match=message):
        summary(*given)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("loss", {"discont": 0.9}, "options must be one of .*; did you mean 'discount'"),
        ("q", {"nash": 1.0}, "nash must be used by one of the names 'profit_gain', got names 'q'"),
        ("profit_gain", {"discount": 0.5}, "discount must be used by one of the names 'mutual', "),
        ("cycle_length", {"tolerance": 0.5}, "tolerance must be used by one of the names"),
        ("greedy", {"per_agent": True}, "per_agent must be used by one of the names"),
        ("loss", {"deviations": "all"}, "deviations must be one of 'any', 'once', got 'all'"),
        ("loss", {"discount": 1.0}, r"discount must be a number in \[0, 1\), got 1.0"),
        ("loss", {"tolerance": -1}, r"tolerance must be a number in \[0, inf\), got -1"),
    ],
)
def test_bad_options(name, options, message):
    with pytest.raises(ValueError, match=message):
        summary(name, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"nash": [1.0, np.nan]}, r"nash must be finite, got nash\[1\] = nan"),
        ({"nash": [[1.0], [2.0, 3.0]]}, "nash must be a rectangular array"),
        ({"monopoly": np.ones((2, 2, 2))}, r"monopoly must have shape .* got \(2, 2, 2\)"),
        ({"monopoly": []}, r"monopoly must have shape \(\), \(N,\) or .* got \(0,\)"),
        ({"nash": [1, 2], "monopoly": [3, 4, 5]}, r"monopoly must have .* got \(3,\)"),
        ({"nash": [[1, 2]], "monopoly": [[3, 4], [5, 6]]}, r"monopoly must have .* got \(2, 2\)"),
        ({"nash": [[1, 2], [3, 4]], "monopoly": 3}, r"greater than nash, got 3.0 and 3.5 at \(1,"),
        ({"nash": [1, 3], "monopoly": 3, "per_agent": True}, "monopoly must be greater than nash"),
        ({"nash": 1, "monopoly": 1}, "monopoly must be greater than nash, got 1.0 and 1.0"),
    ],
)
def test_bad_profits(options, message):
    with pytest.raises(ValueError, match=message):
        summary("profit_gain", **options)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("profit_gain", {"nash": "low"}, "nash must be real numbers, got 'low'"),
        ("profit_gain", {"nash": None}, "nash must be real numbers, got None"),
        ("profit_gain", {"per_agent": 1}, "per_agent must be True or False, got 1"),
        ("loss", {"tolerance": [0.1]}, r"tolerance must be a number in .* got \[0.1\]"),
        ("loss", {"discount": None}, "discount must be a number in .* got None"),
    ],
)
def test_options_of_other_types(name, options, message):
    with pytest.raises(TypeError, match=message):
        summary(name, **options)


ROWS = np.zeros((TOTAL - 1, 2))


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("cycle_lenght", {}, "names must be .*, 'q', got .*; did you mean 'cycle_length'"),
        ("visits", {}, "names must be one of 'profit_gain', .*, 'q', got 'visits'"),
        ("profit_gain", {}, r"nash must be given, .* pass summary\(\"profit_gain\", nash=...\)"),
        (
            "profit_gain",
            {"nash": -9},
            "monopoly must be given, because <MarkovGame .* does not know",
        ),
        ("profit_gain", {"nash": [1, 2, 3], "monopoly": 4}, r"nash must have shape \(\), \(2,\)"),
        ("profit_gain", {"nash": ROWS, "monopoly": 4}, f"nash must have a row for .* {TOTAL} repl"),
        ("profit_gain", {"nash": ROWS[:, :1], "monopoly": 4}, "nash must have a row for each"),
        ("profit_gain", {"nash": np.zeros((TOTAL, 3)), "monopoly": 4}, "nash must have shape"),
    ],
)
def test_summaries_that_do_not_fit_the_run(name, options, message):
    keep = summary(name, **options)
    with pytest.raises(ValueError, match=message):
        keep(played(dilemma()))
    with pytest.raises(KeepError, match=f"raised ValueError: {message}"):
        played(dilemma(), keep=keep, chunk=3)


def test_results_that_cannot_be_summarised(tmp_path, results):
    with pytest.raises(TypeError, match="result must be a Result, got <MarkovGame"):
        summary("q")(dilemma())
    with pytest.raises(ValueError, match="tables were dropped by keep"):
        summary("q")(played(dilemma(), keep=summary("q")))
    functions = fg.run(fg.games.soccer(), fg.QLearner(), 5, backend="reference")
    assert list(summary("greedy", "q")(functions)) == ["greedy_0", "greedy_1", "q_0", "q_1"]
    with pytest.raises(TypeError, match="game must have tables of rewards"):
        summary("cycle_length")(functions)
    result = results["remembered"]
    result.save(tmp_path / "market.zip")
    loaded = fg.load(tmp_path / "market.zip")  # files do not store the stage game
    with pytest.raises(ValueError, match="nash must be given"):
        summary("profit_gain")(loaded)
    profits = {name: the_game_s(name, result) for name in ("nash", "monopoly")}
    same(summary("profit_gain", **profits)(loaded), EXPECTED["profit_gain"](result))
