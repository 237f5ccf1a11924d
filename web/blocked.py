"""Blocked callers, and the calls of theirs that were refused."""

from web.desk import BlockedCallView, BlockedView
from web.requests import Block, Body, OneNumber, Params, SomeNumber
from web.rights import shown_blocked, shown_blocked_call
from web.roles import BLOCKERS, OVERSEERS
from web.routes import Ask, route


async def list_blocked(ask: Ask[Params, Body]) -> tuple[BlockedView, ...]:
    """The numbers that are blocked now."""
    return tuple(shown_blocked(view, ask.who) for view in await ask.desk.blocked())


async def block(ask: Ask[Params, Block]) -> BlockedView:
    """Blocks a number up to and including a day. Its emergency calls are put through all the same."""
    return await ask.desk.block(ask.who, ask.body.number, ask.body.reason, ask.body.until)


async def unblock(ask: Ask[OneNumber, Body]) -> None:
    """Blocks a number no more. One that is blocked in the settings can be changed there only."""
    await ask.desk.unblock(ask.who, ask.params.number)


async def list_blocked_calls(ask: Ask[SomeNumber, Body]) -> tuple[BlockedCallView, ...]:
    """Calls that were refused because the caller is blocked, for a report to the police."""
    return tuple(shown_blocked_call(view, ask.who) for view in await ask.desk.blocked_calls(ask.params.number))


ROUTES = (
    route("GET", "/blocked", OVERSEERS, list_blocked),
    route("POST", "/blocked", BLOCKERS, block, status=201),
    route("DELETE", "/blocked/{number}", BLOCKERS, unblock),
    route("GET", "/blocked/calls", OVERSEERS, list_blocked_calls),
)
