"""Reads how the running hotline stands, for `web.metrics`; and says in the log how each call ended."""

import asyncio
import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import structlog
from cryptography import x509

from asterisk.switch import AmiSwitch
from calls.record import Outcome
from hotline.controller import Controller, now_ms, utc_ms
from hotline.desk import LiveDesk
from hotline.instance import Instance
from hotline.space import free_bytes, watched
from recordings.pulse import AT_ONCE, Backlog, EndedCall, Pulse
from recordings.restarts import Part
from routing.room import CallerState, KeptPlace, Room
from settings.emergencies import routes
from web.health import Health
from web.metrics import Cover, Metrics, Reading, Words

LOOK_S = 5.0
"""How often the store is looked at."""
TRUNKS_S = 10.0
"""How often Asterisk is asked which far ends answer."""

_IN_THE_LINE = frozenset(
    {CallerState.WAITING, CallerState.SURVIVING, CallerState.RETURNING, CallerState.OFFERED, CallerState.CALL_BACK}
)
_log = structlog.get_logger()


class Gauges:
    """What the controller hands over: `hotline.observer.Observer`."""

    def __init__(self) -> None:
        self.metrics: Metrics | None = None
        """Where it is counted; None: nobody counts yet."""
        self._beats: dict[str, int] = {}

    def decided(self, took_s: float) -> None:
        if self.metrics is not None:
            self.metrics.decision.observe(took_s)

    def beaten(self, node: str, sent_ms: int, acknowledged_ms: int | None) -> None:
        if acknowledged_ms is not None:
            self._beats[node] = sent_ms
        if self.metrics is None:
            return
        if acknowledged_ms is None:
            self.metrics.heartbeats_missed.inc()
        else:
            self.metrics.heartbeat.observe((acknowledged_ms - sent_ms) / 1000)

    def resynchronised(self) -> None:
        if self.metrics is not None:
            self.metrics.snapshots.inc()

    def aged(self, age_s: float) -> None:
        """The newest message of a batch of Asterisk's manager was so old when it was read."""
        if self.metrics is not None:
            self.metrics.event_age.observe(max(0.0, age_s))

    def heartbeat_age_s(self, now_ms: int) -> float | None:
        """Of the node that is worst off."""
        return max((now_ms - sent_ms for sent_ms in self._beats.values()), default=0) / 1000 if self._beats else None


@dataclass(frozen=True, slots=True)
class Looked:
    """What the last look at the store and the disks found."""

    backlog: Backlog
    free_bytes: int | None
    certificate_ends_s: float | None
    at_ms: int


