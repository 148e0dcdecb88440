"""The record in the database: the schema, what a tamperer with SQL leaves behind, a database that goes away."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import anyio
import httpx
import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from PIL import Image
from sqlalchemy import create_engine
from typer.testing import CliRunner

from dispatch.cli import app
from dispatch.database import PrivatePostgis
from dispatch.settings import Settings
from dispatch.store.engine import MIGRATIONS, migrate, newest_revision, open_engine
from dispatch.tables import metadata
from tests.sample import sample
from tests.serving import serving


async def migrated(url: str) -> None:
    engine = open_engine(url, 1)
    await migrate(engine)
    await engine.dispose()


def test_the_migrations_make_the_tables(database_url: str) -> None:
    anyio.run(migrated, database_url)
    with create_engine(database_url).connect() as connection:
        ours = set(metadata.tables)
        context = MigrationContext.configure(
            connection,
            opts={"include_name": lambda name, kind, _: kind != "table" or name in ours, "compare_type": True},
        )
        assert compare_metadata(context, metadata) == []


def test_the_newest_revision_is_told_from_the_names_of_the_files() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [newest_revision()]


def test_a_schema_that_is_new_is_left_alone_without_alembic(database_url: str) -> None:
    anyio.run(migrated, database_url)
    again = (
        "import sys, anyio; from dispatch.store.engine import migrate, open_engine; "
        "anyio.run(migrate, open_engine(sys.argv[1], 1)); sys.exit('alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", again, database_url], check=False).returncode == 0


def report(url: str) -> dict[str, object]:
    zone = httpx.get(f"{url}/api/district", timeout=60).json()["bbox"]
    matter = httpx.get(f"{url}/api/matters", timeout=60).json()["items"][0]["code"]
    return {"lon": (zone[0] + zone[2]) / 2, "lat": (zone[1] + zone[3]) / 2, "matter": matter}


def verified(url: str) -> tuple[int, dict[str, object]]:
    result = CliRunner().invoke(app, ["audit", "verify", "--json"], env={"ONEGRID_DATABASE_URL": url})
    return result.exit_code, json.loads(result.stdout)


@pytest.fixture(scope="module")
def filled(postgis: object, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database with a dozen cases of three steps, to be copied and tampered with."""
    url = postgis.url_of("filled")  # type: ignore[attr-defined]
    with psycopg.connect(postgis.conninfo("postgres"), autocommit=True) as connection:  # type: ignore[attr-defined]
        connection.execute("CREATE DATABASE filled TEMPLATE onegrid")
    with serving(Settings(database_url=url)) as server:
        body = report(server)
        for number in range(12):
            sent = {**body, "id": str(uuid4()), "text": f"第 {number} 件", "contact": {"phone": "000"}}
            case = httpx.post(f"{server}/api/reports", json=sent, timeout=60).json()["case"]
            for action in ("accept", "arrive"):
                order = {"id": str(uuid4()), "action": action, "actor": "测试"}
                assert httpx.post(f"{server}/api/cases/{case}/actions", json=order, timeout=60).status_code == 200
    return "filled"


@pytest.fixture
def template_database(filled: str) -> str:
    """Each test's database is a copy of the filled one."""
    return filled


TAMPERING = {
    "seal": "UPDATE event SET actor = '他人' WHERE case_no = {case} AND seq = 2",
    "seal ": "UPDATE event SET data = jsonb_set(data::jsonb, '{{note}}', '\"x\"') WHERE case_no = {case} AND seq = 3",
    "seal  ": "UPDATE event SET at = at + interval '1 microsecond' WHERE case_no = {case} AND seq = 1",
    "sequence": "DELETE FROM event WHERE case_no = {case} AND seq = 2",
    "head": "DELETE FROM event WHERE case_no = {case} AND seq = 3",
    "empty": "DELETE FROM event WHERE case_no = {case}",
    "projection": "UPDATE case_file SET state = 'closed' WHERE case_no = {case}",
    "projection ": "UPDATE case_file SET team = 'T99' WHERE case_no = {case}",
    "projection  ": "UPDATE case_file SET unit = 'none' WHERE case_no = {case}",
    "projection   ": "UPDATE case_file SET due_at = due_at + interval '1 day' WHERE case_no = {case}",
    "projection    ": "UPDATE case_file SET urgency = 1 WHERE case_no = {case}",
    "projection     ": "UPDATE case_file SET matter = '0199' WHERE case_no = {case}",
    "projection      ": "UPDATE case_file SET geom = ST_Translate(geom, 0.001, 0) WHERE case_no = {case}",
    "projection       ": "UPDATE case_file SET received_at = received_at - interval '1 day' WHERE case_no = {case}",
    "projection        ": "UPDATE case_file SET accuracy_m = accuracy_m / 2 WHERE case_no = {case}",
    "projection         ": "UPDATE case_file SET notes = '{{confirm_place}}' WHERE case_no = {case}",
    "projection          ": "UPDATE report SET geom = ST_Translate(geom, 0.001, 0) WHERE id = (SELECT report_id FROM "
    "case_file WHERE case_no = {case})",
    "projection           ": "UPDATE case_file SET state = 'no state', stage = 'none' WHERE case_no = {case}",
    "report  ": "UPDATE report SET source = 'nobody', datum = 'none' WHERE id = (SELECT report_id FROM case_file "
    "WHERE case_no = {case})",
    "report": "UPDATE report SET text = '别的' WHERE id = (SELECT report_id FROM case_file WHERE case_no = {case})",
    "report ": "UPDATE report SET contact = '{{}}' WHERE id = (SELECT report_id FROM case_file WHERE case_no = {case})",
}


