"""A city out of an OpenStreetMap file: streets cut at crossings, turn restrictions, doors, landmarks, the base map."""
