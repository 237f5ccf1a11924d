"""The city of a benchmark: the example city with a few numbers, eight seats and one-syllable prompts."""

from collections.abc import Mapping
from pathlib import Path

from bench.figures import Skills
from settings.check import load
from settings.shapes import Prompt, Seat, Settings, Skill

EXAMPLE = Path(__file__).resolve().parent.parent / "config"
NUMBERS = ("12319", "12333", "12315", "12329")
"""Numbers of the example city that have no menu and are always open."""


def bench_city(needs: Mapping[str, Skills], seats: Mapping[str, Skills]) -> Settings:
    """`needs`: number → the one skill that its callers need. No call is recorded; no skill changes with the wait."""
    city = load(EXAMPLE)
    numbers = {
        number: city.numbers[number].model_copy(update={"skill": next(iter(skills))})
        for number, skills in needs.items()
    }
    skills = {ident: Skill(name=skill.name, language=skill.language) for ident, skill in city.skills.items()}
    prompts = {
        ident: Prompt(zh="喂" if prompt.zh else None, en="yes" if prompt.en else None)
        for ident, prompt in city.prompts.prompts.items()
    }
    manned = {seat: Seat(skills=tuple(sorted(has))) for seat, has in seats.items()}
    recording = city.server.recording.model_copy(update={"enabled": False})
    return city.model_copy(
        update={
            "numbers": {**city.numbers, **numbers},
            "skills": skills,
            "answering": city.answering.model_copy(update={"seats": manned}),
            "prompts": city.prompts.model_copy(update={"prompts": prompts}),
            "server": city.server.model_copy(update={"recording": recording}),
        }
    )
