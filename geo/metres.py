"""The way from WGS 84 degrees to a district's metres, made once for each metric CRS."""

from __future__ import annotations

from functools import cache

from pyproj import Transformer


@cache
def into(metric_crs: str) -> Transformer:
    """From longitude and latitude (EPSG:4326) to east and north of a CRS (`EPSG:4549`).

    To make one takes PROJ about 0.1 s, and each thread that uses it once more: so all that a thread does shares one,
    and what another edition of the district brings with it finds it made. Raises pyproj.exceptions.CRSError.
    """
    return Transformer.from_crs("EPSG:4326", metric_crs, always_xy=True)
