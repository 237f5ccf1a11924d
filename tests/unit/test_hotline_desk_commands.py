"""What happens now, as the command line shows it: it asks a real server, behind which the desk is scripted."""

import asyncio
import json
import os
import re
import shutil
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from typer.testing import CliRunner

from hotline import desk_tables
from hotline.cli import app
from hotline.folders import Folders
from tests.support import settings_maker
from tests.support.checked_client import CheckedClient, checked_client
from tests.support.scripted_end import until
from web.tokens import command_token, local_token

BOUND_S = 60.0


def install(data: Path, port: int) -> None:
    """What a started hotline leaves in its folder."""
    server = {**settings_maker.PLAIN["server"], "http": {"address": "127.0.0.1", "port": port}}
    installed = Folders(data).installed
    installed.parent.mkdir(parents=True, exist_ok=True)
    installed.write_text(settings_maker.city(server=server).model_dump_json(by_alias=True), encoding="utf-8")


@pytest_asyncio.fixture
async def city(tmp_path: Path) -> AsyncGenerator[CheckedClient, None]:
    async with checked_client(tmp_path) as client:
        local_token(tmp_path)
        install(tmp_path, client.port)
        yield client


async def told(*words: str) -> tuple[int, str, str]:
    """Exit code, output, complaints."""
    result = await asyncio.to_thread(CliRunner(env={"COLUMNS": "160"}).invoke, app, list(words))
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.parametrize(
    ("command", "wanted"),
    [
        ("seats", r"8001 +talks .* 1001 +social 3 +13812345678 +12333"),
        ("seats", r"1 nobody, 2 talks"),
        ("waiting", r"1 +13700001111 +12345 +general \(zh, priority 5\) .* 1m01s more +waits +99999999"),
        ("waiting", r"2 in the line, the longest for"),
        ("callbacks", r"7 +13600002222 +12345 +general +to be called +gave up waiting"),
        ("duty", r"on duty +1001"),
        ("duty", r"shift early +2 +1 +1"),
    ],
)
async def test_what_happens_now_is_shown_in_plain_words(
    city: CheckedClient, tmp_path: Path, command: str, wanted: str
) -> None:
    code, output, complaints = await told(command, "--data", str(tmp_path))
    assert (code, complaints) == (0, "")
    assert re.search(wanted, output), output


async def test_programs_get_one_object_a_line_as_the_interface_shows_it(city: CheckedClient, tmp_path: Path) -> None:
    _, output, _ = await told("seats", "--data", str(tmp_path), "--json")
    assert [json.loads(line)["seat"] for line in output.splitlines()] == ["8001", "8002", "8011"]
    _, output, _ = await told("callbacks", "--every", "--data", str(tmp_path), "--json")
    assert [json.loads(line)["id"] for line in output.splitlines()] == [6, 7]
    _, output, _ = await told("duty", "--data", str(tmp_path), "--json")
    assert json.loads(output)["shifts"] == ["early"]


@pytest.mark.parametrize("command", ["seats", "waiting", "callbacks"])
async def test_callers_numbers_can_be_hidden(city: CheckedClient, tmp_path: Path, command: str) -> None:
    _, output, _ = await told(command, "--data", str(tmp_path), "--mask")
    assert re.search(r"13[67]\*{4}|138\*{4}", output)
    assert not re.search(r"[0-9]{11}", output)


async def test_an_empty_line_is_said_to_be_empty(city: CheckedClient, tmp_path: Path) -> None:
    city.desk.waiting_views.clear()
    city.desk.call_back_views.clear()
    assert (await told("waiting", "--data", str(tmp_path)))[1] == "nobody waits\n"
    assert (await told("callbacks", "--data", str(tmp_path)))[1] == "nobody is to be called back\n"


async def test_a_hotline_that_does_not_run_is_one_clear_line(city: CheckedClient, tmp_path: Path) -> None:
    await city.stop()
    for words in (["seats"], ["waiting", "--watch"], ["duty", "--watch", "--json"]):
        code, _, complaints = await told(*words, "--data", str(tmp_path))
        assert code == 1
        assert complaints == (
            f"hotline: no hotline answers at http://127.0.0.1:{city.port}: "
            "start it with 'hotline run', or look into its log\n"
        )


async def test_a_folder_in_which_none_was_started_is_one_clear_line(tmp_path: Path) -> None:
    code, _, complaints = await told("seats", "--data", str(tmp_path))
    assert code == 1
    assert complaints.count("\n") == 1
    assert "start it with 'hotline run'" in complaints


async def test_the_hotline_of_another_folder_is_told_apart(city: CheckedClient, tmp_path: Path) -> None:
    other = tmp_path / "other"
    install(other, city.port)
    local_token(other)
    code, _, complaints = await told("seats", "--data", str(other))
    assert code == 1
    assert "is not the one of this data folder: give its folder with --data" in complaints


async def test_a_refusal_is_shown_with_its_mend(city: CheckedClient, tmp_path: Path) -> None:
    (tmp_path / "tokens.json").chmod(0o644)
    code, _, complaints = await told("seats", "--data", str(tmp_path))
    assert (code, complaints) == (
        1,
        "hotline: the hotline cannot read its tokens, and lets nobody in: see the log there\n",
    )


async def test_a_stranger_at_the_port_is_no_hotline(tmp_path: Path) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        local_token(tmp_path)
        install(tmp_path, server.sockets[0].getsockname()[1])
        code, _, complaints = await told("seats", "--data", str(tmp_path))
    assert code == 1
    assert "is no hotline of this version" in complaints


