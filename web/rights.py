"""What depends on who asks, beside the role: an agent's own things, and whose numbers are shown."""

from collections.abc import Mapping
from dataclasses import replace

from calls.record import CallRecord
from recordings import mask
from web.desk import (
    AuditView,
    BlockedCallView,
    BlockedView,
    CallBackView,
    Desk,
    Refusal,
    Role,
    SeatView,
    WaitingView,
    Who,
)
from web.shelf import KeptCall

SEE_CALLERS = frozenset({Role.SUPERVISOR})
"""Who sees the numbers of those who call; an agent sees that of its own call."""
SEE_BLOCKED = frozenset({Role.SUPERVISOR, Role.OPERATOR})
"""Who sees the numbers that are blocked."""

_NUMBERS = ("caller", "number")
"""Parts of the audit that are somebody's telephone number, however short."""


def require_own_agent(who: Who, agent: str) -> None:
    """Raises Refusal when an agent's token is used for somebody else."""
    if who.role is Role.AGENT and who.agent != agent:
        raise Refusal(
            403, "not_yours", f"this is the token of agent {who.agent}, not of {agent}", "ask a supervisor to do it"
        )


def own_seat(desk: Desk, who: Who) -> SeatView | None:
    """The seat at which the agent is signed on whose token it is."""
    if who.agent is None:
        return None
    return next((seat for seat in desk.seats() if seat.agent == who.agent), None)


def require_own_seat(desk: Desk, who: Who, seat: str) -> None:
    """Raises Refusal when an agent's token is used for a seat at which the agent is not signed on."""
    if who.role is not Role.AGENT:
        return
    own = own_seat(desk, who)
    if own is None or own.seat != seat:
        there = "nowhere" if own is None else f"at seat {own.seat}"
        raise Refusal(
            403, "not_yours", f"agent {who.agent} is signed on {there}, not at seat {seat}", "sign on there first"
        )


def require_own_call(desk: Desk, who: Who, call: str) -> None:
    """Raises Refusal when an agent's token is used for a call that is not at the agent's seat."""
    if who.role is not Role.AGENT:
        return
    own = own_seat(desk, who)
    if own is None or own.call != call:
        raise Refusal(
            403, "not_yours", f"this call is not at the seat of agent {who.agent}", "ask a supervisor to do it"
        )


def shown_seat(view: SeatView, who: Who) -> SeatView:
    """Without the caller's number, unless `who` may see it."""
    own = who.agent is not None and view.agent == who.agent
    return view if own or who.role in SEE_CALLERS else replace(view, caller=mask.number(view.caller))


def shown_waiting(view: WaitingView, who: Who, own_call: str | None) -> WaitingView:
    """Without the caller's number, unless `who` may see it; own_call: what rings or talks at the agent's seat."""
    own = own_call is not None and view.call == own_call
    return view if own or who.role in SEE_CALLERS else replace(view, caller=mask.number(view.caller))


def shown_call_back(view: CallBackView, who: Who) -> CallBackView:
    """Without the caller's number, unless `who` may see it."""
    if who.role in SEE_CALLERS:
        return view
    return replace(view, caller=mask.number(view.caller))


def shown_blocked(view: BlockedView, who: Who) -> BlockedView:
    """Without the number, unless `who` may see it."""
    return view if who.role in SEE_BLOCKED else replace(view, number=mask.number(view.number))


def shown_blocked_call(view: BlockedCallView, who: Who) -> BlockedCallView:
    """Without the caller's number, unless `who` may see it."""
    return view if who.role in SEE_BLOCKED else replace(view, caller=mask.number(view.caller))


def require_own_record(who: Who, record: CallRecord, *, confidential: bool = False) -> None:
    """Raises Refusal when an agent asks for a call in which it was not on duty, or for one that is confidential."""
    if who.role is not Role.AGENT:
        return
    if who.agent not in record.agents:
        raise Refusal(403, "not_yours", f"agent {who.agent} was not on duty in this call", "ask a supervisor")
    if confidential:
        raise Refusal(403, "confidential", "this call is confidential", "ask a supervisor, who may hear it")


def shown_record(record: CallRecord, who: Who) -> CallRecord:
    """Without telephone numbers and keys, unless `who` may see them; an agent does in the calls that it is shown."""
    return record if who.role in SEE_CALLERS | {Role.AGENT} else mask.record(record)


def shown_kept(kept: KeptCall, who: Who) -> KeptCall:
    """The same of a call's record and timeline."""
    record = shown_record(kept.record, who)
    if record is kept.record:
        return kept
    return replace(kept, record=record, timeline=tuple(mask.entry(entry) for entry in kept.timeline))


def shown_audit(view: AuditView) -> AuditView:
    """Without telephone numbers: what was done is for the auditor, not whom it concerned."""
    return replace(view, what=_without_numbers(view.what))


def _without_numbers(what: Mapping[str, str]) -> dict[str, str]:
    return {name: mask.number(text) if name in _NUMBERS else mask.numbers_in(text) for name, text in what.items()}
