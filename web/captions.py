"""The words of a plate: title, figures, legend, tables, source. Everything is placed in inches from the lower left."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Rectangle

from web.legend import COLD_COLOUR, DENSITY_COLOURS, HOT_COLOUR, density_levels, number, spread
from web.tally import FALSE_DISCOVERY_RATE, Tally

WIDTH_IN, HEIGHT_IN = 40 / 3, 7.5
COLUMN_IN = 10.05
"""Left edge of the column of words beside the map; it is 3 inches wide."""
LOWEST_ROW_IN, ROW_IN = 0.3, 0.215
INK, INK_2, INK_3 = "#10191f", "#3b4a54", "#586874"


def draw_words(figure: Figure, tally: Tally, family: str) -> None:
    """Title above the map; figures, legend and townships beside it; source beneath."""
    write(figure, 0.4, 7.05, tally.title.zh, family, 22, INK, weight="bold", va="center")
    subtitle = f"{tally.title.en}    {tally.period.en}"
    write(figure, 0.42, 6.72, subtitle, family, 10, INK_3, va="center")

    y = 7.05
    write(figure, COLUMN_IN, y, tally.number.zh, family, 17, INK, weight="bold", va="center")
    y -= 0.27
    write(figure, COLUMN_IN, y, tally.number.en, family, 8, INK_3, va="center")
    facts = [("时间 Period", tally.period.zh, "")]
    facts += [("筛选 Filter" if k == 0 else "", words.zh, words.en) for k, words in enumerate(tally.filters)]
    y -= 0.1
    for label, zh, en in facts:
        y -= 0.22
        write(figure, COLUMN_IN, y, label, family, 8, INK_3, va="baseline")
        write(figure, COLUMN_IN + 0.85, y, zh, family, 9, INK, va="baseline")
        if en:
            y -= 0.15
            write(figure, COLUMN_IN + 0.85, y, en, family, 7, INK_3, va="baseline")
    y = _draw_legend(figure, tally, family, y - 0.18)
    y = _draw_townships(figure, tally, family, y - 0.12)
    _draw_busiest(figure, tally, family, y - 0.12)
    _draw_notes(figure, tally, family)


def _heading(figure: Figure, y: float, zh: str, en: str, family: str, beside: str = "") -> float:
    """A rule and a heading; the baseline that follows."""
    figure.add_artist(
        Rectangle((COLUMN_IN / WIDTH_IN, y / HEIGHT_IN), 3 / WIDTH_IN, 0.007 / HEIGHT_IN, facecolor="#cfd8dd")
    )
    write(figure, COLUMN_IN, y - 0.22, zh, family, 9.5, INK, weight="bold", va="baseline")
    write(figure, COLUMN_IN + 3, y - 0.22, en, family, 7.5, INK_3, va="baseline", ha="right")
    write(figure, COLUMN_IN + 0.07 * columns(zh) + 0.06, y - 0.22, beside, family, 7.5, INK_3, va="baseline")
    return y - 0.22


def _draw_legend(figure: Figure, tally: Tally, family: str, y: float) -> float:
    """Density classes, hot and cold spots."""
    levels = density_levels(float(tally.surface.density.max()))
    y = _heading(figure, y, "案件密度（件/km²）", "Cases per km²", family)
    if levels:
        wide = 3 / len(levels)
        for k, (level, colour) in enumerate(zip(levels, spread(DENSITY_COLOURS, len(levels)), strict=True)):
            x = COLUMN_IN + k * wide
            corner = (x / WIDTH_IN, (y - 0.25) / HEIGHT_IN)
            figure.add_artist(Rectangle(corner, wide / WIDTH_IN, 0.15 / HEIGHT_IN, facecolor=colour, alpha=0.85))
            write(figure, x, y - 0.29, f"{number(level)}", family, 7.5, INK_2, va="top")
        y -= 0.43
    bandwidth = f"{tally.surface.bandwidth_m / 1000:g} km"
    y -= 0.14
    write(
        figure,
        COLUMN_IN,
        y,
        f"高斯核密度，带宽 {bandwidth}  Gaussian kernel, {bandwidth}",
        family,
        7,
        INK_3,
        va="baseline",
    )

    y = _heading(figure, y - 0.14, "统计显著的冷热点", "Significant hot and cold spots", family)
    spots = (
        (0.0, HOT_COLOUR, "-", f"热点 hot {tally.spots.hot.sum()}"),
        (1.4, COLD_COLOUR, (0, (3, 1.5)), f"冷点 cold {tally.spots.cold.sum()}"),
    )
    for x, colour, style, text in spots:
        corner = ((COLUMN_IN + x) / WIDTH_IN, (y - 0.25) / HEIGHT_IN)
        box = Rectangle(
            corner,
            0.24 / WIDTH_IN,
            0.14 / HEIGHT_IN,
            facecolor="none",
            edgecolor=colour,
            linewidth=1.5,
            linestyle=style,
        )
        figure.add_artist(box)
        write(figure, COLUMN_IN + x + 0.32, y - 0.18, text, family, 8.5, INK, va="center")
    y -= 0.42
    rate = f"{FALSE_DISCOVERY_RATE:.0%}"
    write(
        figure,
        COLUMN_IN,
        y,
        f"Getis-Ord Gi*，错误发现率 ≤ {rate}  false discovery rate",
        family,
        7,
        INK_3,
        va="baseline",
    )
    return y


def _draw_townships(figure: Figure, tally: Tally, family: str, y: float) -> float:
    """Cases per township, most first, as many as there is room for."""
    layer = tally.district.layers["township"]
    y = _heading(figure, y, layer.label, "", family, beside=layer.label_en)
    for at, text in ((2.2, "案件 Cases"), (3.0, "件/km²")):
        write(figure, COLUMN_IN + at, y, text, family, 7, INK_3, va="baseline", ha="right")
    rows = int((y - LOWEST_ROW_IN) / ROW_IN)
    for zone, n, km2 in tally.by_township[:rows]:
        y -= ROW_IN
        write(figure, COLUMN_IN, y, zone.name, family, 8.5, INK, va="baseline")
        write(figure, COLUMN_IN + 0.062 * columns(zone.name) + 0.07, y, zone.name_en, family, 6.5, INK_3, va="baseline")
        write(figure, COLUMN_IN + 2.2, y, f"{n:,}", family, 8.5, INK, va="baseline", ha="right")
        write(figure, COLUMN_IN + 3.0, y, f"{n / km2:.2f}", family, 8.5, INK, va="baseline", ha="right")
    return y


def _draw_busiest(figure: Figure, tally: Tally, family: str, y: float) -> None:
    """The zones with most cases, as many as there is still room for."""
    found = tally.busiest(int((y - 0.35 - LOWEST_ROW_IN) / ROW_IN))
    if not found:
        return
    y = _heading(figure, y, f"案件最多的{tally.layer.label}", "", family, beside="Busiest")
    for at, text in ((2.2, "案件 Cases"), (3.0, "占比 Share")):
        write(figure, COLUMN_IN + at, y, text, family, 7, INK_3, va="baseline", ha="right")
    for k in found:
        y -= ROW_IN
        name = f"{tally.layer.zones[k].name}{' · 热点' if tally.spots.hot[k] else ''}"
        write(figure, COLUMN_IN, y, name, family, 8.5, INK, va="baseline")
        write(figure, COLUMN_IN + 2.2, y, f"{tally.counts.count[k]:,}", family, 8.5, INK, va="baseline", ha="right")
        write(figure, COLUMN_IN + 3.0, y, f"{tally.counts.share[k]:.1%}", family, 8.5, INK, va="baseline", ha="right")


def _draw_notes(figure: Figure, tally: Tally, family: str) -> None:
    """What to beware of, where it comes from, when it was made: under the map, to the right of the scale."""
    warnings = [line for words in tally.warnings for line in wrapped(f"{words.zh}  {words.en}", 126)]
    source = f"{tally.source.zh}；制作 {tally.made_at}"
    lines = [*warnings, *wrapped(source, 142), *wrapped(f"{tally.source.en}. Made {tally.made_at}", 142)]
    for k, line in enumerate(lines):
        warning = k < len(warnings)
        colour = "#8a4b00" if warning else INK_3
        write(figure, 3.2, 0.78 - 0.128 * k, line, family, 7.5 if warning else 6.5, colour, va="baseline")


def wrapped(text: str, width: int) -> Iterator[str]:
    """Lines of at most `width` half-width columns, broken between Chinese characters or at spaces."""
    line = ""
    for word in _words(text):
        if line and columns(line + word.rstrip()) > width:
            yield line.rstrip()
            line = ""
        line += word
    if line.strip():
        yield line.rstrip()


def _words(text: str) -> Iterator[str]:
    """Pieces that a line may be broken after."""
    piece = ""
    for here, following in zip(text, f"{text[1:]} ", strict=False):
        piece += here
        wide = unicodedata.east_asian_width(here) in "WF"
        if here == " " or (wide and unicodedata.category(following)[0] != "P"):
            yield piece
            piece = ""
    if piece:
        yield piece


def columns(text: str) -> int:
    """Width of a text in half-width columns: a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def write(
    figure: Figure,
    x: float,
    y: float,
    text: str,
    family: str,
    size: float,
    colour: str,
    *,
    weight: str = "normal",
    ha: str = "left",
    va: str,
) -> None:
    """Text at inches from the lower left."""
    font = FontProperties(family=family, size=size, weight=weight)
    figure.text(x / WIDTH_IN, y / HEIGHT_IN, text, color=colour, ha=ha, va=va, font=font, parse_math=False)
