"""The generated city is a right one at every size, and the target counts its three steps."""

from pathlib import Path

from bench.comparison import Run
from bench.compiler import COMPILED_WITHIN_S, WAY, targets
from bench.compiler_city import FULL, Size, part, write_city
from settings.check import check
from settings.demands import menus_heard


def test_the_grown_city_is_a_right_one_of_the_size_that_was_asked_for(tmp_path: Path) -> None:
    size = Size(seats=30, numbers=60, menus=9)
    write_city(tmp_path, size)
    checked = check(tmp_path)
    assert checked.problems == ()
    assert checked.settings is not None
    example = check(Path(__file__).resolve().parents[2] / "config").settings
    assert example is not None
    assert len(checked.settings.answering.seats) == len(example.answering.seats) + size.seats
    assert len(checked.settings.numbers) == len(example.numbers) + size.numbers
    assert len(checked.settings.menus) == len(example.menus) + size.menus
    assert menus_heard(checked.settings) == set(checked.settings.menus)


def test_a_part_of_the_full_size_is_smaller_in_everything() -> None:
    assert part(1) == FULL
    assert part(4) == Size(seats=2_500, numbers=250, menus=125)
    assert part(16).skills < part(4).skills < FULL.skills


def run(turn: int, seats: int, **figures: float) -> Run:
    return Run(WAY, turn, figures, seats, 0.0)


def test_the_target_counts_checking_passwords_and_compiling_at_the_full_size() -> None:
    runs = [run(turn, FULL.seats, check_s=10.0 + turn, passwords_s=2.0, compile_s=5.0) for turn in range(3)]
    [target] = targets(runs)
    assert target.met
    assert target.found == "18.0 s"
    slow = [run(1, FULL.seats, check_s=COMPILED_WITHIN_S, passwords_s=0.0, compile_s=0.1)]
    assert not targets(slow)[0].met


def test_nothing_is_judged_that_was_not_measured() -> None:
    assert targets([run(1, part(4).seats, check_s=1.0, passwords_s=1.0, compile_s=1.0)]) == []
