"""The pure fold from a call's rows to its record.

Rows may come in any order, twice, or not at all: Asterisk writes from several threads, and a
crash leaves what it leaves. The same rows always give the same record.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from calls import journal
from calls.cel import Row
from calls.gaps import arrival_of, talks_missing
from calls.journal import Arrived
from calls.legs import Leg, in_order, legs_of
from calls.live import CallRef
from calls.record import CallRecord, Key, Outcome, Side
from calls.sight import Sight


@dataclass(slots=True)
class _Walk:
    """What the dialplan's steps told."""

    number: str | None = None
    mode: str | None = None
    menus: list[str] = field(default_factory=list)
    keys: list[Key] = field(default_factory=list)
    language: str | None = None
    closed: bool = False
    refused: str | None = None
    emergency: str | None = None
    emergency_by_caller: bool = False
    drilled: bool = False
    left_room_us: int | None = None
    """When an emergency key ended the waiting."""
    overflowed_to: str | None = None
    transfers: list[str] = field(default_factory=list)
    call_back_of: str | None = None
    call_back_to: str | None = None
    rating: int | None = None
    message_left: bool = False
    trunk_out: str | None = None
    waiting_since_ms: int | None = None
    skills: tuple[str, ...] = ()
    priority: int | None = None
    survived: bool = False
    recorded: bool = False
    moved_us: int = 0
    """The last step that shows that the caller was with nobody."""
    talk_ended_us: int = 0
    """When a seat hung up last."""


def fold(
    node: str,
    rows: Iterable[Row],
    *,
    gone: bool = False,
    absent_utc_ms: int | None = None,
    sight: Sight | None = None,
) -> CallRecord | None:
    """The record of the call that these rows tell; None when its arrival is not among them, and nobody saw it.

    `gone`: the Asterisk that carried the call is no more, so that no end will come. `absent_utc_ms`: that Asterisk
    has no such call any more, and no row tells its end; it was known to be there at this moment. `sight`: what
    stands in for rows that are missing.
    """
    ordered = in_order(rows)
    let_in = next(((row, row.step) for row in ordered if isinstance(row.step, Arrived)), None)
    beside = _Beside(gone, absent_utc_ms, sight, arrived=let_in is not None)
    if let_in is None:
        if sight is None:
            return None
        let_in = arrival_of(sight, ordered)
        ordered = in_order([let_in[0], *ordered])
    return _record(node, *let_in, ordered, beside)


@dataclass(frozen=True, slots=True)
class _Beside:
    """What is known beside the rows; `fold` says what it means."""

    gone: bool
    absent_utc_ms: int | None
    sight: Sight | None
    arrived: bool
    """Whether the arrival is among the rows."""


def _record(node: str, arrival: Row, arrived: Arrived, ordered: list[Row], beside: _Beside) -> CallRecord:
    walk = _walked(ordered, arrival)
    legs = legs_of(ordered)
    caller = legs[arrival.uniqueid]
    filled = beside.sight is not None and _filled(walk, legs, beside.sight, ordered, arrival)
    seats = sorted((leg for leg in legs.values() if leg.side is Side.SEAT), key=lambda leg: leg.started_us)
    answered = sorted((leg for leg in legs.values() if leg.answered_us is not None), key=_answered_us)
    talks = [leg for leg in answered if leg.side is Side.SEAT or leg.on_duty]
    trunk_out = next((leg.name for leg in reversed(answered) if leg.side is Side.TRUNK), walk.trunk_out)
    ended = caller.ended_us is not None
    absent = beside.absent_utc_ms is not None and not ended
    over = ended or absent or beside.gone
    end_us = caller.ended_us if caller.ended_us is not None else _last_us(ordered, beside)
    talk_began_us = _answered_us(talks[0]) if talks else None
    hangup = next((row for row in ordered if row.kind == "HANGUP" and row.uniqueid == arrival.uniqueid), None)
    told = _outcome(walk, talked=bool(talks), carried=trunk_out is not None)
    return CallRecord(
        ref=CallRef(arrived.ref),
        node=node,
        dialled=arrived.dialled,
        # A call back is dialled for the number that the first call was served as.
        number=walk.number if walk.call_back_of is None else arrived.dialled,
        caller=arrived.caller,
        trunk_in=arrived.trunk,
        trunk_out=trunk_out,
        outcome=told if ended or absent else Outcome.INTERRUPTED,
        running=not over,
        arrived_utc_ms=_ms(arrival.at_us),
        answered_utc_ms=None if caller.answered_us is None else _ms(caller.answered_us),
        waiting_since_utc_ms=walk.waiting_since_ms,
        seat_rang_utc_ms=_ms(seats[0].started_us) if seats else None,
        talk_began_utc_ms=None if talk_began_us is None else _ms(talk_began_us),
        ended_utc_ms=_ms(end_us) if over else None,
        wait_ms=_wait_ms(walk, answered, end_us if over else None),
        talk_ms=_talk_ms(talks, end_us),
        menus=tuple(walk.menus),
        keys=tuple(walk.keys),
        language=walk.language,
        skills=walk.skills,
        priority=walk.priority,
        seats=tuple(dict.fromkeys(leg.name for leg in talks if leg.side is Side.SEAT)),
        agents=tuple(dict.fromkeys(leg.agent for leg in talks if leg.agent)),
        transfers=tuple(walk.transfers),
        overflowed_to=walk.overflowed_to,
        call_back_of=walk.call_back_of,
        call_back_to=walk.call_back_to,
        emergency_number=walk.emergency,
        hung_up_by=None if hangup is None else _side(hangup, legs, walk),
        q850_cause=(hangup.q850_cause or None) if hangup is not None else None,
        survived=walk.survived,
        recorded=walk.recorded,
        rating=walk.rating,
        message_left=walk.message_left,
        lines_missing=absent or filled or not beside.arrived,
    )


