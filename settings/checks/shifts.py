"""The plan of duty: who is meant exists, and no hour of any kind of day is left without people."""

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, time
from itertools import product
from typing import Literal

from settings.problems import Problem
from settings.read import Draft
from settings.shapes import Settings
from settings.staff import Cover, RosterLine

_FILE = "shifts.yaml"
_MINUTES = 24 * 60
_Kind = Literal["workday", "weekend", "holiday"]
_KINDS: tuple[_Kind, ...] = ("workday", "weekend", "holiday")


def duty_officer(draft: Draft) -> Iterator[Problem]:
    officer = draft.settings.shifts.duty_officer
    if officer is None or not draft.sound(_FILE):
        return
    place = draft.places.key(_FILE, "duty_officer")
    seat, outside = officer.seat is not None, officer.trunk is not None or officer.dial is not None
    if seat and outside:
        mend = "keep the seat, or trunk and dial"
        yield Problem(place, "S065", "the duty officer has both a seat and a number outside", mend)
    elif not seat and (officer.trunk is None or officer.dial is None):
        lacking = " and ".join(f"'{key}'" for key in ("trunk", "dial") if getattr(officer, key) is None)
        matter = f"{lacking} {'are' if ' ' in lacking else 'is'} missing of the duty officer"
        yield Problem(place, "S065", matter, "write a seat, or trunk and dial")


def roster_lines(draft: Draft) -> Iterator[Problem]:
    for position, line in enumerate(draft.settings.shifts.roster):
        if line.since is not None and line.until is not None and line.until < line.since:
            place = draft.places.value(_FILE, "roster", position, "until")
            yield Problem(place, "S068", f"this line ends before {line.since}, when it begins", "set a later day")
        if not line.days and draft.sound(_FILE):
            place = draft.places.value(_FILE, "roster", position, "days")
            yield Problem(place, "S068", "this line holds on no day", "write days, or take 'days' out for every day")


@dataclass(frozen=True, slots=True)
class _Moment:
    """From `minute` of the day on, until something changes."""

    before: _Kind
    """What the day before was."""
    kind: _Kind
    minute: int
    shifts: frozenset[str]
    """Those that run, whoever is planned."""
    planned: frozenset[str]
    """Agents."""


def holes(draft: Draft, today: date | None) -> Iterator[Problem]:
    """Hours at which the plan has nobody. Without any roster there is no plan to have holes."""
    if not _can_be_judged(draft) or not draft.settings.shifts.roster:
        return
    moments = _moments(draft.settings, today)
    minutes = sorted({moment.minute for moment in moments})
    empty: dict[str, set[int]] = {}
    for minute in minutes:
        for days in _days(moment for moment in moments if moment.minute == minute and not moment.planned):
            empty.setdefault(days, set()).add(minute)
    if empty:
        times = ", ".join(f"{days} {_spans(minutes, found)}" for days, found in empty.items())
        mend = "add a line for those hours, or let another line hold on more days"
        yield Problem(draft.places.key(_FILE, "roster"), "S066", f"nobody is planned {times}", mend)


def _days(empty: Iterable[_Moment]) -> Iterator[str]:
    """The days that pairs of days mean, in words: what a night lacks may depend on the day before."""
    pairs = {(moment.before, moment.kind) for moment in empty}
    whole = {kind for kind in _KINDS if all((before, kind) in pairs for before in _KINDS)}
    after = {before for before in _KINDS if all((before, kind) in pairs for kind in _KINDS)}
    if len(whole) == len(_KINDS):
        yield "on every day"
        return
    yield from (f"on {kind}s" for kind in _KINDS if kind in whole)
    yield from (f"on days after {before}s" for before in _KINDS if before in after)
    yield from (
        f"on {kind}s after {before}s" for before, kind in sorted(pairs) if before not in after and kind not in whole
    )


def _spans(minutes: list[int], empty: AbstractSet[int]) -> str:
    """`from 00:00 to 07:00`, with spans that touch joined."""
    spans: list[tuple[int, int]] = []
    for begin, end in zip(minutes, [*minutes[1:], _MINUTES], strict=True):
        if begin not in empty:
            continue
        if spans and spans[-1][1] == begin:
            spans[-1] = spans[-1][0], end
        else:
            spans.append((begin, end))
    return " and ".join(f"from {_clock(begin)} to {_clock(end)}" for begin, end in spans)


def cover_planned(draft: Draft, today: date | None) -> Iterator[Problem]:
    """Each rule of cover is met by the plan. Hours without anybody are told as holes already."""
    if not _can_be_judged(draft) or not draft.settings.shifts.roster:
        return
    moments = [moment for moment in _moments(draft.settings, today) if moment.planned]
    for position, rule in enumerate(draft.settings.shifts.cover):
        counts = [
            (sum(_counts(draft.settings, rule, agent) for agent in moment.planned), moment)
            for moment in moments
            if (rule.shift in moment.shifts if rule.shift else moment.shifts)
        ]
        if not counts:
            continue
        fewest, moment = min(counts, key=lambda found: found[0])
        if fewest < rule.least:
            among = f" with '{rule.skill}'" if rule.skill else ""
            matter = f"at {_clock(moment.minute)} on {moment.kind}s {fewest}{among} are planned, not {rule.least}"
            place = draft.places.value(_FILE, "cover", position, "least")
            yield Problem(place, "S067", matter, "plan more agents in the roster, or ask for fewer")


def _counts(settings: Settings, rule: Cover, agent: str) -> bool:
    return rule.skill is None or rule.skill in settings.agents.agents[agent].skills


def _can_be_judged(draft: Draft) -> bool:
    return draft.sound(_FILE, "agents.yaml") and draft.resolved("agent", "shift", "skill")


def _moments(settings: Settings, today: date | None) -> list[_Moment]:
    """Every moment at which something changes, on every kind of day after every kind of day."""
    plan = settings.shifts
    spans = {ident: (_minute(shift.hours[0]), _minute(shift.hours[1])) for ident, shift in plan.shifts.items()}
    lines = [line for line in plan.roster if today is None or _holds(line, today)]
    minutes = sorted({0, *(minute for span in spans.values() for minute in span)})
    return [_moment(spans, lines, before, kind, minute) for before, kind, minute in product(_KINDS, _KINDS, minutes)]


def _moment(
    spans: dict[str, tuple[int, int]], lines: list[RosterLine], before: _Kind, kind: _Kind, minute: int
) -> _Moment:
    began_on: dict[str, set[_Kind]] = {ident: set() for ident in spans}
    for ident, (begin, end) in spans.items():
        over_night = end <= begin
        if minute >= begin and (over_night or minute < end):
            began_on[ident].add(kind)
        if over_night and minute < end:
            began_on[ident].add(before)
    planned = {
        agent for line in lines if not began_on.get(line.shift, set()).isdisjoint(line.days) for agent in line.agents
    }
    running = frozenset(ident for ident, kinds in began_on.items() if kinds)
    return _Moment(before, kind, minute, running, frozenset(planned))


def _holds(line: RosterLine, today: date) -> bool:
    return (line.since is None or line.since <= today) and (line.until is None or today <= line.until)


def _minute(at: time) -> int:
    return at.hour * 60 + at.minute


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
