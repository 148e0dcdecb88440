"""What a tier of discretion allows as a sum of money, read from the words that lists have for it. Pure.

Read is only what cannot mean anything else: one range in yuan, a sum up to which, one sum, or no fine at all. Whatever
else is written (multiples of what was gained, sums per square metre, two ranges for two kinds of people, a range that
is only open upwards) is not held against anybody: an amount under it is recorded, and not checked.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from typing import Final

_DIGITS: Final = {**{sign: value for value, sign in enumerate("零一二三四五六七八九")}, "〇": 0, "两": 2}
_TENS: Final = {"十": 10, "百": 100, "千": 1000}
_NUMBER: Final = r"\d+(?:\.\d+)?[百千]?万?|[〇零一二两三四五六七八九十百千万]+"
_BESIDE: Final = r"(?:(?:责令(?:限期|立即)?改正|给予警告|警告|通报批评|没收违法所得)(?:[,、;]|并|同时)*)*"
_FINE: Final = r"(?:处以?|罚款|罚|可以?并?处)?(?:人民币)?"
_ENDS: Final = r"(?:的?罚款)?[。.]?"
_BOTH: Final = re.compile(
    rf"{_BESIDE}(?:处以?|罚款|罚)?(?:人民币)?({_NUMBER})(元?)(?:以上(?:至|到)?|[-~至到—–]+)({_NUMBER})元(?:以下)?{_ENDS}"
)
_TIMES: Final = re.compile(r"(\d+(?:\.\d+)?|[一二两三四五六七八九十]+)([百千万])")
_UP_TO: Final = re.compile(rf"{_BESIDE}{_FINE}({_NUMBER})元以下{_ENDS}")
_EXACTLY: Final = re.compile(rf"{_BESIDE}(?:处以?|罚款|罚)?(?:人民币)?({_NUMBER})元{_ENDS}")
_NO_FINE: Final = re.compile(r"(?:不予|免予|免于)(?:行政)?处罚|(?:给予)?警告|通报批评|责令(?:限期|立即)?改正")


def money(text: str) -> tuple[Decimal, Decimal] | None:
    """The least and the most that may be imposed, in yuan, both included; None where the words do not say."""
    plain = re.sub(r"\([^()]*\)|\s|(?<=\d),(?=\d{3})", "", unicodedata.normalize("NFKC", text))
    if _NO_FINE.fullmatch(plain):
        return Decimal(0), Decimal(0)
    if found := _BOTH.fullmatch(plain):
        low, yuan, high = found.groups()
        least, most = amount(low), amount(high)
        if least is None or most is None:
            return None
        if not yuan and (times := _TIMES.fullmatch(high)) and least < (amount(times[1]) or 0):
            least *= most / (amount(times[1]) or 1)  # `1至3万元`: both are of one unit
        return (least, most) if least <= most else None
    for form, begins in ((_UP_TO, Decimal(0)), (_EXACTLY, None)):
        if (found := form.fullmatch(plain)) and (most := amount(found.group(1))) is not None:
            return most if begins is None else begins, most
    return None


def amount(text: str) -> Decimal | None:
    """A number in digits, in characters or in both: `5000`, `1.5万`, `二千五百`, `三万`; None for what is none."""
    if found := re.fullmatch(r"(\d+(?:\.\d+)?)([百千]?)(万?)", text):
        number, tens, myriad = found.groups()
        return Decimal(number) * _TENS.get(tens, 1) * (10_000 if myriad else 1)
    myriads, _, rest = text.rpartition("万")
    if "万" in myriads:
        return None
    if "万" in text and (not myriads or (rest and rest[0] not in "零〇" and "千" not in rest)):
        return None  # of 三万五 nobody says for certain what the five counts
    parts = [_below_myriad(part) if part else 0 for part in (myriads, rest)]
    if None in parts or not text:
        return None
    return Decimal((parts[0] or 0) * 10_000 + (parts[1] or 0))


def _below_myriad(text: str) -> int | None:
    """A number under ten thousand in characters; its units fall, and what counts ones stands behind 十 or 零."""
    total, digit, least, noughts = 0, None, 10_000, False
    for sign in text:
        if sign in _DIGITS:
            if digit:
                return None
            digit, noughts = _DIGITS[sign], noughts or _DIGITS[sign] == 0
        elif sign in _TENS and _TENS[sign] < least:
            least = _TENS[sign]
            total += (1 if digit is None else digit) * least
            digit, noughts = None, False
        else:
            return None
    if digit and least in (100, 1000) and not noughts:
        return None
    return total + (digit or 0)
