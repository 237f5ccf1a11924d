"""What Prometheus reads: every metric of the hotline, its meaning and its labels, in a registry of our own.

Labels are words of the settings and of the code, so their number is bounded; whatever else comes (a number
that nobody serves) is `other`. No metric tells who calls.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
OTHER = "other"

_WAIT_S = (5, 10, 15, 20, 30, 60, 120, 300, 600, 1200)
_EMERGENCY_S = (0.5, 1, 2, 3, 5, 10, 20, 30, 60)
_DECISION_S = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5)
_LAG_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2)

_CALLED_BACK = "Calls that the hotline made to call back, and that have ended."
_WAITED = "How long citizens waited who were answered."
_PASSED_ON = "From the wish for an emergency number until it answered."
_EMERGENCIES = "Calls in which an emergency number was wanted."
_DECIDED = "One round of decisions of the waiting room."
_ACKNOWLEDGED = "From a heartbeat's sending until Asterisk acknowledged it."
_AGED = "From Asterisk's event until the controller read it."


@dataclass(frozen=True, slots=True)
class Cover:
    """A rule for the least number of agents; empty: every shift, whatever they can."""

    shift: str
    skill: str
    least: int
    on_duty: int


@dataclass(frozen=True, slots=True)
class Reading:
    """How everything stands in one moment. Mappings hold what there is; what is missing is told as none."""

    steering: bool
    asterisk_answers: bool
    records_kept: bool
    waiting: Mapping[str, int] = field(default_factory=dict)
    """Hotline number → callers."""
    longest_wait_s: float = 0.0
    callers: Mapping[str, int] = field(default_factory=dict)
    """State → callers whom the controller knows."""
    places_kept: int = 0
    seats: Mapping[str, int] = field(default_factory=dict)
    """State → seats."""
    agents_present: int = 0
    """Signed on, and not pausing."""
    agents_planned: int = 0
    agents_missing: int = 0
    """Planned, and not present."""
    cover: tuple[Cover, ...] = ()
    heartbeat_age_s: float | None = None
    """None: Asterisk never acknowledged one."""
    unreadable: int = 0
    """Messages of Asterisk's manager that were skipped."""
    trunks: Mapping[str, bool] = field(default_factory=dict)
    """Trunk → whether its far end answers; one of which that is not known is left out."""
    call_backs: Mapping[str, int] = field(default_factory=dict)
    """State → call-backs that are open."""
    restarts: Mapping[tuple[str, bool], int] = field(default_factory=dict)
    """(part, whether somebody wanted it) → how often."""
    bans: int = 0
    """Addresses that are refused at the SIP port."""
    records_behind: int = 0
    records_refused: int = 0
    journal_unread_bytes: int = 0
    recordings_due: int = 0
    spool_files: int = 0
    look_age_s: float | None = None
    """Since the store, the journal and the spool were looked at; None: not yet."""
    disk_free_bytes: int | None = None
    disk: str = "unknown"
    """`enough`, `low`, `full` or `unknown`."""
    audit_faults: int | None = None
    """What the last `hotline audit` found; None: there was none."""
    audit_age_s: float | None = None
    certificate_ends_s: float | None = None
    """When the certificate of the HTTP interface ends, in seconds since the epoch; None: there is none."""


@dataclass(frozen=True, slots=True)
class Words:
    """What labels may say. The rest comes from the code."""

    numbers: frozenset[str]
    """The hotline's and the emergency numbers."""
    emergencies: frozenset[str]
    """The latter alone."""
    outcomes: tuple[str, ...]

    def number(self, number: str | None) -> str:
        """The label of a number."""
        return number if number is not None and number in self.numbers else OTHER


