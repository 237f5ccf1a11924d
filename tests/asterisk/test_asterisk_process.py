"""A real Asterisk is started, watched, adopted and stopped."""

import asyncio
import os
import resource
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from asterisk.candidate import rehearse
from asterisk.console import CommandUnknown, ConsoleFailed, ConsoleSilent, NotRunning, console
from asterisk.found import Asterisk, find
from asterisk.listens import Listening, listening
from asterisk.process import AlreadyRunning, AsteriskProcess, StartFailed
from tests.support.small_asterisk import SmallAsterisk, write_small


@pytest.fixture(scope="module")
def found() -> Asterisk:
    return find()


@pytest.fixture
def small(found: Asterisk, tmp_path: Path) -> SmallAsterisk:
    return write_small(found, tmp_path)


@pytest.fixture
async def process(found: Asterisk, small: SmallAsterisk) -> AsyncIterator[AsteriskProcess]:
    made = AsteriskProcess(found, small.conf)
    yield made
    await made.stop()


def alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


async def test_it_boots_listens_where_it_was_told_and_stops_without_a_trace(
    process: AsteriskProcess, small: SmallAsterisk
) -> None:
    boot = await process.start()
    assert process.running()
    assert await process.answers()
    listens = listening(boot.pid)
    assert Listening("tcp", "127.0.0.1", small.access.port) in listens
    assert Listening("udp", "127.0.0.1", small.sip_port) in listens
    assert all(entry.loopback_only for entry in listens if entry.protocol == "tcp")
    await process.stop()
    assert not alive(boot.pid)
    assert not process.running()
    assert "Asterisk cleanly ending (0)." in process.console_log.read_text()


async def test_a_start_that_fails_shows_asterisks_own_error(found: Asterisk, tmp_path: Path) -> None:
    written = write_small(found, tmp_path, modules="require=app_of_nobody.so\n")
    process = AsteriskProcess(found, written.conf)
    with pytest.raises(StartFailed, match=r"app_of_nobody\.so: cannot open shared object file") as caught:
        await process.start()
    assert "ended while it started" in caught.value.why
    assert not process.running()


async def test_a_folder_whose_path_is_too_long_for_the_console_is_refused_at_once(
    found: Asterisk, tmp_path: Path
) -> None:
    long = tmp_path / "a-folder-with-quite-a-long-name" / "in-another-one-whose-name-is-not-short-either"
    process = AsteriskProcess(found, write_small(found, long).conf)
    with pytest.raises(StartFailed, match="use a folder with a shorter path"):
        await process.start()
    assert not process.running()


async def test_a_second_one_of_the_same_configuration_is_refused(
    process: AsteriskProcess, found: Asterisk, small: SmallAsterisk
) -> None:
    boot = await process.start()
    with pytest.raises(AlreadyRunning, match=str(boot.pid)):
        await AsteriskProcess(found, small.conf).start()
    assert process.running()


async def test_a_hung_one_is_noticed_and_killed(process: AsteriskProcess) -> None:
    boot = await process.start()
    os.kill(boot.pid, signal.SIGSTOP)
    assert not await process.answers(bound_s=0.5)
    with pytest.raises(ConsoleSilent):
        await console(process.found, process.conf, "core show uptime", bound_s=0.5)
    await process.stop(patience_s=0.5)
    assert not alive(boot.pid)


async def test_its_end_is_noticed_with_its_exit_code(process: AsteriskProcess) -> None:
    boot = await process.start()
    os.kill(boot.pid, signal.SIGKILL)
    async with asyncio.timeout(20):
        assert await process.ended() == -signal.SIGKILL
    assert not process.running()
    assert not alive(boot.pid), "a zombie is left"


async def test_after_a_kill_it_starts_again_as_another_boot(process: AsteriskProcess) -> None:
    first = await process.start()
    os.kill(first.pid, signal.SIGKILL)
    await process.ended()
    second = await process.start()
    assert second != first
    assert second.pid_file_ns > first.pid_file_ns


