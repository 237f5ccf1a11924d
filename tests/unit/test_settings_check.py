"""Each mistake an operator can make is named, with its line, and nothing else is complained of."""

import re
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from settings.check import Checked, SettingsWrong, check, load
from settings.listening import Tls
from settings.problems import CODES, WARNINGS
from tests.support.certificates import certificate
from tests.support.settings_mistakes import MISTAKES, Mistake

TODAY = date(2026, 11, 21)


@pytest.fixture
def city(tmp_path: Path, project: Path) -> Path:
    """A copy of the example city."""
    return Path(shutil.copytree(project / "config", tmp_path / "city", ignore=shutil.ignore_patterns(".*")))


def change(folder: Path, file: str, old: str, new: str) -> str:
    """The changed text, which is written into the file."""
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
    text = text.replace(old, new)
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    return text


def where(text: str, at: str) -> tuple[int, int]:
    """Line and column of `at`, from its ^ on."""
    offset = text.index(at.replace("^", "")) + max(at.find("^"), 0)
    before = text[:offset]
    return before.count("\n") + 1, offset - before.rfind("\n")


def found(checked: Checked) -> list[tuple[str, str, int, int]]:
    return [
        (problem.code, Path(problem.place.file).name, problem.place.line, problem.place.column)
        for problem in checked.problems
    ]


def test_the_example_city_has_no_problem(project: Path) -> None:
    checked = check(project / "config", TODAY)
    assert checked.problems == ()
    assert checked.settings is not None


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: f"{mistake.code}-{mistake.new.strip()[:30]}")
def test_a_mistake_is_named_where_it_stands_and_nothing_else_is(city: Path, mistake: Mistake) -> None:
    text = change(city, mistake.file, mistake.old, mistake.new)
    checked = check(city, TODAY)
    assert found(checked) == [(mistake.code, mistake.file, *where(text, mistake.at))], checked.problems
    assert mistake.says in str(checked.problems[0])
    assert (checked.settings is None) == (mistake.code not in WARNINGS)


def test_ten_planted_mistakes_are_all_named_with_their_lines(city: Path) -> None:
    planted = (
        ("S010", "city.yaml", "timezone: Asia", "timezon: Asia", "timezon"),
        ("S080", "server.yaml", "port: 8080", "port: 5060", "5060\n\nrecording"),
        ("S083", "trunks.yaml", "host: 127.0.0.5", "host: 127.0.0", "127.0.0\n"),
        ("S020", "numbers.yaml", "greeting: greeting_12329", "greeting: greeting_12392", "greeting_12392"),
        ("S006", "numbers.yaml", "12319:", "12315:", "12315:\n  name: { zh: 城市"),
        ("S031", "emergencies.yaml", '"*5"', '"*3"', '"*3"'),
        ("S040", "menus.yaml", '"#": back', "0: back", "0: back"),
        ("S012", "hours.yaml", '09:00-12:00", "13', '9:00-12:00", "13', '"9:00'),
        ("S061", "skills.yaml", "general:\n", "general:\n  level: 5\n", "general:"),
        ("S004", "blocked.yaml", "  reason", "\treason", "\treason"),
    )
    expected = set()
    for code, file, old, new, at in planted:
        text = change(city, file, old, new)
        expected.add((code, file, *where(text, at)))
    checked = check(city, TODAY)
    assert set(found(checked)) == expected
    assert len(checked.problems) == len(planted) == 10
    with pytest.raises(SettingsWrong) as wrong:
        load(city)
    assert str(wrong.value).count("\n") == 9


@pytest.mark.parametrize(
    ("spoil", "at", "says"),
    [
        (lambda tls, other: None, "", ""),
        (lambda tls, other: Path(tls.key).chmod(0o644), "/tls.key", "mode 0644): run chmod 600"),
        (lambda tls, other: Path(tls.key).write_bytes(Path(other.key).read_bytes()), "/tls.crt", "no certificate with"),
        (lambda tls, other: Path(tls.certificate).write_text("words"), "/tls.crt", "no certificate with its key"),
        (lambda tls, other: Path(tls.key).unlink(), "/tls.key", "No such file"),
    ],
    ids=["well", "open to others", "of another", "no certificate", "missing"],
)
def test_http_listens_beyond_this_machine_with_a_certificate_that_can_be_used(
    city: Path, tmp_path: Path, spoil: Callable[[Tls, Tls], object], at: str, says: str
) -> None:
    tls = certificate(tmp_path)
    spoil(tls, certificate(tmp_path, stem="other"))
    written = f"{{ certificate: {tls.certificate}, key: {tls.key} }}"
    change(city, "server.yaml", "other machines.\n  address: 127.0.0.1", f"\n  tls: {written}\n  address: 0.0.0.0")
    problems = check(city, TODAY).problems
    assert [problem.code for problem in problems] == ([] if not says else ["S103"])
    for problem in problems:
        assert at in problem.matter
        assert says in str(problem)


