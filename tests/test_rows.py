"""Files as people really save them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dispatch import fields, tabular
from dispatch.errors import DomainError, EmptyFile, InvalidInput, MissingColumn, UnknownMatter, UnreadableFile
from dispatch.intake import Draft
from dispatch.model import Matter, MatterClass, Source
from dispatch.rows import Reader, Row
from geo.datum import Datum
from tests.sample import sample

SHANGHAI = ZoneInfo("Asia/Shanghai")
NINE = datetime(2025, 11, 26, 1, 0, tzinfo=UTC)
CSV = "经度,纬度,事项,描述\n118.881,31.336,0101,违章搭建\n"


def rows(data: bytes | str) -> list[Row]:
    return list(Reader(sample()).rows(data.encode() if isinstance(data, str) else data))


def draft(row: Row) -> Draft:
    assert isinstance(row.outcome, Draft), row.outcome
    return row.outcome


def code(row: Row) -> str:
    assert isinstance(row.outcome, DomainError), row.outcome
    return row.outcome.code()


# --- bytes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_every_encoding_delimiter_and_line_ending(encoding: str, delimiter: str, ending: str) -> None:
    text = CSV.replace(",", delimiter).replace("\n", ending)
    (row,) = rows(text.encode(encoding))
    assert (row.number, draft(row).text, draft(row).matter) == (2, "违章搭建", "0101")
    assert row.original == {"经度": "118.881", "纬度": "31.336", "事项": "0101", "描述": "违章搭建"}


def test_damaged_utf8_is_not_taken_for_gbk() -> None:
    sound = ("经度,纬度,事项,描述\n" + "118.881,31.336,0101,占用水域岸线堆放砂石\n" * 3).encode()
    cut = sound[:-3]
    with pytest.raises(UnreadableFile) as refused:
        rows(cut)
    assert refused.value.where == {"row": 4}
    assert "UTF-8" in refused.value.text("zh")
    broken = sound.replace("砂".encode(), b"\xe7\xa0", 1)
    with pytest.raises(UnreadableFile):
        rows(broken)


@settings(max_examples=200)
@given(st.text(alphabet=st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=2, max_size=30))
def test_gbk_is_read_as_gbk_and_utf8_as_utf8(text: str) -> None:
    assert tabular.decode(text.encode()) == text
    as_gbk = text.encode("gb18030")
    try:
        chance = as_gbk.decode()
    except UnicodeDecodeError:
        chance = ""
    # By chance Latin or Chinese in UTF-8: nothing in it tells.
    assume(not chance or (any("\u0100" <= one < "\u0800" for one in chance) and max(chance) < "\u0800"))
    assert tabular.decode(as_gbk) == text


def test_the_word_that_notepad_could_not_read() -> None:
    assert tabular.decode("lon,lat,matter,text\n1,2,3,联通\n".encode("gbk")).endswith("联通\n")
    assert tabular.decode("lon,lat,matter,text\n1,2,3,5 m·°\n".encode()).endswith("m·°\n")


@pytest.mark.parametrize("data", [b"", b"  \n\n", b"\xef\xbb\xbf", b"lon,lat,matter"])
def test_an_empty_file(data: bytes) -> None:
    if data.startswith(b"lon"):
        assert rows(data) == []
    else:
        with pytest.raises(EmptyFile):
            rows(data)


@pytest.mark.parametrize(
    ("data", "word"), [(b"PK\x03\x04rest", "Excel"), (b"\x00\x01\x02", "text"), (b"\xff\xff\xff", "GBK")]
)
def test_what_is_no_text(data: bytes, word: str) -> None:
    with pytest.raises(UnreadableFile) as refused:
        rows(data)
    assert word in refused.value.text("en")


# --- rows ---------------------------------------------------------------------------------------------------------


def test_a_bad_row_stops_no_other_and_is_named_by_its_line() -> None:
    found = rows(
        "lon,lat,matter,text\n"
        "118.8,31.3,0101,one\n"
        "118.8,31.3\n"
        '118.8,31.3,0101,"two\nlines"\n'
        "\n"
        ",,,\n"
        "118.8,31.3,0101,x,,\n"
        "118.8,31.3,0101,x,y\n"
        'x,31.3,0101,"'
        "never closed\n"
        "118.8,31.3,0101,last\n"
    )
    assert [(row.number, row.outcome.code() if isinstance(row.outcome, DomainError) else "ok") for row in found] == [
        (2, "ok"),
        (3, "ragged_row"),
        (4, "ok"),
        (8, "ok"),
        (9, "ragged_row"),
        (10, "invalid_input"),
        (11, "ok"),
    ]
    assert draft(found[2]).text == "two\nlines"
    assert draft(found[-1]).text == "last"


cells = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(cells, max_size=6), max_size=8), st.sampled_from(",;\t"))
def test_no_row_is_ever_lost(table: list[list[str]], delimiter: str) -> None:
    """Whatever stands in the lines (quotes and all), the good rows before and after are read."""
    good = f"118.8{delimiter}31.3{delimiter}0101\n"
    middle = "".join(delimiter.join(row).replace("\r", "").replace("\n", "") + "\n" for row in table)
    found = rows(f"lon{delimiter}lat{delimiter}matter\n{good}{middle}{good * 3}")
    assert isinstance(found[0].outcome, Draft)
    assert isinstance(found[-1].outcome, Draft)
    numbers = [row.number for row in found]
    assert numbers == sorted(set(numbers))
    filled = sum(1 for row in table if any(delimiter.join(row).split(delimiter)))
    assert len(found) <= filled + 4


def test_the_header_in_either_language_and_with_units() -> None:
    text = "GPS经度（GCJ-02）；纬度 (°)；事项编号；发现时间；定位精度(米)；来源；联系电话；备注；描述".replace(
        "；", "\t"
    )
    line = "118.88\t31.33\t0101\t2025-11-26 09:00\t40\t网格员\t13900000000\t备注\t描述\n"
    one = draft(rows(f"{text}\n{line}")[0])
    assert one.datum is Datum.GCJ02
    assert one.accuracy_m == 40
    assert one.source is Source.GRID_WORKER
    assert one.contact == {"phone": "13900000000"}
    assert one.text == "描述"
    assert one.seen_at == NINE


def test_columns_that_are_missing_or_there_twice() -> None:
    with pytest.raises(MissingColumn) as missing:
        rows("lon,matter\n1,2\n")
    assert missing.value.facts["column"] == "lat"
    with pytest.raises(UnreadableFile):
        rows("lon,经度,lat,matter\n1,1,2,3\n")
    assert draft(rows("x,y,经度,纬度,事项\n5000,6000,118.8,31.3,0101\n")[0]).lon == 118.8
    assert draft(rows("经度,纬度,x,y,事项\n118.8,31.3,5000,6000,0101\n")[0]).lon == 118.8


def test_ids() -> None:
    given_id = "0b8f5c9e-9d43-4c28-9b0e-0f6a9c2b7d11"
    found = rows(f"编号,lon,lat,matter\n{given_id},118.8,31.3,0101\n17,118.8,31.3,0101\n")
    assert str(draft(found[0]).id) == given_id
    assert draft(found[1]).id is None
    assert found[1].notes == ("id_not_uuid",)


# --- cells --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "2025-11-26T09:00:00+08:00",
        "2025-11-26T01:00:00Z",
        "2025-11-26 09:00",
        "2025/11/26 9:00",
        "2025.11.26 09:00:00",
        "2025年11月26日 09:00",
        "2025年11月26日9时0分0秒",
        "2025年11月26日 上午9:00",
        "2025-11-26 9:00 AM",
        "２０２５／１１／２６　９：００",
        "45987.375",
        " 45987.3750000001 ",
    ],
)
def test_times(text: str) -> None:
    assert fields.instant(text, SHANGHAI) == NINE


def test_afternoon_and_midnight() -> None:
    assert fields.instant("2025年11月26日 下午3:05", SHANGHAI) == NINE + timedelta(hours=6, minutes=5)
    assert fields.instant("2025-11-26", SHANGHAI) == NINE - timedelta(hours=9)
    assert fields.instant("45987", SHANGHAI) == NINE - timedelta(hours=9)
    assert fields.instant("2025-11-26 12:05 AM", SHANGHAI) == NINE - timedelta(hours=8, minutes=55)


@pytest.mark.parametrize(
    "text", ["11/26/2025", "2025-13-01", "2025-02-30", "9:05", "昨天", "1732582800", "12.5", "2025-11-26 25:00", "-1"]
)
def test_times_that_could_mean_anything(text: str) -> None:
    with pytest.raises(InvalidInput):
        fields.instant(text, SHANGHAI)


@given(st.integers(20_000 * 1440, 80_000 * 1440 - 1))
def test_excel_days_are_the_wall_clock(minutes: int) -> None:
    wall = datetime(1899, 12, 30) + timedelta(minutes=minutes)  # noqa: DTZ001
    zone = ZoneInfo("Etc/GMT-8")
    assert fields.instant(repr(minutes / 1440), zone) == wall.replace(tzinfo=zone)
    assert fields.instant(wall.strftime("%Y/%m/%d %H:%M"), zone) == wall.replace(tzinfo=zone)


@given(st.floats(-180, 180))
def test_numbers_come_back_exactly(value: float) -> None:
    assert fields.number(repr(value), "lon") == value


@pytest.mark.parametrize("text", ["nan", "inf", "1e999", "1_000", "118,9", "118°52'", "", "一百", "0x1F", "1 2"])
def test_numbers_that_are_none(text: str) -> None:
    with pytest.raises(InvalidInput):
        fields.number(text, "lon")


def matters() -> fields.Matters:
    classes = [MatterClass("01", "市容", "Appearance"), MatterClass("05", "街面", "Street")]

    def one(number: str, name: str) -> Matter:
        return Matter(number, name, f"{name} en", "D", "", 3, 72, on_water=False)

    return fields.Matters(classes, [one("0101", "搭建"), one("0501", "游商"), one("1010", "重名"), one("2010", "重名")])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0101", ("0101", None)),
        ("101", ("0101", "matter_zeros_restored")),
        ("101.0", ("0101", "matter_zeros_restored")),
        ("０１０１", ("0101", None)),
        ("1010", ("1010", None)),
        ("1", ("01", "matter_zeros_restored")),
        ("搭建", ("0101", "matter_by_name")),
        (" 搭建 ", ("0101", "matter_by_name")),
        ("街面", ("05", "matter_by_name")),
        ("搭建 EN", ("0101", "matter_by_name")),
    ],
)
def test_matters(text: str, expected: tuple[str, str | None]) -> None:
    assert matters().read(text) == expected


def test_matters_that_are_none_or_two() -> None:
    for text in ("00101", "0102", "搭", "0"):
        with pytest.raises(UnknownMatter):
            matters().read(text)
    for text in ("重名", ""):
        with pytest.raises(InvalidInput):
            matters().read(text)


def test_zeros_that_could_come_from_two_codes_are_not_guessed() -> None:
    both = fields.Matters(
        [MatterClass("05", "甲", "A")],
        [Matter("0005", "乙", "B", "D", "", 3, 72, on_water=False)],
    )
    with pytest.raises(InvalidInput, match="0005、05"):
        both.read("5")


def test_what_the_draft_refuses_is_said_in_both_languages() -> None:
    (row,) = rows(f"lon,lat,matter,text\n118.8,31.3,0101,{'长' * 4001}\n")
    assert code(row) == "invalid_input"
    assert isinstance(row.outcome, InvalidInput)
    assert "4000" in row.outcome.text("zh")
    assert "4000" in row.outcome.text("en")


# --- GeoJSON ------------------------------------------------------------------------------------------------------


def collection(*features: object, **more: object) -> str:
    return json.dumps({"type": "FeatureCollection", "features": features, **more})


def point(lon: object, lat: object, **properties: object) -> dict[str, object]:
    return {"type": "Feature", "geometry": {"type": "Point", "coordinates": [lon, lat]}, "properties": properties}


def test_geojson_rows() -> None:
    found = rows(
        collection(
            point(118.8, 31.3, 事项="0101", 精度=12.5, text="甲"),
            {"type": "Feature", "geometry": {"type": "LineString", "coordinates": [[1, 2], [3, 4]]}, "properties": {}},
            point(True, 31.3, 事项="0101"),
            "nonsense",
            {"type": "Feature", "geometry": None, "properties": []},
            point(118.8, 31.3, 事项="0101", text="\x00"),
            point(118.8, 31.3, 事项="0101", text="\ud800"),
            point(118, 31, 事项=101),
        )
    )
    assert [row.number for row in found] == list(range(1, 9))
    assert draft(found[0]).accuracy_m == 12.5
    assert draft(found[7]).matter == "0101"
    assert {code(row) for row in found[1:7]} == {"invalid_input"}


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"type": "Feature"}',
        collection(point(1, 2), crs={"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4549"}}),
        '{"type": "FeatureCollection", "features": [NaN]}',
        "[" * 100_000,
    ],
)
def test_geojson_that_is_none(text: str) -> None:
    with pytest.raises(UnreadableFile):
        rows(text)


def test_geojson_without_features() -> None:
    with pytest.raises(EmptyFile):
        rows(collection())
