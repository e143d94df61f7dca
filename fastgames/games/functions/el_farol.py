"""El Farol: whether to go to a bar that is no fun when too many go."""

from __future__ import annotations

from typing import Any

from fastgames.games._tables import whole
from fastgames.games.procedural import MOST_AGENTS, ProceduralGame, _number, catalogued


@catalogued
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
    """The El Farol bar problem: everyone wants to go, unless more than `capacity` do.

    All choose at once. Who attends gets `good` if at most `capacity` attend, else `bad`; who stays
    gets `stay`. Payoffs depend on the count alone, so no table of joint actions is needed.

    Parameters
    ----------
    agents : int
        N, in [2, 32768).
    capacity : int
        In [1, N): with all of them it is crowded.
    good, bad, stay : float
        good > stay > bad.
    classes : int
        What agents see: with A attending in the step before (0 at the start), the class
        ``A * classes // (N + 1)``, in [1, N + 1]. 1: nothing; N + 1: the attendance itself, as
        Arthur's agents do.
    discount : float
        Nothing that one agent does today changes what it can do tomorrow, so 0 unless told
        otherwise.

    Returns
    -------
    ProceduralGame
        Actions stay, attend. The state: how many attended in the last step. No random words, no
        end.

    Notes
    -----
    Equilibria: every choice of `capacity` agents who attend while the others stay; and one where
    all attend with the same probability p, which makes them indifferent:
    P(Binomial(N - 1, p) < capacity) = (stay - bad) / (good - bad). There are more, in which some
    agents always attend, some never do, and all others mix.

    Source: Arthur (1994), Inductive reasoning and bounded rationality, American Economic Review 84,
    406-411 (100 agents, a bar enjoyable if at most 60 attend). As a game with three payoffs:
    Whitehead (2008), The El Farol bar problem revisited: reinforcement learning in a potential
    game, University of Edinburgh. The values 1, -1 and 0 are this project's choice.

    Examples
    --------
    >>> game = el_farol()
    >>> game.num_agents, game.num_observations[0], game.actions[0]
    (100, 1, ('stay', 'attend'))
    """
    agents = whole("agents", agents, 2, MOST_AGENTS)
    capacity = whole("capacity", capacity, 1, agents)
    classes = whole("classes", classes, 1, agents + 2)
    good, bad, stay = (
        _number(name, value, -1e12, 1e12)
        for name, value in (("good", good), ("bad", bad), ("stay", stay))
    )
    if not good > stay > bad:
        raise ValueError(f"good > stay > bad must hold; they are {good}, {stay} and {bad}")

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
