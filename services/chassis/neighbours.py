"""A Unix socket beside the port, for the gateway on the same machine: the way over it is shorter than over TCP."""

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

from services.chassis.ports import socket_path


@contextlib.contextmanager
def sockets(folder: Path, host: str, port: int) -> Iterator[list[socket.socket]]:
    """The port and its Unix socket, for the length of the block. OSError: the port is taken.

    Who has the port owns the file: one that is there was left by a process that was killed.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    path = socket_path(folder, port)
    with socket.socket(family) as public, socket.socket(socket.AF_UNIX) as beside:
        public.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        public.bind((host, port))
        public.listen()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        beside.bind(str(path))
        try:
            yield [public, beside]
        finally:
            path.unlink(missing_ok=True)
