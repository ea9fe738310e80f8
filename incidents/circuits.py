"""Circuits: many small stops in a good order for one crew, and no neighbourhood left for last."""

from __future__ import annotations
