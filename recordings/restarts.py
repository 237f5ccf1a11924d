"""Restarts of what serves calls: planned ones, and those that nobody wanted."""

import json
from dataclasses import asdict, dataclass
from enum import Enum

from recordings.store import Store


class Part(Enum):
    """What was started again."""

    ASTERISK = "asterisk"
    CONTROLLER = "controller"
    HOTLINE = "hotline"
    """All of it: the supervisor ended without being told to, or the machine did."""


@dataclass(frozen=True, slots=True)
class Restart:
    """One restart."""

    id: int
    part: Part
    why: str
    who: str | None
    """Who asked for it; None: nobody did."""
    calls: int
    """In progress when it was noted, as far as was known."""
    ended_utc_ms: int
    up_utc_ms: int | None
    """When calls were steered again; None: not yet."""

    @property
    def took_ms(self) -> int | None:
        return None if self.up_utc_ms is None else max(0, self.up_utc_ms - self.ended_utc_ms)

    def as_json(self) -> str:
        """On one line; `docs/records.md` says what each entry means."""
        return json.dumps({**asdict(self), "part": self.part.value}, ensure_ascii=False)


class Restarts:
    """The restarts of this node."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def ended(self, part: Part, why: str, who: str | None, at_utc_ms: int) -> int:
        """Notes that a part has ended and is started again; says the entry."""
        with self._store.writing() as connection:
            made = connection.execute(
                "INSERT INTO restarts (part, why, who, calls, ended_utc_ms) "
                "VALUES (?, ?, ?, (SELECT count(*) FROM records WHERE running = 1), ?)",
                (part.value, why, who, at_utc_ms),
            )
            return int(made.lastrowid or 0)

    def up(self, at_utc_ms: int) -> None:
        """Notes that calls are steered again, for whatever ended before."""
        if self._store.rows("SELECT 1 FROM restarts WHERE up_utc_ms IS NULL LIMIT 1"):
            with self._store.writing() as connection:
                connection.execute("UPDATE restarts SET up_utc_ms = ? WHERE up_utc_ms IS NULL", (at_utc_ms,))

    def get(self, ident: int) -> Restart | None:
        """One entry."""
        found = self._store.rows("SELECT * FROM restarts WHERE id = ?", ident)
        return _restart(found[0]) if found else None

    def newest(self, limit: int) -> tuple[Restart, ...]:
        """The newest first."""
        return tuple(map(_restart, self._store.rows("SELECT * FROM restarts ORDER BY id DESC LIMIT ?", limit)))


def _restart(row: dict[str, object]) -> Restart:
    return Restart(**{**row, "part": Part(row["part"])})  # type: ignore[arg-type]  # The table's columns are its fields.
