"""Runs one service: `python -m services NAME [ARGUMENTS]`."""

import importlib
import sys
from pathlib import Path

from services.chassis.names import module_name, service_name


def main(arguments: list[str]) -> int:
    """Serve what `services/NAME/main.py` builds, or run it when it is a one-shot with `run(arguments)`."""
    known = sorted(service_name(path.parent.name) for path in Path(__file__).parent.glob("*/main.py"))
    if not arguments or arguments[0] not in known:
        sys.stderr.write(f"usage: python -m services NAME; NAME is one of {', '.join(known)}\n")
        return 2
    module = importlib.import_module(f"services.{module_name(arguments[0])}.main")
    if hasattr(module, "run"):
        return int(module.run(arguments[1:]) or 0)
    from services.chassis.service import serve

    serve(module.build, arguments[0])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
