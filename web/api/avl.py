"""Positions from trackers: the wire formats of the devices that cities have."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter(tags=["positions"])
