"""Asterisk's own files: folders, modules, logs, the manager interface, the journal, music."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from calls.cel import COLUMNS
from dialplan.arrival import full_listeners
from dialplan.doors import LOOPBACK, guard, refused
from dialplan.names import AMI_USER, CALLER_PROFILE, CONFERENCE, LEG_PROFILE, MUSIC
from dialplan.values import Address, Arg, Code, ConfigFile, Section
from settings.secrets import Secrets
from settings.shapes import Settings

JOURNAL = "journal.csv"
"""In the folder `cel-custom` of the logs."""

EVENTS = (
    "CHAN_START",
    "CHAN_END",
    "ANSWER",
    "HANGUP",
    "BRIDGE_ENTER",
    "BLINDTRANSFER",
    "ATTENDEDTRANSFER",
    "USER_DEFINED",
    "LINKEDID_END",
)

_JOURNAL_WRITER = "res_cdrel_custom"

MODULES = (
    # Foundations.
    "res_timing_timerfd",
    "res_musiconhold",
    "res_rtp_asterisk",
    "res_sorcery_config",
    "res_sorcery_memory",
    "res_sorcery_astdb",
    # SIP.
    "res_pjproject",
    "res_pjsip",
    "res_pjsip_session",
    "res_pjsip_pubsub",
    "res_pjsip_authenticator_digest",
    "res_pjsip_outbound_authenticator_digest",
    "res_pjsip_outbound_registration",
    "res_pjsip_endpoint_identifier_ip",
    "res_pjsip_endpoint_identifier_user",
    "res_pjsip_refer",
    "res_pjsip_registrar",
    "res_pjsip_sdp_rtp",
    "res_pjsip_nat",
    "res_pjsip_rfc3326",
    "res_pjsip_acl",
    "res_pjsip_header_funcs",
    "chan_pjsip",
    # Bridges, codecs and files.
    "bridge_simple",
    "bridge_native_rtp",
    "bridge_builtin_features",
    "bridge_softmix",
    "codec_alaw",
    "codec_ulaw",
    "codec_a_mu",
    "format_pcm",
    "format_sln",
    "format_wav",
    # The dialplan's words.
    "pbx_config",
    "app_dial",
    "app_queue",
    "app_playback",
    "app_playtones",
    "app_read",
    "app_mixmonitor",
    "app_confbridge",
    "app_channelredirect",
    "app_chanspy",
    "app_record",
    "app_softhangup",
    "app_stack",
    "app_userevent",
    "app_celgenuserevent",
    "app_verbose",
    "func_callerid",
    "func_channel",
    "func_cut",
    "func_db",
    "func_devstate",
    "func_groupcount",
    "func_logic",
    "func_strings",
    "func_timeout",
    "func_uri",
    "func_uuid",
    # Who tries to sign in, for fail2ban.
    "res_security_log",
    # The manager's lists of seats.
    "res_manager_devicestate",
    # The journal.
    "cel_custom",
)


AMI_READ = "call,user"
"""The classes of the events that the controller hears."""
UNHEARD = (
    "Newexten",
    "AgentCalled",
    "AgentComplete",
    "AgentConnect",
    "AgentRingNoAnswer",
    "BridgeCreate",
    "BridgeDestroy",
    "BridgeEnter",
    "BridgeLeave",
    "ChannelTalkingStart",
    "DTMFBegin",
    "DTMFEnd",
    "DialBegin",
    "DialEnd",
    "DialState",
    "HangupHandlerPush",
    "HangupHandlerRun",
    "HangupRequest",
    "LocalBridge",
    "MixMonitorStart",
    "MixMonitorStop",
    "MusicOnHoldStart",
    "MusicOnHoldStop",
    "NewCallerid",
    "NewConnectedLine",
    "Newchannel",
    "Newstate",
    "QueueCallerJoin",
    "QueueCallerLeave",
    "QueueMemberPause",
    "QueueMemberStatus",
    "RTCPReceived",
    "RTCPSent",
    "SoftHangupRequest",
)
"""Events that Asterisk makes for each call and nobody reads. It would put each into words as long as anybody is
logged in, whatever the accounts' filters let through. It looks through this list each time: the most frequent is first.
"""
SEAT_LEG = "^PJSIP/[0-9]{3,8}-"
"""The channels of seats: when their talks end is told by the seat's state."""
AMI_WRITE = "call,originate,agent"
"""The classes of its commands. Each is needed by one of them, and none lets it run a program or read a file."""


