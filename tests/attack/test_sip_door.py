"""Who is not signed in learns nothing at the SIP port, and who guesses is kept out; a real Asterisk."""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path

import pytest
import pytest_asyncio

from dialplan.doors import GUARD_USER
from hotline.bans import Guard
from hotline.folders import Folders
from hotline.instance import Instance
from hotline.office import Office
from hotline.stage import NeverHappened, until
from recordings.audit import Audit, By
from recordings.bans import Bans
from recordings.store import Store
from settings.shapes import Settings
from tests.support.city_asterisk import PASSWORD, secrets_of
from tests.support.raw_sip import alike, encoded, stranger
from tests.support.scanners import scan, scanning
from tests.support.settings_maker import PLAIN, city
from tests.support.town import Town, in_town

pytestmark = pytest.mark.asyncio(loop_scope="module")

METHODS = ("REGISTER", "INVITE", "OPTIONS", "SUBSCRIBE", "MESSAGE", "NOTIFY", "PUBLISH", "REFER", "INFO", "UPDATE")
SOMEBODY, NOBODY = "8001", "7777"
FAILURES = 5
SPARED = "127.0.0.77"


def guarded_city() -> Settings:
    bans = {"failures": FAILURES, "within": "10m", "for": "1h", "never": [SPARED]}
    return city(server={**PLAIN["server"], "bans": bans})


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Town, Path]]:
    data = tmp_path_factory.mktemp("door")
    async with in_town(guarded_city(), data / "asterisk") as town:
        yield town, data


@pytest_asyncio.fixture(loop_scope="module")
async def town(running: tuple[Town, Path]) -> Town:
    await running[0].clear()
    return running[0]


