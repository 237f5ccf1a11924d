"""The example city for tests on a real Asterisk: prompts are one syllable, seats ring briefly."""

from collections.abc import Mapping
from pathlib import Path

from settings.check import load
from settings.shapes import Prompt, Settings

EXAMPLE = Path(__file__).resolve().parent.parent.parent / "config"


def quick_city(config: Path = EXAMPLE, *, heard: Mapping[str, str] | None = None) -> Settings:
    """The city in `config`, with prompts so short that nobody waits for them; all else as it is.

    `heard`: Chinese texts of prompts that are to be recognised by ear.
    """
    settings = load(config)
    spoken = {
        ident: Prompt(zh=(heard or {}).get(ident, "喂") if prompt.zh else None, en="yes" if prompt.en else None)
        for ident, prompt in settings.prompts.prompts.items()
    }
    prompts = settings.prompts.model_copy(update={"prompts": spoken})
    return settings.model_copy(update={"prompts": prompts})


def without_recording(settings: Settings) -> Settings:
    """The same city, with no call recorded."""
    recording = settings.server.recording.model_copy(update={"enabled": False})
    return settings.model_copy(update={"server": settings.server.model_copy(update={"recording": recording})})
