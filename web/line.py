"""The line: who waits, and who is to be called back."""

from web.desk import CallBackView, WaitingView
from web.requests import AddCallBack, AtSeat, Body, Dismiss, OneCall, OneCallBack, Params, Which
from web.rights import own_seat, require_own_seat, shown_call_back, shown_waiting
from web.roles import AT_THE_DESK, EVERYBODY, SUPERVISORS
from web.routes import Ask, route


async def list_waiting(ask: Ask[Params, Body]) -> tuple[WaitingView, ...]:
    """Everybody who waits, over all numbers, the next one first."""
    own = own_seat(ask.desk, ask.who)
    own_call = own.call if own is not None else None
    return tuple(shown_waiting(view, ask.who, own_call) for view in ask.desk.waiting())


async def move_up(ask: Ask[OneCall, Body]) -> WaitingView:
    """This caller is the next of all."""
    return await ask.desk.move_up(ask.who, ask.params.call)


async def list_call_backs(ask: Ask[Which, Body]) -> tuple[CallBackView, ...]:
    """Whoever is to be called back, the oldest first."""
    found = await ask.desk.call_backs(every=ask.params.every)
    return tuple(shown_call_back(view, ask.who) for view in found)


async def add_call_back(ask: Ask[Params, AddCallBack]) -> CallBackView:
    """Puts somebody on the list. Whoever is on it already stays there once."""
    return await ask.desk.add_call_back(ask.who, ask.body.caller, ask.body.number, ask.body.note)


async def call_back_now(ask: Ask[OneCallBack, AtSeat]) -> CallBackView:
    """Calls back now, from this seat. An agent does so from its own seat only."""
    require_own_seat(ask.desk, ask.who, ask.body.seat)
    return shown_call_back(await ask.desk.call_back_now(ask.who, ask.params.id, ask.body.seat), ask.who)


async def dismiss_call_back(ask: Ask[OneCallBack, Dismiss]) -> CallBackView:
    """Takes somebody off the list without a call."""
    return await ask.desk.dismiss_call_back(ask.who, ask.params.id, ask.body.note)


ROUTES = (
    route("GET", "/waiting", EVERYBODY, list_waiting),
    route("POST", "/waiting/{call}/move-up", SUPERVISORS, move_up),
    route("GET", "/call-backs", EVERYBODY, list_call_backs),
    route("POST", "/call-backs", SUPERVISORS, add_call_back, status=201),
    route("POST", "/call-backs/{id}/call", AT_THE_DESK, call_back_now),
    route("POST", "/call-backs/{id}/dismiss", SUPERVISORS, dismiss_call_back),
)
