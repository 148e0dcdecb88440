"""The life of a case: one table of what may be done from where, by whom, needing what, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from dispatch.errors import ActionNeeds, ActionNotAllowed, Language
from dispatch.model import Action, State


class Role(StrEnum):
    """Who acts. Recorded with the event; enforced once there are accounts."""

    REPORTER = "reporter"
    TEAM = "team"
    DISPATCHER = "dispatcher"


@dataclass(frozen=True, slots=True)
class Transition:
    """One row of the table."""

    source: State
    action: Action
    by: frozenset[Role]
    needs: tuple[str, ...]
    target: State
    """With the team that has it. A case that goes to another team begins again with `ASSIGNED`, whatever is done."""


def _row(source: State, action: Action, by: str, needs: str, target: State) -> Transition:
    return Transition(source, action, frozenset(Role(role) for role in by.split()), tuple(needs.split()), target)


ANYBODY: Final = " ".join(Role)

# fmt: off
TRANSITIONS: Final = tuple(
    _row(*row) for row in (
        # from              what is done        by                  needs        to
        (State.ASSIGNED,    Action.ACCEPT,      "team",             "",          State.ACCEPTED),
        (State.ASSIGNED,    Action.RETURN,      "team",             "note",      State.RETURNED),
        (State.ASSIGNED,    Action.REASSIGN,    "dispatcher",       "team note", State.ASSIGNED),
        (State.ASSIGNED,    Action.RELOCATE,    ANYBODY,            "position",  State.ASSIGNED),
        (State.ACCEPTED,    Action.ARRIVE,      "team",             "",          State.ON_SCENE),
        (State.ACCEPTED,    Action.RETURN,      "team",             "note",      State.RETURNED),
        (State.ACCEPTED,    Action.REASSIGN,    "dispatcher",       "team note", State.ASSIGNED),
        (State.ACCEPTED,    Action.RELOCATE,    ANYBODY,            "position",  State.ACCEPTED),
        (State.ON_SCENE,    Action.HANDLE,      "team",             "note",      State.HANDLED),
        (State.ON_SCENE,    Action.RETURN,      "team",             "note",      State.RETURNED),
        (State.ON_SCENE,    Action.REASSIGN,    "dispatcher",       "team note", State.ASSIGNED),
        (State.ON_SCENE,    Action.RELOCATE,    ANYBODY,            "position",  State.ON_SCENE),
        (State.HANDLED,     Action.CLOSE,       "dispatcher",       "",          State.CLOSED),
        (State.HANDLED,     Action.REASSIGN,    "dispatcher",       "team note", State.ASSIGNED),
        (State.RETURNED,    Action.REASSIGN,    "dispatcher",       "team note", State.ASSIGNED),
        (State.RETURNED,    Action.RELOCATE,    ANYBODY,            "position",  State.ASSIGNED),
    )
)
# fmt: on

_BY_SOURCE: Final[Mapping[tuple[State, Action], Transition]] = {(t.source, t.action): t for t in TRANSITIONS}

OPEN: Final = frozenset(State) - {State.CLOSED}
"""States of a case that somebody must still do something about."""

HOLDS_UNIT: Final = frozenset({State.ASSIGNED, State.ACCEPTED, State.ON_SCENE})
"""States in which the unit named by the case is on it, and so not free for another."""

STATE_NAMES: Final[Mapping[State, tuple[str, str]]] = {
    State.ASSIGNED: ("已派遣", "assigned"),
    State.ACCEPTED: ("已接受", "accepted"),
    State.ON_SCENE: ("已到场", "on scene"),
    State.HANDLED: ("已处置", "handled"),
    State.CLOSED: ("已结案", "closed"),
    State.RETURNED: ("已退回", "returned"),
}

ACTION_NAMES: Final[Mapping[Action, tuple[str, str]]] = {
    Action.REPORT: ("上报", "report"),
    Action.ACCEPT: ("接受", "accept"),
    Action.ARRIVE: ("到场", "arrive"),
    Action.HANDLE: ("处置完成", "handle"),
    Action.CLOSE: ("结案", "close"),
    Action.RETURN: ("退回", "return"),
    Action.REASSIGN: ("改派", "reassign"),
    Action.RELOCATE: ("更正位置", "relocate"),
}


RESTS_ON_EDITION: Final = frozenset({Action.REPORT, Action.ACCEPT, Action.REASSIGN, Action.RELOCATE})
"""Actions that may name a team or choose a unit, which they do by an edition of the district's data: they are written,
and refused, only if that edition is the last one that was enacted."""
OF_ANY_EDITION: Final = frozenset({Action.ARRIVE, Action.HANDLE, Action.CLOSE, Action.RETURN})
"""The others keep the team and unit that the case has, or set the unit free: that is right whatever edition holds."""


def name(thing: State | Action, language: Language) -> str:
    """What a state or an action is called."""
    names = STATE_NAMES[thing] if isinstance(thing, State) else ACTION_NAMES[thing]
    return names[0 if language == "zh" else 1]


def allowed(state: State) -> list[Transition]:
    """The rows that start from a state."""
    return [t for t in TRANSITIONS if t.source is state]


def advance(state: State, action: Action, given: Mapping[str, str]) -> Transition:
    """The row for this action.

    `given` holds what came with it (note, team, position). Raises `ActionNotAllowed` when the table has no such row,
    `ActionNeeds` when something that the row needs is empty.
    """
    transition = _BY_SOURCE.get((state, action))
    if transition is None:
        possible = [t.action for t in allowed(state)]
        raise ActionNotAllowed(
            state=name(state, "en"),
            state_zh=name(state, "zh"),
            action=name(action, "en"),
            action_zh=name(action, "zh"),
            allowed=", ".join(name(a, "en") for a in possible) or "nothing",
            allowed_zh="、".join(name(a, "zh") for a in possible) or "无",
        )
    missing = [field for field in transition.needs if not given.get(field, "").strip()]
    if missing:
        raise ActionNeeds(
            {"field": missing[0]},
            action=name(action, "en"),
            action_zh=name(action, "zh"),
            needed=", ".join(missing),
        )
    return transition
