"""What Asterisk is told to keep to itself is nothing that anybody here hears."""

import re

from asterisk.guarding import HEARD as GUARDED
from asterisk.heard import HEARD
from dialplan.server import SEAT_LEG, UNHEARD


def test_no_event_that_is_heard_is_kept_back() -> None:
    assert not (HEARD | GUARDED) & set(UNHEARD)
    assert len(set(UNHEARD)) == len(UNHEARD)


def test_only_the_legs_of_seats_end_unheard() -> None:
    assert re.search(SEAT_LEG, "PJSIP/8001-0000002a")
    for trunk in ("PJSIP/carrier-0000002a", "PJSIP/trunk_8001-00000001", "Local/8001@drill-00000001;1"):
        assert not re.search(SEAT_LEG, trunk)
