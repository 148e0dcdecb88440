"""`onegrid grids import`: a district folder from the files a district has."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer


def import_(
    source: Annotated[list[Path], typer.Argument(metavar="SOURCE...", help="Files, zips or folders of them.")],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="DIR", help="The district folder to write; new.")],
    mapping: Annotated[Path, typer.Option("--map", metavar="TOML", help="Which columns become what; docs/import.md.")],
    repair: Annotated[
        float | None, typer.Option(metavar="M", min=0.001, help="Settle gaps and overlaps narrower than this, metres.")
    ] = None,
    template: Annotated[
        Path | None, typer.Option("--with", metavar="DIR", help="Teams, matters, rules, roads … from this folder.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Read Shapefile, GeoPackage, GeoJSON, KML or DXF into a district folder; exit 1 where it has findings."""
    from dispatch.importing.run import import_grids

    done = import_grids(source, out, mapping, repair, template)
    for warning in done.warnings:
        print(warning, file=sys.stderr)
    if as_json:
        figures = {**done.report, "findings": [finding.text("en") for finding in done.findings]}
        print(json.dumps({"name": "grids import", "passed": not done.findings, "figures": figures}, ensure_ascii=False))
    else:
        for change in done.report["changes"]:
            print(f"{change['layer']}: {change['kind']} × {change['count']}, {change['area_m2']:.2f} m²")
        for why, count in done.report["values"].items():
            print(f"values.csv: {why} × {count}")
        for finding in done.findings:
            print(f"{finding.text('zh')}\n  {finding.text('en')}")
        said = f"{len(done.findings)} 处问题 / findings" if done.findings else "没有问题 / nothing wrong"
        print(f"{out}: {said}；改动见 / what was changed: {out / 'import'}")
    raise typer.Exit(1 if done.findings else 0)
