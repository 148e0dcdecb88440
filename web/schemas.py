"""The shapes of the interface that its description names; what they mean is in docs/api.md."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from dispatch.fleet import Fate
from dispatch.model import Mode, Stage, State, TeamKind


class TeamName(BaseModel):
    """A team as it is named."""

    code: str
    name: str
    name_en: str
    kind: TeamKind | None
    """None for a team that the edition in force no longer has."""


class UnitSent(BaseModel):
    """The unit that comes."""

    code: str
    name: str
    name_en: str
    team: str
    mode: Mode
    base: str
    eta_s: float | None
    distance_m: float | None


class DecisionOut(BaseModel):
    """A decision with everything that was weighed."""

    version: str
    rule: str
    zones: list[dict[str, str]]
    candidates: list[dict[str, Any]]
    notes: list[str]
    facts: dict[str, float | str]
    radius_m: float | None
    """The circle that was weighed; None: the point decided alone."""
    kinds: int
    """How many kinds of place it meets."""
    outcomes: list[dict[str, Any]]
    """Each team where they differ within the circle, the chosen one first."""
    target: dict[str, float] | None = None
    """Where the units are sent, lon and lat; None: to the place itself."""
    circle: dict[str, float] | None = None
    """The middle of the circle that was weighed, lon and lat; None: the place itself."""


class ReceivedOut(BaseModel):
    """The answer to a report."""

    case: str
    report: UUID
    state: State
    known: bool
    filled: list[str]
    team: TeamName
    unit: UnitSent | None
    decision: DecisionOut


class PhotoOut(BaseModel):
    """A photo that is kept."""

    sha256: str
    width: int
    height: int
    bytes: int


class CaseOut(BaseModel):
    """A case for lists, map and stream; `team` and `unit` are codes."""

    model_config = ConfigDict(extra="allow")

    case: str
    state: State
    matter: str
    matter_name: str
    matter_name_en: str
    urgency: int
    team: str
    unit: str | None
    lon: float
    lat: float
    accuracy_m: float
    source: str
    text: str
    township: str | None
    grid: str | None
    zones: dict[str, list[str]]
    seen_at: datetime
    received_at: datetime
    changed_at: datetime
    due_at: datetime
    eta_s: int | None
    mode: Mode | None
    seq: int
    photos: list[str]
    notes: list[str]
    level: int
    stage: Stage | None
    merged_into: str | None
    suspended_until: date | None


class CasePage(BaseModel):
    """A page of cases, newest first."""

    items: list[CaseOut]
    next: str | None


class Named(BaseModel):
    """A code with its names."""

    code: str
    name: str
    name_en: str


class BaseOut(BaseModel):
    """Where a team is at home (WGS 84 degrees)."""

    code: str
    name: str
    lon: float
    lat: float


class TeamOut(Named):
    """A team, and how many cases it has open."""

    kind: TeamKind
    base: BaseOut
    open: int
    max_open: int | None
    over_load: bool
    stand_in: list[str]
    """Teams whose units go now, because nobody of it is on duty."""


class TeamPage(BaseModel):
    """A page of teams, by code."""

    items: list[TeamOut]
    next: str | None


class UnitOut(Named):
    """A unit, where it is, and the case it is on."""

    team: str
    mode: Mode
    base: str
    crew: int
    lon: float
    lat: float
    seen_at: datetime | None
    """When it was there; None: this is its base, because no position of it is fresh."""
    on_shift: bool
    on_duty: bool
    """By the shifts of its team, now."""
    case: str | None


class UnitPage(BaseModel):
    """A page of units, by code."""

    items: list[UnitOut]
    next: str | None


class PositionOut(BaseModel):
    """What became of a position, and where the unit is counted from now."""

    fate: Fate
    unit: str
    lon: float
    lat: float
    seen_at: datetime | None
    on_shift: bool


class LineOut(BaseModel):
    """What became of one line: its `fate`, or the `code` of what was wrong with it."""

    line: int
    unit: str | None = None
    fate: Fate | None = None
    code: str | None = None
    detail: str | None = None


class PositionsOut(BaseModel):
    """The answer to many positions: every line of them, in order."""

    taken: int
    ignored: int
    refused: int
    lines: list[LineOut]


class TrackPoint(BaseModel):
    """Where a unit was."""

    at: datetime
    lon: float
    lat: float
    accuracy_m: float | None


class TrackPage(BaseModel):
    """Part of a unit's way, oldest first."""

    unit: str
    items: list[TrackPoint]
    next: str | None


class MatterOut(Named):
    """Something that can be reported."""

    matter_class: str = Field(alias="class")
    department: str
    department_name: str
    urgency: int
    limit: float
    limit_unit: Literal["h", "working_h", "working_d"]
    on_water: bool
    legal_basis: str


class MatterPage(BaseModel):
    """A page of matters, by code, with all classes."""

    version: str
    classes: list[Named]
    items: list[MatterOut]
    next: str | None


class FeatureCollection(BaseModel):
    """A layer, or a page of it, as GeoJSON (RFC 7946) with members of ours."""

    type: Literal["FeatureCollection"]
    real: bool
    source: str
    label: str
    label_en: str
    features: list[dict[str, Any]]
    next: str | None = None
    """Only of a page: the cursor of the one after it."""


class WhyText(BaseModel):
    """A decision in words of one language."""

    headline: str
    steps: list[str]


class WhyOut(BaseModel):
    """A decision, and in words."""

    case: str
    decision: DecisionOut
    zh: WhyText
    en: WhyText


class Counters(BaseModel):
    """The figures on top of the map."""

    open: int
    waiting: int
    unclaimed: int
    late: int
    returned: int
    triage: int
    disputed: int
    suspended: int
    closed_today: int
    received_today: int


class CheckpointOut(BaseModel):
    """What all cases ended with at one moment, under one root, signed (docs/record.md)."""

    form: str
    number: int
    at: str
    cases: int
    events: int
    root: str
    prev: str
    key: str
    digest: str
    signature: str


class CheckpointPage(BaseModel):
    """Checkpoints, newest first."""

    items: list[CheckpointOut]
    next: str | None


class ProofOut(BaseModel):
    """That a case's last event stands in a checkpoint: its leaf, and the hashes beside its way to the root."""

    case: str
    seq: int
    seal: str
    place: int
    """Of the leaf, from 0."""
    size: int
    """Leaves of the tree."""
    path: list[str]
    checkpoint: CheckpointOut
