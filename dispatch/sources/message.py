"""A webhook's body as a report: one JSON object, its keys by any of the names that the form knows."""

from __future__ import annotations

from typing import Final

import orjson

from dispatch.errors import InvalidInput, UnreadableFile
from dispatch.intake import Forwarded
from dispatch.sources.adapt import Adapter
from dispatch.sources.forms import Form
from dispatch.tabular import as_text

MOST_BYTES: Final = 256 * 1024
"""A report with its longest text is a tenth of that."""


def read(body: bytes, form: Form, adapter: Adapter) -> Forwarded:
    """The report. Keys that no form knows are passed over. Raises `UnreadableFile`, and what `Adapter.read` raises."""
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise UnreadableFile(problem_zh=f"不是有效的 JSON：{error}", problem=f"not valid JSON: {error}") from error
    if not isinstance(said, dict):
        raise UnreadableFile(problem_zh="不是 JSON 对象", problem="not a JSON object")
    names = list(said)
    told: dict[str, str] = {}
    for field, at in form.columns(names).items():
        told[field] = as_text(value := said[names[at]])
        # A number with a point, or too long for a whole one, is not what somebody wrote any more.
        if isinstance(value, dict | list) or (field == "ref" and isinstance(value, float)):
            raise _invalid(field, "必须是文本", "it must be a text")
        if "\x00" in told[field]:
            raise _invalid(field, "不是有效文本", "it is not valid text")
    return adapter.read(form, told)


def _invalid(field: str, zh: str, en: str) -> InvalidInput:
    return InvalidInput({"field": field}, field=field, problem=en, problem_zh=zh)
