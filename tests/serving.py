"""A real server for tests: the sample district under uvicorn on a free port of loopback, in a thread of its own."""

from __future__ import annotations

import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import uvicorn

from dispatch.ground import Ground
from dispatch.settings import Settings
from tests.sample import ground
from web.app import create

_KEYS: Final = tempfile.TemporaryDirectory(prefix="onegrid-keys-")


@contextmanager
def serving(settings: Settings) -> Iterator[str]:
    """Base URL of a server of the sample district that answers."""
    with serving_on(settings, ground()) as url:
        yield url


@contextmanager
def serving_on(settings: Settings, made: Ground) -> Iterator[str]:
    """As `serving`, of any district.

    Where nothing else is said it signs checkpoints by a key of its own, and does nothing to a case by itself.
    """
    quiet = {name: 0.0 for name in ("offer_s", "oversee_s") if name not in settings.model_fields_set}
    settings = settings.model_copy(update=quiet)
    if "checkpoint_key" not in settings.model_fields_set:
        settings = settings.model_copy(update={"checkpoint_key": Path(_KEYS.name) / "checkpoint.key"})
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    config = uvicorn.Config(
        create(settings, made), host="127.0.0.1", port=port, log_level="warning", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    limit = time.monotonic() + 60
    while not server.started:
        if not thread.is_alive() or time.monotonic() > limit:
            raise RuntimeError("the server did not start")
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(20)
