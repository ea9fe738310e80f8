"""Where: places, zones, streets, the base map. WGS 84, longitude first, metres."""
