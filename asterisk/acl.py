"""Puts a list of refused addresses in force in a running Asterisk. Calls in progress do not notice."""

from pathlib import Path

from asterisk.console import ConsoleFailed, console
from asterisk.found import Asterisk

_RELOAD = "module reload acl"
_DONE = "reloaded successfully"


async def put_in_force(found: Asterisk, conf: Path, acl: Path, text: str) -> None:
    """Writes the file whole, and has it read. conf: the running Asterisk's asterisk.conf.

    Raises ConsoleFailed, OSError; the file may be written then.
    """
    beside = acl.with_name(f".{acl.name}.new")
    beside.touch(mode=0o600)
    beside.write_text(text, encoding="utf-8")
    beside.replace(acl)
    told = await console(found, conf, _RELOAD)
    if _DONE not in told:
        raise ConsoleFailed(_RELOAD, told.strip() or "no word of it")
