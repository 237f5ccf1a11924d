"""A report as text, table and page, and the command that writes them."""

import csv
import io
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from rich.console import Console
from typer.testing import CliRunner

from calls.record import CallRecord
from hotline.cli import app
from recordings import report_html, report_text
from recordings.duty import Duty, DutyRow
from recordings.figures import CATALOGUE, By, Unit, Value, figure_of
from recordings.figures_span import Length, span_of
from recordings.report import Report, report
from recordings.report_charts import Series, lines, rows, stacked
from recordings.report_words import NONE, amount, details
from recordings.store import Store
from tests.support.keeping import CITY
from tests.support.settings_maker import PLAIN, write_city
from tests.unit.test_recordings_figures import DAY, FAR_MS, abandoned, answered, at, keep

runner = CliRunner()
SVG = re.compile(r"<svg.*?</svg>", re.DOTALL)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a store that nobody changes: three answered calls, one abandoned, and an agent's hours."""
    folder = tmp_path_factory.mktemp("data")
    with Store(folder / "records.db") as store:
        calls = [answered(serial, 9, 20_000 * serial - 10_000, mark=serial + 2, seat="8001") for serial in (1, 2, 3)]
        keep(store, *calls, abandoned(4, 10))
        states = ((8, "idle"), (9, "talking"), (9.5, "wrap_up"), (10, "offline"))
        Duty(store).add(DutyRow("8001", "1001", state, "", None, at(hour)) for hour, state in states)
    return folder


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return write_city(tmp_path / "city")


def told(data: Path, length: Length = Length.DAY) -> Report:
    with Store(data / "records.db") as store:
        return report(store, span_of(length, DAY), CITY, FAR_MS)


def nothing(tmp_path: Path) -> Report:
    with Store(tmp_path / "empty" / "records.db") as store:
        return report(store, span_of(Length.DAY, DAY), CITY, FAR_MS)


def drawn(found: Report, width: int) -> str:
    console = Console(width=width)
    with console.capture() as shown:
        console.print(report_text.draw(found))
    return shown.get()


# --- words ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("id_", "value", "words", "more"),
    [
        ("calls", Value(12_345, None), "12,345", ""),
        ("calls", Value(0, None), "0", ""),
        ("connection_rate", Value(1, 2), "50.0 %", "1 of 2"),
        ("connection_rate", Value(0, 0), NONE, ""),
        ("waiting", Value(3_000, 2), "1.5 s", "2 times"),
        ("waiting", Value(0, 0), NONE, ""),
        ("occupancy", Value(3_600_000, 7_200_000), "50.0 %", "1.0 of 2.0 h"),
    ],
)
def test_a_value_is_written_for_people(id_: str, value: Value, words: str, more: str) -> None:
    assert (amount(figure_of(id_), value), details(figure_of(id_), value)) == (words, more)


@pytest.mark.parametrize("width", [48, 60, 80, 200])
def test_nothing_is_cut_however_narrow_the_terminal_is(data: Path, width: int) -> None:
    text = drawn(told(data), width)
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= width
    for figure in CATALOGUE:
        if figure.id != "answered_within":
            assert figure.zh in text
    assert "75.0 %" in text


def test_a_day_without_calls_has_no_rates_and_no_tables(tmp_path: Path) -> None:
    text = drawn(nothing(tmp_path), 100)
    assert "%" not in text
    assert text.count(NONE) == sum(figure.unit is not Unit.CALLS for figure in CATALOGUE)
    assert "hour" not in text


# --- for programs --------------------------------------------------------------------------------


def table(found: Report) -> list[dict[str, str]]:
    file = io.StringIO(newline="")
    report_text.write_csv(found, file)
    return list(csv.DictReader(io.StringIO(file.getvalue())))


def test_the_table_has_every_value_once(data: Path) -> None:
    found = told(data, Length.WEEK)
    lines = table(found)
    keys = [(line["by"], line["key"], line["figure"]) for line in lines]
    assert len(keys) == len(set(keys))
    assert {by for by, _, _ in keys} == {"", *(by.value for by in By)}
    for line in lines:
        of = found.total if not line["by"] else found.by[By(line["by"])][line["key"]]
        value = of[line["figure"]]
        assert line["numerator"] == str(value.numerator)
        assert line["value"] == ("" if value.result is None else str(value.result))
        assert line["period"] == "2026-W10"


