"""The map of what a new edition changes, with its tables beside it: one HTML file that opens without a network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import folium
import shapely
from markupsafe import Markup
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from dispatch.comparison import Comparison, deciding
from dispatch.handover import Said, Transfer
from dispatch.replay import Replay
from geo.changes import LayerChange
from web.difference import KINDS, TABLES, area, counted, shown, team_name, zone_title
from web.figure import Style, add_borders, add_styled, bounds_of, feature, finished, inert, panel, sheet

PANES: Final = {
    "land": 200,
    "water": 210,
    "borders": 300,
    "others": 310,
    "changed": 420,
    "edges": 440,
    "cases": 450,
    "names": 620,
}
"""What lies over what; only the changed regions listen to the pointer."""
CHANGED, OLD_EDGES, NEW_EDGES, OTHERS, CASES, WATER = (
    "负责队伍改变 Another team",
    "旧界 Old borders",
    "新界 New borders",
    "其他图层改动 Other layers",
    "改归他队的案件 Past cases",
    "水域 Waters",
)
COLOURS: Final = (
    "#d55e00",
    "#6a3d9a",
    "#009e73",
    "#cc79a7",
    "#0072b2",
    "#b8860b",
    "#8c1d18",
    "#56b4e9",
    "#33691e",
    "#e69f00",
)
"""For the widest pairs of teams; begins with Okabe and Ito's, which the colour-blind can tell apart."""
REST: Final = "#5b6770"
OLD_EDGE: Style = {"fill": False, "color": "#b3261e", "weight": 2, "dashArray": "6 4"}
NEW_EDGE: Style = {"fill": False, "color": "#0b3d91", "weight": 2.5}
OTHER: Style = {"color": "#5b6770", "weight": 1, "fillColor": "#5b6770", "fillOpacity": 0.25}
CASES_SHOWN: Final = 2_000
ROWS_SHOWN: Final = 40
"""So many rows of a table stand in the page; all of them in the JSON."""


@dataclass(frozen=True, slots=True)
class Move:
    """Two teams between which something goes, as the page writes it."""

    colour: str
    old: tuple[str, str]
    new: tuple[str, str]
    km2: str
    matters: str
    """How many: every one of them, or fewer here and more there."""
    parts: tuple[tuple[str, str, str], ...]
    """For each lot of matters: where (bounds), the area, the matters by name."""
    bounds: str
    cases: int | None


def page(comparison: Comparison, replay: Replay | None) -> str:
    """The whole page. Raises `PageNotBuilt` where Leaflet has not been put beside the built page."""
    layers, colours = comparison.new.layers, _colours(comparison)
    figure = sheet(layers, PANES, "changed", WATER)
    add_borders(figure, layers)
    others = [one for one in comparison.layers if not deciding(one)]
    add_styled(figure, [("", one.region, OTHER) for one in others if not one.region.is_empty], "others", OTHERS)
    _add_changed(figure, comparison, colours)
    for name, style, lines in zip((OLD_EDGES, NEW_EDGES), (OLD_EDGE, NEW_EDGE), _edges(comparison), strict=True):
        add_styled(figure, [] if lines.is_empty else [("", lines, style)], "edges", name)
    if replay is not None:
        _add_cases(figure, replay, colours)
    explained = [CHANGED, OLD_EDGES, NEW_EDGES, OTHERS, CASES, WATER]
    title = f"{comparison.new.name} 版次对照 Editions compared"
    beside = _panel(comparison, replay, colours)
    return finished(figure, layers, _extent(comparison), explained, beside, title, "changes.css")


# --- the map ---------------------------------------------------------------------------------------------------------


def _colours(comparison: Comparison) -> dict[Said, str]:
    """Each pair of teams its own; the narrowest share one."""
    pairs = list(comparison.handover.pairs())
    return {pair: COLOURS[n] if n < len(COLOURS) else REST for n, pair in enumerate(pairs)}


def _add_changed(figure: folium.Map, comparison: Comparison, colours: dict[Said, str]) -> None:
    """Regions that lie side by side: where several teams hand over, in the colour of those with the most matters."""
    features: list[dict[str, object]] = []
    styles: list[dict[str, object]] = []
    for here, shape in _regions(comparison.handover.transfers):
        leading = max(here, key=lambda one: len(one.matters))
        colour = colours[leading.old, leading.new]
        lines = []
        for one in here:
            (old, old_en), (new, new_en) = team_name(comparison, one.old), team_name(comparison, one.new)
            said, said_en = inert(f"{old} → {new}"), inert(f"{old_en} → {new_en}")
            lines.append(f"{said}：{len(one.matters)} 项 matters<br><small>{said_en}</small>")
        features.append(feature(len(features), shape, {"who": "<br>".join(lines)}))
        styles.append({"color": colour, "weight": 1, "fillColor": colour, "fillOpacity": 0.55})
    if not features:
        return
    folium.GeoJson(
        {"type": "FeatureCollection", "features": features},
        style_function=lambda one: styles[one["id"]],
        highlight_function=lambda _: {"weight": 3, "fillOpacity": 0.75},
        smooth_factor=0,
        name=CHANGED,
        pane="changed",
        tooltip=folium.GeoJsonTooltip(fields=["who"], aliases=["负责 Who"], labels=False, class_name="cell"),
    ).add_to(figure)


