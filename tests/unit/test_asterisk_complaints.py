"""Asterisk's complaints are found among its other lines."""

from asterisk.complaints import Complaint, complaints

LINES = """PBX UUID: 335f70a1-afea-4ba5-9e5c-082a8ac01314
[Nov 21 21:12:56] NOTICE[10816]: loader.c:2568 load_modules: 27 modules will be loaded.
[Nov 21 21:12:56] ERROR[10816]: loader.c:2687 load_modules: chan_pjsip declined to load.
[Nov 21 21:12:56] ERROR[10816]: loader.c:2687 load_modules: chan_pjsip declined to load.
[2026-11-21 21:12:56.123] WARNING[24512][C-00000004]: channel.c:6264 request_channel: No channel type: 'PJSIP'
[Nov 21 21:12:56] WARNING[10816] ccss.c: Could not find valid ccss.conf file.
Asterisk Ready.
"""


def test_errors_and_warnings_are_found_each_once_in_order() -> None:
    assert complaints(LINES.splitlines()) == (
        Complaint("ERROR", "loader.c", "chan_pjsip declined to load."),
        Complaint("WARNING", "channel.c", "No channel type: 'PJSIP'"),
        Complaint("WARNING", "ccss.c", "Could not find valid ccss.conf file."),
    )
