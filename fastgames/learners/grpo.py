"""Group-relative policy optimisation (GRPO)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from fastgames._common.later import cached
from fastgames.games import Game
from fastgames.learners.base import Example, RuleLearner
from fastgames.learners.episodes import check_ends, ends
from fastgames.learners.fields import choice, flag, initial_values, parameter, policy_rows, whole
from fastgames.learners.rules import Rules, Table
from fastgames.rules import fixed
from fastgames.rules.choice import largest
from fastgames.rules.episodes import inside, is_complete
from fastgames.rules.gradients import choose_softmax, clips, policy_softmax, softmax
from fastgames.rules.roots import sqrt
from fastgames.rules.sums import mean
from fastgames.rules.zero_sum import smallest
from fastgames.schedules import Numeric

if TYPE_CHECKING:
    from fastgames.rules.outcome import Outcome

DEVIATIONS = ("sample", "population", "none")
SAMPLE, NONE = 0, 2  # indices of two of them


@dataclass(frozen=True, eq=False)
class GRPO(RuleLearner):
    """Group-relative policy optimisation, which scores successive plays against each other.

    A play is an episode, in a matrix game a step. After every `group` plays with the returns R_g,
    the advantage of a play is A_g = (R_g - mean R) / (deviation of R), which replaces a critic; if
    all returns of a group are equal, every A_g is 0. The logits then take `epochs` gradient steps
    of size alpha on the mean over the group of sum_t min(r_t A_g, clip(r_t, 1 - clip, 1 + clip)
    A_g), where r_t is the ratio of the probability of the t-th action to that which it was played
    with, minus beta times an estimate of the distance (KL divergence) to a reference policy. The
    agent plays the softmax of its logits.

    In the first epoch all r_t are 1, so that `clip` has no effect.

    In games with turns, the rewards until the agent's next move belong to its move; those before
    its first move of an episode are ignored.

    Parameters
    ----------
    group : int
        The number of plays that are scored against each other, in [2, 2^31).
    alpha : float, schedule or array (replicas,)
        The step size, in [0, inf).
    gamma : float, schedule or array (replicas,), optional
        The discount factor of returns, in [0, 1]; 0 where episodes do not end. None: the game's
        discount, 0 for a matrix game.
    deviation : "sample", "population" or "none"
        The divisor of the advantages: the standard deviation of the returns of the group with
        group - 1 in its denominator, or with group, or 1. Nothing is added to it.
    leave_one_out : bool
        The mean is over the other plays of the group. It does not contain the play's own return,
        which shrinks steps by 1 - 1 / group.
    epochs : int
        The number of gradient steps for each group, in [1, 2^31).
    clip : float, schedule or array (replicas,)
        How far r_t may go from 1, in [0, inf).
    beta : float, schedule or array (replicas,)
        The weight of the distance to the reference policy, in [0, inf).
    reference : array (A,), (observations, A) or (replicas, observations, A), optional
        The probabilities of the actions in the reference policy, at least 0, with the sum 1 within
        1e-6 in each row. None: uniform play.
    initial : float or array
        Initial values of the table "logits": finite, broadcast from the right to (replicas,
        observations, actions).

    Raises
    ------
    ValueError, TypeError
        If a parameter is outside of its domain. `fastgames.run` raises ValueError if gamma is
        positive in a game whose episodes do not end, if the run has fewer steps than a group has
        plays, or if the reference policy does not have the shape of the agent's table.

    Notes
    -----
    Tables: "logits" and "reference", (replicas, observations, actions). Of the current group:
    "plays", (replicas, group, observations, actions) int64, how often each play had each action;
    "returns", (replicas, group); "factor", (replicas, 1), the discount factor of the next reward;
    "finished", (replicas, 1) int64, the number of plays that are over. One random word per step.

    The policy does not change during a group, so that the counts tell the steps exactly, for
    episodes of any length; a group takes time in proportion to group x observations x actions.
    Flips count only changes at the observation of the last move.

    The distance is estimated by s - log s - 1 of the actions played, with s = (probability in the
    reference) / (probability in the policy). It adds beta (s - 1) to the factor of the score. In
    the first epoch the mean of this part is beta times the gradient of sum_a reference(a) log
    pi(a), which lowers the divergence sum_a reference(a) log(reference(a) / pi(a)).

    With two actions, of which one pays 1 and is played with probability p and the other 0, the mean
    step of the difference of the logits is 2 alpha E sqrt(m (1 - m)) for deviation="population",
    where group m is binomial(group, p); sqrt(1 - 1 / group) times this for "sample", and 2 alpha
    p (1 - p) (1 - 1 / group) for "none".

    Source: Shao et al., DeepSeekMath, arXiv:2402.03300 (2024), equations 3, 4 and 21, without the
    division by the length of an answer; deviation="none": Liu et al., Understanding R1-Zero-Like
    Training, arXiv:2503.20783 (2025); leave_one_out: Ahmadian et al., Back to Basics, ACL 2024.

    Examples
    --------
    >>> import fastgames as fg
    >>> result = fg.run(fg.games.chicken(), fg.GRPO(4), 9, 2, rng=1, backend="reference")
    >>> result.tables[0]["finished"][0]  # of the third group
    array([1])
    """

    group: int = whole(8, "[2, 2^31)")
    alpha: Any = parameter(0.1, "[0, inf)")
    gamma: Any = parameter(None, "[0, 1]")
    deviation: str = choice(DEVIATIONS)
    leave_one_out: bool = flag()
    epochs: int = whole(1, "[1, 2^31)")
    clip: Any = parameter(0.2, "[0, inf)")
    beta: Any = parameter(0.0, "[0, inf)")
    reference: Any = policy_rows()
    initial: Any = initial_values()

    name = "grpo"
    title = "Group-relative policy optimisation (GRPO)"
    formula = (
        r"A_g = \frac{R_g - \mathrm{mean}(R)}{\mathrm{sd}(R)}, \qquad \theta \leftarrow \theta + "
        r"\frac{\alpha}{G} \sum_{g} \sum_t \nabla \min\bigl(r_t A_g,\, \mathrm{clip}(r_t, 1 - c, "
        r"1 + c)\, A_g\bigr)"
    )
    example: ClassVar[Example] = Example(
        "prisoners_dilemma()",
        "fg.GRPO(group=8)",
        says="Every agent learns to defect, the dominant action.",
    )
    slow = True
    batch = ("group",)

    @cached
    def rules(self) -> Rules:
        """Rules of this learner."""
        return Rules(
            parameters=(
                "alpha", "gamma", "deviation", "leave_one_out", "epochs", "clip", "beta",
            ),
            tables=(
                Table("logits"),
                Table("reference", initial="uniform"),
                Table("plays", (self.group, "observations", "actions"), kind="int64"),
                Table("returns", (self.group,)),
                Table("factor", (1,), initial=1.0),
                Table("finished", (1,), kind="int64"),
            ),
            draw=fixed.draw,
            choose=choose_softmax,
            learn=learn,
            policy=policy_softmax,
            cuts=True,
        )  # fmt: skip

    @classmethod
    def sample(cls, game: Game, agent: int) -> dict[str, Any]:
        """Return a gamma of 0 for games whose episodes do not end."""
        return {} if ends(game) else {"gamma": 0.0}

    def values(self, discount: float) -> dict[str, Numeric]:
        """Return the numeric parameters by their names in the rules; discount: the game's."""
        return super().values(discount) | {
            "deviation": float(DEVIATIONS.index(self.deviation)),
            "leave_one_out": float(self.leave_one_out),
            "epochs": float(self.epochs),
        }

    def start(self, game: Game, agent: int) -> dict[str, np.ndarray]:
        """Return initial tables by name, each broadcastable to (replicas, *dimensions)."""
        given = {} if self.reference is None else {"reference": self.reference}
        return super().start(game, agent) | given

    def check(self, game: Game, agent: int) -> None:
        """Raise ValueError if episodes do not end, or for a reference policy of another shape."""
        check_ends("GRPO", self.values(game.discount)["gamma"], game)
        actions = game.num_actions[agent]
        if self.reference is not None and self.reference.shape[-1] != actions:
            raise ValueError(
                f"reference of GRPO must have {actions} actions for agent {agent} of "
                f"{game.name!r}, got shape {self.reference.shape}"
            )


