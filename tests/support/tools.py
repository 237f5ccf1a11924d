"""Programs of others that tests need: where they are, or what to do when they are not."""

import shutil
import subprocess
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent.parent
UNPACKED = PROJECT / ".tools"
"""Where `./setup.sh tests` unpacks packages that must not be installed: installed, they would listen or run."""


def tool(name: str) -> Path:
    """A program of the machine's, or of the unpacked packages. Fails when there is none: a test never skips."""
    found = shutil.which(name) or shutil.which(name, path=str(UNPACKED / "bin"))
    assert found is not None, f"{name} is missing: run './setup.sh tests'"
    return Path(found)


def says(name: str, *words: str, given: bytes = b"", cwd: Path | None = None) -> tuple[int, str]:
    """Runs it to its end; its exit code, and all that it says."""
    done = subprocess.run(
        [tool(name), *words], input=given, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60,
        check=False,
    )  # fmt: skip
    return done.returncode, done.stdout.decode()
