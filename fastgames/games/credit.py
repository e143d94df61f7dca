"""Credit: games in which every agent's reward is its own part of the reward of the team."""

from __future__ import annotations

import math
import reprlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from fastgames._common import checks

from ._tables import SUM, FloatArray, listed, read_only, real_array, refuse_cells
from .alternating import AlternatingGame
from .compact import Compact
from .markov import MarkovGame
from .matrix import MatrixGame
from .procedural import ProceduralGame
from .procedural_variants import ProceduralVariants
from .variants import Variants

if TYPE_CHECKING:
    import numpy.typing as npt

_Function = Callable[..., Any]
_G = TypeVar("_G", MatrixGame, MarkovGame, ProceduralGame, Variants)

#: Most agents of a game of functions whose Shapley credit is computed, by 2^N plays of each step.
MOST_MEMBERS = 16
_NONE = read_only(np.zeros(0))  # the reals of a game without reals


def difference_rewards(game: _G, default: int | Sequence[int]) -> _G:
    """Return the game in which every agent gets its difference reward.

    The difference reward of agent i is D_i = G(a) - G(a with the action of agent i replaced by its
    default). G is the reward of the team: the reward itself if all agents get the same, else the
    mean of their rewards, as for `VDN` and `COMA`.

    Parameters
    ----------
    game : MatrixGame, MarkovGame, ProceduralGame or Variants
        The game, whose rewards make G.
    default : int, or sequence of N int
        The default action of every agent, or one for all, in [0, A_i). In a game in which an agent
        can be absent this is its action to stay away, such as "stay" of `fastgames.games.el_farol`;
        for `fastgames.games.bar_problem`, where all go out, use ``rewards="difference"`` of it.

    Returns
    -------
    MatrixGame, MarkovGame, ProceduralGame or Variants
        A game that differs from `game` in its rewards and its name only. Tables are exact. A game
        of functions plays every step N times more, from the same state and with the same random
        words; only the rewards of these plays are used.

    Raises
    ------
    TypeError
        If game is not a game, or a default is not a whole number.
    ValueError
        If a default is outside the actions of its agent, if defaults are not one for each agent, or
        if the credit is not finite.

    Notes
    -----
    G(a with the default) does not depend on the agent's own action, so D_i and G rank the actions
    of agent i alike whatever the others do: the rewards are factored. What the others add to G
    independently of agent i cancels, so D_i is less noisy than G. The sum of all D_i differs from G
    in general; `shapley_rewards` are credits with a fixed sum.

    An agent that does not move in a state of a game with turns plays action 0 in all cases, so its
    difference reward is 0 there.

    Source: Wolpert & Tumer (2001), Optimal payoff functions for members of collectives, Advances in
    Complex Systems 4, 265-279 (the "wonderful life utility").

    Examples
    --------
    >>> import fastgames as fg
    >>> game = fg.difference_rewards(fg.games.climbing(), default=2)
    >>> game.payoffs[0]  # each column of G minus its last row
    array([[ 11., -30.,  -5.],
           [-30.,   7.,   1.],
           [  0.,   0.,   0.]])

    Every step of a game of functions is played again without each of the agents that attend:

    >>> fg.difference_rewards(fg.games.el_farol(100), default=0).name
    'El Farol, difference rewards'
    """
    credited: _G = _credited(game, _Difference(_defaults(_checked(game), default)))
    return credited


