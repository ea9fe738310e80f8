"""Sentences about the city, on real PostGIS and Redis and a real Chromium."""
