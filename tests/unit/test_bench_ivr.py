"""The other ways to answer: their steps, and what they do when a caller or a connection is gone."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import aiohttp
import pytest
from panoramisk.message import Message
from panoramisk.utils import parse_agi_result
from yarl import URL

from bench.ivr import agi_async, ari, fastagi
from bench.ivr.agi import HungUp, Script, script
from bench.ivr.serving import Service
from bench.ivr.way import IvrPlaces, Sounds
from bench.ivr.ways import IVRS

SOUNDS = Sounds(Path("/s/hello"), Path("/s/menu"), Path("/s/person"))
PLACES = IvrPlaces("[modules]\n", 5038, 4573, 8088, "PASSWORD")
STEPS = Script("hello", "menu", "person")
BOUND_S = 20.0
SILENT, GONE = "200 result=0", "200 result=-1"
HEADERS = b"agi_network: yes\nagi_network_script: ivr\n\n"


def pressed(key: str) -> str:
    return f"200 result={ord(key)} endpos=8000"


async def asked(*answers: str) -> list[str]:
    """What a caller's script asks for, given these answers; when they are used up every prompt ends in silence."""
    commands: list[str] = []

    async def ask(command: str) -> Any:
        commands.append(command)
        return parse_agi_result(answers[len(commands) - 1] if len(commands) <= len(answers) else SILENT)

    await STEPS.run(ask)
    return commands


@pytest.mark.parametrize(
    ("answers", "commands"),
    [
        ([SILENT, pressed("0")], ["hello", "menu", "person"]),
        ([pressed("0")], ["hello", "person"]),
        ([SILENT, pressed("7"), pressed("0")], ["hello", "menu", "menu", "person"]),
        ([pressed("7")], ["hello", "menu", "menu", "person"]),
        ([], ["hello", "menu", "menu", "menu", "person"]),
    ],
    ids=["a key", "a key in the greeting", "a wrong key", "a wrong key in the greeting", "silence"],
)
async def test_the_menu_is_offered_three_times_at_most(answers: list[str], commands: list[str]) -> None:
    assert await asked(*answers) == commands


@pytest.mark.parametrize("answers", [[GONE], [SILENT, "HANGUP"], [SILENT, pressed("0"), GONE]])
async def test_a_caller_who_has_gone_is_asked_nothing_more(answers: list[str]) -> None:
    with pytest.raises(HungUp):
        await asked(*answers)


class Asterisk:
    """The far end of a FastAGI connection: it says its headers, answers each command, and is gone after the last."""

    def __init__(self, headers: bytes, answers: Iterable[str]) -> None:
        self.reader = asyncio.StreamReader()
        self.reader.feed_data(headers)
        self.commands: list[bytes] = []
        self.closed = False
        self._answers = list(answers)
        self._go_if_done()

    def get_extra_info(self, _: str) -> None: ...

    def write(self, command: bytes) -> None:
        self.commands.append(command)
        if self._answers:
            self.reader.feed_data(f"{self._answers.pop(0)}\n".encode())
            self._go_if_done()

    async def drain(self) -> None: ...

    def close(self) -> None:
        self.closed = True

    def _go_if_done(self) -> None:
        if not self._answers:
            self.reader.feed_eof()


async def over_fastagi(headers: bytes, *answers: str) -> list[bytes]:
    """What the server asks of such an Asterisk, until it closes the connection."""
    asterisk = Asterisk(headers, answers)
    async with asyncio.timeout(BOUND_S):
        await fastagi.Answering(STEPS).handler(asterisk.reader, cast(asyncio.StreamWriter, asterisk))
    assert asterisk.closed
    return asterisk.commands


@pytest.mark.parametrize("headers", [b"", HEADERS[:20]])
async def test_a_connection_that_ends_in_its_headers_is_closed(headers: bytes) -> None:
    assert await over_fastagi(headers) == []


async def test_a_connection_that_ends_in_a_call_is_closed_without_complaint(caplog: pytest.LogCaptureFixture) -> None:
    assert await over_fastagi(HEADERS, SILENT) == [b"hello\n", b"menu\n"]
    assert caplog.messages == []


async def test_fastagi_asks_three_times_for_a_caller_who_knows_the_key() -> None:
    commands = await over_fastagi(HEADERS, SILENT, pressed("0"), SILENT)
    assert commands == [b"hello\n", b"menu\n", b"person\n"]


class Manager:
    """A manager connection whose commands are queued, or refused; what Asterisk says is given by hand."""

    def __init__(self, *, refuses: bool = False) -> None:
        self.callbacks: dict[str, Any] = {}
        self.sent: list[Any] = []
        self._response = Message({"Response": "Error" if refuses else "Success", "Message": "no"})

    def register_event(self, name: str, callback: Any) -> None:
        self.callbacks[name] = callback

    def send_action(self, command: Any, *, as_list: bool) -> "asyncio.Future[Message]":
        assert not as_list
        self.sent.append(command)
        queued: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        queued.set_result(self._response)
        return queued

    async def says(self, event: str, channel: str = "PJSIP/carrier-1", result: str = SILENT) -> None:
        """`result` answers the last command."""
        last = {"CommandID": self.sent[-1].id, "Result": result} if self.sent else {}
        self.callbacks[event](self, Message({"Event": event, "Channel": channel, **last}))
        for _ in range(10):
            await asyncio.sleep(0)

    def commands(self) -> list[str]:
        return [command["Command"] for command in self.sent]


