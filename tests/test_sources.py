"""Other systems' reports: signed, known by their own number, placed by what they say, answered when they are over."""

from __future__ import annotations

import base64
import csv
import io
import json
import math
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import psycopg
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from typer.testing import CliRunner

from dispatch import district, signing
from dispatch.cli import app
from dispatch.database import DATABASE, Running
from dispatch.errors import DomainError, UnknownSource, UnreadableFile
from dispatch.ground import prepare
from dispatch.settings import Settings
from dispatch.sources import message
from dispatch.sources.adapt import Adapter
from dispatch.sources.forms import COMMON, FORMS, form_of
from dispatch.sources.placing import LAYERS, MOST_M, Places
from geo.sight import Sight, ahead_of, metres_between
from tests.life import do, done, verified, walk
from tests.sample import sample
from tests.serving import serving_on
from tests.small_district import feature, square, write_features, write_small_district

KEY = bytes(range(32))
SECRET = f"whsec_{base64.b64encode(KEY).decode()}"
OTHER = f"whsec_{base64.b64encode(bytes(32)).decode()}"
NAMES = ("12345", "video", "patrol")
Json = dict[str, Any]
DAY = (datetime.now(ZoneInfo("Asia/Shanghai")) - timedelta(days=2)).date()
"""When things were seen."""


def folder_with_sources(folder: Path) -> Path:
    """The small district with two communities (of one name in each township one), cameras, and a table of theirs."""
    write_small_district(folder)
    manifest = folder / "district.toml"
    manifest.write_text(
        manifest.read_text("utf-8")
        + '\n[[layers]]\nname = "community"\nfile = "communities.geojson"\nlabel = "社区"\nlabel_en = "Communities"\n'
        'cover = "disjoint"\nparent = "township"\nreal = false\nsource = "tests"\n',
        "utf-8",
    )
    write_features(
        folder / "communities.geojson",
        feature(square(120.0, 30.0, 120.05, 30.05), code="C1", name="河滨社区", parent="990001001"),
        feature(square(120.06, 30.0, 120.1, 30.05), code="C2", name="河滨社区", parent="990001002"),
        feature(square(120.06, 30.06, 120.1, 30.1), code="C3", name="东风村", parent="990001002"),
    )
    (folder / "cameras.csv").write_text(
        "code,name,name_en,lon,lat,bearing_deg,fov_deg,range_m\nCAM1,路口东,Crossing,120.02,30.05,90,60,100\n", "utf-8"
    )
    (folder / "source_matters.csv").write_text(
        "code,source,theirs,matter,note\nM1,hotline_12345,违法建设,0101,\nM2,video,illegal_building,0101,\n", "utf-8"
    )
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folder_with_sources(tmp_path_factory.mktemp("sources") / "small")


@pytest.fixture(scope="module")
def served(postgis: Running, folder: Path) -> Iterator[tuple[str, str]]:
    """(database's address, server's address)."""
    with psycopg.connect(postgis.conninfo("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE sources TEMPLATE {DATABASE}")
    url = postgis.url_of("sources")
    chosen = Settings(database_url=url, district=folder, source_secrets={name: [OTHER, SECRET] for name in NAMES})
    with serving_on(chosen, prepare(district.load(folder))) as address:
        yield url, address


@pytest.fixture
def http(served: tuple[str, str]) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served[1], timeout=30) as made:
        yield made


def send(http: httpx.Client, source: str, said: Json | bytes, key: bytes = KEY, **more: str) -> httpx.Response:
    body = said if isinstance(said, bytes) else json.dumps(said, ensure_ascii=False).encode()
    headers = signing.headers([key], "msg_1", datetime.now(UTC), body) | more
    return http.post(f"/api/sources/{source}", content=body, headers=headers)


def told(http: httpx.Client, source: str, since: str | None = None, limit: int = 100) -> Json:
    target = f"/api/sources/{source}/answers?limit={limit}" + (f"&since={since}" if since else "")
    headers = signing.headers([KEY], "ask", datetime.now(UTC), target.encode())
    return done(http.get(target, headers=headers))


TICKET = {
    "工单编号": "GZ20261123001",
    "诉求分类": "城市管理/违法建设",
    "诉求内容": "有人搭棚",
    "经度": 120.02,
    "纬度": 30.05,
}