class Metrics:
    """The registry, and what is counted as it happens. `reading` is asked at each scrape."""

    def __init__(self, words: Words, reading: Callable[[], Reading]) -> None:
        self._words = words
        made = CollectorRegistry(auto_describe=False)
        ProcessCollector(registry=made)
        self.registry = CollectorRegistry(auto_describe=False)
        self.registry.register(_Counted(made))
        self.registry.register(_Standing(reading))
        counter, histogram = partial(Counter, registry=made), partial(Histogram, registry=made)
        self._calls = counter("hotline_calls", "Citizens' calls that have ended.", ("number", "outcome"))
        self._called_back = counter("hotline_called_back", _CALLED_BACK, ("outcome",))
        self._wait = histogram("hotline_wait_seconds", _WAITED, ("number",), buckets=_WAIT_S)
        self._emergency = histogram("hotline_emergency_seconds", _PASSED_ON, ("number",), buckets=_EMERGENCY_S)
        self._emergencies = counter("hotline_emergencies", _EMERGENCIES, ("number", "answered"))
        self.decision = histogram("hotline_decision_seconds", _DECIDED, buckets=_DECISION_S)
        self.heartbeat = histogram("hotline_heartbeat_seconds", _ACKNOWLEDGED, buckets=_LAG_S)
        self.heartbeats_missed = counter("hotline_heartbeats_missed", "Heartbeats that Asterisk did not acknowledge.")
        self.event_age = histogram("hotline_event_age_seconds", _AGED, buckets=_LAG_S)
        self.snapshots = counter("hotline_snapshots", "How often everything was read anew from Asterisk.")
        # A series that begins at its first call would hide that call from increase().
        for outcome in words.outcomes:
            self._called_back.labels(outcome)
            for number in words.numbers:
                self._calls.labels(number, outcome)
        for number in words.numbers - words.emergencies:
            self._wait.labels(number)
        for number in words.emergencies:
            self._emergency.labels(number)
            for answered in ("yes", "no"):
                self._emergencies.labels(number, answered)

    def ended(self, number: str | None, outcome: str, wait_ms: int | None, *, ours: bool) -> None:
        """A call has ended. ours: the hotline made it."""
        if ours:
            self._called_back.labels(outcome).inc()
            return
        label = self._words.number(number)
        self._calls.labels(label, outcome).inc()
        if outcome == "answered" and wait_ms is not None:
            self._wait.labels(label).observe(wait_ms / 1000)

    def emergency(self, number: str, passed_on_ms: int | None) -> None:
        """An emergency number was wanted. passed_on_ms: until it answered; None: it did not."""
        label = self._words.number(number)
        self._emergencies.labels(label, "no" if passed_on_ms is None else "yes").inc()
        if passed_on_ms is not None:
            self._emergency.labels(label).observe(passed_on_ms / 1000)

    def text(self) -> bytes:
        """The exposition format, version 0.0.4."""
        return generate_latest(self.registry)


class _Counted(Collector):
    """What is counted, without the time at which each counting began: it would double the series for nothing."""

    def __init__(self, made: CollectorRegistry) -> None:
        self._made = made

    def collect(self) -> Iterable[Metric]:
        for family in self._made.collect():
            family.samples = [sample for sample in family.samples if not sample.name.endswith("_created")]
            yield family


class _Standing(Collector):
    """Tells a reading as gauges."""

    def __init__(self, reading: Callable[[], Reading]) -> None:
        self._reading = reading

    def collect(self) -> Iterable[Metric]:
        return families(self._reading())


def families(now: Reading) -> Iterator[Metric]:
    """What a reading is to Prometheus."""
    yield from _flags(now)
    yield from _people(now)
    yield from _kept(now)
    yield from _machine(now)


def _flags(now: Reading) -> Iterator[Metric]:
    yield _gauge("hotline_steering", "1 while the controller steers; 0: Asterisk serves alone.", now.steering)
    yield _gauge("hotline_asterisk_answers", "1 while Asterisk answers the controller.", now.asterisk_answers)
    yield _gauge("hotline_records_kept", "1 while records can be written.", now.records_kept)
    yield _gauge(
        "hotline_heartbeat_age_seconds",
        "Since the last heartbeat that Asterisk acknowledged was sent.",
        now.heartbeat_age_s,
    )
    unread = CounterMetricFamily("hotline_ami_unreadable", "Messages of Asterisk's manager that were skipped.")
    unread.add_metric((), now.unreadable)
    yield unread
    yield _by(
        "hotline_trunk_reachable",
        "1 while a trunk's far end answers.",
        ("trunk",),
        {(trunk,): float(answers) for trunk, answers in now.trunks.items()},
    )


