"""Whether the disks have room for what calls leave behind, and for how long."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hotline.doctor.case import Case
from hotline.doctor.findings import Finding
from hotline.space import RESERVE_SHARE, watched
from recordings.standing import UNREADABLE, recorded_bytes
from settings.shapes import Server

LEAST_DAYS = 7.0
LEAST_FILES = 10_000
"""A day of a city's calls makes some ten thousand files at most."""


@dataclass(frozen=True, slots=True)
class Disk:
    """The file system that a folder is on."""

    folder: Path
    device: int
    free_bytes: int
    free_files: int | None
    """None: this kind of file system has no limit."""
    read_only: bool


@dataclass(frozen=True, slots=True)
class Disks:
    """What was seen."""

    disks: tuple[Disk, ...]
    """Of spool, journal and data folder, in this order; recordings are in the data folder."""
    reserve: bool
    recorded_a_day: int
    """Bytes that recordings grew by within the last day, less what becomes due to be removed within a day."""


def look(case: Case) -> Disks:
    """Raises OSError."""
    folders = [folder for folder in watched(case.folders) if folder.exists()]
    if case.folders.recordings.exists():
        folders.append(case.folders.recordings)
    try:
        grown = recorded_bytes(case.folders.records, case.utc_ms, case.settings.retention.audio)
    except UNREADABLE:  # That is told with the records.
        grown = 0
    return Disks(tuple(_disk(folder) for folder in folders), case.folders.reserve.exists(), grown)


def judge(server: Server, seen: Disks) -> Iterator[Finding]:
    mark_bytes = server.recording.stop_below_mb * 1_000_000
    for disk in {disk.device: disk for disk in reversed(seen.disks)}.values():
        yield from _one(disk, mark_bytes)
    yield from _days_left(seen, mark_bytes)
    devices = {disk.device for disk in seen.disks}
    if len(devices) > 1:
        matter = "spool, journal, records and recordings are on different file systems"
        yield Finding("D064", matter, "put the whole data folder on one")
    if not seen.reserve and all(disk.free_bytes >= mark_bytes for disk in seen.disks):
        mend = "it is made anew while 'hotline run' runs: if not, see whether it may write into the data folder"
        yield Finding("D065", "there is no space.reserve in the data folder", mend)


def findings(case: Case) -> Iterator[Finding]:
    return judge(case.settings.server, look(case))


def _one(disk: Disk, mark_bytes: int) -> Iterator[Finding]:
    if disk.read_only:
        mend = "see 'dmesg' for what the disk has; then mount it writable"
        yield Finding("D063", f"the file system of {disk.folder} is read-only", mend)
    if disk.free_bytes < mark_bytes:
        full = ", not even for records" if disk.free_bytes < mark_bytes // RESERVE_SHARE else ""
        matter = f"{_mb(disk.free_bytes)} MB are free for {disk.folder}, {_mb(mark_bytes)} MB are needed{full}"
        yield Finding("D060", matter, "free the disk ('du -x' shows what fills it), or lower recording.stop_below_mb")
    if disk.free_files is not None and disk.free_files < LEAST_FILES:
        matter = f"the file system of {disk.folder} takes {disk.free_files} more files"
        yield Finding("D062", matter, "remove small files that nobody needs ('df -i' shows the count)")


def _days_left(seen: Disks, mark_bytes: int) -> Iterator[Finding]:
    if seen.recorded_a_day <= 0 or not seen.disks:
        return
    last = seen.disks[-1]
    days = (last.free_bytes - mark_bytes) / seen.recorded_a_day
    if 0 < days < LEAST_DAYS:
        matter = f"recordings grow by {_mb(seen.recorded_a_day)} MB a day: {last.folder} has room for {days:.1f} days"
        yield Finding("D061", matter, "give it a larger disk, or keep audio for fewer days (retention.yaml)")


def _mb(count: int) -> int:
    return count // 1_000_000


def _disk(folder: Path) -> Disk:
    told = os.statvfs(folder)
    files = told.f_favail if told.f_files else None
    return Disk(folder, folder.stat().st_dev, told.f_bavail * told.f_frsize, files, bool(told.f_flag & os.ST_RDONLY))