class Meter:
    """Puts a reading together. `run` keeps what cannot be asked in a moment."""

    def __init__(
        self,
        instance: Instance,
        controller: Controller,
        desk: LiveDesk,
        switch: AmiSwitch,
        gauges: Gauges,
        *,
        health: Callable[[], Health],
    ) -> None:
        """Raises StoreTooNew, sqlite3.Error."""
        settings, folders = instance.settings, instance.folders
        emergencies = frozenset(route.number for route in routes(settings.emergencies))
        words = Words(emergencies.union(settings.numbers), emergencies, tuple(one.value for one in Outcome))
        self.metrics = gauges.metrics = Metrics(words, self.reading)
        self._words = words
        self._instance = instance
        self._controller = controller
        self._desk = desk
        self._switch = switch
        self._gauges = gauges
        self._health = health
        self._pulse = Pulse(folders.records, folders.journal, folders.spool / "monitor", node=settings.city.node)
        self._looked: Looked | None = None
        self._trunks: Mapping[str, bool] = {}

    async def run(self) -> None:
        """Looks again and again, until it is cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._look_at_store(), name="look at the store")
            group.create_task(self._look_at_trunks(), name="look at the trunks")

    def reading(self) -> Reading:
        """How everything stands now."""
        health = self._health()
        now = now_ms()
        looked = self._looked
        backlog = Backlog() if looked is None else looked.backlog
        counts = self._controller.counts()
        duty = self._desk.cover.view(datetime.now(UTC))
        waiting, longest_s = self._line()
        return Reading(
            steering=health.steering,
            asterisk_answers=health.asterisk_connected,
            records_kept=health.calls_kept,
            waiting=waiting,
            longest_wait_s=longest_s,
            callers={state.value: counts.callers.get(state, 0) for state in CallerState},
            places_kept=counts.kept,
            seats={state.value: number for state, number in counts.seats.items()},
            agents_present=len(duty.present),
            agents_planned=len(duty.planned),
            agents_missing=len(duty.missing),
            cover=tuple(Cover(one.shift or "", one.skill or "", one.least, one.on_duty) for one in duty.cover),
            heartbeat_age_s=self._gauges.heartbeat_age_s(now),
            unreadable=self._switch.unreadable,
            trunks=self._trunks,
            call_backs=backlog.call_backs,
            restarts={(part.value, wanted): 0 for part in Part for wanted in (False, True)} | dict(backlog.restarts),
            bans=backlog.bans,
            records_behind=health.records_behind,
            records_refused=backlog.refused,
            journal_unread_bytes=backlog.journal_unread_bytes,
            recordings_due=backlog.recordings_due,
            spool_files=backlog.spool_files,
            look_age_s=None if looked is None else (now - looked.at_ms) / 1000,
            disk_free_bytes=None if looked is None else looked.free_bytes,
            disk=health.disk,
            audit_faults=backlog.faults,
            audit_age_s=None if backlog.proved_utc_ms is None else (utc_ms() - backlog.proved_utc_ms) / 1000,
            certificate_ends_s=None if looked is None else looked.certificate_ends_s,
        )

    def _line(self) -> tuple[dict[str, int], float]:
        """Who waits, by number, and since when the first of them does, in seconds."""

        def waits(room: Room, now: int) -> list[tuple[str, int]]:
            found = [one.caller for one in room.standing(now) if one.state in _IN_THE_LINE]
            now_utc_ms = now + room.utc_ahead_ms
            # Who keeps a place has hung up: nobody is on the line for so long.
            return [(one.number, 0 if isinstance(one, KeptPlace) else now_utc_ms - one.t0_ms) for one in found]

        found = self._controller.look(waits)
        counted = Counter(self._words.number(number) for number, _ in found)
        by_number = {number: counted.get(number, 0) for number in (*self._instance.settings.numbers, *counted)}
        return by_number, max((ms for _, ms in found), default=0) / 1000

    async def _look_at_store(self) -> None:
        told = ""
        while True:
            full = False
            try:
                ended, looked = await asyncio.to_thread(self._look)
            except (OSError, sqlite3.Error) as error:
                if str(error) != told:  # The keeper tells of the same trouble; here only figures grow old.
                    told = str(error)
                    _log.warning("figures_not_read", error=told)
            else:
                told, self._looked = "", looked
                for call in ended:
                    self._count(call)
                full = len(ended) == AT_ONCE
            await asyncio.sleep(0 if full else LOOK_S)

    def _look(self) -> tuple[tuple[EndedCall, ...], Looked]:
        """In a thread: disks are slow. Raises OSError, sqlite3.Error."""
        ended, backlog = self._pulse.look()
        tls = self._instance.settings.server.http.tls
        ends_s = None if tls is None else _ends_s(Path(tls.certificate))
        return ended, Looked(backlog, _free_bytes(self._instance), ends_s, now_ms())

    def _count(self, call: EndedCall) -> None:
        self.metrics.ended(call.number, call.outcome, call.wait_ms, ours=call.ours)
        if call.emergency_number is not None and call.outcome != Outcome.DRILL.value:
            self.metrics.emergency(call.emergency_number, call.passed_on_ms)
        _log.info(
            "call_ended",
            call=call.ref,
            number=call.number,
            outcome=call.outcome,
            wait_ms=call.wait_ms,
            talk_ms=call.talk_ms,
            seats=json.loads(call.seats),
        )

    async def _look_at_trunks(self) -> None:
        while True:
            asked = {trunk: await self._switch.reachable(trunk) for trunk in self._instance.settings.trunks}
            self._trunks = {trunk: answers for trunk, answers in asked.items() if answers is not None}
            await asyncio.sleep(TRUNKS_S)


def _free_bytes(instance: Instance) -> int | None:
    try:
        return free_bytes(watched(instance.folders))
    except OSError:
        return None


def _ends_s(certificate: Path) -> float | None:
    """When it ends, in seconds since the epoch; None: it cannot be read."""
    try:
        return x509.load_pem_x509_certificate(certificate.read_bytes()).not_valid_after_utc.timestamp()
    except (OSError, ValueError):
        return None
