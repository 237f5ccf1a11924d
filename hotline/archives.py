"""The archive that the settings name: where records are sent on to, and where commands may look."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from calls.record import CallRecord
from calls.timeline import Entry
from hotline.failing import CannotGoOn
from hotline.folders import Folders
from recordings.archive import Archive
from recordings.copy import SqliteArchive
from recordings.postgres import PostgresArchive
from recordings.queries import Wanted
from settings.secrets import Secrets, load_or_create
from settings.shapes import Settings

T = TypeVar("T")


def archive_of(settings: Settings, secrets: Secrets) -> Archive | None:
    """Where the records of this node are sent on to; None: they stay on this machine alone."""
    records = settings.server.records
    if records.postgresql is not None:
        return PostgresArchive(records.postgresql, secrets.postgresql)
    return None if records.copy_to is None else SqliteArchive(Path(records.copy_to))


def find_archived(settings: Settings, data: Path, wanted: Wanted) -> list[CallRecord]:
    """The newest of these calls in the archive. Raises CannotGoOn, ReceiverAway, SecretsWrong, SecretsOpenToOthers."""
    return _asked(settings, data, lambda archive: archive.find(wanted, ZoneInfo(settings.city.timezone)))


def get_archived(settings: Settings, data: Path, begin: str) -> tuple[CallRecord, tuple[Entry, ...]]:
    """The call in the archive whose id begins so. Raises as `find_archived`, and NoSuchCall, SeveralCalls."""

    async def ask(archive: Archive) -> tuple[CallRecord, tuple[Entry, ...]]:
        record = await archive.get(begin)
        return record, await archive.timeline(record.ref)

    return _asked(settings, data, ask)


def _asked(settings: Settings, data: Path, ask: Callable[[Archive], Awaitable[T]]) -> T:
    archive = archive_of(settings, load_or_create(Folders(data).secrets, settings))
    if archive is None:
        raise CannotGoOn("no archive is set up", "write 'postgresql' or 'copy_to' under 'records' in server.yaml")

    async def work() -> T:
        try:
            return await ask(archive)
        finally:
            await archive.close()

    return asyncio.run(work())
