"""Numbers, dates, amounts and symbols as Chinese says them.

Every rule leaves hanzi behind, so that no later rule finds its digits again.
"""

import re
from collections.abc import Callable, Collection

_DIGITS = "零一二三四五六七八九"
_SPOKEN_DIGITS = "零幺二三四五六七八九"
_MONEY = {"¥": "元", "$": "美元", "€": "欧元", "£": "英镑"}

_AFTER_TWO = "个|次|位|名|人|小时|分钟|天|周|年(?!级)|元|件|条|种|项|家|万|亿|倍|块|份|台|部|辆|张|处|遍"
"""Before these, 2 is 两."""

_UNITS = (
    f"{_AFTER_TWO}|多|余|几|百|千|角|分|秒|刻|点|月|日|岁|级|成|户|所|吨|米|厘米|毫米|公里|公斤|克|升|平方|立方"
    "|千瓦|度|摄氏度|美元|欧元|英镑|步|届|届|章|款|页|层"
)
"""After digits they make a quantity of them, which is read as one number."""

_METRIC = {"km": "公里", "kg": "公斤", "cm": "厘米", "mm": "毫米", "m2": "平方米", "m3": "立方米", "kWh": "千瓦时"}
_SYMBOLS = {
    "×": "乘",
    "÷": "除以",
    "+": "加",
    "=": "等于",
    "±": "正负",
    "&": "和",
    "@": "艾特",
    "<": "小于",
    ">": "大于",
    "°": "度",
    "*": "星号",
    "#": "井号",
}


def cardinal(number: int) -> str:
    """A whole number below 10¹⁶ as one quantity: 10203 is 一万零二百零三."""
    if number < 0:
        return "负" + cardinal(-number)
    if number == 0:
        return "零"
    groups = []
    rest, gap = number, False
    for unit in ("", "万", "亿", "万亿"):
        rest, group = divmod(rest, 10_000)
        if group:
            groups.append(_group(group) + unit + ("零" if gap else ""))
        gap = (0 < group < 1000 or (group == 0 and bool(groups))) and rest > 0
    said = "".join(reversed(groups)).replace("零零", "零")
    return said.removeprefix("一") if said.startswith("一十") else said


def _group(number: int) -> str:
    said, gap = "", False
    for value, unit in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, number = divmod(number, value)
        if digit:
            said += ("零" if gap else "") + _DIGITS[digit] + unit
            gap = False
        elif said:
            gap = True
    return said


def telephone(digits: str) -> str:
    """Digit by digit, with 1 as 幺; what is no digit becomes a short pause."""
    groups = re.findall(r"\d+", digits)
    return "，".join("".join(_SPOKEN_DIGITS[int(digit)] for digit in group) for group in groups)


def year(digits: str) -> str:
    return "".join(_DIGITS[int(digit)] for digit in digits)


def quantity(number: str) -> str:
    """`1,200` or `3.50` as one number."""
    whole, point, part = number.replace(",", "").partition(".")
    return _whole(whole) + ("点" + year(part) if point else "")


def _whole(digits: str) -> str:
    return cardinal(int(digits)) if len(digits) <= 16 else year(digits)


def _date(found: re.Match[str]) -> str:
    written, _, month, day = found.groups()
    if not (1 <= int(month) <= 12 and 1 <= int(day) <= 31):
        return found.group()
    return f"{year(written)}年{cardinal(int(month))}月{cardinal(int(day))}日"


def _clock(found: re.Match[str]) -> str:
    hour, minute, second = found.groups()
    said = cardinal(int(hour)) + "点"
    said = ("两点" if hour.lstrip("0") == "2" else said) + (_small(minute) + "分" if minute != "00" or second else "")
    return said + (_small(second) + "秒" if second else "")


def _small(digits: str) -> str:
    number = int(digits)
    return ("零" if 0 < number < 10 else "") + cardinal(number)


def _amount(found: re.Match[str]) -> str:
    sign, number, scale = found.groups()
    unit = _MONEY[sign]
    whole, point, part = number.replace(",", "").partition(".")
    if unit == "元" and len(part) <= 2 and point and not scale:
        return _yuan(whole, part.ljust(2, "0"))
    return quantity(number) + (scale or "") + unit


