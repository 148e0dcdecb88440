"""Evidence: kept byte for byte, once; sealed by its digest; given back as a file and nothing else."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psycopg
import pytest
from PIL import Image

from dispatch.database import Running
from tests.life import WEST, Json, do, done, opened, refused, small_server, tamper, verified, whole
from tests.small_district import write_small_district
from tests.test_record import photo


@pytest.fixture(scope="module")
def served(postgis: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    patch = pytest.MonkeyPatch()
    patch.setenv("ONEGRID_EVIDENCE_LIMIT_MB", "2")
    folder: Path = write_small_district(tmp_path_factory.mktemp("evidence") / "small")
    with small_server(postgis, "evidence", folder) as found:
        yield found
    patch.undo()


@pytest.fixture
def http(served: tuple[str, str]) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served[1], timeout=60) as client:
        yield client


def given_in(http: httpx.Client, content: bytes, kind: str = "photo", media: str = "image/jpeg") -> httpx.Response:
    return http.post("/api/evidence", files={"file": ("名字.jpg", content, media)}, data={"kind": kind})


def kept(http: httpx.Client, content: bytes, kind: str = "photo") -> str:
    answer = given_in(http, content, kind)
    assert answer.status_code in (200, 201), answer.text
    return str(answer.json()["sha256"])


def test_an_original_is_what_was_given_in_byte_for_byte(http: httpx.Client) -> None:
    raw = photo()
    first = given_in(http, raw)
    assert first.status_code == 201
    body: Json = first.json()
    assert body["sha256"] == hashlib.sha256(raw).hexdigest()
    assert (body["kind"], body["media_type"], body["bytes"], body["thumb"]) == ("photo", "image/jpeg", len(raw), True)
    back = http.get(f"/api/evidence/{body['sha256']}")
    assert back.content == raw, "what the camera wrote into it is part of the evidence"
    assert back.headers["content-type"] == "application/octet-stream"
    assert back.headers["content-disposition"].startswith("attachment;")
    assert back.headers["x-content-type-options"] == "nosniff"
    assert back.headers["content-security-policy"] == "sandbox; default-src 'none'"
    small = http.get(f"/api/evidence/{body['sha256']}", params={"size": "thumb"})
    with Image.open(io.BytesIO(small.content)) as image:
        assert max(image.size) <= 320
        assert image.size[0] < image.size[1], "upright"
        assert not image.getexif()
    assert small.headers["content-security-policy"].startswith("sandbox")


def test_the_same_bytes_are_kept_once(http: httpx.Client, served: tuple[str, str]) -> None:
    raw = b"one and the same" * 40_000
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: given_in(http, raw, "video", "video/mp4"), range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201]
    assert len({answer.json()["received_at"] for answer in answers}) == 1
    assert given_in(http, raw, "document").json()["kind"] == "video", "it stays what it was given in as"
    with psycopg.connect(served[0].replace("+psycopg", "")) as connection:
        row = connection.execute("SELECT count(*) FROM evidence WHERE size = %s", [len(raw)]).fetchone()
    assert row == (1,)


@pytest.mark.parametrize("raw", [b"<script>alert(1)</script>", b"%PDF-1.7", b"\xff\xd8\xff broken", b"GIF89a"])
def test_anything_is_kept_and_nothing_is_run(http: httpx.Client, raw: bytes) -> None:
    answer = given_in(http, raw, "photo", "text/html")
    assert (answer.status_code, answer.json()["thumb"]) == (201, False)
    back = http.get(f"/api/evidence/{answer.json()['sha256']}")
    assert (back.content, back.headers["content-type"]) == (raw, "application/octet-stream")
    assert http.get(f"/api/evidence/{answer.json()['sha256']}", params={"size": "thumb"}).status_code == 404


def test_what_is_too_large_or_nothing_is_refused(http: httpx.Client) -> None:
    assert refused(given_in(http, bytes(2_100_000))) == (413, "evidence_too_large")
    assert refused(given_in(http, b"")) == (422, "empty_evidence")
    assert refused(given_in(http, b"x", "hearsay")) == (422, "invalid_input")
    assert given_in(http, b"no type", "note", "a b/c").json()["media_type"] == "application/octet-stream"
    assert http.get(f"/api/evidence/{'0' * 64}").status_code == 404


def test_an_action_seals_what_when_where_and_by_whom(http: httpx.Client, served: tuple[str, str]) -> None:
    case = opened(http, WEST)
    digest = kept(http, photo())
    item = {"sha256": digest, "at": "2026-11-23T09:00:00+08:00", "lon": 120.02, "lat": 30.05, "officer": "苏A001"}
    assert refused(do(http, case, "evidence", note="x")) == (422, "action_needs")
    gone = {"sha256": "1" * 64}
    assert refused(do(http, case, "evidence", evidence=[item, gone])) == (422, "unknown_evidence")
    before = whole(http, case)
    found = done(do(http, case, "evidence", evidence=[item], role="team"))
    assert (found["state"], found["changed_at"]) == (before["state"], before["changed_at"])
    assert whole(http, case)["history"][-1]["details"]["evidence"] == [
        {
            "sha256": digest,
            "kind": "photo",
            "at": "2026-11-23T01:00:00.000000Z",
            "place": {"lon": 120.02, "lat": 30.05},
            "officer": "苏A001",
        }
    ]
    assert verified(served[0])[0]


def test_a_picture_that_came_late_hinders_nobodys_order(http: httpx.Client) -> None:
    case = opened(http, WEST)
    added = do(http, case, "evidence", role="grid_worker", evidence=[{"sha256": kept(http, photo())}])
    assert done(added)["seq"] == 2
    assert done(do(http, case, "accept", seq=1))["state"] == "accepted", "begun before the picture was there"
    assert refused(do(http, case, "accept", seq=1)) == (409, "case_moved_on")


def test_originals_cannot_be_changed_and_who_gets_past_that_is_found(
    http: httpx.Client, served: tuple[str, str]
) -> None:
    url = served[0]
    case = opened(http, WEST)
    digest = kept(http, b"the original")
    done(do(http, case, "evidence", evidence=[{"sha256": digest}]))
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        for statement in ("UPDATE evidence SET content = 'x'", "DELETE FROM evidence", "TRUNCATE evidence CASCADE"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
    assert verified(url)[0]
    tamper(url, "evidence", f"UPDATE evidence SET content = 'another' WHERE sha256 = '{digest}'")
    passed, figures = verified(url)
    assert (passed, figures["broken"]["problem"], figures["broken"]["case"]) == (False, "evidence", digest)
    tamper(url, "evidence", f"UPDATE evidence SET content = 'the original' WHERE sha256 = '{digest}'")
    assert verified(url)[0]
    tamper(url, "evidence", f"DELETE FROM evidence WHERE sha256 = '{digest}'")
    passed, figures = verified(url)
    assert (passed, figures["broken"]) == (False, {"case": case, "seq": 2, "problem": "evidence_lost"})
    assert kept(http, b"the original") == digest, "it can be given in again"
    assert verified(url)[0]
