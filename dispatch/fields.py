"""The words of a file: what its columns are called, and how people write numbers, times, datums, sources and matters.

Everything is read after NFKC, so that full-width digits, letters and brackets are as good as plain ones.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from dispatch.errors import InvalidInput, MissingColumn, UnknownMatter, UnreadableFile
from dispatch.model import Matter, MatterClass, Source
from geo.datum import Datum

REQUIRED: Final = ("lon", "lat", "matter")

NAMES: Final[Mapping[str, str]] = {
    "lon": "lon lng long longitude 经度 东经 gps经度 经度坐标 x 坐标x x坐标",
    "lat": "lat latitude 纬度 北纬 gps纬度 纬度坐标 y 坐标y y坐标",
    "matter": "matter mattercode mattercodes event eventcode eventtype 事项 事项编码 事项编号 事项代码 小类 小类编码 "
    "小类代码 问题类型 案件类型",
    "matter_name": "mattername eventname 事项名称 小类名称",
    "seen_at": "seenat time datetime timestamp 发现时间 上报时间 采集时间 时间 日期",
    "source": "source 来源 上报来源 问题来源 案件来源",
    "datum": "datum coordinatesystem 坐标系 坐标系统 坐标类型",
    "accuracy_m": "accuracy accuracym 精度 定位精度 误差 定位误差",
    "text": "text description desc remark remarks note 描述 问题描述 案件描述 情况描述 内容 备注",
    "id": "id uuid reportid 编号 上报编号",
    "contact_name": "contact contactname 联系人 姓名 反映人",
    "contact_phone": "phone contactphone telephone mobile 电话 联系电话 手机 手机号",
}
"""Field -> the column names that mean it, as `bare` leaves them; of two such columns the earlier name counts."""
_FIELD_OF: Final = {name: (field, rank) for field, names in NAMES.items() for rank, name in enumerate(names.split())}
_WEAK: Final = frozenset(("x", "坐标x", "x坐标", "y", "坐标y", "y坐标"))
"""Often metres of some projection: they only count where nothing better names the position."""

DATUMS: Final[Mapping[str, Datum]] = {
    **dict.fromkeys(["wgs84", "wgs1984", "4326", "epsg4326", "gps", "84"], Datum.WGS84),
    **dict.fromkeys(
        ["cgcs2000", "2000", "4490", "epsg4490", "国家2000", "大地2000", "2000国家大地坐标系"], Datum.CGCS2000
    ),
    **dict.fromkeys(["gcj02", "gcj", "火星", "火星坐标", "火星坐标系", "国测局", "高德", "腾讯", "amap"], Datum.GCJ02),
    **dict.fromkeys(["bd09", "bd09ll", "百度", "百度坐标", "百度坐标系", "baidu"], Datum.BD09),
}

SOURCES: Final[Mapping[str, Source]] = {
    **{source.value.replace("_", ""): source for source in Source},
    **dict.fromkeys(["网格员", "网格", "网格上报", "网格员上报"], Source.GRID_WORKER),
    **dict.fromkeys(["12345", "热线", "12345热线", "政务热线"], Source.HOTLINE_12345),
    **dict.fromkeys(["视频", "视频监控", "视频网", "监控"], Source.VIDEO),
    **dict.fromkeys(["数字城管", "数字化城管", "城管平台"], Source.DIGITAL_CITY),
    **dict.fromkeys(["巡查", "巡逻", "队伍巡查"], Source.PATROL),
    **dict.fromkeys(["市民", "群众", "公众", "市民上报", "群众举报"], Source.CITIZEN),
    **dict.fromkeys(["其他", "其它"], Source.OTHER),
}

_NUMBER: Final = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?")
_INSTANT: Final = re.compile(
    r"(?P<year>\d{4})[-/.年](?P<month>\d{1,2})[-/.月](?P<day>\d{1,2})日?"
    r"(?:[ T]*(?P<half>上午|下午|AM|PM)? *(?P<hour>\d{1,2})[:时点](?:(?P<minute>\d{1,2})分?)?"
    r"(?::?(?P<second>\d{1,2})(?:\.\d+)?秒?)? *(?P<half_after>AM|PM)?)?",
    re.IGNORECASE,
)
_EXCEL_EPOCH: Final = datetime(1899, 12, 30)  # noqa: DTZ001  (a wall clock: the zone is the district's)
_EXCEL_DAYS: Final = (20_000, 80_000)
"""1954 to 2119: what else a five-digit number in a time column might be is not guessed at."""


@lru_cache(maxsize=65536)
def plain(text: str) -> str:
    """NFKC, without white space around it (nor a zero-width mark before it)."""
    return unicodedata.normalize("NFKC", text).strip().strip("\ufeff\u200b").strip()


def bare(name: str) -> str:
    """A column name or a word, as the tables above spell it: without case, spaces, `_`, `-`, `:` and brackets."""
    return re.sub(r"[\s_\-:*./]", "", re.sub(r"\(.*?\)|\[.*?\]", "", plain(name))).casefold()


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column says what, and the datum that the header itself names, as in `经度(GCJ-02)`."""

    of: Mapping[str, int]
    datum: Datum | None


