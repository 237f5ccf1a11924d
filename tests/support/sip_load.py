"""SIPp: telephones of another make, and many calls at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

SCENARIOS = Path(__file__).resolve().parent / "sipp"


@asynccontextmanager
async def sipp(
    folder: Path, scenario: str, server: tuple[str, int], *words: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Runs a scenario, with these words of SIPp's more; it is ended with the block."""
    with (folder / f"{scenario}.out").open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            "sipp", "-sf", SCENARIOS / f"{scenario}.xml", "-nostdin", "-trace_err", *words,
            "{}:{}".format(*server),
            cwd=folder, stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output,
        )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def complaints(folder: Path) -> str:
    """What SIPp wrote about messages that it did not expect; the beginning of it."""
    return "\n".join(file.read_text(errors="replace") for file in folder.glob("*_errors.log"))[:4000]