def aristocrat_rewards(game: _G, policies: Sequence[npt.ArrayLike] | None = None) -> _G:
    """Return the game in which every agent gets its aristocrat utility.

    The aristocrat utility of agent i is G(a) - sum_b pi_i(b) G(a with the action of agent i
    replaced by b). G is the reward of the team: the reward itself if all agents get the same, else
    the mean of their rewards, as for `VDN` and `COMA`.

    Parameters
    ----------
    game : MatrixGame, MarkovGame, ProceduralGame or Variants
        The game, whose rewards make G.
    policies : sequence of N array_like, (A_i,) or (O_i, A_i), optional
        Every agent's probabilities pi_i of its actions, or of its actions at each observation: at
        least 0, with sum 1 up to 1e-6. Uniform unless given.

    Returns
    -------
    MatrixGame, MarkovGame, ProceduralGame or Variants
        A game that differs from `game` in its rewards and its name only. Tables are exact. A game
        of functions plays every step as often as there are actions of all agents, from the same
        state and with the same random words; only the rewards of these plays are used.

    Raises
    ------
    TypeError
        If game is not a game, or policies are not numbers.
    ValueError
        If policies are not such distributions, or the credit is not finite.

    Notes
    -----
    The utility is the advantage of `COMA`, with G in place of the critic's values. Its mean over
    the agent's policy is 0. The policies are fixed: they do not follow those that agents learn.

    An agent that does not move in a state of a game with turns has the utility 0 there.

    Source: Wolpert & Tumer (2001), Optimal payoff functions for members of collectives, Advances in
    Complex Systems 4, 265-279.

    Examples
    --------
    >>> import fastgames as fg
    >>> game = fg.aristocrat_rewards(fg.games.coordination())
    >>> game.payoffs[0]
    array([[ 0.5, -0.5],
           [-0.5,  0.5]])
    """
    checked = _policies(_checked(game), policies)
    credited: _G = _credited(game, _Aristocrat(checked))
    return credited


def shapley_rewards(game: _G, default: int | Sequence[int]) -> _G:
    """Return the game in which every agent gets its Shapley value.

    A coalition C is worth v(C) = G(actions of the members of C, defaults of all others). The
    Shapley value of agent i is the mean, over all orders in which the agents may join, of v(those
    before i and i) - v(those before i). G is the reward of the team: the reward itself if all
    agents get the same, else the mean of their rewards, as for `VDN` and `COMA`.

    Parameters
    ----------
    game : MatrixGame, MarkovGame, ProceduralGame or Variants
        The game, whose rewards make G. A game of functions has at most 16 agents.
    default : int, or sequence of N int
        The action of an agent that is not in a coalition, for every agent, or one for all; in
        [0, A_i).

    Returns
    -------
    MatrixGame, MarkovGame, ProceduralGame or Variants
        A game that differs from `game` in its rewards and its name only. Tables are exact. A game
        of functions plays every step 2^N times, from the same state and with the same random words;
        only the rewards of these plays are used.

    Raises
    ------
    TypeError
        If game is not a game, or a default is not a whole number.
    ValueError
        If a game of functions has more than 16 agents, if a default is outside the actions of its
        agent, if defaults are not one for each agent, or if the credit is not finite.

    Notes
    -----
    phi_i = sum over coalitions C without i of |C|! (N - |C| - 1)! / N! (v(C and i) - v(C)). The
    credits sum to G(a) - G(all defaults). An agent that plays its default, or whose action never
    changes G, gets 0, and agents with the same contributions get the same. The credit is not
    factored in general: an agent may prefer an action by which G falls.

    An agent that does not move in a state of a game with turns plays action 0 in all coalitions, so
    its credit is 0 there.

    Source: Shapley (1953), A value for n-person games, Contributions to the Theory of Games II,
    307-317; as rewards of agents: Wang, Zhang, Kim & Gu (2020), Shapley Q-value: a local reward
    approach to solve global reward games, AAAI 2020.

    Examples
    --------
    Agents 0 and 1 have left gloves, agent 2 has a right one; a pair is worth 1. Action 1 brings the
    glove:

    >>> import fastgames as fg
    >>> import numpy as np
    >>> a, b, c = np.indices((2, 2, 2))
    >>> gloves = fg.MatrixGame([np.minimum(a + b, c)] * 3)
    >>> fg.shapley_rewards(gloves, default=0).payoffs[:, 1, 1, 1].round(4)
    array([0.1667, 0.1667, 0.6667])
    """
    checked = _checked(game)
    if isinstance(checked, ProceduralGame) and checked.num_agents > MOST_MEMBERS:
        raise ValueError(
            f"game must have at most {MOST_MEMBERS} agents, as each step is played for all 2^N "
            f"coalitions, got {checked.num_agents}"
        )
    credited: _G = _credited(game, _Shapley(_defaults(checked, default)))
    return credited


# --- arguments ------------------------------------------------------------------------------------


