"""Photos of units, people and facilities: re-encoded, without what the camera wrote into them."""

from __future__ import annotations
