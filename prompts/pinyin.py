"""From texts to what the voice is fed: toned pinyin for Chinese, words for English.

The operator's pronunciations win over the dictionary, the longest match first. What is likely to
be misread is reported as doubts, so that a person listens before callers do.
"""

import re
import warnings
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from prompts.text import expand, fold
from settings.shape import Language

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # It opens its tables with codecs.open, deprecated in 3.14.
    from pypinyin import Style, lazy_pinyin, pinyin
    from pypinyin.constants import PHRASES_DICT
    from pypinyin.seg import mmseg

_HANZI = r"[\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+"
_TOKEN = re.compile(
    rf"(?P<hanzi>{_HANZI})|(?P<latin>[A-Za-z]+)|(?P<pause>[,，、;；:：.。!！?？…—()（）《》\[\]“”\"/|]+)"
)

_PAUSES = {"。": ".", ".": ".", "…": ".", "!": "!", "！": "!", "?": "?", "？": "?"}
"""What ends a sentence; all other punctuation is a short pause, except quotation marks: none."""
_SILENT = frozenset('“”"《》[]')

_LETTERS = {
    "a": "ei1", "b": "bi4", "c": "xi1", "d": "di4", "e": "yi4", "f": "ai2 fu5", "g": "ji4", "h": "ai2 qi5",
    "i": "ai4", "j": "zhei4", "k": "kai4", "l": "ai2 lou5", "m": "ai2 mu5", "n": "en1", "o": "ou1", "p": "pi1",
    "q": "kiu1", "r": "a4 er5", "s": "ai2 si5", "t": "ti4", "u": "you1", "v": "wei1", "w": "da2 bu5 liu5",
    "x": "ai2 ke5 si5", "y": "wai4", "z": "zei4",
}  # fmt: skip
"""Letters' names as Chinese says them: the Chinese voice knows no other."""

_TWO_WAYS = frozenset(
    "还重行长调处差传倒降角尽空累率落宁强切曲省盛似系兴载扎涨朝参藏曾乘冲担弹恶冠假露模散舍数宿挑为校血着地得"
)
"""Characters with two everyday readings; a word of the dictionary decides them, alone they are a guess."""
_SURE = frozenset({"为您", "为你", "为了", "为保", "为方", "为确"})
"""A character with the first one after it, where its reading is plain (为保证, 为方便)."""
_TRAPS = {"重听": "chong2 ting1", "重名": "chong2 ming2", "还款": "huan2 kuan3", "打的": "da3 de5"}
"""Words that the dictionary reads in a way that is wrong here (its 重听 is `hard of hearing`)."""


_ENGLISH_SIGNS = frozenset(".,;:!?'\"()-’‘“”–—…")
_SYLLABLE = re.compile(r"[a-z]+[1-5]")


class Why(Enum):
    """Why a word may be misread."""

    POLYPHONE = "polyphone"
    UNKNOWN = "unknown"
    """No pronunciation is known; the word is left out."""
    SPELLED = "spelled"
    """Latin letters, said one by one."""
    SYMBOL = "symbol"
    """A sign that no rule expands; it is left out."""
    TONELESS = "toneless"
    """The operator's own pronunciation has a syllable without its tone (1 to 5)."""
    FOREIGN = "foreign"
    """Hanzi in an English text: said without tones."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A word to listen to, and to add to the pronunciations if it is wrong."""

    word: str
    why: Why
    said: str
    """What the voice says now; empty when nothing."""
    readings: tuple[str, ...] = ()
    """Its other everyday readings."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """What the voice is fed, and where it may be wrong."""

    text: str
    doubts: tuple[Doubt, ...]


class Speller:
    """Writes texts as the voice reads them.

    `pronunciations` are the operator's words (hanzi or Latin) with their toned pinyin, for Chinese
    texts; `telephone_numbers` are read digit by digit.
    """

    def __init__(self, pronunciations: Mapping[str, str], telephone_numbers: Collection[str] = ()) -> None:
        self._own = {fold(word).lower(): _voiced(said) for word, said in pronunciations.items() if fold(word)}
        self._numbers = frozenset(telephone_numbers)
        words = sorted(self._own, key=len, reverse=True)
        self._match = re.compile("|".join(_bounded(word) for word in words), re.IGNORECASE) if words else None

    def spoken(self, text: str, language: Language) -> Spoken:
        """`text` as the voice of `language` is fed with it; empty when nothing in it can be said."""
        doubts: list[Doubt] = []
        parts = self._chinese(text, doubts) if language == "zh" else _english(text, self._numbers, doubts)
        return Spoken(_joined(parts), tuple(dict.fromkeys(doubts)))

    def _chinese(self, text: str, doubts: list[Doubt]) -> Iterator[str]:
        folded = fold(text)
        begin = 0
        for found in self._match.finditer(folded) if self._match else ():
            yield from self._dictionary(folded[begin : found.start()], doubts)
            said = self._own[found.group().lower()]
            if any(not _SYLLABLE.fullmatch(syllable) for syllable in re.split(r"[ ,.]+", said.strip(" ,."))):
                doubts.append(Doubt(found.group(), Why.TONELESS, said))
            yield said
            begin = found.end()
        yield from self._dictionary(folded[begin:], doubts)

    def _dictionary(self, text: str, doubts: list[Doubt]) -> Iterator[str]:
        expanded = expand(text, "zh", self._numbers)
        begin = 0
        for found in _TOKEN.finditer(expanded):
            _left_out(expanded[begin : found.start()], doubts)
            begin = found.end()
            if found["hanzi"]:
                yield from _hanzi(found["hanzi"], doubts)
            elif found["latin"]:
                said = " ".join(_LETTERS[letter] for letter in found["latin"].lower())
                doubts.append(Doubt(found["latin"], Why.SPELLED, said))
                yield said
            else:
                yield _pause(found["pause"])
        _left_out(expanded[begin:], doubts)


def _voiced(written: str) -> str:
    """An operator's pinyin as the voice knows it: small letters, ü as v (`lu:4` is `lv4`)."""
    return re.sub(r"u:", "v", written.lower()).replace(":", " ")


