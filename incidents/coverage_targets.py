"""Coverage targets: how fast a capability should be anywhere in the city, and when it no longer is."""

from __future__ import annotations
