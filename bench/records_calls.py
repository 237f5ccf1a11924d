"""Calls of a made-up city: how they went, and the journal lines that tell them."""

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from urllib.parse import quote

from calls.cel import Row, build

NODE = "node1"
SEATS = 2_000
AGENTS = 3_000
CALLERS_A_CALL = 0.3
"""So many callers there are for each call."""
WITHHELD = 0.015
"""The share of calls of which the carrier tells no caller."""

_CITY = "12345"
_OTHERS = tuple(f"123{number:02}" for number in range(60) if number != 45)
_MERGED = ("12301", "12318", "12356")
"""Their callers are served as callers of the city's own number."""

_ANSWERED_EMERGENCIES = 0.97
_OUTCOMES = {
    "answered": 0.700,
    "abandoned": 0.090,
    "left": 0.080,
    "closed": 0.030,
    "transferred": 0.030,
    "call_back": 0.020,
    "notice": 0.018,
    "refused_full": 0.010,
    "refused_unknown": 0.010,
    "refused_blocked": 0.006,
    "emergency": 0.004,
    "interrupted": 0.002,
}


@dataclass(frozen=True, slots=True)
class Shape:
    """How a call went."""

    outcome: str
    dialled: str
    served: str
    key: str
    wait_ms: int
    talk_ms: int
    mark: int
    """That the caller gave the talk; 0: none."""
    passed_on_ms: int
    """Until the emergency line answered; 0: it did not."""


@dataclass(frozen=True, slots=True)
class Who:
    """What tells one call from another of its shape."""

    ref: str
    at_ms: int
    """When it arrived: ms since the epoch."""
    caller: str
    seat: str
    agent: str


def shapes(many: int, seed: int) -> list[Shape]:
    """As often as they come; the same seed gives the same."""
    chance = random.Random(seed)
    outcomes, weights = list(_OUTCOMES), list(_OUTCOMES.values())
    return [_shape(chance, chance.choices(outcomes, weights)[0]) for _ in range(many)]


def _shape(chance: random.Random, outcome: str) -> Shape:
    # The first of the other numbers is dialled by every eighth caller, the last hardly ever.
    dialled = _CITY if chance.random() < 0.55 else _OTHERS[int(len(_OTHERS) * chance.random() ** 2)]
    if outcome == "refused_unknown":
        dialled = f"12{chance.randrange(400, 1000)}"
    return Shape(
        outcome,
        dialled,
        _CITY if dialled in _MERGED else dialled,
        str(chance.randrange(1, 8)),
        int(chance.expovariate(1 / 25_000)),
        int(chance.lognormvariate(12, 0.7)),
        chance.choices((0, 5, 4, 3, 2, 1), (60, 25, 8, 3, 2, 2))[0],
        int(chance.uniform(1_500, 9_000)) if chance.random() < _ANSWERED_EMERGENCIES else 0,
    )


def number_of(rank: int) -> str:
    """The caller at this place of the list of those who call most."""
    return f"1{(rank * 387_420_489 + 3_800_000_000) % 10_000_000_019:010}"[:11]


@dataclass(slots=True)
class _Lines:
    """Rows of one call, each later than the one before."""

    who: Who
    now_us: int
    rows: list[Row] = field(default_factory=list)

    def add(self, kind: str, extra: object = None, *, leg: str = "", after_ms: int = 100) -> None:
        self.now_us += after_ms * 1000
        first = f"{NODE}-{self.who.ref}"
        channel = f"PJSIP/{leg or 'carrier_a'}-{self.who.ref[:8]}"
        columns = (channel, f"{first}-{leg}" if leg else first, first, "arrival", "12345", "")
        self.rows.append(build(kind, self.now_us, (*columns, "" if extra is None else json.dumps(extra))))

    def step(self, kind: str, after_ms: int = 100, **values: object) -> None:
        text = "&".join(f"{name}={quote(str(value), safe='')}" for name, value in values.items())
        self.add(kind, {"extra": text}, after_ms=after_ms)

    def hang_up(self, *, leg: str = "", after_ms: int = 100) -> None:
        source = f"PJSIP/{leg or 'carrier_a'}-{self.who.ref[:8]}"
        self.add("HANGUP", {"hangupcause": 16, "hangupsource": source, "dialstatus": ""}, leg=leg, after_ms=after_ms)
        self.add("CHAN_END", leg=leg, after_ms=0)