def columns(header: Sequence[str], *, geometry: bool) -> Columns:
    """Read a header. `geometry`: columns 0 and 1 are longitude and latitude, whatever else is called so.

    Raises `MissingColumn`; `UnreadableFile` when two columns claim to be the same thing.
    """
    found: dict[str, tuple[int, int]] = {"lon": (-1, 0), "lat": (-1, 1)} if geometry else {}
    for place, name in enumerate(header):
        said = bare(name)
        field, rank = _FIELD_OF.get(said, ("", 0))
        before = found.get(field)
        if not field or (before and before[0] < 0):
            continue
        if before and field in REQUIRED and not _WEAK & {said, bare(header[before[1]])}:
            twins = f"{header[before[1]]}, {name}"
            raise UnreadableFile(
                {"field": field, "columns": twins},
                problem_zh=f"列 {twins} 含义相同，请只保留一列。",
                problem=f"the columns {twins} mean the same; keep one of them.",
            )
        found[field] = min(before or (rank, place), (rank, place))
    if "matter" not in found and "matter_name" in found:
        found["matter"] = found.pop("matter_name")
    for field in REQUIRED:
        if field not in found:
            raise MissingColumn({"field": field}, column=field)
    of = {field: place for field, (_, place) in found.items()}
    bracket = re.search(r"[(\[](.*?)[)\]]", plain(header[of["lon"]]))
    return Columns(of, DATUMS.get(bare(bracket[1])) if bracket else None)


# --- cells --------------------------------------------------------------------------------------------------------


def number(text: str, field: str) -> float:
    """A finite decimal number, with or without the sign of its unit. Raises `InvalidInput`."""
    said = plain(text)
    match = _NUMBER.fullmatch(said.rstrip(" °度米mM" if field == "accuracy_m" else " °度"))
    if match is None:
        raise _invalid(field, text, "数字", "a decimal number") if said else missing(field)
    value = float(match[0])
    if value in (float("inf"), float("-inf")):
        raise _invalid(field, text, "有限的数", "a finite number")
    return value


