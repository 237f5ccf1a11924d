"""An agent's note, as a SIP header can carry it to an emergency centre."""

NOTE_BYTES = 400
"""Percent-encoded. With it an INVITE still fits into one datagram of an Ethernet: in pieces it is easily lost."""

_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")


def passed(note: str) -> str:
    """So much of the note as goes along with the call: its first characters, none of them broken."""
    kept, length = 0, 0
    for character in note:
        length += len(_encoded(character))
        if length > NOTE_BYTES:
            break
        kept += 1
    return note[:kept]


def encoded(note: str) -> str:
    """What `passed` leaves of the note, in letters, digits and percent signs alone (RFC 3986 decodes it)."""
    return _encoded(passed(note))


def _encoded(text: str) -> str:
    data = text.encode("utf-8", "replace")
    return "".join(chr(byte) if byte in _PLAIN else f"%{byte:02X}" for byte in data)
