"""What the small city of `settings_maker` can offer to callers who wait, and after the talk: all there is."""

from typing import Any

FULL_SERVICE: dict[str, Any] = {
    "service": {
        "announce": {"first": "1s", "every": "5s"},
        "keys": {
            "1": "call_back",
            "2": {"prompt": "hint"},
            "3": {"queue": "social"},
            "4": {"queue": "general", "priority": 2},
            "9": "position",
        },
        "call_back": {"trunk": "carrier"},
        "survey": {"enabled": True, "message": "10s"},
        "centres": {"tax": {"name": {"zh": "税务", "en": "Tax"}, "trunk": "tax_centre", "dial": "12366"}},
    },
    "shifts": {"duty_officer": {"trunk": "tax_centre", "dial": "13800000001", "after": "1s"}},
}
"""By fields of Settings, as an operator would write it."""
