"""The interface: who may ask for what, what is asked of the desk, what is shown to whom."""

import re
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from openapi_spec_validator import validate

from tests.support.checked_client import CheckedClient, checked_client
from tests.support.scripted_desk import CALL, CALLER, OTHER_CALL, PIN
from tests.support.scripted_shelf import KEPT
from web.api import ROUTES, description
from web.desk import How, Role, To
from web.live import WHO_SEES

AGENT, SUPERVISOR, OPERATOR, AUDITOR = Role.AGENT, Role.SUPERVISOR, Role.OPERATOR, Role.AUDITOR
ALL = {AGENT, SUPERVISOR, OPERATOR, AUDITOR}
DESK = {AGENT, SUPERVISOR}
SEEING = {SUPERVISOR, OPERATOR, AUDITOR}

ALLOWED: list[tuple[str, str, str, Any, set[Role]]] = [
    ("GET", "/me", "/me", None, ALL),
    ("GET", "/agents", "/agents", None, SEEING),
    ("GET", "/agents/{agent}", "/agents/1001", None, ALL),
    ("POST", "/agents/{agent}/sign-on", "/agents/1001/sign-on", {"seat": "8011", "pin": PIN}, DESK),
    ("POST", "/agents/{agent}/sign-off", "/agents/1001/sign-off", None, DESK),
    ("POST", "/agents/{agent}/pause", "/agents/1001/pause", {"reason": "meal"}, DESK),
    ("POST", "/agents/{agent}/ready", "/agents/1001/ready", None, DESK),
    ("GET", "/agents/{agent}/totals", "/agents/1001/totals?day=2026-11-21", None, ALL),
    ("GET", "/totals", "/totals?day=2026-11-21", None, SEEING),
    ("GET", "/seats", "/seats", None, ALL),
    ("GET", "/seats/{seat}", "/seats/8001", None, ALL),
    ("POST", "/seats/{seat}/watch", "/seats/8001/watch", {"by": "8002", "how": "whisper"}, {SUPERVISOR}),
    ("POST", "/seats/{seat}/take-over", "/seats/8001/take-over", {"by": "8002"}, {SUPERVISOR}),
    ("POST", "/seats/{seat}/sign-off", "/seats/8001/sign-off", None, {SUPERVISOR}),
    ("POST", "/seats/{seat}/emergency", "/seats/8001/emergency", {"number": "110", "note": "he fell"}, DESK),
    ("PUT", "/seats/{seat}/note", "/seats/8001/note", {"note": "he fell"}, DESK),
    ("POST", "/drills", "/drills", {"number": "110"}, {SUPERVISOR, OPERATOR}),
    ("GET", "/drills", "/drills?limit=5", None, SEEING),
    ("GET", "/waiting", "/waiting", None, ALL),
    ("POST", "/waiting/{call}/move-up", f"/waiting/{OTHER_CALL}/move-up", None, {SUPERVISOR}),
    ("GET", "/call-backs", "/call-backs?every=true", None, ALL),
    ("POST", "/call-backs", "/call-backs", {"caller": "13600004444", "number": "12345"}, {SUPERVISOR}),
    ("POST", "/call-backs/{id}/call", "/call-backs/7/call", {"seat": "8001"}, DESK),
    ("POST", "/call-backs/{id}/dismiss", "/call-backs/7/dismiss", {"note": "called already"}, {SUPERVISOR}),
    ("GET", "/blocked", "/blocked", None, SEEING),
    (
        "POST",
        "/blocked",
        "/blocked",
        {"number": "13500005555", "reason": "threats", "until": "2026-12-31"},
        {SUPERVISOR, OPERATOR},
    ),
    ("DELETE", "/blocked/{number}", "/blocked/13500003333", None, {SUPERVISOR, OPERATOR}),
    ("GET", "/blocked/calls", "/blocked/calls?number=13500003333", None, SEEING),
    ("GET", "/shifts", "/shifts", None, SEEING),
    ("GET", "/reasons", "/reasons", None, ALL),
    ("POST", "/calls/{call}/transfer", f"/calls/{CALL}/transfer", {"to": {"seat": "8002"}}, DESK),
    ("POST", "/calls/{call}/consult", f"/calls/{CALL}/consult", {"to": {"emergency": "110"}, "join": True}, DESK),
    ("POST", "/calls/{call}/join", f"/calls/{CALL}/join", None, DESK),
    ("POST", "/calls/{call}/complete", f"/calls/{CALL}/complete", None, DESK),
    ("POST", "/calls/{call}/retrieve", f"/calls/{CALL}/retrieve", None, DESK),
    ("POST", "/calls/{call}/hold", f"/calls/{CALL}/hold", None, DESK),
    ("GET", "/calls", "/calls?day=2026-11-21", None, ALL),
    ("GET", "/calls/{call}", f"/calls/{KEPT}", None, ALL),
    ("GET", "/calls/{call}/recording", f"/calls/{KEPT}/recording", None, DESK),
    ("GET", "/calls/{call}/message", f"/calls/{KEPT}/message", None, DESK),
    ("POST", "/calls/{call}/legal-hold", f"/calls/{KEPT}/legal-hold", {"reason": "court"}, {SUPERVISOR}),
    ("DELETE", "/calls/{call}/legal-hold", f"/calls/{KEPT}/legal-hold", None, {SUPERVISOR}),
    ("POST", "/calls/{call}/confidential", f"/calls/{KEPT}/confidential", {"reason": "police"}, {SUPERVISOR}),
    ("DELETE", "/calls/{call}/confidential", f"/calls/{KEPT}/confidential", None, {SUPERVISOR}),
    ("GET", "/audit", "/audit?limit=5", None, {AUDITOR}),
    ("GET", "/openapi.json", "/openapi.json", None, ALL),
]
"""Method, path, an example that agent 1001 may ask for if its role may, a body, the roles."""
STREAMED = {("GET", "/events", frozenset(ALL))}
"""Asked for in test_web_events.py."""


