"""A small city that is valid, for tests of every room: as values, as plain data, or as files."""

from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from settings.shapes import Settings
from settings.system_prompts import COUNT, COUNTED_PROMPTS, SYSTEM_PROMPTS

_PROMPTS = (
    "recorded",
    "hello",
    "hello_social",
    "main",
    "more",
    "hint",
    "cancelled",
    "moved",
    "closed_office",
    "to_tax",
)

PLAIN: dict[str, Any] = {
    "city": {
        "name": {"zh": "测试市", "en": "Testville"},
        "timezone": "Asia/Shanghai",
        "language": "zh",
        "node": "node1",
    },
    "server": {
        "sip": {"address": "127.0.0.1", "port": 15060},
        "rtp": {"first": 14000, "last": 14999},
        "ami": {"address": "127.0.0.1", "port": 15038},
        "http": {"address": "127.0.0.1", "port": 18080},
        "recording": {"enabled": True, "announcement": "recorded"},
        "capacity": {"ordinary": 40, "reserve": 10},
    },
    "trunks": {
        "carrier": {"host": "127.0.0.2", "port": 15062, "accepts_from": ["127.0.0.2"]},
        "emergency_a": {"host": "127.0.0.3", "port": 15063},
        "emergency_b": {"host": "127.0.0.4", "port": 15064},
        "tax_centre": {"host": "127.0.0.5", "port": 15065},
    },
    "numbers": {
        "12345": {
            "name": {"zh": "市民热线", "en": "City hotline"},
            "modes": [{"mode": "primary", "from": "2020-01-01"}],
            "greeting": "hello",
            "menu": "main",
            "skill": "general",
        },
        "12333": {
            "name": {"zh": "人社热线", "en": "Social security"},
            "modes": [{"mode": "parallel", "from": "2021-06-01"}],
            "greeting": "hello_social",
            "skill": "social",
            "priority": 4,
        },
        "12318": {
            "name": {"zh": "文化市场", "en": "Culture market"},
            "modes": [
                {"mode": "parallel", "from": "2021-06-01"},
                {"mode": "whole", "from": "2026-01-01", "notice": "moved", "to": "12345"},
            ],
            "greeting": "hello",
            "skill": "general",
        },
        "12301": {
            "name": {"zh": "旅游", "en": "Tourism"},
            "modes": [{"mode": "whole", "from": "2021-06-01", "notice": "cancelled"}],
            "greeting": "hello",
            "skill": "general",
        },
        "12366": {
            "name": {"zh": "税务", "en": "Tax"},
            "modes": [
                {"mode": "sub_centre", "from": "2021-06-01", "trunk": "tax_centre", "dial": "12366", "notice": "to_tax"}
            ],
            "greeting": "hello",
            "skill": "general",
        },
        "12329": {
            "name": {"zh": "公积金", "en": "Housing fund"},
            "modes": [{"mode": "parallel", "from": "2021-06-01"}],
            "greeting": "hello",
            "skill": "general",
            "hours": "office",
            "closed": {"notice": "closed_office", "then": "hangup"},
        },
    },
    "emergencies": {
        "trunks": ["emergency_a", "emergency_b"],
        "operator": "general",
        "numbers": {
            "120": {"trunks": ["emergency_b", "emergency_a"]},
            "96333": {"name": {"zh": "电梯救援", "en": "Lift rescue"}, "key": "*5"},
        },
    },
    "menus": {
        "main": {
            "prompt": "main",
            "keys": {
                "1": {"number": "12333"},
                "2": {"queue": "social", "priority": 3},
                "3": {"menu": "more"},
                "4": {"prompt": "hint"},
                "8": {"language": "en"},
                "9": "repeat",
            },
        },
        "more": {"prompt": "more", "keys": {"1": {"queue": "general"}, "9": "repeat", "#": "back"}, "wait": "3s"},
    },
    "calendar": {"national": True, "days": []},
    "hours": {"office": {"workdays": ["09:00-12:00", "13:30-17:00"]}},
    "skills": {
        "general": {"name": {"zh": "综合", "en": "General"}},
        "social": {"name": {"zh": "社保", "en": "Social security"}},
        "english": {"name": {"zh": "英语", "en": "English"}, "language": "en"},
    },
    "answering": {
        "ring": "15s",
        "rest": "2s",
        "seats": {
            "8001": {"skills": ["general", "social", "english"]},
            "8002": {"skills": ["general"]},
            "8003": {"skills": ["social"]},
        },
    },
    "agents": {
        "pauses": {"break": {"zh": "小休", "en": "Break"}, "meal": {"zh": "用餐", "en": "Meal"}},
        "agents": {
            "1001": {"name": "甲", "skills": {"general": 3, "social": 5}},
            "1002": {"name": "乙", "skills": {"general": 3, "english": 2}},
        },
    },
    "service": {},
    "shifts": {},
    "retention": {},
    "prompts": {
        "prompts": {
            **{ident: {"zh": f"提示{ident}", "en": f"Prompt {ident}."} for ident in (*_PROMPTS, *SYSTEM_PROMPTS)},
            **{ident: {"zh": f"第{COUNT}个", "en": f"Number {COUNT}."} for ident in COUNTED_PROMPTS},
        },
    },
    "blocked": [{"number": "13900000000", "reason": "恶意占线", "author": "8001", "until": "2099-12-31"}],
}
"""The city by the fields of Settings, as an operator would write it."""

SUBJECTS: dict[str, str] = {
    "city": "city.yaml",
    "server": "server.yaml",
    "trunks": "trunks.yaml",
    "numbers": "numbers.yaml",
    "emergencies": "emergencies.yaml",
    "menus": "menus.yaml",
    "skills": "skills.yaml",
    "answering": "seats.yaml",
    "agents": "agents.yaml",
    "service": "service.yaml",
    "shifts": "shifts.yaml",
    "retention": "retention.yaml",
    "prompts": "prompts.yaml",
    "blocked": "blocked.yaml",
}
"""Field of Settings → its file; `calendar` and `hours` share hours.yaml."""


def city(**changes: Any) -> Settings:
    """The small city; each change replaces one field of Settings, by values or by plain data."""
    return Settings.model_validate({"folder": "tests", **deepcopy(PLAIN), **changes})


def write_city(folder: Path, plain: Mapping[str, Any] | None = None) -> Path:
    """Writes the city (or `plain`, by fields of Settings) as an operator's folder; the folder."""
    data = {**deepcopy(PLAIN), **(plain or {})}
    files = {file: data[field] for field, file in SUBJECTS.items()}
    files["hours.yaml"] = {"calendar": data["calendar"], "hours": data["hours"]}
    folder.mkdir(parents=True, exist_ok=True)
    yaml = YAML(typ="safe", pure=True)
    yaml.allow_unicode = True
    yaml.default_flow_style = False
    for name, content in files.items():
        with (folder / name).open("w", encoding="utf-8") as file:
            yaml.dump(content, file)
    return folder
