"""`onegrid webhooks list|test|status|forget`: who is told of events, and how that goes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated
from uuid import uuid4

import anyio
import typer

from dispatch.cli.databases import with_database
from dispatch.cli.options import DataOption, JsonOption, settings_from
from dispatch.errors import UnknownWebhook
from dispatch.settings import Settings, Webhook

if TYPE_CHECKING:
    from dispatch.store.outbox import Standing

app = typer.Typer(help="Who is told of every event (ONEGRID_WEBHOOKS).", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(metavar="NAME")]


@app.callback()
def webhooks() -> None:
    """Who is told of every event."""


@app.command("list")
def list_command(as_json: JsonOption = False) -> None:
    """Those that are set, without their secrets."""
    items = [{"name": one.name, "url": _shown(one), "secrets": len(one.secret)} for one in Settings().webhooks]
    if as_json:
        print(json.dumps({"name": "webhooks list", "items": items}, ensure_ascii=False))
        return
    for item in items:
        print(f"{item['name']}  {item['url']}")
    if not items:
        print("没有设置（ONEGRID_WEBHOOKS） / none is set (ONEGRID_WEBHOOKS)")


@app.command("test")
def try_out(name: NameArgument, as_json: JsonOption = False) -> None:
    """Send a signed message that is no event (`{"test": true}`); exit 1 where it was not taken."""
    hooks = {one.name: one for one in Settings().webhooks}
    if name not in hooks:
        raise UnknownWebhook(name=name, known=", ".join(hooks) or "—")
    problem = anyio.run(_sent, hooks[name])
    if as_json:
        figures = {"webhook": name, "problem": problem}
        print(json.dumps({"name": "webhooks test", "passed": problem is None, "figures": figures}, ensure_ascii=False))
    else:
        print("已接收 / taken" if problem is None else f"未接收 / not taken: {problem}")
    raise typer.Exit(0 if problem is None else 1)


@app.command()
def status(data_dir: DataOption = None, as_json: JsonOption = False) -> None:
    """How many events wait for each, since when, and what hinders them; exit 1 where any was refused."""
    with with_database(settings_from(data_dir=data_dir)) as ready:
        found = anyio.run(_standing, ready)
    if as_json:
        items = [
            {
                "name": one.name,
                "waiting": one.waiting,
                "oldest": one.oldest.isoformat() if one.oldest else None,
                "failing": one.failing,
                "problem": one.problem,
            }
            for one in found
        ]
        passed = not any(one.failing for one in found)
        print(json.dumps({"name": "webhooks status", "passed": passed, "figures": {"items": items}}))
    else:
        for one in found:
            held_up = f"受阻案件 / cases held up: {one.failing}  {one.problem or ''}"
            print(f"{one.name}  待送 / waiting: {one.waiting}  {held_up}")
    raise typer.Exit(1 if any(one.failing for one in found) else 0)


@app.command()
def forget(name: NameArgument, data_dir: DataOption = None) -> None:
    """Drop one with all that waits for it. If it is still set it begins anew, with what happens from then on."""
    with with_database(settings_from(data_dir=data_dir)) as ready:
        known = [one.name for one in anyio.run(_standing, ready)]
        if name not in known:
            raise UnknownWebhook(name=name, known=", ".join(known) or "—")
        anyio.run(_forget, ready, name)
    print(f"已删除 / dropped: {name}")


def _shown(hook: Webhook) -> str:
    """Its address without what may be a password."""
    url = hook.url
    return f"{url.scheme}://{url.host}:{url.port}{url.path or ''}"


async def _sent(hook: Webhook) -> str | None:
    import httpx

    from dispatch import signing
    from dispatch.outbox import USER_AGENT, post

    now = datetime.now(UTC)
    body = json.dumps({"test": True, "at": now.isoformat()}).encode()
    async with httpx.AsyncClient(headers={"user-agent": USER_AGENT}) as client:
        problem, _ = await post(client, str(hook.url), body, signing.headers(hook.keys(), str(uuid4()), now, body))
    return problem


async def _standing(settings: Settings) -> list[Standing]:
    from dispatch.store import outbox
    from dispatch.store.engine import connect, open_engine

    engine = open_engine(settings.database_url or "", 1)
    try:
        async with connect(engine) as connection:
            return await outbox.standing(connection)
    finally:
        await engine.dispose()


async def _forget(settings: Settings, name: str) -> None:
    from dispatch.store import outbox
    from dispatch.store.engine import connect, open_engine

    engine = open_engine(settings.database_url or "", 1)
    try:
        async with connect(engine) as connection:
            await outbox.forget(connection, name)
    finally:
        await engine.dispose()
