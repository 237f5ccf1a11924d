"""The small parts of the command: ports, locks, logs, failing."""

import io
import json
import os
import socket
from pathlib import Path

import pytest
import structlog
import typer
from pydantic import ValidationError

from hotline import logs
from hotline.failing import CannotGoOn, plain_errors
from hotline.only_one import OnlyOne
from hotline.ports import free_ports, on_free_ports
from hotline.serve import BACKOFF_S, STEADY_S, Backoff
from hotline.stage import on_stage
from tests.support.settings_maker import city


def test_free_ports_are_free_for_both_protocols() -> None:
    for port in free_ports("127.0.0.3", 3):
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            with socket.socket(socket.AF_INET, kind) as held:
                held.bind(("127.0.0.3", port))


def test_an_address_of_another_machine_has_no_free_port() -> None:
    with pytest.raises(OSError, match="assign requested address"):
        free_ports("192.0.2.77", 1)


def test_an_instance_on_free_ports_keeps_its_addresses_and_its_number_of_media_ports() -> None:
    before = city()
    after = on_free_ports(before)
    assert after.server.sip.address == before.server.sip.address
    assert after.server.rtp.last - after.server.rtp.first == before.server.rtp.last - before.server.rtp.first
    assert after.server.rtp.first % 2 == 0
    assert len({after.server.sip.port, after.server.ami.port, after.server.http.port}) == 3


def test_settings_that_a_controller_would_not_read_come_on_no_stage() -> None:
    made = city()
    often = made.service.announce.model_copy(update={"every": 4.0})
    told = made.model_copy(update={"service": made.service.model_copy(update={"announce": often})})
    with pytest.raises(ValidationError, match="greater than or equal to 5"):
        on_stage(told)
    assert on_stage(made).service == made.service


def test_the_second_holder_of_a_lock_is_told_who_has_it(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with OnlyOne(lock, "a hotline"), pytest.raises(CannotGoOn, match=f"process {os.getpid()}"), OnlyOne(lock, "it"):
        pass
    with OnlyOne(lock, "a hotline"):
        assert lock.read_text(encoding="ascii").strip() == str(os.getpid())


def test_logs_hide_personal_data_and_keep_the_calls_id() -> None:
    stream = io.StringIO()
    logs.configure(stream, as_json=True)
    structlog.get_logger().info("caller_offered", call="abc", caller="13812345678", key="1")
    structlog.reset_defaults()
    told = json.loads(stream.getvalue())
    assert (told["event"], told["call"], told["caller"], told["key"]) == ("caller_offered", "abc", "138****5678", "*")


def test_no_telephone_number_stands_in_a_log_whatever_its_field() -> None:
    stream = io.StringIO()
    logs.configure(stream, as_json=True)
    structlog.get_logger().error(
        "ami_message_unreadable",
        error="CallerIDNum 13812345678: no such thing, +8613812345678.",
        lines=["from 01012345678", {"to": "13812345678"}],
        to="8001",
        ref="00000000-1111-4222-8333-444455556666",
        channel="PJSIP/carrier-1795295000.17",
        at_utc_ms=1795295000123,
    )
    structlog.reset_defaults()
    text = stream.getvalue()
    assert "12345678" not in text
    told = json.loads(text)
    assert told["error"] == "CallerIDNum 138****5678: no such thing, +86*******5678."
    assert (told["ref"], told["to"]) == ("00000000-1111-4222-8333-444455556666", "8001")
    assert (told["channel"], told["at_utc_ms"]) == ("PJSIP/carrier-1795295000.17", 1795295000123)


def test_no_telephone_number_stands_in_the_traceback_of_a_log() -> None:
    stream = io.StringIO()
    logs.configure(stream, as_json=True)
    try:
        raise ValueError("nobody is called 13812345678")
    except ValueError:
        structlog.get_logger().exception("desk_failed")
    structlog.reset_defaults()
    assert "nobody is called 138****5678" in json.loads(stream.getvalue())["exception"]


def test_logs_show_personal_data_only_when_asked() -> None:
    stream = io.StringIO()
    logs.configure(stream, as_json=True, mask=False)
    structlog.get_logger().info("caller_offered", caller="13812345678")
    structlog.reset_defaults()
    assert "13812345678" in stream.getvalue()


def test_what_a_user_can_mend_is_one_line_without_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended, plain_errors():
        raise CannotGoOn("there is no city", "give --config")
    assert ended.value.exit_code == 1
    assert capsys.readouterr().err == "hotline: there is no city: give --config\n"


def test_what_nobody_expected_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError), plain_errors():
        raise ZeroDivisionError


def test_restarts_wait_longer_each_time_until_one_ran_steadily() -> None:
    backoff = Backoff()
    assert [backoff.after(0.1) for _ in range(6)] == [*BACKOFF_S, BACKOFF_S[-1]]
    assert backoff.after(STEADY_S) == BACKOFF_S[0]
