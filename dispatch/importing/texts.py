"""Names and codes as people store them: which encoding, is it garbled, and how it is written here."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

CHINESE: Final = re.compile("[\u3400-\u9fff]")
_LOST: Final = re.compile("\ufffd|锟斤拷|烫烫烫|\\?{3,}")
_ZERO_WIDTH: Final = re.compile("[\u200b-\u200d\u2060\ufeff\x00-\x08\x0b\x0c\x0e-\x1f]")
_BETWEEN: Final = re.compile("(?<=[\u3400-\u9fff])\\s+(?=[\u3400-\u9fff])")
_WIDE: Final = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
"""Full-width ASCII to ASCII."""
WIDE_WORDS: Final = {code: to for code, to in _WIDE.items() if chr(to).isalnum() or to == 0x20}
"""Only letters, digits and blanks: Chinese punctuation stays as it is."""


def encoding_of(raw: bytes) -> str | None:
    """`utf-8` or `gb18030` (which holds GBK and GB2312) where the bytes are surely that; None where they are neither.

    Pure ASCII is UTF-8. Bytes that are both are UTF-8 only if they give Chinese (联通 in GBK is also UTF-8, and gives
    Cyrillic).
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return "gb18030" if _decodes(raw, "gb18030") else None
    return "utf-8" if text.isascii() or CHINESE.search(text) or not _decodes(raw, "gb18030") else "gb18030"


def _decodes(raw: bytes, encoding: str) -> bool:
    try:
        raw.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return False
    return True


def unscrambled(text: str) -> str | None:
    """What garbled text was before it was read in the wrong encoding; "" where that is lost, None where it is sound."""
    if text.isascii():
        return "" if _LOST.search(text) else None
    for wrong, right in (("gb18030", "utf-8"), ("cp1252", "utf-8"), ("latin-1", "utf-8"), ("latin-1", "gb18030")):
        try:
            read = text.encode(wrong).decode(right)
        except (UnicodeEncodeError, UnicodeDecodeError):
            continue
        foreign = [character for character in read if not character.isascii()]
        if foreign and all(_is_chinese(character) for character in foreign):
            return read
    return "" if _LOST.search(text) else None


def _is_chinese(character: str) -> bool:
    return bool(CHINESE.match(character)) or unicodedata.name(character, "").startswith(("FULLWIDTH", "IDEOGRAPHIC"))


def as_code(text: str) -> str:
    """A code: half-width, no blanks at all."""
    return re.sub(r"\s", "", _ZERO_WIDTH.sub("", text).translate(_WIDE))


def as_name(text: str) -> str:
    """A name: half-width letters and digits, no blanks at its ends or between Chinese characters, others single."""
    plain = _ZERO_WIDTH.sub("", text).translate(WIDE_WORDS)
    return re.sub(r"\s+", " ", _BETWEEN.sub("", plain.strip()))


def as_text(value: object) -> str:
    """A cell as text: whole numbers without a decimal point, nothing for what is missing."""
    if value is None or value != value:  # noqa: PLR0124  (NaN, NaT)
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return str(value)
