"""`onegrid grids check DIR`: everything that is wrong with a district folder."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from dispatch.cli import diff, enact, import_grids, prove

app = typer.Typer(help="District folders.", no_args_is_help=True)


@app.callback()
def grids() -> None:
    """District folders."""


app.command("import")(import_grids.import_)
app.command()(prove.prove)
app.command()(enact.load)
app.command()(enact.editions)
app.command()(diff.diff)


@app.command()
def check(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The district folder.")],
    geojson: Annotated[Path | None, typer.Option(help="Write the findings as GeoJSON, to look at on a map.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Name every gap, overlap, invalid ring, orphan or duplicate code, missing team; exit 1 when there is any."""
    from dispatch import district

    findings = district.check(folder)
    if geojson is not None:
        geojson.write_text(json.dumps(district.findings_geojson(findings), ensure_ascii=False), encoding="utf-8")
    kinds = dict(Counter(finding.code for finding in findings))
    if as_json:
        figures = {"findings": len(findings), "by_code": kinds, "texts": [finding.text("en") for finding in findings]}
        print(json.dumps({"name": "grids check", "passed": not findings, "figures": figures}, ensure_ascii=False))
    else:
        for finding in findings:
            print(f"{finding.text('zh')}\n  {finding.text('en')}")
        print(f"{len(findings)} 处问题 / findings" if findings else "没有问题 / nothing wrong")
    raise typer.Exit(1 if findings else 0)
