"""The whole list, asked as a case's enforcement asks it: which items follow from a matter, and with which tiers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from dispatch.errors import UnknownPower
from dispatch.model import TeamKind
from dispatch.powers.model import Power, Tier


class PowerList(Mapping[str, Power]):
    """Items by code, in ascending order of it. Of two with one code the first counts."""

    def __init__(self, powers: Iterable[Power] = ()) -> None:
        by_code: dict[str, Power] = {}
        for power in powers:
            by_code.setdefault(power.code, power)
        self._by_code = dict(sorted(by_code.items()))
        named: dict[str, dict[str, Power]] = {}
        below: dict[str, dict[str, Power]] = {}
        for power in self._by_code.values():
            for matter in power.matters:
                named.setdefault(matter, {})[power.code] = power
                below.setdefault(matter[:2], {})[power.code] = power
        self._named = MappingProxyType(named)
        self._below = MappingProxyType(below)

    def __getitem__(self, code: str) -> Power:
        return self._by_code[code]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_code)

    def __len__(self) -> int:
        return len(self._by_code)

    def item(self, code: str) -> Power:
        """The item. Raises `UnknownPower`."""
        if code not in self._by_code:
            raise UnknownPower({"power": code}, power=code)
        return self._by_code[code]

    def powers_for(self, matter: str, kind: TeamKind | None = None) -> tuple[Power, ...]:
        """The items to which a matter leads, by code; with `kind` only those that such a team holds.

        A class (two digits) leads to whatever any of its matters leads to: its report knows no more.
        """
        if len(matter) == 2:
            found = self._below.get(matter, {})
        else:
            found = {**self._named.get(matter, {}), **self._named.get(matter[:2], {})}
        return tuple(found[code] for code in sorted(found) if kind is None or found[code].held_by(kind))

    def tiers(self, code: str) -> tuple[Tier, ...]:
        """The discretion tiers of an item. Raises `UnknownPower`."""
        return self.item(code).tiers
