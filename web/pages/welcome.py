"""The first account of a new installation, made with the one-time code."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter(include_in_schema=False)
