"""Manager messages → what the controller hears (`calls.live`): the one strict reading."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from asterisk.message import AmiMessage, HeaderMissing
from asterisk.outcomes import CALL_BACK_ID
from calls.live import (
    AsksPlace,
    CallBackEnded,
    CallRef,
    CameBack,
    Channel,
    DeskCode,
    Device,
    EnteredRoom,
    EnteredSurvival,
    HungUp,
    LeftRoom,
    LiveEvent,
    Seat,
    SeatChanged,
    SeatDialled,
    SentToSeat,
    Snapshot,
    Waiting,
    WantsCallBack,
)

HEARD = frozenset({"UserEvent", "Hangup", "DeviceStateChange", "OriginateResponse"})
"""Events that are read; manager.conf filters for the same ones."""

_WHERE_CALLERS_STAND = frozenset({"Room", "Survival", "Back", "Left", "Sent"})

VARIABLES = ("CONTEXT", "EXTEN", "HL_REF", "HL_T0", "HL_SKILLS", "HL_PRIO", "HL_NUMBER", "HL_LANG", "HL_SEAT")
"""What a channel is asked for in a snapshot. CONTEXT and EXTEN are where it stands at that moment;
the headers of these names are as old as the channel's last step."""

_UNSET = "(null)"
_SEAT_DEVICE = re.compile(r"PJSIP/([0-9]{3,8})")
_SEAT = re.compile(r"[0-9]{3,8}")
_SKILLS = re.compile(r"[a-z0-9_]+(?:\+[a-z0-9_]+)*")
_TELEPHONE = re.compile(r"[0-9+]{0,20}")
_KEYED = re.compile(r"[0-9]{0,9}")
_DEVICES = {
    "NOT_INUSE": Device.FREE,
    "INUSE": Device.BUSY,
    "BUSY": Device.BUSY,
    "ONHOLD": Device.BUSY,
    "RINGING": Device.RINGING,
    "RINGINUSE": Device.RINGING,
    "UNAVAILABLE": Device.GONE,
    "INVALID": Device.GONE,
    "UNKNOWN": Device.GONE,
}
_NOT_REACHED = {"1": "no answer", "3": "no answer", "5": "busy", "8": "unreachable"}
"""Asterisk's reason in an OriginateResponse; every other one is `failed`, unless the cause is known."""
_CAUSES = {
    "17": "busy",
    "21": "rejected",
    **dict.fromkeys(("18", "19"), "no answer"),
    **dict.fromkeys(("1", "3", "20", "27", "28", "34", "38", "41", "42"), "unreachable"),
}
"""Q.850, from the end of the call's channel (`asterisk.outcomes`)."""


class Unreadable(ValueError):
    """A value that is not what its header promises."""

    def __init__(self, kind: str, field: str, value: str) -> None:
        self.kind = kind
        self.field = field
        self.value = value
        super().__init__(f"AMI message {kind}: {field} is {value!r}")


def superseded(message: AmiMessage) -> bool:
    """Whether a snapshot that is read later than this message knows better: where a caller stands."""
    return message.event == "UserEvent" and message.optional("UserEvent") in _WHERE_CALLERS_STAND


def event_of(message: AmiMessage, node: str) -> LiveEvent | None:
    """What a message means; None: nothing that the controller needs.

    Raises HeaderMissing, HeaderDoubled, Unreadable.
    """
    match message.required("Event"):
        case "UserEvent":
            return _user_event(message, node)
        case "Hangup":
            cause = _whole(message.kind, "Cause", message.required("Cause"))
            return HungUp(Channel(node, message.required("Channel")), cause)
        case "DeviceStateChange":
            return seat_of(message)
        case "OriginateResponse":
            return _not_reached(message)
        case _:
            return None


@dataclass(frozen=True, slots=True)
class Offered:
    """A caller between the waiting room and the end of its talk."""

    ref: CallRef
    channel: Channel
    seat: Seat
    caller: Waiting | None = None


