"""`hotline demo`: real calls through the city, listened to, and what became of them.

Citizens call at once: one to the city's own number choosing by key, one to a merged number that has
no menu, one that presses an emergency key, and one that keeps its place, hangs up, and is called back
when an agent has signed on. What each must hear is checked by ear.
"""

import asyncio
import shutil
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import NamedTemporaryFile
from zoneinfo import ZoneInfo

from rich.console import Console

from calls.record import CallRecord, Outcome
from hotline import logs
from hotline.called_back import Return, call_and_return, returns
from hotline.citizens import Plan, Told, agent_voice, call, citizen_voice, ears_for
from hotline.failing import CannotGoOn
from hotline.folders import Folders
from hotline.only_one import OnlyOne
from hotline.progress import Steps, build_prompts
from hotline.stage import Stage, staged, until
from phones.ears import Ears
from phones.g711 import Wave
from phones.voices import read, voice
from prompts.catalogue import Catalogue
from recordings import show
from recordings.keys import KeyRing
from recordings.playback import plain_audio
from recordings.queries import Wanted, find, timeline
from recordings.store import Store
from routing.hours import moment
from settings.actions import Menu, ToNumber
from settings.check import load
from settings.emergencies import EmergencyRoute, routes
from settings.shapes import Settings


class NotAsExpected(AssertionError):
    """The demo went otherwise than it must; `faults` names each difference."""

    def __init__(self, faults: Sequence[str], log: Path) -> None:
        self.faults = tuple(faults)
        lines = "".join(f"\n  - {fault}" for fault in faults)
        super().__init__(f"the demo was not as expected:{lines}\n  what the controller said is in {log}")


@dataclass(frozen=True, slots=True)
class Act:
    """A call of the demo, and how it must end."""

    plan: Plan
    outcome: Outcome
    number: str
    """The number that is served in the end."""
    agent: str | None = None
    """Who must have answered; None: whoever it was."""


def acts(settings: Settings) -> tuple[Act, ...]:
    """The demo's three calls in this city. Raises CannotGoOn where it has nothing to show them by."""
    city, old, emergency = _shown(settings)
    number, chosen = settings.numbers[city], settings.numbers[old]
    if number.menu is None:
        raise AssertionError(city)
    recording = settings.server.recording
    told = (recording.announcement,) if recording.enabled and recording.announcement else ()
    greeted = (number.greeting, *told)
    key = _key_to(settings.menus[number.menu], old)
    seats = tuple(seat for seat, entry in settings.answering.seats.items() if chosen.skill in entry.skills)
    return (
        Act(
            Plan(
                f"{city}, key {key} for {chosen.name.en}", "13800000001", city,
                (*greeted, settings.menus[number.menu].prompt), key=key, answers=seats,
            ),
            Outcome.ANSWERED,
            old,
        ),
        Act(
            Plan(f"{old}, which has no menu", "13800000002", old, (chosen.greeting, *told), answers=seats),
            Outcome.ANSWERED,
            old,
        ),
        Act(
            Plan(
                f"{city}, the key for {emergency.name.en.lower()}", "13800000003", city,
                greeted, key=emergency.key, then_hears=("emergency",), answers=emergency.trunks[:1],
            ),
            Outcome.EMERGENCY,
            city,
        ),
    )  # fmt: skip


def _shown(settings: Settings) -> tuple[str, str, EmergencyRoute]:
    """The city's own number, an old one without a menu that a key of its menu leads to, an emergency."""
    now = moment(settings, datetime.now(UTC))
    emergency = next((route for route in routes(settings.emergencies) if route.key), None)
    for city, number in settings.numbers.items():
        mode = now.mode(city)
        if number.menu is None or mode is None or mode.mode != "primary" or not now.is_open(number.hours):
            continue
        for action in settings.menus[number.menu].keys.values():
            if isinstance(action, ToNumber) and emergency is not None:
                old, held = settings.numbers[action.number], now.mode(action.number)
                if held is not None and held.mode == "parallel" and old.menu is None and now.is_open(old.hours):
                    return city, action.number, emergency
    raise CannotGoOn(
        "this city cannot show the demo: it takes a primary number with a menu, a key of which leads to a"
        " parallel number without one, both open now",
        "run the demo of the example city: leave --config out",
    )


def _key_to(menu: Menu, number: str) -> str:
    return next(key for key, action in menu.keys.items() if action == ToNumber(number=number))


def returned(settings: Settings) -> Return | None:
    """The demo's call back; None where this city has nothing to show it by."""
    needed = {name for act in acts(settings) for name in act.plan.answers}
    return returns(settings, moment(settings, datetime.now(UTC)), needed)


async def demonstrate(config: Path, data: Path, console: Console) -> None:
    """Runs the demo. Raises NotAsExpected, and what `hotline.instance.Instance.made` raises."""
    settings = load(config)
    acts(settings)
    folders = Folders(data / "demo")
    with OnlyOne(data / "demo.lock", "a demo"):
        shutil.rmtree(folders.data, ignore_errors=True)
        faults = await _perform(settings, folders, Folders(data).prompts, console)
        with Store(folders.records) as store:
            faults += _report(settings, folders, store, console)
    if faults:
        raise NotAsExpected(faults, _log_file(folders))
    console.print(f"All as expected. See the calls again: bin/hotline calls --data {folders.data}", soft_wrap=True)


