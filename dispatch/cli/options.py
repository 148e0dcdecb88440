"""What several commands share: their common options, the settings that come of them, and where they tell."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from dispatch.settings import Settings

told = Console(stderr=True, highlight=False)
"""Progress and remarks; standard output is for the answer."""

HostOption = Annotated[str | None, typer.Option(help="Address to listen on: loopback only, until there are accounts.")]
PortOption = Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.")]
DataOption = Annotated[Path | None, typer.Option(help="Where the private database lives.")]
DistrictOption = Annotated[Path | None, typer.Option(help="The district folder.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def settings_from(**given: object) -> Settings:
    """Settings with the command line's options before the environment's."""
    return Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
