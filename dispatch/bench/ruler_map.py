"""A map of where the nearest base by ruler is not the nearest by time."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from pyproj import Transformer
from shapely import get_parts, get_rings, transform
from shapely.geometry.base import BaseGeometry

from dispatch.bench.ruler import Compared, compared
from dispatch.ground import Ground
from dispatch.model import Mode
from web.plates import chinese_font

MINUTE: Final = 60.0
KINDS: Final = (
    ("#f4f1ea", "陆地：直线最近者先到 / land: nearest by ruler is first"),
    ("#f0c987", "陆地：晚不到 1 分钟 / land: less than a minute late"),
    ("#c65d21", "陆地：晚 1 分钟以上 / land: a minute late or more"),
    ("#d5e6f2", "水上：直线最近者先到 / water: nearest by ruler is first"),
    ("#a99bd6", "水上：晚不到 1 分钟 / water: less than a minute late"),
    ("#5b2a9d", "水上：晚 1 分钟以上或到不了 / water: a minute or more, or cannot come"),
    ("#b9c4cc", "无船可达的水面 / water that no boat reaches"),
)
SOURCE: Final = (
    "按出行时间面计算（每格 {cell:g} 米）。水系、道路、基地均为示意数据。"
    " / By the travel surfaces ({cell:g} m cells). Waters, roads and bases are schematic."
)


def draw(ground: Ground, file: Path) -> None:
    """Write a PNG: every cell of the district, judged at its middle. Raises OSError, `FontMissing`."""
    frame = ground.travel.frame
    to_metres = Transformer.from_crs("EPSG:4326", ground.district.metric_crs, always_xy=True)
    middles = frame.centres()
    lon, lat = to_metres.transform(middles[:, 0], middles[:, 1], direction="INVERSE")
    inside = ground.locator.at_many(lon, lat)["district"].index > 0
    lon, lat = lon[inside], lat[inside]
    kinds = np.full(frame.count, -1)
    # What neither judges is water that no boat reaches, but for single cells of land.
    kinds[inside] = 6
    for first, one in zip((0, 3), compared(ground, lon, lat), strict=True):
        kinds[ground.travel.cells(one.lon, one.lat)] = first + _kind(one)
    picture = np.ma.masked_less(kinds.reshape(frame.rows, frame.columns), 0)

    family = chinese_font()
    font = FontProperties(family=family, size=8)
    figure = Figure(figsize=(11, 7.4), dpi=130, facecolor="white")
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_axes((0.02, 0.2, 0.96, 0.74))
    east, north = frame.west + frame.columns * frame.size_x, frame.south + frame.rows * frame.size_y
    axes.imshow(
        picture,
        cmap=ListedColormap([colour for colour, _ in KINDS]),
        vmin=-0.5,
        vmax=len(KINDS) - 0.5,
        origin="lower",
        extent=(frame.west, east, frame.south, north),
        interpolation="nearest",
    )

    def metric(shape: BaseGeometry) -> BaseGeometry:
        return transform(shape, lambda xy: np.stack(to_metres.transform(xy[:, 0], xy[:, 1]), axis=1))

    for part in get_parts(metric(ground.district.layers["district"].zones[0].geometry)):
        for ring in get_rings(part):
            axes.plot(*np.array(ring.coords).T, color="#444444", linewidth=1.0)
    for line, _, _ in ground.district.roads:
        axes.plot(*np.array(metric(line).coords).T, color="#7d7466", linewidth=0.4, alpha=0.6)
    _bases(ground, axes, to_metres)
    axes.set_aspect("equal")
    axes.set_axis_off()
    figure.text(
        0.02,
        0.955,
        f"{ground.district.name}：直线最近不等于最先到达 / Nearest by ruler is not first to arrive",
        fontproperties=FontProperties(family=family, size=13, weight="bold"),
    )
    figure.text(0.02, 0.012, SOURCE.format(cell=frame.size_x), fontproperties=font, color="#555555")
    keys = [
        *(Patch(facecolor=colour, edgecolor="#999999", linewidth=0.4, label=label) for colour, label in KINDS),
        Line2D([], [], color="black", marker="s", linestyle="", label="车辆基地 / base of vehicles"),
        Line2D([], [], color="#0b5cab", marker="^", linestyle="", label="船只基地 / base of boats"),
    ]
    figure.legend(handles=keys, loc="lower left", bbox_to_anchor=(0.015, 0.035), ncols=3, frameon=False, prop=font)
    canvas.print_png(file)  # type: ignore[no-untyped-call]


def _kind(one: Compared) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.where(one.late_s >= MINUTE, 2, np.where(one.wrong, 1, 0))


def _bases(ground: Ground, axes: Axes, to_metres: Transformer) -> None:
    for mode, marker, colour in ((Mode.VEHICLE, "s", "black"), (Mode.BOAT, "^", "#0b5cab")):
        bases = sorted({unit.base for unit in ground.district.units.values() if unit.mode is mode})
        if bases:
            x, y = to_metres.transform(*np.array([ground.travel.positions[base] for base in bases]).T)
            axes.plot(x, y, marker, color=colour, markersize=5, markeredgecolor="white", markeredgewidth=0.6)
