"""One message of Asterisk's manager interface, read strictly."""

from dataclasses import dataclass

_LINE_END = "\r\n"


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
    """A header is looked for when it is asked for: of some twenty-five that a message has, few are needed.

    Names are as Asterisk writes them, capitals included.
    """

    text: str
    """Every header in a line of its own, with a line's end before the first one."""

    @classmethod
    def of(cls, frame: str) -> "AmiMessage":
        """A message as it was sent, without the empty line at its end."""
        return cls(f"{_LINE_END}{frame}{_LINE_END}")

    @property
    def kind(self) -> str:
        """What it is, for errors and logs."""
        names = [name for header in ("Event", "UserEvent", "Response") for name in self.every(header)]
        return "/".join(names) or "without a name"

    @property
    def event(self) -> str | None:
        return self.optional("Event")

    @property
    def action_id(self) -> str | None:
        return self.optional("ActionID")

    @property
    def at_s(self) -> float | None:
        """When Asterisk made the event, in seconds since the epoch; None where it does not say, or not clearly."""
        try:
            return float(self.optional("Timestamp") or "")
        except ValueError:
            return None

    def required(self, name: str) -> str:
        """The one value of a header. Raises HeaderMissing, HeaderDoubled."""
        values = self.every(name)
        if not values:
            raise HeaderMissing(self.kind, name)
        if len(values) > 1:
            raise HeaderDoubled(self.kind, name, len(values))
        return values[0]

    def optional(self, name: str) -> str | None:
        """The first value of a header; None without it."""
        begin = f"{_LINE_END}{name}: "
        at = self.text.find(begin)
        if at < 0:
            return None
        at += len(begin)
        return self.text[at : self.text.find(_LINE_END, at)]

    def every(self, name: str) -> tuple[str, ...]:
        """All values of a header, in order."""
        begin = f"{_LINE_END}{name}: "
        found = []
        at = self.text.find(begin)
        while at >= 0:
            at += len(begin)
            end = self.text.find(_LINE_END, at)
            found.append(self.text[at:end])
            at = self.text.find(begin, end)
        return tuple(found)

    def beside_the_channels_own(self, name: str) -> str:
        """A user event's own header that bears a name which its channel's headers have too.

        Asterisk writes the channel's first, then the event's. With fewer than two, the event's own
        is missing, and the channel's must not be taken for it. Raises HeaderMissing, HeaderDoubled.
        """
        values = self.every(name)
        if len(values) < 2:
            raise HeaderMissing(self.kind, name)
        if len(values) > 2:
            raise HeaderDoubled(self.kind, name, len(values))
        return values[1]

    def led_by(self, name: str, value: str) -> "AmiMessage":
        """The same with one more header before all others."""
        return AmiMessage(f"{_LINE_END}{name}: {value}{self.text}")
