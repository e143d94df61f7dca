"""Check with pyright that the share of the public names whose types are known is large enough.

python tests/typing/completeness.py 98
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import fastgames

COMMAND = ["-m", "pyright", "--verifytypes", "fastgames", "--ignoreexternal", "--outputjson"]


def main(least: float) -> int:
    """Print the share in percent, and what is missing; return 1 if it is less than `least`."""
    root = str(Path(fastgames.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, *COMMAND, "--pythonpath", sys.executable],
        env={**os.environ, "PYTHONPATH": root},
        capture_output=True,
        text=True,
    )
    found = json.loads(done.stdout)["typeCompleteness"]
    share = 100 * found["completenessScore"]
    print(f"pyright: {share:.1f} % of the public names have known types")
    for name in found["symbols"]:
        if name["isExported"] and not (name["isTypeKnown"] and not name["isTypeAmbiguous"]):
            print(f"  {name['name']}")
    return 0 if share >= least else 1


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1])))
