"""What only big cities show: seats as patterns, lines that are bounded, goals that many steps share."""

from datetime import date
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from dialplan.compile import check_jumps, city_contexts
from dialplan.jumps import missing_jumps
from dialplan.names import CONSULT, TRANSFER
from dialplan.passing import OUTSIDE_NUMBER
from dialplan.tens import dialled_as, seat_names
from dialplan.values import Context, Extension, Goto, Move, Pattern, Put, Target, code
from settings.demands import demands, menus_heard
from settings.shapes import Seat, Settings
from tests.support.compiled_city import compiled
from tests.support.settings_maker import city

TODAY = date(2026, 11, 22)


def meets(name: str | Pattern, dialled: str) -> bool:
    if isinstance(name, str):
        return name == dialled
    text = name.text.removeprefix("_")
    return len(text) == len(dialled) and all(mine in ("X", one) for mine, one in zip(text, dialled, strict=True))


@given(
    st.sets(st.integers(100, 139).map(str)),
    st.sets(st.integers(20, 26).map(str)),
    st.sets(st.sampled_from(["3", "30", "400"])),
)
def test_seats_extensions_meet_every_seat_once_and_nothing_else(
    alone: set[str], tens: set[str], hundreds: set[str]
) -> None:
    seats = {*alone, *(ten + digit for ten in tens for digit in "0123456789")}
    seats |= {hundred + "".join(last) for hundred in hundreds for last in product("0123456789", repeat=2)}
    names = seat_names(seats)
    for dialled in (*map(str, range(90, 410)), *map(str, range(2990, 3110)), *map(str, range(39990, 40110))):
        assert sum(meets(name, dialled) for name in names) == (dialled in seats)


def test_ten_thousand_seats_in_a_row_are_one_pattern_and_a_few_are_written_out() -> None:
    assert seat_names(str(seat) for seat in range(20_000, 30_000)) == (Pattern("_2XXXX"),)
    assert seat_names(["8008", "8001", "8011"]) == ("8001", "8008", "8011")


def test_a_dash_that_a_pattern_overlooks_does_not_go_on() -> None:
    assert dialled_as("8001") == code("${EXTEN}")
    assert dialled_as(Pattern("_800X")) == code("${FILTER(0-9,${EXTEN})}")
    settings = with_seats([str(seat) for seat in range(8000, 8010)])
    by_name = {context.name: context for context in city_contexts(settings, TODAY)}
    for name in (TRANSFER, CONSULT):
        [steps] = [one.steps for one in by_name[name].extensions if one.text == "_800X"]
        assert "EXTEN" not in repr(steps).replace("${FILTER(0-9,${EXTEN})}", "")
    assert "_800X" not in repr(OUTSIDE_NUMBER)


def with_seats(seats: list[str]) -> Settings:
    settings = city()
    every = {seat: Seat(skills=tuple(settings.skills)) for seat in seats}
    return settings.model_copy(update={"answering": settings.answering.model_copy(update={"seats": every})})


def test_a_city_of_many_numbers_fits_into_asterisks_lines() -> None:
    settings = city(service={"keys": {"1": "call_back"}, "call_back": {"trunk": "carrier"}})
    plain = settings.numbers["12345"]
    numbers = {**settings.numbers, **{f"{10**19 + number}": plain for number in range(300)}}
    made = compiled(settings.model_copy(update={"numbers": numbers}))
    assert check_jumps(made) == []
    lines = [line for line in made.files["extensions.conf"].splitlines() if "HL_OUR_OWN=${REGEX" in line]
    assert all(any(number in line for line in lines) for number in numbers)


def test_a_goal_that_many_steps_share_is_missed_by_each_of_them() -> None:
    shared = Target(code("number_${HL_NUMBER}"), among=(Target("number_1"), Target("number_2")))
    steps: tuple[Move, ...] = (Goto(shared),)
    menus = tuple(Context(f"menu_{place}", (Extension("s", steps),)) for place in range(3))
    there = Context("number_1", (Extension("s", (Put("A"),)),))
    assert len(missing_jumps((*menus, there))) == 3
    assert missing_jumps((*menus, there, Context("number_2", there.extensions))) == []


def test_a_language_counts_for_all_that_its_callers_can_come_to_and_for_nobody_else() -> None:
    settings = city()
    plain = settings.numbers["12345"]
    menus = {ident: menu for ident, menu in settings.menus.items() if ident in menus_heard(settings)}
    alone = plain.model_copy(update={"menu": None, "skill": "social"})
    without = settings.model_copy(update={"numbers": {"12333": alone}, "menus": menus})
    assert set(demands(without)) == {frozenset({"general"}), frozenset({"social"})}
    assert menus_heard(without) == frozenset()
