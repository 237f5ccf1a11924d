"""Asterisk's own queues: they serve the callers for as long as no controller steers."""

import math
from datetime import UTC, date, datetime

from calls.journal import SurvivalEntered
from dialplan.connect import device_known, seat_address
from dialplan.emergencies import chosen
from dialplan.journal import wrote
from dialplan.names import LANGUAGES, MUSIC, ROOM, SEAT_LEG, SURVIVAL, SURVIVAL_KEYS, TALKED, survival_queue
from dialplan.room import told
from dialplan.values import (
    Arg,
    At,
    ConfigFile,
    Context,
    Do,
    Extension,
    Goto,
    GotoIf,
    Here,
    Move,
    Put,
    Section,
    Target,
    code,
    joined,
)
from settings.demands import demand
from settings.emergencies import routes
from settings.shapes import Settings, ToQueue

LOWEST_PRIORITY = 9
PRIORITY_STEP = 214_748_364
"""A tenth of a queue position's 31 bits: the share of each priority class."""
T0_UNIT_MS = 200
"""Entry times are told apart this finely, so that a class's share lasts 497 days."""


def survival_contexts(settings: Settings, today: date) -> tuple[Context, ...]:
    return (_survival(today), _keys(settings))


def _survival(today: date) -> Context:
    """Callers are queued by priority and by when they began to wait, not by when they came here."""
    epoch_ms = int(datetime(today.year, today.month, today.day, tzinfo=UTC).timestamp()) * 1000
    rank = code(
        "$[(<lowest> - ${HL_PRIO}) * <step> + <most> - FLOOR((${HL_T0} - <epoch>) / <unit>)]",
        lowest=LOWEST_PRIORITY,
        step=PRIORITY_STEP,
        most=PRIORITY_STEP - 1,
        epoch=epoch_ms,
        unit=T0_UNIT_MS,
    )
    steps: tuple[Move | At, ...] = (
        Do("StopMusicOnHold"),
        Put("HL_QUEUE", code("survival_${REPLACE(HL_SKILLS,+,_)}")),
        wrote(SurvivalEntered, queue=code("${HL_QUEUE}")),
        told("Survival", code("Queue: ${HL_QUEUE}")),
        Put("QUEUE_PRIO", rank),
        Put("HL_CAUSE"),
        Do("Queue", (code("${HL_QUEUE}"), "c", "", "", "", "", SEAT_LEG), reaches=(Target(SEAT_LEG),)),
        GotoIf(code('"${QUEUESTATUS}" = "CONTINUE"'), Here("talked")),
        GotoIf(code('"${QUEUESTATUS}" = "WITHDRAW"'), Target(ROOM)),
        # Whatever else sent the caller out of the queue: not in a tight circle.
        Do("Wait", (1,)),
        Goto(Target(ROOM)),
        At("talked", Put("HL_SEAT", code("${MEMBERNAME}"))),
        Goto(Target(TALKED)),
    )
    return Context(SURVIVAL, (Extension("s", steps),))


def _keys(settings: Settings) -> Context:
    """Emergency keys in a queue, which collects a star and its digit by itself."""
    leaving = (Do("UserEvent", ("Left", code("Ref: ${HL_REF}"), code("To: emergency"))),)
    return Context(
        SURVIVAL_KEYS,
        tuple(
            Extension(
                route.key, chosen(settings, "waiting", route.key, "waiting", number=route.number, leaving=leaving)
            )
            for route in routes(settings.emergencies)
            if route.key
        ),
    )


def survival_queues(settings: Settings) -> ConfigFile:
    """A queue for each combination of skills; its members are the seats that have them all."""
    general = Section("general", (("persistentmembers", "no"), ("autofill", "yes"), ("log_membername_as_agent", "no")))
    return ConfigFile((general, *(_queue(settings, skills) for skills in combinations(settings))))


def _queue(settings: Settings, skills: frozenset[str]) -> Section:
    members = [seat for seat, entry in settings.answering.seats.items() if skills <= set(entry.skills)]
    options: tuple[tuple[str, Arg], ...] = (
        ("strategy", "leastrecent"),
        ("musicclass", MUSIC),
        ("timeout", math.ceil(settings.answering.ring)),
        ("retry", 1),
        ("ringinuse", "no"),
        ("autofill", "yes"),
        ("joinempty", "yes"),
        ("leavewhenempty", "no"),
        ("setinterfacevar", "yes"),
        ("context", SURVIVAL_KEYS),
    )
    return Section(
        survival_queue(skills), (*options, *(("member", _member(settings, seat)) for seat in sorted(members)))
    )


def _member(settings: Settings, seat: str) -> Arg:
    dial = seat_address(settings, seat)
    return joined(",", (dial, 0, seat, dial)) if device_known(settings) else joined(",", (dial, 0, seat))


def combinations(settings: Settings) -> tuple[frozenset[str], ...]:
    """Every combination that the dialplan can put into HL_SKILLS."""
    skills = {number.skill for number in settings.numbers.values()}
    for menu in settings.menus.values():
        skills |= {action.queue for action in menu.keys.values() if isinstance(action, ToQueue)}
    found = {demand(settings, skill, language) for skill in skills for language in LANGUAGES}
    return tuple(sorted(found | {frozenset({settings.emergencies.operator})}, key=sorted))