def _regions(transfers: Sequence[Transfer]) -> Iterator[tuple[list[Transfer], BaseGeometry]]:
    """The faces of transfers, those joined of which the same transfers speak; the widest first, to lie below."""
    of_face: dict[bytes, tuple[Polygon, list[int]]] = {}
    for number, one in enumerate(transfers):
        for face in one.faces:
            of_face.setdefault(face.wkb, (face, []))[1].append(number)
    alike: dict[tuple[int, ...], list[Polygon]] = {}
    for face, numbers in of_face.values():
        alike.setdefault(tuple(numbers), []).append(face)
    for those, faces in sorted(alike.items(), key=lambda item: -sum(face.area for face in item[1])):
        yield [transfers[number] for number in those], shapely.union_all(faces)


def _edges(comparison: Comparison) -> tuple[BaseGeometry, BaseGeometry]:
    """Of the borders of zones that changed what was only before, and what is only now."""
    zones = [zone for one in comparison.layers if deciding(one) for zone in one.zones]
    before = shapely.union_all([shapely.boundary(zone.old.geometry) for zone in zones if zone.old])
    after = shapely.union_all([shapely.boundary(zone.new.geometry) for zone in zones if zone.new])
    return before.difference(after), after.difference(before)


def _add_cases(figure: folium.Map, replay: Replay, colours: dict[Said, str]) -> None:
    group = folium.FeatureGroup(name=CASES)
    for one in replay.rerouted[:CASES_SHOWN]:
        colour = colours.get((one.old.team, one.new.team), REST)
        at = [one.case.lat, one.case.lon]
        dot = folium.CircleMarker(at, radius=4, color="#fff", weight=1, fill_color=colour, fill_opacity=1)
        dot.options["pane"] = "cases"  # folium passes no pane of a marker on
        dot.add_to(group)
    if replay.rerouted:
        group.add_to(figure)


def _extent(comparison: Comparison) -> tuple[float, float, float, float]:
    """What changed, with as much again around it, so that it is seen where it lies; all where nothing did."""
    both = [one.layers["district"].zones[0].geometry for one in (comparison.old, comparison.new)]
    west, south, east, north = shapely.total_bounds(both).tolist()
    changed = [one.region for one in comparison.layers if deciding(one) and not one.region.is_empty]
    changed += [face for one in comparison.handover.transfers for face in one.faces]
    if not changed:
        return west, south, east, north
    left, low, right, high = shapely.total_bounds(changed).tolist()
    around = max(right - left, high - low, (east - west) / 10)
    return max(west, left - around), max(south, low - around), min(east, right + around), min(north, high + around)


# --- the panel -------------------------------------------------------------------------------------------------------


def _panel(comparison: Comparison, replay: Replay | None, colours: dict[Said, str]) -> str:
    return panel(
        "changes.html.j2",
        old=comparison.old,
        new=comparison.new,
        comparison=comparison,
        found=comparison.handover,
        unreal=[one for one in comparison.new.layers.values() if not one.real],
        moves=list(_moves(comparison, replay, colours)),
        only=[
            (Markup("仅{}列出的事项 <span lang='en'>matters only the {} edition lists</span>").format(*of), codes)
            for of, codes in (
                (("旧版", "old"), comparison.handover.only_old),
                (("新版", "new"), comparison.handover.only_new),
            )
            if codes
        ],
        layers=[(one, list(_zone_rows(one))) for one in comparison.layers],
        tables=[(TABLES[one.name], one, one.rows[:ROWS_SHOWN]) for one in comparison.tables],
        replay=replay,
        cases=_cases(comparison, replay) if replay else [],
        cases_shown=CASES_SHOWN,
        area=area,
        counted=counted,
        shown=shown,
        kinds=KINDS,
    )


def _moves(comparison: Comparison, replay: Replay | None, colours: dict[Said, str]) -> Iterator[Move]:
    counts = {(old.team, new.team): n for (old, new), n in replay.pairs().items()} if replay else None
    for (old, new), (km2, matters) in comparison.handover.pairs().items():
        those = [one for one in comparison.handover.transfers if (one.old, one.new) == (old, new)]
        everywhere = all(len(one.matters) == len(matters) for one in those)
        geometry = shapely.union_all([one.geometry() for one in those])
        yield Move(
            colour=colours[old, new],
            old=team_name(comparison, old),
            new=team_name(comparison, new),
            km2=area(km2) if km2 else "界线 line",
            matters=f"{len(matters)}" if everywhere else f"≤ {len(matters)}",
            parts=tuple((bounds_of(one.geometry()), area(one.km2), _matter_names(comparison, one)) for one in those),
            bounds=bounds_of(geometry),
            cases=counts.get((old, new), 0) if counts is not None else None,
        )


def _matter_names(comparison: Comparison, one: Transfer) -> str:
    matters, classes = comparison.new.matters, comparison.new.classes
    named = [
        f"{code} {matters[code].name if code in matters else classes[code].name + '（大类）'}" for code in one.matters
    ]
    return "、".join(named)


def _zone_rows(layer: LayerChange) -> Iterator[dict[str, Any]]:
    for zone in layer.zones[:ROWS_SHOWN]:
        region = shapely.union_all([zone.gained, zone.lost])
        yield {
            "title": zone_title(zone),
            "name_en": zone.zone.name_en,
            "kinds": [KINDS[kind] for kind in zone.kinds],
            "gained": f"+{area(zone.gained_km2)}" if zone.gained_km2 else "",
            "lost": f"−{area(zone.lost_km2)}" if zone.lost_km2 else "",
            "fields": zone.fields,
            "bounds": bounds_of(zone.zone.geometry if region.is_empty else region),
        }


def _cases(comparison: Comparison, replay: Replay) -> list[tuple[str, str, int]]:
    """From, to, how many."""
    return [
        (team_name(comparison, old.team, old.why_none)[0], team_name(comparison, new.team, new.why_none)[0], n)
        for (old, new), n in replay.pairs().items()
    ]