def _filled(walk: _Walk, legs: dict[str, Leg], sight: Sight, ordered: list[Row], arrival: Row) -> bool:
    """Puts what the controller saw in the place of rows that are missing; whether there were any."""
    if walk.call_back_of is not None:
        return False  # It never waits in its own call; its seat is kept for it.
    talks = talks_missing(sight, ordered, legs)
    legs.update(talks)
    waited = walk.waiting_since_ms is not None
    if not waited:
        walk.waiting_since_ms = max(sight.t0_utc_ms, _ms(arrival.at_us))
        walk.skills, walk.priority = sight.skills, sight.priority
    numbered = walk.number is not None
    walk.number = walk.number or sight.number or None
    return bool(talks) or not waited or not numbered


def _last_us(ordered: list[Row], beside: _Beside) -> int:
    """The last sign of life of a call whose end no row tells."""
    seen_ms = [beside.absent_utc_ms or 0]
    if beside.sight is not None and beside.absent_utc_ms is not None:
        seen_ms.append(beside.sight.last_utc_ms)
    return max(ordered[-1].at_us, *(1000 * at_ms for at_ms in seen_ms))


def _walked(rows: list[Row], arrival: Row) -> _Walk:
    walk = _Walk()
    for row in rows:
        if row.step is None:
            continue
        _chose(walk, row)
        _passed_on(walk, row)
        if row.uniqueid == arrival.uniqueid:  # What a seat does meanwhile does not move the caller.
            _moved(walk, row, _ms(arrival.at_us))
    return walk


def _chose(walk: _Walk, row: Row) -> None:
    """What the caller reached and pressed."""
    match row.step:
        case journal.Served(number=number, mode=mode):
            walk.number, walk.mode = number, mode
        case journal.Said(language=language) | journal.LanguageChosen(language=language):
            walk.language = language
        case journal.MenuEntered(menu=menu):
            walk.menus.append(menu)
        case journal.KeyPressed(where=where, key=key):
            walk.keys.append(Key(where, key))
        case journal.Closed():
            walk.closed = True
        case journal.Refused(why=why):
            walk.refused = why
        case journal.EmergencyChosen(number=number, by=by):
            walk.emergency = number
            walk.emergency_by_caller |= by not in _BY_AGENT
        case journal.RecordingStarted():
            walk.recorded = True
        case journal.CallBackWanted(to=to):
            walk.call_back_to = to
        case journal.Rated(mark=mark):
            walk.rating = mark
        case journal.MessageLeft():
            walk.message_left = True
        case _:
            pass


def _passed_on(walk: _Walk, row: Row) -> None:
    """What was done with the call by others than its caller."""
    match row.step:
        case journal.Transferred(to=to):
            walk.transfers.append(to)
        case journal.Overflowed(to=to):
            walk.overflowed_to = to
        case journal.CalledBack(first=first):
            walk.call_back_of = first
        case journal.Drilled():
            walk.drilled = True
        case _:
            pass


