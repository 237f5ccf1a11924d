"""A whole controller process, without Asterisk, that sends its records on into a real PostgreSQL."""

import asyncio
import json
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from typer.testing import CliRunner

from hotline.cli import app
from hotline.folders import Folders
from hotline.ports import on_free_ports
from hotline.stage import on_stage
from settings.check import load
from settings.keeping import Postgresql, Records
from settings.secrets import PostgresqlPasswordMissing, load_or_create
from settings.shapes import Settings
from tests.support.journal_lines import BEGIN_US, answered_call
from tests.support.keeping import Surroundings
from tests.support.postgres_server import PASSWORD, PostgresServer
from tests.support.settings_maker import PLAIN, write_city


class Node:
    """One node's folders and settings, sending its records on to `database`."""

    def __init__(self, folder: Path, database: Postgresql) -> None:
        self.config, self.data = folder / "config", folder / "data"
        server = {**PLAIN["server"], "records": {"postgresql": database.model_dump()}}
        write_city(self.config, {"server": server})
        self.settings: Settings = on_free_ports(load(self.config))
        folders = Folders(self.data)
        with pytest.raises(PostgresqlPasswordMissing):
            load_or_create(folders.secrets, self.settings)
        secrets = folders.secrets.read_text(encoding="utf-8")
        folders.secrets.write_text(secrets.replace('"password": ""', f'"password": "{PASSWORD}"'), encoding="utf-8")
        folders.installed.parent.mkdir(parents=True)
        folders.installed.write_text(self.settings.model_dump_json(by_alias=True), encoding="utf-8")
        self._around = Surroundings(folders.asterisk)
        assert self._around.journal == folders.journal

    @asynccontextmanager
    async def serving(self, project: Path) -> AsyncGenerator[None]:
        """The controller until the end of the block; it must end well."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "hotline.node", self.data, cwd=project, stdin=asyncio.subprocess.PIPE
        )
        assert process.stdin is not None
        try:
            yield
            process.stdin.close()
            async with asyncio.timeout(60):
                assert await process.wait() == 0
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    def calls(self, *serials: int) -> list[str]:
        """These calls happen; their ids."""
        made = [answered_call(serial, begin_us=BEGIN_US + serial * 10_000_000) for serial in serials]
        self._around.write(line for call in made for line in call.lines)
        return [call.ref for call in made]

    async def arrived(self, refs: list[str]) -> None:
        """Waits until these calls, and no others, are in the archive."""
        found: list[str] = []
        for _ in range(100):
            found = [one["ref"] for one in await asyncio.to_thread(archived, self, "calls")]
            if found == refs[::-1]:
                return
            await asyncio.sleep(0.2)
        raise AssertionError(found)

    async def behind(self, wanted: int, http: ClientSession) -> None:
        """Waits until the health page tells so many records that are still to be sent."""
        at = self.settings.server.http
        told: dict[str, Any] = {}
        for _ in range(600):
            try:
                async with http.get(f"http://{at.address}:{at.port}/readyz") as response:
                    told = await response.json()
            except OSError:  # It does not listen yet.
                pass
            if told.get("records_behind") == wanted:
                return
            await asyncio.sleep(0.1)
        raise AssertionError(told)


def archived(node: Node, *words: str) -> list[dict[str, Any]]:
    """What a command prints that looks into the archive."""
    told = CliRunner().invoke(
        app, [*words, "--archive", "--json", "--config", str(node.config), "--data", str(node.data)]
    )
    assert told.exit_code == 0, told.stderr
    return [json.loads(line) for line in told.stdout.splitlines()]


async def test_a_node_sends_its_records_on_and_catches_up_after_postgresql_was_away(
    postgres: PostgresServer, tmp_path: Path, project: Path
) -> None:
    node = Node(tmp_path, await postgres.database())
    async with ClientSession() as http, node.serving(project):
        refs = node.calls(1, 2)
        await node.arrived(refs)
        await asyncio.to_thread(postgres.stop)
        refs += node.calls(3, 4, 5)
        await node.behind(3, http)
        away = await asyncio.to_thread(
            CliRunner().invoke, app, ["calls", "--archive", "--config", str(node.config), "--data", str(node.data)]
        )
        assert away.exit_code == 1
        assert "start it, or mend 'postgresql' in server.yaml" in away.stderr
        await asyncio.to_thread(postgres.start)
        await node.behind(0, http)
    await node.arrived(refs)
    record, *entries = await asyncio.to_thread(archived, node, "call", refs[4])
    assert (record["ref"], record["outcome"]) == (refs[4], "answered")
    assert [entry["kind"] for entry in entries][:2] == ["ARRIVED", "ANSWERED"]


def test_a_command_that_looks_into_no_archive_says_what_to_do(tmp_path: Path) -> None:
    config = write_city(tmp_path / "config")
    told = CliRunner().invoke(app, ["calls", "--archive", "--config", str(config), "--data", str(tmp_path / "data")])
    assert told.exit_code == 1
    assert "no archive is set up: write 'postgresql' or 'copy_to' under 'records'" in " ".join(told.stderr.split())


def test_calls_on_the_stage_of_a_demo_reach_no_archive(tmp_path: Path) -> None:
    records = {"postgresql": {"host": "127.0.0.1"}}
    written = load(write_city(tmp_path / "config", {"server": {**PLAIN["server"], "records": records}}))
    assert on_stage(written).server.records == Records()
