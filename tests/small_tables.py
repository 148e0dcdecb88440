"""Small decision tables on a square of two townships, for the tests of the table and of its proof."""

from __future__ import annotations

from shapely import box

from dispatch.competence import PLACE_LAYERS, DecisionTable, Place
from dispatch.model import Matter, MatterClass, Rule
from geo.grid import Cover, Layer, Zone

TEAMS = ("T1", "T2", "W", "J", "S")
CLASSES = {code: MatterClass(code, code, code) for code in ("01", "21")}
MATTERS = {
    code: Matter(code, code, code, "D", "", 3, 24, on_water=code == "2103") for code in ("0101", "0107", "2102", "2103")
}


def zone(layer: str, code: str, shape: tuple[float, float, float, float], team: str | None, kind: str = "") -> Zone:
    """A rectangle."""
    properties = {"team": team} if team else {}
    return Zone(layer, code, code, code, kind, None, box(*shape), 1.0, properties)


def layer(name: str, cover: Cover, *zones: Zone) -> Layer:
    """A layer of them."""
    return Layer(name, name, name, cover, None, False, "made", zones)


LAYERS = {
    "township": layer(
        "township",
        Cover.PARTITION,
        zone("township", "A", (0, 0, 5, 10), "T1"),
        zone("township", "B", (5, 0, 10, 10), "T2"),
    ),
    "water": layer(
        "water",
        Cover.DISJOINT,
        zone("water", "L", (4, 4, 6, 6), "W", "lake"),
        zone("water", "R", (0, 8, 10, 9), "W", "river"),
    ),
    "joint": layer("joint", Cover.DISJOINT, zone("joint", "J1", (1, 1, 3, 3), "J")),
    "dedicated": layer(
        "dedicated",
        Cover.OVERLAP,
        zone("dedicated", "M1", (1.5, 1.5, 4.5, 4.5), None, "market"),
        zone("dedicated", "S1", (1, 1, 2, 2), "S", "school"),
        zone("dedicated", "S2", (7, 7, 8, 9), "S", "school"),
    ),
}


def rule(code: str, team: str, **cells: str) -> Rule:
    """A row; cells that are not given are empty."""
    row = dict.fromkeys((*PLACE_LAYERS, "matter"), "") | cells
    return Rule(code=code, team=team, note="", note_en="", **row)


BASE = (
    rule("R1", "@township"),
    rule("R2", "@water", water="*"),
    rule("R3", "W", matter="2103"),
    rule("R4", "@joint", joint="*", matter="21"),
)


def table(*rules: Rule) -> DecisionTable:
    """Compiled on `LAYERS`."""
    return DecisionTable(rules, LAYERS, CLASSES, MATTERS, TEAMS)


def at(lon: float, lat: float) -> Place:
    """The zones that hold a point, by asking shapely of each."""
    point = box(lon, lat, lon, lat).centroid
    place = {}
    for name, one in LAYERS.items():
        held = tuple(z for z in one.zones if z.geometry.intersects(point))
        place[name] = held if one.cover is Cover.OVERLAP else held[:1]
    return place
