"""The life of a case: the table is closed, every state is reached and left, what is refused says what is possible."""

from __future__ import annotations

from collections.abc import Collection
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch import enforcement
from dispatch.errors import ActionNeeds, ActionNotAllowed, RoleMayNot
from dispatch.lifecycle import (
    BEGUN,
    FINAL,
    HOLDS_UNIT,
    OF_ANY_EDITION,
    OPEN,
    OPENS_AS,
    RESTS_ON_EDITION,
    ROWS,
    TRANSITIONS,
    Clock,
    advance,
    allowed,
)
from dispatch.model import Action, Stage, State
from dispatch.names import (
    ACTION_NAMES,
    REASON_NAMES,
    ROLE_NAMES,
    STAGE_NAMES,
    STATE_NAMES,
    Reason,
    Role,
)
from dispatch.orders import ORDERED
from dispatch.store import cases, moves

GIVEN = {"note": "n", "team": "T", "position": "118.9 31.3", "until": "2026-12-01", "into": "2", "evidence": "e"}
DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "lifecycle.md"


def reached(start: Collection[State]) -> set[State]:
    found = set(start)
    while more := {t.target for t in TRANSITIONS if t.source in found} - found:
        found |= more
    return found


def test_every_state_is_reached_and_none_is_a_dead_end() -> None:
    assert reached(OPENS_AS) == set(State)
    for state in State:
        assert {State.CLOSED, State.MERGED, State.CANCELLED} <= reached([state]), f"{state} leads nowhere"
    assert {state for state in State if {t.action for t in allowed(state)} == {Action.REOPEN}} == set(FINAL)
    assert set(FINAL) | OPEN == set(State)
    assert not set(FINAL) & OPEN
    assert HOLDS_UNIT < OPEN


def test_one_row_for_each_state_action_and_case_of_it() -> None:
    rows = [(t.source, t.action, t.when) for t in TRANSITIONS]
    assert len(rows) == len(set(rows))
    for source, action, when in rows:
        several = [w for s, a, w in rows if (s, a) == (source, action)]
        assert (when == "") == (len(several) == 1), "what tells rows apart is said of each of them"
        assert len({(t.by, t.needs) for t in TRANSITIONS if (t.source, t.action) == (source, action)}) == 1


def test_every_action_has_its_row_in_one_of_the_tables() -> None:
    ours = {t.action for t in TRANSITIONS}
    theirs = {step.action for step in enforcement.STEPS}
    assert not ours & theirs
    assert ours | theirs | {Action.REPORT} | unordered() == set(Action)
    assert {t.action for t in TRANSITIONS if t.by} | theirs == ORDERED
    assert set(Action) == RESTS_ON_EDITION | OF_ANY_EDITION


def unordered() -> set[Action]:
    """Events that are no step of a case, which the desk writes of itself."""
    return {action for action in Action if action.value == "disclose"}


@pytest.mark.parametrize(("state", "action"), list(product(State, Action)))
def test_what_the_table_does_not_hold_is_refused(state: State, action: Action) -> None:
    rows = [t for t in TRANSITIONS if (t.source, t.action) == (state, action)]
    for row in rows:
        assert advance(state, action, {**GIVEN, "when": row.when}) is row
    if rows:
        return
    with pytest.raises(ActionNotAllowed) as refused:
        advance(state, action, GIVEN)
    for t in allowed(state):
        assert ACTION_NAMES[t.action][0] in (refused.value.hint("zh") or "")
        assert ACTION_NAMES[t.action][1] in (refused.value.hint("en") or "")


@pytest.mark.parametrize("transition", [t for t in TRANSITIONS if t.needs])
def test_what_is_needed_is_asked_for(transition) -> None:
    for field in transition.needs:
        with pytest.raises(ActionNeeds) as refused:
            advance(transition.source, transition.action, {**GIVEN, field: "  "})
        assert refused.value.where == {"field": field}


@pytest.mark.parametrize(("transition", "role"), list(product(TRANSITIONS, Role)))
def test_a_role_that_is_said_is_held_to_the_table(transition, role: Role) -> None:
    given = {**GIVEN, "when": transition.when}
    assert advance(transition.source, transition.action, given) is transition, "nobody said who he is"
    if role in transition.by:
        assert advance(transition.source, transition.action, given, role) is transition
        return
    with pytest.raises(RoleMayNot) as refused:
        advance(transition.source, transition.action, given, role)
    assert ROLE_NAMES[role][0] in refused.value.text("zh")


