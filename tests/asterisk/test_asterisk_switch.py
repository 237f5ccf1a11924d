"""The switch's contract on a real Asterisk, with callers on Local channels."""

import ast
import asyncio
import socket
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from asterisk.ami import ActionRefused, AmiBounds, AmiConnection, open_ami
from asterisk.found import find
from asterisk.heard import HEARD, VARIABLES
from asterisk.process import AsteriskProcess
from asterisk.switch import AmiSwitch
from calls.live import CallRef, Channel, Seat, Waiting
from dialplan.server import AMI_READ, AMI_WRITE
from tests.support.small_asterisk import SmallAsterisk, write_small
from tests.support.switch_contract import BOUND_S, DEMANDS, Stage, SwitchContract, ear

__all__ = ["ear"]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallAsterisk]:
    found = find()
    written = write_small(found, tmp_path_factory.mktemp("asterisk"))
    process = AsteriskProcess(found, written.conf)
    asyncio.run(process.start())
    try:
        yield written
    finally:
        asyncio.run(process.stop())


class AsteriskStage:
    """Callers are Local channels; a seat is a telephone that only registers and never answers."""

    def __init__(self, small: SmallAsterisk, control: AmiConnection) -> None:
        self.small = small
        self.control = control
        self.switch = AmiSwitch("node1", small.access, AmiBounds(answer_s=10.0, list_s=10.0), demands=DEMANDS)
        self._phone = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._phone.bind(("127.0.0.1", 0))
        self._phone.settimeout(BOUND_S)

    async def close(self) -> None:
        await self.switch.close()
        for row in await self._rows():
            with suppress(ActionRefused):
                await self.control.act("Hangup", {"Channel": row["Channel"]})
        async with asyncio.timeout(BOUND_S):
            while await self._rows():  # noqa: ASYNC110  # Asterisk tells nobody when all are gone
                await asyncio.sleep(0.02)
        await self.unregisters(Seat("8001"))
        self._phone.close()

    async def waits(self, who: Waiting) -> Waiting:
        return await self._originated(who, "room")

    async def survives(self, who: Waiting, queue: str) -> Waiting:
        return await self._originated(who, "survival")

    async def leaves(self, who: Waiting, to: str) -> None:
        await self.control.act("Redirect", {"Channel": who.channel.name, "Context": to, "Exten": "s", "Priority": "1"})

    async def hangs_up(self, who: Waiting) -> None:
        await self.control.act("Hangup", {"Channel": who.channel.name})

    async def does_not_answer(self, who: Waiting, seat: Seat) -> None:
        """Nothing to do: a seat that is not registered cannot be called."""

    async def registers(self, seat: Seat) -> None:
        await asyncio.to_thread(self._register, seat, 60)

    async def unregisters(self, seat: Seat) -> None:
        await asyncio.to_thread(self._register, seat, 0)

    async def lose(self) -> None:
        connection = self.switch._connection
        assert connection is not None
        connection.drop("a test cut it")

    async def writes(self, who: Waiting, name: str) -> None:
        there = {"Channel": who.channel.name, "Context": "say", "Exten": name, "Priority": "1"}
        await self.control.act("Redirect", there)

    async def is_not_reached(self, ref: CallRef) -> None:
        """Nothing to do: the telephone that is dialled is not registered."""

    async def manned(self, seat: Seat) -> tuple[str, frozenset[str]]:
        agent = await self.control.act("Getvar", {"Variable": f"AGENT_{seat}"})
        rows = await self.control.rows("QueueStatus", "QueueStatusComplete")
        members = [row for row in rows if row.event == "QueueMember" and row.required("Location") == f"PJSIP/{seat}"]
        return agent.required("Value"), frozenset(
            row.required("Queue") for row in members if row.required("Paused") == "0"
        )

    async def blocked_until(self, number: str) -> str:
        try:
            (row,) = await self.control.rows("DBGet", "DBGetComplete", {"Family": "blocked", "Key": number})
        except ActionRefused:
            return ""
        return row.required("Val")

    async def _originated(self, who: Waiting, to: str) -> Waiting:
        variables = {
            "HL_REF": who.ref,
            "HL_T0": str(who.t0_ms),
            "HL_SKILLS": "+".join(sorted(who.skills)),
            "HL_PRIO": str(who.priority),
            "HL_NUMBER": who.number,
            "HL_LANG": who.language,
        }
        await self.control.act(
            "Originate",
            {
                "Channel": f"Local/{to}@enter/n",
                "Application": "Wait",
                "Data": "120",
                "CallerID": who.caller,
                "Async": "true",
                "Variable": ",".join(f"{name}={value}" for name, value in variables.items()),
            },
        )
        async with asyncio.timeout(BOUND_S):
            while True:
                for row in await self._rows():
                    if row["HL_REF"] == who.ref and row["CONTEXT"] == to:
                        return replace(who, channel=Channel("node1", row["Channel"]))
                await asyncio.sleep(0.02)

    async def _rows(self) -> list[dict[str, str]]:
        rows = await self.control.rows("Status", "StatusComplete", {"Variables": ",".join(VARIABLES)})
        return [
            {"Channel": row.required("Channel"), **dict(line.split("=", 1) for line in row.every("Variable"))}
            for row in rows
        ]

    def _register(self, seat: Seat, expires_s: int) -> None:
        port: int = self._phone.getsockname()[1]
        here, there = f"127.0.0.1:{port}", f"127.0.0.1:{self.small.sip_port}"
        call = uuid.uuid4().hex
        request = (
            f"REGISTER sip:{there} SIP/2.0\r\nVia: SIP/2.0/UDP {here};branch=z9hG4bK{call}\r\n"
            f"From: <sip:{seat}@{there}>;tag={call}\r\nTo: <sip:{seat}@{there}>\r\nCall-ID: {call}\r\n"
            f"CSeq: 1 REGISTER\r\nContact: <sip:{seat}@{here}>\r\nExpires: {expires_s}\r\n"
            "Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
        )
        self._phone.sendto(request.encode(), ("127.0.0.1", self.small.sip_port))
        answer = b""
        while call.encode() not in answer:  # INVITEs of an earlier offer may come between
            answer = self._phone.recv(65536)
        assert answer.startswith(b"SIP/2.0 200"), answer


