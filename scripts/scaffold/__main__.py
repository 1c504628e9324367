"""`python -m scripts.scaffold NAME [--into FOLDER]`: a predictor whose tests pass, to be made into one's own."""

import argparse
import sys
from pathlib import Path

from scripts.scaffold.predictor import NotPossible, scaffold

ROOT = Path(__file__).parents[2]
NEXT = """
It sorts texts into two labels, and is tested:   .venv/bin/pytest tests/models/test_{name}.py
Train and register it:                           .venv/bin/dvc repro pipelines/{name}/dvc.yaml
Every host serves it from its next start:        POST /v2/models/{name}/predict {{"text": "..."}}
Make it yours: data/{name}/examples.csv first, then models/{name}, then pipelines/{name}; a row in README.md's table.
"""


def main() -> int:
    """Say what was made, and what comes next."""
    parser = argparse.ArgumentParser(prog="scripts/new-predictor")
    parser.add_argument("name", help="lower case, as a Python module: late_delivery")
    parser.add_argument("--into", type=Path, default=ROOT, help="another clone's root")
    arguments = parser.parse_args()
    try:
        made = scaffold(arguments.name, arguments.into)
    except NotPossible as problem:
        print(problem, file=sys.stderr)
        return 1
    print("\n".join(str(path) for path in made))
    print(NEXT.format(name=arguments.name))
    return 0


if __name__ == "__main__":
    sys.exit(main())
