"""The command line: `onegrid COMMAND`."""

from __future__ import annotations

import sys

import typer

from dispatch.cli import audit, bench, grids, heatmap, route, serve
from dispatch.errors import BrokenDistrict, DomainError

app = typer.Typer(
    name="onegrid",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="OneGrid 一张网格: who is responsible here, who is nearest, and a record nobody can quietly change.",
)
app.command()(serve.serve)
app.command()(serve.demo)
app.command()(serve.migrate)
app.command()(heatmap.heatmap)
app.command()(route.route)
app.add_typer(grids.app, name="grids")
app.add_typer(audit.app, name="audit")
app.add_typer(bench.app, name="bench")


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
