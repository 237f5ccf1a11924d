"""Each line of the log that concerns a call bears its id under one name."""

import ast
import io
import json
from pathlib import Path

import structlog

from asterisk.port import Answer
from calls.live import Channel, Device
from hotline import logs
from tests.support.scripted_switch import ScriptedSwitch
from tests.unit.test_docs import LEVELS, ROOMS
from tests.unit.test_hotline_controller import ALICE, caller, seen, steering

_OTHER_NAMES = {"ref", "uuid", "call_id", "record"}


def test_no_line_calls_a_calls_id_anything_else(project: Path) -> None:
    for room in ROOMS:
        for source in (project / room).rglob("*.py"):
            for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LEVELS:
                    names = {word.arg for word in node.keywords}
                    assert not names & _OTHER_NAMES, f"{source.name}:{node.lineno} says {names & _OTHER_NAMES}"


class Complaining(ScriptedSwitch):
    """One that says something of its own when it is asked to connect somebody."""

    async def connect(self, channel: Channel, *more: object, **words: object) -> Answer:
        structlog.get_logger().warning("switch_silent", node=self.node)
        return Answer.FAILED


async def test_what_others_say_while_they_serve_a_call_bears_its_id_too() -> None:
    stream = io.StringIO()
    logs.configure(stream, as_json=True)
    try:
        switch = Complaining()
        switch.seat(ALICE, Device.FREE)
        async with steering(switch):
            await seen(lambda: switch.snapshots)
            switch.caller_waits(caller("c1"))
            await seen(lambda: "offer_unclear" in stream.getvalue())
    finally:
        structlog.reset_defaults()
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert {line["call"] for line in lines if line["event"] in ("caller_waits", "switch_silent", "offer_unclear")} == {
        "c1"
    }
    # And only those: what follows is nobody's.
    assert all("call" not in line for line in lines if line["event"] == "resynchronised")
