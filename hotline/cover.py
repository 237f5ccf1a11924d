"""Whether enough people are on duty: said in good time, 7×24."""

import asyncio
from datetime import UTC, datetime

import structlog

from hotline.people import People
from routing.shifts import CoverNow, Plan, cover
from settings.shapes import Settings
from web.desk import CoverView, DutyView

LOOK_S = 15.0

_log = structlog.get_logger()


class CoverWatch:
    """Compares the plan with who is there."""

    def __init__(self, settings: Settings, people: People) -> None:
        self._settings = settings
        self._people = people
        self._plan = Plan(settings)
        self._low: set[tuple[str | None, str | None]] = set()

    async def run(self) -> None:
        """Says once when cover falls, and once when it is good again, until it is cancelled."""
        while True:
            self.look(datetime.now(UTC))
            await asyncio.sleep(LOOK_S)

    def look(self, at: datetime) -> None:
        """One look, at an aware moment."""
        rules = cover(self._settings, self._plan, at, self._people.present())
        low = {(one.rule.shift, one.rule.skill): one for one in rules if one.low_from is not None}
        for key in low.keys() - self._low:
            one = low[key]
            _log.warning(
                "cover_low",
                shift=one.rule.shift,
                skill=one.rule.skill,
                least=one.rule.least,
                on_duty=one.on_duty,
                planned=one.planned,
                low_from=one.low_from.isoformat() if one.low_from else "",
            )
        for shift, skill in self._low - low.keys():
            _log.info("cover_good", shift=shift, skill=skill)
        self._low = set(low)

    def planned(self, at: datetime) -> frozenset[str]:
        """Who should be on duty."""
        return self._plan.planned(at)

    def view(self, at: datetime) -> DutyView:
        """The plan beside what is, at an aware moment."""
        planned, present = self._plan.planned(at), self._people.present()
        return DutyView(
            shifts=self._plan.shifts(at),
            planned=tuple(sorted(planned)),
            present=tuple(sorted(present)),
            missing=tuple(sorted(planned - present)),
            unplanned=tuple(sorted(present - planned)),
            cover=tuple(_view(one) for one in cover(self._settings, self._plan, at, present)),
        )


def _view(one: CoverNow) -> CoverView:
    low_from_utc_ms = None if one.low_from is None else round(one.low_from.timestamp() * 1000)
    return CoverView(one.rule.shift, one.rule.skill, one.rule.least, one.on_duty, one.planned, low_from_utc_ms)
