"""Chinese is fed to the voice as toned pinyin, and what may be misread is reported."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prompts.pinyin import Speller, Spoken, Why

PLAIN = Speller({}, {"12345"})


def said(text: str) -> str:
    return PLAIN.spoken(text, "zh").text


def reasons(spoken: Spoken) -> dict[str, Why]:
    return {doubt.word: doubt.why for doubt in spoken.doubts}


@pytest.mark.parametrize(
    ("text", "pinyin"),
    {
        "银行": "yin2 hang2",
        "行政": "xing2 zheng4",
        "市长": "shi4 zhang3",
        "长期": "chang2 qi1",
        "重新": "chong2 xin1",
        "调解": "tiao2 jie3",
        "调查": "diao4 cha2",
        "旅游": "lv3 you2",
        "您的": "nin2 de5",
        "不再": "bu2 zai4",
        "12345": "yao1 er4 san1 si4 wu3",
    }.items(),
)
def test_words_decide_how_their_characters_are_read(text: str, pinyin: str) -> None:
    assert said(text) == pinyin


def test_an_operators_pronunciation_wins_over_the_dictionary() -> None:
    assert said("请按井号键重听").endswith("zhong4 ting1")
    own = Speller({"重听": "chong2 ting1"})
    assert own.spoken("请按井号键重听", "zh").text.endswith("chong2 ting1")


def test_the_longest_pronunciation_wins() -> None:
    own = Speller({"朝": "zhao1", "朝阳": "chao2 yang2", "朝阳区": "zhao1 yang2 qu1"})
    assert own.spoken("朝阳区朝阳朝", "zh").text == "zhao1 yang2 qu1 chao2 yang2 zhao1"


def test_latin_words_are_taken_from_the_list_in_any_case_but_never_out_of_longer_words() -> None:
    own = Speller({"App": "ai1 pu5"})
    assert own.spoken("APP", "zh").text == "ai1 pu5"
    assert "ai1 pu5" not in own.spoken("apple", "zh").text


def test_latin_words_that_the_list_lacks_are_spelled_and_reported() -> None:
    spoken = PLAIN.spoken("办理IC证", "zh")
    assert spoken.text == "ban4 li3 ai4 xi1 zheng4"
    assert reasons(spoken) == {"IC": Why.SPELLED}


def test_punctuation_becomes_pauses() -> None:
    assert said("“您好”，（请）按一。。再见！") == "nin2 hao3, qing3, an4 yi1. zai4 jian4!"


def test_characters_with_two_readings_are_reported_where_no_word_decides_them() -> None:
    spoken = PLAIN.spoken("如需重拨，请重新选择", "zh")
    assert reasons(spoken) == {"重": Why.POLYPHONE}
    assert "chong2" in spoken.doubts[0].readings
    assert PLAIN.spoken("为保证质量，竭诚为您服务", "zh").doubts == ()


def test_a_word_that_the_dictionary_reads_wrongly_here_is_reported_until_it_is_pronounced() -> None:
    assert reasons(PLAIN.spoken("重听", "zh")) == {"重听": Why.POLYPHONE}
    assert Speller({"重听": "chong2 ting1"}).spoken("重听", "zh").doubts == ()


def test_symbols_and_characters_without_a_reading_are_reported() -> None:
    spoken = PLAIN.spoken("电话☎您好\U0003134a", "zh")
    assert spoken.text == "dian4 hua4 nin2 hao3"
    assert reasons(spoken) == {"☎": Why.SYMBOL, "\U0003134a": Why.UNKNOWN}


def test_a_pronunciation_without_tones_is_reported() -> None:
    own = Speller({"绿地": "lu:4 di4", "重听": "chong ting"})
    assert own.spoken("绿地", "zh") == Spoken("lv4 di4", ())
    assert reasons(own.spoken("重听", "zh")) == {"重听": Why.TONELESS}


def test_hanzi_in_an_english_text_are_said_without_tones_and_reported() -> None:
    spoken = PLAIN.spoken("Welcome to 示例市, dial 12345 ☎", "en")
    assert spoken.text == "Welcome to shi li shi, dial 1 2 3 4 5"
    assert reasons(spoken) == {"示例市": Why.FOREIGN, "☎": Why.SYMBOL}


@settings(deadline=None)
@given(st.text(max_size=60))
def test_whatever_an_operator_writes_the_chinese_voice_gets_only_syllables_with_tones(text: str) -> None:
    fed = said(text)
    assert all(word.rstrip(",.!?")[-1:] in "12345" for word in fed.split())
    assert fed.isascii()
