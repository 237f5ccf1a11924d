"""Finds the Asterisk to run: the machine's own, else the root folder that `make setup` unpacked.

A root folder is only unpacked, never entered (no chroot, no root rights): its binary runs through
its own loader with its own libraries, so it does not matter how old the machine's are.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
ROOT_VARIABLE = "HOTLINE_ASTERISK_ROOT"
"""Environment variable that names another root folder than `.asterisk/root`."""

LEAST = {20: 12, 21: 7, 22: 2}
"""Major version → least minor version: where func_uuid and advanced event filters came in."""
MINIMUM = "20.12, 21.7, 22.2 or later"

_VERSION_BOUND_S = 10.0


class NoAsterisk(Exception):
    """There is no Asterisk, or one without its modules; `matter` says which, `mend` what to do."""

    def __init__(self, matter: str, mend: str = "run 'make setup'") -> None:
        self.matter = matter
        self.mend = mend
        super().__init__(f"{matter}: {mend}")


class TooOld(Exception):
    """The machine's Asterisk lacks what is used here, and there is no root folder instead."""

    def __init__(self, found: str, minimum: str = MINIMUM) -> None:
        self.found = found
        self.minimum = minimum
        super().__init__(f"Asterisk {found} is too old, {minimum} is needed: run 'make setup'")


@dataclass(frozen=True, slots=True)
class Asterisk:
    """An installed Asterisk. `command` begins every command line that runs it."""

    version: str
    command: tuple[str, ...]
    modules_dir: Path
    data_dir: Path


def new_enough(version: str) -> bool:
    """Whether a version such as `22.10.1~dfsg` has all that is used; False for one that is unreadable."""
    found = re.match(r"(\d+)\.(\d+)", version)
    if found is None:
        return False
    major, minor = int(found[1]), int(found[2])
    return major > max(LEAST) or minor >= LEAST.get(major, minor + 1)


def find(root: Path | None = None, *, machine: bool = True) -> Asterisk:
    """The Asterisk to run. `root`: the unpacked root folder; `machine=False` looks nowhere else.

    Raises NoAsterisk, or TooOld when the machine's is all there is.
    """
    found = _on_machine() if machine else None
    if found is not None and new_enough(found.version):
        return found
    folder = root or Path(os.environ.get(ROOT_VARIABLE) or PROJECT / ".asterisk" / "root")
    unpacked = _in_root(folder)
    if unpacked is not None:
        if not new_enough(unpacked.version):
            raise TooOld(unpacked.version)
        return unpacked
    if found is not None:
        raise TooOld(found.version)
    raise NoAsterisk(f"there is no Asterisk on this machine and none in {folder}")


def _on_machine() -> Asterisk | None:
    # Users' PATH often lacks the sbin folders.
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin"])
    program = shutil.which("asterisk", path=path)
    if program is None:
        return None
    prefix = Path(program).parent.resolve().parent
    places = [
        *prefix.glob("lib/*/asterisk/modules"),
        prefix / "lib/asterisk/modules",
        prefix / "lib64/asterisk/modules",
    ]
    data = [prefix / "share/asterisk", Path("/var/lib/asterisk"), prefix / "var/lib/asterisk"]
    return _described((program,), places, data)


def _in_root(folder: Path) -> Asterisk | None:
    program = folder / "usr/sbin/asterisk"
    if not program.is_file():
        return None
    absolute = folder.resolve()
    loaders = sorted(_loaders(absolute))
    if not loaders:
        raise NoAsterisk(f"{absolute} has no dynamic loader", mend=f"remove {absolute} and run 'make setup'")
    libraries = [path for path in sorted((absolute / "usr/lib").glob("*-linux-gnu*")) if path.is_dir()]
    command = (
        str(loaders[0]),
        "--library-path",
        os.pathsep.join(str(path) for path in libraries),
        str(absolute / "usr/sbin/asterisk"),
    )
    places = [path / "asterisk/modules" for path in libraries]
    return _described(command, places, [absolute / "usr/share/asterisk"])


def _loaders(folder: Path) -> Iterator[Path]:
    # x86-64 has it in lib64, arm64 in lib; a merged /usr or not.
    for place in ("usr/lib64", "usr/lib", "lib64", "lib"):
        yield from (path for path in folder.glob(f"{place}/ld-linux*.so*") if path.is_file())


def _described(command: tuple[str, ...], modules: list[Path], data: list[Path]) -> Asterisk:
    """With its version asked for and its folders looked up."""
    modules_dir = next((path for path in modules if (path / "app_dial.so").is_file()), None)
    # Without its documentation folder PJSIP refuses to load.
    data_dir = next((path for path in data if (path / "documentation").is_dir()), None)
    if modules_dir is None or data_dir is None:
        missing = "modules" if modules_dir is None else "documentation folder"
        raise NoAsterisk(f"Asterisk at {command[-1]} lacks its {missing}", mend="install it whole, or remove it")
    return Asterisk(_version(command), command, modules_dir, data_dir)


def _version(command: tuple[str, ...]) -> str:
    try:
        answer = subprocess.run(
            [*command, "-V"], capture_output=True, text=True, timeout=_VERSION_BOUND_S, check=False, errors="replace"
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoAsterisk(f"Asterisk at {command[-1]} does not run ({error})") from error
    # "Asterisk 22.10.1~dfsg-1", "Asterisk certified/20.7-cert3"
    found = re.search(r"^Asterisk (?:certified/)?(\S+)", answer.stdout, re.MULTILINE)
    if found is None:
        said = (answer.stderr or answer.stdout).strip() or f"exit code {answer.returncode}"
        raise NoAsterisk(f"Asterisk at {command[-1]} does not tell its version ({said})")
    return found[1]