# --watch: a process of its own, ended as people end it.


async def watching(*words: str, stdout: int = PIPE) -> asyncio.subprocess.Process:
    environment = {"COLUMNS": "160", "LINES": "40", "PATH": "/usr/bin:/bin", "TERM": "xterm", "LC_ALL": "C.UTF-8"}
    command = (sys.executable, "-m", "hotline", *words)
    return await asyncio.create_subprocess_exec(*command, stdout=stdout, stderr=PIPE, env=environment)


async def ended_by_ctrl_c(process: asyncio.subprocess.Process) -> None:
    """It ends as it is meant to, and says nothing more."""
    process.send_signal(signal.SIGINT)
    async with asyncio.timeout(BOUND_S):
        output, complaints = await process.communicate()
    assert (process.returncode, output or b"", complaints) == (0, b"", b"")


@asynccontextmanager
async def terminal() -> AsyncGenerator[tuple[asyncio.StreamReader, int], None]:
    """What a terminal shows, and the descriptor that a process writes to."""
    ours, theirs = os.openpty()
    shown = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(shown), os.fdopen(ours, "rb", buffering=0)
    )
    try:
        yield shown, theirs
    finally:
        os.close(theirs)
        transport.close()


async def test_watching_prints_what_changes_for_programs(city: CheckedClient, tmp_path: Path) -> None:
    process = await watching("seats", "--watch", "--json", "--mask", "--data", str(tmp_path))
    assert process.stdout is not None
    async with asyncio.timeout(BOUND_S):
        first = json.loads(await process.stdout.readline())
        assert (first["event"], len(first["items"])) == ("state", 3)
        city.desk.seat_views[0] = replace(city.desk.seat_views[0], state="paused", reason="meal")
        city.desk.tell("seats")
        second = json.loads(await process.stdout.readline())
    assert second["event"] == "change"
    assert [(seat["state"], seat["caller"]) for seat in second["changed"]] == [("paused", "138****5678")]
    await ended_by_ctrl_c(process)


async def test_a_terminal_shows_what_changes_and_when_the_hotline_is_away_and_back(tmp_path: Path) -> None:
    async with terminal() as (shown, theirs), asyncio.timeout(BOUND_S):
        async with checked_client(tmp_path) as city:
            local_token(tmp_path)
            install(tmp_path, city.port)
            process = await watching("seats", "--watch", "--data", str(tmp_path), stdout=theirs)
            await shown.readuntil(b"8011")
            await until(lambda: city.desk.shown_seats > 1)
            city.desk.seat_views[0] = replace(city.desk.seat_views[0], state="paused", reason="meal")
            city.desk.tell("seats")
            await shown.readuntil(b"paused (meal)")
        await shown.readuntil(b"trying again")
        again = tmp_path / "again"
        again.mkdir()
        async with checked_client(again) as started_again:
            local_token(again)  # Another one than before.
            shutil.copy2(command_token(again), command_token(tmp_path))
            started_again.desk.seat_views[0] = replace(started_again.desk.seat_views[0], state="unreachable")
            install(tmp_path, started_again.port)
            await shown.readuntil(b"telephone not reached")
        await ended_by_ctrl_c(process)


async def test_those_that_are_done_cannot_be_watched(tmp_path: Path) -> None:
    code, _, complaints = await told("callbacks", "--every", "--watch", "--data", str(tmp_path))
    assert code == 1
    assert "give one of --every and --watch" in complaints


# Tokens.


async def test_a_token_is_made_listed_used_and_removed(city: CheckedClient, tmp_path: Path) -> None:
    data = ("--data", str(tmp_path))
    code, secret, hint = await told("token", "add", "crm", "--role", "auditor", *data)
    assert code == 0
    assert "not shown again" in hint
    header = f"Bearer {secret.strip()}"
    assert (await city.ask(None, "GET", "/me", Authorization=header)).told["name"] == "crm"
    _, listed, _ = await told("token", "list", *data)
    assert re.search(r"crm +auditor +-", listed)
    assert secret.strip() not in listed
    _, listed, _ = await told("token", "list", "--json", *data)
    assert {"crm", "agent"} <= {json.loads(line)["name"] for line in listed.splitlines()}
    assert (await told("token", "remove", "crm", *data))[0] == 0
    assert (await city.ask(None, "GET", "/me", Authorization=header)).status == 401


@pytest.mark.parametrize(
    ("words", "mend"),
    [
        (["add", "x", "--role", "king"], "choose agent, supervisor, operator, auditor"),
        (["add", "x", "--role", "agent"], "give the agent's number with --agent"),
        (["remove", "x"], "'hotline token list' shows them"),
    ],
)
async def test_a_token_that_cannot_be_is_named_with_its_mend(words: list[str], mend: str, tmp_path: Path) -> None:
    code, _, complaints = await told("token", *words, "--data", str(tmp_path))
    assert code == 1
    assert mend in complaints


@pytest.mark.parametrize(
    ("length_ms", "written"),
    [(0, "0s"), (45_999, "45s"), (185_000, "3m05s"), (7_620_000, "2h07m"), (273_600_000, "3d04h"), (-5, "0s")],
)
def test_a_length_of_time_is_written_short(length_ms: int, written: str) -> None:
    assert desk_tables.duration(length_ms) == written
