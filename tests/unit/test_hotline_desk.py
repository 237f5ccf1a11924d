"""The desk over a scripted switch: agents, callers, talks, blocks, the audit."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from asterisk.port import Listening, Party
from calls.live import (
    Agent,
    AsksPlace,
    CallRef,
    Channel,
    DeskCode,
    Device,
    SeatDialled,
)
from hotline.office import Books
from tests.support.desk_over_script import Running, running, until
from tests.support.small_desk import (
    BOSS,
    FIXED,
    FREE,
    LI,
    LI_HERSELF,
    OTHER,
    PINS,
    SETTINGS,
    WANG,
    opened,
    signed_on,
    state,
)
from web.desk import How, Refusal, Role, To, Who


@pytest.fixture
def records(tmp_path: Path) -> Path:
    return tmp_path / "records.db"


@pytest.fixture
async def city_(records: Path) -> AsyncIterator[Running]:
    async with opened(records) as found:
        yield found


# --- agents ---------------------------------------------------------------------------------------


async def test_only_a_seat_where_somebody_is_signed_on_gets_calls(city_: Running) -> None:
    city_.switch.seat(FREE, Device.FREE)
    caller = city_.waits("a", "social")
    await until(lambda: [one.call for one in city_.desk.waiting()] == ["a"])
    assert city_.switch.connected_to == []
    await city_.desk.sign_on(LI_HERSELF, LI, FREE, PINS[LI])
    await until(lambda: city_.switch.connected_to == [(caller.channel, FREE)])
    assert await until(lambda: city_.switch.manned.get(FREE)) == (Agent(LI), frozenset({"social"}), False)


async def test_five_wrong_pins_lock_an_agent_out_of_signing_on(city_: Running) -> None:
    for _ in range(5):
        with pytest.raises(Refusal, match="not the PIN") as refused:
            await city_.desk.sign_on(LI_HERSELF, LI, FREE, "000000")
        assert refused.value.status == 403
    with pytest.raises(Refusal, match="five minutes"):
        await city_.desk.sign_on(LI_HERSELF, LI, FREE, PINS[LI])
    await city_.desk.sign_on(BOSS, LI, FREE, None)


async def test_an_agent_may_act_for_nobody_else(city_: Running) -> None:
    await signed_on(city_, WANG)
    for act in (
        city_.desk.sign_off(LI_HERSELF, WANG),
        city_.desk.pause(LI_HERSELF, WANG, "rest"),
        city_.desk.sign_on(LI_HERSELF, WANG, OTHER, PINS[WANG]),
    ):
        with pytest.raises(Refusal) as refused:
            await act
        assert refused.value.kind == "not_yours"


async def test_an_agent_who_signs_on_elsewhere_has_moved(city_: Running) -> None:
    await signed_on(city_)
    await city_.desk.sign_on(LI_HERSELF, LI, OTHER, PINS[LI])
    assert {one.seat: one.agent for one in city_.desk.seats()} == {FIXED: None, FREE: None, OTHER: LI}


async def test_a_seat_with_an_agent_is_not_given_to_another_one(city_: Running) -> None:
    await signed_on(city_)
    with pytest.raises(Refusal, match="1001 is signed on at 8011"):
        await city_.desk.sign_on(BOSS, WANG, FREE, None)


async def test_whoever_pauses_gets_no_calls_and_asterisk_knows_it(city_: Running) -> None:
    await signed_on(city_)
    await city_.desk.pause(LI_HERSELF, LI, "meal")
    assert (state(city_, FREE), city_.desk.agents()[0].reason) == ("paused", "meal")
    await until(lambda: city_.switch.manned.get(FREE) == (Agent(LI), frozenset({"social"}), True))
    city_.waits("a", "social")
    await until(city_.desk.waiting)
    assert city_.switch.connected_to == []
    await city_.desk.ready(LI_HERSELF, LI)
    await until(lambda: city_.switch.connected_to)


async def test_an_unknown_reason_is_refused_with_those_there_are(city_: Running) -> None:
    await signed_on(city_)
    with pytest.raises(Refusal, match="give one of: rest, meal"):
        await city_.desk.pause(BOSS, LI, "sleep")


async def test_a_talk_is_followed_by_time_for_notes(city_: Running) -> None:
    await signed_on(city_)
    caller = city_.waits("a", "social")
    await until(lambda: city_.switch.connected_to)
    city_.talks(FREE)
    await until(lambda: state(city_, FREE) == "talking")
    city_.switch.hangs_up(caller.channel)
    city_.switch.seat(FREE, Device.FREE)
    await until(lambda: state(city_, FREE) == "wrap_up")
    await city_.desk.ready(LI_HERSELF, LI)
    await until(lambda: state(city_, FREE) == "idle")


async def test_every_change_is_kept_and_a_new_controller_signs_everybody_on_again(records: Path) -> None:
    async with opened(records) as first:
        await signed_on(first)
        await first.desk.pause(BOSS, LI, "meal")
        await signed_on(first, WANG, OTHER)
    async with opened(records) as second:
        assert [(one.agent, one.seat) for one in second.desk.agents()] == [(LI, FREE), (WANG, OTHER)]
        second.switch.seat(FREE, Device.FREE)
        second.switch.seat(OTHER, Device.FREE)
        await until(lambda: (state(second, FREE), state(second, OTHER)) == ("paused", "idle"))
        await until(lambda: second.switch.manned.get(OTHER) == (Agent(WANG), frozenset({"general"}), False))
        rows = await second.office.do(lambda books: books.duty.totals(0, 2**45, 2**45, LI))
    assert {(one.state, one.reason) for one in rows} >= {("idle", ""), ("paused", "meal")}


async def test_totals_of_the_first_and_the_last_of_all_days_are_empty_and_a_day_that_is_none_is_refused(
    city_: Running,
) -> None:
    for day in ("0001-01-01", "9999-12-31"):
        assert await city_.desk.totals(day, None) == ()
    with pytest.raises(Refusal) as refused:
        await city_.desk.totals("2026-02-30", None)
    assert refused.value.kind == "no_such_day"


async def test_an_agent_who_is_no_longer_in_the_settings_is_signed_off(records: Path) -> None:
    async with opened(records) as first:
        await signed_on(first)
    fewer = SETTINGS.agents.model_copy(update={"agents": {WANG: SETTINGS.agents.agents[WANG]}})
    async with running(SETTINGS.model_copy(update={"agents": fewer}), records, PINS) as second:
        standing = await second.office.in_turn(lambda books: books.duty.standing())
        assert (standing[FREE].agent, standing[FREE].state) == (LI, "offline")


async def test_a_telephone_signs_on_pauses_and_signs_off_by_code(city_: Running) -> None:
    city_.switch.seat(FREE, Device.FREE)
    heard: list[str] = []
    for code, keyed, pin in (
        (DeskCode.PAUSE, "", ""),
        (DeskCode.SIGN_ON, LI, "1"),
        (DeskCode.SIGN_ON, "9999", "1"),
        (DeskCode.SIGN_ON, LI, PINS[LI]),
        (DeskCode.PAUSE, "2", ""),
        (DeskCode.PAUSE, "7", ""),
        (DeskCode.READY, "", ""),
        (DeskCode.SIGN_OFF, "", ""),
    ):
        channel = Channel("node1", f"PJSIP/8011-{len(heard)}")
        city_.switch.hear(SeatDialled(channel, FREE, code, keyed, pin))
        heard.append(await until(lambda: dict(city_.switch.replies).get(channel)))  # noqa: B023 - awaited at once
    assert heard == [
        "desk_not_on",
        "desk_wrong",
        "desk_wrong",
        "desk_on",
        "desk_paused",
        "desk_wrong",
        "desk_ready",
        "desk_off",
    ]


# --- callers --------------------------------------------------------------------------------------


async def test_a_caller_who_asks_is_told_its_place_over_all_numbers(city_: Running) -> None:
    city_.waits("a")
    second = city_.waits("b", "social")
    city_.switch.hear(AsksPlace(second.ref, second.channel))
    await until(lambda: city_.switch.places_told == [(second.channel, 2, -1)])


async def test_a_caller_who_is_moved_up_is_served_next(city_: Running) -> None:
    city_.waits("a")
    second = city_.waits("b")
    await until(lambda: len(city_.desk.waiting()) == 2)
    assert (await city_.desk.move_up(BOSS, "b")).position == 1
    city_.switch.seat(FIXED, Device.FREE)
    await until(lambda: city_.switch.connected_to == [(second.channel, FIXED)])
    with pytest.raises(Refusal, match="does not wait"):
        await city_.desk.move_up(BOSS, "nobody")


async def test_a_block_reaches_asterisk_and_outlives_the_controller(records: Path) -> None:
    async with opened(records) as first:
        await first.desk.block(BOSS, "13900000009", "shouts", "2099-01-31")
        await until(lambda: first.switch.blocked == {"13900000009": "20990131"})
        with pytest.raises(Refusal, match="is over"):
            await first.desk.block(BOSS, "13900000010", "shouts", "2020-01-31")
        with pytest.raises(Refusal, match="which may call back"):
            await first.desk.block(BOSS, "110", "shouts", "2099-01-31")
    async with opened(records) as second:
        await until(lambda: second.switch.blocked == {"13900000009": "20990131"})
        await second.desk.unblock(BOSS, "13900000009")
        await until(lambda: second.switch.blocked == {})
        with pytest.raises(Refusal, match="not blocked"):
            await second.desk.unblock(BOSS, "13900000009")


# --- talks ----------------------------------------------------------------------------------------

CALLER = Channel("node1", "PJSIP/carrier-a")
LEG = Channel("node1", "PJSIP/8011-1")
EXPERT = Channel("node1", "PJSIP/8012-1")


async def talking(of: Running) -> None:
    await signed_on(of)
    of.waits("a", "social")
    await until(lambda: of.switch.connected_to)
    of.talks(FREE)
    await until(lambda: state(of, FREE) == "talking")
    of.switch.talks[CallRef("a")] = (
        Party(CALLER, "connect", "carrier", seat=False, caller=True),
        Party(LEG, "", "8011", seat=True, caller=False),
    )


def expert_answers(of: Running) -> None:
    of.switch.talks[CallRef("a")] += (Party(EXPERT, "", "8012", seat=True, caller=False),)


async def test_a_talk_is_passed_on_to_a_goal_that_is_allowed(city_: Running) -> None:
    await talking(city_)
    await city_.desk.transfer(LI_HERSELF, "a", To(skill="general"))
    assert city_.switch.transferred == [(CALLER, "skill_general")]
    with pytest.raises(Refusal) as refused:
        await city_.desk.transfer(LI_HERSELF, "a", To(outside="0085212345678"))
    assert refused.value.kind == "not_allowed"


async def test_only_its_own_agent_or_a_supervisor_acts_on_a_talk(city_: Running) -> None:
    await talking(city_)
    with pytest.raises(Refusal) as refused:
        await city_.desk.hold(Who("Wang", Role.AGENT, WANG), "a")
    assert refused.value.kind == "not_yours"
    await city_.desk.hold(BOSS, "a")
    assert city_.switch.consulted == [(CALLER, LEG, "hold", False)]


async def test_an_attended_transfer_ends_with_the_first_seat_out_of_the_call(city_: Running) -> None:
    await talking(city_)
    await city_.desk.consult(LI_HERSELF, "a", To(seat=OTHER), join=False)
    expert_answers(city_)
    await city_.desk.complete(LI_HERSELF, "a")
    assert city_.switch.consulted == [(CALLER, LEG, OTHER, False)]
    assert set(city_.switch.joined[0]) == {CALLER, LEG, EXPERT}
    assert city_.switch.hung_up == [LEG]


async def test_a_skill_is_consulted_at_the_free_seat_that_masters_it_best(city_: Running) -> None:
    await talking(city_)
    with pytest.raises(Refusal, match="nobody who can general is free"):
        await city_.desk.consult(LI_HERSELF, "a", To(skill="general"), join=False)
    await signed_on(city_, WANG, OTHER)
    city_.switch.seat(FIXED, Device.FREE)
    await until(lambda: state(city_, FIXED) == "idle")
    await city_.desk.consult(LI_HERSELF, "a", To(skill="general"), join=True)
    assert city_.switch.consulted == [(CALLER, LEG, FIXED, True)]


async def test_a_consultation_can_be_given_up(city_: Running) -> None:
    await talking(city_)
    await city_.desk.consult(LI_HERSELF, "a", To(seat=OTHER), join=False)
    with pytest.raises(Refusal, match="nobody else"):
        await city_.desk.complete(LI_HERSELF, "a")
    expert_answers(city_)
    await city_.desk.retrieve(LI_HERSELF, "a")
    assert city_.switch.hung_up == [EXPERT]


async def test_supervision_leaves_an_entry_in_the_audit(city_: Running) -> None:
    await talking(city_)
    with pytest.raises(Refusal, match="seat 8001 is not free"):
        await city_.desk.watch(BOSS, FREE, FIXED, How.LISTEN)
    city_.switch.seat(FIXED, Device.FREE)
    await until(lambda: state(city_, FIXED) == "idle")
    with pytest.raises(Refusal, match="nobody talks at 8012"):
        await city_.desk.watch(BOSS, OTHER, FIXED, How.LISTEN)
    await city_.desk.watch(BOSS, FREE, FIXED, How.WHISPER)
    await city_.desk.take_over(BOSS, FREE, FIXED)
    await city_.desk.sign_off(BOSS, LI)
    assert city_.switch.watched == [(FREE, FIXED, Listening.WHISPER)]
    assert city_.switch.transferred == [(CALLER, FIXED)]
    entries = [(one.who, one.did) for one in await city_.desk.audit(3)]
    assert entries == [("Zhao", "sign_off"), ("Zhao", "take_over"), ("Zhao", "whisper")]


# --- the store ------------------------------------------------------------------------------------


async def test_what_is_to_be_kept_waits_while_the_disk_is_full(city_: Running) -> None:
    full = True
    kept: list[str] = []

    def keep(_: Books) -> None:
        if full:
            raise OSError(28, "No space left on device")
        kept.append("first")

    city_.office.later(keep)
    second = city_.office.in_turn(lambda _: kept.append("second"))
    full = False
    await second
    assert kept == ["first", "second"]


async def test_what_is_answered_has_been_kept(city_: Running) -> None:
    await city_.desk.sign_on(BOSS, LI, FREE, None)
    standing = await city_.office.do(lambda books: books.duty.standing())
    assert [row.seat for row in standing.values() if row.agent == LI] == [FREE]