def test_a_ticket_is_a_report_once(http: httpx.Client) -> None:
    first = send(http, "12345", {**TICKET, "来电人": "某先生", "联系电话": "000"})
    assert first.status_code == 201, first.text
    made = first.json()
    assert (made["ref"], made["known"], made["changed"], made["team"]["code"]) == ("GZ20261123001", False, False, "T1")
    again = send(http, "12345", {**TICKET, "来电人": "某先生", "联系电话": "000"})
    assert (again.status_code, again.json()["case"]) == (200, made["case"])
    assert (again.json()["known"], again.json()["changed"]) == (True, False)
    other = send(http, "12345", {**TICKET, "诉求内容": "补充：又搭了一间"})
    assert (other.status_code, other.json()["case"], other.json()["changed"]) == (200, made["case"], True)
    whole = done(http.get(f"/api/cases/{made['case']}"))
    assert (whole["source"], whole["source_ref"], whole["report"]["source_ref"]) == (
        "hotline_12345",
        *["GZ20261123001"] * 2,
    )
    assert whole["report"]["has_contact"]
    assert whole["text"] == "有人搭棚"


def test_the_number_of_one_source_is_not_anothers(http: httpx.Client) -> None:
    said = {"ref": "7", "matter": "0101", "lon": 120.02, "lat": 30.05}
    one = send(http, "12345", said)
    two = send(http, "patrol", {**said, "unit": "T1-V1"})
    three = send(http, "patrol", {**said, "unit": "T2-V1"})
    assert [one.status_code, two.status_code, three.status_code] == [201, 201, 201]
    assert len({each.json()["case"] for each in (one, two, three)}) == 3
    assert (two.json()["ref"], three.json()["ref"]) == ("T1-V1/7", "T2-V1/7")


def test_a_report_of_a_device_does_not_pass_for_a_ticket(http: httpx.Client) -> None:
    taken = str(form_of("12345").report_id("taken"))
    sent = {"id": taken, "lon": 120.02, "lat": 30.05, "matter": "0101", "source": "hotline_12345"}
    assert http.post("/api/reports", json=sent).status_code == 201
    assert http.post("/api/reports", json={**sent, "source_ref": "x"}).status_code == 422
    refused = send(http, "12345", {**TICKET, "工单编号": "taken"})
    assert (refused.status_code, refused.json()["code"]) == (409, "report_conflicts")


@pytest.mark.parametrize(
    ("more", "team", "middle"),
    [
        ({"社区": "C1"}, "T1", (120.025, 30.025)),
        ({"社区": "东风村"}, "T2", (120.08, 30.08)),
        ({"社区": "河滨社区", "街道": "东镇"}, "T2", (120.08, 30.025)),
        ({"诉求地址": "小区东镇河滨社区二号楼前"}, "T2", (120.08, 30.025)),
        ({"街道": "西镇"}, "T1", (120.025, 30.05)),
    ],
)
def test_a_ticket_without_a_position_lies_in_the_zone_it_names(
    http: httpx.Client, more: Json, team: str, middle: tuple[float, float]
) -> None:
    said = {"工单编号": f"zone {more}", "诉求分类": "0101", **more}
    made = send(http, "12345", said)
    assert made.status_code == 201, made.text
    whole = done(http.get(f"/api/cases/{made.json()['case']}"))
    assert whole["team"] == team
    assert (whole["lon"], whole["lat"]) == pytest.approx(middle, abs=1e-3)
    assert 2500 < whole["accuracy_m"] < 7000
    assert "placed_by_zone" in whole["notes"]
    why = done(http.get(f"/api/cases/{made.json()['case']}/why"))
    assert "误差为能盖住该区域的半径" in json.dumps(why["zh"], ensure_ascii=False)
    assert why["decision"]["facts"]["placed_by"] in json.dumps(why["en"], ensure_ascii=False)


