"""A real Asterisk with the least configuration in which the switch can be tried."""

import socket
from dataclasses import dataclass, replace
from pathlib import Path

from asterisk.ami import AmiAccess
from asterisk.found import Asterisk
from dialplan.server import AMI_READ, AMI_WRITE

MODULES = """
app_chanspy app_dial app_queue app_userevent bridge_simple chan_pjsip func_callerid func_channel func_db pbx_config
res_manager_devicestate res_musiconhold res_pjproject res_pjsip res_pjsip_endpoint_identifier_user
res_pjsip_authenticator_digest res_pjsip_pubsub res_pjsip_registrar res_pjsip_sdp_rtp res_pjsip_session
res_rtp_asterisk res_sorcery_astdb res_sorcery_config res_sorcery_memory res_timing_timerfd
codec_ulaw format_pcm
"""

EXTENSIONS = """
[enter]                 ; the other half of the Local channel stays here
exten => room,1,Goto(room,s,1)
exten => survival,1,Goto(survival,s,1)
[room]
exten => s,1,Set(HL_SEAT=)
 same => n,UserEvent(Room,{waiter})
 same => n(wait),Wait(1)
 same => n,Goto(wait)
[survival]
exten => s,1,Set(HL_SEAT=)
 same => n,UserEvent(Survival,{waiter},Queue: survival_english_labour)
 same => n,Queue(survival_english_labour)
 same => n,Goto(room,s,1)
[connect]
exten => _X.,1,Set(HL_SEAT=${{EXTEN}})
 same => n,Dial(PJSIP/${{EXTEN}},15)
 same => n,UserEvent(Back,Ref: ${{HL_REF}},Seat: ${{EXTEN}},Why: ${{DIALSTATUS}})
 same => n,Goto(room,s,1)
[emergency]
exten => s,1,UserEvent(Left,Ref: ${{HL_REF}},To: emergency)
 same => n,Wait(60)
[overflow]
exten => duty,1,Wait(60)
[say]                   ; the events of EVENTS, each by its name
exten => Ask,1,UserEvent(Ask,Ref: ${{HL_REF}})
 same => n,Goto(room,s,wait)
exten => CallBack,1,UserEvent(CallBack,{waiter},To: ${{CALLERID(num)}})
exten => Sent,1,UserEvent(Sent,Ref: ${{HL_REF}},Seat: 8001)
 same => n,Wait(60)
exten => Reached,1,UserEvent(Reached,Ref: ${{HL_REF}})
 same => n,Wait(60)
exten => Desk,1,UserEvent(Desk,Seat: 8001,Code: *11,Keyed: 1001,Pin: 4711)
 same => n,Wait(60)
[callback]
exten => _X.,1,Wait(60)
[blocking]
exten => s,1,Set(DB(blocked/${{HL_BLOCK}})=${{HL_UNTIL}})
 same => n,Answer
[seat]
"""
WAITER = (
    "Ref: ${HL_REF},T0: ${HL_T0},Skills: ${HL_SKILLS},Priority: ${HL_PRIO},Number: ${HL_NUMBER},Language: ${HL_LANG},"
    "Caller: ${CALLERID(num)}"
)
SEATS = ("8001", "8009")


@dataclass(frozen=True)
class SmallAsterisk:
    """Its configuration's place, and where it listens."""

    conf: Path
    access: AmiAccess
    """With the rights of the controller's account, no more."""
    control: AmiAccess
    """For the tests themselves."""
    sip_port: int


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A loopback port that nothing used a moment ago."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def write_small(found: Asterisk, folder: Path, *, modules: str = "") -> SmallAsterisk:
    """Writes the configuration into `folder`. `modules`: more lines for modules.conf."""
    ami, sip, rtp = free_port(), free_port(socket.SOCK_DGRAM), free_port(socket.SOCK_DGRAM)
    access = AmiAccess("127.0.0.1", ami, "hotline", "open sesame")
    control = replace(access, user="control")
    for name in ("etc", "log", "spool", "run", "lib"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    seats = "".join(
        f"[{seat}]\ntype=endpoint\ncontext=seat\ndisallow=all\nallow=ulaw\naors={seat}\ntransport=t\n"
        f"[{seat}]\ntype=aor\nmax_contacts=1\nremove_existing=yes\n"
        for seat in SEATS
    )
    load = "".join(f"load={module}.so\n" for module in MODULES.split())
    files = {
        "asterisk.conf": f"""[directories]
astetcdir => {folder}/etc
astmoddir => {found.modules_dir}
astvarlibdir => {folder}/lib
astdbdir => {folder}/lib
astkeydir => {folder}/lib
astdatadir => {found.data_dir}
astspooldir => {folder}/spool
astrundir => {folder}/run
astlogdir => {folder}/log
""",
        "modules.conf": f"[modules]\nautoload=no\n{load}{modules}",
        "logger.conf": "[logfiles]\nconsole => error,warning\n",
        "manager.conf": f"""[general]
enabled=yes
bindaddr=127.0.0.1
port={ami}
[{access.user}]
secret={access.secret}
read={AMI_READ}
write={AMI_WRITE}
[{control.user}]
secret={control.secret}
read=call,user
write=system,call,reporting,originate,agent
""",
        "extensions.conf": EXTENSIONS.format(waiter=WAITER),
        "queues.conf": "[survival_english_labour]\nstrategy=ringall\n[survival_labour]\nstrategy=ringall\n",
        "pjsip.conf": f"[t]\ntype=transport\nprotocol=udp\nbind=127.0.0.1:{sip}\n{seats}",
        "rtp.conf": f"[general]\nrtpstart={rtp & ~1}\nrtpend={(rtp & ~1) + 19}\n",
        "stasis.conf": "[threadpool]\ninitial_size=5\n",
    }
    for name, text in files.items():
        (folder / "etc" / name).write_text(text, encoding="utf-8")
    return SmallAsterisk(folder / "etc/asterisk.conf", access, control, sip)
