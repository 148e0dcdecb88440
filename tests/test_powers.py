"""The power list of a folder: read strictly, written back the same, asked by a case, checked; each fault planted."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from typer.testing import CliRunner

from dispatch import district as districts
from dispatch import power_file
from dispatch.bench.made_powers import made_powers
from dispatch.cli import app
from dispatch.comparison import compare
from dispatch.competence import PLACE_LAYERS, DecisionTable
from dispatch.errors import BrokenDistrict, UnknownPower
from dispatch.folder import Reading
from dispatch.model import TeamKind
from dispatch.power_check import check_powers, sent
from dispatch.powers.book import PowerList
from dispatch.powers.check import Lines, check
from dispatch.powers.model import Origin, Power
from tests.power_sheets import power_lists
from tests.sample import sample
from tests.small_district import write_small_district

FOLDER = Path(__file__).resolve().parents[1] / "data" / "grids" / "gaochun"


# --- the file -------------------------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(powers=power_lists())
def test_a_list_is_read_as_it_was_written(powers: list[Power], tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("list")
    (folder / "powers.csv").write_text(power_file.written(powers), encoding="utf-8")
    reading = Reading(folder)
    table = reading.table("powers.csv", power_file.COLUMNS)
    assert reading.findings == []
    assert list(power_file.power_list(table).values()) == sorted(powers, key=lambda power: power.code)


def test_a_folder_without_a_list_loads_and_its_version_is_of_what_is_there(tmp_path: Path) -> None:
    folder = tmp_path / "district"
    write_small_district(folder)
    loaded = districts.load(folder)
    assert dict(loaded.powers) == {}
    assert "powers.csv" not in loaded.contents
    (folder / "powers.csv").write_text(power_file.written([]), encoding="utf-8")
    assert districts.load(folder).version != loaded.version


SMALL = "P1,甲事的处罚,,D1,penalty,《示意法》第一条,轻微→警告|严重→罚款,general,0101,township,true,made"


def small(above: Path, *rows: str) -> Path:
    """The small district with this list; written again where it is there already."""
    folder = above / "district"
    if not folder.exists():
        above.mkdir(exist_ok=True)
        write_small_district(folder)
    text = "\n".join((",".join(power_file.COLUMNS), *rows)) + "\n"
    (folder / "powers.csv").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("was", "now", "code", "field"),
    [
        ("D1", "D9", "unknown_reference", "department"),
        ("0101", "0101|9999", "unknown_reference", "matters"),
        ("penalty", "fine", "bad_value", "kind"),
        ("《示意法》第一条", "示意法第一条", "bad_value", "bases"),
        ("《示意法》第一条", "《示意法》第一条|《示意法》第一条", "bad_value", "bases"),
        ("轻微→警告", "轻微", "bad_value", "tiers"),
        ("轻微→警告", "→警告", "bad_value", "tiers"),
        ("general", "both", "bad_value", "procedure"),
        ("township", "police", "bad_value", "team_kinds"),
        ("0101", "0101|", "bad_value", "matters"),
        (",true", ",yes", "bad_value", "delegated"),
        (",made", ",real", "bad_value", "origin"),
        ("甲事的处罚", "", "bad_value", "name"),
    ],
)
def test_a_folder_with_a_wrong_list_is_refused(tmp_path: Path, was: str, now: str, code: str, field: str) -> None:
    folder = small(tmp_path, SMALL.replace(was, now, 1))
    with pytest.raises(BrokenDistrict) as refused:
        districts.load(folder)
    (finding,) = refused.value.findings
    assert isinstance(finding, districts.Finding)
    assert (finding.code, finding.layer, finding.data["row"], finding.data["field"]) == (code, "powers.csv", 2, field)


def test_a_new_edition_tells_which_items_are_others(tmp_path: Path) -> None:
    old, new = (small(tmp_path / name, SMALL) for name in ("old", "new"))
    text = (new / "powers.csv").read_text("utf-8")
    (new / "powers.csv").write_text(text.replace("罚款", "没收"), encoding="utf-8")
    (table,) = compare(districts.load(old), districts.load(new)).tables
    assert (table.name, [row.code for row in table.rows]) == ("powers", ["P1"])
    (change,) = table.rows[0].fields
    assert (change.field, change.old, change.new) == ("tiers", "轻微→警告|严重→罚款", "轻微→警告|严重→没收")


# --- what a case asks -----------------------------------------------------------------------------------------------


def test_a_matter_leads_to_its_items_and_those_of_its_class() -> None:
    powers = [replace(power, matters=()) for power in made_powers(6)]
    a, b, c, d, e, _ = powers
    book = PowerList(
        [
            replace(a, matters=("0501",)),
            replace(b, matters=("05",)),
            replace(c, matters=("0502", "2101")),
            replace(d, matters=("2101",), team_kinds=(TeamKind.WATER,), delegated=False),
            replace(e, matters=("2101",), team_kinds=(), delegated=True),
        ]
    )
    assert [power.code for power in book.powers_for("0501")] == [a.code, b.code]
    assert [power.code for power in book.powers_for("0503")] == [b.code]
    assert [power.code for power in book.powers_for("05")] == [a.code, b.code, c.code]
    assert [power.code for power in book.powers_for("9901")] == []
    assert d.code in {power.code for power in book.powers_for("2101", TeamKind.WATER)}
    assert e.code not in {power.code for power in book.powers_for("2101", TeamKind.WATER)}
    assert e.code in {power.code for power in book.powers_for("2101", TeamKind.TOWNSHIP)}
    assert book.tiers(a.code) == a.tiers
    with pytest.raises(UnknownPower):
        book.tiers("none")


# --- the shipped sample -----------------------------------------------------------------------------------------------


def test_the_sample_says_of_each_row_whether_it_is_law_or_made() -> None:
    powers = sample().powers
    law = [power for power in powers.values() if power.origin is Origin.LAW]
    assert 0 < len(law) <= 12
    assert all(power.bases and not power.tiers for power in law)
    made = [power for power in powers.values() if power.origin is not Origin.LAW]
    assert all(power.made and "示意" in power.name and not power.bases for power in made)
    assert all("示意" in tier.circumstances and "示意" in tier.range for power in made for tier in power.tiers)
    assert {matter for power in made for matter in power.matters} == set(sample().matters)


def test_nothing_is_wrong_with_the_sample() -> None:
    assert check_powers(FOLDER).findings == ()


def test_what_is_sent_is_what_the_decision_table_says_of_places() -> None:
    district, comes = sample(), sent(sample())
    table = DecisionTable(district.rules, district.layers, district.classes, district.matters, district.teams)
    layers = [district.layers[name] for name in PLACE_LAYERS]
    for zone in district.layers["grid"].zones[::60]:
        point = zone.geometry.representative_point()
        place = {layer.name: [z for z in layer.zones if z.geometry.covers(point)] for layer in layers}
        for matter in list(district.matters)[::5]:
            ruling = table.decide(place, matter)
            assert ruling.rule.code in comes[ruling.team, matter]


# --- planted faults -------------------------------------------------------------------------------------------------

OTHER = "P2,乙事的处罚,,D1,penalty,,,general,0101,township,false,made"


@pytest.mark.parametrize(
    ("rows", "expected", "named"),
    [
        ((SMALL, OTHER), [], ""),
        ((SMALL, OTHER.replace(",township,", ",,")), [("power_without_team", "powers.csv", 3)], "P2 (powers.csv:3)"),
        ((SMALL, OTHER.replace("township", "water")), [("power_without_team", "powers.csv", 3)], "water"),
        ((), [("team_without_power", "rules.csv", 2)], "0101 私搭乱建"),
        ((SMALL.replace(",0101,", ",,"),), [("team_without_power", "rules.csv", 2)], "T1 西队, T2 东队"),
        (
            (SMALL, SMALL.replace("P1", "P2")),
            [("power_twice", "powers.csv", 3)],
            "P1 (powers.csv:2), P2 (powers.csv:3)",
        ),
        ((SMALL, SMALL.replace("P1", "P2").replace("第一条", "第二条")), [], ""),
        ((SMALL, OTHER, SMALL.replace("甲", "丙")), [("duplicate_code", "powers.csv", 4)], "2, 4"),
        ((SMALL, OTHER.replace("D1", "D7")), [("unknown_reference", "powers.csv", 3)], "D7"),
        ((SMALL, OTHER.replace("0101", "01|7777")), [("unknown_reference", "powers.csv", 3)], "7777"),
        # A row that cannot be read is no lack of power: that is judged when it is mended.
        ((SMALL.replace("penalty", "fine"),), [("bad_value", "powers.csv", 2)], "fine"),
    ],
)
@pytest.mark.parametrize("alone", [False, True], ids=["folder", "file"])
def test_a_planted_fault_is_found_with_file_and_line(
    tmp_path: Path, rows: tuple[str, ...], expected: list[tuple[str, str, int]], named: str, alone: bool
) -> None:
    folder = small(tmp_path, *rows)
    file = (folder / "powers.csv").rename(tmp_path / "powers.csv") if alone else None
    findings = check_powers(folder, file).findings
    assert [(finding.code, finding.layer, finding.data["row"]) for finding in findings] == expected
    for finding in findings:
        assert named in finding.text("zh")
        assert named in finding.text("en")


def test_a_kind_of_team_that_gets_a_matter_must_hold_an_item_for_it() -> None:
    district = sample()
    powers = PowerList(
        replace(power, team_kinds=(TeamKind.TOWNSHIP, TeamKind.WATER)) if power.code == "SY-2102" else power
        for power in district.powers.values()
    )
    names = {code: matter.name for code, matter in district.matters.items()}
    lines = Lines("powers.csv", {}), Lines("rules.csv", {"R010": 4})
    (finding,) = check(powers, lines[0], district.teams, names, sent(district), lines[1])
    assert (finding.code, finding.zones, finding.data["row"]) == ("team_without_power", ("J01", "J02"), 4)
    assert "2102 僵尸车" in finding.text("zh")


def test_a_folder_that_is_wrong_elsewhere_is_not_judged(tmp_path: Path) -> None:
    folder = small(tmp_path, SMALL)
    (folder / "teams.csv").unlink()
    with pytest.raises(BrokenDistrict):
        check_powers(folder)


def test_the_command_names_each_finding_with_file_and_line(tmp_path: Path) -> None:
    folder = small(tmp_path, SMALL.replace(",township,true", ",water,false"))
    result = CliRunner().invoke(app, ["powers", "check", str(folder), "--json"])
    told = json.loads(result.stdout)
    assert (result.exit_code, told["passed"]) == (1, False)
    assert told["figures"]["by_code"] == {"power_without_team": 1, "team_without_power": 1}
    assert [(one["file"], one["line"]) for one in told["figures"]["findings"]] == [("powers.csv", 2), ("rules.csv", 2)]
    small(tmp_path, SMALL)
    assert CliRunner().invoke(app, ["powers", "check", str(folder)]).exit_code == 0
    (folder / "powers.csv").unlink()
    missing = CliRunner().invoke(app, ["powers", "check", str(folder), "--json"])
    assert json.loads(missing.stdout)["figures"]["by_code"] == {"file_missing": 1}


def test_the_search_command(tmp_path: Path) -> None:
    folder = small(tmp_path, SMALL)
    told = CliRunner().invoke(app, ["powers", "search", str(folder), "js", "--json"])
    (item,) = json.loads(told.stdout)["figures"]["items"]
    assert (item["code"], item["why"]) == ("P1", "initials")
    assert "甲事的处罚" in CliRunner().invoke(app, ["powers", "search", str(folder), "甲事"]).stdout