def lines(shape: Shape, who: Who) -> list[Row]:
    """The rows of the call, which arrives at `who.at_ms`."""
    made = _Lines(who, who.at_ms * 1000)
    made.step("ARRIVED", after_ms=0, ref=who.ref, dialled=shape.dialled, caller=who.caller, trunk="carrier_a")
    if shape.outcome.startswith("refused_"):
        made.step("REFUSED", why=shape.outcome.removeprefix("refused_"))
    else:
        made.add("ANSWER")
        mode = "whole" if shape.outcome == "notice" else "primary"
        made.step("SERVED", number=shape.served, mode=mode, by="dialled")
        made.step("SAID", prompt="greeting", language="zh")
        for kind, values in _rest(shape):
            made.step(kind, 100, **values)
        if shape.outcome in _WAITED:
            _wait(made, shape)
        if shape.outcome == "emergency":
            _pass_on(made, shape)
    if shape.outcome != "interrupted":
        made.hang_up()
        made.add("LINKEDID_END", after_ms=0)
    return made.rows


_LINE = "emergency_a"
_WAITED = ("answered", "abandoned", "call_back", "interrupted")


def _rest(shape: Shape) -> Iterator[tuple[str, dict[str, object]]]:
    """What the caller met before waiting, or instead."""
    if shape.outcome == "notice":
        return
    if shape.outcome == "closed":
        yield "CLOSED", {"number": shape.served, "hours": "office"}
        return
    yield "MENU", {"menu": "main", "attempt": 1}
    if shape.outcome == "left":
        return
    if shape.outcome == "emergency":
        yield "EMERGENCY", {"number": "110", "by": "menu"}
    elif shape.outcome == "transferred":
        yield "TRUNK", {"trunk": "tax_centre", "dial": "12366"}
        yield "TRUNK_END", {"trunk": "tax_centre", "status": "ANSWER"}
    else:
        yield "KEY", {"where": "main", "key": shape.key}


def _wait(made: _Lines, shape: Shape) -> None:
    made.step("ROOM", skills="general", priority=5, t0_ms=made.now_us // 1000 + 100)
    if shape.outcome == "call_back":
        made.step("KEY", after_ms=shape.wait_ms, where="waiting", key="1")
        made.step("CALLBACK", to=made.who.caller)
    elif shape.outcome == "answered":
        made.step("RECORDING", file=f"{made.who.ref}.wav")
        made.step("OFFER", after_ms=shape.wait_ms, seat=made.who.seat, agent=made.who.agent)
        made.add("CHAN_START", leg=made.who.seat)
        made.add("ANSWER", leg=made.who.seat, after_ms=2_000)
        for leg in ("", made.who.seat):
            made.add("BRIDGE_ENTER", leg=leg, after_ms=0)
        made.hang_up(leg=made.who.seat, after_ms=shape.talk_ms)
        made.step("TALKED", after_ms=0, seat=made.who.seat, q850_cause=16)
        if shape.mark:
            made.step("RATED", after_ms=4_000, mark=shape.mark)
    else:
        made.step("PLACE", after_ms=shape.wait_ms, position=1, minutes=1)


def _pass_on(made: _Lines, shape: Shape) -> None:
    made.step("TRUNK", trunk=_LINE, dial="110")
    made.add("CHAN_START", leg=_LINE)
    if shape.passed_on_ms:
        made.add("ANSWER", leg=_LINE, after_ms=shape.passed_on_ms)
        for leg in ("", _LINE):
            made.add("BRIDGE_ENTER", leg=leg, after_ms=0)
    made.hang_up(leg=_LINE, after_ms=shape.talk_ms if shape.passed_on_ms else 30_000)
    made.step("TRUNK_END", after_ms=0, trunk=_LINE, status="ANSWER" if shape.passed_on_ms else "NOANSWER")


def drawn(chance: random.Random, at_ms: int, callers: int) -> Who:
    """Somebody who calls at that moment: few call often, most hardly ever."""
    bits = f"{chance.getrandbits(128):032x}"
    ref = f"{bits[:8]}-{bits[8:12]}-4{bits[13:16]}-8{bits[17:20]}-{bits[20:]}"
    caller = "" if chance.random() < WITHHELD else number_of(int(callers * chance.random() ** 2.5))
    return Who(ref, at_ms, caller, str(8000 + int(SEATS * chance.random())), str(1001 + int(AGENTS * chance.random())))


def moments(days: Sequence[tuple[int, int]], hours: Sequence[float], chance: random.Random) -> Iterator[int]:
    """When calls arrive, in order: ms since the epoch. `days`: (begin in ms since the epoch, calls)."""
    until = list(accumulate(hours))
    for begin_ms, calls in days:
        done = 0
        for hour, share in enumerate(until):
            many = round(calls * share / until[-1]) - done
            done += many
            yield from sorted(begin_ms + hour * 3_600_000 + int(3_600_000 * chance.random()) for _ in range(many))
