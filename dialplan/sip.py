"""pjsip.conf and rtp.conf: who may call us, and whom we can call."""

import math

from dialplan.doors import door
from dialplan.names import ARRIVAL, MUSIC, SEAT, TRANSFER
from dialplan.values import Address, Arg, ConfigFile, Section, code
from settings.secrets import Secrets
from settings.shapes import Settings, Trunk

TRANSPORT = "udp"
SEAT_MEDIA_LOST_S = 10
"""A seat that sends no audio for so long is gone; its caller goes back to the room (cause 44)."""
HOLD_MEDIA_LOST_S = 600
TIMER_T1_MS = 125
"""With it a trunk that does not answer at all is given up after 64 × T1 = 8 s instead of 32."""

_Entries = tuple[tuple[str, Arg], ...]


def pjsip(settings: Settings, secrets: Secrets) -> ConfigFile:
    sections = [*_whole(settings)]
    for seat in sorted(settings.answering.seats):
        sections += _seat(seat, secrets.seats[seat])
    for ident, trunk in sorted(settings.trunks.items()):
        sections += _trunk(ident, trunk, secrets.trunks.get(ident))
    return ConfigFile(tuple(sections))


def _whole(settings: Settings) -> tuple[Section, ...]:
    listen = settings.server.sip
    return (
        Section(
            "global",
            (
                ("type", "global"),
                # A caller whose caller id is a seat's number must not be taken for that seat.
                ("endpoint_identifier_order", "ip,username"),
                # Asterisk is never too busy for a call because its manager interface is.
                ("taskprocessor_overload_trigger", "pjsip_only"),
                ("ignore_uri_user_options", "yes"),
                # Strangers are not told what program this is.
                ("user_agent", "hotline"),
                ("default_realm", "hotline"),
            ),
        ),
        Section("system", (("type", "system"), ("timer_t1", TIMER_T1_MS), ("timer_b", 64 * TIMER_T1_MS))),
        Section(
            TRANSPORT,
            (("type", "transport"), ("protocol", "udp"), ("bind", f"{listen.address}:{listen.port}")),
        ),
        door(),
    )


def _endpoint(context: str, aor: str) -> _Entries:
    return (
        ("type", "endpoint"),
        ("context", context),
        ("aors", aor),
        # With it RTP binds the transport's address instead of every address of the machine.
        ("transport", TRANSPORT),
        ("disallow", "all"),
        ("allow", "alaw,ulaw"),
        ("direct_media", "no"),
        ("rtp_symmetric", "yes"),
        ("force_rport", "yes"),
        ("rewrite_contact", "yes"),
        ("trust_connected_line", "no"),
        ("send_connected_line", "no"),
        ("language", "en"),
    )


def _seat(seat: str, password: str) -> tuple[Section, ...]:
    endpoint = (
        *_endpoint(SEAT, seat),
        ("auth", seat),
        ("moh_suggest", MUSIC),
        # All that a telephone's own transfer (REFER) can reach.
        ("set_var", f"TRANSFER_CONTEXT={TRANSFER}"),
        ("rtp_keepalive", 5),
        ("rtp_timeout", SEAT_MEDIA_LOST_S),
        ("rtp_timeout_hold", HOLD_MEDIA_LOST_S),
    )
    aor = (
        ("type", "aor"),
        ("max_contacts", 1),
        ("remove_existing", "yes"),
        ("qualify_frequency", 5),
        ("qualify_timeout", code("2.0")),
    )
    auth = (("type", "auth"), ("auth_type", "userpass"), ("username", seat), ("password", password))
    return Section(seat, endpoint), Section(seat, auth), Section(seat, aor)


def _trunk(ident: str, trunk: Trunk, password: str | None) -> tuple[Section, ...]:
    frequency_s = max(1, math.ceil(trunk.qualify))
    address = Address(f"sip:{trunk.host}:{trunk.port}")
    endpoint: _Entries = (
        *_endpoint(ARRIVAL, ident),
        ("set_var", f"HL_TRUNK={ident}"),
        ("allow_transfer", "no"),
        # Keys are heard as tones, too, where a carrier sends no telephone-events: `*1` must work for everybody.
        ("dtmf_mode", "auto"),
    )
    aor: _Entries = (
        ("type", "aor"),
        ("contact", address),
        ("qualify_frequency", frequency_s),
        ("qualify_timeout", code("<timeout>", timeout=f"{min(3.0, frequency_s):.1f}")),
    )
    sections = [Section(ident, aor)]
    if trunk.accepts_from:
        match: _Entries = tuple(("match", str(sender)) for sender in trunk.accepts_from)
        sections.append(Section(ident, (("type", "identify"), ("endpoint", ident), *match)))
    if trunk.username is not None and password is not None:
        endpoint = (*endpoint, ("outbound_auth", ident))
        auth = (("type", "auth"), ("auth_type", "userpass"), ("username", trunk.username), ("password", password))
        sections.append(Section(ident, auth))
        if trunk.register_line:
            sections.append(Section(ident, _registration(ident, trunk, trunk.username, address)))
    return (Section(ident, endpoint), *sections)


def _registration(ident: str, trunk: Trunk, username: str, address: Address) -> _Entries:
    return (
        ("type", "registration"),
        ("transport", TRANSPORT),
        ("outbound_auth", ident),
        ("server_uri", address),
        ("client_uri", Address(f"sip:{username}@{trunk.host}:{trunk.port}")),
        ("retry_interval", 30),
        ("max_retries", 10_000),
    )


def rtp(settings: Settings) -> ConfigFile:
    ports = settings.server.rtp
    return ConfigFile(
        (
            Section(
                "general",
                (("rtpstart", ports.first), ("rtpend", ports.last), ("icesupport", "no"), ("strictrtp", "yes")),
            ),
        )
    )
