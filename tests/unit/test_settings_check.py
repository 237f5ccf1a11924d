"""Each mistake an operator can make is named, with its line, and nothing else is complained of."""

import re
import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from settings.check import Checked, SettingsWrong, check, load
from settings.problems import CODES, WARNINGS

TODAY = date(2026, 11, 21)


@dataclass(frozen=True)
class Mistake:
    """`old` becomes `new` in a file of the example city; the problem stands where `at` (from its ^) is written."""

    code: str
    file: str
    old: str
    new: str
    at: str
    says: str = ""


MISTAKES = (
    # The file itself
    Mistake("S003", "city.yaml", "示例市", "\udc80", "\udc80", "UTF-8"),
    Mistake("S004", "city.yaml", "  en: Example", "\ten: Example", "\ten", "blanks"),
    Mistake("S004", "city.yaml", "node: node1", "node: 'node1", "'node1", "quotes"),
    Mistake("S004", "city.yaml", "node: node1", "node: node1: x", ": x", "colon"),
    Mistake("S004", "city.yaml", "node: node1", "node: node1\x07", "\x07", "U+0007"),
    Mistake("S004", "emergencies.yaml", '"*5"', "*5", "*5", "'*5'"),
    Mistake("S005", "city.yaml", "node: node1", "node: !!str node1", "!!str", "tag"),
    Mistake("S005", "city.yaml", "node: node1", "node: node1\n---\nx: 1", "---", "---"),
    Mistake("S005", "skills.yaml", "  language: en", "  language: en\n  <<: {}", "<<", "<<"),
    Mistake("S005", "city.yaml", "node: node1", "node: " + "[" * 40 + "]" * 40, "[" * 24 + "]", "deep"),
    Mistake("S005", "city.yaml", "node: node1", "node: &a [*a]", "*a", "itself"),
    Mistake("S006", "city.yaml", "node: node1", "node: node1\nnode: node2", "node: node2", "city.yaml:10:1"),
    Mistake("S006", "seats.yaml", "[general, social, english]", "[general, social, english, social]", "social] }"),
    Mistake(
        "S006",
        "emergencies.yaml",
        "[emergency_a, emergency_b] #",
        "[emergency_a, emergency_b, emergency_a] #",
        "emergency_a] #",
    ),
    # Its shape
    Mistake("S010", "numbers.yaml", "  skill: social", "  skil: social", "skil: social", "did you mean 'skill'?"),
    Mistake("S010", "server.yaml", "  reserve: 100", "  reserved: 100", "reserved:", "'reserve'"),
    Mistake("S010", "numbers.yaml", "hours: daytime", "hours: daytime\n  since: x", "since", "write one of"),
    Mistake("S010", "menus.yaml", "priority: 4 }", "prio: 4 }", "prio: 4", "did you mean 'priority'?"),
    Mistake("S010", "numbers.yaml", "notice: notice_12366 }", "notise: notice_12366 }", "notise", "'notice'"),
    Mistake("S011", "numbers.yaml", "  greeting: greeting_12329\n", "", "12329:", "'greeting'"),
    Mistake("S012", "seats.yaml", "ring: 15s", "ring: 15", "15 #", "'15' is not a duration"),
    Mistake("S012", "seats.yaml", "rest: 2s", "rest: 0s", "0s #", "'0s' is not possible here: write at least 0.5s"),
    Mistake("S012", "menus.yaml", "wait: 6s", "wait: 2m", "2m", "'120s' is not possible here: write at most 60s"),
    Mistake("S012", "numbers.yaml", "from: 2012-01-01", "from: 20120101", "20120101", "2026-01-31"),
    Mistake("S012", "numbers.yaml", "from: 2012-01-01", "from: 2012-02-30", "2012-02-30", "calendar"),
    Mistake("S012", "hours.yaml", '"08:30-20:00"', '"20:00-08:30"', '"20:00-08:30"', "two spans"),
    Mistake("S012", "numbers.yaml", "priority: 4", "priority: 12", "12\n  hours", "at most 9"),
    Mistake("S012", "server.yaml", "port: 5060", "port: 70000", "70000", "65535"),
    Mistake("S012", "server.yaml", "  ordinary: 400", "  ordinary: many", "many", "whole number"),
    Mistake("S012", "server.yaml", "enabled: true", "enabled: maybe", "maybe", "true or false"),
    Mistake("S012", "trunks.yaml", "[127.0.0.2]", "[127.0.0.300]", "127.0.0.300", "IPv4"),
    Mistake("S012", "trunks.yaml", "host: 127.0.0.5", "host: sip:tax", "sip:tax", "host"),
    Mistake("S012", "skills.yaml", "housing:", "Housing:", "Housing:", "small letters"),
    Mistake("S012", "numbers.yaml", "12329:", "1232９:", "1232９:", "digits"),
    Mistake("S012", "city.yaml", "zh: 示例市", 'zh: "示\\n例"', '"示', "one line"),
    Mistake(
        "S012", "agents.yaml", "{ general: 3 }", "{}", "{} }\n  1005", "an empty mapping is not possible here: write at"
    ),
    Mistake("S012", "agents.yaml", "social: 5", "social: 6", "6 }", "at most 5"),
    Mistake("S012", "shifts.yaml", '"07:00-15:00"', '"07:00-07:00"', '"07:00-07:00"', "has no length"),
    Mistake("S012", "shifts.yaml", '"07:00-15:00"', "7-15", "7-15", "is no shift: write it as"),
    Mistake("S012", "service.yaml", "010XXXXXXXX", "010-XXXXXXXX", "010-X", "X for any one"),
    Mistake("S012", "menus.yaml", '    "#": back', '    "##": back', '"##"', "'#' in quotes"),
    Mistake("S012", "prompts.yaml", "chong2 ting1", "重听听", "重听听", "pinyin"),
    Mistake("S013", "city.yaml", "  zh: 示例市\n  en: Example City", "  示例市", "示例市", "key: value"),
    Mistake("S013", "numbers.yaml", "  greeting: greeting_12329", "  greeting:", "greeting:\n", "nothing"),
    Mistake(
        "S013",
        "numbers.yaml",
        "    - { mode: primary, from: 2012-01-01 }",
        "    mode: primary",
        "mode: primary",
        "a list",
    ),
    Mistake("S013", "skills.yaml", "  language: en", "  language: en\n  [a, b]: c", "[a, b]", "key"),
    Mistake("S014", "numbers.yaml", "mode: primary", "mode: primery", "{ mode: primery", "did you mean 'primary'?"),
    Mistake("S014", "numbers.yaml", "mode: primary, ", "", "{ from: 2012", "'mode' is missing"),
    Mistake("S014", "numbers.yaml", "then: hangup", "then: hang_up", "hang_up", "'hangup'"),
    Mistake("S014", "menus.yaml", '"#": back', '"#": bak', "bak", "did you mean 'back'?"),
    Mistake("S014", "menus.yaml", "4: { menu: report }", "4: report", "report", "{ menu: report }"),
    Mistake("S014", "menus.yaml", "{ number: 12315 }", "{ nummer: 12315 }", "{ nummer", "did you mean 'number'?"),
    Mistake("S014", "menus.yaml", '    9: repeat\n    "#"', '    9:\n    "#"', '9:\n    "#"', "nothing is written"),
    Mistake("S014", "service.yaml", "1: call_back", "1: callback", "callback", "did you mean 'call_back'?"),
    Mistake("S014", "service.yaml", "3: position", "3: housing", "housing", "{ queue: housing }"),
    Mistake("S014", "service.yaml", "{ prompt: what", "{ promt: what", "{ promt", "did you mean 'prompt'?"),
    Mistake("S014", "service.yaml", "3: position", "3: { menu: main }", "{ menu", "write call_back or position, or"),
    Mistake("S014", "shifts.yaml", "1005], days: [weekend", "1005], days: [sunday", "sunday", "weekend"),
    Mistake("S010", "service.yaml", "{ prompt: what_to_say }", "{ queue: general, prio: 1 }", "prio", "'priority'"),
    Mistake("S011", "agents.yaml", "name: 李敏, ", "", "1001:", "'name'"),
    Mistake("S011", "agents.yaml", ", skills: { general: 3 } }", " }", "1004:", "'skills'"),
    Mistake("S013", "agents.yaml", "{ general: 3 }", "[general]", "[general]", "key: value"),
    # References
    Mistake(
        "S020", "numbers.yaml", "greeting: greeting_12329", "greeting: greting_12329", "greting", "'greeting_12329'"
    ),
    Mistake("S020", "server.yaml", "announcement: recorded", "announcement: recording", "recording #", "'recorded'"),
    Mistake("S021", "numbers.yaml", "menu: main", "menu: man", "man\n", "did you mean 'main'?"),
    Mistake("S022", "emergencies.yaml", "operator: general", "operator: generall", "generall", "'general'"),
    Mistake("S023", "menus.yaml", "{ number: 12329 }", "{ number: 12392 }", "12392", "did you mean"),
    Mistake("S023", "menus.yaml", "{ number: 12329 }", "{ number: 110 }", "110", "by their keys"),
    Mistake("S024", "numbers.yaml", "hours: office", "hours: offize", "offize", "'office'"),
    Mistake(
        "S025",
        "emergencies.yaml",
        "[emergency_b, emergency_a]",
        "[emergency_b, emergency_c]",
        "emergency_c",
        "'emergency_",
    ),
    Mistake("S020", "service.yaml", "prompt: what_to_say", "prompt: what_to_sai", "what_to_sai", "'what_to_say'"),
    Mistake("S022", "agents.yaml", "social: 5", "sozial: 5", "sozial", "did you mean 'social'?"),
    Mistake("S022", "service.yaml", "{ prompt: what_to_say }", "{ queue: dialect }", "dialect", "skills.yaml"),
    Mistake("S022", "shifts.yaml", "skill: housing", "skill: house", "house }", "'housing'"),
    Mistake(
        "S022", "skills.yaml", "{ after: 4m, also: general }", "{ after: 4m, also: generel }", "generel", "'general'"
    ),
    Mistake("S025", "service.yaml", "  trunk: carrier\n  tries", "  trunk: carier\n  tries", "carier", "'carrier'"),
    Mistake("S025", "service.yaml", "    trunk: tax_centre", "    trunk: tax", "tax\n", "trunks.yaml"),
    Mistake("S025", "service.yaml", "  trunk: carrier\n  allowed", "  trunk: carier\n  allowed", "carier", "'carrier'"),
    Mistake("S025", "shifts.yaml", "trunk: carrier", "trunk: carier", "carier", "'carrier'"),
    Mistake("S026", "shifts.yaml", "trunk: carrier\n  dial: 13800000000", "seat: 8009", "8009", "'8008'"),
    Mistake("S027", "shifts.yaml", "agents: [1008]", "agents: [1008, 1009]", "1009", "'100"),
    Mistake(
        "S028", "skills.yaml", "{ after: 4m, also: general }", "{ after: 4m, centre: tax }", "tax }", "service.yaml"
    ),
    Mistake("S029", "shifts.yaml", "shift: night", "shift: nite", "nite", "did you mean 'night'?"),
    Mistake("S029", "shifts.yaml", "{ shift: early, least", "{ shift: erly, least", "erly", "did you mean 'early'?"),
    # Emergencies
    Mistake("S030", "numbers.yaml", "12319:", "119:", "119:", "emergency"),
    Mistake("S030", "numbers.yaml", "12319:", "96333:", "96333:", "电梯"),
    Mistake("S031", "emergencies.yaml", 'key: "*5"', 'key: "*1"', '"*1"', "of 110 (built in)"),
    Mistake("S032", "emergencies.yaml", "[emergency_b, emergency_a]", "[emergency_b]", "trunks: [emergency_b]", "two"),
    Mistake("S033", "blocked.yaml", "number: 13900000000", "number: 110", "110", "emergency"),
    Mistake("S034", "seats.yaml", "  8008:", "  12319:", "12319:", "a hotline"),
    Mistake("S034", "seats.yaml", "  8008:", "  110:", "110:", "an emergency"),
    Mistake(
        "S035", "agents.yaml", "  1008:", "  8001: { name: 甲, skills: { general: 1 } }\n  1008:", "8001:", "seats.yaml"
    ),
    Mistake("S036", "service.yaml", "010XXXXXXXX", "1XX", "1XX]", "'1XX' fits 110, which is an emergency number"),
    Mistake("S036", "service.yaml", "010XXXXXXXX", "963XX", "963XX", "fits 96333"),
    Mistake("S036", "service.yaml", "010XXXXXXXX", "123XX", "123XX", "a hotline number"),
    Mistake("S036", "service.yaml", "010XXXXXXXX", "80XX", "80XX", "a seat"),
    Mistake("S036", "service.yaml", "dial: 12366", "dial: 119", "119", "emergency"),
    Mistake("S036", "shifts.yaml", "dial: 13800000000", "dial: 110", "110", "emergency"),
    Mistake("S037", "service.yaml", "010XXXXXXXX", "0XXXXXXXXXXX", "0XXXXXXXXXXX", "area codes"),
    Mistake("S038", "emergencies.yaml", '    key: "*5"', '    key: "*5"\n    drill: 110', "110\n", "what 110 dials"),
    # Menus
    Mistake("S040", "menus.yaml", '"#": back', "0: back", "0: back", "a person"),
    Mistake("S041", "menus.yaml", "    4: { menu: report }\n", "", "report:", "nothing leads"),
    Mistake(
        "S042",
        "numbers.yaml",
        "notice_12318, to: 12345",
        "notice_12318, to: 12318",
        "12318 }\n  greeting",
        "12318 → 12318",
    ),
    Mistake("S043", "numbers.yaml", "trunk: tax_centre", "trunk: carrier", "12366, notice", "'carrier'"),
    Mistake("S043", "service.yaml", "    trunk: tax_centre", "    trunk: carrier", "12366", "'carrier'"),
    Mistake("S043", "shifts.yaml", "dial: 13800000000", "dial: 12345", "12345", "'carrier'"),
    # While callers wait
    Mistake(
        "S044", "service.yaml", "  every: 30s\n", "  position: false\n  estimate: false\n", "^position\n\ncall", "asks"
    ),
    Mistake(
        "S044",
        "service.yaml",
        "call_back:\n  trunk: carrier\n  tries: 3\n  again: 10m # After a try that reached nobody.\n  ring: 30s\n",
        "",
        "call_back\n  2",
        "over which trunk",
    ),
    # Numbers
    Mistake("S050", "numbers.yaml", "from: 2027-01-01", "from: 2021-12-01", "2021-12-01, notice", "the same day"),
    Mistake("S050", "numbers.yaml", "from: 2027-01-01", "from: 2021-11-01", "2021-11-01, notice", "before"),
    Mistake("S051", "numbers.yaml", "mode: primary", "mode: parallel", "12345:", "city's own"),
    Mistake(
        "S051",
        "numbers.yaml",
        "    - { mode: parallel, from: 2022-07-01 }\n  greeting: greeting_12320",
        "    - { mode: primary, from: 2022-07-01 }\n  greeting: greeting_12320",
        "primary, from: 2022",
        "12345",
    ),
    Mistake(
        "S052", "numbers.yaml", "  closed: { notice: closed_12320, then: hangup }\n", "", "daytime", "told nothing"
    ),
    Mistake("S053", "numbers.yaml", "from: 2012-01-01", "from: 2028-01-01", "12345 }\n", "2028-01-01"),
    Mistake("S054", "hours.yaml", '"13:30-17:30"', '"11:30-17:30"', '"11:30', "overlaps"),
    Mistake(
        "S054",
        "hours.yaml",
        '    workdays: ["09:00-12:00", "13:30-17:30"]',
        "    workdays: []",
        "office:",
        "never open",
    ),
    Mistake("S054", "hours.yaml", "  daytime:\n", "  daytime:\n    always: true\n", "daytime:", "always open"),
    # Skills and seats
    Mistake(
        "S060",
        "skills.yaml",
        "market:\n",
        "dialect:\n  name: { zh: 方言, en: Dialect }\n\nmarket:\n",
        "dialect:",
        "no call",
    ),
    Mistake("S061", "skills.yaml", "general:\n", "general:\n  level: 5\n", "general:", "at the level that is needed"),
    Mistake("S063", "skills.yaml", "after: 4m, also: general }", "after: 4m }", "{ after: 4m }", "nothing"),
    Mistake(
        "S063", "skills.yaml", "{ after: 4m,", "{ after: 4m, level: 1,", "{ after: 4m, level", "both 'level' and 'also'"
    ),
    Mistake("S063", "skills.yaml", "{ after: 4m,", "{ after: 30s,", "30s, also", "does not come after"),
    Mistake("S063", "skills.yaml", "{ after: 40s, level: 1 }", "{ after: 40s, level: 4 }", "{ after: 40s", "no lower"),
    Mistake(
        "S063", "skills.yaml", "{ after: 4m, also: general }", "{ after: 4m, also: housing }", "{ after: 4m", "already"
    ),
    Mistake("S065", "shifts.yaml", "  dial: 13800000000\n", "", "duty_officer:", "'dial' is missing"),
    Mistake("S065", "shifts.yaml", "  dial: 138", "  seat: 8001\n  dial: 138", "duty_officer:", "both"),
    Mistake("S066", "shifts.yaml", "[1008] }", "[1008], days: [workday, weekend] }", "roster:", "nobody is planned"),
    Mistake(
        "S067", "shifts.yaml", "early, least: 2", "early, least: 3", "3 }", "at 07:00 on weekends 2 are planned, not 3"
    ),
    Mistake("S067", "shifts.yaml", "skill: housing", "skill: english", "1, skill", "with 'english'"),
    Mistake(
        "S068",
        "shifts.yaml",
        "[1008] }",
        "[1008] }\n  - { shift: night, agents: [1007], from: 2026-02-01, until: 2026-01-01 }",
        "2026-01-01",
        "ends before",
    ),
    Mistake(
        "S068",
        "shifts.yaml",
        "[1008] }",
        "[1008] }\n  - { shift: night, agents: [1007], days: [] }",
        "[] }",
        "on no day",
    ),
    Mistake("S006", "shifts.yaml", "agents: [1008]", "agents: [1008, 1008]", "1008] }", "listed twice"),
    # Prompts
    Mistake("S070", "prompts.yaml", "    zh: 没有收到您的按键。\n", "", "no_key:", "'zh'"),
    Mistake("S070", "prompts.yaml", "    zh: 没有收到您的按键。", "    zh: '  '", "no_key:", "'zh'"),
    Mistake(
        "S070",
        "prompts.yaml",
        "  no_key:\n    zh: 没有收到您的按键。\n    en: We did not receive a key.\n",
        "",
        "prompts:\n",
        "no_key",
    ),
    Mistake("S071", "prompts.yaml", "    en: We did not receive a key.\n", "", "no_key:", "'en'"),
    Mistake(
        "S072",
        "prompts.yaml",
        "    en: We did not receive a key.\n",
        "    en: x\n    recordings: { zh: none.wav }\n",
        "none.wav",
        "does not exist",
    ),
    Mistake(
        "S072",
        "prompts.yaml",
        "    en: We did not receive a key.\n",
        "    en: x\n    recordings: { zh: city.yaml }\n",
        "city.yaml",
        "as sound",
    ),
    Mistake(
        "S072",
        "prompts.yaml",
        "    en: We did not receive a key.\n",
        "    en: x\n    recordings: { zh: ../x.wav }\n",
        "../x.wav",
        "inside",
    ),
    Mistake("S073", "prompts.yaml", "zh: 您现在排在第{n}位。", "zh: 您在排队。", "您在排队", "write {n} where"),
    Mistake(
        "S073", "prompts.yaml", "en: We did not receive a key.", 'en: "We did not receive {n}."', '"We did', "no number"
    ),
    Mistake(
        "S073",
        "prompts.yaml",
        "zh: 预计{n}分钟左右为您接通。",
        "zh: 预计几分钟左右为您接通。",
        "预计几分钟",
        "'estimate'",
    ),
    # The machine
    Mistake("S080", "server.yaml", "port: 8080", "port: 5038", "^5038\n\nrecording", "so does ami"),
    Mistake("S080", "server.yaml", "port: 5060", "port: 14002", "14002", "RTP"),
    Mistake("S081", "server.yaml", "first: 14000", "first: 13999", "13999", "odd"),
    Mistake("S081", "server.yaml", "last: 15999", "last: 13999", "13999", "above"),
    Mistake("S081", "server.yaml", "last: 15999", "last: 15001", "rtp:", "500 calls"),
    Mistake("S082", "city.yaml", "Asia/Shanghai", "Asia/Shanghi", "Asia/Shanghi", "'Asia/Shanghai'"),
    Mistake("S083", "trunks.yaml", "host: 127.0.0.5", "host: 127.0.0.555", "127.0.0.555", "neither"),
    Mistake(
        "S083",
        "trunks.yaml",
        "host: 127.0.0.5\n  port: 5065",
        "host: 127.0.0.1\n  port: 5060",
        "127.0.0.1\n",
        "ourselves",
    ),
    Mistake(
        "S083", "trunks.yaml", "  port: 5065", "  port: 5065\n  register: true", "5065\n  ^register: true", "username"
    ),
    Mistake(
        "S083",
        "trunks.yaml",
        "  port: 5064",
        "  port: 5064\n  accepts_from: [127.0.0.2]",
        "5064\n  accepts_from: [^127",
        "'carrier'",
    ),
    Mistake("S083", "trunks.yaml", "[127.0.0.2]", "[127.0.0.1]", "127.0.0.1]", "our own"),
    Mistake("S084", "trunks.yaml", "  accepts_from: [127.0.0.2]\n", "", "carrier:", "accepts_from"),
    Mistake("S090", "blocked.yaml", "2099-12-31", "2026-11-20", "2026-11-20", "ended"),
    # What is kept
    Mistake("S092", "server.yaml", "# postgresql: { host: 10.0.0.5", "postgresql: { host: db..cn", "db..cn", "neither"),
    Mistake(
        "S092",
        "server.yaml",
        "copy_to: # A second",
        "postgresql: {}\n  copy_to: /mnt/r.db # A second",
        "/mnt/r.db",
        "'postgresql' out",
    ),
    Mistake(
        "S093",
        "server.yaml",
        "# postgresql: { host: 10.0.0.5, database: hotline, user: hotline, tls: true }",
        "postgresql: { host: 10.0.0.5 }",
        "10.0.0.5",
        "'tls: true'",
    ),
    Mistake("S012", "retention.yaml", "audio: 180d", "audio: 180", "180 #", "'180' is not a number of days"),
    Mistake("S023", "retention.yaml", "  12315:", "  123155:", "123155:", "did you mean '12315'?"),
    Mistake("S094", "retention.yaml", "audio: 180d", "audio: 1096d", "1096d", "write at most 1095d"),
    Mistake("S094", "retention.yaml", "audio: 365d", "audio: 40d\n    records: 30d", "40d", "its record for 30"),
    Mistake(
        "S095",
        "numbers.yaml",
        "  priority: 4\n",
        "  priority: 4\n  confidential: true\n",
        "confidential: ^true",
        "not encrypted",
    ),
)


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
    tested = set(re.findall(r"S\d{3}", Path(__file__).read_text(encoding="utf-8")))
    explained = re.findall(r"^### (S\d{3})", (project / "docs" / "problems.md").read_text(encoding="utf-8"), re.M)
    assert set(CODES) <= tested
    assert explained == sorted(CODES)
