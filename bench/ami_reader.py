"""`python -m bench.ami_reader WAY PORT`: a process that reads one stream of manager events, and tells what it took.

It prints `ready` once it is logged in, and at the end of the stream one line of JSON (`Read`).
"""

import asyncio
import json
import logging
import sys
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import asdict, dataclass, field
from time import perf_counter, process_time
from typing import Any

import structlog
from panoramisk.ami_protocol import AMIProtocol
from panoramisk.manager import Manager

from asterisk.ami import AmiAccess, AmiBounds
from asterisk.switch import AmiSwitch
from bench.ami_stream import END_SEAT, HEARD
from bench.processes import peak_kib
from calls.live import SeatChanged

PANORAMISK, PROTOCOL, OURS = "panoramisk", "panoramisk's protocol", "this project"
_END = f"PJSIP/{END_SEAT}"
_BOUND_S = 300.0


@dataclass(frozen=True, slots=True)
class Read:
    """One stream, read from its first event to its last."""

    found: int
    """Callbacks, messages or live events, according to the way; the last event of the stream is not counted."""
    took_s: float
    cpu_s: float
    """Of the reading process."""
    peak_mb: float


@dataclass(slots=True)
class _Meter:
    """Counts what comes, from the moment in which the reader is ready: the stream begins at once then."""

    found: int = 0
    begin_s: float = 0.0
    begin_cpu_s: float = 0.0
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def ready(self) -> None:
        self.begin_s, self.begin_cpu_s = perf_counter(), process_time()
        print("ready", flush=True)

    def read(self) -> Read:
        took_s, cpu_s = perf_counter() - self.begin_s, process_time() - self.begin_cpu_s
        return Read(self.found, took_s, cpu_s, peak_kib() / 1024)


async def _by_panoramisk(port: int) -> Read:
    """Its manager, with a callback for each kind of event that counts. The callback does nothing but count."""
    meter = _Meter()
    logged_in = asyncio.Event()
    manager = Manager(
        host="127.0.0.1",
        port=port,
        username="reader",
        secret="x",  # noqa: S106 - the source takes any
        loop=asyncio.get_running_loop(),
        on_login=lambda _: logged_in.set(),
    )

    def heard(_: Manager, message: Any) -> None:
        if message.device == _END:
            meter.over.set()
        else:
            meter.found += 1

    for name in sorted(HEARD):
        manager.register_event(name, heard)
    manager.connect()
    await logged_in.wait()
    meter.ready()
    await meter.over.wait()
    read = meter.read()
    manager.close()
    return read


class _Counting(AMIProtocol):  # type: ignore[misc]  # panoramisk ships no types
    """panoramisk's parser alone: no manager, no callbacks."""

    meter: _Meter

    def handle_message(self, message: Any) -> None:
        if message.response:
            self.meter.ready()
        elif message.device == _END:
            self.meter.over.set()
        else:
            self.meter.found += 1

    def connection_lost(self, exc: Exception | None) -> None:
        self.meter.over.set()


async def _by_protocol(port: int) -> Read:
    meter = _Meter()
    transport, wire = await asyncio.get_running_loop().create_connection(_Counting, "127.0.0.1", port)
    wire.meter = meter
    wire.encoding = "utf-8"
    transport.write(b"Action: Login\r\nActionID: 1\r\nUsername: reader\r\nSecret: x\r\n\r\n")
    await meter.over.wait()
    read = meter.read()
    transport.close()
    return read


async def _by_ours(port: int) -> Read:
    """The controller's port to Asterisk: messages are matched, filtered, read strictly into live events."""
    meter = _Meter()
    bounds = AmiBounds(answer_s=30.0)  # A reader on a busy machine is not taken for a hung one.
    switch = AmiSwitch("node1", AmiAccess("127.0.0.1", port, "reader", "x"), bounds)
    async with aclosing(switch.batches()) as batches:
        async for events in batches:
            if events is None:
                meter.ready()
                continue
            meter.found += len(events)
            last = events[-1]
            if isinstance(last, SeatChanged) and last.seat == END_SEAT:
                meter.found -= 1
                break
    return meter.read()


WAYS: dict[str, Callable[[int], Awaitable[Read]]] = {
    PANORAMISK: _by_panoramisk,
    PROTOCOL: _by_protocol,
    OURS: _by_ours,
}


async def _bounded(way: str, port: int) -> Read:
    async with asyncio.timeout(_BOUND_S):
        return await WAYS[way](port)


def main(way: str, port: int) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    logging.disable(logging.ERROR)
    print(json.dumps(asdict(asyncio.run(_bounded(way, port)))), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
