"""A wire between a browser and the server that a test can cut, as a network does: connections die, new ones fail."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Wire:
    """Relays one port of loopback to another, until it is cut and again once it is mended."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._ends: list[socket.socket] = []
        self._lock = threading.Lock()
        self._listening: socket.socket | None = None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]

    def mend(self) -> None:
        """Connections are taken from now on."""
        self._listening = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self._listening,), daemon=True).start()

    def cut(self) -> None:
        """Every connection dies at once, and no other is taken."""
        with self._lock:
            if self._listening:
                _end(self._listening)
                self._listening = None
            for end in self._ends:
                _end(end)
            self._ends.clear()

    def _accept(self, listening: socket.socket) -> None:
        with suppress(OSError):
            while True:
                here, _ = listening.accept()
                there = socket.create_connection(("127.0.0.1", self._to))
                with self._lock:
                    cut = self._listening is not listening
                    if not cut:
                        self._ends += (here, there)
                if cut:  # it came in at the last moment
                    _end(here)
                    _end(there)
                    return
                for one, other in ((here, there), (there, here)):
                    threading.Thread(target=_pump, args=(one, other), daemon=True).start()


def _pump(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)
    _end(one)
    _end(other)


def _end(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()


@contextmanager
def wire(port: int) -> Iterator[Wire]:
    """A wire that stands, cut for good in the end."""
    made = Wire(port)
    made.mend()
    try:
        yield made
    finally:
        made.cut()