def _moved(walk: _Walk, row: Row, arrived_ms: int) -> None:
    """Where the caller waited and went."""
    match row.step:
        case journal.RoomEntered(skills=skills, priority=priority, t0_ms=t0_ms):
            walk.skills, walk.priority = tuple(filter(None, skills.split("+"))), priority
            # Who is called back, or was moved up, stands in the line as if it had waited before this call.
            walk.waiting_since_ms = walk.waiting_since_ms or max(t0_ms, arrived_ms)
            walk.moved_us, walk.left_room_us = row.at_us, None
        case journal.SurvivalEntered():
            walk.survived = True
            walk.waiting_since_ms = walk.waiting_since_ms or _ms(row.at_us)
            walk.moved_us, walk.left_room_us = row.at_us, None
        case journal.EmergencyChosen():
            walk.moved_us = walk.left_room_us = row.at_us
        case (
            journal.TrunkTried()
            | journal.SeatOffered()
            | journal.MenuEntered()
            | journal.CallBackWanted()
            | journal.Overflowed()
            | journal.Transferred()
            | journal.Held()
            | journal.Joined()
        ):
            walk.moved_us = row.at_us
        case journal.TrunkEnded(trunk=trunk, status="ANSWER"):
            walk.trunk_out = trunk
        case journal.TalkEnded():
            walk.talk_ended_us = row.at_us
        case _:
            pass


def _outcome(walk: _Walk, *, talked: bool, carried: bool) -> Outcome:
    if walk.drilled:
        return Outcome.DRILL
    if walk.emergency is not None and (walk.emergency_by_caller or not talked):
        return Outcome.EMERGENCY
    if walk.refused is not None:
        return _REFUSALS.get(walk.refused, Outcome.REFUSED_UNKNOWN)
    if talked:
        return Outcome.ANSWERED
    if carried:
        return Outcome.ANSWERED if walk.overflowed_to == "duty" else Outcome.TRANSFERRED
    return _unserved(walk)


def _unserved(walk: _Walk) -> Outcome:
    if walk.call_back_to is not None:
        return Outcome.CALL_BACK
    if walk.waiting_since_ms is not None:
        return Outcome.ABANDONED
    if walk.closed:
        return Outcome.CLOSED
    return Outcome.NOTICE if walk.mode == "whole" else Outcome.LEFT


_BY_AGENT = frozenset({"transfer", "consult"})
_REFUSALS = {
    "blocked": Outcome.REFUSED_BLOCKED,
    "full": Outcome.REFUSED_FULL,
    "unknown": Outcome.REFUSED_UNKNOWN,
    "cancelled": Outcome.NOTICE,
}


def _wait_ms(walk: _Walk, answered: list[Leg], end_us: int | None) -> int | None:
    """Another centre that was tried before the waiting ended none."""
    since_ms = walk.waiting_since_ms
    if since_ms is None:
        return None
    others = [_answered_us(leg) for leg in answered if leg.side is not Side.CALLER]
    ends = [us for us in (*others, walk.left_room_us, end_us) if us is not None and _ms(us) >= since_ms]
    return _ms(min(ends)) - since_ms if ends else (None if end_us is None else 0)


def _talk_ms(talks: list[Leg], end_us: int) -> int:
    """The union of the talks, so that two seats in one conversation count once."""
    total_us = until_us = 0
    for leg in talks:
        begin_us = max(_answered_us(leg), until_us)
        until_us = max(until_us, min(end_us, leg.ended_us if leg.ended_us is not None else end_us))
        total_us += max(0, until_us - begin_us)
    return _ms(total_us)


def _side(hangup: Row, legs: dict[str, Leg], walk: _Walk) -> Side:
    """Asterisk keeps the first source it learned: a seat's leg that died earlier may stand there; it
    learns none when a conference ends with the seat."""
    by = next((leg for leg in legs.values() if hangup.hung_up_by in leg.channels), None)
    if by is None:
        return Side.SEAT if walk.talk_ended_us > walk.moved_us else Side.SYSTEM
    went_on = walk.moved_us > (by.answered_us or by.started_us)
    return Side.CALLER if by.side is not Side.CALLER and went_on else by.side


def _answered_us(leg: Leg) -> int:
    return leg.answered_us or 0


def _ms(us: int) -> int:
    return us // 1000
