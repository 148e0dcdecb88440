"""`onegrid grids diff OLD NEW`: what a new edition changes, and which past cases would go to another team by it."""

from __future__ import annotations

import json
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, NoReturn

import anyio
import typer

from dispatch.cli.databases import with_database
from dispatch.cli.options import DataOption, JsonOption, settings_from

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dispatch.comparison import Comparison
    from dispatch.district import District
    from dispatch.errors import BrokenDistrict
    from dispatch.replay import Replay
    from dispatch.settings import Settings

IN_FORCE: Final = "in-force"
"""Names the edition that holds now."""


def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help="A district folder, a version, or in-force.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="A district folder, a version, or in-force.")],
    html: Annotated[Path | None, typer.Option(help="Write a map of it with its tables, as one HTML page.")] = None,
    geojson: Annotated[Path | None, typer.Option(help="Write what moved and who is responsible as GeoJSON.")] = None,
    replay: Annotated[
        bool, typer.Option("--replay", help="Decide every past case of the database by both, and name those that move.")
    ] = False,
    data_dir: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """What is different between two editions: zones, tables, responsibility, and (--replay) past cases."""
    from dispatch.comparison import compare
    from dispatch.errors import NotOneDistrict
    from web import difference, difference_data

    if html is not None:
        _can_draw()
    began = time.monotonic()
    with ExitStack() as stack:
        ready = None
        if replay or not (Path(old).is_dir() and Path(new).is_dir()):
            ready = stack.enter_context(with_database(settings_from(data_dir=data_dir)))
        loaded, refused = _both(old, new, ready)
        if refused:
            _refuse(refused, as_json=as_json)
        before, after = loaded[old], loaded[new]
        if before.code != after.code:
            raise NotOneDistrict(old=before.code, new=after.code)
        read = time.monotonic()
        comparison = compare(before, after)
        compared = time.monotonic()
        replayed = anyio.run(_replay, ready, comparison) if replay and ready else None
    seconds = {"read": read - began, "compare": compared - read, "replay": time.monotonic() - compared}
    if geojson is not None:
        geojson.write_text(
            json.dumps(difference_data.geojson(comparison, replayed), ensure_ascii=False), encoding="utf-8"
        )
    if html is not None:
        from web import changes

        html.write_text(changes.page(comparison, replayed), encoding="utf-8")
    if as_json:
        figures = difference_data.figures(comparison, replayed)
        figures["seconds"] = {name: round(took, 2) for name, took in seconds.items()}
        answer = {"name": "grids diff", "passed": True, "figures": figures}
        print(json.dumps(answer, ensure_ascii=False, default=str))
    else:
        print(difference.text(comparison, replayed))


def _can_draw() -> None:
    """Raises `PageNotBuilt` before anything is waited for."""
    from dispatch.errors import PageNotBuilt
    from web.offline import LEAFLET

    if not (LEAFLET / "leaflet.js").is_file():
        raise PageNotBuilt


def _refuse(refused: Mapping[str, BrokenDistrict], *, as_json: bool) -> NoReturn:
    """Name all that is wrong, and end with 1."""
    from dispatch.cli import tell

    if as_json:
        wrong = {folder: [finding.text("en") for finding in broken.findings] for folder, broken in refused.items()}
        print(json.dumps({"name": "grids diff", "passed": False, "figures": {"findings": wrong}}, ensure_ascii=False))
    else:
        for broken in refused.values():
            tell(broken)
    raise typer.Exit(1)


def _both(old: str, new: str, ready: Settings | None) -> tuple[dict[str, District], dict[str, BrokenDistrict]]:
    """The editions that can be loaded, and of the others what is wrong. Raises `UnknownEdition`."""
    from dispatch import district, editions
    from dispatch.errors import BrokenDistrict

    named = [one for one in (old, new) if not Path(one).is_dir()]
    bundles = anyio.run(_bundles, ready, named) if ready and named else {}
    loaded: dict[str, District] = {}
    refused: dict[str, BrokenDistrict] = {}
    for one in dict.fromkeys((old, new)):
        try:
            loaded[one] = editions.read(*bundles[one]) if one in bundles else district.load(Path(one))
        except BrokenDistrict as broken:
            refused[one] = broken
    return loaded, refused


async def _bundles(settings: Settings, named: Sequence[str]) -> dict[str, tuple[bytes, str]]:
    """The folders that the database keeps, each with its version. Raises `UnknownEdition`."""
    from dispatch.enactment import in_force
    from dispatch.errors import UnknownEdition
    from dispatch.store import editions
    from dispatch.store.engine import connect, migrate, open_engine

    engine = open_engine(settings.database_url or "", 1)
    try:
        await migrate(engine)
        async with connect(engine) as connection:
            enacted = await editions.all_enactments(connection)
            found: dict[str, tuple[bytes, str]] = {}
            for one in named:
                version = in_force(enacted, datetime.now(UTC)).version if one == IN_FORCE and enacted else one
                bundle = await editions.bundle_of(connection, version)
                if bundle is None:
                    known = "、".join(dict.fromkeys(entry.version for entry in enacted))
                    raise UnknownEdition(edition=one, known=known or "—")
                found[one] = bundle, version
            return found
    finally:
        await engine.dispose()


async def _replay(settings: Settings, comparison: Comparison) -> Replay:
    from dispatch.replay import Replay
    from dispatch.store.engine import migrate, open_engine, snapshot
    from dispatch.store.past import past_cases

    made = Replay(comparison)
    engine = open_engine(settings.database_url or "", 1)
    try:
        await migrate(engine)
        async with snapshot(engine) as connection:
            async for cases in past_cases(connection):
                made.take(cases)
    finally:
        await engine.dispose()
    return made
