"""Two traders against the rules, and the equilibria of their bids."""

import itertools

import pytest

from fastgames.games import MatrixGame, traders


def pay(levels, own, other):
    return levels - own if own > other else (levels - own) / 2 if own == other else 0


@pytest.mark.parametrize("levels", [3, 6])
def test_the_rules(levels):
    game = traders(levels)
    for b0, b1, a0, a1 in itertools.product(range(levels), range(levels), range(3), range(3)):
        c0, c1 = (min(max(b + a - 1, 0), levels - 1) for b, a in ((b0, a0), (b1, a1)))
        cell = (b0 * levels + b1, a0, a1)
        assert divmod(int(game.transitions[cell]), levels) == (c0, c1)
        assert game.rewards[(0, *cell)] == pay(levels, c0, c1)
        assert game.rewards[(1, *cell)] == pay(levels, c1, c0)
    assert game.start == 0 and not game.terminal.any()


@pytest.mark.parametrize("levels", [3, 6, 9])
def test_equilibria_of_free_bids(levels):
    bids = range(levels)
    rows = [[[pay(levels, a, b) for b in bids] for a in bids]]
    rows += [[[pay(levels, b, a) for b in bids] for a in bids]]
    assert MatrixGame(rows).pure_equilibria() == [(levels - 2,) * 2, (levels - 1,) * 2]
    assert max(pay(levels, a, b) + pay(levels, b, a) for a in bids for b in bids) == levels


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"levels": 2}, r"levels must be a whole number in \[3, 100\], got 2"),
        ({"discount": 1.0}, r"discount must be a number in \[0, 1\), got 1.0"),
    ],
)
def test_arguments_outside_their_domains_are_refused(arguments, said):
    with pytest.raises(ValueError, match=f"^{said}"):
        traders(**arguments)
