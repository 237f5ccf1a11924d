"""Asking the controller over HTTP, with a bound and without a loop."""

import http.client
import json
import ssl
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from hotline.doctor.looking import CannotLook
from settings.listening import Http, Tls
from settings.tls import fingerprint
from web.api import PREFIX

ANSWER_S = 4.0
_BYTES = 1_000_000


def health(listen: Http) -> Mapping[str, Any]:
    """What the health page says; empty when nobody answers there, or a stranger."""
    asking = _connection(listen)
    try:
        asking.request("GET", "/readyz")
        told = json.loads(asking.getresponse().read(_BYTES))
    except (OSError, ValueError, http.client.HTTPException):
        return {}
    finally:
        asking.close()
    return told if isinstance(told, dict) and "steering" in told else {}


def asked(listen: Http, path: str, secret: str) -> Any:
    """What the interface answers at a path such as `/shifts`, with the command line's token. Raises CannotLook."""
    asking = _connection(listen)
    try:
        asking.connect()
        if listen.tls is not None:
            _require(asking, listen.tls)
        asking.request("GET", f"{PREFIX}{path}", headers={"Authorization": f"Bearer {secret}"})
        answer = asking.getresponse()
        told = json.loads(answer.read(_BYTES))
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise CannotLook(f"the interface does not answer at {path} ({type(error).__name__})", "see D005") from None
    finally:
        asking.close()
    if answer.status != http.client.OK:
        raise CannotLook(
            f"the interface refuses {path} ({answer.status})", "start 'hotline run' anew, which makes its token anew"
        )
    return told


def _connection(listen: Http) -> http.client.HTTPConnection:
    address = "127.0.0.1" if listen.address.is_unspecified else str(listen.address)
    if listen.tls is None:
        return http.client.HTTPConnection(address, listen.port, timeout=ANSWER_S)
    # Nothing is told to whoever answers before it is known; whether the certificate is right is looked at by itself.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(address, listen.port, timeout=ANSWER_S, context=context)


def _require(asking: http.client.HTTPConnection, tls: Tls) -> None:
    """The token is shown to nobody but the holder of our certificate. Raises CannotLook, ValueError, OSError."""
    shown = asking.sock.getpeercert(binary_form=True) if isinstance(asking.sock, ssl.SSLSocket) else None
    if shown is None or sha256(shown).digest() != fingerprint(tls):
        raise CannotLook("another certificate is shown than the settings name", "see D040 to D042, or D021")
