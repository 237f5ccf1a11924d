"""Whom Asterisk is asked for, and who is taken for gone: nobody for want of knowledge."""

import asyncio
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asterisk.port import SwitchLost
from calls.live import Agent, CallRef, Channel, Waiting
from calls.record import Outcome
from calls.sight import SeenTalk, Sight
from hotline.lookout import AGAIN_MS, AT_ONCE, SILENT_MS, Absences, Lookout
from hotline.office import Office
from hotline.seen import SeenLog
from recordings.duty import DutyRow
from recordings.lost import Running
from recordings.store import Store
from tests.support.journal_lines import BEGIN_US, MadeCall
from tests.support.keeping import Surroundings

UTC_MS = BEGIN_US // 1000
ONE = Running("one", "node1-1.1", UTC_MS)
LATER_MS = UTC_MS + SILENT_MS
GONE = frozenset({ONE.channel})
THERE: frozenset[str] = frozenset()


def test_a_call_is_gone_when_asterisk_said_twice_that_it_has_it_not() -> None:
    absences = Absences()
    assert absences.due([ONE], 0, LATER_MS - 1) == ()
    assert absences.due([ONE], 0, LATER_MS) == (ONE,)
    assert absences.answered([ONE], GONE, 0, LATER_MS) == {}
    assert absences.due([ONE], 1, LATER_MS) == (ONE,)
    assert absences.answered([ONE], GONE, 1, LATER_MS + 1) == {"one": ONE.last_utc_ms}


def test_it_ends_when_it_was_there_last_and_is_asked_for_again_after_a_while() -> None:
    absences = Absences()
    absences.answered([ONE], THERE, 0, LATER_MS)
    assert absences.due([ONE], AGAIN_MS - 1, LATER_MS + AGAIN_MS - 1) == ()
    assert absences.due([ONE], AGAIN_MS, LATER_MS + AGAIN_MS) == (ONE,)
    assert absences.answered([ONE], GONE, AGAIN_MS, LATER_MS + AGAIN_MS) == {}
    assert absences.answered([ONE], GONE, AGAIN_MS + 1, LATER_MS + AGAIN_MS + 1) == {"one": LATER_MS}


def test_a_call_that_is_there_again_was_never_gone() -> None:
    absences = Absences()
    for absent in (GONE, THERE, GONE, THERE):
        assert absences.answered([ONE], absent, 0, LATER_MS) == {}


def test_what_is_known_of_a_call_that_has_ended_is_forgotten() -> None:
    absences = Absences()
    absences.answered([ONE], GONE, 0, LATER_MS)
    absences.due([], 1, LATER_MS)
    assert absences.answered([ONE], GONE, 2, LATER_MS) == {}


def test_of_very_many_calls_each_comes_in_its_turn() -> None:
    absences = Absences()
    calls = [Running(str(serial), f"c{serial}", UTC_MS) for serial in range(2 * AT_ONCE + 1)]
    asked: list[str] = []
    for at_ms in range(3):
        due = absences.due(calls, at_ms, LATER_MS)
        absences.answered(due, frozenset({"c0"}), at_ms, LATER_MS)
        asked += [one.ref for one in due]
    assert sorted(set(asked)) == sorted(one.ref for one in calls)
    assert asked.count("0") > 1


@given(st.lists(st.booleans(), max_size=12))
def test_nobody_is_gone_before_two_absences_in_a_row(answers: list[bool]) -> None:
    absences = Absences()
    for place, absent in enumerate(answers):
        gone = absences.answered([ONE], GONE if absent else THERE, place, LATER_MS + place)
        assert bool(gone) == (absent and place > 0 and answers[place - 1])


class Asterisk:
    """Says in turn what it has not; None: it does not answer, a number: it was started anew then."""

    def __init__(self, *said: frozenset[str] | int | None) -> None:
        self._said = list(said)
        self.booted_utc_ms: int | None = UTC_MS - 1000

    async def absent(self, channels: Iterable[str]) -> frozenset[str]:
        said = self._said.pop(0)
        if said is None:
            raise SwitchLost("it does not answer")
        if isinstance(said, int):
            self.booted_utc_ms = said
            return frozenset(channels)
        return said


@pytest.mark.parametrize("third", [None, UTC_MS - 500])
async def test_who_does_not_know_ends_nothing(tmp_path: Path, third: int | None) -> None:
    around, call = Surroundings(tmp_path), MadeCall()
    call.arrive()
    call.enter_room()
    around.write(call.lines)
    gone = frozenset({call.linkedid})
    asterisk = Asterisk(None, gone, third, gone)
    with Store(around.database) as store:
        lookout = Lookout(around.keeper(store), lambda: asterisk.booted_utc_ms, asterisk.absent)
        with pytest.raises(SwitchLost):
            await lookout.look()
        await lookout.look()
        if third is None:
            with pytest.raises(SwitchLost):
                await lookout.look()
        else:
            await lookout.look()
        assert [record.running for record in around.found(store)] == [True]
        await lookout.look()
        assert [(one.running, one.outcome) for one in around.found(store)] == [(False, Outcome.ABANDONED)]
        await lookout.look()  # Nobody is left to be asked for.
        asterisk.booted_utc_ms = None
        await lookout.look()


def duty(seat: str, state: str, call: str | None, at_utc_ms: int) -> DutyRow:
    return DutyRow(seat, Agent("1001"), state, "", call, at_utc_ms)


async def test_what_a_controller_sees_of_a_call_is_kept(tmp_path: Path) -> None:
    caller = Waiting(
        Channel("node1", "PJSIP/carrier_a-1"), CallRef("a"), 5, frozenset({"b", "a"}), 3, "12345", "zh", "139"
    )
    async with Office(tmp_path / "records.db") as office:
        working = asyncio.create_task(office.run())
        known = {caller.ref: caller}
        seen = SeenLog("node1", office, known.get)
        seen.changed([duty("8001", "talking", "unknown", 6)])
        seen.entered([caller.ref, CallRef("gone")])
        seen.changed([duty("8001", "ringing", "a", 7), duty("8001", "talking", "a", 8)])
        seen.flush()
        seen.changed([duty("8001", "talking", "a", 9), duty("8001", "wrap_up", None, 10)])
        seen.flush()
        seen.flush()
        later = SeenLog("node1", office, known.get)  # Another controller.
        later.entered([caller.ref, CallRef("gone")])
        later.changed([duty("8002", "talking", "a", 11)])
        later.flush()
        known.clear()
        later.flush()
        office.stop()
        await working
    with Store(tmp_path / "records.db") as store:
        (row,) = store.rows("SELECT ref, sight FROM seen")
    sight = Sight.of_json(row["sight"])
    assert (sight.channel, sight.caller, sight.skills, sight.t0_utc_ms) == ("PJSIP/carrier_a-1", "139", ("a", "b"), 5)
    assert sight.until_utc_ms is not None
    assert sight.talks == (SeenTalk("8001", "1001", 8, 10), SeenTalk("8002", "1001", 11))
