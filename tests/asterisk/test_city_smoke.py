"""The city on a real Asterisk, seen from outside its processes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import IPv4Address
from pathlib import Path

from asterisk.listens import listening
from hotline.asking import Running
from hotline.stage import Stage, staged
from settings.shapes import Settings
from tests.support.certificates import certificate
from tests.support.quick_city import quick_city

MAY_HOLD_SECRETS = {"secrets.yaml", "command.token", "asterisk/etc/manager.conf", "asterisk/etc/pjsip.conf"}


def with_tls(settings: Settings, folder: Path) -> Settings:
    """Its manager interface is at another address of loopback, where connections come from 127.0.0.1 all the same."""
    http = settings.server.http.model_copy(update={"tls": certificate(folder)})
    ami = settings.server.ami.model_copy(update={"address": IPv4Address("127.0.0.5")})
    return settings.model_copy(update={"server": settings.server.model_copy(update={"http": http, "ami": ami})})


@asynccontextmanager
async def city(folder: Path, sounds: Path) -> AsyncIterator[tuple[Stage, Path]]:
    """A city that speaks TLS, its data folder, and what its controller logs beside that."""
    data, log = folder / "data", folder / "controller.log"
    with log.open("w", encoding="utf-8") as output:
        async with staged(with_tls(quick_city(), folder), data, seats=["8001"], prompts=sounds, output=output) as stage:
            yield stage, data


def holding(data: Path, secrets: tuple[str, ...]) -> dict[str, int]:
    """Files with one of the secrets in them, by their path below the folder, with their mode."""
    return {
        path.relative_to(data).as_posix(): path.stat().st_mode & 0o777
        for path in data.rglob("*")
        if path.is_file() and any(secret.encode() in path.read_bytes() for secret in secrets)
    }


async def test_a_city_serves_nobody_beyond_loopback_and_its_secrets_stay_where_they_are(
    tmp_path: Path, sounds: Path
) -> None:
    async with city(tmp_path, sounds) as (stage, data):
        boot, controller = stage.supervisor.asterisk.boot, stage.supervisor.controller_pid
        assert boot is not None
        assert controller is not None
        server, passwords = stage.instance.settings.server, stage.instance.secrets
        found = {str(one) for pid in (boot.pid, controller) for one in listening(pid) if one.loopback_only}
        wide = [one for pid in (boot.pid, controller) for one in listening(pid) if not one.loopback_only]
        # Over TLS, by its certificate.
        running = Running.of(data)
        assert running.url == f"https://127.0.0.1:{server.http.port}"
        assert (await running.get("/me"))["name"] == "command line"
    assert f"udp 127.0.0.1:{server.sip.port}" in found
    assert f"tcp 127.0.0.5:{server.ami.port}" in found
    assert f"tcp 127.0.0.1:{server.http.port}" in found
    # PJSIP's own name look-ups: one client socket for IPv4, one for IPv6 (docs/decisions/0008).
    assert [str(one).rpartition(":")[0] for one in sorted(wide)] in ([], ["udp 0.0.0.0", "udp [::]"])
    secrets = (passwords.ami, *passwords.seats.values(), running.secret)
    held = holding(tmp_path, secrets)
    assert {path.removeprefix("data/") for path in held} == MAY_HOLD_SECRETS
    assert set(held.values()) == {0o600}
