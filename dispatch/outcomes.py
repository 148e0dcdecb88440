"""Who is responsible for a circle: one outcome where the table says the same all over it, else each with its share.

Two places have the same outcome when the decision table names the same team there for the matter: by whichever of its
rows, of whichever zones. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from dispatch.competence import PLACE_LAYERS, DecisionTable, Place, Ruling
from dispatch.model import Outcome, ZoneRef
from geo.circle import Part

WATER: Final = "water"
"""The layer whose zones are water."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A point with the accuracy it is known to, and what it is about."""

    lon: float
    lat: float
    """WGS 84 degrees."""
    radius_m: float
    place: Place
    matter: str
    on_water: bool
    """The matter only makes sense on water or beside it."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """What a circle comes to."""

    ruling: Ruling
    lon: float
    lat: float
    """Where the units are sent: the reported point, or `target`."""
    radius_m: float
    kinds: int
    """How many kinds of place the circle meets, as far as the table's layers go."""
    outcomes: tuple[Outcome, ...]
    """Every team that would be responsible somewhere in it, the chosen one first; none where there is only one."""
    notes: tuple[str, ...]
    facts: Mapping[str, float | str]
    target: tuple[float, float] | None = None
    """Where the units are sent (WGS 84 degrees), if not to the reported point: the middle of the chosen outcome."""

    def towards(self, team: str, place: tuple[float, float]) -> tuple[float, float]:
        """Where a team's units are sent: see `towards`."""
        spots = {one.team: (one.lon, one.lat) for one in self.outcomes}
        return _towards(team, self.ruling.team, self.target, spots, place)


def towards(team: str, decision: Mapping[str, Any], place: tuple[float, float]) -> tuple[float, float]:
    """Where a team's units are sent (WGS 84 degrees), once a case at `place` was decided.

    decision: as `routing.as_json` writes it. The team that it names goes where it says; another that would be
    responsible somewhere in the circle goes there; any other to the place.
    """
    spots = {one["team"]: (one["lon"], one["lat"]) for one in decision.get("outcomes", ())}
    target = decision.get("target")
    return _towards(team, decision["team"], (target["lon"], target["lat"]) if target else None, spots, place)


def _towards(
    team: str,
    named: str,
    target: tuple[float, float] | None,
    spots: Mapping[str, tuple[float, float]],
    place: tuple[float, float],
) -> tuple[float, float]:
    return target or place if team == named else spots.get(team, place)


def weigh(table: DecisionTable, spot: Spot, parts: Sequence[Part], confirm_share: float) -> Weighed:
    """The outcome for a circle.

    parts: the kinds of place it meets (`Circles.parts`), largest first; none: the point decides alone. The team with
    the largest share is chosen; of equals the one whose place the point is in, then the lower code. A share below
    `confirm_share` (0 to 1) is marked `confirm_place`. Where the matter is one of water and the circle meets any, dry
    land has no share (`water_decides`).
    """
    here = table.decide(spot.place, spot.matter)
    rulings = [table.decide(part.place, spot.matter) for part in parts]
    if all(ruling.team == here.team for ruling in rulings):
        return Weighed(here, spot.lon, spot.lat, spot.radius_m, max(len(parts), 1), (), (), {})
    drawn = spot.on_water and any(part.place.get(WATER) for part in parts)
    counts = [bool(part.place.get(WATER)) or not drawn for part in parts]
    total = sum(part.share for part, counted in zip(parts, counts, strict=True) if counted)
    shares = [part.share / total if counted else 0.0 for part, counted in zip(parts, counts, strict=True)]
    teams: dict[str, list[int]] = {}
    for i, ruling in enumerate(rulings):
        teams.setdefault(ruling.team, []).append(i)

    def order(team: str) -> tuple[float, bool, str]:
        return (-round(sum(shares[i] for i in teams[team]), 9), team != here.team, team)

    ranked = sorted(teams, key=order)
    leading = {team: max(teams[team], key=lambda i: (shares[i], parts[i].share)) for team in ranked}
    outcomes = tuple(
        _outcome(parts[leading[team]], rulings[leading[team]], sum(shares[i] for i in teams[team])) for team in ranked
    )
    chosen = outcomes[0]
    stays = here.team == chosen.team and (bool(spot.place.get(WATER)) or not drawn)
    lost = drawn and not all(counts)
    unsure = chosen.share < confirm_share
    return Weighed(
        ruling=here if stays else rulings[leading[chosen.team]],
        lon=spot.lon if stays else chosen.lon,
        lat=spot.lat if stays else chosen.lat,
        radius_m=spot.radius_m,
        kinds=len(parts),
        outcomes=outcomes,
        notes=(*(["water_decides"] if lost else []), *(["confirm_place"] if unsure else [])),
        facts={"largest_share": chosen.share, "confirm_share": confirm_share} if unsure else {},
        target=None if stays else (chosen.lon, chosen.lat),
    )


def _outcome(part: Part, ruling: Ruling, share: float) -> Outcome:
    lon, lat, clear_m = part.middle()
    return Outcome(
        team=ruling.team,
        rule=ruling.rule.code,
        share=round(share, 4),
        lon=lon,
        lat=lat,
        clear_m=int(clear_m * 10) / 10,
        zones=tuple(
            ZoneRef(layer, zone.code, zone.name) for layer in PLACE_LAYERS for zone in part.place.get(layer, ())
        ),
    )
