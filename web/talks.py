"""A talk: handing it on, asking somebody else, holding it. An agent does so with its own call only."""

from web.desk import To
from web.requests import Body, Consult, Goal, OneCall, Transfer
from web.rights import require_own_call
from web.roles import AT_THE_DESK
from web.routes import Ask, route


async def transfer(ask: Ask[OneCall, Transfer]) -> None:
    """Hands the caller on. The seat is out of the call at once."""
    require_own_call(ask.desk, ask.who, ask.params.call)
    await ask.desk.transfer(ask.who, ask.params.call, _to(ask.body.to))


async def consult(ask: Ask[OneCall, Consult]) -> None:
    """Asks somebody while the caller is held; with `join` all three talk as soon as that one answers."""
    require_own_call(ask.desk, ask.who, ask.params.call)
    await ask.desk.consult(ask.who, ask.params.call, _to(ask.body.to), join=ask.body.join)


async def join(ask: Ask[OneCall, Body]) -> None:
    """Caller, seat and whoever was asked talk together."""
    require_own_call(ask.desk, ask.who, ask.params.call)
    await ask.desk.join(ask.who, ask.params.call)


async def complete(ask: Ask[OneCall, Body]) -> None:
    """The seat leaves; the caller goes on with whoever was asked."""
    require_own_call(ask.desk, ask.who, ask.params.call)
    await ask.desk.complete(ask.who, ask.params.call)


async def retrieve(ask: Ask[OneCall, Body]) -> None:
    """Whoever was asked leaves, or the hold ends; caller and seat talk again."""
    require_own_call(ask.desk, ask.who, ask.params.call)
    await ask.desk.retrieve(ask.who, ask.params.call)


async def hold(ask: Ask[OneCall, Body]) -> None:
    """The caller hears music until `retrieve`."""
    require_own_call(ask.desk, ask.who, ask.params.call)
    await ask.desk.hold(ask.who, ask.params.call)


def _to(goal: Goal) -> To:
    return To(goal.seat, goal.skill, goal.centre, goal.outside, goal.emergency)


ROUTES = (
    route("POST", "/calls/{call}/transfer", AT_THE_DESK, transfer),
    route("POST", "/calls/{call}/consult", AT_THE_DESK, consult),
    route("POST", "/calls/{call}/join", AT_THE_DESK, join),
    route("POST", "/calls/{call}/complete", AT_THE_DESK, complete),
    route("POST", "/calls/{call}/retrieve", AT_THE_DESK, retrieve),
    route("POST", "/calls/{call}/hold", AT_THE_DESK, hold),
)
