"""Callers whose numbers and names mean mischief, and an eavesdropper at Asterisk's manager interface."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from asterisk.ami import AmiAccess

FORGED = "Event: UserEvent\r\nUserEvent: Back\r\nRef: forged\r\nSeat: 7001\r\nWhy: forged"


def hostile(shell_file: Path) -> tuple[tuple[str, str, str], ...]:
    """(what the carrier says the caller's number is, the name shown, the number to be kept)."""
    shell = f"${{SHELL(touch {shell_file})}}"
    return (
        (f"13900000001\r\n{FORGED}", "line breaks", "139000000017001"),
        (f'"13900000002"{shell}', shell, re.sub("[^0-9]", "", f"13900000002{shell_file}")[:20]),
        ("13900000003,s,1)&System(id);1", "; DROP TABLE records; --", "139000000031"),
        ("+8613900000004}${HL_REF}$[1/0]", '"quoted" \\ and <sip:7001@127.0.0.1>', "+861390000000410"),
        ("13900000005" * 40, "长" * 120, "13900000005139000000"),
        ("7001", "a seat's number", "7001"),
        ("anonymous", "", ""),
        ("139%0d%0a00000006\x00\x1f\x7f“六”", "%0d%0a${EXTEN}", "13900000006"),
    )


@asynccontextmanager
async def overheard(access: AmiAccess) -> AsyncIterator[list[str]]:
    """Every line that Asterisk says to the controller's account, until the end of the block.

    Lines are cut as the manager protocol cuts them, so that a forged event stands among them.
    """
    lines: list[str] = []
    reader, writer = await asyncio.open_connection(access.address, access.port)
    login = f"Action: Login\r\nUsername: {access.user}\r\nSecret: {access.secret}\r\nEvents: on\r\n\r\n"
    writer.write(login.encode())
    await reader.readuntil(b"Authentication accepted\r\n\r\n")

    async def listen() -> None:
        while line := await reader.readline():
            lines.append(line.decode("utf-8", "backslashreplace").rstrip("\r\n"))

    listening = asyncio.create_task(listen())
    try:
        yield lines
    finally:
        listening.cancel()
        await asyncio.wait([listening])
        writer.close()
        await writer.wait_closed()