def _checked(game: Any) -> Any:
    """Return the game, or raise TypeError if it is none."""
    if not isinstance(game, MatrixGame | MarkovGame | ProceduralGame | Variants):
        raise TypeError(
            "game must be a MatrixGame, MarkovGame, ProceduralGame or Variants, got "
            f"{reprlib.repr(game)}"
        )
    if isinstance(game, ProceduralGame):
        game.functions.check_unchanged("game", game)
    return game


def _defaults(game: Any, default: Any) -> tuple[int, ...]:
    """Return the checked default action of each agent, (N,)."""
    counts: tuple[int, ...] = game.num_actions
    if not isinstance(default, Iterable) or getattr(default, "ndim", 1) == 0:
        names = [f"default of agent {i}" for i in range(len(counts))]
        if len(set(counts)) == 1:
            names = ["default"] * len(counts)
        return tuple(
            checks.whole(name, default, f"[0, {count})")
            for name, count in zip(names, counts, strict=True)
        )
    domain = f"a whole number, or a sequence of {len(counts)} of them, one for each agent"
    given = listed("default", default, domain)
    if len(given) != len(counts):
        raise ValueError(f"default must be {domain}, got {len(given)}")
    return tuple(
        checks.whole(f"default[{i}]", action, f"[0, {count})")
        for i, (action, count) in enumerate(zip(given, counts, strict=True))
    )


def _policies(game: Any, policies: Any) -> tuple[FloatArray, ...]:
    """Return the checked policies of all agents, (1, A_i) or (O_i, A_i) each."""
    if policies is None:
        return tuple(np.full((1, count), 1.0 / count) for count in game.num_actions)
    given = listed("policies", policies, "one policy for each agent")
    if len(given) != game.num_agents:
        raise ValueError(
            f"policies must be one for each of the {game.num_agents} agents, got {len(given)}"
        )
    checked = []
    for i, value in enumerate(given):
        policy = real_array(f"policies[{i}]", value)
        count, seen = game.num_actions[i], game.num_observations[i]
        if policy.shape not in ((count,), (seen, count)):
            raise ValueError(
                f"policies[{i}] must have shape ({count},) or {(seen, count)}, got shape "
                f"{policy.shape}"
            )
        refuse_cells(f"policies[{i}]", policy, ~(policy >= 0.0), "at least 0")
        sums = np.atleast_1d(policy.sum(axis=-1))
        refuse_cells(
            f"the sum of policies[{i}]", sums, ~(np.abs(sums - 1.0) <= SUM), f"1, up to {SUM}"
        )
        checked.append(np.array(policy, ndmin=2))
    return tuple(checked)


# --- kinds of credit ------------------------------------------------------------------------------


class _Credit(ABC):
    """A kind of credit: its arrays for tables, and its function for games of functions."""

    title: str

    @abstractmethod
    def of_table(
        self, team: FloatArray, agent: int, seen: np.ndarray | None, moves: np.ndarray | None
    ) -> FloatArray:
        """Return the credit of an agent, (S, A_0, ..., A_{N-1}), for rewards of the team.

        team: (S, A_0, ..., A_{N-1}), S = 1 if no reward depends on the state
        seen: (S,) observations of the agent, None if its policy does not depend on them
        moves: (N, S) mask of the agents that move, None if all do; others play action 0
        """

    @abstractmethod
    def of_functions(self, play: _Function, observe: _Function, moves: _Function) -> _Function:
        """Return the function (state, reals, actions, rewards, words) of a step with credit.

        play: the step of the game, of the same form
        observe, moves: functions (state, reals, agent)
        """

    def by_observation(self, agent: int) -> bool:
        """Return True if the credit of an agent depends on its observation."""
        return False


