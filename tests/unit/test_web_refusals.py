"""Everything that is refused says why and what to do, as problem+json."""

import asyncio
import gzip
import json
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import structlog

from tests.support.checked_client import CheckedClient, checked_client
from tests.support.scripted_desk import CALL, PIN
from web.desk import Refusal, Role
from web.requests import BODY_BYTES

SUPERVISOR = Role.SUPERVISOR


@pytest_asyncio.fixture
async def client(tmp_path: Path) -> AsyncGenerator[CheckedClient, None]:
    async with checked_client(tmp_path) as one:
        yield one


async def test_an_unknown_path_and_an_unknown_method_are_refused(client: CheckedClient) -> None:
    missing = await client.ask(SUPERVISOR, "GET", "/agent")
    assert (missing.status, missing.told["kind"]) == (404, "no_such_page")
    method = await client.ask(SUPERVISOR, "PUT", "/agents/1001/pause")
    assert (method.status, method.headers["Allow"]) == (405, "POST")
    assert (await client.ask(None, "GET", "/agent")).status == 401


@pytest.mark.parametrize(
    ("method", "path", "body", "fields"),
    [
        ("GET", "/agents/abc", None, {"path.agent"}),
        ("GET", "/seats/80011111111", None, {"path.seat"}),
        ("POST", "/call-backs/seven/call", {"seat": "8001"}, {"path.id"}),
        ("POST", "/call-backs/0/call", {"seat": "8001"}, {"path.id"}),
        ("DELETE", "/blocked/+86", None, {"path.number"}),
        ("GET", "/totals", None, {"query.day"}),
        ("GET", "/totals?day=2026-02-30", None, {"query.day"}),
        ("GET", "/totals?day=20261121", None, {"query.day"}),
        ("GET", "/totals?day=2026-11-21&agents=1001", None, {"query.agents"}),
        ("GET", "/totals?day=2026-11-21&day=2026-11-22", None, {"query.day"}),
        ("GET", "/seats/8001?seat=8002", None, {"query.seat"}),
        ("GET", "/call-backs?every=maybe", None, {"query.every"}),
        ("GET", "/events?kinds=seats,,agents", None, {"query.kinds"}),
        ("POST", "/agents/1001/sign-on", {}, {"body.seat"}),
        ("POST", "/agents/1001/sign-on", {"seat": 8001, "pin": "1", "as": "x"}, {"body.seat", "body.as"}),
        ("POST", "/agents/1001/sign-on", {"seat": "8001\n"}, {"body.seat"}),
        ("POST", "/agents/1001/sign-on", [], {"body"}),
        ("POST", "/agents/1001/ready", {"now": True}, {"body.now"}),
        ("POST", "/seats/8001/watch", {"by": "8002", "how": "shout"}, {"body.how"}),
        ("POST", f"/calls/{CALL}/transfer", {"to": {}}, {"body.to"}),
        ("POST", f"/calls/{CALL}/transfer", {"to": {"seat": None}}, {"body.to"}),
        ("POST", f"/calls/{CALL}/transfer", {"to": {"seat": "8001", "skill": "social"}}, {"body.to"}),
        ("POST", f"/calls/{CALL}/transfer", {"to": {"outside": "0086*1"}}, {"body.to.outside"}),
        ("POST", "/call-backs/7/dismiss", {"note": "  "}, {"body.note"}),
        ("POST", "/call-backs/7/dismiss", {"note": "a\u001b[31m"}, {"body.note"}),
        ("POST", "/blocked", {"number": "1", "reason": "x", "until": "soon"}, {"body.number", "body.until"}),
        ("POST", "/blocked", {"number": "13500003333", "reason": "x" * 201, "until": "2026-12-31"}, {"body.reason"}),
    ],
)
async def test_what_cannot_be_used_is_named_field_by_field(
    client: CheckedClient, method: str, path: str, body: Any, fields: set[str]
) -> None:
    answer = await client.ask(SUPERVISOR, method, path, body)
    assert answer.status == 422
    assert {error["field"] for error in answer.told["errors"]} == fields
    assert client.desk.asked == []


@pytest.mark.parametrize("raw", [b"{", b"\xff\xfe", b'{"seat": "\\ud800"}', b"[" * 20_000, b"null", b'"8001"'])
async def test_a_body_that_is_no_json_object_is_refused(client: CheckedClient, raw: bytes) -> None:
    answer = await client.ask(SUPERVISOR, "POST", "/agents/1001/sign-on", raw=raw)
    assert answer.status == 422


async def test_a_body_of_another_type_is_refused(client: CheckedClient) -> None:
    for media in ("text/plain", "application/x-www-form-urlencoded"):
        answer = await client.ask(SUPERVISOR, "POST", "/agents/1001/sign-on", {"seat": "8001"}, Content_Type=media)
        assert (answer.status, answer.told["kind"]) == (415, "not_json")