def _yuan(whole: str, part: str) -> str:
    jiao, fen = int(part[0]), int(part[1])
    said = ("两" if whole == "2" else _whole(whole)) + "元" if int(whole) or not (jiao or fen) else ""
    if jiao:
        said += _DIGITS[jiao] + "角"
    elif fen and said:
        said += "零"
    return said + (_DIGITS[fen] + "分" if fen else "")


def _integer(telephone_numbers: Collection[str]) -> Callable[[re.Match[str]], str]:
    def said(found: re.Match[str]) -> str:
        before, digits, unit = (part or "" for part in found.groups())
        if len(digits) >= 5 and digits in telephone_numbers:  # 12333人力…: 人 is no unit here.
            return before + telephone(digits) + unit
        named = len(digits) >= 3 and (before not in {"", "第"} or unit == "号")
        if unit in {"", "号"} and (named or digits in telephone_numbers or len(digits) >= 5):
            return before + telephone(digits) + unit
        if len(digits) > 1 and digits.startswith("0"):
            return before + telephone(digits) + unit
        two = digits == "2" and before != "第" and unit and re.fullmatch(_AFTER_TWO, unit)
        return before + ("两" if two else _whole(digits)) + unit

    return said


_N = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_Rule = tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]

_BEFORE: tuple[_Rule, ...] = (
    (re.compile(r"(?<![\d-])(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?![\d-])"), _date),
    (re.compile(r"(?<!\d)((?:1[89]|20)\d\d)(?=\s*(?:[-~～–—至到]\s*(?:1[89]|20)\d\d\s*)?年)"),
     lambda found: year(found[1])),
    (re.compile(r"(?<![\d:])([01]?\d|2[0-4]):([0-5]\d)(?::([0-5]\d))?(?![\d:])"), _clock),
    (re.compile(r"\+?(?<!\d)(?:86[- ])?(?:0\d{2,3}-\d{7,8}|[48]00-?\d{3}-?\d{4}|1\d{2}[- ]\d{4}[- ]\d{4})(?!\d)"),
     lambda found: telephone(found[0])),
    (re.compile(r"\+(\d{7,15})(?!\d)"), lambda found: telephone(found[1])),
    (re.compile(r"(?<=[\d年月日点分元%零一二三四五六七八九])\s*[-~～–—]\s*(?=[\d¥零一二三四五六七八九十])"), "至"),
    (re.compile(rf"([¥$€£])\s*({_N})(万|亿)?元?"), _amount),
    (re.compile(r"(?<![\d.])(\d+)\.(\d\d)元"), lambda found: _yuan(found[1], found[2])),
    (re.compile(rf"(-)?({_N})\s*°C"), lambda found: ("零下" if found[1] else "") + quantity(found[2]) + "摄氏度"),
    (re.compile(rf"({_N})\s*%"), lambda found: "百分之" + quantity(found[1])),
    (re.compile(rf"({_N})\s*‰"), lambda found: "千分之" + quantity(found[1])),
    (re.compile(r"(?<![A-Za-z\d])-(?=\d)"), "负"),
    (re.compile(rf"(?<=\d)\s*({'|'.join(sorted(_METRIC, key=len, reverse=True))})(?![A-Za-z\d])"),
     lambda found: _METRIC[found[1]]),
    (re.compile(r"\d+(?:\.\d+){2,}"), lambda found: "点".join(year(part) for part in found[0].split("."))),
    (re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\d)|\d+\.\d+"), lambda found: quantity(found[0])),
)  # fmt: skip


def expand(text: str, telephone_numbers: Collection[str]) -> str:
    """`text` without digits; the symbols that have a name are named, others stay."""
    for pattern, said in _BEFORE:
        text = pattern.sub(said, text)
    integer = re.compile(rf"(号码?|电话|热线|拨打?|致电|第)?(\d+)\s*({_UNITS}|号)?")
    text = integer.sub(_integer(telephone_numbers), text)
    for sign, name in _SYMBOLS.items():
        text = text.replace(sign + "号", name).replace(sign, name)
    return text
