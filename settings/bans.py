"""Addresses that guess passwords are refused for a while: part of server.yaml."""

from ipaddress import IPv4Network

from pydantic import Field

from settings.shape import Shape
from settings.units import DurationS


class Bans(Shape):
    """Who fails to sign in too often at the SIP port is refused for a while, whatever it asks for."""

    failures: int = Field(default=10, ge=1, le=1000)
    """So many within the span, and the address is banned. One that a seat signed in from lately may fail ten times
    as often."""
    within: DurationS = Field(default=600.0, ge=1, le=86_400)
    """The span. 1s to 24h."""
    lasts: DurationS = Field(default=3600.0, ge=1, le=604_800, alias="for")
    """How long. 1s to 168h."""
    never: tuple[IPv4Network, ...] = ()
    """Addresses that are never banned, as networks: those of seats, as a rule. Trunks never are."""
