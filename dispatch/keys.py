"""The key that checkpoints are signed with: one file, readable by its owner alone, made when there is none."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from dispatch.checkpoints import Signer
from dispatch.errors import KeyUnusable


def signer(file: Path) -> Signer:
    """The key in the file (PEM, PKCS 8); made there, mode 0600, where there is none. Raises `KeyUnusable`."""
    try:
        if not file.exists():
            _make(file)
        found = load_pem_private_key(file.read_bytes(), None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyUnusable(file=file, problem=str(error)) from error
    if not isinstance(found, Ed25519PrivateKey):
        raise KeyUnusable(file=file, problem="no Ed25519 key")
    return Signer(found)


def _make(file: Path) -> None:
    """Several workers may come at once: the first one's key is everybody's, and nobody reads half of one."""
    file.parent.mkdir(parents=True, exist_ok=True)
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    handle, new = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)  # mode 0600
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(pem)
            out.flush()
            os.fsync(out.fileno())
        os.link(new, file)
    except FileExistsError:
        pass
    finally:
        Path(new).unlink()


def public_pem(public: bytes) -> str:
    """A public key (32 bytes) as others read it."""
    key = Ed25519PublicKey.from_public_bytes(public)
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def read_public(file: Path) -> bytes:
    """32 bytes of the public key in a file: PEM, or hexadecimal. Raises `KeyUnusable`."""
    try:
        content = file.read_bytes()
        if content.lstrip().startswith(b"-----"):
            found = load_pem_public_key(content)
            if isinstance(found, Ed25519PublicKey):
                return found.public_bytes_raw()
            raise KeyUnusable(file=file, problem="no Ed25519 key")
        return Ed25519PublicKey.from_public_bytes(bytes.fromhex(content.decode().strip())).public_bytes_raw()
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise KeyUnusable(file=file, problem=str(error)) from error
