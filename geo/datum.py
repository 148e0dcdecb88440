"""Datums in, one datum inside: positions arrive as WGS 84, CGCS2000, GCJ-02 or BD-09 and are kept as WGS 84."""

from __future__ import annotations

from enum import StrEnum


class Datum(StrEnum):
    """The datums a phone, a camera or a file in China reports positions in."""

    WGS84 = "wgs84"
    CGCS2000 = "cgcs2000"
    GCJ02 = "gcj02"
    BD09 = "bd09"
