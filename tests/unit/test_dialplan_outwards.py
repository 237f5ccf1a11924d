"""No path leads from a caller to an outside line but the emergencies' and those that the settings name."""

from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings

from dialplan.compile import city_contexts, entries
from dialplan.jumps import moves
from dialplan.names import ARRIVAL, CONNECT, CONSULT, DRILL, HANDOVER, PASSED, ROOM, SEAT, SURVIVAL, TRANSFER
from dialplan.outwards import Place, UnknownDial, WayOut, reached, ways_out
from dialplan.passing import OUTSIDE_NUMBER, outside_patterns
from dialplan.values import Code, Context, Do, Extension, Target, code
from settings.check import load
from settings.emergencies import routes
from settings.shapes import Settings, SubCentre
from tests.support.settings_strategies import cities

TODAY = date(2026, 11, 22)
FEATURES = set("tThHkKwWxX")
"""Options of Dial and Queue that let keys of one side do something in a talk."""


def begins(contexts: tuple[Context, ...], name: str) -> list[Target]:
    """Everything that can be dialled into a context."""
    return [
        Target(name, extension.text) for context in contexts if context.name == name for extension in context.extensions
    ]


def from_callers(contexts: tuple[Context, ...], sent: Iterable[Target] = ()) -> frozenset[Place]:
    """Where callers come by themselves, and by where the controller sends them without an agent's wish."""
    wishes = {TRANSFER, CONSULT, PASSED, HANDOVER, DRILL}
    return reached(contexts, [*begins(contexts, ARRIVAL), *(target for target in sent if target.context not in wishes)])


def allowed(settings: Settings) -> set[tuple[str, str]]:
    """(number, trunk) that the settings give to callers who are not connected by anybody."""
    found = {(route.dial, trunk) for route in routes(settings.emergencies) for trunk in route.trunks}
    for number in settings.numbers.values():
        found |= {(mode.dial, mode.trunk) for mode in number.modes if isinstance(mode, SubCentre)}
    found |= {(centre.dial, centre.trunk) for centre in settings.service.centres.values()}
    officer = settings.shifts.duty_officer
    if officer is not None and officer.trunk is not None and officer.dial is not None:
        found.add((officer.dial, officer.trunk))
    return found


def calls(contexts: tuple[Context, ...]) -> Iterator[tuple[Place, Do]]:
    for context in contexts:
        for extension in context.extensions:
            for move in moves(extension):
                if isinstance(move, Do) and move.app in ("Dial", "Queue"):
                    yield (context.name, extension.text), move


def show(settings: Settings) -> None:
    """What holds for every city."""
    contexts = city_contexts(settings, TODAY)
    callers = from_callers(contexts, entries(settings))
    assert {ROOM, CONNECT, SURVIVAL} <= {context for context, _ in callers}
    for way in ways_out(contexts):
        if way.place in callers:
            assert isinstance(way.number, str), f"a caller's digits could be dialled at {way.place}"
            assert (way.number, way.trunk) in allowed(settings), f"no setting allows {way}"
        elif not isinstance(way.number, str):
            assert way.number == OUTSIDE_NUMBER
            assert way.trunk == (settings.service.outside.trunk if settings.service.outside else None)
    assert not {place for place in callers if place[0] in (TRANSFER, PASSED, CONSULT)}


@given(cities())
@hypothesis_settings(max_examples=25)
def test_in_every_city_callers_reach_only_the_outside_lines_that_the_settings_name(settings: Settings) -> None:
    show(settings)


def test_in_the_example_city_too(project: Path) -> None:
    settings = load(project / "config")
    show(settings)
    ways = ways_out(city_contexts(settings, TODAY))
    # What is looked at is there: emergencies, another centre, numbers that agents may dial.
    assert {"110", "12366"} <= {way.number for way in ways if isinstance(way.number, str)}
    assert [way for way in ways if way.number == OUTSIDE_NUMBER]


def test_numbers_outside_come_only_from_goals_that_the_rules_name_and_lose_all_but_digits(project: Path) -> None:
    """Their extensions of `transfer` and `consult` are literal, or patterns of the rules."""
    settings = load(project / "config")
    rules = {pattern.text for pattern in outside_patterns(settings)}
    contexts = {context.name: context for context in city_contexts(settings, TODAY)}
    for name in (TRANSFER, CONSULT):
        patterns = {extension.text for extension in contexts[name].extensions if not isinstance(extension.name, str)}
        assert patterns == rules
        assert all(set(pattern) <= set("_0123456789X") for pattern in patterns)
    leads = {
        extension.text
        for extension in contexts[TRANSFER].extensions
        for move in moves(extension)
        if "outside" in repr(move)
    }
    assert leads == rules


def test_a_seats_telephone_dials_emergencies_and_codes_only(project: Path) -> None:
    settings = load(project / "config")
    contexts = city_contexts(settings, TODAY)
    here = reached(contexts, begins(contexts, SEAT))
    outside = {(way.number, way.trunk) for way in ways_out(contexts) if way.place in here}
    assert outside <= allowed(settings)


def test_no_key_of_a_talk_and_nobody_who_is_called_moves_a_call(project: Path) -> None:
    settings = load(project / "config")
    found = dict(calls(city_contexts(settings, TODAY)))
    assert len(found) > 5
    for place, move in found.items():
        given_options = move.args[2] if move.app == "Dial" else move.args[1]
        text = given_options.template if isinstance(given_options, Code) else str(given_options)
        letters = {character for character in text.partition("<")[0] if character.isalpha()}
        assert not letters & FEATURES, f"{place}: {text}"
        assert text[:3].find("i") >= 0, f"{place}: whoever is called could send the call elsewhere ({text})"


def test_no_other_application_calls_anybody(project: Path) -> None:
    settings = load(project / "config")
    used = {
        move.app
        for context in city_contexts(settings, TODAY)
        for extension in context.extensions
        for move in moves(extension)
        if isinstance(move, Do)
    }
    assert not used & {"Originate", "Transfer", "Page", "FollowMe", "RetryDial", "DISA", "System", "TrySystem", "Exec"}


def test_what_asterisk_itself_goes_to_counts_as_reached(project: Path) -> None:
    assert entries(load(project / "config"))
    contexts = (
        Context("a", (Extension("s", (Do("Answer"),)), Extension("5", (Do("NoOp"),)), Extension("t", (Do("NoOp"),)))),
        Context("b", (Extension("s", (Do("NoOp"),)),)),
    )
    assert reached(contexts, [Target("a")]) == {("a", "s"), ("a", "5"), ("a", "t")}


def test_a_planted_way_out_is_seen() -> None:
    dials = Do("Dial", (code("PJSIP/<number>@<trunk>", number=code("${EXTEN}"), trunk="carrier"), 30, "gi"))
    contexts = (Context(ARRIVAL, (Extension("12345", (dials,)),)),)
    assert ways_out(contexts) == (WayOut((ARRIVAL, "12345"), code("${EXTEN}"), "carrier"),)
    assert (ARRIVAL, "12345") in from_callers(contexts)
    with pytest.raises(UnknownDial):
        ways_out((Context("a", (Extension("s", (Do("Dial", (code("${ANYTHING}"),)),)),)),))
