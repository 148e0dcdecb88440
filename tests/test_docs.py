"""What stands in the documents stands in the code: errors, settings, commands, and no district by name."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from dispatch import errors
from dispatch.cli import COMMANDS, opened
from dispatch.settings import Settings
from web.problems import STATUS

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("error", list(errors.every()), ids=lambda error: error.code())
def test_every_error_is_documented_in_both_languages(error: type[errors.DomainError]) -> None:
    row = next((x for x in (ROOT / "docs/errors.md").read_text("utf-8").splitlines() if f"`{error.code()}`" in x), None)
    assert row is not None, "add it to docs/errors.md"
    assert error.templates("zh")[0] in row
    assert error.templates("en")[0] in row
    assert len(error.templates("zh")) == len(error.templates("en"))
    assert re.search(r"[\u4e00-\u9fff]", "".join(error.templates("zh")))
    assert f"| {STATUS.get(error, '—')} |" in row


@pytest.mark.parametrize("name", list(Settings.model_fields))
def test_every_setting_is_documented(name: str) -> None:
    assert f"`ONEGRID_{name.upper()}`" in (ROOT / "docs/settings.md").read_text("utf-8")
    assert Settings.model_fields[name].description


def commands(name: str) -> Iterator[str]:
    room = opened(name)
    before = f"onegrid {name}" if room.registered_callback or len(room.registered_commands) > 1 else "onegrid"
    for command in room.registered_commands:
        function = command.callback
        assert function is not None
        yield f"{before} {command.name or function.__name__.replace('_', '-')}"


@pytest.mark.parametrize("command", [one for name in COMMANDS for one in commands(name)])
def test_every_command_is_documented(command: str) -> None:
    assert f"`{command}" in (ROOT / "docs/commands.md").read_text("utf-8")


def test_the_help_of_all_commands_waits_for_no_heavy_library() -> None:
    asked = (
        "import sys; from typer.testing import CliRunner; from dispatch.cli import app; "
        "assert CliRunner().invoke(app, ['--help']).exit_code == 0; "
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    loaded = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout.split()
    assert {"numpy", "shapely", "sqlalchemy", "fastapi", "psycopg", "numba"} & set(loaded) == set()


def test_the_code_knows_no_district_by_name() -> None:
    names = set()
    for path in (ROOT / "data/grids").glob("*/district.toml"):
        head = tomllib.loads(path.read_text("utf-8"))["district"]
        names |= {path.parent.name, head["code"], head["name"], head["name"][:2], head["name_en"].split()[0]}
    sources = [
        path
        for room in ("geo", "dispatch", "web")
        for path in (ROOT / room).rglob("*")
        if path.suffix in {".py", ".ts", ".tsx", ".html", ".css", ".j2"}
        and not {"node_modules", "dist"} & set(path.relative_to(ROOT).parts)
        and ".test" not in path.name
    ]
    assert len(sources) > 40
    found = [
        f"{path.relative_to(ROOT)}: {name}" for path in sources for name in names if name in path.read_text("utf-8")
    ]
    assert found == []


def test_every_link_between_documents_leads_somewhere() -> None:
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", path.read_text("utf-8")):
            if "://" not in target:
                assert (path.parent / target).exists(), f"{path.relative_to(ROOT)} -> {target}"
