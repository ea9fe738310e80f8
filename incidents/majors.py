"""Major incidents: one command over many incidents, with sectors, roles and a log of its own."""

from __future__ import annotations
