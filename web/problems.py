"""Errors as RFC 9457 problem documents: one table of statuses, one way out."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import psycopg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ValidationError
from sqlalchemy.exc import DataError, DBAPIError
from starlette.exceptions import HTTPException

from dispatch import errors
from dispatch.store.engine import is_gone

log = logging.getLogger(__name__)

MEDIA_TYPE: Final = "application/problem+json"

STATUS: Final[Mapping[type[errors.DomainError], int]] = {
    errors.InvalidInput: 422,
    errors.CoordinatesOutOfRange: 422,
    errors.CoordinatesSwapped: 422,
    errors.CoordinatesZero: 422,
    errors.OutsideDistrict: 422,
    errors.UnknownMatter: 422,
    errors.SeenInFuture: 422,
    errors.SeenTooLongAgo: 422,
    errors.ReportConflicts: 409,
    errors.UnknownPhoto: 422,
    errors.PhotoTooLarge: 413,
    errors.NotAPhoto: 415,
    errors.UnreadableFile: 422,
    errors.EmptyFile: 422,
    errors.RaggedRow: 422,
    errors.MissingColumn: 422,
    errors.BatchTooLarge: 413,
    errors.UnknownCase: 404,
    errors.UnknownPower: 404,
    errors.UnknownTeam: 422,
    errors.UnknownUnit: 422,
    errors.UnknownLayer: 404,
    errors.ActionNotAllowed: 409,
    errors.ActionNeeds: 422,
    errors.ActionConflicts: 409,
    errors.CaseMovedOn: 409,
    errors.UnknownOutcome: 409,
    errors.RoleMayNot: 403,
    errors.SameTeamVerifies: 409,
    errors.UntilPast: 422,
    errors.CannotMerge: 409,
    errors.HighestLevel: 409,
    errors.NotASide: 409,
    errors.UnknownDispute: 404,
    errors.NotRuled: 409,
    errors.ProcedureOpen: 409,
    errors.TooFewOfficers: 422,
    errors.AmountOutsideTier: 422,
    errors.UnknownEvidence: 422,
    errors.EvidenceTooLarge: 413,
    errors.EmptyEvidence: 422,
    errors.UnitBusy: 409,
    errors.UnitCannotGo: 409,
    errors.UnitOffDuty: 409,
    errors.UnitUnskilled: 409,
    errors.UnitNotListed: 404,
    errors.FixInFuture: 422,
    errors.FixTooOld: 422,
    errors.InvalidCursor: 422,
    errors.UnknownZone: 422,
    errors.UnknownFormat: 404,
    errors.FontMissing: 500,
    errors.PageNotBuilt: 503,
    errors.NoCheckpoint: 404,
    errors.NotInCheckpoint: 404,
    errors.DatabaseUnavailable: 503,
    errors.PartStopped: 503,
}

_PLACEHOLDER: Final = re.compile(r"\{\w+\}")
RETRY_AFTER_S: Final = 2

HTTP_TITLES: Final[Mapping[int, tuple[str, str, str]]] = {
    400: ("unreadable_body", "请求的内容无法读取。", "The body of the request cannot be read."),
    404: ("not_found", "没有这个地址。", "There is nothing at this address."),
    405: ("method_not_allowed", "此地址不支持这种请求方法。", "This address does not take this method."),
}


class Problem(BaseModel):
    """What every refusal looks like (`application/problem+json`)."""

    type: str
    code: str
    title: str
    detail: str
    status: int
    hint: str | None = None
    where: dict[str, Any] | None = None


PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {
    code: {"description": text, "content": {MEDIA_TYPE: {"schema": Problem.model_json_schema()}}}
    for code, text in {
        400: "The request could not be read",
        403: "Not this role's to do",
        404: "Not there",
        409: "In conflict with what is recorded",
        413: "Too large",
        415: "Not such a file",
        422: "Refused: what was wrong is in `code`, `where` and `hint`",
        503: "The database is away; `Retry-After` says when to come back",
    }.items()
}
"""For the interface's own description."""