@dataclass(frozen=True, slots=True)
class AsteriskPlaces:
    """Where one instance of Asterisk finds and leaves its files. All paths are absolute."""

    etc: Path
    log: Path
    spool: Path
    run: Path
    lib: Path
    modules: Path
    data: Path
    music: Path
    """Folder with the music that waiting callers hear."""
    journal_apart: bool
    """Whether this Asterisk has the journal's writer in a module of its own, as later 22s do."""

    @classmethod
    def under(cls, folder: Path, *, modules: Path, data: Path, music: Path) -> Self:
        """The usual layout in one folder, for the Asterisk whose modules and data are given."""
        etc, log, spool, run, lib = (folder / name for name in ("etc", "log", "spool", "run", "lib"))
        apart = (modules / f"{_JOURNAL_WRITER}.so").exists()
        return cls(etc, log, spool, run, lib, modules, data, music, apart)

    def folders(self) -> tuple[Path, ...]:
        """Folders that Asterisk expects to find; it makes none of them, and loses in silence what goes there."""
        return (self.etc, self.log / "cel-custom", self.spool / "monitor", self.run, self.lib)

    @property
    def journal(self) -> Path:
        return self.log / "cel-custom" / JOURNAL

    @property
    def monitor(self) -> Path:
        return self.spool / "monitor"


def asterisk(settings: Settings, places: AsteriskPlaces) -> ConfigFile:
    directories = (
        ("astetcdir", places.etc),
        ("astmoddir", places.modules),
        ("astvarlibdir", places.lib),
        ("astdbdir", places.lib),
        ("astkeydir", places.lib),
        ("astdatadir", places.data),
        ("astagidir", places.lib),
        ("astspooldir", places.spool),
        ("astrundir", places.run),
        ("astlogdir", places.log),
        ("astsbindir", places.lib),
        ("astcachedir", places.lib),
    )
    capacity = settings.server.capacity
    return ConfigFile(
        (
            Section("directories", tuple((name, Address(str(path))) for name, path in directories), objects=True),
            Section(
                "options",
                (
                    ("systemname", settings.city.node),
                    # The outer limit: whom the dialplan refuses politely counts for a moment, too.
                    ("maxcalls", capacity.ordinary + capacity.reserve + full_listeners(settings)),
                    ("nocolor", "yes"),
                    ("documentation_language", "en_US"),
                    ("transmit_silence", "no"),
                    ("live_dangerously", "no"),
                    ("hide_messaging_ami_events", "yes"),
                ),
            ),
        )
    )


def modules(places: AsteriskPlaces) -> ConfigFile:
    names = (*MODULES[:-1], _JOURNAL_WRITER, MODULES[-1]) if places.journal_apart else MODULES
    load = tuple(("load", f"{module}.so") for module in names)
    return ConfigFile((Section("modules", (("autoload", "no"), *load)),))


def logger() -> ConfigFile:
    return ConfigFile(
        (
            Section("general", (("dateformat", "%F %T.%3q"), ("queue_log", "no"), ("use_callids", "yes"))),
            Section(
                "logfiles",
                (
                    ("console", "notice,warning,error"),
                    ("messages.log", "notice,warning,error"),
                    ("security.log", "security"),
                ),
            ),
        )
    )


