"""Passwords stay in one file that only its owner can read."""

import os
import re
import threading
from pathlib import Path

import pytest

from settings.secrets import (
    PostgresqlPasswordMissing,
    Secrets,
    SecretsOpenToOthers,
    SecretsWrong,
    TrunkPasswordMissing,
    load_or_create,
)
from settings.shapes import Settings
from tests.support.settings_maker import PLAIN, city


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "var" / "secrets.yaml"


def with_user_name() -> Settings:
    trunks = PLAIN["trunks"]
    return city(trunks={**trunks, "carrier": {**trunks["carrier"], "username": "hotline"}})


def test_passwords_are_made_up_once_and_kept(path: Path) -> None:
    first = load_or_create(path, city())
    again = load_or_create(path, city())
    assert first.values() == again.values()
    assert set(first.seats) == {"8001", "8002", "8003"}
    assert set(first.agents) == {"1001", "1002"}
    passwords = (first.ami, *first.seats.values())
    assert len(set(passwords)) == 4
    assert all(len(password) >= 24 for password in passwords)
    assert set(first.values()) == {*passwords, *first.agents.values()}


def test_the_file_is_for_its_owner_alone_whatever_the_umask_is(path: Path) -> None:
    before = os.umask(0)
    try:
        load_or_create(path, city())
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["secrets.yaml"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_file_that_others_can_read_is_refused_with_the_mend(path: Path, mode: int) -> None:
    load_or_create(path, city())
    path.chmod(mode)
    with pytest.raises(SecretsOpenToOthers, match=f"chmod 600 {path}"):
        load_or_create(path, city())


def test_a_new_seat_gets_a_password_and_the_others_keep_theirs(path: Path) -> None:
    before = load_or_create(path, city())
    seats = {**PLAIN["answering"]["seats"], "8009": {"skills": ["general"]}}
    after = load_or_create(path, city(answering={"seats": seats}))
    assert {seat: after.seats[seat] for seat in before.seats} == before.seats
    assert after.ami == before.ami
    assert after.seats["8009"]


def test_a_seat_that_comes_back_has_its_old_password(path: Path) -> None:
    before = load_or_create(path, city())
    fewer = load_or_create(path, city(answering={"seats": {"8001": {"skills": ["general"]}}}))
    assert set(fewer.seats) == {"8001"}
    assert load_or_create(path, city()).seats == before.seats


def test_a_carriers_password_is_asked_for_and_then_taken_as_it_is_written(path: Path) -> None:
    with pytest.raises(TrunkPasswordMissing, match="carrier") as missing:
        load_or_create(path, with_user_name())
    assert missing.value.trunks == ("carrier",)
    written = path.read_text(encoding="utf-8")
    path.write_text(written.replace('"carrier": ""', "carrier: 0123"), encoding="utf-8")
    assert load_or_create(path, with_user_name()).trunks == {"carrier": "0123"}
    assert load_or_create(path, city()).trunks == {}


def with_postgresql() -> Settings:
    return city(server={**PLAIN["server"], "records": {"postgresql": {"host": "127.0.0.1"}}})


def test_postgresqls_password_is_asked_for_and_then_taken_as_it_is_written(path: Path) -> None:
    with pytest.raises(PostgresqlPasswordMissing, match="write the password of its user there under 'postgresql'"):
        load_or_create(path, with_postgresql())
    written = path.read_text(encoding="utf-8")
    assert written.count('postgresql:\n  "password": ""\n') == 1
    changed = written.replace('postgresql:\n  "password": ""', "postgresql: { password: 0123 }")
    path.write_text(changed, encoding="utf-8")
    found = load_or_create(path, with_postgresql())
    assert found.postgresql == "0123"
    assert "0123" in found.values()
    without = load_or_create(path, city())
    assert (without.postgresql, "" in without.values()) == ("", False)
    assert load_or_create(path, with_postgresql()).postgresql == "0123"


def many_agents() -> Settings:
    return city(
        agents={"agents": {str(number): {"name": "甲", "skills": {"general": 1}} for number in range(1000, 3000)}}
    )


def test_a_pin_is_six_digits_and_none_that_is_tried_first(path: Path) -> None:
    pins = list(load_or_create(path, many_agents()).agents.values())
    assert all(re.fullmatch("[0-9]{6}", pin) for pin in pins)
    assert not {"000000", "123456", "654321", "111222", "890123"} & set(pins)
    assert all(len(set(pin)) >= 4 for pin in pins)
    assert len(set(pins)) > 1900


def test_a_pin_that_was_changed_by_hand_is_kept(path: Path) -> None:
    made = load_or_create(path, city()).agents["1001"]
    written = path.read_text(encoding="utf-8")
    path.write_text(written.replace(f'"1001": "{made}"', "1001: 0471"), encoding="utf-8")
    assert load_or_create(path, city()).agents["1001"] == "0471"


@pytest.mark.parametrize("pin", ["123", "123456789", "12a4", "１２３４", "hidden"])
def test_a_pin_that_cannot_be_dialled_is_refused_without_showing_it(path: Path, pin: str) -> None:
    made = load_or_create(path, city()).agents["1001"]
    path.write_text(path.read_text(encoding="utf-8").replace(made, pin), encoding="utf-8")
    with pytest.raises(SecretsWrong, match="agent 1001 cannot be dialled: write 4 to 8 digits") as wrong:
        load_or_create(path, city())
    assert pin not in str(wrong.value)


def test_a_file_from_before_there_were_agents_gets_their_pins(path: Path) -> None:
    before = load_or_create(path, city(agents={}))
    after = load_or_create(path, city())
    assert (after.ami, after.seats) == (before.ami, before.seats)
    assert set(after.agents) == {"1001", "1002"}


def test_nothing_shows_a_password(path: Path) -> None:
    secrets = load_or_create(path, city())
    for text in (repr(secrets), str(secrets), f"{secrets!s}", repr([secrets])):
        assert not any(password in text for password in secrets.values())


@pytest.mark.parametrize(
    "text",
    [
        "ami: hidden\n",
        "- hidden\n",
        "hidden\n",
        "other: {a: hidden}\n",
        "ami: {password: [hidden]}\n",
        'seats: {"8001": "hidden\\nhidden"}\n',
        "seats:\n  8001: hidden: hidden\n",
        "seats: {8001: hidden, 8001: hidden}\n",
    ],
)
def test_what_is_wrong_with_the_file_is_told_without_showing_it(path: Path, text: str) -> None:
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    with pytest.raises(SecretsWrong) as wrong:
        load_or_create(path, city())
    assert "hidden" not in str(wrong.value)
    assert wrong.value.mend
    assert path.read_text(encoding="utf-8") == text


def test_an_empty_file_is_filled(path: Path) -> None:
    path.parent.mkdir()
    path.touch(mode=0o600)
    assert load_or_create(path, city()).ami


def test_many_at_once_agree(path: Path) -> None:
    found: list[Secrets] = []
    threads = [threading.Thread(target=lambda: found.append(load_or_create(path, city()))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len({secrets.values() for secrets in found}) == 1
