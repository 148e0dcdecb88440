"""The measurements measure what they say: small runs of routing, of locating, and of what intake, units and the load
are measured with. (`live` needs a browser; `travel` and the ruler are tested with `tests/test_ruler.py`.)"""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest
from sqlalchemy import create_engine, text

from dispatch import audit, opening
from dispatch.bench import client, crowd, locate, nearest, route, sealing, units
from dispatch.bench.estimate import Estimate
from dispatch.bench.peers import PEERS, REFERENCE, Join, Peer, Shapes, opened
from dispatch.bench.points import around, bodies, inside
from dispatch.bench.serving import server
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
    crowd.write_units(ground(), folder, 120)
    many = load(folder)
    many_moving = crowd.crowded(ground(), many)
    assert set(crowd.Moving.of(many_moving).codes) == set(many.units)
    fleet = Fleet(many, units.STALE)
    figures = nearest.nearest(many_moving, fleet, asked=20)
    assert len(fleet.live) == 120
    assert figures["ranked_median_us"] > figures["near_median_us"], "ranking comes on top"
    assert all(value > 0 for value in figures.values())


SMALL = locate.Size(rounds=1, ours=3000, theirs=2000, differing=2000, single=500, threads=3000)


def by_name(*names: str) -> tuple[Peer, ...]:
    return tuple(peer for peer in PEERS if peer.name in names)


def test_locate_gives_its_figures_against_each_kind_of_peer() -> None:
    peers = by_name(REFERENCE, "geopandas.sjoin(within), points ready-made", "shapely.STRtree.query")
    figures = locate.measure(ground(), lambda _line: None, SMALL, quick=True, peers=peers).figures
    assert figures["missing"] == {}
    assert figures["district_differences"] == 0
    for kind in ("uniform", "edges"):
        assert figures[f"district_{kind}_times_sjoin"][REFERENCE] == 1.0
        assert set(figures[f"district_{kind}_million_per_s"]) == {"onegrid", *(peer.name for peer in peers)}
        assert min(figures[f"district_{kind}_million_per_s"].values()) > 0
    assert {"five_layers_times_one", "one_point_all_layers_codes_us", "open_ms", "two_threads_times_one"} <= set(
        figures
    )


def test_the_peers_find_the_same_pairs() -> None:
    """Every engine that is installed, on positions off the borders: as many pairs as there are positions inside."""
    shapes = np.array([zone.geometry for zone in ground().locator.layers["grid"].zones], dtype=object)
    x, y = around(shapes, 400, 1)
    with opened(shapes) as (joins, missing):
        assert REFERENCE in joins
        assert {name: joins[name](x, y)[0] for name in joins} == dict.fromkeys(joins, 400)
        assert set(joins) | set(missing) == {peer.name for peer in PEERS}


def test_what_is_missing_is_named_and_nothing_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(_shapes: Shapes, _stack: ExitStack) -> Join:
        raise ModuleNotFoundError("No module named 'elsewhere'")

    monkeypatch.setattr(locate, "_compare", lambda *_: [True])  # however fast this machine is
    for bar in ("FIVE_LAYERS", "BUILD_S", "ONE_LAYER_US", "ALL_LAYERS_US", "OPEN_MS"):
        monkeypatch.setattr(locate, bar, float("inf"))
    monkeypatch.setattr(locate, "CELLS", 200)
    known = by_name(REFERENCE)
    assert locate.measure(ground(), lambda _line: None, SMALL, quick=True, peers=known).passed
    peers = (*known, Peer("elsewhere", ready=True, open=absent))
    monkeypatch.setitem(sys.modules, "cnmaps", None)
    without = locate.measure(ground(), lambda _line: None, SMALL, quick=False, peers=peers)
    assert not without.passed
    assert set(without.figures["missing"]) == {"nation", "elsewhere"}
    assert without.figures["missing"]["elsewhere"] == "ModuleNotFoundError: No module named 'elsewhere'"
    assert without.figures["province_differences"] == 0


@pytest.mark.parametrize("kind", ["plain", "tuned"])
def test_the_bare_servers_of_intake_insert_what_they_are_sent(kind: str, database_url: str) -> None:
    sent = bodies(ground(), 2000, seed=3)
    with server(kind, database_url, ground().district.folder) as port:
        figures = asyncio.run(client.load(port, 0.4, 4, iter(sent)))
    with create_engine(database_url).connect() as connection:
        rows, matters, least = connection.execute(
            text("SELECT count(*), count(DISTINCT matter), min(accuracy_m) FROM report")
        ).one()
    assert figures["refused"] == 0, figures["first_refusal"]
    assert figures["p50_ms"] is not None
    assert 10 < rows < len(sent)
    assert matters > 1
    assert least == 25


def test_sealing_is_switched_in_its_measurement_alone() -> None:
    event = audit.Event("i", "C", 1, datetime(2026, 1, 1, tzinfo=UTC), "report", "", {"b": 1, "a": 2}, bytes(32))
    switch = sealing.Switch()
    with switch.installed():
        assert opening.enter(event) == audit.enter(event)
        switch.sealing = False
        assert opening.enter(event).sealed == bytes(32)
        assert json.loads(opening.enter(event).text) == event.data
    assert switch.opened == 3
    assert opening.enter(event) == audit.enter(event)


def test_an_estimate_says_how_sure_it_is() -> None:
    found = Estimate.of([number / 100 for number in range(100, 0, -1)])
    assert (found.low, found.middle, found.high) == (0.4, 0.505, 0.61), "the 40th and the 61st of a hundred"
    assert Estimate.of([2.0]) == Estimate(2.0, 2.0, 2.0)
    rng = np.random.default_rng(1)
    made = [Estimate.of(np.exp(rng.standard_t(2, 41) / 9).tolist()) for _ in range(300)]
    assert sum(one.low <= 1 <= one.high for one in made) / len(made) > 0.92, "however wild the outliers"
