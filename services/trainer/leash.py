"""Runs a command that cannot outlive its owner: `python leash.py POLITENESS COMMAND...`, in a session of its own.

The owner holds the other end of this process's standard input. When it closes, because the owner
asked or because it was killed, the whole process group of the command is killed. Standard library only.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading


def main(politeness: int, command: list[str]) -> int:
    """The command's exit code; it runs in the group of this process, and steps back for the rest of the platform."""
    os.nice(politeness)
    owner = os.dup(0)
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    threading.Thread(target=kill_when_closed, args=(owner,), daemon=True).start()
    return process.wait()


def kill_when_closed(owner: int) -> None:
    """Nothing is ever sent: reading ends when the other side is gone."""
    with contextlib.suppress(OSError):
        os.read(owner, 1)
    os.killpg(os.getpgid(0), signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
