"""A certificate and its key, as they are used: modern TLS alone, and no key that others can read."""

import ssl
from hashlib import sha256
from pathlib import Path
from stat import S_IMODE

from settings.listening import Tls

_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""Of TLS 1.2, which not every program has left behind: those that keep old talks secret when the key is stolen."""


class KeyOpenToOthers(PermissionError):
    """Others could read the private key: it is not used. A group may, such as Debian's `ssl-cert`."""

    def __init__(self, path: str, mode: int) -> None:
        self.path = path
        self.mode = mode
        super().__init__(f"{path} can be used by others (mode {mode:04o}): run chmod 600 {path}")


def server_context(tls: Tls) -> ssl.SSLContext:
    """How a server speaks TLS with this certificate: 1.2 at least. Raises ssl.SSLError, KeyOpenToOthers, OSError."""
    mode = S_IMODE(Path(tls.key).stat().st_mode)
    if mode & 0o027:
        raise KeyOpenToOthers(tls.key, mode)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    context.set_ciphers(_CIPHERS)
    load_into(context, tls)
    return context


def load_into(context: ssl.SSLContext, tls: Tls) -> None:
    """What is connected from now on is shown this certificate. Raises ssl.SSLError, OSError."""
    # Without an answer OpenSSL would ask at the terminal for the password of a key that has one.
    context.load_cert_chain(tls.certificate, tls.key, password=lambda: "")


def fingerprint(tls: Tls) -> bytes:
    """The SHA-256 of the certificate itself, by which a program on this machine knows it.

    Raises ValueError when it is no certificate, OSError.
    """
    text = Path(tls.certificate).read_text(encoding="ascii", errors="replace")
    begin, end = text.find(ssl.PEM_HEADER), text.find(ssl.PEM_FOOTER)
    if begin < 0 or end < begin:
        raise ValueError(f"{tls.certificate} holds no certificate in PEM form")
    return sha256(ssl.PEM_cert_to_DER_cert(text[begin : end + len(ssl.PEM_FOOTER)])).digest()
