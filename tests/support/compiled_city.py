"""What the compiler needs beside settings, made up: the same for every run."""

from datetime import date
from pathlib import Path

from dialplan.compile import Compiled, compile_city
from dialplan.names import LANGUAGES
from dialplan.server import AsteriskPlaces
from settings.secrets import Secrets
from settings.shape import Language
from settings.shapes import Settings
from settings.system_prompts import spoken_prompts

TODAY = date(2026, 3, 1)

PLACES = AsteriskPlaces(
    etc=Path("/city/etc"),
    log=Path("/city/log"),
    spool=Path("/city/spool"),
    run=Path("/city/run"),
    lib=Path("/city/lib"),
    modules=Path("/asterisk/modules"),
    data=Path("/asterisk/data"),
    music=Path("/city/music"),
    journal_apart=True,
)


def some_sounds(settings: Settings) -> dict[tuple[str, Language], Path]:
    prompts = spoken_prompts(settings.prompts.prompts)
    return {(prompt, language): Path("/sounds", language, prompt) for prompt in prompts for language in LANGUAGES}


def some_secrets(settings: Settings) -> Secrets:
    """Passwords that say whose they are."""
    seats = {seat: f"PASSWORD-OF-{seat}" for seat in settings.answering.seats}
    trunks = {ident: f"PASSWORD-OF-{ident}" for ident, trunk in settings.trunks.items() if trunk.username is not None}
    agents = {agent: f"PIN-OF-{agent}" for agent in settings.agents.agents}
    return Secrets("PASSWORD-OF-AMI", seats, trunks, agents)


def compiled(settings: Settings, *, today: date = TODAY) -> Compiled:
    return compile_city(settings, some_secrets(settings), PLACES, some_sounds(settings), today)
