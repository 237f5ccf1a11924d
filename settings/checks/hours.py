"""Opening hours and the calendar they follow."""

from collections.abc import Iterator
from datetime import date, time

from chinese_calendar import constants

from settings.problems import Problem
from settings.read import Draft
from settings.shapes import Hours

_FILE = "hours.yaml"
_DAYS = ("workdays", "weekends", "holidays")


def possible(draft: Draft) -> Iterator[Problem]:
    for ident, hours in draft.settings.hours.items():
        place = draft.places.key(_FILE, "hours", ident)
        spans = [spans for spans in (hours.workdays, hours.weekends, hours.holidays) if spans]
        if ident == "always":
            yield Problem(place, "S054", "'always' is built in", "give these hours another name, or take them out")
        if hours.always and spans:
            mend = "take either 'always' or the spans out"
            yield Problem(place, "S054", f"'{ident}' is always open and has spans", mend)
        misread = any(draft.places.written(_FILE, "hours", ident, key) for key in ("always", *_DAYS))
        if not hours.always and not spans and (draft.sound(_FILE) or not misread):
            mend = "write spans, such as \"workdays: ['09:00-17:30']\""
            yield Problem(place, "S054", f"'{ident}' is never open", mend)
        yield from _overlaps(draft, ident, hours)


def _overlaps(draft: Draft, ident: str, hours: Hours) -> Iterator[Problem]:
    for kind, spans in zip(_DAYS, (hours.workdays, hours.weekends, hours.holidays), strict=True):
        latest = time.min
        for position, (begin, end) in sorted(enumerate(spans), key=lambda item: item[1]):
            if begin < latest:
                place = draft.places.value(_FILE, "hours", ident, kind, position)
                yield Problem(place, "S054", "this span overlaps another one", "join the two, or part them")
            latest = max(latest, end)


def calendar_known(draft: Draft, today: date | None) -> Iterator[Problem]:
    """The State Council's calendar is published year by year; a new release brings the next one."""
    known = max(*constants.holidays, *constants.workdays).year
    hours = draft.settings.hours.values()
    if today is None or not draft.settings.calendar.national or all(entry.always for entry in hours):
        return
    if today.year > known:
        matter = f"the national holidays of {today.year} are not known (the last known year is {known})"
        mend = "update the package chinesecalendar, or write the days under calendar.days"
        yield Problem(draft.places.key(_FILE, "calendar"), "S055", matter, mend)
