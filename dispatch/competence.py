"""The decision table: which team is responsible for a matter at a place, and the proof that there is exactly one.

Every cell of a row is a set: of zone codes of one layer (with 'outside every zone' as a value of its own), or of
matters. A row is more specific than another when each of its sets lies within the other's and they are not all
equal; the most specific row that speaks wins. Sets of rows are kept as bit masks (Python integers): the rows that
speak of a place and matter are the AND of one mask per layer and one for the matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import combinations, product
from operator import and_, or_
from typing import Final

from shapely import STRtree, intersection_all, union_all
from shapely.geometry.base import BaseGeometry

from dispatch.model import Matter, MatterClass, Rule, RuleVerdict
from geo.grid import Cover, Layer, Zone

PLACE_LAYERS: Final = ("township", "dedicated", "water", "joint")
"""Layers that a row of the decision table can speak of, in the order of its columns."""

Place = Mapping[str, Sequence[Zone]]
"""Layer name -> the zones of that layer which hold the place, lowest code first."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What one place cell holds for: zones by code, and whether also outside all of them."""

    codes: frozenset[str]
    outside: bool

    def within(self, other: Cell) -> bool:
        """Whether this holds only where the other holds."""
        return self.codes <= other.codes and self.outside <= other.outside


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong with the table itself.

    `code` is one of `rule_cell_unknown` (a cell names a zone, kind or matter that is not there), `rule_team_unknown`,
    `rule_zone_without_team` (`@layer`, but a zone it reaches names no team, or it also speaks outside the layer),
    `rule_duplicate`, `rule_tie`, `rule_hole` (a place and matter of which no row speaks).
    """

    code: str
    rules: tuple[str, ...]
    detail: str
    matter: str | None = None
    region: BaseGeometry | None = None
    """Where (EPSG:4326), for ties and holes."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """The row that won, the team it names, and every row that spoke."""

    rule: Rule
    team: str
    verdicts: tuple[RuleVerdict, ...]


def parse_cell(text: str, layer: Layer | None) -> tuple[Cell, list[str]]:
    """Read a place cell against the zones of its layer; also returns the names in it that mean nothing."""
    zones = layer.zones if layer else ()
    every = frozenset(zone.code for zone in zones)
    partition = layer is not None and layer.cover is Cover.PARTITION
    match text:
        case "":
            return Cell(every, outside=not partition), []
        case "*":
            return Cell(every, outside=False), []
        case "-":
            return Cell(frozenset(), outside=True), []
    codes: set[str] = set()
    unknown: list[str] = []
    for name in text.split("|"):
        found = {z.code for z in zones if (z.kind == name[1:] if name.startswith("~") else z.code == name)}
        codes |= found
        if not found:
            unknown.append(name)
    return Cell(frozenset(codes), outside=False), unknown


def parse_matters(text: str, matters: Iterable[str]) -> tuple[frozenset[str], list[str]]:
    """Read a matter cell against the list (matter and class codes); a class code stands for all of its matters."""
    known = frozenset(matters)
    if not text:
        return known, []
    names = text.split("|")
    chosen = frozenset(code for code in known if any(code.startswith(name) for name in names))
    return chosen, [name for name in names if name not in known]


class DecisionTable:
    """The compiled table of one district edition.

    Raises nothing at look-up: a table whose `faults` is empty answers every place in the district and every listed
    matter (or class) with exactly one team.
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        layers: Mapping[str, Layer],
        classes: Mapping[str, MatterClass],
        matters: Mapping[str, Matter],
        teams: Iterable[str],
    ) -> None:
        self.rules = tuple(rules)
        self._layers = {name: layers.get(name) for name in PLACE_LAYERS}
        self.faults: list[Fault] = []
        self._cells: list[dict[str, Cell]] = []
        self._matters: list[frozenset[str]] = []
        known = [*matters, *classes]
        for rule in self.rules:
            self._read(rule, known, frozenset(teams))
        self._below = [self._rows_below(i) for i in range(len(self.rules))]
        self._outside = {name: self._mask(name, None) for name in PLACE_LAYERS}
        self._zone = {
            name: {zone.code: self._mask(name, zone.code) for zone in (layer.zones if layer else ())}
            for name, layer in self._layers.items()
        }
        self._matter = {code: self._bits(i for i, m in enumerate(self._matters) if code in m) for code in known}
        self._winner: dict[int, int] = {}
        if not self.faults:
            self.faults += self._duplicates() or self._ties_and_holes()

    # --- deciding ---------------------------------------------------------------------------------------------

    def knows(self, matter: str) -> bool:
        """Whether the matter (or class) is in the list that the table was made for."""
        return matter in self._matter

    def team(self, place: Place, matter: str) -> str:
        """The code of the responsible team. KeyError when the matter is not in the list."""
        return self._team(self.rules[self._wins(self._speaking(place, matter))], place)

    def decide(self, place: Place, matter: str) -> Ruling:
        """The responsible team, with every row that spoke. KeyError when the matter is not in the list."""
        speaking = self._speaking(place, matter)
        winner = self._wins(speaking)
        verdicts = tuple(
            RuleVerdict(
                rule=self.rules[i].code,
                team=self._team(self.rules[i], place),
                chosen=i == winner,
                reason="most_specific" if i == winner else "less_specific",
            )
            for i in _indices(speaking)
        )
        return Ruling(self.rules[winner], self._team(self.rules[winner], place), verdicts)

    def _speaking(self, place: Place, matter: str) -> int:
        mask = self._matter[matter]
        for name in PLACE_LAYERS:
            zones = place.get(name, ())
            by_code = self._zone[name]
            mask &= reduce(or_, (by_code[z.code] for z in zones)) if zones else self._outside[name]
        return mask

    def _wins(self, speaking: int) -> int:
        """The most specific of the rows in the mask."""
        if speaking not in self._winner:
            lowest = [i for i in _indices(speaking) if not self._below[i] & speaking]
            self._winner[speaking] = lowest[0]
        return self._winner[speaking]

    @staticmethod
    def _team(rule: Rule, place: Place) -> str:
        if not rule.team.startswith("@"):
            return rule.team
        return str(place[rule.team[1:]][0].properties["team"])

    # --- compiling --------------------------------------------------------------------------------------------

    def _read(self, rule: Rule, known: Sequence[str], teams: frozenset[str]) -> None:
        cells: dict[str, Cell] = {}
        for name in PLACE_LAYERS:
            cells[name], unknown = parse_cell(getattr(rule, name), self._layers[name])
            self.faults += [Fault("rule_cell_unknown", (rule.code,), f"{name}: {text}") for text in unknown]
        chosen, unknown = parse_matters(rule.matter, known)
        self.faults += [Fault("rule_cell_unknown", (rule.code,), f"matter: {text}") for text in unknown]
        self._cells.append(cells)
        self._matters.append(chosen)
        if not rule.team.startswith("@"):
            if rule.team not in teams:
                self.faults.append(Fault("rule_team_unknown", (rule.code,), rule.team))
            return
        target = rule.team[1:]
        layer = self._layers.get(target)
        if layer is None:
            self.faults.append(Fault("rule_team_unknown", (rule.code,), rule.team))
            return
        without = [
            z.code for z in layer.zones if z.code in cells[target].codes and z.properties.get("team") not in teams
        ]
        if cells[target].outside:
            without.append("-")
        if without:
            self.faults.append(Fault("rule_zone_without_team", (rule.code,), f"{target}: {', '.join(without[:5])}"))

    def _mask(self, layer: str, code: str | None) -> int:
        """Rows whose cell of the layer holds in that zone, or (None) outside all of them."""
        return self._bits(
            i
            for i, cells in enumerate(self._cells)
            if (cells[layer].outside if code is None else code in cells[layer].codes)
        )

    @staticmethod
    def _bits(indices: Iterable[int]) -> int:
        return reduce(or_, (1 << i for i in indices), 0)

    def _within(self, a: int, b: int) -> bool:
        """Whether row a speaks only of what row b speaks of too."""
        return self._matters[a] <= self._matters[b] and all(
            self._cells[a][name].within(self._cells[b][name]) for name in PLACE_LAYERS
        )

    def _rows_below(self, i: int) -> int:
        return self._bits(j for j in range(len(self.rules)) if j != i and self._within(j, i) and not self._within(i, j))

    # --- proving ----------------------------------------------------------------------------------------------

    def _duplicates(self) -> list[Fault]:
        return [
            Fault("rule_duplicate", (self.rules[a].code, self.rules[b].code), "")
            for a, b in combinations(range(len(self.rules)), 2)
            if self._within(a, b) and self._within(b, a)
        ]

    def _ties_and_holes(self) -> list[Fault]:
        """Each combination of rows that can speak together, looked at once; geometry is asked only for suspects."""
        places = [self._kinds_of_place(name) for name in PLACE_LAYERS]
        matters: dict[int, str] = {}
        for code, mask in self._matter.items():
            matters.setdefault(mask, code)
        faults: dict[tuple[str, tuple[str, ...]], Fault] = {}
        for combination in product(*(kinds.items() for kinds in places)):
            place_mask = reduce(and_, (mask for mask, _ in combination))
            for matter_mask, matter in matters.items():
                speaking = place_mask & matter_mask
                lowest = [i for i in _indices(speaking) if not self._below[i] & speaking]
                if len(lowest) == 1:
                    continue
                key = ("rule_tie" if lowest else "rule_hole", tuple(self.rules[i].code for i in lowest))
                if key in faults:
                    continue
                region = self._region([groups for _, groups in combination])
                if not region.is_empty:
                    faults[key] = Fault(*key, detail="", matter=matter, region=region)
        return list(faults.values())

    def _kinds_of_place(self, name: str) -> dict[int, list[tuple[Zone, ...]]]:
        """Mask -> the zone sets of the layer that give it; the empty set stands for 'outside'.

        In a layer that overlaps, pairs are enough: were three zones to give a tie, the two zones that make the two
        tied rows speak give it already.
        """
        layer = self._layers[name]
        kinds: dict[int, list[tuple[Zone, ...]]] = {}
        if layer is None or layer.cover is not Cover.PARTITION:
            kinds[self._outside[name]] = [()]
        if layer is None:
            return kinds
        for zone in layer.zones:
            kinds.setdefault(self._zone[name][zone.code], []).append((zone,))
        if layer.cover is Cover.OVERLAP:
            shapes = [zone.geometry for zone in layer.zones]
            for a, b in STRtree(shapes).query(shapes, predicate="intersects").T:
                if a < b:
                    pair = (layer.zones[a], layer.zones[b])
                    mask = self._zone[name][pair[0].code] | self._zone[name][pair[1].code]
                    kinds.setdefault(mask, []).append(pair)
        return kinds

    def _region(self, groups: Sequence[list[tuple[Zone, ...]]]) -> BaseGeometry:
        """Where such a combination lies; empty when nowhere.

        Closed sets: zones that only touch do meet, because a report may fall on the very edge.
        """
        township = self._layers["township"]
        region: BaseGeometry = union_all([zone.geometry for zone in township.zones] if township else [])
        for name, sets in zip(PLACE_LAYERS, groups, strict=True):
            layer = self._layers[name]
            if layer is None:
                continue
            if () in sets:
                within = {zones[0].code for zones in sets if len(zones) == 1}
                without = [zone.geometry for zone in layer.zones if zone.code not in within]
                region = region.difference(union_all(without)) if without else region
            else:
                held = [intersection_all([zone.geometry for zone in zones]) for zones in sets]
                region = region.intersection(union_all(held))
        return region


def _indices(mask: int) -> list[int]:
    """The places of the ones, ascending."""
    return [i for i in range(mask.bit_length()) if mask >> i & 1]