async def test_a_call_of_async_agi_goes_back_to_the_dialplan_after_its_last_step() -> None:
    manager = Manager()
    agi_async.Calls(manager, STEPS)
    await manager.says("AsyncAGIStart")
    for result in (SILENT, pressed("0"), SILENT):
        await manager.says("AsyncAGIExec", result=result)
    assert manager.commands() == ["hello", "menu", "person", "ASYNCAGI BREAK"]
    await manager.says("AsyncAGIEnd")


async def test_an_async_agi_call_that_ended_is_asked_nothing_more() -> None:
    manager = Manager()
    agi_async.Calls(manager, STEPS)
    await manager.says("AsyncAGIStart")
    await manager.says("AsyncAGIEnd")
    await manager.says("AsyncAGIExec")
    assert manager.commands() == ["hello"]


async def test_an_async_agi_command_that_is_refused_ends_the_script() -> None:
    manager = Manager(refuses=True)
    agi_async.Calls(manager, STEPS)
    await manager.says("AsyncAGIStart")
    assert manager.commands() == ["hello"]


@dataclass
class Http:
    """Asterisk's HTTP server: it does as it is told, or knows the channel no more."""

    status: int = 204
    asked: list[str] = field(default_factory=list)

    async def read(self) -> bytes:
        return b""

    def raise_for_status(self) -> None: ...

    @asynccontextmanager
    async def request(self, method: str, url: URL) -> AsyncIterator["Http"]:
        self.asked.append(f"{method} {url}")
        yield self


async def over_ari(http: Http, events: Iterable[dict[str, Any]]) -> list[str]:
    """What is asked of Asterisk while it tells these events of channel c."""
    calls = ari.Calls(cast(aiohttp.ClientSession, http), "/", SOUNDS)
    for event in events:
        calls.told(event)
        for _ in range(10):
            await asyncio.sleep(0)
    calls.told({"type": "StasisEnd", "channel": {"id": "c"}})
    return http.asked


START = {"type": "StasisStart", "channel": {"id": "c"}}
FIRST = "POST /channels/c/play/p0?media=sound%3A/s/hello,sound%3A/s/menu"


def key(digit: str) -> dict[str, Any]:
    return {"type": "ChannelDtmfReceived", "digit": digit, "channel": {"id": "c"}}


def over(playback: str) -> dict[str, Any]:
    return {"type": "PlaybackFinished", "playback": {"id": playback, "target_uri": "channel:c"}}


async def test_ari_asks_three_times_for_a_caller_who_presses_after_the_menu() -> None:
    found = await over_ari(Http(), [START, over("p0"), key("0"), over("p1")])
    assert found == [FIRST, "POST /channels/c/play/p1?media=sound%3A/s/person", "POST /channels/c/continue"]


async def test_a_key_in_the_menu_stops_it_and_a_wrong_one_has_it_said_again() -> None:
    found = await over_ari(Http(), [START, key("7"), over("p0"), key("0"), over("p1"), over("p2")])
    assert found == [
        FIRST,
        "DELETE /playbacks/p0",
        "POST /channels/c/play/p1?media=sound%3A/s/menu",
        "DELETE /playbacks/p1",
        "POST /channels/c/play/p2?media=sound%3A/s/person",
        "POST /channels/c/continue",
    ]


async def test_a_channel_that_asterisk_knows_no_more_is_asked_nothing_more() -> None:
    assert await over_ari(Http(status=404), [START, over("p0"), key("0")]) == [FIRST]


def test_a_server_is_told_its_secret_where_nobody_sees_it() -> None:
    service = Service(SOUNDS, 5038, "PASSWORD")
    assert Service.read(service.line()) == service
    assert "PASSWORD" not in f"{service!r}{PLACES!r}"


@pytest.mark.parametrize("way", IVRS, ids=lambda way: way.name)
def test_who_is_not_steered_reaches_no_queue_and_nothing_listens_that_is_not_used(way: Any) -> None:
    files = way.files(SOUNDS, ["8001"], PLACES)
    dialplan = files["extensions.conf"]
    steered = way.name != "bare Asterisk"
    assert ('!= "SUCCESS"]?lost)' in dialplan) == steered
    assert dialplan.count("Queue(all)") == 1
    assert "member => PJSIP/8001,0,8001,PJSIP/8001" in files["queues.conf"]
    assert ("enabled=yes" in files["manager.conf"]) == (way.name == "AGI(agi:async)")
    assert ("http.conf" in files) == (way.name == "ARI")


def test_agi_quotes_its_sounds() -> None:
    assert script(SOUNDS).menu == 'GET OPTION "/s/menu" "0123456789*#" 5000'
