"""Makes a page of folium's hold everything it needs, and ask no network for anything.

folium writes pages that load Leaflet and half a dozen libraries from five hosts. Here each of those is either inlined,
from the locked npm package beside the built page or from folium's own wheel, or left out because our pages do not use
it; an asset that is neither is an error, so that a new folium cannot bring a request in by the back door. The page's
own content security policy forbids whatever would be left.
"""

from __future__ import annotations

import base64
import re
from html import escape
from pathlib import Path

import folium

from dispatch.errors import PageNotBuilt

LEAFLET = Path(__file__).parent / "page" / "dist" / "vendor" / "leaflet"
"""Put there when the page is built."""
UNUSED = frozenset(
    {
        "jquery-3.7.1.min.js",
        "bootstrap.bundle.min.js",
        "bootstrap.min.css",
        "bootstrap-glyphicons.css",
        "all.min.css",
        "leaflet.awesome-markers.js",
        "leaflet.awesome-markers.css",
        "leaflet.awesome.rotate.min.css",
    }
)
"""Assets of folium's that serve icons, popups and search boxes: this page has none."""
ASSET = re.compile(r'<script src="(?P<script>[^"]+)"></script>|<link rel="stylesheet" href="(?P<style>[^"]+)"\s*/?>')
NO_PIN = "L.Marker.mergeOptions({icon: L.divIcon({iconSize: [0, 0]})});"
"""folium makes every marker with Leaflet's pin before it sets the marker's own icon; the pin would be a request."""
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


def self_contained(html: str, title: str) -> str:
    """A page of folium's with every asset inlined or left out, and with a policy that forbids asking for more.

    Raises `PageNotBuilt` where Leaflet has not been put beside the built page, RuntimeError for an unknown asset.
    """

    def inline(link: re.Match[str]) -> str:
        name = (link["script"] or link["style"]).rsplit("/", 1)[-1]
        if name in UNUSED:
            return ""
        if name == "leaflet.js":
            return f"<!--\n{_leaflet('LICENSE')}--><script>{_leaflet('leaflet.js')}{NO_PIN}</script>"
        if name == "leaflet.css":
            return f"<style>{_with_images(_leaflet('leaflet.css'))}</style>"
        if name == "leaflet_heat.min.js":
            bundled = Path(folium.__file__).parent / "templates" / name
            return f"<script>{bundled.read_text('utf-8')}</script>"
        raise RuntimeError(f"folium asks for {name}, which this page neither holds nor leaves out")

    head = (
        f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f"<title>{escape(title)}</title>"
    )
    html = html.replace("<html>", '<html lang="zh-CN">', 1).replace("<head>", f"<head>{head}", 1)
    return ASSET.sub(inline, html)


def _with_images(css: str) -> str:
    def embed(image: re.Match[str]) -> str:
        data = base64.b64encode((LEAFLET / image[1]).read_bytes()).decode("ascii")
        return f"url(data:image/png;base64,{data})"

    return re.sub(r"url\((images/[\w.-]+\.png)\)", embed, css)


def _leaflet(name: str) -> str:
    try:
        text = (LEAFLET / name).read_text("utf-8")
    except FileNotFoundError as missing:
        raise PageNotBuilt from missing
    return re.sub(r"^//# sourceMappingURL=.*$", "", text, flags=re.MULTILINE)
