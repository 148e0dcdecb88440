"""The command line: `onegrid COMMAND`."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import typer
from typer.core import TyperGroup

from dispatch.errors import BrokenDistrict, DomainError

if TYPE_CHECKING:
    from collections.abc import Callable

COMMANDS: Final = {
    "demo": "serve:demo",
    "serve": "serve:serve",
    "route": "route:route",
    "heatmap": "heatmap:heatmap",
    "grids": "grids:app",
    "powers": "powers:app",
    "disputes": "disputes:app",
    "sources": "sources:app",
    "webhooks": "webhooks:app",
    "audit": "audit:app",
    "migrate": "databases:migrate",
    "bench": "bench:app",
}
"""Each command and where it is: the module of this package, and its function or its group."""


class _Rooms(TyperGroup):
    """Opens a command's module when that command is asked for: nobody waits for another's libraries."""

    def list_commands(self, ctx: object) -> list[str]:
        """In the order that a newcomer meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: object, cmd_name: str) -> Any:
        """The command, or None when there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        command = typer.main.get_command(opened(cmd_name))
        command.name = cmd_name
        return command


def opened(name: str) -> typer.Typer:
    """The command `name`, as an application of its own."""
    module, _, attribute = COMMANDS[name].partition(":")
    found: typer.Typer | Callable[..., None] = getattr(import_module(f"{__name__}.{module}"), attribute)
    if isinstance(found, typer.Typer):
        return found
    alone = typer.Typer(add_completion=False)
    alone.command(name)(found)
    return alone


app = typer.Typer(
    name="onegrid", cls=_Rooms, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)


@app.callback()
def onegrid() -> None:
    """OneGrid 一张网格: who is responsible here, who is nearest, and a record nobody can quietly change."""


def main() -> None:
    """Entry point; a refusal is told in both languages and ends with 1."""
    try:
        app()
    except DomainError as error:
        tell(error)
        sys.exit(1)


def tell(error: DomainError) -> None:
    """A refusal on stderr, Chinese first."""
    for language in ("zh", "en"):
        parts = (error.text(language), error.hint(language))
        print(" ".join(part for part in parts if part), file=sys.stderr)
    for finding in error.findings if isinstance(error, BrokenDistrict) else ():
        print(f"  {finding.text('zh')}\n    {finding.text('en')}", file=sys.stderr)
    print(f"[{error.code()}]", file=sys.stderr)
