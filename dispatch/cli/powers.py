"""`onegrid powers import|check|search`: the power list."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from dispatch.cli.options import DistrictOption, JsonOption, settings_from

app = typer.Typer(help="The power list (权力清单).", no_args_is_help=True)
SHOWN = 50
"""Lines of a report on the screen; the rest is in its file."""


@app.callback()
def powers() -> None:
    """The power list (权力清单)."""


@app.command("import")
def import_(
    source: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, metavar="SOURCE", help="Excel (.xlsx) or CSV.")
    ],
    out: Annotated[Path, typer.Option("-o", "--out", dir_okay=False, metavar="FILE", help="The powers.csv to write.")],
    district: DistrictOption = None,
    kind: Annotated[
        str | None, typer.Option(metavar="penalty|coercion", help="Of items whose sheet has no column that says it.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Read a list as it circulates into powers.csv; exit 1 where a row was not understood.

    Every row that was not understood, and everything that was put into another form, is in FILE.report.csv.
    """
    from dispatch.importing.powers.report import What, as_csv, counts
    from dispatch.importing.powers.run import import_powers, read_known
    from dispatch.power_file import written
    from dispatch.powers.model import PowerKind

    if kind is not None and kind not in set(PowerKind):
        raise typer.BadParameter("penalty | coercion", param_hint="--kind")
    if out.exists() and out.samefile(source):
        raise typer.BadParameter("结果不能覆盖原文件 / the result must not overwrite its source", param_hint="--out")
    known = read_known(settings_from(district=district).district_folder())
    done = import_powers(source.read_bytes(), known, PowerKind(kind) if kind else None)
    report = out.with_name(f"{out.name}.report.csv")
    out.write_text(written(done.powers), encoding="utf-8", newline="")
    report.write_text(as_csv(done.told), encoding="utf-8-sig", newline="")  # Excel knows UTF-8 by its mark alone
    if as_json:
        figures = {
            "items": len(done.powers),
            "file": str(out),
            "report": str(report),
            **{what.value: counts(done.told, what) for what in What},
            "rows_refused": [
                {"sheet": one.sheet, "row": one.row, "column": one.column, "why": one.why, "text": one.before}
                for one in done.refused
            ],
        }
        print(json.dumps({"name": "powers import", "passed": not done.refused, "figures": figures}, ensure_ascii=False))
    else:
        for one in done.refused[:SHOWN]:
            print(f"{one.text('zh')}\n  {one.text('en')}")
        for what, zh, en in (
            (What.NORMALISED, "已规整", "normalised"),
            (What.PASSED_OVER, "未录入", "passed over"),
        ):
            for why, count in counts(done.told, what).items():
                print(f"{zh} / {en}: {why} × {count}")
        print(f"{len(done.powers)} 项 / items: {out}；{len(done.refused)} 处未理解 / not understood: {report}")
    raise typer.Exit(1 if done.refused else 0)


@app.command()
def check(
    source: Annotated[
        Path, typer.Argument(exists=True, metavar="DIR|FILE", help="A district folder, or a powers.csv.")
    ],
    district: DistrictOption = None,
    as_json: JsonOption = False,
) -> None:
    """Name items without a team, teams without power for what comes to them, duplicates, unknown names; exit 1 if any.

    A FILE is held against the district that --district names.
    """
    from dispatch.power_check import check_powers

    if source.is_dir():
        done = check_powers(source)
    else:
        done = check_powers(settings_from(district=district).district_folder(), source)
    kinds = dict(Counter(finding.code for finding in done.findings))
    if as_json:
        figures = {
            "items": len(done.powers),
            "by_code": kinds,
            "findings": [
                {
                    "code": finding.code,
                    "file": finding.layer,
                    "line": finding.data.get("row"),
                    "zh": finding.text("zh"),
                    "en": finding.text("en"),
                }
                for finding in done.findings
            ],
        }
        said = {"name": "powers check", "passed": not done.findings, "figures": figures}
        print(json.dumps(said, ensure_ascii=False))
    else:
        for finding in done.findings:
            print(f"{finding.text('zh')}\n  {finding.text('en')}")
        said_all = f"{len(done.findings)} 处问题 / findings" if done.findings else "没有问题 / nothing wrong"
        print(f"{len(done.powers)} 项 / items: {said_all}")
    raise typer.Exit(1 if done.findings else 0)


@app.command()
def search(
    folder: Annotated[Path, typer.Argument(exists=True, file_okay=False, metavar="DIR", help="A district folder.")],
    query: Annotated[str, typer.Argument(metavar="Q", help="Code, words, or pinyin initials.")],
    department: Annotated[str | None, typer.Option(help="Only of the department with this code.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100, help="Most items shown.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """Find items by code, by words, by pinyin initials (擅自 = sz) or whole pinyin."""
    from dispatch.power_file import cells, read_list
    from dispatch.powers.search import PowerSearch

    powers, departments = read_list(folder)
    found = PowerSearch(powers.values(), departments).find(query, department, limit)
    if as_json:
        items = [{"why": hit.why.name.lower(), **cells(hit.power)} for hit in found.hits]
        figures = {"total": found.total, "items": items}
        print(json.dumps({"name": "powers search", "passed": True, "figures": figures}, ensure_ascii=False))
        return
    for hit in found.hits:
        told = departments.get(hit.power.department, hit.power.department)
        made = "  [示意 made]" if hit.power.made else ""
        print(f"{hit.power.code}  {hit.power.name}{made}  {told}")
    print(f"{found.total} 项 / found")