async def test_a_body_that_is_too_long_is_refused_whether_it_says_so_or_not(client: CheckedClient) -> None:
    long = json.dumps({"seat": "8001", "pin": "1" * BODY_BYTES}).encode()
    answer = await client.ask(SUPERVISOR, "POST", "/agents/1001/sign-on", raw=long)
    assert (answer.status, answer.told["kind"]) == (413, "too_long")

    async def parts() -> AsyncGenerator[bytes, None]:
        for begin in range(0, len(long), 1000):
            yield long[begin : begin + 1000]

    headers = {**client.headers(SUPERVISOR), "Content-Type": "application/json"}
    async with client.http.post(client.at + "/agents/1001/sign-on", data=parts(), headers=headers) as response:
        assert response.status == 413


async def test_a_packed_body_is_refused_without_being_unpacked(
    client: CheckedClient, caplog: pytest.LogCaptureFixture
) -> None:
    for raw in (b"abcde", gzip.compress(b"{}")):
        answer = await client.ask(SUPERVISOR, "POST", "/agents/1001/ready", raw=raw, Content_Encoding="gzip")
        assert (answer.status, answer.told["kind"]) == (415, "not_json")
    assert (caplog.records, client.desk.asked) == ([], [])


async def test_whoever_hangs_up_while_sending_is_no_fault_of_the_hotline(client: CheckedClient) -> None:
    with structlog.testing.capture_logs() as logged:
        _reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
        head = f"Host: x\r\nAuthorization: Bearer {client.tokens[SUPERVISOR]}\r\nContent-Length: 50"
        writer.write(f"POST /api/v1/agents/1001/ready HTTP/1.1\r\n{head}\r\n\r\n{{".encode())
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        assert (await client.ask(SUPERVISOR, "GET", "/agents")).status == 200
    await client.stop()
    assert (logged, client.desk.asked) == ([], [])


async def test_a_body_that_takes_too_long_is_refused(client: CheckedClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.api.BODY_S", 0.05)
    never = asyncio.Event()

    async def parts() -> AsyncGenerator[bytes, None]:
        yield b"{"
        await never.wait()

    headers = {**client.headers(SUPERVISOR), "Content-Type": "application/json"}
    async with client.http.post(client.at + "/agents/1001/ready", data=parts(), headers=headers) as response:
        assert response.status == 408
        assert (await response.json(content_type=None))["kind"] == "too_slow"


async def test_a_refusal_of_the_desk_is_told_as_it_is(client: CheckedClient) -> None:
    for status, kind in (
        (404, "no_such_agent"),
        (409, "seat_taken"),
        (429, "locked"),
        (502, "refused"),
        (503, "not_steering"),
    ):
        client.desk.refuses = Refusal(status, kind, "because", "do this")
        answer = await client.ask(SUPERVISOR, "POST", "/agents/1001/sign-on", {"seat": "8001"})
        assert answer.status == status
        assert answer.told == {
            "type": f"urn:hotline:problem:{kind}",
            "title": kind.replace("_", " "),
            "status": status,
            "detail": "because",
            "instance": "/api/v1/agents/1001/sign-on",
            "kind": kind,
            "mend": "do this",
        }
        assert ("Retry-After" in answer.headers) == (status == 503)


async def test_what_nobody_expected_is_logged_under_the_id_that_the_problem_names(client: CheckedClient) -> None:
    client.desk.refuses = RuntimeError("the secret is 4711")
    with structlog.testing.capture_logs() as logged:
        answer = await client.ask(SUPERVISOR, "DELETE", "/blocked/13500003333")
    assert (answer.status, answer.told["kind"]) == (500, "failed")
    assert "4711" not in json.dumps(answer.told)
    (entry,) = logged
    assert entry["event"] == "request_failed"
    assert entry["id"] == answer.told["id"]
    assert entry["page"] == "/api/v1/blocked/{number}"
    assert "13500003333" not in str({name: value for name, value in entry.items() if name != "exc_info"})


async def test_a_pin_is_never_repeated(client: CheckedClient) -> None:
    answer = await client.ask(SUPERVISOR, "POST", "/agents/1001/sign-on", {"seat": "x", "pin": f"{PIN}x"})
    assert {error["field"] for error in answer.told["errors"]} == {"body.seat", "body.pin"}
    assert PIN not in json.dumps(answer.told)


async def test_tokens_that_cannot_be_read_let_nobody_in_and_say_so(client: CheckedClient, tmp_path: Path) -> None:
    (tmp_path / "tokens.json").chmod(0o644)
    with structlog.testing.capture_logs() as logged:
        answer = await client.ask(SUPERVISOR, "GET", "/agents")
    assert (answer.status, answer.told["kind"]) == (503, "tokens_not_usable")
    assert str(tmp_path) not in json.dumps(answer.told)
    assert [entry["event"] for entry in logged] == ["tokens_not_usable"]
    (tmp_path / "tokens.json").chmod(0o600)
    assert (await client.ask(SUPERVISOR, "GET", "/agents")).status == 200


async def test_many_at_once_are_all_answered(client: CheckedClient) -> None:
    answers = await asyncio.gather(*(client.ask(SUPERVISOR, "GET", "/waiting") for _ in range(50)))
    assert {answer.status for answer in answers} == {200}
