"""What stands in the documents stands in the code: errors, settings, commands, and no district by name."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from dispatch import errors
from dispatch.cli import app
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


def commands(group: typer.Typer, before: str = "onegrid") -> Iterator[str]:
    for command in group.registered_commands:
        function = command.callback
        assert function is not None
        yield f"{before} {command.name or function.__name__.replace('_', '-')}"
    for sub in group.registered_groups:
        assert sub.typer_instance is not None
        yield from commands(sub.typer_instance, f"{before} {sub.name or sub.typer_instance.info.name}")


@pytest.mark.parametrize("command", list(commands(app)))
def test_every_command_is_documented(command: str) -> None:
    assert f"`{command}" in (ROOT / "docs/commands.md").read_text("utf-8")


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
