"""Who tries to sign in at the SIP port, as Asterisk's security events tell it."""

import asyncio
import re
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address

import structlog

from asterisk.ami import AmiAccess, AmiBounds, open_ami
from asterisk.message import AmiMessage, HeaderMissing
from asterisk.port import SwitchLost

HEARD = frozenset({"ChallengeSent", "ChallengeResponseFailed", "SuccessfulAuth"})
"""In no other can whoever is not signed in write text of their own before the address: InvalidAccountID takes
percent-encoded line breaks in a user name for what they were."""
NOBODY = "<unknown>"
"""What Asterisk calls an account that there is not."""
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 2.0

_WHERE = re.compile(r"IPV4/[A-Z]+/([0-9.]{7,15})/[0-9]{1,5}")

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Failed:
    """Somebody gave a wrong password, or named an account that there is not."""

    address: IPv4Address
    account: str


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A seat gave the right password."""

    address: IPv4Address
    account: str


Sign = Failed | SignedIn


class NoAddress(ValueError):
    """An event's address is none of IPv4."""

    def __init__(self, text: str) -> None:
        self.text = text
        super().__init__(f"{text!r} is no address of IPv4")


def sign_of(message: AmiMessage) -> Sign | None:
    """What an event means; None: nothing. Raises HeaderMissing, HeaderDoubled, NoAddress.

    A challenge is nothing by itself: every telephone begins with a request that is challenged. One to an
    account that there is not is a failure.
    """
    for header in ("Privilege", "EventTV", "Severity", "EventVersion"):
        message.required(header)  # Without these it was not Asterisk that began the message.
    if message.required("Service") != "PJSIP":
        return None
    account = message.required("AccountID")
    address = _address(message.required("RemoteAddress"))
    match message.event:
        case "SuccessfulAuth":
            # A trunk is known by its address, and gives no password.
            return SignedIn(address, account) if message.required("UsingPassword") == "1" else None
        case "ChallengeResponseFailed":
            return Failed(address, account)
        case "ChallengeSent":
            return Failed(address, account) if account == NOBODY else None
        case _:
            raise HeaderMissing(message.kind, "Event")


def _address(text: str) -> IPv4Address:
    found = _WHERE.fullmatch(text)
    if found is None:
        raise NoAddress(text)
    try:
        return IPv4Address(found[1])
    except AddressValueError:
        raise NoAddress(text) from None


async def signs(
    node: str, access: AmiAccess, bounds: AmiBounds | None = None
) -> AsyncGenerator[tuple[Sign, ...], None]:
    """What is heard, a batch at a time; an empty one after each new connection. Connects again by itself.

    Raises LoginRefused.
    """
    pause_s = _FIRST_PAUSE_S
    while True:
        try:
            connection = await open_ami(access, HEARD, bounds)
            try:
                pause_s = _FIRST_PAUSE_S
                yield ()
                while True:
                    found = _read(node, await connection.inbox.batch())
                    if found:
                        yield found
            finally:
                await connection.close()
        except SwitchLost as error:
            _log.warning("guard_lost", node=node, why=str(error))
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)


def _read(node: str, messages: tuple[AmiMessage, ...]) -> tuple[Sign, ...]:
    """An unreadable one is told once a batch: whoever attacks must not fill the log."""
    found, unreadable, why = [], 0, ""
    for message in messages:
        try:
            sign = sign_of(message)
        except ValueError as error:
            unreadable, why = unreadable + 1, str(error)
            continue
        if sign is not None:
            found.append(sign)
    if unreadable:
        _log.error("ami_message_unreadable", node=node, why=why, times=unreadable)
    return tuple(found)
