"""Live state over server-sent events."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import structlog
from aiohttp import ClientResponse

from tests.support.checked_client import CheckedClient, as_described, checked_client
from tests.support.scripted_desk import CALL, CALLER, OTHER_CALL, ScriptedDesk
from tests.support.scripted_end import until
from web.desk import BlockedView, Refusal, Role, WaitingView, Who
from web.live import PAUSE_S, WAITING_EVENTS, WHO_SEES, Live, Reader

BOUND_S = 20.0


class Reading:
    """One reader's stream, event by event, each compared with the description."""

    def __init__(self, response: ClientResponse) -> None:
        self.response = response

    async def next(self) -> tuple[str, Any]:
        """The next event: its name and data. A comment has the name ''; the end has the name 'end'."""
        async with asyncio.timeout(BOUND_S):
            block = await self.response.content.readuntil(b"\n\n") if not self.response.content.at_eof() else b""
        lines = block.decode().splitlines()
        if not lines:
            return "end", None
        if lines[0].startswith(":"):
            return "", None
        name, data = lines[0].removeprefix("event: "), json.loads(lines[1].removeprefix("data: "))
        as_described(data, {"$ref": f"#/components/schemas/{name.capitalize()}"})
        return name, data

    async def states(self, count: int) -> dict[str, list[Any]]:
        """The first state of so many kinds."""
        found = [await self.next() for _ in range(count)]
        assert {name for name, _ in found} == {"state"}
        return {data["kind"]: data["items"] for _, data in found}


@asynccontextmanager
async def reading(client: CheckedClient, role: Role, query: str = "") -> AsyncGenerator[Reading, None]:
    async with client.http.get(f"{client.at}/events{query}", headers=client.headers(role)) as response:
        assert response.status == 200
        assert response.headers["Content-Type"].startswith("text/event-stream")
        assert response.headers["Cache-Control"] == "no-store"
        yield Reading(response)


@pytest_asyncio.fixture
async def client(tmp_path: Path) -> AsyncGenerator[CheckedClient, None]:
    async with checked_client(tmp_path) as one:
        yield one


async def test_a_reader_first_gets_all_there_is_of_what_its_role_may_see(client: CheckedClient) -> None:
    for role in Role:
        kinds = {kind for kind, roles in WHO_SEES.items() if role in roles}
        async with reading(client, role) as reader:
            states = await reader.states(len(kinds))
        assert states.keys() == kinds
        assert [agent["agent"] for agent in states["agents"]] == (["1001"] if role is Role.AGENT else ["1001", "1002"])
        clear = role is Role.SUPERVISOR
        assert states["waiting"][0]["caller"] == ("13700001111" if clear else "137****1111")
        assert states["waiting"][1]["caller"] == (CALLER if clear or role is Role.AGENT else "138****5678")


async def test_only_the_kinds_that_are_asked_for_come(client: CheckedClient) -> None:
    async with reading(client, Role.SUPERVISOR, "?kinds=seats,cover") as reader:
        assert (await reader.states(2)).keys() == {"seats", "cover"}
    unknown = await client.ask(Role.SUPERVISOR, "GET", "/events?kinds=weather")
    assert (unknown.status, unknown.told["kind"]) == (422, "no_such_kind")
    others = await client.ask(Role.AGENT, "GET", "/events?kinds=blocked")
    assert (others.status, others.told["kind"]) == (403, "not_your_role")


async def test_what_changes_is_told_and_nothing_else(client: CheckedClient) -> None:
    async with reading(client, Role.SUPERVISOR, "?kinds=seats,waiting") as reader:
        await reader.states(2)
        client.desk.tell("seats")  # Nothing differs.
        client.desk.seat_views[1] = replace(client.desk.seat_views[1], state="idle", call=None, caller="")
        client.desk.tell("seats")
        name, data = await reader.next()
        assert (name, data["kind"], data["gone"]) == ("change", "seats", [])
        assert [(seat["seat"], seat["state"]) for seat in data["changed"]] == [("8002", "idle")]
        del client.desk.waiting_views[0]
        client.desk.tell("waiting")
        name, data = await reader.next()
        assert (name, data) == ("change", {"kind": "waiting", "changed": [], "gone": [OTHER_CALL]})


