"""What the doctor makes of what was seen: processes, ports, files, certificates, clock."""

import json
import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from threading import Event

import pytest
from typer.testing import CliRunner

from asterisk.listens import Listening
from hotline.cli import app
from hotline.doctor import certificates, clock, doors, examine, rights, serving
from hotline.doctor.case import Case
from hotline.doctor.findings import CODES, Finding, Verdict, verdict
from hotline.doctor.looking import CannotLook, TookTooLong, at_once
from hotline.doctor.serving import Serving, State
from hotline.folders import Folders
from settings.listening import Tls
from settings.shapes import Server
from tests.support.certificates import certificate
from tests.support.settings_maker import city

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
WELL = {"asterisk_connected": True, "steering": True, "calls_kept": True}
RUNS = Serving(State.ANSWERS, State.ANSWERS, State.ANSWERS, "22.10.1", WELL)


def codes(found: Iterable[Finding]) -> list[str]:
    return [one.code for one in found]


def case(folder: Path) -> Case:
    return Case(city(), Folders(folder), folder / "config", NOW)


# --- codes and verdicts ---------------------------------------------------------------------------


def test_every_code_is_explained_with_its_weight(project: Path) -> None:
    text = (project / "docs/doctor.md").read_text("utf-8")
    explained = dict(re.findall(r"^\| (D\d{3}) \| (\w+) \|", text, re.MULTILINE))
    assert explained == {code: meaning.weight.value for code, meaning in CODES.items()}


def test_every_code_is_told_by_something(project: Path) -> None:
    sources = (project / "hotline/doctor").glob("*.py")
    told = {
        code for path in sources if path.name != "findings.py" for code in re.findall(r'"(D\d{3})"', path.read_text())
    }
    assert told == set(CODES)


@pytest.mark.parametrize(
    ("found", "verdicts", "exit_code"),
    [
        ([], Verdict.HEALTHY, 0),
        (["D050"], Verdict.HEALTHY, 0),
        (["D000", "D050"], Verdict.UNCLEAR, 2),
        (["D000", "D003", "D050"], Verdict.ILL, 1),
    ],
)
def test_an_error_outweighs_what_was_not_seen_and_that_outweighs_warnings(
    found: list[str], verdicts: Verdict, exit_code: int
) -> None:
    judged = verdict([Finding(code, "matter", "mend") for code in found])
    assert (judged, judged.exit_code) == (verdicts, exit_code)


# --- looking --------------------------------------------------------------------------------------


def test_what_hangs_is_given_up_and_hides_nothing() -> None:
    """It may hang for as long as it likes: here until the test has looked."""
    let_go = Event()

    def fails() -> int:
        raise CannotLook("why", "mend")

    found = at_once({"hangs": lambda: int(let_go.wait(60)), "fails": fails, "works": lambda: 7}, bound_s=0.5)
    let_go.set()
    assert isinstance(found["hangs"], TookTooLong)
    assert isinstance(found["fails"], CannotLook)
    assert found["works"] == 7


def test_whatever_fails_is_told_as_not_seen_without_callers_numbers(tmp_path: Path) -> None:
    def broken(_case: Case) -> list[Finding]:
        raise RuntimeError("call of 13812345678")

    def refused(_case: Case) -> list[Finding]:
        raise CannotLook("another user's", "be that user")

    found = examine.examine(case(tmp_path), {"one": broken, "other": refused, "third": lambda _: []})
    assert found == (
        Finding("D000", "one: RuntimeError: call of 138****5678", "report it"),
        Finding("D000", "other: another user's", "be that user"),
    )


def test_nothing_installed_is_told_in_one_line(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["doctor", "--data", str(tmp_path)])
    assert result.exit_code == 2
    assert "nothing is installed" in result.stderr
    assert not result.stdout


