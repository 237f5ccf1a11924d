"""The same city at other addresses."""

from ipaddress import IPv4Address

import pytest

from settings.edit import on_ports, with_trunk_ports
from tests.support.settings_maker import city


def test_an_instance_moves_to_other_ports_and_keeps_the_rest() -> None:
    settings = city()
    moved = on_ports(settings, sip=25060, rtp_first=30000, ami=25038, http=28080)
    assert (moved.server.sip.port, moved.server.ami.port, moved.server.http.port) == (25060, 25038, 28080)
    assert (moved.server.rtp.first, moved.server.rtp.last) == (30000, 30999)
    assert moved.server.capacity == settings.server.capacity
    assert moved.numbers == settings.numbers
    assert settings.server.sip.port == 15060


def test_a_port_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="65535"):
        on_ports(city(), sip=70000, rtp_first=30000, ami=1, http=2)


def test_a_moved_trunk_accepts_calls_from_its_new_host() -> None:
    moved = with_trunk_ports(city(), {"carrier": ("127.0.1.2", 7000), "tax_centre": ("127.0.1.5", 7001)})
    assert (moved.trunks["carrier"].host, moved.trunks["carrier"].port) == ("127.0.1.2", 7000)
    assert moved.trunks["carrier"].accepts_from == (IPv4Address("127.0.1.2"),)
    assert moved.trunks["tax_centre"].accepts_from == ()
    assert moved.trunks["emergency_a"].port == 15063


def test_an_unknown_trunk_is_refused() -> None:
    with pytest.raises(KeyError):
        with_trunk_ports(city(), {"none": ("127.0.0.9", 1)})
