"""A client that is not the limit: `python -m dispatch.bench.client PORT SECONDS CONNECTIONS < bodies`, one body a line.

Bare HTTP/1.1 over kept connections, each with one request under way. Prints one JSON object of what came back.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from statistics import median, quantiles

CONTENT_LENGTH = b"content-length:"


async def _worker(port: int, bodies: Iterator[bytes], until: float, times: list[float], refused: list[bytes]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"POST /api/reports HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n".encode()
    try:
        while (began := time.perf_counter()) < until:
            body = next(bodies)
            writer.write(b"%bContent-Length: %d\r\n\r\n%b" % (head, len(body), body))
            answer = await reader.readuntil(b"\r\n\r\n")
            start = answer.lower().index(CONTENT_LENGTH) + len(CONTENT_LENGTH)
            said = await reader.readexactly(int(answer[start : answer.index(b"\r", start)]))
            if answer.startswith(b"HTTP/1.1 201"):
                times.append(time.perf_counter() - began)
            else:
                refused.append(said)
    finally:
        writer.close()


async def load(port: int, seconds: float, connections: int, bodies: Iterator[bytes]) -> dict[str, object]:
    """Load for some seconds with so many connections."""
    times: list[float] = []
    refused: list[bytes] = []
    began = time.perf_counter()
    workers = [_worker(port, bodies, began + seconds, times, refused) for _ in range(connections)]
    await asyncio.gather(*workers)
    took = time.perf_counter() - began
    return {
        "per_s": len(times) / took,
        "p50_ms": median(times) * 1000 if times else None,
        "p99_ms": quantiles(times, n=100)[98] * 1000 if len(times) > 1 else None,
        "refused": len(refused),
        "first_refusal": refused[0].decode(errors="replace") if refused else None,
    }


def main(port: int, seconds: float, connections: int) -> None:
    """Read the bodies, load, print."""
    bodies = iter(sys.stdin.buffer.read().splitlines())
    print(json.dumps(asyncio.run(load(port, seconds, connections, bodies))))  # noqa: T201  (to the process that started it)


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]))
