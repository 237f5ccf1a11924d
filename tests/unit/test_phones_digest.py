"""Digest authentication, by the examples that the RFCs print."""

import pytest

from phones import digest
from phones.digest import Account, NoAnswer

RFC_2617 = (
    'Digest realm="testrealm@host.com", qop="auth,auth-int", '
    'nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"'
)
RFC_7616 = (
    'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=MD5, '
    'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
)


def test_the_example_of_rfc_2617() -> None:
    answer = digest.answer(
        digest.read(RFC_2617), Account("Mufasa", "Circle Of Life"), "GET", "/dir/index.html", cnonce="0a4f113b"
    )
    assert 'response="6629fae49393a05397450978507c4ef1"' in answer
    assert "qop=auth, nc=00000001" in answer
    assert 'opaque="5ccc069c403ebaf9f0171e9517f40e41"' in answer


def test_the_example_of_rfc_7616() -> None:
    answer = digest.answer(
        digest.read(RFC_7616),
        Account("Mufasa", "Circle of Life"),
        "GET",
        "/dir/index.html",
        cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
    )
    assert 'response="8ca523f5e9506fed4657c9700eebdbec"' in answer


def test_a_challenge_without_qop_gets_the_older_answer() -> None:
    """The example of RFC 2069 with its erratum."""
    challenge = digest.read('Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"')
    answer = digest.answer(challenge, Account("Mufasa", "CircleOfLife"), "GET", "/dir/index.html")
    assert 'response="1949323746fe6a43ef61f9606e7febea"' in answer
    assert "qop" not in answer


@pytest.mark.parametrize(
    "header",
    [
        'Basic realm="x"',
        'Digest realm="x", nonce="y", algorithm=SHA-256',
        'Digest realm="x", nonce="y", qop="auth-int"',
        'Digest realm="x"',
        'Digest realm="x, nonce=y',
    ],
)
def test_a_challenge_that_cannot_be_answered_says_so(header: str) -> None:
    with pytest.raises(NoAnswer):
        digest.read(header)


def test_a_password_is_not_shown() -> None:
    assert "secret" not in repr(Account("8001", "secret"))


def test_quotes_in_a_realm_are_kept() -> None:
    challenge = digest.read('Digest realm="a \\"b\\", c", nonce="n", stale=TRUE')
    assert challenge.realm == 'a "b", c'
    assert challenge.stale
    assert 'realm="a \\"b\\", c"' in digest.answer(challenge, Account("u", "p"), "INVITE", "sip:x")
