"""Numbers, dates, amounts and symbols are written out as people say them."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prompts.chinese import cardinal
from prompts.text import expand, fold

NUMBERS = {"12345", "110", "120"}

CHINESE = {
    "欢迎致电12345热线": "欢迎致电幺二三四五热线",
    "请拨打110": "请拨打幺幺零",
    "120元": "一百二十元",
    "010-12345678": "零幺零，幺二三四五六七八",
    "13800138000": "幺三八零零幺三八零零零",
    "工号8001": "工号八零零幺",
    "8001号话务员": "八零零幺号话务员",
    "１２３４５": "幺二三四五",
    "￥3.50": "三元五角",
    "¥3.05": "三元零五分",
    "¥0.50": "五角",
    "￥1,200": "一千二百元",
    "2.5万元": "二点五万元",
    "10000元": "一万元",
    "2026-11-21": "二零二六年十一月二十一日",
    "11月21日": "十一月二十一日",
    "2025-2026年": "二零二五至二零二六年",
    "20年": "二十年",
    "08:30": "八点三十分",
    "8：05": "八点零五分",
    "9:00-17:30": "九点至十七点三十分",
    "95%": "百分之九十五",
    "3.5%": "百分之三点五",
    "-5℃": "零下五摄氏度",
    "-5": "负五",
    "3.14": "三点一四",
    "7×24小时": "七乘二十四小时",
    "2个工作日": "两个工作日",
    "3~5天": "三至五天",
    "第2项": "第二项",
    "请按1": "请按一",
    "请按*键，请按#号键": "请按星号键，请按井号键",
    "请按*1": "请按星号一",
    "100，200": "一百，二百",
    "20㎡": "二十平方米",
}

ENGLISH = {
    "Welcome to 12345.": "Welcome to 1 2 3 4 5.",
    "dial 110, please": "dial 1 1 0, please",
    "120 people": "120 people",
    "10,000 people": "10,000 people",
    "010-12345678": "0 1 0, 1 2 3 4 5 6 7 8",
    "¥3.50": "3 yuan 50",
    "¥1,200": "1,200 yuan",
    "2026-11-21": "21st of November 2026",
    "from 09:00-17:30": "from 9 a.m. to 5 30 p.m.",
    "at 12:00": "at noon",
    "at 8:30 a.m.": "at 8:30 a.m.",
    "95%": "95 percent",
    "-5℃": "minus 5 degrees Celsius",
    "press *1 or #": "press star 1 or hash",
    "your IC card": "your I C card",
    "CALL NOW": "CALL NOW",
}


@pytest.mark.parametrize(("written", "said"), CHINESE.items())
def test_chinese_texts_are_written_out_as_they_are_said(written: str, said: str) -> None:
    assert expand(written, "zh", NUMBERS) == said


@pytest.mark.parametrize(("written", "said"), ENGLISH.items())
def test_english_texts_are_written_out_as_they_are_said(written: str, said: str) -> None:
    assert expand(written, "en", NUMBERS) == said


@settings(deadline=None)
@given(st.text(alphabet="0123456789.,:-/%¥元年月日个第请 *#", max_size=24))
def test_no_digit_is_left_to_the_chinese_voice(text: str) -> None:
    assert not re.search(r"[0-9]", expand(text, "zh", NUMBERS))


@settings(deadline=None)
@given(st.text(max_size=40))
def test_any_text_at_all_can_be_written_out(text: str) -> None:
    expand(text, "zh", NUMBERS)
    expand(text, "en", NUMBERS)


@settings(deadline=None)
@given(st.integers(min_value=0, max_value=10**16 - 1))
def test_a_chinese_quantity_means_the_number_it_was_made_from(number: int) -> None:
    assert _meant(cardinal(number)) == number


def test_quantities_skip_zeros_as_people_do() -> None:
    said = {10: "十", 101: "一百零一", 1010: "一千零一十", 10_010: "一万零一十", 100_000_001: "一亿零一"}
    assert {number: cardinal(number) for number in said} == said


def test_wide_letters_and_line_breaks_are_folded() -> None:
    assert fold("ＡＢＣ\r\n１２：３０\x00，好") == "ABC 12:30 ，好"


def _meant(said: str) -> int:
    """The number that a Chinese quantity means, by the rules of a reader."""
    units = {"十": 10, "百": 100, "千": 1000}
    total = group = digit = 0
    for char in ("一" + said if said.startswith("十") else said).replace("万亿", "兆"):
        if char in units:
            group, digit = group + digit * units[char], 0
        elif char in "万亿兆":
            total += (group + digit) * {"万": 10**4, "亿": 10**8, "兆": 10**12}[char]
            group = digit = 0
        else:
            digit = "零一二三四五六七八九".index(char)
    return total + group + digit
