"""Tasks: what a run card asks to be done on an incident, and who did it."""

from __future__ import annotations
