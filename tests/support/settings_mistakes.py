"""Mistakes that an operator can make in the files of the example city."""

from dataclasses import dataclass


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
    # The doors
    Mistake(
        "S102",
        "server.yaml",
        "other machines.\n  address: 127.0.0.1",
        "other machines.\n  address: 10.0.0.9",
        "10.0.0.9",
        "without TLS",
    ),
    Mistake(
        "S103",
        "server.yaml",
        "port: 8080",
        "port: 8080\n  tls: { certificate: /nowhere/tls.crt, key: /nowhere/tls.key }",
        "/nowhere/tls.crt",
        "cannot be read",
    ),
    Mistake(
        "S104",
        "server.yaml",
        "keep it on 127.0.0.1.\n  address: 127.0.0.1",
        "keep it on 127.0.0.1.\n  address: 10.0.0.9",
        "10.0.0.9",
        "write 127.0.0.1",
    ),
)
