"""A month's report has the figures that its calls' raw lines tell: computed once more, in SQL alone."""

import pytest

from bench.records_made import CITY, Maker
from bench.report_command import MONTH, NOW_MS, differences
from bench.report_made import Month, filled
from bench.report_sql import Found, computed
from recordings.figures import CATALOGUE, By
from recordings.report import WITHIN_MS, Report, report
from recordings.store import Store
from tests.support.peculiar_calls import peculiar

Lines = tuple[Found, dict[str, tuple[int, int, int]]]

CALLS = 2_000
SEED = 12


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> tuple[Report, Lines]:
    """The report of a made month, and what its raw lines tell."""
    folder = tmp_path_factory.mktemp("month")
    maker = Maker(folder, CALLS // 3, SEED, many_shapes=200)
    path, raw = folder / "records.db", folder / "lines.db"
    assert filled(path, raw, Month(maker, CALLS, SEED, peculiar(MONTH.bounds_ms(CITY)[0])), lambda _: None)[0] == CALLS
    with Store(path) as store:
        told = report(store, MONTH, CITY, NOW_MS)
    return told, computed(raw, path, MONTH.bounds_ms(CITY), WITHIN_MS, lambda _: None)


def test_every_figure_of_a_month_is_what_the_raw_lines_tell(month: tuple[Report, Lines]) -> None:
    told, (values, lie) = month
    many, wrong = differences(told, values, lie)
    assert wrong == []
    assert many > 10_000
    assert {by for by, _, _ in values} == {"", *(by.value for by in By)}


def test_no_figure_of_that_month_is_empty(month: tuple[Report, Lines]) -> None:
    total = month[0].total
    assert {figure.id for figure in CATALOGUE if not total[figure.id].numerator} == set()
    assert (total["called_back"].numerator, total["reached"].numerator) == (2, 1)


def test_a_figure_that_is_otherwise_is_found(month: tuple[Report, Lines]) -> None:
    told, (values, lie) = month
    other = values | {("hour", "09", "talking"): (1, 1)}
    assert [one.partition(":")[0] for one in differences(told, other, lie)[1]] == ["hour 09 talking"]
    less = {key: both for key, both in values.items() if key != ("", "", "rated")}
    assert [one.partition(":")[0] for one in differences(told, less, lie)[1]] == ["  rated"]
    longer = lie | {"waiting": (0, 0, 0)}
    assert len(differences(told, values, longer)[1]) == 1
