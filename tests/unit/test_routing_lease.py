"""The lease and the leader."""

from routing.leader import AloneLeader, Leader
from routing.lease import Lease


def test_nothing_may_be_done_before_the_first_acknowledged_heartbeat() -> None:
    assert not Lease().holds(0)
    assert Lease().lapsed_before(0)


def test_a_lease_ends_two_seconds_after_its_heartbeat_was_sent() -> None:
    lease = Lease().renewed(sent_ms=10_000)
    assert lease.holds(11_999)
    assert not lease.holds(12_000)


def test_a_late_acknowledgement_counts_from_when_the_heartbeat_was_sent() -> None:
    late = Lease().renewed(sent_ms=10_000)
    assert not late.holds(now_ms=12_500)


def test_a_late_tick_asks_for_a_snapshot_and_a_timely_one_does_not() -> None:
    lease = Lease().renewed(sent_ms=10_000)
    assert not lease.lapsed_before(11_000)
    assert lease.lapsed_before(12_000)


def test_an_acknowledgement_that_was_overtaken_does_not_shorten_the_lease() -> None:
    lease = Lease().renewed(sent_ms=10_000)
    assert lease.renewed(sent_ms=9_000) == lease


def test_a_controller_alone_leads() -> None:
    leader: Leader = AloneLeader()
    assert leader.leads()
