"""The example city with everything that its line can do, after seconds instead of minutes; and what is asked of it."""

import asyncio
import json
import os
from typing import Any

from phones.call import Call
from phones.ears import Ears, until_heard
from settings.shapes import Prompt, Seat, Settings, Skill, WaitStep
from tests.support.city_command import HOTLINE
from tests.support.city_watch import City, unannounced, with_capacity
from tests.support.quick_city import quick_city

SEATS = {
    "7001": Seat(skills=("general", "social", "market"), level=3),
    "7002": Seat(skills=("social",), level=1),
    "7003": Seat(skills=("social",), level=5),
    "7004": Seat(skills=("general",), level=1),
}
STEP_S = 3
"""A wait so long makes more good enough."""
FULL = 6
"""So many ordinary calls are let in at once."""
TRIES = 3
"""So often somebody is called back who does not answer."""
CENTRE = "tax_centre"

HEARD = {
    "position_1": "您目前排在第一位，请稍候。",
    "position_3": "您前面还有两位。",
    "estimate_1": "预计还要等待一分钟左右。",
    "estimate_unknown": "还不知道要等多久，请稍候。",
    "call_back_kept": "轮到您时我们会给您回电，再见。",
    "call_back_no_number": "没有显示您的号码，请继续等待。",
    "call_back_hello": "您好，这是热线给您的回电。",
    "blocked": "您的来电不被受理。",
    "survey": "请为本次服务打分。",
}
"""What citizens recognise by ear, in fewer words than the example city's."""


def _step(after_s: int, **what: object) -> WaitStep:
    return WaitStep.model_validate({"after": f"{after_s}s", **what})


def _with_steps(skills: dict[str, Skill], ident: str, level: int, *steps: WaitStep) -> dict[str, Skill]:
    return {ident: skills[ident].model_copy(update={"level": level, "steps": steps})}


def _heard(settings: Settings) -> Settings:
    """With a text of their own for the few places that are listened for: all thirty would take long to be spoken."""
    written = settings.prompts.prompts
    own = {ident: Prompt(zh=text) for ident, text in HEARD.items() if ident not in written}
    return settings.model_copy(update={"prompts": settings.prompts.model_copy(update={"prompts": written | own})})


def line_city() -> Settings:
    """The quick city with everything that the line can do, after seconds instead of minutes."""
    settings = with_capacity(unannounced(_heard(quick_city(heard=HEARD))), FULL)
    service, skills = settings.service, settings.skills
    assert service.call_back is not None
    longer = {
        **_with_steps(skills, "social", 3, _step(STEP_S, level=1)),
        **_with_steps(skills, "market", 1, _step(STEP_S, also="general")),
        **_with_steps(skills, "housing", 1, _step(STEP_S, centre=CENTRE)),
    }
    return settings.model_copy(
        update={
            "answering": settings.answering.model_copy(update={"ring": 3.0, "rest": 1.0, "seats": SEATS}),
            "skills": {**skills, **longer},
            "service": service.model_copy(
                update={
                    "announce": service.announce.model_copy(update={"first": 2.0, "every": 5.0}),
                    "call_back": service.call_back.model_copy(update={"tries": TRIES, "again": 1.0, "ring": 5.0}),
                    "survey": service.survey.model_copy(update={"enabled": True, "message": 10.0}),
                }
            ),
        }
    )


def ears(city: City, *prompts: str) -> Ears:
    """Ears that know these prompts."""
    return Ears({prompt: city.stage.catalogue.samples(prompt, "zh") for prompt in prompts})


async def heard(city: City, call: Call, prompt: str, *others: str) -> None:
    """Waits until a citizen hears a prompt, and not one of the others."""
    await until_heard(ears(city, prompt, *others), lambda: call.heard, prompt, least_part=0.8)


async def hang_up_all(city: City) -> None:
    """Every citizen hangs up: whoever has talked is asked for a mark, which not every test waits for."""
    for call in city.stage.carrier.calls:
        await call.hang_up()


async def said_by(*words: str) -> str:
    """What `bin/hotline` prints when it is given these words; it must succeed."""
    process = await asyncio.create_subprocess_exec(
        HOTLINE,
        *words,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "COLUMNS": "200"},
    )
    said, complaint = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, complaint.decode()
    return said.decode()


async def printed(city: City, *words: str) -> list[dict[str, Any]]:
    """The lines of `bin/hotline … --json`."""
    said = await said_by(*words, "--json", "--data", str(city.stage.instance.folders.data))
    return [json.loads(line) for line in said.splitlines()]
