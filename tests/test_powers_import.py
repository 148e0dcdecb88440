"""The power list imported: whatever shape a list has, the same items; whatever is not understood, named."""

from __future__ import annotations

import csv
import io
import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from typer.testing import CliRunner

from dispatch.bench.made_powers import ITEMS, departments, made_powers
from dispatch.cli import app
from dispatch.errors import EmptyFile, UnreadableFile
from dispatch.importing.powers.bases import parse_bases
from dispatch.importing.powers.cells import Known
from dispatch.importing.powers.fault import CellFault
from dispatch.importing.powers.report import WHY, What
from dispatch.importing.powers.run import import_powers
from dispatch.powers.model import Basis, Power, PowerKind, Procedure, Tier
from tests.power_sheets import KNOWN, Shape, as_csv, as_workbook, laid_out, power_lists, shapes

ENCODINGS = ("utf-8", "utf-8-sig", "gb18030")
HEADER = ("编码", "名称", "部门", "类别", "依据", "裁量基准", "程序", "对应事项", "执法队伍", "赋权")
GOOD = (
    "A001",
    "擅自占用道路的处罚",
    "城市管理局",
    "行政处罚",
    "《示意条例》第十条",
    "一般：警告",
    "普通程序",
    "0501",
    "专业",
    "是",
)


def sheet(*rows: tuple[str, ...], header: tuple[str, ...] = HEADER) -> bytes:
    """A CSV of these rows."""
    return as_csv([list(header), *map(list, rows)], "utf-8")


def good(**other: str) -> tuple[str, ...]:
    """A row that is right but for what is named, by the English name of its column."""
    names = ("code", "name", "department", "kind", "bases", "tiers", "procedure", "matters", "team_kinds", "delegated")
    return tuple(other.get(name, cell) for name, cell in zip(names, GOOD, strict=True))


# --- round trips ----------------------------------------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(powers=power_lists(), shape=shapes, encoding=st.sampled_from(ENCODINGS))
def test_a_csv_of_any_shape_gives_the_same_items(powers: list[Power], shape: Shape, encoding: str) -> None:
    grid, _ = laid_out(powers, shape)
    done = import_powers(as_csv(grid, encoding), KNOWN)
    assert [one.text("en") for one in done.refused] == []
    assert list(done.powers) == powers


@settings(max_examples=30, deadline=None)
@given(powers=power_lists(), shape=shapes)
def test_a_workbook_of_any_shape_gives_the_same_items(powers: list[Power], shape: Shape) -> None:
    done = import_powers(as_workbook(*laid_out(powers, shape)), KNOWN)
    assert [one.text("en") for one in done.refused] == []
    assert list(done.powers) == powers


def test_the_whole_list_at_its_real_size() -> None:
    powers = sorted(made_powers(), key=lambda power: power.department)
    assert len(powers) == ITEMS == 3882
    assert len({power.department for power in powers}) == 22
    assert all(power.made and "示意" in power.name for power in powers)
    codes = {code: code for power in powers for code in power.matters}
    shape = Shape(7, split=True, two_columns=True, merged_departments=True, wide=True, rubbish=False)
    done = import_powers(as_csv(laid_out(powers, shape, codes)[0], "gb18030"), Known(departments(), codes))
    assert not done.refused
    assert list(done.powers) == powers


# --- what is not understood -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "column", "why"),
    [
        (good(code=""), "编码", "missing"),
        (good(name=""), "名称", "missing"),
        (good(department=""), "部门", "missing"),
        (good(kind=""), "类别", "missing"),
        (good(department="城市管理局、水务局"), "部门", "unknown_department"),
        (good(department="林业局"), "部门", "unknown_department"),
        (good(kind="行政许可"), "类别", "unknown_kind"),
        (good(bases="根据有关规定"), "依据", "basis_not_understood"),
        (good(bases="《示意条例》10"), "依据", "basis_not_understood"),
        (good(bases="《示意|条例》第十条"), "依据", "reserved_sign"),
        (good(tiers="视情节处罚"), "裁量基准", "tier_not_understood"),
        (good(tiers="一般："), "裁量基准", "tier_not_understood"),
        (good(name="甲→乙的处罚"), "名称", "reserved_sign"),
        (good(procedure="听证程序"), "程序", "unknown_procedure"),
        (good(matters="占道经营"), "对应事项", "unknown_matter"),
        (good(matters="0501、9999"), "对应事项", "unknown_matter"),
        (good(team_kinds="城管"), "执法队伍", "unknown_team_kind"),
        (good(delegated="淳朴街道"), "赋权", "not_yes_or_no"),
    ],
)
def test_a_row_that_is_not_understood_is_named(row: tuple[str, ...], column: str, why: str) -> None:
    done = import_powers(sheet(row, good(code="A008", name="别的事项"), good(code="A009", name="第三项")), KNOWN)
    assert [(one.row, one.column, one.why) for one in done.refused] == [(2, column, why)]
    assert [power.code for power in done.powers] == ["A008", "A009"]


