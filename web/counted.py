"""What the analyst's tables hold: one row a zone, and what the whole says of itself."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from web.tally import Tally, days

COLUMNS: Final = {
    "code": "网格编码",
    "name": "名称",
    "name_en": "英文名称",
    "township": "街道（镇）编码",
    "township_name": "街道（镇）",
    "area_km2": "面积（km²）",
    "count": "案件数",
    "count_per_km2": "每平方公里案件数",
    "share": "占比",
    "hot_spot": "冷热点",
    "hot_spot_z": "Gi* 值",
    "hot_spot_p": "校正后 p 值",
    "schematic": "示意",
}
"""Of every table, with the Chinese that stands before each in the CSV."""


def table(tally: Tally) -> dict[str, list[Any]]:
    """`COLUMNS`, one row a zone, zones without cases included."""
    zones, found, spots = tally.layer.zones, tally.counts, tally.spots
    flags = np.where(spots.hot, "hot", np.where(spots.cold, "cold", "none"))
    return {
        "code": [zone.code for zone in zones],
        "name": [zone.name for zone in zones],
        "name_en": [zone.name_en for zone in zones],
        "township": [township.code if township else "" for township in tally.townships],
        "township_name": [township.name if township else "" for township in tally.townships],
        "area_km2": [round(float(area), 6) for area in found.area_km2],
        "count": [int(n) for n in found.count],
        "count_per_km2": [round(float(n), 6) for n in found.per_km2],
        "share": [round(float(part), 8) for part in found.share],
        "hot_spot": [str(flag) for flag in flags],
        "hot_spot_z": [round(float(z), 4) for z in spots.z],
        "hot_spot_p": [float(f"{p:.6g}") for p in spots.p],
        "schematic": [not tally.layer.real] * len(zones),
    }


def summary(tally: Tally) -> dict[str, str | int | bool]:
    """What the files say of themselves."""
    first, last = days(tally.selection, tally.district.timezone)
    return {
        "title": tally.title.zh,
        "title_en": tally.title.en,
        "district": tally.district.code,
        "version": tally.district.version,
        "from": first,
        "to": last,
        "filter": "；".join(words.zh for words in tally.filters),
        "filter_en": "; ".join(words.en for words in tally.filters),
        "cases": tally.cases,
        "cases_in_no_zone": tally.counts.nowhere,
        "notes": "；".join(words.zh for words in tally.warnings),
        "notes_en": "; ".join(words.en for words in tally.warnings),
        "source": tally.source.zh,
        "source_en": tally.source.en,
        "demonstration": tally.selection.demonstration,
        "made_at": tally.selection.made_at.isoformat(timespec="seconds"),
    }
