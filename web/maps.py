"""The analyst's map: folium's page of the district, in one HTML file that opens without a network.

There is no tile server: the district's own layers are the base map.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import cast

import folium
from branca.element import Element, Figure, MacroElement
from folium.plugins import HeatMap
from folium.template import Template
from jinja2 import Environment, StrictUndefined
from shapely import MultiPolygon, Polygon

from geo.grid import Zone
from web.drawing import Shapes, heat_points, named, outlines, raster, rounded, simplified
from web.legend import COLD_COLOUR, DENSITY_COLOURS, HOT_COLOUR, count_classes, density_levels, number, spread
from web.offline import self_contained
from web.tally import FALSE_DISCOVERY_RATE, Tally, Words

ASSETS = Path(__file__).parent / "assets"
HEAT_GRADIENT = {0.1: "#ffe08a", 0.3: "#feb24c", 0.5: "#fd8d3c", 0.75: "#f03b20", 1.0: "#a50f26"}
FAINTEST = (0.03, 0.25)
"""How faint one case alone may be: among few it must be seen, among thousands it must not drown the land."""
PANES = {
    "land": 200,
    "water": 210,
    "counts": 300,
    "density": 350,
    "heat": 360,
    "grid": 420,
    "borders": 430,
    "spots": 440,
    "names": 620,
}
"""What lies over what; only the grid listens to the pointer."""
HEAT, DENSITY, COUNTS, SPOTS, GRID, WATER = (
    "热力 Heat",
    "核密度 Kernel density",
    "案件数 Counts",
    "冷热点 Hot and cold spots",
    "网格线 Grid lines",
    "水域 Waters",
)
BUSIEST = 5

Style = Mapping[str, object]
LAND: Style = {"fillColor": "#f8f7f3", "fillOpacity": 1, "stroke": False}
WATERS: Style = {"fillColor": "#bcd8e8", "fillOpacity": 1, "stroke": False}
TOWNSHIP_EDGE: Style = {"fill": False, "color": "#4b5a64", "weight": 1.3, "opacity": 0.9}
DISTRICT_EDGE: Style = {"fill": False, "color": "#10191f", "weight": 2.5}
PLACE_EDGE: Style = {"fill": False, "color": "#10191f", "weight": 3, "dashArray": "8 4"}
GRID_LINE: Style = {"fillOpacity": 0, "color": "#8697a2", "weight": 0.4, "opacity": 0.7}
HOT_EDGE: Style = {"color": HOT_COLOUR, "weight": 2.5, "fillColor": HOT_COLOUR, "fillOpacity": 0.06}
COLD_EDGE: Style = {"color": COLD_COLOUR, "weight": 2.5, "dashArray": "6 4", "fillOpacity": 0}


def page(tally: Tally) -> str:
    """The whole page. Raises `PageNotBuilt` where Leaflet has not been put beside the built page."""
    layers, place = tally.district.layers, tally.place.geometry
    figure = folium.Map(
        tiles=None,
        zoom_snap=0.25,
        zoom_delta=0.5,
        wheel_px_per_zoom_level=120,
        min_zoom=8,
        max_zoom=17,
        attribution_control=False,
    )
    for name, z_index in PANES.items():
        folium.map.CustomPane(name, z_index=z_index, pointer_events=name == "grid").add_to(figure)

    townships, cells = simplified(layers["township"]), simplified(tally.layer)
    _add(figure, townships, "land", LAND)
    if "water" in layers:
        _add(figure, simplified(layers["water"]), "water", WATERS, WATER)
    _add_counts(figure, tally, cells)
    _add_density(figure, tally)
    HeatMap(  # type: ignore[no-untyped-call]
        heat_points(tally.rows.lon, tally.rows.lat),
        name=HEAT,
        min_opacity=min(FAINTEST[1], max(FAINTEST[0], 130 / max(tally.cases, 1))),
        radius=20,
        blur=22,
        gradient=HEAT_GRADIENT,
        pane="heat",
    ).add_to(figure)
    _add_spots(figure, tally, cells)
    _add_grid(figure, tally, cells)
    _add(figure, townships, "borders", TOWNSHIP_EDGE)
    _add(figure, simplified(layers["district"]), "borders", DISTRICT_EDGE)
    if tally.selection.zone:
        _add(figure, [(tally.place.code, place)], "borders", PLACE_EDGE)
    _add_names(figure, tally)
    folium.LayerControl(collapsed=False).add_to(figure)
    west, south, east, north = place.bounds
    figure.fit_bounds([[south, west], [north, east]], padding=(28, 28))
    _Behaviour([HEAT, SPOTS, GRID, WATER]).add_to(figure)

    root = cast("Figure", figure.get_root())
    root.html.add_child(_Text(_panel(tally)))
    root.header.add_child(_Text(f"<style>{_asset('heatmap.css')}</style><script>{_asset('heatmap.js')}</script>"))
    return self_contained(root.render(), f"{tally.title.zh} {tally.period.zh}")


# --- layers ------------------------------------------------------------------------------------------------------


def _add(figure: folium.Map, shapes: Shapes, pane: str, style: Style, name: str | None = None) -> None:
    """Shapes of one style that do not answer to the pointer; with a name they can be switched."""
    _add_styled(figure, [(code, shape, style) for code, shape in shapes], pane, name)


def _add_styled(
    figure: folium.Map,
    shapes: Sequence[tuple[str, Polygon | MultiPolygon, Style]],
    pane: str,
    name: str | None = None,
    *,
    show: bool = True,
) -> None:
    styles = [dict(style) for _, _, style in shapes]
    if styles:  # folium cannot write a layer of nothing
        folium.GeoJson(
            {"type": "FeatureCollection", "features": [_feature(k, shape) for k, (_, shape, _) in enumerate(shapes)]},
            style_function=lambda feature: styles[feature["id"]],
            smooth_factor=0,
            name=name,
            control=name is not None,
            show=show,
            pane=pane,
            interactive=False,
        ).add_to(figure)


def _add_counts(figure: folium.Map, tally: Tally, cells: Shapes) -> None:
    """Zones with cases, by class."""
    classes = count_classes(int(tally.counts.count.max(initial=0)))
    colour = {n: step.colour for step in classes for n in range(step.low, step.high + 1)}
    shapes = [
        (code, shape, {"fillColor": colour[int(n)], "fillOpacity": 0.85, "stroke": False})
        for (code, shape), n in zip(cells, tally.counts.count, strict=True)
        if n
    ]
    _add_styled(figure, shapes, "counts", COUNTS, show=False)


def _add_density(figure: folium.Map, tally: Tally) -> None:
    west, south, east, north = tally.place.geometry.bounds
    folium.raster_layers.ImageOverlay(
        raster(tally.surface, tally.place.geometry),
        bounds=[[south, west], [north, east]],
        pixelated=False,
        name=DENSITY,
        show=False,
        pane="density",
        alt="核密度 Kernel density",
    ).add_to(figure)


def _add_spots(figure: folium.Map, tally: Tally, cells: Shapes) -> None:
    """Outlines around all that is hot or cold; zones that touch have one outline."""
    shapes = []
    for which, flags, style in (("hot", tally.spots.hot, HOT_EDGE), ("cold", tally.spots.cold, COLD_EDGE)):
        parts = outlines([shape for (_, shape), flag in zip(cells, flags, strict=True) if flag])
        shapes += [(f"{which}{k}", part, style) for k, part in enumerate(parts)]
    _add_styled(figure, shapes, "spots", SPOTS)


def _add_grid(figure: folium.Map, tally: Tally, cells: Shapes) -> None:
    """Thin lines, and what is known of a zone where the pointer rests."""
    if not cells:
        return
    labels = {
        "name": "网格 Zone",
        "code": "编码 Code",
        "township": "街道（镇）Township",
        "count": "案件 Cases",
        "per_km2": "件/km² Per km²",
        "share": "占比 Share",
        "spot": "冷热点 Gi*",
    }
    features = [
        _feature(k, shape, {key: _inert(text) for key, text in _facts(tally, k).items()})
        for k, (_, shape) in enumerate(cells)
    ]
    folium.GeoJson(
        {"type": "FeatureCollection", "features": features},
        style_function=lambda _: GRID_LINE,
        highlight_function=lambda _: {"color": "#10191f", "weight": 2, "opacity": 1},
        smooth_factor=0,
        name=GRID,
        pane="grid",
        tooltip=folium.GeoJsonTooltip(fields=list(labels), aliases=list(labels.values()), class_name="cell"),
    ).add_to(figure)


def _facts(tally: Tally, k: int) -> dict[str, str]:
    """What the page says of the `k`-th zone."""
    zone, township, spots = tally.layer.zones[k], tally.townships[k], tally.spots
    flag = "热点 hot" if spots.hot[k] else "冷点 cold" if spots.cold[k] else "不显著 not significant"
    return {
        "name": f"{zone.name} {zone.name_en}",
        "code": zone.code,
        "township": f"{township.name} {township.name_en}" if township else "",
        "count": str(tally.counts.count[k]),
        "per_km2": number(float(tally.counts.per_km2[k])),
        "share": f"{tally.counts.share[k]:.1%}",
        "spot": f"{spots.z[k]:+.2f} {flag}",
    }


def _add_names(figure: folium.Map, tally: Tally) -> None:
    """Names of townships and of the larger waters."""
    for zone, lon, lat in named(tally.district.layers):
        html = f"<div>{_inert(zone.name)}<small>{_inert(zone.name_en)}</small></div>"
        icon = folium.DivIcon(html=html, class_name=f"place {zone.layer}", icon_size=(0, 0))
        folium.Marker([lat, lon], icon=icon, pane="names", interactive=False, keyboard=False).add_to(figure)


def _inert(text: str) -> str:
    """Text as HTML that nobody runs, not even folium, which reads what it has written once more as a template."""
    return escape(text).replace("{", "&#123;")


def _feature(k: int, shape: Polygon | MultiPolygon, facts: Mapping[str, str] | None = None) -> dict[str, object]:
    return {"type": "Feature", "id": k, "properties": facts or {}, "geometry": rounded(shape).__geo_interface__}


# --- what stands around the map ----------------------------------------------------------------------------------


class _Text(Element):
    """Text that goes into the page as it is; branca would read it as a template."""

    _template = Template("{{ this.text }}")

    def __init__(self, text: str) -> None:
        super().__init__()
        self._name = "Text"
        self.text = text


class _Behaviour(MacroElement):
    """Starts the page's own script once the map stands."""

    _template = Template(
        """
        {% macro script(this, kwargs) %}
            explain({{ this._parent.get_name() }}, new Set({{ this.shown|tojson }}));
        {% endmacro %}
        """
    )

    def __init__(self, shown: list[str]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "Behaviour"
        self.shown = shown


def _panel(tally: Tally) -> str:
    """Title, period, legends, tables, source."""
    found, spots = tally.counts, tally.spots
    levels = density_levels(float(tally.surface.density.max()))
    density_colours = spread(DENSITY_COLOURS, len(levels))
    busiest = [
        {
            "name": zone.name,
            "name_en": zone.name_en,
            "code": zone.code,
            "count": f"{found.count[k]:,}",
            "share": f"{found.share[k]:.1%}",
            "hot": bool(spots.hot[k]),
            "bounds": _bounds(zone),
        }
        for k in tally.busiest(BUSIEST)
        for zone in [tally.layer.zones[k]]
    ]
    townships = [
        {
            "name": zone.name,
            "name_en": zone.name_en,
            "count": f"{n:,}",
            "per_km2": f"{n / km2:.2f}",
            "bounds": _bounds(zone),
        }
        for zone, n, km2 in tally.by_township
    ]
    township = tally.district.layers["township"]
    return (
        Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
        .from_string(_asset("heatmap.html.j2"))
        .render(
            title=tally.title,
            warnings=tally.warnings,
            period=tally.period,
            filters=tally.filters,
            cases=tally.cases,
            number=tally.number,
            names={"heat": HEAT, "density": DENSITY, "counts": COUNTS, "spots": SPOTS},
            heat_colours=list(HEAT_GRADIENT.values()),
            density_steps=[
                {"colour": colour, "label": f"≥{number(level)}"}
                for level, colour in zip(levels, density_colours, strict=True)
            ],
            count_steps=count_classes(int(found.count.max(initial=0))),
            bandwidth_m=f"{tally.surface.bandwidth_m:.0f}",
            unit=Words(tally.layer.label, tally.layer.label_en.lower()),
            hot_colour=HOT_COLOUR,
            cold_colour=COLD_COLOUR,
            hot=int(spots.hot.sum()),
            cold=int(spots.cold.sum()),
            rate=f"{FALSE_DISCOVERY_RATE:.0%}".removesuffix("%"),
            townships=townships,
            township_label=Words(township.label, township.label_en),
            busiest=busiest,
            source=tally.source,
            made_at=tally.made_at,
        )
    )


def _bounds(zone: Zone) -> str:
    return ",".join(f"{degrees:.5f}" for degrees in zone.geometry.bounds)


@cache
def _asset(name: str) -> str:
    return (ASSETS / name).read_text("utf-8")
