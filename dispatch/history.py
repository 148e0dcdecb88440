"""What was done to a case before, as far as later steps rest on it: values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from dispatch.model import Action, State

UNMEANT: Final = frozenset({Action.DISCLOSE, Action.EVIDENCE, Action.JOINED, Action.PARTED, Action.RECKON})
"""Steps that hinder nobody who had not heard of them: who asks who reported it, does nothing to it; that another report
joined it, that a picture was added, or that its limit was counted anew, changes nothing that is to be done."""


@dataclass(frozen=True, slots=True)
class Step:
    """An event of the case, as far as later ones rest on it."""

    id: str
    action: Action
    actor: str
    state: State
    """That it left behind."""
    team: str
    told: Mapping[str, object]
    """Of a return: `sides` and `whose`."""


@dataclass(frozen=True, slots=True)
class History:
    """What was done to a case, oldest first."""

    steps: tuple[Step, ...]

    @property
    def acted(self) -> int:
        """The number of the last step by which somebody did something to it: see `UNMEANT`."""
        return max(seq for seq, step in enumerate(self.steps, start=1) if step.action not in UNMEANT)

    @property
    def last(self) -> Step:
        """That step."""
        return self.steps[self.acted - 1]

    @property
    def returns(self) -> tuple[Step, ...]:
        """Its returns."""
        return tuple(step for step in self.steps if step.action is Action.RETURN)

    def handled_by(self) -> str:
        """Who said last that it is done; empty when nobody did, or did not say who he is."""
        return next((step.actor for step in reversed(self.steps) if step.action is Action.HANDLE), "")
