"""What two editions differ in, as plain values (for `--json`) and as GeoJSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from shapely.geometry import mapping
from shapely.geometry.base import BaseGeometry

from dispatch.comparison import Comparison
from dispatch.handover import Transfer
from dispatch.replay import Replay
from geo.changes import FieldChange, LayerChange
from web.difference import zone_title


def figures(comparison: Comparison, replay: Replay | None) -> dict[str, Any]:
    """All of it as plain values."""
    found = comparison.handover
    roads = comparison.roads
    return {
        "old": comparison.old.version,
        "new": comparison.new.version,
        "nothing": comparison.nothing,
        "layers": [_layer_figures(layer) for layer in comparison.layers],
        "tables": [
            {
                "table": table.name,
                **table.counts(),
                "same": table.same,
                "rows": [
                    {"code": row.code, "kind": row.kind, "old": row.old, "new": row.new, "fields": _fields(row.fields)}
                    for row in table.rows
                ],
            }
            for table in comparison.tables
        ],
        "settings": _fields(comparison.settings),
        "roads": {
            "added": roads.added,
            "removed": roads.removed,
            "added_km": round(roads.added_km, 6),
            "removed_km": round(roads.removed_km, 6),
        },
        "responsibility": {
            "changed_km2": round(found.changed_km2, 9),
            "same_km2": round(found.same_km2, 9),
            "left_m2": round(found.left_m2, 6),
            "only_old": found.only_old,
            "only_new": found.only_new,
            "pairs": [
                {"from": old, "to": new, "km2": round(km2, 9), "matters": len(matters)}
                for (old, new), (km2, matters) in found.pairs().items()
            ],
            "transfers": [{**_transfer(one), "matters": one.matters} for one in found.transfers],
        },
        **({} if replay is None else {"replay": _replay_figures(replay)}),
    }


def _layer_figures(layer: LayerChange) -> dict[str, Any]:
    return {
        "layer": layer.layer.name,
        "label": layer.layer.label,
        "label_en": layer.layer.label_en,
        **layer.counts(),
        "same": layer.same,
        "gained_km2": round(layer.gained_km2, 9),
        "lost_km2": round(layer.lost_km2, 9),
        "region_km2": round(layer.region_km2, 9),
        "zones": [
            {
                "old": zone.old and zone.old.code,
                "new": zone.new and zone.new.code,
                "name": zone.zone.name,
                "kinds": zone.kinds,
                "gained_km2": round(zone.gained_km2, 9),
                "lost_km2": round(zone.lost_km2, 9),
                "fields": _fields(zone.fields),
            }
            for zone in layer.zones
        ],
    }


def _fields(changes: Sequence[FieldChange]) -> list[dict[str, Any]]:
    return [{"field": change.field, "old": change.old, "new": change.new} for change in changes]


def _transfer(one: Transfer) -> dict[str, Any]:
    km2 = round(one.km2, 9)
    return {"from": one.old, "to": one.new, "km2": km2, "at": one.at, "exact": one.exact, "townships": one.townships}


def _replay_figures(replay: Replay) -> dict[str, Any]:
    unlike = [
        {
            "case": one.case.case_no,
            "decided": one.case.team,
            "by": one.case.version,
            "old": one.old.team,
            **({"why": one.old.why_none} if one.old.why_none else {}),
        }
        for one in replay.unlike
    ]
    return {
        "cases": replay.cases,
        "elsewhere": len(replay.rerouted),
        "pairs": [
            {"from": old.team or old.why_none, "to": new.team or new.why_none, "cases": n}
            for (old, new), n in replay.pairs().items()
        ],
        "items": [
            {
                "case": one.case.case_no,
                "lon": one.case.lon,
                "lat": one.case.lat,
                "matter": one.case.matter,
                "from": one.old.team or one.old.why_none,
                "to": one.new.team or one.new.why_none,
            }
            for one in replay.rerouted
        ],
        "decided_otherwise": {
            "by_another_edition": sum(not one.same_edition for one in replay.unlike),
            "by_the_old_edition": sum(one.same_edition for one in replay.unlike),
            "items": unlike,
        },
    }


def geojson(comparison: Comparison, replay: Replay | None) -> dict[str, Any]:
    """What can be drawn, each feature with its `what`: zone_gained, zone_lost, responsibility, case."""
    return {"type": "FeatureCollection", "features": [*_drawn(comparison, replay)]}


def _drawn(comparison: Comparison, replay: Replay | None) -> Iterator[dict[str, Any]]:
    for layer in comparison.layers:
        for zone in layer.zones:
            named = {"layer": layer.layer.name, "zone": zone_title(zone), "kinds": ",".join(zone.kinds)}
            if not zone.gained.is_empty:
                yield _feature(zone.gained, {"what": "zone_gained", **named, "km2": zone.gained_km2})
            if not zone.lost.is_empty:
                yield _feature(zone.lost, {"what": "zone_lost", **named, "km2": zone.lost_km2})
    for one in comparison.handover.transfers:
        words = {"from": one.old, "to": one.new, "km2": one.km2, "matters": ",".join(one.matters)}
        yield _feature(one.geometry(), {"what": "responsibility", **words})
    for item in _replay_figures(replay)["items"] if replay is not None else ():
        point = {"type": "Point", "coordinates": [item["lon"], item["lat"]]}
        words = {name: item[name] for name in ("case", "matter", "from", "to")}
        yield {"type": "Feature", "properties": {"what": "case", **words}, "geometry": point}


def _feature(shape: BaseGeometry, properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "properties": dict(properties), "geometry": mapping(shape)}
