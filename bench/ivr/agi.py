"""The call's steps in AGI's words, whatever wire they go over."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bench.ivr.way import KEY_S, KEYS, PERSON, TRIES, Sounds

Answer = Mapping[str, Any]
"""As panoramisk reads it: `error` is there when it went wrong, else `result` is a value and what stands behind it."""
Ask = Callable[[str], Awaitable[Answer]]


class HungUp(Exception):
    """The caller has gone, or AGI refused a command; `why` is AGI's word."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(f"the call is over: {why}")


@dataclass(frozen=True, slots=True)
class Script:
    """Three commands for a caller who knows the key: greeting, menu and key, `to_person`."""

    greeting: str
    menu: str
    to_person: str

    async def run(self, ask: Ask) -> None:
        """`ask` sends a command and brings its answer. Raises HungUp."""
        key = _key(await ask(self.greeting))
        for _ in range(TRIES):
            key = key or _key(await ask(self.menu))
            if key == PERSON:
                break
            key = ""
        _key(await ask(self.to_person))


def script(sounds: Sounds) -> Script:
    """GET OPTION plays and waits in one command."""
    return Script(
        f'STREAM FILE "{sounds.greeting}" "{KEYS}"',
        f'GET OPTION "{sounds.menu}" "{KEYS}" {KEY_S * 1000}',
        f'STREAM FILE "{sounds.to_person}" ""',
    )


def _key(answer: Answer) -> str:
    """What was pressed; nothing: no key."""
    if "error" in answer:
        raise HungUp(answer["error"])
    code = int(answer["result"][0])
    return chr(code) if code > 0 else ""