class _Difference(_Credit):
    """Difference rewards; defaults: the default action of each agent, (N,)."""

    title = "difference rewards"

    def __init__(self, defaults: tuple[int, ...]) -> None:
        self.defaults = defaults

    def of_table(
        self, team: FloatArray, agent: int, seen: np.ndarray | None, moves: np.ndarray | None
    ) -> FloatArray:
        return team - _at_action(team, agent, self.defaults[agent])

    def of_functions(self, play: _Function, observe: _Function, moves: _Function) -> _Function:
        defaults, replay = np.array(self.defaults), _replay(play)

        def difference(state, reals, actions, rewards, words):  # type: ignore[no-untyped-def]
            before, reals_before = state.copy(), reals.copy()
            trial, reals_trial = state.copy(), reals.copy()
            joint, paid = actions.copy(), np.zeros(len(actions))
            ended = play(state, reals, actions, paid, words)
            team = team_reward(paid)
            for i in range(len(actions)):
                rewards[i] = 0.0
                if actions[i] != defaults[i] and moves(before, reals_before, i):
                    joint[i] = defaults[i]
                    again = replay(trial, reals_trial, before, reals_before, joint, paid, words)
                    joint[i] = actions[i]
                    rewards[i] = team - again
            return ended

        return difference


class _Aristocrat(_Credit):
    """Aristocrat utilities; policies: (1, A_i) or (O_i, A_i) of each agent."""

    title = "aristocrat rewards"

    def __init__(self, policies: tuple[FloatArray, ...]) -> None:
        self.policies = policies

    def by_observation(self, agent: int) -> bool:
        return len(self.policies[agent]) > 1

    def of_table(
        self, team: FloatArray, agent: int, seen: np.ndarray | None, moves: np.ndarray | None
    ) -> FloatArray:
        policy = self.policies[agent]
        weights = policy if seen is None else policy[seen]  # (1 or S, A_i)
        mean: Any = 0.0
        for action in range(policy.shape[1]):
            weight = weights[:, action].reshape(-1, *[1] * (team.ndim - 1))
            mean = mean + weight * _at_action(team, agent, action)
        utility: FloatArray = team - mean
        return utility

    def of_functions(self, play: _Function, observe: _Function, moves: _Function) -> _Function:
        counts = np.array([policy.shape[1] for policy in self.policies])
        rows = np.array([len(policy) for policy in self.policies])
        policies = np.concatenate([policy.ravel() for policy in self.policies])
        first, replay = np.concatenate([[0], np.cumsum(rows * counts)]), _replay(play)

        def aristocrat(state, reals, actions, rewards, words):  # type: ignore[no-untyped-def]
            before, reals_before = state.copy(), reals.copy()
            trial, reals_trial = state.copy(), reals.copy()
            joint, paid = actions.copy(), np.zeros(len(actions))
            ended = play(state, reals, actions, paid, words)
            team = team_reward(paid)
            for i in range(len(actions)):
                rewards[i] = 0.0
                if not moves(before, reals_before, i):
                    continue
                at = first[i]
                if rows[i] > 1:
                    at += counts[i] * observe(before, reals_before, i)
                mean = 0.0
                for a in range(counts[i]):
                    value = team
                    if a != actions[i]:
                        joint[i] = a
                        value = replay(trial, reals_trial, before, reals_before, joint, paid, words)
                    mean += policies[at + a] * value
                joint[i] = actions[i]
                rewards[i] = team - mean
            return ended

        return aristocrat


