"""The callers: SIPp places calls at a steady rate; each presses a key and stays until hung up on."""

import asyncio
import csv
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench.calls_key import write_key, write_voice
from bench.ivr.way import NUMBER, PERSON
from bench.processes import cpu_ms
from bench.rounds import CARRIER_ADDRESS
from bench.telephones import SCENARIOS, LoadFailed
from hotline.ports import free_ports

OVER_S = 15.0
"""A call that is not over so long after its key has failed."""
ANSWERED_S = 4.0
"""As written in menu_caller.xml: a call that is not answered so soon has failed."""
KEY_S = 1.6
"""As written there: so long after it was answered a caller presses the key."""
_SPARE_S = 30.0
_SCENARIO = "menu_caller.xml"
MEDIA_ADDRESS = "127.0.0.1"
_LOOK_S = 0.05


@dataclass(frozen=True, slots=True)
class Load:
    """`a_second` calls for `for_s` seconds, at equal distances; each is over within `over_s` after its key."""

    a_second: float
    for_s: float
    over_s: float = OVER_S

    @property
    def calls(self) -> int:
        return max(1, round(self.a_second * self.for_s))

    @property
    def bound_s(self) -> float:
        """All calls are over by then."""
        return self.for_s + ANSWERED_S + KEY_S + self.over_s + _SPARE_S


@dataclass(frozen=True, slots=True)
class Placed:
    """`failed`: as the callers saw it. `cpu_ms`: what SIPp used for them."""

    failed: int
    cpu_ms: float


def prepare(folder: Path) -> None:
    """Puts what SIPp plays, and the scenario, beside which it looks for it, into `folder`."""
    write_voice(folder / "voice.pcap")
    write_key(folder / "key.pcap", PERSON)
    shutil.copy(SCENARIOS / _SCENARIO, folder)


async def place(load: Load, server: tuple[str, int], media: int, folder: Path) -> Placed:
    """Places the calls and waits until all are over. `folder` was prepared. Raises LoadFailed.

    `media`: the free port of MEDIA_ADDRESS from which all of them send and at which they hear.
    """
    statistics = folder / "placed.csv"
    statistics.unlink(missing_ok=True)
    (port,) = free_ports(CARRIER_ADDRESS, 1)
    # Calls a second may be a fraction: SIPp takes whole numbers, in any period of whole ms.
    rate, period_ms = round(load.a_second * 1000), 1_000_000
    with (folder / "placed.out").open("ab") as output:
        process = subprocess.Popen(  # noqa: ASYNC220  # asyncio would reap it before its time is read.
            [
                "sipp", "-sf", folder / _SCENARIO, "-s", NUMBER, "-i", CARRIER_ADDRESS, "-p", str(port),
                "-mi", MEDIA_ADDRESS, "-mp", str(media), "-r", str(rate), "-rp", str(period_ms),
                "-m", str(load.calls), "-l", str(load.calls), "-recv_timeout", str(round(load.over_s * 1000)),
                "-nostdin", "-trace_err", "-trace_stat", "-stf", statistics, "{}:{}".format(*server),
            ],
            cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
        )  # fmt: skip
    try:
        async with asyncio.timeout(load.bound_s):
            while _runs(process.pid):  # noqa: ASYNC110  # Nothing but looking tells without reaping it.
                await asyncio.sleep(_LOOK_S)
        return Placed(failed(statistics.read_text(encoding="utf-8")), cpu_ms(process.pid))
    except TimeoutError:
        raise LoadFailed(f"{load.calls} calls were not over within {load.bound_s:g} s", "") from None
    except FileNotFoundError:
        said = (folder / "placed.out").read_text(encoding="utf-8", errors="replace")
        raise LoadFailed(f"{load.calls} calls could not be placed", said[-2000:]) from None
    finally:
        process.kill()
        process.wait()


def failed(statistics: str) -> int:
    """How many calls failed, by what SIPp wrote down last (its -trace_stat)."""
    rows = list(csv.DictReader(statistics.splitlines(), delimiter=";"))
    return int(rows[-1]["FailedCall(C)"])


def _runs(pid: int) -> bool:
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
