"""Calls that leave audio in Asterisk's spool."""

import wave

from recordings.keys import KeyRing
from recordings.vault import Vault
from tests.support.journal_lines import BEGIN_US, MadeCall
from tests.support.keeping import Surroundings


def recorded_call(
    around: Surroundings, serial: int = 1, *, begin_us: int = BEGIN_US, seconds: int = 1, dialled: str = "12345"
) -> MadeCall:
    """A call that has ended and left its recording, and a message after the mark, in the spool."""
    call = MadeCall(serial, begin_us=begin_us)
    call.arrive(dialled=dialled)
    call.step("RECORDING", file=f"{call.ref}.wav")
    call.talk()
    call.step("RATED", mark=5)
    call.step("MESSAGE", file=f"{call.ref}-message.wav")
    call.end()
    around.write(call.lines)
    for ending in (".wav", "-message.wav"):
        with wave.open(str(around.monitor / f"{call.ref}{ending}"), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes(f"{ending:>16}".encode() * (1000 * seconds))
    return call


def encrypting(around: Surroundings) -> Vault:
    """Keeps audio encrypted, with a key of these surroundings."""
    return Vault(KeyRing.load_or_create(around.recordings.parent / "recordings.key", {}), encrypts=True)
