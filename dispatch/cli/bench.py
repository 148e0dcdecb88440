"""`onegrid bench NAME`: the speed that was promised, measured here and now."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dispatch.bench import Result, Tell
from dispatch.cli.options import DistrictOption, JsonOption, settings_from, told

if TYPE_CHECKING:
    from dispatch.ground import Ground

# Each measurement is imported by the command that runs it: GeoPandas and the like would make every other command wait.
app = typer.Typer(help="Measure speed: ratios within one run.", no_args_is_help=True)


@app.command("route")
def route_command(
    district: DistrictOption = None,
    points: Annotated[int, typer.Option(min=1000, help="How many points.")] = 1_000_000,
    rounds: Annotated[int, typer.Option(min=1, help="How often each is measured.")] = 5,
    as_json: JsonOption = False,
) -> None:
    """Bulk routing against geopandas.sjoin of the same points on the same layers: at least 3 times its speed."""
    from dispatch.bench import route

    _measure(district, as_json, lambda ground, _, tell: route.run(ground, tell, points, rounds))


@app.command("locate")
def locate_command(
    district: DistrictOption = None,
    rounds: Annotated[int, typer.Option(min=1, help="How often each is measured.")] = 5,
    quick: Annotated[bool, typer.Option("--quick", help="The district alone, with fewer points.")] = False,
    as_json: JsonOption = False,
) -> None:
    """The locator against geopandas, shapely, DuckDB, SedonaDB and PostGIS: at least 150 times sjoin's speed."""
    from dispatch.bench import locate

    _measure(district, as_json, lambda ground, _, tell: locate.run(ground, tell, rounds=rounds, quick=quick))


@app.command("intake")
def intake_command(
    district: DistrictOption = None,
    rounds: Annotated[int, typer.Option(min=1, help="How often each is loaded.")] = 30,
    seconds: Annotated[float, typer.Option(min=0.5, help="How long each is loaded.")] = 1.0,
    as_json: JsonOption = False,
) -> None:
    """Single reports against a bare FastAPI route that only inserts the same row: at least 0.6 of its throughput."""
    from dispatch.bench import intake

    _measure(district, as_json, lambda ground, folder, tell: intake.run(ground, folder, tell, rounds, seconds))


@app.command("live")
def live_command(
    district: DistrictOption = None,
    cases: Annotated[int, typer.Option(min=1, max=10_000, help="Open cases before it begins.")] = 5000,
    seconds: Annotated[float, typer.Option(min=1, help="How long reports are sent.")] = 30,
    as_json: JsonOption = False,
) -> None:
    """From POST to the marker on an open map at 20 reports a second: median under 300 ms. Needs Playwright."""
    from dispatch.bench import live

    try:
        _measure(district, as_json, lambda ground, folder, tell: live.run(ground, folder, tell, cases, seconds))
    except live.PlaywrightMissing as missing:
        told.print(f"没有安装 Playwright（开发依赖）。\n{missing}")
        raise typer.Exit(1) from missing


