"""A city of two skills and four seats, for tests that try everything that can happen in its waiting room."""

from hypothesis import strategies as st

from calls.live import Agent, Seat
from routing.rules import Rules
from tests.support.settings_maker import PLAIN, city

SKILLS = st.frozensets(st.sampled_from(["a", "b"]), min_size=1)
FIXED = {"8001": ["a"], "8002": ["a", "b"], "8003": ["b"], "8004": []}
SEATS = [Seat(seat) for seat in FIXED]
AGENTS = {Agent("1001"): {"a": 5, "b": 2}, Agent("1002"): {"b": 5}}
RULES = Rules.of(
    city(
        numbers={"12345": {**PLAIN["numbers"]["12345"], "menu": None, "skill": "a"}},
        menus={},
        emergencies={**PLAIN["emergencies"], "operator": "a"},
        skills={
            "a": {"name": {"zh": "甲", "en": "A"}},
            "b": {
                "name": {"zh": "乙", "en": "B"},
                "level": 4,
                "steps": [{"after": "4s", "level": 1}, {"after": "40s", "centre": "far"}],
            },
        },
        answering={"ring": "15s", "rest": "2s", "seats": {seat: {"skills": has} for seat, has in FIXED.items()}},
        agents={
            "wrap_up": "3s",
            "misses": 2,
            "unmanned_pause": "5s",
            "agents": {agent: {"name": "x", "skills": has} for agent, has in AGENTS.items()},
        },
        service={"centres": {"far": {"name": {"zh": "远", "en": "Far"}, "trunk": "tax_centre", "dial": "12366"}}},
    )
)
