"""Dialplan and configuration files as values. `dialplan.render` alone turns them into text.

A plain `str` among arguments is data: the renderer refuses it when a single character could mean
something to Asterisk. What is meant to mean something is `Code`, and only our own words are code.
"""

from dataclasses import dataclass
from typing import LiteralString

Plain = str | int
"""Data. The renderer lets through only what stands for itself."""


@dataclass(frozen=True, slots=True)
class Address:
    """Data in which `/`, `:` and `@` are wanted: a file's path, or what is dialled."""

    text: str


@dataclass(frozen=True, slots=True)
class Code:
    """Asterisk's own language: `template` is written by us, `<name>` in it stands for a value."""

    template: str
    values: tuple[tuple[str, "Plain | Address | Code"], ...] = ()


Arg = Plain | Address | Code


def code(template: LiteralString, **values: Arg) -> Code:
    """Code with data in it: `code("PJSIP/<seat>", seat=...)`. The template is always a literal."""
    return Code(template, tuple(values.items()))


def joined(separator: LiteralString, parts: "tuple[Arg, ...]") -> Code:
    """Code and data side by side."""
    names = tuple((f"p{place}", part) for place, part in enumerate(parts))
    return Code(separator.join(f"<{name}>" for name, _ in names), names)


@dataclass(frozen=True, slots=True)
class Target:
    """Where a call goes on. A target with code in it lists in `among` every place it can mean."""

    context: Arg
    extension: Arg = "s"
    label: str | int = 1
    among: "tuple[Target, ...]" = ()


@dataclass(frozen=True, slots=True)
class Here:
    """Another label of the same extension."""

    label: str


# --- steps -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Do:
    """One application with its arguments; `reaches` are targets that its arguments name."""

    app: LiteralString
    args: tuple[Arg, ...] = ()
    reaches: tuple[Target, ...] = ()


@dataclass(frozen=True, slots=True)
class Put:
    """A variable, or a function that can be written, gets a value."""

    name: LiteralString
    value: Arg = ""
    reaches: tuple[Target, ...] = ()


@dataclass(frozen=True, slots=True)
class PutAll:
    """Several of them in one step, which costs Asterisk less than one for each. All values are worked out before
    the first is put. None may be what somebody else chose: a comma in it would begin another variable."""

    puts: tuple[Put, ...]


@dataclass(frozen=True, slots=True)
class Goto:
    to: Target | Here


@dataclass(frozen=True, slots=True)
class GotoIf:
    when: Code
    to: Target | Here


@dataclass(frozen=True, slots=True)
class Gosub:
    """Asterisk's subroutine; it comes back with GOSUB_RETVAL."""

    to: Target
    args: tuple[Arg, ...] = ()


@dataclass(frozen=True, slots=True)
class Return:
    value: Arg = ""


@dataclass(frozen=True, slots=True)
class Play:
    """Plays a prompt; digits that are extensions of a context break it off and go there."""

    prompt: str
    language: Arg
    keys: Target | None = None
    """Where digits count (only its context); None: in the context where the call is."""
    deaf: bool = False
    """No digit breaks it off."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Plays a prompt and collects digits into a variable; a hash ends them early."""

    name: LiteralString
    prompt: str
    language: Arg
    most: int
    """Digits."""
    wait_s: int
    """How long each digit is waited for."""


Move = Do | Put | PutAll | Goto | GotoIf | Gosub | Return | Play | Ask


@dataclass(frozen=True, slots=True)
class At:
    """A step with a label to jump to."""

    label: str
    step: Move


@dataclass(frozen=True, slots=True)
class Extension:
    """`name` is matched exactly; a `Pattern` by Asterisk's rules."""

    name: "str | Pattern"
    steps: tuple[Move | At, ...]

    @property
    def text(self) -> str:
        return self.name.text if isinstance(self.name, Pattern) else self.name


@dataclass(frozen=True, slots=True)
class Pattern:
    """Ours alone: no data ever becomes one. `_` begins it."""

    text: LiteralString


@dataclass(frozen=True, slots=True)
class Context:
    name: str
    extensions: tuple[Extension, ...]


# --- the other files ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Section:
    """One `[name]` of a configuration file; a value is data, or an Asterisk expression of ours."""

    name: str
    entries: tuple[tuple[str, Arg], ...]
    objects: bool = False
    """Entries are written with `=>`, as queue members and log columns are."""


@dataclass(frozen=True, slots=True)
class ConfigFile:
    sections: tuple[Section, ...]
    contexts: tuple[Context, ...] = ()
