"""Asterisk's own queues: they serve the callers for as long as no controller steers."""

import math
from collections import defaultdict
from collections.abc import Set as AbstractSet
from datetime import UTC, date, datetime, timedelta

from calls.journal import SurvivalEntered
from dialplan.connect import device_known, seat_address
from dialplan.emergencies import star
from dialplan.guard import crossed
from dialplan.journal import wrote
from dialplan.names import (
    LANGUAGES,
    MUSIC,
    OVERFLOW,
    ROOM,
    SEAT_CLAIM,
    SEAT_LEG,
    SURVIVAL,
    SURVIVAL_KEYS,
    TALKED,
    survival_queue,
)
from dialplan.overflow import DUTY
from dialplan.room import STALE
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
    Return,
    Section,
    Target,
    code,
    joined,
)
from dialplan.waiter import told
from dialplan.waiting_keys import survival_keys
from settings.demands import demand
from settings.shapes import Settings
from settings.staff import DutyOfficer

LOWEST_PRIORITY = 9
PRIORITY_STEP = 214_748_364
"""A tenth of a queue position's 31 bits: the share of each priority class."""
STAND_IN = "nobody"
"""A queue without members, and, in each queue that callers may leave, the member that stands in for all of them.

Asterisk calls a queue without members occupied; with that for its state the stand-in never rings and
never seems to be away. Callers who count it stay in a queue whose seats are all away.
"""
COUNTS_SEATS, COUNTS_STAND_IN = 1, 2
"""QUEUE_MAX_PENALTY: up to which penalty members count. A seat has none, the stand-in has the second."""
T0_UNIT_MS = 200
"""Entry times are told apart this finely, so that a class's share lasts 497 days."""
BEFORE = timedelta(days=7)
"""So long before the day of the compilation a class's share begins. Nobody may have begun to wait before that: a number
of more than 31 bits would put an emergency behind everybody. The day begins in the city up to 14 hours earlier than in
UTC, and a clock may have been ahead while the files were made."""


def survival_contexts(settings: Settings, today: date) -> tuple[Context, ...]:
    return (_survival(settings, today), _claim(settings), _keys(settings))


def _survival(settings: Settings, today: date) -> Context:
    """Callers are queued by priority and by when they began to wait, not by when they came here."""
    begins = datetime(today.year, today.month, today.day, tzinfo=UTC) - BEFORE
    epoch_ms = int(begins.timestamp()) * 1000
    rank = code(
        "$[(<lowest> - ${HL_PRIO}) * <step> + <most> - FLOOR((${HL_T0} - <epoch>) / <unit>)]",
        lowest=LOWEST_PRIORITY,
        step=PRIORITY_STEP,
        most=PRIORITY_STEP - 1,
        epoch=epoch_ms,
        unit=T0_UNIT_MS,
    )
    officer = settings.shifts.duty_officer
    leaves, joins = Put("QUEUE_MAX_PENALTY", COUNTS_SEATS), _queued()
    empty = GotoIf(code('"${QUEUESTATUS}" = "LEAVEEMPTY"'), Target(SURVIVAL, "nobody"))
    steps: tuple[Move | At, ...] = (
        Do("StopMusicOnHold"),
        Put("HL_QUEUE", code("survival_${REPLACE(HL_SKILLS,+,_)}")),
        wrote(SurvivalEntered, queue=code("${HL_QUEUE}")),
        told("Survival", code("Queue: ${HL_QUEUE}")),
        Put("QUEUE_PRIO", rank),
        Put("HL_CAUSE"),
        Put("HL_LEG"),
        *((At("queue", leaves), joins) if officer is not None else (joins,)),
        GotoIf(code('"${HL_HANDED}" != ""'), Here("talked")),
        *((empty,) if officer is not None else ()),
        At("left", GotoIf(code('"${QUEUESTATUS}" = "CONTINUE"'), Here("talked"))),
        GotoIf(code('"${QUEUESTATUS}" = "WITHDRAW"'), Target(ROOM)),
        # Whatever else sent the caller out of the queue: not in a tight circle.
        Do("Wait", (1,)),
        Goto(Target(ROOM)),
        At("talked", Put("HL_SEAT", code("${MEMBERNAME}"))),
        Goto(Target(TALKED)),
    )
    parts = (_deserted(officer),) if officer is not None else ()
    return Context(SURVIVAL, (Extension("s", steps), *parts, crossed(Target(SURVIVAL))))


def _queued(within_s: Arg = "") -> Do:
    options = code("cib(<claim>^s^1)", claim=SEAT_CLAIM)
    args = (code("${HL_QUEUE}"), options, "", "", within_s, "", SEAT_LEG)
    return Do("Queue", args, reaches=(Target(SEAT_LEG), Target(SEAT_CLAIM)))


def _claim(settings: Settings) -> Context:
    """Runs on a seat's leg before its telephone is called: of two callers at once neither rings it.

    Asterisk's queues keep a seat from being rung by two of them until its state changes; they forget that
    when they hear late of a change that is older, or of its telephone's registering.
    """
    dial = settings.answering.dial
    before, after = (dial.partition("/")[2] or dial).split("{seat}", 1)
    seat = code("${DIALEDPEERNUMBER:<before>}", before=len(before))
    if after:
        seat = code("${DIALEDPEERNUMBER:<before>:-<after>}", before=len(before), after=len(after))
    taken = code("${GROUP_COUNT(<seat>@seat)} > 1", seat=seat)
    steps: tuple[Move | At, ...] = (
        Put("GROUP(seat)", seat),
        GotoIf(taken, Here("taken")),
        Return(),
        At("taken", Do("SoftHangup", (code("${CHANNEL(name)}"),))),
        Return(),
    )
    return Context(SEAT_CLAIM, (Extension("s", steps),))


