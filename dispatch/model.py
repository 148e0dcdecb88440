"""The values everything here speaks in: frozen, without behaviour beyond what they say of themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

from geo.datum import Datum


class TeamKind(StrEnum):
    """Kinds of enforcement team (执法队伍)."""

    TOWNSHIP = "township"
    WATER = "water"
    JOINT = "joint"
    SPECIALIST = "specialist"


class Mode(StrEnum):
    """How a unit moves."""

    VEHICLE = "vehicle"
    BOAT = "boat"


class Source(StrEnum):
    """Where a report comes from."""

    GRID_WORKER = "grid_worker"
    HOTLINE_12345 = "hotline_12345"
    VIDEO = "video"
    DIGITAL_CITY = "digital_city"
    PATROL = "patrol"
    CITIZEN = "citizen"
    OTHER = "other"


class State(StrEnum):
    """Where a case stands. What leads from one to the next is `dispatch.lifecycle.TRANSITIONS`."""

    TRIAGE = "triage"
    ASSIGNED = "assigned"
    ACCEPTED = "accepted"
    ON_THE_WAY = "on_the_way"
    ON_SCENE = "on_scene"
    HANDLED = "handled"
    VERIFIED = "verified"
    CLOSED = "closed"
    RETURNED = "returned"
    DISPUTED = "disputed"
    SUSPENDED = "suspended"
    MERGED = "merged"
    CANCELLED = "cancelled"


class Action(StrEnum):
    """What is done to a case; each one is an event of its record. The second part: `dispatch.enforcement`."""

    REPORT = "report"
    ASSIGN = "assign"
    ACCEPT = "accept"
    SET_OUT = "set_out"
    ARRIVE = "arrive"
    HANDLE = "handle"
    VERIFY = "verify"
    REWORK = "rework"
    CLOSE = "close"
    RETURN = "return"
    REASSIGN = "reassign"
    STATE_GROUND = "state_ground"
    RULE = "rule"
    SUSPEND = "suspend"
    RESUME = "resume"
    MERGE = "merge"
    JOINED = "joined"
    CANCEL = "cancel"
    REOPEN = "reopen"
    ESCALATE = "escalate"
    OFFER = "offer"
    RELOCATE = "relocate"
    EVIDENCE = "evidence"
    DISCLOSE = "disclose"

    FILE = "file"
    INQUIRE = "inquire"
    REVIEW = "review"
    DELIBERATE = "deliberate"
    DECIDE = "decide"
    PENALISE = "penalise"
    SERVE = "serve"
    EXECUTE = "execute"
    ARCHIVE = "archive"
    TRANSFER = "transfer"
    DROP = "drop"


class Stage(StrEnum):
    """Where the enforcement procedure of a case stands. What leads on: `dispatch.enforcement.STEPS`."""

    FILED = "filed"
    INQUIRY = "inquiry"
    REVIEWED = "reviewed"
    MAJOR = "major"
    DELIBERATED = "deliberated"
    DECIDED = "decided"
    SERVED = "served"
    EXECUTED = "executed"
    ARCHIVED = "archived"
    TRANSFERRED = "transferred"
    DROPPED = "dropped"


class LimitUnit(StrEnum):
    """In what a limit is counted. See `docs/deadlines.md`."""

    HOURS = "h"
    """By the clock, day and night."""
    WORKING_HOURS = "working_h"
    WORKING_DAYS = "working_d"


@dataclass(frozen=True, slots=True)
class Limit:
    """How long something may take (时限)."""

    amount: float
    """Above zero; of working days a whole number."""
    unit: LimitUnit = LimitUnit.HOURS


@dataclass(frozen=True, slots=True)
class Department:
    """One of the district's departments whose powers were merged."""

    code: str
    name: str
    name_en: str


@dataclass(frozen=True, slots=True)
class MatterClass:
    """A class of events (事件大类), two digits."""

    code: str
    name: str
    name_en: str


@dataclass(frozen=True, slots=True)
class Matter:
    """One thing that can be reported (事项): four digits, the first two its class."""

    code: str
    name: str
    name_en: str
    department: str
    legal_basis: str
    """Empty unless certain."""
    urgency: int
    """1 at once, 2 same day, 3 ordinary."""
    limit: float
    """From assignment to handled, in `limit_unit`."""
    on_water: bool
    """Only makes sense on or beside water."""
    limit_unit: LimitUnit = LimitUnit.HOURS
    skill: str = ""
    """That the unit must have; empty: any unit can."""

    @property
    def matter_class(self) -> str:
        """The two digits of its class."""
        return self.code[:2]


@dataclass(frozen=True, slots=True)
class Base:
    """Where units stand when nothing calls (WGS 84 degrees)."""

    code: str
    name: str
    name_en: str
    lon: float
    lat: float


@dataclass(frozen=True, slots=True)
class Team:
    """A body that can be responsible (执法队伍)."""

    code: str
    name: str
    name_en: str
    kind: TeamKind
    base: str
    stand_in: str = ""
    """Teams by `|` whose units go while nobody of this one is on duty, in this order; `-`: nobody does, it waits."""
    max_open: int | None = None
    """More open cases than that are too many; None: any number."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A crew with its vehicle or boat: what is actually sent."""

    code: str
    name: str
    name_en: str
    team: str
    mode: Mode
    base: str
    crew: int
    skills: str = ""
    """By `|`."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the decision table (职责清单). See `docs/data-format.md` for what its cells may hold."""

    code: str
    township: str
    dedicated: str
    water: str
    joint: str
    matter: str
    team: str
    """A team's code, or `@layer`: the team named by the zone of that layer which holds the place."""
    note: str
    note_en: str


