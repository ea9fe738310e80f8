"""Move-ups: who could stand elsewhere so that the city is covered again. A person confirms."""

from __future__ import annotations