def test_every_fault_of_a_row_is_named_at_once() -> None:
    done = import_powers(sheet(good(kind="许可", matters="没有", delegated="也许")), KNOWN)
    assert {one.why for one in done.refused} == {"unknown_kind", "unknown_matter", "not_yes_or_no"}
    assert {one.row for one in done.refused} == {2}


def test_a_code_that_is_taken_is_refused_and_says_by_which_row() -> None:
    done = import_powers(sheet(good(), good(name="另一件事")), KNOWN)
    assert [(one.row, one.why, one.before) for one in done.refused] == [(3, "duplicate_code", "A001 (2)")]
    assert len(done.powers) == 1


def test_rows_of_one_item_must_not_contradict_each_other() -> None:
    done = import_powers(sheet(good(), good(kind="行政强制")), KNOWN)
    assert [(one.row, one.column, one.why) for one in done.refused] == [
        (3, "类别", "differs_within_item"),
        (2, "", "part_of_refused"),
    ]
    assert not done.powers


def test_a_row_that_belongs_to_nothing_is_named() -> None:
    blank = dict.fromkeys(("code", "name", "department", "kind", "bases", "procedure", "matters", "team_kinds"), "")
    stray = good(**blank, delegated="")
    done = import_powers(sheet(stray, good()), KNOWN)
    assert [(one.row, one.why) for one in done.refused] == [(2, "no_item_above")]
    assert len(done.powers) == 1


def test_a_tier_with_half_of_it_missing_is_named() -> None:
    header = ("编码", "名称", "部门", "类别", "违法情节", "裁量幅度")
    rows = [("A1", "甲事", "D01", "处罚", "轻微", ""), ("A2", "乙事", "D01", "处罚", "", "警告")]
    done = import_powers(sheet(*rows, header=header), KNOWN)
    assert [(one.row, one.column, one.why) for one in done.refused] == [
        (2, "裁量幅度", "tier_half"),
        (3, "违法情节", "tier_half"),
    ]


def test_an_unclosed_quote_costs_its_row() -> None:
    text = sheet(good(), good(code="A002", name="乙事")).decode() + '"A003,丙事\r\n'
    done = import_powers(text.encode(), KNOWN)
    assert [(one.row, one.why) for one in done.refused] == [(4, "unreadable")]
    assert len(done.powers) == 2


def workbook(*rows: tuple[object, ...], merged: tuple[str, ...] = (), header: tuple[str, ...] = HEADER) -> bytes:
    book = Workbook()
    page = book.active
    assert page is not None
    page.title = "清单"
    for row in (header, *rows):
        page.append(row)
    for span in merged:
        page.merge_cells(span)
    hidden = book.create_sheet("旧版")
    hidden.sheet_state = "hidden"
    book.create_sheet("说明").append(("本表为示意",))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (1234567890123456, "precision_lost"),
        ("#REF!", "error_value"),
        ("=A9&B9", "formula_without_value"),
        (date(2026, 3, 1), "date_for_text"),
    ],
)
def test_what_excel_did_to_a_code_is_named(value: object, why: str) -> None:
    done = import_powers(workbook((value, *GOOD[1:])), KNOWN)
    assert [(one.sheet, one.row, one.column, one.why) for one in done.refused] == [("清单", 2, "编码", why)]


def test_a_blank_cell_of_a_workbook_is_blank_unless_it_is_merged() -> None:
    second = good(code="A002", name="乙事", department="")
    assert [one.why for one in import_powers(workbook(GOOD, second), KNOWN).refused] == ["missing"]
    done = import_powers(workbook(GOOD, second, merged=("C2:C3",)), KNOWN)
    assert [power.department for power in done.powers] == ["D01", "D01"]


