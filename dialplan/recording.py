"""What is said on a call is kept."""

from calls.journal import RecordingStarted
from dialplan.journal import wrote
from dialplan.names import MUSIC
from dialplan.values import Do, Move, code
from settings.shapes import Settings

_FILE = code("${HL_REF}.wav")
_LETTING_GO_S = code("0.06")
"""Three frames of music: with the first one Asterisk forgets a recorder that was stopped."""


def recorded(settings: Settings) -> tuple[Move, ...]:
    """From here on, while the caller is connected with somebody; nothing where the settings say so."""
    if not settings.server.recording.enabled:
        return ()
    return (
        Do("MixMonitor", (_FILE, "b")),
        wrote(RecordingStarted, file=_FILE),
    )


def recorded_on(settings: Settings) -> tuple[Move, ...]:
    """The same recording goes on with whoever the caller is connected with next.

    A recorder takes the next leg's sound for frames that come too late if that leg's RTP counts from
    a lower number than the last one's: half of all second legs would not be heard. A new one does not.
    """
    if not settings.server.recording.enabled:
        return ()
    return (
        Do("StopMixMonitor"),
        Do("StartMusicOnHold", (MUSIC,)),
        Do("Wait", (_LETTING_GO_S,)),
        Do("StopMusicOnHold"),
        Do("MixMonitor", (_FILE, "ab")),
    )
