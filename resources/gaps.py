"""Gaps: what a unit lacks, said in a code with its facts; the words are the screen's."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Gap:
    """One thing that is missing. `blocks`: not sent without somebody's reason; else a warning."""

    code: str  # short_crew, credential_expired, resting, over_hours, inspection_expired, insurance_expired …
    facts: dict[str, Any] = field(default_factory=dict)
    blocks: bool = True

    def shown(self) -> dict[str, Any]:
        """As the API and the journal tell it."""
        return {"code": self.code, "blocks": self.blocks, **self.facts}
