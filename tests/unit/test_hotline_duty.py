"""How a new controller begins is on the disk at once, whatever else is gathered."""

from pathlib import Path

import pytest

from hotline.duty import DutyLog
from hotline.office import Office
from recordings.duty import DutyRow


def row(state: str, *, agent: str | None = "1001", reason: str = "", at: int = 0) -> DutyRow:
    return DutyRow("8011", agent, state, reason, None, at)


async def kept_at_once(folder: Path, *noted: DutyRow) -> list[str]:
    """What was handed over of changes that came one after the other, before any time has passed."""
    async with Office(folder / "records.db") as office:
        log = DutyLog(office)
        for at, one in enumerate(noted, 1):
            log.note([DutyRow(one.seat, one.agent, one.state, one.reason, one.call, at)])
        office.stop()
        await office.run()
        standing = await office.do(lambda books: books.duty.standing())
        log.flush()
        return [f"{one.agent} {one.state} {one.reason}".strip() for one in standing.values()]


@pytest.mark.parametrize(
    ("noted", "kept"),
    [
        ([row("idle")], ["1001 idle"]),
        ([row("idle"), row("offline"), row("unreachable")], ["1001 unreachable"]),
        ([row("idle"), row("paused", reason="meal")], ["1001 paused meal"]),
        ([row("paused", reason="meal"), row("paused", reason="break")], ["1001 paused break"]),
        ([row("paused", reason="meal"), row("idle")], ["1001 idle"]),
        ([row("idle"), row("offline")], ["1001 offline"]),
        ([row("idle"), row("idle", agent="1002")], ["1002 idle"]),
        ([row("idle"), row("ringing"), row("talking")], ["1001 idle"]),
        ([row("idle", agent=None), row("busy", agent=None)], []),
    ],
)
async def test_what_decides_how_a_new_controller_begins_is_written_at_once(
    tmp_path: Path, noted: list[DutyRow], kept: list[str]
) -> None:
    assert await kept_at_once(tmp_path, *noted) == kept


async def test_what_was_gathered_stands_before_what_is_written_at_once(tmp_path: Path) -> None:
    noted = [row("idle"), row("ringing"), row("talking"), row("offline")]
    assert await kept_at_once(tmp_path, *noted) == ["1001 offline"]