async def test_who_comes_later_adopts_the_running_one_and_can_stop_it(
    process: AsteriskProcess, found: Asterisk, small: SmallAsterisk
) -> None:
    boot = await process.start()
    heir = AsteriskProcess(found, small.conf)
    assert await heir.adopt() == boot
    stopping = asyncio.create_task(heir.stop())
    assert await process.ended() == 0
    await stopping
    assert not heir.running()


async def test_there_is_nothing_to_adopt_where_nothing_runs(process: AsteriskProcess) -> None:
    assert await process.adopt() is None
    process.run_dir.mkdir(exist_ok=True)
    # Left by one that was killed; the number belongs to another program by now.
    (process.run_dir / "asterisk.pid").write_text(f"{os.getpid()}\n")
    assert await process.adopt() is None


async def test_a_hung_one_is_not_adopted_but_ended(
    process: AsteriskProcess, found: Asterisk, small: SmallAsterisk
) -> None:
    boot = await process.start()
    os.kill(boot.pid, signal.SIGSTOP)
    killing = asyncio.create_task(AsteriskProcess(found, small.conf).adopt(bound_s=0.5))
    assert await process.ended() == -signal.SIGKILL
    assert await killing is None


async def test_it_outlives_whoever_started_it(process: AsteriskProcess) -> None:
    boot = await process.start()
    assert os.getsid(boot.pid) == boot.pid
    assert os.getpgid(boot.pid) != os.getpgid(0)
    output = await asyncio.to_thread(Path(f"/proc/{boot.pid}/fd/1").readlink)
    assert output == process.console_log, "a pipe would end it with its reader"


async def test_it_may_open_as_many_files_as_many_calls_need(process: AsteriskProcess) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 512), hard))
    try:
        boot = await process.start()
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == min(soft, 512)
        assert resource.prlimit(boot.pid, resource.RLIMIT_NOFILE)[0] == min(hard, 65_536)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_a_start_that_is_given_up_leaves_nothing_running(process: AsteriskProcess) -> None:
    starting = asyncio.create_task(process.start())
    async with asyncio.timeout(20):
        while process._child is None:  # noqa: ASYNC110
            await asyncio.sleep(0)
    starting.cancel()
    await asyncio.wait({starting})
    assert not process.running()


async def test_the_console_answers_and_tells_what_it_does_not_know(process: AsteriskProcess) -> None:
    with pytest.raises(NotRunning):
        await console(process.found, process.conf, "core show version")
    await process.start()
    assert "Asterisk" in await console(process.found, process.conf, "core show version")
    with pytest.raises(CommandUnknown):
        await console(process.found, process.conf, "core make coffee")
    with pytest.raises(ConsoleFailed, match="control character"):
        await console(process.found, process.conf, "core show version\ncore stop now")


async def test_a_candidate_is_rehearsed_and_its_mistakes_are_told(found: Asterisk, tmp_path: Path) -> None:
    written = write_small(found, tmp_path, modules="load=app_of_nobody.so\n")
    (tmp_path / "etc/extensions.conf").write_text("[room]\nexten => s,1,NoSuchThing(\nexten =>\n")
    rehearsal = await rehearse(found, written.conf)
    assert rehearsal.failure is None
    told = "\n".join(str(complaint) for complaint in rehearsal.complaints)
    assert "app_of_nobody.so" in told
    assert "pbx_config.c" in told
    assert not (tmp_path / "run/asterisk.pid").exists(), "the second Asterisk is still there"


async def test_a_candidate_that_does_not_boot_says_so(found: Asterisk, tmp_path: Path) -> None:
    written = write_small(found, tmp_path, modules="require=app_of_nobody.so\n")
    rehearsal = await rehearse(found, written.conf)
    assert rehearsal.failure is not None
    assert "app_of_nobody.so" in rehearsal.failure
