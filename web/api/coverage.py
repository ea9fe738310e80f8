"""Coverage targets and move-ups over HTTP."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter(tags=["coverage"])
