"""The supervisor's socket and diary."""

import asyncio
import stat
from pathlib import Path

import pytest

from hotline.control import Answered, Wish, ask, listening
from hotline.diary import Diary
from hotline.failing import CannotGoOn
from hotline.folders import Folders
from recordings.restarts import Part, Restarts
from recordings.store import Store

WISH = Wish(part=Part.ASTERISK, why="new cable", who="root", now=True)


async def test_a_wish_reaches_the_supervisor_and_its_answer_comes_back(tmp_path: Path) -> None:
    heard: list[Wish] = []

    async def serve(wish: Wish) -> Answered:
        heard.append(wish)
        return Answered(done=True, matter="", entry=7)

    socket = tmp_path / "supervisor.sock"
    socket.touch()  # A killed supervisor left it.
    async with listening(socket, serve):
        assert stat.S_IMODE(socket.stat().st_mode) == 0o600
        assert await ask(socket, WISH) == Answered(done=True, matter="", entry=7)
        reader, writer = await asyncio.open_unix_connection(socket)
        writer.write(b'{"part": "disk"}\n')
        assert b"that is no request" in await reader.readline()
        writer.close()
        await writer.wait_closed()
    assert heard == [WISH]
    assert not socket.exists()


async def test_without_a_hotline_a_wish_is_refused_in_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(CannotGoOn, match="no hotline runs in"):
        await ask(tmp_path / "supervisor.sock", WISH)


async def test_a_restart_is_written_down_as_soon_as_the_store_lets_it(tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    diary = Diary(folders)
    folders.records.mkdir()  # What stands there cannot be opened.
    assert await diary.restart(Part.ASTERISK, "it died", None, 5, wait=False) is None
    folders.records.rmdir()
    entry = await diary.restart(Part.CONTROLLER, "why", "root", 6)
    assert entry is not None
    for _ in range(600):
        with Store(folders.records) as store:
            kept = Restarts(store).newest(5)
        if len(kept) == 2:
            break
        await asyncio.sleep(0.1)
    assert {(one.part, one.ended_utc_ms) for one in kept} == {(Part.ASTERISK, 5), (Part.CONTROLLER, 6)}
    await diary.close()


async def test_a_supervisor_that_was_not_told_to_end_is_known_by_what_it_left(tmp_path: Path) -> None:
    first = Diary(Folders(tmp_path))
    assert first.last_alive_utc_ms() is None
    first.alive()
    assert Diary(Folders(tmp_path)).last_alive_utc_ms() is not None
    await first.close()
    assert Diary(Folders(tmp_path)).last_alive_utc_ms() is None
