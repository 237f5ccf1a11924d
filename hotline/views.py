"""What the room and the store know, as the interface shows it."""

from collections.abc import Mapping

from calls.live import Waiting
from recordings.callbacks import CallBackRow
from recordings.drills import DrillRow
from routing.room import DutyState, KeptPlace, SeatStanding, Standing
from settings.staff import Agent
from web.desk import AgentView, CallBackView, DrillView, SeatView, WaitingView


def agents(
    known: Mapping[str, Agent], seats: tuple[SeatStanding, ...], planned: frozenset[str], ahead_ms: int
) -> tuple[AgentView, ...]:
    """Everybody of the settings, at a seat or not. ahead_ms: of UTC before the room's clock."""
    standing: dict[str, SeatStanding] = {one.agent: one for one in seats if one.agent is not None}
    found = []
    for agent, entry in known.items():
        at = standing.get(agent)
        found.append(
            AgentView(
                agent=agent,
                name=entry.name,
                skills=entry.skills,
                state=DutyState.OFFLINE.value if at is None else at.state.value,
                reason="" if at is None else at.reason,
                seat=None if at is None else at.seat,
                since_utc_ms=None if at is None else at.since_ms + ahead_ms,
                planned=agent in planned,
            )
        )
    return tuple(found)


def seat(one: SeatStanding, name: str, caller: Waiting | None, ahead_ms: int) -> SeatView:
    """One seat and who calls there. ahead_ms: of UTC before the room's clock."""
    return SeatView(
        seat=one.seat,
        name=name,
        state="off" if one.state is DutyState.OFFLINE else one.state.value,
        reason=one.reason,
        agent=one.agent,
        skills=dict(sorted(one.has)),
        call=one.call,
        since_utc_ms=one.since_ms + ahead_ms,
        number="" if caller is None else caller.number,
        caller="" if caller is None else caller.caller,
    )


def waiting(one: Standing) -> WaitingView:
    """Somebody in the line, on the telephone or not."""
    match one.caller:
        case Waiting() as caller:
            call, telephone, state = caller.ref, caller.caller, one.state.value
        case KeptPlace() as caller:
            call, telephone, state = caller.first, caller.to, "call_back"
    return WaitingView(
        call=call,
        number=caller.number,
        caller=telephone,
        skills=tuple(sorted(caller.skills)),
        language=caller.language,
        priority=caller.priority,
        since_utc_ms=caller.t0_ms,
        position=one.position,
        estimate_ms=one.estimate_ms,
        state=state,
    )


def call_back(row: CallBackRow) -> CallBackView:
    """Somebody who is to be called back, or was."""
    return CallBackView(
        id=row.id,
        caller=row.caller,
        number=row.number,
        language=row.language,
        skills=row.skills,
        state=row.state,
        reasons=row.reasons,
        calls=row.calls,
        since_utc_ms=row.since_utc_ms,
        last_utc_ms=row.last_utc_ms,
        attempts=row.attempts,
        next_utc_ms=row.next_utc_ms,
        reached_by=row.reached_by,
        note=row.note,
    )


def drill(row: DrillRow) -> DrillView:
    return DrillView(
        id=row.id,
        began_utc_ms=row.began_utc_ms,
        who=row.who,
        number=row.number,
        trunk=row.trunk,
        dialled=row.dialled,
        result=row.result,
        answered_ms=row.answered_ms,
        q850_cause=row.q850_cause,
        call=row.ref,
    )
