"""Hypothesis: any small city that `settings.check` accepts."""

from datetime import date
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from settings.emergencies import BUILT_IN
from settings.shapes import Settings
from settings.system_prompts import COUNT, COUNTED_PROMPTS, SYSTEM_PROMPTS

_SKILLS = ("general", "social", "market", "housing")
_MENUS = ("main", "second", "third", "fourth")
_PROMPTS = ("recorded", "hello", "hint", "notice", "choose")
_TRUNKS = ("emergency_a", "emergency_b", "emergency_c", "centre")
_EXTRA_EMERGENCIES = ("96333", "95598")
_AGENTS = ("1001", "1002", "103")
_DATES = st.dates(date(2020, 1, 1), date(2030, 12, 31)).map(date.isoformat)
_SPANS = ("00:00-08:00", "08:30-12:00", "13:30-17:30", "18:00-24:00")
_DIGITS = st.text("0123456789", min_size=3, max_size=12).filter(
    lambda number: number not in BUILT_IN and number not in _EXTRA_EMERGENCIES
)
_NAMES = st.fixed_dictionaries({"zh": st.sampled_from(("热线", "服务")), "en": st.sampled_from(("Line", "Service"))})


@st.composite
def plain_cities(draw: DrawFn) -> dict[str, Any]:
    """A valid city as plain data by the fields of Settings, as an operator would write it."""
    skills = draw(st.lists(st.sampled_from(_SKILLS), min_size=1, max_size=4, unique=True))
    english = draw(st.booleans())
    digits = draw(st.lists(_DIGITS, min_size=1, max_size=5, unique=True))
    menus = draw(st.lists(st.sampled_from(_MENUS), max_size=4, unique=True))
    hours = draw(st.lists(st.sampled_from(("office", "late")), max_size=2, unique=True))
    all_skills = [*skills, *(["english"] if english else [])]
    agents = draw(st.dictionaries(st.sampled_from(_AGENTS), _agent(all_skills), max_size=3))
    return {
        "city": {
            "name": draw(_NAMES),
            "timezone": draw(st.sampled_from(("Asia/Shanghai", "Asia/Urumqi", "UTC"))),
            "language": draw(st.sampled_from(("zh", "en"))),
            "node": draw(st.sampled_from(("node1", "a", "n2"))),
        },
        "server": _server(draw(st.integers(1, 400)), draw(st.integers(1, 100)), recorded=draw(st.booleans())),
        "trunks": {
            "carrier": {"host": "127.0.0.2", "accepts_from": ["127.0.0.2"]},
            **{trunk: {"host": f"127.0.0.{place}", "port": 5060 + place} for place, trunk in enumerate(_TRUNKS, 3)},
        },
        "numbers": {
            number: draw(_numbers(digits[:place], skills, menus, hours)) for place, number in enumerate(digits)
        },
        "emergencies": draw(_emergencies(skills)),
        "menus": {menu: draw(_menu(digits, skills, menus)) for menu in menus},
        "calendar": {"national": draw(st.booleans()), "days": draw(_days())},
        "hours": {ident: draw(_hours()) for ident in hours},
        "skills": {
            **{skill: draw(_skill(skill, skills)) for skill in skills},
            **({"english": {"name": draw(_NAMES), "language": "en"}} if english else {}),
        },
        "answering": {
            "seats": {
                "8000": {"skills": all_skills, "level": 5},
                **draw(st.dictionaries(st.sampled_from(("8001", "8002", "803")), _seat(all_skills), max_size=3)),
            }
        },
        "agents": {"agents": agents, "pauses": {"meal": draw(_NAMES)}},
        "service": draw(_service(skills)),
        "shifts": draw(_shifts(sorted(agents), skills)),
        "retention": {},
        "prompts": {
            "prompts": {
                **{ident: {"zh": "请听", "en": "Listen."} for ident in (*_PROMPTS, *SYSTEM_PROMPTS)},
                **{ident: {"zh": f"第{COUNT}个", "en": f"Number {COUNT}."} for ident in COUNTED_PROMPTS},
            }
        },
        "blocked": draw(_blocked()),
    }


def cities() -> SearchStrategy[Settings]:
    """Any valid small city as settings."""
    return plain_cities().map(lambda plain: Settings.model_validate({"folder": "tests", **plain}))


