"""Trackers: what they say, what we make of it, and what becomes of the rest."""
