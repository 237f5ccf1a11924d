"""Messages after the mark: kept as recordings are, and nothing is kept of whoever said nothing."""

import time
import wave
from hashlib import sha256

from calls.record import CallRecord
from recordings.store import Store
from tests.support.journal_lines import BEGIN_US, MadeCall
from tests.support.keeping import Surroundings


def rated_call(around: Surroundings, *, spoken: bool, begin_us: int = BEGIN_US, file: bool = True) -> MadeCall:
    """A call with a recording and, in the spool, what the survey recorded."""
    call = MadeCall(begin_us=begin_us)
    call.arrive()
    call.step("RECORDING", file=f"{call.ref}.wav")
    call.talk()
    call.step("RATED", mark=5)
    call.end()
    if spoken:  # Most callers end their message by hanging up: then this line follows their end.
        call.step("MESSAGE", file=f"{call.ref}-message.wav")
    around.write(call.lines)
    for name, seconds in ((f"{call.ref}.wav", 3), (f"{call.ref}-message.wav", 2))[: 2 if file else 1]:
        with wave.open(str(around.monitor / name), "wb") as audio:
            audio.setparams((1, 2, 8000, 0, "NONE", ""))
            audio.writeframes(b"\x01\x02" * 8000 * seconds)
    return call


async def kept(around: Surroundings) -> CallRecord:
    (record,) = await around.caught_up()
    return record


async def test_a_message_is_kept_beside_the_recording_with_its_hash(around: Surroundings) -> None:
    call = rated_call(around, spoken=True)
    audio = (around.monitor / f"{call.ref}-message.wav").read_bytes()
    record = await kept(around)
    assert (record.rating, record.message_left) == (5, True)
    assert record.message_file == f"2023/11/15/{call.ref}-message.wav"
    assert (around.recordings / record.message_file).read_bytes() == audio
    assert (record.message_sha256, record.message_ms) == (sha256(audio).hexdigest(), 2000)
    assert (record.recording_file, record.recording_ms) == (f"2023/11/15/{call.ref}.wav", 3000)
    assert list(around.monitor.iterdir()) == []


async def test_silence_after_the_mark_is_removed(around: Surroundings) -> None:
    rated_call(around, spoken=False)
    record = await kept(around)
    assert (record.rating, record.message_left, record.message_file) == (5, False, None)
    assert list(around.monitor.iterdir()) == []


async def test_a_message_is_not_taken_for_silence_before_its_line_is_read(around: Surroundings) -> None:
    call = rated_call(around, spoken=False, begin_us=time.time_ns() // 1000 - 4_000_000)
    with Store(around.database) as store:
        keeper = around.keeper(store)
        await keeper.catch_up()
        assert [path.name for path in around.monitor.iterdir()] == [f"{call.ref}-message.wav"]
        call.step("MESSAGE", file=f"{call.ref}-message.wav")
        around.write(call.lines[-1:])
        await keeper.catch_up()
        (record,) = around.found(store)
    assert record.message_ms == 2000


async def test_a_mark_without_any_file_is_done_with_after_some_patience(around: Surroundings) -> None:
    rated_call(around, spoken=False, file=False)
    assert (await kept(around)).message_file is None
    with Store(around.database) as store:
        assert store.rows("SELECT message_audio FROM records") == [{"message_audio": "none"}]
