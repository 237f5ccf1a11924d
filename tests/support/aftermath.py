"""What the journal tells of a storm: who rang where and when, and who was passed over."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from calls.cel import Row
from calls.journal import (
    CallBackWanted,
    EmergencyChosen,
    Overflowed,
    RoomEntered,
    SeatOffered,
    SeatTook,
    SurvivalEntered,
    TalkEnded,
    Transferred,
)
from routing.skills import Demands, serves
from settings.shapes import Settings

SETTLED_MS = 400
"""Of two seats that become free at once, or of a caller who comes just then, the order means nothing."""
LEAVING_MS = 50
"""A telephone is free some ms before its channel has ended."""
CLAIMING_MS = 20
"""A leg that ended so soon, and was not answered, is as a rule one that a queue made for a seat that another
caller had claimed: its telephone was not called. Who rang twice the telephones know themselves."""


@dataclass(frozen=True, slots=True)
class Leg:
    """One ringing of a seat's telephone, in µs."""

    seat: str
    linkedid: str
    rang_us: int
    answered_us: int | None
    ended_us: int


@dataclass(frozen=True, slots=True)
class Wait:
    """Somebody was in the waiting room, or in a survival queue, in ms, and what ended it."""

    linkedid: str
    entered: RoomEntered
    from_ms: int
    to_ms: int
    then: Row
    survives: bool

    @property
    def rank(self) -> tuple[int, int]:
        return self.entered.priority, self.entered.t0_ms


def legs(rows: Iterable[Row], seats: Iterable[str]) -> list[Leg]:
    """Every leg that has ended, by time. A telephone's own calls are none."""
    began: dict[str, tuple[str, Row]] = {}
    answered: dict[str, int] = {}
    found = []
    named = {f"PJSIP/{seat}": seat for seat in seats}
    for row in sorted(rows, key=lambda row: row.at_us):
        seat = named.get(row.channel.rpartition("-")[0])
        if seat is None:
            continue
        if row.kind == "CHAN_START" and row.linkedid != row.uniqueid:
            began[row.uniqueid] = seat, row
        elif row.kind == "ANSWER":
            answered.setdefault(row.uniqueid, row.at_us)
        elif row.kind == "HANGUP" and row.uniqueid in began:
            at, first = began.pop(row.uniqueid)
            if row.uniqueid not in answered and row.at_us - first.at_us < CLAIMING_MS * 1000:
                continue
            found.append(Leg(at, first.linkedid, first.at_us, answered.get(row.uniqueid), row.at_us))
    return sorted(found, key=lambda leg: leg.rang_us)


def together(found: Iterable[tuple[int, int]], slack_us: int = 0) -> list[tuple[int, int]]:
    """Spans that began while an earlier one had more than `slack_us` to go."""
    until_us, overlapping = 0, []
    for begin, end in sorted(found):
        if begin < until_us - slack_us:
            overlapping.append((begin, end))
        until_us = max(until_us, end)
    return overlapping


def torn(rows: Iterable[Row], seats: Iterable[str]) -> list[Row]:
    """Offers of a seat to somebody who had talked and was not in the line again: a redirect has ended that talk."""
    rows = list(rows)
    answered = [(leg.linkedid, leg.answered_us) for leg in legs(rows, seats) if leg.answered_us]
    found = []
    for offer in (row for row in rows if isinstance(row.step, SeatOffered)):
        talks = [at_us for linkedid, at_us in answered if linkedid == offer.linkedid and at_us < offer.at_us]
        came = [
            row.at_us
            for row in rows
            if row.linkedid == offer.linkedid and isinstance(row.step, RoomEntered | Transferred)
            if row.at_us <= offer.at_us
        ]
        if talks and (not came or max(came) < max(talks)):
            found.append(offer)
    return found


_LEAVES = (
    *(SurvivalEntered, SeatOffered, CallBackWanted, EmergencyChosen),
    *(Overflowed, Transferred, RoomEntered, TalkEnded, SeatTook),
)


def waits(rows: Iterable[Row]) -> Iterator[Wait]:
    """Every stay in the waiting room, or in a survival queue, that has ended."""
    entered: dict[str, RoomEntered] = {}
    began: dict[str, Row] = {}
    for row in sorted(rows, key=lambda row: row.at_us):
        ends = isinstance(row.step, _LEAVES) or row.kind == "HANGUP"
        # The seat that a queue found tells it on its own leg.
        whose = row.linkedid if isinstance(row.step, SeatTook) else row.uniqueid
        begun = began.pop(whose, None) if ends else None
        if begun is not None and whose in entered:
            survives = isinstance(begun.step, SurvivalEntered)
            yield Wait(row.linkedid, entered[whose], begun.at_us // 1000, row.at_us // 1000, row, survives=survives)
        if isinstance(row.step, RoomEntered):
            entered[row.uniqueid] = row.step
        if isinstance(row.step, RoomEntered | SurvivalEntered):
            began[row.uniqueid] = row


def passed_over(rows: Iterable[Row], settings: Settings) -> list[tuple[Wait, Wait]]:
    """Who was offered a seat that somebody else should have had, and who that is.

    Offers of Asterisk's own queues are none of these: each queue serves its own callers in order, and
    knows nothing of the others. A caller for whom such a queue rings a seat is passed by nobody.
    """
    demands = Demands(settings)
    rows = list(rows)
    stays = list(waits(rows))
    rung: dict[str, list[Leg]] = {}
    for leg in legs(rows, settings.answering.seats):
        rung.setdefault(leg.linkedid, []).append(leg)
    found = []
    for stay in stays:
        offer = stay.then.step
        agent = settings.agents.agents.get(offer.agent) if isinstance(offer, SeatOffered) else None
        if agent is None:
            continue
        has = frozenset(agent.skills.items())
        at_ms = stay.to_ms
        for other in stays:
            there = other.from_ms + SETTLED_MS < at_ms < other.to_ms - SETTLED_MS
            if not there or other.rank >= stay.rank:
                continue
            if other.survives and any(_rings(leg, at_ms) for leg in rung.get(other.linkedid, ())):
                continue
            waited_ms = at_ms - SETTLED_MS - other.entered.t0_ms
            if serves(has, demands.at(frozenset(other.entered.skills.split("+")), waited_ms).demand):
                found.append((stay, other))
    return found


def _rings(leg: Leg, at_ms: int) -> bool:
    return leg.rang_us // 1000 - SETTLED_MS < at_ms < leg.ended_us // 1000 + SETTLED_MS
