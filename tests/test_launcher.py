"""The launcher: what it asks of a machine, what it installs, what it leaves alone the second time.

It runs for real here but for `uv`, which is stood in for by a script that writes down how it was called: installing the
packages once more would only test uv.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PATH = f"{{}}/bin:{Path(sys.executable).parent}:{os.environ['PATH']}"

UV = """#!/bin/sh
echo "$@" >>"$UV_CALLS"
[ "$1" = --version ] && exit 0
[ -z "$UV_FAILS" ] || { echo "the package $UV_FAILS is not to be had"; exit 1; }
if [ "$1" = venv ]; then
    for venv; do :; done
    mkdir -p "$venv/bin"
    touch "$venv/pyvenv.cfg"
    ln -s "$REAL_PYTHON" "$venv/bin/python"
    printf '#!/bin/sh\\necho "onegrid $*"\\npwd\\nexit 7\\n' >"$venv/bin/onegrid"
    chmod +x "$venv/bin/onegrid"
fi
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what the launcher reads, in a folder whose name has a space, with uv stood in for."""
    root = tmp_path / "one grid"
    root.mkdir()
    for file in [ROOT / "onegrid", ROOT / "pyproject.toml", *ROOT.glob("requirements*.lock")]:
        shutil.copy(file, root)
    uv = tmp_path / "bin" / "uv"
    uv.parent.mkdir()
    uv.write_text(UV)
    uv.chmod(0o755)
    return root


def environment(root: Path, **variables: str) -> dict[str, str]:
    return {
        "PATH": PATH.format(root.parent),
        "HOME": str(root.parent),
        "UV_CALLS": str(root.parent / "calls"),
        "REAL_PYTHON": sys.executable,
        "UV_FAILS": "",
        **variables,
    }


def run(root: Path, *arguments: str, cwd: Path | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [root / "onegrid", *arguments],
        cwd=cwd or root,
        env=environment(root, **variables),
        capture_output=True,
        text=True,
        check=False,
    )


def calls(root: Path) -> list[str]:
    """What uv was asked for since the last time, by its first words."""
    file = root.parent / "calls"
    lines = file.read_text().splitlines() if file.exists() else []
    file.unlink(missing_ok=True)
    return [" ".join(line.split()[:2]) if line.startswith("pip") else line.split()[0] for line in lines]


def installs(root: Path) -> list[str]:
    return [call for call in calls(root) if call != "--version"]


def test_it_is_plain_sh() -> None:
    for shell in ("sh", "dash", "bash"):
        if shutil.which(shell):
            assert subprocess.run([shell, "-n", ROOT / "onegrid"], check=False).returncode == 0
    if shutil.which("shellcheck"):
        checked = subprocess.run(["shellcheck", ROOT / "onegrid"], capture_output=True, text=True, check=False)
        assert checked.stdout == ""


def test_help_needs_nothing_and_installs_nothing(checkout: Path) -> None:
    for arguments in ([], ["help"], ["--help"]):
        told = run(checkout, *arguments)
        assert told.returncode == 0
        assert "./onegrid demo" in told.stdout
        assert "./onegrid test" in told.stdout
    assert calls(checkout) == []
    assert not (checkout / ".venv").exists()


def test_the_first_run_installs_and_the_second_does_not(checkout: Path) -> None:
    first = run(checkout, "route", "a b.csv", "-o", "*", cwd=checkout.parent)
    assert first.stdout.splitlines() == ["onegrid route a b.csv -o *", str(checkout.parent)], first.stderr
    assert first.returncode == 7
    assert installs(checkout) == ["venv", "pip sync", "pip install"]
    assert "Python packages" in first.stderr
    second = run(checkout, "route", "b.csv")
    assert second.stdout.splitlines()[0] == "onegrid route b.csv"
    assert second.stderr == ""
    assert calls(checkout) == []


def test_a_changed_lock_is_installed(checkout: Path) -> None:
    run(checkout, "route")
    calls(checkout)
    with (checkout / "requirements.lock").open("a") as lock:
        lock.write("# changed\n")
    run(checkout, "route")
    assert installs(checkout) == ["pip sync", "pip install"]


def test_a_checkout_that_moved_is_installed_again(checkout: Path) -> None:
    run(checkout, "route")
    calls(checkout)
    moved = checkout.rename(checkout.parent / "moved")
    assert run(moved, "route").returncode == 7
    assert installs(moved) == ["pip sync", "pip install"]


def test_what_was_cut_short_is_done_again(checkout: Path) -> None:
    failed = run(checkout, "route", UV_FAILS="numpy")
    assert failed.returncode == 1
    assert failed.stdout == ""
    assert "numpy is not to be had" in failed.stderr
    assert run(checkout, "route").returncode == 7


def test_an_environment_whose_python_is_gone_is_made_again(checkout: Path) -> None:
    run(checkout, "route")
    calls(checkout)
    (checkout / ".venv/bin/python").unlink()
    assert run(checkout, "route").returncode == 7
    assert installs(checkout) == ["venv", "pip sync", "pip install"]


def test_a_folder_that_is_no_environment_is_left_alone(checkout: Path) -> None:
    precious = checkout.parent / "precious"
    precious.mkdir()
    (precious / "file").write_text("kept")
    refused = run(checkout, "route", ONEGRID_VENV=str(precious))
    assert refused.returncode == 1
    assert str(precious) in refused.stderr
    assert (precious / "file").read_text() == "kept"


def test_the_environment_may_be_elsewhere(checkout: Path) -> None:
    assert run(checkout, "route", ONEGRID_VENV="elsewhere", cwd=checkout.parent).returncode == 7
    assert (checkout.parent / "elsewhere/pyvenv.cfg").exists()
    assert not (checkout / ".venv").exists()


def test_an_old_python_is_refused_in_both_languages(checkout: Path) -> None:
    names = ["python3", *(f"python3.{minor}" for minor in range(11, 15))]
    for name in names:
        old = checkout.parent / "bin" / name
        old.write_text("#!/bin/sh\nexit 1\n")
        old.chmod(0o755)
    refused = run(checkout, "route")
    assert refused.returncode == 1
    assert "需要 Python 3.11" in refused.stderr
    assert refused.stderr.count("Python 3.11 or newer is needed.") == 1


def test_one_launcher_at_a_time_installs(checkout: Path) -> None:
    if not shutil.which("flock"):
        pytest.skip("no flock here: they are not kept apart")
    both = [
        subprocess.Popen(
            [checkout / "onegrid", "route"], env=environment(checkout), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(2)
    ]
    for one in both:
        one.communicate()
        assert one.returncode == 7
    assert installs(checkout) == ["venv", "pip sync", "pip install"]
