"""The life of a case: one table of what may be done from where, by whom, needing what, and what comes of it.

`docs/lifecycle.md` shows the same table in words; a test holds them against each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NoReturn

from dispatch.errors import ActionNeeds, ActionNotAllowed, Language, RoleMayNot
from dispatch.model import Action, State
from dispatch.names import ACTION_NAMES, ROLE_NAMES, STATE_NAMES, Role

__all__ = ["ACTION_NAMES", "ROLE_NAMES", "STATE_NAMES", "Role"]


class Clock(StrEnum):
    """What a step does to the deadline of the case (assignment to handled)."""

    STARTS = "starts"
    STOPS = "stops"
    """It waits, until it resumes."""
    RESUMES = "resumes"
    ENDS = "ends"
    """Nothing is due any more."""
    KEEPS = "keeps"


@dataclass(frozen=True, slots=True)
class Transition:
    """One row of the table, of one state."""

    source: State
    action: Action
    by: frozenset[Role]
    """Nobody: the desk writes it as part of another case's step."""
    needs: tuple[str, ...]
    target: State
    """With the team that has it. A case that goes to another team begins again with `ASSIGNED`, whatever is done."""
    clock: Clock
    when: str
    """Which of several rows of the same state and action it is (`given["when"]`); empty: there is one."""


ANYBODY: Final = " ".join(Role)

A: Final = Action
(TRIAGE, ASSIGNED, ACCEPTED, ON_THE_WAY, ON_SCENE, HANDLED, VERIFIED, CLOSED, RETURNED, DISPUTED, SUSPENDED, MERGED,
 CANCELLED) = State  # fmt: skip
STARTS, STOPS, RESUMES, ENDS, KEEPS = Clock
SAME: Final = None
"""Of a row's target: the state stays what it is."""

BEGUN: Final = (ASSIGNED, ACCEPTED, ON_THE_WAY, ON_SCENE)
"""A team has it, and has not said that it is done."""
FINAL: Final = (CLOSED, MERGED, CANCELLED)
"""Nothing is left to do; it can be reopened."""
OPEN: Final = frozenset(State) - frozenset(FINAL)
"""States of a case that somebody must still do something about."""
HOLDS_UNIT: Final = frozenset(BEGUN)
"""States in which the unit named by the case is on it, and so not free for another."""
OPENS_AS: Final = (ASSIGNED, TRIAGE)
"""How a report opens a case: decided and sent at once, or first looked at (sources that the district lists)."""

UNSETTLED: Final = (TRIAGE, *BEGUN, RETURNED, DISPUTED, SUSPENDED)
"""Nobody has handled it."""
ALIVE: Final = (*UNSETTLED, HANDLED, VERIFIED)
SIDE: Final = "grid_worker team dispatcher coordinator legal"

