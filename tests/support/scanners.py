"""SIPVicious: what attackers look for telephones, accounts and passwords with."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

_SCANNERS = Path(sys.executable).parent
_BOUND_S = 100.0


@asynccontextmanager
async def scanning(name: str, folder: Path, *words: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A scanner with these words of its command line, until the end of the block; it works in `folder`, and what
    it says is in `<name>.out` there. Raises FileNotFoundError when it is not installed (`make test` sees to it)."""
    with (folder / f"{name}.out").open("wb") as output:
        scanner = await asyncio.create_subprocess_exec(
            _SCANNERS / f"sipvicious_{name}", "-v", *words,
            cwd=folder, env={**os.environ, "HOME": str(folder)},
            stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output,
        )  # fmt: skip
    try:
        yield scanner
    finally:
        if scanner.returncode is None:
            scanner.kill()
        await scanner.wait()


def _made(folder: Path) -> None:
    folder.mkdir(exist_ok=True)


async def scan(name: str, folder: Path, *words: str) -> str:
    """What a scanner says that comes to an end. Raises as `scanning`, and TimeoutError."""
    _made(folder)
    async with scanning(name, folder, *words) as scanner, asyncio.timeout(_BOUND_S):
        await scanner.wait()
    return (folder / f"{name}.out").read_text(errors="replace")
