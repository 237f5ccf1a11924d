"""Streams of recorded events: each call its own, and how many of its events count."""

import socket
import threading

import pytest

from asterisk.heard import HEARD as LISTENED_FOR
from bench.ami import WAYS, expected
from bench.ami_reader import OURS, PANORAMISK, PROTOCOL
from bench.ami_reader import WAYS as READERS
from bench.ami_stream import HEARD, STREAMS, Source, Stream, stream

CHANGE = "Event: DeviceStateChange\nDevice: PJSIP/8001\nState: INUSE\n\n"
OTHER_CHANGE = "Event: DeviceStateChange\nDevice: PJSIP/carrier\nState: INUSE\n\n"
ROOM = "Event: UserEvent\nChannel: PJSIP/carrier-<call>\nUserEvent: Room\nRef: a-<ref>\n\n"
FOREIGN = "Event: UserEvent\nUserEvent: Else\nRef: a-<ref>\n\n"
STEP = "Event: Newexten\nUniqueid: <id>\nApplication: UserEvent\n\n"


def test_what_counts_of_a_call_depends_on_who_reads_it() -> None:
    call = Stream(CHANGE + OTHER_CHANGE + ROOM + FOREIGN + STEP)
    assert expected(PROTOCOL, call) == 5
    assert expected(PANORAMISK, call) == 4
    assert expected(OURS, call) == 2


def test_every_call_has_names_of_its_own() -> None:
    one, other = (stream("all").call(place) for place in (1, 2))
    assert one != other
    assert b"<ref>" not in one
    assert b"<id>" not in one
    assert one.count(b"\r\n\r\n") == stream("all").events


def test_the_recorded_call_is_whole_in_both_streams() -> None:
    assert {stream(name).meant for name in STREAMS} == {6}
    assert stream("steered").events < stream("all").events


def test_a_stream_ends_with_an_event_of_its_own() -> None:
    batches = Stream(CHANGE).batches(25)
    assert len(batches) == 4
    assert sum(batch.count(b"PJSIP/8001") for batch in batches) == 25
    assert batches[-1].count(b"\r\n\r\n") == 1


def test_a_size_is_rounded_to_whole_calls() -> None:
    assert Stream(CHANGE * 8).calls(20) == 2
    assert Stream(CHANGE * 8).calls(1) == 1


def test_what_is_listened_for_is_what_the_controller_listens_for() -> None:
    assert HEARD == LISTENED_FOR
    assert tuple(READERS) == WAYS


def test_the_source_answers_actions_and_sends_what_it_is_given() -> None:
    source = Source()
    accepting = threading.Thread(target=source.accept)
    accepting.start()
    with socket.create_connection(("127.0.0.1", source.port), timeout=30) as client:
        accepting.join(30)
        client.sendall(b"Action: Login\r\nActionID: 7\r\n\r\n")
        said = b""
        while not said.endswith(b"\r\n\r\n"):
            said += client.recv(65536)
        assert b"Response: Success\r\nActionID: 7\r\n" in said
        source.send(Stream(CHANGE).batches(1))
        heard = b""
        while b"99999999" not in heard or not heard.endswith(b"\r\n\r\n"):
            heard += client.recv(65536)
    source.close()
    assert heard.count(b"Event: ") == 2


def test_nobody_can_be_sent_anything_who_is_not_connected() -> None:
    source = Source()
    with pytest.raises(ConnectionError, match="accept first"):
        source.send([b"x"])
    source.close()
