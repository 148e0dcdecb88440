"""The private PostGIS of the embedded default: one cluster in a data folder, spoken to over a socket only.

`PrivatePostgis(data_dir)` makes the cluster where there is none, starts it where it does not run, and joins it where it
does: any number of processes may use one data folder at once. The last one to leave stops the server. Who is still
there is told by a shared lock, so one that was killed counts as gone; a server whose every user was killed goes on
until the next user of its folder leaves.

Started by root, the cluster belongs to an ordinary user (`dispatch.postgres.serving_account`). Where that user cannot
reach the data folder (below `/root`, say), `postgis` in the data folder is a link to a folder in `/var/lib/onegrid`.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

import psycopg
from psycopg import sql

from dispatch.errors import DatabaseDidNotStart
from dispatch.postgres import Account, Installation, call, clean_environment, find_installation, serving_account

DATABASE = "onegrid"
"""Name of the database and of its owner."""

_PORT = 5432
_START_S = 90.0
_STOP_S = 60.0
_TRIES = 3
_SOCKET_PATH_MAX = 100
"""Bytes; the kernel's limit for a socket's address is 107."""
_LOG_MAX = 10_000_000

_SERVER_SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "port": str(_PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",  # its warm-up costs more than any query here gains
}


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers, with its database made and PostGIS in it."""

    socket: Path
    """Folder of its socket, mode 0700."""
    log: Path

    @property
    def url(self) -> str:
        """The database for SQLAlchemy, as its owner."""
        return self.url_of(DATABASE)

    def url_of(self, database: str, role: str = DATABASE) -> str:
        """Any database of this server for SQLAlchemy, as any role: `postgresql+psycopg://…`."""
        return f"postgresql+psycopg://{self._address(database, role)}"

    def conninfo(self, database: str = DATABASE) -> str:
        """For psycopg and libpq, `postgresql://…`."""
        return f"postgresql://{self._address(database)}"

    def _address(self, database: str, role: str = DATABASE) -> str:
        return f"{role}@/{quote(database, safe='')}?host={quote(str(self.socket), safe='')}&port={_PORT}"


