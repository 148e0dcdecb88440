"""The analyst's plate: a PNG with Chinese labels, legend, scale and source, fit for a report or a wall.

Drawn with matplotlib's objects alone, never through pyplot, so plates can be drawn in several threads at once.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from threading import Lock

import numpy as np
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findSystemFonts, fontManager
from matplotlib.patches import PathPatch, Polygon, Rectangle
from matplotlib.path import Path
from numpy.typing import NDArray
from pyproj import Transformer
from shapely import get_parts, transform
from shapely.geometry.base import BaseGeometry

from dispatch.errors import FontMissing
from web.captions import HEIGHT_IN, INK, INK_2, WIDTH_IN, draw_words, write
from web.drawing import named, outlines
from web.legend import COLD_COLOUR, DENSITY_COLOURS, HOT_COLOUR, density_levels, spread
from web.tally import Tally

DPI = 240
MAP_IN = (0.3, 0.92, 9.45, 5.62)
"""Left, bottom, width, height."""
FONTS = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "Microsoft YaHei",
    "PingFang SC",
)
FONT_FILES = ("notosanscjk", "notosanssc", "sourcehansans", "msyh")
EDGE = 0.05
"""Of the map's width and height: a name nearer to its frame than this would be cut."""
HALO = [patheffects.withStroke(linewidth=2.2, foreground="white", alpha=0.9)]

Metric = Callable[[NDArray[np.float64]], NDArray[np.float64]]

_fonts = Lock()


def plate(tally: Tally) -> bytes:
    """PNG, 3200 x 1800 pixels. Raises `FontMissing` where no Chinese font is installed."""
    family = chinese_font()
    figure = Figure(figsize=(WIDTH_IN, HEIGHT_IN), dpi=DPI, facecolor="white")
    canvas = FigureCanvasAgg(figure)
    _draw_map(figure, tally, family)
    draw_words(figure, tally, family)
    out = io.BytesIO()
    canvas.print_png(  # type: ignore[no-untyped-call]
        out, metadata={"Title": f"{tally.title.zh} {tally.period.zh}", "Software": None}
    )
    return out.getvalue()


def chinese_font() -> str:
    """The family to write Chinese in. matplotlib's list may be older than the fonts, so the disk is searched too."""
    with _fonts:
        for _ in range(2):
            known = {entry.name for entry in fontManager.ttflist}
            if found := next((name for name in FONTS if name in known), None):
                return found
            for path in findSystemFonts():
                if path.rpartition("/")[2].lower().startswith(FONT_FILES):
                    fontManager.addfont(path)
    raise FontMissing


# --- the map -----------------------------------------------------------------------------------------------------


def _draw_map(figure: Figure, tally: Tally, family: str) -> None:
    left, bottom, width, height = MAP_IN
    axes = figure.add_axes((left / WIDTH_IN, bottom / HEIGHT_IN, width / WIDTH_IN, height / HEIGHT_IN))
    axes.set_axis_off()
    axes.set_aspect("equal")
    metric = _metric(tally.district.metric_crs)
    layers = tally.district.layers
    place = transform(tally.place.geometry, metric)
    district = transform(layers["district"].zones[0].geometry, metric)
    cells = [transform(zone.geometry, metric) for zone in tally.layer.zones]
    axes.add_patch(_patch(district, facecolor="#f7f6f1", edgecolor="none", zorder=1))
    if water := layers.get("water"):
        for zone in water.zones:
            axes.add_patch(_patch(transform(zone.geometry, metric), facecolor="#bcd8e8", edgecolor="none", zorder=2))
    _draw_density(axes, tally, place)
    for cell in cells:
        axes.add_patch(_patch(cell, facecolor="none", edgecolor="#8697a2", linewidth=0.18, zorder=4))
    for zone in layers["township"].zones:
        edge = _patch(transform(zone.geometry, metric), facecolor="none", edgecolor="#4b5a64", linewidth=0.7, zorder=5)
        axes.add_patch(edge)
    axes.add_patch(_patch(district, facecolor="none", edgecolor=INK, linewidth=1.5, zorder=6))
    if tally.selection.zone:
        axes.add_patch(_patch(place, facecolor="none", edgecolor=INK, linewidth=2, linestyle=(0, (4, 2)), zorder=6))
    for flags, colour, style in ((tally.spots.hot, HOT_COLOUR, "-"), (tally.spots.cold, COLD_COLOUR, (0, (3, 1.5)))):
        for part in outlines([cell for cell, flag in zip(cells, flags, strict=True) if flag]):
            axes.add_patch(_patch(part, facecolor="none", edgecolor=colour, linewidth=1.5, linestyle=style, zorder=7))
    west, south, east, north = place.bounds
    margin = 0.02 * max(east - west, north - south)
    half = max((east - west) / width, (north - south) / height) / 2
    middle_x, middle_y = (west + east) / 2, (south + north) / 2
    axes.set_xlim(middle_x - half * width - margin, middle_x + half * width + margin)
    axes.set_ylim(middle_y - half * height - margin, middle_y + half * height + margin)
    _draw_names(axes, tally, metric, family)
    _draw_scale(figure, 2 * (half * width + margin) / width, family)
    if not tally.cases:
        axes.text(
            0.5,
            0.5,
            "本期没有符合条件的案件\nNo case of this period matches",
            transform=axes.transAxes,
            ha="center",
            va="center",
            color="white",
            font=FontProperties(family=family, size=15),
            bbox={"boxstyle": "round,pad=0.7", "facecolor": INK, "edgecolor": "none"},
            zorder=20,
        )


