"""Reading the operator's files: what stands there is taken as it is written, and nothing breaks the reader."""

import json
from datetime import date, time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as how
from hypothesis import strategies as st

from settings.check import check, load
from settings.demands import demand, demands
from settings.explain import PATTERNS
from settings.files import FILES
from settings.places import Places, plain
from settings.schema import schemas
from settings.shapes import Settings
from settings.tree import read_text
from settings.units import day, seconds, shift, span, written_seconds
from tests.support.settings_maker import PLAIN, SUBJECTS, city, write_city
from tests.support.settings_strategies import cities, plain_cities


def values(text: str) -> object:
    tree, problems = read_text(text.encode(), "x.yaml")
    assert tree is not None
    assert problems == []
    return plain(tree)


def test_scalars_are_what_is_written_and_not_what_yaml_makes_of_them() -> None:
    text = "0110: 010\n12345: 12_345\nday: 2026-01-01\non: yes\nbig: 1e3\nhex: 0x10\nnothing:\nnull: ~\nquoted: ''\n"
    assert values(text) == {
        "0110": "010",
        "12345": "12_345",
        "day": "2026-01-01",
        "on": "yes",
        "big": "1e3",
        "hex": "0x10",
        "nothing": None,
        "": None,
        "quoted": "",
    }


def test_a_value_may_be_repeated_by_its_name() -> None:
    assert values("a: &all [x, y]\nb: *all\n") == {"a": ["x", "y"], "b": ["x", "y"]}


@pytest.mark.parametrize("text", ["", "\n", "# only a comment\n", "\ufeff", "---\n"])
def test_an_empty_file_is_nothing(text: str) -> None:
    assert values(text) is None


def test_a_byte_order_mark_is_passed_over_and_lines_count_on() -> None:
    tree, _ = read_text(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n", "x.yaml")
    assert tree is not None
    places = Places("f", {"x.yaml": tree})
    assert str(places.key("x.yaml", "a")) == "x.yaml:1:1"
    assert str(places.value("x.yaml", "b")) == "x.yaml:2:4"
    assert str(places.value("x.yaml", "b", "c")) == "x.yaml:2:1"
    assert str(places.value("none.yaml", "b")) == "f/none.yaml:1:1"


@pytest.mark.parametrize("encoding", ["gbk", "utf-16"])
def test_another_encoding_is_named_with_the_place_of_its_first_byte(encoding: str) -> None:
    tree, (problem,) = read_text("a: 1\nname: 示例市\n".encode(encoding), "x.yaml")
    assert tree is None
    assert problem.code == "S003"
    assert problem.place.line == (2 if encoding == "gbk" else 1)


def test_repeated_repetition_cannot_exhaust_the_machine() -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
    )
    tree, problems = read_text(bomb.encode(), "x.yaml")
    assert tree is None
    assert [problem.code for problem in problems] == ["S005"]


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    write_city(tmp_path)
    with (tmp_path / "blocked.yaml").open("ab") as file:
        file.truncate(5_000_000)
    assert [problem.code for problem in check(tmp_path).problems] == ["S003"]


def test_an_alias_of_a_folder_is_not_read(tmp_path: Path) -> None:
    write_city(tmp_path)
    (tmp_path / "blocked.yaml").unlink()
    (tmp_path / "blocked.yaml").mkdir()
    assert [problem.code for problem in check(tmp_path).problems] == ["S003"]


@how(max_examples=15, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plain_cities())
def test_any_city_of_the_strategies_is_read_back_as_it_was_written(tmp_path: Path, written: dict[str, object]) -> None:
    write_city(tmp_path, written)
    checked = check(tmp_path)
    assert checked.errors == ()
    assert checked.settings == city(**written, folder=str(tmp_path))


@how(max_examples=25, deadline=None, derandomize=True)
@given(cities())
def test_any_city_survives_being_kept_as_json(settings: Settings) -> None:
    assert Settings.model_validate_json(settings.model_dump_json(by_alias=True)) == settings


@pytest.fixture(scope="module")
def small_city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_city(tmp_path_factory.mktemp("small"))


@how(max_examples=30, deadline=None, derandomize=True)
@given(data=st.data())
def test_no_spoilt_file_breaks_the_check(small_city: Path, data: st.DataObject) -> None:
    path = small_city / data.draw(st.sampled_from(sorted(FILES)))
    whole = path.read_bytes()
    begin = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(begin, min(len(whole), begin + 60)))
    pieces = st.sampled_from(
        (b"", b"[", b"{", b"'", b"&a ", b"*a", b"x: ", b"- ", b"\n", b"\n  ", b"null", b"\xff", b"\x00")
    )
    spoilt = whole[:begin] + data.draw(pieces | st.binary(max_size=8)) + whole[end:]
    try:
        path.write_bytes(spoilt)
        checked = check(small_city, date(2026, 11, 21))
    finally:
        path.write_bytes(whole)
    assert (checked.settings is None) == bool(checked.errors)