@dataclass(frozen=True, slots=True)
class Weights:
    """What counts how much when many cases are given their units at once. See `docs/assignment.md`."""

    urgency: Mapping[int, float] = field(default_factory=lambda: MappingProxyType({1: 4.0, 2: 2.0, 3: 1.0}))
    """A second of a case of this urgency counts so many times."""
    left_s: float = 7200.0
    """To be left waiting counts as so many seconds on the way, and what it has waited."""
    load_s: float = 300.0
    """A unit of a team that has all the open cases it should, counts as so many seconds farther off."""


@dataclass(frozen=True, slots=True)
class Report:
    """What somebody saw, where, when. Position in WGS 84 degrees; `given_*` as it was sent."""

    id: UUID
    lon: float
    lat: float
    given_lon: float
    given_lat: float
    datum: Datum
    accuracy_m: float
    seen_at: datetime
    received_at: datetime
    source: Source
    matter: str
    text: str
    contact: Mapping[str, str]
    photos: tuple[str, ...]
    """SHA-256 of each photo as stored."""


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A case as it stands, with what the lists and the map need of its report."""

    case_no: str
    report_id: UUID
    state: State
    seq: int
    sealed: bytes
    matter: str
    urgency: int
    team: str
    unit: str | None
    eta_s: int | None
    mode: Mode | None
    lon: float
    lat: float
    township: str | None
    grid: str | None
    zones: Mapping[str, Sequence[str]]
    seen_at: datetime
    received_at: datetime
    changed_at: datetime
    due_at: datetime
    notes: tuple[str, ...]
    """Of its decision; the whole of it is asked for by `which_decision`."""
    accuracy_m: float
    """Of its place: the report's, until the place was corrected."""
    source: Source
    text: str
    photos: tuple[str, ...]
    level: int = 0
    """How far up it was escalated (升级督办): 0 not at all."""
    stage: Stage | None = None
    """Of its enforcement procedure; None: there is none."""
    merged_into: str | None = None
    """The case that it was merged into."""
    suspended_until: date | None = None
    suspended_from: State | None = None
    """Where it stood when it was suspended."""


@dataclass(frozen=True, slots=True)
class Past:
    """A case as it is, and what was decided of it: not who has it now, after returns and reassignments."""

    case_no: str
    lon: float
    lat: float
    """WGS 84 degrees."""
    matter: str
    radius_m: float | None
    """As far as the accuracy of its position was weighed when it was decided; None: the point decides alone.

    So it does, too, where somebody chose whose part of its circle is meant: it lies in that part.
    """
    team: str
    version: str
    """The edition that decided it."""


@dataclass(frozen=True, slots=True)
class ZoneRef:
    """A zone as a decision names it."""

    layer: str
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class RuleVerdict:
    """A row of the decision table that spoke for this place and matter, and whether it won."""

    rule: str
    team: str
    chosen: bool
    reason: str
    """`most_specific`, or `less_specific_than` the winner."""


@dataclass(frozen=True, slots=True)
class UnitVerdict:
    """A unit of the responsible team, or of one that stands in for it, and whether it was sent."""

    unit: str
    mode: Mode
    eta_s: float | None
    distance_m: float | None
    chosen: bool
    reason: str
    """`nearest`, `farther`, `busy`, `off_duty`, `off_shift` (it said so itself), `unskilled`, `unreachable`; `on_it`:
    it goes on with the case it is on."""
    seen_s: int | None = None
    """Counted from where it was so many seconds before; None: from its base."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A team that would be responsible somewhere in the circle that a position is."""

    team: str
    rule: str
    """The row that names it, in the largest piece where it does."""
    share: float
    """Of the circle's area in the district, 0 to 1; where the matter is one of water, of the water's."""
    lon: float
    lat: float
    """A point well inside that piece (WGS 84 degrees)."""
    clear_m: float
    """Metres around the point in which all is alike."""
    zones: tuple[ZoneRef, ...]
    """That hold the point, of the layers that the decision table speaks of."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Who is responsible, who goes, and everything that was weighed. Data only; words come at output."""

    version: str
    """Of the district data that it was decided by."""
    rule: str
    team: str
    unit: str | None
    eta_s: float | None
    distance_m: float | None
    mode: Mode | None
    zones: tuple[ZoneRef, ...]
    rules: tuple[RuleVerdict, ...]
    units: tuple[UnitVerdict, ...]
    notes: tuple[str, ...]
    facts: Mapping[str, float | str] = field(default_factory=dict)
    """Figures that the notes speak of, e.g. `snapped_m`."""
    radius_m: float | None = None
    """The accuracy of the position, as far as it was weighed; None: the point decided alone."""
    kinds: int = 1
    """How many kinds of place that circle meets, as far as the layers of the decision table go."""
    outcomes: tuple[Outcome, ...] = ()
    """Where teams differ within the circle: each with its share, the chosen one first."""
    target: tuple[float, float] | None = None
    """Where the team's units are sent (WGS 84 degrees), and their ways were counted to; None: to the place itself."""
    circle: tuple[float, float] | None = None
    """The middle of the circle that was weighed (WGS 84 degrees), where that is not the place itself."""
