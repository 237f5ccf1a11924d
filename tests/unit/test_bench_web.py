"""The benchmark of the HTTP interface: what is asked of the real application is answered, counted and timed."""

from pathlib import Path

import pytest

from bench.inserts_stores import some_calls
from bench.web import COMPARISON, SIZES, Plan, asked_figures, changes, city, heard_figures, kept, ways
from bench.web_client import Asked, Asks, Heard, ask, changed_at
from recordings.store import Store
from settings.system_prompts import SYSTEM_PROMPTS
from tests.support.served_interface import interface
from web.desk import Role


async def test_every_way_is_asked_by_each_connection_and_counted(tmp_path: Path) -> None:
    refs = [who.ref for _, who in some_calls(3, 1, 0)]
    with interface(tmp_path) as served:
        found = {
            way.name: await ask(
                Asks(served.url, served.tokens[Role.SUPERVISOR], [way.asks(number) for number in range(4)], 0.0)
            )
            for way in ways(refs)
        }
    assert {name: one.answered + one.refused for name, one in found.items()} == dict.fromkeys(found, 4)
    assert found["/healthz"].answered == 4
    assert found["search"].answered == 4
    assert found["one call"].refused == 4, "the scripted shelf knows none of these"


def test_the_city_has_an_agent_for_each_connection_and_a_sound_for_each_prompt(tmp_path: Path) -> None:
    made = city(tmp_path / "beep.wav")
    assert len(made.agents.agents) == len(made.answering.seats) == max(SIZES)
    assert set(SYSTEM_PROMPTS) <= set(made.prompts.prompts)
    assert {tuple(sorted(prompt.recordings)) for prompt in made.prompts.prompts.values()} == {("en", "zh")}
    agents = {changes(agent)[0][1] for agent in made.agents.agents}
    (state,) = (way for way in ways(()) if way.name == "seat's state")
    assert {state.asks(number)[0][1] for number in range(max(SIZES))} == agents


def test_nothing_is_left_to_be_done_with_the_records(tmp_path: Path) -> None:
    refs = kept(tmp_path / "records.db", Plan(30, 1.0, 1, 1, 1))
    with Store(tmp_path / "records.db") as store:
        (left,) = store.rows("SELECT count(*) AS n FROM records WHERE audio = 'due' OR running OR NOT reconciled")
        (all_,) = store.rows("SELECT count(*) AS n FROM records")
        found = {row["ref"] for row in store.rows("SELECT ref FROM records")}
    assert (left["n"], all_["n"]) == (0, 30)
    assert set(refs) <= found


def test_only_changes_of_the_seat_in_question_are_timed() -> None:
    views = [{"agent": "1001", "since_utc_ms": 5}, {"agent": "1002", "since_utc_ms": 6}]
    assert changed_at({"kind": "seats", "changed": views, "gone": []}, "1001") == [5]
    assert changed_at({"kind": "seats", "items": views}, "1001") == []


def test_figures_are_of_what_was_answered_well() -> None:
    found = asked_figures(Asked(60, 40, 2.0, 1.5, 9.0), 120.0)
    assert found == {"answers_a_s": 30.0, "p50_ms": 1.5, "p99_ms": 9.0, "cpu_ms": 2.0, "refused_percent": 40.0}
    assert asked_figures(Asked(0, 5, 2.0, 0.0, 0.0), 120.0) == {"answers_a_s": 0.0, "refused_percent": 100.0}


def test_a_listener_that_was_told_nothing_has_no_times() -> None:
    assert heard_figures(Heard(0, 4, 0.0, 0.0)) == {"missed": 4.0}
    assert heard_figures(Heard(4, 0, 3.0, 4.0)) == pytest.approx({"news_p50_ms": 3.0, "news_p99_ms": 4.0, "missed": 0})
    assert {*heard_figures(Heard(4, 0, 3.0, 4.0)), *asked_figures(Asked(1, 0, 1.0, 1.0, 1.0), 1.0)} == {
        figure.id for figure in COMPARISON.figures
    }
