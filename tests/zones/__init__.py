"""Zones and geofences."""
