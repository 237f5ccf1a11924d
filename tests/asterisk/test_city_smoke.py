"""The city on a real Asterisk, seen from outside its processes."""

from pathlib import Path

from asterisk.listens import listening
from hotline.stage import staged
from tests.support.quick_city import quick_city


async def test_nothing_is_served_beyond_loopback(tmp_path: Path, sounds: Path) -> None:
    async with staged(quick_city(), tmp_path, seats=["8001"], prompts=sounds) as stage:
        boot, controller = stage.supervisor.asterisk.boot, stage.supervisor.controller_pid
        assert boot is not None
        assert controller is not None
        server = stage.instance.settings.server
        found = {str(one) for pid in (boot.pid, controller) for one in listening(pid) if one.loopback_only}
        wide = [one for pid in (boot.pid, controller) for one in listening(pid) if not one.loopback_only]
    assert f"udp 127.0.0.1:{server.sip.port}" in found
    assert f"tcp 127.0.0.1:{server.ami.port}" in found
    assert f"tcp 127.0.0.1:{server.http.port}" in found
    # PJSIP's own name look-ups: one client socket for IPv4, one for IPv6 (docs/decisions/0008).
    assert [str(one).rpartition(":")[0] for one in sorted(wide)] in ([], ["udp 0.0.0.0", "udp [::]"])