@pytest.mark.parametrize(
    ("source", "change", "code"),
    [
        ("12345", {"经度": None, "纬度": None}, "place_not_said"),
        ("12345", {"经度": None, "纬度": None, "社区": "河滨社区"}, "place_ambiguous"),
        ("12345", {"经度": 30.05, "纬度": 120.02}, "coordinates_swapped"),
        ("12345", {"诉求分类": "别的"}, "unknown_matter"),
        ("12345", {"工单编号": ""}, "invalid_input"),
        ("12345", {"工单编号": 1e30}, "invalid_input"),
        ("12345", {"工单编号": ["a"]}, "invalid_input"),
        ("12345", {"诉求内容": "a\x00b"}, "invalid_input"),
        ("12345", {"诉求内容": "长" * 5000}, "invalid_input"),
        ("video", {"camera": "none", "time": f"{DAY} 09:00", "event_class": "0101"}, "unknown_camera"),
        ("video", {"camera": "CAM1", "event_class": "0101"}, "invalid_input"),
        ("patrol", {"unit": "nobody", "ref": "1", "matter": "0101"}, "unit_not_listed"),
    ],
)
def test_what_cannot_be_understood_is_refused_by_name(http: httpx.Client, source: str, change: Json, code: str) -> None:
    base = {**TICKET, "工单编号": "refused"} if source == "12345" else {}
    refused = send(http, source, {**base, **change})
    status = 404 if code == "unit_not_listed" else 422
    assert (refused.status_code, refused.json()["code"]) == (status, code), refused.text


@pytest.mark.parametrize(
    ("body", "status"), [(b"", 422), (b"[]", 422), (b"{", 422), (b'{"a": NaN}', 422), (b" " * 300_000, 413)]
)
def test_what_is_no_message_is_refused(http: httpx.Client, body: bytes, status: int) -> None:
    assert send(http, "12345", body).status_code == status


def test_only_who_knows_the_secret_is_heard(http: httpx.Client) -> None:
    def refused(answer: httpx.Response) -> tuple[int, str]:
        return answer.status_code, answer.json()["code"]

    body = json.dumps(TICKET).encode()
    now = datetime.now(UTC)
    right = signing.headers([KEY], "m", now, body)

    def post(headers: Json, source: str = "12345", sent: bytes = body) -> httpx.Response:
        return http.post(f"/api/sources/{source}", content=sent, headers=headers)

    assert refused(post({})) == (401, "signature_missing")
    assert refused(post({**right, signing.TIMESTAMP: "now"})) == (401, "signature_missing")
    assert refused(post(right, sent=body + b" ")) == (401, "signature_wrong")
    assert refused(post({**right, signing.ID: "other"})) == (401, "signature_wrong")
    assert refused(post(signing.headers([bytes(reversed(KEY))], "m", now, body))) == (401, "signature_wrong")
    for off in (-400, 400):
        stale = signing.headers([KEY], "m", now + timedelta(seconds=off), body)
        assert refused(post(stale)) == (401, "signature_stale")
    assert refused(post(right, "digital_city")) == (403, "source_not_set_up")
    assert refused(post(right, "weather")) == (404, "unknown_source")
    wrong_query = "/api/sources/12345/answers?limit=2"
    signed = signing.headers([KEY], "m", now, b"/api/sources/12345/answers?limit=3")
    assert refused(http.get(wrong_query, headers=signed)) == (401, "signature_wrong")


def test_a_camera_reports_the_middle_of_what_it_sees(http: httpx.Client) -> None:
    said = {"camera_id": "CAM1", "event_class": "illegal_building", "time": f"{DAY} 09:00:00"}
    made = send(http, "video", said)
    assert made.status_code == 201, made.text
    assert made.json()["ref"] == f"CAM1/illegal_building/{DAY}T01:00:00+00:00"
    case = done(http.get(f"/api/cases/{made.json()['case']}"))
    assert case["accuracy_m"] == 58  # 100 m over twice the cosine of 30 degrees
    assert case["lon"] > 120.02
    assert "placed_by_camera" in case["notes"]
    assert send(http, "video", said).status_code == 200
    exact = send(http, "video", {**said, "event_id": "E1", "bearing_deg": 0, "distance_m": 80})
    there = done(http.get(f"/api/cases/{exact.json()['case']}"))
    assert (there["lon"], there["accuracy_m"]) == (pytest.approx(120.02), 30)
    assert there["lat"] == pytest.approx(30.05 + 80 / 110_900, abs=1e-5)
    for half in ({"bearing_deg": 5}, {"distance_m": 5}, {"bearing_deg": 5, "distance_m": 101}):
        assert send(http, "video", {**said, "event_id": "E2", **half}).status_code == 422


