"""Whether the machine's clock is right, as far as the machine itself can know."""

import ctypes
import os
import re
import shutil
import subprocess
import zoneinfo
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hotline.doctor.case import Case
from hotline.doctor.findings import Finding

_UNSYNCHRONISED = 0x0040
"""STA_UNSYNC of adjtimex(2)."""
_CHRONY_S = 3.0
_ZONES = Path("/usr/share/zoneinfo")
"""Where Asterisk looks; Python may have zones of its own."""


@dataclass(frozen=True, slots=True)
class Clock:
    """What was seen."""

    synchronised: bool | None
    """None: nobody knows."""
    said_by: str
    zone: str
    zone_known: bool
    """To Python and to Asterisk."""


def look(case: Case) -> Clock:
    zone = case.settings.city.timezone
    synchronised, said_by = _kernel(), "the kernel"
    if synchronised is not True and (told := _chrony()) is not None:
        # chrony tells the kernel only where its configuration says `rtcsync`.
        synchronised, said_by = told, "chrony"
    return Clock(synchronised, said_by, zone, _zone_known(zone))


def judge(seen: Clock) -> Iterator[Finding]:
    if seen.synchronised is None:
        mend = "install chrony or systemd-timesyncd; in a container look on the machine that it runs on"
        yield Finding("D051", "neither the kernel nor chrony says whether the clock is synchronised", mend)
    elif not seen.synchronised:
        mend = "install and start chrony or systemd-timesyncd, and let UDP 123 out to its servers"
        yield Finding("D050", f"{seen.said_by} says that the clock is not synchronised", mend)
    if not seen.zone_known:
        yield Finding("D052", f"the time zone {seen.zone} is not in {_ZONES}", "install the package tzdata")


def findings(case: Case) -> Iterator[Finding]:
    return judge(look(case))


class _Timex(ctypes.Structure):
    """The beginning of adjtimex's struct timex; the rest is room."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        *((name, ctypes.c_long) for name in ("offset", "freq", "maxerror", "esterror")),
        ("status", ctypes.c_int),
        ("room", ctypes.c_char * 512),
    )


def _kernel() -> bool | None:
    """Asking (modes = 0) needs no rights and changes nothing; some sandboxes refuse it all the same."""
    told = _Timex()
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(told))
    except (OSError, AttributeError):
        return None
    return None if state < 0 else not told.status & _UNSYNCHRONISED


def _chrony() -> bool | None:
    program = shutil.which("chronyc", path=os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/bin"]))
    if program is None:
        return None
    try:
        answer = subprocess.run(
            [program, "-n", "tracking"],
            capture_output=True,
            text=True,
            timeout=_CHRONY_S,
            check=False,
            errors="replace",
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r"^Leap status\s*:\s*(.+?)\s*$", answer.stdout, re.MULTILINE)
    return None if found is None else found[1] != "Not synchronised"


def _zone_known(zone: str) -> bool:
    try:
        zoneinfo.ZoneInfo(zone)
    except (OSError, ValueError, zoneinfo.ZoneInfoNotFoundError):
        return False
    return (_ZONES / zone).is_file()
