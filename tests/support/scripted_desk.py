"""A `Desk` without a hotline: tests script its world and read what it was asked to do."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from dataclasses import replace
from typing import Any

from web.desk import (
    AgentView,
    AuditView,
    BlockedCallView,
    BlockedView,
    CallBackView,
    CoverView,
    DrillView,
    DutyView,
    HandOverView,
    How,
    News,
    Refusal,
    SeatView,
    To,
    TotalView,
    WaitingView,
    Who,
)

CALL = "11111111-2222-4333-8444-555555555555"
"""Talks at seat 8001, where agent 1001 is signed on."""
OTHER_CALL = "99999999-2222-4333-8444-555555555555"
"""Waits."""
CALLER = "13812345678"
PIN = "471147"
NOW_MS = 1_800_000_000_000
DRILL = DrillView(4, NOW_MS, "Wang", "110", "emergency_a", "11099", "answered", 1200, 16, OTHER_CALL)


class ScriptedDesk:
    """Its lists are what is shown; `asked` has every change that was asked for, in order."""

    def __init__(self) -> None:
        self.agent_views = [
            AgentView("1001", "张", {"social": 3}, "talking", "", "8001", NOW_MS, planned=True),
            AgentView("1002", "李", {"general": 2}, "offline", "", None, None, planned=False),
        ]
        self.seat_views = [
            SeatView("8001", "", "talking", "", "1001", {"social": 3}, CALL, NOW_MS, "12333", CALLER),
            SeatView("8002", "窗口", "talking", "", None, {"general": 3}, "77", NOW_MS, "12345", "13987654321"),
            SeatView("8011", "", "off", "", None, {}, None, None),
        ]
        self.waiting_views = [
            WaitingView(OTHER_CALL, "12345", "13700001111", ("general",), "zh", 5, NOW_MS, 1, 61_000, "waiting"),
            WaitingView(CALL, "12333", CALLER, ("social", "english"), "en", 4, NOW_MS, 2, None, "offered"),
        ]
        self.call_back_views = [
            CallBackView(
                7, "13600002222", "12345", "zh", ("general",), "listed", ("abandoned",), (OTHER_CALL,),
                NOW_MS, NOW_MS, 1, NOW_MS + 600_000, None, "",
            )
        ]  # fmt: skip
        self.blocked_views = [BlockedView("13500003333", "threats", "Wang", "2026-12-31", "desk")]
        self.asked: list[tuple[Any, ...]] = []
        self.refuses: Exception | None = None
        """What everything that changes something, or reads a store, ends with."""
        self.shown_seats = 0
        """How often somebody looked at the seats."""
        self.refused = 0
        """How often that happened."""
        self._hearing: set[asyncio.Queue[News]] = set()

    def tell(self, kind: str) -> None:
        """Something of this kind changed."""
        for queue in self._hearing:
            queue.put_nowait(News(kind))

    @property
    def heard(self) -> int:
        """How many read the news now."""
        return len(self._hearing)

    # What is shown.

    def agents(self) -> tuple[AgentView, ...]:
        return tuple(self.agent_views)

    def seats(self) -> tuple[SeatView, ...]:
        self.shown_seats += 1
        return tuple(self.seat_views)

    def waiting(self) -> tuple[WaitingView, ...]:
        return tuple(self.waiting_views)

    async def call_backs(self, *, every: bool) -> tuple[CallBackView, ...]:
        self._may()
        done = tuple(replace(view, id=view.id - 1, state="reached", reached_by=CALL) for view in self.call_back_views)
        return (*(done if every else ()), *self.call_back_views)

    async def blocked(self) -> tuple[BlockedView, ...]:
        self._may()
        return tuple(self.blocked_views)

    async def blocked_calls(self, number: str | None) -> tuple[BlockedCallView, ...]:
        self._may()
        call = BlockedCallView(CALL, "13500003333", "12345", NOW_MS, "threats", "Wang", "2026-12-31")
        return (call,) if number in (None, call.caller) else ()

    def duty(self) -> DutyView:
        cover = CoverView("early", None, 2, 1, 1, NOW_MS)
        return DutyView(("early",), ("1001",), ("1001",), (), (), (cover,))

    async def totals(self, day: str, agent: str | None) -> tuple[TotalView, ...]:
        self._may()
        everybody = [TotalView(one.agent, "idle", "", 3_600_000, 4) for one in self.agent_views]
        return tuple(total for total in everybody if day == "2026-11-21" and agent in (None, total.agent))

    async def audit(self, limit: int) -> tuple[AuditView, ...]:
        self._may()
        what = {"seat": "8001", "number": "5550101", "to": f"outside {CALLER}", "call": CALL}
        return (AuditView(3, NOW_MS, "Wang", "supervisor", "listen", what),)[:limit]

    def reasons(self) -> Mapping[str, str]:
        return {"break": "休息", "meal": "用餐"}

    # What is asked for.

    async def sign_on(self, who: Who, agent: str, seat: str, pin: str | None) -> AgentView:
        if pin not in (None, PIN):
            raise Refusal(403, "wrong_pin", "this is not the PIN", "ask a supervisor for it")
        return self._agent("sign_on", who, agent, seat)

    async def sign_off(self, who: Who, agent: str) -> AgentView:
        return self._agent("sign_off", who, agent)

    async def pause(self, who: Who, agent: str, reason: str) -> AgentView:
        return self._agent("pause", who, agent, reason)

    async def ready(self, who: Who, agent: str) -> AgentView:
        return self._agent("ready", who, agent)

    async def move_up(self, who: Who, call: str) -> WaitingView:
        self._do("move_up", who, call)
        for view in self.waiting_views:
            if view.call == call:
                return view
        raise Refusal(404, "no_such_caller", "this call does not wait", "look at GET /waiting")

    async def call_back_now(self, who: Who, id: int, seat: str) -> CallBackView:  # noqa: A002 - as the port has it
        return self._call_back("call_back_now", who, id, seat)

    async def dismiss_call_back(self, who: Who, id: int, note: str) -> CallBackView:  # noqa: A002
        return self._call_back("dismiss_call_back", who, id, note)

    async def add_call_back(self, who: Who, caller: str, number: str, note: str) -> CallBackView:
        self._do("add_call_back", who, caller, number, note)
        return replace(self.call_back_views[0], caller=caller, number=number, note=note)

    async def block(self, who: Who, number: str, reason: str, until: str) -> BlockedView:
        self._do("block", who, number, reason, until)
        return BlockedView(number, reason, who.name, until, "desk")

    async def unblock(self, who: Who, number: str) -> None:
        self._do("unblock", who, number)

    async def transfer(self, who: Who, call: str, to: To) -> None:
        self._do("transfer", who, call, to)

    async def consult(self, who: Who, call: str, to: To, *, join: bool) -> None:
        self._do("consult", who, call, to, join)

    async def join(self, who: Who, call: str) -> None:
        self._do("join", who, call)

    async def complete(self, who: Who, call: str) -> None:
        self._do("complete", who, call)

    async def retrieve(self, who: Who, call: str) -> None:
        self._do("retrieve", who, call)

    async def hold(self, who: Who, call: str) -> None:
        self._do("hold", who, call)

    async def watch(self, who: Who, seat: str, by: str, how: How) -> None:
        self._do("watch", who, seat, by, how)

    async def take_over(self, who: Who, seat: str, by: str) -> None:
        self._do("take_over", who, seat, by)

    async def hand_over(self, who: Who, seat: str, number: str, note: str | None) -> HandOverView:
        self._do("hand_over", who, seat, number, note)
        return HandOverView(CALL, number, note or "")

    async def note(self, who: Who, seat: str, note: str) -> None:
        self._do("note", who, seat, note)

    async def drill(self, who: Who, number: str | None, trunk: str | None) -> tuple[DrillView, ...]:
        self._do("drill", who, number, trunk)
        return (replace(DRILL, result="planned", answered_ms=None, q850_cause=None),)

    async def drills(self, limit: int) -> tuple[DrillView, ...]:
        self._may()
        return (DRILL,)[:limit]

    async def news(self) -> AsyncGenerator[News, None]:
        queue: asyncio.Queue[News] = asyncio.Queue()
        self._hearing.add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            self._hearing.discard(queue)

    def _may(self) -> None:
        if self.refuses is not None:
            self.refused += 1
            raise self.refuses

    def _do(self, what: str, who: Who, *more: Any) -> None:
        self._may()
        self.asked.append((what, who.name, *more))

    def _agent(self, what: str, who: Who, agent: str, *more: str) -> AgentView:
        self._do(what, who, agent, *more)
        for view in self.agent_views:
            if view.agent == agent:
                return view
        raise Refusal(404, "no_such_agent", f"no agent has the number {agent}", "see agents.yaml")

    def _call_back(self, what: str, who: Who, ident: int, more: str) -> CallBackView:
        self._do(what, who, ident, more)
        for view in self.call_back_views:
            if view.id == ident:
                return view
        raise Refusal(404, "no_such_call_back", f"no call-back has the number {ident}", "look at GET /call-backs")
