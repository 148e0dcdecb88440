"""Evidence in and out: kept byte for byte, and only ever given back as a file to be saved."""

from __future__ import annotations

import hashlib
import io
import re
import warnings
from datetime import UTC, datetime
from typing import Annotated, Final

import anyio.to_thread
from fastapi import APIRouter, File, Form, HTTPException, Query, Request, Response, UploadFile
from PIL import Image, ImageOps
from pydantic import BaseModel

from dispatch.errors import EmptyEvidence, EvidenceTooLarge
from dispatch.evidence import Kind
from dispatch.store import evidence as kept
from dispatch.store.engine import connect
from web.photos import FORMATS, THUMB_SIDE
from web.problems import PROBLEMS
from web.state import WorkerOf

router = APIRouter(prefix="/api/evidence", tags=["evidence"])

UNKNOWN: Final = "application/octet-stream"
MEDIA_TYPE: Final = r"^[a-z]+/[A-Za-z0-9][A-Za-z0-9.+-]{0,80}$"
LOCKED: Final = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cache-Control": "private, max-age=31536000, immutable",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Nobody knows what is in it: a browser must neither guess nor run it."""


class EvidenceOut(BaseModel):
    """A file that is kept."""

    sha256: str
    kind: Kind
    media_type: str
    bytes: int
    received_at: datetime
    thumb: bool


@router.post(
    "",
    status_code=201,
    responses={
        200: {"model": EvidenceOut, "description": "It was kept before"},
        **{code: PROBLEMS[code] for code in (400, 413, 422, 503)},
    },
)
async def keep(
    request: Request,
    response: Response,
    file: Annotated[UploadFile, File()],
    kind: Annotated[Kind, Form()],
    worker: WorkerOf,
) -> EvidenceOut:
    """Keep an original by the SHA-256 of its bytes, once; an action of a case names that."""
    limit = worker.settings.evidence_limit_mb
    size = file.size or int(request.headers.get("content-length", 0))
    if size > limit * 1_000_000:
        raise EvidenceTooLarge({"field": "file"}, megabytes=round(size / 1e6, 1), limit=limit)
    content = await file.read()
    if not content:
        raise EmptyEvidence({"field": "file"})
    digest, thumb = await anyio.to_thread.run_sync(_looked_at, content, kind)
    said = (file.content_type or "").partition(";")[0].strip().lower()
    given = kept.Kept(digest, kind, said if _is_media_type(said) else UNKNOWN, len(content), datetime.now(UTC))
    async with connect(worker.engine) as connection:
        found = await kept.put(connection, given, content, thumb)
        small = thumb is not None if found is given else await kept.thumb_of(connection, digest) is not None
    response.status_code = 201 if found is given else 200
    return EvidenceOut(
        sha256=digest,
        kind=found.kind,
        media_type=found.media_type,
        bytes=found.size,
        received_at=found.received_at,
        thumb=small,
    )


@router.get(
    "/{sha256}",
    response_class=Response,
    responses={
        200: {"content": {UNKNOWN: {}, "image/jpeg": {}}},
        **{code: PROBLEMS[code] for code in (404, 422, 503)},
    },
)
async def original(
    sha256: str, worker: WorkerOf, size: Annotated[str, Query(pattern="^(full|thumb)$")] = "full"
) -> Response:
    """The original as it came, to be saved; or a small picture of it, where there is one."""
    async with connect(worker.engine) as connection:
        read = kept.thumb_of if size == "thumb" else kept.content_of
        found = await read(connection, sha256)
    if found is None:
        raise HTTPException(404)
    if size == "thumb":
        return Response(found, media_type="image/jpeg", headers=LOCKED)
    # `identity`: films and pictures are not zipped once more, and what is saved is what was given in.
    name = f'attachment; filename="{sha256[:16]}.bin"'
    return Response(
        found, media_type=UNKNOWN, headers={**LOCKED, "Content-Disposition": name, "Content-Encoding": "identity"}
    )


def _is_media_type(text: str) -> bool:
    return re.fullmatch(MEDIA_TYPE, text) is not None


def _looked_at(content: bytes, kind: Kind) -> tuple[str, bytes | None]:
    """The digest, and of a picture that can be drawn a small one."""
    return hashlib.sha256(content).hexdigest(), _small(content) if kind is Kind.PHOTO else None


def _small(content: bytes) -> bytes | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=FORMATS) as opened:
                image = ImageOps.exif_transpose(opened).convert("RGB")
    except (OSError, ValueError, SyntaxError, Warning, Image.DecompressionBombError):
        return None  # kept all the same: what it is does not depend on our drawing it
    image.thumbnail((THUMB_SIDE, THUMB_SIDE))
    clean = Image.new("RGB", image.size)
    clean.paste(image)
    out = io.BytesIO()
    clean.save(out, "JPEG", quality=80)
    return out.getvalue()
