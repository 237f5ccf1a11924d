"""The one place where values become Asterisk's text. It quotes nothing by guess: it refuses."""

import re
from typing import assert_never

from dialplan.values import (
    Address,
    Arg,
    Ask,
    At,
    Code,
    ConfigFile,
    Context,
    Do,
    Extension,
    Gosub,
    Goto,
    GotoIf,
    Here,
    Move,
    Pattern,
    Play,
    Put,
    PutAll,
    Return,
    Section,
    Target,
)

LONGEST_LINE = 2000
"""Asterisk cuts a line at 8,192 bytes and an application's arguments at 4,096, in silence."""

HEADER = "; Made from the settings by 'bin/hotline compile': changes made here are lost.\n"

_STRANGE = re.compile(r"[^\w .+=~*#%-]")
_STRANGE_IN_ADDRESS = re.compile(r"[^\w .+=~*#%/:@-]")
_NAME = re.compile(r"[A-Za-z0-9_]{1,79}")
_EXTENSION = re.compile(r"[A-Za-z0-9*#+][A-Za-z0-9_*#+]{0,69}")
_PATTERN = re.compile(r"_(?:[A-Za-z0-9.!]|\[[A-Z0-9#-]+\]){1,40}")
_KEY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.(),*/-]{0,199}")
_APP = re.compile(r"[A-Z][A-Za-z]{1,40}")
_PLACE = re.compile(r"<([a-z_0-9]+)>")
_CALM = re.compile(r"[^,$\"\\]*|\$\[[^\"\\]*\]|\$\{(?:EPOCH|STRFTIME\(.*\))\}")
"""What never becomes a text with a comma: our own words, what is reckoned, and the time."""
_BRACKET = re.compile(r"[()\[\]{}]")
_PAIRS = {")": "(", "]": "[", "}": "{"}


class Unsafe(ValueError):
    """A value that could mean something else to Asterisk than it says."""

    def __init__(self, value: str, why: str) -> None:
        self.value = value
        self.why = why
        super().__init__(f"{value!r} cannot stand in Asterisk's configuration: {why}")


def render(file: ConfigFile) -> str:
    """A whole file. Raises Unsafe."""
    blocks = [_section(section) for section in file.sections]
    blocks += [_context(context) for context in file.contexts]
    return HEADER + "\n" + "\n".join(blocks)


def plain(value: str | int | Address) -> str:
    """Data as it stands: words, digits, paths. Raises Unsafe."""
    text = value.text if isinstance(value, Address) else str(value)
    _printable(text)
    strange = (_STRANGE_IN_ADDRESS if isinstance(value, Address) else _STRANGE).search(text)
    if strange is not None:
        raise Unsafe(text, f"the character {strange[0]!r} has a meaning of its own there")
    if text != text.strip():
        raise Unsafe(text, "blanks at the ends would be lost")
    return text


def config_value(value: Arg) -> str:
    """What stands after `=`: data in which only `;` and blanks at the ends mean anything. Raises Unsafe."""
    if isinstance(value, Code):
        return _line(_escaped(_expression(value)))
    if isinstance(value, Address):
        return _line(plain(value))
    text = str(value)
    _printable(text)
    if text != text.strip():
        raise Unsafe(text, "blanks at the ends would be lost")
    if "\\" in text:
        raise Unsafe(text, "a backslash would be lost")
    if text.startswith(">"):
        raise Unsafe(text, "it would be read as part of '=>'")
    return _line(_escaped(text))


def _section(section: Section) -> str:
    arrow = " => " if section.objects else " = "
    lines = [f"[{_named(section.name)}]"]
    for key, value in section.entries:
        if not _KEY.fullmatch(key):
            raise Unsafe(key, "no option is called so")
        lines.append(_line(f"{key}{arrow}{config_value(value)}"))
    return "\n".join(lines) + "\n"


def _context(context: Context) -> str:
    lines = [f"[{_named(context.name)}]"]
    for extension in context.extensions:
        lines += _extension(extension)
    return "\n".join(lines) + "\n"