def _bounded(word: str) -> str:
    """A pattern for `word` that does not match inside a longer Latin word or number."""
    before = r"(?<![A-Za-z0-9])" if word[0].isascii() and word[0].isalnum() else ""
    after = r"(?![A-Za-z0-9])" if word[-1].isascii() and word[-1].isalnum() else ""
    return before + re.escape(word) + after


def _hanzi(run: str, doubts: list[Doubt]) -> Iterator[str]:
    words = [word for word in mmseg.seg.cut(run) if word]
    said: list[str] = []
    for at, word in enumerate(words):
        syllables = lazy_pinyin([word], style=Style.TONE3, neutral_tone_with_five=True)
        known = [syllable for syllable in syllables if syllable.isascii()]
        if len(known) < len(syllables) or not known:
            doubts.append(Doubt(word, Why.UNKNOWN, " ".join(known)))
        beside = (word + words[at + 1][:1]) if at + 1 < len(words) else word
        doubts += _two_ways(word, beside, " ".join(known))
        said += known
    for at in range(len(said) - 1):
        if said[at] == "bu4" and said[at + 1].endswith("4"):
            said[at] = "bu2"  # 不 changes its tone before a fourth tone; the voice itself changes third tones only.
    yield " ".join(said)


def _two_ways(word: str, beside: str, said: str) -> Iterator[Doubt]:
    if word in _TRAPS:
        yield Doubt(word, Why.POLYPHONE, said, (_TRAPS[word],))
    elif word not in PHRASES_DICT and beside not in _SURE:
        for char in word:
            if char in _TWO_WAYS:
                readings = pinyin(char, style=Style.TONE3, heteronym=True, neutral_tone_with_five=True)[0]
                yield Doubt(char, Why.POLYPHONE, said, tuple(reading for reading in readings if reading != said))


def _english(text: str, numbers: frozenset[str], doubts: list[Doubt]) -> Iterator[str]:
    for part in re.split(f"({_HANZI})", expand(text, "en", numbers)):
        if re.match(_HANZI, part):
            said = " ".join(syllable for syllable in lazy_pinyin(part) if syllable.isascii())
            doubts.append(Doubt(part, Why.FOREIGN, said))
            yield said
        else:
            strange = {sign for sign in part if not (sign.isalnum() or sign.isspace() or sign in _ENGLISH_SIGNS)}
            _left_out("".join(sorted(strange)), doubts)
            yield "".join(" " if sign in strange else sign for sign in part)


def _left_out(rest: str, doubts: list[Doubt]) -> None:
    doubts += [Doubt(sign, Why.SYMBOL, "") for sign in rest if not sign.isspace() and sign not in "'’‘-·~～"]


def _pause(signs: str) -> str:
    ends = [_PAUSES[sign] for sign in signs if sign in _PAUSES]
    return ends[-1] if ends else "" if all(sign in _SILENT for sign in signs) else ","


def _joined(parts: Iterator[str]) -> str:
    """Words parted by blanks, marks set to the word before them, none at the beginning."""
    text = " ".join(part for part in parts if part.strip())
    text = re.sub(r"\s+(?=[,.!?])", "", " ".join(text.split()))
    text = re.sub(r"([,.!?])[,.!?]+", r"\1", text)
    return text.lstrip(",.!? ")
