"""Session descriptions: one audio stream, whatever else is offered."""

import pytest

from phones import sdp
from phones.sdp import Description, NoCommonMedia

OFFER = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.9\r\ns=x\r\nc=IN IP4 127.0.0.9\r\nt=0 0\r\n"
    "m=video 5000 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\n"
    "m=audio 4000 RTP/AVP 9 0 8 97\r\nc=IN IP4 127.0.0.3\r\na=rtpmap:97 telephone-event/8000\r\na=sendonly\r\n"
)


def test_an_offer_is_read_with_its_own_address_direction_and_events() -> None:
    found = sdp.read(OFFER.encode())
    assert found == Description(("127.0.0.3", 4000), (sdp.PCMU, sdp.PCMA), 97, "sendonly", ("video",))


def test_an_answer_takes_the_first_common_codec_mirrors_the_direction_and_refuses_the_rest() -> None:
    answer = sdp.answer(sdp.read(OFFER.encode()), ("127.0.0.1", 6000), (sdp.PCMA, sdp.PCMU))
    text = sdp.build(answer, session=1, version=2).decode()
    assert "m=audio 6000 RTP/AVP 0 97\r\n" in text
    assert "a=recvonly" in text
    assert "m=video 0 RTP/AVP 0" in text


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("m=audio 4000", "m=audio 0"),
        ("RTP/AVP 9 0 8 97", "RTP/AVP 9 97"),
        ("RTP/AVP 9", "RTP/SAVP 9"),
        ("IN IP4", "IN IP6"),
    ],
)
def test_no_audio_that_g711_serves_is_refused(old: str, new: str) -> None:
    with pytest.raises(NoCommonMedia):
        sdp.read(OFFER.replace(old, new).encode())


def test_a_codec_that_only_the_other_side_has_is_refused() -> None:
    with pytest.raises(NoCommonMedia):
        sdp.answer(Description(("127.0.0.1", 4000), (sdp.PCMU,)), ("127.0.0.1", 6000), (sdp.PCMA,))
