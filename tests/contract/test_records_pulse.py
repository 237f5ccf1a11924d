"""What is new in a store, and how far behind it is."""

from pathlib import Path

import pytest

from recordings.audit import Audit
from recordings.pulse import PROVED, Pulse
from recordings.restarts import Part, Restarts
from recordings.store import Store
from tests.support.journal_lines import MadeCall, answered_call
from tests.support.keeping import Surroundings


@pytest.fixture
def around(tmp_path: Path) -> Surroundings:
    return Surroundings(tmp_path)


def pulse_of(around: Surroundings) -> Pulse:
    return Pulse(around.database, around.journal, around.monitor, node="node1")


def emergency(serial: int, *, answered: bool) -> MadeCall:
    call = MadeCall(serial)
    call.arrive(dialled="110")
    call.step("EMERGENCY", number="110", by="dialled")
    call.step("TRUNK", trunk="police", dial="110")
    leg = call.leg("police")
    if answered:
        call.event("ANSWER", leg, wait_ms=1_500)
        call.step("TRUNK_END", trunk="police", status="ANSWER")
    call.end()
    return call


async def test_each_call_is_told_once_when_it_has_ended(around: Surroundings) -> None:
    with Store(around.database):
        pulse = pulse_of(around)
    call = answered_call(1)
    around.write(call.lines[:-3])
    await around.caught_up()
    assert pulse.look()[0] == ()
    around.write(call.lines[-3:])
    await around.caught_up()
    (ended,), _ = pulse.look()
    assert (ended.ref, ended.number, ended.outcome, ended.ours) == (call.ref, "12345", "answered", False)
    assert ended.wait_ms is not None
    assert ended.talk_ms == 3_000
    assert ended.emergency_number is None
    assert pulse.look()[0] == ()
    # What is added to a record later is no second call.
    with Store(around.database) as store, store.writing() as connection:
        connection.execute("UPDATE records SET rating = 5, revision = revision + 1 WHERE ref = ?", (call.ref,))
        store.changed(connection, call.ref)
    assert pulse.look()[0] == ()


async def test_what_ended_before_is_the_past_and_what_ended_while_nobody_looked_is_not(around: Surroundings) -> None:
    around.write(answered_call(1).lines)
    await around.caught_up()
    pulse = pulse_of(around)
    second = answered_call(2, begin_us=1_700_000_900_000_000)
    around.write(second.lines)
    await around.caught_up()
    assert [call.ref for call in pulse.look()[0]] == [second.ref]


@pytest.mark.parametrize(("answered", "passed_on_ms"), [(True, 1_700), (False, None)])
async def test_of_an_emergency_it_is_told_how_soon_it_was_answered(
    around: Surroundings, *, answered: bool, passed_on_ms: int | None
) -> None:
    with Store(around.database):
        pulse = pulse_of(around)
    around.write(emergency(1, answered=answered).lines)
    await around.caught_up()
    (ended,), _ = pulse.look()
    assert (ended.emergency_number, ended.passed_on_ms) == ("110", passed_on_ms)


async def test_how_far_behind_everything_is(around: Surroundings) -> None:
    lines = answered_call(1).lines
    around.write(lines)
    await around.caught_up()
    pulse = pulse_of(around)
    (around.monitor / "one.wav").write_bytes(b"x")
    around.write(["x" * 99])
    with Store(around.database, forwards=True) as store:
        Restarts(store).ended(Part.ASTERISK, "it died", None, 1)
        Restarts(store).ended(Part.CONTROLLER, "new settings", "anna", 2)
        store.database.execute(
            "INSERT INTO outbox (ref, revision, refused) VALUES ('a', 1, NULL), ('b', 1, 'too long')"
        )
        Audit(store).add("anna", "command", PROVED, {"faults": "2"}, 5_000)
        Audit(store).add("anna", "command", "play", {}, 6_000)
    _, found = pulse.look()
    assert (found.journal_unread_bytes, found.spool_files) == (100, 1)
    assert (found.outbox, found.refused) == (2, 1)
    assert found.restarts == {("asterisk", False): 1, ("controller", True): 1}
    assert (found.proved_utc_ms, found.faults) == (5_000, 2)
    with Store(around.database) as store:
        Audit(store).add("anna", "command", PROVED, {"faults": "0"}, 7_000)
    _, found = pulse.look()
    assert (found.proved_utc_ms, found.faults) == (7_000, 0)


async def test_rotated_journals_count_until_they_are_read(around: Surroundings) -> None:
    lines = answered_call(1).lines
    around.write(lines, "journal.csv.1")
    with Store(around.database):
        pulse = pulse_of(around)
    assert pulse.look()[1].journal_unread_bytes == sum(len(line.encode()) + 1 for line in lines)
    await around.caught_up()
    assert pulse.look()[1].journal_unread_bytes == 0


def test_a_city_without_a_journal_yet_is_behind_with_nothing(tmp_path: Path) -> None:
    pulse = Pulse(tmp_path / "records.db", tmp_path / "log" / "journal.csv", tmp_path / "monitor", node="node1")
    ended, found = pulse.look()
    assert (ended, found.journal_unread_bytes, found.spool_files, found.faults) == ((), 0, 0, None)
