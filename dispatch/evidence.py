"""Evidence as the record names it: by the digest of its bytes, with when, where and by whom it was taken. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dispatch.audit import instant


class Kind(StrEnum):
    """What a piece of evidence is."""

    PHOTO = "photo"
    VIDEO = "video"
    AUDIO = "audio"
    DOCUMENT = "document"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Item:
    """A piece of evidence as somebody attaches it to a case."""

    sha256: str
    """Of its bytes, hexadecimal: they are kept once, whatever cases they belong to."""
    at: datetime | None = None
    """When it was taken."""
    lon: float | None = None
    lat: float | None = None
    """Where (WGS 84 degrees)."""
    officer: str = ""
    """By whom: the number of the service card, or the post."""


def sealed(item: Item, kind: Kind) -> dict[str, object]:
    """What the event says of it; kind: of the bytes, as they were given in."""
    said: dict[str, object] = {"sha256": item.sha256, "kind": kind.value}
    if item.at is not None:
        said["at"] = instant(item.at)
    if item.lon is not None and item.lat is not None:
        said["place"] = {"lon": item.lon, "lat": item.lat}
    if item.officer:
        said["officer"] = item.officer
    return said
