"""The house's order: the import law speaks of every module, the locks of every dependency, no file of a registry."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
LOCKS = {
    "requirements.lock": ["project", "build"],
    "requirements-dev.lock": ["project", "build", "dev"],
    "requirements-uv.lock": ["uv"],
    "requirements-node.lock": ["node"],
}


def asked_for(group: str) -> list[Requirement]:
    if group == "project":
        return [Requirement(text) for text in PROJECT["project"]["dependencies"]]
    found: list[Requirement] = []
    for entry in PROJECT["dependency-groups"][group]:
        found += asked_for(entry["include-group"]) if isinstance(entry, dict) else [Requirement(entry)]
    return found


def locked(lock: str) -> dict[str, list[str]]:
    """Versions by name: a universal lock may hold several, each for some Python."""
    versions: dict[str, list[str]] = {}
    for name, version in re.findall(r"^([\w.-]+)==([^\s;\\]+)", (ROOT / lock).read_text("utf-8"), re.MULTILINE):
        versions.setdefault(canonicalize_name(name), []).append(version)
    return versions


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_everything_asked_for(lock: str) -> None:
    versions = locked(lock)
    unmet = [
        str(requirement)
        for group in LOCKS[lock]
        for requirement in asked_for(group)
        if not any(requirement.specifier.contains(v) for v in versions.get(canonicalize_name(requirement.name), []))
    ]
    assert unmet == [], "renew the locks: ./onegrid lock"


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_a_hash_for_each_and_no_place(lock: str) -> None:
    entries = re.split(r"\n(?=\S)", (ROOT / lock).read_text("utf-8").strip())
    assert entries
    assert [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry] == []
    assert re.findall(r"://|file:|^-", "\n".join(entries), re.MULTILINE) == []


def test_the_tests_run_on_the_versions_that_are_served() -> None:
    served, tested = locked("requirements.lock"), locked("requirements-dev.lock")
    assert {name: tested.get(name) for name in served} == served


def test_the_pages_lock_names_no_place() -> None:
    lock = (ROOT / "web/page/package-lock.json").read_text("utf-8")
    assert '"resolved"' not in lock
    assert '"integrity"' in lock


def test_no_committed_file_names_a_registry() -> None:
    hosts = [
        "pypi" + ".org",
        "files.python" + "hosted",
        "registry." + "npmjs",
        "registry." + "npmmirror",
        "deb." + "debian.org",
    ]
    pattern = "|".join(re.escape(host) for host in hosts)
    found = subprocess.run(
        ["git", "grep", "--name-only", "-I", "-E", pattern], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert found.stdout == ""


def test_the_import_law_speaks_of_every_module() -> None:
    layers = PROJECT["tool"]["importlinter"]["contracts"][0]["layers"]
    spoken = {name.strip(" ()") for layer in layers for name in re.split(r"[:|]", layer)}
    there = {
        f"dispatch.{path.stem}"
        for path in (ROOT / "dispatch").iterdir()
        if (path.suffix == ".py" or (path / "__init__.py").exists()) and not path.stem.startswith("__")
    }
    assert there - {"dispatch.migrations"} <= spoken
