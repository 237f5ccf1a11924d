"""The shapes of the operator's files: what may be written, and what it means.

Values are frozen. They hold no place: `settings.places` keeps where each value was written.
References between them (a menu's name, a skill) are plain ids that `settings.check` resolves.
"""

from ipaddress import IPv4Address
from typing import Annotated, Literal

from pydantic import (
    Field,
)

from settings.actions import Menu
from settings.bans import Bans
from settings.keeping import Records, RetentionFile
from settings.listening import Http, Listen
from settings.service import ServiceFile
from settings.shape import Language, Level, Name, NodeName, PinyinText, SeatId, Shape
from settings.staff import AgentsFile, ShiftsFile
from settings.units import Day, Digits, DurationS, EmergencyKey, HoursSpan, Ident, Line, Port

# --- city.yaml ---------------------------------------------------------------------------------


class City(Shape):
    """Whose hotline this is."""

    name: Name
    timezone: str = "Asia/Shanghai"
    language: Language = "zh"
    node: NodeName = "node1"
    """This machine's name (Asterisk's `systemname`): it makes ids unique over many machines."""


# --- server.yaml -------------------------------------------------------------------------------


class RtpPorts(Shape):
    """The UDP ports that media uses, both inclusive."""

    first: Port = 14000
    last: Port = 15999


class Recording(Shape):
    """Whether calls are recorded, and what callers are told of it."""

    enabled: bool = True
    announcement: Ident | None = "recorded"
    stop_below_mb: int = Field(default=500, ge=1, le=1_000_000)
    """With less than that free on its disks nothing more is recorded; a tenth of it is kept in reserve for records."""
    encrypted: bool = False
    """Whether recordings are encrypted on this machine's disk. The key is in the data folder, or in the environment."""


class Capacity(Shape):
    """How many calls are let in: ordinary ones up to `ordinary`; emergencies may use `reserve` more."""

    ordinary: int = Field(default=400, ge=1, le=20_000)
    reserve: int = Field(default=100, ge=1, le=5_000)


class Server(Shape):
    """Addresses, ports and sizes of this machine."""

    sip: Listen = Listen(port=5060)
    rtp: RtpPorts = RtpPorts()
    ami: Listen = Listen(port=5038)
    http: Http = Http(port=8080)
    recording: Recording = Recording()
    capacity: Capacity = Capacity()
    bans: Bans = Bans()
    records: Records = Records()


# --- trunks.yaml -------------------------------------------------------------------------------


class Trunk(Shape):
    """A line to a carrier or to another switch."""

    host: str = Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?$")
    port: Port = 5060
    accepts_from: tuple[IPv4Address, ...] = ()
    """Addresses that its calls to us come from; none: it only carries calls outwards."""
    username: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_.+-]{1,64}$")
    """With it calls outwards are authenticated; the password is kept with the secrets."""
    register_line: bool = Field(default=False, alias="register")
    qualify: DurationS = Field(default=5.0, ge=1, le=300)
    """How often the line is tried, so that a dead one is known before a call needs it. 1s to 5m."""


# --- numbers.yaml ------------------------------------------------------------------------------


class Primary(Shape):
    """The city's own number."""

    mode: Literal["primary"]
    since: Day = Field(alias="from")


class Parallel(Shape):
    """双号并行: the old number still works, and the same people answer it."""

    mode: Literal["parallel"]
    since: Day = Field(alias="from")


class Whole(Shape):
    """整体并入: the old number is cancelled; callers hear a notice."""

    mode: Literal["whole"]
    since: Day = Field(alias="from")
    notice: Ident
    to: Digits | None = None
    """The number they are taken to after the notice; none: the call ends."""


class SubCentre(Shape):
    """设分中心: another centre answers it; calls are transferred there."""

    mode: Literal["sub_centre"]
    since: Day = Field(alias="from")
    trunk: Ident
    dial: Digits
    notice: Ident | None = None


MergeMode = Annotated[Primary | Parallel | Whole | SubCentre, Field(discriminator="mode")]


class Closed(Shape):
    """What a caller meets outside a number's hours."""

    notice: Ident
    then: Literal["person", "hangup"] = "person"


class Number(Shape):
    """A hotline number that citizens dial."""

    name: Name
    modes: tuple[MergeMode, ...] = Field(min_length=1)
    greeting: Ident
    menu: Ident | None = None
    skill: Ident
    priority: int = Field(default=5, ge=1, le=9)
    """1 is answered first, 9 last; the longer wait decides among equals."""
    wrap_up: DurationS | None = Field(default=None, ge=0, le=3600)
    """How long an agent has for notes after a talk; what agents.yaml says unless written here. 0s to 1h."""
    hours: Ident = "always"
    closed: Closed | None = None
    confidential: bool = False
    """Its calls are kept as retention.yaml says of confidential ones, and only supervisors hear them."""


# --- emergencies.yaml --------------------------------------------------------------------------


