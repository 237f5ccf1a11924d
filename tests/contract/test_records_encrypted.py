"""Audio that is encrypted on the disk: whole or not at all, and heard by whoever has the key and is noted."""

import wave
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from calls.record import CallRecord
from recordings.audit import Audit, By
from recordings.keys import Key, KeyMissing, KeyRing, KeysOpenToOthers, KeysWrong
from recordings.playback import NoAudio, open_audio
from recordings.proof import Proof
from recordings.queries import get
from recordings.store import AUDIOS, Store
from recordings.vault import FRAME_BYTES, PLAIN, AudioBroken, Vault, seal, unseal
from tests.support.audio_of_calls import encrypting, recorded_call
from tests.support.keeping import Surroundings

RING = KeyRing((Key(b"k" * 32),))
NAME = "call.wav"
HEAD_BYTES = 48
SEALED_FRAME = FRAME_BYTES + 16
RECORDING, MESSAGE = AUDIOS


def sealed(plain: bytes, name: str = NAME, ring: KeyRing = RING) -> bytes:
    out = BytesIO()
    assert seal(BytesIO(plain), out, name, ring) == sha256(plain).hexdigest()
    return out.getvalue()


def opened(data: bytes, name: str = NAME, ring: KeyRing = RING) -> bytes:
    return b"".join(unseal(BytesIO(data), name, ring))


def plain_of(frames: float) -> bytes:
    return bytes(number % 251 for number in range(int(FRAME_BYTES * frames)))


# --- the file ------------------------------------------------------------------------------------


@pytest.mark.parametrize("frames", [0, 0.5, 1, 1.5, 2, 3])
def test_what_was_encrypted_is_read_again(frames: float) -> None:
    plain = plain_of(frames)
    data = sealed(plain)
    assert opened(data) == plain
    assert len(plain) < 100 or plain[:100] not in data


def test_the_same_audio_is_never_encrypted_alike() -> None:
    assert sealed(b"audio")[HEAD_BYTES:] != sealed(b"audio")[HEAD_BYTES:]


def frames_of(data: bytes) -> list[bytes]:
    cuts = [HEAD_BYTES, *range(HEAD_BYTES + SEALED_FRAME, len(data), SEALED_FRAME), len(data)]
    return [data[begin:end] for begin, end in pairwise(cuts)]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data[:-1],
        lambda data: data[: HEAD_BYTES + SEALED_FRAME],  # Whole frames, and none of them is changed.
        lambda data: data[:HEAD_BYTES],
        lambda data: data[: HEAD_BYTES - 1],
        lambda data: b"",
        lambda data: data + b"x",
        lambda data: data[:HEAD_BYTES] + b"".join(frames_of(data)[number] for number in (1, 0, 2)),
        lambda data: data[:HEAD_BYTES] + b"".join(frames_of(data)[number] for number in (0, 0, 2)),
        lambda data: data[:HEAD_BYTES] + b"".join(frames_of(data)[number] for number in (0, 2)),
        lambda data: data[:HEAD_BYTES] + frames_of(sealed(plain_of(2.5)))[0] + data[HEAD_BYTES + SEALED_FRAME :],
        lambda data: data[:100] + bytes([data[100] ^ 1]) + data[101:],
        lambda data: data[:20] + bytes([data[20] ^ 1]) + data[21:],
    ],
)
def test_a_file_that_was_cut_swapped_or_changed_is_refused(spoil: Callable[[bytes], bytes]) -> None:
    with pytest.raises(AudioBroken):
        opened(spoil(sealed(plain_of(2.5))))


def test_a_file_under_another_calls_name_is_refused() -> None:
    with pytest.raises(AudioBroken):
        opened(sealed(b"audio"), name="other.wav")


def test_without_its_key_a_file_cannot_be_read_and_the_key_is_named() -> None:
    other = KeyRing((Key(b"o" * 32),))
    with pytest.raises(KeyMissing, match=RING.first.ident.hex()):
        opened(sealed(b"audio"), ring=other)
    with pytest.raises(KeyMissing, match="there is no key"):
        sealed(b"audio", ring=KeyRing())
    assert opened(sealed(b"audio"), ring=KeyRing((other.first, RING.first))) == b"audio", "an older key still reads"


# --- the keys ------------------------------------------------------------------------------------


def text(byte: bytes) -> str:
    return b64encode(byte * 32).decode()


def test_a_key_is_made_once_for_its_owner_alone_and_its_loss_is_warned_of(tmp_path: Path) -> None:
    path = tmp_path / "recordings.key"
    with capture_logs() as logs:
        first = KeyRing.load_or_create(path, {})
        assert KeyRing.load_or_create(path, {}) == first
    assert [(entry["event"], entry["log_level"]) for entry in logs] == [("recordings_key_made", "warning")]
    assert path.stat().st_mode & 0o777 == 0o600
    assert "keep a copy" in path.read_text("utf-8")
    assert repr(first.first.secret) not in repr(first)
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_the_environments_keys_come_before_those_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "recordings.key"
    path.touch(mode=0o600)
    path.write_text(f"# old\n{text(b'b')} # since May\n", "utf-8")
    ring = KeyRing.load(path, {"HOTLINE_RECORDINGS_KEY": text(b"a")})
    assert [key.secret[:1] for key in ring.keys] == [b"a", b"b"]


def test_keys_that_others_can_read_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "recordings.key"
    path.write_text(text(b"a"), "utf-8")
    path.chmod(0o640)
    with pytest.raises(KeysOpenToOthers, match="chmod 600"):
        KeyRing.load(path, {})


