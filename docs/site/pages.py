"""Pages for all learners and games of the registry.

`LEARNERS` and `GAMES` map the path of each page to a function that returns its text.
"""

import inspect
from functools import partial

import numpy as np

import fastgames as fg
from fastgames import registry
from fastgames.games.registry import about

MOST_ACTIONS = 5  # of agents whose payoffs are shown as a table


def learner(name):
    """Return the page of a learner."""
    kind = registry.LEARNERS[name]
    example = kind.example
    return f"""# {kind.title}

$$
{kind.formula}
$$

{_code(name, example)}

![{kind.title} in a game]({name}.png)

{example.says}

::: {_path(kind)}

## Rules
The rules are plain Python in `{_file(_rules(name)[1])}`. Numba compiles them, and every compiled
kernel gives their bits.

{_source(_rules(name))}
"""


def _rules(name):
    kind = registry.LEARNERS[name]
    rules = kind(**kind.sample(fg.games.matching_pennies(), 0)).rules
    some = [rules.choose, rules.learn, rules.learn_in_turns]
    return [rule for rule in some if rule is not None]


def _code(name, example):
    record = example.record.format(every=max(1, example.steps // 400))
    return f"""``` python
import fastgames as fg

game = fg.games.{example.game}
learner = {example.learner}
result = fg.run(
    game,
    learner,
    steps={example.steps:_},
    replicas={example.replicas},
    rng=7,
    record={record},
)
result.plot("{name}.png", kind="{example.kind}"{example.options})
```"""


def _path(kind):
    return f"{kind.__module__}.{kind.__qualname__}"


def _file(function):
    return function.__module__.replace(".", "/") + ".py"


def _source(functions):
    return "\n".join(f"``` py\n{inspect.getsource(f).rstrip()}\n```\n" for f in functions)


def game(name):
    """Return the page of a game."""
    make = registry.GAMES[name]
    made, declared = make(), about(name)
    formula = f"\n$$\n{declared.formula}\n$$\n" if declared.formula else ""
    return f"""# {declared.title}

{_facts(made)}
{formula}{_payoffs(made)}

``` python
import fastgames as fg

game = fg.games.{name}()
{_play(made)}
result.plot("{name}.png", kind="{_kind(made)}")
```

![Q-learners in this game]({name}.png)

::: {make.__module__}.{name}
"""


def _facts(game):
    functions = not hasattr(game, "payoffs") and not hasattr(game, "transitions")
    kind = (
        "A game of functions"
        if functions
        else "A matrix game"
        if game.num_states == 1
        else f"A Markov game of {game.num_states:,} states"
    )
    actions = game.num_actions
    many = len(set(actions)) == 1
    said = f"{actions[0]} actions each" if many else f"{', '.join(map(str, actions))} actions"
    names = ", ".join(game.actions[0]) if len(game.actions[0]) <= 8 else ""
    names = f" ({names})" if names and not names.startswith("0,") and many else ""
    seen = max(game.num_observations)
    sees = f", up to {seen:,} observations each" if seen > 1 else ""
    return f"{kind}: {game.num_agents} agents, {said}{names}{sees}."


def _payoffs(game):
    """Return the payoffs of two agents as a table, with the pure equilibria in bold."""
    if not hasattr(game, "payoffs") or game.num_agents != 2 or max(game.num_actions) > MOST_ACTIONS:
        return ""
    stable = set(game.pure_equilibria())
    columns = "".join(f"<th>{name}</th>" for name in game.actions[1])
    rows = ""
    for a, row in enumerate(game.actions[0]):
        cells = ""
        for b in range(game.num_actions[1]):
            text = ", ".join(f"{x:g}" for x in game.payoffs[:, a, b])
            cells += f"<td>{f'<b>{text}</b>' if (a, b) in stable else text}</td>"
        rows += f"<tr><th>{row}</th>{cells}</tr>"
    note = "Payoffs of agent 0 (rows) and agent 1" + (
        "; equilibria in pure actions are bold." if stable else "; no pure equilibrium."
    )
    return f'<table class="payoffs"><tr><th></th>{columns}</tr>{rows}</table>\n{note}'


def _kind(game):
    """Return the kind of picture: joint actions of two agents in one state, else an overview."""
    return "joint" if game.num_agents == 2 and game.num_observations == (1, 1) else "overview"


def _play(game):
    """Return the code of a run of Q-learners; large games get fewer replicas."""
    large = int(np.sum(game.num_observations)) * max(game.num_actions) > 10_000
    joint = game.num_agents <= 3 and np.prod(game.num_actions, dtype=float) < 10_000
    record = "joint_actions=True, rewards=True" if joint else "rewards=True"
    steps, replicas = (20_000, 20) if large else (20_000, 200)
    return f"""learner = fg.QLearner(alpha=0.1, explore=fg.EpsilonGreedy(0.1))
result = fg.run(
    game,
    learner,
    steps={steps:_},
    replicas={replicas},
    rng=7,
    record=fg.Record({record}),
)"""


LEARNERS = {f"learners/{name}.md": partial(learner, name) for name in registry.LEARNERS}
GAMES = {f"games/{name}.md": partial(game, name) for name in registry.GAMES}
