"""The demo's citizen who keeps the place and hangs up, and the agent who signs on and talks with that citizen."""

from collections.abc import Set
from dataclasses import dataclass

from hotline.citizens import Plan, Told, agent_voice, ears_for, listen, talk
from hotline.stage import NeverHappened, Stage, until
from phones.behaviour import Answers
from phones.call import NotAnswered, TooLate
from phones.ears import Ears, until_heard
from routing.hours import Moment
from settings.actions import WaitDo
from settings.shapes import Settings

CITIZEN = "13800000004"
_HEARD = ("call_back_kept", "call_back_hello", "desk_agent", "desk_pin")


@dataclass(frozen=True, slots=True)
class Return:
    """A call whose last key keeps the place, and who calls back."""

    plan: Plan
    agent: str
    seat: str
    """Where the agent signs on."""
    absent: frozenset[str]
    """Seats that would answer at once: their telephones stay off."""


def returns(settings: Settings, at: Moment, needed: Set[str]) -> Return | None:
    """How this city can show a call back without the seats that other calls need; None: it cannot."""
    key = next((key for key, action in settings.service.keys.items() if action == WaitDo(do="call_back")), None)
    seat = next((seat for seat, entry in settings.answering.seats.items() if not entry.skills), None)
    if key is None or seat is None or settings.service.call_back is None:
        return None
    recording = settings.server.recording
    told = (recording.announcement,) if recording.enabled and recording.announcement else ()
    for ident, number in settings.numbers.items():
        mode, agent = at.mode(ident), _master(settings, number.skill)
        absent = frozenset(one for one, entry in settings.answering.seats.items() if number.skill in entry.skills)
        plain = mode is not None and mode.mode == "parallel" and number.menu is None and at.is_open(number.hours)
        if plain and agent is not None and not absent & needed:
            plan = Plan(
                f"{ident}, whose caller keeps the place with key {key}", CITIZEN, ident,
                (number.greeting, *told, "please_wait"), key=key, answers=(seat,),
            )  # fmt: skip
            return Return(plan, agent, seat, absent)
    return None


def _master(settings: Settings, skill: str) -> str | None:
    """Whoever knows most of it, if that is enough for those who call."""
    levels = {agent: entry.skills.get(skill, 0) for agent, entry in settings.agents.agents.items()}
    best = max(levels, key=lambda agent: levels[agent], default=None)
    return best if best is not None and levels[best] >= settings.skills[skill].level else None


async def call_and_return(stage: Stage, plan: Return) -> Told:
    """Follows the plan to the end of the talk. What goes otherwise is told, never raised."""
    told = Told(plan.plan)
    ears = ears_for(stage, (plan.plan,), *_HEARD)
    stage.carrier.behave = Answers(after_s=0.3)  # The citizen, called back.
    try:
        await _keep_place(stage, plan, ears, told)
        await _return(stage, plan, ears, told)
    except (NotAnswered, TooLate, NeverHappened) as error:
        told.fault = str(error)
    return told


async def _keep_place(stage: Stage, plan: Return, ears: Ears, told: Told) -> None:
    """The citizen calls; the agent begins to sign on meanwhile, and is free only when that call has ended."""
    placed = await stage.carrier.call(plan.plan.number, caller=plan.plan.caller)
    try:
        await placed.answered()
        await listen(placed, plan.plan, ears, told)
        desk = await stage.seats[plan.seat].call("*11")
        try:
            await desk.answered()
            await until_heard(ears, lambda: desk.heard, "desk_agent")
            await desk.press(f"{plan.agent}#")
            await until_heard(ears, lambda: placed.heard, "call_back_kept")
            told.heard.append("call_back_kept")
            await until_heard(ears, lambda: desk.heard, "desk_pin")
            await placed.ended()
            await desk.press(f"{stage.instance.secrets.agents[plan.agent]}#")
            await desk.ended()
        finally:
            await desk.hang_up()
    finally:
        await placed.hang_up()


async def _return(stage: Stage, plan: Return, ears: Ears, told: Told) -> None:
    """The citizen's telephone rings; the two talk."""
    caller = plan.plan.caller
    back = await until(
        f"a call to {caller}", lambda: next((one for one in stage.carrier.calls if one.number == caller), None)
    )
    try:
        for sound in ("call_back_hello", agent_voice(plan.seat)):
            await until_heard(ears, lambda: back.heard, sound)
            told.heard.append(sound)
        told.answered_by = plan.seat
        await talk(stage, back, plan.seat, plan.plan, ears)
    finally:
        await back.hang_up()
