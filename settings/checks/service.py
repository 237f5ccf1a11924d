"""What waiting callers are offered, and where calls may be passed on: never past an emergency number's own way."""

import re
from collections.abc import Iterator

from settings.actions import WaitDo
from settings.emergencies import routes
from settings.problems import Problem
from settings.read import Draft

_FILE = "service.yaml"


def waiting_keys(draft: Draft) -> Iterator[Problem]:
    service = draft.settings.service
    for key, action in service.keys.items():
        if not isinstance(action, WaitDo):
            continue
        place = draft.places.value(_FILE, "keys", key)
        if action.do == "call_back" and not draft.places.written(_FILE, "call_back"):
            mend = "add 'call_back: {trunk: …}', or take the key out"
            yield Problem(place, "S044", f"the key {key} offers a call back, but nothing says over which trunk", mend)
        if action.do == "position" and not (service.announce.position or service.announce.estimate):
            mend = "let announce tell the position or the estimate, or take the key out"
            yield Problem(place, "S044", f"the key {key} asks for what is not announced", mend)


def outside_patterns(draft: Draft) -> Iterator[Problem]:
    """What agents may dial reaches neither emergencies (these go their own way) nor ourselves."""
    outside = draft.settings.service.outside
    inside = _inside(draft)
    for position, pattern in enumerate(outside.allowed if outside else ()):
        place = draft.places.value(_FILE, "outside", "allowed", position)
        own = re.compile(pattern.replace("X", "[0-9]"))
        if met := next((number for number in inside if own.fullmatch(number)), None):
            mend = "write more digits instead of X, so that it fits numbers outside only"
            yield Problem(place, "S036", f"'{pattern}' fits {met}, which is {inside[met]}", mend)
        elif "X" in pattern[:2] and own.fullmatch("00" + pattern[2:].replace("X", "0")):
            mend = "write the area codes out, such as '010XXXXXXXX' and '02XXXXXXXXX'"
            yield Problem(place, "S037", f"'{pattern}' fits numbers that begin with 00", mend)


def _inside(draft: Draft) -> dict[str, str]:
    """Numbers that no pattern may fit → what they are."""
    settings = draft.settings
    emergencies = routes(settings.emergencies)
    return {
        **dict.fromkeys(settings.answering.seats, "a seat"),
        **dict.fromkeys(settings.numbers, "a hotline number"),
        **{route.dial: f"what is dialled for {route.number}" for route in emergencies},
        **{route.number: "an emergency number" for route in emergencies},
    }


def ordinary_goals(draft: Draft) -> Iterator[Problem]:
    """No centre and no duty officer is an emergency number, or a number of ours that would come back."""
    emergencies = {route.number for route in routes(draft.settings.emergencies)}
    officer = draft.settings.shifts.duty_officer
    centres = draft.settings.service.centres.items()
    goals = [
        *((_FILE, ("centres", ident), centre.trunk, centre.dial) for ident, centre in centres),
        *([("shifts.yaml", ("duty_officer",), officer.trunk, officer.dial)] if officer else []),
    ]
    for file, path, ident, dial in goals:
        place = draft.places.value(file, *path, "dial")
        trunk = draft.settings.trunks.get(ident or "")
        if dial in emergencies:
            mend = "write another number; the keys of emergency numbers reach them"
            yield Problem(place, "S036", f"{dial} is an emergency number", mend)
        elif dial in draft.settings.numbers and trunk is not None and trunk.accepts_from:
            matter = f"{dial} is a number of ours, and '{ident}' brings its calls to us"
            mend = "dial the other side's own number, or use a trunk that leads to it alone"
            yield Problem(place, "S043", matter, mend)
