"""Encryption of audio on the disk: AES-256-GCM in frames, so that nothing of it is read before it is proven.

A file: a head of 48 bytes (magic and version, the key's id, a salt), then frames of 64 KiB each
with a tag of 16 bytes. Each file has a key of its own, made of the ring's key and the salt; a frame's nonce
is its number and whether it is the last one; head and name are authenticated with each frame. So a frame
that is changed, missing, moved, or of another file shows, and so does a file under another call's name.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from recordings.keys import KEY_BYTES, KeyRing

ENDING = ".enc"
"""Of the name of an encrypted file, behind its own ending."""
FRAME_BYTES = 65_536
"""Of plain audio in a frame; the last one may have fewer."""

_MAGIC = b"hotline\x01"
_ID_BYTES = 8
_SALT_BYTES = 32
_HEAD_BYTES = len(_MAGIC) + _ID_BYTES + _SALT_BYTES
_TAG_BYTES = 16


class AudioBroken(ValueError):
    """Audio is not what was kept; `why` says what shows it."""

    def __init__(self, name: str, why: str) -> None:
        self.name = name
        self.why = why
        super().__init__(f"{name} is not what was kept ({why}): bring it back from a backup")


@dataclass(frozen=True, slots=True)
class Vault:
    """How audio is kept."""

    keys: KeyRing
    encrypts: bool = False
    """Whether audio that is put away from now on is encrypted."""


PLAIN = Vault(KeyRing())
"""As it is."""


def seal(plain: BinaryIO, out: BinaryIO, name: str, keys: KeyRing) -> str:
    """Encrypts all of `plain` into `out`; the SHA-256 of what is plain, in hexadecimal.

    `name`: of the plain file, such as `<ref>.wav`; it is needed to read it again. Raises KeyMissing, OSError.
    """
    key = keys.first
    head = _MAGIC + key.ident + os.urandom(_SALT_BYTES)
    frames = _Frames(key.secret, head, name)
    out.write(head)
    hashed = sha256()
    part = plain.read(FRAME_BYTES)
    number = 0
    while True:
        following = plain.read(FRAME_BYTES)
        hashed.update(part)
        out.write(frames.seal(number, part, last=not following))
        if not following:
            return hashed.hexdigest()
        part, number = following, number + 1


def unseal(sealed: BinaryIO, name: str, keys: KeyRing) -> Iterator[bytes]:
    """The plain parts of what `seal` wrote, each proven before it is given.

    Raises AudioBroken, KeyMissing, OSError: also after some parts.
    """
    head = sealed.read(_HEAD_BYTES)
    if len(head) < _HEAD_BYTES or not head.startswith(_MAGIC):
        raise AudioBroken(name, "it does not begin as an encrypted file does")
    ident = head[len(_MAGIC) : len(_MAGIC) + _ID_BYTES]
    frames = _Frames(keys.find(ident).secret, head, name)
    for number, (part, last) in enumerate(_with_last(sealed)):
        yield frames.unseal(number, part, last=last)


class _Frames:
    """The frames of one file."""

    def __init__(self, secret: bytes, head: bytes, name: str) -> None:
        salt = head[-_SALT_BYTES:]
        derived = HKDF(SHA256(), KEY_BYTES, salt=salt, info=b"hotline recording").derive(secret)
        self._cipher = AESGCM(derived)
        self._about = head + name.encode()
        self._name = name

    def seal(self, number: int, part: bytes, *, last: bool) -> bytes:
        return self._cipher.encrypt(_nonce(number, last=last), part, self._about)

    def unseal(self, number: int, part: bytes, *, last: bool) -> bytes:
        try:
            return self._cipher.decrypt(_nonce(number, last=last), part, self._about)
        except InvalidTag:
            raise AudioBroken(self._name, f"frame {number} was changed, moved or cut off") from None


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


def _with_last(sealed: BinaryIO) -> Iterable[tuple[bytes, bool]]:
    """Each frame, and whether it is the last one; a file that is cut off after its head has one empty frame."""
    size = FRAME_BYTES + _TAG_BYTES
    part = sealed.read(size)
    while following := sealed.read(size):
        yield part, False
        part = following
    yield part, True
