"""Published figures that tests compare runs with, each with its source.

Figures that `fastgames.papers` compares its own runs with are read from there. `docs/published.md`
states all of them for readers; `docs/test_published.py` checks that page and module agree.
"""

from dataclasses import dataclass

from fastgames.papers import (
    afp_2022,
    bar_nights,
    calvano_2020,
    calvano_2020_setup,
    chapter_cycling,
    chapter_softmax,
    klein_2021,
    pair_coordination,
    team_gradients,
    team_values,
    waltman_kaymak_2008,
)

Figure = float | str | tuple[float, ...]


@dataclass(frozen=True)
class Source:
    """The figures of one source.

    Attributes
    ----------
    heading : str
        Of the section of `docs/published.md`.
    source : str
        Authors, year, title and place, as the page has them.
    figures : dict
        Every figure by its name, in the order of the page.
    """

    heading: str
    source: str
    figures: dict[str, Figure]

    def __getitem__(self, name):
        """Return the figure of this name."""
        return self.figures[name]


COURSE = (
    "Reinforcement Learning, From First Principles to the Frontier, an open course without peer "
    "review, chapter 17, section {}, https://github.com/dasimoni/RL, commit d598f83"
)

CHAPTER = Source(
    "A textbook's listing of matching pennies",
    'Code 30.1.1, "A Q-Table That Refuses to Converge"',
    {
        what.strip(): value.strip()
        for what, _, value in (line.partition(":") for line in chapter_cycling.PRINTED)
    },
)

CALVANO = Source(
    "Calvano et al. (2020)",
    "Calvano, Calzolari, Denicolò & Pastorello (2020), Artificial intelligence, algorithmic "
    "pricing, and collusion, American Economic Review 110(10), 3267-3297",
    {
        "one-shot Nash price": 1.47293,
        "monopoly price": 1.92498,
        "profit at the Nash price": 0.22293,
        "profit at the monopoly price": 0.33749,
        "lowest and highest price of the grid": (1.427725, 1.970185),
        **{
            f"periods to convergence, {statistic}": printed
            for statistic, (printed, _) in calvano_2020.PERIODS.items()
        },
        **{
            f"mean Delta, {setting}": printed
            for setting, (_, _, printed) in calvano_2020_setup.SETTINGS.items()
        },
        "SD of Delta, baseline": calvano_2020.GAIN_SD[0],
        **{
            f"share of sessions with a price cycle of {length}": printed
            for length, (printed, _) in calvano_2020.CYCLES.items()
        },
        "share of sessions in a mutual best response": calvano_2020.MUTUAL[0],
    },
)

KLEIN = Source(
    "Klein (2021)",
    "Klein (2021), Autonomous algorithmic collusion: Q-learning under sequential pricing, RAND "
    "Journal of Economics 52, 538-558",
    {"mean profit over the last 1,000 periods": klein_2021.PROFIT},
)

ASKER = Source(
    "Asker, Fershtman & Pakes (2022)",
    "Asker, Fershtman & Pakes (2022), Artificial intelligence, algorithm design, and pricing, AEA "
    "Papers and Proceedings 112, 452-456",
    {
        "final price of 2, 3 and 4 firms": tuple(map(float, afp_2022.PRINTED)),
        "final price of 5 firms, all quantiles": 2.03,
    },
)

WALTMAN = Source(
    "Waltman & Kaymak (2008)",
    "Waltman & Kaymak (2008), Q-learning agents in a Cournot oligopoly model, Journal of Economic "
    "Dynamics and Control 32, 3275-3293",
    {
        "joint quantity and joint profit at the Nash equilibrium": (24.0, 288.0),
        **{
            f"joint quantity and joint profit, alpha {alpha}": printed
            for alpha, printed in waltman_kaymak_2008.PRINTED.items()
        },
        "lowest and highest SD of the joint quantity": waltman_kaymak_2008.SPREAD,
    },
)

HU_WELLMAN = Source(
    "Hu & Wellman (2003)",
    "Hu & Wellman (2003), Nash Q-learning for general-sum stochastic games, Journal of Machine "
    "Learning Research 4, 1039-1069, section 5.1",
    {
        "value to each agent of entering the same cell first": 95.1,
        "value to each agent of any other first step of a shortest way": 97.0,
    },
)

CLIMBING = Source(
    "The climbing game, learnt by pairs",
    COURSE.format("6.6"),
    {
        f"{learner}, share of runs at {cell}": printed
        for learner, shares in pair_coordination.PRINTED["climbing"].items()
        for cell, printed in shares.items()
    },
)