class Emergency(Shape):
    """An emergency number: where its calls go, and the key that reaches it from everywhere."""

    name: Name | None = None
    key: EmergencyKey | None = None
    trunks: tuple[Ident, ...] | None = None
    dial: Digits | None = None
    """What is dialled on those trunks; the number itself unless said otherwise."""
    drill: Digits | None = None
    """What a drill dials there instead, as agreed with the centre; the same unless said otherwise."""


class Emergencies(Shape):
    """Emergency numbers; 110, 119, 120 and 122 are always there, written or not."""

    trunks: tuple[Ident, ...] = Field(min_length=2, max_length=4)
    operator: Ident
    """The skill of the seats that answer when every trunk fails."""
    numbers: dict[Digits, Emergency] = {}


# --- hours.yaml --------------------------------------------------------------------------------


class Hours(Shape):
    """When a service is open. Spans of working days, weekends and holidays."""

    always: bool = False
    workdays: tuple[HoursSpan, ...] = ()
    weekends: tuple[HoursSpan, ...] = ()
    holidays: tuple[HoursSpan, ...] = ()


class SpecialDay(Shape):
    """A day that the city decides on its own; it wins over the national calendar."""

    date: Day
    name: Name
    kind: Literal["workday", "weekend", "holiday"]


class Calendar(Shape):
    """Which days are working days, weekends and holidays."""

    national: bool = True
    """The State Council's holidays with their shifted working weekends."""
    days: tuple[SpecialDay, ...] = ()


class HoursFile(Shape):
    calendar: Calendar = Calendar()
    hours: dict[Ident, Hours] = {}


# --- skills.yaml -------------------------------------------------------------------------------


class WaitStep(Shape):
    """What a longer wait does for a caller of a skill: exactly one of `level`, `also` and `centre`."""

    after: DurationS = Field(ge=1, le=3600)
    """Counted from the beginning of the wait. 1s to 1h."""
    level: Level | None = None
    """The level that is enough from then on."""
    also: Ident | None = None
    """Another skill that is good enough from then on."""
    centre: Ident | None = None
    """Another centre that takes the call."""


class Skill(Shape):
    """What a seat can serve. One with a language is demanded of whoever chose that language."""

    name: Name
    language: Language | None = None
    level: Level = 1
    """How well a caller is served at first."""
    steps: tuple[WaitStep, ...] = ()


# --- seats.yaml --------------------------------------------------------------------------------


class Seat(Shape):
    """A place with a telephone."""

    name: Line = Field(default="", max_length=40)
    skills: tuple[Ident, ...] = ()
    """What is served here by whoever sits there, without signing on. None: only an agent who signs on takes calls."""
    level: Level = 3
    """How well."""


class SeatsFile(Shape):
    ring: DurationS = Field(default=15.0, ge=1, le=120)
    """How long a seat rings before the caller is offered to another. 1s to 2m."""
    rest: DurationS = Field(default=2.0, ge=0.5, le=600)
    """How long a seat that did not answer is left alone. 500ms to 10m."""
    dial: str = Field(default="PJSIP/{seat}", pattern=r"^[A-Za-z0-9/_.:@-]*\{seat\}[A-Za-z0-9/_.:@-]*$")
    """How Asterisk dials a seat."""
    seats: dict[SeatId, Seat] = {}


# --- prompts.yaml ------------------------------------------------------------------------------


class Prompt(Shape):
    """A text in each language; a recording made by a person wins over the synthesised voice."""

    zh: str | None = Field(default=None, max_length=600)
    en: str | None = Field(default=None, max_length=600)
    recordings: dict[Language, str] = {}
    """Sound files, relative to the settings' folder."""


class Voice(Shape):
    """How synthesised prompts sound."""

    words_per_minute: int = Field(default=160, ge=80, le=300)


class PromptsFile(Shape):
    voice: Voice = Voice()
    pronunciations: dict[str, PinyinText] = {}
    """Words that would be misread, with toned pinyin: `重听: chong2 ting1`."""
    prompts: dict[Ident, Prompt] = {}


# --- blocked.yaml ------------------------------------------------------------------------------


class Blocked(Shape):
    """A malicious caller. An emergency call is never blocked."""

    number: Digits
    reason: Line = Field(min_length=1, max_length=200)
    author: Line = Field(min_length=1, max_length=40)
    until: Day
    """The last day on which the number is blocked."""


# --- all of them -------------------------------------------------------------------------------


class Settings(Shape):
    """Everything that operators edit, checked. `settings.check.load` makes it."""

    folder: str
    """Where it was read from; recordings are relative to it."""
    city: City
    server: Server
    trunks: dict[Ident, Trunk]
    numbers: dict[Digits, Number]
    emergencies: Emergencies
    menus: dict[Ident, Menu]
    calendar: Calendar
    hours: dict[Ident, Hours]
    skills: dict[Ident, Skill]
    answering: SeatsFile
    agents: AgentsFile
    service: ServiceFile
    shifts: ShiftsFile
    retention: RetentionFile
    prompts: PromptsFile
    blocked: tuple[Blocked, ...]