def manager(settings: Settings, secrets: Secrets) -> ConfigFile:
    """The controller's account: it hears four kinds of events and steers calls, no more.

    No `channelvars`: Asterisk would look each of them up at every step of every call, and make a picture of the
    channel whenever any variable is set. Whoever needs a call's variables asks for them.
    It has no `system` class, with which it could run programs.
    """
    listen = settings.server.ami
    return ConfigFile(
        (
            Section(
                "general",
                (
                    ("enabled", "yes"),
                    ("disabledevents", ",".join(UNHEARD)),
                    ("webenabled", "no"),
                    ("bindaddr", str(listen.address)),
                    ("port", listen.port),
                    ("timestampevents", "yes"),
                    ("displayconnects", "no"),
                ),
            ),
            Section(
                AMI_USER,
                (
                    ("secret", secrets.ami),
                    ("deny", "0.0.0.0/0.0.0.0"),
                    ("permit", LOOPBACK),
                    ("read", AMI_READ),
                    ("write", AMI_WRITE),
                    ("writetimeout", 1000),
                    ("eventfilter(action(include),name(UserEvent))", ""),
                    ("eventfilter(action(include),name(OriginateResponse))", ""),
                    (_filter("Hangup", "Channel"), "PJSIP/"),
                    ("eventfilter(action(exclude),name(Hangup),header(Channel),method(regex))", SEAT_LEG),
                    (_filter("DeviceStateChange", "Device"), "PJSIP/"),
                ),
            ),
            guard(secrets),
        )
    )


def _filter(event: str, header: str) -> str:
    """Lets an event through whose header begins with the filter's value."""
    return f"eventfilter(action(include),name({event}),header({header}),method(starts_with))"


def cel() -> ConfigFile:
    events = (("events", ",".join(EVENTS)),)
    return ConfigFile((Section("general", (("enable", "yes"), *events)),))


def cel_custom() -> ConfigFile:
    """One line for each event. `recordings` reads it; no other record of a call is kept by Asterisk."""
    columns = ",".join(f"${{CSV_QUOTE({expression})}}" for _, expression in COLUMNS)
    return ConfigFile((Section("mappings", ((JOURNAL, Code(columns)),), objects=True),))


def music(places: AsteriskPlaces) -> ConfigFile:
    return ConfigFile(
        (Section(MUSIC, (("mode", "files"), ("directory", Address(str(places.music))), ("sort", "alpha"))),)
    )


def conferences() -> ConfigFile:
    """Talks of more than two. They make no sound of their own and know no keys.

    The caller leaves with the last of the others, who are the marked ones.
    """
    user: tuple[tuple[str, Arg], ...] = (
        ("type", "user"),
        ("quiet", "yes"),
        ("announce_only_user", "no"),
        ("dtmf_passthrough", "yes"),
        ("music_on_hold_when_empty", "yes"),
        ("music_on_hold_class", MUSIC),
    )
    return ConfigFile(
        (
            Section("general", ()),
            Section(CONFERENCE, (("type", "bridge"), ("mixing_interval", 20), ("internal_sample_rate", 8000))),
            Section(CALLER_PROFILE, (*user, ("end_marked", "yes"))),
            Section(LEG_PROFILE, (*user, ("marked", "yes"))),
        )
    )


def bare() -> dict[str, ConfigFile]:
    """Files that Asterisk asks for and in which there is little to say."""
    return {
        "cdr.conf": _general(("enable", "no")),
        "http.conf": _general(("enabled", "no")),
        "confbridge.conf": conferences(),
        "acl.conf": refused(),
        # Nobody hears of variables that are set; it is a third of what the manager costs.
        "stasis.conf": ConfigFile((Section("declined_message_types", (("decline", "ast_channel_varset_type"),)),)),
        # Without these it complains, and goes on as it would with them.
        **dict.fromkeys(
            (
                "ccss.conf",
                "pjproject.conf",
                "queuerules.conf",
                "udptl.conf",
            ),
            ConfigFile(()),
        ),
        "indications.conf": ConfigFile(
            (
                Section("general", (("country", "cn"),)),
                Section(
                    "cn",
                    (
                        ("description", "China"),
                        ("ringcadence", "1000,4000"),
                        ("dial", "450"),
                        ("busy", "450/350,0/350"),
                        ("ring", "450/1000,0/4000"),
                        ("congestion", "450/700,0/700"),
                        ("callwaiting", "450/400,0/4000"),
                        ("dialrecall", "450"),
                        ("record", "950/400,0/10000"),
                        ("info", "450/100,0/100,450/100,0/100,450/100,0/100,450/400,0/400"),
                    ),
                ),
            )
        ),
    }


def _general(*entries: tuple[str, str]) -> ConfigFile:
    return ConfigFile((Section("general", entries),))
