"""What the keys of a waiting caller do, in the waiting room and in a survival queue alike."""

from typing import assert_never

from calls.journal import KeyPressed
from dialplan.announce import asked
from dialplan.journal import said, wrote
from dialplan.kept import call_back_asked
from dialplan.names import LANGUAGE, LANGUAGES, ROOM, by_language, skills_text
from dialplan.values import Do, Extension, Goto, Move, Put, Target, code
from settings.actions import Say, ToQueue, WaitAction, WaitDo
from settings.demands import demand
from settings.shapes import Settings

BEAT = "beat"
"""The waiting room's look at the heartbeat, before which nothing is announced."""
_CALL_BACK = "call_back"


def offered(settings: Settings, action: WaitAction) -> bool:
    """Whether a key means something: there is no call back without a line to call on."""
    return not (isinstance(action, WaitDo) and action.do == "call_back") or settings.service.call_back is not None


def room_keys(settings: Settings, wait: Target) -> tuple[Extension, ...]:
    """Part of the waiting room; after a prompt the caller is at `wait` again."""
    keys = {key: action for key, action in settings.service.keys.items() if offered(settings, action)}
    return _keys(settings, ROOM, keys, wait)


def survival_keys(settings: Settings, context: str, wait: Target) -> tuple[Extension, ...]:
    """Part of a context in which keys count while no controller steers: nobody can tell a position then."""
    keys = {
        key: action
        for key, action in settings.service.keys.items()
        if offered(settings, action) and action != WaitDo(do="position")
    }
    return _keys(settings, context, keys, wait)


def _keys(settings: Settings, context: str, keys: dict[str, WaitAction], wait: Target) -> tuple[Extension, ...]:
    parts = tuple(Extension(key, _key(settings, context, key, action, wait)) for key, action in keys.items())
    if WaitDo(do="call_back") in keys.values():
        return (*parts, Extension(_CALL_BACK, call_back_asked(settings, wait)))
    return parts


def _key(settings: Settings, context: str, key: str, action: WaitAction, wait: Target) -> tuple[Move, ...]:
    return (wrote(KeyPressed, where="waiting", key=key), *_done(settings, context, action, wait))


def _done(settings: Settings, context: str, action: WaitAction, wait: Target) -> tuple[Move, ...]:
    match action:
        case WaitDo(do="call_back"):
            return (Goto(Target(context, _CALL_BACK)),)
        case WaitDo():
            return (*asked(), Put("HL_SAY_AT", code("${EPOCH}")), Goto(Target(ROOM, label=BEAT)))
        case Say(prompt=prompt):
            return (Do("StopMusicOnHold"), *said(prompt, LANGUAGE), Goto(wait))
        case ToQueue(queue=skill, priority=priority):
            texts = {lang: skills_text(demand(settings, skill, lang)) for lang in LANGUAGES}
            own = (Put("HL_PRIO", priority),) if priority is not None else ()
            # The wait goes on: HL_T0 stays.
            return (Put("HL_SKILLS", by_language(texts)), *own, Goto(Target(ROOM)))
        case _:
            assert_never(action)