def test_an_installation_that_does_not_run_is_looked_at_all_the_same(tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    folders.asterisk.mkdir()
    folders.installed.write_text(city().model_dump_json(by_alias=True))
    result = CliRunner().invoke(app, ["doctor", "--json", "--data", str(tmp_path), "--config", str(tmp_path)])
    *told, last = [json.loads(line) for line in result.stdout.splitlines()]
    assert {"D001", "D003", "D010", "D033", "D097"} <= {one["code"] for one in told}
    assert "D000" not in {one["code"] for one in told}
    assert all(one["matter"] and one["mend"] and one["follows"] for one in told)
    assert (result.exit_code, last["verdict"], last["code"]) == (1, "not healthy", None)
    assert [path.name for path in tmp_path.iterdir()] == ["asterisk"], "it leaves nothing behind"


# --- what runs ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        (RUNS, []),
        (replace(RUNS, supervisor=State.AWAY), ["D001"]),
        (replace(RUNS, supervisor=State.SILENT), ["D002"]),
        (replace(RUNS, supervisor=State.AWAY, controller=State.AWAY, health={}), ["D001"]),
        (replace(RUNS, asterisk=State.AWAY), ["D003"]),
        (replace(RUNS, asterisk=State.SILENT, version=None), ["D004"]),
        (replace(RUNS, controller=State.AWAY, health={}), ["D005"]),
        (replace(RUNS, controller=State.SILENT, health={}), ["D005"]),
        (replace(RUNS, health=WELL | {"asterisk_connected": False, "steering": False}), ["D006"]),
        (replace(RUNS, health=WELL | {"steering": False}), ["D006"]),
        (replace(RUNS, health=WELL | {"calls_kept": False}), ["D102"]),
        (replace(RUNS, version="20.11.0"), ["D007"]),
        (replace(RUNS, lacking="there is none"), ["D007"]),
    ],
)
def test_each_process_is_judged(seen: Serving, told: list[str]) -> None:
    assert codes(serving.judge(seen)) == told


def test_a_restart_is_only_advised_where_a_supervisor_can_do_it() -> None:
    away = replace(RUNS, supervisor=State.AWAY, asterisk=State.SILENT, controller=State.SILENT, health={})
    assert {one.mend for one in serving.judge(away)} == {serving.START}


# --- ports ----------------------------------------------------------------------------------------

SIP, AMI, HTTP = (
    Listening("udp", "127.0.0.1", 5060),
    Listening("tcp", "127.0.0.1", 5038),
    Listening("tcp", "127.0.0.1", 8080),
)
OURS = doors.Doors(frozenset({SIP, AMI}), frozenset({HTTP}), frozenset({SIP, AMI, HTTP}))


def judged(seen: doors.Doors, **server: object) -> list[str]:
    return codes(doors.judge(Server().model_copy(update=server), seen))


def test_what_listens_as_it_should_is_well() -> None:
    assert judged(OURS) == []


def test_a_door_that_nobody_opened_is_told_only_while_its_process_runs() -> None:
    seen = doors.Doors(frozenset({SIP}), frozenset(), frozenset({SIP}))
    assert judged(seen) == ["D020", "D020"]
    assert judged(replace(seen, asterisk=None, controller=None, everybody=frozenset())) == []


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])  # noqa: S104 - looked for, not listened at
def test_a_strange_program_at_our_port_is_told(address: str) -> None:
    stranger = Listening("tcp", address, 8080)
    assert judged(doors.Doors(frozenset({SIP, AMI}), None, frozenset({SIP, AMI, stranger}))) == ["D021"]


def test_a_program_at_the_same_port_of_another_address_or_protocol_is_nothing_to_us() -> None:
    others = {Listening("tcp", "127.0.0.9", 8080), Listening("udp", "127.0.0.1", 8080)}
    assert judged(replace(OURS, everybody=OURS.everybody | others)) == []


def test_more_than_the_settings_say_is_told() -> None:
    wide = {Listening("tcp", "0.0.0.0", 5038), Listening("udp", "0.0.0.0", 14_002)}  # noqa: S104
    client = Listening("udp", "0.0.0.0", 41_000)  # noqa: S104 - asks a name server
    owned = frozenset({SIP, AMI, client, *wide})
    assert judged(doors.Doors(owned, OURS.controller, OURS.everybody | owned)) == ["D022", "D022"]


def test_a_manager_beyond_this_machine_is_told_and_so_is_http_without_tls() -> None:
    server, outside = Server(), IPv4Address("10.0.0.5")
    nobody = doors.Doors(None, None, frozenset())
    assert judged(nobody, ami=server.ami.model_copy(update={"address": outside})) == ["D023"]
    http = server.http.model_copy(update={"address": outside})
    assert judged(nobody, http=http) == ["D023"]
    tls = Tls(certificate="/a.pem", key="/a.key")
    assert judged(nobody, http=http.model_copy(update={"tls": tls})) == []


def test_media_ports_that_others_use_count_against_the_capacity() -> None:
    server = Server()
    calls = server.capacity.ordinary + server.capacity.reserve
    rtp = server.rtp.model_copy(update={"first": 14_000, "last": 14_000 + doors.PORTS_A_CALL * calls})
    elsewhere = frozenset(Listening("udp", "127.0.0.9", 14_000 + n) for n in range(9))
    assert judged(replace(OURS, everybody=OURS.everybody | elsewhere), rtp=rtp) == []
    one = Listening("udp", "127.0.0.1", 14_007)
    assert judged(replace(OURS, everybody=OURS.everybody | {one}), rtp=rtp) == []
    two = {one, Listening("udp", "127.0.0.1", 14_009)}
    assert judged(replace(OURS, everybody=OURS.everybody | two), rtp=rtp) == ["D024"]
    assert judged(replace(OURS, asterisk=OURS.asterisk | two, everybody=OURS.everybody | two), rtp=rtp) == []  # type: ignore[operator]