def learn(tables: Any, p: Any, t: "Outcome") -> None:
    """Add a move to the current play; after the last play of a group, step the logits."""
    returns, factor = tables.returns, tables.factor
    real = returns.dtype.type
    g = inside(tables.finished[0], len(returns))
    tables.plays[g, t.observation, t.action] += 1
    returns[g] = returns[g] + factor[0] * t.gain
    factor[0] = factor[0] * t.weight
    tables.finished[0] = g
    if is_complete(t):
        factor[0] = real(1.0)
        tables.finished[0] = g + 1
        if g + 1 == len(returns):
            advantages = np.empty(len(returns), returns.dtype)
            score(returns, p, advantages)
            optimise(tables, p, advantages)
            tables.finished[0] = 0
            for k in range(len(returns)):
                returns[k] = real(0.0)


def score(returns: np.ndarray, p: Any, out: np.ndarray) -> None:
    """Write the advantage of each play of a group into `out`; returns, out: (G,).

    If all returns are equal, all advantages are 0.
    """
    real = returns.dtype.type
    size = len(returns)
    middle, spread = mean(returns), real(0.0)
    equal = largest(returns) == smallest(returns)
    for g in range(size):
        out[g] = real(0.0) if equal else returns[g] - middle
        spread = spread + out[g] * out[g]
    scale = real(1.0)
    if p.deviation != NONE:
        count = size - 1 if p.deviation == SAMPLE else size
        spread = sqrt(spread / real(count), real)
        if spread > real(0.0):
            scale = real(1.0) / spread
    if p.leave_one_out:
        scale = scale * (real(size) / real(size - 1))
    for g in range(size):
        out[g] = out[g] * scale


