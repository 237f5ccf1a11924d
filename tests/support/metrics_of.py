"""Metrics in which everything is there that can be."""

from calls.record import Outcome
from web.metrics import Cover, Metrics, Reading, Words

NUMBERS = frozenset({"12345", "12333", "110", "119"})

FULL = Reading(
    steering=True,
    asterisk_answers=True,
    records_kept=True,
    waiting={"12345": 3, "12333": 0},
    longest_wait_s=41.5,
    callers={"waiting": 3, "talking": 9},
    places_kept=1,
    seats={"free": 2, "taken": 9},
    agents_present=11,
    agents_planned=12,
    agents_missing=1,
    cover=(Cover("night", "social", 4, 3), Cover("", "", 10, 11)),
    heartbeat_age_s=0.4,
    unreadable=1,
    trunks={"carrier": True, "emergency_a": False},
    call_backs={"waiting": 1, "listed": 2},
    restarts={("asterisk", False): 2, ("controller", True): 1},
    bans=2,
    records_behind=5,
    records_refused=1,
    journal_unread_bytes=120,
    recordings_due=1,
    spool_files=10,
    look_age_s=2.0,
    disk_free_bytes=10**10,
    disk="low",
    audit_faults=0,
    audit_age_s=3600.0,
    certificate_ends_s=1.8e9,
)


def metrics(now: Reading = FULL) -> Metrics:
    """Of a city with NUMBERS, which stands like that."""
    return Metrics(Words(NUMBERS, frozenset({"110", "119"}), tuple(one.value for one in Outcome)), lambda: now)