def test_a_source_is_answered_when_its_tickets_are_over(http: httpx.Client, served: tuple[str, str]) -> None:
    start = told(http, "patrol")["next"]
    cases = {
        ref: send(http, "patrol", {"unit": "T1-V1", "ref": ref, "matter": "0101", "lon": 120.02, "lat": 30.05}).json()[
            "case"
        ]
        for ref in ("a", "b", "c")
    }
    assert told(http, "patrol", start)["items"] == []
    done(do(http, cases["b"], "merge", into=cases["a"]))
    done(do(http, cases["c"], "cancel", note="重复"))
    walk(http, cases["a"], "accept", "arrive", "handle", "close")
    expected = [
        ("T1-V1/b", "merge", "merged", cases["a"]),
        ("T1-V1/c", "cancel", "cancelled", None),
        ("T1-V1/a", "handle", "handled", None),
        ("T1-V1/b", "handle", "handled", cases["a"]),
        ("T1-V1/a", "close", "closed", None),
        ("T1-V1/b", "close", "closed", cases["a"]),
    ]
    found = told(http, "patrol", start)
    assert [(one["ref"], one["action"], one["state"], one["into"]) for one in found["items"]] == expected
    assert [one["case"] for one in found["items"]][:2] == [cases["b"], cases["c"]]
    assert told(http, "patrol", found["next"])["items"] == []
    page, at = [], start
    while items := (one := told(http, "patrol", at, limit=1))["items"]:
        page += items
        at = one["next"]
    assert page == found["items"]
    assert {one["ref"] for one in told(http, "12345")["items"]} & {one["ref"] for one in found["items"]} == set()
    again = send(http, "patrol", {"unit": "T1-V1", "ref": "d", "matter": "0101", "lon": 120.02, "lat": 30.05})
    case = again.json()["case"]
    done(do(http, case, "reassign", team="T2", note="还没有办"))
    walk(http, case, "accept", "arrive", "handle")
    done(do(http, case, "reassign", team="T2", note="说是办了，并没有"))
    after = told(http, "patrol", found["next"])["items"]
    assert [(one["action"], one["state"]) for one in after] == [("handle", "handled"), ("reassign", "assigned")]
    assert verified(served[0])[0]


def test_the_number_is_sealed_and_unique(served: tuple[str, str], http: httpx.Client) -> None:
    made = send(http, "12345", {**TICKET, "工单编号": "sealed"}).json()["case"]
    with psycopg.connect(served[0].replace("+psycopg", ""), autocommit=True) as connection:
        change = "UPDATE report SET source_ref = %s WHERE source_ref = %s"
        connection.execute("ALTER TABLE report DISABLE TRIGGER USER")
        connection.execute(change, ["forged", "sealed"])
        passed, figures = verified(served[0])
        connection.execute(change, ["sealed", "forged"])
        connection.execute("ALTER TABLE report ENABLE TRIGGER USER")
    assert not passed
    assert [one["case"] for one in figures["breaks"]] == [made]
    assert verified(served[0])[0]


# --- files ------------------------------------------------------------------------------------------------------------

HEADER = ["序号", "工单编号", "来电时间", "诉求分类", "诉求内容", "社区", "经度", "纬度", "来电人", "联系电话", "备注"]


