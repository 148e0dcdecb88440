"""What `./onegrid lint` and `./onegrid test` run: every check to its end, one line each, and pytest last.

All are run even when one fails. The exit code is 0 only when all passed.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "web" / "page"

_CONTROL = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
"""What tools send to move the cursor, even where there is none."""


@dataclass(frozen=True, slots=True)
class Check:
    """One tool; `figure` begins the lines of its output that say how it went, where that is not the last one alone."""

    name: str
    command: tuple[str, ...]
    folder: Path = ROOT
    figure: tuple[str, ...] = ()


def _python(*command: str) -> tuple[str, ...]:
    """A tool of this environment, whatever else the PATH offers."""
    return (str(Path(sys.executable).with_name(command[0])), *command[1:])


CHECKS = (
    Check("ruff check", _python("ruff", "check", ".")),
    Check("ruff format", _python("ruff", "format", "--check", ".")),
    Check("mypy --strict", _python("mypy")),
    Check("import law", _python("lint-imports", "--no-cache"), figure=("Contracts:",)),
    Check("page: biome", ("npm", "run", "--silent", "lint"), PAGE, ("Checked", "Found")),
    Check("page: tsc", ("npm", "run", "--silent", "typecheck"), PAGE),
    Check("page: vitest", ("npm", "test", "--silent"), PAGE, ("Tests",)),
)


def main(arguments: Sequence[str]) -> int:
    """`lint`, or `test` with what pytest is to be told; the exit code."""
    command, *rest = arguments
    failed = [check.name for check in CHECKS if not _passes(check)]
    if command == "test":
        _say(f"{'pytest':<16}")
        if subprocess.run([sys.executable, "-m", "pytest", *rest], cwd=ROOT, check=False).returncode:
            failed.append("pytest")
    if failed:
        _say(f"✗ 未通过 / failed: {', '.join(failed)}")
    elif command == "lint":
        _say("✓ 全部通过 / all passed")
    return 1 if failed else 0


def _passes(check: Check) -> bool:
    sys.stdout.write(f"{check.name:<16}")
    sys.stdout.flush()
    began = time.monotonic()
    try:
        run = subprocess.run(
            check.command,
            cwd=check.folder,
            env={**os.environ, "NO_COLOR": "1", "FORCE_COLOR": "0"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
        output, passed = run.stdout, run.returncode == 0
    except FileNotFoundError as missing:
        output, passed = str(missing), False
    _say(f"{'✓' if passed else '✗'} {_figure(check, output)} ({time.monotonic() - began:.1f} s)")
    if not passed:
        _say(output)
    return passed


def _figure(check: Check, output: str) -> str:
    lines = [line.strip() for line in _CONTROL.sub("", output).splitlines() if line.strip()]
    chosen = [line for line in lines if line.startswith(check.figure)] if check.figure else []
    return " ".join(" ".join(chosen or lines[-1:]).split()) or "no findings"


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
