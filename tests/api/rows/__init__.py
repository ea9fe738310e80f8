"""Rows of the matrix by area: each module has `ROWS`, and a `stage(session, city)` where they need things."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Awaitable, Callable
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from tests.api.matrix import Row
from tests.builders import City

ROWS: dict[str, Row] = {}
STAGES: list[Callable[[AsyncSession, City], Awaitable[dict[str, UUID | str]]]] = []

for _found in sorted(pkgutil.iter_modules(__path__), key=lambda one: one.name):
    _module = importlib.import_module(f"{__name__}.{_found.name}")
    ROWS |= _module.ROWS
    if hasattr(_module, "stage"):
        STAGES.append(_module.stage)