def language_of(request: Request) -> errors.Language:
    """`?lang=` before `Accept-Language`; Chinese when neither says English."""
    asked = request.query_params.get("lang") or request.headers.get("accept-language", "")
    return "en" if asked.strip().lower().startswith("en") else "zh"


def problem(error: errors.DomainError, language: errors.Language) -> dict[str, Any]:
    """The document of a domain error."""
    body: dict[str, Any] = {
        "type": f"urn:onegrid:error:{error.code()}",
        "code": error.code(),
        "title": _PLACEHOLDER.sub("…", error.templates(language)[0]),
        "detail": error.text(language),
        "status": STATUS[type(error)],
    }
    if hint := error.hint(language):
        body["hint"] = hint
    if error.where:
        body["where"] = error.where
    return body


def from_validation(found: Sequence[Any]) -> errors.InvalidInput:
    """Pydantic's first complaint as a domain error; all of them are listed in `where`."""
    first = found[0]
    named = () if first["type"] == "json_invalid" else first["loc"]
    field = ".".join(str(part) for part in named if part not in ("body", "query", "path")) or "body"
    everything = [
        {"field": ".".join(str(part) for part in one["loc"] if part != "body"), "problem": one["msg"]} for one in found
    ]
    said = _SAID.get(first["type"], first["msg"])
    return errors.InvalidInput({"field": field, "all": everything}, field=field, problem=first["msg"], problem_zh=said)


_SAID: Final[Mapping[str, str]] = {
    "missing": "必须填写",
    "extra_forbidden": "没有这个字段",
    "finite_number": "必须是有限的数",
    "float_parsing": "必须是数字",
    "float_type": "必须是数字",
    "int_parsing": "必须是整数",
    "uuid_parsing": "不是有效的 UUID",
    "enum": "不是可选的值",
    "string_type": "必须是文本",
    "string_too_short": "不能为空",
    "string_too_long": "太长",
    "string_pattern_mismatch": "格式不对",
    "datetime_parsing": "不是有效的时间",
    "datetime_from_date_parsing": "不是有效的时间",
    "timezone_aware": "时间必须带时区",
    "json_invalid": "不是有效的 JSON",
    "greater_than_equal": "太小",
    "less_than_equal": "太大",
    "too_long": "项数太多",
    "dict_type": "必须是对象",
    "list_type": "必须是数组",
    "model_attributes_type": "必须是 JSON 对象",
}


def answer(error: errors.DomainError, language: errors.Language) -> JSONResponse:
    """The response to a domain error."""
    body = problem(error, language)
    headers = {"Content-Language": "zh-CN" if language == "zh" else "en"}
    if body["status"] == 503:
        headers["Retry-After"] = str(RETRY_AFTER_S)
    return JSONResponse(body, body["status"], headers, MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Give the application its ways out."""

    async def domain(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, errors.DomainError)  # noqa: S101
        return answer(error, language_of(request))

    async def validation(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError | ValidationError)  # noqa: S101
        return answer(from_validation(error.errors()), language_of(request))

    async def database(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, DBAPIError | psycopg.DataError)  # noqa: S101
        if isinstance(error, DataError | psycopg.DataError):
            refused = errors.InvalidInput(
                field="?", problem="a character or number that cannot be stored", problem_zh="含有不能保存的字符或数"
            )
            return answer(refused, language_of(request))
        if not is_gone(error):
            raise error
        return answer(errors.DatabaseUnavailable(), language_of(request))

    async def http(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)  # noqa: S101
        language = language_of(request)
        code, zh, en = HTTP_TITLES.get(error.status_code, ("http_error", str(error.detail), str(error.detail)))
        title = zh if language == "zh" else en
        body = {"type": "about:blank", "code": code, "title": title, "detail": title, "status": error.status_code}
        return JSONResponse(body, error.status_code, error.headers, MEDIA_TYPE)

    app.add_exception_handler(errors.DomainError, domain)
    app.add_exception_handler(RequestValidationError, validation)
    app.add_exception_handler(ValidationError, validation)
    app.add_exception_handler(DBAPIError, database)
    app.add_exception_handler(psycopg.DataError, database)
    app.add_exception_handler(HTTPException, http)
