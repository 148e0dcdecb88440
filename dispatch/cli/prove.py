"""`onegrid grids prove DIR`: every kind of place and every matter has one team, and a unit of it gets there."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from dispatch.cli.options import settings_from

if TYPE_CHECKING:
    from dispatch.district import District

PROVABLE: Final = {"rule_tie", "rule_hole"}
"""What the proof itself finds: everything else that is wrong with a folder comes before it."""


def prove(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The district folder.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    html: Annotated[Path | None, typer.Option(help="Write the list of powers and duties as one HTML page.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write the matrix as CSV, a matter a row, for Excel.")] = None,
) -> None:
    """Prove that each place and matter has exactly one team, and that a unit of it gets there; exit 1 if not.

    By the roads that a server drives over: those of ONEGRID_OSM_EXTRACT where it is set.
    """
    from dispatch.duties import prove_duties
    from dispatch.errors import BrokenDistrict
    from dispatch.ground import prepare
    from web import powers

    began = time.monotonic()
    try:
        ground = prepare(_read(folder), osm=settings_from().osm_extract)
    except BrokenDistrict as broken:
        if not as_json:
            raise
        wrong = {"findings": [finding.text("en") for finding in broken.findings]}
        print(json.dumps({"name": "grids prove", "passed": False, "figures": wrong}, ensure_ascii=False))
        raise typer.Exit(1) from None
    ready = time.monotonic()
    duties = prove_duties(ground)
    seconds = {"prepare": round(ready - began, 2), "prove": round(time.monotonic() - ready, 2)}
    if html is not None:
        html.write_text(powers.page(duties), encoding="utf-8")
    if csv is not None:
        csv.write_text(powers.table(duties), encoding="utf-8-sig", newline="")
    if as_json:
        figures = {**duties.figures(), "seconds": seconds}
        print(json.dumps({"name": "grids prove", "passed": duties.passed, "figures": figures}, ensure_ascii=False))
    else:
        print(powers.text(duties))
        print(f"用时 / took: {seconds['prepare']} + {seconds['prove']} s")
    raise typer.Exit(0 if duties.passed else 1)


def _read(folder: Path) -> District:
    """A district with nothing wrong but what the proof shows. Raises `BrokenDistrict`."""
    from dispatch import district as districts
    from dispatch.errors import BrokenDistrict

    district, findings = districts.read(folder)
    if district is None or any(finding.code not in PROVABLE for finding in findings):
        raise BrokenDistrict(folder.name, findings)
    return district
