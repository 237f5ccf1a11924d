"""How long calls are kept."""

from collections.abc import Iterator

from settings.keeping import Keep, RetentionFile
from settings.problems import Problem
from settings.read import Draft

_FILE = "retention.yaml"


def audio_outlives(draft: Draft) -> Iterator[Problem]:
    """Audio goes with its record at the latest: nobody could find it any more."""
    if not draft.sound(_FILE):
        return
    file = draft.settings.retention
    rules: list[tuple[tuple[str, ...], Keep | RetentionFile]] = [
        ((), file),
        (("confidential",), file.confidential),
        *((("numbers", number), keep) for number, keep in file.numbers.items()),
    ]
    for path, keep in rules:
        records = keep.records or file.records
        if keep.audio is not None and keep.audio > records:
            place = draft.places.value(_FILE, *path, "audio")
            matter = f"audio is to be kept for {keep.audio} days, and its record for {records}"
            yield Problem(place, "S094", matter, f"write at most {records}d, or keep the record for as long")


def confidential_in_the_clear(draft: Draft) -> Iterator[Problem]:
    if not draft.sound("server.yaml", "numbers.yaml"):
        return
    recording = draft.settings.server.recording
    if not recording.enabled or recording.encrypted:
        return
    for number, entry in draft.settings.numbers.items():
        if entry.confidential:
            place = draft.places.value("numbers.yaml", number, "confidential")
            matter = f"calls to {number} are confidential, but recordings are not encrypted on the disk"
            yield Problem(place, "S095", matter, "write 'encrypted: true' under recording in server.yaml")
