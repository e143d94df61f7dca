"""Texts of the command line: help that can be read and copied, completion, -m."""

import functools
import re
import shlex

import pytest
from library.processes import python

import fastgames as fg
from fastgames import papers as reproduce
from fastgames.cli import main as cli
from fastgames.cli import shards, speed
from fastgames.registry import GAMES, LEARNERS
from fastgames.runs import estimating

TEXTS = {
    "games": cli.GAMES_EXAMPLES,
    "learners": cli.LEARNERS_EXAMPLES,
    "run": cli.RUN_EXAMPLES,
    "reproduce": cli.REPRODUCE_EXAMPLES,
    "merge": cli.MERGE_EXAMPLES,
    "shards": cli.SHARDS_EXAMPLES,
    "speed": cli.SPEED_EXAMPLES,
}


@pytest.fixture
def help_of(capsys, monkeypatch):
    """The help text of a command at a width."""

    def shown(command, width):
        monkeypatch.setenv("COLUMNS", str(width))
        assert cli.main([command, "--help"]) == 0
        return capsys.readouterr().out

    return shown


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("command", TEXTS)
def test_examples_stand_as_they_were_written(help_of, command, width):
    lines = [line.rstrip() for line in help_of(command, width).splitlines()]
    assert max(map(len, lines)) <= width
    written = TEXTS[command].strip("\n").splitlines()
    assert max(map(len, written)) <= 78
    assert written == lines[-len(written) :]
    after = lines[-len(written) - 2 :]
    assert (after[0][0], after[1]) == ("╰", "")  # one empty line between the options and these


def examples():
    """Every command of the help texts, as a shell would split it."""
    for text in TEXTS.values():
        for line in re.findall(r"^  (\w+=\w+ )?fastgames (.*)$", text.replace("\\\n", ""), re.M):
            yield shlex.split(line[1].partition(" > ")[0])


@pytest.mark.parametrize("command", list(examples()), ids=" ".join)
def test_an_example_is_a_whole_command(command, monkeypatch, tmp_path, capsys):
    """It is accepted, up to where the work would begin."""
    began = ValueError("the work begins")

    def stop(function):
        @functools.wraps(function)
        def stopped(*arguments, **options):
            raise began

        return stopped

    monkeypatch.chdir(tmp_path)
    (tmp_path / "parts").mkdir()
    monkeypatch.setattr(cli, "run_game", stop(cli.run_game))
    monkeypatch.setattr(cli, "run_part", stop(cli.run_part))
    monkeypatch.setattr(shards, "merge_parts", stop(shards.merge_parts))
    monkeypatch.setattr(estimating, "run", stop(estimating.run))
    monkeypatch.setattr(speed, "measure", stop(speed.measure))
    for name, again in reproduce.NAMES.items():
        monkeypatch.setitem(reproduce.NAMES, name, stop(again))
    status, errors = cli.main(command), capsys.readouterr().err
    if command[0] in ("games", "learners", "shards"):
        assert (status, errors) == (0, "")
    else:
        assert (status, errors) == (2, f"fastgames: {began}\n")


def completed(*words):
    """Return the completions that the shell offers for the last word."""
    done = python(
        "-m",
        "fastgames",
        _FASTGAMES_COMPLETE="complete_bash",
        COMP_WORDS=" ".join(["fastgames", *words]),
        COMP_CWORD=str(len(words)),
    )
    assert done.stderr == ""
    return done.stdout.split()


def test_the_tab_key_completes():
    assert completed("re") == ["reproduce"]
    assert completed("run", "p") == [name for name in GAMES if name.startswith("p")]
    assert completed("run", "chicken", "--learner", "h") == [x for x in LEARNERS if x[0] == "h"]
    assert completed("reproduce", "wal") == ["waltman-kaymak"]
    assert completed("run", "chicken", "--backend", "cy") == ["cython"]


def test_python_m():
    done = python("-m", "fastgames", "--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"fastgames {fg.__version__}\n", "")
    done = python("-m", "fastgames", "run", "chiken")
    assert (done.returncode, done.stdout) == (2, "")
    assert "did you mean 'chicken'" in done.stderr


def test_python_m_without_the_extra():
    without = "import runpy, sys; sys.modules['typer'] = None; "
    done = python("-c", without + "runpy.run_module('fastgames', None, '__main__')")
    says = 'fastgames: the command line needs typer: pip install "fastgames-engine[cli]"\n'
    assert (done.returncode, done.stdout, done.stderr) == (2, "", says)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["rum"], "No such command 'rum'. Did you mean 'run'? Try: fastgames --help\n"),
        (["run"], "Missing argument 'game'. Try: fastgames run --help\n"),
        (
            ["run", "chicken", "--alhpa", "0.1"],
            "--alpha, --kappa, --last). Try: fastgames run --help\n",
        ),
        (["reproduce", "cycle"], "did you mean 'cycling'?\n"),
    ],
)
def test_errors_say_what_to_do(capsys, arguments, says):
    assert cli.main(arguments) == 2
    assert capsys.readouterr().err.endswith(says)