@app.command("units")
def units_command(
    district: DistrictOption = None,
    units: Annotated[int, typer.Option(min=100, help="How many units move.")] = 10_000,
    seconds: Annotated[float, typer.Option(min=2, help="How long they move.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """10,000 units that move every 5 s: half a core at most, a nearest query under 1 ms, two workers agree in 1 s."""
    from dispatch.bench import units as moving

    _measure(district, as_json, lambda ground, folder, tell: moving.run(ground, folder, tell, units, seconds))


@app.command("takeover")
def takeover_command(
    district: DistrictOption = None,
    per_s: Annotated[float, typer.Option("--per-s", min=1, help="Reports a second.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """A new edition while reports come: none lost, refused or decided by half of it; what the longest of them waits."""
    from dispatch.bench import takeover

    _measure(district, as_json, lambda ground, folder, tell: takeover.run(ground, folder, tell, per_s))


@app.command("travel")
def travel_command(
    district: DistrictOption = None,
    points: Annotated[int, typer.Option(min=1000, help="How many points are held against a ruler.")] = 100_000,
    rounds: Annotated[int, typer.Option(min=1, help="How often they are built.")] = 3,
    map_file: Annotated[Path | None, typer.Option("--map", help="Draw where the ruler is wrong (PNG).")] = None,
    as_json: JsonOption = False,
) -> None:
    """Travel times: built under 3 s, opened under 0.2 s, a look-up under 50 µs, a way drawn under 50 ms."""
    from dispatch.bench import travel

    def work(ground: Ground, _: Path, tell: Tell) -> Result:
        if map_file is not None:
            from dispatch.bench.ruler_map import draw

            draw(ground, map_file)
        return travel.run(ground, tell, points, rounds)

    _measure(district, as_json, work)


@app.command("assign")
def assign_command(
    district: DistrictOption = None,
    cases: Annotated[int, typer.Option(min=2, max=500, help="How many made cases wait.")] = 200,
    units: Annotated[int, typer.Option(min=2, max=1000, help="How many made units are free.")] = 100,
    rounds: Annotated[int, typer.Option(min=1, help="How many made streams.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """Many waiting cases given their units at once, against one by one: 200 by 100 in under a second of a processor."""
    from dispatch.bench import assign

    _measure(district, as_json, lambda ground, folder, tell: assign.run(ground, folder, tell, cases, units, rounds))


@app.command("powers")
def powers_command(
    items: Annotated[int, typer.Option(min=100, help="How many made items.")] = 3882,
    queries: Annotated[int, typer.Option(min=100, help="How many queries, each a keystroke.")] = 3000,
    as_json: JsonOption = False,
) -> None:
    """Searching a power list of 3,882 made items while one types: the 99th of 100 answers within 50 ms."""
    from dispatch.bench import powers

    with told.status("检索 / searching …") as status:
        result = powers.run(lambda line: status.update(f"{line} …"), items, queries)
    _tell(result, as_json)


@app.command("sealing")
def sealing_command(
    district: DistrictOption = None,
    rounds: Annotated[int, typer.Option(min=1, help="How often it is loaded.")] = 10,
    seconds: Annotated[float, typer.Option(min=3, help="How long each time.")] = 8.0,
    as_json: JsonOption = False,
) -> None:
    """Single reports with their seals against the same server without: at least 0.9 of its throughput."""
    from dispatch.bench import sealing

    _measure(district, as_json, lambda ground, folder, tell: sealing.run(ground, folder, tell, rounds, seconds))


@app.command("verify")
def verify_command(
    district: DistrictOption = None,
    events: Annotated[int, typer.Option(min=4, help="How many events are made.")] = 1_000_000,
    as_json: JsonOption = False,
) -> None:
    """The whole record of a million made events verified, reading included: under 30 s on all processors."""
    from dispatch.bench import verify

    _measure(district, as_json, lambda ground, _, tell: verify.run(ground, tell, events))


@app.command("duplicates")
def duplicates_command(
    district: DistrictOption = None,
    reports: Annotated[int, typer.Option(min=200, help="How many reports of each made stream.")] = 5000,
    refit: Annotated[bool, typer.Option("--fit", help="Fit the weights again, and show them.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Duplicates on made streams of known truth: precision 0.95 at recall 0.9, and 100 reports a second."""
    from dispatch import district as districts
    from dispatch.bench import duplicates

    folder = settings_from(district=district).district_folder()
    with told.status("正在载入数据 / loading the district …") as status:
        result = duplicates.run(districts.load(folder), lambda line: status.update(f"{line} …"), reports, refit=refit)
    _tell(result, as_json)


def _measure(district: Path | None, as_json: bool, work: Callable[[Ground, Path, Tell], Result]) -> None:
    from dispatch import district as districts
    from dispatch.ground import prepare

    folder = settings_from(district=district).district_folder()
    with told.status("正在载入数据 / loading the district …") as status:
        ground = prepare(districts.load(folder))
        result = work(ground, folder, lambda line: status.update(f"{line} …"))
    _tell(result, as_json)


def _tell(result: Result, as_json: bool) -> None:
    if as_json:
        said = {"name": result.name, "passed": result.passed, "figures": result.figures}
        print(json.dumps(said, ensure_ascii=False))
    else:
        for name, value in result.figures.items():
            print(f"{name:<34}{value}")
        print("达标 / passed" if result.passed else "未达标 / not passed")
    raise typer.Exit(0 if result.passed else 1)
