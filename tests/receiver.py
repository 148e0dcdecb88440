"""Somebody who is told by webhook: a real HTTP server that refuses, is slow, and breaks off, as the test wishes."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Receipt:
    """One message as it came."""

    headers: Mapping[str, str]
    body: bytes

    @property
    def step(self) -> tuple[str, int]:
        said = json.loads(self.body)
        return said["case"]["case"], said["seq"]


@dataclass
class Receiver:
    """What came, in its order, and what was answered with 200."""

    came: list[Receipt] = field(default_factory=list)
    taken: set[tuple[str, int]] = field(default_factory=set)
    skipped: list[tuple[str, int]] = field(default_factory=list)
    """Steps that came before the one before them had been taken."""
    lock: threading.Condition = field(default_factory=threading.Condition)
    url: str = ""

    def wait(self, enough: Callable[[], bool], seconds: float = 200) -> bool:
        with self.lock:
            return self.lock.wait_for(enough, seconds)


Answer = Callable[[Receipt], str]
"""`take`, `slow` (taken, told later), `refuse` (500), `lose` (taken, but nobody is told), `break` (nothing at all)."""


def moody(seed: int) -> Answer:
    """Takes most, and does everything else at random."""
    mood = random.Random(seed)
    return lambda _: mood.choices(["take", "slow", "refuse", "lose", "break"], [60, 10, 10, 10, 10])[0]


@contextmanager
def receiving(answer: Answer) -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            receipt = Receipt(
                {name.lower(): value for name, value in self.headers.items()},
                self.rfile.read(int(self.headers["content-length"])),
            )
            if b'"test"' in receipt.body:
                self.send_response(204)
                self.end_headers()
                return
            case, seq = receipt.step
            with receiver.lock:
                receiver.came.append(receipt)
                if seq > 1 and (case, seq - 1) not in receiver.taken:
                    receiver.skipped.append(receipt.step)
                what = answer(receipt)
                if what in ("take", "slow", "lose"):
                    receiver.taken.add(receipt.step)
                receiver.lock.notify_all()
            if what == "slow":
                time.sleep(0.1)
            if what in ("lose", "break"):
                self.close_connection = True
                self.connection.close()
                return
            self.send_response(500 if what == "refuse" else 200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A client that was killed breaks off."""

    server = Server(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()
