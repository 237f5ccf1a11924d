"""Kept calls over the interface: who finds, sees and hears which."""

from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import ClientPayloadError

from tests.support.checked_client import CheckedClient, checked_client
from tests.support.scripted_shelf import KEPT, WAV
from web.desk import Refusal, Role
from web.shelf import Search, Voice

AGENT, SUPERVISOR, OPERATOR, AUDITOR = Role.AGENT, Role.SUPERVISOR, Role.OPERATOR, Role.AUDITOR
CALLER = "13812345678"


@pytest_asyncio.fixture
async def client(tmp_path: Path) -> AsyncGenerator[CheckedClient, None]:
    async with checked_client(tmp_path) as one:
        yield one


@pytest.mark.parametrize(
    ("role", "caller", "key"),
    [(SUPERVISOR, CALLER, "2"), (AGENT, CALLER, "2"), (OPERATOR, "138****5678", "•"), (AUDITOR, "138****5678", "•")],
)
async def test_callers_are_shown_to_supervisors_and_to_the_agent_who_was_there(
    client: CheckedClient, role: Role, caller: str, key: str
) -> None:
    (found,) = (await client.ask(role, "GET", "/calls")).told["items"]
    assert (found["ref"], found["caller"], found["keys"]) == (KEPT, caller, [{"where": "main", "key": key}])
    one = (await client.ask(role, "GET", f"/calls/{KEPT}")).told
    assert one["record"] == found
    assert caller in {entry["details"].get("caller") for entry in one["timeline"]}
    assert key in {entry["details"].get("key") for entry in one["timeline"]}


async def test_what_is_searched_for_reaches_the_shelf(client: CheckedClient) -> None:
    after = f"1700000000000-{KEPT}"
    query = f"since=2026-11-01&until=2026-11-21&number=12345&caller={CALLER}&seat=8001&agent=1001&outcome=answered"
    page = await client.ask(SUPERVISOR, "GET", f"/calls?{query}&limit=1&after={after}")
    assert page.told["next"].endswith(KEPT)
    wanted = Search(None, "2026-11-01", "2026-11-21", "12345", CALLER, "8001", "1001", "answered", 1, after)
    assert client.shelf.asked == [("search", wanted)]


async def test_an_agent_searches_among_its_own_calls_whatever_it_asks_for(client: CheckedClient) -> None:
    await client.ask(AGENT, "GET", "/calls?agent=1002")
    assert client.shelf.asked == [("search", Search(agent="1001"))]


@pytest.mark.parametrize(
    "query", ["day=today", "outcome=lost", "limit=0", "limit=201", "after=1", "caller=1*", "all=1"]
)
async def test_a_search_that_makes_no_sense_is_refused(client: CheckedClient, query: str) -> None:
    answer = await client.ask(SUPERVISOR, "GET", f"/calls?{query}")
    assert (answer.status, answer.told["kind"]) == (422, "not_usable")


async def test_an_agent_neither_sees_nor_hears_calls_of_others(client: CheckedClient) -> None:
    kept = client.shelf.kept
    client.shelf.kept = replace(kept, record=replace(kept.record, agents=("1002",)))
    for path in (f"/calls/{KEPT}", f"/calls/{KEPT}/recording", f"/calls/{KEPT}/message"):
        answer = await client.ask(AGENT, "GET", path)
        assert (answer.status, answer.told["kind"]) == (403, "not_yours")
    assert client.shelf.asked == []


async def test_confidential_calls_are_heard_by_supervisors_alone(client: CheckedClient) -> None:
    client.shelf.kept = replace(client.shelf.kept, confidential=True)
    refused = await client.ask(AGENT, "GET", f"/calls/{KEPT}/recording")
    assert (refused.status, refused.told["kind"]) == (403, "confidential")
    assert client.shelf.asked == []
    assert (await client.ask(SUPERVISOR, "GET", f"/calls/{KEPT}/recording")).status == 200


async def test_a_recording_comes_whole(client: CheckedClient) -> None:
    heard = await client.ask(SUPERVISOR, "GET", f"/calls/{KEPT}/recording")
    assert heard.told.encode("latin-1") == WAV
    assert heard.headers["Content-Disposition"] == f'inline; filename="{KEPT}.wav"'
    assert client.shelf.asked == [("sound", "supervisor", KEPT, Voice.RECORDING)]


async def test_audio_that_proves_to_be_broken_is_never_whole(client: CheckedClient) -> None:
    client.shelf.broken = True
    with pytest.raises(ClientPayloadError):
        await client.ask(SUPERVISOR, "GET", f"/calls/{KEPT}/recording")
    client.shelf.broken = False
    assert (await client.ask(SUPERVISOR, "GET", f"/calls/{KEPT}/recording")).status == 200


async def test_audio_that_is_gone_and_calls_that_are_not_there_are_told(client: CheckedClient) -> None:
    client.shelf.removed = True
    gone = await client.ask(SUPERVISOR, "GET", f"/calls/{KEPT}/message")
    assert (gone.status, gone.told["kind"]) == (410, "no_audio")
    for path in ("", "/recording", "/message"):
        missing = await client.ask(SUPERVISOR, "GET", f"/calls/nothing{path}")
        assert (missing.status, missing.told["kind"]) == (404, "no_such_call")
    client.shelf.refuses = Refusal(503, "search_too_slow", "the search took too long", "name a day")
    slow = await client.ask(SUPERVISOR, "GET", "/calls")
    assert (slow.status, slow.told["kind"]) == (503, "search_too_slow")


async def test_a_supervisor_holds_a_call_and_makes_it_confidential(client: CheckedClient) -> None:
    for method, what, body in (
        ("POST", "legal-hold", {"reason": " court "}),
        ("DELETE", "legal-hold", None),
        ("POST", "confidential", {"reason": "police"}),
        ("DELETE", "confidential", None),
    ):
        assert (await client.ask(SUPERVISOR, method, f"/calls/{KEPT}/{what}", body)).status == 204
    assert client.shelf.asked == [
        ("hold", "supervisor", KEPT, "court"),
        ("release", "supervisor", KEPT),
        ("make_confidential", "supervisor", KEPT, "police"),
        ("end_confidential", "supervisor", KEPT),
    ]
    without = await client.ask(SUPERVISOR, "POST", f"/calls/{KEPT}/legal-hold", {"reason": " "})
    assert without.status == 422
