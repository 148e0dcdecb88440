"""Signatures of webhooks, in and out, in the form of Standard Webhooks: pure.

Three headers go with a body. `webhook-id` names the message, `webhook-timestamp` says when it was sent (Unix seconds),
`webhook-signature` has one or more of `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`, apart by spaces.
A secret is `whsec_` and the base64 of its key.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from dispatch.errors import SignatureMissing, SignatureStale, SignatureWrong

ID: Final = "webhook-id"
TIMESTAMP: Final = "webhook-timestamp"
SIGNATURE: Final = "webhook-signature"
PREFIX: Final = "whsec_"
WINDOW_S: Final = 300
"""How far a timestamp may lie from our clock: an older message may be somebody else's copy."""
SHORTEST: Final = 24
"""Bytes of a key."""
LONGEST_ID: Final = 200


def key_of(secret: str) -> bytes:
    """The key of a secret. Raises ValueError when it is none, or too short to be one."""
    if not secret.startswith(PREFIX):
        raise ValueError(f"a secret begins with {PREFIX}")
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError(f"what follows {PREFIX} must be base64") from error
    if len(key) < SHORTEST:
        raise ValueError(f"a key has at least {SHORTEST} bytes")
    return key


def signature(key: bytes, message: str, seconds: int, body: bytes) -> str:
    """One entry of the header `webhook-signature`."""
    digest = hmac.digest(key, b"%b.%d.%b" % (message.encode(), seconds, body), "sha256")
    return f"v1,{base64.b64encode(digest).decode()}"


def headers(keys: Sequence[bytes], message: str, now: datetime, body: bytes) -> dict[str, str]:
    """The headers of a message, signed by each key: while a secret is being changed there are two."""
    seconds = int(now.timestamp())
    signed = " ".join(signature(key, message, seconds, body) for key in keys)
    return {ID: message, TIMESTAMP: str(seconds), SIGNATURE: signed}


def check(keys: Sequence[bytes], given: Mapping[str, str], body: bytes, now: datetime) -> str:
    """The id of a message that one of the keys signed. Every entry is compared in constant time.

    Raises `SignatureMissing`, `SignatureStale`, `SignatureWrong`.
    """
    message, sent, signed = (given.get(name, "") for name in (ID, TIMESTAMP, SIGNATURE))
    if not (0 < len(message) <= LONGEST_ID and sent.isascii() and sent.isdigit() and len(sent) < 12 and signed):
        raise SignatureMissing({"headers": [ID, TIMESTAMP, SIGNATURE]})
    off = int(now.timestamp()) - int(sent)
    if abs(off) > WINDOW_S:
        raise SignatureStale({"field": TIMESTAMP}, seconds=abs(off), window=WINDOW_S)
    right = False
    for key in keys:
        expected = signature(key, message, int(sent), body).encode()
        for one in signed.split(" "):
            right |= hmac.compare_digest(expected, one.encode())
    if not right:
        raise SignatureWrong({"field": SIGNATURE})
    return message
