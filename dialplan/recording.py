"""What is said on a call is kept."""

from calls.journal import RecordingStarted
from dialplan.journal import wrote
from dialplan.names import MUSIC
from dialplan.values import At, Do, GotoIf, Here, Move, Put, code
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
        Put("HL_RECORDED", "yes"),
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


def recorded_past(settings: Settings, label: str = "past") -> tuple[Move | At, ...]:
    """The same after a leg that did not answer: it may have spoken all the same, as carriers do to tell why.

    For callers who may be recorded or not. `label` is of no other step of the extension.
    """
    if not settings.server.recording.enabled:
        return ()
    return (
        GotoIf(code('"${HL_RECORDED}" != "yes"'), Here(label)),
        *recorded_on(settings),
        At(label, Do("NoOp")),
    )
