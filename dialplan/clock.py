"""What day and hour it is in the city, looked at when a call arrives, and whether a service is open."""

from datetime import date, time, timedelta

from dialplan.names import DAY
from dialplan.values import (
    Address,
    Code,
    Context,
    Extension,
    Gosub,
    Goto,
    GotoIf,
    Move,
    Pattern,
    Put,
    Return,
    Target,
    code,
)
from routing.calendar import DayKind, days
from settings.shapes import Hours, Settings
from settings.units import HoursSpan

HORIZON_DAYS = 400
"""So many days after the compilation holidays are known; after them the weekday decides."""

NOW = code("$[${EPOCH} + (0${HL_SHIFT_S})]")
"""The clock for dates and hours, in seconds since the epoch: rehearsals set it forward or back."""

KINDS: tuple[DayKind, ...] = ("workday", "weekend", "holiday")


def today(settings: Settings) -> Code:
    """The city's date as a number that can be compared: 20261001."""
    return code("${STRFTIME(<now>,<zone>,%Y%m%d)}", now=NOW, zone=Address(settings.city.timezone))


def day_number(day: date) -> str:
    """A date as `today` gives it."""
    return f"{day:%Y%m%d}"


def day_table(settings: Settings, first: date) -> Context:
    """A subroutine: extension = date, answer = kind of day. Only days unlike their weekday are listed."""
    listed = [
        Extension(day_number(day.date), (Return(day.kind),))
        for day in days(settings, first, HORIZON_DAYS)
        if day.kind != by_weekday(day.date)
    ]
    weekday = code("${STRFTIME(<now>,<zone>,%u)}", now=NOW, zone=Address(settings.city.timezone))
    rest = Extension(
        Pattern("_X."),
        (
            GotoIf(code("<weekday> > 5", weekday=weekday), Target(DAY, "weekend")),
            Return("workday"),
        ),
    )
    return Context(DAY, (*listed, rest, Extension("weekend", (Return("weekend"),))))


def by_weekday(day: date) -> DayKind:
    return "workday" if day.weekday() < 5 else "weekend"


def first_day(compiled: date) -> date:
    """The table begins a day early: the city's date may be behind the compiler's."""
    return compiled - timedelta(days=1)


def hours_context(ident: str) -> str:
    return f"hours_{ident}"


def hours_table(settings: Settings, ident: str, hours: Hours) -> Context:
    """A subroutine: answers `open` or `closed`, now."""
    name = hours_context(ident)
    spans = {"workday": hours.workdays, "weekend": hours.weekends, "holiday": hours.holidays}
    start: tuple[Move, ...] = (
        Gosub(Target(DAY, code("${HL_TODAY}"), among=(Target(DAY, "_X."),))),
        Put("HL_TIME", code("${STRFTIME(<now>,<zone>,%H%M)}", now=NOW, zone=Address(settings.city.timezone))),
        Goto(Target(name, code("${GOSUB_RETVAL}"), among=tuple(Target(name, kind) for kind in KINDS))),
    )
    kinds = [Extension(kind, (*(_within(name, span) for span in spans[kind]), Return("closed"))) for kind in KINDS]
    return Context(name, (Extension("s", start), *kinds, Extension("open", (Return("open"),))))


def _within(context: str, span: HoursSpan) -> GotoIf:
    begin, end = span
    last = "2400" if end == time.max else f"{end:%H%M}"
    when = code("${HL_TIME} >= <begin> & ${HL_TIME} < <last>", begin=f"{begin:%H%M}", last=last)
    return GotoIf(when, Target(context, "open"))
