"""What a file holds and the city does not take, and why. Nothing is left out in silence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


class UnreadableFile(Exception):
    """The whole file is refused. `why` is English with `{placeholders}`, which `facts` fill."""

    def __init__(self, why: str, **facts: Any) -> None:
        """Nothing of the file was used."""
        super().__init__(why.format_map(facts))
        self.why, self.facts = why, facts


@dataclass(frozen=True, slots=True)
class Refused:
    """One thing of a file that is not used, or not all of it (`kept`). `why` is English with `{placeholders}`."""

    what: str  # way, relation, feature, …
    which: str  # its number in the file
    name: str | None
    why: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    kept: bool = False