def _server(ordinary: int, reserve: int, *, recorded: bool) -> dict[str, Any]:
    return {
        "recording": {"enabled": recorded, "announcement": "recorded" if recorded else None},
        "capacity": {"ordinary": ordinary, "reserve": reserve},
    }


@st.composite
def _numbers(draw: DrawFn, earlier: list[str], skills: list[str], menus: list[str], hours: list[str]) -> dict[str, Any]:
    """A number that is taken over, if at all, by one of the `earlier` ones: so no circle arises."""
    chosen = draw(st.sampled_from([*hours, "always"]))
    number: dict[str, Any] = {
        "name": draw(_NAMES),
        "modes": draw(_modes(earlier)),
        "greeting": "hello",
        "skill": draw(st.sampled_from(skills)),
        "priority": draw(st.integers(1, 9)),
        "hours": chosen,
    }
    if draw(st.booleans()) and menus:
        number["menu"] = draw(st.sampled_from(menus))
    if chosen != "always":
        number["closed"] = {"notice": "notice", "then": draw(st.sampled_from(("person", "hangup")))}
    return number


@st.composite
def _modes(draw: DrawFn, earlier: list[str]) -> list[dict[str, Any]]:
    if not earlier:
        return [{"mode": "primary", "from": "2019-01-01"}]
    since = ["2019-12-31", *sorted(draw(st.lists(_DATES, max_size=2, unique=True)))]
    return [{**draw(_mode(earlier)), "from": day} for day in since]


def _mode(earlier: list[str]) -> SearchStrategy[dict[str, Any]]:
    taken_over = st.one_of(st.none(), st.sampled_from(earlier))
    return st.one_of(
        st.just({"mode": "parallel"}),
        taken_over.map(lambda to: {"mode": "whole", "notice": "notice", **({"to": to} if to else {})}),
        st.sampled_from((None, "notice")).map(
            lambda notice: {"mode": "sub_centre", "trunk": "centre", "dial": "12366", "notice": notice}
        ),
    )


@st.composite
def _menu(draw: DrawFn, digits: list[str], skills: list[str], menus: list[str]) -> dict[str, Any]:
    actions: SearchStrategy[Any] = st.one_of(
        st.sampled_from(("repeat", "back", "person")),
        st.sampled_from(menus).map(lambda menu: {"menu": menu}),
        st.sampled_from(digits).map(lambda number: {"number": number}),
        st.sampled_from(skills).map(lambda skill: {"queue": skill}),
        st.tuples(st.sampled_from(skills), st.integers(1, 9)).map(lambda at: {"queue": at[0], "priority": at[1]}),
        st.sampled_from(("zh", "en")).map(lambda language: {"language": language}),
        st.just({"prompt": "hint"}),
    )
    keys = draw(st.dictionaries(st.sampled_from("123456789#"), actions, max_size=6))
    if draw(st.booleans()):
        keys["0"] = "person"
    return {
        "prompt": "choose",
        "keys": keys,
        "wait": draw(st.sampled_from(("1s", "5s", "2500ms"))),
        "tries": draw(st.integers(1, 5)),
    }


@st.composite
def _emergencies(draw: DrawFn, skills: list[str]) -> dict[str, Any]:
    def trunks() -> list[str]:
        return draw(st.lists(st.sampled_from(_TRUNKS[:3]), min_size=2, max_size=3, unique=True))

    written: dict[str, Any] = {}
    for number in draw(st.lists(st.sampled_from((*BUILT_IN, *_EXTRA_EMERGENCIES)), max_size=4, unique=True)):
        entry: dict[str, Any] = {"name": draw(_NAMES)}
        if draw(st.booleans()):
            entry["trunks"] = trunks()
        if draw(st.booleans()):
            entry["dial"] = "0" + number
        if number in _EXTRA_EMERGENCIES and draw(st.booleans()):
            entry["key"] = f"*{5 + _EXTRA_EMERGENCIES.index(number)}"
        written[number] = entry
    return {"trunks": trunks(), "operator": draw(st.sampled_from(skills)), "numbers": written}


def _seat(skills: list[str]) -> SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {"skills": st.lists(st.sampled_from(skills), unique=True)}, optional={"level": st.integers(1, 5)}
    )


def _agent(skills: list[str]) -> SearchStrategy[dict[str, Any]]:
    levels = st.dictionaries(st.sampled_from(skills), st.integers(1, 5), min_size=1)
    return st.fixed_dictionaries({"name": st.sampled_from(("甲", "乙")), "skills": levels})


