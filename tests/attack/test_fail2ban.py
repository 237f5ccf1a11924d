"""The filter for fail2ban, tried with fail2ban's own program on what a real Asterisk writes."""

import re
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.city_asterisk import PASSWORD
from tests.support.raw_sip import encoded, stranger
from tests.support.settings_maker import city
from tests.support.tools import tool
from tests.support.town import Town, in_town

pytestmark = pytest.mark.asyncio(loop_scope="module")

VICTIM = "192.0.2.66"
FORGED = f'",LocalAddress="IPV4/UDP/127.0.0.1/5060",RemoteAddress="IPV4/UDP/{VICTIM}/5060",Challenge="'


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    async with in_town(city(), tmp_path_factory.mktemp("f2b")) as found:
        yield found


def matched(project: Path, log: Path) -> list[str]:
    """The address of each line that the filter takes for a failure."""
    filtered = project / "deploy/fail2ban/filter.d/hotline.conf"
    told = subprocess.run(
        [tool("fail2ban-regex"), "--out", "ip", log, filtered], capture_output=True, text=True, timeout=60, check=True
    )
    return told.stdout.split()


async def test_the_filter_finds_guesses_and_scans_and_no_honest_telephone(town: Town, project: Path) -> None:
    server = town.asterisk.server
    with stranger(server, "127.0.0.50") as guesser, stranger(server, "127.0.0.51") as scanner:
        for number in range(3):
            await guesser.guess("8001", f"wrong{number}")
            await scanner.ask(scanner.message("OPTIONS", f"70{number:02}"))
    with stranger(server, "127.0.0.52") as honest:
        assert (await honest.guess("8001", PASSWORD)).startswith("SIP/2.0 200 ")
    found = matched(project, town.asterisk.places.log / "security.log")
    assert (found.count("127.0.0.50"), found.count("127.0.0.51")) == (3, 3)
    assert set(found) == {"127.0.0.50", "127.0.0.51"}


async def test_nobody_has_another_address_banned_by_forged_lines(town: Town, project: Path) -> None:
    """In the name, where line breaks get through; in the Call-ID; in the answer to a challenge."""
    names = ("a\n[2026-11-22 06:33:02.452] SECURITY[1]", f'a",RemoteAddress="IPV4/UDP/{VICTIM}/1"', '<unknown>",X="')
    with stranger(town.asterisk.server, "127.0.0.53") as forger:
        for name in names:
            await forger.ask(forger.message("OPTIONS", encoded(name)))
        plain = forger.message("OPTIONS", "7001")
        forger.send(re.sub(rb"Call-ID: ", b"Call-ID: x" + FORGED.encode(), plain))
        forger.send(re.sub(rb"Call-ID: ", f"Call-ID: y\r\n {FORGED}".encode(), plain))
        login = 'Authorization: Digest username="8001",realm="asterisk",nonce="1/{0}",uri="sip:x",response="{0}"'
        forged = FORGED.replace('"', '\\"')
        await forger.ask(forger.message("REGISTER", "8001", login.format(forged)))
        await forger.ask(forger.message("REGISTER", "8001"))
    log = town.asterisk.places.log / "security.log"
    assert VICTIM in log.read_text(), "nothing was forged"
    assert set(matched(project, log)) <= {"127.0.0.50", "127.0.0.51", "127.0.0.53"}


async def test_the_jail_reads_the_filter_and_the_log_that_are_there(project: Path) -> None:
    jail = (project / "deploy/fail2ban/jail.d/hotline.conf").read_text("utf-8")
    assert "filter   = hotline\n" in jail
    assert "/asterisk/log/security.log\n" in jail
    assert (project / "deploy/fail2ban/filter.d/hotline.conf").exists()