def test_an_untouched_record_holds(database_url: str) -> None:
    code, said = verified(database_url)
    assert (code, said["passed"]) == (0, True)
    assert said["figures"]["cases"] == 12  # type: ignore[index]
    assert said["figures"]["events"] == 36  # type: ignore[index]


@pytest.mark.parametrize("problem", TAMPERING)
def test_whoever_gets_past_the_trigger_is_found(database_url: str, problem: str) -> None:
    with psycopg.connect(database_url.replace("+psycopg", ""), autocommit=True) as connection:
        row = connection.execute("SELECT case_no FROM case_file ORDER BY case_no OFFSET 5 LIMIT 1").fetchone()
        assert row is not None
        connection.execute("ALTER TABLE event DISABLE TRIGGER append_only")
        connection.execute(TAMPERING[problem].format(case=f"'{row[0]}'"))
    code, said = verified(database_url)
    assert (code, said["passed"]) == (1, False)
    broken = said["figures"]["broken"]  # type: ignore[index]
    assert (broken["case"], broken["problem"]) == (row[0], problem.strip())


def test_a_changed_photo_is_found(database_url: str) -> None:
    with psycopg.connect(database_url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("INSERT INTO photo VALUES (encode(sha256('x'), 'hex'), now(), 1, 1, 'x', 'x')")
        assert verified(database_url)[0] == 0
        connection.execute("UPDATE photo SET jpeg = 'y'")
    code, said = verified(database_url)
    assert (code, said["figures"]["broken"]["problem"]) == (1, "photo")  # type: ignore[index]


def test_a_broken_folder_is_refused_whole_and_what_is_loaded_stays(database_url: str, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(sample().folder, broken, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    (broken / "teams.csv").write_text("code,name\n", encoding="utf-8")
    with psycopg.connect(database_url.replace("+psycopg", ""), autocommit=True) as connection:
        before = connection.execute("SELECT count(*), max(area_km2) FROM zone").fetchone()
        command = [sys.executable, "-c", "from dispatch.cli import main; main()", "serve", "--district", str(broken)]
        environment = {**os.environ, "ONEGRID_DATABASE_URL": database_url}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 1
        assert "[broken_district]" in done.stderr
        assert "teams.csv" in done.stderr
        assert "Traceback" not in done.stderr
        assert connection.execute("SELECT count(*), max(area_km2) FROM zone").fetchone() == before
        assert before is not None
        assert before[0] > 1000


def test_a_database_that_goes_away_costs_a_retry_and_no_report(server_folder: Path) -> None:
    private = PrivatePostgis(server_folder)
    running = private.start()
    with serving(Settings(database_url=running.url)) as server:
        sent = {**report(server), "id": str(uuid4())}
        assert httpx.get(f"{server}/api/health", timeout=60).status_code == 200
        private.stop()
        answer = httpx.post(f"{server}/api/reports", json=sent, timeout=30)
        assert answer.status_code == 503
        assert answer.json()["code"] == "database_unavailable"
        assert int(answer.headers["retry-after"]) > 0
        with private:
            answers = []
            for _ in range(20):
                answers.append(httpx.post(f"{server}/api/reports", json=sent, timeout=30))
                if answers[-1].status_code != 503:
                    break
            assert answers[-1].status_code == 201
            assert httpx.post(f"{server}/api/reports", json=sent, timeout=60).status_code == 200
            assert len(httpx.get(f"{server}/api/cases", timeout=60).json()["items"]) == 1


def photo() -> bytes:
    out = io.BytesIO()
    image = Image.new("RGB", (400, 200), "red")
    exif = Image.Exif()
    exif[0x0112] = 6  # turned
    exif.get_ifd(0x8825)[2] = (31.0, 20.0, 10.0)  # GPS latitude
    exif[0x010E] = "home address"
    image.save(out, "JPEG", exif=exif, comment=b"a comment with a name")
    return out.getvalue()


def test_photos_lose_what_the_camera_wrote(client: httpx.Client) -> None:
    raw = photo()
    assert b"home address" in raw
    answer = client.post("/api/photos", files={"file": ("a.jpg", raw)})
    assert answer.status_code == 201
    body = answer.json()
    assert (body["width"], body["height"]) == (200, 400)
    kept = client.get(f"/api/photos/{body['sha256']}")
    assert kept.headers["content-type"] == "image/jpeg"
    with Image.open(io.BytesIO(kept.content)) as image:
        assert not image.getexif()
        assert "comment" not in image.info
    assert b"home address" not in kept.content
    small = client.get(f"/api/photos/{body['sha256']}", params={"size": "thumb"})
    assert max(Image.open(io.BytesIO(small.content)).size) <= 320
    sent = {**report(str(client.base_url)), "photos": [body["sha256"]]}
    case = client.post("/api/reports", json=sent).json()["case"]
    assert client.get(f"/api/cases/{case}").json()["photos"] == [body["sha256"]]


@pytest.mark.parametrize(
    ("raw", "status", "code"),
    [
        (b"", 415, "not_a_photo"),
        (b"%PDF-1.7 no photo", 415, "not_a_photo"),
        (photo()[:300], 415, "not_a_photo"),
        (bytes(40_000_000), 413, "photo_too_large"),
    ],
)
def test_what_is_no_photo_is_refused(client: httpx.Client, raw: bytes, status: int, code: str) -> None:
    answer = client.post("/api/photos", files={"file": ("a.jpg", raw)})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
