"""The pure parts of the benchmark of calls: packets, the search for the highest rate, the judgement."""

import struct
from pathlib import Path

import pytest

from bench.calls import CONTESTED, Found, fixed_figures, room_for, targets
from bench.calls_key import EVENT, PCMA, write_key
from bench.calls_load import Played, Spent, Wire
from bench.calls_placed import failed
from bench.calls_search import ENOUGH, Tried, found_rate, next_rate
from bench.calls_seen import answers_ms, prompts_ms
from bench.calls_stage import BARE, PROJECT, RIVALS
from bench.capture import Seen
from bench.comparison import Run
from phones.rtp import Digits, Packet, digit_payload, pack, unpack

ASTERISK, CALLER = 10_000, 20_000
SIZE = 16


def datagram(payload: bytes, *, sends: int, takes: int) -> bytes:
    return bytes(20) + struct.pack("!HHHH", sends, takes, 8 + len(payload), 0) + payload


def audio(at_ms: float, *, source: int = 1, port: int = ASTERISK) -> Seen:
    payload = pack(Packet(PCMA, 1, 160, source, b"\xd5" * 160))
    return Seen(round((1000 + at_ms) * 1e6), datagram(payload, sends=port, takes=CALLER))


def key(at_ms: float, *, last: bool = True, port: int = ASTERISK) -> Seen:
    payload = pack(Packet(EVENT, 1, 160, 7, digit_payload("0", duration=800, last=last)))
    return Seen(round((1000 + at_ms) * 1e6), datagram(payload, sends=CALLER, takes=port))


def sip(at_ms: float, text: str) -> Seen:
    return Seen(round(at_ms * 1e6), datagram(text.encode(), sends=1, takes=2))


def test_the_prompt_after_a_key_is_the_first_audio_after_its_end_however_often_that_is_told() -> None:
    packets = [audio(0), key(500, last=False), key(600), key(620), audio(625), key(640), audio(645), audio(665)]
    assert prompts_ms(packets) == [25]


def test_a_key_pressed_while_asterisk_speaks_shows_nothing() -> None:
    assert prompts_ms([audio(0), audio(580), key(600), audio(620)]) == []


def test_audio_of_a_later_call_at_the_same_port_follows_no_key() -> None:
    assert prompts_ms([audio(0), key(600), audio(5000, source=2)]) == []


def test_calls_at_different_ports_are_kept_apart() -> None:
    packets = [audio(0), audio(0, port=10_002), key(600), audio(610, port=10_002), audio(630)]
    assert prompts_ms(packets) == [30]


def test_a_call_is_answered_by_the_first_200_for_its_first_invite() -> None:
    packets = [
        sip(0, "INVITE sip:12345 SIP/2.0\r\nCall-ID: a\r\nCSeq: 1 INVITE\r\n"),
        sip(1, "INVITE sip:12345 SIP/2.0\r\nCall-ID: b\r\nCSeq: 1 INVITE\r\n"),
        sip(2, "INVITE sip:12345 SIP/2.0\r\nCall-ID: a\r\nCSeq: 1 INVITE\r\n"),
        sip(3, "SIP/2.0 200 OK\r\nCall-ID: b\r\nCSeq: 1 BYE\r\n"),
        sip(4, "SIP/2.0 200 OK\r\nCall-ID: a\r\nCSeq: 1 INVITE\r\n"),
        sip(9, "SIP/2.0 200 OK\r\nCall-ID: a\r\nCSeq: 1 INVITE\r\n"),
        sip(9, "SIP/2.0 200 OK\r\nCall-ID: unknown\r\nCSeq: 1 INVITE\r\n"),
    ]
    assert answers_ms(packets) == [4]


def test_the_key_that_sipp_plays_is_one_key(tmp_path: Path) -> None:
    path = tmp_path / "key.pcap"
    write_key(path, "0")
    data, at, digits = path.read_bytes(), 24, Digits()
    while at < len(data):
        length: int = struct.unpack_from("<I", data, at + 8)[0]
        frame = data[at + 16 : at + 16 + length]
        digits.take(unpack(frame[14 + 20 + 8 :]))
        at += 16 + length
    assert digits.pressed == "0"