def test_who_handled_does_not_verify_and_only_the_coordination_office_rules() -> None:
    by = {t.action: t.by for t in TRANSITIONS}
    assert Role.TEAM not in by[Action.VERIFY] | by[Action.REWORK] | by[Action.CLOSE]
    assert by[Action.RULE] == {Role.COORDINATOR}
    assert by[Action.JOINED] == frozenset()


@given(st.data())
def test_a_clock_that_walks_with_the_case_never_runs_where_nobody_works(data: st.DataObject) -> None:
    """Any legal walk: what each row says of the deadline fits what the rows before it said."""
    state, running = data.draw(st.sampled_from(OPENS_AS)), False
    running = state is State.ASSIGNED
    before: State | None = None
    for _ in range(data.draw(st.integers(0, 25))):
        rows = [t for t in TRANSITIONS if t.source is state and (t.action is not Action.RESUME or t.when == before)]
        row = data.draw(st.sampled_from(rows))
        match row.clock:
            case Clock.STARTS:
                running = True
            case Clock.STOPS | Clock.RESUMES:
                assert running == (row.clock is Clock.STOPS), "it stops what runs, and resumes what stands"
                running = row.clock is Clock.RESUMES
            case Clock.ENDS:
                running = False
        before = state if row.action is Action.SUSPEND else before
        state = row.target
        assert running == (state in {*BEGUN, State.RETURNED, State.DISPUTED}), f"{row.source} {row.action} {state}"


def test_everything_has_names() -> None:
    for names, kind in (
        (STATE_NAMES, State),
        (ACTION_NAMES, Action),
        (ROLE_NAMES, Role),
        (STAGE_NAMES, Stage),
        (REASON_NAMES, Reason),
    ):
        assert set(names) == set(kind)  # type: ignore[call-overload]
        assert len(set(names.values())) == len(names)  # type: ignore[attr-defined]


def listed(states: Collection[object]) -> str:
    return "(" + ", ".join(f"'{state}'" for state in states) + ")"


def test_sql_says_the_same_of_states() -> None:
    assert f"state IN {listed(BEGUN)}" == cases.HOLDING
    assert f"state NOT IN {listed(FINAL)}" == cases.UNFINISHED
    assert cases.HOLDING in moves.ON_A_CASE


def told(sources: Collection[object], done: object, by: str, needs: str, target: object) -> str:
    action, when = done if isinstance(done, tuple) else (done, "")
    from_ = " ".join(f"`{one}`" if one else "—" for one in sources)
    roles = "任何人 anybody" if by == " ".join(Role) else " ".join(f"`{one}`" for one in by.split()) or "—"
    needed = " ".join(f"`{one}`" for one in needs.split())
    to = f"`{target}`" if target else "—"
    return (
        f"| {from_} | `{action}` {ACTION_NAMES[action][0]}{f' ({when})' if when else ''} | {roles} | {needed} | {to} |"
    )


def written() -> list[str]:
    """Both tables as the document must have them, line by line."""
    lines = [f"{told(*row[:5])} {row[5]} |" for row in ROWS]
    return lines + [told(*row) for row in enforcement.ROWS]


def test_the_document_has_both_tables_as_they_are() -> None:
    text = DOCUMENT.read_text("utf-8")
    in_it = [
        line
        for line in text.splitlines()
        if line.startswith("| ") and any(f"`{a}` {ACTION_NAMES[a][0]}" in line for a in Action)
    ]
    assert in_it == written(), "\n".join(written())
    for state, (zh, en) in STATE_NAMES.items():
        assert f"`{state}` {zh} {en}" in text
    for stage, (zh, en) in STAGE_NAMES.items():
        assert f"`{stage}` {zh} {en}" in text
    for reason, (zh, _) in REASON_NAMES.items():
        assert f"`{reason}` {zh}" in text
    for role, (zh, _) in ROLE_NAMES.items():
        assert f"`{role}` {zh}" in text
    for way, (zh, _) in enforcement.WAYS.items():
        assert f"`{way}` {zh}" in text