def test_problems_are_sorted_by_file_and_line(city: Path) -> None:
    change(city, "seats.yaml", "ring: 15s", "ring: 15")
    change(city, "city.yaml", "node: node1", "node: Node")
    change(city, "numbers.yaml", "12345:\n", "1234x:\n")
    checked = check(city)
    places = [problem.place for problem in checked.problems]
    assert places == sorted(places)
    assert len({place.file for place in places}) > 2


def test_an_unreadable_file_hides_no_problem_of_others_and_makes_none_up(city: Path) -> None:
    change(city, "prompts.yaml", "voice:", "voice: [")
    text = change(city, "seats.yaml", "rest: 2s", "rest: 2")
    codes = [(code, file) for code, file, *_ in found(check(city, TODAY))]
    assert codes == [("S004", "prompts.yaml"), ("S012", "seats.yaml")], text


@pytest.mark.parametrize("file", ["city.yaml", "trunks.yaml", "numbers.yaml", "emergencies.yaml", "skills.yaml"])
def test_a_missing_file_is_one_problem(city: Path, file: str) -> None:
    (city / file).unlink()
    assert [(code, name) for code, name, *_ in found(check(city, TODAY))] == [("S001", file)]


def test_files_that_may_be_missing(city: Path) -> None:
    for file in ("server.yaml", "blocked.yaml", "shifts.yaml", "service.yaml"):
        (city / file).unlink()
    assert check(city, TODAY).problems == ()
    (city / "agents.yaml").unlink()
    seats = (city / "seats.yaml").read_text(encoding="utf-8")
    assert found(check(city, TODAY)) == [("S064", "seats.yaml", *where(seats, f"{seat}:")) for seat in (8011, 8012)]


def test_a_folder_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    assert [problem.code for problem in check(tmp_path / "nowhere").problems] == ["S001"]


def test_a_file_of_another_name_is_a_problem_with_the_name_that_was_meant(city: Path) -> None:
    (city / "prompt.yaml").write_text("x: y\n")
    (city / "secrets.yaml").write_text("x: y\n")
    (city / "README.md").write_text("notes\n")
    (city / "numbers.yaml.bak").write_text("old\n")
    shown = [str(problem) for problem in check(city).problems]
    assert len(shown) == 2
    assert all("S002" in line for line in shown)
    assert "'prompts.yaml'" in shown[0]
    assert "data folder" in shown[1]


def test_two_trunks_to_the_same_place_are_one_line(city: Path) -> None:
    change(city, "trunks.yaml", "host: 127.0.0.4\n  port: 5064", "host: 127.0.0.3\n  port: 5063")
    assert [(code, file) for code, file, *_ in found(check(city))] == [("S032", "emergencies.yaml")] * 2


def test_two_emergency_numbers_with_one_written_key_name_both_places(city: Path) -> None:
    text = change(city, "emergencies.yaml", "  96333:", '  95598: { key: "*5" }\n  96333:')
    (problem,) = check(city).problems
    assert problem.code == "S031"
    line, column = where(text, '"*5" }')
    assert f"emergencies.yaml:{line}:{column}" in problem.matter


def test_a_language_has_one_skill(city: Path) -> None:
    change(city, "skills.yaml", "en: Housing fund }\n", "en: Housing fund }\n  language: en\n")
    assert "S062" in [problem.code for problem in check(city).problems]


def test_a_demand_is_named_once_though_languages_repeat_it(city: Path) -> None:
    change(city, "skills.yaml", "    - { after: 4m, also: general }\n", "")
    change(city, "seats.yaml", "[housing]", "[general]")
    change(city, "seats.yaml", "[general, housing, english]", "[general, english]")
    change(city, "agents.yaml", "housing: 3, ", "")
    change(city, "agents.yaml", ", housing: 5", "")
    change(city, "shifts.yaml", ", skill: housing", "")
    (problem,) = check(city).problems
    assert problem.code == "S061"
    assert "'housing'" in problem.matter


def test_a_language_is_demanded_together_with_the_skill(city: Path) -> None:
    change(city, "skills.yaml", "    - { after: 4m, also: general }\n", "")
    change(city, "seats.yaml", "[general, housing, english]", "[general, housing]")
    assert check(city).problems == (), "an agent has both"
    change(city, "agents.yaml", "housing: 3, english: 4", "housing: 3")
    (problem,) = check(city).problems
    assert problem.code == "S061"
    assert "'english' and 'housing'" in problem.matter


