"""The example city for tests on a real Asterisk: prompts are one syllable, and no wait changes anything."""

from collections.abc import Mapping
from pathlib import Path

from settings.check import load
from settings.shapes import Prompt, Settings
from settings.system_prompts import COUNT, COUNTED_PROMPTS

EXAMPLE = Path(__file__).resolve().parent.parent.parent / "config"


def quick_city(config: Path = EXAMPLE, *, heard: Mapping[str, str] | None = None) -> Settings:
    """The city in `config`, with prompts so short that nobody waits for them.

    A longer wait changes nothing: skills have no levels or steps, no duty officer takes calls when no seat is there,
    and the wait is first told after half a minute; little space is kept in reserve. All else is as it is.
    `heard`: Chinese texts of prompts that are to be recognised by ear.
    """
    settings = load(config)
    spoken = {
        ident: Prompt(
            zh=(heard or {}).get(ident, COUNT if ident in COUNTED_PROMPTS else "喂") if prompt.zh else None,
            # Counted prompts are many sounds: in English they are heard in Chinese.
            en="yes" if prompt.en and ident not in COUNTED_PROMPTS else None,
        )
        for ident, prompt in settings.prompts.prompts.items()
    }
    prompts = settings.prompts.model_copy(update={"prompts": spoken})
    recording = settings.server.recording.model_copy(update={"stop_below_mb": 20})
    announce = settings.service.announce.model_copy(update={"first": 30.0, "every": 30.0})
    return settings.model_copy(
        update={
            "prompts": prompts,
            "server": settings.server.model_copy(update={"recording": recording}),
            "skills": {
                ident: skill.model_copy(update={"level": 1, "steps": ()}) for ident, skill in settings.skills.items()
            },
            "service": settings.service.model_copy(update={"announce": announce}),
            "shifts": settings.shifts.model_copy(update={"duty_officer": None}),
        }
    )


def without_recording(settings: Settings) -> Settings:
    """The same city, with no call recorded."""
    recording = settings.server.recording.model_copy(update={"enabled": False})
    return settings.model_copy(update={"server": settings.server.model_copy(update={"recording": recording})})
