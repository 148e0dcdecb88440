"""The life of a case: the table is closed, every state is reached, what is refused says what is possible."""

from __future__ import annotations

from itertools import product

import pytest

from dispatch.errors import ActionNeeds, ActionNotAllowed
from dispatch.lifecycle import ACTION_NAMES, HOLDS_UNIT, OPEN, STATE_NAMES, TRANSITIONS, advance, allowed
from dispatch.model import Action, State

GIVEN = {"note": "n", "team": "T", "position": "118.9 31.3"}


def test_every_state_is_reached_and_only_closed_ends() -> None:
    reached = {State.ASSIGNED}
    while True:
        more = {t.target for t in TRANSITIONS if t.source in reached} - reached
        if not more:
            break
        reached |= more
    assert reached == set(State)
    assert [state for state in State if not allowed(state)] == [State.CLOSED]
    assert State.CLOSED not in OPEN
    assert HOLDS_UNIT < OPEN


def test_one_row_for_each_state_and_action() -> None:
    pairs = [(t.source, t.action) for t in TRANSITIONS]
    assert len(pairs) == len(set(pairs))


@pytest.mark.parametrize(("state", "action"), list(product(State, Action)))
def test_what_the_table_does_not_hold_is_refused(state: State, action: Action) -> None:
    rows = [t for t in TRANSITIONS if (t.source, t.action) == (state, action)]
    if rows:
        assert advance(state, action, GIVEN) is rows[0]
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


def test_everything_has_names() -> None:
    assert set(STATE_NAMES) == set(State)
    assert set(ACTION_NAMES) == set(Action)
