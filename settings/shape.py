"""What all shapes of the operator's files have in common."""

from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
)

from settings.units import Line

Language = Literal["zh", "en"]
NodeName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]{0,15}$")]
_SHORT_NUMBER = WithJsonSchema({"type": ["string", "integer"], "pattern": "^[0-9]{3,8}$"})
SeatId = Annotated[str, StringConstraints(pattern=r"^[0-9]{3,8}$"), _SHORT_NUMBER]
AgentId = Annotated[str, StringConstraints(pattern=r"^[0-9]{3,8}$"), _SHORT_NUMBER]
Level = Annotated[int, Field(ge=1, le=5)]
"""How well somebody masters a skill: 1 a little, 5 as an expert."""
DialPattern = Annotated[str, StringConstraints(pattern=r"^[0-9X]{3,20}$")]
PinyinText = Annotated[str, StringConstraints(pattern=r"^[ A-Za-z0-9:,.]+$")]


class Shape(BaseModel):
    """What every shape of the settings has in common."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", populate_by_name=True, validate_default=False, use_attribute_docstrings=True
    )


class Name(Shape):
    """What a thing is called, for agents and in prompts' texts."""

    zh: Line = Field(min_length=1, max_length=40)
    en: Line = Field(min_length=1, max_length=80)
