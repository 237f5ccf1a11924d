"""One message of Asterisk's manager interface, read strictly."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


class HeaderMissing(ValueError):
    """A message lacks a header that its kind must have."""

    def __init__(self, kind: str, header: str) -> None:
        self.kind = kind
        self.header = header
        super().__init__(f"AMI message {kind} has no header {header!r}")


class HeaderDoubled(ValueError):
    """A header stands `times` times where another number was expected: which one is meant is unknown."""

    def __init__(self, kind: str, header: str, times: int) -> None:
        self.kind = kind
        self.header = header
        self.times = times
        super().__init__(f"AMI message {kind} has header {header!r} {times} times")


@dataclass(frozen=True, slots=True)
class AmiMessage:
    """Headers by their name in small letters, each with its values in order."""

    headers: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, headers: Iterable[tuple[str, str | list[str]]]) -> "AmiMessage":
        return cls({name.lower(): (value,) if isinstance(value, str) else tuple(value) for name, value in headers})

    @property
    def kind(self) -> str:
        """What it is, for errors and logs."""
        names = [name for header in ("event", "userevent", "response") for name in self.every(header)]
        return "/".join(names) or "without a name"

    @property
    def event(self) -> str | None:
        return self.optional("event")

    @property
    def action_id(self) -> str | None:
        return self.optional("actionid")

    @property
    def at_s(self) -> float | None:
        """When Asterisk made the event, in seconds since the epoch; None where it does not say, or not clearly."""
        try:
            return float(self.optional("timestamp") or "")
        except ValueError:
            return None

    def required(self, name: str) -> str:
        """The one value of a header. Raises HeaderMissing, HeaderDoubled."""
        values = self.headers.get(name.lower(), ())
        if not values:
            raise HeaderMissing(self.kind, name)
        if len(values) > 1:
            raise HeaderDoubled(self.kind, name, len(values))
        return values[0]

    def optional(self, name: str) -> str | None:
        """The first value of a header; None without it."""
        values = self.headers.get(name.lower(), ())
        return values[0] if values else None

    def every(self, name: str) -> tuple[str, ...]:
        """All values of a header."""
        return self.headers.get(name.lower(), ())

    def beside_the_channels_own(self, name: str) -> str:
        """A user event's own header that bears a name which its channel's headers have too.

        Asterisk writes the channel's first, then the event's. With fewer than two, the event's own
        is missing, and the channel's must not be taken for it. Raises HeaderMissing, HeaderDoubled.
        """
        values = self.headers.get(name.lower(), ())
        if len(values) < 2:
            raise HeaderMissing(self.kind, name)
        if len(values) > 2:
            raise HeaderDoubled(self.kind, name, len(values))
        return values[1]