PENALTY = Source(
    "The penalty game, learnt by pairs",
    COURSE.format("6.6"),
    {
        f"{learner}, share of runs at {cell}": printed
        for learner, shares in pair_coordination.PRINTED["penalty"].items()
        for cell, printed in shares.items()
    },
)

ADDING = Source(
    "Updates of policy gradients in the adding game",
    COURSE.format("8"),
    {
        "updates of teams of 2, REINFORCE": team_gradients.PRINTED_UPDATES["REINFORCE"][0],
        "mean chance in teams of 8 after 400 updates, REINFORCE": team_gradients.PRINTED_CHANCE,
        **{
            f"updates of teams of 2 and of 8, {kind}": printed
            for kind, printed in team_gradients.PRINTED_UPDATES.items()
            if None not in printed
        },
    },
)

FOERSTER = Source(
    "The iterated prisoner's dilemma, learnt by gradients",
    "Foerster, Chen, Al-Shedivat, Whiteson, Abbeel & Mordatch (2018), Learning with "
    "opponent-learning awareness, AAMAS, Table 3",
    {
        "reward per step, naive learners": team_gradients.PRINTED_PAID[0.0][0],
        "reward per step, LOLA": team_gradients.PRINTED_PAID[1.0][0],
    },
)

SOCCER = Source(
    "Soccer on a field of 2 x 4",
    COURSE.format("4.4"),
    {
        "sweeps of value iteration until no value changes by 1e-8": 52.0,
        "value at kick-off with the ball": 0.2316,
        "worst case of minimax-Q, three runs": (-0.046, -0.032, -0.053),
        "worst case of greedy Q-learning, three runs": (-0.182, -0.182, -0.600),
        "worst case of uniform play": -0.560,
    },
)

REST = Source(
    "Rest points of softmax Q-learning",
    "McKelvey & Palfrey (1995), Quantal response equilibria for normal form games, Games and "
    "Economic Behavior 10, 6-38",
    {
        f"{game}, temperature {temperature}": first_actions
        for game, temperature, first_actions in chapter_softmax.REST
    },
)

SON = Source(
    "The QTRAN game, learnt by teams",
    "Son, Kim, Kang, Hostallero & Yi (2019), QTRAN: Learning to factorize with transformation for "
    "cooperative multi-agent reinforcement learning, ICML, Table 1",
    {
        "VDN, joint actions row by row": team_values.SON_VDN,
        "QMIX, joint actions with A": team_values.SON_QMIX_WITH_A,
        "QMIX, joint actions without A": team_values.SON_QMIX_WITHOUT_A,
    },
)

DAI = Source(
    "The QTRAN game, learnt around (B, B)",
    "Dai & Hao (2022), matrix-game-baselines, README without peer review, "
    "https://github.com/superboySB/matrix-game-baselines, commit 3cab53b",
    {
        "VDN, (A, A) and the other joint actions with A": team_values.DAI_VDN,
        "QMIX, joint actions with A": team_values.DAI_QMIX,
    },
)

MONOTONIC = Source(
    "A monotonic game, learnt by teams",
    "Albrecht, Christianos & Schäfer (2024), Multi-Agent Reinforcement Learning: Foundations and "
    "Modern Approaches, MIT Press, chapter 9, as in its slides",
    {
        "VDN, joint actions row by row": team_values.MONOTONIC_VDN,
        "QMIX, joint actions row by row": team_values.MONOTONIC_QMIX,
    },
)

RASHID = Source(
    "The two-step game, learnt by teams",
    "Rashid, Samvelyan, Schroeder de Witt, Farquhar, Foerster & Whiteson (2018), QMIX: Monotonic "
    "value function factorisation for deep multi-agent reinforcement learning, ICML, section 5",
    {
        f"{learner}, {stage}, joint actions row by row": printed
        for learner, stages in (
            ("VDN", team_values.RASHID_VDN),
            ("QMIX", team_values.RASHID_QMIX),
        )
        for stage, printed in zip(("first stage", "stage B"), stages, strict=True)
    },
)

BAR = Source(
    "The bar problem",
    "Wolpert & Tumer (2001), Optimal payoff functions for members of collectives, Advances in "
    "Complex Systems 4, 265-279",
    {
        "largest G": bar_nights.OPTIMUM,
        **{
            f"G with {kind} rewards": computed
            for kind, (computed, _) in bar_nights.COMPUTED.items()
        },
    },
)
