"""Numbers, dates, amounts and symbols as English says them; the voice reads small numbers itself."""

import re
from collections.abc import Callable, Collection

_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_MONEY = {"¥": "yuan", "$": "dollars", "€": "euros", "£": "pounds"}
_SYMBOLS = {
    "×": " times ",
    "÷": " divided by ",
    "+": " plus ",
    "=": " equals ",
    "±": " plus or minus ",
    "&": " and ",
    "@": " at ",
    "<": " less than ",
    ">": " greater than ",
    "°": " degrees ",
    "*": " star ",
    "#": " hash ",
    "/": " ",
}
_PUNCTUATION = str.maketrans(
    {"，": ", ", "。": ". ", "、": ", ", "；": "; ", "！": "! ", "？": "? ", "：": ": ", "（": ", ", "）": ", "}
)
_UNITS = "yuan|people|persons|days?|hours?|minutes?|seconds?|weeks?|months?|years?|times|km|kilometres?|metres?|degrees"


def telephone(digits: str) -> str:
    """Digit by digit, groups parted by a short pause."""
    return ", ".join(" ".join(group) for group in re.findall(r"\d+", digits))


def _date(found: re.Match[str]) -> str:
    year, _, month, day = found.groups()
    if not (1 <= int(month) <= 12 and 1 <= int(day) <= 31):
        return found.group()
    return f"{_ordinal(int(day))} of {_MONTHS[int(month) - 1]} {year}"


def _ordinal(day: int) -> str:
    ending = "th" if 10 < day < 14 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return f"{day}{ending}"


def _clock(found: re.Match[str]) -> str:
    hour, minute = int(found[1]), found[2]
    if minute == "00" and hour in {0, 12, 24}:
        return "noon" if hour == 12 else "midnight"
    half = "a.m." if hour % 24 < 12 else "p.m."
    said = f"{(hour + 11) % 12 + 1}"
    if minute != "00":
        said += f" {minute}" if minute[0] != "0" else f" oh {minute[1]}"
    return f"{said} {half}"


def _amount(found: re.Match[str]) -> str:
    sign, number, scale = found.groups()
    return _money(number, scale, _MONEY[sign])


def _money(number: str, scale: str | None, unit: str) -> str:
    whole, _, part = number.replace(",", "").partition(".")
    if scale or len(part) != 2:
        return f"{number}{scale or ''} {unit}"
    return f"{whole} {unit} {part.lstrip('0')}".rstrip()


def _integer(telephone_numbers: Collection[str]) -> Callable[[re.Match[str]], str]:
    def said(found: re.Match[str]) -> str:
        digits, unit = found.groups()
        alone = unit is None and (digits in telephone_numbers or len(digits) >= 5)
        return telephone(digits) if alone or (len(digits) > 1 and digits[0] == "0") else digits

    return said


_N = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_Rule = tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]

_BEFORE: tuple[_Rule, ...] = (
    (re.compile(r"(?<![\d-])(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?![\d-])"), _date),
    (re.compile(r"\+?(?<!\d)(?:86[- ])?(?:0\d{2,3}-\d{7,8}|[48]00-?\d{3}-?\d{4}|1\d{2}[- ]\d{4}[- ]\d{4})(?!\d)"),
     lambda found: telephone(found[0])),
    (re.compile(r"\+(\d{7,15})(?!\d)"), lambda found: telephone(found[1])),
    (re.compile(r"(?<=[\d%])\s*[-~～–—]\s*(?=[\d¥])"), " to "),
    (re.compile(r"(?<![\d:])([01]?\d|2[0-4]):([0-5]\d)(?![\d:])(?!\s*[ap]\.?m\b)"), _clock),
    (re.compile(rf"([¥$€£])\s*({_N})( million| billion)?(?: yuan)?"), _amount),
    (re.compile(r"(?<![\d.,])(\d+\.\d\d) yuan"), lambda found: _money(found[1], None, "yuan")),
    (re.compile(r"\s*°C\b"), " degrees Celsius"),
    (re.compile(r"\s*%"), " percent"),
    (re.compile(r"\s*‰"), " per thousand"),
    (re.compile(r"(?<![A-Za-z\d])-(?=\d)"), "minus "),
)  # fmt: skip


def expand(text: str, telephone_numbers: Collection[str]) -> str:
    """`text` with digits left only where they make a number that is read as one."""
    for pattern, said in _BEFORE:
        text = pattern.sub(said, text)
    integer = re.compile(rf"(?<![\d.,])(\d+)(?![\d]|[.,]\d)(?=(\s(?:{_UNITS})\b)?)")
    text = integer.sub(_integer(telephone_numbers), text)
    for sign, name in _SYMBOLS.items():
        text = text.replace(sign, name)
    return _spelled(" ".join(text.translate(_PUNCTUATION).split()))


def _spelled(text: str) -> str:
    """Short words in capitals letter by letter (`IC card`), unless everything is in capitals."""
    if not any(char.islower() for char in text):
        return text
    return re.sub(r"\b[A-Z]{2,3}\b", lambda found: " ".join(found[0]), text)
