"""Made reports, and teams at work on them, through the public interface as any client would: for demonstration only.

Knows nothing that the interface does not say. Everything it sends is marked as made (演示).
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

import httpx
from shapely.geometry import Point, shape

log = logging.getLogger(__name__)

PAUSE_S: Final = (2.0, 7.0)
"""Between one made step and the next."""
FIRST: Final = 24
"""Cases open soon after the start, so that the map is not empty."""
NEXT: Final = {"assigned": "accept", "accepted": "arrive", "on_scene": "handle", "handled": "close"}
CENTRE: Final = "演示指挥中心"
CREW: Final = "演示队伍"
BY_CENTRE: Final = ("close", "reassign")
NOTES: Final = {"handle": "演示：现场已处置。", "return": "演示：不属于本队职责。"}
TEXTS: Final = ("演示上报", "演示上报：现场情况如照片所示", "演示上报：群众反映")
OPEN_LIMIT: Final = 40
"""With more cases open than this, the made teams only work."""


@dataclass(slots=True)
class Stream:
    """A slow stream, until the process ends."""

    url: str
    seed: int = 20201
    _chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)  # noqa: S311

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
            while True:
                time.sleep(self._chance.uniform(*PAUSE_S))
                self._step(client, matters, townships, water, joint)

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


def _items(client: httpx.Client, path: str) -> list[Any]:
    """A list of the interface. Raises HTTPError when the server refuses."""
    items: list[Any] = client.get(path).raise_for_status().json()["items"]
    return items


def _shapes(response: httpx.Response) -> list[Any]:
    if response.status_code != httpx.codes.OK:
        return []
    return [shape(feature["geometry"]) for feature in response.json()["features"]]
