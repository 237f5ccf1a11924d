"""The dialplan's pen: steps of `calls.journal` as CELGenUserEvent."""

from dataclasses import fields
from typing import Any
from urllib.parse import quote

from calls.journal import Said
from dialplan.values import Arg, Code, Do, Play, Target, code


class FieldsWrong(TypeError):
    """A step is written with other fields than `calls.journal` gives it."""

    def __init__(self, kind: str, given: set[str], wanted: set[str]) -> None:
        self.kind = kind
        self.given = given
        self.wanted = wanted
        super().__init__(f"journal step {kind} has the fields {sorted(wanted)}, not {sorted(given)}")


def wrote(step: type[Any], **values: Arg) -> Do:
    """Writes a step. Data is percent-encoded; code must yield what needs no encoding, or encode it itself.

    Raises FieldsWrong.
    """
    wanted = {field.name for field in fields(step)}
    if wanted != set(values):
        raise FieldsWrong(step.kind, set(values), wanted)
    encoded: dict[str, Arg] = {
        name: quote(value, safe="+*") if isinstance(value, str) else value for name, value in values.items()
    }
    text = Code("&".join(f"{name}=<{name}>" for name in encoded), tuple(encoded.items()))
    return Do("CELGenUserEvent", (step.kind, text))


def named_in_log() -> Do:
    """Ties Asterisk's own name of a call ([C-0000001a], in each line of its log) to the call's id."""
    return Do("Log", ("NOTICE", code("call=${HL_REF}")))


def said(prompt: str, language: Arg, *, keys: Target | None = None, deaf: bool = False) -> tuple[Do, Play]:
    """A prompt begins: written down, then played."""

    return wrote(Said, prompt=prompt, language=language), Play(prompt, language, keys, deaf)
