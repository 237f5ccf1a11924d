"""SIP messages: what may be written in many ways is read in one, and nothing forges a header."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phones import sip
from phones.sip import Headers, Malformed, Request, Response, Unsendable

INVITE = (
    b"INVITE sip:12345@127.0.0.1:5060 SIP/2.0\r\n"
    b"v: SIP/2.0/UDP 127.0.0.2:5062;branch=z9hG4bKabc;rport , SIP/2.0/UDP 10.0.0.1\r\n"
    b'f: "Li, \\"x\\"" <sip:13800001111@127.0.0.2>;tag=1\r\n'
    b"t: <sip:12345@127.0.0.1>\r\n"
    b"i: one@two\r\n"
    b"CSEQ :  7   INVITE\r\n"
    b"Subject: first\r\n  second\r\n"
    b"l: 4\r\n\r\nbodyMORE"
)


def test_short_names_folded_lines_and_odd_blanks_are_read() -> None:
    message = sip.parse(b"\r\n\r\n" + INVITE)
    assert isinstance(message, Request)
    assert message.headers.cseq == (7, "INVITE")
    assert len(message.headers.all("via")) == 2
    assert message.headers.get("subject") == "first second"
    assert message.body == b"body"
    assert sip.name_address(message.headers.required("From")).name == 'Li, "x"'


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"SIP/2.0\r\nv", b"SIP/3.0\r\nv"),
        (b"l: 4", b"l: 400"),
        (b"l: 4", b"l: -4"),
        (b"i: one@two\r\n", b""),
        (b"7   INVITE", b"7 BYE"),
        (b"7   INVITE", b"seven INVITE"),
        (b"Subject: first", b"Subject first"),
        (b"t: <sip", b"t: \xff<sip"),
    ],
)
def test_what_is_not_sip_is_refused(old: bytes, new: bytes) -> None:
    with pytest.raises(Malformed):
        sip.parse(INVITE.replace(old, new))


@given(st.binary(max_size=400) | st.binary(max_size=60).map(lambda noise: INVITE[:150] + noise + INVITE[150:]))
def test_no_datagram_breaks_the_reader(data: bytes) -> None:
    try:
        message = sip.parse(data)
    except Malformed:
        return
    assert sip.parse(sip.encode(message)).headers.cseq == message.headers.cseq


plain = st.text(st.characters(min_codepoint=32, blacklist_categories=["Cs", "Cc"]), max_size=20)


@given(plain, st.binary(max_size=50))
def test_a_message_comes_back_as_it_was_sent(name: str, body: bytes) -> None:
    items = (
        ("Via", "SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKx"),
        ("From", f"{sip.quoted_name(name)} <sip:a@127.0.0.1>;tag=a"),
        ("To", "<sip:b@127.0.0.1>"),
        ("Call-ID", "c"),
        ("CSeq", "1 INFO"),
    )
    message = sip.parse(sip.encode(Response(200, "OK", Headers(items), body)))
    assert isinstance(message, Response)
    assert message.body == body
    assert sip.name_address(message.headers.required("from")).name == name


@given(st.text(max_size=20).filter(lambda user: not any("\ud800" <= char <= "\udfff" for char in user)))
def test_any_caller_fits_into_a_uri_and_comes_out_again(user: str) -> None:
    written = str(sip.Uri(user, "127.0.0.1", 5062))
    assert "\r" not in written
    assert "\n" not in written
    assert sip.uri(written).user == user


@pytest.mark.parametrize("value", ["a\r\nX: 1", "a\nb", "a\x00", "a\x7f"])
def test_a_line_break_in_a_header_is_never_sent(value: str) -> None:
    message = sip.parse(INVITE)
    assert isinstance(message, Request)
    with pytest.raises(Unsendable):
        sip.encode(Request("INVITE", message.uri, message.headers.plus(("X-Name", value))))


def test_an_answer_repeats_every_via_and_adds_its_tag_once() -> None:
    request = sip.parse(INVITE)
    assert isinstance(request, Request)
    answer = sip.response_to(request, 180, "Ringing", tag=sip.Tag("mine"))
    assert answer.headers.all("via") == request.headers.all("via")
    assert sip.name_address(answer.headers.required("to")).tag == "mine"
    assert (
        sip.name_address(sip.response_to(request, 100, "Trying", tag=sip.Tag("mine")).headers.required("to")).tag
        is None
    )


@pytest.mark.parametrize(
    ("header", "cause"),
    [
        ("Q.850;cause=16", 16),
        ('SIP;cause=200;text="a, b", Q.850 ; cause=44 ;text="x"', 44),
        ("q.850;cause=1x", None),
        ("SIP;cause=600", None),
    ],
)
def test_the_cause_is_read_from_the_reason_header(header: str, cause: int | None) -> None:
    assert sip.q850_cause(Headers((("Reason", header),))) == cause


def test_parameters_without_brackets_belong_to_the_header() -> None:
    address = sip.name_address("sip:a@b;tag=7")
    assert (address.uri, address.tag) == ("sip:a@b", "7")
