"""Made reports, and teams at work on them, through the public interface as any client would: for demonstration only.

Knows nothing that the interface does not say. Everything it sends is marked as made (演示). Who has accepted a case
goes there along the way that the interface gives, `HASTE` times as fast as in earnest, and back when it is done.
"""

from __future__ import annotations

import json
import logging
import math
import random
import time
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from typing import Any, Final
from uuid import uuid4

import httpx
from shapely.geometry import Point, shape

log = logging.getLogger(__name__)

PAUSE_S: Final = (2.0, 7.0)
"""Between one made step and the next."""
TICK_S: Final = 2.0
"""Between one made position of a unit and the next."""
HASTE: Final = 4.0
FIRST: Final = 16
"""Cases open soon after the start, so that the map is not empty."""
NEXT: Final = {"assigned": "accept", "accepted": "arrive", "on_scene": "handle", "handled": "close"}
CENTRE: Final = "演示指挥中心"
CREW: Final = "演示队伍"
BY_CENTRE: Final = ("close", "reassign")
NOTES: Final = {
    "handle": "演示：现场已处置。",
    "return": "演示：不属于本队职责。",
    "close": "演示：未经核查，直接结案。",
}
TEXTS: Final = ("演示上报", "演示上报：现场情况如照片所示", "演示上报：群众反映")
OPEN_LIMIT: Final = 26
"""With more cases open than this, the made teams only work."""


@dataclass(frozen=True, slots=True)
class Trip:
    """A made way: corners (longitude, latitude), when it began (seconds of any clock), how long it takes."""

    case: str
    line: tuple[tuple[float, float], ...]
    began: float
    seconds: float

    def at(self, now: float) -> tuple[float, float]:
        """Where one is by then, at an even pace."""
        return self._reached(now)[1]

    def share(self, now: float) -> float:
        """How much of it is done, 0 to 1."""
        return min(1.0, max(0.0, (now - self.began) / self.seconds)) if self.seconds > 0 else 1.0

    def back(self, now: float) -> Trip:
        """The same way back from where one is by then."""
        passed, here = self._reached(now)
        return Trip("", (here, *self.line[:passed][::-1]), now, self.seconds * self.share(now))

    def _reached(self, now: float) -> tuple[int, tuple[float, float]]:
        """How many corners are behind, and where that is."""
        north = math.cos(math.radians(self.line[0][1]))
        flat = [(x * north, y) for x, y in self.line]
        ends = [0.0, *accumulate(math.dist(a, b) for a, b in pairwise(flat))]
        gone = ends[-1] * self.share(now)
        passed = bisect_right(ends, gone)
        if passed == len(ends):
            return passed, self.line[-1]
        (x, y), (to_x, to_y) = self.line[passed - 1], self.line[passed]
        part = (gone - ends[passed - 1]) / (ends[passed] - ends[passed - 1])
        return passed, (x + part * (to_x - x), y + part * (to_y - y))


@dataclass(slots=True)
class Crews:
    """The made units under way."""

    _trips: dict[str, Trip] = field(default_factory=dict)

    def go(self, client: httpx.Client, now: float) -> None:
        """Everybody a step on, and said so."""
        cases = {row["unit"]: row for row in _items(client, "/api/cases?open=true&limit=1000") if row["unit"]}
        for unit, row in cases.items():
            trip = self._trips.get(unit)
            if row["state"] == "accepted" and (trip is None or trip.case != row["case"]):
                self._set_out(client, unit, row["case"], now)
        for unit, trip in list(self._trips.items()):
            if trip.case and trip.case != (cases[unit]["case"] if unit in cases else None):
                self._trips[unit] = trip.back(now)
        lines = [json.dumps({"unit": unit, **_place(trip.at(now))}) for unit, trip in self._trips.items()]
        if lines:
            client.post("/api/units/positions", content="\n".join(lines)).raise_for_status()
        self._trips = {unit: trip for unit, trip in self._trips.items() if trip.case or trip.share(now) < 1}

    def is_under_way(self, case: Mapping[str, Any], now: float) -> bool:
        """Whether the case's unit is still on its way there."""
        trip = self._trips.get(case["unit"] or "")
        return trip is not None and trip.case == case["case"] and trip.share(now) < 1

    def _set_out(self, client: httpx.Client, unit: str, case: str, now: float) -> None:
        answer = client.get(f"/api/cases/{case}/way")
        if answer.status_code != httpx.codes.OK:
            return
        way = answer.json()
        if way["geometry"] is not None:
            line = tuple((x, y) for x, y in way["geometry"]["coordinates"])
            self._trips[unit] = Trip(case, line, now, way["properties"]["seconds"] / HASTE)


