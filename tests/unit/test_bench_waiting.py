"""The figures of callers who wait, from journals and moments made by hand."""

from dataclasses import replace
from pathlib import Path

import pytest

from bench.comparison import Run
from bench.waiting import QUICK, Moment, Plan, figures, in_turn, targets, with_way
from bench.waiting_crowd import Line, dropped, line
from bench.waiting_stage import ALONE, NUMBER, PROJECT, QUEUE, queue_conf, queue_dialplan, waits_by, with_digits
from calls.cel import COLUMNS
from settings.shape import Language

EMPTY = Moment(at_s=0, at_us=0, cpu_ms=500, memory_kib=40_000, controller_ms=100, controller_kib=60_000, packets=0)
BEGIN = replace(EMPTY, at_s=10, at_us=10_000_000, cpu_ms=1_000, controller_ms=200, memory_kib=41_000, packets=1_000)
END = replace(
    EMPTY, at_s=30, at_us=30_000_000, cpu_ms=3_000, controller_ms=240, memory_kib=41_600, controller_kib=60_080,
    packets=11_000,
)  # fmt: skip
ALL_THERE = Line(waits=10, gone=0, first_us=1_000_000, last_us=3_500_000, told_us=(9_000_000, 10_000_000), surviving=0)


def row(kind: str, at_s: float, ident: str, exten: str = "s") -> str:
    values = {"kind": kind, "at": f"{at_s:.6f}", "uniqueid": ident, "linkedid": ident, "exten": exten}
    return ",".join(f'"{values.get(name, "")}"' for name, _ in COLUMNS)


def test_the_journal_tells_who_waits_and_who_is_gone() -> None:
    rows = [
        row("CHAN_START", 1.0, "a", NUMBER),
        row("CHAN_START", 1.5, "b", NUMBER),
        row("CHAN_START", 1.6, "late", NUMBER),
        row("CHAN_START", 1.7, "other", "12333"),
        row("ROOM", 2.0, "a"),
        row("ROOM", 2.5, "b"),
        row("ROOM", 2.6, "other"),
        row("PLACE", 3.0, "a"),
        row("ROOM", 4.0, "a"),
        row("SURVIVAL", 5.0, "a"),
        row("HANGUP", 6.0, "b"),
        row("CHAN_END", 6.1, "b"),
    ]
    assert line(rows, NUMBER) == Line(2, 1, 1_000_000, 2_500_000, (3_000_000,), 1)


def test_without_a_controller_the_wait_begins_in_the_survival_queue() -> None:
    rows = [row("CHAN_START", 1.0, "a", NUMBER), row("ROOM", 2.0, "a"), row("SURVIVAL", 2.5, "a")]
    assert line(rows, NUMBER, waits_by(ALONE)).last_us == 2_500_000
    assert line([], NUMBER) == Line(0, 0, None, None, (), 0)


def test_costs_are_those_of_a_caller() -> None:
    found = figures(10, EMPTY, BEGIN, END, ALL_THERE)
    assert found["memory_kib"] == 160
    assert found["controller_kib"] == 8
    assert found["cpu_ms"] == 600
    assert found["controller_ms"] == 12
    assert found["packets"] == 50
    assert found["packet_us"] == 200
    assert found["let_in_s"] == 2.5
    assert found["told"] == pytest.approx(0.3)
    assert (found["kept_out"], found["lost"], found["surviving"]) == (0, 0, 0)


def test_who_was_not_let_in_or_was_lost_is_told_and_costs_nothing() -> None:
    found = figures(10, EMPTY, BEGIN, END, replace(ALL_THERE, waits=9, gone=1))
    assert (found["kept_out"], found["lost"], found["let_in_s"]) == (1, 1, None)
    assert found["memory_kib"] == 200


def test_where_more_calls_wait_than_callers_came_nobody_can_say_who_is_missing() -> None:
    found = figures(10, EMPTY, BEGIN, END, replace(ALL_THERE, waits=12))
    assert (found["kept_out"], found["let_in_s"]) == (None, None)


def test_what_is_not_there_has_no_figure() -> None:
    queue = [replace(one, controller_ms=None, controller_kib=None) for one in (EMPTY, BEGIN, END)]
    found = figures(10, queue[0], queue[1], queue[2], replace(ALL_THERE, told_us=()))
    assert [found[name] for name in ("controller_kib", "controller_ms", "told", "surviving")] == [None] * 4
    nobody = figures(10, EMPTY, BEGIN, replace(END, packets=BEGIN.packets), Line(0, 0, None, None, (), 0))
    assert [nobody[name] for name in ("memory_kib", "cpu_ms", "packets", "packet_us")] == [None] * 4


def test_the_ways_take_turns_in_beginning() -> None:
    plan = Plan((5, 20), (PROJECT, QUEUE), a_second=1, every_s=1, settle_s=1, window_s=1)
    assert list(in_turn(plan, 2)) == [
        (1, 5, PROJECT), (1, 5, QUEUE), (1, 20, PROJECT), (1, 20, QUEUE),
        (2, 5, QUEUE), (2, 5, PROJECT), (2, 20, QUEUE), (2, 20, PROJECT),
    ]  # fmt: skip
    assert with_way(QUICK, ALONE).ways == (PROJECT, QUEUE, ALONE)


def test_a_call_that_this_project_lost_misses_the_target() -> None:
    lost = Run(QUEUE, 1, {"lost": 3}, 125), Run(PROJECT, 1, {"lost": 0}, 125)
    assert targets(lost)[0].met
    assert not targets([*lost, Run(PROJECT, 2, {"lost": 1}, 500)])[0].met


def test_packets_that_nobody_reads_are_counted_by_the_kernel() -> None:
    table = (
        "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
        "  601: 0100007F:1F90 00000000:0000 07 00000000:00034500 00:00000000 00000000     0        0 5 2 0000 4711\n"
    )
    assert dropped(8080, table) == 4711
    with pytest.raises(LookupError):
        dropped(8081, table)


def test_the_queue_plays_the_sounds_of_this_project() -> None:
    names = ("position_1", "position_many", "estimate_unknown")
    sounds: dict[tuple[str, Language], Path] = {(name, "zh"): Path(f"/sounds/{name}") for name in names}
    text = queue_conf(sounds, every_s=20)
    assert "queue-quantity1=/sounds/position_many\n" in text
    assert "periodic-announce-frequency=20\n" in text
    assert "member => PJSIP/8001,0,8001,PJSIP/8001\n" in text
    assert f"exten => {NUMBER},1,Answer()" in queue_dialplan(Path("/sounds/hello"), Path("/sounds/wait"))


def test_digits_are_added_to_the_data_that_asterisk_has(tmp_path: Path) -> None:
    (tmp_path / "had" / "sounds").mkdir(parents=True)
    (tmp_path / "had" / "documentation").mkdir()
    syllable = tmp_path / "no_key-en-1"
    syllable.with_name(f"{syllable.name}.alaw").write_bytes(b"sound")
    with_digits(tmp_path / "had", tmp_path / "data", syllable)
    assert (tmp_path / "data" / "documentation").is_dir()
    assert (tmp_path / "data" / "sounds" / "en" / "digits" / "30.alaw").read_bytes() == b"sound"