def test_whoever_is_good_enough_after_a_wait_serves_a_skill(city: Path) -> None:
    change(city, "seats.yaml", "[housing]", "[general]")
    change(city, "seats.yaml", "[general, housing, english]", "[general, english]")
    for skill in ("housing: 3, ", ", housing: 5"):
        change(city, "agents.yaml", skill, "")
    change(city, "shifts.yaml", ", skill: housing", "")
    assert check(city).problems == ()
    change(city, "skills.yaml", "{ after: 4m, also: general }", "{ after: 4m, centre: tax_centre }")
    assert check(city).problems == ()


def test_a_fixed_seat_counts_with_its_level(city: Path) -> None:
    (city / "agents.yaml").unlink()
    (city / "shifts.yaml").unlink()
    for seat in (8011, 8012):
        change(city, "seats.yaml", f"  {seat}: {{ name: 签入{'一' if seat == 8011 else '二'}席 }}\n", "")
    assert check(city).problems == ()
    change(city, "skills.yaml", "general:\n", "general:\n  level: 4\n")
    assert [problem.code for problem in check(city).problems] == ["S061"]
    for skills in ("[general, social, english]", "[general, market, english]", "[general, housing, english]"):
        change(city, "seats.yaml", skills, f"{skills}, level: 4")
    assert check(city).problems == ()


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ("  - { shift: night, agents: [1008], days: [workday, weekend] }", "on holidays from 23:00 to 24:00"),
        (
            "  - { shift: night, agents: [1008], days: [workday, weekend] }",
            "on days after holidays from 00:00 to 07:00",
        ),
        ("", "on every day from 00:00 to 07:00 and from 23:00 to 24:00"),
        ("  - { shift: night, agents: [1008], until: 2026-11-20 }", "on every day from 00:00"),
        ("  - { shift: night, agents: [1008], from: 2026-11-22 }", "on every day from 00:00"),
    ],
)
def test_hours_without_anybody_are_told_with_their_days(city: Path, lines: str, says: str) -> None:
    change(city, "shifts.yaml", "  - { shift: night, agents: [1008] }", lines)
    (problem,) = check(city, TODAY).problems
    assert problem.code == "S066"
    assert says in problem.matter


def test_a_shift_over_midnight_counts_on_the_day_it_begins(city: Path) -> None:
    change(
        city,
        "shifts.yaml",
        "  - { shift: night, agents: [1008] }",
        "  - { shift: night, agents: [1008], days: [workday] }\n"
        "  - { shift: night, agents: [1007], days: [weekend, holiday] }",
    )
    assert check(city, TODAY).problems == ()


def test_without_a_roster_nothing_is_missing_in_it(city: Path) -> None:
    path = city / "shifts.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text[: text.index("# Days are")] + text[text.index("cover:") :], encoding="utf-8")
    assert check(city, TODAY).problems == ()


def test_a_circle_is_found_only_on_days_on_which_it_exists(city: Path) -> None:
    whole = "    - { mode: whole, from: 2026-01-01, notice: notice_12318, to: 12318 }\n"
    until = "    - { mode: parallel, from: 2027-01-01 }\n"
    marker = "  greeting: greeting_12329\n"
    change(city, "numbers.yaml", marker, whole + until + marker)
    change(city, "numbers.yaml", "notice_12318, to: 12345", "notice_12318, to: 12329")
    assert check(city).problems == ()
    change(city, "numbers.yaml", until, "")
    (problem,) = check(city).problems
    assert problem.code == "S042"
    assert "from 2027-01-01" in problem.matter


def test_holidays_of_an_unknown_year_are_told(city: Path) -> None:
    (problem,) = check(city, date(2999, 1, 1)).problems[-1:]
    assert problem.code == "S055"
    change(city, "hours.yaml", "national: true", "national: false")
    assert "S055" not in [problem.code for problem in check(city, date(2999, 1, 1)).problems]


def test_every_code_is_tested_here_and_explained_in_the_documents(project: Path) -> None:
    tested = {*re.findall(r"S\d{3}", Path(__file__).read_text(encoding="utf-8")), *(one.code for one in MISTAKES)}
    explained = re.findall(r"^### (S\d{3})", (project / "docs" / "problems.md").read_text(encoding="utf-8"), re.M)
    assert set(CODES) <= tested
    assert explained == sorted(CODES)
