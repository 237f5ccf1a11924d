"""How long a call is kept follows from its number, its marks and the settings alone."""

import pytest

from recordings.retention import DAY_MS, Call, Part, Term, Terms
from tests.support.settings_maker import PLAIN, city

ENDED_MS = 1_700_000_000_000


def call(
    number: str | None = "12345",
    *,
    dialled: str = "12345",
    has_audio: bool = True,
    confidential: bool = False,
    held: bool = False,
) -> Call:
    return Call("ref", dialled, number, ENDED_MS, has_audio=has_audio, confidential=confidential, held=held)


@pytest.fixture
def terms() -> Terms:
    numbers = {**PLAIN["numbers"], "12333": {**PLAIN["numbers"]["12333"], "confidential": True}}
    retention = {
        "records": "1000d",
        "audio": "200d",
        "confidential": {"audio": "90d"},
        "numbers": {
            "12329": {"audio": "400d"},
            "12333": {"audio": "300d", "records": "500d"},
            "12318": {"records": "10d"},
        },
    }
    return Terms.of(city(numbers=numbers, retention=retention))


@pytest.mark.parametrize(
    ("one", "term"),
    [
        (call(), Term(1000, 200)),
        (call("12329"), Term(1000, 400)),
        (call(None, dialled="12329"), Term(1000, 400)),
        (call("12345", dialled="12329"), Term(1000, 200)),
        (call(confidential=True), Term(1000, 90)),
        (call("12329", confidential=True), Term(1000, 90)),
        (call("12333"), Term(500, 90)),
        (call("12345", dialled="12333"), Term(1000, 90)),
        (call("12318"), Term(10, 10)),
    ],
    ids=[
        "as every other",
        "as its number says",
        "as the number that was dialled, where none was served",
        "as the number that was served",
        "marked as confidential",
        "confidential before its number",
        "a confidential number, whose records have a time of their own",
        "that came by a confidential number",
        "audio no longer than its record",
    ],
)
def test_a_call_is_kept_for_so_long(terms: Terms, one: Call, term: Term) -> None:
    assert terms.of_call(one) == term


def at(days: float) -> int:
    return ENDED_MS + int(days * DAY_MS)


def test_first_the_audio_goes_then_the_record(terms: Terms) -> None:
    assert [terms.due(call(), at(days)) for days in (0, 199.999, 200, 999.999, 1000)] == [
        None,
        None,
        Part.AUDIO,
        Part.AUDIO,
        Part.RECORD,
    ]


def test_a_call_without_audio_has_none_to_lose(terms: Terms) -> None:
    assert terms.due(call(has_audio=False), at(500)) is None


def test_a_call_that_is_held_is_never_due(terms: Terms) -> None:
    assert terms.due(call(held=True), at(100_000)) is None
    assert terms.due_utc_ms(call(held=True), Part.RECORD) == at(1000), "when it would be is known all the same"


def test_no_call_is_due_before_the_shortest_time(terms: Terms) -> None:
    assert terms.shortest == Term(10, 10)


def test_without_a_file_there_is_a_time_for_all() -> None:
    terms = Terms.of(city(retention={}))
    assert terms.of_call(call()) == terms.shortest == Term(1095, 180)
