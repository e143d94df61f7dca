"""What the pages of learners say beyond their docstrings: formulas, and what to draw.

An example is a learner at a game; the page shows the code, and the picture that it draws.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Example:
    """A run and its picture."""

    game: str
    learner: str
    kind: str = "trajectories"
    steps: int = 20_000
    replicas: int = 200
    record: str = "fg.Record(every={every}, policies=True)"
    options: str = ""  # of the picture
    says: str = ""  # what there is to see


@dataclass(frozen=True)
class Page:
    """A learner's page."""

    title: str
    formula: str
    example: Example


_TD = r"Q(o,a) \leftarrow Q(o,a) + \alpha\,\bigl[\,r + \gamma\,{next} - Q(o,a)\,\bigr]"

LEARNERS = {
    "q": Page(
        "Q-learning",
        _TD.replace("{next}", r"\max_{a'} Q(o',a')"),
        Example(
            "matching_pennies()",
            "fg.QLearner(alpha=0.1, explore=fg.Softmax(0.5))",
            replicas=50,
            says="Softmax Q-learners stay near the mixed equilibrium; greedy ones never rest.",
        ),
    ),
    "sarsa": Page(
        "SARSA",
        _TD.replace("{next}", "Q(o',a')"),
        Example(
            "prisoners_dilemma()",
            "fg.Sarsa(alpha=0.1)",
            "overview",
            record="fg.Record(every={every}, greedy=True, joint_actions=True)",
            says="It values what it does next, exploration included.",
        ),
    ),
    "expected_sarsa": Page(
        "Expected SARSA",
        _TD.replace("{next}", r"\sum_{a'} \pi(a' \mid o')\, Q(o',a')"),
        Example(
            "stag_hunt()",
            "fg.ExpectedSarsa(alpha=0.1)",
            "overview",
            record="fg.Record(every={every}, greedy=True, joint_actions=True)",
            says="SARSA without the noise of its next action: the mean over what it plays.",
        ),
    ),
    "hysteretic_q": Page(
        "Hysteretic Q-learning",
        r"Q(o,a) \leftarrow Q(o,a) + \begin{cases} \alpha\,\delta & \delta \ge 0 \\"
        r" \beta\,\delta & \delta < 0 \end{cases} \qquad"
        r" \delta = r + \gamma \max_{a'} Q(o',a') - Q(o,a)",
        Example(
            "climbing()",
            "fg.HystereticQ(alpha=0.1, beta=0.01)",
            "joint",
            record="fg.Record(joint_actions=True)",
            says="In the climbing game independent Q-learners never find the best joint action, "
            "(a, a); those who forgive often do.",
        ),
    ),
    "lenient_q": Page(
        "Lenient Q-learning",
        r"Q(o,a) \leftarrow Q(o,a) + \alpha\,\delta \quad\text{if } \delta \ge 0 \text{ or with"
        r" probability } e^{-\kappa\,T(o,a)}, \qquad T(o,a) \leftarrow \text{decay} \cdot T(o,a),"
        r" \qquad \pi(a \mid o) \propto e^{Q(o,a) / (\omega\,\bar T(o))}",
        Example(
            "climbing()",
            "fg.LenientQ()",
            "joint",
            record="fg.Record(joint_actions=True)",
            says="It forgives what is new to it, and explores as long as it forgives: both agents "
            "find the best joint action, (a, a).",
        ),
    ),
    "minimax_q": Page(
        "Minimax-Q",
        r"Q(o,a,b) \leftarrow Q(o,a,b) + \alpha\,\bigl[\,r + \gamma V(o') - Q(o,a,b)\,\bigr],"
        r" \qquad V(o) = \max_{\pi} \min_{b} \sum_a \pi(a)\, Q(o,a,b)",
        Example(
            "rock_paper_scissors()",
            "fg.MinimaxQ()",
            steps=60,
            replicas=30,
            says="Its policy is a maximin strategy of what it has learnt: in rock, paper, "
            "scissors it settles in the middle.",
        ),
    ),
    "phc": Page(
        "Policy hill-climbing",
        r"\pi(o,a) \leftarrow \pi(o,a) - \min\Bigl(\pi(o,a), \tfrac{\delta}{|A|-1}\Bigr)"
        r" \text{ for } a \ne a^*, \quad \text{the rest to } a^* = \arg\max_a Q(o,a)",
        Example(
            "matching_pennies()",
            "fg.PHC(alpha=0.1, delta=0.002)",
            replicas=3,
            says="It circles round the equilibrium.",
        ),
    ),
    "wolf_phc": Page(
        "WoLF-PHC: win or learn fast",
        r"\delta = \begin{cases} \delta_w & \sum_a \pi(o,a) Q(o,a) > \sum_a \bar\pi(o,a) Q(o,a) \\"
        r" \delta_l & \text{else} \end{cases}",
        Example(
            "matching_pennies()",
            "fg.WoLFPHC(alpha=0.1, delta_win=0.001, delta_lose=0.002)",
            replicas=3,
            says="The same game and steps as for PHC: it spirals in.",
        ),
    ),
    "regret_matching": Page(
        "Regret matching",
        r"\pi_{t+1}(a) = \frac{R_t^+(a)}{\sum_b R_t^+(b)}, \qquad"
        r" R_t(a) = \sum_{\tau \le t} \bigl[\,u(a, a^\tau_{-i}) - u(\pi_\tau, a^\tau_{-i})\,\bigr]",
        Example(
            "rock_paper_scissors()",
            "fg.RegretMatching()",
            steps=5_000,
            replicas=30,
            options=", average=True",
            says="What is played swings from corner to corner; its mean, shown here, settles.",
        ),
    ),
    "hedge": Page(
        "Hedge",
        r"\pi_{t+1}(a) \propto \exp\Bigl(\eta \sum_{\tau \le t} u(a, a^\tau_{-i})\Bigr)",
        Example(
            "rock_paper_scissors()",
            "fg.Hedge(eta=0.05)",
            steps=5_000,
            replicas=30,
            options=", average=True",
            says="What is played cycles outwards; its mean, shown here, goes to the equilibrium.",
        ),
    ),
    "exp3": Page(
        "Exp3",
        r"\pi_{t+1}(a) = (1-\gamma)\,\frac{w_t(a)}{\sum_b w_t(b)} + \frac{\gamma}{|A|}, \qquad"
        r" w_t(a_t) \leftarrow w_t(a_t)\,\exp\Bigl(\frac{\gamma\, x_t}{|A|\,\pi_t(a_t)}\Bigr)",
        Example(
            "prisoners_dilemma()",
            "fg.Exp3(mixing=0.05, low=0.0, high=5.0)",
            says="It sees nothing but its own payoff, and finds that to defect is dominant.",
        ),
    ),
    "fictitious_play": Page(
        "Fictitious play",
        r"a_{t+1} = \arg\max_a \sum_{\tau \le t} u(a, a^\tau_{-i})",
        Example(
            "shapley()",
            "fg.FictitiousPlay(initial=[0.3, 0.2, 0.1])",
            "joint",
            replicas=1,
            record="fg.Record(joint_actions=True)",
            says="In Shapley's game it never settles, and never plays the joint actions that pay "
            "nothing to both.",
        ),
    ),
    "vdn": Page(
        "Value decomposition (VDN)",
        r"Q_{tot}(o, a) = \sum_i Q_i(o_i, a_i), \qquad Q_i \leftarrow Q_i + \alpha\,\bigl[\,r +"
        r" \gamma \sum_j \max_{a'} Q_j(o'_j, a') - Q_{tot}(o, a)\,\bigr]",
        Example(
            "coordination(3)",
            "fg.VDN(alpha=0.1)",
            "joint",
            record="fg.Record(joint_actions=True)",
        ),
    ),
    "coma": Page(
        "Counterfactual policy gradients (COMA)",
        r"A_i = Q(s, u) - \sum_{b} \pi_i(b \mid o_i)\, Q(s, (b, u_{-i})), \qquad"
        r" \theta_i \leftarrow \theta_i + \alpha_{actor}\, A_i\, \nabla \log \pi_i(u_i \mid o_i)",
        Example("stag_hunt()", "fg.COMA()", says="A team finds the stag."),
    ),
    "fixed": Page(
        "A fixed policy",
        r"a \sim \pi(\cdot \mid o)",
        Example(
            "rock_paper_scissors()",
            "[fg.QLearner(alpha=0.05), fg.FixedPolicy([0.5, 0.25, 0.25])]",
            "overview",
            record="fg.Record(every={every}, greedy=True)",
            says="Against one who never changes, learning is easy: paper it is.",
        ),
    ),
}
