"""The four ways beside this project's own."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import TextIO

from bench.ivr import files
from bench.ivr.serving import Service, served
from bench.ivr.way import HOST, Ivr, IvrPlaces, Sounds

_AGI = ("res_speech", "res_agi")
_ARI = (
    "res_http_websocket",
    "res_stasis",
    "res_stasis_answer",
    "res_stasis_playback",
    "res_stasis_recording",
    "res_stasis_snoop",
    "app_stasis",
    "res_websocket_client",
    "res_ari",
    "res_ari_model",
    "res_ari_applications",
    "res_ari_channels",
    "res_ari_events",
    "res_ari_playbacks",
)


@dataclass(frozen=True, slots=True)
class Bare:
    """Asterisk alone, with a dialplan written by hand."""

    name: str = "bare Asterisk"

    def files(self, sounds: Sounds, seats: Sequence[str], places: IvrPlaces) -> Mapping[str, str]:
        return files.shared_files(files.bare_dialplan(sounds), seats, places, ())

    @asynccontextmanager
    async def server(self, sounds: Sounds, places: IvrPlaces, log: TextIO) -> AsyncIterator[None]:
        """There is none."""
        yield None


@dataclass(frozen=True, slots=True)
class FastAgi:
    """The menu is Python's; each step is asked over the call's own connection."""

    name: str = "FastAGI"

    def files(self, sounds: Sounds, seats: Sequence[str], places: IvrPlaces) -> Mapping[str, str]:
        dialplan = files.steered_dialplan(f"AGI(agi://{HOST}:{places.agi}/{files.APP})", "AGISTATUS")
        return files.shared_files(dialplan, seats, places, _AGI)

    def server(self, sounds: Sounds, places: IvrPlaces, log: TextIO) -> AbstractAsyncContextManager[int | None]:
        return served("fastagi", Service(sounds, places.agi, places.secret), log)


@dataclass(frozen=True, slots=True)
class AsyncAgi:
    """The menu is Python's; the steps of all calls are asked over one manager connection."""

    name: str = "AGI(agi:async)"

    def files(self, sounds: Sounds, seats: Sequence[str], places: IvrPlaces) -> Mapping[str, str]:
        dialplan = files.steered_dialplan("AGI(agi:async)", "AGISTATUS")
        shared = files.shared_files(dialplan, seats, places, _AGI)
        return {**shared, "manager.conf": files.agi_manager(places)}

    def server(self, sounds: Sounds, places: IvrPlaces, log: TextIO) -> AbstractAsyncContextManager[int | None]:
        return served("agi_async", Service(sounds, places.ami, places.secret), log)


@dataclass(frozen=True, slots=True)
class Ari:
    """The menu is Python's: events come over a websocket, steps are asked by HTTP."""

    name: str = "ARI"

    def files(self, sounds: Sounds, seats: Sequence[str], places: IvrPlaces) -> Mapping[str, str]:
        dialplan = files.steered_dialplan(f"Stasis({files.APP})", "STASISSTATUS")
        return {**files.shared_files(dialplan, seats, places, _ARI), **files.ari_files(places)}

    def server(self, sounds: Sounds, places: IvrPlaces, log: TextIO) -> AbstractAsyncContextManager[int | None]:
        return served("ari", Service(sounds, places.http, places.secret), log)


IVRS: tuple[Ivr, ...] = (Bare(), FastAgi(), AsyncAgi(), Ari())
