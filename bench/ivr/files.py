"""Asterisk's files of every way, as one writes them by hand for speed: nothing is on that the way does not use."""

from collections.abc import Iterable, Sequence

from bench.ivr.way import HOST, KEY_S, NUMBER, PERSON, TRIES, IvrPlaces, Sounds
from bench.queues import queues
from bench.traced import WAITS

QUEUE = "all"
ACCOUNT = "bench"
"""In manager.conf and ari.conf."""
APP = "ivr"
"""What the AGI script and the Stasis application are called."""
HTTP_SESSIONS = 512
"""Connections to Asterisk's HTTP server at once; its own default is 100."""

_SEAT = ("[seat]", "exten => _X.,1,Hangup()")
_TO_QUEUE = (
    f" same => n,CELGenUserEvent({WAITS},number={NUMBER})",
    f" same => n,Queue({QUEUE})",
    " same => n,Hangup()",
)
_NO_MANAGER = "[general]\nenabled=no\n"


def bare_dialplan(sounds: Sounds) -> str:
    """Every step is in extensions.conf."""
    return _text(
        "[arrival]",
        f"exten => {NUMBER},1,Answer()",
        " same => n,Goto(ivr,s,1)",
        "[ivr]",
        "exten => s,1,Set(TRY=1)",
        f" same => n,Background({sounds.greeting})",
        f" same => n(menu),Background({sounds.menu})",
        f" same => n,WaitExten({KEY_S})",
        f"exten => {PERSON},1,Playback({sounds.to_person})",
        *_TO_QUEUE,
        f"exten => i,1,GotoIf($[${{TRY}} >= {TRIES}]?{PERSON},1)",
        " same => n,Set(TRY=$[${TRY} + 1])",
        " same => n,Goto(s,menu)",
        "exten => t,1,Goto(i,1)",
        *_SEAT,
    )


def steered_dialplan(application: str, status: str) -> str:
    """`application` is asked between the answer and the queue; its variable `status` tells whether it was there.

    A call that nobody steered is hung up: who only looks at the queue would take it for one that was served.
    """
    return _text(
        "[arrival]",
        f"exten => {NUMBER},1,Answer()",
        f" same => n,{application}",
        f' same => n,GotoIf($["${{{status}}}" != "SUCCESS"]?lost)',
        *_TO_QUEUE,
        " same => n(lost),Hangup()",
        *_SEAT,
    )


def shared_files(dialplan: str, seats: Sequence[str], places: IvrPlaces, modules: Iterable[str]) -> dict[str, str]:
    """What every way writes. `modules`: those that it needs beside the compiled ones."""
    return {
        "extensions.conf": dialplan,
        "queues.conf": queues({QUEUE: frozenset()}, dict.fromkeys(seats, frozenset()), strategy="rrmemory"),
        "modules.conf": places.modules + _text(*(f"load={module}.so" for module in modules)),
        "manager.conf": _NO_MANAGER,
    }


def agi_manager(places: IvrPlaces) -> str:
    """manager.conf for AGI(agi:async): one account that hears three events and gives AGI's commands."""
    return _text(
        "[general]",
        "enabled=yes",
        "webenabled=no",
        f"bindaddr={HOST}",
        f"port={places.ami}",
        "displayconnects=no",
        f"[{ACCOUNT}]",
        f"secret={places.secret}",
        "deny=0.0.0.0/0.0.0.0",
        f"permit={HOST}/255.255.255.255",
        "read=agi",
        "write=agi",
        "writetimeout=1000",
        *(f"eventfilter(action(include),name(AsyncAGI{event}))=" for event in ("Start", "Exec", "End")),
    )


def ari_files(places: IvrPlaces) -> dict[str, str]:
    """http.conf and ari.conf for one client, and the empty file without which Asterisk complains."""
    return {
        "http.conf": _text(
            "[general]",
            "enabled=yes",
            "enable_static=no",
            "enable_status=no",
            f"bindaddr={HOST}",
            f"bindport={places.http}",
            f"sessionlimit={HTTP_SESSIONS}",
            "session_keep_alive=60000",
        ),
        "ari.conf": _text(
            "[general]",
            "enabled=yes",
            "pretty=no",
            f"[{ACCOUNT}]",
            "type=user",
            "read_only=no",
            "password_format=plain",
            f"password={places.secret}",
        ),
        "websocket_client.conf": "",
    }


def _text(*lines: str) -> str:
    return "\n".join([*lines, ""])
