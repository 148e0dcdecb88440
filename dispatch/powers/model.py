"""One item of the power list (权力事项), frozen: what a case's enforcement rests on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dispatch.model import TeamKind


class PowerKind(StrEnum):
    """Kinds of power that the merged departments exercised: the list has no others."""

    PENALTY = "penalty"
    """行政处罚."""
    COERCION = "coercion"
    """行政强制."""


class Procedure(StrEnum):
    """By which procedure (程序) an item may be decided."""

    GENERAL = "general"
    """普通程序 only."""
    SUMMARY = "summary"
    """简易程序 (当场) too, where the case is simple enough."""


class Origin(StrEnum):
    """Where an item comes from, so that nobody takes a made one for the law."""

    LAW = "law"
    """Written from a law whose name and article are certain."""
    LIST = "list"
    """Imported from a list that somebody else answers for."""
    MADE = "made"
    """Made for demonstration or tests (示意)."""


@dataclass(frozen=True, slots=True)
class Basis:
    """One legal basis (法律依据)."""

    law: str
    """Its name, without 《》."""
    article: str
    """E.g. 第六十四条, 第三十四条第一款; empty where only the law is named."""

    def text(self) -> str:
        """As it is cited."""
        return f"《{self.law}》{self.article}"


@dataclass(frozen=True, slots=True)
class Tier:
    """One step of the discretion standard (裁量基准): under these circumstances, this range."""

    circumstances: str
    range: str


@dataclass(frozen=True, slots=True)
class Power:
    """One item of the power list."""

    code: str
    name: str
    name_en: str
    department: str
    """Code of the department whose power it was."""
    kind: PowerKind
    bases: tuple[Basis, ...]
    """Empty unless certain."""
    tiers: tuple[Tier, ...]
    """From the lightest to the gravest, as the list has them."""
    procedure: Procedure
    matters: tuple[str, ...]
    """Codes of the matters that lead to it; a class stands for all of its matters."""
    team_kinds: tuple[TeamKind, ...]
    """Kinds of team that hold it."""
    delegated: bool
    """Whether townships have it (赋权): then their brigades hold it too."""
    origin: Origin

    @property
    def made(self) -> bool:
        """Whether it is no real item."""
        return self.origin is Origin.MADE

    def held_by(self, kind: TeamKind) -> bool:
        """Whether teams of this kind may use it."""
        return kind in self.team_kinds or (self.delegated and kind is TeamKind.TOWNSHIP)
