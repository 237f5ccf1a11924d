"""How an Asterisk is got: each tool that get.sh calls is a stand-in that says what it was asked for."""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from asterisk.found import LEAST

GET = Path(__file__).resolve().parents[2] / "asterisk/get.sh"
UNPACKED_LOADER = """#!/bin/sh
[ "$4" = -V ] && echo "Asterisk VERSION"
"""
MMDEBSTRAP = """#!/bin/sh
echo "mmdebstrap $*" >>"$CALLED"
for folder; do :; done
mkdir -p "$folder/usr/lib64" "$folder/usr/sbin" "$folder/usr/lib/x86_64-linux-gnu"
printf '%s' "$LOADER" >"$folder/usr/lib64/ld-linux-x86-64.so.2"
chmod 755 "$folder/usr/lib64/ld-linux-x86-64.so.2"
[ "$BROKEN" = yes ] && { echo "E: no space left" >&2; exit 1; }
exit 0
"""


@dataclass
class Machine:
    """A machine made of stand-ins. `called`: what was asked of them, in order."""

    folder: Path
    env: dict[str, str]

    def tool(self, name: str, text: str) -> None:
        path = self.folder / "bin" / name
        path.write_text(text if text.startswith("#!") else f'#!/bin/sh\necho "{name} $*" >>"$CALLED"\n{text}\n')
        path.chmod(0o755)

    def get(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["sh", str(GET)], env=self.env, capture_output=True, text=True, timeout=60, check=False)

    @property
    def root(self) -> Path:
        return self.folder / "root"

    @property
    def called(self) -> list[str]:
        log = self.folder / "called"
        return log.read_text().splitlines() if log.exists() else []


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """It has no Asterisk, its distribution has none, and mmdebstrap works."""
    (tmp_path / "bin").mkdir()
    env = {
        "PATH": f"{tmp_path}/bin:{os.environ['PATH']}",
        "CALLED": str(tmp_path / "called"),
        "HOTLINE_ASTERISK_ROOT": str(tmp_path / "root"),
        "POLICY_RC_D": str(tmp_path / "policy-rc.d"),
        "LOADER": UNPACKED_LOADER.replace("VERSION", "22.10.1~dfsg-1"),
        "BROKEN": "no",
        "TMPDIR": str(tmp_path),
    }
    made = Machine(tmp_path, env)
    made.tool("asterisk", "exit 127")
    made.tool("apt-cache", "exit 0")
    made.tool("apt-get", "exit 0")
    made.tool("sudo", '"$@"')
    made.tool("systemctl", "exit 0")
    made.tool("mmdebstrap", MMDEBSTRAP)
    return made


def test_a_machine_with_a_new_asterisk_needs_nothing(machine: Machine) -> None:
    machine.tool("asterisk", "echo 'Asterisk 22.5.0~dfsg-1'")
    assert machine.get().returncode == 0
    assert machine.called == ["asterisk -V"]
    assert not machine.root.exists()


def test_without_any_it_is_unpacked_beside_and_put_in_place_whole(machine: Machine) -> None:
    got = machine.get()
    assert got.returncode == 0, got.stderr
    assert "Asterisk 22.10.1~dfsg-1 is in" in got.stdout
    assert (machine.root / "usr/lib64/ld-linux-x86-64.so.2").is_file()
    (asked,) = [line for line in machine.called if line.startswith("mmdebstrap")]
    assert asked.endswith(f"forky {machine.root}.new")
    assert not Path(f"{machine.root}.new").exists()


def test_a_second_run_finds_the_work_done(machine: Machine) -> None:
    machine.get()
    before = len(machine.called)
    assert machine.get().stdout == ""
    assert machine.called[before:] == ["asterisk -V"]


def test_an_interrupted_unpacking_leaves_nothing_and_says_why(machine: Machine) -> None:
    machine.env["BROKEN"] = "yes"
    got = machine.get()
    assert got.returncode == 1
    assert "no space left" in got.stderr
    assert "setup: mmdebstrap could not fetch Asterisk" in got.stderr
    assert not machine.root.exists()
    assert not Path(f"{machine.root}.new").exists()
    machine.env["BROKEN"] = "no"
    assert machine.get().returncode == 0


def test_an_unpacked_one_that_is_too_old_or_does_not_run_is_not_put_in_place(machine: Machine) -> None:
    machine.env["LOADER"] = UNPACKED_LOADER.replace("VERSION", "22.1.0")
    got = machine.get()
    assert got.returncode == 1
    assert "'22.1.0'" in got.stderr
    assert not machine.root.exists()


def test_a_distribution_with_a_new_one_has_it_installed_without_its_service(machine: Machine) -> None:
    machine.tool("apt-cache", "echo 'asterisk:'; echo '  Installed: (none)'; echo '  Candidate: 1:22.4.1~dfsg-1'")
    machine.tool("apt-get", 'cat "$POLICY_RC_D" >>"$CALLED" 2>/dev/null || true')
    got = machine.get()
    assert got.returncode == 0, got.stderr
    assert any(line.endswith("install -y --no-install-recommends asterisk") for line in machine.called)
    assert "exit 101" in machine.called, "services could have been started"
    assert not (machine.folder / "policy-rc.d").exists()
    assert not any(line.startswith("mmdebstrap") for line in machine.called)


def test_a_distribution_with_an_old_one_is_left_alone(machine: Machine) -> None:
    machine.tool("apt-cache", "echo '  Candidate: 1:20.6.0~dfsg+~cs6.13.40431414-2build5'")
    assert machine.get().returncode == 0
    assert machine.root.is_dir()
    assert not any("install" in line and line.startswith("apt-get") for line in machine.called)


def test_a_package_that_cannot_be_installed_leaves_no_lock_on_services(machine: Machine) -> None:
    machine.tool("apt-cache", "echo '  Candidate: 1:22.4.1~dfsg-1'")
    machine.tool("apt-get", 'case "$*" in *install*) echo "E: Unable to fetch" >&2; exit 100;; esac')
    got = machine.get()
    assert got.returncode == 1
    assert "E: Unable to fetch" in got.stderr
    assert "setup: apt-get could not install asterisk" in got.stderr
    assert not (machine.folder / "policy-rc.d").exists()


def test_the_script_and_the_program_demand_the_same_minimum() -> None:
    text = GET.read_text(encoding="utf-8")
    written = {int(major): int(minor) for major, minor in re.findall(r'(\d+)\) \[ "\$minor" -ge (\d+) \]', text)}
    assert written == LEAST
    assert f'[ "$major" -gt {max(LEAST)} ]' in text