async def test_an_agent_sees_who_calls_at_its_own_seat_only(client: CheckedClient) -> None:
    async with reading(client, Role.AGENT, "?kinds=seats,agents") as agent, reading(client, Role.AUDITOR) as auditor:
        await agent.states(2)
        await auditor.states(len(WHO_SEES))
        for at in (0, 1):
            client.desk.seat_views[at] = replace(client.desk.seat_views[at], state="ringing")
        client.desk.tell("seats")
        _, own = await agent.next()
        assert [seat["caller"] for seat in own["changed"]] == [CALLER, "139****4321"]
        _, masked = await auditor.next()
        assert [seat["caller"] for seat in masked["changed"]] == ["138****5678", "139****4321"]
        client.desk.agent_views[1] = replace(client.desk.agent_views[1], state="paused")
        client.desk.tell("agents")  # Somebody else: the agent is not told.
        assert (await auditor.next())[1]["changed"][0]["agent"] == "1002"
        client.desk.agent_views[0] = replace(client.desk.agent_views[0], state="wrap_up")
        client.desk.tell("agents")
        assert [(one["agent"], one["state"]) for one in (await agent.next())[1]["changed"]] == [("1001", "wrap_up")]


async def test_blocked_numbers_are_told_anew_as_a_whole(client: CheckedClient) -> None:
    async with reading(client, Role.AUDITOR, "?kinds=blocked") as reader:
        await reader.states(1)
        client.desk.blocked_views.append(BlockedView("13511113333", "threats", "Wang", "2026-12-31", "settings"))
        client.desk.tell("blocked")
        name, data = await reader.next()
        assert name == "state"
        assert [entry["number"] for entry in data["items"]] == ["135****3333", "135****3333"]


async def test_a_kind_that_nobody_knows_yet_is_ignored(client: CheckedClient) -> None:
    async with reading(client, Role.OPERATOR, "?kinds=seats") as reader:
        await reader.states(1)
        client.desk.tell("weather")
        client.desk.seat_views.pop()
        client.desk.tell("seats")
        assert (await reader.next())[1]["gone"] == ["8011"]


async def test_a_silent_stream_says_that_it_lives_until_the_token_is_removed(tmp_path: Path) -> None:
    async with checked_client(tmp_path, beat_s=0.05) as client, reading(client, Role.AUDITOR, "?kinds=seats") as reader:
        await reader.states(1)
        assert await reader.next() == ("", None)
        client.known.remove("auditor")
        async with asyncio.timeout(BOUND_S):
            while (await reader.next())[0] != "end":
                pass


async def test_streams_end_when_the_server_does(tmp_path: Path) -> None:
    async with checked_client(tmp_path) as client:
        stream = reading(client, Role.SUPERVISOR)
        reader = await stream.__aenter__()
        await reader.states(len(WHO_SEES))
        await client.stop()
        assert await reader.next() == ("end", None)
        await stream.__aexit__(None, None, None)
        await until(lambda: client.desk.heard == 0)


async def test_what_cannot_be_read_refuses_the_reader_before_the_stream_begins(client: CheckedClient) -> None:
    client.desk.refuses = Refusal(503, "not_steering", "the controller is away", "try again")
    assert (await client.ask(Role.SUPERVISOR, "GET", "/events")).status == 503


# The part that all readers share.

SUPERVISOR = Who("Wang", Role.SUPERVISOR)


@asynccontextmanager
async def live_of(desk: ScriptedDesk) -> AsyncGenerator[Live, None]:
    live = Live(desk, dict.fromkeys(PAUSE_S, 0.0))
    running = asyncio.create_task(live.run())
    yield live
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def told(reader: Reader) -> Any:
    async with asyncio.timeout(BOUND_S):
        event = await reader.next()
    return None if event is None else json.loads(event.partition(b"data: ")[2])