def _extension(extension: Extension) -> list[str]:
    allowed = _PATTERN if isinstance(extension.name, Pattern) else _EXTENSION
    if not allowed.fullmatch(extension.text):
        raise Unsafe(extension.text, "no extension can be called so")
    lines = []
    for place, step in enumerate(extension.steps):
        label, move = (step.label, step.step) if isinstance(step, At) else ("", step)
        mark = f"({_named(label)})" if label else ""
        begin = f"exten => {extension.text},1{mark}," if place == 0 else f" same => n{mark},"
        lines.append(_line(begin + _escaped(_move(move))))
    return lines


def _move(move: Move) -> str:  # noqa: PLR0911 -- one for each kind
    match move:
        case Do(app=app, args=args):
            return f"{_app(app)}({','.join(_argument(arg) for arg in args)})"
        case Put(name=name, value=value):
            return f"Set({_balanced(name)}={_value(value)})"
        case PutAll(puts=puts):
            return f"MSet({','.join(_calm(put) for put in puts)})"
        case Goto(to=to):
            return f"Goto({_target(to)})"
        case GotoIf(when=when, to=to):
            return f"GotoIf($[{_expression(when)}]?{_target(to)})"
        case Gosub(to=to, args=args):
            given = f"({','.join(_argument(arg) for arg in args)})" if args else ""
            return f"Gosub({_target(to)}{given})"
        case Return(value=value):
            return f"Return({_value(value)})"
        case Play():
            return _play(move)
        case Ask(name=name, most=most, wait_s=wait_s):
            return f"Read({_balanced(name)},{_sound(move)},{most},,1,{wait_s})"
        case _:
            assert_never(move)


def _calm(put: Put) -> str:
    value = _value(put.value)
    if not _CALM.fullmatch(value):
        raise Unsafe(value, "beside others it could begin another variable")
    return f"{_balanced(put.name)}={value}"


def _sound(played: Play | Ask) -> str:
    if not _NAME.fullmatch(played.prompt):
        raise Unsafe(played.prompt, "no prompt can be called so")
    return f"${{SAY_{_value(played.language)}_{played.prompt}}}"


def _play(play: Play) -> str:
    sound = _sound(play)
    if play.deaf:
        return f"Playback({sound})"
    context = f",,{_argument(play.keys.context)}" if play.keys else ""
    return f"BackGround({sound},m{context})"


def _target(to: Target | Here) -> str:
    if isinstance(to, Here):
        return _named(to.label)
    label = str(to.label) if isinstance(to.label, int) else _named(to.label)
    return f"{_argument(to.context)},{_argument(to.extension)},{label}"


def _argument(arg: Arg) -> str:
    """One argument: a comma outside brackets would begin another."""
    text = _value(arg)
    if "," not in text:
        return text
    depth = 0
    for character in text:
        depth += (character in "([{") - (character in ")]}")
        if character == "," and depth == 0:
            raise Unsafe(text, "its comma would begin another argument")
    return text


def _value(arg: Arg) -> str:
    return _expression(arg) if isinstance(arg, Code) else plain(arg)


def _expression(made: Code) -> str:
    values = dict(made.values)
    text = _PLACE.sub(lambda place: _value(values[place[1]]), made.template)
    _printable(text)
    return _balanced(text)


def _balanced(text: str) -> str:
    """Brackets and quotes close in the order they were opened."""
    opened: list[str] = []
    for character in _BRACKET.findall(text):
        if character in "([{":
            opened.append(character)
        elif not opened or opened.pop() != _PAIRS[character]:
            raise Unsafe(text, f"its {character!r} closes nothing")
    if opened or text.count('"') % 2:
        raise Unsafe(text, "a bracket or a quote is not closed")
    return text


def _printable(text: str) -> None:
    if not text.isprintable():
        raise Unsafe(text, "it holds a control character or a line break")


def _named(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise Unsafe(name, "names are letters, digits and underscores")
    return name


def _app(name: str) -> str:
    if not _APP.fullmatch(name):
        raise Unsafe(name, "no application is called so")
    return name


def _escaped(text: str) -> str:
    """A bare semicolon would begin a comment."""
    return text.replace(";", "\\;")


def _line(text: str) -> str:
    if len(text.encode()) > LONGEST_LINE:
        raise Unsafe(text[:60] + "…", f"the line is longer than {LONGEST_LINE} bytes")
    return text
