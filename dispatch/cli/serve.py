"""`onegrid serve` and `onegrid demo`: the server, with the private PostGIS where no other is named."""

from __future__ import annotations

import gc
import ipaddress
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer
import uvicorn

from dispatch.cli.databases import with_database
from dispatch.cli.options import DataOption, DistrictOption, HostOption, PortOption, settings_from, told
from dispatch.errors import AddressNotAllowed, DomainError
from dispatch.settings import Settings

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send


def serve(
    host: HostOption = None,
    port: PortOption = None,
    data_dir: DataOption = None,
    district: DistrictOption = None,
    no_stream: Annotated[bool, typer.Option("--no-stream", help="As in demo; here there never is one.")] = False,
) -> None:
    """Serve the command centre, the field page and the interface."""
    _ = no_stream
    _run(settings_from(host=host, port=port, data_dir=data_dir, district=district), lambda _url: None)


def demo(
    host: HostOption = None,
    port: PortOption = None,
    data_dir: DataOption = None,
    district: DistrictOption = None,
    stream: Annotated[bool, typer.Option(help="Let made reports flow through the public interface.")] = True,
) -> None:
    """Serve, and let a slow stream of made reports and teams at work flow through the public interface."""
    settings = settings_from(host=host, port=port, data_dir=data_dir, district=district, demonstration=True)
    if data_dir is None and "ONEGRID_DATA_DIR" not in os.environ:
        settings = settings.model_copy(
            update={"data_dir": settings.data_dir.with_name(f"{settings.data_dir.name}-demo")}
        )
    _run(settings, _start_stream if stream else lambda _url: None)


def _start_stream(url: str) -> None:
    from dispatch.demo import Stream

    threading.Thread(target=Stream(url).run, daemon=True, name="demo-stream").start()
    told.print("演示数据正在流入（案件为虚构） / made reports are flowing in")


def _run(settings: Settings, when_ready: Callable[[str], None]) -> None:
    _loopback(settings.host)
    with told.status("正在载入数据 / loading the district …"), _uncollected():
        from dispatch.district import load
        from dispatch.ground import prepare
        from web.app import create

        # Before anything is started: a broken folder is refused whole, and what the database holds stays.
        ground = prepare(load(settings.district_folder()), settings.derived_dir(), settings.osm_extract)
    told.print(f"数据版本 / district: {ground.district.name} {ground.district.version}")
    with with_database(settings) as ready:
        application = _Started(create(ready, ground))
        try:
            _Server(application, ready, when_ready).run()
        except SystemExit:
            if application.refusal is None:
                raise
            raise application.refusal from None


@contextmanager
def _uncollected() -> Iterator[None]:
    """Imports and the district make a million objects that stay: collecting meanwhile costs a second, finds nothing."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _loopback(host: str) -> None:
    """Raises `AddressNotAllowed` for anything that others could reach."""
    try:
        allowed = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        allowed = False
    if not allowed:
        raise AddressNotAllowed(host=host)


class _Started:
    """The application; a refusal to start is kept, to be told as any other and not by a traceback."""

    def __init__(self, application: ASGIApp) -> None:
        self._application = application
        self.refusal: DomainError | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on."""

        async def pass_on(message: Message) -> None:
            error = sys.exception()
            if message["type"] == "lifespan.startup.failed" and isinstance(error, DomainError):
                self.refusal = error
                message = {"type": message["type"]}
            await send(message)

        await self._application(scope, receive, pass_on if scope["type"] == "lifespan" else send)


class _Server(uvicorn.Server):
    """Says its address once it answers."""

    def __init__(self, application: Any, settings: Settings, when_ready: Callable[[str], None]) -> None:
        super().__init__(
            uvicorn.Config(
                application,
                host=settings.host,
                port=settings.port,
                log_level="warning",
                access_log=False,
                timeout_graceful_shutdown=3,
            )
        )
        self._when_ready = when_ready

    async def startup(self, sockets: list[Any] | None = None) -> None:
        """As uvicorn does, then say so."""
        await super().startup(sockets)
        if not self.started:
            return
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        url = f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
        print(url, flush=True)
        told.print(f"  指挥中心 / command centre   {url}\n  网格员 / grid worker        {url}field")
        told.print(f"  分析导出 / exports           {url}exports\n  Ctrl-C 停止 / stops")
        self._when_ready(url.rstrip("/"))
