"""The same settings at other addresses and ports, so that instances can run side by side."""

from collections.abc import Mapping
from ipaddress import AddressValueError, IPv4Address

from settings.listening import Listen
from settings.shapes import RtpPorts, Settings, Trunk


def on_ports(settings: Settings, *, sip: int, rtp_first: int, ami: int, http: int) -> Settings:
    """The settings with other ports; as many RTP ports as before, beginning with `rtp_first`."""
    server = settings.server
    count = server.rtp.last - server.rtp.first
    moved = server.model_copy(
        update={
            "sip": Listen(address=server.sip.address, port=sip),
            "rtp": RtpPorts(first=rtp_first, last=rtp_first + count),
            "ami": Listen(address=server.ami.address, port=ami),
            "http": server.http.model_copy(update={"port": http}),
        }
    )
    return settings.model_copy(update={"server": moved})


def with_trunk_ports(settings: Settings, places: Mapping[str, tuple[str, int]]) -> Settings:
    """The settings with some trunks leading to another (host, port).

    A trunk that accepts calls from its host goes on to do so. KeyError for a trunk that is not there.
    """
    trunks = dict(settings.trunks)
    for ident, (host, port) in places.items():
        trunks[ident] = _moved(trunks[ident], host, port)
    return settings.model_copy(update={"trunks": trunks})


def _moved(trunk: Trunk, host: str, port: int) -> Trunk:
    senders = tuple(
        _address(host) or sender if sender == _address(trunk.host) else sender for sender in trunk.accepts_from
    )
    return trunk.model_copy(update={"host": host, "port": port, "accepts_from": senders})


def _address(host: str) -> IPv4Address | None:
    try:
        return IPv4Address(host)
    except AddressValueError:
        return None
