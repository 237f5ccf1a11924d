"""Looking at many things at once, at each for a bounded time only.

A name that does not resolve, or a disk that hangs, holds a thread for as long as it likes: nobody waits for it,
and it ends with the process.
"""

import threading
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

T = TypeVar("T")


class CannotLook(Exception):
    """Something could not be looked at; `why` says the reason, `mend` what to do."""

    def __init__(self, why: str, mend: str) -> None:
        self.why = why
        self.mend = mend
        super().__init__(f"{why}: {mend}")


class TookTooLong(Exception):
    """No answer within `bound_s`."""

    def __init__(self, bound_s: float) -> None:
        self.bound_s = bound_s
        super().__init__(f"no answer within {bound_s:g} s")


def at_once(works: Mapping[str, Callable[[], T]], bound_s: float) -> dict[str, T | Exception]:
    """What each work brings, or what it raised; TookTooLong of those that are not done within `bound_s`."""
    found: dict[str, T | Exception] = {}

    def one(name: str, work: Callable[[], T]) -> None:
        try:
            found[name] = work()
        except Exception as error:  # noqa: BLE001 - one that fails must not hide what the others find
            found[name] = error

    threads = [threading.Thread(target=one, args=item, daemon=True) for item in works.items()]
    for thread in threads:
        thread.start()
    until_s = time.monotonic() + bound_s
    for thread in threads:
        thread.join(max(0.0, until_s - time.monotonic()))
    done = dict(found)
    return {name: done.get(name, TookTooLong(bound_s)) for name in works}