@pytest.mark.parametrize("wrong", ["secret", b64encode(b"short").decode(), "ä"])
def test_a_key_that_is_none_is_told_without_being_shown(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(KeysWrong, match="32 bytes in base64") as told:
        KeyRing.load(tmp_path / "none", {"HOTLINE_RECORDINGS_KEY": f"{text(b'a')} {wrong}"})
    assert wrong not in str(told.value)
    assert told.value.line == 2


# --- calls ---------------------------------------------------------------------------------------


async def kept(around: Surroundings, store: Store, vault: Vault) -> CallRecord:
    call = recorded_call(around)
    await around.keeper(store, vault).catch_up()
    return get(store, call.ref)


def heard(around: Surroundings, store: Store, record: CallRecord, keys: KeyRing, message: bool = False) -> bytes:
    audio = MESSAGE if message else RECORDING
    by = By("auditor", "supervisor")
    return b"".join(open_audio(store, record, audio, by, folder=around.recordings, keys=keys, now_utc_ms=1))


@pytest.mark.parametrize("encrypted", [True, False])
async def test_recordings_and_messages_are_heard_as_they_were_and_every_playback_is_noted(
    around: Surroundings, *, encrypted: bool
) -> None:
    vault = encrypting(around) if encrypted else PLAIN
    with Store(around.database) as store:
        call = recorded_call(around)
        spoken = [(around.monitor / f"{call.ref}{ending}").read_bytes() for ending in (".wav", "-message.wav")]
        await around.keeper(store, vault).catch_up()
        record = get(store, call.ref)
        assert [heard(around, store, record, vault.keys, message=one) for one in (False, True)] == spoken
        assert (record.recording_sha256, record.recording_ms) == (sha256(spoken[0]).hexdigest(), 1000)
        with wave.open(BytesIO(spoken[0])) as file:
            assert file.getnframes() == 8000
        assert list(around.monitor.iterdir()) == []
        on_disk = {path.name for path in around.recordings.rglob("*") if path.is_file()}
        ending = ".wav.enc" if encrypted else ".wav"
        assert on_disk == {f"{call.ref}{ending}", f"{call.ref}-message{ending}"}
        assert [(entry.did, entry.what["call"], entry.what["audio"]) for entry in Audit(store).newest(9)] == [
            ("play", call.ref, "message"),
            ("play", call.ref, "recording"),
        ]
        assert list(Proof().faults(store, (around.recordings, vault.keys))) == []


async def test_nothing_plain_is_left_on_the_disk(around: Surroundings) -> None:
    with Store(around.database) as store:
        await kept(around, store, encrypting(around))
    spoken = b" .wav" * 4
    assert not any(spoken in path.read_bytes() for path in around.recordings.parent.rglob("*") if path.is_file())


async def test_whoever_cannot_hear_is_not_said_to_have_listened(around: Surroundings) -> None:
    with Store(around.database) as store:
        record = await kept(around, store, encrypting(around))
        with pytest.raises(KeyMissing):
            heard(around, store, record, KeyRing())
        assert record.recording_file is not None
        (around.recordings / record.recording_file).unlink()
        with pytest.raises(AudioBroken, match="the file is missing"):
            heard(around, store, record, KeyRing())
        assert Audit(store).newest(9) == ()


async def test_plain_audio_that_was_changed_is_told_at_its_end(around: Surroundings) -> None:
    with Store(around.database) as store:
        record = await kept(around, store, PLAIN)
        assert record.recording_file is not None
        path = around.recordings / record.recording_file
        path.write_bytes(path.read_bytes()[:-1] + b"x")
        with pytest.raises(AudioBroken, match="its hash"):
            heard(around, store, record, KeyRing())


async def test_a_call_without_audio_says_why(around: Surroundings) -> None:
    with Store(around.database) as store:
        call = recorded_call(around)
        await around.keeper(store).catch_up()
        for audio in AUDIOS:
            store.keep_audio(call.ref, audio, None, None, None)
        with pytest.raises(NoAudio, match="or there was none"):
            heard(around, store, get(store, call.ref), KeyRing())


async def test_a_crash_before_the_store_is_told_loses_no_encrypted_audio(
    around: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = encrypting(around)

    def crash(*_: object) -> None:
        raise OSError("power failure")

    with Store(around.database) as store:
        call = recorded_call(around)
        with monkeypatch.context() as patched:
            patched.setattr(Store, "keep_audio", crash)
            with pytest.raises(OSError, match="power failure"):
                await around.keeper(store, vault).catch_up()
        await around.keeper(store, Vault(vault.keys, encrypts=False)).catch_up()
        record = get(store, call.ref)
        assert record.recording_file == f"2023/11/15/{call.ref}.wav.enc", "as it was put away before the crash"
        assert heard(around, store, record, vault.keys)[:4] == b"RIFF"


async def test_audio_stays_in_the_spool_while_it_cannot_be_encrypted(around: Surroundings) -> None:
    with Store(around.database) as store:
        call = recorded_call(around)
        with pytest.raises(OSError, match="there is no key"):
            await around.keeper(store, Vault(KeyRing(), encrypts=True)).catch_up()
        assert (around.monitor / f"{call.ref}.wav").exists()
        assert get(store, call.ref).recording_file is None
        await around.keeper(store, encrypting(around)).catch_up()
        assert get(store, call.ref).recording_file is not None
