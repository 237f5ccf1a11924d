"""How a command fails: one clear line and its mend, never a traceback for what a user can mend."""

import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.markup import escape


class CannotGoOn(Exception):
    """Something the user can mend: `matter` says what is wrong, `mend` what to do."""

    def __init__(self, matter: str, mend: str) -> None:
        self.matter = matter
        self.mend = mend
        super().__init__(f"{matter}: {mend}")


_MENDS = {
    errno.EACCES: "let this user write there, or give another folder",
    errno.EPERM: "let this user write there, or give another folder",
    errno.EROFS: "make it writable, or give another folder",
    errno.ENOSPC: "free some space, or give a folder on another disk",
    errno.EDQUOT: "free some space, or give a folder on another disk",
    errno.EEXIST: "give another folder; this one is a file",
    errno.ENOTDIR: "give another folder; a part of this one is a file",
    errno.ENAMETOOLONG: "give a folder with a shorter name",
}
"""What is wrong with a file or folder → what the user can do about it."""


def error_console() -> Console:
    """Where complaints go: standard error."""
    return Console(stderr=True, soft_wrap=True, highlight=False)


@contextmanager
def plain_errors(*expected: type[Exception]) -> Iterator[None]:
    """Turns CannotGoOn, the `expected` errors and folders that cannot be used into one line on standard
    error and exit code 1.
    """
    mendable: tuple[type[Exception], ...] = (CannotGoOn, *expected)
    try:
        yield
    except mendable as error:
        _complain(str(error))
        raise typer.Exit(1) from error
    except BrokenPipeError:
        # Whoever read our output has seen enough (`hotline calls | head`).
        sys.stderr.close()
        raise typer.Exit(0) from None
    except OSError as error:
        if error.filename is None or error.errno not in _MENDS:
            raise
        _complain(f"{error.filename}: {error.strerror}: {_MENDS[error.errno]}")
        raise typer.Exit(1) from error


def _complain(text: str) -> None:
    error_console().print(f"[red]hotline:[/red] {escape(text)}")
