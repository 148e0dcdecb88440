"""Orders as they come: what is done to a case, one or many at a time."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Final, Literal, Self
from uuid import UUID, uuid4

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator, model_validator

from dispatch.enforcement import PROCEDURE, Officer, Papers
from dispatch.evidence import Item
from dispatch.intake import NO_NUL
from dispatch.model import Action
from dispatch.names import Reason, Role
from dispatch.orders import CARRIES, NO_PAPERS, ORDERED, Order
from dispatch.relocation import Pin
from geo.datum import Datum


class EvidenceIn(BaseModel):
    """A piece of evidence as it is attached to a case."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="From POST /api/evidence.")]
    at: AwareDatetime | None = Field(None, description="When it was taken.")
    lon: Annotated[float | None, Field(ge=-180, le=180, allow_inf_nan=False)] = None
    lat: Annotated[float | None, Field(ge=-90, le=90, allow_inf_nan=False)] = None
    officer: Annotated[str, Field(max_length=100, pattern=NO_NUL)] = ""

    def item(self) -> Item:
        """As the desk takes it."""
        return Item(self.sha256, self.at, self.lon, self.lat, self.officer)


class OfficerIn(BaseModel):
    """An officer, by the number of the service card."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    number: Annotated[str, Field(min_length=1, max_length=50, pattern=NO_NUL)]
    name: Annotated[str, Field(max_length=50, pattern=NO_NUL)] = ""


_Short = Annotated[str, Field(max_length=200, pattern=NO_NUL)]


class ProcedureIn(BaseModel):
    """What a step of the enforcement procedure brings with it; which step needs what: docs/lifecycle.md."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    officers: Annotated[list[OfficerIn], Field(max_length=20)] = []
    verdict: Literal["", "pass", "major", "back"] = ""
    minutes: Annotated[str, Field(max_length=20_000, pattern=NO_NUL)] = ""
    power: _Short = ""
    tier: Annotated[str, Field(max_length=2000, pattern=NO_NUL, description="Its circumstances, as the list has.")] = ""
    amount: Annotated[Decimal | None, Field(ge=0, max_digits=14, decimal_places=2, description="Yuan.")] = None
    way: Literal["", "direct", "left", "post", "entrusted", "electronic", "announced", "on_the_spot"] = ""
    served_on: date | None = None
    to: _Short = ""
    receipt: _Short = ""

    def papers(self) -> Papers:
        """As the desk takes it."""
        officers = tuple(Officer(one.number, one.name) for one in self.officers)
        return Papers(
            officers=officers,
            verdict=self.verdict,
            minutes=self.minutes,
            power=self.power,
            tier=self.tier,
            amount=self.amount,
            way=self.way,
            served_on=self.served_on,
            to=self.to,
            receipt=self.receipt,
        )


class OrderIn(BaseModel):
    """Something done to a case."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    id: UUID = Field(default_factory=uuid4, description="Made by the client; the same id twice is the same action.")
    action: Action
    actor: Annotated[str, Field(max_length=100, pattern=NO_NUL)] = ""
    note: Annotated[str, Field(max_length=4000, pattern=NO_NUL)] = ""
    team: Annotated[str, Field(max_length=50, pattern=NO_NUL)] = ""
    unit: Annotated[str, Field(max_length=50, pattern=NO_NUL)] = ""
    photos: Annotated[list[Annotated[str, Field(pattern="^[0-9a-f]{64}$")]], Field(max_length=12)] = []
    lon: Annotated[float | None, Field(allow_inf_nan=False, description="Of `relocate`: where it is.")] = None
    lat: Annotated[float | None, Field(allow_inf_nan=False)] = None
    datum: Datum | None = None
    accuracy_m: Annotated[float | None, Field(ge=0, le=10_000, allow_inf_nan=False)] = None
    settles: Annotated[
        str,
        Field(max_length=50, pattern=NO_NUL, description="Of `relocate`, instead of lon and lat: whose part is meant."),
    ] = ""
    seq: int | None = Field(None, ge=1, description="The step you were looking at; refused when the case moved on.")
    role: Role | None = Field(None, description="As whom; held against the table where it is said.")
    reason: Reason | None = Field(None, description="Of `return`.")
    until: date | None = Field(None, description="Of `suspend`: until which day.")
    into: Annotated[str, Field(max_length=50, pattern=NO_NUL, description="Of `merge`: the other case.")] = ""
    evidence: Annotated[list[EvidenceIn], Field(max_length=50)] = []
    procedure: ProcedureIn | None = Field(None, description="What a step of enforcement brings with it.")

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if self.settles and (self.lon, self.lat, self.accuracy_m) != (None, None, None):
            raise ValueError("settles says whose part is meant: lon, lat and accuracy_m say something else")
        if self.evidence and self.action not in CARRIES:
            raise ValueError(f"no evidence comes with {self.action}: attach it by the action evidence")
        if self.procedure and self.action not in PROCEDURE:
            raise ValueError(f"{self.action} is no step of the enforcement procedure")
        return self

    @field_validator("action")
    @classmethod
    def _can_be_ordered(cls, action: Action) -> Action:
        if action not in ORDERED:
            raise ValueError("nobody orders this: it comes of something else")
        return action

    def order(self, case_no: str) -> Order:
        """What the desk is asked to do."""
        return Order(
            id=self.id,
            case_no=case_no,
            action=self.action,
            actor=self.actor,
            note=self.note,
            team=self.team,
            unit=self.unit,
            photos=tuple(self.photos),
            pin=self.pin(),
            settles=self.settles,
            seq=self.seq,
            role=self.role,
            reason=self.reason,
            until=self.until,
            into=self.into,
            evidence=tuple(one.item() for one in self.evidence),
            papers=self.procedure.papers() if self.procedure else NO_PAPERS,
        )

    def pin(self) -> Pin | None:
        """Where it is said to be, if it is."""
        if self.lon is None or self.lat is None:
            return None
        return Pin(self.lon, self.lat, self.datum, self.accuracy_m)


MOST_ORDERS: Final = 500
"""Of one `POST /api/cases/actions`."""


class OrdersIn(BaseModel):
    """Many orders; each is read and answered by itself."""

    model_config = ConfigDict(extra="forbid")

    orders: list[dict[str, Any]] = Field(description="Each as for one case, with its `case`.")


class OrderAnswer(BaseModel):
    """What became of one order: the case as it stands, or what was wrong."""

    id: str | None
    case: str | None
    status: int
    answer: dict[str, Any] | None = None
    problem: dict[str, Any] | None = None


class OrdersOut(BaseModel):
    """The answers, in the order in which the orders came."""

    done: int
    refused: int
    answers: list[OrderAnswer]
