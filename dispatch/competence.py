"""The decision table: which team is responsible for a matter at a place. That there is exactly one: `dispatch.proof`.

Every cell of a row is a set: of zone codes of one layer (with 'outside every zone' as a value of its own), or of
matters. A row is more specific than another when each of its sets lies within the other's and they are not all
equal; the most specific row that speaks wins. Sets of rows are kept as bit masks (Python integers): the rows that
speak of a place and matter are the AND of one mask per layer and one for the matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import combinations
from operator import or_
from typing import Final

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
    """Something wrong with the table as it is written.

    `code` is one of `rule_cell_unknown` (a cell names a zone, kind or matter that is not there), `rule_team_unknown`,
    `rule_zone_without_team` (`@layer`, but a zone it reaches names no team, or it also speaks outside the layer),
    `rule_duplicate`.
    """

    code: str
    rules: tuple[str, ...]
    detail: str


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

    Raises nothing at look-up once it is proved (`dispatch.proof`): then it answers every place in the district and
    every listed matter (or class) with exactly one team.
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
        self._rulings: dict[tuple[object, ...], Ruling] = {}
        if not self.faults:
            self.faults += self._duplicates()

    # --- deciding ---------------------------------------------------------------------------------------------

    def knows(self, matter: str) -> bool:
        """Whether the matter (or class) is in the list that the table was made for."""
        return matter in self._matter

    def team(self, place: Place, matter: str) -> str:
        """The code of the responsible team. KeyError when the matter is not in the list."""
        return self.team_of(self._wins(self._speaking(place, matter)), place)

    def decide(self, place: Place, matter: str) -> Ruling:
        """The responsible team, with every row that spoke. KeyError when the matter is not in the list."""
        # A district has some hundred combinations of zones, and its matters some ten masks: each is ruled on once.
        asked = (self._matter[matter], *(tuple(z.code for z in place.get(name, ())) for name in PLACE_LAYERS))
        ruling = self._rulings.get(asked)
        if ruling is None:
            ruling = self._rulings[asked] = self._rule(place, matter)
        return ruling

    def _rule(self, place: Place, matter: str) -> Ruling:
        speaking = self._speaking(place, matter)
        winner = self._wins(speaking)
        verdicts = tuple(
            RuleVerdict(
                rule=self.rules[i].code,
                team=self.team_of(i, place),
                chosen=i == winner,
                reason="most_specific" if i == winner else "less_specific",
            )
            for i in _indices(speaking)
        )
        return Ruling(self.rules[winner], self.team_of(winner, place), verdicts)

    def _speaking(self, place: Place, matter: str) -> int:
        return self._matter[matter] & self.rows_of(place)

    def rows_of(self, place: Place) -> int:
        """The rows whose place cells hold at the place, as a bit mask over `rules`."""
        mask = -1
        for name in PLACE_LAYERS:
            mask &= self.rows_of_layer(name, place.get(name, ()))
        return mask

    def rows_of_layer(self, name: str, zones: Sequence[Zone]) -> int:
        """The rows whose cell of one layer holds where these zones of it are."""
        return reduce(or_, (self._zone[name][z.code] for z in zones)) if zones else self._outside[name]

    def teams_by_zone(self, name: str, zones: Sequence[Zone]) -> tuple[str, ...]:
        """What each row `@layer` that holds where these zones of the layer are names as its team."""
        held = self.rows_of_layer(name, zones)
        asking = (i for i in _indices(held) if self.rules[i].team == f"@{name}") if zones else ()
        return tuple(self.team_of(i, {name: zones}) for i in asking)

    def matters_by_rows(self) -> dict[int, tuple[str, ...]]:
        """Bit mask of rows -> the matters and classes of which just these rows speak: the table treats them alike."""
        alike: dict[int, list[str]] = {}
        for code, mask in self._matter.items():
            alike.setdefault(mask, []).append(code)
        return {mask: tuple(sorted(codes)) for mask, codes in alike.items()}

    def lowest(self, speaking: int) -> tuple[int, ...]:
        """Of the rows in the mask those with none more specific in it: one where the table is right."""
        return tuple(i for i in _indices(speaking) if not self._below[i] & speaking)

    def team_of(self, row: int, place: Place) -> str:
        """The code of the team that a row names at a place where it speaks: by the first zone that its cell holds."""
        team = self.rules[row].team
        if not team.startswith("@"):
            return team
        name = team[1:]
        codes = self._cells[row][name].codes
        return next(str(zone.properties["team"]) for zone in place[name] if zone.code in codes)

    def _wins(self, speaking: int) -> int:
        """The most specific of the rows in the mask."""
        if speaking not in self._winner:
            self._winner[speaking] = self.lowest(speaking)[0]
        return self._winner[speaking]

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

    def _duplicates(self) -> list[Fault]:
        return [
            Fault("rule_duplicate", (self.rules[a].code, self.rules[b].code), "")
            for a, b in combinations(range(len(self.rules)), 2)
            if self._within(a, b) and self._within(b, a)
        ]


def _indices(mask: int) -> list[int]:
    """The places of the ones, ascending."""
    return [i for i in range(mask.bit_length()) if mask >> i & 1]
