"""Asks a service of this host for its health: `python -m services.chassis.health NAME [ready|live]`.

Standard library only: it runs every few seconds for every service.
"""

import http.client
import sys

from services.chassis.ports import port


def healthy(name: str, what: str) -> bool:
    """Whether the service answers 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port(name), timeout=4)
    try:
        connection.request("GET", f"/health/{what}")
        response = connection.getresponse()
        if response.status != 200:
            sys.stdout.write(response.read(500).decode(errors="replace") + "\n")
        return response.status == 200
    except OSError as error:
        sys.stdout.write(f"{error}\n")
        return False


if __name__ == "__main__":
    sys.exit(0 if healthy(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "ready") else 1)
