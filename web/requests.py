"""What may be sent: parameters and bodies, read strictly."""

import re
from datetime import date
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, WithJsonSchema, model_validator

from calls.record import Outcome
from web.desk import How

BODY_BYTES = 64 * 1024
"""A longer body is refused."""


def _a_day(text: str) -> str:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise ValueError("this is no day: write it as 2026-12-31")
    try:
        date.fromisoformat(text)
    except ValueError:
        raise ValueError("this day does not exist: write it as 2026-12-31") from None
    return text


SeatId = Annotated[str, StringConstraints(pattern=r"^[0-9]{3,8}$"), Field(examples=["8001"])]
AgentId = Annotated[str, StringConstraints(pattern=r"^[0-9]{3,8}$"), Field(examples=["1001"])]
CallId = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z-]{1,64}$")]
"""A call's id, as in its record."""
Telephone = Annotated[str, StringConstraints(pattern=r"^[0-9]{2,20}$"), Field(examples=["13812345678"])]
Ident = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
"""A name in the settings."""
Pin = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,16}$")]
Text = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$", max_length=200)]
"""One line."""
Words = Annotated[Text, StringConstraints(min_length=1, strip_whitespace=True)]
Day = Annotated[str, AfterValidator(_a_day), WithJsonSchema({"type": "string", "format": "date"})]
OutcomeName = Annotated[
    str,
    AfterValidator(lambda text: Outcome(text).value),
    WithJsonSchema({"type": "string", "enum": [outcome.value for outcome in Outcome]}),
]
RowId = Annotated[int, Field(ge=1, le=2**63 - 1)]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, use_attribute_docstrings=True)


# What stands in the address. A field that the path does not name belongs behind the '?'.


class Params(_Strict):
    """None."""


class OneAgent(Params):
    agent: AgentId


class OneSeat(Params):
    seat: SeatId


class OneCall(Params):
    call: CallId


class OneCallBack(Params):
    id: RowId


class OneNumber(Params):
    number: Telephone


class SomeNumber(Params):
    number: Telephone | None = None
    """Only calls from this number."""


class OnDay(Params):
    day: Day
    """In the city's time."""


class AgentOnDay(OneAgent, OnDay):
    pass


class Which(Params):
    every: bool = False
    """Also those that are done."""


class Newest(Params):
    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    """At most so many, the newest."""


class Kinds(Params):
    kinds: Annotated[str, StringConstraints(pattern=r"^[a-z_]+(,[a-z_]+)*$")] | None = None
    """Only these, such as `seats,waiting`; all that the role may see unless given."""


class FindCalls(Params):
    day: Day | None = None
    """Only calls that arrived on this day, in the city's time."""
    since: Day | None = None
    """That day and later ones, instead of `day`."""
    until: Day | None = None
    """That day and earlier ones, instead of `day`."""
    number: Telephone | None = None
    """Only calls that dialled, or came to, this hotline number."""
    caller: Telephone | None = None
    seat: SeatId | None = None
    """Only calls that this seat answered."""
    agent: AgentId | None = None
    """Only calls in which this agent was on duty at a seat that answered."""
    outcome: OutcomeName | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    after: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,16}-[0-9a-f-]{36}$")] | None = None
    """The `next` of the page before."""


# What stands in the body.


class Body(_Strict):
    """None."""


class SignOn(Body):
    seat: SeatId
    pin: Pin | None = None
    """The agent's; a supervisor's token needs none."""


class Pause(Body):
    reason: Ident
    """One of `GET /reasons`."""


class Watch(Body):
    by: SeatId
    """The supervisor's own seat: its telephone rings."""
    how: How


class TakeOver(Body):
    by: SeatId
    """The seat that the caller goes on with."""


class HandOver(Body):
    number: Telephone
    """Of an emergency, such as 110."""
    note: Text | None = None
    """What the centre is told with the call, cut where a SIP header ends; what was noted last unless given."""


class Note(Body):
    note: Text
    """Empty: nothing."""


class Drill(Body):
    number: Telephone | None = None
    """Only this emergency number; all of them unless given."""
    trunk: Ident | None = None
    """Only this line; all of each number unless given."""


class AddCallBack(Body):
    caller: Telephone
    """Who is to be called."""
    number: Telephone
    """The hotline number that the caller is served as."""
    note: Text = ""


class AtSeat(Body):
    seat: SeatId
    """Rings first; then the caller is dialled."""


class Dismiss(Body):
    note: Words
    """Why nobody calls back."""


class Block(Body):
    number: Telephone
    reason: Words
    until: Day
    """The last day."""


class Why(Body):
    reason: Words


def _one_of_them(schema: dict[str, Any]) -> None:
    """What is left out cannot be null."""
    schema |= {"minProperties": 1, "maxProperties": 1}
    for field in schema["properties"].values():
        (field_type,) = (choice for choice in field.pop("anyOf") if choice != {"type": "null"})
        field.pop("default")
        field.update(field_type)


class Goal(Body):
    """Where a talk goes on: exactly one of these."""

    model_config = ConfigDict(json_schema_extra=_one_of_them)

    seat: SeatId | None = None
    skill: Ident | None = None
    """Whoever can serve it: the caller waits again, with the place kept."""
    centre: Ident | None = None
    outside: Telephone | None = None
    """Only what the settings allow."""
    emergency: Telephone | None = None

    @model_validator(mode="after")
    def _one(self) -> "Goal":
        if len(self.model_fields_set) != 1 or all(getattr(self, name) is None for name in self.model_fields_set):
            raise ValueError("name exactly one of seat, skill, centre, outside and emergency")
        return self


class Transfer(Body):
    to: Goal


class Consult(Body):
    to: Goal
    join: bool = False
    """All three talk as soon as that one answers; otherwise the caller is held meanwhile."""
