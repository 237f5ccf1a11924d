"""Seats: what happens at each, and what supervisors may do there."""

from web.desk import AgentView, HandOverView, Refusal, SeatView
from web.requests import Body, HandOver, Note, OneSeat, Params, TakeOver, Watch
from web.rights import require_own_seat, shown_seat
from web.roles import AT_THE_DESK, EVERYBODY, SUPERVISORS
from web.routes import Ask, route


async def list_seats(ask: Ask[Params, Body]) -> tuple[SeatView, ...]:
    """All seats, and what happens at each now. Agents see the caller at their own seat only."""
    return tuple(shown_seat(view, ask.who) for view in ask.desk.seats())


async def show_seat(ask: Ask[OneSeat, Body]) -> SeatView:
    """What happens at a seat now."""
    return shown_seat(_seat(ask), ask.who)


async def watch(ask: Ask[OneSeat, Watch]) -> None:
    """Listen to the talk at this seat, whisper to its agent, or join it. The telephone of `by` rings."""
    await ask.desk.watch(ask.who, ask.params.seat, ask.body.by, ask.body.how)


async def take_over(ask: Ask[OneSeat, TakeOver]) -> None:
    """The caller who talks at this seat goes on with the seat `by`."""
    await ask.desk.take_over(ask.who, ask.params.seat, ask.body.by)


async def hand_over(ask: Ask[OneSeat, HandOver]) -> HandOverView:
    """The caller who talks at this seat and its agent talk with an emergency number as soon as that answers."""
    require_own_seat(ask.desk, ask.who, ask.params.seat)
    return await ask.desk.hand_over(ask.who, ask.params.seat, ask.body.number, ask.body.note)


async def note(ask: Ask[OneSeat, Note]) -> None:
    """Notes of the call at this seat what an emergency number is told if the agent hands it over, by a key perhaps."""
    require_own_seat(ask.desk, ask.who, ask.params.seat)
    await ask.desk.note(ask.who, ask.params.seat, ask.body.note)


async def sign_off_seat(ask: Ask[OneSeat, Body]) -> AgentView:
    """Signs off the agent who is signed on at this seat; a talk goes on."""
    agent = _seat(ask).agent
    if agent is None:
        raise Refusal(409, "nobody_signed_on", f"nobody is signed on at seat {ask.params.seat}", "look at GET /seats")
    return await ask.desk.sign_off(ask.who, agent)


def _seat(ask: Ask[OneSeat, Body]) -> SeatView:
    for view in ask.desk.seats():
        if view.seat == ask.params.seat:
            return view
    raise Refusal(404, "no_such_seat", f"no seat is called {ask.params.seat}", "see seats.yaml")


ROUTES = (
    route("GET", "/seats", EVERYBODY, list_seats),
    route("GET", "/seats/{seat}", EVERYBODY, show_seat),
    route("POST", "/seats/{seat}/watch", SUPERVISORS, watch),
    route("POST", "/seats/{seat}/take-over", SUPERVISORS, take_over),
    route("POST", "/seats/{seat}/sign-off", SUPERVISORS, sign_off_seat),
    route("POST", "/seats/{seat}/emergency", AT_THE_DESK, hand_over),
    route("PUT", "/seats/{seat}/note", AT_THE_DESK, note),
)
