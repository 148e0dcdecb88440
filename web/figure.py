"""Parts of a folium page that the analyst's map and the map of changes share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import cast

import folium
from branca.element import Element, Figure, MacroElement
from folium.template import Template
from jinja2 import Environment, StrictUndefined
from shapely.geometry.base import BaseGeometry

from geo.grid import Layer
from web.drawing import Shapes, named, rounded, simplified
from web.offline import self_contained

ASSETS = Path(__file__).parent / "assets"

Style = Mapping[str, object]
LAND: Style = {"fillColor": "#f8f7f3", "fillOpacity": 1, "stroke": False}
WATERS: Style = {"fillColor": "#bcd8e8", "fillOpacity": 1, "stroke": False}
TOWNSHIP_EDGE: Style = {"fill": False, "color": "#4b5a64", "weight": 1.3, "opacity": 0.9}
DISTRICT_EDGE: Style = {"fill": False, "color": "#10191f", "weight": 2.5}


def sheet(layers: Mapping[str, Layer], panes: Mapping[str, int], listening: str, waters: str) -> folium.Map:
    """A map without tiles but the district's land and waters (switched by that name).

    Panes by what lies over what (`land`, `water`, `borders` and `names` among them); one listens to the pointer.
    """
    figure = folium.Map(
        tiles=None,
        zoom_snap=0.25,
        zoom_delta=0.5,
        wheel_px_per_zoom_level=120,
        min_zoom=8,
        max_zoom=17,
        attribution_control=False,
    )
    for name, z_index in panes.items():
        folium.map.CustomPane(name, z_index=z_index, pointer_events=name == listening).add_to(figure)
    add_shapes(figure, simplified(layers["township"]), "land", LAND)
    if "water" in layers:
        add_shapes(figure, simplified(layers["water"]), "water", WATERS, waters)
    return figure


def add_borders(figure: folium.Map, layers: Mapping[str, Layer]) -> None:
    """Those of the townships and of the district."""
    add_shapes(figure, simplified(layers["township"]), "borders", TOWNSHIP_EDGE)
    add_shapes(figure, simplified(layers["district"]), "borders", DISTRICT_EDGE)


def panel(template: str, **facts: object) -> str:
    """What stands beside the map, by a template of ours."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(asset(template)).render(facts)


def finished(
    figure: folium.Map,
    layers: Mapping[str, Layer],
    bounds: tuple[float, float, float, float],
    explained: Sequence[str],
    beside: str,
    title: str,
    *styles: str,
) -> str:
    """The page: names over the map, its switches, what it shows first (degrees), the panel; needs no network.

    explained: the layers whose switch shows what belongs to them in the panel; styles: assets besides the common one.
    Raises `PageNotBuilt` where Leaflet has not been put beside the built page.
    """
    add_names(figure, layers)
    folium.LayerControl(collapsed=False).add_to(figure)
    west, south, east, north = bounds
    figure.fit_bounds([[south, west], [north, east]], padding=(28, 28))
    Behaviour(list(explained)).add_to(figure)
    root = cast("Figure", figure.get_root())
    root.html.add_child(Text(beside))
    css = "".join(asset(name) for name in ("heatmap.css", *styles))
    root.header.add_child(Text(f"<style>{css}</style><script>{asset('heatmap.js')}</script>"))
    return self_contained(root.render(), title)


def add_shapes(figure: folium.Map, shapes: Shapes, pane: str, style: Style, name: str | None = None) -> None:
    """Shapes of one style that do not answer to the pointer; with a name they can be switched."""
    add_styled(figure, [(code, shape, style) for code, shape in shapes], pane, name)


def add_styled(
    figure: folium.Map,
    shapes: Sequence[tuple[str, BaseGeometry, Style]],
    pane: str,
    name: str | None = None,
    *,
    show: bool = True,
) -> None:
    """The same, each shape in its own style; `show`: whether it is to be seen from the start."""
    styles = [dict(style) for _, _, style in shapes]
    if styles:  # folium cannot write a layer of nothing
        folium.GeoJson(
            {"type": "FeatureCollection", "features": [feature(k, shape) for k, (_, shape, _) in enumerate(shapes)]},
            style_function=lambda feature: styles[feature["id"]],
            smooth_factor=0,
            name=name,
            control=name is not None,
            show=show,
            pane=pane,
            interactive=False,
        ).add_to(figure)


def add_names(figure: folium.Map, layers: Mapping[str, Layer]) -> None:
    """Names of townships and of the larger waters."""
    for zone, lon, lat in named(layers):
        html = f"<div>{inert(zone.name)}<small>{inert(zone.name_en)}</small></div>"
        icon = folium.DivIcon(html=html, class_name=f"place {zone.layer}", icon_size=(0, 0))
        folium.Marker([lat, lon], icon=icon, pane="names", interactive=False, keyboard=False).add_to(figure)


def inert(text: str) -> str:
    """Text as HTML that nobody runs, not even folium, which reads what it has written once more as a template."""
    return escape(text).replace("{", "&#123;")


def feature(k: int, shape: BaseGeometry, facts: Mapping[str, str] | None = None) -> dict[str, object]:
    """A GeoJSON feature as a page writes it."""
    return {"type": "Feature", "id": k, "properties": facts or {}, "geometry": rounded(shape).__geo_interface__}


class Text(Element):
    """Text that goes into the page as it is; branca would read it as a template."""

    _template = Template("{{ this.text }}")

    def __init__(self, text: str) -> None:
        super().__init__()
        self._name = "Text"
        self.text = text


class Behaviour(MacroElement):
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


def bounds_of(shape: BaseGeometry) -> str:
    """West, south, east, north, as the page's script reads them."""
    return ",".join(f"{degrees:.5f}" for degrees in shape.bounds)


@cache
def asset(name: str) -> str:
    """The text of a file beside the templates."""
    return (ASSETS / name).read_text("utf-8")
