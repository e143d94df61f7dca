"""``python -m fastgames``: the command line."""

import sys

from fastgames.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
