"""Agents: who is signed on, and what they do."""

from web.desk import AgentView, Refusal, Role, TotalView
from web.requests import AgentOnDay, Body, OnDay, OneAgent, Params, Pause, SignOn
from web.rights import require_own_agent
from web.roles import AT_THE_DESK, EVERYBODY, OVERSEERS
from web.routes import Ask, route


async def list_agents(ask: Ask[Params, Body]) -> tuple[AgentView, ...]:
    """All agents, and how each stands now."""
    return ask.desk.agents()


async def show_agent(ask: Ask[OneAgent, Body]) -> AgentView:
    """How an agent stands now. An agent sees itself only."""
    require_own_agent(ask.who, ask.params.agent)
    for view in ask.desk.agents():
        if view.agent == ask.params.agent:
            return view
    raise Refusal(404, "no_such_agent", f"no agent has the number {ask.params.agent}", "see agents.yaml")


async def sign_on(ask: Ask[OneAgent, SignOn]) -> AgentView:
    """The agent takes calls at this seat from now on. An agent signs on itself only, with its PIN."""
    require_own_agent(ask.who, ask.params.agent)
    if ask.who.role is Role.AGENT and ask.body.pin is None:
        raise Refusal(422, "pin_missing", "an agent signs on with a PIN", "send it as 'pin'")
    return await ask.desk.sign_on(ask.who, ask.params.agent, ask.body.seat, ask.body.pin)


async def sign_off(ask: Ask[OneAgent, Body]) -> AgentView:
    """The agent takes no more calls; a talk goes on."""
    require_own_agent(ask.who, ask.params.agent)
    return await ask.desk.sign_off(ask.who, ask.params.agent)


async def pause(ask: Ask[OneAgent, Pause]) -> AgentView:
    """The agent takes no calls until it is ready; during a call: after it."""
    require_own_agent(ask.who, ask.params.agent)
    return await ask.desk.pause(ask.who, ask.params.agent, ask.body.reason)


async def ready(ask: Ask[OneAgent, Body]) -> AgentView:
    """Ends a pause, or the time for notes after a talk."""
    require_own_agent(ask.who, ask.params.agent)
    return await ask.desk.ready(ask.who, ask.params.agent)


async def agent_totals(ask: Ask[AgentOnDay, Body]) -> tuple[TotalView, ...]:
    """How long the agent was in each state on a day, by reason. An agent sees its own only."""
    require_own_agent(ask.who, ask.params.agent)
    return await ask.desk.totals(ask.params.day, ask.params.agent)


async def totals(ask: Ask[OnDay, Body]) -> tuple[TotalView, ...]:
    """How long each agent was in each state on a day, by reason."""
    return await ask.desk.totals(ask.params.day, None)


ROUTES = (
    route("GET", "/agents", OVERSEERS, list_agents),
    route("GET", "/agents/{agent}", EVERYBODY, show_agent),
    route("POST", "/agents/{agent}/sign-on", AT_THE_DESK, sign_on),
    route("POST", "/agents/{agent}/sign-off", AT_THE_DESK, sign_off),
    route("POST", "/agents/{agent}/pause", AT_THE_DESK, pause),
    route("POST", "/agents/{agent}/ready", AT_THE_DESK, ready),
    route("GET", "/agents/{agent}/totals", EVERYBODY, agent_totals),
    route("GET", "/totals", OVERSEERS, totals),
)
