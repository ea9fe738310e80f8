"""Alarms: what somebody must look at now, raised once, escalated along those on call until somebody answers."""

from __future__ import annotations
