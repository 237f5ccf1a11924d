"""The waiting room against a small world: callers, seats, agents and an Asterisk whose news arrive late."""

from dataclasses import replace
from itertools import count

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from calls.live import (
    Agent,
    CallBackEnded,
    CallRef,
    CameBack,
    Channel,
    Device,
    EnteredRoom,
    EnteredSurvival,
    HungUp,
    LiveEvent,
    Seat,
    SentToSeat,
    Waiting,
    WantsCallBack,
)
from routing.book import GRACE_MS, HELD_MS
from routing.line import EMERGENCY
from routing.room import CallBackTurn, CallerState, Connect, Decision, DutyChange, DutyState, KeptPlace, Room
from routing.skills import Demand, Has, serves
from tests.support.small_world import World
from tests.support.two_skills import AGENTS, FIXED, RULES, SEATS, SKILLS

REST_MS, BOUND_MS, AGAIN_MS = RULES.rest_ms, RULES.ring_ms + GRACE_MS, 7000
DIALLED_MS = RULES.call_back_ring_ms


class RoomAndWorld(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        numbers = count(1)
        self.room = Room(RULES, new_ref=lambda: CallRef(f"back{next(numbers)}"), utc_ahead_ms=0)
        self.sent: list[Decision] = []
        self.now_ms = 0
        self.made = 0
        self.agents: dict[Seat, Agent] = {}
        self.paused: set[Seat] = set()
        self.rests: dict[Seat, int] = {}
        self.kept: dict[int, KeptPlace] = {}
        """Places whose callers were not reached yet."""
        self.turns: dict[CallRef, int] = {}
        """Calls back whose end has not been read, with their places."""
        self.told: dict[Seat, DutyChange] = {}
        self.survive: dict[CallRef, int] = {}
        """Since when decisions were made in the knowledge that they survive."""

    @initialize(callers=st.lists(st.tuples(SKILLS, st.integers(0, 2), st.booleans()), max_size=5))
    def first_snapshot(self, callers: list[tuple[frozenset[str], int, bool]]) -> None:
        """Of those who have called while there was no controller, some survive, the others wait."""
        for skills, priority, survives in callers:
            caller = self.calls(skills, priority)
            (self.world.surviving if survives else self.world.waiting)[caller.ref] = caller
            self.now_ms += 10
        self.room.resync(self.world.snapshot(), self.now_ms)

    # --- the world ---

    @rule(skills=SKILLS, priority=st.integers(0, 2))
    def somebody_calls(self, skills: frozenset[str], priority: int) -> None:
        caller = self.calls(skills, priority)
        self.world.waiting[caller.ref] = caller
        self.world.news.append(EnteredRoom(caller))

    def calls(self, skills: frozenset[str], priority: int) -> Waiting:
        self.made += 1
        channel = Channel("node1", f"PJSIP/carrier-{self.made}")
        return Waiting(channel, CallRef(f"call{self.made}"), self.now_ms, skills, priority, "12345", "zh")

    @precondition(lambda self: self.world.waiting or self.world.surviving or self.world.outside)
    @rule(data=st.data(), cause=st.just(16))
    def a_caller_without_seat_hangs_up(self, data: st.DataObject, cause: int) -> None:
        places = (self.world.waiting, self.world.surviving, self.world.outside)
        ref = data.draw(st.sampled_from([ref for place in places for ref in place]))
        caller = next(place.pop(ref) for place in places if ref in place)
        self.world.news.append(HungUp(caller.channel, cause))

    @precondition(lambda self: self.world.waiting)
    @rule(data=st.data())
    def survival_takes_a_caller(self, data: st.DataObject) -> None:
        ref = data.draw(st.sampled_from([*self.world.waiting]))
        self.world.surviving[ref] = self.world.waiting.pop(ref)
        self.world.news.append(EnteredSurvival(self.world.surviving[ref], "survival_a"))

    @precondition(lambda self: self.world.surviving)
    @rule(data=st.data())
    def survival_gives_a_caller_back(self, data: st.DataObject) -> None:
        ref = data.draw(st.sampled_from([*self.world.surviving]))
        self.world.waiting[ref] = self.world.surviving.pop(ref)
        self.world.news.append(EnteredRoom(self.world.waiting[ref]))

    @precondition(lambda self: self.world.waiting)
    @rule(data=st.data())
    def a_caller_wants_to_be_called_back(self, data: st.DataObject) -> None:
        ref = data.draw(st.sampled_from([*self.world.waiting]))
        caller = self.world.waiting.pop(ref)
        self.world.news += [WantsCallBack(caller, f"138{caller.ref}"), HungUp(caller.channel, 16)]

    @precondition(lambda self: self.world.outside)
    @rule(data=st.data())
    def another_centre_does_not_answer(self, data: st.DataObject) -> None:
        ref = data.draw(st.sampled_from([*self.world.outside]))
        self.world.waiting[ref] = self.world.outside.pop(ref)
        self.world.news.append(EnteredRoom(self.world.waiting[ref]))

    @precondition(lambda self: self.world.dialled)
    @rule(data=st.data(), answers=st.booleans())
    def a_call_back_ends(self, data: st.DataObject, answers: bool) -> None:
        ref = data.draw(st.sampled_from([*self.world.dialled]))
        turn = self.world.dialled.pop(ref)
        if not answers:
            self.world.news.append(CallBackEnded(ref, None, "busy"))
            return
        channel, place = Channel("node1", f"PJSIP/carrier-{ref}"), turn.place
        self.world.news.append(CallBackEnded(ref, channel, ""))
        caller = Waiting(channel, ref, place.t0_ms, place.skills, place.priority, place.number, "zh", place.to)
        self.world.rings(caller, turn.seat)

    @precondition(lambda self: self.world.at_seat)
    @rule(data=st.data(), answers=st.booleans(), phone_first=st.booleans())
    def something_happens_at_a_seat(self, data: st.DataObject, answers: bool, phone_first: bool) -> None:
        """A ringing seat answers, misses, or its caller gives up; a talk ends or its leg is lost."""
        ref = data.draw(st.sampled_from([*self.world.at_seat]))
        caller, seat = self.world.at_seat[ref]
        if self.world.phones[seat] is Device.RINGING and answers:
            self.world.phone(seat, Device.BUSY)
            return
        stays = data.draw(st.booleans())
        why = "NOANSWER" if self.world.phones[seat] is Device.RINGING else "LOST"
        if phone_first:
            self.world.phone(seat, Device.FREE)
        if stays:
            self.world.back(ref, why)
        else:
            del self.world.at_seat[ref]
            self.world.news.append(HungUp(caller.channel, 16))
        if not phone_first:
            self.world.phone(seat, Device.FREE)

    @precondition(lambda self: any(self.world.phones[seat] is Device.BUSY for _, seat in self.world.at_seat.values()))
    @rule(data=st.data(), goal=st.sampled_from(SEATS))
    def an_agent_passes_a_call_on(self, data: st.DataObject, goal: Seat) -> None:
        talks = [ref for ref, (_, seat) in self.world.at_seat.items() if self.world.phones[seat] is Device.BUSY]
        ref = data.draw(st.sampled_from(talks))
        caller, seat = self.world.at_seat.pop(ref)
        self.world.by_hand.add(goal)
        self.world.news.append(SentToSeat(ref, caller.channel, goal))
        self.world.phone(seat, Device.FREE)
        self.world.rings(caller, goal)

    @rule(seat=st.sampled_from(SEATS), device=st.sampled_from([Device.GONE, Device.BUSY, Device.FREE]))
    def a_seat_without_caller_changes(self, seat: Seat, device: Device) -> None:
        if not self.world.occupied(seat):
            self.world.phone(seat, device)

    # --- agents ---

    @rule(seat=st.sampled_from(SEATS), agent=st.sampled_from([*AGENTS]))
    def an_agent_signs_on(self, seat: Seat, agent: Agent) -> None:
        if self.agents.get(seat, agent) != agent:
            return
        before = next((at for at, who in self.agents.items() if who == agent), None)
        self.room.sign_on(seat, agent, frozenset(AGENTS[agent].items()), self.now_ms, leaving=before)
        if before is not None and before != seat:
            del self.agents[before]
            self.paused.discard(before)
        self.agents[seat] = agent

    @precondition(lambda self: self.agents)
    @rule(data=st.data(), does=st.sampled_from(["off", "pause", "ready"]))
    def an_agent_does_something(self, data: st.DataObject, does: str) -> None:
        seat = data.draw(st.sampled_from([*self.agents]))
        if does == "off":
            self.room.sign_off(seat, self.now_ms)
            del self.agents[seat]
            self.paused.discard(seat)
        elif does == "pause":
            self.room.pause(seat, "meal", self.now_ms)
            self.paused.add(seat)
        else:
            self.room.ready(seat, self.now_ms)
            self.paused.discard(seat)
            self.rests.pop(seat, None)

    @precondition(lambda self: self.kept)
    @rule(data=st.data())
    def a_place_is_given_up(self, data: st.DataObject) -> None:
        ident = data.draw(st.sampled_from([*self.kept]))
        if ident not in self.turns.values():
            self.room.drop_place(ident, self.now_ms)
            del self.kept[ident]

    # --- the controller ---

    @rule(count=st.integers(1, 6))
    def news_are_read(self, count: int) -> None:
        """One batch of what has arrived, then one decision."""
        batch, self.world.news = self.world.news[:count], self.world.news[count:]
        for event in batch:
            self.hears(event)
        self.decides()

    def hears(self, event: LiveEvent) -> None:
        """As the controller does: what concerns kept places is the store's as well."""
        self.room.heard(event, self.now_ms)
        match event:
            case CameBack(_, seat, _):
                self.rests[seat] = self.now_ms + REST_MS
            case EnteredSurvival(caller, _):
                self.survive.pop(caller.ref, None)
            case WantsCallBack(caller, to):
                self.made += 1
                place = KeptPlace(
                    self.made, caller.ref, to, "12345", caller.skills, caller.priority, "zh", caller.t0_ms, 0
                )
                self.kept[place.id] = place
                self.room.keep_place(place, self.now_ms)
            case CallBackEnded(ref, channel, _):
                ident = self.turns.pop(ref)
                if channel is not None:
                    self.kept.pop(ident, None)
                elif ident in self.kept:
                    again = replace(self.kept[ident], attempts=self.kept[ident].attempts + 1)
                    self.kept[ident] = again
                    self.room.keep_place(again, self.now_ms, not_before_ms=self.now_ms + AGAIN_MS)
            case _:
                pass

    def decides(self) -> None:
        taken = {seat for seat in SEATS if self.room.callers_at(seat) is not None}
        decisions = self.room.decide(self.now_ms)
        for one in decisions:
            if isinstance(one, CallBackTurn):
                self.turns[one.ref] = one.place.id
        self.sent += decisions
        self.check_decisions(decisions, taken)
        assert self.room.decide(self.now_ms) == ()

    def check_decisions(self, decisions: tuple[Decision, ...], taken: set[Seat]) -> None:
        given = [one for one in decisions if isinstance(one, Connect | CallBackTurn)]
        assert len({one.seat for one in given}) == len(given)
        waiting = [
            one.caller
            for one in self.room.standing(self.now_ms)
            if one.state in (CallerState.WAITING, CallerState.CALL_BACK)
        ]
        held = self.held()
        has = {one.seat: one.has for one in self.room.seats(self.now_ms)}
        for one in given:
            who = one.caller if isinstance(one, Connect) else one.place
            assert one.seat not in taken | self.paused
            assert one.seat in self.agents or FIXED[one.seat]
            assert serves(has[one.seat], self.demand(who))
            passed = [w for w in waiting if (w.priority, w.t0_ms) < (who.priority, who.t0_ms)]
            assert not any(serves(has[one.seat], self.demand(w)) for w in passed), "somebody is passed"
            assert not any(self.bars(w, has[one.seat], who) for w in held), "a survivor is passed"
        idle = [seat for seat in self.room.seats(self.now_ms) if seat.state is DutyState.IDLE]
        for seat in idle:
            if self.rests.get(seat.seat, 0) <= self.now_ms:
                mine = [w for w in waiting if serves(seat.has, self.demand(w))]
                assert all(any(self.bars(h, seat.has, w) for h in held) for w in mine), "a seat idles"

    def held(self) -> list[Waiting]:
        """Survivors whom nobody may pass yet."""
        standing = [one.caller for one in self.room.standing(self.now_ms) if one.state is CallerState.SURVIVING]
        callers = [caller for caller in standing if isinstance(caller, Waiting)]
        self.survive = {caller.ref: self.survive.get(caller.ref, self.now_ms) for caller in callers}
        return [caller for caller in callers if self.now_ms < self.survive[caller.ref] + HELD_MS]

    def bars(self, survivor: Waiting, has: Has, who: Waiting | KeptPlace) -> bool:
        """Whether a seat that can do this must not go to somebody as long as that survivor is there."""
        before = (survivor.priority, survivor.t0_ms, survivor.ref) < (who.priority, who.t0_ms, self.ref_of(who))
        return who.priority != EMERGENCY and before and serves(has, self.demand(survivor))

    def ref_of(self, who: Waiting | KeptPlace) -> str:
        return who.ref if isinstance(who, Waiting) else f"\x00place{who.id}"

    def demand(self, who: Waiting | KeptPlace) -> Demand:
        return RULES.demands.at(who.skills, self.now_ms - who.t0_ms).demand

    @precondition(lambda self: self.sent)
    @rule(outcome=st.sampled_from(["done", "done", "done", "failed", "failed but done"]))
    def a_command_arrives(self, outcome: str) -> None:
        decision = self.sent.pop(0)
        if outcome == "failed":
            self.unclear(decision)
        elif not self.world.done(decision, self.now_ms):
            self.room.missing(decision, self.now_ms)
        elif outcome == "failed but done":
            self.unclear(decision)

    def unclear(self, decision: Decision) -> None:
        if isinstance(decision, CallBackTurn):
            self.world.by_hand.add(decision.seat)
            if decision.ref not in self.world.dialled:
                del self.turns[decision.ref]
        self.room.unclear(decision, self.now_ms)

    @rule(by_ms=st.sampled_from([10, REST_MS, BOUND_MS, 40_000]))
    def time_passes(self, by_ms: int) -> None:
        while self.sent:
            self.a_command_arrives("done")
        self.now_ms += by_ms
        for ref in [ref for ref, at_ms in self.world.dialled_ms.items() if at_ms + DIALLED_MS <= self.now_ms]:
            del self.world.dialled_ms[ref]
            if self.world.dialled.pop(ref, None) is not None:
                self.world.news.append(CallBackEnded(ref, None, "no answer"))
        self.news_are_read(0)

    @rule(hung_ms=st.sampled_from([0, 0, AGAIN_MS]))
    def a_snapshot_is_read(self, hung_ms: int = 0) -> None:
        """hung_ms: so long nothing was decided before."""
        while self.sent:
            self.a_command_arrives("done")
        while self.world.news:
            self.hears(self.world.news.pop(0))
        self.now_ms += hung_ms
        self.room.resync(self.world.snapshot(), self.now_ms)
        self.decides()

    @rule()
    def everything_is_settled(self) -> None:
        """With all news read and all rests over, no free seat can serve anybody who waits."""
        for _ in range(40):
            while self.world.news or self.sent:
                self.news_are_read(len(self.world.news))
                while self.sent:
                    self.a_command_arrives("done")
            if self.room.wants_snapshot:
                self.a_snapshot_is_read()
            for ref in [*self.world.dialled]:
                turn = self.world.dialled.pop(ref)
                self.world.news.append(CallBackEnded(turn.ref, None, "no answer"))
            self.now_ms += REST_MS
            self.decides()
            if not (self.sent or self.world.news or self.room.wants_snapshot):
                break
        while self.world.news or self.sent:
            self.news_are_read(len(self.world.news))
            while self.sent:
                self.a_command_arrives("done")
        counts = self.room.counts(self.now_ms).callers
        world = self.world
        assert counts.get(CallerState.WAITING, 0) == len(world.waiting)
        assert counts.get(CallerState.SURVIVING, 0) == len(world.surviving) == len(self.room.withdrawals())
        assert counts.get(CallerState.DIALLING, 0) == len(world.dialled)
        calls = len(world.waiting) + len(world.surviving) + len(world.at_seat) + len(world.dialled)
        assert sum(counts.values()) == calls

    @invariant()
    def every_seat_is_counted_once(self) -> None:
        assert sum(self.room.counts(self.now_ms).seats.values()) == len(SEATS)

    @invariant()
    def no_kept_place_is_lost(self) -> None:
        """Each is kept, or being called, or the end of its call has not been read."""
        kept = set(self.room.kept())
        assert len(kept) == self.room.counts(self.now_ms).kept
        assert set(self.kept) - kept <= set(self.turns.values())
        for gone in kept - set(self.kept):
            self.room.drop_place(gone, self.now_ms)

    @invariant()
    def changes_tell_how_every_seat_stands(self) -> None:
        for change in self.room.changes():
            before = self.told.get(change.seat)
            assert before is None or replace(before, at_ms=change.at_ms) != change, "told twice"
            self.told[change.seat] = change
        for one in self.room.seats(self.now_ms):
            told = self.told.get(one.seat)
            assert told is None or (told.state, told.reason) == (one.state, one.reason)
            assert one.agent == self.agents.get(one.seat)


TestRoomAndWorld = RoomAndWorld.TestCase
TestRoomAndWorld.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
