"""How a journal line is read."""

import contextlib
import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls.cel import COLUMNS, RowWrong, parse
from calls.journal import STEPS, Arrived, StepWrong, read
from tests.support.journal_lines import BEGIN_US, line, ref_of

REAL = (
    '"ARRIVED","1795295383.049628","PJSIP/carrier_a-00000001","node1-1795295383.1","node1-1795295383.1","arrival",'
    '"12345","","{""extra"":""ref=6ffffc6a-c444-4979-a7ad-8ea4d2b82b27&dialled=12345&caller=138&trunk=carrier_a""}"'
)
REAL_HANGUP = (
    '"HANGUP","1795295391.363839","PJSIP/8001-00000004","node1-1795295387.4","node1-1795295383.1","seat","","",'
    '"{""hangupcause"":16,""hangupsource"":""PJSIP/8001-00000004"",""dialstatus"":""""}"'
)


def test_a_line_that_a_real_asterisk_wrote_is_read_in_full() -> None:
    row = parse(REAL)
    assert row.step == Arrived("6ffffc6a-c444-4979-a7ad-8ea4d2b82b27", "12345", "138", "carrier_a")
    assert (row.at_us, row.channel, row.context) == (1795295383049628, "PJSIP/carrier_a-00000001", "arrival")


def test_a_hangup_tells_its_cause_and_who_hung_up() -> None:
    row = parse(REAL_HANGUP)
    assert (row.q850_cause, row.hung_up_by) == (16, "PJSIP/8001-00000004")


@pytest.mark.parametrize(
    ("broken", "matter"),
    [
        (REAL[:-1], "9 quoted columns"),
        (REAL + ',""', "9 quoted columns"),
        (REAL.replace('"12345"', "12345"), "9 quoted columns"),
        (REAL.replace(".049628", ".0496"), "six decimals"),
        (REAL.replace('"PJSIP/carrier_a-00000001"', '""'), "names no channel"),
        (REAL.replace('"ARRIVED"', '"ARRIVEL"'), "no such kind"),
        (REAL.replace("&caller=138", ""), "'caller' is missing"),
        (REAL.replace("ref=6fff", "ref=../6fff"), "no UUID"),
        (REAL.replace("{", "["), "not JSON"),
        (REAL_HANGUP.replace(":16", ':""16""'), "without its cause"),
        (line("ANSWER", BEGIN_US, "c", "u", "l", extra="[]"), "not a JSON object"),
        (line("SAID", BEGIN_US, "c", "u", "l", extra='{"extra":1}'), "has no text"),
    ],
)
def test_a_line_that_asterisk_would_not_write_is_refused_with_the_reason(broken: str, matter: str) -> None:
    with pytest.raises(RowWrong, match=matter):
        parse(broken)


@given(st.text())
def test_what_stands_inside_a_column_never_changes_the_others(text: str) -> None:
    written = line("ANSWER", BEGIN_US, "PJSIP/a-1", "u", "l").replace('"12345"', '"' + text.replace('"', '""') + '"')
    row = parse(written)
    assert (row.kind, row.exten, row.linkedid) == ("ANSWER", text, "l")


@given(st.text(alphabet='"\n,AHNGUP{}:.0123456789', min_size=1, max_size=120))
def test_line_breaks_in_a_dialled_number_forge_no_event(hostile: str) -> None:
    genuine = line("CHAN_START", BEGIN_US, "PJSIP/a-1", "u", "l")
    forged = (
        '\n"HANGUP","1795295391.363839","PJSIP/a-1","u","l","","","","{""hangupcause"":16,""hangupsource"":""""}"\n'
    )
    for dialled in (hostile, forged + hostile, hostile + forged):
        file = genuine.replace("12345", dialled.replace('"', '""')) + "\n"
        for part in file.split("\n"):
            if part != genuine and part != file.rstrip("\n"):
                with pytest.raises(RowWrong):
                    parse(part)


def test_the_columns_are_those_that_a_spreadsheet_would_read() -> None:
    assert len(next(csv.reader(io.StringIO(REAL)))) == len(COLUMNS)


@given(st.sampled_from(sorted(STEPS)), st.text())
def test_whatever_stands_in_a_step_is_read_or_refused(kind: str, text: str) -> None:
    with contextlib.suppress(StepWrong):
        assert read(kind, text).kind == kind


@pytest.mark.parametrize("number", ["--5", "5.0", "٣", "", "9" * 19])
def test_what_is_no_whole_number_is_refused_where_one_belongs(number: str) -> None:
    with pytest.raises(StepWrong, match="not a whole number"):
        read("MENU", f"menu=main&attempt={number}")


def test_the_ref_of_a_test_is_a_real_uuid() -> None:
    assert parse(REAL.replace("6ffffc6a-c444-4979-a7ad-8ea4d2b82b27", ref_of(7))).step is not None
