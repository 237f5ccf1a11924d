"""Calls at a steady rate against a way that serves, and all that is measured of them."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from asterisk.console import ConsoleFailed, console
from bench.calls_key import EVENT, PCMA
from bench.calls_placed import MEDIA_ADDRESS, Load, place, prepare
from bench.calls_seen import answers_ms, prompts_ms
from bench.calls_stage import NEEDS, Served, Way, seats_of, serving
from bench.capture import Ring, calls_at, media_with, ring
from bench.figures import Caller, idle_ms
from bench.processes import cpu_ms, main_thread_cpu_ms
from bench.rounds import TALK_TOLERANCE_S
from bench.telephones import TALK_S, Telephones, media_sink
from bench.traced import callers
from hotline.ports import free_ports
from hotline.stage import until

GONE_S = 30.0
"""So long after the last call Asterisk must have no channel left, and the journal must be whole."""
_MEDIA_PACKETS, _MEDIA_BYTES = 1 << 18, 128
_CALLS_PACKETS, _CALLS_BYTES = 1 << 13, 2048
_NO_CHANNEL = "\n0 active channels"


@dataclass(frozen=True, slots=True)
class Spent:
    """Processor time in ms. `steering`: the Python process, without this project's records; None: there is none."""

    asterisk: float
    sipp: float
    steering: float | None
    records: float | None

    def since(self, earlier: "Spent") -> "Spent":
        return Spent(
            self.asterisk - earlier.asterisk,
            self.sipp - earlier.sipp,
            _less(self.steering, earlier.steering),
            _less(self.records, earlier.records),
        )


@dataclass(frozen=True, slots=True)
class Wire:
    """What was seen on the wire, in ms, for each call. No value: it was not watched."""

    answers_ms: Sequence[float] = ()
    """INVITE to 200."""
    prompts_ms: Sequence[float] = ()
    """The key's end to the next prompt's first packet."""


@dataclass(frozen=True, slots=True)
class Played:
    """What came of a load."""

    calls: int
    failed: int
    spent: Spent
    """For all calls together."""
    wire: Wire
    idle_ms: Sequence[float]
    """How long seats that somebody waited for were free until they rang."""


@asynccontextmanager
async def session(way: Way, seats: int, folder: Path, prompts: Path) -> AsyncIterator["Session"]:
    """A way that serves, with this many seats registered, in an empty `folder`. Raises as `serving`."""
    with (folder / "python.log").open("w", encoding="utf-8") as log, media_sink() as sink:
        async with serving(way, seats, folder, prompts, log) as served:
            settings, secrets = served.serving.instance.settings, served.serving.instance.secrets
            phones = Telephones((str(settings.server.sip.address), settings.server.sip.port), folder, sink)
            async with phones.seats({seat: secrets.seats[seat] for seat in seats_of(seats)}) as seats_pid:
                prepare(folder)
                one = Session(served, folder, seats_pid, seats)
                await until(f"{seats} seats that answer", one.reachable, seen=phones.complaints)
                yield one


class Session:
    """Plays loads, one after the other."""

    def __init__(self, served: Served, folder: Path, seats_pid: int, seats: int) -> None:
        self._served = served
        self._folder = folder
        self._seats_pid = seats_pid
        self._seats = seats_of(seats)
        self._server = served.serving.instance.settings.server
        self._journal = served.serving.instance.folders.journal

    async def reachable(self) -> bool:
        """Whether every seat has registered, and has answered a sign of life."""
        said = await self._told("pjsip show contacts")
        own = [line for line in said.splitlines() if "Contact:" in line and "Avail" in line and "/sip:8" in line]
        return len(own) >= len(self._seats)

    async def play(self, load: Load, *, watched: bool = False) -> Played:
        """`watched`: the wire, too. Raises NeverHappened when calls stay, LoadFailed, CaptureFull."""
        written = self._journal.stat().st_size if self._journal.exists() else 0
        sip = self._server.sip
        (media,) = free_ports(MEDIA_ADDRESS, 1)
        with _watching(sip.port, media) if watched else nullcontext(()) as rings:
            before = self._spent()
            placed = await place(load, (str(sip.address), sip.port), media, self._folder)
            spent = self._spent().since(before)
            await until("the end of every call", self._no_channel, within_s=GONE_S)
            (found,) = await until("its end in the journal", lambda: self._traced(written), within_s=GONE_S)
            wire = Wire(*(read(one.packets()) for one, read in zip(rings, (answers_ms, prompts_ms), strict=False)))
        return Played(
            load.calls,
            max(placed.failed, load.calls - sum(_whole(caller) for caller in found)),
            Spent(spent.asterisk, spent.sipp + placed.cpu_ms, spent.steering, spent.records),
            wire,
            idle_ms(found, self._seats),
        )

    def _spent(self) -> Spent:
        asterisk, seats = cpu_ms(self._served.serving.asterisk_pid), cpu_ms(self._seats_pid)
        pid = self._served.python_pid
        if pid is None:
            return Spent(asterisk, seats, None, None)
        if self._served.way.ivr is not None:
            return Spent(asterisk, seats, cpu_ms(pid), None)
        steering = main_thread_cpu_ms(pid)
        return Spent(asterisk, seats, steering, cpu_ms(pid) - steering)

    def _traced(self, written: int) -> tuple[list[Caller], ...]:
        """Everybody who waited since so many bytes were written, once every channel has its end; else nothing."""
        if not self._journal.exists():
            return ()
        with self._journal.open("rb") as file:
            file.seek(written)
            rows = file.read().decode("utf-8").rpartition("\n")[0].split("\n")
        begun, ended = (sum(row.startswith(f'"{kind}"') for row in rows) for kind in ("CHAN_START", "CHAN_END"))
        return (callers(rows, NEEDS, self._seats),) if ended >= begun else ()

    async def _no_channel(self) -> bool:
        return _NO_CHANNEL in f"\n{await self._told('core show channels count')}"

    async def _told(self, command: str) -> str:
        """By Asterisk's console; nothing when it is too busy to answer."""
        asterisk = self._served.serving.asterisk
        try:
            return await console(asterisk.found, asterisk.conf, command, bound_s=10.0)
        except ConsoleFailed:
            return ""


@contextmanager
def _watching(sip: int, media: int) -> Iterator[tuple[Ring, ...]]:
    """Calls that come to this port of Asterisk's, and what is heard and sent at this port of the callers'."""
    with (
        ring(calls_at(sip), packets=_CALLS_PACKETS, packet_bytes=_CALLS_BYTES) as calls,
        ring(media_with(media, PCMA, EVENT), packets=_MEDIA_PACKETS, packet_bytes=_MEDIA_BYTES) as sounds,
    ):
        yield calls, sounds


def _whole(caller: Caller) -> bool:
    talk = caller.talk
    return talk is not None and talk.ends_us - talk.answers_us >= (TALK_S - TALK_TOLERANCE_S) * 1e6


def _less(now: float | None, earlier: float | None) -> float | None:
    return None if now is None or earlier is None else now - earlier
