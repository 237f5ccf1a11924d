"""Security events, read as Asterisk 22 writes them."""

from ipaddress import IPv4Address

import pytest

from asterisk.guarding import Failed, NoAddress, Sign, SignedIn, sign_of
from asterisk.message import AmiMessage, HeaderDoubled, HeaderMissing
from tests.support.fake_ami import headed

HERE = IPv4Address("192.0.2.9")
EVENT = {
    "Event": "ChallengeResponseFailed",
    "Privilege": "security,all",
    "Timestamp": "1795329292.150000",
    "SystemName": "node1",
    "EventTV": "2026-11-22T06:34:52.150+0000",
    "Severity": "Error",
    "Service": "PJSIP",
    "EventVersion": "1",
    "AccountID": "8001",
    "SessionID": "e12",
    "LocalAddress": "IPV4/UDP/192.0.2.1/5060",
    "RemoteAddress": "IPV4/UDP/192.0.2.9/37869",
    "Challenge": "1795329292/5f0b240d5992a2fc977d1e1ab0dc81cc",
    "Response": "ec7cc519654ab535a2c0510ae0a2c953",
    "ExpectedResponse": "",
}


def event(**changed: str | list[str] | None) -> AmiMessage:
    headers = {**EVENT, **changed}
    return headed((name, value) for name, value in headers.items() if value is not None)


@pytest.mark.parametrize(
    ("changed", "meaning"),
    [
        ({}, Failed(HERE, "8001")),
        ({"AccountID": "<unknown>"}, Failed(HERE, "<unknown>")),
        ({"Event": "SuccessfulAuth", "UsingPassword": "1"}, SignedIn(HERE, "8001")),
        ({"Event": "SuccessfulAuth", "UsingPassword": "0"}, None),
        ({"Event": "ChallengeSent"}, None),
        ({"Event": "ChallengeSent", "AccountID": "<unknown>"}, Failed(HERE, "<unknown>")),
        ({"RemoteAddress": "IPV4/TLS/192.0.2.9/1"}, Failed(HERE, "8001")),
        ({"Service": "AMI"}, None),
    ],
)
def test_what_an_event_means(changed: dict[str, str], meaning: Sign | None) -> None:
    assert sign_of(event(**changed)) == meaning


@pytest.mark.parametrize(
    "changed",
    [
        {"RemoteAddress": None},
        {"RemoteAddress": ["IPV4/UDP/6.6.6.6/1", "IPV4/UDP/192.0.2.9/37869"]},
        {"RemoteAddress": "IPV4/UDP/999.0.2.9/37869"},
        {"RemoteAddress": "IPV6/UDP/::1/37869"},
        {"RemoteAddress": "192.0.2.9"},
        {"Event": "SuccessfulAuth", "UsingPassword": None},
        {"Event": "SuccessfulAuth", "UsingPassword": "1", "Privilege": None},
        {"Event": "SuccessfulAuth", "UsingPassword": "1", "AccountID": ["8001", "8002"]},
        {"Event": "Hangup"},
    ],
)
def test_a_forged_or_broken_event_means_nothing(changed: dict[str, str]) -> None:
    with pytest.raises((HeaderMissing, HeaderDoubled, NoAddress)):
        sign_of(event(**changed))
