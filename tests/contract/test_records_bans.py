"""Bans as they are kept."""

from pathlib import Path

from recordings.audit import Audit, By
from recordings.bans import MOST, Ban, Bans
from recordings.store import Store

GUARD = By("hotline", "guard")
ANNA = By("anna", "command")


def ban(address: str, since_ms: int = 1000, lasts_ms: int = 60_000) -> Ban:
    return Ban(address, 10, "8001", since_ms, since_ms + lasts_ms)


def audited(store: Store) -> list[tuple[str, str, str, str]]:
    entries = reversed(Audit(store).newest(5000))
    return [(entry.who, entry.did, entry.what["address"], entry.what.get("why", "")) for entry in entries]


def test_a_ban_is_there_until_it_is_lifted_and_both_are_audited(tmp_path: Path) -> None:
    with Store(tmp_path / "records.db") as store:
        Bans(store).add(ban("192.0.2.1"), GUARD)
        Bans(store).add(ban("192.0.2.2", 2000), GUARD)
    with Store(tmp_path / "records.db") as store:
        bans = Bans(store)
        assert bans.all() == (ban("192.0.2.2", 2000), ban("192.0.2.1"))
        assert bans.lift("192.0.2.1", "lifted", ANNA, 3000)
        assert not bans.lift("192.0.2.1", "lifted", ANNA, 3000)
        assert [one.address for one in bans.all()] == ["192.0.2.2"]
        assert audited(store) == [
            ("hotline", "ban", "192.0.2.1", ""),
            ("hotline", "ban", "192.0.2.2", ""),
            ("anna", "unban", "192.0.2.1", "lifted"),
        ]


def test_a_ban_ends_by_itself(tmp_path: Path) -> None:
    with Store(tmp_path / "records.db") as store:
        bans = Bans(store)
        bans.add(ban("192.0.2.1", 0, 500), GUARD)
        bans.add(ban("192.0.2.2", 0, 501), GUARD)
        assert bans.expire(GUARD, 499) == ()
        assert bans.expire(GUARD, 500) == ("192.0.2.1",)
        assert [one.address for one in bans.all()] == ["192.0.2.2"]
        assert audited(store)[-1] == ("hotline", "unban", "192.0.2.1", "its time is over")


def test_the_oldest_makes_room_when_there_are_too_many(tmp_path: Path) -> None:
    with Store(tmp_path / "records.db") as store:
        bans = Bans(store)
        with store.writing() as connection:
            connection.executemany(
                "INSERT INTO bans VALUES (?, 10, '8001', ?, 10000000)",
                [(f"10.0.{n // 256}.{n % 256}", n) for n in range(MOST)],
            )
        bans.add(ban("192.0.2.1", MOST), GUARD)
        assert len(bans.all()) == MOST
        assert bans.all()[0].address == "192.0.2.1"
        assert audited(store)[-1] == ("hotline", "unban", "10.0.0.0", "too many bans")
