"""Sentences about the city, on real PostGIS and Redis and a real Chromium."""

from web.cli import collect_rarely

collect_rarely()
