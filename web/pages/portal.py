"""The public pages: report something, follow a report. Server HTML, everything works without JavaScript."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter(include_in_schema=False)
