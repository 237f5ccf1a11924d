"""How soon an emergency number had the caller who wanted it."""

from collections.abc import Iterable

from calls.cel import Row
from calls.journal import Drilled, EmergencyChosen
from calls.legs import in_order, legs_of
from calls.record import Side


def passed_on_ms(rows: Iterable[Row]) -> int | None:
    """From the first wish for an emergency number until somebody there answered, in ms.

    None: nobody wanted one, or nobody there answered; of a drill, too.
    """
    ordered = in_order(rows)
    wished_us = next((row.at_us for row in ordered if isinstance(row.step, EmergencyChosen)), None)
    if wished_us is None or any(isinstance(row.step, Drilled) for row in ordered):
        return None
    answers_us = (leg.answered_us for leg in legs_of(ordered).values() if leg.side is Side.TRUNK)
    found_us = [at_us for at_us in answers_us if at_us is not None and at_us >= wished_us]
    return (min(found_us) - wished_us) // 1000 if found_us else None
