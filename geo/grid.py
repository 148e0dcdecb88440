"""Zones of a district: layers of coded polygons, loaded from a district folder and checked there.

Coordinates are EPSG:4326 (WGS 84, longitude first; CGCS2000 is taken as equal to it, the two differ by
centimetres). Areas and lengths are computed in the district's own metric CRS.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from shapely import MultiPolygon, Polygon


class Cover(StrEnum):
    """How the zones of one layer lie to each other and to the district."""

    PARTITION = "partition"
    """They cover the district and share nothing but edges."""
    DISJOINT = "disjoint"
    """They share nothing but edges, and need not cover the district."""
    OVERLAP = "overlap"
    """They may lie over each other."""


@dataclass(frozen=True, slots=True)
class Zone:
    """One coded polygon of a layer (EPSG:4326)."""

    layer: str
    code: str
    name: str
    name_en: str
    kind: str
    parent: str | None
    geometry: Polygon | MultiPolygon
    area_km2: float
    """In the district's metric CRS."""
    properties: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Layer:
    """All zones of one kind, in ascending order of code."""

    name: str
    label: str
    label_en: str
    cover: Cover
    parent: str | None
    """The layer whose zones these nest in, by each zone's `parent` code."""
    real: bool
    """False: schematic, made for demonstration; pages and exports must say so."""
    source: str
    zones: tuple[Zone, ...]
