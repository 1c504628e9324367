"""The demo: the platform, filled with first items, and what to try on it.

scripts/demo
"""

import argparse
import os
import time
from collections.abc import Sequence

from scripts.runner import accounts, up
from scripts.runner.site import Site

TRY = (
    "Sign in and register a photo with a title and a description: it is judged and tagged while you watch.",
    "Search for ねこ: what is called cat, ネコ or 猫 is found too. Then open an item and look at similar ones.",
    "Sign in as the moderator: what the models were not sure of waits for you. The status page shows who made them.",
)


def main(site: Site, arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/demo", description="Install, start, fill, and say what to try.")
    parser.parse_args(arguments)
    began = float(os.environ.get("DEMO_BEGAN") or time.time())
    if code := up.main(site, []):
        return code
    print(text(site))
    print(f"\ndemo: ready in {time.time() - began:.0f} s")
    return 0


def text(site: Site) -> str:
    tries = "\n".join(f"  {number}. {what}" for number, what in enumerate(TRY, 1))
    people = accounts.table(accounts.known(site) or [{"name": "-", "password": "-", "roles": []}])
    return (
        f"\nThe app        {site.address}/\n"
        f"Its API        {site.address}/api/openapi.json\n"
        f"Inference      {site.address}/v2 (Open Inference Protocol)\n"
        f"\nAccounts\n{people}\n"
        f"\nTry\n{tries}\n"
        "\nscripts/status shows what it costs, scripts/logs what it says, scripts/down stops it."
    )
