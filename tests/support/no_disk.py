"""A process that can write nothing more, as on a full disk."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_disk(pid: int) -> Iterator[None]:
    """Lets no file of a running process grow, without root rights, until the end of the block.

    It gets EFBIG where a full disk gives ENOSPC; files that it opens anew stay empty.
    """
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