def standing_of(row: AmiMessage, node: str) -> EnteredRoom | EnteredSurvival | Offered | None:
    """Where the channel of one `Status` row stands; None: nowhere that concerns the controller.

    A caller on its way into the waiting room or a queue may lack variables still: None, its event
    is yet to come. Raises HeaderMissing, HeaderDoubled, Unreadable.
    """
    values = _variables(row)
    channel = Channel(node, row.required("Channel"))
    # The leg that Dial made may have inherited its caller's variables.
    if not values["HL_REF"] or row.optional("Data") == "(Outgoing Line)":
        return None
    context, seat = values["CONTEXT"], values["HL_SEAT"]
    if context == "room":
        caller = _waiting_row(row, channel, values)
        return None if caller is None else EnteredRoom(caller)
    if context == "survival" and not row.optional("BridgeID"):
        caller = _waiting_row(row, channel, values)
        return None if caller is None else EnteredSurvival(caller, survival_queue(values["HL_SKILLS"]))
    if context == "connect" and not seat:
        seat = values["EXTEN"]  # redirected this very moment
    if not _SEAT.fullmatch(seat):
        return None
    return Offered(CallRef(values["HL_REF"]), channel, Seat(seat), _waiting_row(row, channel, values))


def snapshot_of(
    standings: tuple[EnteredRoom | EnteredSurvival | Offered, ...], seats: tuple[SeatChanged, ...]
) -> Snapshot:
    """Where everybody stands, and every seat's state."""
    return Snapshot(
        waiting=tuple(standing.caller for standing in standings if isinstance(standing, EnteredRoom)),
        surviving=tuple((entry.queue, entry.caller) for entry in standings if isinstance(entry, EnteredSurvival)),
        seats=tuple((change.seat, change.device) for change in seats),
        offered=tuple((entry.ref, entry.channel, entry.seat) for entry in standings if isinstance(entry, Offered)),
        callers=tuple(entry.caller for entry in standings if isinstance(entry, Offered) and entry.caller is not None),
    )


def survival_queue(skills: str) -> str:
    """The queue of callers who demand these skills (as in HL_SKILLS, joined with `+`)."""
    return "survival_" + skills.replace("+", "_")


def seat_of(message: AmiMessage) -> SeatChanged | None:
    """A seat's new state; None for a device that is no seat."""
    device, state = message.required("Device"), message.required("State")
    found = _SEAT_DEVICE.fullmatch(device)
    if found is None:
        return None
    if state not in _DEVICES:
        raise Unreadable(message.kind, "State", state)
    return SeatChanged(Seat(found[1]), _DEVICES[state])


def _user_event(message: AmiMessage, node: str) -> LiveEvent | None:  # noqa: PLR0911 -- one for each kind
    match message.required("UserEvent"):
        case "Room":
            return EnteredRoom(_waiting(message, node))
        case "Survival":
            return EnteredSurvival(_waiting(message, node), _filled(message, "Queue"))
        case "Back":
            return CameBack(_ref(message), Seat(_filled(message, "Seat")), message.required("Why"))
        case "Left":
            return LeftRoom(_ref(message), message.required("To"))
        case "Sent":
            return _sent(message, node)
        case "Ask":
            return AsksPlace(_ref(message), _channel(message, node))
        case "CallBack":
            return WantsCallBack(_waiting(message, node), _telephone(message.kind, "To", _filled(message, "To")))
        case "Reached":
            return CallBackEnded(_ref(message), _channel(message, node), "")
        case "Desk":
            return _dialled(message, node)
        case _:
            return None


def _not_reached(message: AmiMessage) -> CallBackEnded | None:
    """A call back that nobody answered; one that was answered tells it itself, with all that is known."""
    ident = message.action_id or ""
    if not ident.startswith(CALL_BACK_ID) or message.required("Response") != "Failure":
        return None
    known = _CAUSES.get(message.optional("Cause") or "", "failed")
    why = _NOT_REACHED.get(message.required("Reason"), known)
    return CallBackEnded(CallRef(ident.removeprefix(CALL_BACK_ID)), None, why)