def test_a_dialled_number_is_no_formula(data: Path) -> None:
    found = told(data)
    found.by[By.NUMBER]["=1+1"] = found.by[By.NUMBER]["12345"]
    keys = {line["key"] for line in table(found) if line["by"] == "number"}
    assert keys == {"12345", "'=1+1"}


def test_the_object_for_programs_has_what_is_documented(data: Path, project: Path) -> None:
    found = json.loads(report_text.as_json(told(data)))
    documented = (project / "docs/figures.md").read_text("utf-8").split("`--json` prints one object:")[1].split("\n")[0]
    assert set(found) == set(re.findall(r"`(\w+)`", documented)) - {
        *("value", "numerator", "denominator", "median_ms", "p95_ms", "max_ms")
    }
    assert found["total"]["connection_rate"] == {"value": 0.75, "numerator": 3, "denominator": 4}
    assert found["total"]["waiting"]["max_ms"] == 50_000


def test_the_columns_of_the_table_are_documented(project: Path) -> None:
    text = (project / "docs/figures.md").read_text("utf-8").split("| column | meaning |")[1].split("\n\n")[0]
    assert tuple(re.findall(r"`(\w+)`", "".join(line.split("|")[1] for line in text.splitlines()[2:]))) == (
        report_text.COLUMNS
    )


# --- the page ------------------------------------------------------------------------------------


