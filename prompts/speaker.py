"""Speaks one text into one WAV file, in a process of its own: `python -m prompts.speaker`.

pyttsx3 drives espeak-ng through a queue that a second thread works off. Its start-up settings and
the end of its loop race with that queue: a rate set in the ordinary way is cancelled now and then,
and `runAndWait` returns before the file exists. So here the queue is empty before each step, the
settings are read back before a word is spoken, and the process ends with them or with an error.

Arguments: voice, words a minute, the file to write. The text comes on standard input, in UTF-8.
Exit status: 0 spoken, 3 no espeak-ng on this machine, 4 settings not taken, 1 anything else.
"""

import os
import sys
from typing import Any

NO_ESPEAK = 3
NOT_TAKEN = 4

_RATE = 1
_CURRENT = 1
"""Of `espeak_GetParameter`, which pyttsx3 calls without its second argument: its own answers are chance."""


def speak(text: str, voice: str, words_per_minute: int, target: str) -> int:
    """Writes the WAV file; returns the exit status."""
    try:
        import pyttsx3  # noqa: PLC0415 - its import is what fails where espeak-ng is missing.
        from pyttsx3.drivers import _espeak as espeak  # noqa: PLC0415
    except (ImportError, RuntimeError, OSError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return NO_ESPEAK
    engine = pyttsx3.init("espeak")
    refused: list[Exception] = []
    engine.connect("error", lambda exception, **_: refused.append(exception))
    espeak.Synchronize()
    engine.setProperty("voice", voice)
    engine.setProperty("rate", words_per_minute)
    engine.proxy.setBusy(False)  # Both are obeyed now, and not together with the end of a loop.
    espeak.Synchronize()
    rate = espeak.dll.espeak_GetParameter(_RATE, _CURRENT)
    if refused or rate != words_per_minute:
        print(f"voice {voice}: {refused or 'taken'}; rate {rate} for {words_per_minute}", file=sys.stderr)  # noqa: T201
        return NOT_TAKEN
    engine.save_to_file(text, target)
    engine.runAndWait()
    return 0


def _end_at_once(problem: Any) -> None:
    """An error in espeak-ng's thread (a full disk) would leave the loop waiting for ever."""
    print(problem.exc_value, file=sys.stderr, flush=True)  # noqa: T201
    os._exit(1)


if __name__ == "__main__":
    sys.unraisablehook = _end_at_once
    status = speak(sys.stdin.buffer.read().decode(), sys.argv[1], int(sys.argv[2]), sys.argv[3])
    sys.stderr.flush()
    os._exit(status)  # The library's own thread is not asked: it may crash on the way out.