def exported(path: Path, *rows: list[object]) -> Path:
    """A workbook as such systems write it: a title over all columns, then the header."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["12345工单导出（示意）"])
    sheet.merge_cells(start_row=1, end_row=1, start_column=1, end_column=len(HEADER))
    sheet.append(HEADER)
    for row in rows:
        sheet.append(row)
    book.save(path)
    return path


def imported(served: tuple[str, str], folder: Path, file: Path, *more: str) -> tuple[int, Json, list[Json]]:
    """Exit code, figures, and what became of each row."""
    environment = {
        "ONEGRID_DATABASE_URL": served[0],
        "ONEGRID_DISTRICT": str(folder),
        "ONEGRID_DATA_DIR": str(file.parent),
    }
    done = CliRunner().invoke(
        app, ["sources", "import", str(file), "--source", "12345", "--json", *more], env=environment
    )
    assert done.exception is None or isinstance(done.exception, SystemExit), (done.output, done.exception)
    report = file.with_name(f"{file.name}.report.csv")
    rows = list(csv.DictReader(io.StringIO(report.read_text("utf-8-sig"))))
    return done.exit_code, json.loads(done.stdout)["figures"], rows


def test_an_export_is_taken_in_row_by_row_and_once(
    served: tuple[str, str], http: httpx.Client, folder: Path, tmp_path: Path
) -> None:
    when = datetime.combine(DAY, time(9, 5))  # as Excel has it, without a zone
    rows: list[list[object]] = [
        [1, "X001", when, "违法建设", "搭棚", None, 120.02, 30.05, "某先生", "000", None],
        [2, "X002", f"{DAY:%Y/%m/%d} 10:00", "城市管理-违法建设", "搭墙", "东风村", None, None, None, None, None],
        [3, "X003", f"{DAY} 10:00", "0101", "无处可寻", None, None, None, None, None, None],
        [4, "X004", f"{DAY} 10:00", "天气", "看不懂", None, 120.02, 30.05, None, None, None],
        [5, 1234567890123456, when, "0101", "号码被改", None, 120.02, 30.05, None, None, None],
        [6, "X001", when, "违法建设", "搭棚", None, 120.02, 30.05, "某先生", "000", None],
        [7, "X007", "昨天", "0101", "时间不明", None, 120.02, 30.05, None, None, None],
        [8, None, when, "0101", "没有编号", None, 120.02, 30.05, None, None, None],
    ]
    file = exported(tmp_path / "export.xlsx", *rows)
    code, figures, told = imported(served, folder, file)
    assert code == 1
    assert (figures["rows"], figures["new"], figures["known"], figures["changed"], figures["refused"]) == (
        8,
        2,
        1,
        0,
        5,
    )
    assert [(int(one["row"]), one["outcome"], one["code"]) for one in told] == [
        (3, "new", ""),
        (4, "new", ""),
        (5, "refused", "place_not_said"),
        (6, "refused", "unknown_matter"),
        (7, "refused", "invalid_input"),
        (8, "known", ""),
        (9, "refused", "invalid_input"),
        (10, "refused", "invalid_input"),
    ]
    assert (told[0]["case"], told[0]["team"], told[1]["team"]) == (told[5]["case"], "T1", "T2")
    case = done(http.get(f"/api/cases/{told[0]['case']}"))
    assert (case["source_ref"], case["seen_at"][:16]) == ("X001", f"{DAY}T01:05")
    rows[0][4] = "搭棚，又搭了一间"
    _, again, told = imported(served, folder, exported(tmp_path / "again.xlsx", *rows[:2]))
    assert [again[name] for name in ("new", "known", "changed", "refused")] == [0, 1, 1, 0]
    assert told[0]["outcome"] == "changed"
    assert done(http.get(f"/api/cases/{told[0]['case']}"))["text"] == "搭棚"
    # The same by webhook is the same, too.
    assert (
        send(http, "12345", {"ref": "X002", "matter": "违法建设", "text": "搭墙", "community": "东风村"}).status_code
        == 200
    )


def test_an_export_as_csv_in_gbk(served: tuple[str, str], folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "export.csv"
    file.write_bytes("工单号,问题类型,内容,经度,纬度\nG1,0101,示意,120.02,30.05\nG2,0101,少一列,120.02\n".encode("gbk"))
    code, figures, told = imported(served, folder, file)
    assert (code, figures["new"], figures["refused"]) == (1, 1, 1)
    assert [(int(one["row"]), one["outcome"]) for one in told] == [(2, "new"), (3, "refused")]
    file.write_text("编号,名称\n1,x\n", "utf-8")
    result = CliRunner().invoke(
        app,
        ["sources", "import", str(file), "--source", "12345"],
        env={"ONEGRID_DATABASE_URL": served[0], "ONEGRID_DISTRICT": str(folder), "ONEGRID_DATA_DIR": str(tmp_path)},
    )
    assert isinstance(result.exception, UnreadableFile)
    assert isinstance(
        CliRunner().invoke(app, ["sources", "import", str(file), "--source", "x"]).exception, UnknownSource
    )


# --- the folder -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "row", "code"),
    [
        ("cameras.csv", "CAM2,外,Out,121.5,30.05,0,60,100", "camera_outside"),
        ("cameras.csv", "CAM2,坏,Bad,120.02,30.05,0,0,100", "bad_value"),
        ("cameras.csv", "CAM2,坏,Bad,nan,30.05,0,60,100", "bad_value"),
        ("cameras.csv", "CAM1,重,Twice,120.02,30.05,0,60,100", "duplicate_code"),
        ("source_matters.csv", "M3,video,other,9999,", "unknown_reference"),
        ("source_matters.csv", "M3,video,illegal_building,0101,", "duplicate_code"),
        ("source_matters.csv", "M3,radio,other,0101,", "bad_value"),
    ],
)
def test_what_is_wrong_in_the_folder_is_named(tmp_path: Path, file: str, row: str, code: str) -> None:
    broken = folder_with_sources(tmp_path / "small")
    assert district.check(broken) == []
    with (broken / file).open("a", encoding="utf-8") as table:
        table.write(f"{row}\n")
    assert [finding.code for finding in district.check(broken)] == [code]


# --- pure -------------------------------------------------------------------------------------------------------------

CAMERAS = st.builds(
    Sight,
    lon=st.floats(100, 125),
    lat=st.floats(-60, 60),
    bearing_deg=st.floats(0, 360),
    fov_deg=st.floats(0.5, 360),
    range_m=st.floats(1, 5000),
)


@given(CAMERAS, st.floats(-1, 1), st.floats(0, 1))
def test_the_circle_covers_all_that_a_camera_sees(sight: Sight, aside: float, far: float) -> None:
    lon, lat, radius = sight.middle()
    seen = ahead_of(sight.lon, sight.lat, sight.bearing_deg + aside * sight.fov_deg / 2, far * sight.range_m)
    assert metres_between(lon, lat, *seen) <= radius * 1.001 + 0.01
    assert metres_between(lon, lat, sight.lon, sight.lat) <= radius * 1.001 + 0.01
    assert radius <= sight.range_m * 1.001


@given(st.text(max_size=40), st.text(max_size=40))
def test_ids_follow_from_source_and_number(one: str, other: str) -> None:
    ids = {(form.name, ref): form.report_id(ref) for form in FORMS.values() for ref in (one, other)}
    assert len(set(ids.values())) == len(ids)


SAID = st.dictionaries(
    st.sampled_from(sorted({name for form in FORMS.values() for name in {**COMMON, **form.fields}})),
    st.one_of(st.text(max_size=30), st.sampled_from(["0101", "120.02", "30.05", "C1", "河滨社区", "CAM1", "T1-V1"])),
)


@pytest.fixture(scope="module")
def adapter(folder: Path) -> Adapter:
    return Adapter(district.load(folder))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(source=st.sampled_from(sorted(FORMS)), said=SAID)
def test_whatever_comes_is_a_report_or_a_refusal_by_name(adapter: Adapter, source: str, said: dict[str, str]) -> None:
    form = FORMS[source]
    try:
        draft = message.read(json.dumps(said).encode(), form, adapter)
    except DomainError:
        return
    assert draft.source is form.source
    assert draft.id == form.report_id(draft.source_ref)
    assert draft == message.read(json.dumps(said).encode(), form, adapter)


def test_a_zones_circle_lies_in_it_and_covers_it() -> None:
    whole = sample()
    places = Places(whole)
    for layer in LAYERS:
        for zone in whole.layers[layer].zones[:: 25 if layer == "grid" else 5 if layer == "community" else 1]:
            spot = places.zone({layer: zone.code})
            assert spot == places.zone({layer: zone.name, "township": zone.code[:9]}), zone.code
            assert spot.placed_by == ("placed_by_zone", zone.name)
            assert shapely.contains_xy(zone.geometry, spot.lon, spot.lat)
            corners = shapely.get_coordinates(zone.geometry)
            farthest = max(metres_between(spot.lon, spot.lat, *corner) for corner in corners.tolist())
            assert spot.accuracy_m == min(math.ceil(farthest) + 1, MOST_M)
