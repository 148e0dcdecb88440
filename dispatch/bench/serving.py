"""Servers in processes of their own, for measuring."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx

from dispatch.database import PrivatePostgis, Running

PATIENCE_S: Final = 120.0


@contextmanager
def private_postgis() -> Iterator[Running]:
    """A private PostGIS with its usual, durable settings, thrown away afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="onegrid-bench-"))
    folder.chmod(0o711)  # the server's user passes through it
    try:
        with PrivatePostgis(folder) as running:
            yield running
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def server(kind: str, database_url: str, district: Path, data_dir: Path | None = None) -> Iterator[int]:
    """The port of a server (`real`, `unsealed`, `plain` or `tuned`) that answers.

    data_dir: unless it is the usual one.
    """
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = int(taken.getsockname()[1])
    names = {"ONEGRID_DATABASE_URL": database_url, "ONEGRID_DISTRICT": str(district)}
    if data_dir is not None:
        names["ONEGRID_DATA_DIR"] = str(data_dir)
    process = subprocess.Popen(
        [sys.executable, "-m", "dispatch.bench.server", kind, str(port)], env={**os.environ, **names}
    )
    try:
        _wait(process, port)
        yield port
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    limit = time.monotonic() + PATIENCE_S
    while time.monotonic() < limit:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        try:
            if httpx.get(f"http://127.0.0.1:{port}/api/health", timeout=5).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise RuntimeError("the server did not answer in time")
