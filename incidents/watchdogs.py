"""Watchdogs: the clocks behind the alarms. They live in the database and survive restarts."""

from __future__ import annotations