def test_cells_merged_over_two_columns_are_named() -> None:
    done = import_powers(workbook(GOOD, merged=("E2:F2",)), KNOWN)
    assert [(one.why, one.column) for one in done.refused] == [("merged_across", "裁量基准")]


def test_a_number_for_a_code_is_told_and_sheets_that_are_no_list_too() -> None:
    done = import_powers(workbook((1001, *GOOD[1:])), KNOWN)
    assert [power.code for power in done.powers] == ["1001"]
    told = {(one.what, one.sheet, one.why) for one in done.told}
    assert (What.NORMALISED, "清单", "number_as_text") in told
    assert (What.PASSED_OVER, "旧版", "hidden_sheet") in told
    assert (What.PASSED_OVER, "说明", "no_header") in told


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", EmptyFile),
        (b" \n ", EmptyFile),
        (b"PK\x03\x04 broken", UnreadableFile),
        (b"\xd0\xcf\x11\xe0 old", UnreadableFile),
        ("这里,没有,表头\n1,2,3\n".encode(), UnreadableFile),
        ("编码,名称,类别\nA1,甲,处罚\n".encode(), UnreadableFile),
        (b"\xff\xfe\x00\xd8", UnreadableFile),
    ],
)
def test_a_file_that_is_no_list_is_refused_whole(data: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        import_powers(data, KNOWN)


# --- what was normalised, and what was passed over ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "why", "after"),
    [
        (good(code="Ａ００１"), "spelling", "A001"),
        (good(name="擅自占用\n道路的 处罚"), "spelling", "擅自占用道路的处罚"),
        (good(department="某市某区城市管理局"), "department_by_ending", "D01"),
        (good(bases="示意条例第十条"), "law_without_marks", "《示意条例》第十条"),
        (good(bases="《示意条例》"), "without_article", "《示意条例》"),
        (good(bases="《示意条例》第十条：处罚款。"), "quotation_left_out", "《示意条例》第十条"),
        (good(bases="1.《示意条例》第十条"), "numbering_left_out", "《示意条例》第十条"),
        (
            good(bases="《示意条例》第十条第一款、第二款"),
            "article_completed",
            "《示意条例》第十条第一款|《示意条例》第十条第二款",
        ),
        (good(bases="《示意条例》第１０条"), "spelling", "《示意条例》第10条"),
        (good(bases="《示意条例》第十条；《示意条例》第十条"), "twice", "《示意条例》第十条"),
        (good(tiers="1.一般：警告"), "numbering_left_out", "一般→警告"),
        (good(procedure=""), "procedure_assumed", "general"),
    ],
)
def test_what_was_normalised_is_told(row: tuple[str, ...], why: str, after: str) -> None:
    done = import_powers(sheet(row), KNOWN)
    assert not done.refused
    told = [(one.row, one.why, one.after) for one in done.told if one.what is What.NORMALISED]
    assert told == [(2, why, after)]


def test_nothing_is_told_of_a_list_that_needed_nothing() -> None:
    assert not import_powers(sheet(good()), KNOWN).told


def test_blank_cells_of_a_csv_are_filled_and_rows_joined_and_told() -> None:
    more = ("", "", "", "", "《示意条例》第十二条", "严重：罚款", "", "", "", "")
    done = import_powers(sheet(good(), more, good(code="A002", name="乙事", department="", kind="")), KNOWN)
    first, second = done.powers
    assert first.bases == (Basis("示意条例", "第十条"), Basis("示意条例", "第十二条"))
    assert first.tiers == (Tier("一般", "警告"), Tier("严重", "罚款"))
    assert (second.department, second.kind) == ("D01", PowerKind.PENALTY)
    assert [(one.row, one.column, one.why) for one in done.told] == [
        (3, "", "continued"),
        (4, "部门", "filled_down"),
        (4, "类别", "filled_down"),
    ]


def test_titles_sections_totals_and_columns_that_are_not_ours_are_told() -> None:
    blank = [""] * 9
    grid = [
        ["某区权力清单", *blank],
        [*HEADER, "序号"],
        ["一、城市管理局（共2项）", *blank],
        list(GOOD),
        [*HEADER],
        ["注：本表为示意", *blank],
        ["合计", "1", *blank],
    ]
    done = import_powers(as_csv(grid, "utf-8"), KNOWN)
    assert len(done.powers) == 1
    assert [(one.what, one.row, one.why) for one in done.told] == [
        (What.PASSED_OVER, 1, "above_header"),
        (What.PASSED_OVER, 2, "column_not_read"),
        (What.PASSED_OVER, 3, "section"),
        (What.PASSED_OVER, 5, "header"),
        (What.PASSED_OVER, 6, "section"),
        (What.PASSED_OVER, 7, "section"),
    ]