@dataclass
class Guarded:
    """A town whose SIP port is guarded, as beside a controller."""

    town: Town
    data: Path

    async def refused(self) -> set[str]:
        """Who is refused now."""
        told = await self.town.asterisk.say("acl show bans")
        return {line.split()[3].partition("/")[0] for line in told.splitlines() if " deny - " in line}

    async def banned(self, *addresses: str) -> None:
        """Waits until these are refused, and nobody else."""
        deadline = time.monotonic() + 30
        while (found := await self.refused()) != set(addresses):
            assert time.monotonic() < deadline, f"{found} are refused, not {addresses}"
            await asyncio.sleep(0.05)

    def audited(self) -> list[tuple[str, str]]:
        with Store(self.data / "records.db") as store:
            return [(entry.did, entry.what["address"]) for entry in reversed(Audit(store).newest(50))]

    def lift(self, address: str) -> None:
        """As `bin/hotline bans --lift` does."""
        with Store(self.data / "records.db") as store:
            assert Bans(store).lift(address, "lifted", By("a test", "command"), time.time_ns() // 1_000_000)


@asynccontextmanager
async def guarding(town: Town, data: Path) -> AsyncIterator[Guarded]:
    instance = Instance(
        town.asterisk.settings, Folders(data), secrets_of(town.asterisk.settings), town.asterisk.found, data / "prompts"
    )
    async with Office(instance.folders.records) as office, asyncio.TaskGroup() as tasks:
        working = tasks.create_task(office.run())
        guard = tasks.create_task(Guard(instance, office).run())
        try:
            await town.asterisk.until_said("manager show connected", GUARD_USER)
            yield Guarded(town, data)
        finally:
            guard.cancel()
            await asyncio.wait([guard])
            office.stop()
            await working


@pytest_asyncio.fixture(loop_scope="module")
async def guarded(town: Town, tmp_path: Path, running: tuple[Town, Path]) -> AsyncIterator[Guarded]:
    """Nobody is banned at first, and afterwards."""
    data = running[1]
    for part in data.glob("records.db*"):
        part.unlink()
    async with guarding(town, data) as found:
        await found.banned()
        yield found
        with Store(data / "records.db") as store:
            left = [ban.address for ban in Bans(store).all()]
        for address in left:
            found.lift(address)
        await found.banned()


async def until_banned(town: Town, address: str) -> int:
    """Guesses until nothing but a refusal comes; how many guesses were weighed before."""
    weighed, deadline = 0, time.monotonic() + 30
    with stranger(town.asterisk.server, address) as guesser:
        while not (await guesser.guess(SOMEBODY, f"wrong{weighed}")).startswith("SIP/2.0 403"):
            weighed += 1
            assert time.monotonic() < deadline, f"nobody was banned after {weighed} guesses"
    return weighed


@pytest.mark.parametrize("method", METHODS)
async def test_an_account_that_is_there_is_answered_as_one_that_is_not(town: Town, method: str) -> None:
    with stranger(town.asterisk.server, "127.0.0.9") as someone:
        answers = [
            alike(await someone.ask(someone.message(method, user, "Event: presence", "Expires: 60")), user)
            for user in (SOMEBODY, NOBODY, SOMEBODY, NOBODY)
        ]
    assert len(set(answers)) == 1, answers
    assert answers[0].startswith("SIP/2.0 401 ")


async def test_a_guess_at_an_account_that_is_there_is_answered_as_one_at_none(town: Town) -> None:
    with stranger(town.asterisk.server, "127.0.0.9") as someone:
        answers = [alike(await someone.guess(user, "wrong"), user) for user in (SOMEBODY, NOBODY)]
    assert answers[0] == answers[1]


async def test_no_answer_takes_longer_because_an_account_is_there(town: Town) -> None:
    """By its median: the same order of time, whatever the machine does meanwhile."""
    took: dict[str, list[float]] = {SOMEBODY: [], NOBODY: []}
    with stranger(town.asterisk.server, "127.0.0.9") as someone:
        for _ in range(100):
            for user, times in took.items():
                began_s = time.perf_counter()
                await someone.ask(someone.message("REGISTER", user))
                times.append(time.perf_counter() - began_s)
    there, nowhere = (statistics.median(times) for times in took.values())
    assert max(there, nowhere) < 5 * min(there, nowhere), took


async def test_no_answer_names_a_program_or_its_version(town: Town) -> None:
    with stranger(town.asterisk.server, "127.0.0.9") as someone:
        answers = [await someone.ask(someone.message(method, NOBODY)) for method in METHODS]
    with stranger(town.asterisk.server, "127.0.0.2") as carrier:
        answers += [await carrier.ask(carrier.message(method, NOBODY)) for method in ("OPTIONS", "REGISTER")]
    named = [line for answer in answers for line in answer.splitlines() if line.startswith(("Server", "User-Agent"))]
    assert set(named) == {"Server: hotline"}
    assert not [answer for answer in answers if "asterisk" in answer.lower() or "22." in answer]


async def test_a_guesser_is_banned_and_a_citizen_is_not(guarded: Guarded) -> None:
    town = guarded.town
    weighed = await until_banned(town, "127.0.0.40")
    assert weighed >= FAILURES - 1
    await guarded.banned("127.0.0.40")
    with stranger(town.asterisk.server, "127.0.0.40") as guesser:
        for method in METHODS:
            refusal = await guesser.ask(guesser.message(method, SOMEBODY))
            assert refusal.startswith("SIP/2.0 403 "), "a banned address is told nothing else"
            assert "WWW-Authenticate" not in refusal
        assert (await guesser.guess(SOMEBODY, PASSWORD)).startswith("SIP/2.0 403 "), "the right password is late"
    with stranger(town.asterisk.server, "127.0.0.41") as other:
        assert (await other.ask(other.message("OPTIONS", NOBODY))).startswith("SIP/2.0 401 ")
    call, _ = await town.call("110")
    await call.answered()
    await call.hang_up()
    assert guarded.audited() == [("ban", "127.0.0.40")]


async def test_who_asks_for_accounts_that_are_not_there_is_banned_and_whoever_asks_for_one_that_is_is_not(
    guarded: Guarded,
) -> None:
    with stranger(guarded.town.asterisk.server, "127.0.0.43") as telephone:
        for _ in range(4 * FAILURES):
            await telephone.ask(telephone.message("REGISTER", SOMEBODY))
    with stranger(guarded.town.asterisk.server, "127.0.0.42") as scanner:
        for serial in range(FAILURES):
            await scanner.ask(scanner.message("OPTIONS", f"70{serial:02}"))
    await guarded.banned("127.0.0.42")


async def test_a_ban_is_lifted_by_a_command_and_outlives_a_new_asterisk_and_a_new_controller(
    running: tuple[Town, Path], town: Town
) -> None:
    data = running[1]
    async with guarding(town, data) as first:
        await until_banned(town, "127.0.0.44")
        await first.banned("127.0.0.44")
    # As a new configuration is: nobody is on it.
    acl = town.asterisk.places.etc / "acl.conf"
    acl.write_text(town.asterisk.compiled.files["acl.conf"], encoding="utf-8")
    await town.asterisk.say("module reload acl")
    async with guarding(town, data) as second:
        await second.banned("127.0.0.44")
        second.lift("127.0.0.44")
        await second.banned()
    with stranger(town.asterisk.server, "127.0.0.44") as forgiven:
        assert (await forgiven.guess(SOMEBODY, PASSWORD)).startswith("SIP/2.0 200 ")


async def test_trunks_and_spared_addresses_are_never_banned(guarded: Guarded) -> None:
    for address in ("127.0.0.3", "127.0.0.5", SPARED):
        with stranger(guarded.town.asterisk.server, address) as forged:
            for serial in range(3 * FAILURES):
                await forged.ask(forged.message("OPTIONS", f"70{serial:02}"))
    await until_banned(guarded.town, "127.0.0.45")
    await guarded.banned("127.0.0.45")
    assert IPv4Network(SPARED) in guarded.town.asterisk.settings.server.bans.never


async def test_a_seat_that_signs_in_makes_its_address_known_and_takes_failures_away(guarded: Guarded) -> None:
    with stranger(guarded.town.asterisk.server, "127.0.0.46") as office:
        assert (await office.guess(SOMEBODY, PASSWORD)).startswith("SIP/2.0 200 ")
        for serial in range(3 * FAILURES):
            assert (await office.guess("8002", f"wrong{serial}")).startswith("SIP/2.0 401 ")
        assert (await office.guess(SOMEBODY, PASSWORD)).startswith("SIP/2.0 200 ")
    assert await until_banned(guarded.town, "127.0.0.46") >= 10 * FAILURES - 1
    await guarded.banned("127.0.0.46")


async def test_forged_lines_in_a_name_ban_nobody_else_and_make_nobody_known(guarded: Guarded) -> None:
    """Asterisk's own events take percent-encoded line breaks for real ones."""
    lines = ("a\r\nRemoteAddress: IPV4/UDP/6.6.6.6/1", "\r\n\r\nEvent: SuccessfulAuth", "a\r\n\r\nEvent: ChallengeSent")
    with stranger(guarded.town.asterisk.server, "127.0.0.47") as forger:
        for line in lines:
            for _ in range(FAILURES):
                answer = await forger.ask(forger.message("OPTIONS", encoded(line)))
                assert answer.startswith(("SIP/2.0 401 ", "SIP/2.0 403 "))
    await guarded.banned("127.0.0.47")


async def test_a_ban_comes_while_calls_go_on(guarded: Guarded) -> None:
    town = guarded.town
    call, caller = await town.call("110")
    await call.answered()
    await until_banned(town, "127.0.0.48")
    await guarded.banned("127.0.0.48")
    assert town.channel(caller) in await town.asterisk.say("core show channels concise")
    await call.hang_up()
    ended = await town.asterisk.ended(caller)
    assert any(row.kind == "BRIDGE_ENTER" for row in ended)


async def test_a_cracker_that_has_the_password_in_its_list_comes_too_late(
    running: tuple[Town, Path], town: Town, tmp_path: Path
) -> None:
    """It tries from this machine's first address. The one list is short enough, the other one is not."""
    address, port = town.asterisk.server
    words = ("-p", str(port), "-u", SOMEBODY, "-d", "words", address)
    (tmp_path / "words").write_text(f"wrong\n{PASSWORD}\n")
    assert PASSWORD in await scan("svcrack", tmp_path, *words)
    (tmp_path / "words").write_text("".join(f"wrong{number}\n" for number in range(2000)) + f"{PASSWORD}\n")
    async with guarding(town, running[1]) as guarded:

        async def tried() -> bool:
            """Now and then it waits for ever for an answer: then it is started again."""
            async with scanning("svcrack", tmp_path, *words) as cracker:
                with suppress(NeverHappened):
                    await until("its end, or a ban", lambda: over(cracker), within_s=10)
            return address in await guarded.refused()

        async def over(cracker: asyncio.subprocess.Process) -> bool:
            return cracker.returncode is not None or address in await guarded.refused()

        await until("a ban", tried, seen=(tmp_path / "svcrack.out").read_text)
        assert PASSWORD not in (tmp_path / "svcrack.out").read_text()
        guarded.lift(address)
        await guarded.banned()
