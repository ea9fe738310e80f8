"""Links between incidents: parent and child, related, duplicate, merged and split, each taken back if wrong."""

from __future__ import annotations
