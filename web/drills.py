"""Drills: test calls over the lines of the emergency numbers, and what became of them."""

from web.desk import DrillView
from web.requests import Body, Drill, Newest, Params
from web.roles import DRILLERS, OVERSEERS
from web.routes import Ask, route


async def drill(ask: Ask[Params, Drill]) -> tuple[DrillView, ...]:
    """Calls over each line of each emergency number, one after the other; what became of them: `GET /drills`."""
    return await ask.desk.drill(ask.who, ask.body.number, ask.body.trunk)


async def list_drills(ask: Ask[Newest, Body]) -> tuple[DrillView, ...]:
    """The last test calls, the newest first."""
    return await ask.desk.drills(ask.params.limit)


ROUTES = (
    route("POST", "/drills", DRILLERS, drill, status=202),
    route("GET", "/drills", OVERSEERS, list_drills),
)
