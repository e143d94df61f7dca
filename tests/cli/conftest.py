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