def instant(text: str, zone: ZoneInfo) -> datetime:
    """A time with its zone: the one it names, else the district's. Raises `InvalidInput`.

    Understands ISO 8601, 2026/11/23 9:05, 2026年11月23日 09:05, 上午/下午, and Excel's serial days (45987.375).
    """
    said = plain(text)
    try:
        if match := _INSTANT.fullmatch(said):
            return _wall_clock(match).replace(tzinfo=zone).astimezone(UTC)
        if (match := _NUMBER.fullmatch(said)) and _EXCEL_DAYS[0] <= float(match[0]) < _EXCEL_DAYS[1]:
            seconds = round(float(match[0]) * 86_400)
            return (_EXCEL_EPOCH + timedelta(seconds=seconds)).replace(tzinfo=zone).astimezone(UTC)
        if not match:
            given = datetime.fromisoformat(said)
            return (given if given.tzinfo else given.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise _invalid("seen_at", text, "时间，例如 2026-11-23 09:05", "a time such as 2026-11-23 09:05") from error
    raise _invalid("seen_at", text, "时间，例如 2026-11-23 09:05", "a time such as 2026-11-23 09:05")


def _wall_clock(match: re.Match[str]) -> datetime:
    day = date(int(match["year"]), int(match["month"]), int(match["day"]))
    hour, minute, second = (int(match[part] or 0) for part in ("hour", "minute", "second"))
    half = (match["half"] or match["half_after"] or "").upper()
    if half and not 1 <= hour <= 12 and not (half == "下午" and hour < 24):
        raise ValueError(half)
    if half in ("下午", "PM") and hour < 12:
        hour += 12
    elif half in ("上午", "AM") and hour == 12:
        hour = 0
    return datetime(day.year, day.month, day.day, hour, minute, second)  # noqa: DTZ001  (the caller adds the zone)


def datum(text: str) -> Datum:
    """A datum by any of its names. Raises `InvalidInput`."""
    found = DATUMS.get(bare(text))
    if found is None:
        known = ", ".join(one.value for one in Datum)
        raise _invalid("datum", text, f"坐标系，可选 {known}", f"one of {known}")
    return found


def source(text: str) -> Source:
    """A source by code or by its Chinese name. Raises `InvalidInput`."""
    found = SOURCES.get(bare(text))
    if found is None:
        known = ", ".join(one.value for one in Source)
        raise _invalid("source", text, f"来源，可选 {known}", f"one of {known}")
    return found


class Matters:
    """The list of matters and classes, looked up by code or by exact name."""

    def __init__(self, classes: Iterable[MatterClass], matters: Iterable[Matter]) -> None:
        listed: list[Matter | MatterClass] = [*classes, *matters]
        self._codes = {one.code for one in listed}
        self._by_name: dict[str, set[str]] = {}
        self._without_zeros: dict[str, set[str]] = {}
        for one in listed:
            for name in (one.name, one.name_en):
                self._by_name.setdefault(plain(name).casefold(), set()).add(one.code)
            self._without_zeros.setdefault(one.code.lstrip("0"), set()).add(one.code)

    def read(self, text: str) -> tuple[str, str | None]:
        """The code, and a note of what had to be assumed: `matter_by_name`, `matter_zeros_restored`.

        Spreadsheets take 0101 for a number and leave 101 (or 101.0) of it; it is taken back where only one code can be
        meant. Raises `UnknownMatter`, and `InvalidInput` where several could be.
        """
        said = plain(text)
        if said in self._codes:
            return said, None
        if not said:
            raise missing("matter")
        digits = re.fullmatch(r"(\d+)(\.0+)?", said)
        found, note = self._by_name.get(said.casefold(), set()), "matter_by_name"
        if not found and digits:
            found = {digits[1]} & self._codes or self._without_zeros.get(digits[1].lstrip("0"), set())
            # Zeros can only have been lost, never added: 00101 is not 0101.
            found = {code for code in found if len(code) >= len(digits[1])}
            note = "matter_zeros_restored"
        if not found:
            raise UnknownMatter({"field": "matter"}, matter=text)
        if len(found) > 1:
            either = "、".join(sorted(found))
            raise _invalid("matter", text, f"唯一的事项（可能是 {either}）", f"one matter (it may be {either})")
        return next(iter(found)), note


def _invalid(field: str, text: str, zh: str, en: str) -> InvalidInput:
    return InvalidInput({"field": field}, field=field, problem=f"'{text}' is not {en}", problem_zh=f"“{text}”不是{zh}")


def missing(field: str) -> InvalidInput:
    """What is said of a field that must be filled and is not."""
    return InvalidInput({"field": field}, field=field, problem="it must be filled", problem_zh="必须填写")