@pytest_asyncio.fixture
async def client(tmp_path: Path) -> AsyncGenerator[CheckedClient, None]:
    async with checked_client(tmp_path) as one:
        yield one


def test_the_table_of_rights_names_every_route() -> None:
    said = {(method, path, frozenset(roles)) for method, path, _, _, roles in ALLOWED} | STREAMED
    assert {(entry.method, entry.path, entry.roles) for entry in ROUTES} == said


@pytest.mark.parametrize("case", ALLOWED, ids=lambda case: f"{case[0]} {case[1]}")
async def test_each_role_may_do_what_the_table_says_and_nothing_else(
    client: CheckedClient, case: tuple[str, str, str, Any, set[Role]]
) -> None:
    method, _, example, body, roles = case
    for role in Role:
        before = len(client.desk.asked)
        answer = await client.ask(role, method, example, body)
        if role in roles:
            assert answer.status < 300, answer.told
        else:
            assert (answer.status, answer.told["kind"]) == (403, "not_your_role")
            assert len(client.desk.asked) == before
    nobody = await client.ask(None, method, example, body)
    assert nobody.status == 401
    assert nobody.headers["WWW-Authenticate"].startswith("Bearer")


async def test_a_token_that_nobody_has_lets_nobody_in(client: CheckedClient) -> None:
    for header in ("Bearer nonsense", "Bearer", "Basic YTpi", f"Basic {client.tokens[SUPERVISOR]}"):
        answer = await client.ask(None, "GET", "/agents", Authorization=header)
        assert (answer.status, answer.told["kind"]) == (401, "no_token")
    removed = client.tokens[AUDITOR]
    client.known.remove("auditor")
    assert (await client.ask(None, "GET", "/me", Authorization=f"Bearer {removed}")).status == 401


async def test_whoever_asks_learns_its_role(client: CheckedClient) -> None:
    assert (await client.ask(AGENT, "GET", "/me")).told == {"name": "agent", "role": "agent", "agent": "1001"}


def test_the_description_is_valid_and_says_who_may() -> None:
    validate(description())
    for method, path, _, _, roles in ALLOWED:
        told = description()["paths"][path][method.lower()]
        assert set(told["x-roles"]) == {role.value for role in roles}
        assert told["summary"]


