"""SOS: a crew in danger. The highest alarm there is; it opens an incident where the unit is."""

from __future__ import annotations