@how(max_examples=30, deadline=None, derandomize=True)
@given(data=st.data())
def test_no_value_in_any_place_breaks_the_check(small_city: Path, data: st.DataObject) -> None:
    field = data.draw(st.sampled_from(sorted(SUBJECTS)))
    odd = st.sampled_from((None, "x", "", "zz", 5, True, [], {}, ["x"], {"x": "y"}, [None], {"mode": "whole"}, "a\nb"))
    path = small_city / SUBJECTS[field]
    whole = path.read_bytes()
    try:
        path.write_text(json.dumps(_replaced(data, PLAIN[field], odd)))  # JSON is YAML, too.
        checked = check(small_city, date(2026, 11, 21))
    finally:
        path.write_bytes(whole)
    assert (checked.settings is None) == bool(checked.errors)


def _replaced(data: st.DataObject, value: object, odd: st.SearchStrategy[object]) -> object:
    """The value with something odd in one place."""
    if isinstance(value, dict) and value and data.draw(st.integers(0, 5)):
        key = data.draw(st.sampled_from(sorted(value)))
        return {**value, key: _replaced(data, value[key], odd)}
    if isinstance(value, list) and value and data.draw(st.integers(0, 5)):
        at = data.draw(st.integers(0, len(value) - 1))
        return [*value[:at], _replaced(data, value[at], odd), *value[at + 1 :]]
    return data.draw(odd)


def test_settings_hold_what_was_written(tmp_path: Path) -> None:
    settings = load(write_city(tmp_path))
    assert settings.numbers["12318"].modes[1].since == date(2026, 1, 1)
    assert settings.menus["more"].wait == 3.0
    assert settings.hours["office"].workdays[1] == (time(13, 30), time(17))
    assert settings.answering.ring == 15.0
    assert settings.server.sip.port == 15060


def test_demands_join_the_skill_with_that_of_the_language() -> None:
    settings = city()
    assert demand(settings, "social", "zh") == {"social"}
    assert demand(settings, "social", "en") == {"social", "english"}
    assert demand(settings, "english", "en") == {"english"}
    assert demands(settings) == (
        frozenset({"general", "english"}),
        frozenset({"social", "english"}),
        frozenset({"general"}),
        frozenset({"social"}),
    )


def test_whoever_waits_can_demand_what_the_keys_offer() -> None:
    numbers = {number: {**PLAIN["numbers"][number], "menu": None} for number in ("12345",)}
    offered = city(menus={}, numbers=numbers, service={"keys": {"2": {"queue": "social"}, "3": {"prompt": "hint"}}})
    assert set(demands(offered)) == {frozenset({"general"}), frozenset({"social"})}
    spoken = city(service={"keys": {"2": {"queue": "english"}}})
    assert frozenset({"english"}) in demands(spoken)


def test_a_language_counts_only_where_a_call_can_choose_it() -> None:
    settings = city(
        menus={}, numbers={number: {**PLAIN["numbers"][number], "menu": None} for number in ("12345", "12333")}
    )
    assert set(demands(settings)) == {frozenset({"general"}), frozenset({"social"})}


@pytest.mark.parametrize(("text", "length"), [("20s", 20.0), ("1m30s", 90.0), ("500ms", 0.5), ("1.5h", 5400.0)])
def test_a_duration_says_its_unit(text: str, length: float) -> None:
    assert seconds(text) == length


@pytest.mark.parametrize("length", [0.0, 0.0005, 2.5, 3723.25, 1234567.5])
def test_a_duration_is_written_as_it_is_read(length: float) -> None:
    assert seconds(written_seconds(length)) == length


@pytest.mark.parametrize("text", ["20", "s", "-1s", "1 s", "", 20, None, "1d", "１s"])
def test_a_duration_without_a_unit_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="is not a duration: write"):
        seconds(text)


def test_a_span_may_end_with_the_day() -> None:
    assert span("18:00-24:00") == (time(18), time.max)


@pytest.mark.parametrize(
    "text", ["9:00-17:00", "09:00-25:00", "24:00-24:00", "17:00-09:00", "09:00-09:00", "09:60-10:00", None]
)
def test_a_span_that_cannot_be_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match=": "):
        span(text)


def test_a_shift_may_end_on_the_next_day_and_with_the_day() -> None:
    assert shift("23:00-07:00") == (time(23), time(7))
    assert shift("15:00-24:00") == (time(15), time())
    assert shift("00:00-24:00") == (time(), time())


@pytest.mark.parametrize("text", ["7:00-15:00", "07:00-25:00", "07:00-07:00", "00:00-00:00", "07:00", 7, None])
def test_a_shift_that_cannot_be_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match=": "):
        shift(text)


@pytest.mark.parametrize("text", ["20260101", "2026-1-1", "2026-02-30", "86400", "", None])
def test_a_day_is_written_in_one_way_only(text: object) -> None:
    with pytest.raises(ValueError, match=": "):
        day(text)


def test_every_pattern_of_the_shapes_has_its_explanation() -> None:
    found: set[str] = set()

    def collect(schema: object) -> None:
        if isinstance(schema, dict):
            found.update(schema.get("patternProperties", {}))
            if isinstance(schema.get("pattern"), str):
                found.add(schema["pattern"])
            for part in schema.values():
                collect(part)
        elif isinstance(schema, list):
            for part in schema:
                collect(part)

    collect(schemas())
    own_words = {pattern for pattern in found if pattern.startswith(("^(?:", "^([0-9]{2})")) or pattern.endswith("d$")}
    assert len(own_words) == 3, "durations, days and spans explain themselves"
    assert found - own_words == set(PATTERNS)