def optimise(tables: Any, p: Any, advantages: np.ndarray) -> None:
    """Take the gradient steps for a group at every observation, and clear its plays."""
    logits, plays = tables.logits, tables.plays
    real = logits.dtype.type
    actions = logits.shape[1]
    up, down = np.empty(actions, logits.dtype), np.empty(actions, logits.dtype)
    count = np.empty(actions, logits.dtype)
    for o in range(logits.shape[0]):
        seen = False
        for a in range(actions):
            up[a], down[a], count[a] = real(0.0), real(0.0), real(0.0)
            for g in range(len(advantages)):
                times = real(plays[g, o, a])
                if advantages[g] > real(0.0):
                    up[a] = up[a] + times * advantages[g]
                else:
                    down[a] = down[a] + times * advantages[g]
                count[a] = count[a] + times
                seen = seen or plays[g, o, a] > 0
                plays[g, o, a] = 0
        if seen:
            climb_row(logits[o], tables.reference[o], p, len(advantages), up, down, count)


def climb_row(
    row: np.ndarray, reference: np.ndarray, p: Any, group: int, up: Any, down: Any, count: Any
) -> None:
    """Take the gradient steps at one observation; all arrays (A,), row in place.

    up, down: for each action, the sums over its plays of the positive and negative advantages
    count: how often it was played
    """
    real = row.dtype.type
    actions = len(row)
    old, chances = np.empty(actions, row.dtype), np.empty(actions, row.dtype)
    step = real(p.alpha) / real(group)
    softmax(row, old)
    for _ in range(int(p.epochs)):
        softmax(row, chances)
        for a in range(actions):
            if count[a] == real(0.0) or chances[a] == real(0.0):
                continue
            ratio, factor = chances[a] / old[a], real(0.0)
            if not clips(ratio, True, p.clip, real):
                factor = factor + ratio * up[a]
            if not clips(ratio, False, p.clip, real):
                factor = factor + ratio * down[a]
            distance = reference[a] / chances[a] - real(1.0)
            factor = factor + real(p.beta) * distance * count[a]
            for b in range(actions):
                is_a = real(1.0) if b == a else real(0.0)
                row[b] = row[b] + step * factor * (is_a - chances[b])
