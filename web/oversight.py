"""Who is on duty, what was done by whom, and who is asking."""

from dataclasses import dataclass

from web.desk import AuditView, DutyView, Who
from web.requests import Body, Newest, Params
from web.rights import shown_audit
from web.roles import AUDITORS, EVERYBODY, OVERSEERS
from web.routes import Ask, route


@dataclass(frozen=True, slots=True)
class ReasonView:
    """A reason for which agents may pause."""

    reason: str
    name: str
    """In the city's language."""


async def me(ask: Ask[Params, Body]) -> Who:
    """Whose token this is, and what it may do."""
    return ask.who


async def duty(ask: Ask[Params, Body]) -> DutyView:
    """Who should be on duty now by the plan, who is, and whether that is enough."""
    return ask.desk.duty()


async def list_reasons(ask: Ask[Params, Body]) -> tuple[ReasonView, ...]:
    """The reasons for a pause."""
    return tuple(ReasonView(reason, name) for reason, name in ask.desk.reasons().items())


async def audit(ask: Ask[Newest, Body]) -> tuple[AuditView, ...]:
    """What was done by whom, the newest first; without telephone numbers."""
    return tuple(shown_audit(view) for view in await ask.desk.audit(ask.params.limit))


ROUTES = (
    route("GET", "/me", EVERYBODY, me),
    route("GET", "/shifts", OVERSEERS, duty),
    route("GET", "/reasons", EVERYBODY, list_reasons),
    route("GET", "/audit", AUDITORS, audit),
)
