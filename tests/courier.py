"""A courier in a process of its own, to be killed: `python -m tests.courier CONNINFO URL SECRET_HEX`."""

from __future__ import annotations

import asyncio
import sys

import orjson

from dispatch.outbox import Courier, Subscriber
from dispatch.store.record import Told


def written(told: Told) -> bytes:
    return orjson.dumps({"event": told.event_id, "case": {"case": told.case.case_no}, "seq": told.seq})


if __name__ == "__main__":
    conninfo, url, key = sys.argv[1:]
    subscribers = [Subscriber("test", url, [bytes.fromhex(key)])]
    print("ready", flush=True)
    asyncio.run(Courier(conninfo, subscribers, written, asyncio.Event(), first_pause_s=0.05, patience_s=0.05).run())
