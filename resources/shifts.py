"""Shifts: templates, the slots they become, who is in them, and who swaps with whom."""

from __future__ import annotations
