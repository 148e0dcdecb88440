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
    circle: tuple[float, float] | None = None
    """The middle of the circle (WGS 84 degrees), if the case is not shown there."""

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


@dataclass(frozen=True, slots=True)
class _Shared:
    """A circle in which teams differ."""

    here: Ruling
    """At the reported point."""
    drawn: bool
    """It is a matter of water, and only the water counts."""
    lost: bool
    """Dry land has lost its share by that."""
    outcomes: tuple[Outcome, ...]
    """The largest share first."""
    leading: Mapping[str, tuple[Part, Ruling]]
    """Team -> the largest piece where it is responsible, and by what row it is."""

    def holds(self, team: str, spot: Spot) -> bool:
        """Whether the reported point itself lies where the team's outcome does."""
        wet = bool(spot.place.get(WATER)) or not self.leading[team][0].place.get(WATER)
        return self.here.team == team and (wet or not self.drawn)


def _shared(table: DecisionTable, spot: Spot, here: Ruling, parts: Sequence[Part]) -> _Shared | None:
    """None where one team, that of `here`, is responsible all over the circle."""
    rulings = [table.decide(part.place, spot.matter) for part in parts]
    if all(ruling.team == here.team for ruling in rulings):
        return None
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
    first = {team: max(teams[team], key=lambda i: (shares[i], parts[i].share)) for team in ranked}
    leading = {team: (parts[i], rulings[i]) for team, i in first.items()}
    outcomes = tuple(_outcome(*leading[team], sum(shares[i] for i in teams[team])) for team in ranked)
    return _Shared(here, drawn, drawn and not all(counts), outcomes, leading)


def weigh(table: DecisionTable, spot: Spot, parts: Sequence[Part], confirm_share: float) -> Weighed:
    """The outcome for a circle.

    parts: the kinds of place it meets (`Circles.parts`), largest first; none: the point decides alone. The team with
    the largest share is chosen; of equals the one whose place the point is in, then the lower code. A share below
    `confirm_share` (0 to 1) is marked `confirm_place`. Where the matter is one of water and the circle meets any, dry
    land has no share (`water_decides`).
    """
    here = table.decide(spot.place, spot.matter)
    shared = _shared(table, spot, here, parts)
    if shared is None:
        return Weighed(here, spot.lon, spot.lat, spot.radius_m, max(len(parts), 1), (), (), {})
    chosen = shared.outcomes[0]
    stays, unsure = shared.holds(chosen.team, spot), chosen.share < confirm_share
    return Weighed(
        ruling=here if stays else shared.leading[chosen.team][1],
        lon=spot.lon if stays else chosen.lon,
        lat=spot.lat if stays else chosen.lat,
        radius_m=spot.radius_m,
        kinds=len(parts),
        outcomes=shared.outcomes,
        notes=(*(["water_decides"] if shared.lost else []), *(["confirm_place"] if unsure else [])),
        facts={"largest_share": chosen.share, "confirm_share": confirm_share} if unsure else {},
        target=None if stays else (chosen.lon, chosen.lat),
    )


def settle(
    table: DecisionTable, spot: Spot, parts: Sequence[Part], team: str
) -> tuple[Weighed, tuple[float, float]] | None:
    """The outcome for a circle of which somebody says whose part of it is meant, and the point that is shown for it.

    The point is the reported one if that lies in that part, else the nearest of it (WGS 84 degrees). Nobody measured
    anything: the circle stays as wide as it was. None where no part of the circle is the team's.
    """
    shared = _shared(table, spot, table.decide(spot.place, spot.matter), parts)
    if shared is None or team not in shared.leading:
        return None
    part, ruling = shared.leading[team]
    stays = shared.holds(team, spot)
    outcomes = sorted(shared.outcomes, key=lambda one: one.team != team)
    chosen = outcomes[0]
    lon, lat = (spot.lon, spot.lat) if stays else part.nearest(spot.lon, spot.lat)
    weighed = Weighed(
        ruling=shared.here if stays else ruling,
        lon=spot.lon if stays else chosen.lon,
        lat=spot.lat if stays else chosen.lat,
        radius_m=spot.radius_m,
        kinds=len(parts),
        outcomes=tuple(outcomes),
        notes=("settled_by_choice",),
        facts={"chosen_share": chosen.share},
        target=None if stays else (chosen.lon, chosen.lat),
        circle=None if stays else (spot.lon, spot.lat),
    )
    return weighed, (lon, lat)


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