def search(limit: float, start: float = 20) -> tuple[float | None, list[Tried]]:
    """A machine that serves rates up to `limit`, and fails one call in ten above."""
    tried: list[Tried] = []
    while (rate := next_rate(tried, start=start, most=1000)) is not None:
        calls = round(rate * 10)
        tried.append(Tried(rate, calls, 0 if rate <= limit else calls // 10))
        assert len(tried) < 30
    return found_rate(tried), tried


@pytest.mark.parametrize("limit", [12.0, 19.0, 20.0, 47.0, 900.0])
def test_the_search_ends_close_to_what_is_served_and_has_shown_it_with_enough_calls(limit: float) -> None:
    found, tried = search(limit)
    assert found is not None
    assert limit / 1.06 <= found <= limit
    assert sum(one.calls for one in tried if one.rate == found) >= ENOUGH


def test_no_rate_is_tried_above_the_most() -> None:
    assert next_rate([Tried(20, 200, 0)], start=20, most=22) == 22
    assert next_rate([Tried(22, 1200, 0)], start=20, most=22) is None


def test_one_failed_call_of_few_is_a_doubt_that_more_calls_settle() -> None:
    doubt = [Tried(20, 600, 1)]
    assert next_rate(doubt, start=20, most=100) == 20
    assert found_rate(doubt) is None
    assert found_rate([*doubt, Tried(20, 600, 0)]) == 20
    assert next_rate([Tried(20, 600, 1), Tried(20, 1400, 3)], start=20, most=100) == pytest.approx(20 / 1.3)


def test_a_rate_that_failed_when_it_was_tried_again_is_not_found() -> None:
    tried = [Tried(20, 1000, 0), Tried(26, 500, 0), Tried(28, 500, 50), Tried(26, 500, 20)]
    assert found_rate(tried) == 20


def test_failed_calls_are_read_from_the_last_line_of_sipp_statistics() -> None:
    assert failed("StartTime;FailedCall(P);FailedCall(C);Rest;\na;0;0;x;\nb;1;3;x;\n") == 3


def test_costs_are_told_by_the_call_and_times_only_where_nearly_all_calls_showed_them() -> None:
    spent = Spent(asterisk=1000, sipp=200, steering=100, records=None)
    found = fixed_figures(Played(100, 1, spent, Wire([2.0] * 99, [3.0] * 50), []))
    assert (found["asterisk_cpu_ms"], found["python_cpu_ms"], found["records_cpu_ms"]) == (10, 1, None)
    assert (found["answer_p50_ms"], found["prompt_p50_ms"], found["failed"]) == (2, None, 1)


def test_figures_of_one_round_come_together_and_failures_add_up() -> None:
    found = Found()
    found.begin(PROJECT, 1, SIZE)
    found.note(PROJECT, 1, SIZE, {"asterisk_cpu_ms": 10.0, "failed": 1.0})
    found.note(PROJECT, 1, SIZE, {"ring_p50_ms": 4.0, "failed": 2.0})
    found.note(PROJECT, 1, SIZE, {"rate": None})
    (run,) = found.runs()
    assert run.figures == {"asterisk_cpu_ms": 10.0, "failed": 3.0, "ring_p50_ms": 4.0, "rate": None}


def made(way: str, value: float, rate: float) -> Run:
    return Run(way, 1, {**dict.fromkeys(CONTESTED, value), "rate": rate, "failed": 0.0}, SIZE)


def test_the_search_begins_where_the_processors_have_time() -> None:
    runs = [Run("a", 1, {"asterisk_cpu_ms": 40.0, "python_cpu_ms": None, "sipp_cpu_ms": 10.0}, SIZE)]
    assert room_for(runs, "a", SIZE) == pytest.approx(room_for([made("b", 1, 1)], "b", SIZE) / 25)
    assert room_for(runs, "unknown", SIZE) == SIZE


def test_who_is_best_in_everything_meets_every_target() -> None:
    runs = [made(BARE.name, 0.5, 60), made(PROJECT.name, 0.55, 58), *(made(one.name, 0.6, 50) for one in RIVALS)]
    assert [target.found for target in targets(runs, SIZE) if not target.met] == []


def test_a_figure_in_which_a_rival_is_better_is_named() -> None:
    rival = made(RIVALS[0].name, 0.6, 70)
    runs = [made(BARE.name, 0.5, 60), made(PROJECT.name, 0.55, 58), rival]
    missed = [target for target in targets(runs, SIZE) if not target.met]
    assert [target.found for target in missed] == ["1: calls a second, at most"]


def test_what_was_not_measured_meets_no_target() -> None:
    met = {target.what: target.met for target in targets([made(RIVALS[0].name, 1, 1)], SIZE)}
    assert not met["calls a second, of bare Asterisk's"]
    assert not met[f"figures in which it is behind {RIVALS[0].name}"]
