"""Single positions as fast as one worker takes them: `python -m dispatch.bench.puts PORT SECONDS CONNECTIONS < places`.

A place a line: the unit's code, longitude, latitude. Bare HTTP/1.1 over kept connections, each with one request under
way; the place goes round and round, at the time when it is sent. Prints one JSON object of what came back.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import cycle
from statistics import median, quantiles

LENGTH = b"content-length:"


async def _one(port: int, places: Iterator[str], until: float, times: list[float], refused: list[bytes]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        while (began := time.perf_counter()) < until:
            code, lon, lat = next(places).split()
            body = f'{{"lon":{lon},"lat":{lat},"at":"{datetime.now(UTC).isoformat()}","accuracy_m":8}}'
            head = f"PUT /api/units/{code}/position HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
            kind = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            writer.write((head + kind + body).encode())
            answer = await reader.readuntil(b"\r\n\r\n")
            start = answer.lower().index(LENGTH) + len(LENGTH)
            said = await reader.readexactly(int(answer[start : answer.index(b"\r", start)]))
            if b'"fate":"taken"' in said:
                times.append(time.perf_counter() - began)
            else:
                refused.append(said)
    finally:
        writer.close()


async def load(port: int, seconds: float, connections: int, places: list[str]) -> dict[str, object]:
    """Load for some seconds with so many connections."""
    times: list[float] = []
    refused: list[bytes] = []
    round_and_round, began = cycle(places), time.perf_counter()
    each = (_one(port, round_and_round, began + seconds, times, refused) for _ in range(connections))
    await asyncio.gather(*each)
    return {
        "per_s": len(times) / (time.perf_counter() - began),
        "p50_ms": median(times) * 1000 if times else None,
        "p99_ms": quantiles(times, n=100)[98] * 1000 if len(times) > 1 else None,
        "not_taken": len(refused),
        "first_refusal": refused[0].decode(errors="replace") if refused else None,
    }


def main(port: int, seconds: float, connections: int) -> None:
    """Read the places, load, print."""
    places = sys.stdin.read().splitlines()
    print(json.dumps(asyncio.run(load(port, seconds, connections, places))))  # noqa: T201  (to the process that started it)


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]))
