"""The benchmark of durable records: every kind of store is given the same calls, and holds them afterwards."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from bench.inserts import COMPARISON, WAYS, figures, rotated
from bench.inserts_stores import (
    BEGIN_MS,
    WARM_UP,
    Call,
    Fresh,
    KeptOtherwise,
    OwnStore,
    PlainStore,
    PostgresStore,
    Took,
    fresh,
    lots,
    some_calls,
)
from bench.postgres import Databases
from tests.support.postgres_server import running

SIZES = (20, 40)
MANY = WARM_UP + 50
_DAY_MS = 86_400_000


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> tuple[OwnStore, PlainStore, Sequence[Call], Fresh]:
    """Stores that hold calls, these, and others."""
    folder = tmp_path_factory.mktemp("stores")
    calls = some_calls(SIZES[-1], 1, BEGIN_MS)
    own = OwnStore(folder)
    own.prepare(SIZES, calls)
    plain = PlainStore(folder, own)
    plain.prepare(SIZES)
    return own, plain, calls, fresh(some_calls(MANY, 2, BEGIN_MS + _DAY_MS), folder)


@pytest.mark.parametrize("at_once", [1, 100])
@pytest.mark.parametrize("size", SIZES)
async def test_calls_are_kept_beside_those_that_the_store_holds(
    stores: tuple[OwnStore, PlainStore, Sequence[Call], Fresh], size: int, at_once: int
) -> None:
    own, plain, _, new = stores
    took = [await kind.keep(size, new, at_once) for kind in (own, plain)]
    assert all(one.wall_s > 0 and one.cpu_s > 0 and one.grew_bytes > 0 for one in took)


async def test_postgresql_keeps_them_in_copies_too(
    stores: tuple[OwnStore, PlainStore, Sequence[Call], Fresh],
) -> None:
    own, _, calls, new = stores
    with running() as server:
        there = PostgresStore(Databases(server), own)
        await there.prepare(SIZES, calls)
        took = [await there.keep(size, new, 100) for size in SIZES]
    assert all(one.wall_s > 0 and one.server_cpu_ms is not None and one.grew_bytes > 0 for one in took)


async def test_a_store_that_does_not_hold_what_it_was_given_gives_no_figures(
    stores: tuple[OwnStore, PlainStore, Sequence[Call], Fresh],
) -> None:
    own, _, calls, new = stores
    with pytest.raises(KeptOtherwise, match="mend the benchmark"):
        await own.keep(SIZES[0], replace(new, calls=[*calls[:1], *new.calls[1:]]), 1)


def test_every_store_is_given_the_same_rows(stores: tuple[OwnStore, PlainStore, Sequence[Call], Fresh]) -> None:
    new = stores[-1]
    assert [parcel.ref for parcel in new.parcels] == [who.ref for _, who in new.calls]
    for parcel, (events, records) in zip(new.parcels, new.rows, strict=True):
        assert parcel.record is not None
        assert len(records) == 1
        assert len(parcel.events) == len(events)


@pytest.mark.parametrize("at_once", [1, 7, 100])
def test_each_call_is_in_one_transaction_and_the_warm_up_in_its_own(at_once: int) -> None:
    found = lots(MANY, at_once)
    assert [number for lot in found for number in lot] == list(range(MANY))
    assert all(len(lot) <= at_once for lot in found)
    assert any(lot.stop == WARM_UP for lot in found)


def test_each_way_comes_first_once() -> None:
    orders = [rotated(WAYS, round_) for round_ in range(len(WAYS))]
    assert {order[0] for order in orders} == set(WAYS)
    assert all(set(order) == set(WAYS) for order in orders)


def test_other_seeds_make_other_calls() -> None:
    refs = [{who.ref for _, who in some_calls(50, seed, BEGIN_MS)} for seed in (1, 2)]
    assert refs[0].isdisjoint(refs[1])


def test_figures_are_of_one_call_and_a_store_that_is_not_there_has_none() -> None:
    assert figures(Took(2.0, 1.0, 500.0, 8_000), 1_000) == {
        "calls_a_s": 500.0,
        "cpu_ms": 1.0,
        "server_cpu_ms": 0.5,
        "bytes": 8.0,
    }
    assert figures(None, 1_000) == {figure.id: None for figure in COMPARISON.figures}