async def test_the_description_is_served(client: CheckedClient) -> None:
    assert (await client.ask(OPERATOR, "GET", "/openapi.json")).told == description()


# What reaches the desk.


async def test_what_is_sent_reaches_the_desk(client: CheckedClient) -> None:
    for method, example, body in (
        ("POST", "/agents/1002/sign-on", {"seat": "8011"}),
        ("POST", "/seats/8001/sign-off", None),
        ("POST", "/seats/8001/watch", {"by": "8002", "how": "barge"}),
        ("POST", "/seats/8001/emergency", {"number": "120"}),
        ("POST", "/drills", {"trunk": "emergency_a"}),
        ("POST", f"/calls/{CALL}/transfer", {"to": {"skill": "social"}}),
        ("POST", f"/calls/{CALL}/consult", {"to": {"outside": "13812340000"}}),
        ("POST", f"/calls/{CALL}/consult", {"to": {"centre": "tax"}, "join": True}),
        ("POST", "/call-backs", {"caller": "13600004444", "number": "12345", "note": "evenings"}),
        ("POST", "/call-backs/7/dismiss", {"note": "  called already "}),
    ):
        assert (await client.ask(SUPERVISOR, method, example, body)).status < 300
    me = "supervisor"
    assert client.desk.asked == [
        ("sign_on", me, "1002", "8011"),
        ("sign_off", me, "1001"),
        ("watch", me, "8001", "8002", How.BARGE),
        ("hand_over", me, "8001", "120", None),
        ("drill", me, None, "emergency_a"),
        ("transfer", me, CALL, To(skill="social")),
        ("consult", me, CALL, To(outside="13812340000"), False),
        ("consult", me, CALL, To(centre="tax"), True),
        ("add_call_back", me, "13600004444", "12345", "evenings"),
        ("dismiss_call_back", me, 7, "called already"),
    ]


async def test_a_call_back_that_is_added_is_answered_as_created(client: CheckedClient) -> None:
    body = {"caller": "13600004444", "number": "12345"}
    assert (await client.ask(SUPERVISOR, "POST", "/call-backs", body)).status == 201


async def test_totals_are_of_the_day_and_agent_that_are_asked_for(client: CheckedClient) -> None:
    everybody = await client.ask(OPERATOR, "GET", "/totals?day=2026-11-21")
    assert [total["agent"] for total in everybody.told["items"]] == ["1001", "1002"]
    one = await client.ask(AGENT, "GET", "/agents/1001/totals?day=2026-11-21")
    assert [total["agent"] for total in one.told["items"]] == ["1001"]
    assert (await client.ask(OPERATOR, "GET", "/totals?day=2026-11-22")).told == {"items": []}


async def test_what_is_not_there_is_named(client: CheckedClient) -> None:
    for method, path, kind in (
        ("GET", "/agents/4444", "no_such_agent"),
        ("GET", "/seats/4444", "no_such_seat"),
        ("POST", "/seats/4444/sign-off", "no_such_seat"),
        ("POST", "/waiting/nobody/move-up", "no_such_caller"),
    ):
        answer = await client.ask(SUPERVISOR, method, path)
        assert (answer.status, answer.told["kind"]) == (404, kind)
    nobody = await client.ask(SUPERVISOR, "POST", "/seats/8002/sign-off")
    assert (nobody.status, nobody.told["kind"]) == (409, "nobody_signed_on")


# An agent's own things.


async def test_an_agent_acts_for_itself_only(client: CheckedClient) -> None:
    for method, path, body in (
        ("GET", "/agents/1002", None),
        ("GET", "/agents/4444", None),
        ("GET", "/agents/1002/totals?day=2026-11-21", None),
        ("POST", "/agents/1002/sign-on", {"seat": "8011", "pin": PIN}),
        ("POST", "/agents/1002/sign-off", None),
        ("POST", "/agents/1002/pause", {"reason": "meal"}),
        ("POST", "/agents/1002/ready", None),
        ("POST", "/call-backs/7/call", {"seat": "8002"}),
        ("POST", "/seats/8002/emergency", {"number": "110"}),
        ("PUT", "/seats/8002/note", {"note": "he fell"}),
        *(
            ("POST", f"/calls/{OTHER_CALL}/{what}", body)
            for what, body in (
                ("transfer", {"to": {"seat": "8002"}}),
                ("consult", {"to": {"seat": "8002"}}),
                ("join", None),
                ("complete", None),
                ("retrieve", None),
                ("hold", None),
            )
        ),
    ):
        answer = await client.ask(AGENT, method, path, body)
        assert (answer.status, answer.told["kind"]) == (403, "not_yours"), path
    assert client.desk.asked == []


