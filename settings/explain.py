"""Says in plain words, and with a place, where a file does not have the shape it must have."""

import re
from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from settings.actions import ACTIONS, WAIT_ACTIONS
from settings.places import Node, follow
from settings.problems import Problem, choose, meant
from settings.units import written_seconds

PATTERNS: dict[str, str] = {
    r"^[0-9]{2,20}$": "write 2 to 20 digits",
    r"^[0-9]{3,8}$": "write 3 to 8 digits",
    r"^[0-9X]{3,20}$": "write 3 to 20 digits, with X for any one, such as '1XXXXXXXXXX'",
    r"^[a-z][a-z0-9_]{0,39}$": "write small letters, digits and _, beginning with a letter, such as 'tax_centre'",
    r"^[a-z][a-z0-9]{0,15}$": "write small letters and digits, such as 'node1'",
    r"^[^\x00-\x1f\x7f\x85\u2028\u2029]*$": "write it on one line, without invisible characters",
    r"^\*[0-9]$": "write * and one digit in quotes, such as '*5'",
    r"^[0-9#]$": "write one digit, or '#' in quotes",
    r"^[ A-Za-z0-9:,.]+$": "write pinyin with tone digits, such as 'chong2 ting1'",
    r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?$": "write a host's name or its IPv4 address",
    r"^/[^\x00-\x1f]{1,500}$": "write a file's whole path, such as /mnt/other/records.db",
    r"^[A-Za-z0-9_.+-]{1,64}$": "write letters, digits, '_', '.', '+' or '-'",
    r"^[A-Za-z0-9/_.:@-]*\{seat\}[A-Za-z0-9/_.:@-]*$": "write Asterisk's dial string with {seat} in it",
}
"""A pattern of the shapes → what to write instead."""

_Location = tuple[int | str, ...]


def explain(shape: Any, tree: Node, errors: list[ErrorDetails]) -> Iterator[Problem]:
    """The problems behind pydantic's errors, without those that only follow from another."""
    missing = {error["loc"] for error in errors if error["type"] == "missing"}
    locations = {error["loc"] for error in errors}
    explained: set[_Location] = set()
    for error in errors:
        if error["type"] == "extra_forbidden":
            problem, instead = _unknown_key(shape, tree, error["loc"], missing)
            explained.add((*error["loc"][:-1], instead))
            yield problem
    for error in errors:
        location = error["loc"]
        follows = error["type"] == "too_short" and any(
            other[: len(location)] == location and len(other) > len(location) for other in locations
        )
        if error["type"] != "extra_forbidden" and location not in explained and not follows:
            yield _problem(tree, error)


def _unknown_key(shape: Any, tree: Node, location: _Location, missing: set[_Location]) -> tuple[Problem, str]:
    """The problem, and the key that was most likely meant."""
    written = str(location[-1])
    known = keys_at(shape, location[:-1])
    needed = {str(other[-1]) for other in missing if other[:-1] == location[:-1]}
    instead = meant(written, needed) or meant(written, known) or ""
    place = follow(tree, location).key
    mend = f"did you mean '{instead}'?" if instead else choose(written, known, "take it out")
    return Problem(place, "S010", f"the key '{written}' is not known here", mend), instead


def keys_at(shape: Any, location: _Location) -> list[str]:
    """The keys that may be written at a location of pydantic's (which names the members of unions)."""
    for part in location:
        shape = _inside(shape, str(part))
    shape = _bare(shape)
    if isinstance(shape, type) and issubclass(shape, BaseModel):
        return [field.alias or name for name, field in shape.model_fields.items()]
    return []


def _inside(shape: Any, part: str) -> Any:
    shape = _bare(shape)
    if get_origin(shape) in (Union, UnionType):
        return next(member for member in get_args(shape) if part in _tags(_bare(member)))
    if isinstance(shape, type) and issubclass(shape, BaseModel):
        return next(field.annotation for name, field in shape.model_fields.items() if (field.alias or name) == part)
    return get_args(shape)[-1] if get_origin(shape) is dict else get_args(shape)[0]


def _bare(shape: Any) -> Any:
    """Without annotations, and without the None of what may be left out."""
    while get_origin(shape) is Annotated:
        shape = get_args(shape)[0]
    if get_origin(shape) in (Union, UnionType) and type(None) in get_args(shape):
        members = [member for member in get_args(shape) if member is not type(None)]
        return _bare(members[0]) if len(members) == 1 else shape
    return shape


def _tags(member: type[BaseModel]) -> set[str]:
    if "mode" in member.model_fields:
        return set(get_args(member.model_fields["mode"].annotation))
    return {f"to {key}" for actions in (ACTIONS, WAIT_ACTIONS) for key, action in actions.items() if action is member}


