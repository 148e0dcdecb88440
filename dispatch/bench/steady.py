"""A client that keeps its pace: `python -m dispatch.bench.steady PORT PER_S`, a report a line on stdin.

Each report is sent when it is due, on a connection of its own, however long those before it take. Ends when the file
that stdin is has no more lines, or by SIGTERM, once every answer has come; prints one JSON array of arrays: when it was
sent (seconds since the epoch), how long the answer took (seconds), its status (0: none came).
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from collections.abc import Sequence

Sent = tuple[float, float, int]


async def _post(port: int, body: bytes) -> Sent:
    at, began, status = time.time(), time.perf_counter(), 0
    head = (
        f"POST /api/reports HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
        f"Connection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(head.encode() + body)
            status = int((await reader.read()).split(b" ", 2)[1])
        finally:
            writer.close()
    except (OSError, IndexError, ValueError):
        pass  # no answer, or none that is one: the status says so
    return at, time.perf_counter() - began, status


async def keep_pace(port: int, per_s: float, bodies: Sequence[bytes], stop: asyncio.Event) -> list[Sent]:
    """Send them one by one until all are sent or `stop` is set; what came of each, in their order."""
    sending: list[asyncio.Task[Sent]] = []
    begin = asyncio.get_running_loop().time()
    for number, body in enumerate(bodies):
        try:
            async with asyncio.timeout_at(begin + number / per_s):
                await stop.wait()
            break
        except TimeoutError:
            sending.append(asyncio.create_task(_post(port, body)))
    return await asyncio.gather(*sending)


async def _main(port: int, per_s: float) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    found = await keep_pace(port, per_s, sys.stdin.buffer.read().splitlines(), stop)
    print(json.dumps(found))  # noqa: T201  (to the process that started it)


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]), float(sys.argv[2])))
