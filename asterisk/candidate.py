"""Tries a configuration in a second Asterisk before it goes live."""

from dataclasses import dataclass
from pathlib import Path

from asterisk.complaints import Complaint
from asterisk.found import Asterisk
from asterisk.process import AsteriskProcess, StartFailed


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """How a candidate fared. Asterisk boots with much that is wrong, so its complaints count too."""

    failure: str | None
    """Why it did not boot; None: it did."""
    complaints: tuple[Complaint, ...]


async def rehearse(found: Asterisk, conf: Path, *, bound_s: float = 30.0) -> Rehearsal:
    """Boots the candidate whose asterisk.conf is `conf`, notes what it complains about, stops it.

    Its files must name folders and ports of their own: the live Asterisk goes on meanwhile.
    """
    process = AsteriskProcess(found, conf)
    try:
        await process.start(bound_s=bound_s)
    except StartFailed as error:
        return Rehearsal(str(error), process.complaints())
    try:
        return Rehearsal(None, process.complaints())
    finally:
        await process.stop()
