"""A whole city on free loopback ports, with telephones of our own: for the demo, rehearsals and tests.

Carriers, emergency centres and seats are played by `phones`; Asterisk, the controller and the
records are the real ones.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import aiohttp

from hotline.instance import Instance
from hotline.ports import free_ports, on_free_ports
from hotline.serve import Supervisor
from phones.behaviour import Answers
from phones.peer import Peer
from phones.telephone import Telephone
from phones.voices import voice
from prompts.catalogue import Catalogue
from recordings.store import Store
from settings.edit import with_trunk_ports
from settings.keeping import Records
from settings.shapes import Settings

READY_S = 120.0


class NeverHappened(TimeoutError):
    """What was waited for did not come about; `seen` is how things stood instead."""

    def __init__(self, what: str, within_s: float, seen: object) -> None:
        self.what = what
        self.seen = seen
        super().__init__(f"{what} did not happen within {within_s:g} s (seen: {seen})")


async def until(
    what: str, look: Callable[[], Any], *, within_s: float = READY_S, seen: Callable[[], object] = lambda: "-"
) -> Any:
    """Polls until `look` returns something true, and returns that. Raises NeverHappened."""
    deadline_s = asyncio.get_running_loop().time() + within_s
    while True:
        found = look()
        if asyncio.iscoroutine(found):
            found = await found
        if found:
            return found
        if asyncio.get_running_loop().time() > deadline_s:
            raise NeverHappened(what, within_s, seen())
        await asyncio.sleep(0.1)


def on_stage(settings: Settings) -> Settings:
    """The settings with every port a free one; trunks keep their addresses, which tell them apart.

    No record is sent on: an archive holds what citizens did. Raises pydantic.ValidationError: settings that were
    changed in a program may be none that a controller would read.
    """
    moved = on_free_ports(settings)
    moved = moved.model_copy(update={"server": moved.server.model_copy(update={"records": Records()})})
    places = {name: (trunk.host, free_ports(trunk.host, 1)[0]) for name, trunk in settings.trunks.items()}
    return Settings.model_validate_json(with_trunk_ports(moved, places).model_dump_json(by_alias=True))


@dataclass(slots=True)
class Stage:
    """A running city and everybody who calls and answers in it."""

    instance: Instance
    supervisor: Supervisor
    trunks: Mapping[str, Peer]
    seats: Mapping[str, Telephone]
    catalogue: Catalogue

    @property
    def carrier(self) -> Peer:
        """Citizens' calls come from here: the first trunk that accepts calls."""
        return next(self.trunks[name] for name, trunk in self.instance.settings.trunks.items() if trunk.accepts_from)

    async def health(self) -> dict[str, Any]:
        """What the controller's health page says; empty while it does not answer."""
        http = self.instance.settings.server.http
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session,
                session.get(f"{http.url}/readyz", ssl=http.tls is None) as answer,
            ):
                found: dict[str, Any] = await answer.json()
                return found
        except (aiohttp.ClientError, TimeoutError):
            return {}

    async def until_healthy(self, what: str, wanted: Callable[[dict[str, Any]], bool]) -> None:
        """Waits until the health page shows what is wanted."""
        last: dict[str, Any] = {}

        async def look() -> bool:
            last.clear()
            last.update(await self.health())
            return bool(last) and wanted(last)

        await until(what, look, seen=lambda: last or "no answer")

    async def until_ready(self) -> None:
        """Waits until the controller steers and knows that every seat here is free that serves without an agent."""
        fixed = sum(bool(self.instance.settings.answering.seats[seat].skills) for seat in self.seats)
        await self.until_healthy(
            f"steering with {fixed} free seats",
            lambda health: bool(health["steering"]) and health["seats_free"] >= fixed,
        )

    def store(self) -> Store:
        """The records, opened a second time; the caller closes it."""
        return Store(self.instance.folders.records)


def agent(seat: str) -> Answers:
    """An agent who answers soon and speaks with a voice of their own."""
    return Answers(after_s=0.3, says=voice("agent", seat), again=True)


@asynccontextmanager
async def staged(
    settings: Settings,
    data: Path,
    *,
    seats: Iterable[str] | None = None,
    prompts: Path | None = None,
    output: TextIO | None = None,
    answer: bool = True,
) -> AsyncIterator[Stage]:
    """Runs the city. `seats`: whose telephones register (all unless said otherwise); `prompts`: a
    folder of sounds to share with other instances; `output`: where the controller logs to;
    `answer`: whether seats answer, or only ring.
    """
    instance = Instance.made(on_stage(settings), data, prompts=prompts)
    catalogue = instance.catalogue()
    await asyncio.to_thread(catalogue.build)
    instance.install()
    stop_below_mb = instance.settings.server.recording.stop_below_mb
    supervisor = Supervisor(instance.process(), instance.folders, output=output, stop_below_mb=stop_below_mb)
    try:
        await supervisor.start()
        async with lines(instance, seats=seats, answer=answer) as (trunks, phones):
            stage = Stage(instance, supervisor, trunks, phones, catalogue)
            await stage.until_ready()
            yield stage
    finally:
        await supervisor.stop()


@asynccontextmanager
async def lines(
    instance: Instance, *, seats: Iterable[str] | None = None, answer: bool = True
) -> AsyncIterator[tuple[dict[str, Peer], dict[str, Telephone]]]:
    """The far ends of the trunks, and the telephones of the seats, of a city that runs already."""
    async with AsyncExitStack() as opened:
        trunks = {name: await opened.enter_async_context(_peer(instance, name)) for name in instance.settings.trunks}
        wanted = list(instance.settings.answering.seats if seats is None else seats)
        phones = {seat: await opened.enter_async_context(_telephone(instance, seat)) for seat in wanted}
        if answer:
            for seat, phone in phones.items():
                phone.behave = agent(seat)
        yield trunks, phones


def _server(instance: Instance) -> tuple[str, int]:
    sip = instance.settings.server.sip
    return str(sip.address), sip.port


def _peer(instance: Instance, name: str) -> Peer:
    trunk = instance.settings.trunks[name]
    return Peer(
        _server(instance),
        address=trunk.host,
        port=trunk.port,
        name=name,
        behave=Answers(after_s=0.2, says=voice("agent", name), again=True),
    )


def _telephone(instance: Instance, seat: str) -> Telephone:
    return Telephone(seat, _server(instance), password=instance.secrets.seats[seat])
