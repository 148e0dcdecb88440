"""The measurement of a takeover measures what it says: paces, windows, and what counts as lost, refused or mixed."""

from __future__ import annotations

import asyncio
from collections import namedtuple
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from shutil import copytree
from typing import Any

from dispatch import district
from dispatch.bench import takeover
from dispatch.bench.steady import keep_pace
from dispatch.competence import DecisionTable
from dispatch.ground import Ground
from tests.sample import ground, sample

HOLDS = datetime(2026, 11, 1, 8, tzinfo=UTC)
Row = namedtuple("Row", "id decided_at version team rule grid matter accuracy_m lon lat")


def test_another_edition_is_one_that_loads_and_differs(tmp_path: Path) -> None:
    folder = copytree(sample().folder, tmp_path / "next")
    takeover.change(folder)
    changed = district.load(folder)
    assert changed.version != sample().version
    assert len(changed.layers["grid"].zones) == len(sample().layers["grid"].zones) - 1
    teams = [zone.properties["team"] for zone in changed.layers["township"].zones]
    before = [zone.properties["team"] for zone in sample().layers["township"].zones]
    assert sorted(map(str, teams)) == sorted(map(str, before))
    assert all(now != then for now, then in zip(teams, before, strict=True))


def other() -> Ground:
    """The sample with another version, in which one team does everything."""
    known = sample()
    rule = replace(known.rules[0], team="S01")
    table = DecisionTable([rule], known.layers, known.classes, known.matters, known.teams)
    return replace(ground(), district=replace(known, version="next"), table=table)


def row(by: Ground, number: int, hours: int, **more: Any) -> Row:
    zone = sample().layers["grid"].zones[number]
    at, matter = zone.geometry.representative_point(), next(iter(sample().matters))
    ruling = by.weigh(at.x, at.y, 5, by.locator.at(at.x, at.y), matter).ruling
    moment = HOLDS + timedelta(hours=hours)
    made = Row(
        f"r{number}", moment, by.district.version, ruling.team, ruling.rule.code, zone.code, matter, 5, at.x, at.y
    )
    return made._replace(**more)


def test_every_fault_is_told_from_the_others() -> None:
    old, new = ground(), other()
    right = [row(old, 0, -1), row(new, 1, 0), row(new, 2, 1)]
    answered = {"r0": 201, "r1": 201, "r2": 201}
    found = takeover.judged(old, new, HOLDS, answered, right)
    assert found == {"by_old": 1, "by_new": 2, "refused": 0, "lost": 0, "wrong_edition": 0, "mixed": 0}

    def faults(answers: dict[str, int], *cases: Row) -> dict[str, int]:
        found = takeover.judged(old, new, HOLDS, answers, cases)
        return {fault: found[fault] for fault in takeover.FAULTS if found[fault]}

    assert faults(answered, *right[:2]) == {"lost": 1}
    assert faults({**answered, "r3": 503}, *right) == {"refused": 1}
    assert faults({**answered, "r3": 0}, *right) == {"refused": 1}, "no answer at all"
    assert faults(answered, right[0], right[1], row(old, 2, 1)) == {"wrong_edition": 1}
    assert faults(answered, right[0], right[1], right[2]._replace(team=row(old, 2, 1).team)) == {"mixed": 1}
    assert faults(answered, right[0], right[1], right[2]._replace(grid="elsewhere")) == {"mixed": 1}


def test_a_window_holds_what_was_under_way_in_it() -> None:
    sent = [(0.0, 1.0, 201), (2.0, 0.5, 201), (2.9, 0.2, 201), (4.0, 9.0, 201)]
    assert takeover.within(sent, 2.2, 3.0) == {"reports": 2, "median_ms": 350.0, "p99_ms": 500.0, "longest_ms": 500.0}
    assert takeover.within(sent, 1.5, 1.9)["reports"] == 0


def test_nobody_waits_for_the_answers_of_those_before() -> None:
    """Were the next one sent only when the last was answered, this would never end."""
    bodies = [b"%d" % number for number in range(5)]
    came: list[bytes] = []

    async def run() -> list[tuple[float, float, int]]:
        all_came, stop = asyncio.Event(), asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length:")[1].split(b"\r")[0])
            body = await reader.readexactly(length)
            came.append(body)
            if len(came) == len(bodies):
                all_came.set()
                stop.set()
            await all_came.wait()
            if body != bodies[3]:
                writer.write(b"HTTP/1.1 201 Created\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}")
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        never_sent = [b"more"] * 10_000
        return await keep_pace(server.sockets[0].getsockname()[1], 5, [*bodies, *never_sent], stop)

    sent = asyncio.run(run())
    assert sorted(came[:5]) == bodies
    assert len(sent) == len(came) < 100, "it stops when it is told to"
    assert [status for _, _, status in sent][:5] == [201, 201, 201, 0, 201]
    assert all(later[0] >= earlier[0] for earlier, later in pairwise(sent))
