"""Scenes by area: for every verb a stage and the act. `tests/test_feeds_agree.py` plays them before everybody."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from realtime.access import Actor
from tests.builders import City

Scene = Callable[[AsyncSession, Actor, City], Awaitable[Callable[[], Awaitable[Any]]]]
SCENES: dict[str, tuple[Callable[..., Any], Scene]] = {}


def scene(verb: Callable[..., Any], name: str = "") -> Callable[[Scene], Scene]:
    """Register a scene: it sets the stage and returns the act."""

    def keep(stage: Scene) -> Scene:
        SCENES[f"{verb.__name__} {name}".strip()] = verb, stage
        return stage

    return keep
