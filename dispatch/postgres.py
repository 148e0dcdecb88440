"""The PostgreSQL that is installed here: which one serves, as whom it runs, and its tools called without surprises."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dispatch.errors import DatabaseMissing

_TOOLS = ("initdb", "postgres", "pg_isready")


@dataclass(frozen=True, slots=True)
class Installation:
    """A PostgreSQL server that has PostGIS."""

    folder: Path
    """Of its programs."""
    major: int


@dataclass(frozen=True, slots=True)
class Account:
    """Whom the server runs as; `drop` is what `subprocess` needs to become them."""

    uid: int
    gid: int
    drop: Mapping[str, Any]


def find_installation(major: int | None = None) -> Installation:
    """The newest PostgreSQL here that has PostGIS; with `major`, of that version only: a cluster opens with no other.

    Raises `DatabaseMissing`, naming what was found and why it does not serve.
    """
    unfit: list[str] = []
    for folder in _folders():
        if not all((folder / tool).exists() for tool in _TOOLS):
            continue
        found = _major(folder)
        if not Path(_said(folder / "pg_config", "--sharedir"), "extension", "postgis.control").exists():
            unfit.append(f"PostgreSQL {found} ({folder}) has no PostGIS")
        elif major not in (None, found):
            unfit.append(f"PostgreSQL {found} ({folder}) cannot open a cluster of version {major}")
        else:
            return Installation(folder, found)
    raise DatabaseMissing(problem="; ".join(unfit) or "no PostgreSQL server is installed")


def serving_account() -> Account:
    """Ourselves; for root, whom PostgreSQL refuses, an ordinary user: `postgres`, else `nobody`.

    Raises `DatabaseMissing` where there is neither.
    """
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), {"cwd": "/"})
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            drop = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": [], "cwd": "/"}
            return Account(entry.pw_uid, entry.pw_gid, drop)
    raise DatabaseMissing(problem="root cannot run PostgreSQL, and there is no user postgres or nobody")


def clean_environment() -> dict[str, str]:
    """Ours without what would send PostgreSQL's tools to some other server or into some other language."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return {**kept, "LC_ALL": "C"}


def call(command: Sequence[str | Path], account: Account) -> subprocess.CompletedProcess[str]:
    """Run one of PostgreSQL's tools as the server's user, to its end."""
    return subprocess.run(command, capture_output=True, text=True, check=False, env=clean_environment(), **account.drop)


def _folders() -> Iterator[Path]:
    """Debian's folders, newest first, then the one that pg_config on the PATH speaks of."""
    debian = [folder for folder in Path("/usr/lib/postgresql").glob("*/bin") if folder.parent.name.isdigit()]
    yield from sorted(debian, key=lambda folder: -int(folder.parent.name))
    if pg_config := shutil.which("pg_config"):
        yield Path(_said(Path(pg_config), "--bindir"))


def _major(folder: Path) -> int:
    version = re.search(r"\d+", _said(folder / "postgres", "--version"))
    return int(version.group()) if version else 0


def _said(program: Path, option: str) -> str:
    try:
        return subprocess.run(
            [program, option], capture_output=True, text=True, check=True, env=clean_environment()
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
