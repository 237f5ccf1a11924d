"""What this machine listens on: part of server.yaml."""

from ipaddress import IPv4Address

from pydantic import Field

from settings.shape import Shape
from settings.units import DurationS, Port


class Listen(Shape):
    """One address and port that something listens on."""

    address: IPv4Address = IPv4Address("127.0.0.1")
    port: Port


class Tls(Shape):
    """What proves to others that this machine is what they asked for. Both are files in PEM form."""

    certificate: str = Field(pattern=r"^/[^\x00-\x1f]{1,500}$")
    """The certificate, and behind it those between it and one that others trust."""
    key: str = Field(pattern=r"^/[^\x00-\x1f]{1,500}$")
    """Its private key, readable by the hotline alone."""


class HttpLimits(Shape):
    """How much one token, and one address, may ask of the HTTP interface. More waits, and is told how long."""

    requests: int = Field(default=100, ge=1, le=10_000)
    """A second with one token, lastingly; twice as many at once."""
    requests_per_address: int = Field(default=300, ge=1, le=10_000)
    """The same from one address, whatever it shows."""
    streams: int = Field(default=10, ge=1, le=1000)
    """Streams of live events that one token may read at once."""
    connections: int = Field(default=500, ge=10, le=10_000)
    """All that may be open; one more is closed at once."""
    connections_per_address: int = Field(default=200, ge=1, le=10_000)
    wrong_tokens: int = Field(default=10, ge=3, le=1000)
    """After so many from one address, tokens that were not seen there before are refused for `lock`."""
    lock: DurationS = Field(default=300.0, ge=1, le=86_400)
    """1s to 24h."""


class Http(Listen):
    """Where the health page and the HTTP interface are."""

    tls: Tls | None = None
    """Without it the interface speaks plain HTTP, and listens on this machine alone."""
    limits: HttpLimits = HttpLimits()

    @property
    def scheme(self) -> str:
        return "http" if self.tls is None else "https"

    @property
    def url(self) -> str:
        """Where it answers, for whoever asks on this machine."""
        address = "127.0.0.1" if self.address.is_unspecified else str(self.address)
        return f"{self.scheme}://{address}:{self.port}"
