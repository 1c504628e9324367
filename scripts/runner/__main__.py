"""`python -m scripts.runner COMMAND`: what the commands in `scripts/` call."""

import importlib
import os
import sys

from scripts.runner.keys import BadCompose
from scripts.runner.site import BadSetting, site

COMMANDS = {
    "up": "up:main",
    "supervise": "up:background",
    "down": "down:main",
    "status": "status:main",
    "logs": "logs:main",
    "reset": "reset:main",
    "demo": "demo:main",
    "accounts": "accounts:main",
    "train": "training:main",
    "batch": "batch:main",
    "promote": "promotion:main",
    "replay-dead-letters": "replaying:main",
    "build-image": "images:main",
    "test": "testing:main",
    "check": "checking:main",
}


def main() -> int:
    name, arguments = (sys.argv[1] if len(sys.argv) > 1 else ""), sys.argv[2:]
    if name not in COMMANDS:
        print(f"python -m scripts.runner {{{','.join(COMMANDS)}}} ...", file=sys.stderr)
        return 2
    module, _, function = COMMANDS[name].partition(":")
    try:
        call = getattr(importlib.import_module(f"scripts.runner.{module}"), function)
        return int(call(site(), arguments))
    except ModuleNotFoundError as problem:
        print(f"{name}: {problem.name} is not installed; scripts/setup does it", file=sys.stderr)
        return 2
    except (BadCompose, BadSetting) as problem:
        print(f"{name}: {problem}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `scripts/logs | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


if __name__ == "__main__":
    sys.exit(main())
