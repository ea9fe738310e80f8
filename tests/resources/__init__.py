"""Who and what can act."""
