"""Where callers wait while no seat is free: the city of the benchmark, and the ways to keep them waiting."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TextIO, assert_never

from asterisk.process import AsteriskProcess
from bench.city import EXAMPLE, NUMBERS, bench_city
from bench.figures import Skills
from bench.traced import WAITS
from calls.journal import SurvivalEntered
from hotline.instance import Instance
from hotline.stage import lines, on_stage, staged
from settings.check import load
from settings.shape import Language
from settings.shapes import Capacity, RtpPorts, Settings
from settings.system_prompts import COUNTED_PROMPTS

WayName = Literal["this project", "app_queue", "no controller"]
PROJECT: WayName = "this project"
QUEUE: WayName = "app_queue"
ALONE: WayName = "no controller"

NUMBER = NUMBERS[0]
GENERAL: Skills = frozenset({"general"})
SEATS = tuple(str(seat) for seat in range(8001, 8009))
"""They are in the settings; no telephone of them is registered."""
MOST = 2500
"""Callers who are let in at once."""
_SPOKEN = ("position", "position_many", "estimate", "estimate_1", "estimate_unknown", "still_waiting", "please_wait")
"""What is heard while waiting has its whole text; all else is one syllable."""
_SYLLABLE = "no_key"
_DIGITS = (*(str(digit) for digit in (*range(20), *range(20, 100, 10))), "hundred", "thousand")


@dataclass(frozen=True, slots=True)
class Serving:
    """An Asterisk that serves; `controller_pid`: who steers it, if anybody does."""

    instance: Instance
    asterisk: AsteriskProcess
    controller_pid: int | None

    @property
    def asterisk_pid(self) -> int:
        if self.asterisk.boot is None:
            raise AssertionError(self.asterisk.conf)
        return self.asterisk.boot.pid


def waits_by(way: WayName) -> str:
    """The journal's step by which a caller waits where it goes on waiting."""
    return SurvivalEntered.kind if way == ALONE else WAITS


def waiting_city(every_s: int, *, brief: bool = False) -> Settings:
    """Nobody is sent elsewhere, however long the wait; the place is told when it has lasted so long, and so often.

    `brief`: what is heard while waiting is one syllable, too.
    """
    city = bench_city({NUMBER: GENERAL}, dict.fromkeys(SEATS, GENERAL))
    written = load(EXAMPLE).prompts.prompts
    prompts = {**city.prompts.prompts, **({} if brief else {ident: written[ident] for ident in _SPOKEN})}
    announce = city.service.announce.model_copy(update={"first": float(every_s), "every": float(every_s)})
    server = {"capacity": Capacity(ordinary=MOST, reserve=100), "rtp": RtpPorts(first=10_000, last=17_999)}
    return city.model_copy(
        update={
            "prompts": city.prompts.model_copy(update={"prompts": prompts}),
            "service": city.service.model_copy(update={"announce": announce}),
            "shifts": city.shifts.model_copy(update={"duty_officer": None}),
            "server": city.server.model_copy(update=server),
        }
    )


@asynccontextmanager
async def serving(way: WayName, settings: Settings, folder: Path, prompts: Path, log: TextIO) -> AsyncIterator[Serving]:
    """Starts a way in an empty `folder`. Raises StartFailed, NeverHappened."""
    match way:
        case "this project":
            async with staged(settings, folder / "d", seats=[], prompts=prompts, output=log) as stage:
                yield Serving(stage.instance, stage.supervisor.asterisk, stage.supervisor.controller_pid)
        case "app_queue":
            async with _started(_with_queue(settings, folder, prompts)) as running:
                yield running
        case "no controller":
            async with _started(_installed(settings, folder, prompts)) as running:
                yield running
        case _:
            assert_never(way)


@asynccontextmanager
async def _started(instance: Instance) -> AsyncIterator[Serving]:
    asterisk = instance.process()
    await asterisk.start()
    try:
        async with lines(instance, seats=[]):
            yield Serving(instance, asterisk, None)
    finally:
        await asterisk.stop()


def _installed(settings: Settings, folder: Path, prompts: Path) -> Instance:
    instance = Instance.made(on_stage(settings), folder / "d", prompts=prompts)
    instance.catalogue().build()
    instance.install()
    return instance


def _with_queue(settings: Settings, folder: Path, prompts: Path) -> Instance:
    """The instance whose dialplan and queue are the hand-written ones."""
    made = Instance.made(on_stage(settings), folder / "d", prompts=prompts)
    sounds = made.catalogue().sounds()
    with_digits(made.asterisk.data_dir, folder / "data", sounds[_SYLLABLE, "en"])
    instance = replace(made, asterisk=replace(made.asterisk, data_dir=folder / "data"))
    instance.catalogue().build()
    instance.install()
    own = {
        "extensions.conf": queue_dialplan(sounds[settings.numbers[NUMBER].greeting, "zh"], sounds["please_wait", "zh"]),
        "queues.conf": queue_conf(sounds, every_s=round(settings.service.announce.every)),
    }
    for name, text in own.items():
        (instance.folders.etc / name).write_text(text, encoding="utf-8")
    return instance


def with_digits(data: Path, folder: Path, syllable: Path) -> None:
    """Asterisk's data folder once more, with a sound of ours for each digit: it may have none in the callers' codec."""
    folder.mkdir()
    for entry in data.iterdir():
        if entry.name != "sounds":
            (folder / entry.name).symlink_to(entry)
    digits = folder / "sounds" / "en" / "digits"
    digits.mkdir(parents=True)
    for digit in _DIGITS:
        (digits / f"{digit}.alaw").symlink_to(f"{syllable}.alaw")


def queue_dialplan(greeting: Path, please_wait: Path) -> str:
    """extensions.conf: what a caller of this project meets, too."""
    steps = (
        f"exten => {NUMBER},1,Answer()",
        f" same => n,Playback({greeting})",
        f" same => n,Set(CALLERID(name)={NUMBER})",
        f" same => n,CELGenUserEvent({WAITS},number={NUMBER})",
        f" same => n,Playback({please_wait})",
        " same => n,Queue(line)",
        " same => n,Hangup()",
    )
    return "\n".join(["[arrival]", *steps, "[seat]", "exten => _X.,1,Hangup()", ""])


def queue_conf(sounds: Mapping[tuple[str, Language], Path], *, every_s: int) -> str:
    """queues.conf. The place is told up to the number to which this project tells it; then the estimate."""
    return "\n".join(
        (
            "[general]",
            "persistentmembers=no",
            "autofill=yes",
            "[line]",
            "strategy=rrmemory",
            "musicclass=hold",
            "timeout=15",
            "retry=1",
            "ringinuse=no",
            "autofill=yes",
            "joinempty=yes",
            "leavewhenempty=no",
            f"announce-frequency={every_s}",
            f"min-announce-frequency={every_s}",
            "announce-holdtime=no",
            "announce-position=more",
            f"announce-position-limit={COUNTED_PROMPTS['position'][-1]}",
            f"queue-youarenext={sounds['position_1', 'zh']}",
            f"queue-thereare={sounds['position_many', 'zh']}",
            "queue-callswaiting=",
            f"queue-quantity1={sounds['position_many', 'zh']}",
            "queue-quantity2=",
            "queue-thankyou=",
            f"periodic-announce={sounds['estimate_unknown', 'zh']}",
            f"periodic-announce-frequency={every_s}",
            *(f"member => PJSIP/{seat},0,{seat},PJSIP/{seat}" for seat in SEATS),
            "",
        )
    )
