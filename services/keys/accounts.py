"""The accounts a new platform begins with: one of each role to try it as, and those whose items are already there."""

import json
import secrets

DEMO = (
    ("mike", ["user"]),
    ("tama", ["user", "moderator"]),
    ("kuro", ["user", "operator"]),
    ("hana", ["user"]),
    ("sora", ["user"]),
    ("さくら", ["user"]),
    ("けんた", ["user"]),
    ("emma", ["user"]),
    ("noah", ["user"]),
)
"""Name and roles."""

UNMISTAKABLE = "abcdefghjkmnpqrstuvwxyz23456789"


def demo_accounts() -> str:
    """The accounts with fresh passwords, as JSON."""
    accounts = [{"name": name, "password": _typeable(), "roles": roles} for name, roles in DEMO]
    return json.dumps(accounts, indent=2, ensure_ascii=False) + "\n"


def _typeable() -> str:
    """A password that a person can read off a screen and type: 59 bits."""
    return "-".join("".join(secrets.choice(UNMISTAKABLE) for _ in range(4)) for _ in range(3))
