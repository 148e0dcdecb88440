"""A slow, obvious model of what may be done to cases: the two tables read row by row, and what this house adds to them.

It says of an order why it must be refused (all reasons there are; a refusal gives one of them), and of what was done
whether that is what had to come of it. Where the house may choose (which of several free units), any of them will do.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from dispatch import enforcement, lifecycle
from dispatch.history import UNMEANT
from dispatch.intake import Draft
from dispatch.lifecycle import BEGUN, BESIDE, FINAL, Clock
from dispatch.model import Action, CaseRow, Stage, State
from dispatch.orders import CARRIES, Order

TEAMS = {"T1": ("T1-V1", "T1-V2"), "T2": ("T2-V1",)}
TRIAGED = ("citizen", "hotline_12345")
SENDS = {Action.ASSIGN, Action.ACCEPT, Action.REWORK, Action.REASSIGN, Action.RULE, Action.RESUME, Action.REOPEN}
OWN_TEAM = {Action.ACCEPT, Action.RESUME}
FREES = {Action.RETURN, Action.MERGE, Action.CANCEL}
WEST, EAST, BETWEEN, OUTSIDE = 120.02, 120.09, 120.05, 121.5
NAMED = {WEST: ("T1",), EAST: ("T2",), BETWEEN: ("T1", "T2")}
"""Longitude -> whose the place is; of the wide circle between the two it may be either."""
HERE = ZoneInfo("Asia/Shanghai")


@dataclass
class Case:
    """What is known of one."""

    number: str
    lon: float
    state: State
    team: str
    decided: str
    """The team that its last decision named."""
    unit: str | None
    due_at: datetime | None
    changed_at: datetime
    events: list[tuple[UUID | None, Action]]
    """(id, None: it follows from another's; action)"""
    acted: int = 1
    level: int = 0
    stage: Stage | None = None
    into: str | None = None
    until: object = None
    before: State | None = None
    returns: list[tuple[str, str]] = field(default_factory=list)
    sides: tuple[str, ...] = ()
    handled_by: str = ""

    @property
    def seq(self) -> int:
        return len(self.events)

    def rows(self, action: Action) -> list[lifecycle.Transition]:
        return [t for t in lifecycle.TRANSITIONS if (t.source, t.action) == (self.state, action)]

    def steps(self, action: Action) -> list[enforcement.Step]:
        where = enforcement.BEGINS_IN if action in enforcement.BEGINS else enforcement.GOES_ON_IN
        return [s for s in enforcement.STEPS if (s.source, s.action) == (self.stage, action) and self.state in where]

    def possible(self) -> list[Action]:
        """Every action that one of the tables has here."""
        return [a for a in Action if (a in enforcement.PROCEDURE and self.steps(a)) or any(t.by for t in self.rows(a))]


@dataclass
class Model:
    """All cases."""

    cases: dict[str, Case] = field(default_factory=dict)
    reports: dict[UUID, tuple[Draft, str]] = field(default_factory=dict)
    done: dict[UUID, tuple[str, Action]] = field(default_factory=dict)
    evidence: frozenset[str] = frozenset()

    def busy(self, but: str = "") -> set[str]:
        """Units that are on a case."""
        return {c.unit for c in self.cases.values() if c.unit and c.state in BEGUN and c.number != but}

    # --- why not ----------------------------------------------------------------------------------------------

    def reasons(self, order: Order, now: datetime) -> set[str]:
        """Codes of all refusals that fit; none: it must be done."""
        case = self.cases.get(order.case_no)
        if case is None:
            return {"unknown_case"}
        if order.id in self.done:
            return set() if self.done[order.id] == (case.number, order.action) else {"action_conflicts"}
        found = {*_of_the_case(order, case, now), *self._of_others(order, case), *self._of_units(order, case)}
        rows: list[lifecycle.Transition] | list[enforcement.Step]
        rows = case.steps(order.action) if order.action in enforcement.PROCEDURE else case.rows(order.action)
        if not rows:
            return found | {"action_not_allowed"}
        if order.role and order.role not in rows[0].by:
            found.add("role_may_not")
        if any(not _has(order, need) for need in rows[0].needs):
            found.add("action_needs")
        if "officers" in rows[0].needs and len({one.number for one in order.papers.officers}) < 2:
            found.add("too_few_officers")
        return found

    def _of_others(self, order: Order, case: Case) -> Iterator[str]:
        if order.action is Action.RETURN and order.team and order.team not in TEAMS:
            yield "unknown_team"
        if order.action in CARRIES and any(one.sha256 not in self.evidence for one in order.evidence):
            yield "unknown_evidence"
        if order.action is Action.MERGE and order.into:
            into = self.cases.get(order.into)
            if into is None:
                yield "unknown_case"
            elif into is case or into.state in FINAL:
                yield "cannot_merge"

    def _of_units(self, order: Order, case: Case) -> Iterator[str]:
        if order.action not in SENDS or _keeps(order, case):
            return
        team = case.team if order.action in OWN_TEAM else order.team or case.team
        if team not in TEAMS:
            yield "unknown_team"
        elif order.unit and order.unit not in TEAMS[team]:
            yield "unknown_unit"
        elif order.unit in self.busy(but="" if order.action is Action.ACCEPT else case.number):
            yield "unit_busy"

    # --- what comes of it --------------------------------------------------------------------------------------

    def saw(self, order: Order, answer: CaseRow | str, now: datetime, *, beside: bool = False) -> None:
        """Somebody ordered it and was answered; raises AssertionError unless that is right. beside: of others' orders.

        Who decides while another case sets its unit free may have seen it busy still.
        """
        why = self.reasons(order, now)
        if isinstance(answer, str):
            assert answer in why or (beside and answer == "unit_busy"), f"refused as {answer}, which is none of {why}"
            return
        assert not why, f"done, against {why}"
        case = self.cases[order.case_no]
        assert answer.case_no == case.number
        if order.id in self.done:
            assert answer.seq == case.seq, "nothing was done again"
            return
        self.done[order.id] = (case.number, order.action)
        was = deepcopy(case)
        case.events.append((order.id, order.action))
        case.acted = case.acted if order.action in UNMEANT else case.seq
        if order.action in enforcement.PROCEDURE:
            steps = case.steps(order.action)
            case.stage = next((s for s in steps if s.when == order.papers.verdict), steps[0]).target
            clock = Clock.KEEPS
        else:
            rows = case.rows(order.action)
            clock = rows[0].clock
            self._moved(case, was, rows, order, answer, beside=beside)
        if order.action not in BESIDE and order.action not in enforcement.PROCEDURE:
            case.changed_at = now
        assert (answer.state, answer.seq, answer.team) == (case.state, case.seq, case.team)
        if clock in (Clock.STARTS, Clock.RESUMES):
            assert answer.due_at is not None
            assert was.due_at is None or answer.due_at >= was.due_at, f"{order.action} {clock}: nobody gets less time"
        else:
            assert answer.due_at == was.due_at, f"{order.action} {clock} the clock"
        case.due_at = answer.due_at

    def _moved(
        self, case: Case, was: Case, rows: list[lifecycle.Transition], order: Order, answer: CaseRow, *, beside: bool
    ) -> None:
        action = order.action
        when = {
            Action.RETURN: "again" if was.returns else "first",
            Action.RESUME: was.before.value if was.before else "",
        }.get(action, "")
        case.state = next(t.target for t in rows if t.when == when)
        if action in FREES:
            case.unit, case.until, case.before = None, None, None
        match action:
            case Action.RETURN:
                said = [order.team, *(t for t, _ in was.returns), *(w for _, w in was.returns)]
                other = [team for team in said if team and team != was.team][:1]
                case.sides = (was.team, *other) if case.state is State.DISPUTED else ()
                case.returns.append((was.team, order.team))
            case Action.HANDLE:
                case.handled_by = order.actor
            case Action.ESCALATE:
                case.level += 1
            case Action.SUSPEND:
                case.until, case.before = order.until, was.state
            case Action.MERGE:
                case.into = order.into
                other_case = self.cases[order.into]
                other_case.events.append((None, Action.JOINED))
            case Action.REOPEN if was.into:
                self.cases[was.into].events.append((None, Action.PARTED))
            case Action.RELOCATE:
                self._relocated(case, was, order, answer, beside=beside)
        if action in SENDS and not _keeps(order, was):
            self._sent(case, was, order, answer, beside=beside)

    def _sent(self, case: Case, was: Case, order: Order, answer: CaseRow, *, beside: bool) -> None:
        case.into, case.until, case.before = None, None, None
        if order.action not in OWN_TEAM:
            case.team = order.team or was.team
        taken = self.busy(but="" if order.action is Action.ACCEPT else case.number)
        if order.action is Action.ACCEPT:
            taken |= {was.unit} if was.unit else set()
        may = [order.unit] if order.unit else [one for one in TEAMS[case.team] if one not in taken]
        if order.action is Action.RESUME and not order.unit and was.unit in may:
            may = [was.unit]
        self._goes(case, answer, set(may), beside=beside)
        if order.action is Action.RESUME and was.before in (State.ON_THE_WAY, State.ON_SCENE):
            case.state = State(was.before) if case.unit == was.unit else State.ACCEPTED

    def _relocated(self, case: Case, was: Case, order: Order, answer: CaseRow, *, beside: bool) -> None:
        if order.pin and not order.settles:
            case.lon = order.pin.lon
        named = (order.settles,) if order.settles else NAMED[case.lon]
        assert answer.team in (*named, was.team)
        stays = was.state in BEGUN and (was.team in named or was.decided in named) and answer.team == was.team
        case.team = was.team if stays else answer.team
        assert stays or case.team in named
        case.decided = case.team if case.team in named else named[0]
        if was.state is State.TRIAGE:
            case.unit = None
            return
        if not stays:
            case.state = State.ASSIGNED
        if stays and (was.unit or was.state is State.ON_SCENE):
            case.unit = was.unit
            assert answer.unit == was.unit, "it goes on with its unit"
            return
        free = {one for one in TEAMS[case.team] if one not in self.busy(but=case.number)}
        self._goes(case, answer, free, beside=beside)

    def _goes(self, case: Case, answer: CaseRow, may: set[str], *, beside: bool) -> None:
        assert answer.unit in may if answer.unit else beside or not may, f"{answer.unit} of {may}"
        case.unit = answer.unit

    # --- reports -------------------------------------------------------------------------------------------------

    def why_not(self, draft: Draft) -> set[str]:
        """As `reasons`, of a report."""
        if draft.id in self.reports:
            return set() if self.reports[draft.id][0] == draft else {"report_conflicts"}
        found = {"unknown_matter"} if draft.matter == "9999" else set()
        found |= {"outside_district"} if draft.lon == OUTSIDE else set()
        return found | ({"report_conflicts"} if draft.id in self.done else set())

    def reported(
        self, draft: Draft, answer: CaseRow | str, now: datetime, *, known: bool, beside: bool = False
    ) -> None:
        """As `saw`, of a report."""
        assert draft.id is not None
        why = self.why_not(draft)
        if isinstance(answer, str):
            assert answer in why, f"refused as {answer}, which is none of {why}"
            return
        assert not why, f"taken, against {why}"
        assert known == (draft.id in self.reports)
        if known:
            assert answer.case_no == self.reports[draft.id][1]
            return
        assert answer.case_no not in self.cases
        assert answer.team in NAMED[draft.lon], "whose the place is"
        held = draft.source in TRIAGED
        case = Case(
            number=answer.case_no,
            lon=draft.lon,
            state=State.TRIAGE if held else State.ASSIGNED,
            team=answer.team,
            decided=answer.team,
            unit=None,
            due_at=answer.due_at,
            changed_at=now,
            events=[(draft.id, Action.REPORT)],
        )
        # It has no clock until somebody looked at it.
        assert (answer.due_at is None) == held
        assert answer.due_at is None or answer.due_at > now
        free = set() if held else set(TEAMS[case.team]) - self.busy()
        self._goes(case, answer, free, beside=beside)
        self.cases[case.number] = case
        self.reports[draft.id] = (draft, case.number)
        self.done[draft.id] = (case.number, Action.REPORT)

    def disclosed(self, number: str, id_: UUID) -> None:
        """Somebody asked who reported it."""
        self.cases[number].events.append((id_, Action.DISCLOSE))
        self.done[id_] = (number, Action.DISCLOSE)


def _of_the_case(order: Order, case: Case, now: datetime) -> Iterator[str]:
    action = order.action
    if order.seq is not None and not case.acted <= order.seq <= case.seq:
        yield "case_moved_on"
    if order.photos:
        yield "unknown_photo"
    if action in enforcement.BARRED and enforcement.is_open(case.stage):
        yield "procedure_open"
    if action is Action.VERIFY and order.actor and order.actor == case.handled_by:
        yield "same_team_verifies"
    if action is Action.STATE_GROUND and order.team not in case.sides:
        yield "not_a_side"
    if action is Action.SUSPEND and order.until and order.until <= now.astimezone(HERE).date():
        yield "until_past"
    if action is Action.ESCALATE and case.level == 3:
        yield "highest_level"
    if order.pin and order.pin.lon == OUTSIDE:
        yield "outside_district"
    if order.settles and (case.lon != BETWEEN or order.settles not in TEAMS):
        yield "unknown_outcome"


def _keeps(order: Order, case: Case) -> bool:
    return order.action is Action.ACCEPT and case.unit is not None and order.unit in ("", case.unit)


def _has(order: Order, need: str) -> bool:
    papers = order.papers
    match need:
        case "note" | "team":
            return bool(getattr(order, need).strip())
        case "until" | "into" | "evidence":
            return bool(getattr(order, need))
        case "position":
            return bool(order.pin or order.settles)
        case "amount":
            return papers.amount is not None
        case "verdict":
            return papers.verdict in ("pass", "major", "back")
        case _:
            return bool(getattr(papers, need))


DAY = timedelta(days=1)
