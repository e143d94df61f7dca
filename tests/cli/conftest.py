"""What tests of the command line share."""

import pytest

from fastgames.cli import main as cli


@pytest.fixture
def call(capsys):
    """Call it; the exit status, standard output and standard error."""

    def called(*arguments):
        status = cli.main([str(a) for a in arguments])
        return status, *capsys.readouterr()

    return called


@pytest.fixture
def refused(call):
    """Call it; the error must be one line on standard error that has some texts."""

    def called(arguments, said):
        status, out, errors = call(*arguments)
        assert (status, out) == (2, "")
        assert errors.count("\n") == 1
        assert errors.startswith("fastgames: ")
        for text in said:
            assert text in errors

    return called
