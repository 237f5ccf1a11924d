"""A keeper or forwarder that is killed at any point loses no call and doubles none."""

import asyncio
import random
import subprocess
import sys
import wave
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from calls.record import Outcome
from recordings.archive import Parcel, ReceiverAway
from recordings.copy import SqliteArchive
from recordings.forward import Forwarder
from recordings.queries import Wanted
from recordings.store import Store
from recordings.tail import Batch, Tail
from tests.support.journal_lines import BEGIN_US, MadeCall
from tests.support.keeping import CITY, Surroundings, until

CALLS = 24
KILLS_AT = (3, 9, 40, 95, 180, 400)
"""After so many SQL statements: before a batch, in its midst, between moving audio and telling it."""


def made_calls() -> list[MadeCall]:
    found = []
    for serial in range(CALLS):
        call = MadeCall(serial, begin_us=BEGIN_US + serial * 1_000_000)
        call.arrive(caller=f"1380000{serial:04d}")
        call.step("RECORDING", file=f"{call.ref}.wav")
        call.enter_room()
        call.talk(str(8000 + serial))
        call.end()
        found.append(call)
    return found


def put_audio(around: Surroundings, calls: list[MadeCall]) -> None:
    for call in calls:
        with wave.open(str(around.monitor / f"{call.ref}.wav"), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes(call.ref.encode()[:16] * 100)


class PiecewiseAsterisk:
    """Writes the journal in pieces as they may be seen on the disk: some lines are cut in two."""

    def __init__(self, journal: Path, lines: list[str], chance: random.Random) -> None:
        self._journal = journal
        self._text = "".join(line + "\n" for line in lines).encode()
        self._done = 0
        self._rotated = 0
        self._chance = chance

    def write_some(self, share: float) -> None:
        """A piece more, up to this share of everything."""
        self._write(min(self._done + self._chance.randrange(200, 3000), int(len(self._text) * share)))

    def rotate(self) -> None:
        """Lines are whole when a file is renamed: Asterisk opens it for each of them."""
        self._write(self._text.find(b"\n", max(0, self._done - 1)) + 1)
        if self._journal.exists():
            self._rotated += 1
            self._journal.rename(self._journal.with_name(f"journal.csv.{self._rotated}"))

    def write_all(self) -> None:
        self._write(len(self._text))

    def _write(self, until: int) -> None:
        if until > self._done:
            with self._journal.open("ab") as file:
                file.write(self._text[self._done : until])
            self._done = until


def start(project: Path, module: str, *arguments: object) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-m", module, *map(str, arguments)], cwd=project)


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_keeper_that_is_killed_again_and_again_keeps_each_call_once(
    tmp_path: Path, project: Path, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - it must be the same each time
    calls = made_calls()
    lines = sorted((line for call in calls for line in call.lines), key=lambda line: line.split('"')[3])
    killed, undisturbed = Surroundings(tmp_path / "killed"), Surroundings(tmp_path / "undisturbed")
    put_audio(killed, calls)
    put_audio(undisturbed, calls)
    asterisk = PiecewiseAsterisk(killed.journal, lines, chance)
    for number, kill_at in enumerate(chance.sample(KILLS_AT, len(KILLS_AT)), start=1):
        with start(project, "tests.support.killed_keeper", tmp_path / "killed", kill_at) as child:
            while child.poll() is None:
                asterisk.write_some(number / len(KILLS_AT))
                await asyncio.sleep(0.005)
            assert child.returncode == -9
        if seed == 2:
            asterisk.rotate()
    asterisk.write_all()
    undisturbed.write(lines)
    records = await killed.caught_up()
    assert len(records) == CALLS
    assert records == await undisturbed.caught_up()
    assert {(record.outcome, record.talk_ms, record.recording_ms) for record in records} == {
        (Outcome.ANSWERED, 3000, 100)
    }
    assert all(record.recording_file and (killed.recordings / record.recording_file).exists() for record in records)


async def test_a_forwarder_that_is_killed_again_and_again_brings_each_record_once(
    tmp_path: Path, project: Path
) -> None:
    around, central = Surroundings(tmp_path / "node"), tmp_path / "central.db"
    around.write(line for call in made_calls() for line in call.lines)
    with Store(around.database, forwards=True) as store:
        await around.keeper(store).catch_up()
        kept = {record.ref: record for record in around.found(store)}
    for kill_at in (1, 4, 9, 12, 23):  # In a lot, before and after the receiver's commit.
        with start(project, "tests.support.sqlite_receiver", around.database, central, kill_at) as child:
            assert child.wait(60) == -9
    copy = SqliteArchive(central)
    forwarder = Forwarder(around.database, copy, at_once=7)
    while await forwarder.send():
        pass
    arrived = await copy.find(Wanted(limit=CALLS + 1), CITY)
    assert {record.ref: record for record in arrived} == kept
    assert len(arrived) == CALLS
    with Store(around.database) as store:
        assert store.rows("SELECT * FROM outbox") == []


async def test_a_record_that_changes_while_it_is_sent_is_sent_again(tmp_path: Path) -> None:
    around = Surroundings(tmp_path)
    call = made_calls()[0]
    around.write(call.lines[:-3])
    with Store(around.database, forwards=True) as store:
        keeper = around.keeper(store)
        await keeper.catch_up()
        seen: list[Parcel] = []

        class Slow:
            name = "slow"

            async def receive(self, parcels: Sequence[Parcel]) -> None:
                if not seen:
                    call_ends = Tail(around.journal, store.places("node1"))
                    around.write(call.lines[-3:])
                    with closing(call_ends.batches()) as batches:
                        for batch in batches:
                            store.keep("node1", batch, 0)
                seen.extend(parcels)

        forwarder = Forwarder(around.database, Slow())
        assert [await forwarder.send(), await forwarder.send(), await forwarder.send()] == [1, 1, 0]
    assert [parcel.record and parcel.record["outcome"] for parcel in seen] == ["interrupted", "answered"]
    assert [bool(parcel.events) for parcel in seen] == [False, True]


async def test_what_a_receiver_did_not_keep_is_sent_later(tmp_path: Path) -> None:
    around = Surroundings(tmp_path)
    around.write(made_calls()[0].lines)
    with Store(around.database, forwards=True) as store:
        await around.keeper(store).catch_up()
    lots: list[int] = []

    class AwayAtFirst:
        name = "away at first"

        async def receive(self, parcels: Sequence[Parcel]) -> None:
            lots.append(len(parcels))
            if len(lots) <= 3:
                raise ReceiverAway(self.name, "no route to it", "wait")

    forwarder = Forwarder(around.database, AwayAtFirst())
    with capture_logs() as logs:
        task = asyncio.create_task(forwarder.run(every_s=0.01))
        await until(lambda: any(entry["event"] == "records_forwarded_again" for entry in logs))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert lots == [1, 1, 1, 1]
    assert [(entry["event"], entry["behind"]) for entry in logs] == [
        ("records_not_forwarded", 1),
        ("records_forwarded_again", 1),
    ]
    assert forwarder.behind == 0


async def test_nothing_is_noted_for_forwarding_unless_it_is_wanted(tmp_path: Path) -> None:
    around = Surroundings(tmp_path)
    around.write(made_calls()[0].lines)
    await around.caught_up()
    with Store(around.database) as store:
        assert store.rows("SELECT * FROM outbox") == []


async def test_a_copy_that_cannot_be_written_is_tried_again_later(tmp_path: Path) -> None:
    around = Surroundings(tmp_path)
    folder = tmp_path / "other disk"
    with Store(around.database, forwards=True) as store:
        store.keep("node1", next(iter(_one_batch(around, store))), 0)
    copy = SqliteArchive(folder / "copy.db")
    forwarder = Forwarder(around.database, copy)
    with pytest.raises(ReceiverAway, match=r"other disk.*: bring back the disk"):
        await forwarder.send()
    folder.mkdir()
    assert (await forwarder.send(), await forwarder.send()) == (1, 0)
    assert len(await copy.find(Wanted(), CITY)) == 1


def _one_batch(around: Surroundings, store: Store) -> list[Batch]:
    around.write(made_calls()[0].lines)
    with closing(Tail(around.journal, store.places("node1")).batches()) as batches:
        return list(batches)
