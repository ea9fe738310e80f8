"""Capabilities: what a unit can do, by code and not by name, and what it takes to do it."""

from __future__ import annotations
