"""RTP: packets in any order become the sound that was sent."""

import random
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phones import rtp
from phones.g711 import Wave
from phones.rtp import FRAME, Digits, NotRtp, Packet, Timeline

SOUND: Wave = (np.arange(50 * FRAME) % 3000 + 1).astype(np.int16)


def packets(first_sequence: int = 65_520, first_timestamp: int = 2**32 - 5 * FRAME, source: int = 7) -> list[Packet]:
    """The sound in 50 packets, whose counters wrap on the way."""
    return [
        Packet(8, (first_sequence + n) & 0xFFFF, (first_timestamp + n * FRAME) & 0xFFFFFFFF, source, b"")
        for n in range(50)
    ]


def frame(number: int) -> Wave:
    return SOUND[number * FRAME : (number + 1) * FRAME]


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.1, 0.5]))
def test_order_and_doubles_do_not_matter(seed: int, doubled: float) -> None:
    drawn = random.Random(seed)  # noqa: S311 - a test's order must come back with its seed
    arriving = [n for n in range(1, 50) for _ in range(2 if drawn.random() < doubled else 1)]
    # Each packet is at most about eight places away from where it belongs.
    arriving.sort(key=lambda n: n + drawn.uniform(0, 8))
    timeline = Timeline()
    all_packets = packets()
    for place, number in enumerate([0, *arriving]):
        timeline.take(all_packets[number], frame(number), 100 + place * 0.02)
    assert np.array_equal(timeline.samples, SOUND)


def test_what_is_lost_is_silence_and_everything_else_keeps_its_place() -> None:
    timeline = Timeline()
    for number, packet in enumerate(packets()):
        if number not in (10, 11, 30):
            timeline.take(packet, frame(number), number * 0.02)
    heard = timeline.samples
    assert not heard[10 * FRAME : 12 * FRAME].any()
    assert np.array_equal(heard[12 * FRAME : 30 * FRAME], SOUND[12 * FRAME : 30 * FRAME])
    assert len(heard) == len(SOUND)


def test_a_burst_after_a_stall_is_still_one_sound() -> None:
    timeline = Timeline()
    for number, packet in enumerate(packets()):
        timeline.take(packet, frame(number), 0.02 * number if number < 20 else 9.0)
    assert np.array_equal(timeline.samples, SOUND)


def test_a_new_source_or_a_wild_timestamp_goes_on_where_the_clock_is() -> None:
    timeline = Timeline()
    for number, packet in enumerate(packets()[:10]):
        timeline.take(packet, frame(number), number * 0.02)
    timeline.take(Packet(8, 1, 99, 8, b""), frame(0), 1.0)
    timeline.take(Packet(8, 2, 2_000_000_000, 8, b""), frame(1), 2.0)
    heard = timeline.samples
    assert np.array_equal(heard[8000 : 8000 + FRAME], frame(0))
    assert np.array_equal(heard[16_000 : 16_000 + FRAME], frame(1))
    assert len(heard) == 16_000 + FRAME


def test_a_pause_that_the_clock_explains_stays_as_long_as_its_timestamps_say() -> None:
    timeline = Timeline()
    timeline.take(Packet(8, 1, 0, 7, b""), frame(0), 0.0)
    timeline.take(Packet(8, 2, 40_000, 7, b"", marker=True), frame(1), 4.9)
    assert np.array_equal(timeline.samples[40_000 : 40_000 + FRAME], frame(1))


def test_arrivals_tell_when_each_packet_came() -> None:
    timeline = Timeline()
    for number, packet in enumerate(packets()[:3]):
        timeline.take(packet, frame(number), 5 + number)
    assert timeline.arrivals.tolist() == [[5.0, 0.0], [6.0, 160.0], [7.0, 320.0]]
    assert timeline.place_at(5.5) == 4000


@given(st.binary(max_size=80))
def test_no_datagram_breaks_the_reader(data: bytes) -> None:
    try:
        rtp.unpack(data)
    except NotRtp:
        return


def test_padding_extension_and_contributors_are_not_sound() -> None:
    head = struct.pack("!BBHII", 0xB2, 0x88, 1, 2, 3) + b"cccccccc" + struct.pack("!HH", 9, 1) + b"eeee"
    packet = rtp.unpack(head + b"sound" + b"\0\0\3")
    assert (packet.payload, packet.marker, packet.kind) == (b"sound", True, 8)


def test_rtcp_is_not_taken_for_sound() -> None:
    with pytest.raises(NotRtp):
        rtp.unpack(struct.pack("!BBHII", 0x80, 200, 6, 1, 2) + bytes(20))


def test_a_key_counts_once_however_often_its_packets_come() -> None:
    digits = Digits()
    for timestamp, key in ((100, "1"), (900, "1"), (2000, "#")):
        for duration, last in ((160, False), (320, False), (480, True), (480, True), (480, True)):
            digits.take(Packet(101, 0, timestamp, 7, rtp.digit_payload(key, duration=duration, last=last)))
    assert digits.pressed == "11#"


def test_a_key_that_does_not_exist_is_refused() -> None:
    with pytest.raises(rtp.NoSuchKey):
        rtp.checked_keys("1x")
