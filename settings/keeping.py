"""What is kept of calls, where, and for how long: part of server.yaml, and retention.yaml."""

from pydantic import Field

from settings.shape import Shape
from settings.units import DaysLong, Digits, Ident, Port


class Postgresql(Shape):
    """A PostgreSQL server that keeps the records of all nodes. Its password is kept with the secrets."""

    host: str = Field(default="127.0.0.1", pattern=r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?$")
    port: Port = 5432
    database: Ident = "hotline"
    user: Ident = "hotline"
    tls: bool = False
    """Whether the server must show a certificate that this machine trusts."""


class Records(Shape):
    """Where records are kept besides the data folder."""

    copy_to: str | None = Field(default=None, pattern=r"^/[^\x00-\x1f]{1,500}$")
    """An SQLite file that gets a copy of each record: on another disk, or for other programs."""
    postgresql: Postgresql | None = None


class Keep(Shape):
    """How long something is kept after the call; what is not written is as for every other call."""

    records: DaysLong | None = None
    """The record and what happened, step by step."""
    audio: DaysLong | None = None
    """What was said: recordings, and messages left after the talk."""


class RetentionFile(Shape):
    """How long calls are kept. One that is held is kept until it is released."""

    records: DaysLong = 1095
    audio: DaysLong = 180
    confidential: Keep = Keep()
    """For calls to confidential numbers, and for calls that were marked so."""
    numbers: dict[Digits, Keep] = {}