def _people(now: Reading) -> Iterator[Metric]:
    yield _by(
        "hotline_callers_waiting",
        "Callers who wait for a seat, and places kept for a call back.",
        ("number",),
        _one(now.waiting),
    )
    yield _gauge(
        "hotline_longest_wait_seconds", "How long the one has waited who has waited longest.", now.longest_wait_s
    )
    yield _by("hotline_callers", "Callers whom the controller knows.", ("state",), _one(now.callers))
    yield _gauge("hotline_places_kept", "Places in the line of callers who have hung up.", now.places_kept)
    yield _by("hotline_seats", "Seats by what they do.", ("state",), _one(now.seats))
    yield _gauge("hotline_agents_present", "Agents who are signed on and do not pause.", now.agents_present)
    yield _gauge("hotline_agents_planned", "Agents who should be on duty by the roster.", now.agents_planned)
    yield _gauge("hotline_agents_missing", "Planned agents who are not present.", now.agents_missing)
    rules = ("shift", "skill")
    yield _by(
        "hotline_cover_least",
        "So many agents a rule of shifts.yaml asks for.",
        rules,
        {(one.shift, one.skill): one.least for one in now.cover},
    )
    yield _by(
        "hotline_cover_on_duty",
        "So many of them are on duty.",
        rules,
        {(one.shift, one.skill): one.on_duty for one in now.cover},
    )
    yield _by("hotline_call_backs_open", "Call-backs that are not done.", ("state",), _one(now.call_backs))


def _kept(now: Reading) -> Iterator[Metric]:
    yield _gauge("hotline_records_behind", "Records that are still to be sent on.", now.records_behind)
    yield _gauge("hotline_records_refused", "Records that the receiver can never keep.", now.records_refused)
    yield _gauge(
        "hotline_journal_unread_bytes", "What of the journal is not in the records yet.", now.journal_unread_bytes
    )
    yield _gauge(
        "hotline_recordings_due", "Recordings of calls that have ended, still to be put away.", now.recordings_due
    )
    yield _gauge(
        "hotline_spool_files",
        "Recordings in Asterisk's spool: being written, or still to be put away.",
        now.spool_files,
    )
    yield _gauge(
        "hotline_look_age_seconds", "Since store, journal and spool were looked at for these figures.", now.look_age_s
    )
    yield _gauge("hotline_audit_faults", "What the last audit of records found.", now.audit_faults)
    yield _gauge("hotline_audit_age_seconds", "Since the last audit of records.", now.audit_age_s)


def _machine(now: Reading) -> Iterator[Metric]:
    yield _gauge("hotline_disk_free_bytes", "Free on the fullest of the disks that calls need.", now.disk_free_bytes)
    yield _by(
        "hotline_disk_state",
        "1 for what the free space means.",
        ("state",),
        {(state,): float(state == now.disk) for state in ("enough", "low", "full", "unknown")},
    )
    yield _gauge(
        "hotline_certificate_end_seconds",
        "When the certificate of the HTTP interface ends (Unix time).",
        now.certificate_ends_s,
    )
    yield _gauge("hotline_bans", "Addresses that are refused at the SIP port now.", now.bans)
    restarts = CounterMetricFamily(
        "hotline_restarts", "Starts of a part anew, as long as records are kept.", labels=("part", "wanted")
    )
    for (part, wanted), times in sorted(now.restarts.items()):
        restarts.add_metric((part, "yes" if wanted else "no"), times)
    yield restarts


def _gauge(name: str, meaning: str, value: float | None) -> Metric:
    """Without a sample where the value is not known."""
    family = GaugeMetricFamily(name, meaning)
    if value is not None:
        family.add_metric((), float(value))
    return family


def _by(name: str, meaning: str, labels: tuple[str, ...], values: Mapping[tuple[str, ...], float]) -> Metric:
    family = GaugeMetricFamily(name, meaning, labels=labels)
    for key, value in sorted(values.items()):
        family.add_metric(key, value)
    return family


def _one(values: Mapping[str, int]) -> dict[tuple[str, ...], float]:
    return {(name,): value for name, value in values.items()}