def _problem(tree: Node, error: ErrorDetails) -> Problem:
    found = follow(tree, error["loc"])
    is_key = error["loc"][-1:] == ("[key]",)
    place = found.key if is_key or error["type"] == "missing" or error["input"] is None else found.value
    return Problem(place, *_words(error))


def _words(error: ErrorDetails) -> tuple[str, str, str]:
    """Code, matter and mend."""
    match error["type"]:
        case "missing":
            return "S011", f"'{error['loc'][-1]}' is missing", f"add a line '{error['loc'][-1]}: …'"
        case "union_tag_not_found" | "union_tag_invalid" | "literal_error":
            return "S014", *_not_a_choice(error)
        case "value_error":
            matter, _, mend = str(error.get("ctx", {}).get("error", error["msg"])).rpartition(": ")
            return "S012", matter, mend
        case "model_type" | "dict_type" | "list_type" | "tuple_type" | "string_type" | "date_type":
            return "S013", *_wrong_kind(error)
        case _ if error["input"] is None:
            return "S013", *_wrong_kind(error)
        case _:
            return "S012", f"{_shown(error['input'])} is not possible here", _instead(error)


def _not_a_choice(error: ErrorDetails) -> tuple[str, str]:
    written = error["input"]
    context = error.get("ctx", {})
    if error["type"] == "literal_error":
        return _among(str(written), re.findall(r"'([^']*)'", context["expected"]), is_action=error["loc"][-1] == "do")
    if error["type"] == "union_tag_invalid":
        return _among(str(context["tag"]), re.findall(r"'([^']*)'", context["expected_tags"]), is_action=False)
    discriminator = str(context.get("discriminator"))
    if "mode" in discriminator:
        return "'mode' is missing", "add 'mode: primary', 'parallel', 'whole' or 'sub_centre'"
    waits = "wait" in discriminator
    keys = [key for key in (WAIT_ACTIONS if waits else ACTIONS) if key != "do"]
    words = "call_back or position" if waits else "repeat, back or person"
    mend = f"write {words}, or one of the keys {', '.join(keys)}"
    unknown = next(iter(written), None) if isinstance(written, dict) else None
    if unknown is not None and (near := meant(str(unknown), keys)):
        mend = f"did you mean '{near}'?"
    return ("nothing is written for this key" if written is None else "this is no action"), mend


def _among(written: str, choices: list[str], *, is_action: bool) -> tuple[str, str]:
    near = meant(written, choices)
    mend = f"did you mean '{near}'?" if near else f"write one of: {', '.join(choices)}"
    if is_action:
        example = f"{{ queue: {written} }}" if "call_back" in choices else f"{{ menu: {written} }}"
        what = "skill" if "call_back" in choices else "menu"
        mend += f" A {what} is written as '{example}'" if near else f", or a mapping such as {example}"
    return f"'{written}' cannot be chosen here", mend


def _wrong_kind(error: ErrorDetails) -> tuple[str, str]:
    wanted: dict[str, str] = {
        "model_type": "lines of the form 'key: value'",
        "dict_type": "lines of the form 'key: value'",
        "list_type": "a list, one '- value' a line",
        "tuple_type": "a list, one '- value' a line",
    }
    instead = wanted.get(error["type"], "a single value")
    match error["input"]:
        case None:
            matter = "nothing is written here"
        case dict():
            matter = "a mapping stands here"
        case list():
            matter = "a list stands here"
        case other:
            matter = f"{_shown(other)} stands here"
    return matter, f"write {instead}"


_INSTEAD: dict[str, str] = {
    "int_parsing": "write a whole number",
    "int_parsing_size": "write a smaller number",
    "greater_than_equal": "write at least {ge:g}",
    "less_than_equal": "write at most {le:g}",
    "string_too_short": "write something",
    "string_too_long": "write at most {max_length} characters",
    "too_short": "write at least {min_length} of them",
    "too_long": "write at most {max_length} of them",
    "ip_v4_address": "write an IPv4 address, such as 192.0.2.10",
    "bool_parsing": "write true or false",
}
"""A kind of pydantic's errors → what to write instead."""


def _instead(error: ErrorDetails) -> str:
    context: dict[str, Any] = error.get("ctx", {})
    if error["type"] == "string_pattern_mismatch":
        return PATTERNS[context["pattern"]]
    if error["type"] in _INSTEAD:
        # Of all values only durations are floats: their bounds are seconds.
        unit = "s" if isinstance(error["input"], float) else ""
        return _INSTEAD[error["type"]].format(**context) + unit
    return error["msg"][:1].lower() + error["msg"][1:]


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"'{written_seconds(value)}'"
    if not isinstance(value, str):
        return "this" if value else "an empty mapping" if isinstance(value, dict) else "an empty list"
    text = value if len(value) <= 40 else value[:39] + "…"
    return "'" + "".join(char if char.isprintable() else "�" for char in text) + "'"
