"""How a command fails: one clear line and its mend, never a traceback for what a user can mend."""

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


def error_console() -> Console:
    """Where complaints go: standard error."""
    return Console(stderr=True, soft_wrap=True, highlight=False)


@contextmanager
def plain_errors(*expected: type[Exception]) -> Iterator[None]:
    """Turns CannotGoOn and the `expected` errors into one line on standard error and exit code 1."""
    mendable: tuple[type[Exception], ...] = (CannotGoOn, *expected)
    try:
        yield
    except mendable as error:
        error_console().print(f"[red]hotline:[/red] {escape(str(error))}")
        raise typer.Exit(1) from error
    except BrokenPipeError:
        # Whoever read our output has seen enough (`hotline calls | head`).
        sys.stderr.close()
        raise typer.Exit(0) from None
