"""Many waiting cases given their units at once: the plan as things are, and what is accepted of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from dispatch import assigning
from dispatch.assigning import Acceptance, Became, Choice, Proposed
from dispatch.assignment import Pair, Plan, Tally, Why
from dispatch.district import District
from dispatch.errors import DomainError, Language
from dispatch.fleet import Fleet
from dispatch.intake import NO_NUL
from web.problems import PROBLEMS, language_of, problem
from web.state import WorkerOf
from web.timeliness import moment
from web.views import case_view, json_answer

router = APIRouter(prefix="/api/assignment", tags=["cases"])

_Code = Annotated[str, Field(min_length=1, max_length=50, pattern=NO_NUL)]


class ChoiceIn(BaseModel):
    """A pair of the plan, as it was told."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    case: _Code
    unit: _Code
    seq: Annotated[int, Field(ge=1, description="The step at which the plan saw the case.")]


class AcceptanceIn(BaseModel):
    """The plan, or a part of it, accepted."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    id: UUID = Field(default_factory=uuid4, description="Made by the client; the same id again does nothing twice.")
    token: Annotated[str, Field(pattern="^[0-9a-f]{32}$", description="Of the plan: its first eight go on record.")]
    pairs: Annotated[list[ChoiceIn], Field(min_length=1, max_length=assigning.MOST)]
    actor: Annotated[str, Field(max_length=100, pattern=NO_NUL)] = ""
    note: Annotated[str, Field(max_length=2000, pattern=NO_NUL)] = ""

    def acceptance(self) -> Acceptance:
        """As the desk takes it."""
        choices = tuple(Choice(one.case, one.unit, one.seq) for one in self.pairs)
        return Acceptance(self.id, self.token, choices, self.actor, self.note)


class TallyOut(BaseModel):
    """What a plan comes to; seconds are of those served."""

    cases: int
    served: int
    total_s: int
    median_s: int | None


class PlanOut(TallyOut):
    """The same of all, and by urgency."""

    cost: int
    by_urgency: dict[str, TallyOut]


class GainOut(BaseModel):
    """All at once against one by one."""

    as_good: bool
    saved: int
    all_at_once: PlanOut
    one_by_one: PlanOut


class ProposalOut(BaseModel):
    """The plan as things are."""

    token: str
    version: str
    at: datetime
    waiting: int
    planned: int
    pairs: list[dict[str, Any]]
    left: list[dict[str, Any]]
    gain: GainOut


class PairAnswer(BaseModel):
    """What became of one pair."""

    case: str
    unit: str
    status: int
    answer: dict[str, Any] | None = None
    problem: dict[str, Any] | None = None


class AcceptanceOut(BaseModel):
    """What became of each, in the order in which they came."""

    id: UUID
    done: int
    refused: int
    answers: list[PairAnswer]


@router.get("", response_model=None, responses={200: {"model": ProposalOut}, 503: PROBLEMS[503]})
async def assignment(worker: WorkerOf) -> Response:
    """Which unit should go to which waiting case, all at once, as things are now; nothing is changed by asking."""
    now = datetime.now(UTC)
    proposed = await assigning.plan(worker.engine, worker.editions, worker.feed.fleet, now)
    return json_answer(_view(proposed, worker.feed.fleet, now))


@router.post(
    "",
    response_model=None,
    responses={200: {"model": AcceptanceOut}, **{code: PROBLEMS[code] for code in (400, 422, 503)}},
)
async def accept(given: AcceptanceIn, request: Request, worker: WorkerOf) -> Response:
    """Send the units of these pairs, each done or refused by itself: nobody's work is overwritten."""
    language, acceptance = language_of(request), given.acceptance()
    try:
        became = await assigning.accept(
            worker.engine, worker.editions, worker.feed.fleet, acceptance, partial(datetime.now, UTC)
        )
    finally:
        worker.hub.nudge()
    answers = [_became(one, worker.ground.district, language) for one in became]
    done = sum("answer" in one for one in answers)
    return json_answer({"id": str(acceptance.id), "done": done, "refused": len(answers) - done, "answers": answers})


def _became(one: Became, district: District, language: Language) -> dict[str, Any]:
    said = {"case": one.choice.case, "unit": one.choice.unit}
    if isinstance(one.outcome, DomainError):
        body = problem(one.outcome, language)
        return {**said, "status": body["status"], "problem": body}
    return {**said, "status": 200, "answer": case_view(one.outcome, district)}


def _view(proposed: Proposed, fleet: Fleet, now: datetime) -> dict[str, Any]:
    proposal = proposed.proposal
    instead = {pair.case: pair for pair in proposal.one_by_one.pairs}

    def case(number: str) -> dict[str, Any]:
        row, single = proposed.cases[number], instead.get(number)
        return {
            **case_view(row, proposed.ground.district),
            "waited_s": round(proposed.waited_s[number]),
            "why": _why(proposal.why[number]),
            "one_by_one": {"unit": single.unit, "eta_s": round(single.leg.seconds)} if single else None,
        }

    def pair(one: Pair) -> dict[str, Any]:
        unit = proposed.ground.district.units[one.unit]
        # The fleet goes over to another edition a moment later than the ground does.
        stand = fleet.stand(one.unit) if one.unit in fleet.units else None
        base = proposed.ground.district.bases[unit.base]
        return {
            **case(one.case),
            "unit": one.unit,
            "unit_name": unit.name,
            "unit_name_en": unit.name_en,
            "unit_team": unit.team,
            "mode": unit.mode.value,
            "eta_s": round(one.leg.seconds),
            "distance_m": round(one.leg.metres),
            "seen_s": proposed.seen_s[one.case, one.unit],
            "from": {"lon": stand.lon if stand else base.lon, "lat": stand.lat if stand else base.lat},
        }

    return {
        "token": proposed.token,
        "version": proposed.ground.district.version,
        "at": moment(now),
        "waiting": proposed.waiting,
        "planned": len(proposed.cases),
        "pairs": [pair(one) for one in proposal.plan.pairs],
        "left": [case(number) for number in proposal.plan.left],
        "gain": {
            "as_good": proposal.as_good,
            "saved": round(proposal.one_by_one.cost - proposal.plan.cost),
            "all_at_once": _plan(proposal.plan),
            "one_by_one": _plan(proposal.one_by_one),
        },
    }


def _plan(plan: Plan) -> dict[str, Any]:
    levels: Mapping[int, Tally] = plan.by_urgency
    by_urgency = {str(level): _tally(tally) for level, tally in levels.items()}
    return {**_tally(plan.tally), "cost": round(plan.cost), "by_urgency": by_urgency}


def _tally(tally: Tally) -> dict[str, Any]:
    return {
        "cases": tally.cases,
        "served": tally.served,
        "total_s": round(tally.total_s),
        "median_s": None if tally.median_s is None else round(tally.median_s),
    }


def _why(why: Why) -> dict[str, Any]:
    return {
        "code": why.code,
        "unit": why.unit,
        "eta_s": why.eta_s,
        "case": why.case,
        "hindered": dict(why.hindered),
    }
