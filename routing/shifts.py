"""The plan of duty: which shift runs, who should be on duty in it, and whether enough people are."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from routing.calendar import day
from routing.hours import moment
from settings.shapes import Settings
from settings.staff import Cover, RosterLine

_DAY = timedelta(days=1)


class Plan:
    """The settings' shifts and roster, asked for a moment, which has a time zone (else NaiveMoment).

    A shift belongs, with all its hours, to the day in the city on which it begins.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._zone = ZoneInfo(settings.city.timezone)

    def shifts(self, at: datetime) -> tuple[str, ...]:
        """The shifts that run, in the order of the settings. A shift's end is the first moment without it."""
        return tuple(shift for shift, _ in self._running(at))

    def planned(self, at: datetime) -> frozenset[str]:
        """The agents who should be on duty."""
        running = tuple(self._running(at))
        return frozenset(
            agent
            for line in self._settings.shifts.roster
            for shift, begun_on in running
            if line.shift == shift and self._holds(line, begun_on)
            for agent in line.agents
        )

    def changes_after(self, at: datetime) -> datetime | None:
        """The next moment, in the city's zone, at which a shift begins or ends; None when there are no shifts."""
        today = moment(self._settings, at).today
        days = (today - _DAY, today, today + _DAY, today + 2 * _DAY)
        edges = (edge for shift in self._settings.shifts.shifts for on in days for edge in self._span(shift, on))
        return min((edge for edge in edges if _utc(edge) > _utc(at)), key=_utc, default=None)

    def _running(self, at: datetime) -> Iterator[tuple[str, date]]:
        """Each running shift with the day on which it began."""
        today = moment(self._settings, at).today
        for shift in self._settings.shifts.shifts:
            for on in (today - _DAY, today):
                begin, end = self._span(shift, on)
                if _utc(begin) <= _utc(at) < _utc(end):
                    yield shift, on

    def _span(self, shift: str, on: date) -> tuple[datetime, datetime]:
        begin, end = self._settings.shifts.shifts[shift].hours
        ends_on = on if begin < end else on + _DAY
        return datetime.combine(on, begin, self._zone), datetime.combine(ends_on, end, self._zone)

    def _holds(self, line: RosterLine, on: date) -> bool:
        begun = line.since is None or line.since <= on
        over = line.until is not None and line.until < on
        return begun and not over and day(self._settings.calendar, on).kind in line.days


@dataclass(frozen=True, slots=True)
class CoverNow:
    """How a rule for the least number of people is kept."""

    rule: Cover
    on_duty: int
    """Agents who are signed on and have the rule's skill."""
    planned: int
    """Agents who should be, by the roster: now, or at `low_from` when that is later."""
    low_from: datetime | None
    """Since when, or from when on, there are too few; None: enough as far as is known."""


def cover(settings: Settings, plan: Plan, at: datetime, present: Iterable[str]) -> tuple[CoverNow, ...]:
    """Each rule of the settings: too few are present now, or too few are planned within the time of warning.

    `present` are the agents who are signed on. Without a roster nothing is said about later.
    Raises NaiveMoment.
    """
    signed_on = frozenset(present)
    return tuple(_covered(settings, plan, rule, at, signed_on) for rule in settings.shifts.cover)


def _covered(settings: Settings, plan: Plan, rule: Cover, at: datetime, present: frozenset[str]) -> CoverNow:
    on_duty = _counted(settings, rule, present)
    if on_duty < rule.least and _applies(settings, plan, rule, at):
        return CoverNow(rule, on_duty, _counted(settings, rule, plan.planned(at)), moment(settings, at).at)
    for later in _changes(plan, at, settings.shifts.warn) if settings.shifts.roster else ():
        planned = _counted(settings, rule, plan.planned(later))
        if planned < rule.least and _applies(settings, plan, rule, later):
            return CoverNow(rule, on_duty, planned, later)
    return CoverNow(rule, on_duty, _counted(settings, rule, plan.planned(at)), None)


def _applies(settings: Settings, plan: Plan, rule: Cover, at: datetime) -> bool:
    """Whether the rule holds at that moment; one for every shift holds always where no shifts are written."""
    if rule.shift is None:
        return not settings.shifts.shifts or bool(plan.shifts(at))
    return rule.shift in plan.shifts(at)


def _counted(settings: Settings, rule: Cover, agents: frozenset[str]) -> int:
    if rule.skill is None:
        return len(agents)
    known = settings.agents.agents
    return sum(agent in known and rule.skill in known[agent].skills for agent in agents)


def _changes(plan: Plan, at: datetime, within_s: float) -> Iterator[datetime]:
    until = _utc(at) + timedelta(seconds=within_s)
    change = plan.changes_after(at)
    while change is not None and _utc(change) <= until:
        yield change
        change = plan.changes_after(change)


def _utc(at: datetime) -> datetime:
    """For comparing: two moments with the same zone would be compared by what clocks on the wall show."""
    return at.astimezone(UTC)
