"""What the person who asks likes: volume, keys, theme. Only ever their own."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter
from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from resources.preferences import keep_preferences, preferences_of
from web.bodies import Body, Short
from web.context import Session, Signed

router = APIRouter(prefix="/preferences", tags=["session"])

Letter = Annotated[str, StringConstraints(pattern=r"^[a-zñ]$")]


class PreferencesBody(Body):
    """All of them; what is not said is as it comes. `volume` in percent; `keys`: which letter does another's work."""

    volume: Annotated[int, Field(strict=True, ge=0, le=100)] = 80
    vibration: bool = False
    letters: bool = True
    keys: Annotated[dict[Letter, Letter], Field(max_length=30)] = {}  # noqa: RUF012  (pydantic copies it)
    theme: Literal["system", "light", "dark"] = "system"
    language: Literal["es-AR", "en"] | None = None
    desk: Short = ""

    @model_validator(mode="after")
    def _one_letter_each(self) -> Self:
        if len(set(self.keys.values())) != len(self.keys):
            raise PydanticCustomError("conflict", "One letter cannot do two things.")
        return self


@router.get("")
async def get_preferences(session: Session, found: Signed) -> dict[str, Any]:
    """What the person who asks likes; as it comes before anything was said."""
    kept = await preferences_of(session, found.person.id)
    return PreferencesBody(**(kept.content if kept else {})).model_dump()


@router.post("")
async def post_preferences(body: PreferencesBody, session: Session, found: Signed) -> dict[str, Any]:
    """From now on like this, at every seat."""
    await keep_preferences(session, found.person.id, body.model_dump())
    return body.model_dump()
