"""The demo accounts, which the one-shot `keys` has made.

scripts/accounts [--json]
"""

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from rich.cells import cell_len

from scripts.runner.site import Site

Account = dict[str, Any]


def main(site: Site, arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/accounts", description="The demo accounts and their passwords.")
    parser.add_argument("--json", action="store_true", help="the file itself, for --accounts of the tests")
    options = parser.parse_args(arguments)
    accounts = known(site) or of_docker(site)
    if accounts is None:
        print("accounts: there are none yet; scripts/up makes them", file=sys.stderr)
        return 1
    print(json.dumps(accounts, indent=1, ensure_ascii=False) if options.json else table(accounts))
    return 0


def known(site: Site) -> list[Account] | None:
    file = site.volume("keys-accounts") / "accounts.json"
    return json.loads(file.read_text()) if file.is_file() else None


def of_docker(site: Site) -> list[Account] | None:
    """The same file, from the volume of a platform that runs in containers."""
    if not shutil.which("docker"):
        return None
    read = ["--entrypoint", "python", "seed", "-c", "print(open('/run/keys/accounts.json').read())"]
    command = ["docker", "compose", "run", "--rm", "--no-deps", "-T", *read]
    done = subprocess.run(command, cwd=site.root, capture_output=True, text=True, check=False)
    return json.loads(done.stdout) if done.returncode == 0 else None


def table(accounts: Sequence[Account]) -> str:
    width = max(cell_len(account["name"]) for account in accounts)
    names = (account["name"] + " " * (width - cell_len(account["name"])) for account in accounts)
    rows = (
        f"  {name}  {account['password']}  {_roles(account)}" for name, account in zip(names, accounts, strict=True)
    )
    return "\n".join(rows)


def _roles(account: Account) -> str:
    return ", ".join(account["roles"]) or "user"