async def test_a_reader_that_does_not_read_is_dropped_and_the_others_are_not() -> None:
    desk = ScriptedDesk()
    async with live_of(desk) as live:
        slow = await live.join(SUPERVISOR, frozenset({"seats"}))
        quick = await live.join(SUPERVISOR, frozenset({"seats"}))
        await told(quick)
        for number in range(WAITING_EVENTS + 5):
            desk.seat_views[0] = replace(desk.seat_views[0], since_utc_ms=number)
            desk.tell("seats")
            assert (await told(quick))["changed"][0]["since_utc_ms"] == number
        assert slow.slow
        assert await told(slow) is None
        assert not quick.slow


async def test_a_store_that_is_busy_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.live.AGAIN_S", 0.01)
    desk = ScriptedDesk()
    async with live_of(desk) as live:
        reader = await live.join(SUPERVISOR, frozenset({"call_backs"}))
        await told(reader)
        desk.refuses = Refusal(503, "busy", "the store is busy", "try again")
        desk.call_back_views[0] = replace(desk.call_back_views[0], attempts=2)
        desk.tell("call_backs")
        await until(lambda: desk.refused > 1)
        desk.refuses = RuntimeError("broken")
        with structlog.testing.capture_logs() as logged:
            await until(lambda: bool(logged))
        assert {entry["event"] for entry in logged} == {"live_state_failed"}
        with structlog.testing.capture_logs():
            desk.refuses = None
            assert (await told(reader))["changed"][0]["attempts"] == 2


async def test_many_changes_at_once_are_told_in_few_events_and_the_last_state_is_never_missed() -> None:
    desk = ScriptedDesk()
    async with live_of(desk) as live:
        reader = await live.join(SUPERVISOR, frozenset({"waiting"}))
        known = {view["call"]: view for view in (await told(reader))["items"]}
        for number in range(500):
            desk.waiting_views.append(
                WaitingView(f"call-{number}", "12345", "", (), "zh", 5, number, number + 3, None, "waiting")
            )
            desk.tell("waiting")
            if number % 50 == 0:
                await asyncio.sleep(0)
        del desk.waiting_views[:2]
        desk.tell("waiting")
        events = 0
        while set(known) != {view.call for view in desk.waiting_views}:
            change = await told(reader)
            events += 1
            known.update((view["call"], view) for view in change["changed"])
            for call in change["gone"]:
                del known[call]
        assert CALL not in known
        assert events < 100


async def test_who_comes_after_all_have_left_is_told_what_is_true_now() -> None:
    desk = ScriptedDesk()
    async with live_of(desk) as live:
        live.leave(await live.join(SUPERVISOR, frozenset({"seats"})))
        assert live.readers == 0
        desk.seat_views.pop()
        later = await live.join(SUPERVISOR, frozenset({"seats"}))
        assert [seat["seat"] for seat in (await told(later))["items"]] == ["8001", "8002"]
        live.close()
        assert await told(later) is None
        with pytest.raises(Refusal, match="about to end"):
            await live.join(SUPERVISOR, frozenset({"seats"}))


async def test_a_reader_whose_connection_takes_nothing_is_dropped(
    client: CheckedClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.events.SLOW_S", 0.1)
    number = client.desk.waiting_views[0]
    # More than any socket holds.
    client.desk.waiting_views = [replace(number, call=f"call-{at}") for at in range(40_000)]
    _reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    with structlog.testing.capture_logs() as logged:
        secret = client.tokens[Role.AUDITOR]
        head = f"GET /api/v1/events?kinds=waiting HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {secret}\r\n\r\n"
        writer.write(head.encode())
        await writer.drain()
        await until(lambda: any(entry["event"] == "reader_dropped" for entry in logged))
    writer.close()
    client.desk.waiting_views.clear()
    assert (await client.ask(Role.AUDITOR, "GET", "/waiting")).told == {"items": []}
