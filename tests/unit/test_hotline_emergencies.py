"""Hand-overs and drills over a scripted switch: what is asked of Asterisk, and what is kept."""

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import unquote

import pytest

from asterisk.notes import NOTE_BYTES, encoded, passed
from asterisk.port import Party
from calls.cel import Row
from calls.live import CallRef, Channel, Device, Seat
from hotline.desk import LiveDesk
from recordings.drills import Drills, evidence
from recordings.store import Store
from recordings.tail import Batch, Place
from tests.support.desk_over_script import Running, running, until
from tests.support.journal_lines import MadeCall, ref_of
from tests.support.settings_maker import city
from web.desk import Refusal, Role, Who

SEAT = Seat("8001")
BOSS = Who("Zhao", Role.SUPERVISOR)
CALLER, LEG = Channel("node1", "PJSIP/carrier-a"), Channel("node1", "PJSIP/8001-1")
SETTINGS = city(answering={"rest": "500ms", "seats": {SEAT: {"skills": ["general"]}}})


@pytest.fixture
def records(tmp_path: Path) -> Path:
    return tmp_path / "records.db"


@pytest.fixture
async def city_(records: Path) -> AsyncIterator[Running]:
    async with running(SETTINGS, records, {}) as found:
        yield found


async def talking(of: Running) -> None:
    of.switch.seat(SEAT, Device.FREE)
    of.waits("a")
    await until(lambda: of.switch.connected_to)
    of.talks(SEAT)
    await until(lambda: any(one.state == "talking" for one in of.desk.seats()))
    of.switch.talks[CallRef("a")] = (
        Party(CALLER, "connect", "carrier", seat=False, caller=True),
        Party(LEG, "", SEAT, seat=True, caller=False),
    )


# --- what goes along ------------------------------------------------------------------------------


@pytest.mark.parametrize("note", ["", "fell", "老人摔倒", 'a"b\r\nX-Evil: 1', "${SHELL(id)};%41", "\ud800"])
def test_a_note_is_only_letters_digits_and_percent_signs_and_reads_as_it_was(note: str) -> None:
    told = encoded(note)
    assert all(character == "%" or (character.isascii() and character.isalnum()) for character in told)
    assert unquote(told) == note.encode("utf-8", "replace").decode()


def test_a_note_that_is_too_long_is_cut_between_two_characters() -> None:
    note = "a" + "摔" * 200
    assert len(encoded(note)) <= NOTE_BYTES
    assert unquote(encoded(note)) == passed(note)
    assert note.startswith(passed(note))
    assert len(encoded(note)) + 9 > NOTE_BYTES


# --- hand-over ------------------------------------------------------------------------------------


async def test_a_hand_over_puts_the_note_on_the_call_and_all_three_together(city_: Running) -> None:
    await talking(city_)
    handed = await city_.desk.hand_over(BOSS, SEAT, "120", "老人摔倒")
    assert (handed.call, handed.number, handed.note) == ("a", "120", "老人摔倒")
    assert city_.switch.notes == [(CALLER, "老人摔倒")]
    assert city_.switch.consulted == [(CALLER, LEG, "120", True)]
    entries = await until_audited(city_.desk)
    assert entries == [("hand_over", {"call": "a", "seat": SEAT, "to": "120"})]


async def until_audited(desk: LiveDesk) -> list[tuple[str, dict[str, str]]]:
    for _ in range(1000):
        if found := [(one.did, dict(one.what)) for one in await desk.audit(10)]:
            return found
    raise AssertionError("nothing is audited")


async def test_a_second_click_does_not_end_the_call_that_rings(city_: Running) -> None:
    await talking(city_)
    await city_.desk.hand_over(BOSS, SEAT, "110", None)
    centre = Party(Channel("node1", "PJSIP/emergency_a-2"), "", "emergency_a", False, False, answered=False)
    city_.switch.talks[CallRef("a")] += (centre,)
    with pytest.raises(Refusal) as refused:
        await city_.desk.hand_over(BOSS, SEAT, "110", None)
    assert refused.value.kind == "rings_already"
    # Another number is wanted at once, whatever rings.
    await city_.desk.hand_over(BOSS, SEAT, "119", None)
    assert [goal for _, _, goal, _ in city_.switch.consulted] == ["110", "119"]