async def test_an_agent_who_is_signed_on_nowhere_has_no_call(client: CheckedClient) -> None:
    client.desk.seat_views.clear()
    assert (await client.ask(AGENT, "POST", f"/calls/{CALL}/hold")).status == 403
    assert (await client.ask(AGENT, "POST", "/call-backs/7/call", {"seat": "8001"})).status == 403


async def test_an_agent_signs_on_with_its_pin(client: CheckedClient) -> None:
    without = await client.ask(AGENT, "POST", "/agents/1001/sign-on", {"seat": "8011"})
    assert (without.status, without.told["kind"]) == (422, "pin_missing")
    wrong = await client.ask(AGENT, "POST", "/agents/1001/sign-on", {"seat": "8011", "pin": "000000"})
    assert (wrong.status, wrong.told["kind"]) == (403, "wrong_pin")
    assert (await client.ask(AGENT, "POST", "/agents/1001/sign-on", {"seat": "8011", "pin": PIN})).status == 200


# Whose numbers are shown.


@pytest.mark.parametrize(
    ("role", "waiting", "own_call"),
    [
        (AGENT, "137****1111", CALLER),
        (AUDITOR, "137****1111", "138****5678"),
        (OPERATOR, "137****1111", "138****5678"),
        (SUPERVISOR, "13700001111", CALLER),
    ],
)
async def test_callers_numbers_are_shown_to_supervisors_and_to_whoever_talks_with_them(
    client: CheckedClient, role: Role, waiting: str, own_call: str
) -> None:
    line = (await client.ask(role, "GET", "/waiting")).told["items"]
    assert [entry["caller"] for entry in line] == [waiting, own_call]
    seats = (await client.ask(role, "GET", "/seats")).told["items"]
    clear = role is SUPERVISOR
    assert [entry["caller"] for entry in seats] == [own_call, "13987654321" if clear else "139****4321", ""]
    assert (await client.ask(role, "GET", "/seats/8001")).told["caller"] == own_call
    back = (await client.ask(role, "GET", "/call-backs")).told["items"]
    assert [entry["caller"] for entry in back] == ["13600002222" if clear else "136****2222"]


@pytest.mark.parametrize(
    ("role", "number"), [(SUPERVISOR, "13500003333"), (OPERATOR, "13500003333"), (AUDITOR, "135****3333")]
)
async def test_blocked_numbers_are_shown_to_those_who_block(client: CheckedClient, role: Role, number: str) -> None:
    assert (await client.ask(role, "GET", "/blocked")).told["items"][0]["number"] == number
    assert (await client.ask(role, "GET", "/blocked/calls")).told["items"][0]["caller"] == number


async def test_the_audit_shows_what_was_done_and_no_telephone_numbers(client: CheckedClient) -> None:
    entry = (await client.ask(AUDITOR, "GET", "/audit")).told["items"][0]
    assert entry["what"] == {"seat": "8001", "number": "5*****1", "to": "outside 138****5678", "call": CALL}


def test_the_document_names_every_route_role_and_kind_of_live_state(project: Path) -> None:
    text = (project / "docs/api.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `([A-Z]+ /[^`]*)` \| ([^|]*) \|", text, re.MULTILINE))
    assert rows.keys() == {f"{entry.method} {entry.path}" for entry in ROUTES}
    for entry in ROUTES:
        told = rows[f"{entry.method} {entry.path}"].partition(";")[0]
        roles = set(Role) if told == "all" else {Role(word) for word in told.split(", ")}
        assert roles == entry.roles, entry.path
    assert {kind for kind in WHO_SEES if f"`{kind}`" not in text} == set()