class PrivatePostgis:
    """The cluster of one data folder, as a context manager or by `start` and `stop`.

    `settings` are server settings over the defaults (the tests turn `fsync` off); they count for the one who starts the
    server, not for those who join. Raises `DatabaseMissing` where no fitting PostgreSQL with PostGIS is installed, and
    `DatabaseDidNotStart` with the end of the log where one is and fails.
    """

    def __init__(self, data_dir: Path, settings: Mapping[str, str] | None = None) -> None:
        self._data_dir = data_dir.absolute()
        self._settings = {**_SERVER_SETTINGS, **(settings or {})}
        self._server: subprocess.Popen[bytes] | None = None
        self._leave: Callable[[], None] | None = None

    def __enter__(self) -> Running:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> Running:
        """Make, start or join the cluster; returns when it answers and its database stands."""
        if self._leave is not None:
            raise RuntimeError("this one is started already")
        account = serving_account()
        self._data_dir.mkdir(parents=True, exist_ok=True)
        with self._alone():
            home = _home(self._data_dir, account)
            users = os.open(home / "users.lock", os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(users, fcntl.LOCK_SH)
            try:
                running = self._run(home, account)
                _ensure_database(running)
            except BaseException:
                self._let_go(users, home)
                raise
        self._leave = lambda: self._let_go(users, home)
        return running

    def stop(self) -> None:
        """Leave the cluster; the last one to leave stops the server and waits for its end."""
        if self._leave is not None:
            with self._alone():
                self._leave()
            self._leave = None

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One process at a time starts or stops the cluster of this data folder."""
        try:
            lock = os.open(self._data_dir / "postgis.lock", os.O_RDWR | os.O_CREAT, 0o600)
        except PermissionError as error:
            raise DatabaseDidNotStart(problem=f"{self._data_dir} belongs to another user", log="-") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _run(self, home: Path, account: Account) -> Running:
        """The server that is there, or a new one."""
        cluster, log = home / "cluster", home / "server.log"
        installation = find_installation(_version_of(cluster))
        if not cluster.exists():
            _initdb(installation, home, account, log)
        for attempt in range(_TRIES):
            # After kill -9 the dead server's workers may hold its memory for a moment more.
            time.sleep(attempt)
            if _postmaster(cluster) is None:
                _clear_leftovers(cluster, _socket_folder(home, account))
                self._server = self._spawn(installation, home, account, log)
            if socket := self._socket_that_answers(installation, cluster, account):
                return Running(socket, log)
        raise DatabaseDidNotStart(problem=_end_of(log), log=str(log))

    def _spawn(self, installation: Installation, home: Path, account: Account, log: Path) -> subprocess.Popen[bytes]:
        settings = {**self._settings, "unix_socket_directories": str(_socket_folder(home, account))}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        if log.exists() and log.stat().st_size > _LOG_MAX:
            log.replace(log.with_suffix(".log.1"))
        with log.open("ab") as out:
            return subprocess.Popen(
                [installation.folder / "postgres", "-D", home / "cluster", *options],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env=clean_environment(),
                start_new_session=True,  # Ctrl-C in the terminal is for us, who then stop it in order
                **account.drop,
            )

    def _socket_that_answers(self, installation: Installation, cluster: Path, account: Account) -> Path | None:
        """Wait for the server; None when it ended, or did not come up in time."""
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline:
            if _postmaster(cluster) is None and (self._server is None or self._server.poll() is not None):
                return None
            socket = _socket_of(cluster)
            if socket is not None:
                # Not `pg_ctl status`: after kill -9 it goes by the pid file alone.
                ask: list[str | Path] = [installation.folder / "pg_isready", "-q", "-h", socket, "-p", str(_PORT)]
                if call(ask, account).returncode == 0:
                    return socket
            time.sleep(0.02)
        return None

    def _let_go(self, users: int, home: Path) -> None:
        """Give up the shared lock; where nobody else holds it, stop the server."""
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        else:
            self._stop_server(home / "cluster")
        finally:
            os.close(users)

    def _stop_server(self, cluster: Path) -> None:
        pid = _postmaster(cluster) or (self._server.pid if self._server and self._server.poll() is None else None)
        if pid is None:
            return
        for how in (signal.SIGINT, signal.SIGQUIT):
            with suppress(ProcessLookupError):
                os.kill(pid, how)
            deadline = time.monotonic() + _STOP_S
            while time.monotonic() < deadline:
                if not _stands_in(cluster, pid) and (self._server is None or self._server.poll() is not None):
                    return
                time.sleep(0.02)


def _home(data_dir: Path, account: Account) -> Path:
    """Folder of the cluster, its socket and its log: in the data folder where the server's user can reach that."""
    home = data_dir / "postgis"
    if not home.exists():
        if call(["test", "-x", data_dir], account).returncode == 0:
            home.mkdir()
        else:
            shelf = Path("/var/lib/onegrid")
            shelf.mkdir(parents=True, exist_ok=True)
            home.unlink(missing_ok=True)
            home.symlink_to(tempfile.mkdtemp(prefix=f"{data_dir.name.strip('.')}-", dir=shelf))
        home.chmod(0o711)
    if home.stat().st_uid != os.geteuid():
        raise DatabaseDidNotStart(problem=f"{home} belongs to another user", log="-")
    return home.resolve()


def _initdb(installation: Installation, home: Path, account: Account, log: Path) -> None:
    """Make the cluster beside its place and move it there: one cut short leaves nothing that looks whole."""
    new = home / "cluster.new"
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(mode=0o700)
    os.chown(new, account.uid, account.gid)
    tool = installation.folder / "initdb"
    made = call([tool, "-D", new, "-U", DATABASE, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"], account)
    log.write_text(made.stdout + made.stderr, encoding="utf-8")
    if made.returncode != 0:
        raise DatabaseDidNotStart(problem=_end_of(log), log=str(log))
    new.rename(home / "cluster")


def _socket_folder(home: Path, account: Account) -> Path:
    """A 0700 folder of the server's user: beside the cluster where the path is short enough, else in /tmp."""
    folder = home / "run"
    if len(os.fsencode(folder)) + len(f"/.s.PGSQL.{_PORT}") > _SOCKET_PATH_MAX:
        folder = Path("/tmp", "onegrid-" + hashlib.sha256(os.fsencode(home)).hexdigest()[:16])  # noqa: S108
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
        os.chown(folder, account.uid, account.gid)
    stat = folder.lstat()
    if stat.st_uid != account.uid or stat.st_mode & 0o077:
        # Anybody can make a folder in /tmp, and what listens there would be theirs.
        raise DatabaseDidNotStart(problem=f"{folder} is not a private folder of user {account.uid}", log="-")
    return folder


def _clear_leftovers(cluster: Path, socket_folder: Path) -> None:
    """What a killed server left: PostgreSQL would take any process that now has its number for it."""
    (cluster / "postmaster.pid").unlink(missing_ok=True)
    for name in (f".s.PGSQL.{_PORT}", f".s.PGSQL.{_PORT}.lock"):
        (socket_folder / name).unlink(missing_ok=True)


def _version_of(cluster: Path) -> int | None:
    try:
        return int((cluster / "PG_VERSION").read_text("ascii"))
    except FileNotFoundError:
        return None


def _postmaster(cluster: Path) -> int | None:
    """The cluster's server process. A pid file whose process stands elsewhere is a leftover of one that was killed."""
    try:
        pid = int((cluster / "postmaster.pid").read_text("ascii").split("\n", 1)[0])
    except (OSError, ValueError):
        return None
    return pid if _stands_in(cluster, pid) else None


def _stands_in(cluster: Path, pid: int) -> bool:
    """Whether that process lives and works in the cluster's folder, as its server does. A zombie does not."""
    try:
        return Path(f"/proc/{pid}/cwd").readlink() == cluster
    except OSError:
        return False


def _socket_of(cluster: Path) -> Path | None:
    """Where the running server listens: line 5 of its pid file."""
    try:
        line = (cluster / "postmaster.pid").read_text("utf-8").split("\n")[4]
    except (FileNotFoundError, IndexError):
        return None
    return Path(line) if line else None


def _end_of(log: Path) -> str:
    lines = log.read_text("utf-8", errors="replace").splitlines() if log.exists() else []
    return " / ".join(lines[-3:])


def _ensure_database(running: Running) -> None:
    try:
        with psycopg.connect(running.conninfo("postgres"), autocommit=True) as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
            if known is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
        with psycopg.connect(running.conninfo(), autocommit=True) as connection:
            connection.execute("CREATE EXTENSION IF NOT EXISTS postgis")
    except psycopg.Error as error:
        raise DatabaseDidNotStart(problem=str(error).strip(), log=str(running.log)) from error
