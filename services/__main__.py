"""Runs one service: `python -m services NAME [ARGUMENTS]`."""

import importlib
import sys
from pathlib import Path

from services.chassis.names import module_name, service_name

WRONG_USE = 2


def main(arguments: list[str]) -> int:
    """Serve what `services/NAME/main.py` builds; a one-shot, or arguments for a service that takes some, is run."""
    known = sorted(service_name(path.parent.name) for path in Path(__file__).parent.glob("*/main.py"))
    if not arguments or arguments[0] not in known:
        sys.stderr.write(f"usage: python -m services NAME; NAME is one of {', '.join(known)}\n")
        return WRONG_USE
    try:
        return started(arguments[0], arguments[1:])
    except Exception as error:
        from services.chassis.refusal import reasons

        told = reasons(error)
        if not told:
            raise
        sys.stderr.writelines(f"{arguments[0]} cannot start: {line}\n" for line in told)
        return WRONG_USE


def started(name: str, arguments: list[str]) -> int:
    """Run it until it ends."""
    module = importlib.import_module(f"services.{module_name(name)}.main")
    if hasattr(module, "run") and (arguments or not hasattr(module, "build")):
        return int(module.run(arguments) or 0)
    from services.chassis.service import serve

    serve(module.build, name)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
