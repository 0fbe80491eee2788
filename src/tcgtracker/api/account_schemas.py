"""What goes in and out of the account routes."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from tcgtracker.accounts.keys import MAX_NAME
from tcgtracker.accounts.passwords import MAX_LENGTH, MIN_LENGTH
from tcgtracker.accounts.service import MAX_USERNAME
from tcgtracker.database.tables.accounts import KeyScope, Role

Username = Annotated[str, Field(min_length=1, max_length=MAX_USERNAME, examples=["misty"])]
Password = Annotated[str, Field(min_length=MIN_LENGTH, max_length=MAX_LENGTH)]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class Registration(_In):
    """A wish for an account."""

    username: Username
    password: Password


class Registered(BaseModel):
    """The same answer whether the name was free or not."""

    detail: str


class RefreshRequest(_In):
    """The refresh token of a session."""

    refresh_token: Annotated[str, Field(min_length=1, max_length=200)]


class Tokens(BaseModel):
    """Tokens of one session; lifetimes in seconds."""

    access_token: str
    token_type: str = "bearer"  # noqa: S105 - the word of RFC 6750, no secret
    expires_in: int
    refresh_token: str
    refresh_expires_in: int


class Me(BaseModel):
    """Who asks."""

    id: UUID
    username: str
    role: Role
    scope: KeyScope


class PasswordChange(_In):
    """The password as it is, and as it shall be."""

    old_password: Annotated[str, Field(min_length=1, max_length=MAX_LENGTH)]
    new_password: Password


class NewApiKey(_In):
    """A key to be made."""

    name: Annotated[str, Field(min_length=1, max_length=MAX_NAME, examples=["phone"])]
    scope: KeyScope = KeyScope.READ


class ApiKey(BaseModel):
    """A key as it is listed; `prefix` is how its text begins."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    prefix: str
    scope: KeyScope
    created_at: datetime
    last_used_at: datetime | None


class MadeApiKey(ApiKey):
    """A new key with its text, which is shown this once."""

    key: str


class ApiKeys(BaseModel):
    """The keys of the user, oldest first."""

    items: list[ApiKey]