class TestAmiSwitchOnAsterisk(SwitchContract):
    @pytest.fixture
    async def stage(self, small: SmallAsterisk) -> AsyncIterator[Stage]:
        control = await open_ami(small.control, frozenset(), AmiBounds(answer_s=10.0, list_s=10.0))
        stage = AsteriskStage(small, control)
        yield stage
        await stage.close()
        await control.close()


def asked_of_asterisk(project: Path) -> set[str]:
    """The name of every action in the room that touches Asterisk."""
    calls = {"act", "rows", "_asked", "_refused", "_ask"}
    found = set()
    for source in (project / "asterisk").glob("*.py"):
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in calls:
                first = node.args[0] if node.args else None
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    found.add(first.value)
    return found


async def test_the_account_may_do_what_is_asked_of_asterisk_and_each_of_its_classes_is_needed(
    small: SmallAsterisk, project: Path
) -> None:
    asked = asked_of_asterisk(project) - {"Login"}
    assert {"Redirect", "Originate", "QueueAdd", "Ping"} <= asked
    connection = await open_ami(small.access, frozenset(), AmiBounds(answer_s=10.0))
    try:
        listed = await connection.act("ListCommands")
        with pytest.raises(ActionRefused, match=r"[Pp]ermission"):
            await connection.act("Command", {"Command": "core show version"})
    finally:
        await connection.close()
    told = {action: listed.optional(action) for action in asked}
    assert {action for action, text in told.items() if text is None} == set(), "the account may not do these"
    classes = {action: set(str(text).rpartition("(Priv: ")[2].rstrip(")").split(",")) for action, text in told.items()}
    for one in AMI_WRITE.split(","):
        others = set(AMI_WRITE.split(",")) - {one}
        lost = [action for action, able in classes.items() if one in able and not able & others]
        assert lost, f"nothing needs the class {one}"


async def test_each_class_of_events_that_the_account_hears_is_needed(small: SmallAsterisk) -> None:
    heard: dict[str, set[str]] = {}
    control = await open_ami(small.control, frozenset(), AmiBounds(answer_s=10.0))
    connection = await open_ami(small.access, HEARD, AmiBounds(answer_s=10.0))
    try:
        there = {"Application": "Wait", "Data": "1", "Timeout": "500", "Async": "true"}
        await connection.act("Originate", {"Channel": "Local/room@enter/n", **there}, outcome_id="account-1")
        async with asyncio.timeout(BOUND_S):
            while heard.keys() != HEARD:
                for message in await connection.inbox.batch():
                    heard[str(message.event)] = set(message.required("Privilege").split(",")) - {"all"}
    finally:
        await connection.close()
        for row in await control.rows("Status", "StatusComplete"):
            with suppress(ActionRefused):
                await control.act("Hangup", {"Channel": row.required("Channel")})
        await control.close()
    assert set.union(*heard.values()) == set(AMI_READ.split(",")), heard