@dataclass(slots=True)
class Stream:
    """A slow stream, until the process ends."""

    url: str
    seed: int = 20201
    _chance: random.Random = field(init=False)
    _crews: Crews = field(default_factory=Crews)

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)  # noqa: S311  (nothing secret)

    def run(self) -> None:
        """Report and work in turn; a server that is away is waited for."""
        while True:
            try:
                self._flow()
            except httpx.HTTPError as error:
                log.info("the demo stream waits: %s", error)
                time.sleep(PAUSE_S[1])

    def _flow(self) -> None:
        with httpx.Client(base_url=self.url, timeout=15) as client:
            matters = _items(client, "/api/matters")
            townships = _shapes(client.get("/api/zones/township"))
            water = _shapes(client.get("/api/zones/water"))
            joint = _shapes(client.get("/api/zones/joint"))
            already = len(_items(client, f"/api/cases?open=true&limit={FIRST}"))
            for _ in range(FIRST - already):
                self._report(client, matters, townships, water, joint)
            next_step = time.monotonic()
            while True:
                time.sleep(TICK_S)
                self._crews.go(client, time.monotonic())
                if time.monotonic() >= next_step:
                    self._step(client, matters, townships, water, joint)
                    next_step = time.monotonic() + self._chance.uniform(*PAUSE_S)

    def _step(self, client: httpx.Client, matters: Sequence[Any], *places: Sequence[Any]) -> None:
        cases = _items(client, "/api/cases?open=true&limit=200")
        if len(cases) < OPEN_LIMIT and self._chance.random() < 0.5:
            self._report(client, matters, *places)
        elif cases:
            self._work(client, self._chance.choice(cases[-40:]))

    def _report(self, client: httpx.Client, matters: Sequence[Any], *places: Sequence[Any]) -> None:
        townships, water, joint = places
        matter = self._chance.choice(matters)
        dice = self._chance.random()
        within = water if matter["on_water"] and water else joint if dice < 0.25 and joint else townships
        point = self._point(self._chance.choice(within))
        if point is None:
            return
        client.post(
            "/api/reports",
            json={
                "id": str(uuid4()),
                "lon": round(point.x, 6),
                "lat": round(point.y, 6),
                "accuracy_m": self._chance.choice((8, 15, 25, 40)),
                "source": self._chance.choice(("grid_worker", "grid_worker", "hotline_12345", "video", "patrol")),
                "matter": matter["code"],
                "text": self._chance.choice(TEXTS),
            },
        )

    def _work(self, client: httpx.Client, case: Any) -> None:
        action = NEXT.get(case["state"])
        if action == "arrive" and self._crews.is_under_way(case, time.monotonic()):
            return
        if action == "accept" and self._chance.random() < 0.06:
            action = "return"
        if action is None:
            action = "reassign"
        order = {"id": str(uuid4()), "action": action, "seq": case["seq"]}
        order["actor"] = CENTRE if action in BY_CENTRE else CREW
        if action in NOTES:
            order["note"] = NOTES[action]
        if action == "reassign":
            order |= {"team": self._other_team(client, case["team"]), "note": "演示：改派。"}
        client.post(f"/api/cases/{case['case']}/actions", json=order)

    def _other_team(self, client: httpx.Client, team: str) -> str:
        codes: list[str] = [row["code"] for row in _items(client, "/api/teams")]
        return self._chance.choice([code for code in codes if code != team] or codes)

    def _point(self, zone: Any) -> Point | None:
        """A point in the zone, by trial."""
        west, south, east, north = zone.bounds
        for _ in range(200):
            point = Point(self._chance.uniform(west, east), self._chance.uniform(south, north))
            if zone.covers(point):
                return point
        return None


def _place(where: tuple[float, float]) -> dict[str, float]:
    return {"lon": round(where[0], 6), "lat": round(where[1], 6), "accuracy_m": 10}


def _items(client: httpx.Client, path: str) -> list[Any]:
    """A list of the interface. Raises HTTPError when the server refuses."""
    items: list[Any] = client.get(path).raise_for_status().json()["items"]
    return items


def _shapes(response: httpx.Response) -> list[Any]:
    if response.status_code != httpx.codes.OK:
        return []
    return [shape(feature["geometry"]) for feature in response.json()["features"]]
