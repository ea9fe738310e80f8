"""Storm mode: over a load line, low-priority incidents are gathered into circuits; the urgent keep their times."""

from __future__ import annotations
