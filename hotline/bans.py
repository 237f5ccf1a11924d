"""Follows who tries to sign in at the SIP port, and keeps those out who fail too often.

What should be in force is compared with what is, once a second: so a ban that a command lifts ends, one whose
time is over ends, and an Asterisk that was started anew is told of all of them.
"""

import asyncio
import socket
import sqlite3
import time
from collections.abc import Iterable
from contextlib import aclosing, suppress
from ipaddress import AddressValueError, IPv4Address, IPv4Network

import structlog

from asterisk.acl import put_in_force
from asterisk.ami import AmiAccess, LoginRefused
from asterisk.console import ConsoleFailed
from asterisk.guarding import Failed, Sign, SignedIn, signs
from dialplan.doors import ACL_FILE, GUARD_USER, guard_secret, refused_text
from hotline.instance import Instance
from hotline.office import Books, Office
from recordings.audit import By
from recordings.bans import MOST, Ban
from routing.bans import BanRules, Suspects
from settings.shapes import Settings

LOOK_S = 1.0
NAMES_S = 60.0
"""How often the names of trunks are resolved anew."""
_RESOLVES_S = 5.0
_REFUSED_S = 5.0
"""So long until the login is tried again. Asterisk knows no account in the moment in which it reads a new list of
bans, and the running one may be older than this program."""
GUARD = By("hotline", "guard")
"""Stands in the audit for what is done by itself."""

_log = structlog.get_logger()


class Exempt:
    """Addresses that are never banned: of trunks, emergency lines among them, and those in the settings."""

    def __init__(self, settings: Settings) -> None:
        trunks = settings.trunks.values()
        self._networks = (
            *settings.server.bans.never,
            *(IPv4Network(address) for trunk in trunks for address in trunk.accepts_from),
            *(IPv4Network(address) for trunk in trunks if (address := _address(trunk.host)) is not None),
        )
        self._names = {trunk.host: frozenset[str]() for trunk in trunks if _address(trunk.host) is None}

    def __contains__(self, address: IPv4Address) -> bool:
        return any(address in network for network in self._networks) or any(
            str(address) in found for found in self._names.values()
        )

    async def run(self) -> None:
        """Resolves the names of trunks now and then, until it is cancelled. One that has gone is kept as it was."""
        while True:
            for name in self._names:
                with suppress(OSError, UnicodeError):  # TimeoutError is an OSError.
                    self._names[name] = await _resolved(name)
            await asyncio.sleep(NAMES_S)


class Guard:
    """Guards one instance's SIP port. `run` it beside the controller."""

    def __init__(self, instance: Instance, office: Office) -> None:
        settings = instance.settings
        rules = settings.server.bans
        self._instance = instance
        self._office = office
        self._node = settings.city.node
        self._lasts_ms = int(rules.lasts * 1000)
        self._suspects = Suspects(BanRules(rules.failures, int(rules.within * 1000)))
        self._exempt = Exempt(settings)
        self._bans: dict[str, Ban] = {}
        """Those that should be in force."""
        self._fresh: dict[str, Ban] = {}
        """Those that were made since the store was asked last."""
        self._in_force: frozenset[IPv4Address] | None = None
        """What Asterisk refuses; None: unknown."""
        self._news = asyncio.Event()
        self._told = ""

    async def run(self) -> None:
        """Until it is cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._exempt.run(), name="resolve trunks")
            tasks.create_task(self._listen(), name="listen for guesses")
            tasks.create_task(self._follow(), name="follow the bans")
            tasks.create_task(self._enforce(), name="enforce the bans")

    def heard(self, found: Iterable[Sign], now_ms: int, now_utc_ms: int) -> None:
        """Decides on each; what is banned is in force soon."""
        for sign in found:
            match sign:
                case SignedIn(address=address):
                    self._suspects.signed_in(str(address), now_ms)
                case Failed(address=address, account=account):
                    if address not in self._exempt and str(address) not in self._bans:
                        failures = self._suspects.failed(str(address), now_ms)
                        if failures:
                            self._ban(Ban(str(address), failures, account, now_utc_ms, now_utc_ms + self._lasts_ms))

    def _ban(self, ban: Ban) -> None:
        _log.warning("sip_banned", node=self._node, address=ban.address, failures=ban.failures, account=ban.account)
        self._bans[ban.address] = self._fresh[ban.address] = ban
        self._office.later(lambda books: books.bans.add(ban, GUARD))
        self._news.set()

    async def _listen(self) -> None:
        ami = self._instance.settings.server.ami
        access = AmiAccess(str(ami.address), ami.port, GUARD_USER, guard_secret(self._instance.secrets))
        while True:
            try:
                async with aclosing(signs(self._node, access)) as batches:
                    async for batch in batches:
                        if not batch:  # A new connection: perhaps to a new Asterisk.
                            self._in_force = None
                            self._news.set()
                        self.heard(batch, time.monotonic_ns() // 1_000_000, _utc_ms())
            except LoginRefused as error:
                _log.error("guard_refused", node=self._node, why=str(error))
                await asyncio.sleep(_REFUSED_S)

    async def _follow(self) -> None:
        """What the store says, once a second: a command may have lifted a ban there."""
        while True:
            self._fresh = {}
            try:
                kept = await self._office.in_turn(_kept)
            except (OSError, sqlite3.Error):  # The office has told of it.
                kept = tuple(self._bans.values())
            before, self._bans = self._bans, {**{ban.address: ban for ban in kept}, **self._fresh}
            for address in before.keys() - self._bans.keys():
                _log.info("sip_unbanned", node=self._node, address=address)
            self._news.set()
            await asyncio.sleep(LOOK_S)

    async def _enforce(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            newest = sorted(self._bans.values(), key=lambda ban: ban.since_utc_ms)[-MOST:]
            wanted = frozenset(IPv4Address(ban.address) for ban in newest) - self._spared(newest)
            if wanted != self._in_force and not await self._put(wanted):
                await asyncio.sleep(LOOK_S)
                self._news.set()

    def _spared(self, bans: Iterable[Ban]) -> frozenset[IPv4Address]:
        """A trunk's name may have been resolved since."""
        return frozenset(address for ban in bans if (address := IPv4Address(ban.address)) in self._exempt)

    async def _put(self, banned: frozenset[IPv4Address]) -> bool:
        etc = self._instance.folders.etc
        try:
            found = self._instance.asterisk
            await put_in_force(found, etc / "asterisk.conf", etc / ACL_FILE, refused_text(banned))
        except (ConsoleFailed, OSError) as error:
            if str(error) != self._told:
                self._told = str(error)
                _log.error("bans_not_in_force", node=self._node, why=self._told)
            return False
        self._told = ""
        self._in_force = banned
        _log.info("bans_in_force", node=self._node, addresses=len(banned))
        return True


def _kept(books: Books) -> tuple[Ban, ...]:
    books.bans.expire(GUARD, _utc_ms())
    return books.bans.all()


def _utc_ms() -> int:
    return time.time_ns() // 1_000_000


def _address(host: str) -> IPv4Address | None:
    try:
        return IPv4Address(host)
    except AddressValueError:
        return None


async def _resolved(name: str) -> frozenset[str]:
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(_RESOLVES_S):
        found = await loop.getaddrinfo(name, None, family=socket.AF_INET, type=socket.SOCK_DGRAM)
    return frozenset(str(place[4][0]) for place in found)
