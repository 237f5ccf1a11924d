"""The desk over a scripted switch: callers who are called back."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from calls.live import Channel, Device, WantsCallBack
from hotline.office import Books
from tests.support.desk_over_script import Running, until
from tests.support.small_desk import (
    BOSS,
    FIXED,
    FREE,
    LI_HERSELF,
    OTHER,
    opened,
    signed_on,
    state,
)
from web.desk import CallBackView, Refusal


@pytest.fixture
def records(tmp_path: Path) -> Path:
    return tmp_path / "records.db"


@pytest.fixture
async def city_(records: Path) -> AsyncIterator[Running]:
    async with opened(records) as found:
        yield found


async def call_back(of: Running, condition: Callable[[CallBackView], bool]) -> CallBackView:
    """The only entry of the list, as soon as it is so."""
    for _ in range(500):
        entries = await of.desk.call_backs(every=True)
        if len(entries) == 1 and condition(entries[0]):
            return entries[0]
        await asyncio.sleep(0.01)
    raise AssertionError(f"it never came about: {entries}")


async def wanted(of: Running, name: str, skill: str = "general") -> None:
    caller = of.waits(name, skill)
    of.switch.hear(WantsCallBack(caller, "13800000001"))
    of.switch.hangs_up(caller.channel)


async def test_a_place_is_kept_and_its_caller_is_called_when_its_turn_comes(city_: Running) -> None:
    await wanted(city_, "a")
    await until(lambda: [one.state for one in city_.desk.waiting()] == ["call_back"])
    later = city_.waits("b", caller="13800000002")
    city_.switch.seat(FIXED, Device.FREE)
    call = (await until(lambda: city_.switch.dialled_back))[0]
    assert (call.first, call.to, call.trunk, call.seat, call.attempt) == ("a", "13800000001", "carrier", FIXED, 1)
    assert city_.switch.connected_to == []
    assert state(city_, FIXED) == "ringing"
    city_.switch.answers_back(call.ref, Channel("node1", "PJSIP/carrier-back"))
    kept = await call_back(city_, lambda one: one.state == "reached")
    assert (kept.reasons, kept.calls, kept.reached_by) == (("wanted",), ("a",), call.ref)
    assert [one.call for one in city_.desk.waiting() if one.state == "waiting"] == [later.ref]


async def test_a_caller_who_is_not_reached_is_tried_again_and_then_given_up(city_: Running) -> None:
    await wanted(city_, "a")
    city_.switch.seat(FIXED, Device.FREE)
    for attempt in (1, 2):
        call = (await until(lambda: city_.switch.dialled_back[attempt - 1 :]))[0]  # noqa: B023 - awaited at once
        assert call.attempt == attempt
        city_.switch.not_reached(call.ref, "no answer")
    kept = await call_back(city_, lambda one: one.state == "given_up")
    assert (kept.attempts, city_.desk.waiting()) == (2, ())
    await until(lambda: state(city_, FIXED) == "idle")


async def test_two_wishes_of_one_number_are_one_call(city_: Running) -> None:
    await wanted(city_, "a")
    await wanted(city_, "b")
    await call_back(city_, lambda one: one.calls == ("a", "b"))
    assert len(city_.desk.waiting()) == 1


async def test_a_kept_place_outlives_the_controller(records: Path) -> None:
    async with opened(records) as first:
        await wanted(first, "a")
        await until(lambda: [one.state for one in first.desk.waiting()] == ["call_back"])
    async with opened(records) as second:
        second.switch.seat(FIXED, Device.FREE)
        assert (await until(lambda: second.switch.dialled_back))[0].first == "a"


async def test_an_agent_calls_somebody_of_the_list_from_its_own_seat_only(city_: Running) -> None:
    await signed_on(city_)
    entry = await city_.desk.add_call_back(BOSS, "13900000009", "12345", "asked by letter")
    with pytest.raises(Refusal, match="not signed on at 8012"):
        await city_.desk.call_back_now(LI_HERSELF, entry.id, OTHER)
    await city_.desk.call_back_now(LI_HERSELF, entry.id, FREE)
    call = (await until(lambda: city_.switch.dialled_back))[0]
    assert (call.to, call.seat) == ("13900000009", FREE)


async def test_whoever_is_dismissed_is_not_called(city_: Running) -> None:
    await wanted(city_, "a")
    await until(lambda: [one.state for one in city_.desk.waiting()] == ["call_back"])
    (entry,) = await city_.desk.call_backs(every=False)
    assert (await city_.desk.dismiss_call_back(BOSS, entry.id, "settled by letter")).state == "dismissed"
    city_.switch.seat(FIXED, Device.FREE)
    city_.waits("b")
    await until(lambda: city_.switch.connected_to)
    assert city_.switch.dialled_back == []
    with pytest.raises(Refusal, match="is dismissed"):
        await city_.desk.dismiss_call_back(BOSS, entry.id, "again")


async def test_nobody_is_called_back_before_that_is_written_down(city_: Running) -> None:
    full = True

    def write(_: Books) -> None:
        if full:
            raise OSError(28, "No space left on device")

    await wanted(city_, "a")
    await until(lambda: [one.state for one in city_.desk.waiting()] == ["call_back"])
    city_.office.later(write)
    city_.switch.seat(FIXED, Device.FREE)
    await until(lambda: state(city_, FIXED) == "ringing")
    assert city_.switch.dialled_back == []
    full = False
    await until(lambda: city_.switch.dialled_back)
