"""Paths that want to leave where they are: nothing is read but what the record names, below its folder."""

import asyncio
from pathlib import Path

import pytest

from recordings.keys import KeyRing
from recordings.playback import plain_audio
from recordings.vault import AudioBroken
from tests.support.served_interface import interface
from web.api import ROUTES
from web.desk import Role

OUTSIDE = (
    "..",
    "../..",
    "..%2f..%2f..%2fetc%2fpasswd",
    "%2e%2e/%2e%2e/%2e%2e/etc/passwd",
    "%2e%2e%2f%2e%2e%2fsecrets.yaml",
    "%252e%252e%252fsecrets.yaml",
    "..%5c..%5csecrets.yaml",
    "..%c0%af..%c0%afetc%c0%afpasswd",
    "%2fetc%2fpasswd",
    "/etc/passwd",
    "//etc/passwd",
    "1001%00.wav",
    "1001%0d%0aX-Injected:%20yes",
    "1001;ls",
    "$(id)",
    "%24%7bjndi:ldap://x%7d",
    "'%20OR%201=1--",
    "１００１",
    "x" * 5000,
)


async def asked(port: int, method: str, target: str, token: str) -> bytes:
    """The whole answer to a request whose target goes out as it is, without a client that tidies it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"{method} {target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
    writer.write(head.encode())
    await writer.drain()
    async with asyncio.timeout(60):
        answer = await reader.read()
    writer.close()
    return answer


async def test_no_parameter_of_any_path_leads_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "secrets.yaml").write_text("ami: { password: hidden }\n")
    with interface(tmp_path) as here:
        port = int(here.url.rpartition(":")[2])
        for entry in ROUTES:
            for evil in OUTSIDE if entry.in_path else ():
                target = "/api/v1" + entry.path.replace(f"{{{entry.in_path[0]}}}", evil)
                answer = await asked(port, entry.method, target, here.tokens[Role.SUPERVISOR])
                status = int(answer.split(b" ", 2)[1])
                assert status in (400, 403, 404, 405, 422, 431), (entry.method, target, answer)
                head = answer.partition(b"\r\n\r\n")[0].lower()
                assert b"application/problem+json" in head
                assert b"\r\nx-injected" not in head
                assert b"root:" not in answer
                assert b"hidden" not in answer


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "outside.wav").write_bytes(b"RIFF of somebody else")
    (tmp_path / "recordings" / "2026").mkdir(parents=True)
    (tmp_path / "recordings" / "2026" / "own.wav").write_bytes(b"RIFF")
    return tmp_path / "recordings"


@pytest.mark.parametrize(
    "file", ["../outside.wav", "..", "2026/../../outside.wav", "/etc/passwd", "2026/own.wav\0.txt", "", ".", "2026"]
)
def test_a_record_that_names_a_file_elsewhere_opens_nothing(folder: Path, file: str) -> None:
    with pytest.raises((AudioBroken, OSError)):
        list(plain_audio(folder, file, KeyRing()))


def test_a_link_that_leads_out_of_the_recordings_is_not_followed(folder: Path) -> None:
    (folder / "2026" / "linked.wav").symlink_to(folder.parent / "outside.wav")
    (folder / "away").symlink_to(folder.parent)
    for file in ("2026/linked.wav", "away/outside.wav"):
        with pytest.raises(AudioBroken):
            list(plain_audio(folder, file, KeyRing()))


def test_what_is_below_the_folder_is_read_though_the_folder_itself_is_a_link(folder: Path) -> None:
    (folder.parent / "other").symlink_to(folder)
    assert list(plain_audio(folder.parent / "other", "2026/own.wav", KeyRing())) == [b"RIFF"]
