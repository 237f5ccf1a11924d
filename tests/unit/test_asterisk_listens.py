"""What listens is read from the kernel's own tables."""

import os
import socket

from asterisk.listens import Listening, listening


def test_what_this_process_listens_at_is_found_and_what_it_does_not_is_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
        udp.bind(("0.0.0.0", 0))  # noqa: S104  # what must be recognised as open to everybody
        with socket.create_connection(tcp.getsockname()) as client:
            found = set(listening(os.getpid()))
            own_end = client.getsockname()[1]
        tcp_here = Listening("tcp", "127.0.0.1", tcp.getsockname()[1])
        udp_here = Listening("udp", "0.0.0.0", udp.getsockname()[1])  # noqa: S104
    assert {tcp_here, udp_here} <= found
    assert own_end not in {entry.port for entry in found}
    assert tcp_here.loopback_only
    assert not udp_here.loopback_only


def test_addresses_of_both_versions_are_told_apart() -> None:
    assert str(Listening("tcp", "::1", 80)) == "tcp [::1]:80"
    assert Listening("tcp", "::1", 80).loopback_only
    assert Listening("udp", "127.8.9.1", 80).loopback_only
    assert Listening("tcp", "::ffff:127.0.0.1", 80).loopback_only
    assert not Listening("tcp", "::", 80).loopback_only


def test_a_process_that_is_gone_listens_at_nothing() -> None:
    assert listening(2**22 + 1) == ()
