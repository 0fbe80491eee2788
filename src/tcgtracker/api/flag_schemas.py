"""What goes in and out of the routes of the flags."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr

Text = Annotated[StrictStr, Field(max_length=100)]
FlagValue = Text | Annotated[StrictInt, Field(ge=-(2**31), le=2**31)] | list[Text]


class Flag(BaseModel):
    """A flag as it stands; `changed_at` is null while it has its default."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    value: FlagValue
    default: FlagValue
    about: str
    changed_at: datetime | None
    changed_by: str


class Flags(BaseModel):
    """All flags."""

    items: list[Flag]


class FlagChanges(BaseModel):
    """New values by name; null gives a flag its default back. All are changed, or none."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    flags: Annotated[
        dict[Text, FlagValue | None],
        Field(
            min_length=1,
            max_length=20,
            examples=[{"pricing.primary_source": "justtcg", "pricing.shadow_source": None}],
        ),
    ]
