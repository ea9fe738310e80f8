"""Devices: what tells us where units are, each with a token of its own, and what we made of what it said."""

from __future__ import annotations