class _Shapley(_Credit):
    """Shapley values; defaults: the default action of each agent, (N,)."""

    title = "Shapley rewards"

    def __init__(self, defaults: tuple[int, ...]) -> None:
        self.defaults = defaults

    def of_table(
        self, team: FloatArray, agent: int, seen: np.ndarray | None, moves: np.ndarray | None
    ) -> FloatArray:
        """Return the credit; sums of marginal contributions by the size of the coalition.

        sums[c]: sum over coalitions of c agents, among the other agents handled so far
        """
        agents = len(self.defaults)
        sums = [team - self._without(team, agent, moves)]
        for other in range(agents):
            if other != agent:
                absent = [self._without(each, other, moves) for each in sums]
                sums = [
                    *absent[:1],
                    *(out + joined for out, joined in zip(absent[1:], sums[:-1], strict=True)),
                    sums[-1],
                ]
        total: Any = 0.0
        for size, each in enumerate(sums):
            total = total + each / math.comb(agents - 1, size)
        credit: FloatArray = total / agents
        return credit

    def _without(self, table: FloatArray, agent: int, moves: np.ndarray | None) -> FloatArray:
        """Return the table in which an agent is not in the coalition, with length 1 for it."""
        absent = _at_action(table, agent, self.defaults[agent])
        if moves is None:
            return absent
        moving = moves[agent].reshape(-1, *[1] * (table.ndim - 1))
        return np.where(moving, absent, _at_action(table, agent, 0))

    def of_functions(self, play: _Function, observe: _Function, moves: _Function) -> _Function:
        defaults, agents = np.array(self.defaults), len(self.defaults)
        coalitions, replay = 2**agents, _replay(play)
        chances = np.array([1.0 / (agents * math.comb(agents - 1, c)) for c in range(agents)])

        def shapley(state, reals, actions, rewards, words):  # type: ignore[no-untyped-def]
            before, reals_before = state.copy(), reals.copy()
            trial, reals_trial = state.copy(), reals.copy()
            joint, paid = actions.copy(), np.zeros(agents)
            absent = actions.copy()  # the actions of agents that are not in the coalition
            worth, size = np.zeros(coalitions), np.zeros(coalitions, np.int64)
            ended = play(state, reals, actions, paid, words)
            worth[coalitions - 1] = team_reward(paid)
            for i in range(agents):
                rewards[i] = 0.0
                if moves(before, reals_before, i):
                    absent[i] = defaults[i]
            for c in range(coalitions):
                for i in range(agents):
                    member = (c >> i) & 1
                    size[c] += member
                    joint[i] = actions[i] if member else absent[i]
                if c < coalitions - 1:
                    worth[c] = replay(trial, reals_trial, before, reals_before, joint, paid, words)
            for c in range(coalitions):
                for i in range(agents):
                    if not (c >> i) & 1:
                        rewards[i] += chances[size[c]] * (worth[c | (1 << i)] - worth[c])
            return ended

        return shapley


def _replay(play: _Function) -> _Function:
    """Return the function that plays a step again from a state, and returns the team's reward.

    trial, reals_trial, paid: arrays that it overwrites, of the state and of the rewards
    """

    def replay(trial, reals_trial, before, reals_before, joint, paid, words):  # type: ignore[no-untyped-def]
        trial[:] = before
        reals_trial[:] = reals_before
        paid[:] = 0.0
        play(trial, reals_trial, joint, paid, words)
        return team_reward(paid)

    return replay


def team_reward(rewards: Any) -> Any:
    """Return the reward of a team: the rewards (N,) if all are equal, else their mean."""
    total, equal = rewards[0], True
    for i in range(1, len(rewards)):
        total += rewards[i]
        equal = equal and rewards[i] == rewards[0]
    return rewards[0] if equal else total / len(rewards)


def _at_action(team: FloatArray, agent: int, action: int) -> FloatArray:
    """Return the table, (S, A_0, ...), in which an agent plays an action, with length 1 for it."""
    table: FloatArray = np.take(team, [action], axis=1 + agent)
    return table


# --- games ----------------------------------------------------------------------------------------


def _credited(game: Any, credit: _Credit) -> Any:
    """Return a checked game with the credit as rewards."""
    if isinstance(game, Variants):
        return Variants([_credited(each, credit) for each in game.games], game.index)
    if isinstance(game, ProceduralVariants):
        return ProceduralVariants([CreditGame(each, credit) for each in game.games], game.index)
    if isinstance(game, ProceduralGame):
        return CreditGame(game, credit)
    if isinstance(game, MatrixGame):
        rewards = _table(game.compact, game.num_actions, credit)
        return MatrixGame(
            rewards.reshape(game.payoffs.shape),
            name=f"{game.name}, {credit.title}",
            actions=game.actions,
            source=game.source,
        )
    return _markov(game, credit)


def _markov(game: MarkovGame, credit: _Credit) -> MarkovGame:
    """Return a Markov game with the credit as rewards, all else shared with `game`."""
    stage = None
    one = game.compact.turns is None and not any(map(credit.by_observation, range(game.num_agents)))
    if game.stage is not None and one and not isinstance(game, AlternatingGame):
        stage = _credited(game.stage, credit)
    made = object.__new__(MarkovGame)  # the constructor would copy what both games share
    for name in MarkovGame.__slots__:
        setattr(made, name, getattr(game, name))
    made._compact = replace(game.compact, rewards=_table(game.compact, game.num_actions, credit))
    made._name = f"{game.name}, {credit.title}"
    made._stage = stage
    return made


