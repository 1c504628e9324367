"""Stands between Docker and the registry and counts what is pulled: Docker itself does not say."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

PIECE = 1 << 18


@dataclass
class Counted:
    """Bytes that came from the registry, through `port`."""

    port: int
    total: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, size: int) -> None:
        with self.lock:
            self.total += size

    def taken(self) -> int:
        """What came since the last time this was asked."""
        with self.lock:
            total, self.total = self.total, 0
        return total


@contextmanager
def counting(target: int) -> Iterator[Counted]:
    """A port on loopback that leads to `target`."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        counted = Counted(listener.getsockname()[1])
        threading.Thread(target=_accept, args=(listener, target, counted), daemon=True).start()
        yield counted


def _accept(listener: socket.socket, target: int, counted: Counted) -> None:
    while True:
        try:
            caller, _ = listener.accept()
            called = socket.create_connection(("127.0.0.1", target))
        except OSError:
            return
        for source, sink, count in ((caller, called, None), (called, caller, counted)):
            threading.Thread(target=_pass_on, args=(source, sink, count), daemon=True).start()


def _pass_on(source: socket.socket, sink: socket.socket, counted: Counted | None) -> None:
    with suppress(OSError):
        while piece := source.recv(PIECE):
            sink.sendall(piece)
            if counted:
                counted.add(len(piece))
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