@st.composite
def _skill(draw: DrawFn, ident: str, skills: list[str]) -> dict[str, Any]:
    level = draw(st.integers(1, 5))
    steps: list[dict[str, Any]] = []
    if level > 1 and draw(st.booleans()):
        steps.append({"level": draw(st.integers(1, level - 1))})
    if len(skills) > 1 and draw(st.booleans()):
        steps.append({"also": draw(st.sampled_from([skill for skill in skills if skill != ident]))})
    if draw(st.booleans()):
        steps.append({"centre": "tax"})
    return {
        "name": draw(_NAMES),
        "level": level,
        "steps": [{"after": f"{30 * place}s", **step} for place, step in enumerate(steps, 1)],
    }


@st.composite
def _service(draw: DrawFn, skills: list[str]) -> dict[str, Any]:
    """There is always the centre `tax`, where steps of the skills may lead."""
    actions: SearchStrategy[Any] = st.one_of(
        st.sampled_from(("call_back", "position")),
        st.just({"prompt": "hint"}),
        st.sampled_from(skills).map(lambda skill: {"queue": skill}),
    )
    service: dict[str, Any] = {
        "announce": {"first": "5s", "estimate": draw(st.booleans())},
        "keys": draw(st.dictionaries(st.sampled_from("0123456789#"), actions, max_size=4)),
        "call_back": {"trunk": "carrier", "tries": draw(st.integers(1, 10))},
        "survey": {"enabled": draw(st.booleans()), "message": draw(st.sampled_from(("0s", "30s")))},
        "centres": {"tax": {"name": draw(_NAMES), "trunk": "centre", "dial": "9123456789012"}},
    }
    if draw(st.booleans()):
        service["outside"] = {"trunk": "carrier", "allowed": ["9" + "X" * 15]}
    return service


@st.composite
def _shifts(draw: DrawFn, agents: list[str], skills: list[str]) -> dict[str, Any]:
    kinds = st.lists(st.sampled_from(("workday", "weekend", "holiday")), min_size=1, unique=True)
    line = st.fixed_dictionaries(
        {
            "shift": st.sampled_from(("early", "night")),
            "agents": st.lists(st.sampled_from(agents or ["0"]), min_size=1),
        },
        optional={"days": kinds, "from": _DATES},
    ).map(lambda found: {**found, "agents": sorted(set(found["agents"]))})
    rule = st.fixed_dictionaries(
        {"least": st.integers(1, 3)},
        optional={"shift": st.sampled_from(("early", "night")), "skill": st.sampled_from(skills)},
    )
    officers: tuple[dict[str, Any] | None, ...] = (
        None,
        {"seat": "8000"},
        {"trunk": "carrier", "dial": "9000000000000"},
    )
    return {
        "shifts": {
            "early": {"name": draw(_NAMES), "hours": "00:00-12:00"},
            "night": {"name": draw(_NAMES), "hours": draw(st.sampled_from(("12:00-24:00", "12:00-07:00")))},
        },
        "roster": draw(st.lists(line, max_size=3)) if agents else [],
        "cover": draw(st.lists(rule, max_size=2)),
        "duty_officer": draw(st.sampled_from(officers)),
    }


@st.composite
def _hours(draw: DrawFn) -> dict[str, Any]:
    if draw(st.booleans()) and draw(st.booleans()):
        return {"always": True}
    days = ("workdays", "weekends", "holidays")
    found = {day: sorted(draw(st.sets(st.sampled_from(_SPANS)))) for day in days}
    return found if any(found.values()) else {"workdays": ["09:00-17:00"]}


@st.composite
def _days(draw: DrawFn) -> list[dict[str, Any]]:
    dates = draw(st.lists(_DATES, max_size=3, unique=True))
    kinds = st.sampled_from(("workday", "weekend", "holiday"))
    return [{"date": day, "name": draw(_NAMES), "kind": draw(kinds)} for day in dates]


@st.composite
def _blocked(draw: DrawFn) -> list[dict[str, Any]]:
    callers = st.text("0123456789", min_size=11, max_size=12)
    return [
        {"number": number, "reason": "恶意占线", "author": "8000", "until": draw(_DATES)}
        for number in draw(st.lists(callers, max_size=3, unique=True))
    ]
