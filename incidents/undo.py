"""Undo: what was done a moment ago is taken back, if nothing has happened to it since."""

from __future__ import annotations