def _table(compact: Compact, num_actions: tuple[int, ...], credit: _Credit) -> FloatArray:
    """Return the credit of all agents as `rewards` of a `Compact`, (N, 1, S or 1, J)."""
    agents, _, states, joint = compact.rewards.shape
    given = compact.rewards.reshape(agents, states, *num_actions)
    with np.errstate(over="ignore", invalid="ignore"):  # a credit that is not finite is refused
        total = given[0].copy()
        for each in given[1:]:
            total += each
        team = np.where((given == given[0]).all(axis=0), given[0], total / agents)
        tables = []
        for i in range(agents):
            seen = None
            if credit.by_observation(i):
                seen = np.arange(compact.num_states)
                if compact.observations is not None:
                    seen = compact.observations[i]
            table = credit.of_table(team, i, seen, compact.turns)
            if compact.turns is not None:
                moves = compact.turns[i].reshape(-1, *[1] * agents)
                table = np.where(moves, table, 0.0)
            tables.append(np.broadcast_to(table, (len(table), *num_actions)))
    most = max(map(len, tables))
    out = np.stack([np.broadcast_to(each, (most, *num_actions)) for each in tables])
    if not np.isfinite(out).all():
        raise ValueError("game must have rewards whose differences are finite, got an overflow")
    return read_only(np.ascontiguousarray(out.reshape(agents, 1, most, joint)))


class CreditGame(ProceduralGame):
    """Procedural game in which every agent gets its credit in place of its reward.

    Parameters
    ----------
    game : ProceduralGame
        The game.
    credit : object
        The kind of credit, made by `difference_rewards`, `aristocrat_rewards` or `shapley_rewards`.
    """

    def __init__(self, game: ProceduralGame, credit: Any) -> None:
        self._credit, self._of = credit, game
        given = _with_credit(game, credit)
        super().__init__(
            **given,
            num_actions=game.num_actions,
            num_observations=game.num_observations,
            state_size=game.state_size,
            num_reals=game.num_reals,
            state_bounds=_pairs(game.state_bounds),
            real_bounds=_pairs(game.real_bounds),
            words=game.words,
            start_words=game.start_words,
            discount=game.discount,
            time_limit=game.time_limit,
            largest_reward=min(2.0 * game.largest_reward, 1e300),
            actions=game.actions,
            name=f"{game.name}, {credit.title}",
            source=game.source,
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._of, self._credit)


def _pairs(bounds: np.ndarray | None) -> Any:
    """Return bounds, (entries, 2), as a list of pairs, or None."""
    return None if bounds is None else bounds.tolist()


def _with_credit(game: ProceduralGame, credit: _Credit) -> dict[str, Any]:
    """Return the functions of a game, by name, with a step that writes the credit."""
    start, step, observe = (game.given[name] for name in ("start", "step", "observe"))
    turns = game.given.get("turns")
    functions = {"start": start, "observe": observe}
    if turns is not None:
        functions["turns"] = turns
    if game.num_reals:
        moves = _always if turns is None else turns
        return functions | {"step": credit.of_functions(step, observe, moves)}

    def play(state, reals, actions, rewards, words):  # type: ignore[no-untyped-def]
        return step(state, actions, rewards, words)

    with_reals = credit.of_functions(
        play, _viewed(observe), _always if turns is None else _viewed(turns)
    )
    none = _NONE

    def credited(state, actions, rewards, words):  # type: ignore[no-untyped-def]
        return with_reals(state, none, actions, rewards, words)

    return functions | {"step": credited}


def _always(state, reals, agent):  # type: ignore[no-untyped-def]
    return True


def _viewed(view: _Function) -> _Function:
    """Return a function of a state and its reals that reads the state only."""

    def viewed(state, reals, agent):  # type: ignore[no-untyped-def]
        return view(state, agent)

    return viewed