class Page(HTMLParser):
    """What a browser would be asked for, and whether every element is closed."""

    VOID = frozenset({"meta"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.addresses: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "action", "data")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def read(page: str) -> Page:
    found = Page()
    found.feed(page)
    found.close()
    assert found.open == []
    return found


@pytest.mark.parametrize("length", list(Length))
def test_the_page_needs_nothing_from_elsewhere(data: Path, length: Length) -> None:
    page = report_html.page(told(data, length), "测试市", "Testville <b>", "2026-03-02 12:00")
    found = read(page)
    assert found.addresses == []
    assert found.tags.isdisjoint({"script", "link", "img", "iframe", "object", "b"})
    assert "url(" not in page
    assert "@import" not in page
    text = "".join(found.text)
    for figure in CATALOGUE:
        assert figure.formula in text
        assert figure.id == "answered_within" or (figure.zh in text and figure.en in text)
    assert "15秒接听率" in text


def test_the_page_of_a_day_without_calls_is_whole(tmp_path: Path) -> None:
    text = "".join(read(report_html.page(nothing(tmp_path), "市", "City", "now")).text)
    assert NONE in text
    assert "100.0 %" not in text


def shapes(svg: str) -> Iterator[ElementTree.Element]:
    yield from ElementTree.fromstring(svg).iter()  # noqa: S314 - our own words


def test_every_mark_of_a_chart_is_within_its_frame(data: Path) -> None:
    page = report_html.page(told(data, Length.MONTH), "市", "City", "now")
    charts = SVG.findall(page)
    assert len(charts) == 7
    for chart in charts:
        marks = list(shapes(chart))
        width, height = (float(one) for one in marks[0].attrib["viewBox"].split()[2:])
        for mark in marks:
            x, y = (float(mark.get(one) or mark.get(f"c{one}") or 0) for one in ("x", "y"))
            assert 0 <= x <= x + float(mark.get("width", 0)) <= width
            assert 0 <= y <= y + float(mark.get("height", 0)) <= height


def test_bars_stand_on_each_other_and_are_as_high_as_they_are_many() -> None:
    svg = stacked("t", ["a", "b"], [Series("one", "a", [10, 0]), Series("two", "b", [30, 5])])
    bars = [one.attrib for one in shapes(SVG.findall(svg)[0]) if one.tag == "rect" and one.get("width") != "10"]
    heights = [float(one["height"]) for one in bars]
    assert heights[1] / heights[0] == pytest.approx(3, rel=0.01)
    assert float(bars[1]["y"]) + heights[1] == pytest.approx(float(bars[0]["y"]), abs=0.2)
    assert heights[2] / heights[0] == pytest.approx(0.5, rel=0.01)


def test_a_line_is_broken_where_there_is_no_value() -> None:
    svg = lines("t", list("abcde"), [Series("s", "a", [0.5, 0.75, None, 1.0, None])], percent=True)
    tags = [one.tag for one in shapes(SVG.findall(svg)[0])]
    assert (tags.count("polyline"), tags.count("circle")) == (1, 3)


def test_a_chart_takes_no_name_for_an_element() -> None:
    assert "<x>" not in rows("<x>", ["<x>"], [1]) + stacked("<x>", ["<x>"], [Series("<x>", "a", [1])])


# --- the command ---------------------------------------------------------------------------------


def say(*words: object) -> str:
    said = runner.invoke(app, ["report", *map(str, words)])
    assert said.exit_code == 0, said.output
    return said.output


def test_a_report_is_printed_and_written(data: Path, config: Path, tmp_path: Path) -> None:
    place = ("--config", config, "--data", data)
    assert "2026-03-02" in say("day", DAY, *place)
    assert "2026-W10, 2026-03-02 to 2026-03-08" in say("week", DAY, *place)
    html, sheet = tmp_path / "march.html", tmp_path / "march.csv"
    assert say("month", "2026-03", "--html", html, "--csv", sheet, *place) == ""
    assert "测试市" in html.read_text("utf-8")
    assert sheet.read_bytes().startswith(b"\xef\xbb\xbfperiod,")
    assert say("month", "2026-03", "--csv", "-", *place).startswith("period,")
    assert json.loads(say("month", "2026-03", "--json", *place))["period"] == "2026-03"


def test_the_time_in_which_callers_are_to_be_answered_is_a_setting(data: Path, config: Path, tmp_path: Path) -> None:
    longer = write_city(tmp_path / "longer", {"service": {**PLAIN["service"], "answered_within": "30s"}})
    for folder, words, many in ((config, (), 1), (longer, (), 2), (longer, ("--within", "60"), 3)):
        found = json.loads(say("day", DAY, "--json", *words, "--config", folder, "--data", data))
        assert found["total"]["answered_within"]["numerator"] == many


def test_the_calls_behind_a_figure_are_listed_and_masked(data: Path, config: Path) -> None:
    place = ("--config", config, "--data", data)
    words = ("calls", "answered_within", "day", DAY, "--by", "hour=9", "--part", "denominator")
    found = [json.loads(line) for line in say(*words, "--json", "--mask", *place).splitlines()]
    assert [one["caller"] for one in found] == ["138****5678"] * 3
    assert set(found[0]) == set(CallRecord.__dataclass_fields__)
    assert len(say(*words, "--json", "--limit", 1, *place).splitlines()) == 1
    assert "138****5678" in say(*words, "--mask", *place)


@pytest.mark.parametrize(
    ("words", "matter"),
    [
        (("week", "2026-13"), "'2026-13' is no week that figures can be told of: write it as 2026-W47"),
        (("day", "9999-12-31"), "'9999-12-31' is no day that figures can be told of: write it as 2026-11-21"),
        (("calls", "fame"), "no figure is called 'fame': choose one of calls, asked,"),
        (("calls", "calls", "--by", "colour=red"), "'colour=red' tells no calls apart"),
        (("calls", "calls", "--by", "seat=8001"), "calls means nothing by seat"),
        (("calls", "calls", "--part", "denominator"), "calls is a count without a denominator"),
    ],
)
def test_what_cannot_be_told_is_refused_with_its_mend(
    data: Path, config: Path, words: tuple[str, ...], matter: str
) -> None:
    said = runner.invoke(app, ["report", *words, "--config", str(config), "--data", str(data)])
    assert said.exit_code == 1
    assert matter in said.output.replace("\n", " ")


def test_every_figure_is_listed_with_its_formula() -> None:
    text = say("figures")
    assert all(figure.id in text for figure in CATALOGUE)