def _log_file(folders: Folders) -> Path:
    return folders.data / "log" / "demo.log"


async def _perform(settings: Settings, folders: Folders, prompts: Path, console: Console) -> list[str]:
    """Starts everything, places the calls, stops everything; the faults that were heard."""
    steps = Steps(console)
    with steps.step("prompts"):
        build_prompts(Catalogue(settings, prompts), console)
    with logs.open_log(_log_file(folders).parent, "demo") as log:
        logs.configure(log)
        async with AsyncExitStack() as running:
            back = returned(settings)
            seats = settings.answering.seats.keys() - (frozenset() if back is None else back.absent)
            with steps.step(f"starting Asterisk, the controller and {len(seats)} telephones"):
                stage = await running.enter_async_context(
                    staged(settings, folders.data, seats=sorted(seats), prompts=prompts, output=log)
                )
            with steps.step(_what(back)):
                told = await _call_all(stage, back)
            with steps.step("keeping what happened"):
                await kept(stage, len(told) + (back is not None))
            with steps.step("stopping everything"):
                await running.aclose()
    return [f"{one.plan.title}: {one.fault} (heard: {', '.join(one.heard) or 'nothing'})" for one in told if one.fault]


def _what(back: Return | None) -> str:
    if back is None:
        return "three citizens call"
    return f"four citizens call; agent {back.agent} signs on at {back.seat} and calls one of them back"


async def _call_all(stage: Stage, back: Return | None) -> list[Told]:
    plans = tuple(act.plan for act in acts(stage.instance.settings))
    ears = ears_for(stage, plans)
    calls = [call(stage, plan, ears) for plan in plans]
    if back is not None:
        calls.append(call_and_return(stage, back))
    return list(await asyncio.gather(*calls))


async def kept(stage: Stage, calls: int) -> list[CallRecord]:
    """Waits until so many calls are over and kept, with their recordings. Raises NeverHappened."""
    timezone = ZoneInfo(stage.instance.settings.city.timezone)
    with stage.store() as store:

        def complete() -> list[CallRecord]:
            found = find(store, Wanted(), timezone)
            done = [one for one in found if not one.running and (one.recording_sha256 or not one.talk_ms)]
            return done if len(done) >= calls else []

        found: list[CallRecord] = await until(
            f"{calls} complete records", complete, seen=lambda: find(store, Wanted(), timezone)
        )
    return found


def _report(settings: Settings, folders: Folders, store: Store, console: Console) -> list[str]:
    """Shows each call; what is not as it must be."""
    timezone = ZoneInfo(settings.city.timezone)
    found = find(store, Wanted(), timezone)
    faults: list[str] = []

    def shown(act: Act, record: CallRecord | None) -> None:
        if record is None:
            faults.append(f"{act.plan.title}: no record was kept")
            return
        console.rule(act.plan.title)
        console.print(show.draw(record, timeline(store, record.ref), timezone))
        if record.recording_file is not None:
            console.print(f"recording: {folders.recordings / record.recording_file}", soft_wrap=True)
        faults.extend(f"{act.plan.title}: {fault}" for fault in _differences(act, record, folders))

    for act in acts(settings):
        shown(act, next((one for one in found if one.caller == act.plan.caller), None))
    back = returned(settings)
    if back is not None:
        first = next((one for one in found if one.caller == back.plan.caller and one.call_back_of is None), None)
        second = next((one for one in found if first is not None and one.call_back_of == first.ref), None)
        shown(Act(back.plan, Outcome.CALL_BACK, back.plan.number), first)
        title = f"the same caller, called back by agent {back.agent} at {back.seat}"
        shown(Act(replace(back.plan, title=title), Outcome.ANSWERED, back.plan.number, agent=back.agent), second)
    return faults


def _recorded(folders: Folders, file: str) -> Wave:
    """What a recording sounds like, encrypted or not."""
    keys = KeyRing.load(folders.recordings_key)
    with NamedTemporaryFile(suffix=".wav") as plain:
        plain.writelines(plain_audio(folders.recordings, file, keys))
        plain.flush()
        return read(Path(plain.name))


def _differences(act: Act, record: CallRecord, folders: Folders) -> list[str]:
    faults = []
    if record.outcome is not act.outcome:
        faults.append(f"the outcome is {record.outcome.value}, not {act.outcome.value}")
    if record.number != act.number:
        faults.append(f"the number served is {record.number}, not {act.number}")
    if act.agent is not None and record.agents != (act.agent,):
        faults.append(f"the agents are {', '.join(record.agents) or 'none'}, not {act.agent}")
    if act.outcome is Outcome.CALL_BACK:
        return faults  # Nobody has talked yet.
    if record.recording_file is None:
        return [*faults, "nothing was recorded"]
    both = Ears(
        {
            citizen_voice(act.plan.caller): voice("caller", act.plan.caller),
            **{agent_voice(name): voice("agent", name) for name in act.plan.answers},
        }
    )
    heard = both.speakers(_recorded(folders, record.recording_file))
    if citizen_voice(act.plan.caller) not in heard:
        faults.append("the citizen is not in the recording")
    if not heard & {agent_voice(name) for name in act.plan.answers}:
        faults.append("whoever answered is not in the recording")
    return faults
