"""The measurements measure what they say: small runs of each that needs no browser."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from shutil import copytree

from dispatch.bench import client, route, units
from dispatch.bench.points import bodies, inside
from dispatch.district import load
from dispatch.fleet import Fleet
from dispatch.intake import Draft
from tests.sample import ground


def test_route_gives_its_figures() -> None:
    result = route.run(ground(), lambda _line: None, points=3000, rounds=1)
    assert result.name == "bench route"
    assert result.figures["points"] == 3000
    assert result.figures["sjoin_s"] <= result.figures["sjoin_zones_left_s"]
    assert result.figures["file_rows_per_s"] > 0


def test_places_are_inside_and_bodies_are_reports() -> None:
    lon, lat = inside(ground(), 500, seed=1)
    assert all(ground().locator.at(x, y)["district"] for x, y in zip(lon, lat, strict=True))
    drafts = [Draft.model_validate_json(body) for body in bodies(ground(), 50, seed=2)]
    assert len({draft.id for draft in drafts}) == 50
    assert {draft.matter for draft in drafts} <= set(ground().district.matters)


def test_the_client_counts_what_came_back() -> None:
    seen: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            length = int(head.lower().split(b"content-length:")[1].split(b"\r")[0])
            seen.append(await reader.readexactly(length))
            status = b"201 Created" if json.loads(seen[-1])["n"] % 5 else b"422 Refused"
            writer.write(b"HTTP/1.1 " + status + b"\r\ncontent-length: 2\r\n\r\n{}")
            await asyncio.sleep(0.001)

    async def run() -> dict[str, object]:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        numbers = (json.dumps({"n": n}).encode() for n in range(1_000_000))
        return await client.load(port, 0.3, 4, numbers)

    figures = asyncio.run(run())
    assert len({json.loads(body)["n"] for body in seen}) == len(seen) > 10
    assert figures["refused"] == sum(json.loads(body)["n"] % 5 == 0 for body in seen)
    assert figures["first_refusal"] == "{}"


def test_made_units_move_and_are_found(tmp_path: Path) -> None:
    folder = copytree(ground().district.folder, tmp_path / "many")
    units.write_units(ground(), folder, 120)
    many = load(folder)
    moving = units.Moving.of(ground(), 120)
    assert set(moving.codes) == set(many.units)
    fleet = Fleet(many, units.STALE)
    figures = units.nearest(ground(), fleet, 120, asked=20)
    assert len(fleet.live) == 120
    assert all(value > 0 for value in figures.values())
