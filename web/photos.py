"""Photos in: checked, turned upright, made smaller, and without anything that the camera wrote about the place."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageOps, UnidentifiedImageError

from dispatch.errors import NotAPhoto

LONG_SIDE: Final = 2560
THUMB_SIDE: Final = 320
QUALITY: Final = 86
FORMATS: Final = ("JPEG", "PNG", "WEBP")


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo as it is kept; size is (width, height) in pixels."""

    jpeg: bytes
    thumb: bytes
    size: tuple[int, int]


def prepare(raw: bytes) -> Photo:
    """JPEG and thumbnail of what was sent. Raises `NotAPhoto`, for a decompression bomb too.

    The pixels are drawn into a new image: EXIF (with its GPS position), XMP and comments stay behind.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(raw), formats=FORMATS) as opened:
                upright = ImageOps.exif_transpose(opened).convert("RGB")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Warning, Image.DecompressionBombError) as error:
        raise NotAPhoto({"field": "file"}) from error
    clean = Image.new("RGB", upright.size)
    clean.paste(upright)
    clean.thumbnail((LONG_SIDE, LONG_SIDE))
    small = clean.copy()
    small.thumbnail((THUMB_SIDE, THUMB_SIDE))
    return Photo(_jpeg(clean), _jpeg(small), clean.size)


def _jpeg(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=QUALITY, optimize=True)
    return out.getvalue()
