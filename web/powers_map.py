"""A map for the list of powers and duties: whose each kind of place is by default, and where the failures are."""

from __future__ import annotations

from collections import Counter
from html import escape
from typing import Final

import numpy as np
import shapely
from markupsafe import Markup
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from dispatch.duties import Duties
from geo.grid import Metric

WIDTH: Final = 1000.0
"""Units of the drawing, across."""
_COLOURS: Final = {"township": "#e8ebed", "water": "#cfe5f5", "joint": "#fde4c4", "specialist": "#dcefdc"}
_UNSETTLED: Final = "#f6c8c4"


def drawn(duties: Duties) -> Markup:
    """An SVG element: each kind in the colour of the team that most matters fall to there, failures numbered."""
    district = duties.ground.district
    metric = Metric(district.metric_crs)
    west, south, east, north = shapely.transform(district.layers["district"].zones[0].geometry, metric.points).bounds
    scale = WIDTH / (east - west)
    height = (north - south) * scale

    def onto(lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
        return (metric.points(lonlat) - (west, north)) * (scale, -scale)

    parts = [f'<svg class="map" viewBox="-4 -4 {WIDTH + 8:.0f} {height + 8:.0f}" role="img">']
    for number, kind in enumerate(duties.proof.places.kinds):
        shapes = [shapely.transform(face, onto) for face in kind.faces]
        if shapes:
            title = escape(f"{kind.code} {kind.name} / {kind.name_en}, {kind.area_km2:.3f} km²")
            path = "".join(_path(shape.simplify(0.7)) for shape in shapes)
            parts.append(f'<path d="{path}" fill="{_colour(duties, number)}"><title>{title}</title></path>')
    for zone in district.layers["township"].zones:
        outline = shapely.transform(zone.geometry, onto).simplify(0.7)
        parts.append(f'<path d="{_path(outline)}" fill="none" stroke="#4b5a64" stroke-width="1.4"/>')
        x, y = shapely.get_coordinates(shapely.point_on_surface(outline))[0].tolist()
        parts.append(f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="middle">{escape(zone.name)}</text>')
    for number, failure in enumerate(duties.failures, 1):
        if failure.at is not None:
            ((x, y),) = onto(np.array([failure.at])).tolist()
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="7" fill="#b3261e"/>')
            parts.append(f'<text x="{x + 10:.1f}" y="{y + 5:.1f}" fill="#b3261e">{number}</text>')
    return Markup("".join([*parts, "</svg>"]))  # noqa: S704 — every word of it is escaped above


def _colour(duties: Duties, kind: int) -> str:
    """Of the team to which most matters fall there."""
    count: Counter[str] = Counter()
    for group, matters in enumerate(duties.proof.groups):
        team = duties.proof.team(kind, group)
        if team is None:
            return _UNSETTLED
        count[duties.ground.district.teams[team].kind.value] += len(matters)
    return _COLOURS[count.most_common(1)[0][0]] if count else _UNSETTLED


def _path(shape: BaseGeometry) -> str:
    """All rings of all parts."""
    rings = [shapely.get_coordinates(ring)[:-1].tolist() for ring in shapely.get_rings(shapely.get_parts(shape))]
    return "".join("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in ring) + "Z" for ring in rings)
