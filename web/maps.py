"""The analyst's map: folium's page of the district, in one HTML file that opens without a network.

There is no tile server: the district's own layers are the base map.
"""

from __future__ import annotations

import folium
from folium.plugins import HeatMap

from web.drawing import Shapes, heat_points, outlines, raster, simplified
from web.figure import Style, add_borders, add_shapes, add_styled, bounds_of, feature, finished, inert, panel, sheet
from web.legend import COLD_COLOUR, DENSITY_COLOURS, HOT_COLOUR, count_classes, density_levels, number, spread
from web.tally import FALSE_DISCOVERY_RATE, Tally, Words

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

PLACE_EDGE: Style = {"fill": False, "color": "#10191f", "weight": 3, "dashArray": "8 4"}
GRID_LINE: Style = {"fillOpacity": 0, "color": "#8697a2", "weight": 0.4, "opacity": 0.7}
HOT_EDGE: Style = {"color": HOT_COLOUR, "weight": 2.5, "fillColor": HOT_COLOUR, "fillOpacity": 0.06}
COLD_EDGE: Style = {"color": COLD_COLOUR, "weight": 2.5, "dashArray": "6 4", "fillOpacity": 0}


def page(tally: Tally) -> str:
    """The whole page. Raises `PageNotBuilt` where Leaflet has not been put beside the built page."""
    layers, place = tally.district.layers, tally.place.geometry
    figure, cells = sheet(layers, PANES, "grid", WATER), simplified(tally.layer)
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
    add_borders(figure, layers)
    if tally.selection.zone:
        add_shapes(figure, [(tally.place.code, place)], "borders", PLACE_EDGE)
    title = f"{tally.title.zh} {tally.period.zh}"
    return finished(figure, layers, place.bounds, [HEAT, SPOTS, GRID, WATER], _panel(tally), title)


# --- layers ------------------------------------------------------------------------------------------------------


def _add_counts(figure: folium.Map, tally: Tally, cells: Shapes) -> None:
    """Zones with cases, by class."""
    classes = count_classes(int(tally.counts.count.max(initial=0)))
    colour = {n: step.colour for step in classes for n in range(step.low, step.high + 1)}
    shapes = [
        (code, shape, {"fillColor": colour[int(n)], "fillOpacity": 0.85, "stroke": False})
        for (code, shape), n in zip(cells, tally.counts.count, strict=True)
        if n
    ]
    add_styled(figure, shapes, "counts", COUNTS, show=False)


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
    add_styled(figure, shapes, "spots", SPOTS)


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
        feature(k, shape, {key: inert(text) for key, text in _facts(tally, k).items()})
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


# --- what stands around the map ----------------------------------------------------------------------------------


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
            "bounds": bounds_of(zone.geometry),
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
            "bounds": bounds_of(zone.geometry),
        }
        for zone, n, km2 in tally.by_township
    ]
    township = tally.district.layers["township"]
    return panel(
        "heatmap.html.j2",
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
