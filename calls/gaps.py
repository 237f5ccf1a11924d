"""What stands in for lines of the journal that were never written: a disk was full, or the folder was gone.

Nothing here contradicts a line that is there.
"""

from collections.abc import Iterable, Mapping, Sequence

from calls.cel import Row
from calls.journal import Arrived, SeatMissed, TalkEnded
from calls.legs import Leg
from calls.record import Side
from calls.sight import SeenTalk, Sight


def arrival_of(sight: Sight, rows: Sequence[Row]) -> tuple[Row, Arrived]:
    """The line that a call would have had when it was let in; the number that was dialled is not known.

    It comes first among the call's `rows`, which are in order.
    """
    own = next((row for row in rows if row.channel == sight.channel), None)
    at_us = min([sight.first_utc_ms * 1000, *(row.at_us for row in rows[:1])])
    uniqueid, linkedid = (sight.channel, sight.channel) if own is None else (own.uniqueid, own.linkedid)
    trunk = sight.channel.partition("/")[2].rpartition("-")[0]
    step = Arrived(sight.ref, sight.number, sight.caller, trunk)
    return Row(Arrived.kind, at_us, sight.channel, uniqueid, linkedid, "", "", "", "", step=step), step


def talks_missing(sight: Sight, rows: Iterable[Row], legs: Mapping[str, Leg]) -> list[tuple[str, Leg]]:
    """The seats' legs that talked as far as the controller saw, and of which the journal does not say so.

    With the key of the leg: that of `legs` where there is one.
    """
    rows = tuple(rows)
    return [(key, leg) for talk in sight.talks if (found := _missing(talk, rows, legs)) for key, leg in [found]]


def _missing(talk: SeenTalk, rows: tuple[Row, ...], legs: Mapping[str, Leg]) -> tuple[str, Leg] | None:
    own = [(key, leg) for key, leg in legs.items() if leg.side is Side.SEAT and leg.name == talk.seat]
    if any(leg.answered_us is not None for _, leg in own):
        return None
    # Its telephone may have been taken up for something else.
    if any(isinstance(row.step, SeatMissed) and row.step.seat == talk.seat for row in rows):
        return None
    key, known = own[-1] if own else (f"seen {talk.seat}", None)
    talked = any(isinstance(row.step, TalkEnded) and row.step.seat == talk.seat for row in rows)
    began_us = talk.began_utc_ms * 1000
    if known is not None and known.ended_us is not None and known.ended_us <= began_us and not talked:
        return None
    ended_us = None if talk.ended_utc_ms is None else talk.ended_utc_ms * 1000
    if known is None:
        return key, Leg(Side.SEAT, talk.seat, began_us, began_us, ended_us, agent=talk.agent)
    began_us = began_us if known.ended_us is None else min(began_us, known.ended_us)
    agent = known.agent or talk.agent
    return key, Leg(Side.SEAT, talk.seat, known.started_us, began_us, known.ended_us or ended_us, known.channels, agent)
