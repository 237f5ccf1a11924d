"""Asks Asterisk which of some channels it still has."""

from collections.abc import Iterable

from asterisk.ami import ActionRefused, AmiAccess, AmiBounds, Unanswered, open_ami
from asterisk.port import SwitchLost

_NONE = "No such channel"


async def absent(access: AmiAccess, channels: Iterable[str], bounds: AmiBounds | None = None) -> frozenset[str]:
    """Those of the channels (their own ids, or names) that do not exist.

    On a connection of its own, which is closed afterwards, so that steering never waits for it. Raises SwitchLost
    where an answer is missing: then nothing is known of any of them. Raises LoginRefused.
    """
    connection = await open_ami(access, frozenset(), bounds)
    gone = set()
    try:
        for channel in channels:
            try:
                await connection.act("Getvar", {"Channel": channel, "Variable": "UNIQUEID"})
            except ActionRefused as error:
                if error.why != _NONE:
                    raise SwitchLost(str(error)) from error
                gone.add(channel)
            except Unanswered as error:
                raise SwitchLost(str(error)) from error
    finally:
        await connection.close()
    return frozenset(gone)