def _draw_density(axes: Axes, tally: Tally, place: BaseGeometry) -> None:
    surface = tally.surface
    levels = density_levels(float(surface.density.max()))
    if not levels:
        return
    rows, columns = surface.density.shape
    x = surface.west + (np.arange(columns) + 0.5) * surface.cell_m
    y = surface.south + (np.arange(rows) + 0.5) * surface.cell_m
    drawn = axes.contourf(
        x,
        y,
        surface.density,
        levels=[*levels, np.inf],
        colors=spread(DENSITY_COLOURS, len(levels)),
        alpha=0.85,
        antialiased=True,
        zorder=3,
    )
    drawn.set_clip_path(_path(place), axes.transData)


def _draw_names(axes: Axes, tally: Tally, metric: Metric, family: str) -> None:
    """Townships, and the larger waters."""
    for zone, lon, lat in named(tally.district.layers):
        colour, weight = ("#1f5f8b", "normal") if zone.layer == "water" else (INK, "bold")
        ((x, y),) = metric(np.array([(lon, lat)]))
        across, up = axes.transAxes.inverted().transform(axes.transData.transform((x, y)))
        if not (EDGE < across < 1 - EDGE and EDGE < up < 1 - EDGE):
            continue
        for text, size, va, thickness in ((zone.name, 10, "bottom", weight), (zone.name_en, 6.5, "top", "normal")):
            font = FontProperties(family=family, size=size, weight=thickness)
            axes.text(x, y, text, color=colour, ha="center", va=va, font=font, path_effects=HALO, zorder=9)


def _draw_scale(figure: Figure, metres_per_inch: float, family: str) -> None:
    """A bar of a round length and an arrow to grid north, under the map."""
    length = max(
        m for m in (200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000) if m <= 1.6 * metres_per_inch or m == 200
    )
    left, bottom, inches = 0.45, 0.32, length / metres_per_inch
    for k, colour in enumerate((INK, "white")):
        figure.add_artist(
            Rectangle(
                ((left + k * inches / 2) / WIDTH_IN, bottom / HEIGHT_IN),
                inches / 2 / WIDTH_IN,
                0.055 / HEIGHT_IN,
                facecolor=colour,
                edgecolor=INK,
                linewidth=0.7,
            )
        )
    words = [(0, "0"), (inches / 2, f"{length / 2000:g}"), (inches, f"{length / 1000:g} km")]
    for at, text in words:
        write(figure, left + at, bottom + 0.09, text, family, 7.5, INK_2, ha="center", va="bottom")
    x, y = left + inches + 0.65, bottom
    for side, colour in ((-1, INK), (1, "white")):
        corners = [(x, y + 0.3), (x + side * 0.09, y - 0.02), (x, y + 0.06)]
        scaled = [(cx / WIDTH_IN, cy / HEIGHT_IN) for cx, cy in corners]
        figure.add_artist(Polygon(scaled, closed=True, facecolor=colour, edgecolor=INK, linewidth=0.7))
    write(figure, x + 0.16, y + 0.1, "北 N", family, 8, INK, va="center")


# --- shapes ------------------------------------------------------------------------------------------------------


def _metric(crs: str) -> Metric:
    to_metric = Transformer.from_crs("EPSG:4326", crs, always_xy=True)

    def metric(corners: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack(to_metric.transform(corners[:, 0], corners[:, 1]))

    return metric


def _path(shape: BaseGeometry) -> Path:
    """All rings of all parts as one path: holes stay holes."""
    rings = [ring for part in get_parts(shape) for ring in (part.exterior, *part.interiors)]
    return Path.make_compound_path(*(Path(np.asarray(ring.coords)[:, :2], closed=True) for ring in rings))


def _patch(shape: BaseGeometry, **style: object) -> PathPatch:
    return PathPatch(_path(shape), joinstyle="round", **style)
