"""The renderer lets through what stands for itself, and refuses everything else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialplan.render import LONGEST_LINE, Unsafe, config_value, plain, render
from dialplan.values import (
    Address,
    At,
    Code,
    ConfigFile,
    Context,
    Do,
    Extension,
    Goto,
    GotoIf,
    Here,
    Move,
    Play,
    Put,
    PutAll,
    Section,
    Target,
    code,
)

HOSTILE = (
    "${SHELL(reboot)}",
    "$[1+1]",
    "12345,1)",
    "a)\nexten => _X.,1,System(reboot)",
    "a\r\nAction: Originate",
    "a;b",
    'a"b',
    "a]b",
    "[general]",
    "a{b",
    "a&b",
    "a|b",
    "a\\b",
    "a<b",
    "a?b:c",
    "a^b",
    "\x00",
    "\x1b[2J",
    "a\u2028b",
    " a",
    "a ",
)


def written(*steps: Move | At) -> list[str]:
    """The lines of one extension that has these steps."""
    return render(ConfigFile((), (Context("c", (Extension("s", steps),)),))).splitlines()[3:]


def test_steps_become_one_extension_with_its_labels() -> None:
    assert written(
        Put("HL_LANG", "zh"),
        At("again", Do("Wait", (1,))),
        GotoIf(code("${X} > <most>", most=3), Here("again")),
        Play("welcome", "zh"),
        Goto(Target("other", "12345", "tail")),
    ) == [
        "exten => s,1,Set(HL_LANG=zh)",
        " same => n(again),Wait(1)",
        " same => n,GotoIf($[${X} > 3]?again)",
        " same => n,BackGround(${SAY_zh_welcome},m)",
        " same => n,Goto(other,12345,tail)",
    ]


def test_several_variables_are_put_in_one_step() -> None:
    sets = (Put("HL_SEAT"), Put("GROUP(load)", "ordinary"), Put("HL_SAY_AT", code("$[${EPOCH} + <s>]", s=10)))
    day = Put("HL_TODAY", code("${STRFTIME(${EPOCH},<zone>,%Y%m%d)}", zone=Address("Asia/Shanghai")))
    assert written(PutAll((*sets, day))) == [
        "exten => s,1,MSet(HL_SEAT=,GROUP(load)=ordinary,HL_SAY_AT=$[${EPOCH} + 10],"
        "HL_TODAY=${STRFTIME(${EPOCH},Asia/Shanghai,%Y%m%d)})"
    ]


@pytest.mark.parametrize("chosen", ["${CALLERID(num)}", "x${HL_FROM}", "${STRFTIME(1,,%Y)}${HL_FROM}", "a,b", '"${X}"'])
def test_a_value_that_somebody_else_may_have_chosen_is_put_by_itself(chosen: str) -> None:
    with pytest.raises(Unsafe, match="another variable"):
        written(PutAll((Put("HL_SEAT"), Put("HL_X", Code(chosen)))))


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_value_is_refused_wherever_it_stands(value: str) -> None:
    steps: tuple[Move, ...] = (
        Put("X", value),
        Do("Wait", (value,)),
        Do("Dial", (code("PJSIP/<who>", who=value),)),
        Goto(Target(value)),
        Goto(Target("c", value)),
        Goto(Target("c", "s", value)),
        Play(value, "zh"),
        Play("p", value),
    )
    for step in steps:
        with pytest.raises(Unsafe):
            written(step)
    with pytest.raises(Unsafe):
        render(ConfigFile((), (Context(value, ()),)))
    for name in (value, f"_{value}", "_X."):
        with pytest.raises(Unsafe):
            render(ConfigFile((), (Context("c", (Extension(name, (Do("Wait"),)),)),)))
    with pytest.raises(Unsafe):
        render(ConfigFile((Section(value, ()),)))


def test_what_dials_elsewhere_is_refused_in_a_number() -> None:
    for number in ("110@evil", "PJSIP/110", "sip:110"):
        with pytest.raises(Unsafe):
            plain(number)
        assert plain(Address(number)) == number


def test_a_comma_in_code_is_refused_where_it_would_begin_another_argument() -> None:
    assert written(Do("Wait", (code("${FILTER(0-9,${X})}"),))) == ["exten => s,1,Wait(${FILTER(0-9,${X})})"]
    with pytest.raises(Unsafe):
        written(Do("Wait", (code("1,2"),)))


@pytest.mark.parametrize("template", ["${X", "$[1", "X}", "(]", '"', "a\nb"])
def test_code_that_does_not_close_is_refused(template: str) -> None:
    with pytest.raises(Unsafe):
        written(Put("X", Code(template)))


def test_a_line_that_asterisk_would_cut_is_refused() -> None:
    with pytest.raises(Unsafe):
        written(Put("X", "x" * LONGEST_LINE))


@pytest.mark.parametrize("value", ["a\nb", "a\rb", "\x00", " a", "a\\b", ">a"])
def test_a_configuration_value_that_would_not_come_back_is_refused(value: str) -> None:
    with pytest.raises(Unsafe):
        config_value(value)


def test_a_password_may_hold_what_only_a_dialplan_minds() -> None:
    assert config_value("a,b)${c}=\"d']") == "a,b)${c}=\"d']"
    assert config_value("a;b") == "a\\;b"


@given(st.text(max_size=60))
def test_whatever_is_plain_stands_on_one_line_as_it_was_given(text: str) -> None:
    try:
        assert plain(text) == text
    except Unsafe:
        return
    assert text.isprintable()
    assert not set(text) & set(',;${}[]()"\\&|?<>^@/:')
