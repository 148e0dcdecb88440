"""One message or row of a source as a report: its number, what happened, where and when; or what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from dispatch import fields
from dispatch.district import District
from dispatch.errors import InvalidInput, UnitNotListed, UnknownMatter
from dispatch.intake import Forwarded
from dispatch.rows import refused
from dispatch.sources.forms import Form
from dispatch.sources.placing import LAYERS, Places, Spot

BETWEEN: Final = ("/", "-", ">", "—", "、", "|", "\\", "·")
"""Signs between the levels of a category: 城市管理/市容环境/占道经营."""
MOST_TEXT: Final = 4000


class Adapter:
    """Reads what sources send in the words of one edition of a district."""

    def __init__(self, district: District) -> None:
        self._district = district
        self._zone = ZoneInfo(district.timezone)
        self._matters = fields.Matters(district.classes.values(), district.matters.values())
        self._theirs = {(row.source, fields.bare(row.theirs)): row.matter for row in district.source_matters.values()}
        self._places = Places(district)

    def read(self, form: Form, told: Mapping[str, str]) -> Forwarded:
        """The report. `told`: field of the form -> its text.

        Raises `InvalidInput`, `UnknownMatter`, `PlaceNotSaid`, `PlaceAmbiguous`, `UnknownCamera`, `UnitNotListed`.
        """
        said = {field: text for field, text in told.items() if text.strip()}
        for field in form.needs:
            if field not in said:
                raise fields.missing(field)
        ref = self._ref(form, said)
        values: dict[str, Any] = {
            "id": form.report_id(ref),
            "source": form.source,
            "source_ref": ref,
            "matter": self._matter(form, said["matter"]),
            "text": _text(said),
            "contact": {part: said[f"contact_{part}"] for part in ("name", "phone") if f"contact_{part}" in said},
            **self._place(form, said),
        }
        if "seen_at" in said:
            values["seen_at"] = fields.instant(said["seen_at"], self._zone)
        if "photo" in said:
            values["photos"] = [fields.plain(said["photo"]).casefold()]
        try:
            return Forwarded(**values)
        except ValidationError as error:
            raise refused(error) from error

    def _ref(self, form: Form, said: Mapping[str, str]) -> str:
        """What names the report for good: the number that the source gives it."""
        own = fields.plain(said.get("ref", ""))
        if "unit" in form.needs:
            unit = fields.plain(said["unit"])
            if unit not in self._district.units:
                raise UnitNotListed({"field": "unit"}, unit=unit)
            return f"{unit}/{own}"  # each crew counts its own
        if "ref" not in form.needs and not own:
            # A camera that numbers nothing: the same event is the same thing at the same moment.
            at = fields.instant(said["seen_at"], self._zone).isoformat()
            return "/".join((fields.plain(said["camera"]), fields.plain(said["matter"]), at))
        return own

    def _matter(self, form: Form, text: str) -> str:
        """By the district's own table of what the source calls it, else by code or name; its last level counts."""
        levels = [text, *_last_level(text)]
        for level in levels:
            if found := self._theirs.get((form.source, fields.bare(level))):
                return found
        for level in levels[:-1]:
            try:
                return self._matters.read(level)[0]
            except UnknownMatter:
                continue
        return self._matters.read(levels[-1])[0]

    def _place(self, form: Form, said: Mapping[str, str]) -> dict[str, Any]:
        accuracy = fields.number(said["accuracy_m"], "accuracy_m") if "accuracy_m" in said else None
        if "camera" in form.places:
            bearing, distance = (
                fields.number(said[name], name) if name in said else None for name in ("bearing_deg", "distance_m")
            )
            return _at(self._places.camera(said["camera"], bearing, distance), accuracy)
        if "position" in form.places and ("lon" in said or "lat" in said):
            return {
                "lon": fields.number(said.get("lon", ""), "lon"),
                "lat": fields.number(said.get("lat", ""), "lat"),
                "datum": fields.datum(said["datum"]) if "datum" in said else None,
                "accuracy_m": accuracy,
            }
        zones = {layer: said[layer] for layer in LAYERS if layer in said}
        return _at(self._places.zone(zones, said.get("address", "")), None)


def _at(spot: Spot, accuracy_m: float | None) -> dict[str, Any]:
    good_to = spot.accuracy_m if accuracy_m is None else accuracy_m
    return {"lon": spot.lon, "lat": spot.lat, "accuracy_m": good_to, "placed_by": spot.placed_by}


def _last_level(text: str) -> list[str]:
    """The last level of a category of several; none where it has one."""
    last = text
    for sign in BETWEEN:
        last = last.rsplit(sign, 1)[-1]
    return [last] if last.strip() and last != text else []


def _text(said: Mapping[str, str]) -> str:
    """Title, what was said, and the address, each on a line of its own."""
    parts = [said[name].strip() for name in ("title", "text", "address") if name in said]
    whole = "\n".join(dict.fromkeys(parts))
    if len(whole) > MOST_TEXT:
        problem, problem_zh = f"it is longer than {MOST_TEXT} characters", f"超过 {MOST_TEXT} 个字"
        raise InvalidInput({"field": "text"}, field="text", problem=problem, problem_zh=problem_zh)
    return whole
