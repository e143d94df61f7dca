"""The El Farol bar problem: attending a bar pays only if few agents attend."""

from __future__ import annotations

from typing import Any

from fastgames._common import checks
from fastgames.games.procedural import ProceduralGame, saved_by_name

from ._declaration import catalogued

_DOMAINS = {
    "agents": "[2, 32768)",
    "good": "[-1e12, 1e12]",
    "bad": "[-1e12, 1e12]",
    "stay": "[-1e12, 1e12]",
}


@catalogued(
    "El Farol",
    domains=_DOMAINS,
    formula=r"u_i = \begin{cases} \text{stay} & i \text{ stays} \\ \text{good} & \text{at most"
    r" capacity attend} \\ \text{bad} & \text{else} \end{cases}",
)
@saved_by_name
def el_farol(
    agents: int = 100,
    capacity: int = 60,
    good: float = 1.0,
    bad: float = -1.0,
    stay: float = 0.0,
    *,
    classes: int = 1,
    discount: float = 0.0,
) -> ProceduralGame:
    """Return the El Farol bar problem, in which attending pays if at most `capacity` attend.

    All agents choose simultaneously. An agent that attends gets `good` if at most `capacity` agents
    attend, else `bad`; an agent that stays gets `stay`. Payoffs depend only on the number of agents
    that attend, so no table of joint actions is needed.

    Parameters
    ----------
    agents : int
        Number of agents N, in [2, 32768).
    capacity : int
        Largest attendance that pays `good`, in [1, N).
    good : float
        Payoff of attending with at most `capacity` agents, above stay.
    bad : float
        Payoff of attending with more than `capacity` agents, below stay.
    stay : float
        Payoff of staying, between bad and good.
    classes : int
        Number of observations, in [1, N + 1]. With attendance A in the previous step (0 at the
        start), agents observe the class ``A * classes // (N + 1)``. With 1, agents observe nothing;
        with N + 1, the attendance itself, like Arthur's agents.
    discount : float
        Discount factor per step, in [0, 1). The default is 0, because no action of one agent
        changes its future options.

    Returns
    -------
    ProceduralGame
        A game with actions stay, attend. The state is the attendance of the last step. The game
        uses no random words, and its episodes do not end.

    Raises
    ------
    TypeError, ValueError
        If an argument is outside its domain.

    Notes
    -----
    Equilibria: in pure actions, any `capacity` agents attend and the others stay. In the symmetric
    mixed equilibrium all attend with the probability p that makes them indifferent:
    P(Binomial(N - 1, p) < capacity) = (stay - bad) / (good - bad). In further equilibria some
    agents always attend, some never attend, and the others mix.

    Source: Arthur (1994), Inductive reasoning and bounded rationality, American Economic Review 84,
    406-411 (100 agents, a bar enjoyable if at most 60 attend); Whitehead (2008), The El Farol bar
    problem revisited: reinforcement learning in a potential game, University of Edinburgh (a game
    with three payoffs). The values 1, -1 and 0 are this project's choice.

    Examples
    --------
    >>> game = el_farol()
    >>> game.num_agents, game.num_observations[0], game.actions[0]
    (100, 1, ('stay', 'attend'))
    """
    agents = checks.whole("agents", agents, _DOMAINS["agents"])
    capacity = checks.whole("capacity", capacity, f"[1, {agents})")
    classes = checks.whole("classes", classes, f"[1, {agents + 1}]")
    good, bad, stay = (
        checks.real(name, value, _DOMAINS[name])
        for name, value in (("good", good), ("bad", bad), ("stay", stay))
    )
    discount = checks.real("discount", discount, "[0, 1)")
    if not good > stay > bad:
        raise ValueError(
            f"good, stay and bad must be in descending order, got {good}, {stay} and {bad}"
        )

    def start(state: Any, words: Any) -> None:
        state[0] = 0

    def step(state: Any, actions: Any, rewards: Any, words: Any) -> bool:
        attending = 0
        for i in range(agents):
            attending += actions[i]
        payoff = good if attending <= capacity else bad
        for i in range(agents):
            rewards[i] = payoff if actions[i] == 1 else stay
        state[0] = attending
        return False

    def observe(state: Any, agent: int) -> int:
        return state[0] * classes // (agents + 1)  # type: ignore[no-any-return]

    return ProceduralGame(
        start,
        step,
        observe,
        num_actions=[2] * agents,
        num_observations=[classes] * agents,
        state_bounds=[(0, agents)],
        discount=discount,
        largest_reward=max(abs(good), abs(bad), abs(stay)),
        actions=[("stay", "attend")] * agents,
        name="El Farol",
        source="Arthur (1994), American Economic Review 84:406-411; payoffs as in Whitehead (2008)",
    )
