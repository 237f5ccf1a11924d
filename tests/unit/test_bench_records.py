"""The benchmark of records: what it makes is what the store keeps, and it measures every kind of search."""

import random
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bench import records_growth as growth
from bench import records_postgres as archive
from bench.records import CONDITIONS, kinds, some_days, wanted
from bench.records_calls import shapes
from bench.records_made import CITY, LAST_DAY, SHAPES, Made, Maker, differences, fill
from calls.record import Outcome
from recordings.queries import Wanted, find
from recordings.store import Store

CALLS = 300
PART = 75
SEED = 1


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Made]]:
    """A store that was made, and the calls in it."""
    folder = tmp_path_factory.mktemp("made")
    maker = Maker(folder, CALLS, SEED, many_shapes=150)
    calls = list(maker.calls(2, CALLS, SEED))
    parts = {PART: folder / "part.db"}
    many, sample = fill(folder / "records.db", maker, iter(calls), lambda _: None, parts)
    assert (many, sample) == (CALLS, [calls[0], calls[PART]])
    return folder / "records.db", calls


def test_the_rows_that_are_made_are_those_that_the_store_keeps(city: tuple[Path, list[Made]], tmp_path: Path) -> None:
    path, calls = city
    assert {one.shape.outcome for one in calls} >= {"answered", "abandoned", "left", "closed", "call_back"}
    assert differences(calls, path, tmp_path / "compared.db") == []


def test_a_row_that_the_store_would_keep_otherwise_is_told(city: tuple[Path, list[Made]], tmp_path: Path) -> None:
    path, calls = city
    other = replace(calls[0], who=replace(calls[0].who, caller="otherwise"))
    (told,) = differences([other], path, tmp_path / "compared.db")
    assert told.endswith("the store keeps 'otherwise'")


def test_the_store_that_is_made_is_whole_and_every_kind_of_search_finds_something(
    city: tuple[Path, list[Made]], tmp_path: Path
) -> None:
    path, calls = city
    tables = "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite%' ORDER BY 1, 2"
    with Store(tmp_path / "empty.db") as empty, Store(path) as store:
        assert store.rows(tables) == empty.rows(tables)
        assert store.rows("PRAGMA integrity_check") == [{"integrity_check": "ok"}]
        outcomes = Counter(record.outcome.value for record in find(store, Wanted(limit=CALLS), CITY))
        assert outcomes == Counter(one.shape.outcome for one in calls)
        chance = random.Random(SEED)  # noqa: S311 - it draws examples
        for kind in kinds():
            assert find(store, wanted(kind, store, len(calls), chance, one_call=True), CITY), kind


def test_a_part_is_a_whole_store_with_the_first_of_the_calls(city: tuple[Path, list[Made]], tmp_path: Path) -> None:
    path, calls = city
    part = path.with_name("part.db")
    tables = "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite%' ORDER BY 1, 2"
    assert differences(calls[:PART], part, tmp_path / "compared.db") == []
    with Store(path) as store, Store(part) as first:
        assert first.rows(tables) == store.rows(tables)
        assert first.rows("PRAGMA integrity_check") == [{"integrity_check": "ok"}]
        assert first.rows("SELECT count(*) AS n FROM records") == [{"n": PART}]


def test_the_growth_of_every_kind_of_search_is_measured_at_every_size(city: tuple[Path, list[Made]]) -> None:
    path, _ = city
    days = growth.common_days(2, PART, CALLS)
    stores = {PART: path.with_name("part.db"), CALLS: path}
    told: list[str] = []
    runs = growth.grown(stores, days, times=2, rounds=2, seed=SEED, told=told.append)
    assert [run.size for run in runs] == [PART, CALLS, CALLS, PART]
    assert all({one.id for one in growth.COMPARISON.figures} == set(run.figures) for run in runs)
    assert [set(one["median_ms"]) for one in growth.summed_up(runs)] == [{str(PART), str(CALLS)}] * len(runs[0].figures)


async def test_the_same_is_asked_of_postgresql(city: tuple[Path, list[Made]]) -> None:
    path, _ = city
    told: list[str] = []
    runs = await archive.grown(path, (20, PART), times=2, rounds=1, seed=SEED, told=told.append)
    assert [run.size for run in runs] == [20, PART]
    assert all({one.id for one in archive.COMPARISON.figures} == set(run.figures) for run in runs)


def test_days_that_are_compared_are_whole_in_the_smallest_store() -> None:
    first = LAST_DAY - timedelta(days=99)
    assert growth.common_days(100, 625_000, 10_000_000) == [first + timedelta(days=day) for day in range(6)]
    assert growth.sizes(10_000_000) == [625_000, 2_500_000, 10_000_000]


def test_every_combination_of_conditions_is_measured() -> None:
    assert len({kind for kind in kinds() if set(kind) <= set(CONDITIONS)}) == 2 ** len(CONDITIONS)
    assert all(day <= LAST_DAY for day in some_days(100, SEED))


def test_calls_of_every_outcome_but_drills_are_made() -> None:
    assert {shape.outcome for shape in shapes(SHAPES, SEED)} == {one.value for one in Outcome} - {"drill"}