_Row = tuple[tuple[State, ...], Action | tuple[Action, str], str, str, State | None, Clock]
# fmt: off
ROWS: Final[tuple[_Row, ...]] = (
    # from                   what is done (when)         who may                  needs         to          deadline
    ((TRIAGE,),              A.ASSIGN,                   "dispatcher",            "",           ASSIGNED,   STARTS),
    ((ASSIGNED,),            A.ACCEPT,                   "team",                  "",           ACCEPTED,   KEEPS),
    # A unit that can go is free again: the desk gives it the case.
    ((ASSIGNED, ACCEPTED),   A.OFFER,                    "",                      "",           SAME,       KEEPS),
    ((ACCEPTED,),            A.SET_OUT,                  "team",                  "",           ON_THE_WAY, KEEPS),
    ((ACCEPTED, ON_THE_WAY), A.ARRIVE,                   "team",                  "",           ON_SCENE,   KEEPS),
    ((ON_SCENE,),            A.HANDLE,                   "team",                  "note",       HANDLED,    ENDS),
    ((HANDLED,),             A.VERIFY,                   "grid_worker dispatcher", "",          VERIFIED,   KEEPS),
    ((HANDLED,),             A.REWORK,                   "grid_worker dispatcher", "note",      ASSIGNED,   STARTS),
    ((VERIFIED,),            A.CLOSE,                    "dispatcher",            "",           CLOSED,     KEEPS),
    # The short way: nobody went to look, and the note says why that was not needed.
    ((HANDLED,),             A.CLOSE,                    "dispatcher",            "note",       CLOSED,     KEEPS),
    # Not ours. The first time the centre gives it to another team; after that the coordination office rules.
    (BEGUN,                  (A.RETURN, "first"),        "team",                  "note",       RETURNED,   KEEPS),
    (BEGUN,                  (A.RETURN, "again"),        "team",                  "note",       DISPUTED,   KEEPS),
    ((*BEGUN, RETURNED),     A.REASSIGN,                 "dispatcher",            "team note",  ASSIGNED,   KEEPS),
    ((HANDLED,),             A.REASSIGN,                 "dispatcher",            "team note",  ASSIGNED,   STARTS),
    ((DISPUTED,),            A.STATE_GROUND,             "team",                  "team note",  SAME,       KEEPS),
    ((DISPUTED,),            A.RULE,                     "coordinator",           "team note",  ASSIGNED,   KEEPS),
    # Where it lies was wrong: decided again from there.
    ((TRIAGE, *BEGUN),       A.RELOCATE,                 ANYBODY,                 "position",   SAME,       KEEPS),
    ((RETURNED,),            A.RELOCATE,                 ANYBODY,                 "position",   ASSIGNED,   KEEPS),
    ((DISPUTED,),            A.RELOCATE,                 "dispatcher coordinator", "position",  ASSIGNED,   KEEPS),
    # It waits for a day, and goes on from where it stood; a unit that is another one has yet to set out.
    (BEGUN,                  A.SUSPEND,                  "team dispatcher",       "until note", SUSPENDED,  STOPS),
    ((SUSPENDED,),           (A.RESUME, "assigned"),     "team dispatcher",       "",           ASSIGNED,   RESUMES),
    ((SUSPENDED,),           (A.RESUME, "accepted"),     "team dispatcher",       "",           ACCEPTED,   RESUMES),
    ((SUSPENDED,),           (A.RESUME, "on_the_way"),   "team dispatcher",       "",           ON_THE_WAY, RESUMES),
    ((SUSPENDED,),           (A.RESUME, "on_scene"),     "team dispatcher",       "",           ON_SCENE,   RESUMES),
    (UNSETTLED,              A.MERGE,                    "dispatcher",            "into",       MERGED,     ENDS),
    (UNSETTLED,              A.CANCEL,                   "dispatcher",            "note",       CANCELLED,  ENDS),
    (FINAL,                  A.REOPEN,                   "dispatcher",            "note",       ASSIGNED,   STARTS),
    # Beside its way.
    (ALIVE,                  A.ESCALATE,      "dispatcher coordinator leader",    "note",       SAME,       KEEPS),
    (ALIVE,                  A.EVIDENCE,                 SIDE,                    "evidence",   SAME,       KEEPS),
    (ALIVE,                  A.JOINED,                   "",                      "",           SAME,       KEEPS),
)
# fmt: on
"""As it is read; `TRANSITIONS` has a row for each state."""


def _expanded(rows: Iterable[_Row]) -> Iterable[Transition]:
    for sources, done, by, needs, target, clock in rows:
        action, when = done if isinstance(done, tuple) else (done, "")
        roles = frozenset(Role(role) for role in by.split())
        for source in sources:
            yield Transition(source, action, roles, tuple(needs.split()), target or source, clock, when)


TRANSITIONS: Final = tuple(_expanded(ROWS))
_BY_SOURCE: Final[Mapping[tuple[State, Action], Mapping[str, Transition]]] = {
    (t.source, t.action): {o.when: o for o in TRANSITIONS if (o.source, o.action) == (t.source, t.action)}
    for t in TRANSITIONS
}

BESIDE: Final = frozenset({Action.STATE_GROUND, Action.ESCALATE, Action.EVIDENCE, Action.JOINED})
"""Actions that leave a case where it stands: who waits for its next step waits on since the last one."""
MOST_LEVELS: Final = 3
"""How far up a case can be escalated: head of the command centre, coordination office, leaders of the district."""

