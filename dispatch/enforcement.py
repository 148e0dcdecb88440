"""Enforcement where a case leads there: its own table, beside that of the case. Pure.

Filed, inquired into by two officers at least, reviewed by the legal office, decided within a tier of discretion,
served, executed, archived; on the spot, where the power allows that, as the short form. A case has one procedure at a
time, and is not closed, merged, cancelled or returned while that is open. `docs/lifecycle.md` shows the table in words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from dispatch import lifecycle
from dispatch.errors import AmountOutsideTier, ProcedureOpen, TooFewOfficers
from dispatch.lifecycle import BEGUN, Role
from dispatch.model import Action, CaseRow, Stage, State
from dispatch.names import STAGE_NAMES

LEAST_OFFICERS: Final = 2


@dataclass(frozen=True, slots=True)
class Officer:
    """Who carries out a step: data of the record, no account."""

    number: str
    """Of the service card (执法证号)."""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Range:
    """What a tier of discretion (裁量基准) allows, in yuan, both ends included."""

    low: Decimal
    high: Decimal


Discretion = Callable[[str, str, bool], Range | None]
"""(code of a power, its tier, whether on the spot) -> what may be imposed; None: no list to hold it against.

Raises a `DomainError` for a power or tier that the list does not have, or does not allow on the spot.
"""


def unlisted(power: str, tier: str, on_the_spot: bool) -> Range | None:
    """Where there is no power list yet: what is named is recorded, and not checked."""
    return None


@dataclass(frozen=True, slots=True)
class Papers:
    """What a step of the procedure brings with it; each step takes what its row needs."""

    officers: tuple[Officer, ...] = ()
    verdict: str = ""
    """Of the review: `pass`, `major` or `back`."""
    minutes: str = ""
    power: str = ""
    tier: str = ""
    amount: Decimal | None = None
    """Yuan; 0 where the penalty is no fine."""
    way: str = ""
    """Of the service: one of `WAYS`."""
    served_on: date | None = None
    to: str = ""
    receipt: str = ""


WAYS: Final[Mapping[str, tuple[str, str]]] = {
    "direct": ("直接送达", "in person"),
    "left": ("留置送达", "left there"),
    "post": ("邮寄送达", "by post"),
    "entrusted": ("委托送达", "by another body"),
    "electronic": ("电子送达", "electronically"),
    "announced": ("公告送达", "by announcement"),
    "on_the_spot": ("当场交付", "handed over on the spot"),
}
"""How a decision is served."""


@dataclass(frozen=True, slots=True)
class Step:
    """One row of the table, of one stage (None: there is no procedure)."""

    source: Stage | None
    action: Action
    by: frozenset[Role]
    needs: tuple[str, ...]
    target: Stage
    when: str
    """Which verdict of the review; empty: there is one row."""


A: Final = Action
(FILED, INQUIRY, REVIEWED, MAJOR, DELIBERATED, DECIDED, SERVED, EXECUTED, ARCHIVED, TRANSFERRED, DROPPED) = Stage
UNDECIDED: Final = (FILED, INQUIRY, REVIEWED, MAJOR, DELIBERATED)
NONE: Final = (None, DROPPED, TRANSFERRED)
"""There is no procedure, or it came to nothing here."""
DECISION: Final = "power tier amount note"

_Row = tuple[tuple[Stage | None, ...], Action | tuple[Action, str], str, str, Stage]
# fmt: off
ROWS: Final[tuple[_Row, ...]] = (
    # from                     what is done (when)   who may         needs                     to
    (NONE,                     A.FILE,               "team",         "note",                   FILED),
    ((FILED, INQUIRY),         A.INQUIRE,            "team",         "officers evidence note", INQUIRY),
    ((INQUIRY,),               (A.REVIEW, "pass"),   "legal",        "verdict note",           REVIEWED),
    ((INQUIRY,),               (A.REVIEW, "major"),  "legal",        "verdict note",           MAJOR),
    ((INQUIRY,),               (A.REVIEW, "back"),   "legal",        "verdict note",           FILED),
    ((MAJOR,),                 A.DELIBERATE,         "leader",       "minutes",                DELIBERATED),
    ((REVIEWED, DELIBERATED),  A.DECIDE,             "leader",       DECISION,                 DECIDED),
    ((DECIDED,),               A.SERVE,              "team",         "way served_on",          SERVED),
    ((SERVED,),                A.EXECUTE,            "team",         "note",                   EXECUTED),
    ((EXECUTED,),              A.ARCHIVE,            "team legal",   "",                       ARCHIVED),
    # On the spot (当场处罚): filed, inquired into and decided in one step.
    (NONE,                     A.PENALISE,           "team",         f"officers {DECISION}",   DECIDED),
    # Somebody else's: a department or the police, with their receipt.
    ((*NONE, *UNDECIDED),      A.TRANSFER,           "team legal",   "to receipt note",        TRANSFERRED),
    (UNDECIDED,                A.DROP,               "legal leader", "note",                   DROPPED),
)
# fmt: on


def _expanded(rows: Iterable[_Row]) -> Iterable[Step]:
    for sources, done, by, needs, target in rows:
        action, when = done if isinstance(done, tuple) else (done, "")
        for source in sources:
            roles = frozenset(Role(role) for role in by.split())
            yield Step(source, action, roles, tuple(needs.split()), target, when)


STEPS: Final = tuple(_expanded(ROWS))
_BY_SOURCE: Final[Mapping[tuple[Stage | None, Action], Mapping[str, Step]]] = {
    (s.source, s.action): {o.when: o for o in STEPS if (o.source, o.action) == (s.source, s.action)} for s in STEPS
}

PROCEDURE: Final = frozenset(step.action for step in STEPS)
"""What is done of a procedure."""
OVER: Final = frozenset({ARCHIVED, TRANSFERRED, DROPPED})
"""Stages of a procedure that is done with."""
BEGINS: Final = frozenset({A.FILE, A.PENALISE})
BEGINS_IN: Final = frozenset({State.ON_SCENE, State.HANDLED, State.VERIFIED})
"""States of a case of which somebody has seen what it is."""
GOES_ON_IN: Final = frozenset({*BEGUN, State.HANDLED, State.VERIFIED})
"""States of a case in which the steps are taken: a team has it."""
BARRED: Final = frozenset({A.CLOSE, A.MERGE, A.CANCEL, A.RETURN})
"""What is not done to a case with an open procedure."""


def is_open(stage: Stage | None) -> bool:
    """Whether something of a procedure is left to do."""
    return stage is not None and stage not in OVER


def bar(case: CaseRow, action: Action) -> None:
    """Raises `ProcedureOpen` for what would end or give away a case whose procedure is open."""
    if action in BARRED and is_open(case.stage):
        zh, en = STAGE_NAMES[case.stage] if case.stage else ("", "")
        raise ProcedureOpen(case=case.case_no, stage=en, stage_zh=zh)


def allowed(case: CaseRow) -> list[Step]:
    """What of the procedure may be done to a case: for each action the first of its rows."""
    first = [next(iter(rows.values())) for (source, _), rows in _BY_SOURCE.items() if source is case.stage]
    return [step for step in first if case.state in (BEGINS_IN if step.action in BEGINS else GOES_ON_IN)]


def proceed(
    case: CaseRow,
    action: Action,
    papers: Papers,
    given: Mapping[str, str],
    role: Role | None,
    discretion: Discretion = unlisted,
) -> tuple[Stage, dict[str, object]]:
    """The stage after a step, and what its event says of it.

    given: what came beside the papers (`note`, and `evidence` where there is any). Raises `ActionNotAllowed`,
    `RoleMayNot`, `ActionNeeds`, `TooFewOfficers`, `AmountOutsideTier`, and what `discretion` raises.
    """
    possible = {step.action: step for step in allowed(case)}
    step = possible.get(action)
    if step is None:
        zh, en = STAGE_NAMES[case.stage] if case.stage else ("未立案", "not filed")
        names = (lifecycle.name(case.state, "zh"), lifecycle.name(case.state, "en"))
        lifecycle.refuse(action, list(possible), f"{names[0]}（{zh}）", f"{names[1]} ({en})")
    lifecycle.may(action, step.by, role)
    said = _said(papers)
    rows = _BY_SOURCE[case.stage, action]
    if step.when and papers.verdict not in rows:
        said.pop("verdict", None)
    lifecycle.missing(action, step.needs, {**given, **dict.fromkeys(said, "given")})
    if "officers" in step.needs and len({one.number for one in papers.officers}) < LEAST_OFFICERS:
        raise TooFewOfficers({"field": "procedure.officers"}, least=LEAST_OFFICERS)
    chosen = rows[papers.verdict] if step.when else step
    told = {field: value for field, value in said.items() if field in step.needs or field == "officers"}
    if "amount" in step.needs and papers.amount is not None:
        told["range"] = _checked(papers, papers.amount, discretion, on_the_spot=action is Action.PENALISE)
    return chosen.target, told | {"stage": chosen.target.value}


def _checked(papers: Papers, amount: Decimal, discretion: Discretion, *, on_the_spot: bool) -> list[str] | None:
    allows = discretion(papers.power, papers.tier, on_the_spot)
    if allows is None:
        return None
    if not allows.low <= amount <= allows.high:
        raise AmountOutsideTier(
            {"field": "procedure.amount"}, amount=yuan(amount), low=yuan(allows.low), high=yuan(allows.high)
        )
    return [yuan(allows.low), yuan(allows.high)]


def _said(papers: Papers) -> dict[str, object]:
    """The fields that are not empty, as plain values."""
    texts = ("verdict", "minutes", "power", "tier", "way", "to", "receipt")
    said: dict[str, object] = {name: getattr(papers, name) for name in texts if getattr(papers, name).strip()}
    if papers.officers:
        said["officers"] = [{"number": one.number, "name": one.name} for one in papers.officers]
    if papers.amount is not None:
        said["amount"] = yuan(papers.amount)
    if papers.served_on is not None:
        said["served_on"] = papers.served_on.isoformat()
    return said


def yuan(amount: Decimal) -> str:
    """An amount as it is recorded: text, to the fen."""
    return f"{amount:.2f}"
