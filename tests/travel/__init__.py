"""Travel times."""