def _dialled(message: AmiMessage, node: str) -> SeatDialled:
    """No value of a PIN stands in an error."""
    code, pin = message.required("Code"), message.required("Pin")
    if code not in _CODES:
        raise Unreadable(message.kind, "Code", code)
    if not _KEYED.fullmatch(pin):
        raise Unreadable(message.kind, "Pin", "not of digits alone, or too long")
    keyed = message.required("Keyed")
    if not _KEYED.fullmatch(keyed):
        raise Unreadable(message.kind, "Keyed", keyed)
    return SeatDialled(_channel(message, node), _seat(message), DeskCode(code), keyed, pin)


_CODES = frozenset(code.value for code in DeskCode)


def _waiting(message: AmiMessage, node: str) -> Waiting:
    kind = message.kind
    return Waiting(
        channel=Channel(node, _filled(message, "Channel")),
        ref=CallRef(_filled(message, "Ref")),
        t0_ms=_whole(kind, "T0", message.required("T0")),
        skills=_skills(kind, "Skills", message.required("Skills")),
        priority=_priority(kind, "Priority", message.beside_the_channels_own("Priority")),
        number=message.required("Number"),
        language=message.beside_the_channels_own("Language"),
        caller=_telephone(kind, "Caller", message.required("Caller")),
    )


def _waiting_row(row: AmiMessage, channel: Channel, values: Mapping[str, str]) -> Waiting | None:
    if not (values["HL_T0"] and values["HL_SKILLS"] and values["HL_PRIO"]):
        return None
    kind = row.kind
    return Waiting(
        channel=channel,
        ref=CallRef(values["HL_REF"]),
        t0_ms=_whole(kind, "HL_T0", values["HL_T0"]),
        skills=_skills(kind, "HL_SKILLS", values["HL_SKILLS"]),
        priority=_priority(kind, "HL_PRIO", values["HL_PRIO"]),
        number=values["HL_NUMBER"],
        language=values["HL_LANG"],
        caller=_row_caller(row),
    )


def _row_caller(row: AmiMessage) -> str:
    """The row's CallerIDNum; the dialplan lets only digits stand there, Asterisk writes `<unknown>` for none."""
    number = row.required("CallerIDNum")
    return number if _TELEPHONE.fullmatch(number) else ""


def _variables(row: AmiMessage) -> dict[str, str]:
    """VARIABLES of a row; one that is not set is empty."""
    found = dict(line.partition("=")[::2] for line in row.every("Variable"))
    missing = [name for name in VARIABLES if name not in found]
    if missing:
        raise HeaderMissing(row.kind, f"Variable: {missing[0]}=")
    return {name: "" if found[name] == _UNSET else found[name] for name in VARIABLES}


def _ref(message: AmiMessage) -> CallRef:
    return CallRef(_filled(message, "Ref"))


def _channel(message: AmiMessage, node: str) -> Channel:
    return Channel(node, _filled(message, "Channel"))


def _sent(message: AmiMessage, node: str) -> SentToSeat:
    """Said by the caller's channel, or by the seat's that leaves the talk: that one names the caller's in `On`."""
    caller = message.optional("On")
    channel = Channel(node, caller or _filled(message, "Channel"))
    return SentToSeat(_ref(message), channel, _seat(message), talking=bool(caller))


def _seat(message: AmiMessage) -> Seat:
    seat = message.required("Seat")
    if not _SEAT.fullmatch(seat):
        raise Unreadable(message.kind, "Seat", seat)
    return Seat(seat)


def _telephone(kind: str, field: str, number: str) -> str:
    if not _TELEPHONE.fullmatch(number):
        raise Unreadable(kind, field, "not a telephone number")
    return number


def _filled(message: AmiMessage, header: str) -> str:
    value = message.required(header)
    if not value:
        raise Unreadable(message.kind, header, value)
    return value


def _whole(kind: str, field: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise Unreadable(kind, field, text)
    return int(text)


def _priority(kind: str, field: str, text: str) -> int:
    if not re.fullmatch("[0-9]", text):
        raise Unreadable(kind, field, text)
    return int(text)


def _skills(kind: str, field: str, text: str) -> frozenset[str]:
    if not _SKILLS.fullmatch(text):
        raise Unreadable(kind, field, text)
    return frozenset(text.split("+"))
