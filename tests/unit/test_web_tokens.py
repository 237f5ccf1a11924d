"""Tokens: made, shown once, removed, and never kept in clear."""

import json
import threading
from pathlib import Path
from stat import S_IMODE

import pytest

from web.desk import Role, Who
from web.tokens import COMMAND_LINE, TokenRefused, Tokens, TokensWrong, command_token, local_token


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "tokens.json"


def test_a_token_is_known_again_and_kept_as_a_hash_for_its_owner_alone(file: Path) -> None:
    tokens = Tokens.of(file)
    secret = tokens.add("crm", Role.SUPERVISOR, None, 1)
    assert len(secret) >= 43
    assert tokens.who(secret) == Who("crm", Role.SUPERVISOR)
    assert tokens.who(secret[:-1]) is None
    assert tokens.who("") is None
    assert secret not in file.read_text("utf-8")
    assert S_IMODE(file.stat().st_mode) == 0o600


def test_a_running_server_sees_what_another_process_changes(file: Path) -> None:
    server, command = Tokens.of(file), Tokens.of(file)
    assert server.who("nothing") is None
    secret = command.add("desk 1001", Role.AGENT, "1001", 1)
    assert server.who(secret) == Who("desk 1001", Role.AGENT, "1001")
    command.remove("desk 1001")
    assert server.who(secret) is None
    file.unlink()
    assert server.who(secret) is None


def test_tokens_are_listed_by_name(file: Path) -> None:
    tokens = Tokens.of(file)
    tokens.add("b", Role.AUDITOR, None, 2)
    tokens.add("a", Role.AGENT, "1001", 1)
    assert [(token.name, token.role, token.agent, token.created_utc_ms) for token in tokens.every()] == [
        ("a", Role.AGENT, "1001", 1),
        ("b", Role.AUDITOR, None, 2),
    ]


@pytest.mark.parametrize(
    ("name", "role", "agent", "why"),
    [
        ("taken", Role.AUDITOR, None, "already"),
        ("", Role.AUDITOR, None, "cannot be a token's name"),
        (" a", Role.AUDITOR, None, "cannot be a token's name"),
        ("a\nb", Role.AUDITOR, None, "cannot be a token's name"),
        ("x" * 41, Role.AUDITOR, None, "cannot be a token's name"),
        ("command line", Role.AUDITOR, None, "audit"),
        ("x", Role.AGENT, None, "--agent"),
        ("x", Role.AGENT, "10", "no agent's number"),
        ("x", Role.OPERATOR, "1001", "leave --agent out"),
    ],
)
def test_a_token_that_makes_no_sense_is_refused(file: Path, name: str, role: Role, agent: str | None, why: str) -> None:
    tokens = Tokens.of(file)
    tokens.add("taken", Role.AUDITOR, None, 1)
    with pytest.raises(TokenRefused, match=why):
        tokens.add(name, role, agent, 1)
    assert [token.name for token in tokens.every()] == ["taken"]


def test_a_token_that_is_not_there_cannot_be_removed(file: Path) -> None:
    with pytest.raises(TokenRefused, match="no token is called 'crm'"):
        Tokens.of(file).remove("crm")


def test_a_supervisor_may_be_an_agent_too(file: Path) -> None:
    tokens = Tokens.of(file)
    assert tokens.who(tokens.add("w", Role.SUPERVISOR, "1001", 1)) == Who("w", Role.SUPERVISOR, "1001")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "\xff",
        '{"tokens": [{"name": "a"}]}',
        '{"tokens": [{"name": "a", "role": "king", "agent": null, "hash": "00", "created_utc_ms": 1}]}',
        json.dumps({"tokens": [{"name": "a", "role": "agent", "agent": None, "hash": "0" * 64, "created_utc_ms": 1}]}),
        json.dumps({"tokens": [{"name": "a", "role": "auditor", "agent": None, "hash": "", "created_utc_ms": 1}]}),
    ],
)
def test_a_file_that_is_not_as_it_was_written_lets_nobody_in(file: Path, text: str) -> None:
    file.write_text(text, encoding="latin-1")
    file.chmod(0o600)
    with pytest.raises(TokensWrong, match="bring back a copy"):
        Tokens.of(file).who("")


def test_files_that_others_can_read_let_nobody_in(file: Path, tmp_path: Path) -> None:
    tokens = Tokens.of(file)
    secret = tokens.add("crm", Role.SUPERVISOR, None, 1)
    file.chmod(0o640)
    for _ in range(2):
        with pytest.raises(TokensWrong, match=f"chmod 600 {file}"):
            tokens.who(secret)
    file.chmod(0o600)
    assert tokens.who(secret) is not None
    local_token(tmp_path)
    command_token(tmp_path).chmod(0o604)
    with pytest.raises(TokensWrong, match=r"command\.token"):
        tokens.who(secret)


def test_the_command_line_has_a_token_of_its_own_which_each_start_makes_anew(file: Path, tmp_path: Path) -> None:
    tokens = Tokens.of(file)
    first = local_token(tmp_path)
    assert tokens.who(first) == COMMAND_LINE
    assert S_IMODE(command_token(tmp_path).stat().st_mode) == 0o600
    assert command_token(tmp_path).read_text("ascii").strip() == first
    second = local_token(tmp_path)
    assert tokens.who(first) is None
    assert tokens.who(second) == COMMAND_LINE


def test_two_who_add_at_once_lose_nothing(file: Path) -> None:
    def add(number: int) -> None:
        for turn in range(5):
            Tokens.of(file).add(f"{number}-{turn}", Role.AUDITOR, None, 1)

    threads = [threading.Thread(target=add, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(Tokens.of(file).every()) == 20


def test_an_empty_token_of_the_command_line_lets_nobody_in(file: Path, tmp_path: Path) -> None:
    local_token(tmp_path)
    command_token(tmp_path).write_text("\n", encoding="ascii")
    with pytest.raises(TokensWrong, match="it is empty"):
        Tokens.of(file).who("")
