"""What `bin/hotline prompts` shows: a row for each prompt and language."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, assert_never

from rich.table import Table
from rich.text import Text as Styled

from prompts.catalogue import LANGUAGES, Catalogue, Recording, Text
from prompts.pinyin import Doubt, Why

READY = "ready"
NOT_BUILT = "not built"
MISSING = "missing"

_WHY = {
    Why.POLYPHONE: "has several readings",
    Why.UNKNOWN: "no reading known, left out",
    Why.SPELLED: "spelled letter by letter",
    Why.SYMBOL: "symbol left out",
    Why.TONELESS: "pronunciation without tones",
    Why.FOREIGN: "hanzi in an English text",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One prompt in one language, in words only: what `--json` prints."""

    prompt: str
    language: str
    state: str
    """`ready`, `not built`, or `missing`: nothing to say in this language."""
    source: str
    """`text`, `recording`, or what is heard instead: a language, or nothing."""
    text: str
    """The operator's text, or the recording's path."""
    spoken: str
    """What the voice is fed: pinyin or words; empty for a recording."""
    doubts: tuple[str, ...]
    """Words to listen to, each with its reason."""
    file: str
    """Its sound without extension."""


def rows(catalogue: Catalogue) -> tuple[Row, ...]:
    """Every prompt of the city in every language; system prompts without any entry are there too."""
    sounds = catalogue.sounds()
    prompts = dict.fromkeys([*(prompt for prompt, _ in sounds), *catalogue.wordless()])
    return tuple(_row(catalogue, prompt, language) for prompt in prompts for language in LANGUAGES)


def _row(catalogue: Catalogue, prompt: str, language: Any) -> Row:
    entry = catalogue.entries.get((prompt, language))
    if entry is None:
        instead = [other for other in LANGUAGES if (prompt, other) in catalogue.entries]
        return Row(prompt, language, MISSING, f"heard in {instead[0]}" if instead else "nothing", "", "", (), "")
    state = READY if entry.built else NOT_BUILT
    match entry.source:
        case Text(text, spoken, _):
            doubts = tuple(described(doubt) for doubt in spoken.doubts)
            return Row(prompt, language, state, "text", text, spoken.text, doubts, str(entry.base))
        case Recording(path):
            return Row(prompt, language, state, "recording", str(path), "", (), str(entry.base))
        case _:
            assert_never(entry.source)


def described(doubt: Doubt) -> str:
    """A doubt in one line: `重听 has several readings: zhong4 ting1, or chong2 ting1`."""
    line = f"{doubt.word} {_WHY[doubt.why]}"
    if doubt.said:
        line += f": {doubt.said}"
    return line + (f", or {', '.join(doubt.readings)}" if doubt.readings else "")


def table(shown: Iterable[Row]) -> Table:
    """The rows for people: text, pronunciation and doubts below each other."""
    drawn = Table(title="Prompts", header_style="bold", show_lines=True)
    for heading in ("prompt", "language", "state"):
        drawn.add_column(heading, no_wrap=True)
    drawn.add_column("what is said", overflow="fold")
    for row in shown:
        said = Styled(row.text or row.source)
        if row.spoken and row.spoken != row.text:
            said.append(f"\n{row.spoken}", style="dim")
        for doubt in row.doubts:
            said.append(f"\n? {doubt}", style="yellow")
        style = {READY: "green", NOT_BUILT: "cyan", MISSING: "red"}[row.state]
        drawn.add_row(Styled(row.prompt), row.language, Styled(row.state, style=style), said)
    return drawn
