"""Matrix games: all agents choose one action simultaneously and get their payoffs.

A game is one read-only table of payoffs with names. The methods analyse this small table exactly
with NumPy; no learning step calls them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from fastgames._common import checks

from ._tables import (
    FloatArray,
    action_names,
    agents_text,
    distribution,
    listed,
    pairs_hint,
    read_only,
    real_array,
    refuse_cells,
    refuse_pairs,
    same_shapes,
    string,
)
from .compact import Compact, Sum

if TYPE_CHECKING:
    import numpy.typing as npt

Setting = Literal["cooperative", "competitive", "mixed"]

# Relative tolerance for rounding errors of payoffs written as decimals or fractions.
_ROUNDING: Final = 1e-12
_MOST_SHOWN: Final = 12  # largest number of rows or columns that `print` shows


class MatrixGame:
    """Game in which all agents act simultaneously and the joint action determines the payoffs.

    A game of one agent is a bandit without noise.

    A MatrixGame is immutable: its attributes cannot be set and its table is read-only. Games
    compare and hash by content (payoffs, name, actions and source).

    Parameters
    ----------
    payoffs : array_like, (N, A_0, ..., A_{N-1}), or N arrays (A_0, ..., A_{N-1})
        ``payoffs[i, a_0, ..., a_{N-1}]`` is the payoff of agent i if agent 0 plays a_0, agent 1
        plays a_1 and so on; for two agents both matrices have agent 0's actions as rows.
        N >= 1, every A_i >= 1, all finite; integers or floats. Copied to float64. A game printed
        as cells of pairs, [[(3, 3), (0, 5)], [(5, 0), (1, 1)]], has the axis of agents last: pass
        ``numpy.moveaxis(numpy.array(pairs), -1, 0)``. ``print(game)`` shows such cells.
    name : str
        Name of the game.
    actions : sequence of N sequences of A_i distinct str, optional
        Names of every agent's actions; "0", "1", ... unless given.
    source : str
        Publication of the payoffs.

    Raises
    ------
    TypeError
        If payoffs are not real numbers (bool, complex, str and objects are refused), or a name is
        not a str.
    ValueError
        If payoffs are ragged, of a wrong shape or not finite, or the names of the actions do not
        fit them.

    Examples
    --------
    >>> game = MatrixGame([[[3, 0], [5, 1]], [[3, 5], [0, 1]]], name="prisoner's dilemma")
    >>> game
    <MatrixGame "prisoner's dilemma": 2 agents, (2, 2) actions, mixed>
    >>> print(game)
    prisoner's dilemma: agent 0 chooses the row, agent 1 the column
          0     1
    0  3, 3  0, 5
    1  5, 0  1, 1
    >>> game.payoffs[:, 1, 0]  # agent 0 plays 1, agent 1 plays 0
    array([5., 0.])
    >>> game.pure_equilibria()
    [(1, 1)]
    """

    __slots__ = ("_actions", "_compact", "_name", "_payoffs", "_source")

    #: Number of states: a matrix game has one.
    num_states: Final = 1
    #: Default discount factor of learners: a matrix game has no future rewards.
    discount: Final = 0.0

    def __init__(
        self,
        payoffs: npt.ArrayLike | Iterable[npt.ArrayLike],
        *,
        name: str = "matrix game",
        actions: Sequence[Sequence[str]] | None = None,
        source: str = "",
    ) -> None:
        self._payoffs: FloatArray = _payoff_table(payoffs)
        self._name: str = string("name", name)
        self._actions: tuple[tuple[str, ...], ...] = action_names(actions, self.num_actions)
        self._source: str = string("source", source)
        joint = self._payoffs[0].size
        nowhere = Sum(read_only(np.zeros(1, np.int32)), read_only(np.zeros(joint, np.int32)))
        self._compact = Compact(self._payoffs.reshape(self.num_agents, 1, 1, joint), nowhere)

    @property
    def payoffs(self) -> FloatArray:
        """Payoffs, (N, A_0, ..., A_{N-1}) float64, C-contiguous, read-only."""
        return self._payoffs

    @property
    def name(self) -> str:
        """Name of the game."""
        return self._name

    @property
    def actions(self) -> tuple[tuple[str, ...], ...]:
        """Names of the actions, one tuple for each agent."""
        return self._actions

    @property
    def source(self) -> str:
        """Publication of the payoffs."""
        return self._source

    @property
    def num_agents(self) -> int:
        """Number of agents N."""
        return len(self._payoffs)

    @property
    def num_actions(self) -> tuple[int, ...]:
        """Number of actions of every agent, (A_0, ..., A_{N-1})."""
        return self._payoffs.shape[1:]

    @property
    def num_observations(self) -> tuple[int, ...]:
        """Number of observations of every agent, one each, as there is one state."""
        return (1,) * self.num_agents

    @property
    def compact(self) -> Compact:
        """Internal layout of the game, read by the kernels."""
        return self._compact

    @property
    def setting(self) -> Setting:
        """Relation of the agents' interests: "cooperative", "competitive" or "mixed".

        "cooperative": all agents get exactly the same payoff for every joint action. "competitive":
        the payoffs of every joint action sum to zero, up to 1e-12 of the largest of them, since
        0.1 + 0.2 - 0.3 is not 0 in floating point. "mixed": neither. A game whose payoffs are all
        zero is "cooperative", and so is a game of one agent.
        """
        if np.all(self._payoffs == self._payoffs[0]):
            return "cooperative"
        # Scale each cell by itself, so that huge payoffs do not overflow and small ones count.
        largest = np.abs(self._payoffs).max(axis=0)
        scaled = self._payoffs / np.where(largest > 0.0, largest, 1.0)
        if np.all(np.abs(scaled.sum(axis=0)) <= _ROUNDING):
            return "competitive"
        return "mixed"

    def expected_payoffs(self, policies: Sequence[npt.ArrayLike]) -> FloatArray:
        """Return every agent's mean payoff if all agents choose independently.

        Parameters
        ----------
        policies : N arrays (A_i,)
            Probabilities of every agent's actions: at least 0, with sum 1 up to 1e-6. They are used
            as given, without normalisation.

        Returns
        -------
        (N,) float64

        Raises
        ------
        TypeError, ValueError
            If policies are not such distributions.

        Examples
        --------
        >>> game = MatrixGame([[[3, 0], [5, 1]], [[3, 5], [0, 1]]])
        >>> game.expected_payoffs([[0.5, 0.5], [1.0, 0.0]])
        array([4. , 1.5])
        """
        table = self._payoffs
        for policy in reversed(self._policies(policies)):
            table = table @ policy
        return table

    def best_responses(self, agent: int, policies: Sequence[npt.ArrayLike]) -> tuple[int, ...]:
        """Return the best responses of one agent to the others' policies.

        Parameters
        ----------
        agent : int
            In [0, N).
        policies : N arrays (A_i,)
            As for `expected_payoffs`; ``policies[agent]`` is ignored.

        Returns
        -------
        tuple of int
            Actions in ascending order, never empty. Actions tie if their payoffs differ by at most
            1e-12 of the agent's largest absolute payoff.

        Raises
        ------
        TypeError, ValueError
            If agent or policies are outside their domain.

        Examples
        --------
        >>> game = MatrixGame([[[3, 0], [5, 1]], [[3, 5], [0, 1]]])
        >>> game.best_responses(0, [[1.0, 0.0], [0.5, 0.5]])
        (1,)
        """
        agent = checks.whole("agent", agent, f"[0, {self.num_agents})")
        values = self._action_values(agent, self._policies(policies))
        slack = _ROUNDING * np.abs(self._payoffs[agent]).max()
        return tuple(np.flatnonzero(values >= values.max() - slack).tolist())

    def exploitability(self, policies: Sequence[npt.ArrayLike]) -> float:
        """Return the exploitability of policies, their distance from a Nash equilibrium.

        This is the sum over agents of the gain from the best unilateral pure deviation (NashConv of
        Lanctot et al. 2017, not divided by N). It is at least 0, and 0 at an equilibrium, up to
        rounding.

        Parameters
        ----------
        policies : N arrays (A_i,)
            As for `expected_payoffs`.

        Returns
        -------
        float

        Raises
        ------
        TypeError, ValueError
            If policies are outside their domain.

        Examples
        --------
        >>> game = MatrixGame([[[3, 0], [5, 1]], [[3, 5], [0, 1]]])
        >>> game.exploitability([[1.0, 0.0], [1.0, 0.0]])
        4.0
        """
        checked = self._policies(policies)
        gains = 0.0
        for agent, policy in enumerate(checked):
            values = self._action_values(agent, checked)
            # By rounding the mean may exceed the maximum.
            gains += max(0.0, float(values.max() - policy @ values))
        return gains

    def pure_equilibria(self) -> list[tuple[int, ...]]:
        """Return all Nash equilibria in pure actions, strict or not.

        Returns
        -------
        list of tuples (a_0, ..., a_{N-1})
            In lexicographic order. Payoffs are compared exactly.

        Examples
        --------
        >>> MatrixGame([[[2, 0], [1, 1]], [[2, 1], [0, 1]]]).pure_equilibria()
        [(0, 0), (1, 1)]
        """
        stable = np.ones(self.num_actions, dtype=np.bool_)
        for agent, payoffs in enumerate(self._payoffs):
            stable &= payoffs == payoffs.max(axis=agent, keepdims=True)
        return [tuple(cell) for cell in np.argwhere(stable).tolist()]

    def _action_values(self, agent: int, policies: list[FloatArray]) -> FloatArray:
        """Return the mean payoff of each action of an agent, (A_i,), for the others' policies."""
        values: FloatArray = np.moveaxis(self._payoffs[agent], agent, 0)
        for other in reversed(range(self.num_agents)):
            if other != agent:
                values = values @ policies[other]
        return values

    def _policies(self, policies: Sequence[npt.ArrayLike]) -> list[FloatArray]:
        """Return the checked policies, N arrays (A_i,) float64."""
        given = listed("policies", policies, "one distribution for each agent")
        if len(given) != self.num_agents:
            raise ValueError(
                f"policies must be one distribution for each of the {self.num_agents} agents, "
                f"got {len(given)}"
            )
        return [
            distribution(f"policies[{agent}]", value, count)
            for agent, (value, count) in enumerate(zip(given, self.num_actions, strict=True))
        ]

    def __repr__(self) -> str:
        return (
            f"<MatrixGame {self._name!r}: {agents_text(self.num_agents)}, "
            f"{self.num_actions} actions, {self.setting}>"
        )

    def __str__(self) -> str:
        if self.num_agents != 2 or max(self.num_actions) > _MOST_SHOWN:
            return repr(self)
        rows, columns = self._actions
        cells = [["", *columns]]
        for a, row in enumerate(self._payoffs.transpose(1, 2, 0).tolist()):
            cells.append([rows[a], *(f"{first:g}, {second:g}" for first, second in row)])
        widths = [max(len(line[k]) for line in cells) for k in range(len(cells[0]))]
        lines = [f"{self._name}: agent 0 chooses the row, agent 1 the column"]
        for head, *line in cells:
            others = (cell.rjust(width) for cell, width in zip(line, widths[1:], strict=True))
            lines.append("  ".join([head.ljust(widths[0]), *others]))
        return "\n".join(lines)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, MatrixGame):
            return NotImplemented
        return self._labels() == other._labels() and np.array_equal(self._payoffs, other._payoffs)

    def __hash__(self) -> int:
        # Adding 0 turns -0.0 into 0.0; equal games must have equal hashes.
        return hash((self._labels(), self.num_actions, (self._payoffs + 0.0).tobytes()))

    def _labels(self) -> tuple[str, tuple[tuple[str, ...], ...], str]:
        """Return the name, the actions and the source."""
        return self._name, self._actions, self._source

    def __reduce__(self) -> tuple[Callable[..., MatrixGame], tuple[FloatArray]]:
        # Unpickled arrays are writable; the constructor makes them read-only again.
        make = partial(type(self), name=self._name, actions=self._actions, source=self._source)
        return make, (self._payoffs,)


def _payoff_table(payoffs: object) -> FloatArray:
    """Return the checked payoffs as a new read-only array (N, A_0, ..., A_{N-1}) float64."""
    given = listed("payoffs", payoffs, "an array (N, A_0, ..., A_{N-1}) or N arrays of one shape")
    refuse_pairs("payoffs", payoffs, 0)
    tables = [real_array(f"payoffs[{agent}]", table) for agent, table in enumerate(given)]
    shape = same_shapes("payoffs", tables, "(A_0, ..., A_{N-1})")
    if len(shape) != len(tables):
        raise ValueError(
            "payoffs must have the shape (N, A_0, ..., A_{N-1}), one axis of actions for each of "
            f"the {len(tables)} agents, got shape {(len(tables), *shape)}"
            f"{pairs_hint('payoffs', (len(tables), *shape), 0)}"
        )
    if 0 in shape:
        raise ValueError(
            "payoffs must have at least 1 action for every agent, got 0 for agent "
            f"{shape.index(0)} in shape {(len(tables), *shape)}"
        )
    table = np.array(tables, dtype=np.float64, order="C")
    refuse_cells("payoffs", table, ~np.isfinite(table), "finite")
    return read_only(table)