def test_laws_and_articles_may_stand_in_columns_of_their_own() -> None:
    header = ("编码", "名称", "部门", "类别", "法律名称", "条款")
    rows = [("A1", "甲事", "D01", "处罚", "示意法", "第一条、第二条"), ("", "", "", "", "", "第三条"),
            ("", "", "", "", "《乙法》", "")]  # fmt: skip
    (power,) = import_powers(sheet(*rows, header=header), KNOWN).powers
    assert [basis.text() for basis in power.bases] == [
        "《示意法》第一条",
        "《示意法》第二条",
        "《示意法》第三条",
        "《乙法》",
    ]


def test_both_procedures_are_the_summary_one() -> None:
    (power,) = import_powers(sheet(good(procedure="普通程序/简易程序")), KNOWN).powers
    assert power.procedure is Procedure.SUMMARY


@pytest.mark.parametrize(
    ("text", "bases"),
    [
        (
            "《甲法》第十条、第十一条和第十二条，《乙法》第三条",
            "《甲法》第十条 《甲法》第十一条 《甲法》第十二条 《乙法》第三条",
        ),
        ("《甲法》第一条第一款第（一）项、第（二）项", "《甲法》第一条第一款第（一）项 《甲法》第一条第一款第（二）项"),
        ("（一）《甲法》第一条\n（二）《乙〈甲法〉办法》第二条之一", "《甲法》第一条 《乙〈甲法〉办法》第二条之一"),
        ("《甲法》第一条：违反第二条的，依照《丙法》第九条处罚。\n《乙法》第３条", "《甲法》第一条 《乙法》第3条"),
        ("《甲法》第一条：罚款；情节严重的，吊销。；《乙法》第二条", "《甲法》第一条 《乙法》第二条"),
        ("江苏省甲乙条例第十条、示意办法第二条", "《江苏省甲乙条例》第十条 《示意办法》第二条"),
    ],
)
def test_several_bases_in_one_cell(text: str, bases: str) -> None:
    assert " ".join(basis.text() for basis in parse_bases(text)[0]) == bases


@settings(max_examples=200, deadline=None)
@given(st.text("《》第条款项一二10（）()、；;：:\n 法条例甲.，之", max_size=30))
def test_a_basis_is_understood_or_refused_never_anything_else(text: str) -> None:
    try:
        found, notes = parse_bases(text)
    except CellFault:
        return
    assert len(set(found)) == len(found)
    assert set(notes) <= set(WHY)
    assert all(basis.law for basis in found)


# --- the command ------------------------------------------------------------------------------------------------------


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(one) for one in arguments])
    return result.exit_code, result.stdout


def test_the_command_writes_the_list_and_its_report(tmp_path: Path) -> None:
    source, out = tmp_path / "清单.csv", tmp_path / "powers.csv"
    district = Path(__file__).resolve().parents[1] / "data" / "grids" / "gaochun"
    source.write_bytes(sheet(good(), good(code="Ａ００２", name="乙事"), good(code="A003", kind="许可")))
    code, text = run("powers", "import", source, "-o", out, "--district", district, "--json")
    told = json.loads(text)
    assert (code, told["passed"], told["figures"]["items"]) == (1, False, 2)
    assert told["figures"]["refused"] == {"unknown_kind": 1}
    assert told["figures"]["normalised"] == {"spelling": 1}
    assert [(row["row"], row["column"]) for row in told["figures"]["rows_refused"]] == [(4, "类别")]
    assert [row["code"] for row in csv.DictReader(io.StringIO(out.read_text("utf-8")))] == ["A001", "A002"]
    report = list(csv.DictReader(io.StringIO(Path(f"{out}.report.csv").read_text("utf-8-sig"))))
    assert [(row["what"], row["row"], row["why"]) for row in report] == [
        ("normalised", "3", "spelling"),
        ("refused", "4", "unknown_kind"),
    ]
    source.write_bytes(sheet(good()))
    assert run("powers", "import", source, "-o", out, "--district", district)[0] == 0
