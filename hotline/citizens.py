"""Citizens who call, listen, press a key, talk, and hang up; and what they found wrong."""

import asyncio
from dataclasses import dataclass, field

from hotline.stage import Stage
from phones.call import Call, NotAnswered, TooLate
from phones.ears import Ears, until_heard
from phones.line import Line
from phones.placed import PlacedCall
from phones.voices import voice

TALK_S = 1.0
"""How long the two talk once they hear each other."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One citizen's call: what is dialled and pressed, what must be heard, who must answer."""

    title: str
    caller: str
    number: str
    hears: tuple[str, ...]
    """Prompts, in order. A key is pressed while the last one plays."""
    key: str | None = None
    then_hears: tuple[str, ...] = ()
    """Prompts after the key."""
    answers: tuple[str, ...] = ()
    """Seats or trunks, any one of which must answer."""


@dataclass(slots=True)
class Told:
    """What came of a call."""

    plan: Plan
    heard: list[str] = field(default_factory=list)
    answered_by: str | None = None
    fault: str | None = None


def ears_for(stage: Stage, plans: tuple[Plan, ...], *more: str) -> Ears:
    """Ears that know the prompts and more of them, everybody who may answer, and the citizens themselves."""
    speakers = {agent_voice(name): voice("agent", name) for plan in plans for name in plan.answers}
    citizens = {citizen_voice(plan.caller): voice("caller", plan.caller) for plan in plans}
    language = stage.instance.settings.city.language
    names = {*more, *(name for plan in plans for name in _prompts_of(plan))}
    prompts = {name: stage.catalogue.samples(name, language) for name in names}
    return Ears({**prompts, **speakers, **citizens})


def agent_voice(name: str) -> str:
    return f"the voice of {name}"


def citizen_voice(caller: str) -> str:
    return f"the voice of citizen {caller}"


async def call(stage: Stage, plan: Plan, ears: Ears) -> Told:
    """Places the call and follows the plan. What goes otherwise is told, never raised."""
    told = Told(plan)
    placed = await stage.carrier.call(plan.number, caller=plan.caller)
    try:
        await placed.answered()
        await listen(placed, plan, ears, told)
        told.answered_by = await _who_answers(placed, plan, ears)
        told.heard.append(agent_voice(told.answered_by))
        await talk(stage, placed, told.answered_by, plan, ears)
    except (NotAnswered, TooLate) as error:
        told.fault = str(error)
    finally:
        await placed.hang_up()
    return told


async def listen(placed: PlacedCall, plan: Plan, ears: Ears, told: Told) -> None:
    """Hears each prompt of the plan, and presses its key. Raises TooLate."""
    since_s = 0.0
    for prompts, key in ((plan.hears, plan.key), (plan.then_hears, None)):
        for prompt in prompts:
            heard = await until_heard(ears, lambda: placed.heard, prompt, since_s=since_s)
            told.heard.append(prompt)
            since_s = heard.at_s
        if key is not None:
            placed.press(key)


async def _who_answers(placed: PlacedCall, plan: Plan, ears: Ears) -> str:
    """Waits for any of those who may answer. Raises TooLate."""
    within_s = 30.0
    give_up_s = asyncio.get_running_loop().time() + within_s
    names = {agent_voice(name): name for name in plan.answers}
    while asyncio.get_running_loop().time() < give_up_s:
        found = await asyncio.to_thread(ears.listen, placed.heard, names)
        if found:
            return names[found[0].prompt]
        await asyncio.sleep(0.3)
    raise TooLate(f"hearing {' or '.join(plan.answers)}", within_s)


async def talk(stage: Stage, placed: Call, with_whom: str, plan: Plan, ears: Ears) -> None:
    """Speaks until whoever answered has heard it. Raises TooLate."""
    line: Line = stage.trunks[with_whom] if with_whom in stage.trunks else stage.seats[with_whom]
    placed.say(voice("caller", plan.caller))
    other = _their_end(line, plan.caller)
    await until_heard(ears, lambda: other.heard, citizen_voice(plan.caller))
    await asyncio.sleep(TALK_S)


def _their_end(line: Line, caller: str) -> Call:
    return next(call for call in reversed(line.calls) if call.caller == caller)


def _prompts_of(plan: Plan) -> tuple[str, ...]:
    return (*plan.hears, *plan.then_hears)