# --- files ----------------------------------------------------------------------------------------


def one_file(kind: rights.Kind, mode: int | None = 0o600, *, uid: int = 7, folder: bool = False) -> rights.Seen:
    return rights.Seen(Path("/data/file"), kind, needed=True, mode=mode, uid=uid, folder=folder)


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        (one_file(rights.Kind.SECRET), []),
        (one_file(rights.Kind.SECRET, None), ["D033"]),
        (one_file(rights.Kind.SECRET, 0o640), ["D030"]),
        (one_file(rights.Kind.CALLS, 0o604), ["D031"]),
        (one_file(rights.Kind.CALLS, 0o755, folder=True), []),
        (one_file(rights.Kind.OURS, 0o644), []),
        (one_file(rights.Kind.OURS, 0o555, folder=True), ["D032"]),
        (one_file(rights.Kind.CALLS, 0o000), ["D032"]),
        (one_file(rights.Kind.CALLS, uid=8), ["D032"]),
    ],
)
def test_rights_are_judged_by_what_a_file_holds(seen: rights.Seen, told: list[str]) -> None:
    assert codes(rights.judge(rights.Rights((seen,), 7))) == told


def test_many_open_files_are_one_finding_whose_mend_closes_them_all() -> None:
    files = [Path(f"/data/recordings/2026/11/{day}/{n}.wav") for day in (21, 22) for n in range(3)]
    seen = rights.Rights(tuple(rights.Seen(path, rights.Kind.CALLS, False, 0o644, 7) for path in files), 7)
    (found,) = rights.judge(seen)
    assert found.matter.endswith("and 5 more are open to other users")
    assert found.mend == "chmod go= -R /data/recordings/2026/11"


# --- certificates ---------------------------------------------------------------------------------


def certified(tls: Tls, *names: str, at: datetime | None = None) -> list[str]:
    pair = certificates.Pair("HTTP", Path(tls.certificate), Path(tls.key), frozenset(names or {"hotline.test"}))
    return codes(certificates.judge(certificates.look(pair), at or datetime.now(UTC)))


def test_a_certificate_that_fits_is_well(tmp_path: Path) -> None:
    assert certified(certificate(tmp_path, days=365)) == []
    assert certified(certificate(tmp_path, days=365), "10.0.0.5", "127.0.0.1") == []


def test_a_certificate_is_told_before_it_ends_and_after(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    tls = certificate(tmp_path, days=100)
    assert certified(tls, at=now + timedelta(days=69)) == []
    assert certified(tls, at=now + timedelta(days=71)) == ["D043"]
    assert certified(tls, at=now + timedelta(days=101)) == ["D042"]
    assert certified(tls, at=now - timedelta(days=61)) == ["D042"]


def test_a_key_of_another_certificate_is_told(tmp_path: Path) -> None:
    one, other = certificate(tmp_path, days=365), certificate(tmp_path, days=365, stem="other")
    assert certified(one.model_copy(update={"key": other.key})) == ["D041"]


def test_names_are_compared_as_desks_do(tmp_path: Path) -> None:
    assert certified(certificate(tmp_path, days=365), "hotline.example.cn") == ["D044"]
    wild = certificate(tmp_path, days=365, name="*.example.cn", stem="wild")
    assert certified(wild, "hotline.example.cn") == []
    assert certified(wild, "a.hotline.example.cn") == ["D044"]


def test_a_key_that_others_can_read_is_told(tmp_path: Path) -> None:
    tls = certificate(tmp_path, days=365)
    Path(tls.key).chmod(0o644)
    assert certified(tls) == ["D030"]


def test_files_that_are_missing_or_something_else_are_told(tmp_path: Path) -> None:
    tls = certificate(tmp_path)
    Path(tls.key).write_text("no key")
    assert certified(tls) == ["D040"]
    Path(tls.certificate).unlink()
    assert certified(tls) == ["D040", "D040"]


# --- clock ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("synchronised", "zone_known", "told"),
    [(True, True, []), (False, True, ["D050"]), (None, True, ["D051"]), (True, False, ["D052"])],
)
def test_the_clock_is_judged(synchronised: bool | None, zone_known: bool, told: list[str]) -> None:
    assert codes(clock.judge(clock.Clock(synchronised, "the kernel", "Asia/Shanghai", zone_known))) == told


def test_this_machine_s_clock_can_be_asked_by_anybody(tmp_path: Path) -> None:
    assert clock.look(case(tmp_path)).zone_known