async def test_only_an_emergency_number_is_handed_over_to_and_only_from_a_talk(city_: Running) -> None:
    with pytest.raises(Refusal) as refused:
        await city_.desk.hand_over(BOSS, SEAT, "110", None)
    assert refused.value.kind == "not_talking"
    await talking(city_)
    with pytest.raises(Refusal) as refused:
        await city_.desk.hand_over(BOSS, SEAT, "112", None)
    assert refused.value.kind == "not_allowed"


async def test_what_is_noted_before_is_kept_by_asterisk_for_the_key(city_: Running) -> None:
    await talking(city_)
    await city_.desk.note(BOSS, SEAT, "3单元501")
    assert city_.switch.notes == [(CALLER, "3单元501")]
    assert city_.switch.consulted == []


# --- drills ---------------------------------------------------------------------------------------


def made(ref: str, *, status: str | None = "ANSWER", tried: bool = True, serial: int = 9) -> list[Row]:
    """The rows of a test call; status: how the line's leg ended, None: it is not known."""
    call = MadeCall(serial)
    call.ref, call.channel = ref, call.channel
    call.step("ARRIVED", ref=ref, dialled="110", caller="", trunk="")
    call.step("DRILL", number="110", trunk="emergency_a")
    if tried:
        call.step("TRUNK", trunk="emergency_a", dial="110")
        leg = call.leg("emergency_a")
        if status == "ANSWER":
            call.event("ANSWER", leg, wait_ms=700)
        call.hangup(leg, cause=17 if status == "BUSY" else 16)
        if status is not None:
            call.step("TRUNK_END", trunk="emergency_a", status=status)
    else:
        call.step("REFUSED", why="full")
    call.end()
    return call.rows


@pytest.mark.parametrize(
    ("status", "tried", "wanted"),
    [
        ("ANSWER", True, ("answered", 800, 16)),
        ("BUSY", True, ("busy", None, 17)),
        ("NOANSWER", True, ("no_answer", None, 16)),
        ("CHANUNAVAIL", True, ("unreachable", None, 16)),
        (None, True, ("lost", None, 16)),
        (None, False, ("put_off", None, None)),
    ],
)
def test_the_journal_is_the_evidence(status: str | None, tried: bool, wanted: tuple[str, int | None, int]) -> None:
    assert evidence(made(ref_of(1), status=status, tried=tried)) == wanted


def keep(records: Path, rows: list[Row]) -> None:
    with Store(records) as store:
        store.keep("node1", Batch(tuple(rows), (), Place(1, len(rows), b"", 1)), 0)


async def test_lines_are_called_one_after_the_other_and_one_drill_at_a_time(city_: Running, records: Path) -> None:
    planned = await city_.desk.drill(BOSS, "110", None)
    assert [(one.trunk, one.result, one.who) for one in planned] == [
        ("emergency_a", "planned", "Zhao"),
        ("emergency_b", "planned", "Zhao"),
    ]
    await until(lambda: city_.switch.drilled)
    with pytest.raises(Refusal) as refused:
        await city_.desk.drill(BOSS, "119", None)
    assert refused.value.kind == "drill_runs"
    assert [call.goal for call in city_.switch.drilled] == ["110_emergency_a"]
    keep(records, made(planned[0].call))
    await until(lambda: len(city_.switch.drilled) == 2)
    assert city_.switch.drilled[1].goal == "110_emergency_b"
    first = (await city_.desk.drills(2))[1]
    assert (first.result, first.answered_ms) == ("answered", 800)


async def test_what_a_dead_controller_planned_is_not_called_and_what_it_placed_is_settled(records: Path) -> None:
    async with running(SETTINGS, records, {}) as first:
        placed, left = await first.desk.drill(BOSS, "110", None)
        await until(lambda: first.switch.drilled)
    keep(records, made(placed.call))
    async with running(SETTINGS, records, {}) as second:

        def results() -> list[str] | None:
            with Store(records) as store:
                found = [row.result for row in Drills(store).newest(2)]
            return found if "placed" not in found else None

        assert await until(results) == ["lost", "answered"]
        assert second.switch.drilled == []
    assert left.result == "planned"