RESTS_ON_EDITION: Final = frozenset(
    {
        Action.REPORT,
        Action.ASSIGN,
        Action.ACCEPT,
        Action.OFFER,
        Action.REWORK,
        Action.REASSIGN,
        Action.RULE,
        Action.RELOCATE,
        Action.RESUME,
        Action.REOPEN,
    }
)
"""Actions that may name a team or choose a unit, which they do by an edition of the district's data: they are written,
and refused, only if that edition is the last one that was enacted."""
OF_ANY_EDITION: Final = frozenset(
    {
        Action.SET_OUT,
        Action.ARRIVE,
        Action.HANDLE,
        Action.VERIFY,
        Action.CLOSE,
        Action.RETURN,
        Action.STATE_GROUND,
        Action.SUSPEND,
        Action.MERGE,
        Action.JOINED,
        Action.CANCEL,
        Action.ESCALATE,
        Action.EVIDENCE,
        Action.DISCLOSE,
        Action.FILE,
        Action.INQUIRE,
        Action.REVIEW,
        Action.DELIBERATE,
        Action.DECIDE,
        Action.PENALISE,
        Action.SERVE,
        Action.EXECUTE,
        Action.ARCHIVE,
        Action.TRANSFER,
        Action.DROP,
    }
)
"""The others keep the team and unit that the case has, or set the unit free: that is right whatever edition holds."""


def name(thing: State | Action | Role, language: Language) -> str:
    """What a state, an action or a role is called."""
    if isinstance(thing, State):
        names = STATE_NAMES[thing]
    else:
        names = ACTION_NAMES[thing] if isinstance(thing, Action) else ROLE_NAMES[thing]
    return names[0 if language == "zh" else 1]


def allowed(state: State) -> list[Transition]:
    """What somebody may do from a state: for each action the first of its rows."""
    first = [next(iter(rows.values())) for (source, _), rows in _BY_SOURCE.items() if source is state]
    return [row for row in first if row.by]


def advance(state: State, action: Action, given: Mapping[str, str], role: Role | None = None) -> Transition:
    """The row for this action.

    `given` holds what came with it (note, team, position, until, into, evidence; `when`, where the table has several
    rows). Raises `ActionNotAllowed` when the table has no such row, `RoleMayNot` when it is not that role's to do,
    `ActionNeeds` when something that the row needs is empty.
    """
    rows = _BY_SOURCE.get((state, action))
    transition = rows and (rows.get(given.get("when", "")) or next(iter(rows.values())))
    if not transition:
        refuse(action, [t.action for t in allowed(state)], name(state, "zh"), name(state, "en"))
    may(action, transition.by, role)
    missing(action, transition.needs, given)
    return transition


def refuse(action: Action, possible: list[Action], stands_zh: str, stands: str) -> NoReturn:
    """Raises `ActionNotAllowed`, saying what is possible instead."""
    raise ActionNotAllowed(
        state=stands,
        state_zh=stands_zh,
        action=name(action, "en"),
        action_zh=name(action, "zh"),
        allowed=", ".join(name(a, "en") for a in possible) or "nothing",
        allowed_zh="、".join(name(a, "zh") for a in possible) or "无",
    )


def may(action: Action, by: frozenset[Role], role: Role | None) -> None:
    """Raises `RoleMayNot` for a role that is said and is not among those who may."""
    if role is not None and role not in by:
        raise RoleMayNot(
            {"field": "role"},
            role=name(role, "en"),
            role_zh=name(role, "zh"),
            action=name(action, "en"),
            action_zh=name(action, "zh"),
            by=", ".join(name(one, "en") for one in Role if one in by),
            by_zh="、".join(name(one, "zh") for one in Role if one in by),
        )


def missing(action: Action, needs: Iterable[str], given: Mapping[str, str]) -> None:
    """Raises `ActionNeeds` when something that is needed is empty."""
    empty = [field for field in needs if not given.get(field, "").strip()]
    if empty:
        raise ActionNeeds(
            {"field": empty[0]},
            action=name(action, "en"),
            action_zh=name(action, "zh"),
            needed=", ".join(empty),
        )
