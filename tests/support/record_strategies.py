"""Hypothesis: any record of an ended call that the store may hold."""

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from calls.live import CallRef
from calls.record import CallRecord, Key, Outcome, Side
from recordings.export_columns import COLUMNS, Column, Kept, Kind

_TEXTS = st.one_of(
    st.text(
        st.characters(exclude_categories=("Cc", "Cs"), exclude_characters="\u2028\u2029*•"),
        max_size=12,
    ),
    st.sampled_from(("=1+1", "+8613812345678", "-1", "@sum", "'quoted", "'", '"', "a,b", "街道热线", "true", "[]")),
)
_MOMENTS = st.integers(946_684_800_000, 4_102_444_800_000)
"""From 2000 to 2100."""


def _values(column: Column) -> SearchStrategy[Any]:
    match column.kind:
        case Kind.TEXT:
            found: SearchStrategy[Any] = _TEXTS
        case Kind.NUMBER:
            found = st.integers(-(2**63), 2**63 - 1)
        case Kind.MOMENT:
            found = _MOMENTS
        case Kind.FLAG:
            found = st.booleans()
        case Kind.TEXTS:
            found = st.lists(_TEXTS, max_size=3).map(tuple)
        case Kind.KEYS:
            found = st.lists(st.builds(Key, _TEXTS, _TEXTS), max_size=3).map(tuple)
    return st.none() | found if column.optional else found


@st.composite
def kept_calls(draw: DrawFn) -> Kept:
    """A record at some revision; its audio has a name of its own."""
    ref = str(draw(st.uuids(version=4)))
    values: dict[str, Any] = {column.name: draw(_values(column)) for column in COLUMNS}
    values |= {
        "ref": CallRef(ref),
        "outcome": draw(st.sampled_from(Outcome)),
        "hung_up_by": draw(st.none() | st.sampled_from(Side)),
        "running": False,
        "recording_file": draw(st.sampled_from((None, f"2026/11/22/{ref}.wav"))),
        "message_file": draw(st.sampled_from((None, f"2026/11/22/{ref}-message.wav"))),
    }
    return Kept(draw(st.integers(1, 2**40)), CallRecord(**values))


def other_than(one: Kept) -> Kept:
    """The same call at the same revision, with another caller."""
    return replace(one, record=replace(one.record, caller=f"{one.record.caller}9"))