def _deserted(officer: DutyOfficer) -> Extension:
    """No seat of the queue could ring. The caller goes on waiting in the queue, in its place, so that a seat
    that comes takes the first of all; when the officer's time has come, it asks once more whether there is
    nobody, and is sent to the duty officer. Who comes back from there waits for longer."""
    return Extension(
        "nobody",
        (
            GotoIf(STALE, Here("alone")),
            Goto(Target(ROOM)),
            At("alone", GotoIf(code('"${HL_DUTY_AT}" != ""'), Here("known"))),
            Put("HL_DUTY_AT", code("$[${EPOCH} + <after>]", after=math.ceil(officer.after))),
            At("known", GotoIf(code("${EPOCH} >= ${HL_DUTY_AT}"), Target(OVERFLOW, DUTY))),
            Put("QUEUE_MAX_PENALTY", COUNTS_STAND_IN),
            _queued(code("$[${HL_DUTY_AT} - ${EPOCH}]")),
            GotoIf(code('"${HL_HANDED}" != ""'), Target(SURVIVAL, label="talked")),
            GotoIf(code('"${QUEUESTATUS}" = "TIMEOUT"'), Target(SURVIVAL, label="queue")),
            Goto(Target(SURVIVAL, label="left")),
        ),
    )


def _leaving() -> tuple[Move, ...]:
    return (Do("UserEvent", ("Left", code("Ref: ${HL_REF}"), code("To: emergency"))),)


def _keys(settings: Settings) -> Context:
    """Keys in a queue, which each of them leaves at once.

    A star that was held back until its digit comes would be lost to whoever is taken out of the queue
    between the two, and the digit mean something else.
    """
    back = Target(SURVIVAL)
    emergency = star(settings, "waiting", "waiting", back, leaving=_leaving())
    return Context(SURVIVAL_KEYS, (emergency, *survival_keys(settings, SURVIVAL_KEYS, back), crossed(back)))


def survival_queues(settings: Settings) -> ConfigFile:
    """A queue for each combination of skills.

    Its members are the seats that have them all without anybody signing on; the controller adds those
    where somebody is signed on, and Asterisk remembers them when it is started anew.
    """
    general = Section("general", (("persistentmembers", "yes"), ("autofill", "yes"), ("log_membername_as_agent", "no")))
    nobody = (Section(STAND_IN, ()),) if settings.shifts.duty_officer is not None else ()
    serving: defaultdict[str, set[str]] = defaultdict(set)
    for seat, entry in settings.answering.seats.items():
        for skill in entry.skills:
            serving[skill].add(seat)
    queues = (
        _queue(settings, skills, set.intersection(*(serving[skill] for skill in skills)))
        for skills in combinations(settings)
    )
    return ConfigFile((general, *nobody, *queues))


def _queue(settings: Settings, skills: frozenset[str], members: AbstractSet[str]) -> Section:
    options: tuple[tuple[str, Arg], ...] = (
        ("strategy", "leastrecent"),
        ("musicclass", MUSIC),
        ("timeout", math.ceil(settings.answering.ring)),
        # A seat that rings when the caller's own time is over rings on.
        ("timeoutpriority", "conf"),
        ("retry", 1),
        ("ringinuse", "no"),
        ("autofill", "yes"),
        # Joined even when empty, and left at once: refused, Asterisk would complain of each caller.
        ("joinempty", "yes"),
        ("leavewhenempty", _deserted_when(settings)),
        ("setinterfacevar", "yes"),
        ("context", SURVIVAL_KEYS),
    )
    stand_in = code("Local/<name>@<name>,<penalty>,<name>,Queue:<name>_avail", name=STAND_IN, penalty=COUNTS_STAND_IN)
    standing_in = (("member", stand_in),) if settings.shifts.duty_officer is not None else ()
    return Section(
        survival_queue(skills),
        (*options, *(("member", _member(settings, seat)) for seat in sorted(members)), *standing_in),
    )


def _deserted_when(settings: Settings) -> str:
    """What every seat of a queue must be like for its callers to leave it: they have somewhere to go then."""
    if settings.shifts.duty_officer is None:
        return "no"
    return "penalty,paused,unavailable,invalid" if device_known(settings) else "penalty,paused"


def _member(settings: Settings, seat: str) -> Arg:
    dial = seat_address(settings, seat)
    return joined(",", (dial, 0, seat, dial)) if device_known(settings) else joined(",", (dial, 0, seat))


def combinations(settings: Settings) -> tuple[frozenset[str], ...]:
    """Every combination that the dialplan can put into HL_SKILLS: an agent may pass a call to any skill."""
    found = {demand(settings, skill, language) for skill in settings.skills for language in LANGUAGES}
    return tuple(sorted(found | {frozenset({settings.emergencies.operator})}, key=sorted))
