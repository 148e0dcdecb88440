"""The private PostGIS: it starts, is shared, survives what happens to servers, and never takes another's."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from dispatch.database import PrivatePostgis, Running
from dispatch.errors import DatabaseDidNotStart, DatabaseMissing
from dispatch.postgres import find_installation, serving_account

AS_ROOT = os.geteuid() == 0
QUICK = {"fsync": "off", "shared_buffers": "16MB"}
ROOT = Path(__file__).resolve().parents[1]

JOINER = """
import sys, time
from pathlib import Path
import psycopg
from dispatch.database import PrivatePostgis
with PrivatePostgis(Path(sys.argv[1]), {"fsync": "off", "shared_buffers": "16MB"}) as running:
    with psycopg.connect(running.conninfo()) as connection:
        print(connection.execute("SELECT pg_postmaster_start_time()").fetchone()[0], flush=True)
    sys.stdin.read()
"""


def empty_folder() -> Path:
    made = Path(tempfile.mkdtemp(prefix="onegrid-db-"))
    made.chmod(0o711)
    return made


@pytest.fixture
def empty() -> Iterator[Path]:
    """A data folder with nothing in it."""
    made = empty_folder()
    yield made
    assert not list(made.glob("**/postmaster.pid")), "a test left its server running"
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def made_once() -> Iterator[Path]:
    made = empty_folder()
    with PrivatePostgis(made, QUICK):
        pass
    yield made
    shutil.rmtree(made)


@pytest.fixture
def folder(empty: Path, made_once: Path) -> Path:
    """A data folder whose cluster is made and stopped."""
    subprocess.run(["cp", "-a", f"{made_once}/.", empty], check=True)
    return empty


def one(running: Running, query: str) -> object:
    with psycopg.connect(running.conninfo()) as connection:
        row = connection.execute(query).fetchone()
        assert row is not None
        return row[0]


def server_pid(folder: Path) -> int:
    return int((folder / "postgis/cluster/postmaster.pid").read_text().split("\n")[0])


def lives(pid: int) -> bool:
    """Not ended; a zombie, which only its parent can clear away, has."""
    try:
        return bool(Path(f"/proc/{pid}/cwd").readlink())
    except OSError:
        return False


def join(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", JOINER, str(folder)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_it_has_postgis_listens_nowhere_and_speaks_to_sqlalchemy(empty: Path) -> None:
    with PrivatePostgis(empty, QUICK) as running:
        engine = sa.create_engine(running.url)
        with engine.connect() as connection:
            area = connection.scalar(sa.text("SELECT ST_Area(ST_MakeEnvelope(0, 0, 2, 3))"))
        engine.dispose()
        assert area == 6
        assert one(running, "SHOW listen_addresses") == ""
        assert one(running, "SHOW server_encoding") == "UTF8"
        assert running.socket.stat().st_mode & 0o077 == 0


def test_data_survives_a_restart(folder: Path) -> None:
    with PrivatePostgis(folder, QUICK) as running, psycopg.connect(running.conninfo()) as connection:
        connection.execute("CREATE TABLE kept AS SELECT '石臼湖' AS name")
    with PrivatePostgis(folder, QUICK) as running:
        assert one(running, "SELECT name FROM kept") == "石臼湖"


def test_stop_ends_the_server_and_twice_is_once(folder: Path) -> None:
    database = PrivatePostgis(folder, QUICK)
    database.start()
    pid = server_pid(folder)
    database.stop()
    database.stop()
    assert not lives(pid)


def test_three_starts_at_once_are_one_server_and_the_last_to_leave_stops_it(empty: Path) -> None:
    processes = [join(empty) for _ in range(3)]
    started = {first_line(process) for process in processes}
    assert len(started) == 1
    assert "" not in started
    pid = server_pid(empty)
    for left, process in enumerate(reversed(processes), start=1):
        process.communicate()
        assert process.returncode == 0
        assert lives(pid) == (left < 3)


def test_a_killed_user_counts_as_gone(folder: Path) -> None:
    killed = join(folder)
    started = first_line(killed)
    killed.kill()
    killed.communicate()
    pid = server_pid(folder)
    with PrivatePostgis(folder, QUICK) as running:
        assert str(one(running, "SELECT pg_postmaster_start_time()")) == started
    assert not lives(pid)


def test_it_starts_again_after_kill_9(folder: Path) -> None:
    first = PrivatePostgis(folder, QUICK)
    running = first.start()
    with psycopg.connect(running.conninfo()) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    os.kill(server_pid(folder), signal.SIGKILL)
    with PrivatePostgis(folder, QUICK) as again:
        assert one(again, "SELECT answer FROM kept") == 42
    first.stop()


@pytest.mark.parametrize("whose", ["nobody's", "another process's"])
def test_a_leftover_pid_file_is_no_server(folder: Path, whose: str) -> None:
    with PrivatePostgis(folder, QUICK):
        leftover = (folder / "postgis/cluster/postmaster.pid").read_text().split("\n")
    gone = subprocess.Popen(["true"])
    gone.wait()
    leftover[0] = str(gone.pid if whose == "nobody's" else os.getpid())
    file = folder / "postgis/cluster/postmaster.pid"
    file.write_text("\n".join(leftover))
    os.chown(file, serving_account().uid, serving_account().gid)
    with PrivatePostgis(folder, QUICK) as running:
        assert one(running, "SELECT 1") == 1


def test_an_initdb_cut_short_is_begun_again(empty: Path) -> None:
    half = empty / "postgis" / "cluster.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("15\n")
    (empty / "postgis").chmod(0o711)
    with PrivatePostgis(empty, QUICK) as running:
        assert one(running, "SELECT 1") == 1


def test_pg_variables_lead_nowhere_else(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PGDATA": "/nowhere", "PGPORT": "1", "PGHOST": "/nowhere", "PGUSER": "x"}.items():
        monkeypatch.setenv(name, value)
    with PrivatePostgis(folder, QUICK) as running:
        assert one(running, "SELECT current_user") == "onegrid"


def test_a_long_path_gets_a_short_socket(empty: Path) -> None:
    deep = empty / ("深" * 40) / "data"
    with PrivatePostgis(deep, QUICK) as running:
        assert len(os.fsencode(running.socket)) < 60
        assert one(running, "SELECT 1") == 1
        assert running.socket.stat().st_mode & 0o077 == 0
    shutil.rmtree(running.socket)


def test_a_server_that_cannot_start_says_why(folder: Path) -> None:
    with pytest.raises(DatabaseDidNotStart) as failed:
        PrivatePostgis(folder, {**QUICK, "max_connections": "many"}).start()
    assert "max_connections" in str(failed.value)
    assert "server.log" in str(failed.value.hint("en"))


def test_a_cluster_of_another_version_is_left_alone(empty: Path) -> None:
    cluster = empty / "postgis" / "cluster"
    cluster.mkdir(parents=True)
    (cluster / "PG_VERSION").write_text("9\n")
    with pytest.raises(DatabaseMissing, match="version 9"):
        PrivatePostgis(empty, QUICK).start()
    assert [entry.name for entry in cluster.iterdir()] == ["PG_VERSION"]


def test_the_installation_found_has_its_programs() -> None:
    found = find_installation()
    assert (found.folder / "initdb").exists()
    assert found.major >= 13


@pytest.mark.skipif(not AS_ROOT, reason="only root drops to another user")
def test_under_root_it_belongs_to_an_ordinary_user(empty: Path) -> None:
    closed = empty / "closed"
    closed.mkdir(mode=0o700)
    with PrivatePostgis(closed / "data", QUICK) as running:
        home = (closed / "data" / "postgis").resolve()
        assert home.parent == Path("/var/lib/onegrid")
        assert Path(f"/proc/{server_pid(closed / 'data')}").stat().st_uid == serving_account().uid != 0
        assert one(running, "SELECT 1") == 1
    shutil.rmtree(home)


@pytest.mark.skipif(not AS_ROOT, reason="only root can become somebody else")
def test_an_ordinary_user_runs_it_directly_and_another_is_refused(empty: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    mine = empty / "mine"
    mine.mkdir()
    os.chown(mine, nobody.pw_uid, nobody.pw_gid)

    def start_and_ask() -> None:
        with PrivatePostgis(mine, QUICK) as running:
            assert one(running, "SELECT 1") == 1
            assert Path(f"/proc/{server_pid(mine)}").stat().st_uid == nobody.pw_uid

    assert _as_user(nobody, start_and_ask) == 0
    with pytest.raises(DatabaseDidNotStart, match="another user"):
        PrivatePostgis(mine, QUICK).start()


def _as_user(user: pwd.struct_passwd, act: object) -> int:
    """Exit status of a forked child that acts as another user: the interpreter may lie where only root can run it."""
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(user.pw_gid)
            os.setuid(user.pw_uid)
            assert callable(act)
            act()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.05)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return -1


def test_each_test_has_a_database_of_its_own(database_url: str) -> None:
    _leave_a_mark(database_url)


def test_and_finds_nothing_of_the_one_before(database_url: str) -> None:
    _leave_a_mark(database_url)


def _leave_a_mark(url: str) -> None:
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        assert connection.scalar(sa.text("SELECT postgis_lib_version()"))
        connection.execute(sa.text("CREATE TABLE mark ()"))
    engine.dispose()
