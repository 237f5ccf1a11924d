"""What a key does, in a menu and while waiting."""

from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
)

from settings.shape import Language, Shape
from settings.units import Digits, DurationS, Ident, MenuKey


class ToMenu(Shape):
    menu: Ident


class ToNumber(Shape):
    number: Digits


class ToQueue(Shape):
    queue: Ident
    """A skill: callers wait for a seat that has it."""
    priority: int | None = Field(default=None, ge=1, le=9)


class Say(Shape):
    prompt: Ident


class Speak(Shape):
    language: Language


class Do(Shape):
    do: Literal["repeat", "back", "person"]


def _word(value: Any) -> Any:
    """Lets operators write `repeat` for `{do: repeat}`."""
    return {"do": value} if isinstance(value, str) else value


ACTIONS: dict[str, type[Shape]] = {
    "menu": ToMenu,
    "number": ToNumber,
    "queue": ToQueue,
    "prompt": Say,
    "language": Speak,
    "do": Do,
}
"""The key that tells what an action is."""


def _action_of(value: Any) -> str | None:
    if isinstance(value, Shape):
        return next((f"to {key}" for key, shape in ACTIONS.items() if type(value) is shape), None)
    return next((f"to {key}" for key in ACTIONS if key in value), None) if isinstance(value, dict) else None


Action = Annotated[
    Annotated[ToMenu, Tag("to menu")]
    | Annotated[ToNumber, Tag("to number")]
    | Annotated[ToQueue, Tag("to queue")]
    | Annotated[Say, Tag("to prompt")]
    | Annotated[Speak, Tag("to language")]
    | Annotated[Do, Tag("to do")],
    Discriminator(_action_of),
    BeforeValidator(_word),
]


class Menu(Shape):
    """What a caller may choose by key. 0 always reaches a person; * begins an emergency key."""

    prompt: Ident
    keys: dict[MenuKey, Action] = {}
    wait: DurationS = Field(default=5.0, ge=1, le=60)
    """How long a key is waited for after the prompt. 1s to 1m."""
    tries: int = Field(default=3, ge=1, le=5)
    """So many silences or wrong keys, and a person takes the call."""


class WaitDo(Shape):
    do: Literal["call_back", "position"]


WAIT_ACTIONS: dict[str, type[Shape]] = {"queue": ToQueue, "prompt": Say, "do": WaitDo}
"""The key that tells what an action of a waiting caller is."""


def _wait_action_of(value: Any) -> str | None:
    if isinstance(value, Shape):
        return next((f"to {key}" for key, shape in WAIT_ACTIONS.items() if type(value) is shape), None)
    return next((f"to {key}" for key in WAIT_ACTIONS if key in value), None) if isinstance(value, dict) else None


WaitAction = Annotated[
    Annotated[ToQueue, Tag("to queue")] | Annotated[Say, Tag("to prompt")] | Annotated[WaitDo, Tag("to do")],
    Discriminator(_wait_action_of),
    BeforeValidator(_word),
]
